# SPDX-License-Identifier: BSD-2-Clause
"""Which BPF programs are in the kernel, and whose they are."""

import contextlib
import glob
import json
import os
import re

from harness import BUILD, Skip, check, equal, find_program, need, run_command, wait_until

OBJECT = os.path.join(BUILD, "bpf", "headroom.o")


def programs_of_the_object():
    """(name, section) of every program in the BPF object."""
    done = run_command("readelf", "--wide", "--sections", "--syms", OBJECT)
    equal(f"status of readelf ({done.stderr.strip()})", done.returncode, 0)
    sections = dict(re.findall(r"\[ *(\d+)\] (\S+)", done.stdout))
    functions = re.findall(r"FUNC +GLOBAL +\S+ +(\d+) (\S+)", done.stdout)
    return [(name, sections[index]) for index, name in functions if "/" in sections[index]]


def has_hook(section):
    """
    True if the running kernel has the tracepoint that a section names; other programs are for every kernel, but those on
    functions for kernels that lack the tracepoints in them.
    """
    kind, hook = section.split("/", 1)
    if kind in ("fentry", "fexit"):
        return not has_tracepoint("sk_data_ready") and has_function(hook)
    return kind != "tp_btf" or has_tracepoint(hook)


def is_spare(name, section):
    """True for a program that is loaded only where the kernel is seen to skip the one in whose place it comes."""
    return section.startswith("tp/") or name.endswith("_again")


def has_tracepoint(name):
    return bool(glob.glob(f"/sys/kernel/tracing/events/*/{name}"))


def has_function(name):
    with open("/proc/kallsyms", encoding="utf-8") as symbols:
        return any(line.split()[2] == name for line in symbols)


def check_all_loaded(pid):
    """Every program whose hook the kernel has is loaded by the process, and attached; but for spares, which wait for their need."""
    need("bpftool", "readelf")
    if not os.path.isdir("/sys/kernel/tracing/events"):
        raise Skip("tracefs is not mounted: it tells which tracepoints the kernel has")
    expected = {name: section for name, section in programs_of_the_object() if has_hook(section) and not is_spare(name, section)}
    check(len(expected) >= 8, f"the object has only the programs {sorted(expected)}")
    loaded, _ = programs_of(pid)
    missing = sorted(set(expected) - {name for number, name in names_of_programs().items() if number in loaded})
    check(not missing, f"not loaded: {missing}")
    # an iterator runs when it is read, and has no link of its own in between
    hooked = {name for name, section in expected.items() if section.startswith("tp_btf/")}

    def unattached():
        names, (_, attached) = names_of_programs(), programs_of(pid)
        running = {names.get(number) for number in attached}
        # on some kernels the classic tracepoints take over
        return sorted(name for name in hooked if not running & {name, f"tp_{name}"})

    with contextlib.suppress(AssertionError):  # they may take over at this moment
        wait_until("every program is attached", lambda: not unattached(), step_s=0.2)
    left = unattached()
    check(not left, f"not attached: {left}")


def names_of_programs():
    return {program["id"]: program["name"] for program in bpftool_programs()}


def objects_of(pid):
    """(kind, id) of the BPF programs, maps and links that a process holds."""
    found = set()
    for fields in descriptors(pid):
        for kind, key in (("prog", "prog_id"), ("map", "map_id"), ("link", "link_id")):
            if key in fields:
                found.add((kind, int(fields[key])))
    return found


def objects():
    """(kind, id) of all BPF programs, maps and links of this machine."""
    need("bpftool")
    found = set()
    for kind in ("prog", "map", "link"):
        done = run_command(find_program("bpftool"), "-j", kind, "list")
        equal(f"status of bpftool {kind} ({done.stderr.strip()})", done.returncode, 0)
        found |= {(kind, entry["id"]) for entry in json.loads(done.stdout or "[]") if "id" in entry}
    return found


def check_none_left(loaded):
    # the kernel frees programs a moment after their last user is gone
    wait_until("its programs are gone", lambda: not {program["id"] for program in bpftool_programs()} & loaded)


def descriptors(pid):
    """What the kernel tells of each open file of a process, as a dictionary."""
    for entry in os.listdir(f"/proc/{pid}/fdinfo"):
        try:
            with open(f"/proc/{pid}/fdinfo/{entry}", encoding="utf-8") as file:
                yield dict(line.split(":", 1) for line in file if ":" in line)
        except FileNotFoundError:  # closed since: the recorder opens some for a moment
            continue


def programs_of(pid):
    """Ids of the BPF programs that a process holds, and of those that its links attach."""
    loaded, attached = set(), set()
    for fields in descriptors(pid):
        if "link_id" in fields:
            attached.add(int(fields["prog_id"]))
        elif "prog_id" in fields:
            loaded.add(int(fields["prog_id"]))
    return loaded, attached


def skipped_runs(pid):
    """How many runs of the programs of a process the kernel has skipped; 0 where nobody tells."""
    loaded, _ = programs_of(pid)
    if not find_program("bpftool"):
        return 0
    return sum(program.get("recursion_misses", 0) for program in bpftool_programs() if program["id"] in loaded)


def bpftool_programs():
    done = run_command(find_program("bpftool"), "-j", "prog", "list")
    equal(f"status of bpftool ({done.stderr.strip()})", done.returncode, 0)
    return [program for program in json.loads(done.stdout) if "name" in program]
