# SPDX-License-Identifier: BSD-2-Clause
"""Requests with known answers in one recording; tests/matrix runs it on other kernels, where each is slow to begin."""

import functools

from every_kernel import warm_up
from exchange import RequestServer, ask, check_count, flows, in_flight, kept, servers, waiting_client
from harness import MS, SLOWNESS, Skip, between, cases, check, equal, temporary_directory
from recorder import Recorder
from runfile import kernel_may_skip

# A server each: its settings, its client's, and what must hold besides the count.
SLEEP_MS = 20


def check_mean(what, seen_ns, truth):
    """At least as long as the sleep in it; how much longer it takes where others want the CPU is bounded by what the client saw."""
    high_ns = max((SLEEP_MS + 3 * SLOWNESS) * MS, 1.01 * truth["sum_ns"] / truth["answered"])
    between(f"mean {what}", seen_ns, SLEEP_MS * MS, high_ns, "ns")


def check_sleep(run, flow, truth):
    check_mean("service time", flow.mean_ns("service"), truth)
    states = flow.states()
    equal("requests with a budget", flow.traffic("budgeted"), truth["answered"])
    between("sum of the budget", sum(states.values()), 0.95 * flow.sum_ns("service"), 1.05 * flow.sum_ns("service"), "ns")
    check(states.get("sleep", 0) > 0.8 * sum(states.values()), f"it is spent asleep: {states}")
    counted, littles = in_flight(run, flow)
    between("requests in flight by counting", counted, 0.95 * littles, 1.05 * littles)


def check_queue(_, flow, truth):
    check_mean("wait in the receive queue", flow.mean_ns("queue"), truth)


def check_accept(_, flow, truth):
    check_mean("wait to be accepted", flow.mean_ns("accept"), truth)


def check_stream(_, flow, truth):
    check_mean("streaming time", flow.mean_ns("stream"), truth)


def check_plain(_, flow, truth):
    equal("bytes written", flow.traffic("out_bytes"), truth["answered"] * 128)


PAUSE_US = SLEEP_MS * 1000
ALONE = {"connections": 1, "requests": 20, "fresh": 1}  # nobody waits for another
KINDS = (
    *(
        (f"a server on {transport} in mode {mode}", {"transport": transport, "mode": mode}, {}, check_plain)
        for transport in ("tcp4", "tcp6", "unix")
        for mode in ("threads", "edge", "workers")
    ),
    *(
        (f"a server that uses {calls}", {"mode": "threads", "calls": calls}, {}, check_plain)
        for calls in ("read", "recvmsg", "readv", "recvmmsg", "sendfile", "splice")
    ),
    ("a server of io_uring", {"mode": "uring"}, {}, check_plain),
    ("a server that sleeps in each request", {"mode": "threads", "sleep_us": PAUSE_US}, {}, check_sleep),
    ("a server that sleeps before it reads", {"mode": "threads", "read_delay_us": PAUSE_US}, {}, check_queue),
    ("a server that sleeps before it accepts", {"mode": "one", "accept_delay_us": PAUSE_US}, ALONE, check_accept),
    ("a server that streams", {"mode": "epoll", "chunks": 2, "gap_us": PAUSE_US}, {}, check_stream),
)


def need_all_programs(run, seen, truth):
    """A kernel that lets programs be preempted skips some before the second ones are in; the run says how many."""
    skipped = run.losses().get("missed_programs", 0)
    # no more than a quarter: what is not counted at all must not hide behind that
    if 0.75 * truth["answered"] <= seen < truth["answered"] and skipped and kernel_may_skip():
        raise Skip(f"the kernel skipped {skipped} runs of programs, and {truth['answered'] - seen} requests with them")


def check_kind(run, server, truth, check_more):
    if isinstance(server, Skip):
        raise server
    need_all_programs(run, flows(run, pid=server.pid, role="server").traffic("requests"), truth)
    flow = check_count(run, server, truth)
    check_more(run, flow, truth)


def check_backend(run, server, backend, truth):
    down = flows(run, role="downstream", pid=server.pid, endpoint=f"127.0.0.1:{backend.port}")
    need_all_programs(run, flows(run, pid=server.pid, role="server").traffic("requests"), truth)
    need_all_programs(run, down.traffic("requests"), truth)
    check_count(run, server, truth)
    equal("questions that were answered", down.traffic("requests"), truth["answered"])
    equal("connections opened", down.count("connect"), down.traffic("opened"))
    check_mean("wait for the answer", down.mean_ns("wait"), truth)


def check_pipeline(run, server):
    rows = flows(run, pid=server.pid).connections()
    equal("connections", len(rows), 2)
    check(all(row["multiplexed"] and row["requests"] is None for row in rows), f"they are marked: {rows}")


@cases
def one_recording_of_every_way_to_serve():
    with temporary_directory() as directory, servers(directory, [kind[1] for kind in KINDS]) as started:
        with (
            RequestServer(directory, mode="threads", sleep_us=PAUSE_US) as backend,
            RequestServer(directory, mode="threads", **backend.backend_settings()) as front,
            RequestServer(directory, mode="epoll") as pipelined,
            RequestServer(directory, mode="epoll") as known,
            RequestServer(directory, mode="threads") as warm,
            waiting_client(known, connections=2, requests=10, early=1) as early,
        ):
            targets = [server for server in started if not isinstance(server, Skip)] + [front, pipelined, known, warm]
            with Recorder(directory, "-p", ",".join(str(server.pid) for server in targets)) as recorder:
                # two at once, so that the kernel preempts one for the other
                warm_up(recorder, lambda: ask(warm, connections=4, requests=50))
                truths = [
                    None if isinstance(server, Skip) else ask(server, **{"connections": 2, "requests": 10, **kind[2]})
                    for kind, server in zip(KINDS, started)
                ]
                asked = ask(front, connections=2, requests=10)
                ask(pipelined, connections=2, requests=960, depth=16)
                early.go()
                known_truth = early.truth()
                recorder.stop(laws=False)
                run = kept(recorder)
        yield "the losses are none that matter to requests", functools.partial(check_losses, run)
        for (what, _, _, check_more), server, truth in zip(KINDS, started, truths):
            yield f"requests of {what} are counted and timed", functools.partial(
                check_kind, run, server, truth, check_more
            )
        yield "what it asks a backend is kept apart", functools.partial(check_backend, run, front, backend, asked)
        yield "a pipeline is marked", functools.partial(check_pipeline, run, pipelined)
        yield "connections from before the recording are counted", functools.partial(
            check_count, run, known, known_truth
        )


def check_losses(run):
    """Losses of other kinds are for every_kernel.py, which lets a kernel that skips programs show it first."""
    of_requests = ("flow_records", "stage_records", "sockets", "store_rows")
    equal("losses", {reason: n for reason, n in run.losses().items() if reason in of_requests}, {})
