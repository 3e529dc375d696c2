# SPDX-License-Identifier: BSD-2-Clause
"""Very many connections, very many requests, and clients that mean harm."""

import contextlib
import random
import resource
import socket
import struct
import threading

from exchange import RequestServer, check_count, flows, kept, settle, waiting_client
from harness import Skip, between, check, equal, temporary_directory, test, wait_until
from loads import BigNginx, Demo, wrk
from probes import objects, objects_of
from recorder import Recorder

CONNECTIONS = 10_000
# Some 100 MiB as for any run. A connection is listed with 320 bytes, and the recorder keeps what it last wrote of it beside
# that: at a kibibyte for each of 10,000, with room to grow, that is 16 MiB more.
RSS_BYTES = (112 + 32) << 20


@contextlib.contextmanager
def recorder_that_leaves_nothing(*arguments, **options):
    """A recorder, none of whose BPF objects is there after its end; others may come and go on this machine meanwhile."""
    with Recorder(*arguments, **options) as recorder:
        held = objects_of(recorder.pid)
        check({kind for kind, _ in held} == {"prog", "map", "link"}, f"its BPF objects are {held}")
        yield recorder
    # the kernel frees them a moment after their last user is gone
    wait_until("its BPF objects are gone", lambda: not held & objects())


def check_rss(run):
    rss_bytes = run.value("SELECT max(collector_rss_bytes) FROM costs")
    between("resident bytes of the recorder", rss_bytes, 1 << 20, RSS_BYTES)


@test
def ten_thousand_connections_are_followed_in_bounded_memory():
    if resource.getrlimit(resource.RLIMIT_NOFILE)[1] < CONNECTIONS + 100:
        raise Skip(f"the limit of open files is below {CONNECTIONS}")
    with temporary_directory() as directory, RequestServer(directory, mode="epoll", backlog=4096) as server:
        with recorder_that_leaves_nothing(directory, "-p", server.pid, interval="1s") as recorder:
            crowd = {"connections": CONNECTIONS, "requests": 3, "mode": "sweep", "sources": 16}
            with waiting_client(server, **crowd, think_us=500_000, hold_us=1_200_000) as client:
                client.go()
                truth = client.truth(60)
                settle(server)
            recorder.stop()
        run = kept(recorder)
        flow = check_count(run, server, truth)
        equal("connections opened", flow.traffic("opened"), CONNECTIONS)
        equal("connections closed", flow.traffic("closed"), CONNECTIONS)
        equal("rows of connections", len(flow.connections()), CONNECTIONS)
        equal("different addresses of clients", len({row["peer"].split(":")[0] for row in flow.connections()}), 16)
        equal("rows with all requests", sum(row["requests"] == 3 for row in flow.connections()), CONNECTIONS)
        check_rss(run)


@test
def many_thousand_requests_per_second_are_counted_in_bounded_memory():
    with temporary_directory() as directory, BigNginx(directory) as server:
        with recorder_that_leaves_nothing(directory, "--port", server.port, interval="1s") as recorder:
            load = wrk(directory, server.port, 64, 4)
            run = recorder.stop()
            requests = flows(run).traffic("requests")
            between("requests", requests, load.answered, load.answered + load.unfinished)
            check_rss(run)


# Clients that mean harm


def connect(port):
    return socket.create_connection(("127.0.0.1", port), 5)


def noise(port, random_bytes):
    """Binary nonsense."""
    with connect(port) as client:
        client.sendall(random_bytes(random.randrange(1, 4000)))


def flood(port, random_bytes):
    """A head without an end, far above any limit."""
    with connect(port) as client:
        client.sendall(b"GET /infer HTTP/1.1\r\nX: " + random_bytes(1 << 20))


def half_a_request(port, _):
    """A request that breaks off, and a client that is gone."""
    with connect(port) as client:
        client.sendall(b"POST /infer HTTP/1.1\r\nHost: x\r\nContent-Length: 784\r\n\r\n" + b"0" * 300)


