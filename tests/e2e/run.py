#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""
Run the end-to-end tests, as root.

usage: run.py [--list] [FILTER...]

--list only names them. A FILTER is a part of "file: sentence".
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

FILES = (
    "every_kernel",
    "known_answers",
    "waits",
    "peers",
    "syscalls",
    "resources",
    "hot_code",
    "callers",
    "scheduling",
    "lifecycle",
    "live",
    "sweep",
    "mark",
    "comparing",
    "planning",
    "bad_input",
    "command_line",
    "scale",
    "real_servers",
    "kernel_requests",
    "requests",
    "clients",
    "multiplexed",
    "network",
    "crowds",
    "pages",
    "datasets",
)
LIMIT_S = 90


class Tally:
    """Prints each result, and counts."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def report(self, name, function):
        """Run one test, and print what came of it."""
        start = time.monotonic()
        try:
            function()
        except harness.Skip as reason:
            self.skipped += 1
            self.say("SKIP", name, start, str(reason))
            return
        except AssertionError as error:
            self.fail(name, start, str(error))
            return
        except Exception:  # a test that breaks must not hide the others
            self.fail(name, start, traceback.format_exc())
            return
        self.passed += 1
        self.say("ok", name, start)

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


def run_test(tally, test):
    def run_cases():
        for sentence, function in test.function():
            tally.report(f"{test.file}: {sentence}", function)

    tally.report(test.name, limited(run_cases if test.has_cases else test.function))


def main():
    parser = argparse.ArgumentParser(usage="run.py [--list] [FILTER...]")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("filter", nargs="*")
    arguments = parser.parse_args()

    for file in FILES:
        importlib.import_module(file)
    filters = arguments.filter or [""]
    tests = [test for test in harness.TESTS if any(part in test.name for part in filters)]
    if arguments.list:
        for test in tests:
            print(test.name)
        return 0
    if os.geteuid() != 0:
        sys.exit("run.py: the end-to-end tests load BPF programs: run them as root")
    if not os.access(harness.HEADROOM, os.X_OK):
        sys.exit(f"run.py: {harness.HEADROOM} is missing: `make all workloads` builds it")

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that tests clean up
    tally = Tally()
    for test in tests:
        run_test(tally, test)
    print(f"{tally.passed} passed, {tally.failed} failed, {tally.skipped} skipped")
    return 1 if tally.failed else 0


if __name__ == "__main__":
    sys.exit(main())
