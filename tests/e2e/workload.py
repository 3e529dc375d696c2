# SPDX-License-Identifier: BSD-2-Clause
"""Start the programs of tests/workloads; tests/workloads/workload.h has their side of the agreement."""

import contextlib
import json
import os
import select
import subprocess

from harness import SLOWNESS, WORKLOADS, Process, check


class Workload(Process):
    """A workload that is set up and blocked on its stdin until go()."""

    def __init__(self, name, *arguments, called=None):
        """called: path of a link to it, by whose name the process then goes."""
        self.name = name
        if called:
            os.symlink(path(name), called)
        command = [called or path(name), *map(str, arguments)]
        super().__init__(*command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.ready = self.read_line(30)  # what is known of it before it goes
        check(self.ready.get("ready"), f"{name} did not become ready")

    def go(self):
        self.child.stdin.write(b"go\n")
        self.child.stdin.flush()

    def truth(self, limit_s=30):
        """What it says of itself at its end; it stays until finish() or the end of the with block."""
        return self.read_line(limit_s)

    def finish(self, limit_s=10):
        """Let it exit, and return its status."""
        self.child.stdin.close()
        return self.child.wait(limit_s * SLOWNESS)

    def read_line(self, limit_s):
        readable, _, _ = select.select([self.child.stdout], [], [], limit_s * SLOWNESS)
        check(readable, f"{self.name} said nothing for {limit_s * SLOWNESS:g} s")
        line = self.child.stdout.readline()
        if not line:
            raise AssertionError(f"{self.name} ended with status {self.status()} and without its truth")
        return json.loads(line)

    def status(self):
        """Of one that is at its end; None: it goes on."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self.child.wait(SLOWNESS)
        return None


def path(name):
    file = os.path.join(WORKLOADS, name)
    check(os.path.exists(file), f"{file} is missing: `make workloads` builds it")
    return file
