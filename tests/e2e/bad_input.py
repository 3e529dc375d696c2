# SPDX-License-Identifier: BSD-2-Clause
"""What users get wrong and machines lack: one sentence that names the thing, the right status, nothing half-written."""

import contextlib
import ctypes
import os
import socket
import sqlite3
import stat
import subprocess
import sys
import time

from harness import (
    HEADROOM,
    MS,
    SLOWNESS,
    Process,
    Skip,
    between,
    check,
    equal,
    run_command,
    temporary_directory,
    test,
    wait_until,
)
from recorder import Recorder, record
from runfile import Run
from workload import Workload

FAILED, USAGE = 1, 2


def refused(done, status, *words):
    """It ended with the status and said one sentence that has these words, on stderr only."""
    lines = done.stderr.splitlines()
    equal(f"status ({done.stderr.strip()})", done.returncode, status)
    equal("stdout", done.stdout, "")
    equal("number of lines said", len(lines), 1)
    check(lines[0].startswith("headroom: "), f"the sentence does not begin with its program: {lines[0]}")
    check(not lines[0].endswith("."), f"the sentence ends in a full stop: {lines[0]}")
    for word in words:
        check(str(word) in lines[0], f"the sentence does not say '{word}': {lines[0]}")


@contextlib.contextmanager
def refused_record(status, *words):
    """Yields a function that records into an empty directory; it must be refused, and leave the directory empty."""
    with temporary_directory() as directory:
        yield lambda *arguments, **options: refused(
            record("-o", f"{directory}/run.db", *arguments, **options), status, *words
        )
        equal("files left behind", os.listdir(directory), [])


def free_pid():
    """A pid that has just ended."""
    child = subprocess.Popen(["true"])
    child.wait()
    return child.pid


# The command line


@test
def a_duration_without_a_unit_is_refused():
    with refused_record(USAGE, "'5'") as refuse:
        refuse("-p", os.getpid(), "-d", "5")


@test
def a_duration_that_is_none_is_refused():
    for text in ("s", "1.2.3s", "1x", "1s2", "99999999999h"):
        with refused_record(USAGE, f"'{text}'") as refuse:
            refuse("-p", os.getpid(), "-d", text)


@test
def an_unknown_option_is_refused():
    with refused_record(USAGE, "--no-such") as refuse:
        refuse("-p", os.getpid(), "--no-such")


@test
def an_option_without_its_argument_is_refused():
    with refused_record(USAGE, "-d") as refuse:
        refuse("-p", os.getpid(), "-d")


@test
def an_unknown_verb_is_refused():
    refused(run_command(HEADROOM, "recrod"), USAGE, "recrod", "record")


@test
def an_interval_longer_than_the_duration_is_refused():
    with refused_record(USAGE, "-i", "-d") as refuse:
        refuse("-p", os.getpid(), "-i", "2s", "-d", "1s")


@test
def no_target_is_refused():
    with refused_record(USAGE, "-p") as refuse:
        refuse("-d", "1s")


@test
def two_kinds_of_target_are_refused():
    with refused_record(USAGE, "--port") as refuse:
        refuse("-p", os.getpid(), "--port", "80")


@test
def words_that_are_no_pid_are_refused():
    for text, named in (
        ("abc", "'abc'"),
        ("1,", "''"),
        ("0", "'0'"),
        ("1 2", "'1 2'"),
        ("9" * 20, "9" * 20),
    ):
        with refused_record(USAGE, named) as refuse:
            refuse("-p", text)


@test
def a_port_that_is_none_is_refused():
    for text in ("0", "65536", "http"):
        with refused_record(USAGE, text) as refuse:
            refuse("--port", text)


@test
def a_ready_fd_that_is_not_open_is_refused():
    with temporary_directory() as directory:
        done = record("-o", f"{directory}/run.db", "-p", os.getpid(), "-d", "1s", "--ready-fd", "77")
        check(done.returncode in (FAILED, USAGE), f"the status is {done.returncode}")
        refused(done, done.returncode, "77")
        equal("files left behind", os.listdir(directory), [])


