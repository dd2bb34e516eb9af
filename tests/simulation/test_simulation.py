"""The simulation in the gate: no schedule of a short campaign fails, and without a safeguard one does."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from campaign_of_seeds import quietly, simulate
from safeguards import without
from world import run

pytestmark = pytest.mark.timeout(600)

SECONDS = float(os.environ.get("SIMULATED_S", "15"))
"""CPU time of the campaign; it also ends after four times as long."""

FIRST = range(1, 151)
"""The schedules of the campaign, the same ones each time. Further ones: `make simulate ARGS="--seed N"`."""

SOON = ("the fence", "the continuity check", "the transaction", "the version check in Redis")
"""Without these, one of the first schedules fails. What takes hundreds of them: `make simulate ARGS="--without …"`."""

SEARCHED = 200
"""More than any of them takes, as what a seed does moves with the code."""


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    with quietly():
        yield


def test_no_schedule_of_a_short_campaign_fails() -> None:
    said: list[str] = []

    assert simulate(FIRST, SECONDS, said.append) is None, "\n".join(said)


def test_a_seed_runs_the_same_way_again() -> None:
    assert run(7) == run(7)


@pytest.mark.parametrize("safeguard", SOON)
def test_a_schedule_fails_without(safeguard: str, tmp_path: Path) -> None:
    command = [sys.executable, str(Path(__file__).parent), "--seed", "1", "--runs", str(SEARCHED)]
    environment = {**os.environ, **without(safeguard, tmp_path / "mutant")}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    found = re.search(r"^seed (\d+) fails", ended.stdout, re.MULTILINE)
    assert ended.returncode == 1 and found, ended.stdout + ended.stderr
    assert run(int(found[1])).problems == ()
