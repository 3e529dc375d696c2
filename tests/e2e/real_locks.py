# SPDX-License-Identifier: BSD-2-Clause
"""Locks of real servers: what the run says of who waits agrees with what the server itself says meanwhile."""

import os
import subprocess

from harness import Process, between, check, need, temporary_directory, test
from recorder import Recorder, report_json
from servers import Postgres, PythonHttp, wrk

CLIENTS, SECONDS, PERIOD_S = 8, 5, 0.05
UPDATE = "UPDATE pgbench_branches SET bbalance = bbalance + 1 WHERE bid = 1;\n"
WAITING = """
    SELECT count(*) FILTER (WHERE wait_event_type = 'Lock' AND wait_event IN ('transactionid', 'tuple')) || '/' || count(*)
    FROM pg_stat_activity WHERE application_name = 'pgbench' AND state <> 'idle in transaction (aborted)'
"""
# Backends of clients are born and end in the run.
BACKENDS = "(SELECT process_id FROM processes WHERE first_ns > 0 AND last_ns IS NOT NULL)"
# Row locks are no futexes: a backend polls its latch, and another one wakes it.
WAITED_SQL = f"""
    SELECT sum(w.time_ns + coalesce(w.handover_ns, 0)) FROM edges e JOIN waits w USING (edge_id) JOIN threads t USING (thread_id)
    JOIN threads k ON k.thread_id = e.waker_thread_id
    WHERE e.state = 'poll' AND t.process_id IN {BACKENDS} AND k.process_id IN {BACKENDS}
"""


class Activity(Process):
    """psql that asks, again and again, how many backends wait for a row that another one has."""

    def __init__(self, server):
        super().__init__("psql", "-h", "127.0.0.1", "-p", str(server.port), "-AtqX", "postgres", stdin=subprocess.PIPE,
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, **server.as_postgres)
        self.child.stdin.write(f"{WAITING} \\watch {PERIOD_S}\n".encode())
        self.child.stdin.flush()

    def share(self):
        """Of the backends that were there, those that waited, over all looks."""
        self.child.terminate()
        looks = [line.split("/") for line in self.child.stdout.read().decode().splitlines() if "/" in line]
        looks = [(int(waiting), int(there)) for waiting, there in looks if int(there) == CLIENTS]
        check(len(looks) >= 20, f"only {len(looks)} looks at pg_stat_activity with all backends there")
        return sum(waiting for waiting, _ in looks) / sum(there for _, there in looks)


@test
def backends_that_update_one_row_wait_for_each_other_as_pg_stat_activity_says():
    need("psql")
    with temporary_directory() as directory, Postgres(directory) as server:
        script = os.path.join(directory, "update.sql")
        with open(script, "w", encoding="utf-8") as file:
            file.write(UPDATE)
        with Recorder(directory, "--port", server.port) as recorder, Activity(server) as activity:
            server.pgbench("-n", "-c", str(CLIENTS), "-T", str(SECONDS), "-f", script)
            said = activity.share()
            run = recorder.stop()
            life_ns = run.value(f"SELECT sum(last_ns - first_ns) FROM processes WHERE process_id IN {BACKENDS}")
            waited_ns = run.value(WAITED_SQL)
    # it says so until the backend has a CPU again, and counts none of their births; what a signal cuts off is not in ours
    between("share of the backends' time that another one ended", waited_ns / life_ns, 0.75 * said, 1.1 * said)


@test
def threads_of_a_python_server_wait_for_the_gil_more_than_for_any_other_lock():
    with temporary_directory() as directory, PythonHttp() as server:
        with Recorder(directory, "--port", server.port) as recorder:
            wrk(server.port, 3)
            run = recorder.stop()
            report = report_json(run.path)
    locks = [lock for lock in report["locks"] if lock["kind"] == "lock"]
    check(locks, f"no lock is named: {report['locks'][:3]}")
    most = max(locks, key=lambda lock: lock["seconds"])
    check(most["gil"] and most["threads"] >= 2, f"the lock that is waited for most is {most}")
