# SPDX-License-Identifier: BSD-2-Clause
"""
Run a command inside a guest with another kernel, over this machine's own root, copy-on-write, as root.

Emulated (TCG), not virtualised: a guest needs no /dev/kvm, sees every kernel event, and runs some twenty times slower.
"""

import atexit
import ctypes
import os
import shlex
import signal
import shutil
import subprocess
import sys
import tempfile
import threading
import time

import kernels

MEMORY_MIB = 1536
STATUS_MARK = "guest-status:"

COMMAND = """
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 TERM=dumb
mount -t cgroup2 cgroup /sys/fs/cgroup
mount -t bpf bpf /sys/fs/bpf
mount -t tracefs tracing /sys/kernel/tracing
mkdir -p /dev/pts /dev/shm
mount -t devpts pts /dev/pts
mount -t tmpfs shm /dev/shm
ip link set lo up || busybox ifconfig lo 127.0.0.1 up
mkdir -p /usr/lib/modules/{release}
mount --bind {modules} /usr/lib/modules/{release}
modprobe -q tun
cd {directory}
{command} </dev/null 2>&1
echo "{mark} $?"
sync
echo o >/proc/sysrq-trigger
sleep 60
"""


PR_SET_PDEATHSIG = 1
libc = ctypes.CDLL(None)


def die_with_parent():
    """For preexec_fn: no guest outlives its test, however that ends."""
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Guest:
    """One boot. Yields the lines that the command prints; `status` is its exit status, None if it never ended."""

    def __init__(self, kernel, command, cpus=1, limit_s=300, environment=None):
        self.kernel, self.limit_s, self.cpus, self.status = kernel, limit_s, cpus, None
        words = [f"{key}={value}" for key, value in (environment or {}).items()] + list(command)
        self.script = COMMAND.format(
            release=kernel.release,
            modules=shlex.quote(os.path.realpath(kernel.modules)),
            directory=shlex.quote(os.getcwd()),
            command="env " + shlex.join(words),
            mark=STATUS_MARK,
        )

    def lines(self):
        kernels.need("qemu-system-x86_64")
        self.directory = tempfile.mkdtemp(prefix="headroom-guest-")
        atexit.register(shutil.rmtree, self.directory, ignore_errors=True)  # also when a signal ends us
        children = []
        try:
            self.write_initrd()
            children.append(self.start_file_server())
            children.append(self.start_machine())
            yield from self.read(children[-1])
        finally:
            for child in reversed(children):
                child.kill()
                child.wait()
            shutil.rmtree(self.directory, ignore_errors=True)

    def write_initrd(self):
        """The kernel's own, and behind it one more archive with the command."""
        archive = kernels.Cpio()
        archive.file("command", self.script.encode())
        with open(self.kernel.initrd, "rb") as base, open(self.path("initrd"), "wb") as initrd:
            initrd.write(base.read() + archive.finish())

    def path(self, name):
        return os.path.join(self.directory, name)

    def start_file_server(self):
        for server, arguments in (
            (
                "/usr/lib/qemu/virtiofsd",
                ["-o", "source=/,cache=always,sandbox=chroot"],
            ),  # Debian 12: qemu-system-common
            (
                "/usr/libexec/virtiofsd",
                ["--shared-dir", "/", "--cache", "always", "--sandbox", "chroot"],
            ),  # 13: virtiofsd
        ):
            if os.path.exists(server):
                break
        else:
            raise kernels.Unavailable("virtiofsd is not installed")
        log = open(self.path("virtiofsd.log"), "wb")
        child = subprocess.Popen(
            [server, f"--socket-path={self.path('root.sock')}", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            preexec_fn=die_with_parent,
        )
        log.close()
        for _ in range(100):
            if os.path.exists(self.path("root.sock")):
                return child
            if child.poll() is not None:
                break
            time.sleep(0.05)
        child.kill()
        with open(self.path("virtiofsd.log"), encoding="utf-8", errors="replace") as words:
            raise kernels.Unavailable(f"virtiofsd does not start: {words.read().strip()[-200:]}")

    def start_machine(self):
        return subprocess.Popen(
            [
                "qemu-system-x86_64",
                "-accel",
                "tcg,thread=multi",
                "-cpu",
                "max,-la57",
                "-machine",
                "q35",
                "-smp",
                str(self.cpus),
                "-m",
                str(MEMORY_MIB),
                "-object",
                f"memory-backend-memfd,id=memory,size={MEMORY_MIB}M,share=on",
                "-numa",
                "node,memdev=memory",
                "-chardev",
                f"socket,id=root,path={self.path('root.sock')}",
                "-device",
                "vhost-user-fs-pci,chardev=root,tag=root",
                "-device",
                "virtio-rng-pci",
                "-nodefaults",
                "-no-reboot",
                "-display",
                "none",
                "-monitor",
                "none",
                "-serial",
                "stdio",
                "-kernel",
                self.kernel.vmlinux,
                "-initrd",
                self.path("initrd"),
                "-append",
                "console=ttyS0 quiet loglevel=3 panic=-1 mitigations=off nowatchdog",
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            preexec_fn=die_with_parent,
        )

    def read(self, machine):
        limit = threading.Timer(self.limit_s, machine.kill)
        limit.start()
        try:
            for raw in machine.stdout:
                line = raw.decode(errors="replace").rstrip("\r\n")
                if line.startswith(STATUS_MARK):
                    self.status = int(line.split()[1])
                    break
                yield line
        finally:
            limit.cancel()


def main():
    """guest.py KERNEL COMMAND...: run a command in a guest; KERNEL is one of those in kernels.py."""
    if len(sys.argv) < 3:
        sys.exit(f"usage: guest.py {'|'.join(kernels.SUITES)} COMMAND...")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    guest = Guest(kernels.fetch(sys.argv[1]), sys.argv[2:])
    for line in guest.lines():
        print(line, flush=True)
    sys.exit(1 if guest.status is None else guest.status)


if __name__ == "__main__":
    main()
