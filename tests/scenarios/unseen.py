# SPDX-License-Identifier: BSD-2-Clause
"""Servers that the rules had not seen when they were recorded first: other mechanisms behind the same classes."""

import contextlib
import os

from cgroup import Cgroup, write
from daemons import Beanstalkd, Build, Cpp, NginxTls, Perl, Puma, Squid
from netns import Cable
from packages import Go, Java, MariaDb, Pgbouncer, children
from pools import LONG_LEVELS, wide_backend
from programs import Demo, Nginx, Postgres, Redis, limit_disk, pin
from suite import SHORT_LEVELS, Run, client, on_port, scenario, wrk

MIB = 1 << 20


@scenario(
    "cpu-saturated",
    "goroutines compute for 4 ms in each request, on all CPUs, which are full; when they compute for 2 ms, throughput rises",
    gain=1.5,
    settled=False,
)
def go_that_computes(directory, removed):
    with Go(directory, "-compute", 2 if removed else 4) as server:
        yield on_port(server, wrk(server.port))


@scenario(
    "cpu-saturated",
    "two processes on CPU 0 sign a handshake for each request, and the load has CPU 1; with a key of half as many bits, throughput rises",
    gain=1.3,
)
def nginx_with_handshakes(directory, removed):
    with NginxTls(directory, 2048 if removed else 4096, workers=2) as server:
        for pid in children(server.pid):
            pin(pid, 0)
        load = wrk(server.port, "/", "-H", "Connection: close", cpu=1)
        yield on_port(server, [word.replace("http:", "https:") for word in load])


@scenario(
    "serial-thread",
    "one process compares each request with 1500 patterns while a CPU is free; with 150, throughput rises",
    subject="squid",
    gain=2,
    levels=SHORT_LEVELS,
    settled=False,
)
def squid_with_long_lists(directory, removed):
    lists = "\n".join(
        f"acl list{number} urlpath_regex page[0-9]+.*{number}$\nhttp_access deny list{number}"
        for number in range(150 if removed else 1500)
    )
    with Nginx(directory, "expires 1h;") as behind, Squid(directory, behind.port, lists) as server:
        behind.file("page", 1000)
        yield on_port(server, wrk(server.port, "/page"))


@scenario(
    "serial-thread",
    "sixteen threads hand the work of each request to the same other one, and wait, while a CPU is free; with two such threads, "
    "throughput rises",
    subject="one",
    gain=1.3,
    settled=False,
)
def java_with_one_consumer(directory, removed):
    with Java(directory, 16, "two" if removed else "one", 3) as server:
        yield on_port(server, wrk(server.port))


@scenario(
    "lock-contention",
    "threads of one Ruby compute in turns, by its global lock, while a CPU is free; with two processes, throughput rises",
    change="twice_replicas",
    gain=1.3,
    settled=False,
)
def puma_that_computes(_, removed):
    with Puma("compute:3", 16, 2 if removed else 0) as server:
        yield on_port(server, wrk(server.port))


@scenario(
    "lock-contention",
    "the holder of a ReentrantLock sleeps for 5 ms with it, so that 200 requests a second at most can pass; where all sleep without "
    "it, throughput rises",
    change="cause_removed",
    gain=2,
    settled=False,
)
def java_with_a_held_lock(directory, removed):
    with Java(directory, 16, "sleep" if removed else "held", 5) as server:
        yield on_port(server, wrk(server.port))


@scenario(
    "lock-contention",
    "each request computes for 3 ms as the one writer of a shared mutex while a CPU is free; without it, throughput rises",
    change="cause_removed",
    gain=1.3,
    settled=False,
)
def cpp_with_a_shared_mutex(directory, removed):
    with Cpp(directory, "free" if removed else "shared", 3) as server:
        yield on_port(server, wrk(server.port))


@scenario(
    "lock-contention",
    "each call holds the same lock of the database's users for 5 ms, so that 200 a second at most can pass; with one each, "
    "throughput rises",
    change="cause_removed",
    gain=2,
    settled=False,
)
def mariadb_with_a_user_lock(directory, removed):
    with MariaDb(directory) as server:
        name = "CONCAT('own', connection_id())" if removed else "'one'"
        server.sql(
            "CREATE DATABASE shop// USE shop// CREATE PROCEDURE hit() BEGIN DECLARE w INT; "
            f"SET w = GET_LOCK({name}, 10); SET w = SLEEP(0.005); SET w = RELEASE_LOCK({name}); END//"
        )
        yield on_port(server, client(server.port, "CALL shop.hit()", "--mysql"))


