# SPDX-License-Identifier: BSD-2-Clause
"""
What takes the machine away from a test: other processes, the hypervisor, a kernel that does not tell of its switches.

A test that compares times with what they must be by construction says nothing while that happens: run.py repeats it then. What fails
on a machine that was quiet is not repeated, and what fails each time has failed.
"""

import os
import resource
import time

from harness import EXACT, wait_until

TRIES = 1 if EXACT else 3
REPEATS_LIMIT_S = 240  # of all tests together
LIMIT_CPUS = 0.1  # taken by others on the mean; a machine that does nothing else shows some 0.03 for its own threads
QUIET_WITHIN_S = 20

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


class Disturbed(AssertionError):
    """A check failed by what the kernel of this host did not tell: the same run elsewhere may hold."""


def cpu_seconds():
    """All that the CPUs did since the boot, (in processes and interrupts, taken by the hypervisor)."""
    with open("/proc/stat", encoding="ascii") as file:
        user, nice, system, _, _, irq, softirq, steal, *_ = map(int, file.readline().split()[1:])
    return (user + nice + system + irq + softirq) / TICKS_PER_SECOND, steal / TICKS_PER_SECOND


def own_seconds():
    """CPU time of this process and of those of its children that have ended."""
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


class Watch:
    """From its making on."""

    def __init__(self):
        self.start_s, self.cpus, self.own_s = time.monotonic(), cpu_seconds(), own_seconds()

    def taken(self):
        """CPUs that (other processes, the hypervisor) had on the mean."""
        wall_s = max(time.monotonic() - self.start_s, 0.01)
        busy_s, steal_s = (after - before for after, before in zip(cpu_seconds(), self.cpus))
        return max(0, busy_s - own_seconds() + self.own_s) / wall_s, steal_s / wall_s

    def reason(self):
        """Why what went on meanwhile is no measurement; None: it is one."""
        others, stolen = self.taken()
        if others + stolen <= LIMIT_CPUS:
            return None
        return f"others had {others:.2f} CPUs meanwhile, the hypervisor {stolen:.2f}"


def wait_for_quiet():
    """As long as it is worth it; a machine that is never quiet has its tests repeated as it is."""

    def is_quiet():
        watch = Watch()
        time.sleep(1)
        return watch.reason() is None

    try:
        wait_until("the machine is quiet", is_quiet, limit_s=QUIET_WITHIN_S)
    except AssertionError:
        pass
