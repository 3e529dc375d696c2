# SPDX-License-Identifier: BSD-2-Clause
"""Servers for scenarios, beside those of the end-to-end tests: on one CPU, in a cgroup, with a setting of their own."""

import contextlib
import glob
import os
import random
import subprocess
import sys

import servers
from cgroup import Cgroup, write
from harness import BUILD, Process, Skip, check, equal, find_program, need, run_command, wait_until
from servers import Server, free_port
from suite import HERE


def pin(pid, *cpus):
    """Every thread of a process runs on these CPUs alone."""
    for task in os.listdir(f"/proc/{pid}/task"):
        with contextlib.suppress(ProcessLookupError):
            os.sched_setaffinity(int(task), cpus)


class Demo(Server):
    """On these CPUs alone, and from its first step in that cgroup, if they are given."""

    def __init__(self, *options, cpus=None, cgroup=None):
        program = f"{BUILD}/demo/server"
        check(os.path.exists(program), f"{program} is missing: `make demo` builds it")
        port = free_port()
        prefix = ["taskset", "-c", cpus] if cpus else []
        more = {"preexec_fn": lambda: cgroup.add(os.getpid())} if cgroup else {}
        super().__init__(port, *prefix, program, "--port", str(port), *map(str, options), **more)


class Nginx(Server):
    CONFIG = """
daemon off; pid nginx.pid; error_log stderr crit; worker_processes {workers};
events {{ worker_connections 1024; }}
http {{
    access_log off; client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi; scgi_temp_path scgi; keepalive_requests 10000000; {http}
    server {{ listen {host}:{port}{listen}; root {root}; {more} }}
}}
"""

    def __init__(self, directory, more="", *, workers=1, host="127.0.0.1", listen="", http=""):
        need("nginx")
        port = free_port()
        root = os.path.join(directory, "root")
        os.makedirs(root, exist_ok=True)
        os.chmod(directory, 0o755)
        config = os.path.join(directory, "nginx.conf")
        with open(config, "w", encoding="utf-8") as file:
            file.write(
                self.CONFIG.format(workers=workers, host=host, port=port, root=root, more=more, listen=listen, http=http)
            )
        self.root = root
        self.host = host
        super().__init__(port, find_program("nginx"), "-p", directory, "-c", config)

    def file(self, name, size_bytes):
        """A file of words that compress as text does."""
        words = [f"{number:x}" for number in range(2000)]
        chosen = random.Random(1).choices(words, k=size_bytes // 3)
        with open(os.path.join(self.root, name), "w", encoding="utf-8") as file:
            file.write(" ".join(chosen)[:size_bytes].ljust(size_bytes))


class Redis(Server):
    def __init__(self, directory, *options):
        need("redis-server", "redis-benchmark")
        port = free_port()
        super().__init__(
            *(port, "redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", directory),
            *options,
        )


def busy_command(loops):
    """A command for redis that computes, and is answered by a line."""
    return f'EVAL "for i = 1, {loops} do end return 1" 0'


class Postgres(servers.Postgres):
    def psql(self, text):
        done = run_command(
            *("psql", "-q", "-h", "127.0.0.1", "-p", str(self.port), "-v", "ON_ERROR_STOP=1", "-c", text, "postgres"),
            **self.as_postgres,
        )
        equal(f"status of psql ({done.stderr.strip()})", done.returncode, 0)

    def configure(self, *settings):
        for setting in settings:
            self.psql(f"ALTER SYSTEM SET {setting}")
        self.psql("SELECT pg_reload_conf()")

    def idle_connection(self):
        return Process(
            *("psql", "-q", "-h", "127.0.0.1", "-p", str(self.port), "postgres"),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            **self.as_postgres,
        )

    def clients(self, directory, script, *options):
        """A load of pgbench: transactions of this script."""
        path = os.path.join(directory, "load.sql")
        with open(path, "w", encoding="utf-8") as file:
            file.write(script)
        os.chmod(directory, 0o755)
        return [
            *("pgbench", "-n", "-h", "127.0.0.1", "-U", "postgres", "-p", str(self.port), "-c", "{level}", "-j", "1"),
            *("-T", "{seconds}", "-f", path, *options, "postgres"),
        ]


class PythonHttp(Server):
    """http_server.py"""

    def __init__(self, *options, **more):
        port = free_port()
        script = os.path.join(HERE, "http_server.py")
        super().__init__(port, sys.executable, script, "--port", str(port), *map(str, options), **more)


class Node(Server):
    SCRIPT = """
const cluster = require('cluster'), [port, milliseconds, processes] = process.argv.slice(1).map(Number)
let loops = 1e6
function work(count) { let sum = 0; for (let i = 0; i < count; i++) sum += Math.sqrt(i); return sum }
if (processes > 1 && cluster.isPrimary) {
    for (let i = 0; i < processes; i++) cluster.fork()
} else {
    let best = Infinity
    for (let i = 0; i < 20; i++) {
        const start = process.hrtime.bigint(); work(loops)
        best = Math.min(best, Number(process.hrtime.bigint() - start) / 1e6)
    }
    const count = loops * milliseconds / best
    require('http').createServer((_, answer) => { answer.end(String(work(count))) }).listen(port, '127.0.0.1')
}
"""

    def __init__(self, milliseconds, processes=1):
        need("node")
        port = free_port()
        super().__init__(port, "node", "-e", self.SCRIPT, str(port), str(milliseconds), str(processes))


class UdpEcho(Process):
    """It listens for UDP, and, so that it can be found, on the same port for TCP, where nobody asks it anything."""

    SCRIPT = """
import socket, sys
tcp, udp = socket.create_server(("127.0.0.1", int(sys.argv[1]))), socket.socket(type=socket.SOCK_DGRAM)
udp.bind(tcp.getsockname())
while True:
    data, peer = udp.recvfrom(4096)
    udp.sendto(data, peer)
"""

    def __init__(self):
        self.port = free_port()
        super().__init__(sys.executable, "-c", self.SCRIPT, str(self.port))
        wait_until("it listens", lambda: servers.listens(self.port))


class Hogs(contextlib.ExitStack):
    """Processes that burn CPU, on one CPU or on any."""

    def __init__(self, count, cpu=None, nice=0):
        super().__init__()
        prefix = [*(["taskset", "-c", str(cpu)] if cpu is not None else []), "nice", "-n", str(nice)]
        for _ in range(count):
            self.enter_context(Process(*prefix, sys.executable, "-c", "while True: pass"))


def limit_disk(cgroup, directory, what, limit):
    """The disk of a directory, as a rented one is limited: `what` is as in read_iops, write_bps."""
    if cgroup.version != 1:
        raise Skip("disks are limited by cgroups of version 1 here")
    number = os.stat(directory).st_dev
    name = f"blkio.throttle.{what}_device"
    if not os.path.exists(os.path.join(cgroup.path, name)):
        raise Skip(f"this kernel has no {name}")
    try:
        write(cgroup.path, name, f"{os.major(number)}:{os.minor(number)} {limit}")
    except OSError as error:
        raise Skip(f"the disk of {directory} cannot be limited: {error.strerror}") from None
