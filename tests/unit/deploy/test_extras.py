"""The wheel alone shows counters and helps; each extra brings what its commands need, and whoever lacks it is told."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterable, Set
from functools import cache
from importlib.metadata import distribution, packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from streams.cli import COMMANDS, EXTRAS

ROOT = Path(__file__).parents[3]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
FOR_USERS = PROJECT["optional-dependencies"].keys() - {"dev"}

HELP = """
from click.testing import CliRunner
from streams.cli import COMMANDS, main
for command in COMMANDS:
    ended = CliRunner().invoke(main, [command, "--help"])
    assert ended.exit_code == 0, (command, ended.output, ended.exception)
"""
IMPORT = "import importlib, sys\nfor name in sys.argv[1:]: importlib.import_module(name)"
CALL = "from streams.cli import main; main()"


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def needed(texts: Iterable[str], seen: set[str], extras: Set[str] = frozenset({""})) -> set[str]:
    """The distributions that these requirements name, here and with these extras, and what those need in turn."""
    for text in texts:
        requirement = Requirement(text)
        if requirement.marker is not None and not any(requirement.marker.evaluate({"extra": each}) for each in extras):
            continue
        if requirement.name == PROJECT["name"]:
            for extra in requirement.extras:
                needed(PROJECT["optional-dependencies"][extra], seen)
        elif normal(requirement.name) not in seen or requirement.extras:
            seen.add(normal(requirement.name))
            needed(distribution(requirement.name).requires or [], seen, {"", *requirement.extras})
    return seen


@cache
def of(*extras: str) -> set[str]:
    """What is installed with these extras."""
    return needed([*PROJECT["dependencies"], f"{PROJECT['name']}[{','.join(extras)}]"], set())


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's wheel, unpacked."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    environment = {**os.environ, "ENCORE_COMPILE": "no"}
    subprocess.run(build, cwd=ROOT, env=environment, capture_output=True, check=True, timeout=120)
    (packed,) = folder.glob("*.whl")
    zipfile.ZipFile(packed).extractall(folder / "unpacked")
    return folder / "unpacked"


def run(wheel: Path, packages: Path, extras: tuple[str, ...], program: str, *arguments: str) -> tuple[int, str]:
    """Exit code and standard error of a Python that has the wheel and what it brings with these extras, and no more."""
    packages.mkdir()
    for name in of(*extras):
        found = distribution(name)
        for top in {file.parts[0] for file in found.files or [] if not file.parts[0].startswith((".", "__"))}:
            link = packages / top
            if not link.exists():
                link.symlink_to(Path(str(found.locate_file(top))))
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(packages), "PYTHONPATH": f"{wheel}:{packages}",
        "ENCORE_KAFKA": "localhost:9", "ENCORE_REDIS": "redis://localhost:9",
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-S", "-c", program, *arguments],
        cwd=packages, env=environment, capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    return done.returncode, done.stderr


def test_without_extras_it_brings_no_client_of_kafka_no_web_server_and_no_faust() -> None:
    brought = of()
    assert not brought & {"aiohttp", "aiokafka", "confluent-kafka", "faust-streaming", "starlette", "uvicorn"}
    assert len(brought) < 30 < len(of("worker", "dashboard", "collect"))


def test_without_extras_every_command_helps(wheel: Path, tmp_path: Path) -> None:
    assert run(wheel, tmp_path / "packages", (), HELP) == (0, "")


def test_without_extras_every_module_of_the_commands_is_imported(wheel: Path, tmp_path: Path) -> None:
    modules = [f"streams.cli.{path.stem}" for path in (ROOT / "streams/cli").glob("*.py") if path.stem[0] != "_"]
    reader = ["streams.reader", "streams.redis.clients", "streams.display.measures"]
    assert run(wheel, tmp_path / "packages", (), IMPORT, *modules, *reader) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "extra"),
    [
        ("worker", "worker"),
        ("bridge plex_webhook --from plays", "bridge"),
        ("verify", "verify"),
        ("dashboard", "dashboard"),
        ("lag", "kafka"),
    ],
)
def test_a_command_that_needs_more_names_its_extra_in_one_line(
    wheel: Path, tmp_path: Path, arguments: str, extra: str
) -> None:
    code, said = run(wheel, tmp_path / "packages", (), CALL, *arguments.split())
    (package, advice) = said.split(" is not installed here: ")
    assert (code, advice) == (1, f"pip install 'encore-viewing[{extra}]'\n")
    assert extra in EXTRAS[package.removeprefix("Error: ")]


@pytest.mark.parametrize(
    ("extra", "module"),
    [
        ("worker", "streams.worker.process"),
        ("bridge", "streams.bridge.process"),
        ("collect", "streams.collect.server"),
        ("dashboard", "streams.dashboard.server"),
        ("notify", "streams.operations.telling"),
        ("archive", "streams.archive.archiver"),
        ("verify", "streams.verify"),
    ],
)
def test_with_its_extra_a_command_has_what_it_runs_on(wheel: Path, tmp_path: Path, extra: str, module: str) -> None:
    assert run(wheel, tmp_path / "packages", (extra,), IMPORT, module) == (0, "")


def test_the_extras_that_a_message_names_are_those_that_bring_the_package() -> None:
    owners = packages_distributions()
    for module, extras in EXTRAS.items():
        distributions = {normal(each) for each in owners[module]}
        assert set(extras) == {extra for extra in FOR_USERS if distributions & of(extra)}, module
        assert not distributions & of()


def test_services_have_an_extra_of_their_name() -> None:
    named = FOR_USERS & COMMANDS.keys()
    assert named == {"archive", "bridge", "collect", "dashboard", "demo", "devstack", "notify", "verify", "worker"}
