# SPDX-License-Identifier: BSD-2-Clause
"""Run queues, who had the CPU meanwhile, switches, parallelism, quotas."""

import contextlib
import os
import time

from cgroup import Cgroup, mount_point
from disturbance import Disturbed
from harness import EXACT, MS, SLOWNESS, Skip, between, check, equal, show, temporary_directory, test
from recorder import Recorder
from workload import Workload


def check_near(what, seen_ns, expected_ns):
    """Equal but for switches that a host may miss, and for births and deaths: a thread's own books lack those."""
    slack_ns = expected_ns * (0.03 if EXACT else 0.12) + 10 * MS * SLOWNESS
    between(what, seen_ns, expected_ns - slack_ns, expected_ns + slack_ns, "ns")


@test
def threads_of_the_target_that_share_a_cpu_wait_for_each_other():
    with temporary_directory() as directory, Workload("cpu_hog", 2, 800, 0) as workload:
        with Recorder(directory, "-p", workload.pid) as recorder:
            workload.go()
            one, two = workload.truth()["threads"]
            run = recorder.stop()
            for waiter, runner in ((one, two), (two, one)):
                owners = run.queue_owners(tid=waiter["tid"])
                waited_ns = run.state("preempted", tid=waiter["tid"]) + run.state("runq", tid=waiter["tid"])
                between("the wait by owner", sum(owners.values()), 0.95 * waited_ns, 1.05 * waited_ns, "ns")
                # on one CPU, the other one runs only while this one waits
                check_near(f"wait for the target, of {owners}", owners.get("target", 0), runner["cpu_ns"])


@test
def a_thread_beside_another_process_waits_for_that():
    with contextlib.ExitStack() as stack:
        directory = stack.enter_context(temporary_directory())
        workload, neighbour = (stack.enter_context(Workload("cpu_hog", 1, 800, 0)) for _ in range(2))
        recorder = stack.enter_context(Recorder(directory, "-p", workload.pid))
        neighbour.go()
        workload.go()
        hog, other = workload.truth()["threads"][0], neighbour.truth()["threads"][0]
        run = recorder.stop()
        owners = run.queue_owners(tid=hog["tid"])
        low_ns = 0.85 * other["cpu_ns"] - 10 * MS * SLOWNESS  # maybe others had that CPU as well
        check(
            owners.get("other", 0) >= low_ns, f"it waited {show(other['cpu_ns'], 'ns')} for its neighbour: {owners}"
        )
        check(owners.get("target", 0) <= 10 * MS * SLOWNESS, f"the target has no other thread to wait for: {owners}")
        neighbours = run.rows("SELECT name, sum(cpu_ns) AS cpu_ns FROM neighbours WHERE pid = ?", neighbour.pid)[0]
        equal("name of the neighbour", neighbours["name"], "cpu_hog")
        check_near("CPU time of the neighbour", neighbours["cpu_ns"], other["cpu_ns"])


class ThrottledHog:
    """A thread that burns CPU in a cgroup with a tenth of a CPU."""

    def __init__(self, stack, wall_ms):
        self.cgroup = stack.enter_context(Cgroup("cpu", "quota"))
        self.workload = stack.enter_context(Workload("cpu_hog", 1, wall_ms))
        self.pid = self.workload.pid
        self.cgroup.limit_cpu(10_000, 100_000)
        self.cgroup.add(self.pid)

    def act(self):
        before = self.cgroup.throttled()
        self.workload.go()
        self.hog = self.workload.truth(limit_s=60)["threads"][0]
        after = self.cgroup.throttled()
        self.periods, self.throttled_ns = after[0] - before[0], after[1] - before[1]

    def check(self, run):
        check(self.throttled_ns > 300 * MS, f"it was hardly throttled: {show(self.throttled_ns, 'ns')}")
        owners = run.queue_owners(tid=self.hog["tid"])
        check_near(f"wait for the quota, of {owners}", owners.get("quota", 0), self.throttled_ns)
        if self.hog["run_delay_ns"]:
            check_near("time in preempted and runq", sum(owners.values()), self.hog["run_delay_ns"])
        quota = run.rows(
            "SELECT min(quota_ns) AS quota_ns, max(period_ns) AS period_ns, sum(throttled_periods) AS periods,"
            " sum(throttled_ns) AS throttled_ns FROM quotas WHERE cgroup LIKE ?",
            f"%{os.path.basename(self.cgroup.path)}%",
        )[0]
        equal("quota", quota["quota_ns"], 10 * MS)
        equal("period", quota["period_ns"], 100 * MS)
        between("throttled periods", quota["periods"], self.periods, self.periods + 2)
        check_near("throttled time", quota["throttled_ns"], self.throttled_ns)


