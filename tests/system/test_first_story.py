"""README's story of two films, line by line as it stands there, on servers of its own; with fewer households."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.system

ROOT = Path(__file__).parents[2]
SMALLER = "--story --households 30 --titles 4"


def story() -> list[str]:
    """The commands of the story, without the one that enters the environment, and without comments."""
    (block,) = re.findall(r"```console\n(\$ \. \.venv/bin/activate.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    lines = [line.removeprefix("$ ").partition("  #")[0].strip() for line in block.splitlines()]
    return [line.replace("--story", SMALLER) for line in lines[1:]]


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Callable[[str, float], subprocess.CompletedProcess[str]]]:
    """A shell in which `encore` is this project's, with a devstack of its own; it runs scripts."""
    encore = f'encore() {{ "{sys.executable}" -m streams.cli "$@"; }}'
    given = {name: value for name, value in os.environ.items() if not name.startswith("ENCORE_")}
    own = {"ENCORE_DEVSTACK_DIR": str(tmp_path / "devstack"), "PYTHONPATH": str(ROOT)}

    def run(script: str, within_s: float) -> subprocess.CompletedProcess[str]:
        line = ["bash", "-c", f"set -e\n{encore}\n{script}"]
        return subprocess.run(
            line, env=given | own, cwd=tmp_path, capture_output=True, text=True, timeout=within_s, check=False
        )

    yield run
    run("encore devstack down", 60)


def test_the_story_followed_literally_ends_with_what_a_recomputation_says(shell) -> None:
    told = shell("set -m\n" + "\n".join(story()), 280)

    assert told.returncode == 0, told.stdout + told.stderr
    assert "note:" not in told.stderr
    compared = told.stdout.partition("opening: first 72 hours")[2]
    assert compared, told.stdout
    assert "The Film That Will Not" in told.stdout
    films = "the-big-opening the-film-that-will-not-stop"
    again = shell(f"encore compare {films}", 60)
    assert again.stdout.partition("opening: first 72 hours")[2] == compared
    verified = json.loads(shell("encore verify --json --wait 0", 120).stdout)
    assert (verified["verified"], verified["difference_count"]) == (True, 0)
