"""The image: linted, made of what is there and let through, and started, probed and stopped as a worker wants it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import click
import pytest
from prometheus_client import CollectorRegistry

from models.compiled import FOLDER
from streams.cli import main
from streams.observability.http_server import Probes

ROOT = Path(__file__).parents[3]
DOCKERFILE = ROOT / "deploy/Dockerfile"


def lines() -> Iterator[str]:
    """The instructions, each in one line."""
    text = re.sub(r"^#.*\n", "", DOCKERFILE.read_text(), flags=re.MULTILINE)
    yield from filter(None, re.sub(r"\s*\\\n\s*", " ", text).splitlines())


def values(instruction: str) -> list[str]:
    return [line.removeprefix(f"{instruction} ") for line in lines() if line.startswith(f"{instruction} ")]


def environment() -> dict[str, str]:
    """Of the last stage."""
    return dict(pair.split("=", 1) for pair in values("ENV")[-1].split())


def health_check() -> tuple[dict[str, str], list[str]]:
    """Its options and its command."""
    whole, of_verify = values("HEALTHCHECK")
    assert of_verify == "NONE", "it ends by itself, and has no port"
    options, command = whole.split(" CMD ")
    return dict(re.findall(r"--([\w-]+)=(\S+)", options)), json.loads(command)


def lint(dockerfile: str) -> str:
    hadolint = Path(sysconfig.get_path("scripts")) / "hadolint"
    return subprocess.run([hadolint, "-"], input=dockerfile, capture_output=True, text=True, check=False).stdout


def test_the_linter_finds_nothing() -> None:
    assert lint(DOCKERFILE.read_text()) == ""


def test_the_linter_would_find_something() -> None:
    assert "DL3006" in lint("FROM python\n")


def test_it_runs_a_command_that_is_there_without_a_shell() -> None:
    assert [json.loads(value) for value in values("ENTRYPOINT")] == [["encore"]]
    commands = [json.loads(value) for value in values("CMD")]
    assert commands == [["worker"], ["archive"], ["verify"]]
    assert all(main.get_command(click.Context(main), command) is not None for (command,) in commands)


def test_a_worker_is_what_is_made_without_a_target_and_the_others_are_the_same_with_more_packages() -> None:
    stages = [re.fullmatch(r"(\S+)(?: AS (\S+))?", value) for value in values("FROM")]
    named = [(stage[1], stage[2]) for stage in stages if stage]
    assert named[-4:] == [
        ("python:3.11-slim", "worker"), ("worker", "archive"), ("archive", "verify"), ("worker", None),
    ]  # fmt: skip


def test_it_runs_as_nobody_in_particular_writes_nothing_and_stops_by_the_signal_that_a_worker_knows() -> None:
    assert values("USER") == ["10001:10001"]
    assert values("STOPSIGNAL") == ["SIGTERM"]
    assert environment()["PYTHONDONTWRITEBYTECODE"] == "1"
    assert values("VOLUME") == []


def test_its_version_is_the_projects() -> None:
    assert f"VERSION={version('encore-viewing')}" in values("ARG")


def test_it_is_made_of_files_that_are_there_and_that_the_ignore_file_lets_through() -> None:
    copied = {source for value in values("COPY") if "--from" not in value for source in value.split()[:-1]}
    ignore = (ROOT / ".dockerignore").read_text().splitlines()
    assert {line[1:] for line in ignore if line.startswith("!")} == copied
    assert "*" in ignore
    assert [source for source in copied if not (ROOT / source).exists()] == []


def test_the_wheel_in_it_holds_every_file_of_both_packages(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    environment = {**os.environ, "ENCORE_COMPILE": "no"}
    subprocess.run(build, cwd=ROOT, env=environment, capture_output=True, check=True, timeout=120)
    (wheel,) = tmp_path.glob("*.whl")
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if name.startswith(("models/", "streams/"))}
    files = [path for folder in ("models", "streams") for path in (ROOT / folder).rglob("*") if path.is_file()]
    sources = [path.relative_to(ROOT) for path in files if path.suffix != ".pyc" and FOLDER not in path.parts]
    assert packed == {str(path) for path in sources}


# -- the health check -------------------------------------------------------------------------------------------


def healthy(port: int) -> bool:
    _, (_, *arguments) = health_check()
    environment = {**os.environ, "ENCORE_METRICS_PORT": str(port)}
    done = subprocess.run([sys.executable, *arguments], env=environment, capture_output=True, timeout=30, check=False)
    return done.returncode == 0


@pytest.mark.parametrize(("why", "expected"), [("", True), ("the event loop has not moved for 16 s", False)])
def test_a_worker_is_healthy_while_it_lives(why: str, expected: bool) -> None:
    probes = Probes("127.0.0.1", 0, CollectorRegistry(), lambda: None, {"/livez": lambda: why})
    try:
        assert healthy(probes.port) is expected
    finally:
        probes.close()


def test_a_worker_that_does_not_answer_is_not() -> None:
    probes = Probes("127.0.0.1", 0, CollectorRegistry(), lambda: None, {})
    probes.close()
    assert not healthy(probes.port)


def test_the_check_gives_up_before_it_is_given_up_and_asks_the_port_that_is_exposed() -> None:
    options, command = health_check()
    (timeout_s,) = re.findall(r"timeout=(\d+)", command[-1])
    assert int(timeout_s) < int(options["timeout"].removesuffix("s"))
    assert values("EXPOSE") == [environment()["ENCORE_METRICS_PORT"]]
