"""Child processes of the bench and the demo: started, watched, measured, and always stopped.

Owns how a child is started (in a session of its own, so that Ctrl-C reaches only the parent) and how its log is kept. A
child ends with its parent, however that one ended: the devstack's keeper stands between the two.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from streams.config.credentials import plain
from streams.config.settings import Settings, variable
from streams.tools.devstack.process import KEEPER

STOP_S = 30.0
"""Seconds that a child gets between SIGTERM and SIGKILL."""


class ChildEnded(Exception):
    """A child is gone that should be running. The message names it and ends with its last words."""


def environment(settings: Settings) -> dict[str, str]:
    """This process's environment, with every setting as `ENCORE_<NAME>`: a child sees exactly `settings`.

    But for its log: that is a file whose last words are shown to people.
    """
    own = {variable(name): plain(value) for name, value in settings.model_dump().items()} | {
        variable("log_format"): "text"
    }
    return {**os.environ, **own}


class Child:
    """A running child process with its log. Use as a context manager: leaving it stops the child."""

    def __init__(self, name: str, command: Sequence[str], env: Mapping[str, str], log: Path) -> None:
        self.name = name
        self.log = log
        with log.open("ab") as sink:
            self._keeper = subprocess.Popen(
                [sys.executable, "-I", "-S", str(KEEPER), str(os.getpid()), "", *command],
                env=dict(env),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=sink,
                start_new_session=True,
            )
        assert self._keeper.stdout
        self.pid = int(self._keeper.stdout.readline())
        self._process = psutil.Process(self.pid)
        self._peak_bytes = 0

    def cpu_s(self) -> float:
        """User and system CPU seconds of all the child's threads so far; its peak memory is noted too."""
        self._peak_bytes = max(self._peak_bytes, peak_bytes(self._process))
        times = self._process.cpu_times()
        return float(times.user + times.system)

    def peak_bytes(self) -> int:
        """The child's largest resident size, as far as it was seen by `cpu_s`."""
        return self._peak_bytes

    def memory_bytes(self) -> int:
        """The child's resident size now."""
        return int(self._process.memory_info().rss)

    def check(self) -> None:
        """Raise `ChildEnded` if the child is gone."""
        code = self._keeper.poll()
        if code is not None:
            raise ChildEnded(f"{self.name} ended with exit code {code}: {self.last_words()}")

    def last_words(self, lines: int = 3) -> str:
        """The last lines of the child's log, in one line."""
        written = [line for line in self.log.read_text(errors="replace").splitlines() if line.strip()]
        return " / ".join(written[-lines:]) or f"it wrote nothing to {self.log}"

    def wait(self, within_s: float) -> int:
        """The exit code, once the child has ended by itself. Raises TimeoutError."""
        try:
            return self._keeper.wait(within_s)
        except subprocess.TimeoutExpired:
            raise TimeoutError(f"{self.name} did not end within {within_s:g} s") from None

    def figures(self) -> dict[str, Any]:
        """The last line of JSON in the child's log. Raises `ChildEnded` if there is none."""
        lines = [line for line in self.log.read_text().splitlines() if line.startswith("{")]
        if not lines:
            raise ChildEnded(f"{self.name} gave no figures: {self.last_words()}")
        figures: dict[str, Any] = json.loads(lines[-1])
        return figures

    def kill(self) -> None:
        """SIGKILL, at once: a crash."""
        with suppress(psutil.NoSuchProcess):
            self._process.kill()
        self._keeper.communicate()

    def stop(self, wait_s: float = STOP_S) -> int:
        """SIGTERM, then SIGKILL after `wait_s`. Returns the exit code, or the signal's number."""
        with suppress(psutil.NoSuchProcess):
            self._process.terminate()
        try:
            return self._keeper.wait(wait_s)
        except subprocess.TimeoutExpired:
            self.kill()
            return self._keeper.returncode

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def encore(name: str, settings: Settings, log: Path, *arguments: str) -> Child:
    """Start `encore <arguments>` with these settings."""
    return Child(name, [sys.executable, "-m", "streams.cli", *arguments], environment(settings), log)


def peak_bytes(process: psutil.Process) -> int:
    """A process's largest resident size in bytes (VmHWM), if the system reports it; else the present size."""
    try:
        status = Path(f"/proc/{process.pid}/status").read_text()
    except OSError:
        return int(process.memory_info().rss)
    peaks = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(peaks[0]) * 1024 if peaks else int(process.memory_info().rss)


def wait_until(condition: Callable[[], bool], what: str, within_s: float, child: Child | None = None) -> None:
    """Poll until `condition()`. Raises TimeoutError, naming `what`, and `ChildEnded` if the child ends."""
    end = time.monotonic() + within_s
    while not condition():
        if child is not None:
            child.check()
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: not within {within_s:g} s")
        time.sleep(0.05)