@test
def a_control_fifo_that_is_none_is_refused():
    with temporary_directory() as directory:
        plain = os.path.join(directory, "plain")
        open(plain, "w", encoding="utf-8").close()
        for control in (f"fifo:{plain}", f"fifo:{directory}/no/fifo", "pipe:x", plain):
            done = record("-o", f"{directory}/run.db", "-p", os.getpid(), "-d", "1s", "--control", control)
            check(
                done.returncode in (FAILED, USAGE), f"the status for '{control}' is {done.returncode}: {done.stderr}"
            )
            refused(done, done.returncode, control.split(":")[-1])
        equal("files left behind", os.listdir(directory), ["plain"])


# Targets


@test
def a_pid_that_does_not_exist_is_refused():
    pid = free_pid()
    with refused_record(FAILED, pid) as refuse:
        refuse("-p", pid, "-d", "1s")


@test
def a_zombie_is_refused():
    with Process("sh", "-c", "true & exec sleep 30") as parent:
        children = f"/proc/{parent.pid}/task/{parent.pid}/children"
        zombie = int(wait_until("the zombie", lambda: read(children).split() and read(children).split()[0]))
        wait_until("its end", lambda: read(f"/proc/{zombie}/stat").rsplit(")", 1)[1].split()[0] == "Z")
        with refused_record(FAILED, zombie) as refuse:
            refuse("-p", zombie, "-d", "1s")


def read(file):
    with open(file, encoding="utf-8") as opened:
        return opened.read()


@test
def a_pid_that_exits_at_once_gives_a_short_run_or_a_sentence():
    for delay in ("0.00", "0.01", "0.05", "0.1", "0.3"):
        with temporary_directory() as directory, Process("sleep", delay) as child:
            start = time.monotonic()
            done = record("-o", f"{directory}/run.db", "-p", child.pid, "-d", "20s")
            # nobody has waited for the child: it is a zombie, and no reason to go on
            between("seconds until the run ended", time.monotonic() - start, 0, 15)  # of 20, and its start takes one or two
            if done.returncode == 0:
                run = Run(f"{directory}/run.db")
                run.check_laws()
                equal("processes", run.value("SELECT count(*) FROM processes"), 1)
                run.close()
            else:
                refused(done, FAILED)
                equal("files left behind", os.listdir(directory), [])


@test
def a_thread_that_is_no_process_is_refused_or_read_as_its_process():
    with temporary_directory() as directory, Workload("sleep_waits", "--before", 1, 60_000, "nanosleep") as workload:
        tid = next(int(task) for task in os.listdir(f"/proc/{workload.pid}/task") if int(task) != workload.pid)
        done = record("-o", f"{directory}/run.db", "-p", tid, "-d", "300ms", "-i", "300ms")
        if done.returncode:
            refused(done, FAILED, tid)
            equal("files left behind", os.listdir(directory), [])
        else:
            run = Run(f"{directory}/run.db")
            equal("recorded pid", run.value("SELECT pid FROM processes"), workload.pid)
            run.close()


@test
def a_kernel_thread_is_refused():
    with refused_record(FAILED, "2", "kthreadd") as refuse:
        refuse("-p", 2, "-d", "1s")


@test
def a_port_that_nobody_listens_on_is_refused():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        with refused_record(FAILED, port) as refuse:
            refuse("--port", port, "-d", "1s")


@test
def a_name_that_nobody_has_is_refused():
    with refused_record(FAILED, "no-such-name") as refuse:
        refuse("--comm", "no-such-name", "-d", "1s")


@test
def two_processes_that_match_a_name_are_refused_with_their_pids():
    with Workload("cpu_hog", 1, 10) as one, Workload("cpu_hog", 1, 10) as two:
        with refused_record(FAILED, "cpu_hog", one.pid, two.pid) as refuse:
            refuse("--comm", "cpu_hog", "-d", "1s")


