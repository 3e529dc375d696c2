#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""
Run servers whose bottleneck is known, and see whether headroom names it; as root.

usage: run.py [OPTION]... [NAME]...
  NAME        a scenario, or a part of the names of some (all)
  --list      only say what they are
  --runs N    each N times
  --removed   also without the cause: throughput must rise, and what headroom predicted is graded
  --grade DIR no run: the verdicts and predictions of the files that --keep left there, with the rules as they are now
  --settled   those alone whose verdict was right in every run so far, as continuous integration does
  --truth     without headroom: the load alone, with and without the cause
  --keep DIR  keep the run files: DIR/NAME.db, and DIR/NAME.removed.db
  --json FILE write what came of each

BUILD names the build folder (build). The last line is `N passed, N failed, N skipped`; the status is 1 if one failed.
"""

import argparse
import contextlib
import importlib
import json
import os
import re
import signal
import sys
import time
import traceback
from collections import Counter
from dataclasses import dataclass

sys.dont_write_bytecode = True

from host import Watch  # noqa: E402
from suite import SCENARIOS  # noqa: E402

import harness  # noqa: E402
from harness import HEADROOM, Skip, check, equal, run_command, temporary_directory  # noqa: E402

for part in ("cpu", "serial", "storage", "queues", "wires", "negatives", "pools", "turns", "outside", "unseen"):
    importlib.import_module(part)

LEVEL_LIMIT_S = 30
# Of the CPUs: with more taken by others, a verdict on the scenario may rightly be one on them; what is always there takes far less.
DISTURBED_SHARE = 0.15


@dataclass
class Result:
    name: str
    truth: str
    removed: bool
    word: str = "FAIL"  # ok, FAIL, SKIP
    why: str = ""
    verdict: dict = None
    runner_up: dict = None
    throughput: dict = None  # level: requests per second
    prediction: dict = None  # what the change was predicted to bring, and what it brought: see grade_change()
    knee: dict = None  # likewise of the knee: grade_knee()
    seconds: float = 0
    others_share: float = None  # of the CPUs, what was taken by processes that are not the scenario's


# The load


def words(load, level, seconds):
    return [word.replace("{level}", str(level)).replace("{seconds}", str(seconds)) for word in load]


RATES = (r"Requests/sec:\s+([\d.]+)", r"([\d.]+) answers per second", r"tps = ([\d.]+)", r"([\d.]+) req/s")


def rate_of(output):
    """Requests per second, as wrk, our client, pgbench or h2load say it; None: they do not."""
    for pattern in RATES:
        found = re.search(pattern, output)
        if found:
            return float(found.group(1))
    return None


def load_alone(scenario, run):
    """{level: requests per second} with nothing attached."""
    rates = {}
    for level in scenario.levels:
        with inside(run):
            done = run_command(*words(run.load, level, scenario.seconds), limit_s=LEVEL_LIMIT_S)
        equal(f"status of the load at {level} ({done.stdout[-300:]}{done.stderr[-300:]})", done.returncode, 0)
        rates[level] = rate_of(done.stdout)
    return rates


def inside(run):
    return run.namespace.inside() if run.namespace else contextlib.nullcontext()


def sweep(scenario, run, path):
    """Record the load's levels."""
    with inside(run):
        done = run_command(
            *(HEADROOM, "sweep", *run.target, "--levels", ",".join(map(str, scenario.levels))),
            *("--duration", f"{scenario.seconds}s", "--warmup", scenario.warmup, "-i", "100ms", "-o", path, "--force"),
            *("--", *run.load),
            limit_s=LEVEL_LIMIT_S * len(scenario.levels),
        )
    equal(f"status of the sweep ({done.stderr.strip()[-600:]})", done.returncode, 0)


def report_of(path):
    done = run_command(HEADROOM, "report", path, "--format", "json")
    equal(f"status of the report ({done.stderr.strip()})", done.returncode, 0)
    return json.loads(done.stdout)


def rates_of(report):
    return {level["level"]: level["throughput_rps"] for level in report["levels"]}


# One scenario


def start(scenario, removed, directory):
    return scenario.start(directory, removed)


def run_alone(scenario, result, directory):
    with start(scenario, result.removed, directory) as run:
        result.throughput = load_alone(scenario, run)


def run_recorded(scenario, result, directory, keep):
    name = scenario.name + (".removed" if result.removed else "")
    path = os.path.join(keep or directory, f"{name}.db")
    with start(scenario, result.removed, directory) as run:
        watch = Watch()
        sweep(scenario, run, path)
        result.others_share = watch.others_share()
    take_report(scenario, result, report_of(path))
    if not result.removed:
        grade_verdict(scenario, run.backend, result)


def run_kept(scenario, result, directory):
    """As it was recorded before; the port of a backend is not known any more."""
    path = os.path.join(directory, scenario.name + (".removed" if result.removed else "") + ".db")
    if not os.path.exists(path):
        raise Skip(f"there is no {path}")
    take_report(scenario, result, report_of(path))
    if not result.removed:
        grade_verdict(scenario, r"\d+", result)


