# SPDX-License-Identifier: BSD-2-Clause
"""Servers without a bottleneck, or of which one cannot tell: nothing may be blamed."""

import contextlib

from harness import need
from loads import Http2Nginx
from programs import Demo, Hogs, Nginx, Postgres, Redis, UdpEcho
from suite import client, on_port, scenario, wrk


@scenario("not-saturated", "64 workers that sleep for 20 ms: throughput doubles with the clients, who are 16 at most")
def demo_with_workers_to_spare(_, removed):
    with Demo("--threads", 64, "--hidden", 100, "--sleep", "20ms") as server:
        yield on_port(server, wrk(server.port, "/infer"))


@scenario(
    "not-saturated",
    "64 workers wait for work in front of one mutex, nearly all the time: the clients think for 50 ms between requests of 1 ms",
)
def demo_with_an_idle_pool(_, removed):
    with Demo("--threads", 64, "--hidden", 300, "--lock") as server:
        yield on_port(server, client(server.port, "/infer", "--think", 0.05))


@scenario(
    "not-saturated",
    "in the first second of the run requests go one by one, 20 ms each, while the server warms up; from then on throughput "
    "doubles with the clients",
    warmup="1200ms",
    seconds=3,
    levels=(1, 2, 4, 8),
)
def demo_that_warms_up(_, removed):
    with Demo("--threads", 64, "--hidden", 100, "--sleep", "10ms", "--warm-up", "1s") as server:
        yield on_port(server, wrk(server.port, "/infer"))


@scenario(
    "not-saturated", "clients that think for 20 ms between commands that take microseconds: throughput doubles with them"
)
def redis_with_thinking_clients(directory, removed):
    with Redis(directory, "--appendonly", "no") as server:
        yield on_port(server, client(server.port, "INCR key", "--line", "--think", 0.02))


@scenario(
    "not-saturated",
    "40 connections are idle, the clients ask for one row each 20 ms: throughput doubles with them, up to 16",
)
def postgres_with_idle_connections(directory, removed):
    with Postgres(directory) as server, contextlib.ExitStack() as stack:
        for _ in range(40):
            stack.enter_context(server.idle_connection())
        script = "\\set id random(1, 100000)\nSELECT abalance FROM pgbench_accounts WHERE aid = :id;\n\\sleep 20 ms\n"
        yield on_port(server, server.clients(directory, script))


@scenario(
    "not-saturated",
    "a process of others burns a CPU at the lowest priority, and the server sleeps: throughput doubles with the clients",
)
def demo_beside_a_hog_that_yields(_, removed):
    with Hogs(1, nice=19), Demo("--threads", 64, "--hidden", 100, "--sleep", "20ms") as server:
        yield on_port(server, wrk(server.port, "/infer"))


@scenario("client-limited", "however many clients there are, they share one lock, and the server is idle while they work")
def demo_with_clients_that_queue(_, removed):
    with Demo("--threads", 16, "--hidden", 200) as server:
        yield on_port(server, client(server.port, "/infer", "--one-at-a-time", 0.005))


@scenario("client-limited", "all clients together ask 100 times a second, however many they are; the server could do ten times that")
def nginx_with_a_paced_load(directory, removed):
    with Nginx(directory, "location / { return 200 hello; }", workers=2) as server:
        yield on_port(server, client(server.port, "/", "--rate", 100))


@scenario("inconclusive", "the requests come by UDP, of which nothing is seen")
def echo_over_udp(_, removed):
    with UdpEcho() as server:
        yield on_port(server, client(server.port, "x", "--udp"))


@scenario("inconclusive", "the requests are streams of HTTP/2, many to a connection, which cannot be told apart", settled=False)
def nginx_with_http2(directory, removed):
    need("h2load")
    with Http2Nginx(directory) as server:
        load = ["h2load", "-D", "{seconds}", "-c", "{level}", "-m", "8", f"http://127.0.0.1:{server.port}/"]
        yield on_port(server, load)


@scenario("inconclusive", "the clients connect, and ask nothing")
def demo_that_nobody_asks(_, removed):
    with Demo("--threads", 8) as server:
        yield on_port(server, client(server.port, "/infer", "--silent"))
