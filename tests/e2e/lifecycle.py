# SPDX-License-Identifier: BSD-2-Clause
"""What a recording follows, how it begins, and how it ends."""

import functools
import os
import signal
import subprocess
import sys
import time

from cgroup import Cgroup, mount_point
from harness import (
    HEADROOM,
    MS,
    SECOND,
    SLOWNESS,
    Process,
    Skip,
    between,
    cases,
    check,
    equal,
    run_command,
    temporary_directory,
    test,
    wait_until,
)
from probes import check_none_left, programs_of
from recorder import Recorder, record
from runfile import Run
from workload import Workload, path

# Threads that were there before


ON_CPU_OR_RUNNABLE = ("user", "kernel", "runq", "preempted")


def check_still_waits(run, wait):
    """A thread that waited from before the run to after its end was in nothing but its state."""
    if wait["skipped"]:
        raise Skip(wait["skipped"])
    states = run.states(tid=wait["tid"])
    if wait["kind"] in ("futex_timed", "epoll_timed"):  # these come back every few milliseconds by themselves
        states = {state: time_ns for state, time_ns in states.items() if state not in ON_CPU_OR_RUNNABLE}
    check(states.get(wait["state"], 0) >= 0.999 * sum(states.values()) > 0, f"its time went elsewhere: {states}")


def check_woken(run, wait):
    """A wait that began before the run and was ended in it lasted from the run's start to its wake-up."""
    if wait["skipped"]:
        raise Skip(wait["skipped"])
    expected_ns = wait["woken_unix_ns"] - run.value("SELECT started_unix_ns FROM run")
    seen_ns, slack_ns = run.state(wait["state"], tid=wait["tid"]), 10 * MS * SLOWNESS
    between(f"time in {wait['state']}", seen_ns, expected_ns - slack_ns, expected_ns + slack_ns, "ns")


@cases
def waits_that_began_before_the_recording_end_in_it():
    with temporary_directory() as directory, Workload("ipc_waits", "--before", 1, 300) as workload:
        with Recorder(directory, "-p", workload.pid) as recorder:
            workload.go()
            waits = workload.truth()["waits"]
            run = recorder.stop()
            for wait in waits:
                sentence = f"a wait in {wait['kind']} that began before the recording is cut at its start"
                yield sentence, functools.partial(check_woken, run, wait)


# What is followed


def check_tree(run, pid, truth):
    """The process and all that it forked, which slept once each, is there."""
    main = run.rows("SELECT * FROM processes WHERE pid = ?", pid)[0]
    branches = run.rows("SELECT * FROM processes WHERE parent_pid = ?", pid)
    parents = ",".join(str(branch["pid"]) for branch in branches)
    leaves = run.rows(f"SELECT * FROM processes WHERE parent_pid IN ({parents})")
    check(main["last_ns"] is None, "the main process lives on")
    for what, processes, name, count in (
        ("children", branches, "branch", truth["branches"]),
        ("grandchildren", leaves, "leaf", truth["leaves"]),
    ):
        equal(f"number of {what}", len(processes), count)
        equal(f"names of the {what}", {process["name"] for process in processes}, {name})
        for process in processes:
            check(process["last_ns"] is not None, f"process {process['pid']} has no end")
            slept_ns, asked_ns = run.state("sleep", process_id=process["process_id"]), truth["sleep_ns"]
            low_ns = asked_ns * (0.9 if SLOWNESS == 1 else 0.85)  # its timer runs before it leaves the CPU
            between(f"sleep of process {process['pid']}", slept_ns, low_ns, asked_ns + 30 * MS * SLOWNESS, "ns")


@test
def a_tree_of_forks_and_execs_is_followed():
    with temporary_directory() as directory, Workload("fork_tree", 4, 30) as workload:
        with Recorder(directory, "-p", workload.pid) as recorder:
            workload.go()
            truth = workload.truth()
            run = recorder.stop()
            check_tree(run, workload.pid, truth)
            equal("processes", run.value("SELECT count(*) FROM processes"), 1 + truth["branches"] + truth["leaves"])


