# SPDX-License-Identifier: BSD-2-Clause
"""Queues in front of something: workers, another server, a clock, the listener."""

from programs import Demo, Nginx, PythonHttp
from suite import THINKING, client, on_port, scenario, wrk


@scenario(
    "worker-pool",
    "four workers sleep for 20 ms in each request, so that 200 a second can pass; with eight, twice as many",
    change="twice_workers",
    gain=1.7,
    levels=THINKING,
)
def demo_with_four_workers(_, removed):
    with Demo("--threads", 8 if removed else 4, "--hidden", 100, "--sleep", "20ms") as server:
        yield on_port(server, wrk(server.port, "/infer", think_ms=40))


@scenario(
    "worker-pool",
    "four threads wait in each request for a server that takes 20 ms however many ask it; with eight, throughput doubles",
    change="twice_workers",
    gain=1.7,
    levels=THINKING,
)
def python_pool_of_four(_, removed):
    with Demo("--threads", 64, "--hidden", 100, "--sleep", "20ms") as behind:
        with PythonHttp("--threads", 8 if removed else 4, "--backend", behind.port) as server:
            yield on_port(server, wrk(server.port, think_ms=40))


@scenario(
    "worker-pool",
    "a thread for each client asks over one of four connections, which are opened first, a server that takes 20 ms however many ask it; "
    "with eight, throughput doubles",
    subject=r"127\.0\.0\.1:{backend}",
    change="twice_workers",
    gain=1.7,
    levels=THINKING,
)
def python_with_four_connections(_, removed):
    with Demo("--threads", 64, "--hidden", 100, "--sleep", "20ms") as behind:
        with PythonHttp("--backend", behind.port, "--connections", 8 if removed else 4) as server:
            yield on_port(server, wrk(server.port, think_ms=40), backend=behind.port)


@scenario(
    "downstream",
    "32 threads ask a server with two workers of 10 ms each; when that has 64, throughput rises",
    subject=r"^127\.0\.0\.1:{backend}$",
    change="cause_removed",
    gain=2,
    levels=(1, 2, 4, 8, 16, 32),
)
def demo_before_a_slow_one(_, removed):
    with Demo("--threads", 64 if removed else 2, "--hidden", 100, "--sleep", "10ms") as behind:
        with Demo("--threads", 32, "--hidden", 100, "--backend", behind.port) as server:
            yield on_port(server, wrk(server.port, "/infer"), backend=behind.port)


@scenario(
    "downstream",
    "nginx passes requests on to a server with two workers of 10 ms each; when that has 64, throughput rises",
    subject=r"^127\.0\.0\.1:{backend}$",
    change="cause_removed",
    gain=2,
    levels=(1, 2, 4, 8, 16, 32),
)
def nginx_before_a_slow_server(directory, removed):
    with Demo("--threads", 64 if removed else 2, "--hidden", 100, "--sleep", "10ms") as behind:
        upstream = (
            f"location / {{ proxy_pass http://127.0.0.1:{behind.port}; proxy_http_version 1.1; "
            'proxy_set_header Connection ""; }'
        )
        with Nginx(directory, upstream, workers=2) as server:
            yield on_port(server, wrk(server.port, "/infer"), backend=behind.port)


@scenario(
    "accept-backlog",
    "a backlog of 4, looked at every 20 ms, and a connection for each request: the kernel counts dropped connects while all "
    "threads are idle; with a backlog of 1024, throughput rises",
    change="cause_removed",
    gain=2,
    levels=(1, 4, 16, 32, 64),
)
def demo_with_a_short_backlog(_, removed):
    with Demo(
        *("--threads", 8, "--hidden", 100, "--accept-every", "20ms", "--backlog", 1024 if removed else 4)
    ) as server:
        yield on_port(server, client(server.port, "/infer", "--close"))


@scenario(
    "timer",
    "the server sleeps so that 200 requests a second pass, and exactly so many do; where it does not, throughput rises",
    change="cause_removed",
    gain=2,
)
def demo_with_a_rate_limit(_, removed):
    with Demo("--threads", 32, *([] if removed else ["--rate", 200])) as server:
        yield on_port(server, wrk(server.port, "/infer"))
