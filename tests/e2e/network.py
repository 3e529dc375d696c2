# SPDX-License-Identifier: BSD-2-Clause
"""The health of TCP: losses, slow readers, full queues, resets."""

import functools
import os
import subprocess
import sys
import time

from exchange import RequestServer, ask, check_count, flows, settle, waiting_client
from harness import MS, SLOWNESS, Process, between, cases, check, equal, temporary_directory, test
from netns import Cable, Namespace
from recorder import Recorder
from servers import free_port


def counted(run, counter):
    return run.value("SELECT coalesce(sum(count), 0) FROM network_counters WHERE counter = ?", counter)


def growth(after, before, *counter):
    return after[counter] - before[counter]


# Losses


ADDRESSES = {"tcp4": "10.77.0.1", "tcp6": "fd77::1"}
PEERS = {"tcp4": "10.77.0.2:", "tcp6": "[fd77::2]:"}


def check_retransmits(transport):
    with temporary_directory() as directory, Cable() as cable:
        with cable.server.inside():
            server = RequestServer(
                directory, transport=transport, address=ADDRESSES[transport], mode="threads", answer=200_000
            )
        with server:
            cable.drop_data_to_client(5)
            with cable.client.inside():
                client = waiting_client(server, connections=4, requests=60)
            with client, Recorder(directory, "-p", server.pid) as recorder:
                before = cable.server.counters()
                client.go()
                truth = client.truth()
                run = recorder.stop()
                after = cable.server.counters()
                flow = check_count(run, server, truth)
                again = growth(after, before, "Tcp", "RetransSegs")
                check(again > 20, f"the line lost something: {again} segments were sent again")
                equal("segments sent again, of the flow", flow.traffic("retransmits"), again)
                rows = flow.connections()
                equal("segments sent again, of the connections", sum(row["retransmits"] for row in rows), again)
                equal("segments sent again, by the kernel's counters in the run", counted(run, "RetransSegs"), again)
                check_tcp(rows, transport, truth)


def check_tcp(rows, transport, truth):
    equal("connections", len(rows), truth["opened"])
    for row in rows:
        check(row["peer"].startswith(PEERS[transport]), f"its peer is the client: {row['peer']}")
        check(row["local"].startswith(PEERS[transport].replace("2:", "1:").replace("2]", "1]")), f"{row['local']}")
        check(0 < row["min_rtt_ns"] <= row["srtt_ns"] < 500 * MS * SLOWNESS, f"it has round trips: {row}")
        check(row["out_segments"] * 1448 * 1.2 > row["out_bytes"], f"segments hold its bytes: {row}")
        check(row["in_segments"] > 0, f"it has received something: {row}")
        # where a segment with the end is lost, our side may not have closed yet when the recording stops
        check(row["state_changes"] >= 1, f"its end was seen: {row}")


@cases
def segments_that_a_bad_line_loses():
    for transport in ADDRESSES:
        sentence = f"retransmits on {transport} between two namespaces are those that the kernel counts"
        yield sentence, functools.partial(check_retransmits, transport)


@test
def between_namespaces_without_loss_nothing_is_sent_again():
    with temporary_directory() as directory, Cable() as cable:
        with cable.server.inside():
            server = RequestServer(directory, transport="tcp6", address=ADDRESSES["tcp6"], mode="epoll")
        with server:
            with cable.client.inside():
                client = waiting_client(server, connections=8, requests=100)
            with client, Recorder(directory, "-p", server.pid) as recorder:
                client.go()
                truth = client.truth()
                run = recorder.stop()
                flow = check_count(run, server, truth)
                equal("segments sent again", flow.traffic("retransmits"), 0)


# Slow readers


def check_slow_reader(mode):
    # the client reads 3 MB in steps of 32 KiB with 5 ms in between; the server's buffer and its own hold a little of that
    with temporary_directory() as directory:
        with RequestServer(directory, mode=mode, answer=3_000_000, send_buffer=32_768) as server:
            with Recorder(directory, "-p", server.pid) as recorder:
                truth = ask(server, connections=1, requests=3, receive_buffer=16_384, step=32_768, step_us=5000)
                run = recorder.stop()
                flow = check_count(run, server, truth)
                waited_ns = truth["sum_ns"]
                check(waited_ns > 1000 * MS, "the client took its time")
                between("time with a full buffer", flow.traffic("send_full_ns"), 0.7 * waited_ns, waited_ns, "ns")
                check(flow.traffic("send_full") > 0, "the times that it was full are counted")
                row = flow.connections()[0]
                between("of the connection", row["send_full_ns"], 0.7 * waited_ns, waited_ns, "ns")
                held_ns = row["zero_window_ns"] + row["send_limited_ns"]
                between("held back by a window or the buffer", held_ns, 0.5 * waited_ns, 1.1 * waited_ns, "ns")
                check(row["zero_window_ns"] > 0.3 * waited_ns, f"mostly by the client's window: {row}")


@cases
def a_slow_reader():
    for mode in ("threads", "epoll"):
        sentence = f"a slow reader of a server in mode {mode} shows as a full send buffer and a closed window"
        yield sentence, functools.partial(check_slow_reader, mode)


@test
def a_fast_reader_shows_as_neither():
    with temporary_directory() as directory, RequestServer(directory, mode="threads", sleep_us=1000) as server:
        with Recorder(directory, "-p", server.pid) as recorder:
            truth = ask(server, connections=4, requests=50)
            flow = check_count(recorder.stop(), server, truth)
            equal("time with a full buffer", flow.traffic("send_full_ns"), 0)
            equal("times that it was full", flow.traffic("send_full"), 0)