def take_report(scenario, result, report):
    result.throughput = rates_of(report)
    result.verdict, result.runner_up = report.get("verdict"), report.get("runner_up")
    if not result.removed:
        result.knee = grade_knee(scenario, result.verdict)
        if result.knee:
            result.why = "knee" + told(result.knee)[1:]


def grade_verdict(scenario, backend, result):
    verdict = result.verdict
    check(verdict, "there is no verdict")
    check(verdict["class"] == scenario.truth, f"the verdict is {verdict['class']}")
    if scenario.subject:
        pattern = scenario.subject.replace("{backend}", str(backend))
        check(re.search(pattern, verdict["subject"] or ""), f"the subject is {verdict['subject']!r}, not {scenario.subject}")


def best(rates):
    known = [rate for rate in (rates or {}).values() if rate is not None]
    return max(known) if known else None


def grade_removed(scenario, base, result):
    """That throughput rises is what makes the truth the truth; how well it was predicted is said."""
    before, after = best(base.throughput), best(result.throughput)
    check(before and after, "throughput was not measured")
    check(after >= scenario.gain * before, f"throughput is {after / before:.2f} times as high, not {scenario.gain}")
    result.prediction = grade_change(scenario.change, base.verdict, after)
    result.why = f"x{after / before:.2f}" + told(result.prediction)


# How good the predictions are: a number that is said, and not a test

CLOSE = 0.15  # of what was measured
# What is full at the knee of these can be seen from its first request on
WITH_KNEE = ("cpu-saturated", "cpu-quota", "serial-thread", "lock-contention", "worker-pool")


def grade(predicted_rps, range_rps, measured_rps):
    low, high = range_rps or (None, None)
    return {
        "predicted_rps": predicted_rps,
        "range_rps": range_rps,
        "measured_rps": measured_rps,
        "error": predicted_rps / measured_rps - 1,
        "inside": low is not None and high is not None and low <= measured_rps <= high,
    }


def grade_change(change, verdict, measured_rps):
    """The prediction of a verdict; None: it has none of that change."""
    for row in (verdict or {}).get("prediction") or []:
        if row.get("change") == change and row.get("throughput_rps"):
            return grade(row["throughput_rps"], (row["low_rps"], row["high_rps"]), measured_rps)
    return None


def grade_knee(scenario, verdict):
    """What the levels up to half the knee say of its throughput; None: it is none of those, or they say nothing."""
    knee = (verdict or {}).get("knee")
    if scenario.truth not in WITH_KNEE or not knee or not knee.get("predicted_rps"):
        return None
    return grade(knee["predicted_rps"], knee.get("range_rps"), knee["throughput_rps"])


def told(graded):
    if not graded:
        return ""
    inside_it = "in" if graded["inside"] else "NOT in"
    return (
        f", predicted {graded['predicted_rps']:.0f} of {graded['measured_rps']:.0f} "
        f"({graded['error']:+.0%}, {inside_it} its interval)"
    )


def counted(graded):
    """Of predictions, how many came true; those that were not made are none."""
    made = [one for one in graded if one]
    inside_it, close = sum(one["inside"] for one in made), sum(abs(one["error"]) <= CLOSE for one in made)
    return f"{inside_it} of {len(made)} in their interval, {close} of {len(made)} within {CLOSE:.0%}"


# The rules know nothing of all this

RULES = (
    "rules.c", "laws.c", "laws_pool.c", "verdict.c", "predict.c", "remains.c", "knee.c", "gate.c", "station.c", "lock_use.c",
)
NAMES = (
    "nginx", "redis", "postgres", "pgbench", "node", "python", "wrk", "h2load", "model_lock", "worker-", "acceptor", "pts",
    "gunicorn", "uvicorn", "haproxy", "memcached", "mariadb", "apache", "php", "java", "lighttpd", "varnish", "pgbouncer",
    "squid", "puma", "beanstalkd",
)


def names_in_rules():
    """What of the scenarios a text in the rules has, as "rules.c: nginx"."""
    found = []
    for file in RULES:
        with open(os.path.join(harness.ROOT, "src", "analyse", file), encoding="utf-8") as source:
            texts = " ".join(re.findall(r'"(?:[^"\\\n]|\\.)*"', source.read())).lower()
        names = (*NAMES, *(scenario.name for scenario in SCENARIOS))
        found += [f"{file}: {name}" for name in names if re.search(rf"\b{re.escape(name)}(?![a-z])", texts)]
    return found


# All of them


