# SPDX-License-Identifier: BSD-2-Clause
"""Start request_server and request_client, and ask a run what it has on requests."""

import contextlib
import os

from harness import SECOND, Skip, check, equal, wait_until
from runfile import Run
from workload import Workload

CALLS = ("read", "recv", "recvfrom", "recvmsg", "readv", "recvmmsg", "sendfile", "splice")
BLOCKING, EVENTED = ("one", "threads"), ("epoll", "edge", "workers")
MODES = (*BLOCKING, *EVENTED, "uring")
TRANSPORTS = ("tcp4", "tcp6", "unix")
TCP_LISTEN, TCP_TIME_WAIT = "0A", "06"  # as /proc/net/tcp has them


def settings(**values):
    return [f"{name}={value}" for name, value in values.items() if value is not None]


class RequestServer(Workload):
    """request_server, serving. `where` is what clients need to find it."""

    def __init__(self, directory, transport="tcp4", **values):
        self.transport = transport
        self.mode = values.get("mode")
        self.path = None
        if transport == "unix":
            RequestServer.paths = getattr(RequestServer, "paths", 0) + 1
            self.path = f"{directory}/socket-{RequestServer.paths}"
        self.sizes = {name: values[name] for name in ("request", "answer") if name in values}
        super().__init__("request_server", *settings(transport=transport, path=self.path, **values))
        self.port = self.ready["port"]
        self.where = {"transport": transport, "port": self.port, "path": self.path, **self.sizes}
        if "address" in values:
            self.where["address"] = values["address"]

    def __enter__(self):
        if self.ready["skipped"]:
            self.end()
            raise Skip(f"this kernel does not let us: {self.ready['skipped']}")
        return self

    def backend_settings(self):
        """What another server needs to have this one as its backend."""
        return {f"backend_{name}": self.where.get(name) for name in ("transport", "port", "path", "address")}

    def stop(self):
        """Its truth so far; it goes on serving until the with block ends."""
        self.go()
        return self.truth()

    @property
    def endpoint(self):
        """As the run file calls it."""
        return self.path if self.transport == "unix" else f":{self.port}"


def ask(server, limit_s=60, **values):
    """Run a client against the server to its end: its truth."""
    try:
        with Workload("request_client", *settings(**{**server.where, **values})) as client:
            client.go()
            return client.truth(limit_s)
    except AssertionError as error:
        raise AssertionError(f"{error}; status of the server in mode {server.mode}: {server.child.poll()}") from None


def socket_count(pid):
    """Descriptors of sockets that a process has."""

    def is_socket(fd):
        try:
            return os.readlink(f"/proc/{pid}/fd/{fd}").startswith("socket:")
        except FileNotFoundError:  # closed since
            return False

    return sum(map(is_socket, os.listdir(f"/proc/{pid}/fd")))


def has_connections(server):
    """True while the kernel has a TCP socket at the server's port that is not at its end."""
    for name in ("tcp", "tcp6"):
        with contextlib.suppress(FileNotFoundError), open(f"/proc/{server.pid}/net/{name}", encoding="ascii") as file:
            for line in file.readlines()[1:]:
                _, local, _, state, *_ = line.split()
                if int(local.rsplit(":", 1)[1], 16) == server.port and state not in (TCP_LISTEN, TCP_TIME_WAIT):
                    return True
    return False


def is_at_rest(pid):
    """True if each of its threads sleeps: what a call that closes a descriptor does comes after that is gone from the list."""
    for task in os.listdir(f"/proc/{pid}/task"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError), open(f"/proc/{pid}/task/{task}/stat", encoding="utf-8") as stat:
            if stat.read().rsplit(")", 1)[1].split()[0] in "RD":
                return False
    return True


def settle(server):
    """Wait until the server has closed what its clients have, which it does after them, and the kernel has too."""
    wait_until("the server has only its listener left", lambda: socket_count(server.pid) == 1)
    wait_until("the kernel has none of its connections left", lambda: not has_connections(server), step_s=0.05)
    wait_until("the server rests", lambda: is_at_rest(server.pid))


def waiting_client(server, **values):
    """A client that is set up and waits for go()."""
    return Workload("request_client", *settings(**{**server.where, **values}))


# What a run has


def kept(recorder):
    """The run of a recorder that has ended, for after its with block: the file stays readable when it is removed."""
    return Run(recorder.path)


