# SPDX-License-Identifier: BSD-2-Clause
"""The way to the client: a slow reader, a narrow line, a bad one."""

import contextlib

from netns import Cable, must
from programs import Nginx, PythonHttp
from suite import Run, client, on_port, scenario, wrk


@scenario(
    "network-send",
    "the clients together read 6 MB/s, and an answer is 60 kB: 100 a second; when they read at once, throughput rises",
    change="cause_removed",
    gain=2,
)
def python_with_slow_readers(_, removed):
    with PythonHttp("--answer", 60_000) as server:
        yield on_port(server, client(server.port, "/", *([] if removed else ["--read-rate", 6_000_000])))


@contextlib.contextmanager
def nginx_on_a_cable(directory, cable):
    """It and the recorder are on one end, the load on the other."""
    with cable.server.inside():
        with Nginx(directory, host="0.0.0.0") as server:
            server.file("page", 100_000)
            load = ["ip", "netns", "exec", cable.client.name, *wrk(server.port, "/page", host="10.77.0.1")]
            yield Run(["--port", str(server.port)], load, namespace=cable.server)


@scenario(
    "network-send",
    "answers of 100 kB over a line of 40 Mbit/s: 50 a second; over one without a limit, throughput rises",
    change="cause_removed",
    gain=2,
)
def nginx_on_a_narrow_line(directory, removed):
    with Cable() as cable:
        if not removed:
            must(
                *("tc", "-n", cable.server.name, "qdisc", "add", "dev", "eth0", "root"),
                *("tbf", "rate", "40mbit", "burst", "32kb", "latency", "2s"),
            )
        with nginx_on_a_cable(directory, cable) as run:
            yield run


@scenario(
    "network-loss",
    "one in five segments to the client is lost, and the kernel counts what it sends again; when none is, throughput rises",
    change="cause_removed",
    gain=3,
)
def nginx_on_a_bad_line(directory, removed):
    with Cable() as cable:
        if not removed:
            cable.drop_data_to_client(20)
        with nginx_on_a_cable(directory, cable) as run:
            yield run
