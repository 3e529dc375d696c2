# SPDX-License-Identifier: BSD-2-Clause
"""Debian's ClickHouse, in the foreground and on loopback, with a configuration of its own; and a fleet of hosts for it."""

import csv
import io
import os
import random
import subprocess
import urllib.error
import urllib.parse
import urllib.request

from harness import Process, check, need, wait_until
from servers import free_port

CONFIG = """<?xml version="1.0"?>
<yandex>
    <logger><level>warning</level><log>{folder}/log</log><errorlog>{folder}/errors</errorlog></logger>
    <http_port>{port}</http_port>
    <listen_host>127.0.0.1</listen_host>
    <path>{folder}/data/</path>
    <tmp_path>{folder}/tmp/</tmp_path>
    <users_config>users.xml</users_config>
    <default_profile>default</default_profile>
    <default_database>default</default_database>
    <mark_cache_size>67108864</mark_cache_size>
</yandex>
"""
USERS = """<?xml version="1.0"?>
<yandex>
    <profiles><default/></profiles>
    <users><default>
        <password></password>
        <networks><ip>127.0.0.1</ip></networks>
        <profile>default</profile>
        <quota>default</quota>
    </default></users>
    <quotas><default/></quotas>
</yandex>
"""


class ClickHouse(Process):
    """The server, empty; it ends with the with block."""

    def __init__(self, directory):
        need("clickhouse-server")
        folder = os.path.join(directory, "clickhouse")
        os.makedirs(folder)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        for name, text in (("config.xml", CONFIG), ("users.xml", USERS)):
            with open(f"{folder}/{name}", "w", encoding="utf-8") as file:
                file.write(text.format(folder=folder, port=self.port))
        super().__init__(
            *("clickhouse-server", f"--config-file={folder}/config.xml"),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            wait_until("ClickHouse answers", self.answers, limit_s=20, step_s=0.1)
        except AssertionError:
            self.end()
            raise

    def answers(self):
        check(self.child.poll() is None, f"ClickHouse ended with status {self.child.returncode}")
        try:
            return self.ask("SELECT 1") == [["1"]]
        except OSError:
            return False

    def run(self, sql, data=b""):
        """The answer of a statement as text; data: what an INSERT takes."""
        url = self.url + ("/?" + urllib.parse.urlencode({"query": sql}) if data else "/")
        try:
            with urllib.request.urlopen(url, data=data or sql.encode(), timeout=60) as answer:
                return answer.read().decode()
        except urllib.error.HTTPError as error:
            raise AssertionError(f"ClickHouse refused {sql[:200]!r}: {error.read(500).decode(errors='replace')}") from None

    def ask(self, sql):
        """The rows of a SELECT, as text; NULL is \\N."""
        return [line.split("\t") for line in self.run(sql).splitlines()]


# A fleet


def make_fleet(streams, hosts, seed=1):
    """
    Of one run's tables, {name: CSV with its header}, those of many hosts: yields (name, CSV) table by table. Numbers vary by host within a
    fifth; every 20th host is slow: its requests take 3 times as long. Ids and what has no unit of time or count stay.
    """
    chance = random.Random(seed)
    speeds = [chance.uniform(0.8, 1.2) for _ in range(hosts)]
    for name, text in streams.items():
        header, *rows = list(csv.reader(io.StringIO(text, newline="")))
        scaled = [is_amount(name, column) for column in header]
        out = [",".join(header)]
        for host in range(hosts):
            slow = 3 if host % 20 == 7 else 1
            for row in rows:
                out.append(",".join(field_of(*pair, speeds[host], slow) for pair in zip(row[2:], scaled[2:])))
                out[-1] = f"run-{host:03},host-{host:03},{out[-1]}"
        yield name, "\r\n".join(out) + "\r\n"


COUNTS = ("count", "requests", "calls")
TIMES = ("low_ns", "high_ns", "total_ns")


def is_amount(table, column):
    """"count", "time" or None: how a column varies from host to host."""
    if column in COUNTS and table != "locks":
        return "count"
    return "time" if table in ("requests", "request_stages") and column in TIMES else None


def field_of(value, amount, speed, slow):
    if amount == "count" and value.isdigit():
        return str(max(1, round(int(value) * speed)))
    if amount == "time" and value.isdigit():
        return str(int(value) * slow)
    if value and not set(value) & set(",\"'\\\r\n") or value == "\\N":
        return value
    return '"' + value.replace('"', '""') + '"'
