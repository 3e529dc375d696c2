# SPDX-License-Identifier: BSD-2-Clause
"""What is to be seen of a recording while it goes on: the textfile for Prometheus."""

import os
import re
import subprocess

from exchange import RequestServer, ask, kept
from harness import HEADROOM, SLOWNESS, between, check, equal, need, run_command, temporary_directory, test, wait_until
from recorder import Recorder, record

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


@test
def a_recording_outlives_its_textfile():
    with temporary_directory() as directory:
        os.mkdir(f"{directory}/metrics")
        command = [HEADROOM, "record", "-o", f"{directory}/run.db", "--textfile", f"{directory}/metrics/a.prom", "-i", "50ms",
                   "-d", "600ms", "--", "sh", "-c", f"sleep 0.2; rm -r {directory}/metrics; sleep 5"]
        done = run_command(*command)
        equal(f"status ({done.stderr})", done.returncode, 0)
        equal("times that it is said", done.stderr.count("cannot write"), 2)  # once, and at the end
