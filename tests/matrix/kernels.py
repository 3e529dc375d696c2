# SPDX-License-Identifier: BSD-2-Clause
"""
Debian's kernels for guests: fetched from the mirror that this machine's apt uses, unpacked into a cache, not installed.

A kernel's folder holds `vmlinux` (uncompressed: it boots faster under emulation), `initrd.cpio` (busybox, and the
modules with which the guest reaches the host's file system) and `modules`, a link to its modules.
"""

import gzip
import lzma
import os
import shutil
import stat
import struct
import subprocess
import time

CACHE = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "headroom-kernels")
FRESH_S = 7 * 24 * 3600
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
FLAVOUR = "cloud-amd64"

# What the guest needs to find its root: the bus, the shared file system, the layer above it, and randomness.
MODULES = ("virtio_pci", "virtiofs", "overlay", "virtio_rng")

# name: (archive, suite)
SUITES = {"6.1": ("debian-security", "bookworm-security"), "newest": ("debian", "trixie-backports")}


class Unavailable(Exception):
    """The kernel cannot be had; the text says why."""


class Kernel:
    def __init__(self, directory):
        self.directory = os.path.realpath(directory)
        self.release = os.path.basename(self.directory)
        self.vmlinux = os.path.join(self.directory, "vmlinux")
        self.initrd = os.path.join(self.directory, "initrd.cpio")
        self.modules = os.path.join(self.directory, "modules")


def fetch(name):
    """The Kernel of that name: from the cache while it is fresh, or when the mirror is out of reach."""
    link = os.path.join(CACHE, name)
    try:
        if time.time() - os.lstat(link).st_mtime < FRESH_S and os.path.exists(link):
            return Kernel(link)
    except FileNotFoundError:
        pass
    need("apt-get", "apt-cache", "dpkg-deb", "depmod", "busybox")
    try:
        release = download(name)
    except Unavailable:
        if os.path.exists(link):
            return Kernel(link)
        raise
    fresh = link + ".new"
    if os.path.lexists(fresh):
        os.unlink(fresh)
    os.symlink(release, fresh)
    os.replace(fresh, link)
    return Kernel(link)


