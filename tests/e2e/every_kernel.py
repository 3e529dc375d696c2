# SPDX-License-Identifier: BSD-2-Clause
"""One recording that answers for the kernel it runs on; tests/matrix runs it on others, where each is slow to begin."""

import contextlib
import functools
import os
import subprocess
import time

from harness import SLOWNESS, Skip, cases, temporary_directory
from known_answers import check_hogs, wait_case
from lifecycle import check_still_waits, check_tree
from probes import check_all_loaded, check_none_left, programs_of, skipped_runs
from recorder import Recorder
from runfile import FEW_SKIPPED, look
from scheduling import FrozenHog, ThrottledHog, check_switches
from syscalls import Snapshot, check_compat, check_counts, check_errors
from workload import Workload

WAITS = ("futex_waits", "poll_waits", "net_waits", "ipc_waits", "sleep_waits")
# what does not end by itself within the recording, of those that have others too
UNENDING = {
    "net_waits": ("tcp_recv", "tcp_read", "tcp_readv", "tcp6_recvmsg", "udp_recv", "tcp_send", "tcp_write", "accept")
}
LONG_MS = 600_000


class Missing:
    """Stands for what this machine cannot do: its check is skipped, with the reason."""

    def __init__(self, reason):
        self.pid, self.reason = None, reason

    def act(self):
        pass

    def check(self, _):
        raise Skip(self.reason)


def try_to(make, *arguments):
    try:
        return make(*arguments)
    except Skip as reason:
        return Missing(str(reason))


WARM_UPS = 8  # at most: an emulated guest takes seconds to load the others


def warm_up(recorder, provoke=None):
    """
    Kernels of 7.x may preempt the programs on the hooks of syscalls and sockets, and then skip them. The recorder goes over to
    others when it sees that; let it see, until it has. provoke: does what those programs are for. Returns the first interval after.
    """
    skipped = 0
    for _ in range(WARM_UPS):
        (provoke or make_calls_on_all_cpus)()
        time.sleep(0.1 * SLOWNESS)  # it looks twenty times a second
        before, skipped = skipped, skipped_runs(recorder.pid)
        if skipped - before <= FEW_SKIPPED:
            break
    return look(recorder.path, "SELECT coalesce(max(interval_id), 0) + 2 FROM intervals")[0][0]


def make_calls_on_all_cpus():
    busy = [
        subprocess.Popen(["dd", "if=/dev/zero", "of=/dev/null", "bs=1", "count=10000"], stderr=subprocess.DEVNULL)
        for _ in range(2 * os.cpu_count() + 1)
    ]
    for each in busy:
        each.wait()


@cases
def one_recording_of_every_way_to_wait_and_to_run():
    with contextlib.ExitStack() as stack:
        directory = stack.enter_context(temporary_directory())

        def start(name, *arguments):
            return stack.enter_context(Workload(name, *arguments))

        waiters = [start(name) for name in WAITS] + [start("mmap_lock", 300)]
        already = [start(name, "--before", 1, LONG_MS, *UNENDING.get(name, ())) for name in WAITS]
        mix, tree, switches = start("syscall_mix", 20_000), start("fork_tree", 2, 30), start("switches", 300)
        hogs = start("cpu_hog", 2 * os.cpu_count(), 500)
        special = {
            "a throttled thread waits for its quota": try_to(ThrottledHog, stack, 800),
            "a thread in a frozen cgroup is in stopped": try_to(FrozenHog, stack),
        }

        everything = [*waiters, *already, mix, tree, switches, hogs, *special.values()]
        pids = ",".join(str(each.pid) for each in everything if each.pid)
        recorder = stack.enter_context(Recorder(directory, "-p", pids, interval="500ms"))
        programs, _ = programs_of(recorder.pid)
        yield "every program loads and is attached", functools.partial(check_all_loaded, recorder.pid)

        mended = warm_up(recorder)
        for waiter in waiters:
            waiter.go()
        waits = [wait for waiter in waiters for wait in waiter.truth()["waits"]]
        truths = []
        for workload in (mix, tree, switches, hogs):  # one by one: each has the CPUs for itself
            workload.go()
            truths.append(workload.truth())
        for each in special.values():
            each.act()
        run = recorder.stop(laws=False)
        yield "no program is left behind", functools.partial(check_none_left, programs)

        yield "every thread is accounted for its whole life", run.check_conservation
        yield "intervals are whole and do not overlap", run.check_intervals
        yield "no data is lost", functools.partial(run.check_losses, mended)
        for wait in waits:
            yield wait_case(run, wait)
        for wait in [wait for workload in already for wait in workload.ready["waits"]]:
            sentence = f"a thread that has waited in {wait['kind']} since before is in {wait['state']}"
            yield sentence, functools.partial(check_still_waits, run, wait)

        mix_truth, tree_truth, switches_truth, hogs_truth = truths
        seen = Snapshot(run, mix.pid, mended)
        yield "every call is counted", functools.partial(check_counts, mix_truth, seen)
        yield "failed calls are counted by error", functools.partial(check_errors, mix_truth, seen)
        yield "calls by the 32-bit entry are counted apart", functools.partial(check_compat, mix_truth, seen)
        yield "forks and execs are followed", functools.partial(check_tree, run, tree.pid, tree_truth)
        yield "switches are counted as the kernel does", functools.partial(
            check_switches, run, switches_truth["threads"]
        )
        yield "hogs wait as long as the scheduler says", functools.partial(check_hogs, run, hogs_truth["threads"])
        for sentence, each in special.items():
            yield sentence, functools.partial(each.check, run)
