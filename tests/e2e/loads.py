# SPDX-License-Identifier: BSD-2-Clause
"""Load generators with the latencies that they saw, and servers for them."""

import csv
import json
import os
import re
from dataclasses import dataclass

from harness import BUILD, MS, Skip, check, equal, find_program, need, run_command
from servers import Nginx, Server, free_port

NPM_CACHE = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "headroom-npm")


@dataclass
class Load:
    """What a client saw. `unfinished`: at most so many requests were answered that it did not count."""

    answered: int
    unfinished: int
    mean_ns: float
    p50_ns: float
    p99_ns: float


# wrk prints latencies with few digits; its script has them in microseconds. To its mean it adds requests that it would have sent, had
# the slow ones not been in their way; each of its connections has one request after the other, and that tells the mean of those it sent.
WRK_SCRIPT = """
done = function(summary, latency, requests)
    local errors = summary.errors
    print(string.format("%d %f %d %d %d", summary.requests, summary.duration / summary.requests, latency:percentile(50),
        latency:percentile(99), errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
"""


def wrk(directory, port, connections, seconds, path="/"):
    need("wrk")
    script = f"{directory}/wrk.lua"
    with open(script, "w", encoding="utf-8") as file:
        file.write(WRK_SCRIPT)
    url = f"http://127.0.0.1:{port}{path}"
    done = run_command("wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "-s", script, url)
    equal(f"status of wrk ({done.stderr.strip()})", done.returncode, 0)
    answered, apart_us, p50_us, p99_us, errors = map(float, done.stdout.splitlines()[-1].split())
    equal("errors that wrk saw", errors, 0)
    return Load(int(answered), connections, connections * apart_us * 1000, p50_us * 1000, p99_us * 1000)


def redis_benchmark(port, connections, requests, pipeline=1):
    need("redis-benchmark")
    done = run_command(
        *("redis-benchmark", "-p", str(port), "-n", str(requests), "-c", str(connections)),
        *("-P", str(pipeline), "-t", "get", "--csv"),
    )
    equal(f"status of redis-benchmark ({done.stderr.strip()})", done.returncode, 0)
    row = list(csv.DictReader(done.stdout.splitlines()))[-1]
    if "avg_latency_ms" not in row:
        raise Skip("this redis-benchmark is too old to tell latencies")
    mean, p50, p99 = (float(row[f"{name}_latency_ms"]) * MS for name in ("avg", "p50", "p99"))
    # it begins with two questions on the server's configuration
    return Load(requests, 2, mean, p50, p99)


def autocannon(port, connections, requests):
    program = f"{NPM_CACHE}/node_modules/autocannon/autocannon.js"
    if not os.path.exists(program):
        raise Skip("autocannon is not installed: `scripts/setup test` does, where npm reaches its registry")
    done = run_command(
        "node", program, "-j", "-n", "-c", str(connections), "-a", str(requests), f"http://127.0.0.1:{port}/"
    )
    equal(f"status of autocannon ({done.stderr.strip()[-300:]})", done.returncode, 0)
    result = json.loads(done.stdout)
    equal("errors that autocannon saw", result["errors"] + result["non2xx"], 0)
    latency = result["latency"]  # in whole milliseconds
    return Load(result["2xx"], 0, *((latency[name] + 1) * MS for name in ("average", "p50", "p99")))


def h2load(port, connections, requests, streams):
    need("h2load")
    done = run_command(
        *("h2load", "-n", str(requests), "-c", str(connections), "-m", str(streams), f"http://127.0.0.1:{port}/")
    )
    equal(f"status of h2load ({done.stderr.strip()})", done.returncode, 0)
    found = re.search(r"requests: \d+ total, \d+ started, \d+ done, (\d+) succeeded", done.stdout)
    check(found, f"h2load said: {done.stdout}")
    equal("requests that h2load was answered", int(found.group(1)), requests)


class BigNginx(Nginx):
    """With room for some hundred connections."""

    CONFIG = Nginx.CONFIG.replace("worker_connections 64", "worker_connections 1024")


class Http2Nginx(Nginx):
    """HTTP/2 without TLS, and nothing else."""

    CONFIG = BigNginx.CONFIG.replace("listen 127.0.0.1:{port};", "listen 127.0.0.1:{port} http2;")

    def __init__(self, directory):
        need("nginx")
        done = run_command(find_program("nginx"), "-V")
        if "http_v2_module" not in done.stderr:
            raise Skip("this nginx has no HTTP/2")
        super().__init__(directory)


class Demo(Server):
    """The demo inference server."""

    def __init__(self, *options):
        program = f"{BUILD}/demo/server"
        check(os.path.exists(program), f"{program} is missing: `make demo` builds it")
        port = free_port()
        super().__init__(port, program, "--port", str(port), *map(str, options))
