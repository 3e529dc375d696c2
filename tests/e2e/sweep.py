# SPDX-License-Identifier: BSD-2-Clause
"""A load generator that is run once per level beside one recording."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time

from command_line import Terminal
from harness import HEADROOM, MS, SECOND, SLOWNESS, Process, Skip, between, check, equal, need, run_command
from harness import temporary_directory, test, wait_until
from loads import Demo
from recorder import Recorder, report_json
from runfile import Run, look

INFER = "/infer?seed=1"
QUICK = ("-d", "300ms", "--warmup", "0s")


@contextlib.contextmanager
def sweeping(*arguments, target=None, **options):
    """A sweep against a demo server, or against that target, that is on its way."""
    with temporary_directory() as directory, contextlib.ExitStack() as stack:
        server = None if target else stack.enter_context(Demo("--threads", 2))
        chosen = ["--port", server.port] if server else ["-p", target]
        words = [str(word).replace("{port}", str(server.port if server else 0)) for word in arguments]
        with Recorder(directory, *chosen, *words, verb="sweep", **options) as recorder:
            yield recorder


@contextlib.contextmanager
def sweep(*arguments, status=0, **options):
    """A sweep to its end: the run, and what it said."""
    with sweeping(*arguments, **options) as recorder:
        run = recorder.wait(limit_s=60, status=status)
        run.levels = run.rows("SELECT * FROM levels ORDER BY level_id")
        check_nested(run)
        yield run, recorder.words


def check_nested(run):
    """Each interval lies in one level or in none, counts or does not; levels follow each other."""
    intervals = run.rows("SELECT * FROM intervals")
    bounds = {row[name] for row in intervals for name in ("start_ns", "end_ns")}
    before_ns = 0
    for level in run.rows("SELECT * FROM levels ORDER BY level_id"):
        for name in ("start_ns", "measured_ns", "end_ns"):
            check(level[name] in bounds, f"level {level['level']}: {name} {level[name]} is inside an interval")
        check(before_ns <= level["start_ns"] <= level["measured_ns"] <= level["end_ns"], f"level {level} is not in order")
        before_ns = level["end_ns"]


@test
def each_level_is_the_load_of_its_command_and_nothing_else():
    need("wrk")
    with sweep(
        *("--levels", "4,1", "--duration", "2s", "--warmup", "500ms"),
        *("--", "wrk", "-t1", "-c{level}", "-d{duration}", "http://127.0.0.1:{port}" + INFER),
    ) as (run, words):
        equal("labels", [(level["level"], level["offered"]) for level in run.levels], [("4", 4), ("1", 1)])
        for level in run.levels:
            equal("status of the command", level["status"], 0)
            equal("command", level["command"].split()[:4], ["wrk", "-t1", f"-c{level['level']}", "-d2s"])
            equal("notes", level["notes"], None)
            # the warm-up is cut off
            between("warm-up", level["measured_ns"] - level["start_ns"], 500 * MS, 650 * MS * SLOWNESS, "ns")
            between("its length", level["end_ns"] - level["start_ns"], 2 * SECOND, 3 * SECOND * SLOWNESS, "ns")
            between("time to come to rest", level["settled_ns"], 0, SECOND * SLOWNESS, "ns")
            # what the client counted is what the level has, and no more requests are in the run
            found = re.search(r"(\d+) requests in", level["output"])
            check(found, f"the output of wrk is not kept: {level['output']!r}")
            seen = run.value(
                "SELECT sum(requests) FROM traffic JOIN flows USING (flow_id) JOIN intervals USING (interval_id)"
                " WHERE role = 'server' AND start_ns >= ? AND end_ns <= ?",
                level["start_ns"],
                level["end_ns"],
            )
            between("requests in the level", seen, 0.98 * int(found.group(1)), 1.02 * int(found.group(1)) + 4)
        check("headroom report " in words, f"it does not point to the report: {words!r}")
        levels = report_json(run.path)["levels"]
        equal("levels of the report", [level["level"] for level in levels], ["1", "4"])
        between("in flight at level 1", levels[0]["in_flight"], 0.5, 1.05)
        between("in flight at level 4", levels[1]["in_flight"], 2.5, 4.2)


@test
def what_the_load_command_does_before_and_after_its_load_does_not_count():
    need("wrk")
    command = "sleep 0.7; wrk -t1 -c{level} -d2s http://127.0.0.1:{port}" + INFER + "; sleep 0.7"
    with sweep("--levels", "1", "-d", "4s", "--warmup", "300ms", "--", "sh", "-c", command) as (run, _):
        level = run.levels[0]
        between("begin of what counts", level["measured_ns"] - level["start_ns"], 900 * MS, 1300 * MS * SLOWNESS, "ns")
        counted_ns = level["end_ns"] - level["measured_ns"]
        between("length of what counts", counted_ns, 1.3 * SECOND, 1.9 * SECOND * SLOWNESS, "ns")
        rate = int(re.search(r"(\d+) requests in", level["output"]).group(1)) / 2
        between("requests per second", report_json(run.path)["levels"][0]["throughput_rps"], 0.9 * rate, 1.1 * rate)


@test
def a_level_that_ends_in_its_warmup_is_said_to_have_nothing():
    need("wrk")
    command = "sleep 0.5; wrk -t1 -c{level} -d1s http://127.0.0.1:{port}" + INFER
    with sweep("--levels", "1", "-d", "3s", "--warmup", "2s", "--", "sh", "-c", command) as (run, words):
        equal("what counts", run.levels[0]["measured_ns"], run.levels[0]["end_ns"])
        check("level 1: it ended in its warm-up, so nothing of it counts" in words, f"it said: {words!r}")


@test
def a_level_that_is_named_twice_is_measured_twice_and_a_rate_says_so():
    with sweep("--levels", "2,1,2", *QUICK, "--", "sh", "-c", "sleep {seconds}; echo {rate}") as (run, _):
        equal("labels", [level["level"] for level in run.levels], ["2", "1", "2"])
        equal("outputs", [level["output"] for level in run.levels], ["2\n", "1\n", "2\n"])
        equal("notes", [level["notes"] for level in run.levels], ["unit=rps"] * 3)
        for level in run.levels:
            equal("end of the warm-up", level["measured_ns"], level["start_ns"])


FAILING = ("--", "sh", "-c", "for i in 1 2 3 4 5 6 7; do echo line $i >&2; done; sleep 0.3; test {level} -ne 2")


@test
def a_failing_load_command_ends_the_sweep_with_its_last_words():
    with sweep("--levels", "1,2,3", *QUICK, *FAILING, status=1) as (run, words):
        equal("status of each level", [(level["level"], level["status"]) for level in run.levels], [("1", 0), ("2", 1)])
        check("level 2: 'sh' ended with status 1; its last words:\n    line 3\n" in words, f"it said: {words!r}")
        check("    line 7\n" in words and "line 2\n" not in words, f"it said: {words!r}")
        equal("output", run.levels[1]["output"], "".join(f"line {i}\n" for i in range(1, 8)))
        check(run.value("SELECT ended_ns FROM run") >= run.levels[1]["end_ns"], "the run has no end")


@test
def a_failing_load_command_can_be_passed_over():
    with sweep("--levels", "1,2,3", *QUICK, "--keep-going", *FAILING, status=1) as (run, words):
        equal("status of each level", [level["status"] for level in run.levels], [0, 1, 0])
        equal("levels that are said to have failed", re.findall(r"level (\d+):", words), ["2"])


@test
def a_load_command_that_cannot_be_run_leaves_nothing():
    with temporary_directory() as directory, Demo() as server:
        command = (HEADROOM, "sweep", "--port", str(server.port), "--levels", "1", "-o", f"{directory}/run.db")
        done = run_command(*command, "--", f"{directory}/none", "{level}")
        equal("status", done.returncode, 1)
        check(f"cannot run '{directory}/none'" in done.stderr and done.stderr.count("\n") == 1, f"it said: {done.stderr!r}")
        equal("files", os.listdir(directory), [])


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@test
def a_load_command_that_hangs_is_ended_with_what_it_started_and_its_level_says_so():
    with sweep(
        *("--levels", "1,2", "-d", "300ms", "--warmup", "100ms"),
        *("--", "sh", "-c", "test {level} -eq 2 && exit; sleep 70 & echo $!; trap '' TERM; wait; sleep 70"),
    ) as (run, words):
        between("its length", run.levels[0]["end_ns"] - run.levels[0]["start_ns"], SECOND, 1.3 * SECOND * SLOWNESS, "ns")
        equal("status and notes", (run.levels[0]["status"], run.levels[0]["notes"]), (None, "ended=overdue"))
        equal("status of the next", run.levels[1]["status"], 0)
        check("level 1: 'sh' was not done after 3 times --duration" in words, f"it said: {words!r}")
        started = int(run.levels[0]["output"])
        wait_until("what the command had started is ended", lambda: not alive(started))


@test
def an_interrupted_sweep_is_complete_up_to_there():
    with sweeping("--levels", "1,2", "-d", "20s", "--", "sh", "-c", "echo $$; exec sleep 7{level}") as recorder:
        wait_until("the level is there", lambda: level_rows(recorder.path))
        time.sleep(1)
        run = recorder.stop()
        levels = run.rows("SELECT * FROM levels")
        equal("number of levels", len(levels), 1)
        equal("status and notes", (levels[0]["status"], levels[0]["notes"]), (None, "ended=interrupted"))
        check_nested(run)
        check("(interrupted)" in recorder.words, f"it said: {recorder.words!r}")
        check(not alive(int(levels[0]["output"])), "the load command lives on")


def level_rows(path):
    return look(path, "SELECT * FROM levels")


@test
def a_sweep_whose_recorder_is_killed_has_its_level_up_to_the_last_interval():
    with temporary_directory() as directory:
        command = ("sh", "-c", f"echo $$ > {directory}/pid; exec sleep 7{{level}}")
        with sweeping("--levels", "1", "-d", "20s", "--warmup", "300ms", "--", *command) as recorder:
            wait_until("the level is there", lambda: level_rows(recorder.path))
            time.sleep(1)
            recorder.child.kill()
            recorder.child.wait()
            with open(f"{directory}/pid", encoding="utf-8") as file:
                os.kill(int(file.read()), signal.SIGKILL)
            for side in ("-wal", "-shm"):
                os.remove(recorder.path + side)
            equal("label", [row[1] for row in level_rows(recorder.path)], ["1"])
            levels = report_json(recorder.path)["levels"]
            equal("levels of the report", [level["level"] for level in levels], ["1"])
            between("seconds of the level", levels[0]["seconds"], 0.3, 1.5 * SLOWNESS)
            recorder.run = Run(recorder.path)


@test
def the_end_of_the_target_ends_the_sweep():
    with Process("sleep", "60") as target:
        with sweep(
            *("--levels", "1,2", "-d", "2s", "--", "sh", "-c", f"kill {target.pid}; sleep 5; echo {{level}}"),
            target=target.pid,
            status=1,
        ) as (run, words):
            equal("levels", [(level["level"], level["notes"]) for level in run.levels], [("1", "ended=target")])
            check("level 1: the target ended" in words, f"it said: {words!r}")


# Works for 800 ms after each signal, on one thread.
WORKER = """
import signal, time
def work(*_):
    end = time.monotonic() + 0.8
    while time.monotonic() < end:
        pass
