# SPDX-License-Identifier: BSD-2-Clause
"""What is in the kernel while it records."""

import glob
import json
import os
import re

from harness import BUILD, Skip, check, equal, find_program, need, run_command, temporary_directory, test
from recorder import Recorder

OBJECT = os.path.join(BUILD, "bpf", "headroom.o")
NAME_BYTES = 15  # the kernel cuts names of programs off


def programs_of_the_object():
    """(name, section) of every program in the BPF object."""
    done = run_command("readelf", "--wide", "--sections", "--syms", OBJECT)
    equal(f"status of readelf ({done.stderr.strip()})", done.returncode, 0)
    sections = dict(re.findall(r"\[ *(\d+)\] (\S+)", done.stdout))
    functions = re.findall(r"FUNC +GLOBAL +\S+ +(\d+) (\S+)", done.stdout)
    return [(name, sections[index]) for index, name in functions if "/" in sections[index]]


def has_hook(section):
    """True if the running kernel has the tracepoint that a program's section names; other programs are for every kernel."""
    kind, hook = section.split("/", 1)
    return kind != "tp_btf" or bool(glob.glob(f"/sys/kernel/tracing/events/*/{hook}"))


@test(guest=True)
def every_program_loads_and_is_attached():
    need("bpftool", "readelf")
    if not os.path.isdir("/sys/kernel/tracing/events"):
        raise Skip("tracefs is not mounted: it tells which tracepoints the kernel has")
    expected = {name[:NAME_BYTES]: section for name, section in programs_of_the_object() if has_hook(section)}
    check(len(expected) >= 8, f"the object has only the programs {sorted(expected)}")
    with temporary_directory() as directory, Recorder(directory, "-p", os.getpid()) as recorder:
        programs = {program["name"][:NAME_BYTES]: program["id"] for program in bpftool("prog")}
        linked = {link.get("prog_id") for link in bpftool("link")}
        missing = sorted(set(expected) - set(programs))
        check(not missing, f"not loaded: {missing}")
        # an iterator runs when it is read, and has no link of its own in between
        unattached = [name for name, section in expected.items() if section.startswith("tp_btf/") and programs[name] not in linked]
        check(not unattached, f"not attached: {unattached}")
        recorder.stop()
    left = [program["name"] for program in bpftool("prog") if program.get("name", "")[:NAME_BYTES] in expected]
    check(not left, f"still loaded after the run: {left}")


def bpftool(what):
    done = run_command(find_program("bpftool"), "-j", what, "list")
    equal(f"status of bpftool ({done.stderr.strip()})", done.returncode, 0)
    return [entry for entry in json.loads(done.stdout) if isinstance(entry, dict) and (what != "prog" or "name" in entry)]
