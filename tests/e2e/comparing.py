# SPDX-License-Identifier: BSD-2-Clause
"""Runs side by side: what changed between two whose difference is known, and several hosts in one report."""

import contextlib
import functools
import json
import math
import os
import tempfile

from harness import HEADROOM, ROOT, Skip, between, check, equal, need, run_command, temporary_directory, test
from loads import Demo
from runfile import Run

LEVELS = (2, 8)


@functools.lru_cache(maxsize=None)
def recorded(sleep_ms):
    """A sweep over a demo server whose requests each sleep for so long; the folder goes with this process's end."""
    need("wrk")
    folder = tempfile.TemporaryDirectory(prefix="headroom-e2e-")
    recorded.folders = getattr(recorded, "folders", []) + [folder]
    path = f"{folder.name}/run.db"
    with Demo("--hidden", 50, "--sleep", f"{sleep_ms}ms") as demo:
        done = run_command(
            *(HEADROOM, "sweep", "-q", "--port", str(demo.port), "--levels", ",".join(map(str, LEVELS)), "-d", "1500ms", "-w", "300ms"),
            *("-i", "100ms", "--no-stacks", "-o", path, "--", "wrk", "-t1", "-c{level}", "-d2s"),
            f"http://127.0.0.1:{demo.port}/infer?seed=1",
        )
    equal(f"status of the sweep ({done.stderr})", done.returncode, 0)
    return path


def validate(document, schema):
    """Against a JSON Schema of the project."""
    try:
        import jsonschema
    except ImportError:
        raise Skip("python3-jsonschema is not installed") from None
    with open(os.path.join(ROOT, "docs", schema), encoding="utf-8") as file:
        jsonschema.validate(document, json.load(file))


def compare(*arguments):
    done = run_command(HEADROOM, "compare", *arguments, "--format", "json")
    return done.returncode, json.loads(done.stdout)


@test
def what_a_sleep_costs_is_found_at_each_level_and_explained():
    base, new = recorded(4), recorded(6)
    status, found = compare(base, new, "--fail-above", "5%")
    validate(found, "compare.schema.json")
    equal("status", status, 99)
    equal("gate", found["gate"], {"share": 0.05, "failed": True})
    equal("levels", [level["level"] for level in found["levels"]], [str(level) for level in LEVELS])
    for level in found["levels"]:
        what = f"at {level['level']}"
        throughput = level["measures"]["throughput_rps"]
        # 4 workers that sleep: 4 ms and a little become 6 ms and a little
        between(f"change of throughput {what}", throughput["change_share"], -0.45, -0.15)
        check(throughput["beyond_noise"], f"the change of throughput {what} is taken for noise: {throughput}")
        check(level["measures"]["latency_p50_ms"]["beyond_noise"], f"the change of p50 {what} is taken for noise")
        sleep_us = level["new"]["request_us"]["sleep"] - level["base"]["request_us"]["sleep"]
        between(f"more sleep of a request {what}", sleep_us, 1900, 2600)
        check("sleep" in [part["part"] for part in level["explained_by"]], f"sleep does not explain {what}: {level['explained_by']}")
        parts_ms = sum(level["new"]["request_us"].values()) / 1e3
        mean_ms = level["measures"]["latency_mean_ms"]["new"]
        between(f"the parts of a request {what}", parts_ms, 0.999 * mean_ms, 1.001 * mean_ms)


@test
def better_is_no_failure_and_the_same_is_no_change():
    base, new = recorded(6), recorded(4)
    status, found = compare(base, new, "--fail-above", "5%")
    for level in found["levels"]:
        check(level["measures"]["throughput_rps"]["change_share"] > 0, f"throughput did not rise: {level['measures']}")
    # a busy neighbour of one of the two may have made its p99 worse for all that
    slower = [p99 for p99 in (level["measures"]["latency_p99_ms"] for level in found["levels"]) if p99["beyond_noise"] and p99["change_share"] > 0.05]
    equal(f"status of what is better ({slower})", status, 99 if slower else 0)
    status, found = compare(base, base, "--fail-above", "0")
    validate(found, "compare.schema.json")
    equal("status of what is the same", status, 0)
    for level in found["levels"]:
        for name, measure in level["measures"].items():
            equal(f"change of {name}", measure["change_share"], 0)
            equal(f"{name} beyond noise", measure["beyond_noise"], False)


