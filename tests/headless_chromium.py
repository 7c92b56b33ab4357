"""Chromium without a window and without a network, driven over a pipe with the DevTools protocol."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


class Browser:
    """A tab of a browser with a profile of its own. The only machine that it finds is this one.

    Args:
        profile: an empty folder.
    """

    def __init__(self, profile: Path):
        read_commands, self._write = os.pipe()
        self._read, write_answers = os.pipe()
        flags = "--headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run"
        flags += " --host-resolver-rules='MAP * ~NOTFOUND, EXCLUDE 127.0.0.1'"
        # The protocol is spoken on the descriptors 3 and 4.
        command = (
            f'exec "{PROGRAM}" {flags} --remote-debugging-pipe --user-data-dir="{profile}" about:blank '
            f"3<&{read_commands} 4>&{write_answers}"
        )
        self._process = subprocess.Popen(
            ["bash", "-c", command],  # sh may know no descriptor above 9
            pass_fds=(read_commands, write_answers),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(read_commands)
        os.close(write_answers)
        self._buffer = b""
        self._next_id = 0
        self._session: dict[str, str] = {}
        self.requested: list[str] = []
        self.errors: list[Any] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self._session = {"sessionId": session}
        for domain in ("Network", "Log", "Runtime"):
            self.call(f"{domain}.enable")

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *_) -> None:
        self._process.terminate()
        self._process.wait(30)
        os.close(self._read)
        os.close(self._write)

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Calls a method of the protocol; remembers what the tab requests and complains of meanwhile."""
        self._next_id += 1
        message = {"id": self._next_id, "method": method, "params": parameters, **self._session}
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            while b"\0" not in self._buffer:
                part = os.read(self._read, 2**16)
                if not part:
                    raise RuntimeError("the browser has ended")
                self._buffer += part
            text, self._buffer = self._buffer.split(b"\0", 1)
            answer = json.loads(text)
            if answer.get("method") == "Network.requestWillBeSent":
                self.requested.append(answer["params"]["request"]["url"])
            if _is_error(answer):
                self.errors.append(answer["params"])
            if answer.get("id") == self._next_id:
                if "error" in answer:
                    raise RuntimeError(answer["error"])
                return answer["result"]

    def value(self, expression: str) -> Any:
        """Returns the value of an expression of JavaScript, or what it promises."""
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            raise RuntimeError(result["exceptionDetails"])
        return result["result"].get("value")

    def wait_for(self, expression: str, seconds: float = 20) -> Any:
        """Returns the value of an expression as soon as it is true."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if value := self.value(expression):
                return value
            time.sleep(0.05)
        raise AssertionError(
            f"{expression} did not come true; the page: {self.value('document.body.innerText')}"
        )

    def drop(self, file: Path, selector: str) -> None:
        """Drops a file on an element."""
        box = f"document.querySelector('{selector}').getBoundingClientRect()"
        data = {"items": [], "files": [str(file)], "dragOperationsMask": 1}
        place = {name: self.value(f"{box}.{name} + 10") for name in "xy"}
        for kind in ("dragEnter", "dragOver", "drop"):
            self.call("Input.dispatchDragEvent", type=kind, data=data, **place)


def _is_error(event: dict[str, Any]) -> bool:
    """Whether an event is an exception or an error on the console."""
    parameters = event.get("params", {})
    return event.get("method") == "Runtime.exceptionThrown" or (
        event.get("method") in ("Log.entryAdded", "Runtime.consoleAPICalled")
        and "error" in (parameters.get("type"), parameters.get("entry", {}).get("level"))
    )
