# SPDX-License-Identifier: BSD-2-Clause
"""Make and remove cgroups, of either version, for tests."""

import contextlib
import os
import signal
import time

from harness import Skip


def mount_point(controller):
    """Where a controller is: a v1 hierarchy of its own, or the v2 tree if that has it."""
    with open("/proc/self/mounts", encoding="utf-8") as mounts:
        for line in mounts:
            _, path, kind, options, *_ = line.split()
            if kind == "cgroup" and controller in options.split(","):
                return path, 1
            if kind == "cgroup2" and controller in read(path, "cgroup.controllers").split():
                return path, 2
    raise Skip(f"no cgroup tree with the controller '{controller}' is mounted")


class Cgroup:
    """A cgroup of its own for one test; the processes in it are killed at its end."""

    def __init__(self, controller, name="target"):
        top, self.version = mount_point(controller)
        self.path = os.path.join(top, f"headroom-e2e-{os.getpid()}-{name}")
        if self.version == 2:
            write(top, "cgroup.subtree_control", f"+{controller}")
        try:
            os.mkdir(self.path)
        except OSError as error:
            raise Skip(f"cannot make the cgroup {self.path}: {error.strerror}") from None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for _ in range(100):
            for pid in read(self.path, "cgroup.procs").split():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)
            with contextlib.suppress(OSError):
                os.rmdir(self.path)
                return
            time.sleep(0.05)

    def add(self, pid):
        write(self.path, "cgroup.procs", pid)

    def limit_cpu(self, quota_us, period_us):
        if self.version == 1:
            write(self.path, "cpu.cfs_period_us", period_us)
            write(self.path, "cpu.cfs_quota_us", quota_us)
        else:
            write(self.path, "cpu.max", f"{quota_us} {period_us}")

    def throttled(self):
        """How many periods, and for how many nanoseconds, it was throttled."""
        stat = dict(line.split() for line in read(self.path, "cpu.stat").splitlines())
        if self.version == 1:
            return int(stat["nr_throttled"]), int(stat["throttled_time"])
        return int(stat["nr_throttled"]), int(stat["throttled_usec"]) * 1000

    def freeze(self, frozen):
        if self.version == 1:
            write(self.path, "freezer.state", "FROZEN" if frozen else "THAWED")
        else:
            write(self.path, "cgroup.freeze", int(frozen))


def read(directory, name):
    with open(os.path.join(directory, name), encoding="utf-8") as file:
        return file.read()


def write(directory, name, value):
    with open(os.path.join(directory, name), "w", encoding="utf-8") as file:
        file.write(str(value))
