# SPDX-License-Identifier: BSD-2-Clause
"""Clocks, disks, devices, lines and quotas that hold up servers of other packages."""

import contextlib
import os
import sys
import tty

from cgroup import Cgroup
from harness import Process
from packages import Go, Lighttpd, MariaDb, Php
from programs import Nginx, PythonHttp, limit_disk
from suite import SHORT_LEVELS, Run, client, on_port, scenario, wrk

MIB = 1 << 20


@scenario(
    "timer",
    "the server delays requests so that 200 a second pass, and exactly so many do; at 800, throughput rises",
    gain=2,
    levels=SHORT_LEVELS,
)
def nginx_with_a_rate_limit(directory, removed):
    with Nginx(directory, "location / { limit_req zone=all burst=100; }", http=(
        f"limit_req_zone $server_port zone=all:1m rate={800 if removed else 200}r/s;"
    )) as server:
        server.file("page", 100)
        yield on_port(server, wrk(server.port, "/page"))


@scenario(
    "disk-io",
    "each commit of 32 KiB is stored before it is answered, on a disk of 4 MiB/s; with a disk without a limit, throughput rises",
    change="cause_removed",
    gain=2,
    settled=False,
)
def mariadb_that_commits(directory, removed):
    with Cgroup("blkio") as cgroup, MariaDb(directory, "--innodb-flush-log-at-trx-commit=1") as server:
        server.sql("CREATE DATABASE shop// USE shop// CREATE TABLE log (id INT AUTO_INCREMENT PRIMARY KEY, line MEDIUMBLOB)//")
        if not removed:
            limit_disk(cgroup, directory, "write_bps", 4 * MIB)
        cgroup.add(server.pid)
        yield on_port(server, client(server.port, "INSERT INTO shop.log (line) VALUES (REPEAT('x', 32768))", "--mysql"))


@scenario(
    "cpu-quota",
    "its cgroup may run 30 ms in 100 ms, and counts as throttled; with five times the quota, throughput rises",
    change="cause_removed",
    gain=2,
    settled=False,
)
def go_in_a_quota(directory, removed):
    with Cgroup("cpu") as cgroup, Go(directory, "-compute", 2) as server:
        cgroup.limit_cpu(150_000 if removed else 30_000, 100_000)
        cgroup.add(server.pid)
        yield on_port(server, wrk(server.port))


@scenario(
    "cpu-saturated",
    "its processes are on CPU 0 alone, and each request computes; with CPU 1 as well, throughput rises",
    change="twice_cpus",
    gain=1.4,
    settled=False,
)
def php_on_one_cpu(directory, removed):
    with Php(directory, 8, "compute", 2) as server, server.before(directory) as front:
        server.pin(*((0, 1) if removed else (0,)))
        yield Run(["--port", str(server.port)], wrk(front.port, cpu=1))


@scenario(
    "network-send",
    "the clients together read 6 MB/s, and an answer is 60 kB: 100 a second; when they read 60 MB/s, throughput rises",
    change="cause_removed",
    gain=2,
    settled=False,
)
def lighttpd_with_slow_readers(directory, removed):
    with Lighttpd(directory, 60_000) as server:
        yield on_port(server, client(server.port, "/page", "--read-rate", 60_000_000 if removed else 6_000_000))


@scenario(
    "client-limited",
    "all clients together ask 100 times a second, however many they are; the server could do ten times that",
    settled=False,
)
def lighttpd_with_a_paced_load(directory, removed):
    with Lighttpd(directory, 1000) as server:
        yield on_port(server, client(server.port, "/page", "--rate", 100))


DEVICE = """
import os, select, sys, time
doors = [int(number) for number in sys.argv[2:]]
while True:
    for door in select.select(doors, [], [])[0]:
        os.read(door, 1)
        time.sleep(float(sys.argv[1]))
        os.write(door, b"x")
"""


@contextlib.contextmanager
def lines_to_a_device(count, seconds):
    """A process behind terminals, as behind serial lines, which does one job at a time, each in so many seconds: their paths."""
    pairs = [os.openpty() for _ in range(count)]
    for _, inner in pairs:
        tty.setraw(inner)
    outer = [pair[0] for pair in pairs]
    try:
        with Process(sys.executable, "-c", DEVICE, str(seconds), *map(str, outer), pass_fds=outer):
            yield [os.ttyname(inner) for _, inner in pairs]
    finally:
        for pair in pairs:
            for number in pair:
                os.close(number)


@scenario(
    "device",
    "sixteen threads have a serial line each, and the one device behind all of them does one job at a time, in 5 ms; when it takes "
    "1 ms, throughput rises",
    subject="pts/",
    gain=2,
    levels=SHORT_LEVELS,
)
def python_with_a_device(_, removed):
    with lines_to_a_device(16, 0.001 if removed else 0.005) as lines:
        with PythonHttp("--threads", 16, "--device", *lines) as server:
            yield on_port(server, wrk(server.port))
