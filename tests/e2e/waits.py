# SPDX-License-Identifier: BSD-2-Clause
"""Who waits for whom: locks whose holder does something known, and threads that wait for what nobody of them ends."""

import functools

from harness import MS, between, cases, check, equal, temporary_directory, test
from recorder import Recorder
from workload import Workload

THREADS = 2
LENGTH_MS = 2000
# the holder, and the state in which it is while the other waits
HOLDERS = {"cpu": "user", "sleep": "sleep", "fsync": "disk", "backend": "ipc"}

WAITED_SQL = """
    SELECT coalesce(sum(w.time_ns + coalesce(w.handover_ns, 0)), 0) FROM edges e JOIN waits w USING (edge_id)
    JOIN threads t USING (thread_id) WHERE t.name = 'convoy' AND e.subject = ?
"""
BLOCKED = ("futex", "poll", "net_recv", "net_send", "net_accept", "net_connect", "ipc", "disk", "sleep", "child", "device")


def check_waited(run, truth):
    """The threads' own clocks see a little more: the way into the lock and out of it."""
    between("time waited for the lock", run.value(WAITED_SQL, truth["address"]), 0.85 * truth["waited_ns"],
            truth["waited_ns"] + MS, "ns")


def check_lock(run, truth):
    lock = run.rows(
        """SELECT l.symbol, max(c.longest) AS longest, sum(c.contended_ns) AS contended_ns
           FROM locks l JOIN lock_contention c USING (lock_id) WHERE l.address = ? GROUP BY l.lock_id""", truth["address"])[0]
    equal("symbol of the lock", lock["symbol"], "convoy_lock")
    equal("longest queue", lock["longest"], THREADS - 1)
    # of two threads one waits at a time
    blocked_ns = run.value("SELECT sum(w.time_ns) FROM edges e JOIN waits w USING (edge_id) WHERE e.subject = ?", truth["address"])
    # one that was woken and has no CPU yet may still count when the next comes
    between("contended time", lock["contended_ns"], 0.97 * blocked_ns, 1.03 * run.value(WAITED_SQL, truth["address"]) + MS, "ns")


def check_window(run, truth, state):
    """While one thread waits the other holds the lock, and does what holders do, or waits for a CPU to do it."""
    shares = {row["state"]: row["time_ns"] for row in run.rows(
        "SELECT x.state, sum(x.time_ns) AS time_ns FROM edges e JOIN wait_windows x USING (edge_id) WHERE e.subject = ? GROUP BY 1",
        truth["address"])}
    seen_ns = sum(shares.get(name, 0) for name in {state, "user", "runq", "preempted"})
    between(f"share of the waker's time that the holder's is, of {shares},", seen_ns / sum(shares.values()), 0.8, 1)
    # fsync may be mostly on CPU where the disk is memory
    check(shares.get(state, 0) > (0 if state == "disk" else 0.3 * sum(shares.values())), f"the waker is hardly in {state}: {shares}")


def check_waker(run, truth):
    """Nobody but the other thread releases the lock."""
    wakers = {row["waker"]: row["time_ns"] for row in run.rows(
        """SELECT e.source || ' ' || coalesce(substr(e.waker, 1, instr(e.waker, ' (') - 1), '-') AS waker,
           sum(w.time_ns) AS time_ns FROM edges e JOIN waits w USING (edge_id) WHERE e.subject = ? GROUP BY 1""",
        truth["address"])}
    between(f"share of waits that the holder ended, of {wakers},", wakers.get("thread convoy", 0) / sum(wakers.values()), 0.95, 1)


def check_conserved(run):
    """Blocked time of a thread is in its waits, but for what began before the recording and for calls that go on."""
    for row in run.rows("SELECT thread_id, state, sum(time_ns) AS time_ns FROM thread_states JOIN threads USING (thread_id) "
                        "WHERE name = 'convoy' AND ended GROUP BY thread_id, state"):
        if row["state"] not in BLOCKED or row["time_ns"] < 50 * MS:
            continue
        waited_ns = run.value("SELECT coalesce(sum(w.time_ns), 0) FROM edges e JOIN waits w USING (edge_id) "
                              "WHERE e.thread_id = ? AND e.state = ?", row["thread_id"], row["state"])
        between(f"waits in {row['state']}", waited_ns, 0.98 * row["time_ns"], 1.02 * row["time_ns"], "ns")


def lock_cases(run, truth, holder, state):
    what = f"a lock whose holder is in {state} ({holder})"
    yield f"{what}: the time waited for it is the threads' own", functools.partial(check_waited, run, truth)
    yield f"{what}: it has a name, a queue and its contended time", functools.partial(check_lock, run, truth)
    yield f"{what}: its holder is seen there meanwhile", functools.partial(check_window, run, truth, state)
    yield f"{what}: its holder is who ends the waits", functools.partial(check_waker, run, truth)
    yield f"{what}: all blocked time is in the waits", functools.partial(check_conserved, run)


@cases
def locks_have_waiters_a_name_and_a_holder():
    for holder, state in HOLDERS.items():
        with temporary_directory() as directory, Workload("convoy", holder, THREADS, LENGTH_MS) as workload:
            with Recorder(directory, "-p", workload.pid) as recorder:
                workload.go()
                truth = workload.truth()
                run = recorder.stop()
                yield from lock_cases(run, truth, holder, state)



@test
def sleeps_are_ended_by_a_timer_and_not_by_whoever_runs():
    with temporary_directory() as directory, Workload("sleep_waits", 200, 2, "nanosleep") as workload:
        with Recorder(directory, "-p", workload.pid) as recorder:
            workload.go()
            workload.truth()
            run = recorder.stop()
            sources = {row["source"]: row["count"] for row in run.rows(
                "SELECT e.source, sum(w.count) AS count FROM edges e JOIN waits w USING (edge_id) "
                "WHERE e.state = 'sleep' GROUP BY 1")}
    check(sources.get("interrupt", 0) >= 0.95 * sum(sources.values()), f"sleeps ended by {sources}")
