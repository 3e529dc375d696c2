# SPDX-License-Identifier: BSD-2-Clause
"""Disks, memory and pressure as resources: what is counted of them, against what was asked for by construction."""

import contextlib
import functools
import os
import time

from cgroup import Cgroup, write
from disks import loop_disk, slow_disk
from every_kernel import warm_up
from harness import MS, SLOWNESS, Skip, between, cases, check, equal, temporary_directory, test
from recorder import Recorder, report_json
from runfile import kernel_may_skip
from workload import Workload

LATENCY_NS = 10 * MS
SLOW_THREADS = 8
OPERATIONS = ("read", "write", "discard", "flush")


def name_of(device):
    return os.path.basename(device)


def operation(run, device, name, owner):
    """Sums over the run of one operation of one disk."""
    return run.rows(
        "SELECT coalesce(sum(count), 0) AS count, coalesce(sum(data_bytes), 0) AS bytes, coalesce(sum(errors), 0) AS errors,"
        " coalesce(sum(latency_ns), 0) AS latency_ns, coalesce(sum(queued_ns), 0) AS queued_ns"
        " FROM disk_operations JOIN disks USING (disk_id) WHERE name = ? AND operation = ? AND owner = ?",
        name_of(device),
        name,
        owner,
    )[0]


def load(run, device):
    return run.rows(
        "SELECT sum(busy_ns) AS busy_ns, sum(in_flight_ns) AS in_flight_ns FROM disk_load JOIN disks USING (disk_id)"
        " WHERE name = ?",
        name_of(device),
    )[0]


def slots(run, device, name):
    return run.rows(
        "SELECT low_ns, high_ns, sum(count) AS count FROM disk_histograms JOIN disks USING (disk_id)"
        " WHERE name = ? AND operation = ? AND owner = 'target' GROUP BY low_ns",
        name_of(device),
        name,
    )


def unseen(run):
    """Requests whose owner may be unknown, because the kernel skipped the program that would have seen them go to the disk."""
    return run.losses().get("missed_programs", 0) if kernel_may_skip() else 0


def check_counts(run, device, truth, strangers, name):
    """A flush is handed to the disk by a thread of the kernel, so it is not the target's."""
    target, others = (operation(run, device, name, owner) for owner in ("target", "others"))
    for key in ("count", "bytes"):
        equal(f"{name}: {key}", target[key] + others[key], truth[name][key] + strangers[name][key])
    least = 0 if name == "flush" else truth[name]["count"] - unseen(run)
    between(f"{name}: count of the target", target["count"], least, truth[name]["count"] * (name != "flush"))
    equal(f"{name}: errors", target["errors"] + others["errors"], 0)


def check_times(run, device, truth, name):
    """Each call makes one request and waits for it, so the requests take at most as long as the calls."""
    seen = operation(run, device, name, "target")
    between(f"time of {name} requests", seen["latency_ns"], 0.1 * truth[name]["ns"], truth[name]["ns"], "ns")
    between("its part before the disk had them", seen["queued_ns"], 0, seen["latency_ns"], "ns")
    equal("requests in the histogram", sum(slot["count"] for slot in slots(run, device, name)), seen["count"])


def check_alone(run, device, *truths):
    """One request at a time: the disk is busy for as long as it has requests."""
    seen, calls_ns = load(run, device), sum(truth[name]["ns"] for truth in truths for name in OPERATIONS)
    between("time with a request", seen["busy_ns"], 0.1 * calls_ns, calls_ns, "ns")
    between("requests over time", seen["in_flight_ns"], seen["busy_ns"], 1.02 * seen["busy_ns"], "ns")


def check_slow(run, device, truth):
    """Each of 8 threads always has one request of 10 ms in flight."""
    seen, others, disk = (*(operation(run, device, "read", owner) for owner in ("target", "others")), load(run, device))
    wall_ns = truth["read"]["ns"] / SLOW_THREADS
    equal("reads", seen["count"] + others["count"], truth["read"]["count"])
    between("reads of the target", seen["count"], truth["read"]["count"] - unseen(run), truth["read"]["count"])
    between("mean latency", seen["latency_ns"] / seen["count"], LATENCY_NS, LATENCY_NS + SLOWNESS * MS, "ns")
    between("busy, of the threads' mean time", disk["busy_ns"] / wall_ns, 0.7, 1.3)
    mean = disk["in_flight_ns"] / disk["busy_ns"]
    between("mean number in flight", mean, 0.6 * SLOW_THREADS, SLOW_THREADS)
    for slot in slots(run, device, "read"):
        check(slot["high_ns"] > LATENCY_NS, f"a read was over before its time: {slot}")


def check_faults(run, pid, truth):
    row = run.rows(
        "SELECT sum(minor_faults) AS minor, sum(major_faults) AS major, max(resident_bytes) AS resident"
        " FROM memory JOIN processes USING (process_id) WHERE pid = ?",
        pid,
    )[0]
    # around "go" and its end the workload takes a few more
    between("minor faults", row["minor"], truth["minor"], truth["minor"] + 100)
    between("major faults", row["major"], truth["major"], truth["major"] + 10)
    between("resident bytes", row["resident"], 0.9 * truth["resident_bytes"], 1.1 * truth["resident_bytes"])


def check_host_memory(run):
    row = run.rows("SELECT * FROM memory_limits WHERE cgroup IS NULL LIMIT 1")[0]
    with open("/proc/meminfo", encoding="ascii") as file:
        total = int(file.readline().split()[1]) * 1024
    equal("memory of the host", row["limit_bytes"], total)
    between("used of it", row["used_bytes"], 1, total)


