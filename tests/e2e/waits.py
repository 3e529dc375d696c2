# SPDX-License-Identifier: BSD-2-Clause
"""Who waits for whom: locks whose holder does something known, and threads that wait for what nobody of them ends."""

import functools
import os
import re

from harness import HEADROOM, MS, SLOWNESS, Skip, between, cases, check, equal, find_program, need, run_command, temporary_directory, test
from loads import Demo, wrk
from recorder import Recorder, report_json
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


# What the report says of programs whose waits are known by construction


def of_workload(directory, *arguments):
    """Its truth, and what the report says of a recording of it."""
    with Workload(*arguments) as workload, Recorder(directory, "-p", workload.pid) as recorder:
        workload.go()
        truth = workload.truth()
        run = recorder.stop()
        return truth, report_json(run.path)


def of_command(directory, *command):
    with Recorder(directory, "--", *command) as recorder:
        run = recorder.wait(out=None)
        return report_json(run.path)


def blamed(report, end, *owners, of="share"):
    """Share of the waiting that is blamed on that, or of="seconds"."""
    return sum(row[of] for row in report["blame"]["ends"] if row["terminal"] == end and (not owners or row["owner"] in owners))


# how a thread that has work to do spends its time, on a machine that others use too
ON_CPU_OR_RUNNABLE = ("on_cpu", "preempted", "runq")


def blamed_for_work(report, *owners, of="share"):
    """What is blamed on their work: on the CPU and on the way to one, each at least half as much as the target itself has of it."""
    states = report["total"]["states_s"]
    on_cpu_s, runnable_s = (sum(states[name] for name in names) for names in (("user", "kernel"), ("runq", "preempted")))
    on_cpu, all_of_it = blamed(report, "on_cpu", *owners, of=of), sum(blamed(report, end, *owners, of=of) for end in ON_CPU_OR_RUNNABLE)
    check(on_cpu >= 0.5 * all_of_it * on_cpu_s / (on_cpu_s + runnable_s), f"the work is hardly on CPU: {report['blame']['ends']}")
    return all_of_it


def blamed_for_sleep(report, *owners, of="share"):
    return blamed(report, "timer", *owners, of=of)


def the_lock(report, **known):
    """The one lock that is so."""
    found = [lock for lock in report["locks"] if all(lock[key] == value for key, value in known.items())]
    check(len(found) == 1, f"{len(found)} locks with {known} of {report['locks']}")
    return found[0]


def lock_ns(lock):
    """Time waited for it until those who waited were back on a CPU, which is what they see themselves."""
    return 1e9 * lock["seconds"] + 1e3 * (lock["handover_us"] or 0) * lock["count"]


@test
def a_lock_that_two_processes_share_is_one_lock():
    with temporary_directory() as directory:
        truth, report = of_workload(directory, "lock_kinds", "shared")
    lock = the_lock(report, kind="lock")
    equal("processes that share it", lock["processes"], 2)
    equal("threads that waited for it", lock["threads"], 2)
    between("time waited for it", lock_ns(lock), 0.85 * truth["waited_ns"], truth["waited_ns"] + MS, "ns")
    # what else they wait for is the test
    between("time that is due to those who have it, at work", blamed_for_work(report, "parent", "child", of="seconds"),
            0.8 * lock["seconds"], 1.05 * lock["seconds"])


@test
def a_writer_that_readers_keep_out_waits_for_what_the_readers_do():
    with temporary_directory() as directory:
        truth, report = of_workload(directory, "lock_kinds", "rwlock")
    lock = max((row for row in report["locks"] if row["symbol"]), key=lambda row: row["seconds"])
    check(lock["symbol"].startswith("starved_lock"), f"the lock is {lock}")
    waits = [row for row in report["waits"] if row["waiter"].endswith("waiter") and row["subject"] == lock["symbol"]]
    between("time that the writer waited", 1e9 * sum(row["seconds"] for row in waits), 0.85 * truth["waited_ns"],
            truth["waited_ns"] + MS, "ns")
    slept_ns, worked_ns = (1e9 * blamed_for(report, "lock_kinds/reader", of="seconds") for blamed_for in (blamed_for_sleep, blamed_for_work))
    between("time that is due to the readers", slept_ns + worked_ns, 0.8 * truth["waited_ns"], 1.1 * truth["waited_ns"], "ns")
    between("part of it that is due to their sleeps", slept_ns / (slept_ns + worked_ns), 0.7, 1)