def half_closed(port, _):
    """A client that says it is done before it has asked anything, and one that asks and says so."""
    with connect(port) as client:
        client.shutdown(socket.SHUT_WR)
    with connect(port) as client:
        client.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        client.shutdown(socket.SHUT_WR)
        client.recv(4096)


def reset_in_the_middle(port, _):
    with connect(port) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.sendall(b"GET /infer HTTP/1.1\r\nHost: x\r\n\r\n")


def byte_by_byte(port, _):
    with connect(port) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n":
            client.sendall(bytes((byte,)))
        client.recv(4096)


def urgent(port, _):
    with connect(port) as client:
        client.send(b"G", socket.MSG_OOB)
        client.sendall(b"ET / HTTP/1.1\r\n\r\n")


def preface_and_nonsense(port, random_bytes):
    """What begins as HTTP/2 and goes on as nothing."""
    with connect(port) as client:
        client.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + random_bytes(500))


def pipeline_without_reading(port, _):
    with connect(port) as client:
        client.settimeout(0.2)
        client.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n" * 500)


ATTACKS = (
    noise,
    flood,
    half_a_request,
    half_closed,
    reset_in_the_middle,
    byte_by_byte,
    urgent,
    preface_and_nonsense,
    pipeline_without_reading,
)


class Attackers:
    """Threads that go through all attacks again and again until the end of the with block."""

    def __init__(self, port, count=4):
        self.stop, self.done = threading.Event(), dict.fromkeys(ATTACKS, 0)
        self.threads = [threading.Thread(target=self.attack, args=(port, number)) for number in range(count)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        for thread in self.threads:
            thread.join()

    def attack(self, port, number):
        random_bytes = random.Random(number).randbytes
        while not self.stop.is_set():
            for each in ATTACKS:
                with contextlib.suppress(OSError):  # the server may hang up on it
                    each(port, random_bytes)
                self.done[each] += 1


@test
def clients_that_mean_harm_disturb_neither_the_server_nor_the_recording():
    with temporary_directory() as directory, Demo("--hidden", 16) as server:
        half_open = [connect(server.port) for _ in range(50)]  # and they never say a word
        try:
            with recorder_that_leaves_nothing(directory, "--port", server.port) as recorder:
                with Attackers(server.port) as attackers:
                    load = wrk(directory, server.port, 8, 4, path="/infer")  # which sees no error
                recorder.stop()  # with status 0, its laws and no loss that matters
        finally:
            for client in half_open:
                client.close()
        run = kept(recorder)
        equal("status of the server", server.child.poll(), None)
        check(min(attackers.done.values()) > 3, f"all attacks were made: {attackers.done}")
        flow = flows(run)
        check(flow.traffic("requests") >= load.answered, "the requests of the honest client are there")
        check(flow.traffic("resets_in") > 0, "resets are counted")
        check(run.value("SELECT count(*) FROM connections WHERE ending = 'reset_in'") > 0, "and on which connections")
        check_rss(run)
        check_sane(run)


def check_sane(run):
    """No number that only an overflow could have brought about."""
    length_ns = run.end_ns()
    for row in run.rows("SELECT stage, count, total_ns FROM request_stages"):
        between(f"time in {row['stage']}", row["total_ns"], 0, row["count"] * length_ns, "ns")
    for column in ("requests", "unanswered", "reads", "writes", "in_bytes", "out_bytes", "opened", "send_full_ns"):
        lowest, highest = run.rows(f"SELECT min({column}) AS low, max({column}) AS high FROM traffic")[0].values()
        between(f"lowest {column}", lowest, 0, highest)
        between(f"highest {column}", highest, 0, 1 << 50)
    state_ns, highest_ns = (
        run.value(f"SELECT {function}(time_ns) FROM request_states") or 0 for function in ("min", "max")
    )
    between("shortest time in a state", state_ns, 0, highest_ns, "ns")
    for row in run.rows("SELECT * FROM connections"):
        check(row["last_ns"] is None or row["last_ns"] >= row["first_ns"], f"it ended before it began: {row}")
