# SPDX-License-Identifier: BSD-2-Clause
"""How often, how long, with which errors: calls whose numbers are known by construction."""

import os
import signal
import time

from harness import EXACT, MS, SLOWNESS, Skip, between, check, equal, temporary_directory, test
from recorder import Recorder
from runfile import kernel_may_skip
from workload import Workload


def record_mix(count):
    with temporary_directory() as directory, Workload("syscall_mix", count) as workload:
        with Recorder(directory, "-p", workload.pid) as recorder:
            workload.go()
            truth = workload.truth()
            equal("calls that did not do what they must", truth["wrong"], 0)
            return truth, Snapshot(recorder.stop(), workload.pid)


class Snapshot:
    """What these tests read of a run, kept beyond its file; and how often programs were skipped from that interval on."""

    def __init__(self, run, pid, first_interval=1):
        self.missed = run.skipped(first_interval) if kernel_may_skip() else 0
        of_process = "WHERE process_id = (SELECT process_id FROM processes WHERE pid = ?)"
        self.calls = {
            (row["syscall"], row["abi"]): row
            for row in run.rows(
                "SELECT syscall, abi, sum(calls) AS calls, sum(timed) AS timed, sum(errors) AS errors,"
                " sum(total_ns) AS total_ns"
                f" FROM syscalls {of_process} GROUP BY syscall, abi",
                pid,
            )
        }
        self.errors = {
            (row["syscall"], row["error"]): row["calls"]
            for row in run.rows(
                f"SELECT syscall, error, sum(calls) AS calls FROM syscall_errors {of_process} GROUP BY syscall, error",
                pid,
            )
        }
        self.histograms = {
            row["label"]: row["n"]
            for row in run.rows(
                f"SELECT label, sum(count) AS n FROM histograms {of_process} AND metric = 'syscall' GROUP BY label",
                pid,
            )
        }


def check_counts(truth, seen):
    """Where the kernel skipped programs, a call that is missing is among those that are said to be."""
    between("calls of getppid", seen.calls["getppid", "native"]["calls"], truth["getppid"] - seen.missed, truth["getppid"])
    equal("failed calls of getppid", seen.calls["getppid", "native"]["errors"], 0)


def check_errors(truth, seen):
    for syscall, error in (("close", "EBADF"), ("openat", "ENOENT"), ("kill", "EINVAL"), ("readv", "EAGAIN")):
        least, most = truth["failures"] - seen.missed, truth["failures"]
        between(f"calls of {syscall} with {error}", seen.errors.get((syscall, error), 0), least, most)
        between(f"failed calls of {syscall}", seen.calls[syscall, "native"]["errors"], least, most)
    names = {syscall for syscall, _ in seen.calls if syscall.endswith("509")}
    check(len(names) == 1, f"call number 509, which has no name, is called {names}")
    between("calls of number 509 with ENOSYS", seen.errors.get((names.pop(), "ENOSYS")), least, most)


def check_compat(truth, seen):
    if not truth["compat_getpid"]:
        raise Skip("this kernel or machine has no 32-bit system calls")
    compat = {syscall: row["calls"] for (syscall, abi), row in seen.calls.items() if abi == "compat"}
    check(len(compat) == 1, f"32-bit calls of one number are {compat}")
    check(next(iter(compat)) in ("getpid", "20"), f"32-bit call 20 is called {compat}")
    between("32-bit calls", sum(compat.values()), truth["compat_getpid"] - seen.missed, truth["compat_getpid"])
    check(("writev", "native") not in seen.calls, "32-bit call 20 was taken for the 64-bit writev")


@test
def every_call_is_counted_also_those_that_are_not_timed():
    check_counts(*record_mix(1_000_000))


