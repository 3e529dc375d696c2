# SPDX-License-Identifier: BSD-2-Clause
"""Requests whose number and times are known by construction: what the run says of them."""

import functools

from exchange import (
    CALLS,
    MODES,
    TRANSPORTS,
    RequestServer,
    ask,
    check_count,
    check_histogram,
    flows,
    in_flight,
    kept,
    servers,
    settle,
    waiting_client,
)
from harness import BUILD, MS, SECOND, SLOWNESS, Skip, between, cases, check, equal, temporary_directory, test
from recorder import Recorder, record, report_json

# What a stage may take longer by the recorder's stamps than by the server's own, per request.
STAMP_NS = 100_000 * SLOWNESS
# What a sleep may take longer where others want the CPU too. Where the server has a clock on it, it is compared with that.
LATE_MS = 10 * SLOWNESS


def recorded(server, *more, **values):
    """One client's requests against a server, recorded: the client's truth, the server's, the run, its flow."""
    with temporary_directory() as directory, Recorder(directory, "-p", server.pid, *more) as recorder:
        asked = ask(server, **values)
        served = server.stop()
        recorder.stop()
        run = kept(recorder)
        return asked, served, run, check_count(run, server, asked)


def about(what, seen_ns, expected_ns, count, share=0.02):
    """As long as the server's own clock says: within a share, and what its stamps are away from ours."""
    slack_ns = share * expected_ns + count * STAMP_NS
    between(what, seen_ns, expected_ns - slack_ns, expected_ns + slack_ns, "ns")


# Counts


def rows_of(transport):
    """Every mode with every pair of calls; io_uring has calls of its own."""
    return [
        {"transport": transport, "mode": mode, "calls": calls}
        for mode in MODES
        for calls in (CALLS if mode != "uring" else CALLS[:1])
    ]


def check_row(run, server, truth):
    if isinstance(server, Skip):
        raise server
    flow = check_count(run, server, truth)
    equal("bytes read", flow.traffic("in_bytes"), truth["answered"] * 64)
    equal("bytes written", flow.traffic("out_bytes"), truth["answered"] * 128)
    for row in flow.connections():
        equal("why a connection is multiplexed", row["multiplexed"], None)


@cases
def requests_are_counted_exactly_however_they_are_read_and_answered():
    for transport in TRANSPORTS:
        rows = rows_of(transport)
        with temporary_directory() as directory, servers(directory, rows) as started:
            pids = ",".join(str(server.pid) for server in started if not isinstance(server, Skip))
            with Recorder(directory, "-p", pids) as recorder:
                truths = [
                    None if isinstance(server, Skip) else ask(server, connections=3, requests=40) for server in started
                ]
                run = recorder.stop()
                for row, server, truth in zip(rows, started, truths):
                    what = row["mode"] if row["mode"] == "uring" else f"{row['mode']} with {row['calls']}"
                    sentence = f"of a server on {transport} in mode {what} each request is counted"
                    yield sentence, functools.partial(check_row, run, server, truth)


@cases
def connections_are_counted_however_they_are_accepted():
    with temporary_directory() as directory, servers(directory, [{"mode": mode} for mode in MODES]) as started:
        pids = ",".join(str(server.pid) for server in started if not isinstance(server, Skip))
        with Recorder(directory, "-p", pids) as recorder:
            truths = [
                None if isinstance(server, Skip) else ask(server, connections=3, requests=40) for server in started
            ]
            for server in started:
                if not isinstance(server, Skip):
                    settle(server)
            run = recorder.stop()
            for mode, server, truth in zip(MODES, started, truths):
                sentence = f"connections of a server in mode {mode} that listened before the recording are counted"
                yield sentence, functools.partial(check_accepted, run, server, truth)


def check_accepted(run, server, truth):
    if isinstance(server, Skip):
        raise server
    flow = flows(run, pid=server.pid)
    equal("connections opened", flow.traffic("opened"), truth["opened"])
    equal("connections closed", flow.traffic("closed"), truth["opened"])
    # nobody tells of io_uring's accept but the first use of what it accepted
    timed = 0 if server.mode == "uring" else truth["opened"]
    equal("connections with a time in the accept queue", flow.count("accept"), timed)


