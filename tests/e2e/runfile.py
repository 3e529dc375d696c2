# SPDX-License-Identifier: BSD-2-Clause
"""Read a run file, and ask it what tests ask."""

import contextlib
import os
import sqlite3

from disturbance import Disturbed
from harness import EXACT, MS, SLOWNESS, check, show

# Reasons that mean a missing piece. The others are approximations that a kernel which drops events brings about.
LOSSY = {
    "thread_slots",
    "process_slots",
    "call_records",
    "errno_rows",
    "flow_records",
    "stage_records",
    "sockets",
    "missed_programs",
    "store_rows",
}
MISSED = {"missed_switch_in", "missed_switch_out", "unseen_wakes", "parallel_races", "torn_reads"}

CONSERVED_SHARE = 0.001
PASS_NS = 20 * MS * SLOWNESS  # what it may take to read all threads at the end of an interval
FEW_SKIPPED = 50  # runs of programs that a kernel which preempts them may skip


def kernel_may_skip():
    """Hooks run with preemption off before programs could ask for that; only kernels that let them ask may skip one."""
    with open("/proc/kallsyms", encoding="utf-8") as file:
        return any(line.split()[2] == "bpf_preempt_disable" for line in file)


def look(path, sql):
    """Rows of a run that may still be written."""
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        return db.execute(sql).fetchall()