def need(*programs):
    missing = [program for program in programs if not find(program)]
    if missing:
        raise Unavailable(f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not installed")


def find(program):
    return shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def run(*command, **options):
    """A command's output; Unavailable with its last words if it fails."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, **options)
    if done.returncode:
        words = done.stderr.decode(errors="replace").strip().splitlines()
        raise Unavailable(
            f"{os.path.basename(command[0])} failed: {words[-1] if words else f'status {done.returncode}'}"
        )
    return done.stdout


# From the mirror


class Archive:
    """One suite, with apt state of its own in the cache: the machine's sources stay as they are."""

    def __init__(self, archive, suite):
        self.directory = os.path.join(CACHE, "apt", suite)
        for part in ("lists/partial", "cache/archives/partial", "parts"):
            os.makedirs(os.path.join(self.directory, part), exist_ok=True)
        self.write("status", "")
        self.write("sources.list", f"deb [signed-by={KEYRING} arch=amd64] {mirror()}/{archive} {suite} main\n")
        self.apt("apt-get", "update")

    def write(self, name, text):
        with open(os.path.join(self.directory, name), "w", encoding="utf-8") as file:
            file.write(text)

    def apt(self, program, *arguments, **options):
        settings = {
            "APT::Architecture": "amd64",
            "APT::Sandbox::User": "root",
            "Acquire::Languages": "none",
            "Acquire::Retries": "2",
            "Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled": "false",
            "APT::Update::Error-Mode": "any",
            "APT::Update::Post-Invoke-Success::": "",
            "Dir::Etc::sourcelist": f"{self.directory}/sources.list",
            "Dir::Etc::sourceparts": f"{self.directory}/parts",
            "Dir::State::lists": f"{self.directory}/lists",
            "Dir::State::status": f"{self.directory}/status",
            "Dir::Cache": f"{self.directory}/cache",
        }
        options_of_apt = [word for key, value in settings.items() for word in ("-o", f"{key}={value}")]
        return run(program, "-qq", *options_of_apt, *arguments, **options).decode(errors="replace")

    def depends(self, package):
        for line in self.apt("apt-cache", "show", package).splitlines():
            if line.startswith("Depends:"):
                return [part.split()[0] for part in line.split(":", 1)[1].split(",")]
        raise Unavailable(f"{package} is not in {os.path.basename(self.directory)}")

    def has(self, package):
        try:
            return package in self.apt("apt-cache", "show", package)
        except Unavailable:
            return False

    def unpack(self, package, directory):
        where = os.path.join(directory, "deb")
        os.makedirs(where, exist_ok=True)
        self.apt("apt-get", "download", package, cwd=where)
        for deb in os.listdir(where):
            run("dpkg-deb", "-x", os.path.join(where, deb), directory)
        shutil.rmtree(where)


def mirror():
    """The machine's own Debian mirror, up to the folder that holds the archives."""
    sources = ["/etc/apt/sources.list"]
    if os.path.isdir("/etc/apt/sources.list.d"):
        sources += [entry.path for entry in os.scandir("/etc/apt/sources.list.d")]
    for source in sources:
        if not os.path.exists(source):
            continue
        with open(source, encoding="utf-8", errors="replace") as file:
            for word in file.read().split():
                if word.startswith("http") and word.rstrip("/").endswith("/debian"):
                    return word.rstrip("/")[: -len("/debian")]
    return "http://deb.debian.org"


def download(name):
    """Fetch and prepare the newest kernel of that name; returns its release, which is its folder's name."""
    archive = Archive(*SUITES[name])
    prefix = "linux-image-"
    image = next((package for package in archive.depends(prefix + FLAVOUR) if package.startswith(prefix)), None)
    if not image:
        raise Unavailable(f"{prefix}{FLAVOUR} names no image")
    release = image[len(prefix) :]
    final = os.path.join(CACHE, release)
    if os.path.exists(os.path.join(final, "initrd.cpio")):
        return release

    work = final + ".new"
    shutil.rmtree(work, ignore_errors=True)
    os.makedirs(work)
    # from 7 on the image is split: what it depends on holds the files
    split = [f"linux-{part}-{release}" for part in ("base", "binary", "modules")]
    for package in split if archive.has(split[1]) else [image]:
        archive.unpack(package, work)
    prepare(work, release)
    shutil.rmtree(final, ignore_errors=True)
    os.rename(work, final)
    return release


# From the package to what boots


def prepare(directory, release):
    base = next(
        (
            base
            for base in (directory, os.path.join(directory, "usr"))
            if os.path.isdir(os.path.join(base, "lib/modules", release))
        ),
        None,
    )
    images = [os.path.join(directory, "boot", f"vmlinuz-{release}")] + (
        [os.path.join(base, "lib/modules", release, "vmlinuz")] if base else []
    )
    image = next((image for image in images if os.path.exists(image)), None)
    if not base or not image:
        raise Unavailable(
            f"the package of {release} has no {'image' if base else 'modules'} where they are known to be"
        )
    run(find("depmod"), "-b", base, release)
    modules = os.path.join(base, "lib/modules", release)
    os.symlink(os.path.relpath(modules, directory), os.path.join(directory, "modules"))
    with open(image, "rb") as file:
        vmlinux = decompress_image(file.read())
    with open(os.path.join(directory, "vmlinux"), "wb") as file:
        file.write(vmlinux)
    with open(os.path.join(directory, "initrd.cpio"), "wb") as file:
        file.write(make_initrd(modules))


def decompress_image(image):
    """The ELF kernel inside a bzImage (boot.rst: setup_sects, payload_offset, payload_length)."""
    if image[0x202:0x206] != b"HdrS":
        raise Unavailable("the image is no bzImage")
    offset, length = struct.unpack_from("<II", image, 0x248)
    start = (image[0x1F1] + 1) * 512 + offset
    payload = image[start : start + length]
    return decompress(payload[:-4] if payload[:2] != b"\x02\x21" else payload)  # the last four bytes are the size


def decompress(data):
    if data[:2] == b"\x1f\x8b":
        return gzip.decompress(data)
    if data[:6] == b"\xfd7zXZ\0":
        return lzma.decompress(data)
    program = {b"\x28\xb5\x2f\xfd": "zstd", b"\x02\x21\x4c\x18": "lz4"}.get(data[:4])
    if not program:
        return data
    need(program)
    done = subprocess.run(
        [program, "-dc"], input=data, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False
    )
    if not done.stdout:
        raise Unavailable(f"{program} cannot read the kernel")
    return done.stdout


def module_files(modules):
    """The files of MODULES, each after those that it depends on; what is built in is left out."""
    with open(os.path.join(modules, "modules.dep"), encoding="utf-8") as file:
        depends = dict(line.rstrip("\n").split(":", 1) for line in file)
    by_name = {os.path.basename(path).split(".ko")[0].replace("-", "_"): path for path in depends}
    ordered = []
    for name in MODULES:
        path = by_name.get(name)
        # modules.dep lists the nearest first
        for needed in [*reversed(depends[path].split()), path] if path else []:
            if needed not in ordered:
                ordered.append(needed)
    return [os.path.join(modules, path) for path in ordered]


INIT = """#!/bin/sh
# Reaches the host's root over virtiofs, covers it with memory, and hands over to /command there.
export PATH=/bin
fail() { echo "guest: $1"; poweroff -f; }
mount -t devtmpfs dev /dev && mount -t proc proc /proc && mount -t sysfs sys /sys
for module in $(cat /modules/order); do insmod "/modules/$module" || fail "cannot load $module"; done
mount -t virtiofs -o ro root /host || fail "cannot reach the root of the host"
mount -t tmpfs -o size=60% memory /memory && mkdir /memory/upper /memory/work
layers=lowerdir=/host,upperdir=/memory/upper,workdir=/memory/work
mount -t overlay -o "$layers" overlay /new || fail "cannot cover the root"
for part in dev proc sys; do mount --move "/$part" "/new/$part"; done
mount -t tmpfs run /new/run
cp /command /new/run/guest-command
exec switch_root /new /bin/sh /run/guest-command
"""


def make_initrd(modules):
    with open(find("busybox"), "rb") as file:
        busybox = file.read()
    if b"ld-linux" in busybox[:4096]:
        raise Unavailable("busybox is not static: install busybox-static")
    archive = Cpio()
    for directory in ("bin", "modules", "dev", "proc", "sys", "host", "memory", "new"):
        archive.directory(directory)
    archive.file("bin/busybox", busybox, 0o755)
    for applet in ("sh", "cat", "cp", "echo", "insmod", "mkdir", "mount", "poweroff", "switch_root"):
        archive.link(f"bin/{applet}", "busybox")
    order = []
    for path in module_files(modules):
        with open(path, "rb") as file:
            name = os.path.basename(path).split(".ko")[0] + ".ko"
            archive.file(f"modules/{name}", decompress(file.read()))
            order.append(name)
    archive.file("modules/order", "\n".join(order).encode() + b"\n")
    archive.file("init", INIT.encode(), 0o755)
    return archive.finish()


class Cpio:
    """An archive in the "newc" format of an initramfs (Documentation/driver-api/early-userspace/buffer-format.rst)."""

    def __init__(self):
        self.parts, self.inode = [], 0

    def directory(self, path):
        self.add(path, stat.S_IFDIR | 0o755, b"")

    def link(self, path, to):
        self.add(path, stat.S_IFLNK | 0o777, to.encode())

    def file(self, path, data, mode=0o644):
        self.add(path, stat.S_IFREG | mode, data)

    def add(self, path, mode, data):
        self.inode += 1
        name = path.encode() + b"\0"
        fields = (self.inode, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name), 0)
        header = b"070701" + b"".join(b"%08X" % field for field in fields)
        self.parts += [pad4(header + name), pad4(data)]

    def finish(self):
        self.add("TRAILER!!!", 0, b"")
        return b"".join(self.parts)


def pad4(data):
    return data + bytes(-len(data) % 4)
