#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""
Clients that each ask one thing at a time, for what wrk and its like cannot do: to think, to read slowly, to connect anew.

usage: client.py [OPTION]... CLIENTS SECONDS [HOST:]PORT REQUEST
  --line             REQUEST is a line, answered by one line (redis); else it is the path of a GET
  --mysql            REQUEST is a statement for MariaDB that returns no rows
  --close            a connection for each request
  --think S          so long between an answer and the next question, on the average
  --rate N           N requests a second by all clients together, however many they are
  --one-at-a-time S  the clients share one lock: one request at a time, and each answer is worked on for S seconds
  --read-rate N      bytes a second that all clients together read
  --udp              REQUEST is a datagram, answered by one
  --also PORT        a server beside the first: the clients take turns to connect to one of them
  --silent           connect, and ask nothing

The last line of its output has what was answered and what failed, and is followed by nothing.
"""

import argparse
import itertools
import random
import socket
import struct
import sys
import threading
import time

PIECE_BYTES = 16384

# of MariaDB: protocol 4.1, by a plug-in, and several statements; the packet's limit, UTF-8, the name, no password
LOG_IN = struct.pack("<IIB23x", 0x00000200 | 0x00008000 | 0x00020000 | 0x00080000, 1 << 24, 33) + b"root\0\0mysql_native_password\0"


def packet(data, number=0):
    return len(data).to_bytes(3, "little") + bytes([number]) + data


class Pace:
    """Whoever passes takes the next place in time; what was not used is not kept."""

    def __init__(self, per_second):
        self.step_s, self.next_s, self.lock = 1 / per_second, 0, threading.Lock()

    def wait(self, amount=1):
        with self.lock:
            place_s = max(self.next_s, time.monotonic())
            self.next_s = place_s + amount * self.step_s
        time.sleep(max(0, place_s - time.monotonic()))


class Client(threading.Thread):
    def __init__(self, options, shared, server):
        super().__init__(daemon=True)
        self.options, self.shared, self.server = options, shared, server
        self.answered = self.failed = 0
        self.socket = self.buffer = None

    def run(self):
        end_s = time.monotonic() + self.options.seconds
        while time.monotonic() < end_s:
            try:
                self.turn()
                self.answered += 1
            except OSError:
                self.failed += 1
                self.disconnect()
                time.sleep(0.01)
        self.disconnect()

    def turn(self):
        if self.shared.rate:
            self.shared.rate.wait()
        if self.options.one_at_a_time is None:
            self.ask()
        else:
            with self.shared.lock:
                self.ask()
                time.sleep(self.options.one_at_a_time)
        if self.options.think:
            time.sleep(random.uniform(0.5, 1.5) * self.options.think)

    def connect(self):
        self.socket = socket.socket(type=socket.SOCK_DGRAM if self.options.udp else socket.SOCK_STREAM)
        if self.shared.reading:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, PIECE_BYTES)
        self.socket.settimeout(self.options.seconds + 5)
        self.socket.connect(self.server)
        if not self.options.udp:
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""
        if self.options.mysql:
            self.log_in()

    def log_in(self):
        """As root, without a password."""
        self.read_packet()
        self.socket.sendall(packet(LOG_IN, 1))
        self.read_packet()

    def disconnect(self):
        if self.socket:
            self.socket.close()
        self.socket = None

    def ask(self):
        if not self.socket:
            self.connect()
        if self.options.silent:
            time.sleep(0.1)
            return
        self.socket.sendall(self.options.message)
        if self.options.udp:
            self.socket.recv(PIECE_BYTES)
        elif self.options.line:
            self.read_until(b"\r\n")
        elif self.options.mysql:
            self.read_packet()
        else:
            self.read_answer()
        if self.options.close:
            self.disconnect()

    def read_answer(self):
        head = self.read_until(b"\r\n\r\n").lower()
        if not head.startswith(b"http/1.1 2") and not head.startswith(b"http/1.0 2"):
            raise OSError("not answered well")
        length = int(head.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
        while length > len(self.buffer):
            length -= len(self.buffer)
            self.buffer = self.read()
        self.buffer = self.buffer[length:]

    def read_packet(self):
        """One of MariaDB's; an error is one too."""
        while len(self.buffer) < 4 or len(self.buffer) < 4 + int.from_bytes(self.buffer[:3], "little"):
            self.buffer += self.read()
        end = 4 + int.from_bytes(self.buffer[:3], "little")
        head, self.buffer = self.buffer[4:end], self.buffer[end:]
        if head[:1] == b"\xff":
            raise OSError(head[9:].decode(errors="replace"))

    def read_until(self, end):
        while end not in self.buffer:
            self.buffer += self.read()
        head, self.buffer = self.buffer.split(end, 1)
        return head + end

    def read(self):
        if self.shared.reading:
            self.shared.reading.wait(PIECE_BYTES)
        piece = self.socket.recv(PIECE_BYTES)
        if not piece:
            raise OSError("the server hung up")
        return piece


class Shared:
    def __init__(self, options):
        self.lock = threading.Lock()
        self.rate = Pace(options.rate) if options.rate else None
        self.reading = Pace(options.read_rate) if options.read_rate else None


def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("--line", action="store_true")
    parser.add_argument("--mysql", action="store_true")
    parser.add_argument("--close", action="store_true")
    parser.add_argument("--udp", action="store_true")
    parser.add_argument("--silent", action="store_true")
    parser.add_argument("--also", type=int, action="append", default=[])
    parser.add_argument("--think", type=float)
    parser.add_argument("--rate", type=float)
    parser.add_argument("--one-at-a-time", type=float)
    parser.add_argument("--read-rate", type=float)
    parser.add_argument("clients", type=int)
    parser.add_argument("seconds", type=float)
    parser.add_argument("server")
    parser.add_argument("request")
    options = parser.parse_args()
    host, _, port = options.server.rpartition(":")
    options.servers = [(host or "127.0.0.1", number) for number in (int(port), *options.also)]
    connection = "close" if options.close else "keep-alive"
    options.message = (
        f"{options.request}\r\n" if options.line
        else f"GET {options.request} HTTP/1.1\r\nHost: localhost\r\nConnection: {connection}\r\n\r\n"
    ).encode()
    if options.mysql:
        options.message = packet(b"\x03" + options.request.encode())
    return options


def main():
    options = parse()
    shared = Shared(options)
    servers = itertools.islice(itertools.cycle(options.servers), options.clients)
    clients = [Client(options, shared, server) for server in servers]
    start_s = time.monotonic()
    for client in clients:
        client.start()
    for client in clients:
        client.join(max(0, start_s + options.seconds - time.monotonic()) + 0.5)
    seconds = time.monotonic() - start_s
    answered, failed = sum(client.answered for client in clients), sum(client.failed for client in clients)
    print(f"{answered / seconds:.1f} answers per second, {answered} answered, {failed} failed")
    return 0 if answered or options.silent else 1


if __name__ == "__main__":
    sys.exit(main())
