# SPDX-License-Identifier: BSD-2-Clause
"""Locks that are no mutex of a C program, and threads that take turns."""

from packages import Go, Gunicorn, Java, MariaDb, Memcached, NodeCluster, Php, Uvicorn
from suite import SHORT_LEVELS, THINKING, Run, client, on_port, scenario, wrk


@scenario(
    "serial-thread",
    "one thread looks up 2000 keys in each request while a CPU is free; 500 keys make throughput rise",
    subject="memcached",
    gain=2,
    levels=SHORT_LEVELS,
)
def memcached_with_one_thread(_, removed):
    keys = " ".join(f"key-{number:06}" for number in range(500 if removed else 2000))
    with Memcached(1) as server:
        yield on_port(server, client(server.port, f"get {keys}", "--line"))


@scenario(
    "serial-thread",
    "one event loop computes in each request while a CPU is free; with two processes, throughput rises",
    subject="uvicorn",
    change="twice_replicas",
    gain=1.3,
    settled=False,
)
def uvicorn_that_computes(_, removed):
    with Uvicorn("compute:5", "--workers", 2 if removed else 1) as server:
        yield on_port(server, wrk(server.port))


@scenario(
    "serial-thread",
    "goroutines may run on one CPU at a time, and compute while another is free; on two, throughput rises",
    gain=1.3,
    settled=False,
)
def go_on_one_processor(directory, removed):
    with Go(directory, "-compute", 3, processors=2 if removed else 1) as server:
        yield on_port(server, wrk(server.port))


@scenario(
    "serial-thread",
    "goroutines compute one at a time, under a mutex that the kernel does not see, while a CPU is free; without it, throughput rises",
    gain=1.3,
    settled=False,
)
def go_with_a_mutex(directory, removed):
    with Go(directory, "-compute", 3, *([] if removed else ["-lock"])) as server:
        yield on_port(server, wrk(server.port))


@scenario(
    "serial-thread",
    "half of the heap stays in use and each request makes garbage, so that one thread collects most of the time while all others "
    "stand still; with eight times the heap, throughput rises",
    subject="VM Thread",
    gain=1.5,
    settled=False,
)
def java_with_a_small_heap(directory, removed):
    heap = "512m" if removed else "64m"
    with Java(directory, 16, "heap", 1000, "-XX:+UseSerialGC", f"-Xms{heap}", f"-Xmx{heap}") as server:
        yield on_port(server, wrk(server.port))


@scenario(
    "serial-thread",
    "eight processes share one token that is in a pipe, and compute with it while a CPU is free; without it, throughput rises",
    subject="gunicorn",
    change="cause_removed",
    gain=1.3,
    levels=SHORT_LEVELS,
)
def gunicorn_with_a_token(_, removed):
    with Gunicorn("compute:5" if removed else "token:5", "-w", 8) as server:
        yield on_port(server, client(server.port, "/", "--close"))


@scenario(
    "lock-contention",
    "threads of one interpreter compute in turns, by its global lock, while a CPU is free; with two processes, throughput rises",
    subject="GIL|global|_PyRuntime",
    change="twice_replicas",
    gain=1.3,
    levels=THINKING,
    settled=False,
)
def gunicorn_with_threads(_, removed):
    with Gunicorn("compute:5", "-k", "gthread", "--threads", 16, "-w", 2 if removed else 1) as server:
        yield on_port(server, wrk(server.port, think_ms=55))


@scenario(
    "lock-contention",
    "sixteen threads compute one at a time in a synchronized block while a CPU is free; without it, throughput rises",
    change="cause_removed",
    gain=1.3,
    levels=THINKING,
    settled=False,
)
def java_with_a_monitor(directory, removed):
    with Java(directory, 16, "free" if removed else "lock", 3) as server:
        yield on_port(server, wrk(server.port, think_ms=35))


@scenario(
    "cpu-oversubscribed",
    "sixteen threads spin for one lock, with sched_yield; without it throughput rises, and a request takes as much CPU at any load",
    gain=1.3,
    settled=False,
)
def java_that_spins(directory, removed):
    with Java(directory, 16, "free" if removed else "spin", 3) as server:
        yield on_port(server, wrk(server.port))


@scenario(
    "lock-contention",
    "each request locks the file of the same session for 5 ms, so that 200 a second at most can pass; with one each, throughput rises",
    gain=2,
    change="cause_removed",
    levels=THINKING,
    settled=False,
)
def php_with_one_session(directory, removed):
    with Php(directory, 16, "session", 5, "own" if removed else "one") as server, server.before(directory) as front:
        yield Run(["--port", str(server.port)], wrk(front.port, think_ms=65))


@scenario(
    "lock-contention",
    "each request holds the same semaphore of System V for 5 ms, so that 200 a second at most can pass; with one each, throughput rises",
    gain=2,
    change="cause_removed",
    levels=THINKING,
    settled=False,
)
def php_with_one_semaphore(directory, removed):
    with Php(directory, 16, "semaphore", 5, "own" if removed else "one") as server, server.before(directory) as front:
        yield Run(["--port", str(server.port)], wrk(front.port, think_ms=60))


@scenario(
    "lock-contention",
    "one process at a time may write to a database file, for 5 ms, and the others try again after a while; with a file each, "
    "throughput rises",
    gain=2,
    change="cause_removed",
    levels=THINKING,
    settled=False,
)
def sqlite_with_one_writer(directory, removed):
    with Php(directory, 16, "sqlite", 5, "own" if removed else "one") as server, server.before(directory) as front:
        yield Run(["--port", str(server.port)], wrk(front.port, think_ms=65))


@scenario(
    "lock-contention",
    "each transaction updates the same row and holds it for 5 ms, so that 200 a second at most can pass; with a row each, "
    "throughput rises",
    gain=2,
    change="cause_removed",
    levels=THINKING,
    settled=False,
)
def mariadb_hot_row(directory, removed):
    with MariaDb(directory, "--innodb-flush-log-at-trx-commit=0") as server:
        row = "connection_id()" if removed else "1"
        server.sql(
            "CREATE DATABASE shop// USE shop// CREATE TABLE counters (id INT PRIMARY KEY, n BIGINT)// "
            "INSERT INTO counters SELECT seq, 0 FROM seq_1_to_10000// "
            "CREATE PROCEDURE hit() BEGIN DECLARE w INT; START TRANSACTION; "
            f"UPDATE counters SET n = n + 1 WHERE id = {row}; SET w = SLEEP(0.005); COMMIT; END//"
        )
        yield on_port(server, client(server.port, "CALL shop.hit()", "--mysql", "--think", 0.06))


@scenario(
    "lock-contention",
    "processes of a cluster ask the primary for a lock, and compute with it while a CPU is free; without it, throughput rises",
    subject="node",
    gain=1.3,
    change="cause_removed",
    levels=SHORT_LEVELS,
)
def node_cluster_with_a_lock(_, removed):
    with NodeCluster(3, 4, not removed) as server:
        yield on_port(server, wrk(server.port))
