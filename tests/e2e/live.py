# SPDX-License-Identifier: BSD-2-Clause
"""What is to be seen of a recording while it goes on, the textfile for Prometheus; and that it begins when it is to."""

import os
import re
import shutil
import signal
import subprocess
import time

from exchange import RequestServer, ask, kept
from harness import HEADROOM, MS, SECOND, SLOWNESS, Process, between, check, equal, need, run_command, temporary_directory, test, wait_until
from loads import Demo
from recorder import Recorder, record
from runfile import Run, look

METRIC = re.compile(r'(headroom_\w+)\{target="([^"]*)"(?:,(\w+)="([^"]*)")?\} (\S+)')


def metrics(path):
    """The file's values, by name and by the value of the second label if there is one."""
    found = {}
    with open(path, encoding="utf-8") as file:
        for line in file:
            if line.startswith("#"):
                continue
            match = METRIC.fullmatch(line.rstrip("\n"))
            check(match, f"a line of the textfile is not a metric: {line}")
            found[(match[1], match[4])] = float(match[5])
            equal("target of a metric", match[2], found.setdefault("target", match[2]))
    return found


def check_by_promtool(path):
    need("promtool")
    with open(path, encoding="utf-8") as file:
        done = subprocess.run(["promtool", "check", "metrics"], stdin=file, capture_output=True, text=True, timeout=60 * SLOWNESS,
                              check=False)
    equal(f"status of promtool ({done.stdout}{done.stderr})", done.returncode, 0)
    equal("what promtool says", done.stderr.strip(), "")


def recorded_requests(directory):
    """A recording of a few requests: its run, what the file said while it went on, and at the end."""
    path = f"{directory}/headroom.prom"
    with RequestServer(directory, mode="threads", sleep_us=4000) as server:
        with Recorder(directory, "--port", server.port, "--textfile", path) as recorder:
            begin = metrics(path)
            truth = ask(server, connections=3, requests=40)
            during = wait_until("the file has the requests", lambda: answered(path, truth))
            check_by_promtool_where_it_is(path)
            recorder.stop()
            return kept(recorder), begin, during, metrics(path), truth, server.port


def answered(path, truth):
    seen = metrics(path)
    return seen if seen.get(("headroom_requests_total", None), 0) >= truth["answered"] else None


def check_by_promtool_where_it_is(path):
    try:
        check_by_promtool(path)
    except Exception as reason:
        if type(reason).__name__ != "Skip":
            raise


@test
def the_textfile_agrees_with_the_run_file():
    with temporary_directory() as directory:
        run, begin, during, end, truth, port = recorded_requests(directory)
        equal("target", end["target"], f"port {port}")
        equal("recording before the first interval", begin["headroom_recording", None], 1)
        equal("requests before the first one", begin["headroom_requests_total", None], 0)
        equal("recording, while it goes on", during["headroom_recording", None], 1)
        between("busiest thread", during["headroom_resource_utilization_ratio", "busiest_thread"], 0, 1)
        between("CPUs", during["headroom_resource_utilization_ratio", "cpus"], 0, 1)
        check(("headroom_requests_in_flight", None) in during, "nothing is said of requests in flight")
        equal("recording, at the end", end["headroom_recording", None], 0)
        check(("headroom_requests_in_flight", None) not in end, "there are requests in flight after the end")

        equal("requests", end["headroom_requests_total", None], truth["answered"])
        equal("requests in the histogram", end["headroom_request_duration_seconds_count", None], truth["answered"])
        equal("requests up to infinity", end["headroom_request_duration_seconds_bucket", "+Inf"], truth["answered"])
        total_ns = run.value("SELECT sum(total_ns) FROM request_stages WHERE stage = 'total'")
        between("sum of latencies", end["headroom_request_duration_seconds_sum", None], total_ns / 1e9 - 1e-6, total_ns / 1e9 + 1e-6)
        equal("requests of at most 2 ms", end["headroom_request_duration_seconds_bucket", "0.002"], 0)
        buckets = [value for name, value in end.items() if name[0] == "headroom_request_duration_seconds_bucket"]
        equal("buckets", buckets, sorted(buckets))

        for state, time_ns in run.states().items():
            between(f"seconds in {state}", end["headroom_thread_seconds_total", state], time_ns / 1e9 - 1e-6, time_ns / 1e9 + 1e-6)
        equal("calls", end["headroom_syscalls_total", None], run.counters()["syscalls"])
        lost = {row["reason"]: row["n"] for row in run.rows("SELECT reason, sum(count) AS n FROM losses GROUP BY 1")}
        seen = {name[1]: value for name, value in end.items() if name[0] == "headroom_losses_total" and value}
        equal("losses", seen, lost)
        for owner in ("target", "other", "idle"):
            time_ns = run.value(f"SELECT sum({owner}_ns) FROM cpus")
            between(f"CPU seconds of {owner}", end["headroom_cpu_seconds_total", owner], time_ns / 1e9 - 1e-6, time_ns / 1e9 + 1e-6)
        between("start", end["headroom_start_timestamp_seconds", None] * 1e3,
                run.value("SELECT started_unix_ns FROM run") / 1e6, run.value("SELECT started_unix_ns FROM run") / 1e6 + 1000 * SLOWNESS)


