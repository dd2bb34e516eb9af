"""The systemd units: their commands and settings are there, their times fit, and systemd can read them."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
from pathlib import Path

import click
import pytest

from streams.cli import main
from streams.collect import server
from streams.config.settings import ENV_PREFIX, Settings
from streams.observability import health, liveness
from streams.worker import group_process

FOLDER = Path(__file__).parents[3] / "deploy/systemd"
WORKER, ARCHIVER = FOLDER / "encore-worker@.service", FOLDER / "encore-archive.service"
KINDS = ("collect", "bridge", "dashboard", "notify")
COLLECT, BRIDGE, DASHBOARD, NOTIFY = (FOLDER / f"encore-{name}@.service" for name in KINDS)
UNITS = pytest.mark.parametrize("unit", sorted(FOLDER.iterdir()), ids=lambda unit: unit.stem)


def read(unit: Path) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(strict=False, interpolation=None, comment_prefixes=("#",), delimiters=("=",))
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(unit)
    return parser


@UNITS
def test_it_starts_a_command_that_is_there(unit: Path) -> None:
    _, command, *_ = read(unit)["Service"]["ExecStart"].split()
    assert main.get_command(click.Context(main), command) is not None


@UNITS
def test_every_setting_that_it_names_is_one(unit: Path) -> None:
    named = re.findall(rf"\b{ENV_PREFIX}([A-Z_]+)", unit.read_text())
    assert {name.lower() for name in named} <= Settings.model_fields.keys()


def test_an_archiver_is_as_confined_as_a_worker_and_has_a_folder_to_write_to() -> None:
    worker, archiver = (dict(read(unit)["Service"]) for unit in (WORKER, ARCHIVER))
    confined = worker.keys() - {"Type", "EnvironmentFile", "Environment", "ExecStart", "RestartSec", "WatchdogSec"}
    confined -= {"TimeoutStartSec", "TimeoutStopSec"}
    assert {name: archiver[name] for name in confined} == {name: worker[name] for name in confined}
    assert f"ENCORE_ARCHIVE=/var/lib/{archiver['StateDirectory']}" in ARCHIVER.read_text()


@pytest.mark.parametrize("unit", [COLLECT, BRIDGE, DASHBOARD, NOTIFY], ids=lambda unit: unit.stem)
def test_whatever_keeps_nothing_is_as_confined_as_a_worker(unit: Path) -> None:
    worker, other = (dict(read(each)["Service"]) for each in (WORKER, unit))
    own = {"Type", "EnvironmentFile", "Environment", "ExecStart", "LoadCredential", "TimeoutStartSec", "RestartSec"}
    own |= {"Restart"} if unit == NOTIFY else set()
    assert {name: other.get(name) for name in worker.keys() - own} == {
        name: worker[name] for name in worker.keys() - own
    }


@pytest.mark.parametrize("unit", sorted(FOLDER.glob("*@.service")), ids=lambda unit: unit.stem)
def test_an_instance_has_a_file_of_its_own_after_the_one_of_all(unit: Path) -> None:
    kind = unit.stem.removeprefix("encore-").removesuffix("@")
    files = re.findall(r"^EnvironmentFile=-?(.*)$", unit.read_text(), re.MULTILINE)
    assert files == [f"/etc/encore/{kind}.env", f"/etc/encore/{kind}-%i.env"]


def test_systemd_waits_longer_than_a_collector_takes() -> None:
    service, settings = read(COLLECT)["Service"], Settings()
    assert int(service["TimeoutStopSec"]) > settings.collect_timeout_s + server.END_S
    assert int(service["WatchdogSec"]) > 10 * health._BEAT_S
    assert int(service["TimeoutStartSec"]) > settings.startup_timeout_s


@pytest.mark.parametrize("unit", [WORKER, BRIDGE], ids=lambda unit: unit.stem)
def test_systemd_waits_longer_than_a_member_of_a_group_takes(unit: Path) -> None:
    service = read(unit)["Service"]
    assert int(service["TimeoutStopSec"]) > group_process._END_S
    assert int(service["WatchdogSec"]) > 10 * liveness._BEAT_S
    assert int(service["TimeoutStartSec"]) > Settings().startup_timeout_s
    assert (service["Type"], service["RestartPreventExitStatus"]) == ("notify", "2")


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed here")
@UNITS
def test_systemd_finds_nothing_wrong_but_what_is_not_installed_here(unit: Path, tmp_path: Path) -> None:
    copy = tmp_path / unit.name.replace("@", "@1")
    copy.write_text(unit.read_text().replace("/opt/encore/bin/encore", "/bin/true"))
    done = subprocess.run(["systemd-analyze", "verify", str(copy)], capture_output=True, text=True, timeout=60)
    said = [line for line in (done.stdout + done.stderr).splitlines() if copy.name in line]
    assert said == []
