# SPDX-License-Identifier: BSD-2-Clause
"""Servers of yet other packages and languages: Squid, Puma, beanstalkd, and programs in C++ and Perl."""

import os
import shutil
import socket

from harness import check, equal, find_program, need, run_command
from packages import SOURCES, environment, write_file
from programs import Nginx, Process, Server
from servers import free_port


class Squid(Server):
    """In front of a backend; more is further configuration."""

    CONFIG = """
http_port 127.0.0.1:{port} accel defaultsite=localhost no-vhost
cache_peer 127.0.0.1 parent {backend} 0 no-query originserver name=behind
{more}
http_access allow all
access_log none
cache_log {directory}/cache.log
pid_filename none
coredump_dir {directory}
netdb_filename none
icp_port 0
max_filedescriptors 1024
"""

    def __init__(self, directory, backend, more):
        need("squid")
        os.chmod(directory, 0o755)
        port, directory = free_port(), os.path.join(directory, "squid")
        os.mkdir(directory)
        shutil.chown(directory, "proxy")
        text = self.CONFIG.format(port=port, backend=backend, directory=directory, more=more)
        super().__init__(port, find_program("squid"), "-N", "-f", write_file(directory, "squid.conf", text))


class Puma(Server):
    """sources/app.ru; work as there."""

    def __init__(self, work, threads, workers=0):
        need("puma")
        port = free_port()
        super().__init__(
            *(port, "puma", "-b", f"tcp://127.0.0.1:{port}", "-t", f"{threads}:{threads}", "-w", str(workers)),
            os.path.join(SOURCES, "app.ru"),
            env=environment(WORK=work, RACK_ENV="production"),
        )


class Beanstalkd(Server):
    """It stores each job before it answers, or never."""

    def __init__(self, directory, stores):
        need("beanstalkd")
        port = free_port()
        super().__init__(
            *(port, "beanstalkd", "-l", "127.0.0.1", "-p", str(port), "-b", directory, "-s", str(100 << 20)),
            *(["-f", "0"] if stores else ["-F"]),
        )

    def ask(self, job):
        with socket.create_connection(("127.0.0.1", self.port), 5) as connection:
            connection.sendall(f"{job}\r\n".encode())
            check(connection.recv(100).startswith(b"INSERTED"), "a job was not taken")


class Cpp(Server):
    """sources/server.cc"""

    def __init__(self, directory, *arguments):
        need("g++")
        port, program = free_port(), os.path.join(directory, "server")
        done = run_command(
            *("g++", "-std=c++17", "-O2", "-pthread", "-o", program, os.path.join(SOURCES, "server.cc")), limit_s=60
        )
        equal(f"status of g++ ({done.stderr.strip()[-300:]})", done.returncode, 0)
        super().__init__(port, program, str(port), *map(str, arguments))


class Perl(Server):
    """sources/polls.pl"""

    def __init__(self, backlog):
        need("perl")
        port = free_port()
        super().__init__(port, "perl", os.path.join(SOURCES, "polls.pl"), str(port), str(backlog))


class NginxTls(Nginx):
    """With a key of so many bits, and no session that is kept: with 4096, each connection costs the server some milliseconds."""

    def __init__(self, directory, bits, **options):
        need("openssl")
        key, certificate = os.path.join(directory, "key"), os.path.join(directory, "certificate")
        done = run_command(
            *("openssl", "req", "-x509", "-newkey", f"rsa:{bits}", "-nodes", "-days", "2", "-subj", "/CN=localhost"),
            *("-keyout", key, "-out", certificate),
            limit_s=60,
        )
        equal(f"status of openssl ({done.stderr.strip()[-300:]})", done.returncode, 0)
        super().__init__(
            directory,
            f"ssl_certificate {certificate}; ssl_certificate_key {key}; ssl_session_cache off; ssl_session_tickets off; "
            "location / { return 200 hello; }",
            listen=" ssl",
            **options,
        )


class Build(Process):
    """As one that compiles: processes of some milliseconds each, one after the other, in so many lanes on one CPU."""

    LOOP = 'while :; do sh -c "i=0; while [ \\$i -lt 20000 ]; do i=\\$((i+1)); done"; done'

    def __init__(self, lanes, cpu):
        lane = f"({self.LOOP}) &"
        super().__init__("taskset", "-c", str(cpu), "sh", "-c", lane * lanes + " wait")
