# SPDX-License-Identifier: BSD-2-Clause
"""Sampled stacks: what code costs in wall time, and what the exports make of it, against workloads of known answers."""

import json
import os

from harness import HEADROOM, Skip, between, cases, check, equal, need, run_command, temporary_directory, test
from recorder import Recorder, report_json
from workload import Workload

HZ = 499
SHARE_ERROR = 0.03  # of about 2,000 samples, some of them unevenly taken on a busy host


def wall_of_shared_ns(run, truth):
    """Two threads that burn, less the time for which both did so at once: the run's own exact account of that."""
    at_once_ns = run.value("SELECT sum(time_ns) FROM parallelism WHERE threads_on_cpu >= 2") or 0
    return truth["shared_cpu_ns"] - at_once_ns


def shares(places, thread, key):
    return sum(place[key] for place in places if place["thread"] == thread)


def near(what, seen, expected):
    between(what, seen, expected - SHARE_ERROR, expected + SHARE_ERROR)


def export(run, *options):
    done = run_command(HEADROOM, "export", run.path, *options)
    equal("status of export", done.returncode, 0)
    return done.stdout


def folded_samples(text):
    """Samples by thread, of lines 'process;thread;...;innermost count'."""
    samples = {}
    for line in text.splitlines():
        stack, _, count = line.rpartition(" ")
        thread = stack.split(";")[1]
        samples[thread] = samples.get(thread, 0) + int(count)
    return samples


@cases
def code_that_runs_alone_counts_for_what_it_costs_in_wall_time():
    if len(os.sched_getaffinity(0)) < 2:
        raise Skip("needs two CPUs")
    with temporary_directory() as directory, Workload("alone_work") as workload:
        with Recorder(directory, "-p", workload.pid, "--stacks", HZ) as recorder:
            workload.go()
            truth = workload.truth()
            run = recorder.stop()
            alone_ns, shared_ns = truth["alone_cpu_ns"], truth["shared_cpu_ns"]
            places = report_json(recorder.path)["code"]["on_cpu"]
            wall_share = alone_ns / (alone_ns + wall_of_shared_ns(run, truth))
            cpu_share = alone_ns / (alone_ns + shared_ns)

            def weighs_nine_to_one():
                near("wall share of what ran alone", shares(places, "alone", "wall_share"), wall_share)
                near("wall share of what ran on two CPUs", shares(places, "shared", "wall_share"), 1 - wall_share)
                near("CPU share of what ran alone", shares(places, "alone", "cpu_share"), cpu_share)

            sentence = f"9 alone and 1 on two CPUs, here {wall_share:.1%} of wall time and {cpu_share:.1%} of CPU time"
            yield sentence, weighs_nine_to_one

            def names_functions():
                equal("the hottest function", (places[0]["thread"], places[0]["function"]), ("alone", "alone_part"))
                shared = max(
                    (place for place in places if place["thread"] == "shared"), key=lambda place: place["samples"]
                )
                equal("the hottest of those on two CPUs", shared["function"], "shared_part")
                expected = HZ * (alone_ns + shared_ns) / 1e9
                between("samples on CPU", sum(place["samples"] for place in places), 0.95 * expected, 1.05 * expected)

            yield "functions have their names", names_functions

            def exports_agree():
                samples = folded_samples(export(run, "--format", "folded", "--state", "on-cpu"))
                profiles = json.loads(export(run, "--format", "speedscope"))["profiles"]
                for thread in ("alone", "shared"):
                    equal(f"folded samples of {thread}", samples[thread], shares(places, thread, "samples"))
                    found = [profile for profile in profiles if profile["name"].endswith(f"/{thread} on CPU")]
                    equal(f"profiles of {thread}", len(found), 1)
                    between(
                        "its milliseconds",
                        found[0]["endValue"],
                        999 * samples[thread] / HZ,
                        1001 * samples[thread] / HZ,
                    )
                check(
                    "alone_work;alone;" in export(run, "--format", "folded"), "the process is not in the folded stacks"
                )

            yield "the exports have the same samples", exports_agree


# What a driver's library does while it waits for the device without giving up the CPU.
DRIVER = "void wait_for_device(volatile int *done) { while (!*done) ; }"
PROGRAM = """
#include <signal.h>
#include <unistd.h>
void wait_for_device(volatile int *done);
static volatile int done;
static void stop(int number) { (void)number; done = 1; }
int main(void) { signal(SIGALRM, stop); alarm(2); wait_for_device(&done); return 0; }
"""


@test
def a_thread_that_spins_in_a_drivers_library_is_said_to():
    need("cc")
    with temporary_directory() as directory:
        for name, text in (("driver.c", DRIVER), ("program.c", PROGRAM)):
            with open(f"{directory}/{name}", "w", encoding="utf-8") as file:
                file.write(text)
        for options in (("-shared", "-fPIC", "-o", "libcuda.so.1", "driver.c"),
                        ("-o", "program", "program.c", "./libcuda.so.1")):
            equal("status of cc", run_command("cc", *options, cwd=directory).returncode, 0)
        with Recorder(directory, "--", f"{directory}/program", cwd=directory) as recorder:
            run = recorder.wait(out=None)
            place = report_json(run.path)["code"]["on_cpu"][0]
            text = run_command(HEADROOM, "report", run.path).stdout
    equal("module", os.path.basename(place["module"]), "libcuda.so.1")
    check(place["driver"] and place["cpu_share"] > 0.9, f"the first place is {place}")
    check("spins in a driver's library" in text, "the report does not say that it spins")