@test
def connections_that_were_open_before_the_recording_are_counted_from_its_first_request_on():
    with temporary_directory() as directory, RequestServer(directory, mode="epoll") as server:
        with waiting_client(server, connections=8, requests=50, early=1) as client:
            with Recorder(directory, "-p", server.pid) as recorder:
                client.go()
                truth = client.truth()
                run = recorder.stop()
                flow = check_count(run, server, truth)
                equal("rows of connections", len(flow.connections()), 8)


@test
def unix_connections_that_were_open_before_the_recording_are_counted_too():
    with temporary_directory() as directory, RequestServer(directory, transport="unix", mode="threads") as server:
        with waiting_client(server, connections=8, requests=50, early=1) as client:
            with Recorder(directory, "-p", server.pid) as recorder:
                client.go()
                truth = client.truth()
                check_count(recorder.stop(), server, truth)


@test
def a_connection_for_each_request_is_counted_and_none_is_mixed_with_the_next_on_its_descriptor():
    # one after the other: each gets the descriptor of the one before
    with temporary_directory() as directory, RequestServer(directory, mode="epoll", sleep_us=1000) as server:
        with Recorder(directory, "-p", server.pid) as recorder:
            truth = ask(server, connections=1, requests=200, fresh=1)
            settle(server)
            run = recorder.stop()
            flow = check_count(run, server, truth)
            rows = flow.connections()
            equal("rows of connections", len(rows), 200)
            equal("different connections", len({row["connection_id"] for row in rows}), 200)
            equal("different ports of the client", len({row["peer"] for row in rows}), 200)
            equal("requests of each connection", {row["requests"] for row in rows}, {1})
            # a stage that began on one connection and ended on another would last as long as both
            slots = flow.slots("total")
            between("longest of all requests", slots[-1]["low_ns"], MS, 40 * MS * SLOWNESS, "ns")
            check_ended(run, flow)


def check_ended(run, flow):
    """Every connection of the flow has its end, in the run and after its begin."""
    equal("connections ended", flow.traffic("closed"), flow.traffic("opened"))
    for row in flow.connections():
        check(row["last_ns"] is not None, f"a connection that was closed has no end: {row}")
        between("its end", row["last_ns"], row["first_ns"], run.end_ns())
        check(row["ending"] in ("peer", "local"), f"it was closed in order: {row}")


@test
def after_all_have_closed_no_connection_is_open_and_nothing_is_in_flight():
    with temporary_directory() as directory, RequestServer(directory, mode="workers") as server:
        with Recorder(directory, "-p", server.pid) as recorder:
            truth = ask(server, connections=64, requests=20)
            ask(server, connections=1, requests=1)  # the last interval has something, too
            settle(server)
            run = recorder.stop()
            flow = flows(run, pid=server.pid)
            equal("requests", flow.traffic("requests"), truth["answered"] + 1)
            check_ended(run, flow)
            equal("open connections", run.value("SELECT count(*) FROM connections WHERE last_ns IS NULL"), 0)


@test
def requests_that_are_never_answered_are_counted_apart():
    with temporary_directory() as directory, RequestServer(directory, mode="epoll") as server:
        with Recorder(directory, "-p", server.pid) as recorder:
            truth = ask(server, connections=5, requests=20, hang_up=1)
            settle(server)
            run = recorder.stop()
            flow = flows(run, pid=server.pid)
            equal("requests", flow.traffic("requests"), truth["answered"])
            equal("unanswered requests", flow.traffic("unanswered"), 5)
            equal("requests with a service time", flow.count("service"), truth["answered"])


@test
def a_client_that_goes_away_in_the_middle_of_its_request_leaves_an_unanswered_one():
    with temporary_directory() as directory, RequestServer(directory, mode="epoll") as server:
        with Recorder(directory, "-p", server.pid) as recorder:
            truth = ask(server, connections=5, requests=20, half=1, hold_us=50_000)
            settle(server)
            run = recorder.stop()
            flow = flows(run, pid=server.pid)
            equal("requests", flow.traffic("requests"), truth["answered"])
            equal("unanswered requests", flow.traffic("unanswered"), 5)