# Listeners


@test
def a_backlog_of_4_under_64_clients_overflows():
    with temporary_directory() as directory, Namespace() as namespace, namespace.inside():
        with RequestServer(directory, mode="one", backlog=4, accept_delay_us=400_000) as server:
            with waiting_client(server, connections=64, requests=1) as client:
                with Recorder(directory, "-p", server.pid) as recorder:
                    before = namespace.counters()
                    client.go()
                    time.sleep(1.5 * SLOWNESS)  # most of them now wait longer and longer before they try again
                    client.end()
                    run = recorder.stop()
                    after = namespace.counters()
                    check_overflow(run, server, after, before)


def check_overflow(run, server, after, before):
    rows = run.rows("SELECT * FROM listeners")
    equal("listeners", {row["address"] for row in rows}, {f"127.0.0.1:{server.port}"})
    equal("room in the backlog", {row["backlog_max"] for row in rows}, {4})
    between("highest fill", max(row["backlog_highest"] for row in rows), 5, 6)
    between("fill when it was looked at", max(row["backlog"] for row in rows), 1, 6)
    dropped = growth(after, before, "TcpExt", "ListenDrops")
    check(dropped > 20, f"most of the clients were turned away: {dropped}")
    # of the last packet of a handshake the kernel counts the packet, too
    between("attempts dropped", sum(row["drops"] for row in rows), dropped, 1.5 * dropped)
    overflows = growth(after, before, "TcpExt", "ListenOverflows")
    equal("overflows by the kernel's counters in the run", counted(run, "ListenOverflows"), overflows)


@test
def a_backlog_with_room_drops_nothing():
    with temporary_directory() as directory, RequestServer(directory, mode="epoll", backlog=128) as server:
        with Recorder(directory, "-p", server.pid) as recorder:
            ask(server, connections=64, requests=5)
            run = recorder.stop()
            rows = run.rows("SELECT * FROM listeners")
            check(rows, "there is a listener")
            equal("attempts dropped", sum(row["drops"] for row in rows), 0)
            between("highest fill", max(row["backlog_highest"] for row in rows), 0, 65)


# Ends


@test
def a_client_that_resets_is_told_from_one_that_closes():
    with temporary_directory() as directory, RequestServer(directory, mode="epoll") as server:
        with Recorder(directory, "-p", server.pid) as recorder:
            ask(server, connections=5, requests=10, reset=1)
            ask(server, connections=3, requests=10)
            settle(server)
            run = recorder.stop()
            flow = flows(run, pid=server.pid)
            endings = [row["ending"] for row in flow.connections()]
            equal("reset by the client", endings.count("reset_in"), 5)
            equal("closed by the client", endings.count("peer"), 3)
            equal("resets in the traffic", flow.traffic("resets_in"), 5)


@test
def a_server_that_closes_first_is_told_apart():
    with temporary_directory() as directory, RequestServer(directory, mode="epoll") as server:
        with Recorder(directory, "-p", server.pid) as recorder:
            ask(server, connections=4, requests=10, hang_up=1)
            settle(server)
            run = recorder.stop()
            equal("endings", {row["ending"] for row in flows(run, pid=server.pid).connections()}, {"local"})


class Knocker(Process):
    """Connects to a port again and again, where nobody listens, when told to."""

    SCRIPT = """
import socket, sys
sys.stdin.readline()
for _ in range(int(sys.argv[2])):
    try:
        socket.create_connection(("127.0.0.1", int(sys.argv[1])))
    except ConnectionRefusedError:
        pass
print("done", flush=True)
sys.stdin.readline()
"""

    def __init__(self, port, times):
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        super().__init__(sys.executable, "-c", self.SCRIPT, str(port), str(times), **pipes)

    def knock(self):
        self.child.stdin.write(b"go\n")
        self.child.stdin.flush()
        equal("its word", self.child.stdout.readline(), b"done\n")


@test
def connections_that_are_refused_are_counted_as_failed_by_peer():
    port = free_port()
    with temporary_directory() as directory, Knocker(port, 20) as knocker:
        with Recorder(directory, "-p", knocker.pid) as recorder:
            knocker.knock()
            run = recorder.stop()
            flow = flows(run, role="downstream", endpoint=f"127.0.0.1:{port}")
            equal("failed connects", flow.traffic("connect_failures"), 20)
            equal("opened connections", flow.traffic("opened"), 0)


@test
def the_namespace_of_a_counter_is_that_of_the_target():
    with temporary_directory() as directory, Namespace() as namespace:
        with namespace.inside():
            server = RequestServer(directory, mode="epoll")
            inode = os.stat("/proc/thread-self/ns/net").st_ino
        with server, Recorder(directory, "-p", server.pid) as recorder:
            before = namespace.counters()
            with namespace.inside():
                ask(server, connections=2, requests=10, reset=1)
            settle(server)
            run = recorder.stop()
            after = namespace.counters()
            seen = {row["namespace"] for row in run.rows("SELECT namespace FROM network_counters")}
            equal("namespaces", seen, {inode})
            resets = growth(after, before, "Tcp", "EstabResets")
            check(resets >= 2, f"both connections were reset: {resets}")
            equal("connections reset in it", counted(run, "EstabResets"), resets)
