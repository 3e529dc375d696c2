# SPDX-License-Identifier: BSD-2-Clause
"""Pools of workers and of connections, in packages and runtimes of many kinds."""

from packages import Apache, Gunicorn, Haproxy, Java, NodeSockets, Pgbouncer, Php, Varnish
from programs import Demo, Postgres
from suite import SHORT_LEVELS, Run, client, on_port, scenario, wrk

LONG_LEVELS = (1, 2, 4, 8, 16, 32)


def wide_backend(sleep="20ms"):
    """However many ask it, it answers each after so long."""
    return Demo("--threads", 64, "--hidden", 100, "--sleep", sleep)


@scenario(
    "worker-pool",
    "four processes sleep for 20 ms in each request, so that 200 a second can pass; with eight, twice as many",
    subject="gunicorn",
    change="twice_workers",
    gain=1.7,
    levels=SHORT_LEVELS,
)
def gunicorn_with_four_workers(_, removed):
    with Gunicorn("sleep:20", "-w", 8 if removed else 4) as server:
        yield on_port(server, client(server.port, "/", "--close"))


@scenario(
    "worker-pool",
    "four processes each serve one connection and ask a server that takes 20 ms however many ask it; with eight, throughput doubles",
    subject="apache",
    change="twice_workers",
    gain=1.7,
    settled=False,
)
def apache_with_four_workers(directory, removed):
    with wide_backend() as behind, Apache(directory, behind.port, 8 if removed else 4) as server:
        yield on_port(server, client(server.port, "/infer", "--close"))


@scenario(
    "worker-pool",
    "four processes sleep for 20 ms in each request; with eight, throughput doubles",
    subject="php",
    change="twice_workers",
    gain=1.7,
    settled=False,
)
def php_with_four_children(directory, removed):
    with Php(directory, 8 if removed else 4, "sleep", 20) as server, server.before(directory) as front:
        yield Run(["--port", str(server.port)], wrk(front.port))


@scenario(
    "worker-pool",
    "a pool of four threads sleeps for 20 ms in each request; with eight, throughput doubles",
    change="twice_workers",
    gain=1.7,
    settled=False,
)
def java_with_four_threads(directory, removed):
    with Java(directory, 8 if removed else 4, "sleep", 20) as server:
        yield on_port(server, wrk(server.port))


@scenario(
    "worker-pool",
    "a proxy opens four connections to a server that takes 20 ms however many ask it; with eight, throughput doubles",
    subject=r"127\.0\.0\.1:{backend}",
    change="twice_workers",
    gain=1.7,
    levels=SHORT_LEVELS,
)
def haproxy_with_four_connections(directory, removed):
    with wide_backend() as behind, Haproxy(directory, behind.port, 8 if removed else 4) as server:
        yield on_port(server, wrk(server.port, "/infer"), backend=behind.port)


@scenario(
    "worker-pool",
    "four connections to the database are shared by all clients, and each transaction sleeps for 20 ms; with eight, throughput doubles",
    subject=r"127\.0\.0\.1:{backend}",
    change="twice_workers",
    gain=1.7,
    settled=False,
)
def pgbouncer_with_a_pool_of_four(directory, removed):
    with Postgres(directory) as behind, Pgbouncer(directory, behind, 8 if removed else 4) as server:
        load = behind.clients(directory, "SELECT pg_sleep(0.02);\n")
        load[load.index("-p") + 1] = str(server.port)
        yield on_port(server, load, backend=behind.port)


@scenario(
    "worker-pool",
    "one event loop asks over four connections a server that takes 20 ms however many ask it; with eight, throughput doubles",
    subject=r"127\.0\.0\.1:{backend}",
    change="twice_workers",
    gain=1.7,
    levels=SHORT_LEVELS,
)
def node_with_four_sockets(_, removed):
    with wide_backend() as behind, NodeSockets(behind.port, 8 if removed else 4) as server:
        yield on_port(server, wrk(server.port, "/infer"), backend=behind.port)


@scenario(
    "downstream",
    "a proxy passes requests on to a server with two workers of 10 ms each; when that has 64, throughput rises",
    subject=r"^127\.0\.0\.1:{backend}$",
    change="cause_removed",
    gain=2,
    levels=LONG_LEVELS,
)
def haproxy_before_a_slow_server(directory, removed):
    with Demo("--threads", 64 if removed else 2, "--hidden", 100, "--sleep", "10ms") as behind:
        with Haproxy(directory, behind.port) as server:
            yield on_port(server, wrk(server.port, "/infer"), backend=behind.port)


@scenario(
    "downstream",
    "a web server passes requests on to two processes that sleep for 10 ms in each; when there are 64, throughput rises",
    subject=r"^127\.0\.0\.1:{backend}$",
    change="cause_removed",
    gain=2,
    levels=LONG_LEVELS,
    settled=False,
)
def nginx_before_php(directory, removed):
    with Php(directory, 64 if removed else 2, "sleep", 10) as behind, behind.before(directory) as server:
        yield on_port(server, wrk(server.port), backend=behind.port)


@scenario(
    "not-saturated",
    "a cache has all answers, and 100 threads that wait for work: the clients think for 20 ms, and throughput doubles with them",
    settled=False,
)
def varnish_with_idle_threads(directory, removed):
    with wide_backend("1ms") as behind, Varnish(directory, behind.port, 100) as server:
        yield on_port(server, client(server.port, "/infer", "--think", 0.02))
