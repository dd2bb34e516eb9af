"""The reader's own package, where it is used: an environment with nothing else, beside a project's `models.py`.

What docs/reading.md shows is run there, against a real Redis, and checked by mypy.
"""

from __future__ import annotations

import os
import re
import select
import subprocess
import sys
from pathlib import Path

import pytest
from published_by_hand import PublishedByHand
from redis import Redis

pytestmark = pytest.mark.system

ROOT = Path(__file__).parents[2]
URL = "redis://localhost:6379/0"
SNIPPETS = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "reading.md").read_text(), re.DOTALL)
TRAP = 'raise SystemExit("this is the project\'s own module, which the reader has no business with")\n'


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a project, its own `models.py`, and an environment with the reader's wheel."""
    folder = tmp_path_factory.mktemp("project")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    done(*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(ROOT / "reader"))
    (wheel,) = folder.glob("encore_reader-*.whl")
    done(sys.executable, "-m", "venv", "--without-pip", str(folder / "env"))
    done(*pip, "--python", str(folder / "env" / "bin" / "python"), "install", str(wheel))
    for name in ("models.py", "streams.py"):
        (folder / name).write_text(TRAP)
    return folder


def done(*command: str, cwd: Path | None = None) -> str:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    ran = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, f"{command}\n{ran.stdout}{ran.stderr}"
    return ran.stdout


def snippet(project: Path, name: str, url: str) -> list[str]:
    """The command that runs the first documented example that has this word in it."""
    (text,) = [each for each in SNIPPETS if name in each]
    assert text.count(URL) == 1
    (project / "example.py").write_text(text.replace(URL, url))
    return [str(project / "env" / "bin" / "python"), "example.py"]


@pytest.fixture
def published(private_redis) -> PublishedByHand:
    """Two titles, with a day and an audience, on a Redis of the test's own under the default prefix."""
    client = Redis.from_url(private_redis.redis, decode_responses=True)
    client.flushall()
    published = PublishedByHand(client, "encore:")
    published.status()
    published.title("little-dragon", plays=5, starters=4, completions=3, rewatches=2, repeat_rate="0.500000")
    published.title("the-big-opening", plays=9, completions=1)
    published.window("little-dragon", "day:20261123", starters=4, completions=3)
    published.board("completions", **{"little-dragon": 3, "the-big-opening": 1})
    published.board("rewatches", **{"little-dragon": 2})
    return published


def test_the_wheel_brings_only_redis_and_msgspec_and_touches_no_module_of_the_project(project: Path) -> None:
    python = str(project / "env" / "bin" / "python")
    listed = "from importlib.metadata import distributions; print(*sorted(d.name for d in distributions()))"
    assert done(python, "-c", listed).split() == ["encore-reader", "msgspec", "redis"]
    loaded = done(python, "-c", "import encore_reader, sys; print(*sys.modules)", cwd=project).split()
    assert not {"models", "streams"} & set(loaded)


def test_what_the_guide_shows_passes_strict_mypy(project: Path) -> None:
    examples = project / "examples"
    examples.mkdir()
    for number, text in enumerate(SNIPPETS):
        (examples / f"example_{number}.py").write_text(text)
    assert len(SNIPPETS) == 5
    python = ["--python-executable", str(project / "env" / "bin" / "python"), "--config-file="]
    checked = done(sys.executable, "-m", "mypy", "--strict", *python, *map(str, examples.iterdir()), cwd=project)
    assert checked == "Success: no issues found in 5 source files\n"


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("title.as_of", ["3 None 0.0 2025-11-20 00:53:20+00:00", "little-dragon 3", "the-big-opening 1"]),
        ("reader.days", ["20261123 4 3"]),
        ("METRIC", ["little-dragon 2"]),
        ("asyncio.run", ["little-dragon 0.5", "the-big-opening None"]),
    ],
)
def test_an_example_of_the_guide_prints(
    project: Path, published: PublishedByHand, private_redis, name: str, told: list[str]
) -> None:
    assert done(*snippet(project, name, private_redis.redis), cwd=project).splitlines() == told


def test_the_example_that_follows_changes_prints_each(project, published: PublishedByHand, private_redis) -> None:
    command = snippet(project, "reader.place", private_redis.redis)
    with subprocess.Popen(command, cwd=project, stdout=subprocess.PIPE, text=True) as following:
        assert following.stdout is not None
        try:
            number = 0
            while not select.select([following.stdout], [], [], 0.2)[0]:
                number += 1
                published.title("little-dragon", watching_now=number)
            line = following.stdout.readline()
        finally:
            following.kill()
    assert re.fullmatch(r"little-dragon \{'little-dragon': \d+, 'the-big-opening': 0\}\n", line)


def test_where_redis_is_away_the_example_says_what_to_do(project: Path) -> None:
    told = done(*snippet(project, "METRIC", "redis://127.0.0.1:1/0"), cwd=project)
    assert told.startswith("Redis at redis://127.0.0.1:1/0 does not answer: ") and told.endswith("; try again\n")