@scenario(
    "disk-io",
    "one process stores each job of 32 KiB before it answers, on a disk of 4 MiB/s: 128 a second; where it stores none before, "
    "throughput rises",
    change="cause_removed",
    gain=2,
    settled=False,
)
def beanstalkd_that_stores(directory, removed):
    job = f"put 1 0 60 32768\r\n{32768 * 'x'}"
    with Cgroup("blkio") as cgroup, Beanstalkd(directory, stores=not removed) as server:
        server.ask(job)  # it makes the whole file with the first
        if not removed:
            limit_disk(cgroup, directory, "write_bps", 4 * MIB)
        cgroup.add(server.pid)
        yield on_port(server, client(server.port, job, "--line"))


@scenario(
    "disk-io",
    "each transaction stores 32 KiB before it is answered, on a disk of 4 MiB/s; with a disk without a limit, throughput rises",
    change="cause_removed",
    gain=2,
    settled=False,
)
def postgres_that_commits(directory, removed):
    with Cgroup("blkio") as cgroup, Postgres(directory) as server:
        server.psql("CREATE TABLE log (line text)")
        server.psql("ALTER TABLE log ALTER line SET STORAGE EXTERNAL")
        if not removed:
            limit_disk(cgroup, directory, "write_bps", 4 * MIB)
        cgroup.add(server.pid)
        yield on_port(server, server.clients(directory, "INSERT INTO log SELECT repeat('x', 32768);\n"))


@scenario(
    "disk-io",
    "threads of a pool read each answer of 64 KiB from a disk of 8 MiB/s, past the kernel's memory: 128 a second; from a disk without "
    "a limit, throughput rises",
    change="cause_removed",
    gain=2,
)
def nginx_that_reads_from_a_disk(directory, removed):
    reads = "sendfile off; aio threads; directio 512; output_buffers 1 64k;"
    with Cgroup("blkio") as cgroup, Nginx(directory, reads) as server:
        server.file("page", 65536)
        if not removed:
            limit_disk(cgroup, directory, "read_bps", 8 * MIB)
        for pid in (server.pid, *children(server.pid)):
            cgroup.add(pid)
        yield on_port(server, wrk(server.port, "/page"))


@scenario(
    "memory",
    "each request looks up 16 pages of a mapped file of 256 MiB, and the cgroup may hold 64 MiB: the kernel counts major faults; with "
    "room for all of the file, throughput rises",
    change="cause_removed",
    gain=3,
    settled=False,
)
def go_with_too_little_memory(directory, removed):
    weights = os.path.join(directory, "weights")
    with open(weights, "wb") as file:
        for _ in range(256):
            file.write(os.urandom(MIB))
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    with Cgroup("memory") as cgroup:
        limit = "memory.max" if cgroup.version == 2 else "memory.limit_in_bytes"
        write(cgroup.path, limit, (1024 if removed else 64) * MIB)
        with Go(directory, "-weights", weights, preexec_fn=lambda: cgroup.add(os.getpid())) as server:
            if removed:
                with open(weights, "rb") as file:
                    while file.read(MIB):
                        pass
            yield on_port(server, wrk(server.port))


@scenario(
    "downstream",
    "a proxy passes requests on to a server with two workers of 10 ms each; when that has 64, throughput rises",
    subject=r"^127\.0\.0\.1:{backend}$",
    change="cause_removed",
    gain=2,
    levels=LONG_LEVELS,
    settled=False,
)
def squid_before_a_slow_server(directory, removed):
    with Demo("--threads", 64 if removed else 2, "--hidden", 100, "--sleep", "10ms") as behind:
        with Squid(directory, behind.port, "cache deny all") as server:
            yield on_port(server, wrk(server.port, "/infer"), backend=behind.port)


