# SPDX-License-Identifier: BSD-2-Clause
"""Other tools on the same threads at the same time: totals of libbpf-tools' offcputime and wakeuptime agree with the accounts."""

import collections
import os
import re
import signal
import subprocess

from harness import SLOWNESS, Process, Skip, between, check, equal, find_program, temporary_directory, test, wait_until
from recorder import Recorder
from workload import Workload

HOLDERS = ("sleep", "cpu")
THREADS, LENGTH_MS, HOLD_US = 4, 3000, 5000
SLEEPS, SLEEP_MS = 100, 20  # wakeuptime ends a wait later in the same wake-up: its totals agree, where the wakes are few
TOLERANCE = 0.02


class Peer(Process):
    """A tool that prints its totals when it is interrupted."""

    def __init__(self, name, directory, pid):
        program = find_program(name)
        if not program:
            raise Skip(f"{name} is not installed")
        self.path = f"{directory}/{name}"
        with open(self.path, "w", encoding="utf-8") as out:
            super().__init__(program, "-p", str(pid), "--stack-storage-size", "16384", stdin=subprocess.DEVNULL, stdout=out,
                             stderr=subprocess.STDOUT)
        self.name = name
        wait_until(f"{name} has its probes in", self.is_attached, limit_s=10)

    def is_attached(self):
        """The programs that it has loaded are linked to their hooks: each link is a file of the process."""
        if self.child.poll() is not None:
            raise Skip(f"{self.name} cannot run here: {self.text()[:200]}")
        return any("bpf_link" in file or "bpf-link" in file or "tracepoint" in file for file in self.open_files())

    def open_files(self):
        folder = f"/proc/{self.pid}/fd"
        for fd in os.listdir(folder):
            try:
                yield os.readlink(f"{folder}/{fd}")
            except FileNotFoundError:  # closed meanwhile
                pass

    def text(self):
        with open(self.path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def totals(self, pattern):
        """Microseconds by what the pattern finds in front of them."""
        self.child.send_signal(signal.SIGINT)
        self.child.wait(10 * SLOWNESS)
        sums = collections.Counter()
        for who, time_us in re.findall(pattern, self.text()):
            sums[who] += int(time_us) * 1000
        check(sums, f"{self.name} printed no totals: {self.text()[-300:]}")
        return sums


def off_cpu_ns(run, pid):
    """By thread that takes turns: not the first, which has its name, nor the backend, which is blocked as they begin."""
    return {row["tid"]: row["time_ns"] for row in run.rows(
        "SELECT tid, sum(time_ns) AS time_ns FROM thread_states JOIN threads USING (thread_id) "
        "WHERE tid <> ? AND name = 'convoy' AND state NOT IN ('user', 'kernel') GROUP BY tid", pid)}


@test
def time_off_cpu_is_that_of_offcputime():
    """Both see all of the threads' lives: those are born and end while both record."""
    for holder in HOLDERS:
        with temporary_directory() as directory:
            with Workload("convoy", holder, THREADS, LENGTH_MS, HOLD_US) as workload:
                with Recorder(directory, "-p", workload.pid) as recorder, Peer("offcputime", directory, workload.pid) as peer:
                    workload.go()
                    workload.truth()
                    totals = peer.totals(r"\((\d+)\)\n\s+(\d+)\n")
                    own_ns = off_cpu_ns(recorder.stop(), workload.pid)
        equal("threads", len(own_ns), THREADS)
        for tid, time_ns in own_ns.items():
            between(f"time off CPU of thread {tid} (holder: {holder}) by offcputime", totals[str(tid)],
                    (1 - TOLERANCE) * time_ns, (1 + TOLERANCE) * time_ns, "ns")


@test
def time_blocked_is_that_of_wakeuptime():
    """It keeps one start for each process and not for each thread, so the process has but one."""
    with temporary_directory() as directory:
        with Workload("sleep_waits", SLEEPS, SLEEP_MS, "nanosleep") as workload:
            with Recorder(directory, "-p", workload.pid) as recorder, Peer("wakeuptime", directory, workload.pid) as peer:
                workload.go()
                workload.truth()
                # the target stands above the stack of its waker, the time below
                totals = peer.totals(r"target:\s+(\S+)\n(?:.*\n)*?\s+waker:.*\n\s+(\d+)\n")
                slept_ns = recorder.stop().state("sleep")
    between("time blocked by wakeuptime", totals["sleep_waits"], (1 - TOLERANCE) * slept_ns, (1 + TOLERANCE) * slept_ns, "ns")