@test
def lists_of_runs_are_compared_and_their_text_is_for_people():
    base, new = recorded(4), recorded(6)
    done = run_command(HEADROOM, "compare", f"{base},{base}", f"{new},{new}")
    equal(f"status ({done.stderr})", done.returncode, 0)
    for words in ("worse", "LEVEL 8", "throughput", "in sleep", "beyond noise", "busiest thread"):
        check(words in done.stdout, f"the text does not say '{words}': {done.stdout}")
    equal("lines wider than the page", [line for line in done.stdout.splitlines() if len(line) > 100], [])


@test
def what_cannot_be_compared_is_refused():
    base = recorded(4)
    with temporary_directory() as directory:
        for words, status, sentence in (
            ([base], 2, "which runs?"),
            ([base, base, base], 2, "unexpected argument"),
            ([base, f"{directory}/none.db"], 1, "none.db"),
            ([base, f"{base},"], 1, "empty"),
            ([base, base, "--fail-above", "much"], 2, "no percentage"),
            ([base, base, "--format", "xml"], 2, "text or json"),
        ):
            done = run_command(HEADROOM, "compare", *words)
            equal(f"status of {words} ({done.stderr})", done.returncode, status)
            check(sentence in done.stderr, f"it does not say '{sentence}': {done.stderr}")
            equal("stdout", done.stdout, "")


# Several hosts


def report(*arguments):
    done = run_command(HEADROOM, "report", *arguments)
    equal(f"status ({done.stderr})", done.returncode, 0)
    return done.stdout


def merged_percentile_ms(paths, share):
    """Of the requests of several runs, from the rows of their histograms."""
    slots = {}
    for path in paths:
        with contextlib.closing(Run(path)) as run:
            for row in run.rows("SELECT low_ns, high_ns, sum(count) AS n FROM requests WHERE stage = 'total' GROUP BY 1, 2"):
                slots[row["low_ns"], row["high_ns"]] = slots.get((row["low_ns"], row["high_ns"]), 0) + row["n"]
    rank, below = math.ceil(share * sum(slots.values())), 0
    for (low, high), n in sorted(slots.items()):
        below += n
        if below >= rank:
            return (low + high - 1) / 2 / 1e6
    return None


@test
def runs_of_several_hosts_are_one_report():
    paths = [recorded(4), recorded(6)]
    fleet = json.loads(report(*paths, "--format", "json"))
    single = [json.loads(report(path, "--format", "json")) for path in paths]
    validate(fleet, "fleet.schema.json")
    equal("paths", [host["path"] for host in fleet["hosts"]], paths)
    equal("verdicts", [host["verdict"]["class"] for host in fleet["hosts"]], [one["verdict"]["class"] for one in single])
    equal("levels", [level["level"] for level in fleet["levels"]], [str(level) for level in LEVELS])
    for index, level in enumerate(fleet["levels"]):
        expected = sum(one["levels"][index]["throughput_rps"] for one in single)
        between(f"throughput at {level['level']}", level["throughput_rps"], 0.999 * expected, 1.001 * expected)
        for host, one in zip(level["by_host"], single):
            between("p99 of a host", host["latency_p99_ms"], 0.999 * one["levels"][index]["latency_ms"]["p99"],
                    1.001 * one["levels"][index]["latency_ms"]["p99"])
    for name, share in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99)):
        expected = merged_percentile_ms(paths, share)
        between(f"{name} of all requests", fleet["total"]["latency_ms"][name], 0.9999 * expected, 1.0001 * expected)
    equal("at once", fleet["at_once"], False)
    text = report(*paths)
    for words in ("NOT OF THE SAME TIME", "LEVELS, ALL HOSTS", "HOSTS, LEVEL 8", "takes three hosts to tell"):
        check(words in text, f"the text does not say '{words}': {text}")
    equal("lines wider than the page", [line for line in text.splitlines() if len(line) > 100], [])


@test
def one_run_is_no_two_hosts():
    path = recorded(4)
    done = run_command(HEADROOM, "report", path, path)
    equal("status", done.returncode, 1)
    check("the same run" in done.stderr, f"it says: {done.stderr}")
    done = run_command(HEADROOM, "report", recorded(6), path, "-o", path, "--force")
    equal("status of a report that would replace a run", done.returncode, 1)
    check("is a run of headroom" in done.stderr, f"it says: {done.stderr}")
