"""Chromium by its DevTools protocol over two pipes: the page's own policy holds, and clicks and time are real."""

from __future__ import annotations

import base64
import json
import os
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any, Self

OPTIONS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --hide-scrollbars --remote-debugging-pipe"
)
WAIT = """
new Promise((go) => {
  const end = Date.now() + 60000;
  const look = () => {
    if (CONDITION) go(true);
    else if (Date.now() > end) go(false);
    else setTimeout(look, 5);
  };
  look();
})
"""
DRAWN = (
    "document.readyState === 'complete' && "
    "(document.querySelector('#view')?.childNodes.length || document.body?.classList.contains('static'))"
)


class Chromium:
    """One browser with one tab. ``mistakes``: what the page threw, and what its policy or the network refused."""

    def __init__(self, path: str, folder: Path) -> None:
        self.folder = folder
        self.mistakes: list[str] = []
        self._number = 0
        self._rest = b""
        read_by_it, self._to = os.pipe()
        self._from, written_by_it = os.pipe()

        def take_pipes() -> None:
            high = [os.dup(read_by_it), os.dup(written_by_it)]
            os.dup2(high[0], 3)
            os.dup2(high[1], 4)

        self._process = subprocess.Popen(
            [path, *OPTIONS.split(), f"--user-data-dir={folder / 'profile'}", "about:blank"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            close_fds=False,
            preexec_fn=take_pipes,
        )
        os.close(read_by_it)
        os.close(written_by_it)
        target = next(one for one in self._call("Target.getTargets")["targetInfos"] if one["type"] == "page")
        attached = self._call("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        self.call("Performance.enable", timeDomain="threadTicks")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._call("Browser.close")  # its other processes end with it, and write no more
            self._process.wait(timeout=20)
        finally:
            self._process.kill()
        os.close(self._to)
        os.close(self._from)

    def call(self, method: str, **parameters: object) -> dict[str, Any]:
        """Call a method of the tab."""
        return self._call(method, self._session, **parameters)

    def open(self, path: Path, hash_: str = "") -> None:
        """Load a file anew, and wait until it is drawn."""
        self.call("Page.navigate", url="about:blank")
        self.call("Page.navigate", url=f"{path.as_uri()}{f'#{hash_}' if hash_ else ''}")
        self.run(
            "new Promise((go) => document.readyState === 'complete' ? go() : addEventListener('load', () => go()))"
        )
        self.run(
            "new Promise((go) => { const look = () => document.querySelector('#view')?.childNodes.length ||"
            " document.body.classList.contains('static') ? go() : setTimeout(look, 5); look(); })"
        )

    def run(self, script: str) -> Any:
        """Return the value of an expression, awaited."""
        answer = self.call(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True, userGesture=True
        )
        if "exceptionDetails" in answer:
            raise AssertionError(answer["exceptionDetails"])
        return answer["result"].get("value")

    def wait(self, condition: str) -> None:
        """Wait until an expression is true. AssertionError where it is not after a minute."""
        script = WAIT.replace("CONDITION", condition)
        assert self.run(script), f"never true: {condition}"

    def cpu(self) -> float:
        """Return the milliseconds of CPU that the page's main thread has taken: a busy machine makes them no more."""
        metrics = {one["name"]: one["value"] for one in self.call("Performance.getMetrics")["metrics"]}
        return float(metrics["TaskDuration"]) * 1000

    def look(self, *, width: int = 1280, height: int = 900, dark: bool = False, whole: bool = False) -> bytes:
        """Return a picture of the first screen, or of the whole page."""
        self.size(width, height, dark=dark)
        if whole:
            height = self.run("document.documentElement.scrollHeight")
            self.size(width, height, dark=dark)
        return base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"])

    def size(self, width: int, height: int, *, dark: bool = False) -> None:
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        scheme = "dark" if dark else "light"
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def pdf(self) -> bytes:
        """Return the page as it is printed."""
        return base64.b64decode(self.call("Page.printToPDF", preferCSSPageSize=True)["data"])

    def press(self, key: str, code: int) -> None:
        for kind in ("keyDown", "keyUp"):
            text = {"text": "\r"} if key == "Enter" and kind == "keyDown" else {}
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, **text)

    def _call(self, method: str, session: str | None = None, **parameters: object) -> dict[str, Any]:
        self._number += 1
        message: dict[str, object] = {"id": self._number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise AssertionError(f"{method}: {answer['error']}")
                found: dict[str, Any] = answer["result"]
                return found
            self._note(answer)

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            piece = os.read(self._from, 1 << 20)
            if not piece:
                raise AssertionError("the browser ended")
            self._rest += piece
        line, _, self._rest = self._rest.partition(b"\0")
        found: dict[str, Any] = json.loads(line)
        return found

    def _note(self, event: dict[str, Any]) -> None:
        method, given = event.get("method"), event.get("params", {})
        if method == "Runtime.exceptionThrown":
            self.mistakes.append(str(given["exceptionDetails"].get("exception", given["exceptionDetails"])))
        elif method == "Log.entryAdded" and given["entry"]["level"] == "error":
            self.mistakes.append(given["entry"]["text"])
        elif method == "Network.requestWillBeSent" and not given["request"]["url"].startswith(("file:", "data:")):
            self.mistakes.append(f"asked for {given['request']['url']}")