@test
def a_writer_that_never_gets_in_has_waited_all_the_time_when_the_recording_ends():
    """
    Readers hand the lock on to each other: its wait is open, and nobody has ended one. Nor was anybody seen to take it, so that
    nothing tells it from a queue into which nobody puts anything.
    """
    with temporary_directory() as directory:
        truth, report = of_workload(directory, "lock_kinds", "starved")
    waits = [row for row in report["waits"] if row["waiter"].endswith("waiter")]
    equal("how its waits ended", {row["source"] for row in waits}, {"open"})
    waited_s = sum(row["seconds"] for row in waits)
    # it goes on to wait until the recording is over
    between("time that the writer waited", waited_s, 0.95 * truth["waited_ns"] / 1e9, report["run"]["seconds"])
    lock = max((row for row in report["locks"] if row["symbol"]), key=lambda row: row["seconds"])
    check(lock["symbol"].startswith("starved_lock") and lock["threads"] == 1, f"the lock is {lock}")
    between("time waited for the lock", lock["seconds"], 0.95 * waited_s, waited_s)
    between("contended share of it", lock["contended_share"] * report["run"]["seconds"], 0.95 * waited_s, 1.05 * waited_s)
    equal("kind of the lock", lock["kind"], "queue")


@test
def a_lock_on_the_heap_is_called_by_the_code_that_waits_for_it():
    with temporary_directory() as directory:
        with Workload("lock_kinds", "heap") as workload, Recorder(directory, "-p", workload.pid) as recorder:
            workload.go()
            truth = workload.truth()
            run = recorder.stop()
            report = report_json(run.path)
            text = run_command(HEADROOM, "report", run.path).stdout
            folded = run_command(HEADROOM, "export", run.path, "--format", "folded").stdout
    lock = the_lock(report, address=truth["address"])
    name = "lock at serve_request (heap)"
    equal("name of the lock", lock["name"], name)
    equal("kind of the lock", lock["kind"], "lock")
    equal("its site", (lock["site"], lock["site_module"].rsplit("/", 1)[-1]), ("serve_request", "lock_kinds"))
    # four of five turns are of that function
    between("share of the waiting there", lock["site_share"], 0.65, 0.95)
    between("time waited for it", lock_ns(lock), 0.85 * truth["waited_ns"], truth["waited_ns"] + MS, "ns")
    check(any(row["subject"] == name and row["waiter"] == "lock_kinds/waiter" for row in report["waits"]), "no wait is for that name")
    check("time for the lock at serve_request (heap), released by lock_kinds/waiter" in " ".join(text.split()), f"the report says {text}")
    check(";serve_request;" in folded and f";[{name}] " in folded, f"the folded stacks are {folded}")


@test
def a_pipeline_waits_for_its_slow_stage():
    with temporary_directory() as directory:
        truth, report = of_workload(directory, "stages", "pipeline")
    check(truth["pieces"] > 20 / SLOWNESS, f"only {truth['pieces']} pieces went through")
    between("share that is due to the middle stage at work", blamed_for_work(report, "stages/middle"), 0.9, 1)
    check(all(lock["kind"] != "lock" or lock["seconds"] < 0.1 for lock in report["locks"]), "a queue is taken for a lock")


