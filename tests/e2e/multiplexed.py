# SPDX-License-Identifier: BSD-2-Clause
"""Connections whose requests cannot be told apart from outside are marked, and their requests are no number."""

import socket
import sys

from exchange import RequestServer, ask, flows
from harness import between, check, equal, temporary_directory, test
from loads import Http2Nginx, h2load, redis_benchmark
from recorder import Recorder, report_json
from servers import Redis, Server, free_port


def check_marked(run, reasons, count, answered):
    """That many connections are marked, for one of the reasons, and hardly a request was counted before they were."""
    marked = run.rows("SELECT * FROM connections WHERE multiplexed IS NOT NULL")
    between("marked connections", len(marked), count, count)
    check({row["multiplexed"] for row in marked} <= reasons, f"they are marked for {reasons}: {marked[0]}")
    equal("requests of marked connections", {row["requests"] for row in marked}, {None})
    flow = flows(run)
    # of requests that were begun before; one that never left would be in flight to the end
    between("mean requests in flight", flow.traffic("in_flight_ns") / run.end_ns(), 0, 0.5 * count)
    check(flow.traffic("multiplexed_reads") > 0, "their reads are counted")
    check(flow.count("queue") > 0, "they have a time in the receive queue")
    between("requests counted before", flow.traffic("requests"), 0, 0.1 * answered)


@test
def a_pipelined_client_is_marked():
    with temporary_directory() as directory, RequestServer(directory, mode="epoll") as server:
        with Recorder(directory, "-p", server.pid) as recorder:
            truth = ask(server, connections=4, requests=3200, depth=16)
            run = recorder.stop()
            check_marked(run, {"batch", "overlap"}, 4, truth["answered"])
            level = report_json(run.path)["total"]
            for name in ("throughput_rps", "in_flight", "in_flight_little"):
                equal(f"{name} in the report", level[name], None)


@test
def requests_that_come_while_others_are_served_are_marked():
    # four single segments, 1 ms apart, of which each takes 5 ms to answer
    with temporary_directory() as directory, RequestServer(directory, mode="threads", sleep_us=5000) as server:
        with Recorder(directory, "-p", server.pid) as recorder:
            ask(server, connections=2, requests=400, depth=4, pieces=4, piece_gap_us=1000)
            run = recorder.stop()
            marked = run.rows("SELECT * FROM connections WHERE multiplexed IS NOT NULL")
            equal("marked connections", len(marked), 2)
            equal("requests of marked connections", {row["requests"] for row in marked}, {None})


@test
def a_pipelined_connection_leaves_the_others_as_they_are():
    with temporary_directory() as directory, RequestServer(directory, mode="epoll") as server:
        with Recorder(directory, "-p", server.pid) as recorder:
            ask(server, connections=2, requests=1600, depth=16)
            truth = ask(server, connections=3, requests=50)
            run = recorder.stop()
            rows = flows(run).connections()
            plain = [row for row in rows if row["multiplexed"] is None]
            equal("connections", len(rows), 5)
            equal("requests of those that are not marked", [row["requests"] for row in plain], [50] * 3)
            equal("requests of their client", truth["answered"], 150)


@test
def one_odd_client_leaves_the_run_its_numbers():
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    with temporary_directory() as directory, RequestServer(directory, mode="epoll", request=len(preface)) as server:
        with Recorder(directory, "-p", server.pid) as recorder:
            with socket.create_connection(("127.0.0.1", server.port), 5) as odd:
                odd.sendall(preface)
                check(odd.recv(4096), "the server answers")
            truth = ask(server, connections=3, requests=100)
            run = recorder.stop()
            report = report_json(run.path)
            level, flow = report["total"], report["connections"][0]
            equal("marked connections", run.value("SELECT count(*) FROM connections WHERE multiplexed = 'http2'"), 1)
            equal("answers to the others", truth["answered"], 300)
            equal("requests", flow["requests"], 300)
            equal("what is left out", level["multiplexed"], {"connections": 1, "reads": 1})
            between("requests per second", level["throughput_rps"] * run.end_ns() / 1e9, 299, 301)
            in_flight = level["in_flight_little"]
            between("requests in flight", level["in_flight"], 0.95 * in_flight, 1.05 * in_flight)


