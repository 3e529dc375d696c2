# SPDX-License-Identifier: BSD-2-Clause
"""Disks and memory. The disk has the limits of a rented one, so that the truth does not hang on whose it is."""

import os
import tempfile

from cgroup import Cgroup, write
from programs import Demo, Redis, limit_disk
from suite import client, on_port, scenario, wrk

MIB = 1 << 20


@scenario(
    "disk-io",
    "each request writes 32 KiB and waits until they are stored, on a disk of 4 MiB/s: 128 requests a second; where the file lies in "
    "memory, throughput rises",
    change="cause_removed",
    gain=2,
)
def demo_that_logs(directory, removed):
    with Cgroup("blkio") as cgroup, tempfile.TemporaryDirectory(dir="/dev/shm") as memory:
        path = os.path.join(memory if removed else directory, "log")
        with Demo("--threads", 16, "--hidden", 100, "--fsync", path, "--line", 32768) as server:
            if not removed:
                limit_disk(cgroup, directory, "write_bps", 4 * MIB)
            cgroup.add(server.pid)
            yield on_port(server, wrk(server.port, "/infer"))


@scenario(
    "disk-io",
    "with appendfsync always each write of 32 KiB is stored before it is answered, on a disk of 8 MiB/s: 256 a second; "
    "where the kernel stores it when it likes, throughput rises",
    change="cause_removed",
    gain=2,
)
def redis_that_stores_always(directory, removed):
    with Cgroup("blkio") as cgroup:
        stored = "no" if removed else "always"
        with Redis(directory, "--appendonly", "yes", "--appendfsync", stored, "--auto-aof-rewrite-percentage", "0") as server:
            limit_disk(cgroup, directory, "write_bps", 8 * MIB)
            cgroup.add(server.pid)
            yield on_port(server, client(server.port, "SET key " + 32768 * "x", "--line"))


@scenario(
    "memory",
    "each request looks up 16 pages of a mapped file of 256 MiB, and the cgroup may hold 48 MiB: the kernel counts major "
    "faults; with room for all of the file, throughput rises",
    change="cause_removed",
    gain=3,
)
def demo_with_too_little_memory(directory, removed):
    weights = os.path.join(directory, "weights")
    with open(weights, "wb") as file:
        for _ in range(256):
            file.write(os.urandom(MIB))
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    with Cgroup("memory") as cgroup:
        write(
            cgroup.path,
            "memory.max" if cgroup.version == 2 else "memory.limit_in_bytes",
            (1024 if removed else 48) * MIB,
        )
        with Demo("--threads", 16, "--hidden", 100, "--weights", weights, cgroup=cgroup) as server:
            if removed:
                with open(weights, "rb") as file:
                    while file.read(MIB):
                        pass
            yield on_port(server, wrk(server.port, "/infer"))
