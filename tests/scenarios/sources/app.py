# SPDX-License-Identifier: BSD-2-Clause
"""
Applications for gunicorn (WSGI) and uvicorn (ASGI): what a request does stands in WORK, as sleep:MS, compute:MS, or token:MS, which
computes with the one token of a pipe that all workers of one master share.
"""

import os
import time

WHAT, _, MILLISECONDS = os.environ["WORK"].partition(":")
SECONDS = float(MILLISECONDS) / 1000
TOKEN_IN, TOKEN_OUT = os.pipe()
os.write(TOKEN_OUT, b"t")


def loops_per_s():
    """How often this Python goes around an empty loop in a second on CPU: the fastest of some tries."""
    best_s = 1.0
    for _ in range(10):
        start_s = time.thread_time()
        for _ in range(100_000):
            pass
        best_s = min(best_s, time.thread_time() - start_s)
    return 100_000 / best_s


LOOPS = int(SECONDS * loops_per_s())


def compute():
    for _ in range(LOOPS):
        pass


def work():
    if WHAT == "sleep":
        time.sleep(SECONDS)
    elif WHAT == "token":
        token = os.read(TOKEN_IN, 1)
        compute()
        os.write(TOKEN_OUT, token)
    else:
        compute()


def wsgi(_, start_response):
    work()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "6")])
    return [b"hello\n"]


async def asgi(scope, _, send):
    if scope["type"] != "http":
        return
    work()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"6")]})
    await send({"type": "http.response.body", "body": b"hello\n"})