@test
def redis_benchmark_with_pipelines_is_marked_and_without_is_not():
    with temporary_directory() as directory, Redis(directory) as server:
        with Recorder(directory, "--port", server.port) as recorder:
            redis_benchmark(server.port, 8, 100_000, pipeline=16)
            run = recorder.stop()
            check_marked(run, {"batch", "overlap"}, 8, 100_000)
        with Recorder(directory, "--port", server.port, name="plain.db") as recorder:
            redis_benchmark(server.port, 8, 20_000)
            run = recorder.stop()
            equal("marked connections", run.value("SELECT count(*) FROM connections WHERE multiplexed IS NOT NULL"), 0)


@test
def http2_is_marked_by_its_name():
    with temporary_directory() as directory, Http2Nginx(directory) as server:
        with Recorder(directory, "--port", server.port) as recorder:
            h2load(server.port, 4, 20_000, streams=10)
            run = recorder.stop()
            check_marked(run, {"http2"}, 4, 20_000)


@test
def http2_that_was_open_before_the_recording_is_marked_too():
    with temporary_directory() as directory, Http2Nginx(directory) as server, Http2Client(server.port) as client:
        client.ask(20)
        with Recorder(directory, "--port", server.port) as recorder:
            client.ask(200)
            run = recorder.stop()
            check_marked(run, {"http2"}, 1, 200)


class Http2Client:
    """Asks one thing at a time on one connection, with frames of RFC 9113 and the static table of RFC 7541."""

    PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    FIELDS = b"\x82\x86\x84\x01\x01x"  # GET, http, /, and the authority "x"

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), 5)
        self.stream = 1
        self.unread = b""
        self.socket.sendall(self.PREFACE + self.frame(4, 0, 0, b""))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    @staticmethod
    def frame(kind, flags, stream, payload):
        return len(payload).to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big") + payload

    def read_frame(self):
        while len(self.unread) < 9 or len(self.unread) < 9 + int.from_bytes(self.unread[:3], "big"):
            got = self.socket.recv(65536)
            check(got, "the server closed the connection")
            self.unread += got
        end = 9 + int.from_bytes(self.unread[:3], "big")
        kind, flags, stream = self.unread[3], self.unread[4], int.from_bytes(self.unread[5:9], "big")
        self.unread = self.unread[end:]
        return kind, flags, stream

    def ask(self, times):
        for _ in range(times):
            self.socket.sendall(self.frame(1, 0x5, self.stream, self.FIELDS))
            while True:
                kind, flags, stream = self.read_frame()
                check(kind not in (3, 7), "the server refused the stream")
                if stream == self.stream and flags & 1:  # END_STREAM, on its headers or its data
                    break
            self.stream += 2


class Upgrading(Server):
    """Takes any HTTP request for one to change the protocol, and then sends back what comes, twice."""

    SCRIPT = """
import socket, sys, threading
def serve(connection):
    if not connection.recv(4096):
        return
    connection.sendall(b"HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: echo\\r\\nConnection: Upgrade\\r\\n\\r\\n")
    while data := connection.recv(4096):
        connection.sendall(data)
        connection.sendall(data)
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
"""

    def __init__(self):
        port = free_port()
        super().__init__(port, sys.executable, "-c", self.SCRIPT, str(port))


@test
def a_connection_that_changes_its_protocol_is_marked():
    with temporary_directory() as directory, Upgrading() as server:
        with Recorder(directory, "--port", server.port) as recorder:
            with socket.create_connection(("127.0.0.1", server.port), 5) as client:
                client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
                client.recv(4096)
                for number in range(20):
                    client.sendall(b"message %d" % number)
                    client.recv(4096)
            run = recorder.stop()
            marked = run.rows("SELECT * FROM connections WHERE multiplexed IS NOT NULL")
            equal("marked connections", [row["multiplexed"] for row in marked], ["upgraded"])
            equal("requests of the connection", marked[0]["requests"], None)
