"""A headless Chromium of this machine, driven over its own DevTools protocol."""

import base64
import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from websockets.sync.client import ClientConnection, connect

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_START_S = 60.0
_LOOK_EVERY_S = 0.2


class PageError(Exception):
    """The browser could not show what was asked for."""


def find() -> str | None:
    """Return the path of a Chromium, or None where this machine has none."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Page:
    """One tab of the browser."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._number = 0

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command and return its result.

        Raises
        ------
        PageError
            The browser refused it.
        """
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        self._socket.send(json.dumps(message))
        while True:
            answer = json.loads(self._socket.recv(timeout=_START_S))
            if answer.get("id") == self._number:
                break
        if "error" in answer:
            raise PageError(f"{method}: {answer['error']['message']}")
        result: dict[str, Any] = answer["result"]
        return result

    def evaluate(self, script: str) -> Any:
        """Run a script in the page and return its value."""
        result = self.send("Runtime.evaluate", expression=script, returnByValue=True)
        return result["result"].get("value")

    def wait_for(self, condition: str, seconds: float = 120.0) -> None:
        """Wait until a script in the page is true.

        Raises
        ------
        PageError
            It did not become true in time.
        """
        deadline = time.monotonic() + seconds
        while not self.evaluate(condition):
            if time.monotonic() > deadline:
                shown = self.evaluate("document.body ? document.body.innerText : 0")
                raise PageError(f"not so after {seconds:.0f} s: {condition}; there is: {shown}")
            time.sleep(_LOOK_EVERY_S)

    def picture(self) -> bytes:
        """Return what the page shows, as PNG."""
        return base64.b64decode(self.send("Page.captureScreenshot", format="png")["data"])


@contextmanager
def page(browser: str, width: int, height: int) -> Iterator[Page]:
    """Yield a tab of a browser that ends with it, of a size in CSS pixels.

    Raises
    ------
    PageError
        The browser did not start.
    """
    with tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True) as profile:
        process = subprocess.Popen(
            [
                *(browser, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run"),
                *("--disable-dev-shm-usage", "--hide-scrollbars", "--remote-debugging-port=0"),
                *("--no-proxy-server", f"--window-size={width},{height}"),
                *(f"--user-data-dir={profile}", "about:blank"),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            with connect(_address(Path(profile)), max_size=None, proxy=None) as socket:
                tab = Page(socket)
                tab.send(
                    "Emulation.setDeviceMetricsOverride",
                    width=width,
                    height=height,
                    deviceScaleFactor=1,
                    mobile=False,
                )
                yield tab
        finally:
            process.terminate()
            process.wait(20)


def _address(profile: Path) -> str:
    """Return the address of the browser's only tab, once it listens."""
    noted = profile / "DevToolsActivePort"
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline:
        if noted.is_file() and (port := noted.read_text().partition("\n")[0]):
            with httpx.Client(trust_env=False) as http:
                tabs = http.get(f"http://127.0.0.1:{port}/json").json()
            for tab in tabs:
                if tab["type"] == "page":
                    return str(tab["webSocketDebuggerUrl"])
        time.sleep(_LOOK_EVERY_S)
    raise PageError(f"the browser did not listen within {_START_S:.0f} s")
