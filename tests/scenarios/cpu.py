# SPDX-License-Identifier: BSD-2-Clause
"""CPUs: too few, taken by others or by a quota, and wasted."""

from cgroup import Cgroup
from programs import Demo, Hogs, Node, Postgres, Redis, busy_command, pin
from suite import THINKING, client, on_port, scenario, wrk


@scenario(
    "cpu-saturated",
    "its threads are on CPU 0 alone, and share nothing; with CPU 1 as well, throughput rises",
    change="twice_cpus",
    gain=1.4,
    levels=THINKING,
)
def demo_on_one_cpu(_, removed):
    with Demo("--threads", 8, cpus="0,1" if removed else "0") as server:
        yield on_port(server, wrk(server.port, "/infer", cpu=1, think_ms=8))


@scenario(
    "cpu-saturated",
    "its processes are on CPU 0 alone, and each query computes; with CPU 1 as well, throughput rises",
    change="twice_cpus",
    gain=1.4,
    levels=THINKING,
)
def postgres_on_one_cpu(directory, removed):
    with Postgres(directory) as server:
        server.configure("max_parallel_workers_per_gather = 0", "jit = off")
        pin(server.pid, *((0, 1) if removed else (0,)))
        yield on_port(server, server.clients(directory, "SELECT sum(i) FROM generate_series(1, 20000) i;\n\\sleep 20 ms\n"))


@scenario(
    "cpu-oversubscribed",
    "eight teams of two threads spin for each other on two CPUs; with one team, throughput rises and a request takes less CPU",
    gain=1.4,
    settled=False,
)
def demo_with_spinning_teams(_, removed):
    with Demo("--threads", 1 if removed else 8, "--team", 2) as server:
        yield on_port(server, wrk(server.port, "/infer"))


@scenario(
    "cpu-oversubscribed",
    "eight threads spin for one lock on two CPUs; without the lock throughput rises, and a request takes as much CPU at any load",
    change="cause_removed",
    gain=1.2,
)
def demo_with_a_spin_lock(_, removed):
    with Demo("--threads", 8, *([] if removed else ["--spin"])) as server:
        yield on_port(server, wrk(server.port, "/infer"))


@scenario(
    "cpu-quota",
    "its cgroup may run 20 ms in 50 ms, and counts as throttled; with five times the quota, throughput rises",
    change="cause_removed",
    gain=2,
    levels=THINKING,
)
def demo_in_a_quota(_, removed):
    with Cgroup("cpu") as cgroup, Demo("--threads", 8) as server:
        cgroup.limit_cpu(100_000 if removed else 20_000, 50_000)
        cgroup.add(server.pid)
        yield on_port(server, wrk(server.port, "/infer", think_ms=20))


@scenario(
    "cpu-quota",
    "its cgroup may run 30 ms in 100 ms, and counts as throttled; without the quota, throughput rises to the one event loop's",
    change="cause_removed",
    gain=2,
    levels=THINKING,
)
def node_in_a_quota(_, removed):
    with Cgroup("cpu") as cgroup, Node(2) as server:
        cgroup.limit_cpu(200_000 if removed else 30_000, 100_000)
        cgroup.add(server.pid)
        yield on_port(server, wrk(server.port, think_ms=80))


@scenario(
    "cpu-neighbour",
    "six processes of others burn CPU 0, the server's only one; without them, throughput rises",
    change="cause_removed",
    gain=2,
)
def demo_beside_hogs(_, removed):
    with Hogs(0 if removed else 6, cpu=0), Demo("--threads", 2, cpus="0") as server:
        yield on_port(server, wrk(server.port, "/infer", cpu=1))


@scenario(
    "cpu-neighbour",
    "three processes of others burn CPU 0, on which its one thread is; without them, throughput rises",
    change="cause_removed",
    gain=2,
)
def redis_beside_hogs(directory, removed):
    with Hogs(0 if removed else 3, cpu=0), Redis(directory, "--appendonly", "no") as server:
        pin(server.pid, 0)
        yield on_port(server, client(server.port, busy_command(100_000), "--line"))