@test
def a_pool_that_is_idle_is_not_blamed_on_anybody():
    with temporary_directory() as directory:
        _, report = of_workload(directory, "stages", "pool")
    blame = report["blame"]
    between("share of waiting that is idle", blame["idle_s"] / blame["waited_s"], 0.95, 1)


@test
def threads_that_map_and_unmap_wait_for_the_mmap_lock_of_their_process():
    with temporary_directory() as directory:
        truth, report = of_workload(directory, "kernel_locks", "map", 8)
    lock = the_lock(report, kind="kernel", name="mmap_lock")
    check(truth["rounds"] > 8, "hardly a round was done")
    check(lock["threads"] >= 8 and lock["released_by"] == "kernel_locks/mapper", f"the lock is {lock}")
    between("share of waiting for it", lock["seconds"] / report["blame"]["waited_s"], 0.5, 1)
    between("share that is due to mappers at work", blamed_for_work(report, "kernel_locks/mapper"), 0.75, 1)


@test
def a_kernel_lock_without_a_symbol_is_called_by_who_takes_it():
    with temporary_directory() as directory:
        truth, report = of_workload(directory, "kernel_locks", "write", 8)
    check(truth["rounds"] > 8, "hardly a round was done")
    lock = max(report["locks"], key=lambda row: row["seconds"] if row["kind"] == "kernel" else 0)
    check(re.fullmatch(r"in \w*write_iter\w*", lock["name"]), f"the lock is {lock}")
    check(lock["released_by"] == "kernel_locks/writer", f"the lock is {lock}")


@test
def a_chain_goes_on_through_a_loopback_connection_to_the_threads_behind_it():
    """The demo server asks another one, which sleeps: its workers wait for that sleep, and not for a port."""
    with temporary_directory() as directory, Demo("--sleep", "5ms", "--threads", "2") as backend:
        with Demo("--backend", str(backend.port), "--threads", "4") as front:
            with Recorder(directory, "-p", f"{front.pid},{backend.pid}") as recorder:
                wrk(directory, front.port, 6, 2, "/infer?seed=1")
                run = recorder.stop()
                peer = f"127.0.0.1:{backend.port}"
                sources = {row["source"]: row["time_ns"] for row in run.rows(
                    "SELECT e.source, sum(w.time_ns) AS time_ns FROM edges e JOIN waits w USING (edge_id) "
                    "WHERE e.subject = ? AND e.source <> 'open' GROUP BY 1", peer)}
                report = report_json(run.path)
    between(f"share of waits for the other server that a thread of it ended, of {sources},",
            sources.get("thread", 0) / sum(sources.values()), 0.9, 1)
    between("share that is due to sleeps and to what the servers do besides", blamed_for_sleep(report) + blamed_for_work(report), 0.85, 1)
    between("share that is due to sleeps", blamed_for_sleep(report), 0.5, 1)
    between("share that is due to the port", blamed(report, "peer", peer), 0, 0.1)


