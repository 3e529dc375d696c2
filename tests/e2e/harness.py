# SPDX-License-Identifier: BSD-2-Clause
"""What every end-to-end test uses: the register of tests, checks that say what they saw, and where things are."""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(ROOT, os.environ.get("BUILD", "build"))
HEADROOM = os.environ.get("HEADROOM", os.path.join(BUILD, "headroom"))
WORKLOADS = os.path.join(BUILD, "workloads")

# Set in guests whose kernel reports every event; a host that is itself a guest may drop a few of a thousand.
EXACT = os.environ.get("HEADROOM_EXACT") == "1"
# How much slower than a common machine this one is: emulated guests set it. Stretches limits and slack.
SLOWNESS = float(os.environ.get("HEADROOM_SLOWNESS", "1"))

MS = 1_000_000
SECOND = 1_000_000_000


class Skip(Exception):
    """This machine cannot do what the test needs; the text says what is missing."""


class Test:
    def __init__(self, function, has_cases):
        self.function, self.has_cases = function, has_cases
        self.file = os.path.splitext(os.path.basename(function.__code__.co_filename))[0]
        self.name = f"{self.file}: {function.__name__.replace('_', ' ')}"


TESTS = []


def test(function):
    """A test: its name, read with spaces, is the sentence that it proves."""
    TESTS.append(Test(function, has_cases=False))
    return function


def cases(function):
    """A generator of (sentence, check) pairs: each counts as a test, and runs when it is yielded. So does the rest."""
    TESTS.append(Test(function, has_cases=True))
    return function


# Checks


def check(condition, sentence):
    if not condition:
        raise AssertionError(sentence)


def equal(what, seen, expected):
    check(seen == expected, f"{what} is {seen!r}, not {expected!r}")


def between(what, seen, low, high, unit=""):
    check(
        seen is not None and low <= seen <= high,
        f"{what} is {show(seen, unit)}, not in {show(low, unit)} to {show(high, unit)}",
    )


def show(value, unit):
    if value is None:
        return "null"
    if unit == "ns":
        return f"{value / MS:.3f} ms"
    return f"{value:g}{unit}" if isinstance(value, float) else f"{value}{unit}"


# The world


def need(*programs):
    for program in programs:
        if not find_program(program):
            raise Skip(f"{program} is not installed")


def find_program(name):
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


@contextlib.contextmanager
def temporary_directory(mode=0o755):
    path = tempfile.mkdtemp(prefix="headroom-e2e-")
    try:
        os.chmod(path, mode)
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def wait_until(what, condition, limit_s=5, step_s=0.01):
    """Poll until condition() is true, and return its value."""
    end = time.monotonic() + limit_s * SLOWNESS
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"{what}: not within {limit_s * SLOWNESS:g} s")
        time.sleep(step_s)


def run_command(*command, limit_s=60, **options):
    """Run a command to its end; stdout and stderr as text."""
    return subprocess.run(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
        errors="replace",
        timeout=limit_s * SLOWNESS,
        check=False,
        **options,
    )


class Process:
    """A child in a session of its own: whatever it has started ends with it."""

    def __init__(self, *command, **options):
        self.child = subprocess.Popen(command, start_new_session=True, **options)
        self.pid = self.child.pid

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def end(self):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self.child.wait()
        for stream in (self.child.stdin, self.child.stdout, self.child.stderr):
            if stream:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()