@test
def children_that_exist_before_the_recording_are_recorded():
    with temporary_directory() as directory, Workload("sleep_waits", "--before", 1, 60_000, "wait4") as workload:
        with Recorder(directory, "-p", workload.pid, "-d", "300ms") as recorder:
            run = recorder.wait()
            equal("processes", run.value("SELECT count(*) FROM processes"), 2)


@test
def the_target_is_found_by_its_port():
    with temporary_directory() as directory, PythonServer() as server:
        with Recorder(directory, "--port", server.port, "-d", "300ms") as recorder:
            run = recorder.wait()
            equal("recorded pids", [row["pid"] for row in run.rows("SELECT pid FROM processes")], [server.pid])
            states = run.states()
            check(states.get("net_accept", 0) > 0.99 * sum(states.values()), f"the server waits in accept: {states}")


@test
def the_target_is_found_by_its_name():
    with temporary_directory() as directory:
        with Workload("cpu_hog", 1, 100, called=f"{directory}/e2e_by_name") as workload:
            with Recorder(directory, "--comm", "e2e_by_name", "-d", "300ms") as recorder:
                run = recorder.wait()
                equal("recorded pids", [row["pid"] for row in run.rows("SELECT pid FROM processes")], [workload.pid])


@test
def the_target_is_found_by_its_cgroup():
    with Cgroup("cpu") as cgroup:
        record_cgroup(cgroup)


@test
def the_target_is_found_by_its_cgroup_of_version_2():
    with open("/proc/self/mounts", encoding="utf-8") as mounts:
        top = next((line.split()[1] for line in mounts if line.split()[2] == "cgroup2"), None)
    if not top:
        raise Skip("no cgroup v2 tree is mounted")
    if mount_point("cpu")[1] == 2:
        raise Skip("the cpu controller is on v2: the test before did it")
    cgroup = object.__new__(Cgroup)
    cgroup.version, cgroup.path = 2, os.path.join(top, f"headroom-e2e-{os.getpid()}")
    os.mkdir(cgroup.path)
    with cgroup:
        record_cgroup(cgroup)


def record_cgroup(cgroup):
    """One process is in it from the start, one joins, and one stays outside."""
    with temporary_directory() as directory, Workload("cpu_hog", 1, 100) as inside, Workload(
        "cpu_hog", 1, 100
    ) as joiner, Workload("cpu_hog", 1, 100):
        cgroup.add(inside.pid)
        with Recorder(directory, "--cgroup", cgroup.path, interval="100ms") as recorder:
            cgroup.add(joiner.pid)
            time.sleep(0.5 * SLOWNESS)
            inside.go()
            joiner.go()
            inside.truth()
            joiner.truth()
            run = recorder.stop()
            equal(
                "recorded pids",
                {row["pid"] for row in run.rows("SELECT pid FROM processes")},
                {inside.pid, joiner.pid},
            )
            hogs = run.threads(name="hog")
            equal("threads born inside", len(hogs), 2)


@test
def a_pid_list_records_each_of_them():
    with temporary_directory() as directory, Workload("cpu_hog", 1, 50) as one, Workload("cpu_hog", 1, 50) as two:
        with Recorder(directory, "-p", f"{one.pid},{two.pid}", "-d", "300ms") as recorder:
            run = recorder.wait()
            equal("recorded pids", {row["pid"] for row in run.rows("SELECT pid FROM processes")}, {one.pid, two.pid})


# How it ends


@test
def a_duration_ends_the_run():
    with temporary_directory() as directory, Workload("cpu_hog", 1, 50) as workload:
        with Recorder(directory, "-p", workload.pid, "-d", "700ms", interval="200ms") as recorder:
            run = recorder.wait()
            between(
                "length of the run",
                run.value("SELECT ended_ns FROM run"),
                700 * MS,
                700 * MS + 200 * MS * SLOWNESS,
                "ns",
            )
            between("intervals", run.value("SELECT count(*) FROM intervals"), 1, 4)
            equal("end of the last interval", run.end_ns(), run.value("SELECT ended_ns FROM run"))


def end_by(number):
    with temporary_directory() as directory, Workload("cpu_hog", 1, 50) as workload:
        with Recorder(directory, "-p", workload.pid) as recorder:
            time.sleep(0.2)
            run = recorder.stop(how=number)
            check(run.value("SELECT ended_ns FROM run") is not None, "the run has no end")
            between("length of the run", run.end_ns(), 150 * MS, 5 * SECOND * SLOWNESS, "ns")
            between("time of the threads", run.total_ns(), 150 * MS, 5 * SECOND * SLOWNESS, "ns")


