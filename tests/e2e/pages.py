# SPDX-License-Identifier: BSD-2-Clause
"""The HTML report in a browser: what is drawn, how it is reached, and that nothing in a run becomes markup."""

import functools
import os
import sqlite3

import browser
import harness
from harness import SECOND, between, check, equal, test

LEVELS = (1, 2, 4, 8, 16)
INTERVALS = 10  # of each level, of a second
SLOT_NS = 1 << 20
FRAMES = ("start_thread", "serve", "compute", "lock")
SIZE_MAX = 2_000_000


@functools.cache
def schema():
    """A run file without a row but that of the run, as text: recorded once."""
    with harness.temporary_directory() as folder:
        path = os.path.join(folder, "run.db")
        done = harness.run_command(harness.HEADROOM, "record", "-q", "-o", path, "--", "sleep", "0.1")
        equal("status of record", done.returncode, 0)
        db = sqlite3.connect(path)
        # rows are filled in by hand: into plain tables, as files of schema 1 have them, and without sums, which would not fit them
        packed = db.execute("SELECT name FROM sqlite_master WHERE type = 'view' AND name NOT LIKE 'v!_%' ESCAPE '!' AND name NOT LIKE 'rollup%'").fetchall()
        for (table,) in packed:
            columns = [f"{column} {kind}" for _, column, kind, *_ in db.execute(f"PRAGMA table_info({table})")]
            db.execute(f"DROP VIEW {table}")
            db.execute(f"CREATE TABLE {table} ({', '.join(columns)})")
        for table, kind in db.execute("SELECT name, type FROM sqlite_master WHERE name NOT IN ('run', 'dictionary', 'features')").fetchall():
            if table.startswith(("rollup_", "packed_")):
                db.execute(f"DROP {kind} {table}")
            elif kind == "table":
                db.execute(f"DELETE FROM {table}")
        db.execute("PRAGMA user_version = 1")
        db.execute("UPDATE run SET host = 'web-7', target = 'port 8000'")
        db.commit()
        db.execute("VACUUM")
        db.close()
        with open(path, "rb") as file:
            return file.read()


def insert(db, table, **row):
    db.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})", list(row.values()))


def rate(load):
    """Requests per second: the law of scalability with a knee at 10."""
    return round(100 * load / (1 + 0.1 * (load - 1) + 0.009 * load * (load - 1)))


def fill_threads(db, interval):
    for thread in (1, 2):
        insert(db, "thread_states", interval_id=interval, thread_id=thread, state="user", time_ns=300_000_000)
        insert(db, "thread_states", interval_id=interval, thread_id=thread, state="futex", time_ns=700_000_000)
        insert(db, "samples", interval_id=interval, thread_id=thread, state="user", user_stack_id=1, count=30, time_ns=300_000_000, alone_ns=300_000_000)
        insert(db, "samples", interval_id=interval, thread_id=thread, state="futex", syscall="futex", user_stack_id=2, count=70, time_ns=700_000_000)
        insert(db, "waits", interval_id=interval, edge_id=thread, count=10, time_ns=700_000_000, handover_ns=1000, window_ns=0)
    for cpu in (0, 1):
        insert(db, "cpus", interval_id=interval, cpu=cpu, target_ns=300_000_000, other_ns=0, idle_ns=700_000_000)
    insert(db, "syscalls", interval_id=interval, process_id=1, abi="native", syscall="futex", calls=20, timed=20, errors=0, total_ns=1_400_000_000, in_progress=0, in_progress_ns=0)


