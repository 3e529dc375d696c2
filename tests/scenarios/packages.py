# SPDX-License-Identifier: BSD-2-Clause
"""Servers of other packages, each with a configuration of its own: proxies, interpreters, databases, caches."""

import os
import shutil

from harness import equal, find_program, need, run_command
from programs import Nginx, Server, pin
from servers import free_port
from suite import HERE

SOURCES = os.path.join(HERE, "sources")


def write_file(directory, name, text):
    path = os.path.join(directory, name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def environment(**more):
    return {**os.environ, **{name: str(value) for name, value in more.items()}}


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="utf-8") as file:
        return [int(child) for child in file.read().split()]


class Memcached(Server):
    def __init__(self, threads):
        need("memcached")
        port = free_port()
        super().__init__(port, "memcached", "-u", "nobody", "-l", "127.0.0.1", "-p", str(port), "-t", str(threads))


class Haproxy(Server):
    """In front of a backend, with so many connections to it (0: as many as it likes)."""

    CONFIG = """
global
    nbthread 2
defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s
    timeout queue 60s
    http-reuse always
listen front
    bind 127.0.0.1:{port}
    server behind 127.0.0.1:{backend} maxconn {connections}
"""

    def __init__(self, directory, backend, connections=0):
        need("haproxy")
        port = free_port()
        text = self.CONFIG.format(port=port, backend=backend, connections=connections)
        super().__init__(port, find_program("haproxy"), "-db", "-f", write_file(directory, "haproxy.cfg", text))


class Pgbouncer(Server):
    """In front of PostgreSQL, with so many connections to it."""

    CONFIG = """
[databases]
postgres = host=127.0.0.1 port={backend} dbname=postgres user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {connections}
max_client_conn = 200
logfile = pgbouncer.log
"""

    def __init__(self, directory, postgres, connections):
        need("pgbouncer")
        port = free_port()
        text = self.CONFIG.format(port=port, backend=postgres.port, connections=connections)
        path = write_file(directory, "pgbouncer.ini", text)
        super().__init__(port, find_program("pgbouncer"), path, **postgres.as_postgres)


class Gunicorn(Server):
    """sources/app.py; work as there."""

    def __init__(self, work, *options):
        need("gunicorn")
        port = free_port()
        super().__init__(
            *(port, "gunicorn", "--chdir", SOURCES, "--preload", "-b", f"127.0.0.1:{port}", "--backlog", "1024"),
            *("--log-level", "critical", *map(str, options), "app:wsgi"),
            env=environment(WORK=work, PYTHONDONTWRITEBYTECODE=1),
        )


class Uvicorn(Server):
    """sources/app.py; work as there."""

    def __init__(self, work, *options):
        need("uvicorn")
        port = free_port()
        super().__init__(
            *(port, "uvicorn", "--app-dir", SOURCES, "--port", str(port), "--log-level", "critical"),
            *(*map(str, options), "app:asgi"),
            env=environment(WORK=work, PYTHONDONTWRITEBYTECODE=1),
        )