@scenario(
    "downstream",
    "clients have a connection to the database each, where each call updates the same row and holds it for 5 ms; with a row each, "
    "throughput rises",
    subject=r"^127\.0\.0\.1:{backend}$",
    change="cause_removed",
    gain=2,
    settled=False,
)
def pgbouncer_before_a_hot_row(directory, removed):
    with Postgres(directory) as behind, Pgbouncer(directory, behind, 50) as server:
        behind.psql("CREATE TABLE counters (id int PRIMARY KEY, n bigint) WITH (fillfactor = 10)")
        behind.psql("INSERT INTO counters SELECT i, 0 FROM generate_series(1, 10000) i")
        row = "1 + random() * 9998" if removed else "1"
        behind.psql(
            "CREATE FUNCTION hit() RETURNS void LANGUAGE plpgsql AS $$ DECLARE r int := " + row + "; BEGIN "
            "UPDATE counters SET n = n + 1 WHERE id = r; PERFORM pg_sleep(0.005); END $$"
        )
        load = behind.clients(directory, "SELECT hit();\n")
        load[load.index("-p") + 1] = str(server.port)
        yield on_port(server, load, backend=behind.port)


@scenario(
    "worker-pool",
    "a pool of four threads sleeps for 20 ms in each request; with eight, throughput doubles",
    change="twice_workers",
    gain=1.7,
    settled=False,
)
def puma_with_four_threads(_, removed):
    with Puma("sleep:20", 8 if removed else 4) as server:
        yield on_port(server, wrk(server.port))


@scenario(
    "worker-pool",
    "goroutines share four connections to a server that takes 20 ms however many ask it; with eight, throughput doubles",
    subject=r"127\.0\.0\.1:{backend}",
    change="twice_workers",
    gain=1.7,
    levels=SHORT_LEVELS,
    settled=False,
)
def go_with_four_connections(directory, removed):
    with wide_backend() as behind:
        url = f"http://127.0.0.1:{behind.port}/infer"
        with Go(directory, "-backend", url, "-connections", 8 if removed else 4) as server:
            yield on_port(server, wrk(server.port), backend=behind.port)


@scenario(
    "accept-backlog",
    "a backlog of 4, looked at every 20 ms, and a connection for each request: the kernel counts dropped connects; with a backlog of "
    "1024, throughput rises",
    change="cause_removed",
    gain=2,
    levels=(1, 4, 16, 32, 64),
    settled=False,
)
def perl_with_a_short_backlog(_, removed):
    with Perl(1024 if removed else 4) as server:
        yield on_port(server, client(server.port, "/", "--close"))


def long_line(length):
    """A command for redis, answered by a line so long."""
    return f"EVAL \"return redis.status_reply(string.rep('x', {length}))\" 0"


@scenario(
    "network-send",
    "the clients together read 6 MB/s, and an answer is 60 kB: 100 a second; when they read at once, throughput rises",
    change="cause_removed",
    gain=2,
    levels=SHORT_LEVELS,
)
def redis_with_slow_readers(directory, removed):
    with Redis(directory, "--appendonly", "no") as server:
        slowly = [] if removed else ["--read-rate", 6_000_000]
        yield on_port(server, client(server.port, long_line(60_000), "--line", *slowly))


@scenario(
    "network-loss",
    "one in five answers, of one segment each, is lost, and the kernel counts what it sends again; when none is, throughput rises",
    change="cause_removed",
    gain=3,
    levels=SHORT_LEVELS,
)
def redis_on_a_bad_line(directory, removed):
    with Cable() as cable:
        if not removed:
            cable.drop_data_to_client(20)
        with cable.server.inside():
            with Redis(directory, "--appendonly", "no", "--bind", "0.0.0.0", "--protected-mode", "no") as server:
                load = client(f"10.77.0.1:{server.port}", long_line(1000), "--line")
                load = ["ip", "netns", "exec", cable.client.name, *load]
                yield Run(["--port", str(server.port)], load, namespace=cable.server)


@scenario(
    "timer",
    "each request takes one of 200 ticks a second, and exactly so many pass; at 800, throughput rises",
    change="cause_removed",
    gain=2,
    settled=False,
)
def go_with_a_rate_limit(directory, removed):
    with Go(directory, "-rate", 800 if removed else 200) as server:
        yield on_port(server, wrk(server.port))


@scenario(
    "timer",
    "the proxy lets 2 MB pass a second, and an answer is 20 kB: 100 a second; at 20 MB, throughput rises",
    change="cause_removed",
    gain=2,
    settled=False,
)
def squid_with_a_delay_pool(directory, removed):
    rate = 20_000_000 if removed else 2_000_000
    pool = f"cache deny all\ndelay_pools 1\ndelay_class 1 1\ndelay_parameters 1 {rate}/{rate}\ndelay_access 1 allow all"
    with Nginx(directory) as behind, Squid(directory, behind.port, pool) as server:
        behind.file("page", 20_000)
        yield on_port(server, wrk(server.port, "/page"))


