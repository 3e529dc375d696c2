# SPDX-License-Identifier: BSD-2-Clause
"""Network namespaces of a test's own, and a cable between them."""

import contextlib
import ctypes
import os

from harness import Skip, need, run_command

CLONE_NEWNET = 0x40000000
libc = ctypes.CDLL(None, use_errno=True)


def must(*command):
    done = run_command(*command)
    if done.returncode:
        raise Skip(f"this machine cannot do `{' '.join(command)}`: {done.stderr.strip()}")
    return done.stdout


class Namespace:
    """A network namespace with its loopback up. What is started within `inside()` lives in it."""

    count = 0

    def __init__(self):
        need("ip")
        Namespace.count += 1
        self.name = f"headroom-e2e-{os.getpid()}-{Namespace.count}"

    def __enter__(self):
        must("ip", "netns", "add", self.name)
        try:
            must("ip", "-n", self.name, "link", "set", "lo", "up")
        except Skip:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        run_command("ip", "netns", "del", self.name)  # and the ends of cables in it

    @contextlib.contextmanager
    def inside(self):
        """The test itself is in it, with all that it starts meanwhile."""
        with open("/proc/thread-self/ns/net", "rb") as home, open(f"/run/netns/{self.name}", "rb") as there:
            enter(there)
            try:
                yield
            finally:
                enter(home)

    def run(self, *command):
        return must("ip", "netns", "exec", self.name, *command)

    def counters(self):
        """{(protocol, counter): value}, as the kernel counts for the namespace."""
        values = {}
        with self.inside():
            for file in ("snmp", "netstat"):
                with open(f"/proc/thread-self/net/{file}", encoding="utf-8") as lines:
                    for names, numbers in zip(lines, lines):
                        protocol, *names = names.split()
                        values.update(
                            ((protocol.rstrip(":"), name), int(number))
                            for name, number in zip(names, numbers.split()[1:])
                        )
        return values


def enter(namespace):
    if libc.setns(namespace.fileno(), CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


class Cable:
    """Two namespaces, joined: `server` is 10.77.0.1 and fd77::1, `client` 10.77.0.2 and fd77::2."""

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            self.server, self.client = (stack.enter_context(Namespace()) for _ in range(2))
            must(
                *("ip", "-n", self.server.name, "link", "add", "eth0", "type", "veth"),
                *("peer", "name", "eth0", "netns", self.client.name),
            )
            for number, end in enumerate((self.server, self.client), 1):
                must("ip", "-n", end.name, "address", "add", f"10.77.0.{number}/24", "dev", "eth0")
                must("ip", "-n", end.name, "address", "add", f"fd77::{number}/64", "dev", "eth0", "nodad")
                must("ip", "-n", end.name, "link", "set", "eth0", "up")
            self.stack = stack.pop_all()
        return self

    def __exit__(self, *_):
        self.stack.close()

    def drop_data_to_client(self, percent):
        """Lose that share of what carries data to the client: as on a bad line, not where it is sent."""
        need("nft")
        self.client.run("nft", "add table inet loss")
        self.client.run("nft", "add chain inet loss input { type filter hook input priority 0; }")
        self.client.run("nft", f"add rule inet loss input meta length > 500 numgen random mod 100 < {percent} drop")