def check_pressure(run):
    if not os.path.exists("/proc/pressure/cpu"):
        raise Skip("this kernel does not count pressure")
    rows = run.rows(
        "SELECT resource, sum(some_ns) AS some_ns, sum(full_ns) AS full_ns FROM pressure WHERE cgroup IS NULL GROUP BY 1"
    )
    equal("resources", [row["resource"] for row in rows], ["cpu", "io", "memory"])
    for row in rows:
        between(f"some {row['resource']}", row["some_ns"], row["full_ns"] or 0, 1.1 * run.end_ns(), "ns")


def check_resource(path, device):
    """The report has the disk among the resources, as busy as the run file says."""
    report = report_json(path)
    level = report["total"]
    found = [each for each in level["resources"] if each["name"] == f"disk:{name_of(device)}"]
    equal("resources that are this disk", len(found), 1)
    equal("its kind", found[0]["kind"], "disk")
    (disk,) = [each for each in report["disks"] if each["name"] == name_of(device)]
    equal("its utilisation in disks", disk["utilisation"], found[0]["utilisation"])
    between("utilisation", disk["utilisation"], 1e-6, 1)


def check_whole(run, mended):
    run.check_conservation()
    run.check_losses(mended)
    equal("requests lost", run.losses().get("disk_requests", 0), 0)


@cases
def one_recording_of_disks_memory_and_pressure():
    with contextlib.ExitStack() as stack:
        directory = stack.enter_context(temporary_directory())

        def start(*arguments):
            return stack.enter_context(Workload(*arguments))

        def disk(make, *arguments):
            try:
                return stack.enter_context(make(*arguments)), None
            except Skip as reason:
                return None, reason

        loop, no_loop = disk(loop_disk, directory)
        slow, no_slow = disk(slow_disk, LATENCY_NS)
        alone = start("disk_requests", loop, 1, 200, 100, 20, 10) if loop else None
        stranger = start("disk_requests", loop, 1, 30, 0, 0, 0) if loop else None
        many = start("disk_requests", slow, SLOW_THREADS, 60, 0, 0, 0) if slow else None
        faults = start("memory_use", 5000)
        targets = [each for each in (alone, many, faults) if each]
        pids = ",".join(str(each.pid) for each in targets)
        recorder = stack.enter_context(Recorder(directory, "-p", pids, interval="500ms"))
        mended, truths = warm_up(recorder), {}
        for each in targets:  # one by one
            each.go()
            truths[each] = each.truth()
        time.sleep(0.6)  # an interval in which the truth is read
        if stranger:
            stranger.go()
            truths[stranger] = stranger.truth()
        run = recorder.stop(laws=False)

        def skip(reason):
            raise reason

        def on(reason, function, *arguments):
            return functools.partial(skip, reason) if reason else functools.partial(function, run, *arguments)

        yield "every thread is accounted for, and nothing of the disks is lost", lambda: check_whole(run, mended)
        for name in OPERATIONS:
            yield f"every {name} is counted, with its bytes, and apart from those of others", on(
                no_loop, check_counts, loop, truths.get(alone), truths.get(stranger), name
            )
        for name in ("read", "write", "discard"):
            yield f"a {name} takes as long as its caller waits", on(no_loop, check_times, loop, truths.get(alone), name)
        yield "one request at a time keeps the disk busy for its length", on(
            no_loop, check_alone, loop, truths.get(alone), truths.get(stranger)
        )
        yield "the report has the disk as a resource", on(no_loop, lambda run: check_resource(run.path, loop))
        yield "a disk of 10 ms has as many requests at once as there are threads", on(
            no_slow, check_slow, slow, truths.get(many)
        )
        yield "page faults are those that the kernel counts", functools.partial(
            check_faults, run, faults.pid, truths[faults]
        )
        yield "the host's memory is a limit", functools.partial(check_host_memory, run)
        yield "pressure grows by less than the time that went by", functools.partial(check_pressure, run)


LIMIT_BYTES = 12 << 20
DISK_BYTES = 20 << 20


@test
def a_memory_limit_is_reported_with_how_often_it_was_hit():
    with contextlib.ExitStack() as stack:
        directory = stack.enter_context(temporary_directory())
        group = stack.enter_context(Cgroup("memory", "limit"))
        disk = stack.enter_context(loop_disk(directory, DISK_BYTES))
        write(group.path, "memory.max" if group.version == 2 else "memory.limit_in_bytes", LIMIT_BYTES)
        workload = stack.enter_context(Workload("memory_use", 500, disk, DISK_BYTES // 4096))
        group.add(workload.pid)
        recorder = stack.enter_context(Recorder(directory, "-p", workload.pid))
        workload.go()
        truth = workload.truth()
        time.sleep(0.3 * SLOWNESS)  # an interval in which it is read
        run = recorder.stop(laws=False)

        run.check_conservation()
        equal("pages read by faults", truth["major"], DISK_BYTES // 4096)
        check_faults(run, workload.pid, truth)
        row = run.rows(
            "SELECT max(limit_bytes) AS limit_bytes, max(used_bytes) AS used_bytes, sum(hits) AS hits,"
            " sum(oom_kills) AS oom_kills FROM memory_limits WHERE cgroup = ?",
            group.path,
        )[0]
        equal("the limit", row["limit_bytes"], LIMIT_BYTES)
        between("used of it", row["used_bytes"], 0.8 * LIMIT_BYTES, LIMIT_BYTES)
        check(row["hits"] > 0, "the limit was hit")
        equal("processes killed", row["oom_kills"], 0)
        (seen,) = [each for each in report_json(run.path)["memory"]["limits"] if each["cgroup"] == group.path]
        between("its share in the report", seen["used_share_max"], 0.8, 1)
