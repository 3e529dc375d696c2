# SPDX-License-Identifier: BSD-2-Clause
"""
plan and check: of a server whose capacity is known by construction. Each of its workers sleeps 5 ms per request and computes
next to nothing, so N workers answer 200 N requests per second at most, and with C clients a request takes C / N times 5 ms.
"""

import contextlib
import functools
import json
import math

from harness import HEADROOM, ROOT, SLOWNESS, Skip, between, check, equal, need, run_command, temporary_directory, test
from loads import Demo

LEVELS = (1, 2, 4, 8, 16)
SLEEP_S = 0.005
KEPT = []


def headroom(*arguments, status=0):
    done = run_command(HEADROOM, *map(str, arguments))
    equal(f"status of headroom {arguments[0]} ({done.stderr.strip()})", done.returncode, status)
    return done.stdout


@functools.cache
def run_of(workers):
    """The path of a sweep over such a server; it stays until the program ends."""
    need("wrk")
    stack = contextlib.ExitStack()
    path = stack.enter_context(temporary_directory())
    KEPT.append(stack)
    with Demo("--threads", workers, "--sleep", "5ms", "--hidden", 16) as demo:
        headroom(
            *("sweep", "-q", "--port", demo.port, "--levels", ",".join(map(str, LEVELS)), "--duration", "2s", "--warmup", "200ms"),
            *("-i", "100ms", "-o", f"{path}/run.db", "--", "wrk", "-t1", "-c{level}", "-d{duration}"),
            f"http://127.0.0.1:{demo.port}/infer",
        )
    return f"{path}/run.db"


def validate(document, schema):
    try:
        import jsonschema
    except ImportError:
        raise Skip("python3-jsonschema is not installed") from None
    with open(f"{ROOT}/docs/{schema}", encoding="utf-8") as file:
        jsonschema.validate(document, json.load(file))


@test
def a_plan_brackets_the_limit_and_counts_replicas_by_what_was_measured():
    # with 2 workers 4 clients wait 10 ms, 8 clients 20 ms
    plan = json.loads(headroom("plan", run_of(2), "--rate", 5000, "--slo", "p50=15ms", "--format", "json"))
    validate(plan, "plan.schema.json")
    replica = plan["per_replica"]
    equal("highest load that meets the limit", replica["meets_limits_at_load"], 4)
    equal("lowest load that does not", replica["fails_limits_at_load"], 8)
    between("throughput of a replica", replica["throughput_rps"], 2 / SLEEP_S * 0.75 / SLOWNESS, 2 / SLEEP_S, "1/s")
    low, high = replica["throughput_interval_rps"]
    check(low <= replica["throughput_rps"] <= high, "the throughput lies outside of its interval")
    equal("replicas", plan["fleet"]["replicas"], math.ceil(5000 / (0.7 * replica["throughput_rps"])))
    # what the verdict says of a host that others use too is another matter
    doubts = {warning["name"] for warning in plan["warnings"]} & {"few_levels", "loads_too_low", "not_monotone", "few_windows"}
    equal("doubts about the levels", doubts, set())
    text = headroom("plan", run_of(2), "--rate", 5000, "--slo", "p50=15ms")
    check(text.startswith(f"plan     {plan['fleet']['replicas']} replicas for 5.00 k requests/s"), f"the text begins with {text[:60]}")


@test
def limits_that_cannot_be_met_end_with_status_99_and_a_plan_without_replicas():
    plan = json.loads(headroom("plan", run_of(2), "--rate", 5000, "--slo", "p99=1ms", "--format", "json", status=99))
    validate(plan, "plan.schema.json")
    equal("met", plan["met"], False)
    equal("replicas", plan["fleet"]["replicas"], None)
    check("Nothing to apply" in headroom("plan", run_of(2), "--rate", 5000, "--slo", "p99=1ms", "--format", "keda", status=99), "YAML")