def fill_requests(db, interval, load):
    n = rate(load)
    insert(db, "traffic", interval_id=interval, flow_id=1, requests=n, budgeted=n, unanswered=0, in_flight_ns=load * SECOND, multiplexed_reads=0, reads=n, writes=n,
           in_bytes=n, out_bytes=n, opened=0, closed=0, connect_failures=0, resets_in=0, resets_out=0)
    mean_ns = load * SECOND // n
    for stage, part in (("queue", 4), ("service", 2), ("stream", 4), ("total", 1)):
        insert(db, "request_stages", interval_id=interval, flow_id=1, stage=stage, count=n, total_ns=n * mean_ns // part)
        insert(db, "requests", interval_id=interval, flow_id=1, stage=stage, low_ns=SLOT_NS * load, high_ns=SLOT_NS * load + SLOT_NS * load // 64, count=n)
    insert(db, "request_states", interval_id=interval, flow_id=1, state="user", time_ns=n * mean_ns // 4)
    insert(db, "request_states", interval_id=interval, flow_id=1, state="futex", time_ns=n * mean_ns // 4)


def make_run(path, levels=LEVELS, marked=True, lost=0):
    """A server of two threads that wait for each other, under rising load."""
    with open(path, "wb") as file:
        file.write(schema())
    db = sqlite3.connect(path)
    count = len(levels) * INTERVALS
    insert(db, "processes", process_id=1, pid=100, parent_pid=1, name="server", command="server --port 8000", first_ns=0)
    for thread in (1, 2):
        insert(db, "threads", thread_id=thread, process_id=1, tid=99 + thread, name=f"part-{'ab'[thread - 1]}", first_ns=0, last_ns=count * SECOND, ended=0)
        insert(db, "edges", edge_id=thread, thread_id=thread, state="futex", subject_kind="futex", subject="0x10", source="thread", waker_thread_id=3 - thread, waker=f"part-{'ba'[thread - 1]}")
    for frame, name in enumerate(FRAMES, 1):
        insert(db, "frames", frame_id=frame, name=name, module="/usr/bin/server")
    for stack, top in ((1, 3), (2, 4)):
        for depth, frame in enumerate((top, 2, 1)):
            insert(db, "stacks", stack_id=stack, depth=depth, frame_id=frame)
    insert(db, "flows", flow_id=1, process_id=1, role="server", transport="tcp", endpoint=":8000")
    for number, load in enumerate(levels):
        start = number * INTERVALS
        if marked:
            insert(db, "levels", level_id=number + 1, level=str(load), offered=load, start_ns=start * SECOND, measured_ns=start * SECOND, end_ns=(start + INTERVALS) * SECOND)
        for interval in range(start + 1, start + INTERVALS + 1):
            insert(db, "intervals", interval_id=interval, start_ns=(interval - 1) * SECOND, end_ns=interval * SECOND)
            fill_threads(db, interval)
            fill_requests(db, interval, load)
            if lost:
                insert(db, "losses", interval_id=interval, reason="lost_map_full", count=lost)
    db.commit()
    return db


def render(folder, db):
    """The page of a run, as a file."""
    db.commit()
    db.close()
    path = os.path.join(folder, "report.html")
    done = harness.run_command(harness.HEADROOM, "report", os.path.join(folder, "run.db"), "--format", "html", "-o", path, "--force")
    if "built without the charts" in done.stderr:
        raise harness.Skip("this headroom was built without the charts (no npm)")
    equal("what report says", done.stderr, "")
    equal("status of report", done.returncode, 0)
    between("bytes of the page", os.path.getsize(path), 1, SIZE_MAX)
    return path


def page_of(function):
    """A test with a browser and a page of the run that `make` fills; complaints of the page fail it."""

    def run(make=make_run, quiet=True, **view):
        with harness.temporary_directory() as folder, browser.Browser() as chromium:
            path = render(folder, make(os.path.join(folder, "run.db")))
            with chromium.page(path, **view) as page:
                function(page)
                if quiet:
                    equal("complaints of the browser", page.complaints(), [])
                    equal("what was loaded", page.requests(), [f"file://{path}"])

    return run


def points(page):
    return page.run("Object.fromEntries([...document.querySelectorAll('[data-chart]')].map(one => [one.dataset.chart, +one.dataset.points]))")


def words(page, selector):
    return page.run(f"document.querySelector({selector!r})?.innerText ?? ''")


@test
def the_page_draws_each_chart_with_the_points_that_the_run_has():
    def look(page):
        intervals = len(LEVELS) * INTERVALS
        seen = points(page)
        model = page.run("JSON.parse(document.getElementById('report').textContent).model")
        curve = 0 if model["kind"] == "none" else 3 * len(model["band"]) + (model["kind"] == "hard_cap")
        expected = {
            "throughput": len(LEVELS) + curve, "latency-load": 4 * len(LEVELS), "budget": 4 * len(LEVELS), "states": 3 * intervals, "heatmap": intervals,
            "waits": 2, "flame-on-cpu": 1 + 2 * (1 + 3), "flame-off-cpu": 1 + 2 * (1 + 3 + 2), "threads": 2 * 2,
        }
        equal("points", {name: n for name, n in seen.items() if name != "resources"}, expected)
        between("points of the resources", seen["resources"], 3 * len(LEVELS), 10 * len(LEVELS))
        drawn = page.run("headroomReport.charts.throughput.getOption().series.find(one => one.name === 'measured').data.map(one => one.value)")
        equal("throughput over load", drawn, [[load, rate(load)] for load in LEVELS])

    page_of(look)()


@test
def a_requests_time_is_divided_into_its_stages_and_what_its_thread_does():
    def look(page):
        parts = page.run("headroomReport.charts.budget.getOption().series.map(one => [one.name.split(':')[0], one.data])")
        means = [load * SECOND // rate(load) / 1000 for load in LEVELS]
        equal("parts, from below", [name for name, _ in parts], ["queue", "user", "futex", "stream"])
        for name, values in parts:
            for value, mean in zip(values, means):
                between(f"{name} of {mean} us", value, mean / 4 - 0.01, mean / 4 + 0.01)

    page_of(look)()


@test
def the_first_screen_has_the_verdict_with_its_evidence_and_says_which_run_it_is():
    def look(page):
        verdict = page.run("JSON.parse(document.getElementById('report').textContent).verdict")
        check(verdict["class"] in words(page, "#verdict"), "the class of the verdict is not on the page")
        equal("pieces of evidence", page.run("document.querySelectorAll('.evidence > div').length"), len(verdict["evidence"]))
        for text in ("web-7", "port 8000", os.uname().release):
            check(text in words(page, "header"), f"the head does not say {text!r}: {words(page, 'header')!r}")
        check(page.run("document.querySelector('.headline').getBoundingClientRect().bottom < innerHeight"), "the verdict is below the first screen")
        check(page.run("document.title").startswith("port 8000 on web-7"), "the title does not say which run it is")

    page_of(look)()


@test
def every_chart_is_reached_by_the_keyboard_and_has_its_numbers_in_a_table():
    def look(page):
        reached = set()
        for _ in range(200):
            page.key("Tab")
            reached.add(page.run("document.activeElement.closest('[data-chart]')?.dataset.chart ?? ''"))
        equal("charts that Tab reaches", sorted(reached - {""}), sorted(points(page)))
        equal("charts without a name", page.run("[...document.querySelectorAll('.plot')].filter(one => !one.getAttribute('aria-label')).length"), 0)
        bare = page.run("[...document.querySelectorAll('[data-chart]')].filter(one => !one.querySelector('details table') && one.dataset.chart !== 'waits').map(one => one.dataset.chart)")
        equal("charts without a table", bare, [])
        check(page.run("document.querySelectorAll('#waits table').length > 0"), "the waits have no table")
        page.run("document.querySelector('[data-chart=latency-load] .plot').focus()")
        page.key("ArrowRight")
        harness.wait_until("the arrow key shows the numbers", lambda: "p99" in words(page, "[data-chart=latency-load] .tip"))

    page_of(look)()


@test
def flame_graphs_are_searched_and_zoomed_into_by_the_keyboard():
    def look(page):
        whole = points(page)["flame-on-cpu"]
        page.run("(() => { const box = document.querySelector('[data-chart=flame-on-cpu] input'); box.value = 'COMPUTE'; box.dispatchEvent(new Event('input')); })()")
        equal("share that is found", words(page, "[data-chart=flame-on-cpu] output"), "100.0 % of the time")
        page.run("document.querySelector('[data-chart=flame-on-cpu] .plot').focus()")
        for key in ("ArrowUp", "ArrowUp", "Enter"):
            page.key(key)
        check(words(page, "[data-chart=flame-on-cpu] output").startswith("start_thread: "), f"zoomed into {words(page, '[data-chart=flame-on-cpu] output')!r}")
        equal("boxes in the zoom", points(page)["flame-on-cpu"], 2 + 3)
        page.key("Escape")
        equal("boxes after Escape", points(page)["flame-on-cpu"], whole)

    page_of(look)()


HOSTILE = ("</script><script>window.hacked=1</script>", "<img src=x onerror=window.hacked=1>", "\"'><svg onload=window.hacked=1>", "&lt;b&gt;\u2028]]>--><!--", "{{a}}{b|x}%s\u202egpj")


def make_hostile(path):
    db = make_run(path)
    for place, (table, column) in enumerate((("run", "host"), ("run", "target"), ("run", "kernel"), ("processes", "name"), ("processes", "command"), ("threads", "name"), ("edges", "waker"),
                                             ("frames", "name"), ("frames", "module"), ("flows", "endpoint"), ("syscalls", "syscall"), ("edges", "subject"), ("levels", "level"))):
        db.execute(f"UPDATE {table} SET {column} = ? || {column}", [HOSTILE[place % len(HOSTILE)]])
    return db


@test
def names_of_a_run_stay_text_whatever_is_in_them():
    def look(page):
        for name in page.run("Object.keys(headroomReport.charts)"):
            page.run(f"headroomReport.charts[{name!r}].dispatchAction({{ type: 'showTip', seriesIndex: 0, dataIndex: 0 }})")
        equal("window.hacked", page.run("window.hacked ?? null"), None)
        equal("elements of the run's making", page.run("document.querySelectorAll('img, svg, iframe, object, main script, main b:not(.tip b)').length"), 0)
        equal("scripts", page.run("document.scripts.length"), 3)
        check(HOSTILE[1] in words(page, "header"), "the target is not shown as it is")
        check(HOSTILE[0] in page.run("document.body.textContent"), "the name is not shown as it is")
        data = page.run("['report', 'course'].map(id => document.getElementById(id).innerHTML).join('')")
        equal("characters of markup in the data", [mark for mark in "<>&\u2028\u2029" if mark in data], [])

    page_of(look)(make_hostile)


@test
def the_policy_of_the_page_lets_nothing_run_or_load():
    def look(page):
        page.run("(() => { const one = document.createElement('script'); one.textContent = 'window.hacked = 1'; document.body.append(one); })()")
        equal("a script that was added", page.run("window.hacked ?? null"), None)
        equal("a request", page.run("fetch('http://127.0.0.1:9/').then(() => 'sent', () => 'refused')"), "refused")
        equal("an image", page.run("new Promise(done => { const one = new Image(); one.onload = () => done('loaded'); one.onerror = () => done('refused'); one.src = 'http://127.0.0.1:9/a.png'; })"), "refused")
        check(any("Content Security Policy" in text for text in page.complaints()), f"the policy did not refuse: {page.complaints()}")

    page_of(look)(quiet=False)


def without_intervals(path):
    with open(path, "wb") as file:
        file.write(schema())
    return sqlite3.connect(path)


@test
def a_page_of_an_empty_run_says_that_nothing_was_measured():
    def look(page):
        equal("charts", points(page), {})
        check("nothing was measured" in words(page, "#verdict"), f"the page says {words(page, '#verdict')!r}")

    page_of(look)(without_intervals)


@test
def a_page_of_one_level_has_its_numbers_and_no_curve():
    def look(page):
        seen = points(page)
        check("throughput" not in seen, "a curve is drawn over one level")
        equal("points of the states", seen["states"], 3 * INTERVALS)
        check("400/s" not in words(page, "#verdict") and f"{rate(4)}/s" in words(page, "#verdict"), f"the page says {words(page, '#verdict')!r}")

    page_of(look)(lambda path: make_run(path, levels=(4,), marked=False))


@test
def a_page_of_a_lossy_run_says_so_first():
    def look(page):
        check("Data was lost" in words(page, ".alarm"), f"the page says {words(page, '#verdict')!r}")

    page_of(look)(lambda path: make_run(path, lost=100_000))


@test
def the_page_fits_a_phone_and_paper_and_dark_rooms():
    def narrow(page):
        between("width of the page", page.run("document.documentElement.scrollWidth"), 1, 390)

    def dark(page):
        colours = "getComputedStyle(document.body).backgroundColor"
        first = page.run(colours)
        page.run("document.querySelectorAll('header button')[1].click()")
        check(page.run(colours) != first, "the button changes no colour")
        equal("charts after the change", points(page)["states"], 3 * len(LEVELS) * INTERVALS)

    def paper(page):
        between("bytes of the printed page", len(page.pdf()), 20_000, 20_000_000)
        check(not page.run("document.documentElement.classList.contains('print')"), "the page stays as it was printed")

    page_of(narrow)(width=390, height=844, mobile=True)
    page_of(dark)(dark=True)
    page_of(paper)()


def fleet_page(hosts, function, slower=None, **view):
    """A page of one run per host, of which one may be half as fast; complaints of the page fail the test."""
    with harness.temporary_directory() as folder, browser.Browser() as chromium:
        paths = [os.path.join(folder, f"{number}.db") for number in range(len(hosts))]
        for number, (path, host) in enumerate(zip(paths, hosts)):
            db = make_run(path)
            db.execute("UPDATE run SET run_id = ?, host = ?", [f"run-{number}", host])
            if host == slower:
                db.execute("UPDATE traffic SET requests = requests / 2")
            db.commit()
            db.close()
        page_path = os.path.join(folder, "fleet.html")
        done = harness.run_command(harness.HEADROOM, "report", *paths, "--format", "html", "-o", page_path)
        if "built without the charts" in done.stderr:
            raise harness.Skip("this headroom was built without the charts (no npm)")
        equal("what report says", done.stderr, "")
        equal("status of report", done.returncode, 0)
        between("bytes of the page", os.path.getsize(page_path), 1, SIZE_MAX)
        with chromium.page(page_path, **view) as page:
            function(page)
            equal("complaints of the browser", page.complaints(), [])
            equal("what was loaded", page.requests(), [f"file://{page_path}"])


@test
def a_page_of_several_hosts_adds_them_up_and_names_who_is_unlike_the_others():
    def look(page):
        fleet = page.run("JSON.parse(document.getElementById('report').textContent)")
        equal("points", points(page), {"fleet-throughput": 3 * len(LEVELS), "fleet-latency": 4 * len(LEVELS)})
        series = page.run("headroomReport.charts['fleet-throughput'].getOption().series.map(one => [one.name, one.data])")
        equal("hosts in the chart", [name for name, _ in series], ["web-1", "web-2", "web-3"])
        equal("throughput of all", [sum(values) for values in zip(*(data for _, data in series))], [level["throughput_rps"] for level in fleet["levels"]])
        most = max(level["throughput_rps"] for level in fleet["levels"])
        check(f"{round(most)}/s" in words(page, ".figures"), f"the most of all together is not shown: {words(page, '.figures')!r}")
        check("hosts: " in words(page, ".headline"), f"the headline is {words(page, '.headline')!r}")
        for host in fleet["hosts"]:
            check(f"{host['host']}\t{host['verdict']['class']}" in words(page, ".words .table"), f"no verdict of {host['host']}: {words(page, '.words .table')!r}")
        equal("who is unlike the others", page.run("[...document.querySelectorAll('.evidence dt')].map(one => one.innerText)"), ["web-3"])
        check("throughput −" in words(page, ".evidence"), f"it is not said how: {words(page, '.evidence')!r}")

    fleet_page(("web-1", "web-2", "web-3"), look, slower="web-3")


@test
def a_page_of_several_hosts_keeps_hostile_names_as_text_and_fits_a_phone():
    def look(page):
        for name in page.run("Object.keys(headroomReport.charts)"):
            page.run(f"headroomReport.charts[{name!r}].dispatchAction({{ type: 'showTip', seriesIndex: 0, dataIndex: 0 }})")
        equal("window.hacked", page.run("window.hacked ?? null"), None)
        equal("elements of the run's making", page.run("document.querySelectorAll('img, svg, iframe, object, main script').length"), 0)
        check(HOSTILE[1] in page.run("document.body.textContent"), "the name is not shown as it is")
        between("width of the page", page.run("document.documentElement.scrollWidth"), 1, 390)

    fleet_page(HOSTILE, look, width=390, height=844, mobile=True)


@test
def a_build_without_npm_goes_on_without_charts_and_says_how_to_get_them():
    with harness.temporary_directory() as folder:
        tools, out = os.path.join(folder, "bin"), os.path.join(folder, "out")
        os.mkdir(tools)
        for name in ("bash", "dirname", "realpath", "mkdir", "stat", "id", "sed", "cmp", "cp"):
            os.symlink(harness.find_program(name), os.path.join(tools, name))
        script = os.path.join(harness.ROOT, "scripts", "gen-report-page")
        done = harness.run_command(script, out, env={"PATH": tools})
        equal("status", done.returncode, 0)
        check("make charts" in done.stdout, f"it says {done.stdout!r}")
        equal("bytes of the script", os.path.getsize(os.path.join(out, "report.js")), 0)
        equal("status where charts are required", harness.run_command(script, out, "--required", env={"PATH": tools}).returncode, 1)
