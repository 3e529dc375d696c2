# SPDX-License-Identifier: BSD-2-Clause
"""Run queues, who had the CPU meanwhile, switches, parallelism, quotas."""

import os
import time

from cgroup import Cgroup, mount_point
from harness import EXACT, MS, SECOND, SLOWNESS, Skip, between, check, equal, temporary_directory, test
from recorder import Recorder
from workload import Workload


@test(guest=True)
def threads_of_the_target_that_share_a_cpu_wait_for_each_other():
    with temporary_directory() as directory, Workload("cpu_hog", 2, 800, 0) as workload:
        with Recorder(directory, "-p", workload.pid) as recorder:
            workload.go()
            hogs = workload.truth()["threads"]
            run = recorder.stop()
            for hog in hogs:
                owners = run.queue_owners("preempted", tid=hog["tid"])
                check_owner(owners, "target", 0.8)
                between(f"wait of {hog['tid']} by owner", sum(owners.values()), 0.9 * run.state("preempted", tid=hog["tid"]),
                        1.1 * run.state("preempted", tid=hog["tid"]) + MS, "ns")


@test(guest=True)
def a_thread_beside_another_process_waits_for_that():
    with temporary_directory() as directory, Workload("cpu_hog", 1, 800, 0) as workload, \
            Workload("cpu_hog", 1, 800, 0) as neighbour:
        with Recorder(directory, "-p", workload.pid) as recorder:
            neighbour.go()
            workload.go()
            hog = workload.truth()["threads"][0]
            other = neighbour.truth()["threads"][0]
            run = recorder.stop()
            check_owner(run.queue_owners("preempted", tid=hog["tid"]), "other", 0.8)
            cpu_ns = run.value("SELECT sum(cpu_ns) FROM neighbours WHERE pid = ?", neighbour.pid)
            between("CPU time of the neighbour", cpu_ns, 0.9 * other["cpu_ns"] - 10 * MS, 1.1 * other["cpu_ns"] + 50 * MS * SLOWNESS,
                    "ns")
            equal("name of the neighbour", run.value("SELECT DISTINCT name FROM neighbours WHERE pid = ?", neighbour.pid), "cpu_hog")


def check_owner(owners, owner, share):
    total = sum(owners.values())
    check(total > 50 * MS, f"it hardly waited: {owners}")
    check(owners.get(owner, 0) >= share * total, f"'{owner}' did not have the CPU for {share:.0%} of the wait: {owners}")


@test(guest=True)
def a_throttled_thread_waits_for_its_quota():
    with Cgroup("cpu") as cgroup, temporary_directory() as directory, Workload("cpu_hog", 1, 1500) as workload:
        cgroup.limit_cpu(20_000, 100_000)
        cgroup.add(workload.pid)
        with Recorder(directory, "-p", workload.pid) as recorder:
            before = cgroup.cpu_stat()
            workload.go()
            hog = workload.truth(limit_s=60)["threads"][0]
            after = cgroup.cpu_stat()
            run = recorder.stop()
            waited_ns = run.state("preempted", tid=hog["tid"]) + run.state("runq", tid=hog["tid"])
            if hog["run_delay_ns"]:
                between("time in preempted and runq", waited_ns, 0.9 * hog["run_delay_ns"], 1.1 * hog["run_delay_ns"] + 20 * MS, "ns")
            owners = run.queue_owners("preempted", tid=hog["tid"])
            check_owner(owners, "quota", 0.8)
            quota = run.rows("SELECT min(quota_ns) AS quota_ns, max(period_ns) AS period_ns, sum(periods) AS periods,"
                             " sum(throttled_periods) AS throttled_periods, sum(throttled_ns) AS throttled_ns FROM quotas"
                             " WHERE cgroup LIKE ?", f"%headroom-e2e-{os.getpid()}%")[0]
            equal("quota", quota["quota_ns"], 20 * MS)
            equal("period", quota["period_ns"], 100 * MS)
            throttled = after["nr_throttled"] - before["nr_throttled"]
            between("throttled periods", quota["throttled_periods"], throttled, throttled + 2)


@test(guest=True)
def time_with_j_threads_on_cpu_adds_up_to_the_time_on_cpu():
    with temporary_directory() as directory, Workload("parallel", 400) as workload:
        with Recorder(directory, "-p", workload.pid) as recorder:
            workload.go()
            truth = workload.truth()
            run = recorder.stop()
            parallel = {row["threads_on_cpu"]: row["time_ns"] for row in run.rows(
                "SELECT threads_on_cpu, sum(time_ns) AS time_ns FROM parallelism GROUP BY threads_on_cpu")}
            busy_ns = sum(count * time_ns for count, time_ns in parallel.items())
            on_cpu_ns = run.state("user") + run.state("kernel")
            between("time weighted by parallelism", busy_ns, 0.99 * on_cpu_ns - MS, 1.01 * on_cpu_ns + MS, "ns")
            between("time of all parallelisms", sum(parallel.values()), 0.99 * run.end_ns(), 1.01 * run.end_ns(), "ns")
            if truth["cpus"] < 2:
                raise Skip("one CPU: nothing runs beside anything")
            # both were on CPU for at least as long as their CPU times leave no other way, and never beyond that phase
            least_ns = truth["together_cpu_ns"] - truth["phase_ns"]
            between("time with 2 threads on CPU", parallel.get(2, 0), 0.95 * least_ns - 10 * MS * SLOWNESS,
                    truth["phase_ns"] + 60 * MS * SLOWNESS, "ns")
            check(sum(time_ns for count, time_ns in parallel.items() if count > 3) == 0, f"3 threads at most exist: {parallel}")