class Run:
    def __init__(self, path):
        check(os.path.exists(path), f"there is no run file '{path}'")
        self.path = path
        self.db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        self.db.row_factory = sqlite3.Row

    def close(self):
        self.db.close()

    def rows(self, sql, *parameters):
        return [dict(row) for row in self.db.execute(sql, parameters)]

    def value(self, sql, *parameters):
        row = self.db.execute(sql, parameters).fetchone()
        return row[0] if row else None

    # Threads

    def threads(self, **where):
        """Rows of threads whose columns have these values."""
        condition = " AND ".join(f"{column} = ?" for column in where) or "1"
        return self.rows(f"SELECT * FROM threads WHERE {condition} ORDER BY first_ns", *where.values())

    def thread(self, **where):
        found = self.threads(**where)
        check(len(found) == 1, f"{len(found)} threads have {where}, not 1")
        return found[0]

    def states(self, **where):
        """Nanoseconds per state, over all threads that match."""
        condition = " AND ".join(f"threads.{column} = ?" for column in where) or "1"
        rows = self.rows(
            f"SELECT state, sum(time_ns) AS time_ns FROM thread_states JOIN threads USING (thread_id)"
            f" WHERE {condition} GROUP BY state",
            *where.values(),
        )
        return {row["state"]: row["time_ns"] for row in rows}

    def state(self, name, /, **where):
        return self.states(**where).get(name, 0)

    def counters(self, **where):
        condition = " AND ".join(f"threads.{column} = ?" for column in where) or "1"
        columns = ("syscalls", "voluntary", "involuntary", "migrations", "mmap_lock_ns", "not_run_ns")
        sums = ", ".join(f"coalesce(sum({column}), 0) AS {column}" for column in columns)
        return self.rows(
            f"SELECT {sums} FROM thread_counters JOIN threads USING (thread_id) WHERE {condition}", *where.values()
        )[0]

    def queue_owners(self, **where):
        """Nanoseconds runnable without a CPU, by who had it."""
        condition = " AND ".join(f"threads.{column} = ?" for column in where) or "1"
        rows = self.rows(
            "SELECT owner, sum(time_ns) AS time_ns FROM cpu_waits JOIN threads USING (thread_id)"
            f" WHERE {condition} GROUP BY owner",
            *where.values(),
        )
        return {row["owner"]: row["time_ns"] for row in rows}

    # Syscalls

    def calls(self, syscall, abi="native", pid=None):
        """Sums over the run of one syscall's rows."""
        return self.rows(
            "SELECT coalesce(sum(calls), 0) AS calls, coalesce(sum(errors), 0) AS errors,"
            " coalesce(sum(total_ns), 0) AS total_ns FROM syscalls JOIN processes USING (process_id)"
            " WHERE syscall = ? AND abi = ? AND (?3 IS NULL OR pid = ?3)",
            syscall,
            abi,
            pid,
        )[0]

    def errors(self, syscall, error):
        return self.value(
            "SELECT coalesce(sum(calls), 0) FROM syscall_errors WHERE syscall = ? AND error = ?", syscall, error
        )

    # The run

    def losses(self):
        return {
            row["reason"]: row["n"] for row in self.rows("SELECT reason, sum(count) AS n FROM losses GROUP BY reason")
        }

    def end_ns(self):
        """Up to where its intervals reach."""
        return self.value("SELECT max(end_ns) FROM intervals") or 0

    def gaps_ns(self):
        """Time within the run that is in no interval."""
        return self.end_ns() - (self.value("SELECT sum(end_ns - start_ns) FROM intervals") or 0)

    def total_ns(self):
        return self.value("SELECT sum(time_ns) FROM thread_states") or 0

    def other_share(self):
        return self.state("other") / max(1, self.total_ns())

    # Laws that hold for every run

    def check_laws(self):
        check(self.value("PRAGMA integrity_check") == "ok", "the run file is damaged")
        self.check_conservation()
        self.check_intervals()
        self.check_losses()

    def check_conservation(self):
        """Over the states, the times of a thread add up to its life in the run, less what lies between intervals."""
        has_end = self.value("SELECT ended_ns FROM run") is not None
        intervals = [(row["start_ns"], row["end_ns"]) for row in self.rows("SELECT * FROM intervals")]
        for thread in self.rows(
            "SELECT tid, name, first_ns, last_ns, coalesce(sum(time_ns), 0) AS sum_ns FROM threads"
            " LEFT JOIN thread_states USING (thread_id) GROUP BY thread_id"
        ):
            first_ns, last_ns = thread["first_ns"], thread["last_ns"]
            # a recorder that was killed has not written what came between its look at a thread and the end of that interval
            unread_ns = PASS_NS if last_ns is None and not has_end else 0
            if last_ns is None:
                last_ns = self.end_ns()
            life_ns = sum(max(0, min(end, last_ns) - max(start, first_ns)) for start, end in intervals)
            slack_ns = max(life_ns * CONSERVED_SHARE, 1000)
            check(
                -slack_ns - unread_ns <= thread["sum_ns"] - life_ns <= slack_ns,
                f"thread {thread['tid']} ({thread['name']}) lived {show(life_ns, 'ns')},"
                f" but its states add up to {show(thread['sum_ns'], 'ns')}; losses: {self.losses()}",
            )

    def check_intervals(self):
        """Intervals do not overlap, and in none of them is a thread longer than it lasts."""
        intervals = self.rows("SELECT * FROM intervals ORDER BY interval_id")
        for before, after in zip(intervals, intervals[1:]):
            check(before["end_ns"] <= after["start_ns"], f"the intervals {before} and {after} overlap")
        check(not self.value("SELECT count(*) FROM thread_states WHERE time_ns < 0"), "a state has a negative time")
        too_long = self.rows(
            "SELECT tid, interval_id, sum(time_ns) AS sum_ns, end_ns - start_ns AS length_ns FROM thread_states"
            " JOIN intervals USING (interval_id) JOIN threads USING (thread_id)"
            " GROUP BY thread_id, interval_id HAVING sum_ns > length_ns * 1.001 + ?",
            PASS_NS,
        )
        check(not too_long, f"a thread was accounted for longer than the interval: {too_long[:1]}")

    def losses_that_matter(self):
        """Without what changes no number."""
        return {reason: count for reason, count in self.losses().items() if reason in LOSSY | MISSED}

    def skipped(self, first_interval):
        return self.value(
            "SELECT coalesce(sum(count), 0) FROM losses WHERE reason = 'missed_programs' AND interval_id >= ?", first_interval
        )

    def check_losses(self, first_interval=1):
        """Nothing was lost; programs that the kernel skipped (see every_kernel.py) count from that interval on."""
        losses = self.losses_that_matter()
        skipped = self.skipped(first_interval)
        calls = self.value("SELECT coalesce(sum(syscalls), 0) FROM thread_counters")
        # of hooks for which there is no other, and only where the kernel may do so
        limit = FEW_SKIPPED + calls * 0.01 if first_interval > 1 and kernel_may_skip() else 0
        limit += 0 if EXACT else 1  # an interrupt of a disk or timer may come in the program that it runs
        # a thread is at a socket with soft interrupts on, and one comes for another socket, to the same program
        limit += (self.value("SELECT coalesce(sum(reads + writes), 0) FROM traffic") or 0) * 0.001
        if skipped <= limit:
            losses.pop("missed_programs", None)
        lossy = {reason: count for reason, count in losses.items() if reason in LOSSY}
        check(not lossy, f"the run lost data: {lossy}")
        switches = self.value("SELECT coalesce(sum(voluntary + involuntary), 0) FROM thread_counters")
        limit = 0 if EXACT else 5 + switches * 0.01
        if sum(losses.values()) > limit:
            raise Disturbed(f"of {switches} switches some were missed: {losses}")
