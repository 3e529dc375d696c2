# SPDX-License-Identifier: BSD-2-Clause
"""Many threads, and threads that come and go."""

import contextlib

from harness import SECOND, between, check, equal, temporary_directory, test
from recorder import Recorder, report_json
from workload import Workload

LOSSY = 3
COLLECTOR_CPU_SHARE = 0.05
COLLECTOR_RSS_BYTES = 128 << 20


@test
def of_2000_threads_and_50_births_per_second_every_one_is_accounted_at_little_cost():
    with temporary_directory() as directory, Workload("churn", 2000, 50, 10_000) as workload:
        with Recorder(directory, "-p", workload.pid, interval="1s") as recorder:
            workload.go()
            truth = workload.truth()
            run = recorder.stop()  # checks conservation of every thread, and losses
            equal("sleepers", len(run.threads(name="sleeper")), truth["sleepers"])
            mayflies = run.threads(name="mayfly")
            equal("short-lived threads", len(mayflies), truth["births"])
            check(
                all(thread["ended"] and thread["last_ns"] is not None for thread in mayflies),
                "one of them has no end",
            )
            between(
                "CPU time of the short-lived threads",
                run.state("user", name="mayfly"),
                0.5e6 * truth["births"],
                4e6 * truth["births"],
                "ns",
            )
            check_costs(run)
            health = report_json(run.path)["health"]
            between("accounted share of the report", health["accounted_share"], 0.999, 1.001)
            between(
                "CPU share of the collector in the report",
                health["cost"]["collector_cpu_share"],
                1e-6,
                COLLECTOR_CPU_SHARE,
            )


def check_costs(run):
    # the last interval holds the recorder's own end, and is shorter than the others
    costs = run.rows(
        "SELECT collector_cpu_ns, collector_rss_bytes, end_ns - start_ns AS length_ns FROM costs"
        " JOIN intervals USING (interval_id) WHERE end_ns - start_ns > 0.9e9 ORDER BY interval_id"
    )
    check(len(costs) >= 5, f"only {len(costs)} whole intervals")
    cpu_ns, length_ns = (sum(row[column] for row in costs) for column in ("collector_cpu_ns", "length_ns"))
    between("CPU share of the collector", cpu_ns / length_ns, 1e-6, COLLECTOR_CPU_SHARE)
    between(
        "resident bytes of the collector",
        max(row["collector_rss_bytes"] for row in costs),
        1 << 20,
        COLLECTOR_RSS_BYTES,
    )


@test
def threads_that_are_born_and_gone_within_an_interval_are_all_there():
    with temporary_directory() as directory, Workload("churn", 1, 400, 3000) as workload:
        with Recorder(directory, "-p", workload.pid, interval="1s") as recorder:
            workload.go()
            truth = workload.truth()
            run = recorder.stop()
            equal("short-lived threads", len(run.threads(name="mayfly")), truth["births"])
            for thread in run.threads(name="mayfly"):
                check(thread["last_ns"] - thread["first_ns"] < SECOND, f"thread {thread} lived for milliseconds")


PROCESS_SLOTS = 2048


@test
def more_processes_than_there_is_room_for_are_counted_as_lost_and_strict_says_so():
    with temporary_directory() as directory, contextlib.ExitStack() as stack:
        for sleep_ms in (4_000, 20_000):
            workload = stack.enter_context(Workload("fork_tree", 46, sleep_ms))
            recorder = stack.enter_context(Recorder(directory, "--strict", "--force", "-p", workload.pid, interval="1s"))
            workload.go()
            truth = workload.truth(limit_s=60)
            run = recorder.stop(status=None, laws=False)
            lost = run.losses().get("process_slots", 0)
            if lost:  # otherwise the first of them had ended before the last was born: a busy machine
                break
        equal("status of the recorder", recorder.child.returncode, LOSSY)
        born = 1 + truth["branches"] + truth["leaves"]
        seen = run.value("SELECT count(*) FROM processes")
        check(born > PROCESS_SLOTS, "the tree is too small to overflow")
        between("processes in the run", seen, PROCESS_SLOTS - 1, born - 1)
        between("processes lost", lost, born - seen, born)
        run.check_conservation()
        health = report_json(run.path)["health"]
        check(health["lossy"], f"the report does not call the run lossy: {health['lost']}")
        between("processes lost in the report", health["lost"].get("process_slots"), lost, lost)
