# SPDX-License-Identifier: BSD-2-Clause
"""Run `headroom record` beside a test, and hand over the run file."""

import json
import os
import select
import signal
import subprocess

from harness import HEADROOM, SLOWNESS, Process, check, equal, run_command
from runfile import Run


class Recorder(Process):
    """
    `headroom record ARGUMENTS -o FILE`, or another verb that records, with its probes in; `stop()` or the end of the with
    block ends the run.
    """

    def __init__(self, directory, *arguments, name="run.db", interval="100ms", verb="record", ready_within_s=20, **options):
        self.path = os.path.join(directory, name)
        self.run = None
        ready, told = os.pipe()
        command = [HEADROOM, verb, "-o", self.path, "-i", interval, "--ready-fd", str(told), *map(str, arguments)]
        super().__init__(
            *command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=[told],
            **options,
        )
        os.close(told)
        try:
            readable, _, _ = select.select([ready], [], [], ready_within_s * SLOWNESS)
            if not readable or not os.read(ready, 64):
                self.end_early(ready_within_s)
        finally:
            os.close(ready)

    def end_early(self, limit_s):
        if self.child.poll() is None:
            try:
                self.child.wait(2)
            except subprocess.TimeoutExpired:
                self.end()
                raise AssertionError(f"the recorder was not ready within {limit_s * SLOWNESS:g} s") from None
        words = self.child.stderr.read().decode(errors="replace").strip()
        self.end()
        raise AssertionError(f"the recorder ended with status {self.child.returncode} before it was ready: {words}")

    def __exit__(self, kind, *_):
        try:
            if kind is None and self.run is None:
                self.stop()
        finally:
            self.end()
            if self.run:
                self.run.close()

    def stop(self, how=signal.SIGINT, **options):
        """End the run by a signal, and open what it left."""
        self.child.send_signal(how)
        return self.wait(**options)

    def wait(self, limit_s=20, status=0, out=b"", laws=True):
        """
        Wait for a run that ends by itself, and open what it left. out: what its stdout must be; None: the command's
        own. laws: check what holds of every run. status: None: any.
        """
        try:
            said, words = self.child.communicate(timeout=limit_s * SLOWNESS)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the recorder did not end within {limit_s * SLOWNESS:g} s") from None
        self.words = words.decode(errors="replace")
        check(
            status in (self.child.returncode, None),
            f"the recorder ended with status {self.child.returncode}, not {status}: {self.words.strip()}",
        )
        if out is not None:
            equal("stdout of the recorder", said, out)
        for side in ("-wal", "-shm", "-journal"):
            check(not os.path.exists(self.path + side), f"the recorder left '{self.path}{side}'")
        self.run = Run(self.path)
        if laws:
            self.run.check_laws()
        return self.run


def record(*arguments, **options):
    """`headroom record` to its end, however it ends."""
    return run_command(HEADROOM, "record", *map(str, arguments), **options)


def report_json(path):
    done = run_command(HEADROOM, "report", path, "--format", "json")
    equal(f"status of the report ({done.stderr.strip()})", done.returncode, 0)
    return json.loads(done.stdout)