class FrozenHog:
    """A thread that burns CPU, and is frozen by its cgroup for a while."""

    def __init__(self, stack):
        self.cgroup = stack.enter_context(Cgroup("freezer" if is_v1("freezer") else "cpu", "frozen"))
        self.workload = stack.enter_context(Workload("cpu_hog", 1, 300))
        self.pid = self.workload.pid
        self.cgroup.add(self.pid)

    def act(self):
        self.workload.go()
        time.sleep(0.05)
        self.cgroup.freeze(True)
        start_ns = time.monotonic_ns()
        time.sleep(0.5)
        self.frozen_ns = time.monotonic_ns() - start_ns
        self.cgroup.freeze(False)
        self.tid = self.workload.truth(limit_s=60)["threads"][0]["tid"]

    def check(self, run):
        states = run.states(tid=self.tid)
        slack_ns = 10 * MS * SLOWNESS
        low_ns, high_ns = self.frozen_ns - slack_ns, self.frozen_ns + slack_ns
        between(f"time in stopped, of {states},", states.get("stopped", 0), low_ns, high_ns, "ns")


def is_v1(controller):
    try:
        return mount_point(controller)[1] == 1
    except Skip:
        return False


def record_hog(make):
    with contextlib.ExitStack() as stack:
        directory = stack.enter_context(temporary_directory())
        hog = make(stack)
        recorder = stack.enter_context(Recorder(directory, "-p", hog.pid))
        hog.act()
        hog.check(recorder.stop())


@test
def a_throttled_thread_waits_for_its_quota():
    record_hog(lambda stack: ThrottledHog(stack, 1500))


@test
def a_frozen_cgroup_is_in_stopped():
    record_hog(FrozenHog)


@test
def time_with_j_threads_on_cpu_adds_up_to_the_time_on_cpu():
    with temporary_directory() as directory, Workload("parallel", 400) as workload:
        with Recorder(directory, "-p", workload.pid) as recorder:
            workload.go()
            truth = workload.truth()
            run = recorder.stop()
            parallel = {
                row["threads_on_cpu"]: row["time_ns"]
                for row in run.rows(
                    "SELECT threads_on_cpu, sum(time_ns) AS time_ns FROM parallelism GROUP BY threads_on_cpu"
                )
            }
            busy_ns = sum(count * time_ns for count, time_ns in parallel.items())
            on_cpu_ns = run.state("user") + run.state("kernel")
            between("time weighted by parallelism", busy_ns, 0.99 * on_cpu_ns - MS, 1.01 * on_cpu_ns + MS, "ns")
            check(sum(parallel.values()) <= run.end_ns(), f"it is longer than the run: {parallel}")
            if truth["cpus"] < 2:
                raise Skip("one CPU: nothing runs beside anything")
            # both were on CPU for at least as long as their CPU times leave no other way, and never beyond that phase
            least_ns = truth["together_cpu_ns"] - truth["phase_ns"]
            low_ns = least_ns * (0.95 if EXACT else 0.85) - 10 * MS * SLOWNESS
            missed = run.losses().get("missed_switch_in", 0)
            if parallel.get(2, 0) < low_ns and missed and not EXACT:  # such a thread is held for off CPU until it leaves it
                raise Disturbed(f"{missed} switches were missed, and one may have begun a long slice: {parallel}")
            between("time with 2 threads on CPU", parallel.get(2, 0), low_ns, truth["phase_ns"] + 60 * MS * SLOWNESS, "ns")
            check(
                sum(time_ns for count, time_ns in parallel.items() if count > 3) == 0,
                f"3 threads at most exist: {parallel}",
            )