GIL_SCRIPT = """
import threading, time
def work(end):
    while time.monotonic() < end:
        sum(i * i for i in range(1000))
threads = [threading.Thread(target=work, args=(time.monotonic() + 2,)) for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""


@test
def python_threads_wait_for_the_gil_and_whoever_has_it():
    need("/usr/bin/python3")
    with temporary_directory() as directory:
        report = of_command(directory, "/usr/bin/python3", "-c", GIL_SCRIPT)
    locks = [lock for lock in report["locks"] if lock["gil"]]
    check(locks, f"no lock is the GIL: {report['locks']}")
    between("time waited for the GIL by 3 of 4 threads", sum(map(lock_ns, locks)) / 1e9, 0.6 * 6, 1.05 * 6)
    between("share that is due to threads at work", blamed_for_work(report), 0.9, 1)


# Compilers whose runtime uses futexes in ways of its own; both are large, so they are used where they are.


def compiled(directory, compiler, source, name, *options):
    program = find_program(compiler)
    if not program:
        raise Skip(f"{compiler} is not installed")
    with open(f"{directory}/{name}", "w", encoding="utf-8") as file:
        file.write(source)
    made = run_command(program, *options, "-o", f"{directory}/program", f"{directory}/{name}", cwd=directory,
                       env={"HOME": directory, **os.environ})
    if made.returncode and "no default toolchain" in made.stderr:
        raise Skip(f"{compiler}: {made.stderr.strip()}")
    equal(f"status of {compiler} ({made.stderr.strip()})", made.returncode, 0)
    return f"{directory}/program"


RUST_SOURCE = """
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Mutex;
use std::time::{Duration, Instant};
static COUNTER_LOCK: Mutex<u64> = Mutex::new(0);
static WAITED_NS: AtomicU64 = AtomicU64::new(0);
fn main() {
    let end = Instant::now() + Duration::from_secs(2);
    let threads: Vec<_> = (0..4).map(|i| std::thread::Builder::new().name(format!("turn-{}", i)).spawn(move || {
        while Instant::now() < end {
            let before = Instant::now();
            let mut count = COUNTER_LOCK.lock().unwrap();
            WAITED_NS.fetch_add(before.elapsed().as_nanos() as u64, Ordering::Relaxed);
            let until = Instant::now() + Duration::from_millis(2);
            while Instant::now() < until { *count += 1; }
            drop(count);
            std::thread::sleep(Duration::from_micros(100));
        }
    }).unwrap()).collect();
    for thread in threads { thread.join().unwrap(); }
    std::fs::write(std::env::args().nth(1).unwrap(), WAITED_NS.load(Ordering::Relaxed).to_string()).unwrap();
}
"""


@test
def a_mutex_of_rust_has_its_name_and_its_holder():
    with temporary_directory() as directory:
        report = of_command(directory, compiled(directory, "rustc", RUST_SOURCE, "program.rs", "-O"), f"{directory}/waited")
        with open(f"{directory}/waited", encoding="utf-8") as file:
            waited_ns = int(file.read())
    # that the main thread waits for the others is in a futex too, but no lock
    lock = max((row for row in report["locks"] if row["kind"] == "lock"), key=lambda row: row["seconds"], default=None)
    check(lock, f"none of them is a lock: {report['locks']}")
    check("COUNTER_LOCK" in (lock["symbol"] or ""), f"the lock is {lock}")
    between("threads that waited for it", lock["threads"], 4, 4)
    # the threads' own clocks see the spinning before the wait too
    between("time waited for it", lock_ns(lock), 0.8 * waited_ns, waited_ns + MS, "ns")
    between("share that is due to its holder", blamed_for_work(report), 0.85, 1)


# LockOSThread ties goroutines to threads: what waits is then a thread. Others wait inside the runtime, which no kernel sees.
GO_SOURCE = """
package main
import ("runtime"; "sync"; "time")
var lock sync.Mutex
var group sync.WaitGroup
func turn(end time.Time) {
    runtime.LockOSThread()
    defer group.Done()
    for time.Now().Before(end) {
        lock.Lock()
        for until := time.Now().Add(2 * time.Millisecond); time.Now().Before(until); {}
        lock.Unlock()
        time.Sleep(100 * time.Microsecond)
    }
}
func main() {
    end := time.Now().Add(2 * time.Second)
    for i := 0; i < 4; i++ { group.Add(1); go turn(end) }
    group.Wait()
}
"""


@test
def goroutines_that_have_threads_of_their_own_wait_for_whoever_has_the_mutex():
    with temporary_directory() as directory:
        report = of_command(directory, compiled(directory, "go", GO_SOURCE, "program.go", "build"))
    waits = [row for row in report["waits"] if row["state"] == "futex"]
    between("time in futexes", sum(row["seconds"] for row in waits), 0.3 * 6, 60)
    between(f"share that is due to threads at work, of {report['blame']['ends']},", blamed_for_work(report), 0.6, 1)