@test
def two_processes_that_listen_on_a_port_are_refused_with_their_pids():
    script = (
        "import socket, sys, time; s = socket.socket(); s.bind((sys.argv[1], int(sys.argv[2]))); s.listen();"
        "print(s.getsockname()[1], flush=True); time.sleep(60)"
    )
    with Process(sys.executable, "-c", script, "127.0.0.1", "0", stdout=subprocess.PIPE) as one:
        port = int(one.child.stdout.readline())
        with Process(sys.executable, "-c", script, "127.0.0.2", str(port), stdout=subprocess.PIPE) as two:
            two.child.stdout.readline()
            with refused_record(FAILED, port, one.pid, two.pid) as refuse:
                refuse("--port", port, "-d", "1s")


@test
def a_cgroup_that_does_not_exist_is_refused():
    with refused_record(FAILED, "/no/such/cgroup") as refuse:
        refuse("--cgroup", "/no/such/cgroup", "-d", "1s")


@test
def a_command_that_does_not_exist_is_status_127():
    with refused_record(127, "no-such-command") as refuse:
        refuse("--", "no-such-command")


@test
def a_command_that_cannot_be_run_is_status_126():
    with temporary_directory() as directory:
        file = os.path.join(directory, "plain")
        open(file, "w", encoding="utf-8").close()
        with refused_record(126, file) as refuse:
            refuse("--", file)


# The machine


@test
def a_user_who_is_not_root_is_refused():
    with temporary_directory(0o777) as directory, Process("sleep", "30") as child:
        done = run_command(
            HEADROOM,
            "record",
            "-o",
            f"{directory}/run.db",
            "-p",
            str(child.pid),
            "-d",
            "1s",
            user=65534,
            group=65534,
            extra_groups=[],
        )
        refused(done, FAILED, "root")
        equal("files left behind", os.listdir(directory), [])


CLONE_NEWNS, MS_REC, MS_PRIVATE, MS_BIND, MNT_DETACH = 0x20000, 0x4000, 1 << 18, 4096, 2


def in_own_mounts(*changes):
    """For preexec_fn: a mount namespace with changes: (source, target) to bind, (None, target) to unmount."""
    libc = ctypes.CDLL(None, use_errno=True)

    def enter():
        if libc.unshare(CLONE_NEWNS) or libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None):
            os._exit(100)
        for source, target in changes:
            if source is None:
                while libc.umount2(target.encode(), MNT_DETACH) == 0:
                    pass
            elif libc.mount(source.encode(), target.encode(), None, MS_BIND, None):
                os._exit(101)

    return enter


def hide_btf():
    """Where a kernel's type information may be read from, all hidden."""
    release = os.uname().release
    places = ["/sys/kernel/btf/vmlinux"] + [
        place
        for place in (f"/boot/vmlinux-{release}", f"/usr/lib/debug/boot/vmlinux-{release}")
        if os.path.exists(place)
    ]
    return [("/dev/null", place) for place in places]


@test
def a_kernel_without_btf_is_refused():
    if not os.path.exists("/sys/kernel/btf/vmlinux"):
        raise Skip("this kernel has no BTF to hide")
    with refused_record(FAILED, "BTF") as refuse:
        refuse("-p", os.getpid(), "-d", "1s", preexec_fn=in_own_mounts(*hide_btf()))


@test
def without_tracefs_it_records_or_says_what_to_mount():
    changes = ((None, "/sys/kernel/tracing"), (None, "/sys/kernel/debug/tracing"), (None, "/sys/kernel/debug"))
    with temporary_directory() as directory, Workload("sleep_waits", "--before", 1, 60_000, "nanosleep") as workload:
        done = record(
            "-o",
            f"{directory}/run.db",
            "-p",
            workload.pid,
            "-d",
            "300ms",
            "-i",
            "300ms",
            preexec_fn=in_own_mounts(*changes),
        )
        if done.returncode:
            refused(done, FAILED, "tracefs", "mount")
            equal("files left behind", os.listdir(directory), [])
            return
        run = Run(f"{directory}/run.db")
        run.check_laws()
        check(run.state("sleep", name="nanosleep") > 250 * MS, "it recorded, but not the sleep")
        run.close()