@test
def threads_that_take_turns_have_an_effective_parallelism_of_one():
    with temporary_directory() as directory, Workload("futex_waits", 20, 20, "mutex") as workload:
        with Recorder(directory, "-p", workload.pid) as recorder:
            workload.go()
            workload.truth()
            run = recorder.stop()
            many_ns = run.value("SELECT coalesce(sum(time_ns), 0) FROM parallelism WHERE threads_on_cpu > 1")
            between("time with more than one thread on CPU", many_ns, 0, 20 * MS, "ns")


@test(guest=True)
def switches_are_counted_as_the_kernel_counts_them():
    with temporary_directory() as directory, Workload("switches", 2000) as workload:
        with Recorder(directory, "-p", workload.pid) as recorder:
            workload.go()
            players = workload.truth()["threads"]
            run = recorder.stop()
            for player in players:
                counters = run.counters(tid=player["tid"])
                for kind in ("voluntary", "involuntary"):
                    # a thread's own books begin after its birth and end before its death
                    low = player[kind] if EXACT else player[kind] * 0.98 - 2
                    between(f"{kind} switches of {player['name']}", counters[kind], low, player[kind] * 1.02 + 8)


@test(guest=True)
def moves_to_another_cpu_are_counted_as_the_kernel_counts_them():
    with temporary_directory() as directory, Workload("switches", 10) as workload:
        if os.cpu_count() < 2:
            raise Skip("one CPU: nothing moves")
        with Recorder(directory, "-p", workload.pid) as recorder:
            workload.go()
            mover = next(player for player in workload.truth()["threads"] if player["name"] == "mover")
            run = recorder.stop()
            seen = run.counters(tid=mover["tid"])["migrations"]
            expected = mover["migrations"] if mover["migrations"] >= 0 else 49
            between("migrations", seen, expected - (0 if EXACT else 2), expected + 3)


@test(guest=True)
def run_queue_histograms_count_each_wait():
    with temporary_directory() as directory, Workload("switches", 1000) as workload:
        with Recorder(directory, "-p", workload.pid) as recorder:
            workload.go()
            players = workload.truth()["threads"]
            run = recorder.stop()
            counts = {row["metric"]: row["n"] for row in run.rows(
                "SELECT metric, sum(count) AS n FROM histograms WHERE metric IN ('runq', 'preempted') GROUP BY metric")}
            blocked = sum(run.counters(tid=player["tid"])["voluntary"] for player in players)
            preempted = sum(run.counters(tid=player["tid"])["involuntary"] for player in players)
            slack = 10 + (0 if EXACT else 0.02 * (blocked + preempted))
            between("waits in run queues", counts.get("runq", 0), blocked - slack, blocked + slack + 10)
            between("waits after preemptions", counts.get("preempted", 0), preempted - slack, preempted + slack + 10)


@test(guest=True)
def each_cpu_is_accounted_for_the_whole_run():
    with temporary_directory() as directory, Workload("cpu_hog", 1, 500, 0) as workload:
        with Recorder(directory, "-p", workload.pid, interval="200ms") as recorder:
            workload.go()
            hog = workload.truth()["threads"][0]
            run = recorder.stop()
            cpus = run.rows("SELECT cpu, sum(target_ns) AS target_ns, sum(target_ns + other_ns + idle_ns) AS all_ns FROM cpus"
                            " GROUP BY cpu")
            equal("CPUs", len(cpus), os.cpu_count())
            for cpu in cpus:
                between(f"time of CPU {cpu['cpu']}", cpu["all_ns"], 0.99 * run.end_ns(), 1.01 * run.end_ns(), "ns")
            on_cpu_ns = run.state("user") + run.state("kernel")
            between("time of the target on all CPUs", sum(cpu["target_ns"] for cpu in cpus), 0.98 * on_cpu_ns - 5 * MS,
                    1.02 * on_cpu_ns + 5 * MS, "ns")
            check(next(cpu["target_ns"] for cpu in cpus if cpu["cpu"] == 0) > 0.9 * hog["cpu_ns"], f"the hog ran on CPU 0: {cpus}")


@test(guest=True)
def a_frozen_cgroup_is_in_stopped():
    controller = "freezer" if any_v1("freezer") else "cpu"
    with Cgroup(controller) as cgroup, temporary_directory() as directory, \
            Workload("cpu_hog", 1, int(900 * SLOWNESS)) as workload:
        cgroup.add(workload.pid)
        with Recorder(directory, "-p", workload.pid) as recorder:
            workload.go()
            time.sleep(0.2 * SLOWNESS)
            cgroup.freeze(True)
            start = time.monotonic_ns()
            time.sleep(0.3)
            low_ns = time.monotonic_ns() - start
            cgroup.freeze(False)
            tid = workload.truth(limit_s=60)["threads"][0]["tid"]
            run = recorder.stop()
            slack_ns = 30 * MS * SLOWNESS
            between(f"time in stopped, of {run.states(tid=tid)},", run.state("stopped", tid=tid), low_ns - slack_ns,
                    low_ns + slack_ns, "ns")


def any_v1(controller):
    try:
        return mount_point(controller)[1] == 1
    except Skip:
        return False
