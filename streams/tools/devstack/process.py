"""A started server process: how it is tied to its starter, signalled, recorded and found again.

Owns process ids and the record file `process.json` of a server's folder.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import psutil

KEEPER = Path(__file__).with_name("keeper.py")
RECORD = "process.json"
JAVA_OPTIONS = ("CLASSPATH", "JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS")


class ServerFailed(Exception):
    """A server did not start or did not get ready. The message is for people and names its log."""


class EndedAtOnce(Exception):
    """The command ended before it could be looked at; its log says why."""


@dataclass
class Running:
    """A server process. `keeper`: the process between its starter and it; None: it outlives its starter."""

    process: psutil.Process
    port: int
    keeper: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        return int(self.process.pid)

    def alive(self) -> bool:
        """Whether this very process (not a later one of the same id) still runs."""
        try:
            return bool(self.process.is_running()) and self.process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False

    def send(self, number: int) -> None:
        with contextlib.suppress(psutil.NoSuchProcess):
            self.process.send_signal(number)

    def limit_file_size(self, limit_bytes: int | None) -> None:
        """Let it make no file larger than this; None: as large as it may. Raises `ServerFailed` off Linux."""
        if not hasattr(self.process, "rlimit"):
            raise ServerFailed("only Linux limits the file size of a process that runs")
        _, most = self.process.rlimit(psutil.RLIMIT_FSIZE)
        self.process.rlimit(psutil.RLIMIT_FSIZE, (most if limit_bytes is None else limit_bytes, most))

    def end(self, patience_s: float) -> None:
        """Ask it to end, wait, and kill it after `patience_s` seconds; 0: kill it at once."""
        if patience_s > 0:
            self.send(signal.SIGCONT)
            self.send(signal.SIGTERM)
        if patience_s <= 0 or not self._ended_within(patience_s):
            self.send(signal.SIGKILL)
            self._ended_within(10)
        if self.keeper:
            self.keeper.communicate()

    def _ended_within(self, seconds: float) -> bool:
        with contextlib.suppress(psutil.NoSuchProcess):
            try:
                self.process.wait(seconds)
            except psutil.TimeoutExpired:
                return not self.alive()
        return True

    def record(self, folder: Path) -> None:
        """Write down which process it is, so that another process can find it."""
        entry = {"pid": self.pid, "created": self.process.create_time(), "port": self.port}
        fresh = folder / f"{RECORD}.{os.getpid()}"
        fresh.write_text(json.dumps(entry))
        fresh.replace(folder / RECORD)


def recorded_port(folder: Path) -> int | None:
    """The port that the last server of this folder had."""
    entry = _entry(folder)
    return int(entry["port"]) if entry else None


def recorded(folder: Path) -> Running | None:
    """The server that was recorded in this folder, if that very process still runs."""
    entry = _entry(folder)
    if not entry:
        return None
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(int(entry["pid"]))
        running = Running(process, int(entry["port"]))
        if abs(process.create_time() - entry["created"]) < 0.1 and running.alive():
            return running
    return None


def _entry(folder: Path) -> dict[str, float] | None:
    try:
        entry: dict[str, float] = json.loads((folder / RECORD).read_text())
        return entry if {"pid", "created", "port"} <= entry.keys() else None
    except (OSError, ValueError, AttributeError):
        return None


def launch(command: list[str], folder: Path, port: int, *, tied: bool, remove: bool) -> Running:
    """Start `command`, its output in `folder`/log, in a session of its own: Ctrl-C does not reach it.

    Tied: it ends when this process does (and `folder` is removed then, with `remove`); else it goes on.
    Raises `EndedAtOnce`.
    """
    with (folder / "log").open("ab") as log:
        process, keeper = (
            _tied(command, folder, log.fileno(), remove) if tied else (_detached(command, log.fileno()), None)
        )
    started = Running(process, port, keeper)
    started.record(folder)
    return started


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in JAVA_OPTIONS}


def _tied(command: list[str], folder: Path, log: int, remove: bool) -> tuple[psutil.Process, subprocess.Popen[bytes]]:
    keeper = subprocess.Popen(
        [sys.executable, "-I", "-S", str(KEEPER), str(os.getpid()), str(folder) if remove else "", *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
        env=_environment(),
        start_new_session=True,
    )
    assert keeper.stdout
    pid = keeper.stdout.readline()
    try:
        return psutil.Process(int(pid)), keeper
    except (ValueError, psutil.NoSuchProcess):
        keeper.communicate()
        raise EndedAtOnce(command[0]) from None


def _detached(command: list[str], log: int) -> psutil.Process:
    server = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        env=_environment(),
        start_new_session=True,
    )
    server.returncode = 0  # it outlives us on purpose: no warning that it still runs
    return psutil.Process(server.pid)
