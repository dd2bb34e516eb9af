"""Which tests are tried for a file, in which order, and whether one of them fails."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Lock
from typing import NamedTuple

NOTICED, SURVIVES, NOT_ENDED = "noticed", "SURVIVES", "NOT ENDED"
LONGEST_S = 900
"""Of one stage, on a busy machine too."""
LONGEST_TEST_S = 120

UNIT, PROPERTIES, CONTRACT, SIMULATION = "tests/unit", "tests/properties", "tests/contract", "tests/simulation"
RULES, SIMULATED = ("models", "verify"), ("kafka", "publishing", "state", "worker")
"""Packages that the properties try, and those that the simulation tries, by a hundred schedules."""
SCHEDULES = 100
CONTRACTS = {
    "api": ("api", "api_document"),
    "bridge": ("bridge",),
    "display": ("export",),
    "kafka": ("transactional_log", "transactions", "copy_writer"),
    "publishing": ("resting", "rounds", "publisher", "current_windows", "derived", "sink"),
    "reader": ("reader", "failover"),
    "state": ("transactional_log", "transactions"),
    "worker": ("assignment",),
}
"""The contract tests that are nearest to a package."""
BESIDE = ("test_fuzzing.py",)
"""Tests that are long, and about bytes from outside: last."""
NEVER = (f"{UNIT}/deploy", f"{UNIT}/tools", f"{UNIT}/docs")
"""Tests of packaging, of pages, and of tools for development: long, and not where a mutation should be found."""

_FAILED = re.compile(r"^(?:FAILED|ERROR) ([^\s[]+)|^seed (\d+) fails", re.MULTILINE)


class Tried(NamedTuple):
    """What came of a mutation, the test that noticed it, and how long that took."""

    verdict: str
    by: str
    seconds: float


class FailsUnchanged(Exception):
    """A test fails without a mutation: then no mutation can be tried."""


class Unchanged:
    """A copy of the program without a mutation. What notices one must pass here."""

    def __init__(self, copy: Path) -> None:
        self._copy, self._passed, self._lock = copy, set[str](), Lock()

    def must_pass(self, test: str) -> None:
        """Raise `FailsUnchanged` if it fails here too."""
        with self._lock:
            if test in self._passed:
                return
            done = _run(self._copy, _again(test))
            if done.returncode:
                raise FailsUnchanged(f"fails without any mutation: {test}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
            self._passed.add(test)


def stages(root: Path, file: Path) -> Iterator[list[str]]:
    """The arguments of Python for each stage: a module's own tests and its room's, then what lies further away."""
    package = file.parts[-2]
    room = Path(UNIT, *(part for part in file.parent.parts if part != "streams"))
    own = room / f"test_{file.stem}.py"
    if (root / own).exists():
        yield _pytest(str(own))
    if (root / room).exists():
        yield _pytest(str(room))
    if package in RULES:
        yield _pytest(PROPERTIES, *(f"--ignore={PROPERTIES}/{name}" for name in BESIDE))
    if package in CONTRACTS:
        yield _pytest(*(f"{CONTRACT}/test_{name}.py" for name in CONTRACTS[package]))
    if package in SIMULATED:
        yield [SIMULATION, "--seed", "1", "--runs", str(SCHEDULES)]
    yield _pytest(UNIT, *(f"--ignore={folder}" for folder in (*NEVER, str(room))))
    yield _pytest(*(f"{PROPERTIES}/{name}" for name in BESIDE)) if package in RULES else _pytest(CONTRACT, PROPERTIES)


def tried(copy: Path, file: Path, unchanged: Unchanged) -> Tried:
    """Run stage after stage in a copy until a test fails. Raises `FailsUnchanged`."""
    begun_s = time.monotonic()
    for stage in stages(copy, file):
        done = _run(copy, stage)
        if done.returncode < 0:
            return Tried(NOT_ENDED, _stands_for(stage), time.monotonic() - begun_s)
        if done.returncode:
            test = _noticed_by(stage, done.stdout)
            unchanged.must_pass(test)
            return Tried(NOTICED, test, time.monotonic() - begun_s)
    return Tried(SURVIVES, "", time.monotonic() - begun_s)


def _pytest(*arguments: str) -> list[str]:
    return ["-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", f"--timeout={LONGEST_TEST_S}", *arguments]


def _run(copy: Path, arguments: list[str]) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, *arguments]
    try:
        return subprocess.run(
            command, cwd=copy, env=environment, capture_output=True, text=True, check=False, timeout=LONGEST_S
        )
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, -signal.SIGKILL, "", f"not within {LONGEST_S} s")


def _noticed_by(stage: list[str], output: str) -> str:
    """The test that failed, or the simulation's seed."""
    found = _FAILED.search(output)
    if found is None:
        return _stands_for(stage)
    return found[1] or f"{SIMULATION} --seed {found[2]}"


def _stands_for(stage: list[str]) -> str:
    """A stage's first tests: where not even these are collected, no others are."""
    return next(argument for argument in stage if argument.startswith("tests/"))


def _again(test: str) -> list[str]:
    if test.startswith(SIMULATION):
        return [SIMULATION, "--runs", "1", *test.split()[1:]]
    return _pytest(test)
