# SPDX-License-Identifier: BSD-2-Clause
"""Who called what is hot: chains of functions that keep no frame pointers, and are known by construction."""

import functools
import platform

from harness import Skip, between, cases, check, temporary_directory
from recorder import Recorder
from workload import Workload

HZ = 299
SPAN_MS = 400
MOST = 0.85  # of a thread's samples: others are taken before its chain begins, or behind its end

STACKS = """
    SELECT s.sum_count AS samples, k.depth, f.name
    FROM (SELECT user_stack_id, sum(count) AS sum_count FROM samples JOIN threads USING (thread_id)
          WHERE threads.name = ? AND (state IN ('user', 'kernel')) = ? GROUP BY user_stack_id) s
    LEFT JOIN stacks k ON k.stack_id = s.user_stack_id LEFT JOIN frames f USING (frame_id)
    ORDER BY s.user_stack_id, k.depth"""

# thread: its callers from the inside out, whatever lies between those of "..."; on CPU
CHAINS = {
    "plain": (("plain_inner", "plain_middle", "plain_outer", "run_chain"), True),
    "asleep": (("asleep_inner", "asleep_outer", "run_chain"), False),
    "sorted": (("sorted_inner", "...", "sorted_outer", "run_chain"), True),
    "aligned": (("aligned_inner", "aligned_outer", "run_chain"), True),
    "signal": (("signal_inner", "on_signal", "...", "signal_outer", "run_chain"), True),
    "forked": (("forked_inner", "forked_outer", "run_chain"), True),
}
SENTENCES = {
    "plain": "a function on CPU has its callers",
    "asleep": "a wait has the callers of its call",
    "sorted": "callers behind a library are found",
    "aligned": "a stack that is aligned at run time is left",
    "signal": "a signal handler's stack goes on in what it interrupted",
    "forked": "a forked child's stacks are whole from its birth on",
}


def stacks_of(run, thread, on_cpu):
    """(samples, [names from the inside out]) of each."""
    stacks = []
    for row in run.rows(STACKS, thread, int(on_cpu)):
        if not row["depth"]:
            stacks.append((row["samples"], []))
        stacks[-1][1].append(row["name"])
    return stacks


def goes_through(names, chain):
    """The chain's functions are callers of each other, at once or where it says "..." at last."""
    at, may_skip = 0, True
    for function in chain:
        if function == "...":
            may_skip = True
            continue
        if function not in names[at:] or (not may_skip and names[at] != function):
            return False
        at, may_skip = names.index(function, at) + 1, False
    return True


def check_chain(stacks, chain, expected):
    samples = sum(count for count, _ in stacks)
    whole = sum(count for count, names in stacks if goes_through(names, chain))
    others = [names for _, names in stacks if not goes_through(names, chain)]
    broken = [names for names in others if chain[0] in names]
    check(whole >= MOST * samples, f"{whole} of {samples} samples go through {chain}; not so {others[:3]}")
    check(not broken, f"stacks with {chain[0]} end too early: {broken[:3]}")
    between("samples", samples, 0.5 * expected, 1.5 * expected)


@cases
def chains_of_callers():
    if platform.machine() != "x86_64":
        raise Skip("frame pointers are all there is on this machine")
    with temporary_directory() as directory, Workload("call_chain", SPAN_MS) as workload:
        with Recorder(directory, "-p", workload.pid, "--stacks", HZ) as recorder:
            workload.go()
            truth = workload.truth()
            run = recorder.stop(laws=False)  # which other tests prove
            for thread, (chain, on_cpu) in CHAINS.items():
                seconds = truth[f"{thread}_cpu_ns"] / 1e9 if on_cpu else SPAN_MS / 1e3
                if thread == "forked":  # its parent waits: only the child burns
                    seconds = run.value(
                        "SELECT sum(time_ns) FROM thread_states JOIN threads USING (thread_id)"
                        " WHERE threads.name = 'forked' AND state IN ('user', 'kernel')"
                    ) / 1e9
                check_one = functools.partial(check_chain, stacks_of(run, thread, on_cpu), chain, HZ * seconds)
                yield SENTENCES[thread], check_one
