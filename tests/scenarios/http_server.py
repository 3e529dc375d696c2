#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""
An HTTP server of Python threads, one for each connection or a pool of them, that does one kind of work in each request.

usage: http_server.py [OPTION]... PORT
  --threads N      a pool of N threads, each of which has one connection until it is closed or waits for the next (one per connection)
  --processes N    so many processes that listen to the same port (1)
  --compute MS     compute in Python for MS milliseconds of CPU time
  --backend PORT   ask the HTTP server on PORT, over a connection for each thread
  --connections N  over one of N that are opened first, and wait for one that is free
  --answer BYTES   size of an answer (100)
  --device PATH... each thread has one of these devices: it writes a byte, and reads one when the device is done
"""

import argparse
import http.client
import os
import select
import socket
import threading
import time
from queue import Queue

from loops import loops_per_s


class Server:
    def __init__(self, options, listener):
        self.options, self.listener = options, listener
        self.body = b"." * options.answer
        self.head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(self.body)
        self.local = threading.local()
        self.connections = Queue()
        for _ in range(options.connections):
            self.connections.put(self.connect())
        self.devices = Queue()
        for path in options.device:
            self.devices.put(os.open(path, os.O_RDWR | os.O_NOCTTY))

    def work(self):
        if self.options.compute:
            self.compute(self.options.compute / 1000)
        if self.options.backend:
            self.ask_backend()
        if self.options.device:
            self.use_device()

    def compute(self, seconds):
        """So much work as takes the CPU that long when it is alone."""
        for _ in range(int(seconds * self.options.loops_per_s)):
            pass

    def connect(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.options.backend)
        connection.connect()
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def ask_backend(self):
        if not self.options.connections and not hasattr(self.local, "backend"):
            self.local.backend = self.connect()
        connection = self.connections.get() if self.options.connections else self.local.backend
        connection.request("GET", "/infer")
        connection.getresponse().read()
        if self.options.connections:
            self.connections.put(connection)

    def use_device(self):
        if not hasattr(self.local, "device"):
            self.local.device = self.devices.get()
        os.write(self.local.device, b"x")
        os.read(self.local.device, 1)

    def serve_one(self, connection):
        """False: the client has hung up."""
        request = b""
        while b"\r\n\r\n" not in request:
            piece = connection.recv(4096)
            if not piece:
                return False
            request += piece
        self.work()
        connection.sendall(self.head + self.body)
        return True

    def serve_all(self, connection):
        try:
            while self.serve_one(connection):
                pass
        except OSError:
            pass
        connection.close()

    def accept(self):
        connection, _ = self.listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def run_thread_per_connection(self):
        while True:
            threading.Thread(target=self.serve_all, args=(self.accept(),), daemon=True).start()

    def run_pool(self):
        """One thread watches the connections, and hands those with a request to the pool."""
        ready, watched, poll = Queue(), {self.listener.fileno(): self.listener}, select.epoll()
        poll.register(self.listener, select.EPOLLIN)

        def work():
            while True:
                connection = ready.get()
                try:
                    alive = self.serve_one(connection)
                except OSError:
                    alive = False
                if alive:
                    poll.modify(connection, select.EPOLLIN | select.EPOLLONESHOT)
                else:
                    del watched[connection.fileno()]
                    connection.close()

        for _ in range(self.options.threads):
            threading.Thread(target=work, daemon=True).start()
        while True:
            for number, _ in poll.poll():
                if number == self.listener.fileno():
                    connection = self.accept()
                    watched[connection.fileno()] = connection
                    poll.register(connection, select.EPOLLIN | select.EPOLLONESHOT)
                else:
                    ready.put(watched[number])


def listen(options):
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    listener.bind((options.host, options.port))
    listener.listen(1024)
    return listener


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--compute", type=float)
    parser.add_argument("--backend", type=int)
    parser.add_argument("--connections", type=int, default=0)
    parser.add_argument("--answer", type=int, default=100)
    parser.add_argument("--device", nargs="*", default=[])
    parser.add_argument("--port", type=int, required=True)
    options = parser.parse_args()
    options.loops_per_s = loops_per_s()
    for _ in range(options.processes - 1):
        if os.fork() == 0:
            break
    server = Server(options, listen(options))
    if options.threads:
        server.run_pool()
    else:
        server.run_thread_per_connection()


if __name__ == "__main__":
    main()