@test
def promtool_finds_the_textfile_valid():
    need("promtool")
    with temporary_directory() as directory:
        done = record("-q", "-o", f"{directory}/run.db", "--textfile", f"{directory}/a.prom", "-i", "100ms", "-d", "300ms", "--",
                      "sleep", "5")
        equal(f"status ({done.stderr})", done.returncode, 0)
        check_by_promtool(f"{directory}/a.prom")


@test
def a_textfile_that_cannot_be_written_is_refused_before_anything_is_recorded():
    with temporary_directory() as directory:
        with open(f"{directory}/other.prom", "w") as file:
            file.write("node_load1 3\n")
        for path, status, words in (
            (f"{directory}/other.prom", 1, "was not written by headroom"),
            (f"{directory}/metrics.txt", 2, "does not end in .prom"),
            (f"{directory}/none/a.prom", 1, "cannot open directory"),
        ):
            done = record("-o", f"{directory}/run.db", "--textfile", path, "--", "sleep", "1")
            equal(f"status of --textfile {path}", done.returncode, status)
            check(words in done.stderr, f"it does not say '{words}': {done.stderr}")
            check(not os.path.exists(f"{directory}/run.db"), "a run file was made")
        with open(f"{directory}/other.prom") as file:
            equal("the other file", file.read(), "node_load1 3\n")


def intervals(path):
    return look(path, "SELECT count(*) FROM intervals")[0][0]


@test
def a_recording_outlives_its_textfile():
    def is_removed():
        shutil.rmtree(folder, ignore_errors=True)  # which fails where the recorder puts a file into it meanwhile
        return not os.path.exists(folder)

    with temporary_directory() as directory, Process("sleep", "60") as target:
        folder = f"{directory}/metrics"
        os.mkdir(folder)
        with Recorder(directory, "-p", target.pid, "--textfile", f"{folder}/a.prom", interval="50ms") as recorder:
            equal("files beside the textfile", [name for name in os.listdir(folder) if not name.startswith(".")], ["a.prom"])
            wait_until("the folder is removed", is_removed)
            before = intervals(recorder.path)
            wait_until("the recording goes on", lambda: intervals(recorder.path) >= before + 4)
            recorder.stop()
            equal(f"times that it is said, of {recorder.words!r},", recorder.words.count("cannot write"), 2)  # once, and at the end


# --activate


def started(run):
    return run.rows("SELECT started_unix_ns, asked_unix_ns FROM run")[0]


def check_near(run, what):
    """The run began when it was to, up to what a busy machine takes to wake the recorder and look at the accounts."""
    row = started(run)
    between(f"start of {what} after the moment", row["started_unix_ns"] - row["asked_unix_ns"], 0, 200 * MS * SLOWNESS, "ns")


PERIOD_S = 6