class Flow:
    """The sums over the run of one flow, or of several that have the same role."""

    def __init__(self, run, flow_ids):
        check(flow_ids, f"there is no such flow; there are {run.rows('SELECT * FROM flows')}")
        self.run, self.ids = run, ",".join(map(str, flow_ids))

    def traffic(self, column):
        """The sum of a column of `traffic`; None if it is null in any interval."""
        row = self.run.rows(
            f"SELECT sum({column}) AS total, sum({column} IS NULL) AS nulls FROM traffic WHERE flow_id IN ({self.ids})"
        )[0]
        return None if row["nulls"] else row["total"] or 0

    def count(self, stage):
        return self.stage(stage, "count")

    def sum_ns(self, stage):
        return self.stage(stage, "total_ns")

    def mean_ns(self, stage):
        return self.sum_ns(stage) / max(1, self.count(stage))

    def stage(self, stage, column):
        return self.run.value(
            f"SELECT coalesce(sum({column}), 0) FROM request_stages WHERE stage = ? AND flow_id IN ({self.ids})", stage
        )

    def slots(self, stage):
        return self.run.rows(
            "SELECT low_ns, high_ns, sum(count) AS count FROM requests"
            f" WHERE stage = ? AND flow_id IN ({self.ids}) GROUP BY low_ns ORDER BY low_ns",
            stage,
        )

    def percentile_ns(self, stage, share):
        """The middle of the slot in which it lies."""
        slots = self.slots(stage)
        rank, seen = share * sum(slot["count"] for slot in slots), 0
        for slot in slots:
            seen += slot["count"]
            if seen >= rank:
                return (slot["low_ns"] + slot["high_ns"]) / 2
        return None

    def states(self):
        """The budget: nanoseconds by state, over all requests that have one."""
        rows = self.run.rows(
            f"SELECT state, sum(time_ns) AS time_ns FROM request_states WHERE flow_id IN ({self.ids}) GROUP BY state"
        )
        return {row["state"]: row["time_ns"] for row in rows}

    def connections(self):
        return self.run.rows(f"SELECT * FROM connections WHERE flow_id IN ({self.ids}) ORDER BY connection_id")


def flows(run, role="server", pid=None, endpoint=None):
    """The flows of a role, of a process, at an endpoint, together."""
    rows = run.rows(
        "SELECT flow_id FROM flows JOIN processes USING (process_id)"
        " WHERE role = ?1 AND (?2 IS NULL OR pid = ?2) AND (?3 IS NULL OR endpoint = ?3)",
        role,
        pid,
        endpoint,
    )
    return Flow(run, [row["flow_id"] for row in rows])


def check_count(run, server, truth):
    """As many requests as the client was answered, each with its stages, on the flow of the server's endpoint."""
    flow = flows(run, pid=server.pid, endpoint=server.endpoint)
    equal("failed requests of the client", truth["failed"], 0)
    equal("requests", flow.traffic("requests"), truth["answered"])
    for stage in ("queue", "service", "total"):
        equal(f"requests with a stage '{stage}'", flow.count(stage), truth["answered"])
    equal("reads of connections that are multiplexed", flow.traffic("multiplexed_reads"), 0)
    return flow


def check_histogram(flow, stage):
    """The slots hold as many as were counted, and their middles add up to the exact sum within the error of a slot."""
    slots = flow.slots(stage)
    equal(f"requests in the histogram of {stage}", sum(slot["count"] for slot in slots), flow.count(stage))
    middle_ns = sum(slot["count"] * (slot["low_ns"] + slot["high_ns"]) / 2 for slot in slots)
    exact_ns = flow.sum_ns(stage)
    check(
        abs(middle_ns - exact_ns) <= exact_ns / 64 + flow.count(stage),
        f"the histogram of {stage} adds up to {middle_ns:.0f} ns, not within 1/64 of {exact_ns} ns",
    )


def in_flight(run, flow):
    """Mean number of requests in flight: as it was counted, and by Little's law."""
    length_ns = run.value("SELECT sum(end_ns - start_ns) FROM intervals")
    counted_ns = flow.traffic("in_flight_ns")
    check(counted_ns is not None, "the number in flight is null")
    return counted_ns / length_ns, flow.sum_ns("total") / length_ns


def per_second(count, truth):
    return count * SECOND / truth["duration_ns"]


@contextlib.contextmanager
def servers(directory, rows):
    """Several at once: rows of settings. A row that this kernel cannot serve gives the Skip in its place."""
    with contextlib.ExitStack() as stack:
        started = []
        for row in rows:
            try:
                started.append(stack.enter_context(RequestServer(directory, **row)))
            except Skip as reason:
                started.append(reason)
        yield started
