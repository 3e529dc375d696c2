# SPDX-License-Identifier: BSD-2-Clause
"""Work that goes one at a time: by one thread, by turns, or by a lock."""

import contextlib

from programs import Demo, Nginx, Node, Postgres, PythonHttp, Redis, busy_command
from suite import THINKING, Run, client, on_port, scenario, wrk


@scenario(
    "serial-thread",
    "one event loop computes in each request while a CPU is free; with two processes, throughput rises",
    subject="node",
    change="twice_replicas",
    gain=1.3,
    levels=THINKING,
)
def node_event_loop(_, removed):
    with Node(3, processes=2 if removed else 1) as server:
        yield on_port(server, wrk(server.port, think_ms=35))


@scenario(
    "serial-thread",
    "one worker compresses in each request while a CPU is free; with two workers, throughput rises",
    subject="nginx",
    change="twice_workers",
    gain=1.3,
    levels=THINKING,
)
def nginx_with_one_worker(directory, removed):
    gzip = "gzip on; gzip_comp_level 6; gzip_types text/plain; default_type text/plain;"
    # without a listener each, one worker may take all connections
    with Nginx(directory, gzip, workers=2 if removed else 1, listen=" reuseport" if removed else "") as server:
        server.file("page", 100_000)
        yield on_port(server, wrk(server.port, "/page", "-H", "Accept-Encoding: gzip", think_ms=35))


@scenario(
    "serial-thread",
    "redis runs scripts in one thread while a CPU is free; with two redis, each for half of the clients, throughput rises",
    subject="redis",
    change="twice_replicas",
    gain=1.3,
    levels=THINKING,
)
def redis_with_slow_scripts(directory, removed):
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(Redis(directory, "--appendonly", "no")) for _ in range(2 if removed else 1)]
        also = [word for server in servers[1:] for word in ("--also", server.port)]
        load = client(servers[0].port, busy_command(200_000), "--line", "--think", 0.01, *also)
        yield Run(["-p", ",".join(str(server.pid) for server in servers)], load)


@scenario(
    "serial-thread",
    "sixteen threads pass one token through a pipe, and sleep and compute with it: no lock, and one at a time; without it, throughput rises",
    change="cause_removed",
    gain=2,
    levels=THINKING,
)
def demo_with_a_token(_, removed):
    with Demo("--threads", 16, *([] if removed else ["--token", "--hold", "3ms"])) as server:
        yield on_port(server, wrk(server.port, "/infer", think_ms=40))


@scenario(
    "lock-contention",
    "sixteen threads compute one at a time, under a mutex, while a CPU is free; without it, throughput rises",
    subject="model_lock",
    change="cause_removed",
    gain=1.3,
    levels=THINKING,
)
def demo_with_a_lock(_, removed):
    with Demo("--threads", 16, *([] if removed else ["--lock"])) as server:
        yield on_port(server, wrk(server.port, "/infer", think_ms=8))


@scenario(
    "lock-contention",
    "the holder of a mutex sleeps for 5 ms with it, so that 200 requests a second at most can pass; where all sleep without it, "
    "throughput rises",
    subject="model_lock",
    change="cause_removed",
    gain=2,
    levels=THINKING,
)
def demo_with_a_lock_held_asleep(_, removed):
    with Demo("--threads", 16, *(["--sleep", "5ms"] if removed else ["--lock", "--hold", "5ms"])) as server:
        yield on_port(server, wrk(server.port, "/infer", think_ms=60))


@scenario(
    "lock-contention",
    "threads of one Python compute in turns, by its global lock, while a CPU is free; with two processes, throughput rises",
    change="twice_replicas",
    gain=1.3,
    levels=THINKING,
)
def python_threads(_, removed):
    with PythonHttp("--compute", 5, "--processes", 2 if removed else 1) as server:
        yield on_port(server, wrk(server.port, think_ms=60))


@scenario(
    "lock-contention",
    "each transaction updates the same row and holds it for 5 ms, so that 200 a second at most can pass; with a row each, "
    "throughput rises",
    change="cause_removed",
    gain=2,
    levels=THINKING,
)
def postgres_hot_row(directory, removed):
    with Postgres(directory) as server:
        server.configure("synchronous_commit = off", "deadlock_timeout = '10s'")
        server.psql("CREATE TABLE counters (id int PRIMARY KEY, n bigint) WITH (fillfactor = 10)")
        server.psql("INSERT INTO counters SELECT i, 0 FROM generate_series(1, 10000) i")
        row = "random(1, 10000)" if removed else "1"
        script = (
            f"\\set row {row}\n\\set pause random(30, 90)\nBEGIN;\nUPDATE counters SET n = n + 1 WHERE id = :row;\nSELECT pg_sleep(0.005);\nEND;\n"
            "\\sleep :pause ms\n"
        )
        yield on_port(server, server.clients(directory, script))


@scenario(
    "kernel-lock",
    "each request changes the protection of 64 MiB, for which the kernel locks the whole address space; without that, "
    "throughput rises",
    change="cause_removed",
    gain=3,
)
def demo_that_remaps(_, removed):
    with Demo("--threads", 16, "--hidden", 100, *([] if removed else ["--remap", 64])) as server:
        yield on_port(server, wrk(server.port, "/infer"))