class Suite:
    def __init__(self, options):
        self.options, self.results = options, []

    def check_rules(self):
        found = names_in_rules()
        self.rules = "FAIL" if found else "ok"
        print(f"{self.rules:4} no rule knows a scenario" + (f": {found}" if found else ""))

    def run(self, scenario):
        base = self.run_one(scenario, False)
        if (self.options.removed or self.options.truth or self.options.grade) and scenario.gain and base.word != "SKIP":
            self.run_one(scenario, True, base)

    def run_one(self, scenario, removed, base=None):
        result = self.try_one(scenario, removed, base)
        if result.word == "FAIL" and (result.others_share or 0) > DISTURBED_SHARE:
            print(f"     {result.name}: {result.why}; processes that are not its own had {result.others_share:.0%} of the CPUs: once more")
            result = self.try_one(scenario, removed, base)
        self.results.append(result)
        self.say(result)
        return result

    def try_one(self, scenario, removed, base):
        result = Result(scenario.name, scenario.truth, removed)
        start_s = time.monotonic()
        try:
            with temporary_directory() as directory:
                if self.options.grade:
                    run_kept(scenario, result, self.options.grade)
                elif self.options.truth:
                    run_alone(scenario, result, directory)
                else:
                    run_recorded(scenario, result, directory, self.options.keep)
                if removed:
                    grade_removed(scenario, base, result)
            result.word = "ok"
        except Skip as reason:
            result.word, result.why = "SKIP", str(reason)
        except AssertionError as error:
            result.why = str(error)
        except Exception:  # one that breaks must not hide the others
            result.why = traceback.format_exc()
        result.seconds = time.monotonic() - start_s
        return result

    @staticmethod
    def say(result):
        verdict = result.verdict or {}
        name = result.name + (" without its cause" if result.removed else "")
        parts = [f"{result.word:4} {name} ({result.seconds:.0f} s): {result.truth}"]
        if verdict and not result.removed:
            parts.append(f"verdict {verdict['class']}, subject {verdict.get('subject')}, confidence {verdict.get('confidence')}")
        if result.throughput:
            parts.append("rps " + " ".join(f"{level}:{show(rate)}" for level, rate in result.throughput.items()))
        if result.why:
            parts.append(result.why)
        if (result.others_share or 0) > DISTURBED_SHARE:
            parts.append(f"others had {result.others_share:.0%} of the CPUs")
        print("; ".join(parts), flush=True)

    def print_confusion(self):
        """A row per truth, with the verdicts that it got."""
        judged = [result for result in self.results if result.verdict and not result.removed]
        if not judged:
            return
        print(f"\n{'truth':20} verdicts")
        for truth in dict.fromkeys(scenario.truth for scenario in SCENARIOS):
            counts = Counter(result.verdict["class"] for result in judged if result.truth == truth)
            if counts:
                print(f"{truth:20} " + ", ".join(f"{name} {count}" for name, count in counts.most_common()))
        right = sum(result.verdict["class"] == result.truth for result in judged)
        print(f"{right} of {len(judged)} right\n")

    def print_predictions(self):
        for what, graded in (
            ("changes", [result.prediction for result in self.results]),
            ("knees", [result.knee for result in self.results]),
        ):
            if any(graded):
                print(f"predicted {what}: {counted(graded)}")

    def finish(self):
        self.print_confusion()
        self.print_predictions()
        if self.options.json:
            with open(self.options.json, "w", encoding="utf-8") as file:
                json.dump([vars(result) for result in self.results], file, indent=1)
        counts = Counter([self.rules, *(result.word for result in self.results)])
        print(f"{counts['ok']} passed, {counts['FAIL']} failed, {counts['SKIP']} skipped")
        return 1 if counts["FAIL"] else 0


def show(rate):
    return "-" if rate is None else f"{rate:.0f}"


def parse():
    parser = argparse.ArgumentParser(usage=__doc__.split("usage: ", 1)[1])
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--removed", action="store_true")
    parser.add_argument("--settled", action="store_true")
    parser.add_argument("--truth", action="store_true")
    parser.add_argument("--keep")
    parser.add_argument("--grade")
    parser.add_argument("--json")
    parser.add_argument("name", nargs="*")
    return parser.parse_args()


def choose(names):
    """A whole name is that scenario alone, a part is all that have it."""
    whole = {scenario.name for scenario in SCENARIOS}

    def fits(scenario):
        return any(name == scenario.name or (name not in whole and name in scenario.name) for name in names or [""])

    return [scenario for scenario in SCENARIOS if fits(scenario)]


def main():
    options = parse()
    chosen = [scenario for scenario in choose(options.name) if scenario.settled or not options.settled]
    if options.list:
        for scenario in chosen:
            print(f"{scenario.name}: {scenario.truth}; {scenario.known_by}")
        return 0
    if os.geteuid() != 0 and not options.grade:
        sys.exit("run.py: recording loads BPF programs: run it as root")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that servers end
    if options.keep:
        os.makedirs(options.keep, exist_ok=True)
    suite = Suite(options)
    suite.check_rules()
    for _ in range(options.runs):
        for scenario in chosen:
            suite.run(scenario)
    return suite.finish()


if __name__ == "__main__":
    sys.exit(main())