class Apache(Server):
    """Processes that each serve one connection and ask a backend."""

    CONFIG = """
ServerRoot {directory}
ServerName localhost
Listen 127.0.0.1:{port}
PidFile apache.pid
ErrorLog error.log
LogLevel crit
User www-data
Group www-data
Mutex pthread
{modules}
KeepAlive Off
StartServers {processes}
ServerLimit {processes}
MaxRequestWorkers {processes}
MinSpareServers {processes}
MaxSpareServers {processes}
ProxyPass / http://127.0.0.1:{backend}/
"""
    MODULES = ("mpm_prefork", "authz_core", "proxy", "proxy_http")

    def __init__(self, directory, backend, processes):
        need("apache2")
        port = free_port()
        modules = "\n".join(f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so" for name in self.MODULES)
        text = self.CONFIG.format(directory=directory, port=port, modules=modules, processes=processes, backend=backend)
        path = write_file(directory, "apache.conf", text)
        super().__init__(port, find_program("apache2"), "-f", path, "-D", "FOREGROUND")


class Php(Server):
    """sources/work.php in so many processes, on its own port; front is that of a web server before it."""

    CONFIG = """
[global]
error_log = {directory}/php.log
[www]
user = www-data
group = www-data
listen = 127.0.0.1:{port}
listen.backlog = 1024
pm = static
pm.max_children = {processes}
clear_env = no
php_value[session.save_path] = {directory}
php_value[session.gc_probability] = 0
php_value[session.use_strict_mode] = 0
"""

    def __init__(self, directory, processes, work, milliseconds, name="one"):
        need("php-fpm8.2", "nginx")
        port = free_port()
        self.directory = os.path.join(directory, "php")
        os.mkdir(self.directory)
        os.chmod(self.directory, 0o777)
        shutil.copy(os.path.join(SOURCES, "work.php"), self.directory)
        text = self.CONFIG.format(directory=self.directory, port=port, processes=processes)
        super().__init__(
            *(port, find_program("php-fpm8.2"), "-F", "-R", "-y", write_file(self.directory, "php.conf", text)),
            env=environment(WORK=work, MS=milliseconds, NAME=name),
        )

    def pin(self, *cpus):
        for pid in children(self.pid):
            pin(pid, *cpus)

    def before(self, directory):
        """A web server in front of it."""
        script = os.path.join(self.directory, "work.php")
        return Nginx(
            directory,
            f"location / {{ fastcgi_pass 127.0.0.1:{self.port}; fastcgi_param SCRIPT_FILENAME {script}; "
            "fastcgi_param REQUEST_METHOD GET; }",
        )


class Lighttpd(Server):
    CONFIG = """
server.document-root = "{root}"
server.port = {port}
server.bind = "127.0.0.1"
server.max-keep-alive-requests = 10000000
"""

    def __init__(self, directory, file_bytes):
        need("lighttpd")
        port = free_port()
        root = os.path.join(directory, "root")
        os.mkdir(root)
        write_file(root, "page", file_bytes * "x")
        path = write_file(directory, "lighttpd.conf", self.CONFIG.format(root=root, port=port))
        super().__init__(port, find_program("lighttpd"), "-D", "-f", path)


class Varnish(Server):
    """It keeps what the backend has answered once."""

    def __init__(self, directory, backend, threads):
        need("varnishd")
        port = free_port()
        text = f'vcl 4.1;\nbackend default {{ .host = "127.0.0.1"; .port = "{backend}"; }}\n'
        super().__init__(
            *(port, find_program("varnishd"), "-F", "-j", "none", "-n", os.path.join(directory, "varnish")),
            *("-a", f"127.0.0.1:{port}", "-f", write_file(directory, "front.vcl", text), "-s", "malloc,32M"),
            *("-p", "thread_pools=1", "-p", f"thread_pool_min={threads}", "-t", "3600"),
        )


class MariaDb(Server):
    """Anybody may do anything in it."""

    def __init__(self, directory, *options):
        need("mariadbd", "mariadb-install-db", "mariadb")
        port, data = free_port(), os.path.join(directory, "data")
        self.socket = os.path.join(directory, "socket")
        os.chmod(directory, 0o777)
        done = run_command(
            *("mariadb-install-db", "--no-defaults", f"--datadir={data}", "--user=mysql", "--skip-test-db"),
            "--auth-root-authentication-method=normal",
        )
        equal(f"status of mariadb-install-db ({done.stderr.strip()[-300:]})", done.returncode, 0)
        super().__init__(
            *(port, find_program("mariadbd"), "--no-defaults", f"--datadir={data}", "--user=mysql", "--skip-grant-tables"),
            *("--bind-address=127.0.0.1", f"--port={port}", f"--socket={self.socket}", "--skip-log-bin", *options),
        )

    def sql(self, text):
        done = run_command("mariadb", "--no-defaults", f"--socket={self.socket}", "--delimiter=//", "-e", text)
        equal(f"status of mariadb ({done.stderr.strip()})", done.returncode, 0)


class Go(Server):
    """sources/server.go"""

    def __init__(self, directory, *options, processors=2, **more):
        need("go")
        port, program = free_port(), os.path.join(directory, "server")
        done = run_command(
            *("go", "build", "-o", program, os.path.join(SOURCES, "server.go")),
            limit_s=120,
            env=environment(GO111MODULE="off", HOME=os.path.expanduser("~")),
        )
        equal(f"status of go build ({done.stderr.strip()[-300:]})", done.returncode, 0)
        super().__init__(port, program, *map(str, options), str(port), env=environment(GOMAXPROCS=processors), **more)


class Java(Server):
    """sources/Server.java"""

    def __init__(self, directory, threads, what, number, *options):
        need("java", "javac")
        port = free_port()
        done = run_command("javac", "-d", directory, os.path.join(SOURCES, "Server.java"))
        equal(f"status of javac ({done.stderr.strip()[-300:]})", done.returncode, 0)
        super().__init__(
            *(port, "java", "-Dsun.net.httpserver.nodelay=true", *options, "-cp", directory, "Server"),
            *(str(port), str(threads), what, str(number)),
        )


class NodeCluster(Server):
    """sources/cluster.js"""

    def __init__(self, milliseconds, processes, locked):
        need("node")
        port = free_port()
        script = os.path.join(SOURCES, "cluster.js")
        super().__init__(port, "node", script, *map(str, (port, milliseconds, processes, int(locked))))


class NodeSockets(Server):
    """sources/sockets.js"""

    def __init__(self, backend, connections):
        need("node")
        port = free_port()
        super().__init__(port, "node", os.path.join(SOURCES, "sockets.js"), *map(str, (port, backend, connections)))
