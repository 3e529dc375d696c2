# SPDX-License-Identifier: BSD-2-Clause
"""Levels that a script declares while it runs its own load."""

import os

from harness import HEADROOM, MS, SLOWNESS, between, check, equal, run_command, temporary_directory, test
from loads import Demo
from recorder import Recorder, report_json
from runfile import Run
from sweep import check_nested

# What a user writes: a loop over levels, with the recording beside it.
LOOP = """
set -e
for level in 1 2; do
    {headroom} mark --control fifo:ctl,ack level=$level warmup=200ms tool=loop
    sleep 0.5
done
{headroom} mark --control ctl,ack level=
sleep 0.3
if {headroom} mark --control fifo:ctl,ack level= 2> refused; then exit 9; fi
{headroom} mark --control fifo:ctl,ack level=last
"""


def mark(control, *words, **options):
    return run_command(HEADROOM, "mark", "--control", control, *words, **options)


@test
def a_loop_of_a_script_makes_levels():
    with temporary_directory() as directory, Demo() as server:
        arguments = ("--port", server.port, "--control", "fifo:ctl,ack", "--", "sh", "-c", LOOP.format(headroom=HEADROOM))
        with Recorder(directory, *arguments, cwd=directory) as recorder:
            run = recorder.wait(out=None)
            levels = run.rows("SELECT * FROM levels ORDER BY level_id")
            equal("labels", [(row["level"], row["offered"]) for row in levels], [("1", 1), ("2", 2), ("last", None)])
            equal("notes", [row["notes"] for row in levels], ["tool=loop", "tool=loop", None])
            equal("begin of the second", levels[1]["start_ns"], levels[0]["end_ns"])
            check(levels[2]["start_ns"] - levels[1]["end_ns"] > 290 * MS, "the level did not end with level=")
            equal("end of the last", levels[2]["end_ns"], run.value("SELECT ended_ns FROM run"))
            for level in levels[:2]:
                between("warm-up", level["measured_ns"] - level["start_ns"], 200 * MS, 300 * MS * SLOWNESS, "ns")
                between("its length", level["end_ns"] - level["start_ns"], 500 * MS, 900 * MS * SLOWNESS, "ns")
            check_nested(run)
            with open(f"{directory}/refused", encoding="utf-8") as file:
                equal("what a bad mark was answered", file.read(), "headroom: mark: no level is open that could end\n")
            equal("FIFOs that are left", [name for name in os.listdir(directory) if name in ("ctl", "ack")], [])


@test
def bad_marks_change_nothing():
    with temporary_directory() as directory, Demo() as server:
        control = f"fifo:{directory}/ctl,{directory}/ack"
        with Recorder(directory, "--port", server.port, "--control", control, interval="10s") as recorder:
            for words, status, said in (
                (("level=",), 1, "no level is open that could end"),
                (("a=b",), 1, "no level is open: begin one with level=LABEL"),
                (("level",), 2, "'level' is not key=value"),
                (("level=1", "warmup=2"), 2, "warmup: "),
                (("note=two words",), 2, "has no spaces"),
                ((), 2, "a mark needs key=value"),
            ):
                done = mark(control, *words)
                equal(f"status of {words}", done.returncode, status)
                check(said in done.stderr and done.stderr.count("\n") == 1, f"{words} was answered {done.stderr!r}")
            run = recorder.stop()
            equal("levels", run.rows("SELECT * FROM levels"), [])
            equal("intervals", run.value("SELECT count(*) FROM intervals"), 1)


@test
def a_mark_that_nobody_hears_is_an_error():
    with temporary_directory() as directory:
        done = mark(f"fifo:{directory}/ctl,{directory}/ack", "level=1")
        equal("status", done.returncode, 1)
        equal("what it said", done.stderr, f"headroom: mark: no recording listens on '{directory}/ctl'\n")
        os.mkfifo(f"{directory}/ctl")
        done = mark(f"{directory}/ctl", "level=1")
        equal("status", done.returncode, 1)
        equal("what it said", done.stderr, f"headroom: mark: no recording listens on '{directory}/ctl'\n")


@test
def marks_need_no_root():
    with temporary_directory() as directory, Demo() as server:
        os.chown(directory, 65534, 65534)
        control = f"fifo:{directory}/ctl,{directory}/ack"
        environment = dict(os.environ, SUDO_UID="65534", SUDO_GID="65534", SUDO_USER="nobody")
        with Recorder(directory, "--port", server.port, "--control", control, env=environment) as recorder:
            done = mark(control, "level=1", user=65534, group=65534, extra_groups=[])
            equal(f"status ({done.stderr.strip()})", done.returncode, 0)
            run = recorder.stop()
            equal("levels", [row["level"] for row in run.rows("SELECT * FROM levels")], ["1"])


@test
def a_killed_recording_has_the_levels_that_were_marked():
    with temporary_directory() as directory, Demo() as server:
        control = f"fifo:{directory}/ctl,{directory}/ack"
        with Recorder(directory, "--port", server.port, "--control", control, "-d", "60s") as recorder:
            for level in ("1", "2"):
                equal("status of the mark", mark(control, f"level={level}").returncode, 0)
                run_command("sleep", "0.4")
            recorder.child.kill()
            recorder.child.wait()
            for side in ("-wal", "-shm"):
                os.remove(recorder.path + side)
            levels = report_json(recorder.path)["levels"]
            equal("levels of the report", [level["level"] for level in levels], ["1", "2"])
            between("seconds of the open level", levels[1]["seconds"], 0.1, 1 * SLOWNESS)
            recorder.run = Run(recorder.path)