@test
def histogram_counts_add_up_to_the_calls():
    for count in (10, 20_000):
        _, seen = record_mix(count)
        calls = {}
        for (syscall, _), row in seen.calls.items():
            calls[syscall] = calls.get(syscall, 0) + row["calls"]
        between(
            "calls in all histograms", sum(seen.histograms.values()), 0.99 * sum(calls.values()), sum(calls.values())
        )
        for syscall, number in calls.items():
            check(
                seen.histograms.get(syscall, 0) <= number,
                f"{seen.histograms[syscall]} of {number} calls of {syscall}",
            )


@test
def a_syscall_of_which_no_call_was_timed_has_no_time():
    _, seen = record_mix(20_000)
    for key, row in seen.calls.items():
        check(
            row["timed"] > 0 or row["total_ns"] is None,
            f"time of {row['calls']} calls that were not timed: {key} {row}",
        )


@test
def the_time_of_a_call_is_the_time_that_it_lasts():
    with temporary_directory() as directory, Workload("sleep_waits", 20, 20, "nanosleep") as workload:
        with Recorder(directory, "-p", workload.pid) as recorder:
            workload.go()
            wait = workload.truth()["waits"][0]
            run = recorder.stop()
            calls = run.calls("clock_nanosleep")
            between("calls of clock_nanosleep", calls["calls"], 20, 20)
            between("time in clock_nanosleep", calls["total_ns"], wait["low_ns"], wait["high_ns"], "ns")
            slots = run.rows(
                "SELECT low_ns, high_ns, sum(count) AS n FROM histograms"
                " WHERE metric = 'syscall' AND label = 'clock_nanosleep' GROUP BY low_ns"
            )
            equal("calls in the histogram", sum(slot["n"] for slot in slots), 20)
            for slot in slots:
                check(slot["high_ns"] > 20 * MS, f"no sleep was as short as {slot}")
                check(
                    slot["high_ns"] - slot["low_ns"] <= slot["low_ns"] / 8 + 1,
                    f"the slot {slot} is wider than the error allows",
                )


@test
def a_call_that_goes_on_at_the_intervals_end_is_in_progress():
    with temporary_directory() as directory, Workload("sleep_waits", 1, 10, "nanosleep") as workload:
        with Recorder(
            directory, "-p", workload.pid, "-d", f"{int(1000 * min(SLOWNESS, 3))}ms", interval="250ms"
        ) as recorder:
            run = recorder.wait()  # the workload has blocked in read since before the recording
            rows = run.rows(
                "SELECT in_progress, in_progress_ns, end_ns FROM syscalls JOIN intervals USING (interval_id)"
                " WHERE syscall = 'read' ORDER BY interval_id"
            )
            check(len(rows) >= 3, f"the open read is in {len(rows)} intervals")
            for row in rows:
                equal("reads in progress", row["in_progress"], 1)
                between(
                    "time of the open read",
                    row["in_progress_ns"],
                    0.95 * row["end_ns"] - 5 * MS * SLOWNESS,
                    row["end_ns"] + MS,
                    "ns",
                )
            equal("finished reads", run.calls("read")["calls"], 0)


@test
def an_interrupted_sleep_is_one_wait_in_sleep():
    with temporary_directory() as directory, Workload("sleep_waits", 1, 600, "nanosleep") as workload:
        with Recorder(directory, "-p", workload.pid) as recorder:
            workload.go()
            time.sleep(0.1)
            os.kill(workload.pid, signal.SIGSTOP)
            os.kill(workload.pid, signal.SIGCONT)
            wait = workload.truth()["waits"][0]
            run = recorder.stop()
            states = run.states(tid=wait["tid"])
            slack_ns = 30 * MS * SLOWNESS
            between(
                f"time in sleep and stopped, of {states},",
                states.get("sleep", 0) + states.get("stopped", 0),
                wait["low_ns"] - slack_ns,
                wait["high_ns"] + MS,
                "ns",
            )
            check(states.get("sleep", 0) > 0.8 * wait["low_ns"] - slack_ns, f"the sleep went on elsewhere: {states}")
            check(states.get("other", 0) <= (0 if EXACT else MS), f"it was in no known state: {states}")
