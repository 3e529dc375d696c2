# SPDX-License-Identifier: BSD-2-Clause
"""Threads whose waits are known by construction, and the state in which each must be found."""

import os
import signal
import time

from harness import (
    EXACT,
    MS,
    SECOND,
    SLOWNESS,
    Skip,
    between,
    cases,
    check,
    equal,
    temporary_directory,
    test,
)
from recorder import Recorder
from workload import Workload, path

# What a thread does besides its waits: it comes from its birth, makes calls, and dies.
SLACK_NS = MS


def check_wait(run, wait):
    """The thread of a row of a workload's truth was in the state for as long as it says."""
    if wait["skipped"]:
        raise Skip(wait["skipped"])
    states, state, low_ns = run.states(tid=wait["tid"]), wait["state"], wait["low_ns"]
    # between the moment before the call and the wait in it, and on its way back, it may run or wait for a CPU
    busy_ns = sum(states.get(name, 0) for name in ("user", "kernel", "runq", "preempted"))
    if not EXACT:
        busy_ns += low_ns * 0.1  # one wait in some hundreds loses its beginning or its end
    least_ns = max(low_ns - busy_ns - SLACK_NS, 0.3 * low_ns)
    between(f"time in {state}, of {states},", states.get(state, 0), least_ns, wait["high_ns"] + SLACK_NS, "ns")
    other_ns = 0 if EXACT else wait["high_ns"] * 0.01
    check(states.get("other", 0) <= other_ns, f"it was in no known state: {states}")


def wait_case(run, wait):
    return f"a thread that waits in {wait['kind']} is in {wait['state']}", lambda: check_wait(run, wait)


@cases
def threads_that_wait_for_the_disk_are_recorded():
    with temporary_directory() as directory, Workload("disk_waits", directory, 1000) as workload:
        with Recorder(directory, "-p", workload.pid) as recorder:
            workload.go()
            waits = workload.truth()["waits"]
            run = recorder.stop()
            for wait in waits:
                yield wait_case(run, wait)


@test
def twenty_sleeps_of_50_ms_are_one_second_of_sleep():
    with temporary_directory() as directory, Workload("sleep_waits", 20, 50, "nanosleep") as workload:
        with Recorder(directory, "-p", workload.pid) as recorder:
            workload.go()
            wait = workload.truth()["waits"][0]
            run = recorder.stop()
            between("time in sleep", run.state("sleep", tid=wait["tid"]), SECOND, wait["high_ns"], "ns")
            if SLOWNESS == 1:
                between("time in sleep", run.state("sleep", tid=wait["tid"]), SECOND, SECOND * 1.05, "ns")
            # thread start, thread end and the barrier of the workload block too
            between("voluntary switches", run.counters(tid=wait["tid"])["voluntary"], 20, 24)


@test
def a_mutex_held_for_30_ms_by_another_thread_is_30_ms_of_futex():
    with temporary_directory() as directory, Workload("futex_waits", 10, 30, "mutex") as workload:
        with Recorder(directory, "-p", workload.pid) as recorder:
            workload.go()
            wait = workload.truth()["waits"][0]
            run = recorder.stop()
            between(
                "time in futex", run.state("futex", tid=wait["tid"]), 0.98 * 300 * MS, wait["high_ns"] + 10 * MS, "ns"
            )


@test
def the_mmap_lock_is_named_as_the_kernel_lock():
    with temporary_directory() as directory, Workload("mmap_lock", 500) as workload:
        with Recorder(directory, "-p", workload.pid) as recorder:
            workload.go()
            wait = workload.truth()["waits"][0]
            run = recorder.stop()
            counters = run.counters(tid=wait["tid"])
            klock_ns = run.state("klock", tid=wait["tid"])
            check(klock_ns > 0, "no time in klock")
            if run.value("SELECT count(*) FROM features WHERE feature LIKE '%mmap_lock%' AND has = 0"):
                raise Skip("this kernel does not say which lock it is")
            between("time in mmap_lock", counters["mmap_lock_ns"], 0.9 * klock_ns, klock_ns, "ns")


@test
def a_stopped_process_is_in_stopped():
    with temporary_directory() as directory, Workload("cpu_hog", 1, int(900 * SLOWNESS)) as workload:
        with Recorder(directory, "-p", workload.pid) as recorder:
            workload.go()
            time.sleep(0.2 * SLOWNESS)
            os.kill(workload.pid, signal.SIGSTOP)
            start = time.monotonic_ns()
            time.sleep(0.3)
            low_ns = time.monotonic_ns() - start
            os.kill(workload.pid, signal.SIGCONT)
            tid = workload.truth()["threads"][0]["tid"]
            run = recorder.stop()
            slack_ns = 20 * MS * SLOWNESS
            between("time in stopped", run.state("stopped", tid=tid), low_ns - slack_ns, low_ns + slack_ns, "ns")
            between(
                "time in stopped of the main thread",
                run.state("stopped", tid=workload.pid),
                low_ns - slack_ns,
                low_ns + slack_ns,
                "ns",
            )


