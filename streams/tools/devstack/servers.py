"""One server on loopback: started, paused, stopped and started again on its port and data.

Owns ports and a server's life cycle. The differences between servers are in `kafka` and `redis`.
"""

from __future__ import annotations

import random
import re
import shutil
import signal
import socket
import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import NoReturn

from streams.tools.devstack.process import EndedAtOnce, Running, ServerFailed, launch, recorded, recorded_port

HOST = "127.0.0.1"
PORTS = range(20_000, 32_000)
"""Below the ports that systems hand out for outgoing connections, so that a restart finds its own again."""

PORT_ATTEMPTS = 8
PORT_LOST = re.compile(rb"address (already )?in use|failed to bind", re.IGNORECASE)


class Server(ABC):
    """A server in a folder of its own: `log`, `process.json`, `data`. Not safe for several threads at once.

    `tied`: it ends when this process does. `remove`: its folder goes, should this process be killed.
    """

    name: str
    patience_s: float
    ready_within_s: float

    def __init__(self, folder: Path, *, tied: bool = True, remove: bool = False) -> None:
        self.folder = folder / self.name
        self.data = self.folder / "data"
        self._tied = tied
        self._remove = remove
        self._running: Running | None = recorded(self.folder)
        self._port = recorded_port(self.folder)

    @abstractmethod
    def _command(self, port: int) -> list[str]:
        """The command that serves on `port` from `data`; writes what it needs into the folder."""

    @abstractmethod
    def _answers(self, running: Running) -> bool:
        """Whether this very process, and no other on its port, answers a real request."""

    @property
    @abstractmethod
    def address(self) -> str:
        """How clients name it."""

    @property
    def port(self) -> int:
        """Its port, the same after every restart. Raises `ServerFailed` if it was never started."""
        if self._port is None:
            raise ServerFailed(f"{self.name} was not started")
        return self._port

    @property
    def pid(self) -> int:
        """The server's own process id. Raises `ServerFailed` if it does not run."""
        return self._alive().pid

    @property
    def running(self) -> bool:
        return self._running is not None and self._running.alive()

    @property
    def ready(self) -> bool:
        """Whether it runs and answers."""
        return self.running and self._listens(self.port) and self._answers(self._alive())

    def start(self) -> None:
        """Start it and wait until it answers. Does nothing if it already answers.

        Takes the port it had; a first start takes a free one. Raises `ServerFailed`.
        """
        if self.ready:
            return
        self.kill()
        self.data.mkdir(parents=True, exist_ok=True)
        had = self._port
        for attempt in range(PORT_ATTEMPTS):
            port = had if had and attempt < 2 else free_port()
            try:
                self._start_on(port)
                return
            except PortLost:
                time.sleep(0.2 if port == had else 0)
        raise ServerFailed(f"{self.name} found no free port: see {self.folder / 'log'}")

    def stop(self) -> None:
        """Ask it to end; kill it if it does not end in time."""
        self._end(self.patience_s)

    def kill(self) -> None:
        """End it as a crash would (SIGKILL). Its data stay."""
        self._end(0)

    def pause(self) -> None:
        """Freeze it (SIGSTOP): connections stay open and nothing answers."""
        self._alive().send(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a paused one go on."""
        self._alive().send(signal.SIGCONT)

    def wipe(self) -> None:
        """Throw its data away; it must not run."""
        if self.running:
            raise ServerFailed(f"{self.name} runs: stop it before its data go")
        shutil.rmtree(self.data, ignore_errors=True)

    def _start_on(self, port: int) -> None:
        (self.folder / "log").unlink(missing_ok=True)
        command = self._command(port)
        try:
            self._running = launch(command, self.folder, port, tied=self._tied, remove=self._remove)
        except EndedAtOnce:
            self._explain("ended at its start")
        self._port = port
        try:
            self._wait_until_ready(self._running)
        except BaseException:
            self.kill()
            raise

    def _wait_until_ready(self, running: Running) -> None:
        deadline = time.monotonic() + self.ready_within_s
        while not (self._listens(running.port) and self._answers(running)):
            if not running.alive():
                self._explain("ended at its start")
            if time.monotonic() > deadline:
                self._explain(f"was not ready after {self.ready_within_s:.0f} s")
            time.sleep(0.05)

    def _listens(self, port: int) -> bool:
        """Asked before the client libraries are: they log each refused connection and wait after it."""
        with socket.socket() as probe:
            probe.settimeout(1)
            return probe.connect_ex((HOST, port)) == 0

    def _explain(self, what: str) -> NoReturn:
        log = (self.folder / "log").read_bytes()
        if PORT_LOST.search(log):
            raise PortLost(self.name)
        said = log.decode(errors="replace").strip().splitlines()[-5:]
        raise ServerFailed(f"{self.name} {what}; its log, {self.folder / 'log'}, ends:\n" + "\n".join(said))

    def _end(self, patience_s: float) -> None:
        if self._running:
            self._running.end(patience_s)
            self._running = None

    def _alive(self) -> Running:
        if self._running is None or not self._running.alive():
            raise ServerFailed(f"{self.name} does not run")
        return self._running


class PortLost(Exception):
    """Another process took the port between the choice and the server's start."""


def free_port() -> int:
    """A port of the loopback that nobody listens on now."""
    while True:
        port = random.SystemRandom().choice(PORTS)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
                return port
            except OSError:
                continue