# The output


def refused_output(output, status, *words):
    with Process("sleep", "30") as child:
        refused(record("-o", output, "-p", child.pid, "-d", "1s"), status, *words)


@test
def an_output_that_exists_is_refused_and_left_alone():
    with temporary_directory() as directory:
        file = f"{directory}/run.db"
        with open(file, "w", encoding="utf-8") as existing:
            existing.write("mine")
        refused_output(file, FAILED, file)
        equal("the file", read(file), "mine")
        equal("files", os.listdir(directory), ["run.db"])


@test
def an_output_that_is_a_symlink_is_refused_and_its_target_left_alone():
    with temporary_directory() as directory:
        victim, link = f"{directory}/victim", f"{directory}/run.db"
        with open(victim, "w", encoding="utf-8") as existing:
            existing.write("mine")
        os.symlink(victim, link)
        refused_output(link, FAILED, link)
        equal("the file behind the link", read(victim), "mine")
        os.unlink(victim)
        refused_output(link, FAILED, link)
        equal("files", os.listdir(directory), ["run.db"])


@test
def an_output_in_a_directory_that_does_not_exist_is_refused():
    refused_output("/no/such/directory/run.db", FAILED, "/no/such/directory")


@test
def an_output_that_is_a_directory_is_refused():
    with temporary_directory() as directory:
        refused_output(directory, FAILED, directory)
        equal("files", os.listdir(directory), [])


@contextlib.contextmanager
def small_tmpfs(options):
    with temporary_directory() as directory:
        done = run_command("mount", "-t", "tmpfs", "-o", options, "headroom-e2e", directory)
        if done.returncode:
            raise Skip(f"cannot mount a tmpfs: {done.stderr.strip()}")
        try:
            yield directory
        finally:
            run_command("umount", "-l", directory)


@test
def an_output_that_is_not_writable_is_refused():
    with small_tmpfs("size=1m,ro") as directory:
        refused_output(f"{directory}/run.db", FAILED, f"{directory}/run.db")


@test
def an_output_on_a_full_disk_is_refused_and_not_half_written():
    with small_tmpfs("size=16k") as directory:
        with open(f"{directory}/fill", "wb", buffering=0) as filler, contextlib.suppress(OSError):
            while True:
                filler.write(bytes(4096))
        refused_output(f"{directory}/run.db", FAILED, f"{directory}/run.db")
        equal("files", os.listdir(directory), ["fill"])


@test
def an_output_that_runs_full_keeps_every_finished_interval():
    with small_tmpfs("size=1400k") as directory, Workload("churn", 200, 20, 20_000) as workload:
        workload.go()
        done = record("-o", f"{directory}/run.db", "-p", workload.pid, "-i", "50ms", "-d", "30s")
        refused(done, FAILED, f"{directory}/run.db")
        run = Run(f"{directory}/run.db")
        between("intervals", run.value("SELECT count(*) FROM intervals"), 1, 500)
        equal("integrity", run.value("PRAGMA integrity_check"), "ok")
        run.check_conservation()
        run.close()
        equal("status of a report on it", run_command(HEADROOM, "report", f"{directory}/run.db").returncode, 0)


@test
def the_run_file_is_not_for_everyone_and_belongs_to_the_user_who_called_sudo():
    with temporary_directory() as directory, Process("sleep", "30") as child:
        file = f"{directory}/run.db"
        done = record(
            "-o",
            file,
            "-p",
            child.pid,
            "-d",
            "200ms",
            "-i",
            "200ms",
            env=dict(os.environ, SUDO_UID="1234", SUDO_GID="1235"),
        )
        equal(f"status ({done.stderr.strip()})", done.returncode, 0)
        info = os.stat(file)
        equal("owner", (info.st_uid, info.st_gid), (1234, 1235))
        check(not stat.S_IMODE(info.st_mode) & 0o022, f"others can write it: {stat.S_IMODE(info.st_mode):o}")