@test
def a_request_that_comes_in_pieces_is_one_request():
    with temporary_directory() as directory, RequestServer(directory, mode="epoll") as server:
        asked, served, _, flow = recorded(server, connections=2, requests=40, pieces=3, piece_gap_us=2000)
        # a server that gets its CPU late finds two pieces at once
        check(served["reads"] > 2 * asked["answered"], f"the server read only {served['reads']} times")
        about("service time", flow.sum_ns("service"), served["service_ns"], asked["answered"])
        for row in flow.connections():
            equal("why it is multiplexed", row["multiplexed"], None)


@test
def a_request_of_single_bytes_is_one_request():
    with temporary_directory() as directory, RequestServer(directory, mode="threads", request=32) as server:
        asked, _, _, flow = recorded(server, connections=4, requests=50, pieces=32)
        for row in flow.connections():
            equal("why it is multiplexed", row["multiplexed"], None)
            equal("requests of the connection", row["requests"], asked["answered"] // 4)


@test
def an_answer_by_splice_to_data_that_was_read_by_splice_is_counted_and_said_to_have_no_stages():
    with temporary_directory() as directory, RequestServer(directory, mode="threads", calls="splice_in") as server:
        with Recorder(directory, "-p", server.pid) as recorder:
            truth = ask(server, connections=2, requests=50)
            run = recorder.stop()
            flow = flows(run, pid=server.pid)
            equal("requests", flow.traffic("requests"), truth["answered"])
            equal("reads that were not seen", run.losses().get("unseen_reads"), truth["answered"])
            equal("requests with a service time", flow.count("service"), 0)


# Stages


@test
def five_ms_of_sleep_are_the_service_time_and_every_histogram_holds_what_was_counted():
    with temporary_directory() as directory, RequestServer(directory, mode="threads", sleep_us=5000) as server:
        asked, served, _, flow = recorded(server, connections=4, requests=50)
        between("mean service time", flow.mean_ns("service"), 5 * MS, (5 + 2 * SLOWNESS) * MS, "ns")
        about("service time", flow.sum_ns("service"), served["service_ns"], asked["answered"])
        about("time from end to end", flow.sum_ns("total"), asked["sum_ns"], 2 * asked["answered"])
        check(flow.sum_ns("total") <= 1.01 * asked["sum_ns"], "requests took the server longer than the client waited")
        for stage in ("accept", "queue", "service", "stream", "total"):
            check_histogram(flow, stage)


@test
def a_server_that_sleeps_before_it_reads_has_requests_in_the_receive_queue():
    for transport in TRANSPORTS:
        with temporary_directory() as directory:
            with RequestServer(directory, transport=transport, mode="threads", read_delay_us=8000) as server:
                _, _, _, flow = recorded(server, connections=2, requests=40)
                between(f"mean wait on {transport}", flow.mean_ns("queue"), 8 * MS, (8 + LATE_MS) * MS, "ns")
                check(flow.mean_ns("service") < 2 * MS * SLOWNESS, "the service itself takes no time")


@test
def a_server_that_sleeps_before_it_accepts_has_connections_in_the_accept_queue():
    with temporary_directory() as directory, RequestServer(directory, mode="one", accept_delay_us=20_000) as server:
        asked, _, _, flow = recorded(server, connections=1, requests=20, fresh=1)
        equal("connections accepted", flow.count("accept"), asked["opened"])
        between("mean wait", flow.mean_ns("accept"), 20 * MS, (20 + LATE_MS) * MS, "ns")


@test
def an_answer_in_four_writes_streams_from_the_first_to_the_last():
    with temporary_directory() as directory, RequestServer(directory, mode="epoll", chunks=4, gap_us=3000) as server:
        asked, served, _, flow = recorded(server, connections=1, requests=40)
        about("streaming time", flow.sum_ns("stream"), served["stream_ns"], asked["answered"])
        between("mean streaming time", flow.mean_ns("stream"), 9 * MS, (9 + LATE_MS) * MS, "ns")
        check(flow.mean_ns("service") < 2 * MS * SLOWNESS, "the first byte comes at once")
        between("writes", flow.traffic("writes"), 4 * asked["answered"], 4 * asked["answered"])


@test
def a_request_waits_end_to_end_for_the_sum_of_its_stages():
    settings = {"sleep_us": 3000, "read_delay_us": 4000, "chunks": 2, "gap_us": 2000}
    with temporary_directory() as directory, RequestServer(directory, mode="threads", **settings) as server:
        asked, _, _, flow = recorded(server, connections=3, requests=40)
        parts_ns = sum(flow.sum_ns(stage) for stage in ("queue", "service", "stream"))
        about("sum of the stages", parts_ns, flow.sum_ns("total"), 0, share=0.001)
        between("mean from end to end", flow.mean_ns("total"), 9 * MS, (9 + LATE_MS) * MS, "ns")
        check(flow.sum_ns("total") <= 1.01 * asked["sum_ns"], "requests took the server longer than the client waited")


# In flight


@test
def requests_in_flight_by_counting_and_by_littles_law_agree_with_what_the_client_kept_in_flight():
    with temporary_directory() as directory, RequestServer(directory, mode="threads", sleep_us=10_000) as server:
        asked, _, run, flow = recorded(server, connections=8, requests=100)
        counted, littles = in_flight(run, flow)
        between("requests in flight by counting", counted, 0.95 * littles, 1.05 * littles)
        offered = asked["sum_ns"] / run.end_ns()
        between("requests in flight by counting", counted, 0.95 * offered, 1.01 * offered)


@test
def a_request_that_lasts_over_many_intervals_is_in_flight_in_each_of_them():
    with temporary_directory() as directory, RequestServer(directory, mode="threads", sleep_us=1_000_000) as server:
        with Recorder(directory, "-p", server.pid, interval="100ms") as recorder:
            truth = ask(server, connections=4, requests=1)
            run = recorder.stop()
            check_count(run, server, truth)
            full = run.value(
                "SELECT count(*) FROM traffic JOIN intervals USING (interval_id)"
                " WHERE in_flight_ns BETWEEN 3.98 * (end_ns - start_ns) AND 4.02 * (end_ns - start_ns)"
            )
            between("intervals in which all four were in flight", full, 7 / SLOWNESS, 10 * SLOWNESS)


# Budgets


def budget(server, first_answers=0, **values):
    """
    The budget of the requests of a client, after the law that holds for all of them. first_answers: of so many threads the
    first answer has no budget, for what they did before is not known.
    """
    asked, served, _, flow = recorded(server, **values)
    states = flow.states()
    budgeted = flow.traffic("budgeted")
    between("requests with a budget", budgeted, asked["answered"] - first_answers, asked["answered"])
    about(f"sum of {states}", sum(states.values()) / budgeted, flow.mean_ns("service"), 0, share=0.05)
    return asked, served, states


@test
def a_request_that_sleeps_spends_its_time_in_sleep():
    for mode in ("threads", "epoll", "edge"):
        with temporary_directory() as directory, RequestServer(directory, mode=mode, sleep_us=5000) as server:
            asked, served, states = budget(server, connections=1, requests=60)
            # others may have the CPU for a while after the sleep
            between(f"sleep, of {states}", states.get("sleep", 0), 0.9 * served["service_ns"], served["service_ns"], "ns")


@test
def a_request_that_computes_spends_its_time_in_user_mode():
    with temporary_directory() as directory, RequestServer(directory, mode="epoll", burn_us=5000) as server:
        asked, served, states = budget(server, connections=1, requests=60)
        burnt_ns = asked["answered"] * 5 * MS
        # it burns up to a moment on the clock: others may have the CPU meanwhile, and beyond
        running_ns = sum(states.get(state, 0) for state in ("user", "runq", "preempted"))
        between(f"user mode, or kept from it, of {states}", running_ns, 0.95 * burnt_ns, 1.01 * served["service_ns"], "ns")
        between(f"user mode, of {states}", states["user"], 0.5 * burnt_ns, 1.05 * burnt_ns, "ns")


@test
def a_request_that_waits_for_a_lock_spends_that_time_in_futex():
    with temporary_directory() as directory, RequestServer(directory, mode="threads", lock_us=4000) as server:
        asked, served, states = budget(server, connections=4, requests=60)
        check(served["lock_wait_ns"] > 2 * asked["answered"] * 4 * MS, "three of four wait for the lock by construction")
        about(f"futex, of {states}", states.get("futex", 0), served["lock_wait_ns"], asked["answered"], share=0.1)
        held_ns = asked["answered"] * 4 * MS
        between(f"sleep, of {states}", states.get("sleep", 0), 0.9 * held_ns, 1.2 * held_ns * SLOWNESS, "ns")


@test
def a_request_that_waits_for_a_worker_spends_that_time_in_handoff():
    with temporary_directory() as directory:
        with RequestServer(directory, mode="workers", workers=1, sleep_us=4000) as server:
            asked, _, states = budget(server, first_answers=1, connections=4, requests=60)
            slept_ns = asked["answered"] * 4 * MS
            between(f"sleep, of {states}", states.get("sleep", 0), 0.9 * slept_ns, 1.1 * slept_ns * SLOWNESS, "ns")
            # one worker, four clients that ask again at once: each request waits for the three before it
            between(f"handoff, of {states}", states.get("handoff", 0), 2.5 * slept_ns, 3.5 * slept_ns * SLOWNESS, "ns")


# Roles


def check_downstream(transport, fresh):
    with temporary_directory() as directory:
        with RequestServer(directory, transport=transport, mode="threads", sleep_us=4000) as backend:
            front = {"mode": "threads", "backend_fresh": fresh, **backend.backend_settings()}
            with RequestServer(directory, **front) as server:
                asked, served, run, flow = recorded(server, connections=2, requests=40)
                down = flows(run, role="downstream", pid=server.pid)
                rows = run.rows("SELECT * FROM flows WHERE role = 'downstream'")
                peer = backend.path if transport == "unix" else peer_of(backend)
                equal("endpoints downstream", [row["endpoint"] for row in rows], [peer])
                equal("questions that were answered", down.traffic("requests"), asked["answered"])
                if transport != "unix":  # where nobody sees them come
                    equal("connections opened", down.traffic("opened"), asked["answered"] if fresh else 2)
                between("mean wait for the answer", down.mean_ns("wait"), 4 * MS, (4 + LATE_MS) * MS, "ns")
                about("wait for answers", down.sum_ns("wait"), served["backend_ns"], asked["answered"])
                check_service_is_the_wait(flow, down)
                return served, down


def peer_of(backend):
    return {"tcp4": "127.0.0.1:{}", "tcp6": "[::1]:{}"}[backend.transport].format(backend.port)


def check_service_is_the_wait(flow, down):
    """The front does nothing else: its service time is that wait, and what it takes to ask."""
    between("service time that is not that wait", flow.mean_ns("service") - down.mean_ns("wait"), 0, 2 * MS * SLOWNESS, "ns")


@test
def what_a_server_asks_another_is_kept_apart_by_peer():
    for transport in TRANSPORTS:
        check_downstream(transport, fresh=0)


@test
def a_connection_that_the_server_opens_for_each_request_has_its_connect_latency():
    served, down = check_downstream("tcp4", fresh=1)
    equal("connects", down.count("connect"), down.traffic("opened"))
    between("time to connect", down.sum_ns("connect"), 1, served["connect_ns"], "ns")


@test
def of_a_server_and_its_backend_in_one_run_only_the_front_counts_in_the_throughput():
    with temporary_directory() as directory, RequestServer(directory, mode="threads", sleep_us=2000) as backend:
        with RequestServer(directory, mode="threads", **backend.backend_settings()) as server:
            with Recorder(directory, "-p", f"{server.pid},{backend.pid}") as recorder:
                truth = ask(server, connections=2, requests=50)
                run = recorder.stop()
                check_count(run, server, truth)
                check_count(run, backend, truth)
                report = report_json(run.path)
                fronts = {row["endpoint"]: row["front"] for row in report["connections"] if row["role"] == "server"}
                equal("flows at the front", fronts, {server.endpoint: True, backend.endpoint: False})
                expected = truth["answered"] * SECOND / run.end_ns()
                level = report["total"]
                between("requests per second in the report", level["throughput_rps"], 0.95 * expected, 1.05 * expected)
                in_flight_of_client = truth["sum_ns"] / run.end_ns()
                between("in flight in the report", level["in_flight"], 0.9 * in_flight_of_client, 1.01 * in_flight_of_client)


@test
def a_server_that_asks_another_one_on_its_own_port_number_is_in_front():
    with temporary_directory() as directory, RequestServer(directory, mode="threads", address="127.0.0.2") as backend:
        front = {"mode": "threads", "port": backend.port, **backend.backend_settings()}
        with RequestServer(directory, **front) as server:
            for targets in ([server], [server, backend]):  # its requests count once in either
                pids = ",".join(str(target.pid) for target in targets)
                with Recorder(directory, "-p", pids, name=f"run-{len(targets)}.db") as recorder:
                    truth = ask(server, connections=2, requests=50)
                    run = recorder.stop()
                    rows = [row for row in report_json(run.path)["connections"] if row["role"] == "server"]
                    fronts = [(row["front"], row["requests"]) for row in rows]
                    both = [(True, truth["answered"]), (False, truth["answered"])]
                    equal("servers that are in front, and their requests", fronts, both[: len(targets)])


@test
def the_report_says_of_a_request_what_its_construction_says():
    with temporary_directory() as directory, RequestServer(directory, mode="threads", sleep_us=5000) as server:
        with Recorder(directory, "-p", server.pid) as recorder:
            truth = ask(server, connections=2, requests=100)
            level = report_json(recorder.stop().path)["total"]
            latency_ms = truth["sum_ns"] / truth["answered"] / MS
            between("mean latency", level["latency_ms"]["mean"], 0.9 * latency_ms, 1.01 * latency_ms, " ms")
            between("median latency", level["latency_ms"]["p50"], 5, truth["p50_ns"] / MS * (1 + 1 / 32), " ms")
            between("99th percentile", level["latency_ms"]["p99"], 5, truth["p99_ns"] / MS * (1 + 1 / 32), " ms")
            asleep_us = level["states_per_request_us"]["sleep"]
            between("sleep per request", asleep_us, 4900, 5000 * (1 + SLOWNESS / 5), " us")


# Functions that are requests


@test
def a_function_that_is_named_delimits_requests():
    with temporary_directory() as directory, RequestServer(directory, mode="threads", sleep_us=3000) as server:
        probe = f"{BUILD}/workloads/request_server:handle_request"
        with Recorder(directory, "-p", server.pid, "--request-probe", probe) as recorder:
            truth = ask(server, connections=3, requests=40)
            run = recorder.stop()
            flow = flows(run, role="probe", pid=server.pid)
            # on a CPU where somebody is interrupted in a look at a BPF map the kernel runs no probes of functions
            between("calls of the function", flow.traffic("requests"), 0.97 * truth["answered"], truth["answered"])
            between("mean time in it", flow.mean_ns("total"), 3 * MS, (3 + LATE_MS) * MS, "ns")
            states = flow.states()
            about(f"sum of {states}", sum(states.values()), flow.sum_ns("service"), 0, share=0.05)
            check(states.get("sleep", 0) > 0.85 * sum(states.values()), f"it sleeps: {states}")


@test
def a_function_delimits_requests_that_a_pipeline_hides():
    with temporary_directory() as directory, RequestServer(directory, mode="threads", burn_us=200) as server:
        probe = f"{BUILD}/workloads/request_server:handle_request"
        with Recorder(directory, "-p", server.pid, "--request-probe", probe) as recorder:
            truth = ask(server, connections=2, requests=320, depth=16)
            run = recorder.stop()
            calls = flows(run, role="probe", pid=server.pid).traffic("requests")
            between("calls", calls, 0.97 * truth["answered"], truth["answered"])  # the kernel may skip some, as above


@test
def a_function_that_is_not_there_is_refused_by_name():
    with temporary_directory() as directory, RequestServer(directory) as server:
        for probe, word in (
            (f"{BUILD}/workloads/request_server:no_such_function", "no_such_function"),
            ("/no/such/file:main", "/no/such/file"),
            ("without-a-colon", "without-a-colon"),
        ):
            done = record_with_probe(directory, server, probe)
            check(done.returncode not in (0, 3), f"--request-probe {probe} was taken")
            check(word in done.stderr, f"the message does not name it: {done.stderr.strip()}")


def record_with_probe(directory, server, probe):
    return record("-p", server.pid, "--request-probe", probe, "-d", "200ms", "-i", "100ms", "-o", f"{directory}/probe.db")