@test
def recordings_that_are_activated_on_a_boundary_begin_together():
    with temporary_directory() as directory, Process("sleep", "60") as target:
        # so that both are asked in the same period: it is cut 2 s before a boundary
        wait_until("the period is young", lambda: (time.time() + 2) % PERIOD_S < 1, limit_s=PERIOD_S + 1)
        command = [HEADROOM, "record", "-p", str(target.pid), "--activate", f"/{PERIOD_S}s", "-d", "500ms", "-i", "100ms", "-o"]
        with Process(*command, f"{directory}/a.db", stderr=subprocess.PIPE) as first, Process(
            *command, f"{directory}/b.db", stderr=subprocess.PIPE
        ) as second:
            for process in (first, second):
                _, words = process.child.communicate(timeout=30 * SLOWNESS)
                equal(f"status ({words})", process.child.returncode, 0)
                check(b"began at" in words, f"it does not say when it began: {words}")
        runs = [Run(f"{directory}/{name}.db") for name in "ab"]
        rows = [started(run) for run in runs]
        equal("moment that was asked for", rows[0]["asked_unix_ns"], rows[1]["asked_unix_ns"])
        equal("boundary", rows[0]["asked_unix_ns"] % (PERIOD_S * SECOND), 0)
        between("from one start to the other", abs(rows[0]["started_unix_ns"] - rows[1]["started_unix_ns"]), 0, 100 * MS * SLOWNESS, "ns")
        for run, name in zip(runs, "ab"):
            check_near(run, name)
            between(f"length of {name}", run.value("SELECT max(end_ns) FROM intervals"), 450 * MS, 900 * MS * SLOWNESS, "ns")
            # what was before the moment is in no account
            between("first interval's start", run.value("SELECT min(start_ns) FROM intervals"), 0, 50 * MS * SLOWNESS, "ns")
            run.check_laws()
            run.close()


@test
def a_command_is_let_go_only_when_its_recording_begins():
    with temporary_directory() as directory:
        path, stamp = f"{directory}/run.db", f"{directory}/stamp"
        asked = time.time_ns()
        done = record("-o", path, "-i", "100ms", "--activate", "+5s", "--textfile", f"{directory}/a.prom", "--", "sh", "-c",
                      f"date +%s%N >{stamp}; sleep 0.3", env={k: v for k, v in os.environ.items() if not k.startswith("SUDO_")})
        equal(f"status ({done.stderr})", done.returncode, 0)
        run = Run(path)
        check_near(run, "the run")
        with open(stamp) as file:
            between("time until the command ran", int(file.read()) - asked, 5 * SECOND, 9 * SECOND * SLOWNESS, "ns")
        between("start by the textfile", metrics(f"{directory}/a.prom")["headroom_start_timestamp_seconds", None],
                started(run)["started_unix_ns"] / 1e9 - 0.001, started(run)["started_unix_ns"] / 1e9 + SLOWNESS)
        run.check_laws()
        run.close()


@test
def a_recording_that_is_interrupted_before_its_moment_leaves_nothing():
    with temporary_directory() as directory:
        with Process(HEADROOM, "record", "-o", f"{directory}/run.db", "--activate", "+1h", "--", "sleep", "5", stdout=subprocess.PIPE,
                     stderr=subprocess.PIPE) as process:
            wait_until("the file is there", lambda: os.path.exists(f"{directory}/run.db"))
            time.sleep(0.2)
            process.child.send_signal(signal.SIGINT)
            _, words = process.child.communicate(timeout=10 * SLOWNESS)
            equal("status", process.child.returncode, 1)
            check(b"interrupted before the recording began" in words, f"it says: {words}")
            equal("files left", os.listdir(directory), [])
        done = record("-o", f"{directory}/run.db", "--activate", "10s", "--", "true")
        equal("status of a moment that is none", done.returncode, 2)


@test
def a_sweep_begins_at_its_moment_and_has_a_textfile():
    need("wrk")
    with temporary_directory() as directory, Demo("--hidden", 50) as demo:
        path = f"{directory}/run.db"
        done = run_command(
            *(HEADROOM, "sweep", "--port", str(demo.port), "--levels", "1,2", "-d", "1s", "-w", "200ms", "-i", "100ms", "-o", path),
            *("--no-stacks", "--activate", "/3s", "--textfile", f"{directory}/a.prom"),
            *("--", "wrk", "-t1", "-c{level}", "-d1s", f"http://127.0.0.1:{demo.port}/infer?seed=1"),
        )
        equal(f"status ({done.stderr})", done.returncode, 0)
        check("sweep: began at" in done.stderr, f"it does not say when it began: {done.stderr}")
        run, seen = Run(path), metrics(f"{directory}/a.prom")
        check_near(run, "the sweep")
        equal("recording, at the end", seen["headroom_recording", None], 0)
        equal("requests", seen["headroom_requests_total", None],
              run.value("SELECT sum(requests) FROM traffic JOIN flows USING (flow_id) WHERE role = 'server'"))
        check(seen["headroom_requests_total", None] > 0, "no requests were counted")
        run.close()
