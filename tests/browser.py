"""A real Chromium without a window: what a page says on its console, asks of the network, and shows.

It is driven over a pair of pipes (Chrome DevTools Protocol), so that no port is opened. Tests that want it are skipped,
with the reason, where none is installed: it comes with the system and not with this project.
"""

import base64
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import pytest

_PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
_SWITCHES = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--remote-debugging-pipe"),
)
_ON_PIPES = """\
import fcntl, os, sys
ends = [fcntl.fcntl(int(end), fcntl.F_DUPFD, 10) for end in sys.argv[1:3]]
os.dup2(ends[0], 3)
os.dup2(ends[1], 4)
os.execvp(sys.argv[3], sys.argv[3:])
"""  # it reads orders from 3 and answers on 4, and nobody but the process itself can put pipes there
_PATIENCE = 120.0  # seconds: a computer that does much else starts a browser slowly


class Page:
    """One page. `complaints`: errors and warnings of the console; `requests`: addresses but that of the page itself."""

    def __init__(self, told: Iterator[dict[str, Any]], to_browser: int) -> None:
        self._told, self._to_browser, self._number, self._session = told, to_browser, 0, ""
        self.complaints: list[str] = []
        self.requests: list[str] = []

    def attach(self) -> Self:
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Runtime", "Log", "Network", "Page"):
            self.call(f"{domain}.enable")
        return self

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        order = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            order["sessionId"] = self._session
        os.write(self._to_browser, json.dumps(order).encode() + b"\0")
        for told in self._told:
            if told.get("id") == self._number:
                assert "error" not in told, told
                return dict(told["result"])
            self._hear(told)
        raise AssertionError("the browser has ended")

    def open(self, path: Path) -> None:
        """Goes to a file, and waits until it is there; what was said before is forgotten."""
        self.complaints, self.requests = [], []
        address = path.resolve().as_uri()
        self.call("Page.navigate", url=address)
        for told in self._told:
            self._hear(told)
            if told.get("method") == "Page.loadEventFired":
                break
        self.requests.remove(address)

    def ask(self, expression: str) -> Any:
        """The value of an expression in the page; of a promise, what it comes to."""
        told = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in told, told
        return told["result"].get("value")

    def press(self, key: str) -> None:
        codes = {"Enter": 13, "Escape": 27, "ArrowRight": 39, "ArrowDown": 40, "Tab": 9}
        known = {"key": key, "code": key, "windowsVirtualKeyCode": codes.get(key, ord(key[0]))}
        text = {"text": "\r"} if key == "Enter" else {"text": key} if len(key) == 1 else {}
        self.call("Input.dispatchKeyEvent", type="keyDown", **known, **text)
        self.call("Input.dispatchKeyEvent", type="keyUp", **known)

    def picture(self) -> bytes:
        return base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"])

    def _hear(self, told: dict[str, Any]) -> None:
        what, says = told.get("method"), told.get("params", {})
        if what == "Runtime.exceptionThrown":
            self.complaints.append(str(says["exceptionDetails"]))
        if what == "Log.entryAdded" and says["entry"]["level"] in {"error", "warning"}:
            self.complaints.append(says["entry"]["text"])
        if what == "Runtime.consoleAPICalled" and says["type"] in {"error", "warning", "assert"}:
            self.complaints.append(str(says["args"]))
        if what == "Network.requestWillBeSent":
            self.requests.append(says["request"]["url"])


@contextmanager
def browser(width: int = 1400, height: int = 900) -> Iterator[Page]:
    """A page in a browser of its own, which is ended afterwards with its folder."""
    program = next((found for name in _PROGRAMS if (found := shutil.which(name))), None)
    if program is None:
        # a part of the system, which no package of this project can bring along
        pytest.skip(f"no browser is installed: {', '.join(_PROGRAMS)}")
    orders, to_browser = os.pipe()
    from_browser, answers = os.pipe()
    on_pipes = [sys.executable, "-c", _ON_PIPES, str(orders), str(answers)]
    with tempfile.TemporaryDirectory(prefix="crossfade-browser-", ignore_cleanup_errors=True) as folder:
        process = subprocess.Popen(
            [*on_pipes, program, *_SWITCHES, f"--user-data-dir={folder}", f"--window-size={width},{height}"],
            pass_fds=(orders, answers),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(orders)
        os.close(answers)
        page = Page(_messages(from_browser), to_browser)
        try:
            yield page.attach()
        finally:
            os.close(to_browser)  # it ends when nobody can give it orders any more
            os.close(from_browser)
            try:
                process.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _messages(from_browser: int) -> Iterator[dict[str, Any]]:
    """What the browser says, as it comes. Fails when it says nothing for long."""
    rest = b""
    until = time.monotonic() + _PATIENCE
    while True:
        assert select.select([from_browser], [], [], max(0.0, until - time.monotonic()))[0], "the browser is silent"
        part = os.read(from_browser, 1 << 16)
        if not part:
            return
        *whole, rest = (rest + part).split(b"\0")
        for message in whole:
            until = time.monotonic() + _PATIENCE
            yield json.loads(message)
