# SPDX-License-Identifier: BSD-2-Clause
"""Real servers under real load: everything is accounted, and the counts agree with those of server and client."""

from harness import HEADROOM, between, check, equal, run_command, temporary_directory, test
from recorder import Recorder, report_json
from servers import CONNECTIONS, Nginx, NodeHttp, Postgres, PythonHttp, Redis, wrk

OTHER_SHARE = 0.001


def check_run(run):
    """Nearly nothing is in no known state, and the reports say what the run file holds."""
    other = run.rows("SELECT syscall, sum(in_progress) AS n FROM syscalls GROUP BY syscall HAVING n > 0")
    check(run.other_share() <= OTHER_SHARE, f"{run.other_share():.2%} of the time is in other; open calls: {other}")
    check(
        run.state("user") > 0 and run.state("kernel") > 0, f"a loaded server is on CPU in both modes: {run.states()}"
    )

    report = report_json(run.path)
    equal("schema of the report", report["schema"], "headroom.report/1")
    between("accounted share of the report", report["health"]["accounted_share"], 0.999, 1.001)
    calls = {
        row["syscall"]: row["n"]
        for row in run.rows(
            "SELECT syscall, sum(calls) AS n FROM syscalls WHERE abi = 'native' GROUP BY syscall HAVING n > 0"
        )
    }
    equal("calls in the report", {row["name"]: row["calls"] for row in report["syscalls"] if row["calls"]}, calls)

    text = run_command(HEADROOM, "report", run.path).stdout
    widest = max(text.splitlines(), key=len)
    check(len(widest) <= 100, f"a line of the report has {len(widest)} columns: {widest}")
    for state, time_ns in run.states().items():
        check(time_ns < 0.01 * run.total_ns() or state in text, f"the report does not speak of {state}")


@test
def nginx_under_wrk_is_accounted_and_writes_once_per_request():
    with temporary_directory() as directory, Nginx(directory) as server:
        before = server.served()
        with Recorder(directory, "--port", server.port) as recorder:
            answered = wrk(server.port, 3)
            run = recorder.stop()
            served = server.served() - before - 1  # the last of which asked for this number
            check_run(run)
            equal("processes", run.value("SELECT count(*) FROM processes"), 3)
            equal("names", run.rows("SELECT DISTINCT name FROM processes"), [{"name": "nginx"}])
            between("calls of writev", run.calls("writev")["calls"], served - CONNECTIONS, served + CONNECTIONS)
            between("answers that the client saw", answered, served - CONNECTIONS, served)
            accepted = run.calls("accept4")
            between("connections accepted", accepted["calls"] - accepted["errors"], CONNECTIONS, CONNECTIONS + 1)
            states = run.states()
            on_cpu_ns = states["user"] + states["kernel"]
            waits_ns = sum(states.get(state, 0) for state in ("poll", "runq", "preempted"))
            check(
                on_cpu_ns + waits_ns > 0.99 * sum(time_ns for state, time_ns in states.items() if state != "ipc"),
                f"an event loop runs, waits for a CPU, or polls: {states}",
            )


@test
def redis_under_redis_benchmark_is_accounted_and_reads_once_per_command():
    with temporary_directory() as directory, Redis(directory) as server:
        before = server.served()
        with Recorder(directory, "--port", server.port) as recorder:
            server.load(30_000)
            run = recorder.stop()
            served = server.served() - before - 1
            check_run(run)
            writes = run.calls("write")
            # one answer per command; the server's own log and its wake-up pipe are all the rest
            between("calls of write", writes["calls"], 0.99 * served, 1.02 * served)
            reads = run.calls("read")
            between(
                "reads that found something", reads["calls"] - reads["errors"], 0.99 * served, 1.02 * served + 200
            )


@test
def postgresql_under_pgbench_is_accounted_and_follows_its_backends():
    with temporary_directory() as directory, Postgres(directory) as server:
        with Recorder(directory, "--port", server.port) as recorder:
            transactions = server.load(3)
            run = recorder.stop()
            check_run(run)
            check(transactions > 10, f"only {transactions} transactions")
            backends = run.rows("SELECT * FROM processes WHERE first_ns > 0 AND last_ns IS NOT NULL")
            check(
                len(backends) >= CONNECTIONS,
                f"only {len(backends)} of {CONNECTIONS} backends were born and ended in the run",
            )
            # the seven statements of a transaction are answered one by one
            between("calls of sendto", run.calls("sendto")["calls"], 7 * transactions, 8 * transactions + 500)
            check(
                run.state("poll") > 0 and run.state("disk") > 0,
                f"backends wait for clients and for the disk: {run.states()}",
            )


@test
def a_threaded_python_server_is_accounted():
    with temporary_directory() as directory, PythonHttp() as server:
        with Recorder(directory, "--port", server.port) as recorder:
            answered = wrk(server.port, 3)
            run = recorder.stop()
            check_run(run)
            check(len(run.threads()) >= 1 + CONNECTIONS, f"a thread per connection: {len(run.threads())}")
            between("calls of sendto", run.calls("sendto")["calls"], answered, 2 * answered + 4 * CONNECTIONS)
            check(run.state("futex") > 0, f"its threads share one interpreter lock: {run.states()}")


@test
def a_node_server_is_accounted():
    with temporary_directory() as directory, NodeHttp() as server:
        with Recorder(directory, "--port", server.port) as recorder:
            answered = wrk(server.port, 3)
            run = recorder.stop()
            check_run(run)
            writes = run.calls("write")["calls"] + run.calls("writev")["calls"]
            between("calls of write and writev", writes, answered, 1.1 * answered + 200)