@test
def fragments_for_kubernetes_are_yaml_with_the_figures_of_the_plan():
    try:
        import yaml
    except ImportError:
        raise Skip("python3-yaml is not installed") from None
    arguments = ("plan", run_of(2), "--rate", 5000, "--slo", "p50=15ms", "--deployment", "llm", "--format")
    plan = json.loads(headroom(*arguments, "json"))
    keda, hpa = (yaml.safe_load(headroom(*arguments, kind)) for kind in ("keda", "hpa"))
    equal("kinds", [keda["kind"], hpa["kind"]], ["ScaledObject", "HorizontalPodAutoscaler"])
    equal("versions", [keda["apiVersion"], hpa["apiVersion"]], ["keda.sh/v1alpha1", "autoscaling/v2"])
    equal("what is scaled", [one["spec"]["scaleTargetRef"]["name"] for one in (keda, hpa)], ["llm", "llm"])
    equal("most replicas of KEDA", keda["spec"]["maxReplicaCount"], plan["fleet"]["replicas"])
    equal("most replicas of HPA", hpa["spec"]["maxReplicas"], plan["fleet"]["replicas"])
    target = plan["per_replica"]["target_rps"]
    threshold = keda["spec"]["triggers"][0]["metadata"]["threshold"]
    check(isinstance(threshold, str) and abs(float(threshold) - target) < 0.001, f"KEDA's threshold is {threshold!r}, not {target}")
    average = hpa["spec"]["metrics"][0]["pods"]["target"]["averageValue"]
    check(average.endswith("m") and 0 <= target - int(average[:-1]) / 1000 < 0.001, f"HPA's target is {average!r}, not {target}")


def graded(report, path, *arguments):
    grade = json.loads(headroom("check", report, path, *arguments, "--format", "json"))
    validate(grade, "check.schema.json")
    return grade


@test
def a_prediction_is_a_hit_or_a_miss_by_what_the_later_run_did():
    # by construction: twice the workers, twice the throughput
    before = json.loads(headroom("report", run_of(2), "--format", "json"))
    most = before["verdict"]["throughput_rps"]
    prediction = {"change": "twice_workers", "throughput_rps": 2 * most, "low_rps": 1.7 * most, "high_rps": 2.3 * most}
    before["verdict"]["prediction"] = [prediction]
    with temporary_directory() as directory:
        report = f"{directory}/before.json"
        with open(report, "w", encoding="utf-8") as file:
            json.dump(before, file)
        more, same = graded(report, run_of(4)), graded(report, run_of(2))
        equal("grades of twice the workers and of the same", [more["hit"], same["hit"]], [True, False])
        between("throughput of 4 workers", more["measured"]["throughput_rps"], 4 / SLEEP_S * 0.75 / SLOWNESS, 4 / SLEEP_S, "1/s")
        between("error of the prediction for the same server", same["error_share"], 0.999, 1.001)
        miss = run_command(HEADROOM, "check", report, run_of(2), "--fail-on-miss")
        equal("status of a miss", miss.returncode, 99)
        check(miss.stdout.startswith("grade    Miss"), f"the text begins with {miss.stdout[:40]}")


@test
def each_prediction_that_a_report_makes_can_be_graded():
    with temporary_directory() as directory:
        report = f"{directory}/before.json"
        headroom("report", run_of(2), "--format", "json", "-o", report)
        with open(report, encoding="utf-8") as file:
            predictions = json.load(file)["verdict"]["prediction"]
        if not predictions:
            raise Skip("the report predicts nothing, as it is inconclusive")
        for prediction in predictions:
            grade = graded(report, run_of(4), "--change", prediction["change"])
            equal("predicted", grade["predicted"]["throughput_rps"], prediction["throughput_rps"])
            equal("hit", grade["hit"], prediction["low_rps"] <= grade["measured"]["throughput_rps"] <= prediction["high_rps"])


@test
def what_is_no_report_or_no_run_is_refused_with_a_sentence():
    with temporary_directory() as directory:
        for name, text in (("empty", b""), ("text", b"hello"), ("array", b"[1]"), ("other", b'{"schema":"x"}'), ("bytes", b"\xff\x00\x1b[2J")):
            with open(f"{directory}/{name}", "wb") as file:
                file.write(text)
            done = run_command(HEADROOM, "check", f"{directory}/{name}", f"{directory}/none.db")
            equal(f"status for {name}", done.returncode, 1)
            equal(f"lines about {name}", done.stderr.count("\n"), 1)
        for arguments in ((), ("--rate", "0"), ("--rate", "x"), ("--rate", "1", "--slo", "p98=1s"), ("--rate", "1", "--utilisation", "2")):
            done = run_command(HEADROOM, "plan", f"{directory}/none.db", *arguments)
            equal(f"status of {arguments} ({done.stderr.strip()})", done.returncode, 2)
        done = run_command(HEADROOM, "plan", f"{directory}/none.db", "--rate", "1")
        equal("status without a run", done.returncode, 1)
