# SPDX-License-Identifier: BSD-2-Clause
"""Names of code that is compiled just in time, and of programs that live in a root of their own, as containers do."""

import os
import re
import shutil
import subprocess

from harness import SECOND, Process, Skip, between, check, equal, need, run_command, temporary_directory, test, wait_until
from recorder import Recorder, report_json
from workload import Workload, path

LEAST_SAMPLES = 20  # of a CPU that may be shared with much else

NODE_SOURCE = """
function sumOfRoots(n) { let sum = 0; for (let i = 1; i < n; i++) sum += Math.sqrt(i) / (i + 1); return sum; }
let sum = 0;
process.stdout.write("begin\\n");
for (;;) sum += sumOfRoots(20000);
"""

JAVA_SOURCE = """
public class Busy {
    static double sumOfRoots(int n) { double sum = 0; for (int i = 1; i < n; i++) sum += Math.sqrt(i) / (i + 1); return sum; }
    public static void main(String[] arguments) {
        double sum = 0;
        for (int i = 0; i < 20000; i++) sum += sumOfRoots(1000);
        System.out.println("begin");
        for (;;) sum += sumOfRoots(20000);
    }
}
"""


def hot_places(directory, pid):
    """Places on CPU of what runs, recorded until they have samples enough."""
    with Recorder(directory, "-p", pid) as recorder:
        def on_cpu_ns():
            with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stat:
                return sum(map(int, stat.read().rpartition(")")[2].split()[11:13])) * SECOND // os.sysconf("SC_CLK_TCK")

        begin_ns = on_cpu_ns()
        wait_until("it was on CPU for half a second", lambda: on_cpu_ns() - begin_ns > SECOND // 2, limit_s=20)
        run = recorder.stop(laws=False)
        places = report_json(run.path)["code"]["on_cpu"]
    samples = sum(place["samples"] for place in places)
    check(samples >= LEAST_SAMPLES, f"only {samples} samples on CPU")
    return places


def share_of(places, pattern):
    found = sum(place["samples"] for place in places if re.search(pattern, place["function"] or ""))
    return found / sum(place["samples"] for place in places)


@test
def functions_of_node_have_their_names():
    need("node")
    with temporary_directory() as directory:
        with open(f"{directory}/busy.js", "w", encoding="utf-8") as file:
            file.write(NODE_SOURCE)
        with Process("node", "--perf-basic-prof", f"{directory}/busy.js", stdout=subprocess.PIPE, cwd=directory) as node:
            equal("first line", node.child.stdout.readline(), b"begin\n")
            try:
                places = hot_places(directory, node.pid)
            finally:
                remove(f"/tmp/perf-{node.pid}.map")
    # what it is inlined into is the script itself
    between(f"share of the script's functions, of {places[:3]},", share_of(places, r"sumOfRoots|busy\.js"), 0.7, 1)


@test
def methods_of_java_have_their_names():
    """The virtual machine writes its map when it is asked to, as `jcmd PID Compiler.perfmap` does from version 17 on."""
    need("java", "javac", "jcmd")
    with temporary_directory() as directory:
        with open(f"{directory}/Busy.java", "w", encoding="utf-8") as file:
            file.write(JAVA_SOURCE)
        equal("status of javac", run_command("javac", "Busy.java", cwd=directory).returncode, 0)
        with Process("java", "-XX:+PreserveFramePointer", "Busy", stdout=subprocess.PIPE, cwd=directory) as java:
            equal("first line", java.child.stdout.readline(), b"begin\n")
            # the loop itself is compiled a moment later
            wait_until("its loop is compiled", lambda: in_map(java.pid, "Busy.main"), limit_s=20, step_s=0.3)
            try:
                places = hot_places(directory, java.pid)
            finally:
                remove(f"/tmp/perf-{java.pid}.map")
    between(f"share of the class's methods, of {places[:3]},", share_of(places, r"Busy\.(sumOfRoots|main)"), 0.7, 1)


def in_map(pid, name):
    done = run_command("jcmd", str(pid), "Compiler.perfmap")
    if done.returncode or "Unknown diagnostic command" in done.stdout:
        raise Skip(f"this Java writes no map: {(done.stdout + done.stderr).strip()[:100]}")
    with open(f"/tmp/perf-{pid}.map", encoding="utf-8", errors="replace") as file:
        return name in file.read()


def remove(file):
    if os.path.exists(file):
        os.unlink(file)


# ---- a root of its own ----


def copy_program(program, root):
    """It, under another path, and the libraries that it needs, under theirs."""
    os.makedirs(f"{root}/app")
    shutil.copy(program, f"{root}/app/server")
    done = run_command("ldd", program)
    equal("status of ldd", done.returncode, 0)
    for library in re.findall(r"(/\S+) \(0x", done.stdout):
        os.makedirs(os.path.dirname(f"{root}/{library}"), exist_ok=True)
        shutil.copy(library, f"{root}/{library}")
    os.makedirs(f"{root}/host")


# As container engines do: what was the root is out of the way, and the files are of a mount that the host does not see.
OWN_ROOT = 'mount --bind "$1" "$1" && cd "$1" && pivot_root . host && shift && exec /app/server "$@"'


class InOwnRoot(Workload):
    """A workload that has a mount namespace and a root of its own; its first process becomes it."""

    def __init__(self, root, name, *arguments):
        self.name = name
        Process.__init__(self, "unshare", "--mount", "sh", "-c", OWN_ROOT, "sh", root, *map(str, arguments), stdin=subprocess.PIPE,
                         stdout=subprocess.PIPE)
        self.ready = self.read_line(30)
        check(self.ready.get("ready"), f"{name} did not become ready")


@test
def a_program_in_a_root_of_its_own_has_the_names_of_its_functions_and_locks():
    need("unshare", "pivot_root", "ldd")
    with temporary_directory() as directory:
        root = f"{directory}/root"
        copy_program(path("lock_kinds"), root)
        with InOwnRoot(root, "lock_kinds", "heap") as workload, Recorder(directory, "-p", workload.pid) as recorder:
            check(not os.path.exists("/app/server"), "the host has a file of that name")
            workload.go()
            truth = workload.truth()
            run = recorder.stop()
            report = report_json(run.path)
    lock = next(row for row in report["locks"] if row["address"] == truth["address"])
    equal("name of the lock", lock["name"], "lock at serve_request (heap)")
    equal("file of the function that waits for it", lock["site_module"], "/app/server")
    between("share of stacks that are short", report["code"]["short_stack_share"], 0, 0.1)


@test
def a_lock_in_a_root_of_its_own_has_its_symbol():
    need("unshare", "pivot_root", "ldd")
    with temporary_directory() as directory:
        root = f"{directory}/root"
        copy_program(path("convoy"), root)
        with InOwnRoot(root, "convoy", "sleep") as workload, Recorder(directory, "-p", workload.pid) as recorder:
            workload.go()
            truth = workload.truth()
            run = recorder.stop()
            rows = run.rows("SELECT symbol, mapping FROM locks WHERE address = ?", truth["address"])
    equal("symbol and file of the lock", rows, [{"symbol": "convoy_lock", "mapping": "/app/server"}])
