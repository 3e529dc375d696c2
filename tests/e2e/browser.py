# SPDX-License-Identifier: BSD-2-Clause
"""A headless Chromium for the tests of pages, driven by the DevTools protocol over a pipe: no port and no package."""

import base64
import contextlib
import fcntl
import json
import os
import select
import shutil
import subprocess
import tempfile
import time

import harness

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-default-apps", "--disable-extensions", "--hide-scrollbars",
)
LIMIT_S = 15


def away(pipe):
    moved = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 20) for fd in pipe]
    for fd in pipe:
        os.close(fd)
    return moved


class Browser:
    def __init__(self):
        program = harness.find_program("chromium")
        if not program:
            raise harness.Skip("chromium is not installed")
        self.profile = tempfile.mkdtemp(prefix="headroom-chromium-")
        # it reads fd 3 and writes fd 4; the shell puts them there, from numbers that are out of the way
        (to_browser, self.to), (self.back, from_browser) = away(os.pipe()), away(os.pipe())
        command = f'exec "$@" 3<&{to_browser} 4>&{from_browser} {to_browser}<&- {from_browser}>&-'
        self.child = subprocess.Popen(
            ["bash", "-c", command, "bash", program, *FLAGS, f"--user-data-dir={self.profile}", "--remote-debugging-pipe", "about:blank"],
            pass_fds=(to_browser, from_browser), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        os.close(to_browser)
        os.close(from_browser)
        self.number, self.buffer, self.events = 0, b"", []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(Exception):
            self.call("Browser.close")
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.child.pid, 9)
        self.child.wait()
        os.close(self.to)
        os.close(self.back)
        shutil.rmtree(self.profile, ignore_errors=True)

    def read(self, until):
        """The next message of the browser, or None when the time is over."""
        while b"\0" not in self.buffer:
            left = until - time.monotonic()
            if left <= 0 or not select.select([self.back], [], [], left)[0]:
                return None
            data = os.read(self.back, 1 << 16)
            harness.check(data, "chromium ended")
            self.buffer += data
        message, _, self.buffer = self.buffer.partition(b"\0")
        return json.loads(message)

    def call(self, method, session=None, **params):
        """One command and its result; events that come meanwhile are kept."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if session:
            message["sessionId"] = session
        os.write(self.to, json.dumps(message).encode() + b"\0")
        until = time.monotonic() + LIMIT_S * harness.SLOWNESS
        while True:
            answer = self.read(until)
            harness.check(answer, f"chromium did not answer {method}")
            if answer.get("id") == self.number:
                harness.check("error" not in answer, f"{method}: {answer.get('error')}")
                return answer["result"]
            self.events.append(answer)

    @contextlib.contextmanager
    def page(self, path, width=1280, height=800, dark=False, mobile=False):
        """A tab with the file, loaded and drawn."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        tab = Page(self, self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"])
        try:
            tab.open(path, width, height, dark, mobile)
            yield tab
        finally:
            self.call("Target.closeTarget", targetId=target)


class Page:
    def __init__(self, browser, session):
        self.browser, self.session = browser, session

    def call(self, method, **params):
        return self.browser.call(method, self.session, **params)

    def open(self, path, width, height, dark, mobile):
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=2 if mobile else 1, mobile=mobile)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        self.call("Page.navigate", url=f"file://{os.path.abspath(path)}")
        harness.wait_until("the page is drawn or broken", self.is_done, limit_s=LIMIT_S, step_s=0.05)

    def is_done(self):
        return self.run("document.documentElement?.dataset.ready === 'true'") or self.mine("Runtime.exceptionThrown")

    def run(self, expression):
        """The value of an expression in the page."""
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        harness.check("exceptionDetails" not in result, f"{expression}: {result.get('exceptionDetails')}")
        return result["result"].get("value")

    def key(self, key, shift=False):
        codes = {"Tab": 9, "Enter": 13, "Escape": 27, "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40}
        common = {"key": key, "code": key, "windowsVirtualKeyCode": codes[key], "modifiers": 8 if shift else 0}
        self.call("Input.dispatchKeyEvent", type="rawKeyDown", **common)
        if key == "Enter":
            self.call("Input.dispatchKeyEvent", type="char", text="\r", **common)
        self.call("Input.dispatchKeyEvent", type="keyUp", **common)

    def mine(self, method):
        return [event["params"] for event in self.browser.events if event.get("sessionId") == self.session and event["method"] == method]

    def complaints(self):
        """What the page wrote to the console, what it threw, and what the policy refused."""
        self.run("0")  # what has happened has been told
        return (
            [str(event["exceptionDetails"]) for event in self.mine("Runtime.exceptionThrown")]
            + [str(event["args"]) for event in self.mine("Runtime.consoleAPICalled") if event["type"] in ("error", "warning", "assert")]
            + [event["entry"]["text"] for event in self.mine("Log.entryAdded") if event["entry"]["level"] in ("error", "warning")]
        )

    def requests(self):
        return [event["request"]["url"] for event in self.mine("Network.requestWillBeSent")]

    def screenshot(self, path, whole=False):
        picture = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole, **({"clip": self.size()} if whole else {}))
        with open(path, "wb") as file:
            file.write(base64.b64decode(picture["data"]))

    def size(self):
        box = self.call("Page.getLayoutMetrics")["cssContentSize"]
        return {"x": 0, "y": 0, "width": box["width"], "height": box["height"], "scale": 1}

    def pdf(self):
        return base64.b64decode(self.call("Page.printToPDF", printBackground=True)["data"])
