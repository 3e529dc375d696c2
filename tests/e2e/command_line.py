# SPDX-License-Identifier: BSD-2-Clause
"""The command line as people type it: completion in real shells, colours, help, what `make install` installs."""

import os
import pty
import re
import select
import subprocess
import termios
import time

from harness import HEADROOM, ROOT, SLOWNESS, Process, check, equal, need, run_command, temporary_directory, test
from recorder import record


def complete_in_bash(line, directory="/"):
    """What bash offers for the last word of a line."""
    script = f"""
        source <({HEADROOM} completion bash)
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
        _headroom
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    words = [word for word in re.split(r"(=)| ", line) if word is not None]
    done = run_command("bash", "--norc", "-c", script, "bash", *words, cwd=directory)
    equal(f"what bash said for '{line}'", done.stderr, "")
    return done.stdout.split()


def help_options(verb):
    return set(re.findall(r"^ +(?:-\w, )?(--[\w-]+)", run_command(HEADROOM, "help", verb).stdout, re.M))


def verbs():
    listed = run_command(HEADROOM, "help").stdout.split("commands:\n")[1].split("\n\n")[0]
    return [line.split()[0] for line in listed.splitlines()]


@test
def bash_completes_verbs_options_choices_and_files():
    need("bash")
    equal("completion of 'rep'", complete_in_bash("headroom rep"), ["report"])
    check(set(verbs()) <= set(complete_in_bash("headroom ")), "a verb is not completed")
    for verb in verbs():
        offered = {word for word in complete_in_bash(f"headroom {verb} -") if word.startswith("--")}
        equal(f"options of {verb}", offered, help_options(verb))
    check({"text", "json"} <= set(complete_in_bash("headroom report --format ")), "formats are not completed")
    equal("completion of --format=js", complete_in_bash("headroom report --format=js"), ["json"])
    check({"text", "json"} <= set(complete_in_bash("headroom report --format=")), "formats are not completed after =")
    equal("completion of a pid", complete_in_bash(f"headroom record -p {os.getpid()}"), [str(os.getpid())])
    check("mkdir" in complete_in_bash("headroom record -d 1s -- mkdi"), "a command is not completed")
    with temporary_directory() as directory:
        open(f"{directory}/run.db", "w").close()
        equal("completion of a file", complete_in_bash("headroom report ru", directory), ["run.db"])


class Terminal:
    """A program on a terminal of its own."""

    def __init__(self, *command, columns=None, **options):
        self.master, slave = pty.openpty()
        if columns:
            termios.tcsetwinsize(slave, (24, columns))
        self.process = Process(*command, stdin=slave, stdout=slave, stderr=slave, **options)
        os.close(slave)
        self.seen = ""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.end()
        os.close(self.master)

    def type(self, text):
        os.write(self.master, text.encode())

    def read(self, limit_s):
        """What comes until it ends, or the time is over."""
        end = time.monotonic() + limit_s * SLOWNESS
        while (left_s := end - time.monotonic()) > 0 and select.select([self.master], [], [], left_s)[0]:
            try:
                more = os.read(self.master, 65536)
            except OSError:  # the last that had it open is gone
                break
            if not more:
                break
            self.seen += more.decode(errors="replace")
        return self.seen

    def wait_for(self, words, limit_s=10):
        """Read until all the words were seen."""
        end = time.monotonic() + limit_s * SLOWNESS
        while missing := [word for word in words if word not in self.seen]:
            check(time.monotonic() < end, f"{missing} not on the terminal: {self.seen[-2000:]!r}")
            self.read(0.1)


@test
def zsh_completes_verbs_options_and_choices():
    need("zsh")
    with temporary_directory() as directory:
        with open(f"{directory}/_headroom", "w") as script:
            subprocess.run([HEADROOM, "completion", "zsh"], stdout=script, check=True)
        environment = dict(os.environ, TERM="xterm", COLUMNS="200", PATH=f"{os.path.dirname(HEADROOM)}:{os.environ['PATH']}")
        with Terminal("zsh", "-f", "-i", env=environment, cwd=directory) as zsh:
            zsh.type(f"fpath=({directory} $fpath); autoload -Uz compinit; compinit -u -D; LISTMAX=1000; print RE''ADY\n")
            zsh.wait_for(["READY"])
            for line, words in [("headroom ", verbs())] + [(f"headroom {v} --", sorted(help_options(v))) for v in verbs()]:
                zsh.seen = ""
                zsh.type(f"{line}\t\t")
                zsh.wait_for(words)
                zsh.type("\x15")  # deletes the line
            for line, answer in (("headroom doctor --format=js", "headroom.doctor/1"), ("headroom rep", "which run?"),
                                 ("headroom completion ba", "complete -F _headroom headroom")):
                zsh.seen = ""
                zsh.type(f"{line}\t\n")
                zsh.wait_for([answer])


@test
def what_is_installed_is_the_program_its_page_and_completion():
    need("make")
    with temporary_directory() as directory:
        done = run_command("make", "-s", "install", f"DESTDIR={directory}", "PREFIX=/usr", cwd=ROOT, limit_s=80)
        equal(f"status of make install ({done.stderr.strip()[-300:]})", done.returncode, 0)
        found = sorted(
            os.path.relpath(os.path.join(folder, name), directory) for folder, _, names in os.walk(directory) for name in names
        )
        equal("files installed", found, [
            "usr/bin/headroom",
            "usr/share/bash-completion/completions/headroom",
            "usr/share/man/man1/headroom.1",
            "usr/share/zsh/site-functions/_headroom",
        ])
        for shell, path in (("bash", found[1]), ("zsh", found[3])):
            with open(f"{directory}/{path}") as script:
                equal(f"completion for {shell}", script.read(), run_command(HEADROOM, "completion", shell).stdout)


@test
def a_mistyped_verb_or_option_is_answered_with_the_nearest():
    for words, meant in (
        (["reprot", "run.db"], "report"),
        (["help", "exprot"], "export"),
        (["hlep"], "help"),
        (["record", "--inteval", "1s"], "--interval"),
        (["export", "--formt=folded"], "--format"),
    ):
        done = run_command(HEADROOM, *words)
        equal(f"status of {words}", done.returncode, 2)
        check(f"did you mean '{meant}'?" in done.stderr, f"{words} is answered by: {done.stderr}")


def on_terminal(*command, columns=None, **environment):
    """What a program writes to a terminal."""
    environment = {**os.environ, "NO_COLOR": "", "TERM": "xterm", "LC_ALL": "C.UTF-8", **environment}
    with Terminal(*command, columns=columns, env=environment) as terminal:
        seen = terminal.read(10)
        equal(f"status of {command[1:]}", terminal.process.child.wait(10 * SLOWNESS), 0)
    return seen.replace("\r\n", "\n")


@test
def a_report_is_coloured_on_a_terminal_only_and_never_with_NO_COLOR():
    with temporary_directory() as directory:
        path = f"{directory}/run.db"
        record("-q", "-o", path, "-d", "200ms", "-i", "100ms", "--", "sleep", "1")
        report = [HEADROOM, "report", path]
        plain = run_command(*report, env=dict(os.environ, LC_ALL="C.UTF-8")).stdout
        check("\033" not in plain, "a report that goes to a pipe has colours")
        coloured = on_terminal(*report)
        check("\033[1mWHERE THE TIME WENT\033[0m" in coloured, "the titles of a report on a terminal are not bold")
        check(re.search("\033\\[36m\u2588+[\u2588-\u258f]?\033\\[0m", coloured), "the bars on a terminal are not coloured")
        equal("a report on a terminal without its colours", re.sub("\033\\[\\d*m", "", coloured), plain)
        equal("a report on a terminal with NO_COLOR", on_terminal(*report, NO_COLOR="1"), plain)
        equal("a report on a dumb terminal", on_terminal(*report, TERM="dumb"), plain)
        equal("a report written to a file from a terminal", on_terminal(*report, "-o", f"{directory}/report.txt"), "")
        with open(f"{directory}/report.txt") as report_file:
            equal("that file", report_file.read(), plain)


@test
def help_fits_a_narrow_terminal_and_says_the_same_there():
    for verb in verbs():
        narrow = on_terminal(HEADROOM, "help", verb, columns=80)
        equal(f"help of {verb}, word for word", narrow.split(), run_command(HEADROOM, "help", verb).stdout.split())
        prose = narrow.split("\noptions:\n")[1].split("\nexamples:\n")[0]
        equal(f"lines of the help of {verb} that do not fit", [line for line in prose.splitlines() if len(line) > 80], [])


@test
def a_report_that_a_terminal_is_too_narrow_for_says_how_to_read_it():
    with temporary_directory() as directory:
        path = f"{directory}/run.db"
        record("-q", "-o", path, "-d", "200ms", "-i", "100ms", "--", "sleep", "1")
        for columns, hint in ((80, True), (100, False)):
            seen = on_terminal(HEADROOM, "report", path, columns=columns)
            equal(f"a hint on a terminal of {columns} columns", "less -S" in seen.splitlines()[-1], hint)
