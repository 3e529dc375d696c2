# SPDX-License-Identifier: BSD-2-Clause
"""Real servers under real load generators: what the run says of requests, against what the clients saw in the same run."""

import functools

from exchange import check_histogram, flows, in_flight, kept
from harness import MS, Skip, between, cases, check, equal, temporary_directory, test
from loads import BigNginx, Demo, autocannon, redis_benchmark, wrk
from recorder import Recorder
from servers import NodeHttp, Redis

CONNECTIONS = (1, 16, 128)
SHARE = 0.01
NEAR = 0.05

# Where the server's last write ends and where the client has it all are a few microseconds apart, in either order.
STAMP_NS = 15_000


def check_counts(run, load):
    """As many requests as the client was answered, on connections that are one at a time."""
    flow = flows(run)
    low, high = (1 - SHARE) * load.answered, (1 + SHARE) * load.answered + load.unfinished
    between("requests", flow.traffic("requests"), low, high)
    between("requests with a total time", flow.count("total"), low, high)
    check_unmarked(run)
    check_histogram(flow, "total")
    counted, littles = in_flight(run, flow)
    # those under way when the client went are in the count; by Little's law only what was finished is
    littles_high = littles * (1 + load.unfinished / load.answered)
    between("requests in flight by counting", counted, (1 - NEAR) * littles - 0.01, (1 + NEAR) * littles_high + 0.01)
    return flow


def check_unmarked(run):
    marked = run.rows("SELECT multiplexed, count(*) AS n FROM connections GROUP BY 1 HAVING multiplexed IS NOT NULL")
    equal("connections that are called multiplexed", marked, [])
    equal("reads of such", run.value("SELECT coalesce(sum(multiplexed_reads), 0) FROM traffic"), 0)


def check_below(flow, load):
    """What the server's host sees is a part of what the client waits for."""
    between("mean time of a request", flow.mean_ns("total"), 1000, load.mean_ns * (1 + SHARE) + STAMP_NS, "ns")


def need_wait_in_server(flow, load):
    """
    On a busy host the client waits for a CPU too, and its latencies are no measure of the server's. Not for so long that a time
    which is measured wrong could hide behind it.
    """
    between("mean time of a request", flow.mean_ns("total"), 0.6 * load.mean_ns, load.mean_ns * (1 + SHARE) + STAMP_NS, "ns")
    if flow.mean_ns("total") < 0.9 * load.mean_ns:
        raise Skip("the client waited for something else than the server")


def check_alike(flow, load):
    """
    The server is the place of the waiting: each request sleeps in it for milliseconds, and the client and the loopback take
    well below a tenth of that. So both must see the same.
    """
    need_wait_in_server(flow, load)
    for share, client_ns in ((0.5, load.p50_ns), (0.99, load.p99_ns)):
        seen_ns = flow.percentile_ns("total", share)
        # the client's own way to its CPU and back is in its latency
        between(f"percentile {100 * share:g}", seen_ns, (1 - NEAR) * client_ns - MS, (1 + NEAR) * client_ns, "ns")


def run_of(server, load):
    """A recording that covers all of the load: what the client saw, and the run."""
    with temporary_directory() as directory:
        with Recorder(directory, "--port", server.port) as recorder:
            seen = load(directory)
            recorder.stop()
            return seen, kept(recorder)


def check_load(server, load, *more):
    seen, run = run_of(server, load)
    flow = check_counts(run, seen)
    for each in more:
        each(flow, seen)


def over_connections(what, check_one):
    for connections in CONNECTIONS:
        yield f"{what} with {connections} connections agrees with its client", functools.partial(check_one, connections)


@cases
def nginx_under_wrk():
    with temporary_directory() as directory, BigNginx(directory) as server:

        def check_one(connections):
            check_load(server, lambda path: wrk(path, server.port, connections, 2), check_below)

        yield from over_connections("nginx under wrk", check_one)


@cases
def the_demo_server_under_wrk():
    with Demo("--sleep", "20ms", "--hidden", 16, "--threads", 8) as server:

        def check_one(connections):
            load = functools.partial(wrk, port=server.port, connections=connections, seconds=3, path="/infer")
            check_load(server, load, check_below, check_alike)

        yield from over_connections("the demo server under wrk, whose 8 workers sleep for 20 ms each,", check_one)


@cases
def redis_under_redis_benchmark():
    with temporary_directory() as directory, Redis(directory) as server:

        def check_one(connections):
            check_load(server, lambda _: redis_benchmark(server.port, connections, 40_000), check_below)

        yield from over_connections("redis under redis-benchmark", check_one)


@cases
def a_node_server_under_autocannon():
    with NodeHttp() as server:

        def check_one(connections):
            check_load(server, lambda _: autocannon(server.port, connections, 4000 + 40 * connections), check_below)

        yield from over_connections("a Node server under autocannon", check_one)


@test
def a_lock_in_the_demo_server_is_where_its_requests_are():
    # one at a time through a forward pass of milliseconds: the client waits for nothing else
    with Demo("--lock", "--hidden", 1200, "--threads", 16) as server:
        load, run = run_of(server, lambda path: wrk(path, server.port, 16, 3, path="/infer"))
        flow = check_counts(run, load)
        check_below(flow, load)
        need_wait_in_server(flow, load)
        states = flow.states()
        check(states.get("futex", 0) > 0.5 * sum(states.values()), f"most of a request is waiting for the lock: {states}")
        check(flow.mean_ns("total") > 5 * MS, "sixteen wait in line")
