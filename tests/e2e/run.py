#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""
Run the end-to-end tests, as root.

usage: run.py [--list] [FILTER...]

--list only names them. A FILTER is a part of "file: sentence".
BUILD names the build folder (build). The last line is `N passed, N failed, N skipped`; the status is 1 if one failed.
"""

import argparse
import functools
import importlib
import os
import signal
import sys
import time
import traceback

sys.dont_write_bytecode = True

import harness  # noqa: E402
from disturbance import REPEATS_LIMIT_S, TRIES, Disturbed, Watch, wait_for_quiet  # noqa: E402

FILES = (
    "every_kernel",
    "known_answers",
    "waits",
    "peers",
    "syscalls",
    "resources",
    "hot_code",
    "jit_code",
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
    "real_locks",
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
        self.counts = dict.fromkeys(("ok", "FAIL", "SKIP"), 0)

    def add(self, word, name, seconds, detail=""):
        self.counts[word] += 1
        print(f"{word:4} {name} ({seconds:.1f} s)" + (f": {detail}" if detail else ""), flush=True)


class Attempt:
    """One run of a test, with all its cases: what came of each goes to tell(word, name, seconds, detail)."""

    def __init__(self, test, tell):
        self.failed, self.disturbed, self.tell = False, None, tell
        self.report(test.name, limited(functools.partial(self.run_cases, test) if test.has_cases else test.function))

    def run_cases(self, test):
        for sentence, function in test.function():
            self.report(f"{test.file}: {sentence}", function)

    def report(self, name, function):
        start = time.monotonic()
        word, detail = self.outcome(function)
        self.tell(word, name, time.monotonic() - start, detail)

    def outcome(self, function):
        try:
            function()
        except harness.Skip as reason:
            return "SKIP", str(reason)
        except Disturbed as error:
            self.failed, self.disturbed = True, str(error)
            return "FAIL", str(error)
        except AssertionError as error:
            self.failed = True
            return "FAIL", str(error)
        except Exception as error:  # a test that breaks must not hide the others
            self.failed = True
            return "FAIL", f"{type(error).__name__}: {error}\n{traceback.format_exc()}"
        return "ok", ""


class Repeats:
    """Runs tests; those again that failed while others had the machine, as long as there is time for that."""

    def __init__(self, tally):
        self.tally, self.left_s = tally, REPEATS_LIMIT_S

    def run(self, test):
        for _ in range(TRIES - 1):
            start, watch, results = time.monotonic(), Watch(), []
            attempt = Attempt(test, lambda *result: results.append(result))
            why = attempt.failed and self.left_s > 0 and (attempt.disturbed or watch.reason())
            if not why:
                for result in results:
                    self.tally.add(*result)
                return
            for word, name, _, detail in results:
                if word == "FAIL":
                    print(f"     again: {name}: {detail}; {why}", flush=True)
            wait_for_quiet()
            self.left_s -= time.monotonic() - start
        Attempt(test, self.tally.add)


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
    repeats = Repeats(tally)
    for test in tests:
        repeats.run(test)
    passed, failed, skipped = tally.counts.values()
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