@test
def the_textfile_belongs_to_the_user_who_called_sudo_and_everybody_may_read_it():
    with temporary_directory() as directory:
        file = f"{directory}/a.prom"
        environment = dict(os.environ, SUDO_UID="1234", SUDO_GID="1235")
        done = record("-q", "-o", f"{directory}/run.db", "--textfile", file, "-i", "100ms", "--", "true", env=environment)
        equal(f"status ({done.stderr.strip()})", done.returncode, 0)
        info = os.stat(file)
        equal("owner", (info.st_uid, info.st_gid), (1234, 1235))
        equal("mode", oct(stat.S_IMODE(info.st_mode)), oct(0o644))
        done = record("-q", "--force", "-o", f"{directory}/run.db", "--textfile", file, "--", "true", env={k: v for k, v in os.environ.items() if not k.startswith("SUDO_")})
        equal(f"status without sudo ({done.stderr.strip()})", done.returncode, 0)
        equal("owner without sudo", os.stat(file).st_uid, os.getuid())


# Reports


def refused_report(file, *words, arguments=(), status=FAILED):
    refused(run_command(HEADROOM, "report", file, *arguments), status, *words)


@test
def a_report_on_what_is_no_run_file_is_refused():
    with temporary_directory() as directory:
        refused_report(f"{directory}/missing.db", f"{directory}/missing.db")
        for name, content in (("empty.db", b""), ("text.db", b"hello\n" * 1000), ("zeros.db", bytes(65536))):
            with open(f"{directory}/{name}", "wb") as file:
                file.write(content)
            refused_report(f"{directory}/{name}", f"{directory}/{name}")
        other = f"{directory}/other.db"
        with sqlite3.connect(other) as db:
            db.execute("CREATE TABLE t (x)")
        db.close()
        refused_report(other, other)
        refused_report(directory, directory)


@test
def a_report_on_a_cut_off_run_file_is_refused():
    with temporary_directory() as directory, Process("sleep", "30") as child:
        with Recorder(directory, "-p", child.pid, "-d", "300ms", interval="100ms") as recorder:
            recorder.wait()
        with open(recorder.path, "rb") as file:
            whole = file.read()
        for share in (0.9, 0.5, 0.1):
            with open(f"{directory}/cut.db", "wb") as file:
                file.write(whole[: int(len(whole) * share) // 4096 * 4096 + 100])
            done = run_command(HEADROOM, "report", f"{directory}/cut.db")
            check(done.returncode == FAILED, f"status of a report on {share:.0%} of a file is {done.returncode}")
            refused(done, FAILED, f"{directory}/cut.db")


@test
def an_unknown_report_format_is_refused():
    refused_report("x.db", "yaml", arguments=("--format", "yaml"), status=USAGE)


@test
def a_process_name_with_odd_bytes_does_not_break_the_run_file_or_the_report():
    with temporary_directory() as directory:
        odd = os.fsdecode(os.path.join(os.fsencode(directory), b'\xff\xfe\x1b[31m"<x'))
        with Workload("cpu_hog", 1, 100, called=odd) as workload:
            with Recorder(directory, "-p", workload.pid, "-d", "300ms") as recorder:
                run = recorder.wait()
                name = run.value("SELECT name FROM processes")  # fails if it is not UTF-8
                check("\x1b" not in name, f"a control character is in the name {name!r}")
        for form in ("text", "json"):
            done = run_command(HEADROOM, "report", recorder.path, "--format", form)
            equal(f"status ({done.stderr.strip()})", done.returncode, 0)
            check("\x1b" not in done.stdout, f"a control character is in the {form} report")
