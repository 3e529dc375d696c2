#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""
Run the end-to-end tests, as root.

usage: run.py [--guest] [--list] [FILTER...]

--guest runs those that are worth it on other kernels, --list only names them. A FILTER is a part of "file: sentence".
BUILD names the build folder (build). The last line is `N passed, N failed, N skipped`; the status is 1 if one failed.
"""

import argparse
import importlib
import os
import signal
import sys
import time
import traceback

sys.dont_write_bytecode = True

import harness  # noqa: E402

FILES = ("probes", "known_answers", "syscalls", "scheduling", "lifecycle", "bad_input", "scale", "real_servers")
LIMIT_S = 90


class Tally:
    """Prints each result, and counts."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def report(self, name, function):
        """Run one test, print what came of it, and return what it returned; None: it did not pass."""
        start = time.monotonic()
        try:
            result = function()
        except harness.Skip as reason:
            self.skipped += 1
            self.say("SKIP", name, start, str(reason))
            return None
        except AssertionError as error:
            self.fail(name, start, str(error))
            return None
        except Exception:  # a test that breaks must not hide the others
            self.fail(name, start, traceback.format_exc())
            return None
        self.passed += 1
        self.say("ok", name, start)
        return result or []

    def fail(self, name, start, words):
        self.failed += 1
        self.say("FAIL", name, start, words)

    def say(self, word, name, start, detail=""):
        print(f"{word:4} {name} ({time.monotonic() - start:.1f} s)" + (f": {detail}" if detail else ""), flush=True)


def limited(function):
    """The function, ended by an exception when it hangs."""

    def on_alarm(*_):
        raise AssertionError(f"not finished after {LIMIT_S * harness.SLOWNESS:g} s")

    def run():
        signal.signal(signal.SIGALRM, on_alarm)
        signal.alarm(int(LIMIT_S * harness.SLOWNESS))
        try:
            return function()
        finally:
            signal.alarm(0)

    return run


def wanted(test, arguments):
    name = f"{test.file}: {test.sentence}"
    return (test.guest or not arguments.guest) and (
        not arguments.filter or any(part in name for part in arguments.filter)
    )


def main():
    parser = argparse.ArgumentParser(usage="run.py [--guest] [--list] [FILTER...]")
    parser.add_argument("--guest", action="store_true")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("filter", nargs="*")
    arguments = parser.parse_args()

    for file in FILES:
        importlib.import_module(file)
    tests = [test for test in harness.TESTS if wanted(test, arguments)]
    if arguments.list:
        for test in tests:
            print(f"{test.file}: {test.sentence}")
        return 0
    if os.geteuid() != 0:
        sys.exit("run.py: the end-to-end tests load BPF programs: run them as root")
    if not os.access(harness.HEADROOM, os.X_OK):
        sys.exit(f"run.py: {harness.HEADROOM} is missing: `make all workloads` builds it")

    tally = Tally()
    for test in tests:
        checks = tally.report(f"{test.file}: {test.sentence}", limited(test.function))
        for sentence, function in checks if test.cases and checks else []:
            tally.report(f"{test.file}: {sentence}", function)
    print(f"{tally.passed} passed, {tally.failed} failed, {tally.skipped} skipped")
    return 1 if tally.failed else 0


if __name__ == "__main__":
    sys.exit(main())