@test
def sigint_ends_the_run_cleanly():
    end_by(signal.SIGINT)


@test
def sigterm_ends_the_run_cleanly():
    end_by(signal.SIGTERM)


@test
def a_signal_before_the_probes_are_in_leaves_a_whole_run_or_nothing():
    for delay_s in (0.02, 0.1, 0.2, 0.3, 0.4):
        with temporary_directory() as directory, Process("sleep", "30") as target:
            file = os.path.join(directory, "run.db")
            command = (HEADROOM, "record", "-o", file, "-p", str(target.pid))
            with Process(*command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as recorder:
                time.sleep(delay_s)
                recorder.child.send_signal(signal.SIGTERM)
                recorder.child.wait(30 * SLOWNESS)
            if os.path.exists(file):
                run = Run(file)
                run.check_laws()
                run.close()
                equal("files", os.listdir(directory), ["run.db"])
            else:
                equal("files left behind", os.listdir(directory), [])


@test
def the_run_ends_when_its_target_has():
    with temporary_directory() as directory, Workload("cpu_hog", 1, 300) as workload:
        with Recorder(directory, "-p", workload.pid, "-d", "60s", interval="100ms") as recorder:
            workload.go()
            workload.truth()
            workload.finish()
            run = recorder.wait()
            equal("threads that ended", len(run.threads(ended=1)), 2)
            between(
                "time on CPU",
                run.state("user", name="hog") + run.state("kernel", name="hog"),
                50 * MS,
                SECOND * SLOWNESS,
                "ns",
            )


@test
def kill_9_leaves_the_target_unharmed_no_probe_and_every_finished_interval():
    with temporary_directory() as directory, Workload("cpu_hog", 1, int(1500 * SLOWNESS)) as workload:
        with Recorder(directory, "-p", workload.pid, interval="100ms") as recorder:
            workload.go()
            programs, _ = programs_of(recorder.pid)
            check(programs, "the recording has no BPF programs")
            time.sleep(0.75 * SLOWNESS)
            os.kill(recorder.pid, signal.SIGKILL)
            recorder.child.wait()
            lone = os.path.join(directory, "lone.db")
            with open(recorder.path, "rb") as source, open(lone, "wb") as copy:
                copy.write(source.read())  # the .db file alone, without side files
            for path_of_run in (lone, recorder.path):
                run = Run(path_of_run)
                intervals = run.value("SELECT count(*) FROM intervals")
                between(f"intervals in {os.path.basename(path_of_run)}", intervals, 3, 9 * SLOWNESS)
                equal("end of the run", run.value("SELECT ended_ns FROM run"), None)
                run.check_laws()
                check(run.state("user", name="hog") > 100 * MS, f"the states of the hog are {run.states(name='hog')}")
                run.close()
            done = run_command(HEADROOM, "report", lone)
            equal(f"status of the report ({done.stderr.strip()})", done.returncode, 0)
            check_none_left(programs)
            recorder.run = Run(lone)
        workload.truth(limit_s=30)
        equal("status of the target", workload.finish(), 0)


@test
def a_command_passes_its_status_through():
    with temporary_directory() as directory:
        for number, (script, status) in enumerate((("exit 0", 0), ("exit 7", 7), ("kill -9 $$", 128 + 9))):
            done = record("-o", f"{directory}/{number}.db", "--", "/bin/sh", "-c", script)
            equal(f"status after '{script}' ({done.stderr.strip()})", done.returncode, status)
            run = Run(f"{directory}/{number}.db")
            equal(f"status in the run file after '{script}'", run.value("SELECT target_status FROM run"), status)
            run.close()


@test
def a_command_runs_as_the_user_who_called_sudo():
    with temporary_directory() as directory:
        environment = dict(os.environ, SUDO_UID="65534", SUDO_GID="65534", SUDO_USER="nobody")
        done = record("-o", f"{directory}/run.db", "--", "/bin/sh", "-c", "id -u; id -g; id -G", env=environment)
        equal(f"status ({done.stderr.strip()})", done.returncode, 0)
        equal("ids of the command", done.stdout.split(), ["65534"] * 3)
        equal("owner of the run file", os.stat(f"{directory}/run.db").st_uid, 65534)


@test
def sigint_reaches_the_command_and_its_run_ends_cleanly():
    with temporary_directory() as directory:
        with Recorder(directory, "--", path("cpu_hog"), "--now", "1", "20000") as recorder:
            time.sleep(0.3)
            os.killpg(recorder.pid, signal.SIGINT)  # as a terminal does
            recorder.child.wait(20 * SLOWNESS)
            check(recorder.child.returncode in (0, 130), f"the status is {recorder.child.returncode}")
            recorder.run = Run(recorder.path)
            recorder.run.check_laws()
            check(
                not any(alive(row["pid"]) for row in recorder.run.rows("SELECT pid FROM processes")),
                "the command lives on",
            )


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


# Control


class Control:
    """The two fifos of --control."""

    def __init__(self, directory):
        self.paths = [os.path.join(directory, name) for name in ("control", "ack")]
        for fifo in self.paths:
            os.mkfifo(fifo, 0o600)
        self.command, self.ack = (os.open(fifo, os.O_RDWR | os.O_NONBLOCK) for fifo in self.paths)
        self.option = f"fifo:{self.paths[0]},{self.paths[1]}"

    def ask(self, word):
        os.write(self.command, word.encode() + b"\n")
        return wait_until(f"an answer to '{word}'", self.answer).decode(errors="replace").strip("\0\n")

    def answer(self):
        try:
            return os.read(self.ack, 4096)
        except BlockingIOError:
            return None

    def close(self):
        os.close(self.command)
        os.close(self.ack)


@test
def each_control_command_is_acknowledged():
    with temporary_directory() as directory, Workload("cpu_hog", 1, 50) as workload:
        control = Control(directory)
        with Recorder(directory, "-p", workload.pid, "--control", control.option) as recorder:
            for word in ("ping", "disable", "enable", "ping"):
                check(control.ask(word).startswith("ack"), f"'{word}' was not acknowledged")
            answer = control.ask("no-such-word")
            check(answer and not answer.startswith("ack"), f"an unknown command was answered with '{answer}'")
            check(control.ask("stop").startswith("ack"), "'stop' was not acknowledged")
            recorder.wait()
        control.close()


@test
def what_happens_while_recording_is_disabled_is_not_in_the_run():
    with temporary_directory() as directory, Workload("cpu_hog", 1, int(400 * SLOWNESS)) as workload:
        control = Control(directory)
        with Recorder(directory, "-p", workload.pid, "--control", control.option, interval="100ms") as recorder:
            time.sleep(0.3)
            control.ask("disable")
            workload.go()
            workload.truth()
            control.ask("enable")
            time.sleep(0.3)
            control.ask("stop")
            run = recorder.wait()
            on_cpu_ns = run.state("user") + run.state("kernel")
            between("time on CPU", on_cpu_ns, 0, 60 * MS * SLOWNESS, "ns")
            between("time in all states", run.state("ipc"), 300 * MS, 10 * SECOND * SLOWNESS, "ns")
        control.close()


@test
def two_recorders_beside_each_other_do_not_disturb_each_other():
    with temporary_directory() as directory, Workload("sleep_waits", 10, 20, "nanosleep") as workload:
        with Recorder(directory, "-p", workload.pid, name="one.db") as one, Recorder(
            directory, "-p", workload.pid, name="two.db"
        ) as two:
            workload.go()
            wait = workload.truth()["waits"][0]
            for recorder in (one, two):
                run = recorder.stop()
                between(
                    "time in sleep", run.state("sleep", tid=wait["tid"]), 0.98 * wait["low_ns"], wait["high_ns"], "ns"
                )


class PythonServer(Process):
    """A listening socket and a process that blocks in accept; the port is the first line that it prints."""

    SCRIPT = (
        "import socket; s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen()\n"
        "print(s.getsockname()[1], flush=True)\n"
        "while True: s.accept()"
    )

    def __init__(self):
        super().__init__(sys.executable, "-c", self.SCRIPT, stdout=subprocess.PIPE)
        self.port = int(self.child.stdout.readline())
        time.sleep(0.05)
