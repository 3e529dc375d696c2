# SPDX-License-Identifier: BSD-2-Clause
"""How much of the CPUs others had: neither this process nor what it has started, as far as one can tell."""

import contextlib
import os
import time

TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def used_s():
    """CPU time that anybody used since boot, but for interrupts; what the hypervisor gave to others is among it."""
    with open("/proc/stat", encoding="ascii") as file:
        user, nice, system, _idle, _iowait, _irq, _softirq, steal = map(int, file.readline().split()[1:9])
    return (user + nice + system + steal) / TICKS_PER_S


def processes():
    """{pid: (parent, seconds on CPU, its own and those of its children that it has waited for)}"""
    found = {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        with contextlib.suppress(OSError):  # it has ended
            with open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as file:
                fields = file.read().rpartition(")")[2].split()
            found[int(name)] = int(fields[1]), sum(map(int, fields[11:15])) / TICKS_PER_S
    return found


def own_s():
    """CPU time of this process and of its descendants; that of one whose parent has ended before it is nobody's."""
    found, own = processes(), {os.getpid()}
    grown = 0
    while grown < len(own):
        grown = len(own)
        own |= {pid for pid, (parent, _) in found.items() if parent in own}
    return sum(seconds for pid, (_, seconds) in found.items() if pid in own)


class Watch:
    """From its construction on. What has been started must still be there, or have been waited for, when it is asked."""

    def __init__(self):
        self.start = time.monotonic(), used_s(), own_s()

    def others_share(self):
        """Of the time of all CPUs, what others had."""
        seconds, used, own = (now - then for now, then in zip((time.monotonic(), used_s(), own_s()), self.start))
        return max(0, used - own) / (seconds * os.cpu_count())