@test
def a_thread_that_burns_cpu_in_user_mode_is_in_user():
    with temporary_directory() as directory, Workload("cpu_hog", 1, 500) as workload:
        with Recorder(directory, "-p", workload.pid) as recorder:
            workload.go()
            hog = workload.truth()["threads"][0]
            run = recorder.stop()
            states = run.states(tid=hog["tid"])
            not_run_ns = run.counters(tid=hog["tid"])["not_run_ns"]
            on_cpu_ns = states.get("user", 0) + states.get("kernel", 0)
            if on_cpu_ns - not_run_ns < 0.9 * hog["cpu_ns"] and run.losses().get("missed_switch_in") and not EXACT:
                raise Skip("this kernel did not tell of a switch, and the loop makes no call that would")
            between(
                "time on CPU less what the hypervisor took",
                on_cpu_ns - not_run_ns,
                0.97 * hog["cpu_ns"] - 2 * MS,
                1.03 * hog["cpu_ns"] + 10 * MS * SLOWNESS,
                "ns",
            )
            # the clock is read without a system call where the guest's clock allows it
            check(states["user"] > 0.9 * on_cpu_ns, f"most of it is not in user mode: {states}")


@test
def a_loop_of_short_calls_is_in_kernel_for_about_the_time_of_its_calls():
    with temporary_directory() as directory, Workload("syscall_mix", 3_000_000) as workload:
        with Recorder(directory, "-p", workload.pid) as recorder:
            workload.go()
            workload.truth()
            run = recorder.stop()
            states = run.states(tid=workload.pid)
            calls = run.calls("getppid")
            # getting into the kernel and out of it counts for user mode: neither state has nearly all
            on_cpu_ns = states["kernel"] + states["user"]
            between(f"time in kernel, of {states},", states["kernel"], 0.1 * on_cpu_ns, 0.9 * on_cpu_ns, "ns")
            between("time in getppid", calls["total_ns"], 0.5 * states["kernel"], 1.5 * states["kernel"], "ns")


def check_hogs(run, hogs):
    """Threads that never block wait for a CPU as long as the scheduler says."""
    waited_ns = sum(run.state(state, tid=hog["tid"]) for hog in hogs for state in ("runq", "preempted"))
    delay_ns = sum(hog["run_delay_ns"] for hog in hogs)
    if not delay_ns:
        raise Skip("this kernel keeps no books on run queues")
    slack = 0.03 if EXACT else 0.1  # a missed switch shifts a slice of some milliseconds
    start_ns = len(hogs) * 10 * MS * SLOWNESS  # the books begin after its birth
    between("time in runq and preempted", waited_ns, (1 - slack) * delay_ns, (1 + slack) * delay_ns + start_ns, "ns")


@test
def more_hogs_than_cpus_wait_preempted_as_long_as_the_scheduler_says():
    count = 2 * os.cpu_count()
    with temporary_directory() as directory, Workload("cpu_hog", count, 1000) as workload:
        with Recorder(directory, "-p", workload.pid) as recorder:
            workload.go()
            hogs = workload.truth()["threads"]
            check_hogs(recorder.stop(), hogs)


@test
def a_command_is_recorded_from_its_first_thread_to_its_last():
    with temporary_directory() as directory:
        with Recorder(directory, "--", path("sleep_waits"), "--now", "10", "20", "nanosleep") as recorder:
            run = recorder.wait(out=None)
            between(
                "time in sleep",
                run.state("sleep", name="nanosleep"),
                200 * MS,
                200 * MS + 10 * 20 * MS * SLOWNESS,
                "ns",
            )
            equal("threads", len(run.threads()), 3)
            equal("threads that ended", len(run.threads(ended=1)), 3)
            equal("status of the command", run.value("SELECT target_status FROM run"), 0)
            first_ns = min(thread["first_ns"] for thread in run.threads())
            between("birth of its first thread", first_ns, 0, 2 * SECOND * SLOWNESS, "ns")


@test
def the_dictionary_describes_every_column_of_every_table():
    with temporary_directory() as directory:
        with Recorder(directory, "-p", os.getpid()) as recorder:
            run = recorder.stop()
            columns = set()
            for row in run.rows("SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'rollup_%' AND name NOT LIKE 'packed_%'"):
                columns |= {(row["name"], column["name"]) for column in run.rows(f"PRAGMA table_info({row['name']})")}
            described = {
                (row["table_name"], row["column_name"])
                for row in run.rows("SELECT * FROM dictionary WHERE length(meaning) > 0")
            }
            missing = {column for column in columns if column[0] != "dictionary"} - described
            check(not missing, f"columns without a meaning: {sorted(missing)}")