signal.signal(signal.SIGUSR1, work)
print(flush=True)
while True:
    signal.pause()
"""


@test
def between_levels_the_target_comes_to_rest_or_it_is_said():
    with Process(sys.executable, "-c", WORKER, stdout=subprocess.PIPE) as target:
        target.child.stdout.readline()
        command = ("--", "sh", "-c", f"kill -USR1 {target.pid}; sleep 0.3; : {{level}}")
        with sweep("--levels", "1,2", *QUICK, *command, target=target.pid) as (run, words):
            for level in run.levels:
                between("time to come to rest", level["settled_ns"], 300 * MS, 900 * MS * SLOWNESS, "ns")
            check("at rest" not in words, f"it said: {words!r}")
            pause_ns = run.levels[1]["start_ns"] - run.levels[0]["end_ns"]
            check(pause_ns > 400 * MS, f"the second level began {pause_ns} ns after the first, whose work was not done")
        with sweep("--levels", "1", *QUICK, "--settle", "200ms", *command, target=target.pid) as (run, words):
            equal("time to come to rest", run.levels[0]["settled_ns"], None)
            check("level 1: the target was not at rest 200 ms after it" in words, f"it said: {words!r}")


@test
def the_load_command_runs_as_the_user_who_called_sudo():
    environment = dict(os.environ, SUDO_UID="65534", SUDO_GID="65534", SUDO_USER="nobody")
    with sweep("--levels", "1", *QUICK, "--", "sh", "-c", "id -u; id -G; : {level}", env=environment) as (run, _):
        equal("ids of the command", run.levels[0]["output"].split(), ["65534"] * 2)
        equal("owner of the run file", os.stat(run.path).st_uid, 65534)


@test
def what_the_load_generator_measured_is_taken_into_the_run():
    with temporary_directory() as directory:
        results = f"{directory}/results.csv"
        script = f"test -e {results} || echo p50_ms,level,errors > {results}; echo 1.25,{{level}}.0,3 >> {results}; sleep 0.2"
        arguments = ("--levels", "1,2", *QUICK, "--results", results)
        with sweep(*arguments, "--", "sh", "-c", script) as (run, words):
            rows = run.rows("SELECT level, p50_ns, errors, throughput_rps FROM load_results ORDER BY level")
            equal("rows", [tuple(row.values()) for row in rows], [("1", 1_250_000, 3, None), ("2", 1_250_000, 3, None)])
            equal("what it said", words.count("\n"), 1)
            with open(results, "a", encoding="utf-8") as file:
                file.write("fast,2,0\n")
        with sweep(*arguments, "--", "sh", "-c", "sleep 0.2; : {level}", status=1) as (run, words):
            check(f"{results}: line 4: p50_ms: 'fast' is not a number" in words, f"it said: {words!r}")
            equal("levels of the run", len(run.levels), 2)
            equal("results in the run", run.value("SELECT count(*) FROM load_results"), 0)


@test
def the_progress_line_says_which_level_and_how_long():
    with temporary_directory() as directory, Demo() as server:
        arguments = ("--port", server.port, "--levels", "1,2", "-d", "2s", "--warmup", "1s", "-o", f"{directory}/run.db")
        with Terminal(HEADROOM, "sweep", *map(str, arguments), "--", "sh", "-c", "sleep {seconds}; : {level}") as terminal:
            words = terminal.read(30)
            equal("status", terminal.process.child.wait(10), 0)
        check(re.search("level 1 of 2: 1, warm-up, [45] s left  ", words), f"it said: {words!r}")
        check(re.search("level 2 of 2: 2, [1-3] s left  ", words), f"it said: {words!r}")


@test
def what_makes_no_sense_is_refused_in_one_sentence_before_anything_is_done():
    command = ("--", "wrk", "{level}")
    with temporary_directory() as directory:
        for arguments, said in (
            (("--levels", "1", *command), "what is to be recorded?"),
            (("--port", "1", "--comm", "x", "--levels", "1", *command), "give one target"),
            (("--port", "1", *command), "which levels?"),
            (("--port", "1", "--levels", "1,x", *command), "'x' is not a number above 0"),
            (("--port", "1", "--levels", "1"), "what makes the load?"),
            (("--port", "1", "--levels", "1", "--", "wrk"), "has no {level}"),
            (("--port", "1", "--levels", "1", "--", "wrk", "{level}", "{rate}"), "has {level} and {rate}"),
            (("--port", "1", "--levels", "1", "-d", "1s", "--warmup", "1s", *command), "the warm-up is as long as the level"),
            (("--port", "1", "--levels", "1", "-d", "1s", "-i", "2s", *command), "an interval (-i) is longer"),
        ):
            done = run_command(HEADROOM, "sweep", "-o", f"{directory}/run.db", *arguments)
            equal(f"status of {arguments}", done.returncode, 2)
            check(said in done.stderr and done.stderr.count("\n") == 1, f"{arguments} was answered {done.stderr!r}")
        equal("files", os.listdir(directory), [])


@test
def the_recorder_goes_before_others_and_what_it_starts_does_not():
    if os.sched_getscheduler(0) != os.SCHED_OTHER or os.getpriority(os.PRIO_PROCESS, 0):
        raise Skip("the tests have a priority of their own, and so has what they start")
    with temporary_directory(mode=0o777) as directory:
        told = os.path.join(directory, "nice")
        # the 19th word of a stat is the nice value: of what the shell started, and of the recorder that started it
        command = f"cut -d' ' -f19 /proc/self/stat /proc/$PPID/stat >{told}; : {{level}}"
        with sweep("--levels", "1", *QUICK, "--", "sh", "-c", command) as (run, _):
            with open(told, encoding="ascii") as file:
                equal("nice values of a load command and of the recorder", file.read().split(), ["0", "-10"])
            equal("the feature 'priority'", run.value("SELECT has FROM features WHERE feature = 'priority'"), 1)
