# SPDX-License-Identifier: BSD-2-Clause
"""
What a scenario is: a server with a bottleneck that is known, the load that shows it, and how one knows.

A scenario is a function that starts a server and yields the Run that is to be recorded; what it starts, it ends. Called with
removed=True it does the same without the cause, or with twice of what is short. The class that is expected stands here alone:
no rule of the program may know a scenario's names or ports.
"""

import contextlib
import os
import sys
from dataclasses import dataclass, field

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "e2e"))

from harness import need  # noqa: E402

LEVELS = (1, 2, 4, 8, 16)
# Of clients that think, so that the limit is reached at about 12 of them: the lower half of the levels is well below the knee
THINKING = (2, 4, 8, 16, 48)
SHORT_LEVELS = (1, 4, 8, 16)  # as many as a model takes


@dataclass
class Run:
    """What to record, and the load, of which each word may hold {level} and {seconds}."""

    target: list
    load: list
    backend: int = None  # port that the subject may name as {backend}
    namespace: object = None  # in which the recorder runs; None: the test's own


@dataclass
class Scenario:
    name: str
    truth: str  # the class that the verdict must have
    known_by: str  # how one knows that this is the truth
    subject: str  # a regular expression that the verdict's subject must match; None: there is nothing to name
    change: str  # the prediction that the removed variant grades; None: none does
    gain: float  # throughput without the cause is at least so many times as high; None: there is no such variant
    levels: tuple
    seconds: int
    warmup: str
    settled: bool  # its verdict was right in every run with the rules as they are: continuous integration insists on it
    start: object = field(repr=False)

    @property
    def is_negative(self):
        return self.truth in ("not-saturated", "client-limited", "inconclusive")


SCENARIOS = []


def scenario(
    truth, known_by, *, subject=None, change=None, gain=None, levels=LEVELS, seconds=2, warmup="500ms",
    settled=True,
):
    """Register the function that follows; its name, read with dashes, is the scenario's."""

    def register(function):
        SCENARIOS.append(
            Scenario(
                function.__name__.replace("_", "-"),
                truth,
                known_by,
                subject,
                change,
                gain,
                levels,
                seconds,
                warmup,
                settled,
                contextlib.contextmanager(function),
            )
        )
        return function

    return register


def wrk(port, path="/", *options, host="127.0.0.1", cpu=None, think_ms=None):
    need("wrk")
    pinned = ["taskset", "-c", str(cpu)] if cpu is not None else []
    url = f"http://{host}:{port}{path}"
    words = [*pinned, "wrk", "-t1", "-c{level}", "-d{seconds}s", "--timeout", "10s", *options]
    if think_ms is None:
        return [*words, url]
    return [*words, "-s", os.path.join(HERE, "think.lua"), url, "--", str(think_ms)]


def client(port, request, *options):
    """Our own clients: see client.py."""
    return [sys.executable, os.path.join(HERE, "client.py"), *map(str, options), "{level}", "{seconds}", str(port), request]


def on_port(server, load, **more):
    return Run(["--port", str(server.port)], load, **more)