@test
def threads_that_take_turns_have_an_effective_parallelism_of_one():
    with temporary_directory() as directory, Workload("futex_waits", 20, 20, "mutex") as workload:
        with Recorder(directory, "-p", workload.pid) as recorder:
            workload.go()
            workload.truth()
            run = recorder.stop()
            many_ns = run.value("SELECT coalesce(sum(time_ns), 0) FROM parallelism WHERE threads_on_cpu > 1")
            between("time with more than one thread on CPU", many_ns, 0, 20 * MS, "ns")


def check_switches(run, players):
    for player in players:
        counters = run.counters(tid=player["tid"])
        for kind in ("voluntary", "involuntary"):
            low = player[kind] if EXACT else player[kind] * 0.98 - 2
            after = 8 + 2 * SLOWNESS  # a thread's own books end before its death, on the way to which it may be preempted
            between(f"{kind} switches of {player['name']}", counters[kind], low, player[kind] * 1.02 + after)


@test
def switches_are_counted_as_the_kernel_counts_them():
    with temporary_directory() as directory, Workload("switches", 2000) as workload:
        with Recorder(directory, "-p", workload.pid) as recorder:
            workload.go()
            players = workload.truth()["threads"]
            check_switches(recorder.stop(), players)


@test
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


@test
def run_queue_histograms_count_each_wait():
    with temporary_directory() as directory, Workload("switches", 1000) as workload:
        with Recorder(directory, "-p", workload.pid) as recorder:
            workload.go()
            players = workload.truth()["threads"]
            run = recorder.stop()
            counts = {
                row["metric"]: row["n"]
                for row in run.rows(
                    "SELECT metric, sum(count) AS n FROM histograms WHERE metric <> 'syscall' GROUP BY metric"
                )
            }
            blocked = sum(run.counters(tid=player["tid"])["voluntary"] for player in players)
            preempted = sum(run.counters(tid=player["tid"])["involuntary"] for player in players)
            slack = 10 + (0 if EXACT else 0.02 * (blocked + preempted))
            between("waits in run queues", counts.get("runq", 0), blocked - slack, blocked + slack + 10)
            between("waits after preemptions", counts.get("preempted", 0), preempted - slack, preempted + slack + 10)


@test
def each_cpu_is_accounted_for_the_whole_run():
    with temporary_directory() as directory, Workload("cpu_hog", 1, 500, 0) as workload:
        with Recorder(directory, "-p", workload.pid, interval="200ms") as recorder:
            workload.go()
            hog = workload.truth()["threads"][0]
            run = recorder.stop()
            cpus = run.rows(
                "SELECT cpu, sum(target_ns) AS target_ns, sum(target_ns + other_ns + idle_ns) AS all_ns FROM cpus"
                " GROUP BY cpu"
            )
            equal("CPUs", len(cpus), os.cpu_count())
            for cpu in cpus:
                between(f"time of CPU {cpu['cpu']}", cpu["all_ns"], 0.99 * run.end_ns(), 1.01 * run.end_ns(), "ns")
            on_cpu_ns = run.state("user") + run.state("kernel")
            between(
                "time of the target on all CPUs",
                sum(cpu["target_ns"] for cpu in cpus),
                0.98 * on_cpu_ns - 5 * MS,
                1.02 * on_cpu_ns + 5 * MS,
                "ns",
            )
            check(
                next(cpu["target_ns"] for cpu in cpus if cpu["cpu"] == 0) > 0.9 * hog["cpu_ns"],
                f"the hog ran on CPU 0: {cpus}",
            )
