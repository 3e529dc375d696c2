# SPDX-License-Identifier: BSD-2-Clause
"""
Applications for gunicorn (WSGI) and uvicorn (ASGI): what a request does stands in WORK, as sleep:MS, compute:MS, or token:MS, which
computes with the one token of a pipe that all workers of one master share.
"""

import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from loops import loops_per_s  # noqa: E402

WHAT, _, MILLISECONDS = os.environ["WORK"].partition(":")
SECONDS = float(MILLISECONDS) / 1000
TOKEN_IN, TOKEN_OUT = os.pipe()
os.write(TOKEN_OUT, b"t")
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