@scenario(
    "cpu-quota",
    "its cgroup may run 30 ms in 100 ms, and counts as throttled; with five times the quota, throughput rises",
    change="cause_removed",
    gain=2,
)
def postgres_in_a_quota(directory, removed):
    with Cgroup("cpu") as cgroup, Postgres(directory) as server:
        server.configure("max_parallel_workers_per_gather = 0", "jit = off")
        cgroup.limit_cpu(150_000 if removed else 30_000, 100_000)
        cgroup.add(server.pid)
        yield on_port(server, server.clients(directory, "SELECT sum(i) FROM generate_series(1, 20000) i;\n"))


@scenario(
    "cpu-neighbour",
    "processes of others that live for some milliseconds each have CPU 0, the server's only one, in four lanes; without them, throughput "
    "rises",
    subject="^sh$",
    change="cause_removed",
    gain=1.5,
    settled=False,
)
def nginx_beside_a_build(directory, removed):
    gzip = "gzip on; gzip_comp_level 6; gzip_types text/plain; default_type text/plain;"
    with Build(0 if removed else 4, cpu=0), Nginx(directory, gzip) as server:
        server.file("page", 100_000)
        for pid in children(server.pid):
            pin(pid, 0)
        yield on_port(server, wrk(server.port, "/page", "-H", "Accept-Encoding: gzip", cpu=1))


@scenario(
    "not-saturated",
    "one thread computes all the time, but for no request; those sleep for 10 ms in 64 others: throughput doubles with the clients",
    settled=False,
)
def java_with_a_busy_thread(directory, removed):
    with Java(directory, 64, "busy", 10) as server:
        yield on_port(server, wrk(server.port))


@scenario(
    "not-saturated",
    "eight sessions wait for a row that a ninth has forgotten to let go; the clients take other rows each 20 ms: throughput doubles with "
    "them",
)
def postgres_with_a_forgotten_lock(directory, removed):
    with Postgres(directory) as server, contextlib.ExitStack() as stack:
        server.psql("CREATE TABLE counters (id int PRIMARY KEY, n bigint) WITH (fillfactor = 10)")
        server.psql("INSERT INTO counters SELECT i, 0 FROM generate_series(0, 10000) i")
        server.configure("synchronous_commit = off")
        for _ in range(9):
            session = stack.enter_context(server.idle_connection())
            session.child.stdin.write(b"BEGIN; UPDATE counters SET n = n + 1 WHERE id = 0;\n")
            session.child.stdin.flush()
        script = "\\set id random(1, 10000)\nUPDATE counters SET n = n + 1 WHERE id = :id;\n\\sleep 20 ms\n"
        yield on_port(server, server.clients(directory, script))


@scenario(
    "not-saturated",
    "what is written is stored once a second, on a slow disk, beside the requests; clients think for 20 ms: throughput doubles with them",
)
def redis_that_stores_each_second(directory, removed):
    with Cgroup("blkio") as cgroup:
        with Redis(directory, "--appendonly", "yes", "--appendfsync", "everysec", "--auto-aof-rewrite-percentage", "0") as server:
            limit_disk(cgroup, directory, "write_bps", 4 * MIB)
            cgroup.add(server.pid)
            yield on_port(server, client(server.port, "SET key " + 2048 * "x", "--line", "--think", 0.02))


@scenario(
    "not-saturated",
    "32 threads of one Ruby wait for work; the clients think for 20 ms: throughput doubles with them",
    settled=False,
)
def puma_with_idle_threads(_, removed):
    with Puma("compute:0.1", 32) as server:
        yield on_port(server, client(server.port, "/", "--think", 0.02))


@scenario(
    "client-limited",
    "all clients are threads of one Python, which fills its one CPU, while the server's two processes wait; for another load, "
    "throughput rises",
    gain=1.3,
    settled=False,
)
def nginx_with_a_slow_generator(directory, removed):
    with Nginx(directory, "location / { return 200 hello; }", workers=2, listen=" reuseport") as server:
        yield on_port(server, wrk(server.port) if removed else client(server.port, "/"))


@scenario(
    "client-limited",
    "all clients together ask 100 times a second, however many they are; the server could do ten times that",
)
def postgres_with_a_paced_load(directory, removed):
    with Postgres(directory) as server:
        yield on_port(server, server.clients(directory, "SELECT 1;\n", "-R", "100"))
