"""The systemd unit: its command and settings are there, its times fit the worker's, and systemd can read it."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
from pathlib import Path

import click
import pytest

from streams.cli import main
from streams.config.settings import ENV_PREFIX, Settings
from streams.observability import liveness
from streams.worker import group_process

UNIT = Path(__file__).parents[3] / "deploy/systemd/encore-worker@.service"


@pytest.fixture
def unit() -> configparser.ConfigParser:
    parser = configparser.ConfigParser(strict=False, interpolation=None, comment_prefixes=("#",), delimiters=("=",))
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(UNIT)
    return parser


def test_it_starts_a_command_that_is_there(unit: configparser.ConfigParser) -> None:
    *_, command = unit["Service"]["ExecStart"].split()
    assert main.get_command(click.Context(main), command) is not None


def test_every_setting_that_it_names_is_one(unit: configparser.ConfigParser) -> None:
    named = re.findall(rf"\b{ENV_PREFIX}([A-Z_]+)", UNIT.read_text())
    assert {name.lower() for name in named} <= Settings.model_fields.keys()


def test_systemd_waits_longer_than_a_worker_takes(unit: configparser.ConfigParser) -> None:
    service = unit["Service"]
    assert int(service["TimeoutStopSec"]) > group_process._END_S
    assert int(service["WatchdogSec"]) > 10 * liveness._BEAT_S
    assert int(service["TimeoutStartSec"]) > Settings().startup_timeout_s
    assert (service["Type"], service["RestartPreventExitStatus"]) == ("notify", "2")


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed here")
def test_systemd_finds_nothing_wrong_but_what_is_not_installed_here(tmp_path: Path) -> None:
    copy = tmp_path / UNIT.name.replace("@", "@1")
    copy.write_text(UNIT.read_text().replace("/opt/encore/bin/encore", "/bin/true"))
    done = subprocess.run(["systemd-analyze", "verify", str(copy)], capture_output=True, text=True, timeout=60)
    said = [line for line in (done.stdout + done.stderr).splitlines() if copy.name in line]
    assert said == []
