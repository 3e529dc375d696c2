# SPDX-License-Identifier: BSD-2-Clause
"""Real servers on free loopback ports, each in a temporary directory, and the loads that drive them."""

import glob
import os
import re
import shutil
import socket
import subprocess
import sys
import urllib.request

from harness import Process, Skip, check, equal, find_program, need, run_command, wait_until

CONNECTIONS = 8


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def listens(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


class Server(Process):
    """A server that is up when the constructor returns. served() asks it how many requests it has answered."""

    def __init__(self, port, *command, **options):
        self.port = port
        super().__init__(
            *command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options
        )
        try:
            wait_until(f"{command[0]} listens", lambda: listens(port) or self.child.poll() is not None, limit_s=15)
            equal(f"status of {command[0]}", self.child.poll(), None)
        except AssertionError:
            self.end()
            raise


def fetch(port, path):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
        return answer.read().decode()


def wrk(port, seconds):
    """Keep CONNECTIONS requests in flight, and return how many were answered."""
    done = run_command("wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", f"http://127.0.0.1:{port}/")
    found = re.search(r"(\d+) requests in", done.stdout)
    check(done.returncode == 0 and found, f"wrk failed: {done.stdout}{done.stderr}")
    return int(found.group(1))


class Nginx(Server):
    CONFIG = """
daemon off; pid nginx.pid; error_log stderr crit; worker_processes 2;
events {{ worker_connections 64; }}
http {{
    access_log off; client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi; scgi_temp_path scgi; keepalive_requests 10000000;
    server {{
        listen 127.0.0.1:{port};
        location / {{ return 200 "hello\\n"; }}
        location /status {{ stub_status; }}
    }}
}}
"""

    def __init__(self, directory):
        need("nginx", "wrk")
        port = free_port()
        with open(f"{directory}/nginx.conf", "w", encoding="utf-8") as config:
            config.write(self.CONFIG.format(port=port))
        super().__init__(port, find_program("nginx"), "-p", directory, "-c", f"{directory}/nginx.conf")

    def served(self):
        return int(fetch(self.port, "/status").split()[9])


class Redis(Server):
    def __init__(self, directory):
        need("redis-server", "redis-benchmark")
        port = free_port()
        super().__init__(
            port,
            "redis-server",
            "--port",
            str(port),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--appendonly",
            "no",
            "--dir",
            directory,
        )

    def served(self):
        with socket.create_connection(("127.0.0.1", self.port), 5) as connection:
            connection.sendall(b"INFO stats\r\nQUIT\r\n")
            text = b"".join(iter(lambda: connection.recv(65536), b"")).decode()
        return int(re.search(r"total_commands_processed:(\d+)", text).group(1))

    def load(self, requests):
        done = run_command(
            "redis-benchmark",
            "-p",
            str(self.port),
            "-n",
            str(requests),
            "-c",
            str(CONNECTIONS),
            "-t",
            "set,get",
            "-q",
        )
        equal(f"status of redis-benchmark ({done.stderr.strip()})", done.returncode, 0)


class Postgres(Server):
    def __init__(self, directory):
        found = sorted(glob.glob("/usr/lib/postgresql/*/bin"))
        if not found:
            raise Skip("postgresql is not installed")
        need("pgbench")
        self.bin, port, data = found[-1], free_port(), os.path.join(directory, "data")
        os.mkdir(data)
        shutil.chown(data, "postgres", "postgres")
        self.as_postgres = {"user": "postgres", "group": "postgres", "extra_groups": [], "cwd": data}
        done = run_command(f"{self.bin}/initdb", "-D", data, "-A", "trust", "--no-sync", **self.as_postgres)
        equal(f"status of initdb ({done.stderr.strip()})", done.returncode, 0)
        super().__init__(
            port,
            f"{self.bin}/postgres",
            "-D",
            data,
            "-p",
            str(port),
            "-c",
            "listen_addresses=127.0.0.1",
            "-c",
            f"unix_socket_directories={data}",
            **self.as_postgres,
        )
        self.pgbench("-i", "-q")

    def pgbench(self, *arguments):
        done = run_command(
            "pgbench", "-h", "127.0.0.1", "-p", str(self.port), *arguments, "postgres", **self.as_postgres
        )
        equal(f"status of pgbench ({done.stderr.strip()})", done.returncode, 0)
        return done.stdout

    def load(self, seconds):
        """Run transactions on CONNECTIONS connections, and return how many."""
        return int(
            re.search(
                r"actually processed: (\d+)", self.pgbench("-c", str(CONNECTIONS), "-T", str(seconds), "-n")
            ).group(1)
        )


class PythonHttp(Server):
    SCRIPT = """
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version, disable_nagle_algorithm, served = "HTTP/1.1", True, 0
    def do_GET(self):
        Handler.served += 1
        body = str(Handler.served).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""

    def __init__(self):
        need("wrk")
        port = free_port()
        super().__init__(port, sys.executable, "-c", self.SCRIPT, str(port))


class NodeHttp(Server):
    SCRIPT = """
const server = require('http').createServer((_, answer) => answer.end('hello'))
server.listen(Number(process.argv[1]), '127.0.0.1')
"""

    def __init__(self):
        need("node", "wrk")
        port = free_port()
        super().__init__(port, "node", "-e", self.SCRIPT, str(port))
