"""Every setting that is set or named in what is deployed is one, with a value that is accepted."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from streams.config.credentials import plain
from streams.config.settings import ENV_PREFIX, Settings, load, variable

ROOT = Path(__file__).parents[3]
NAMING = [
    path
    for path in [*(ROOT / "deploy").rglob("*"), ROOT / "docs/deploying.md"]
    if path.is_file() and path.suffix != ".lock" and ENV_PREFIX in path.read_text()
]

BUILDS = {"ENCORE_COMPILE", "ENCORE_INTERPRETED"}
"""Of the build, and which form of the rules runs: no settings of a worker."""

Environment = dict[str, str]


def assigned(text: str) -> Environment:
    """What `NAME=VALUE` says, anywhere in a text."""
    found = re.findall(rf"\b({ENV_PREFIX}[A-Z_]+)=([^\s\\]+)", text)
    return {name: value for name, value in found if name not in BUILDS}


def environments() -> dict[str, Environment]:
    """By place. What Kubernetes and systemd fill in is filled in here."""
    image = assigned((ROOT / "deploy/Dockerfile").read_text())
    found = {"image": image}
    for name, service in yaml.safe_load((ROOT / "deploy/compose.yaml").read_text())["services"].items():
        own = {key: value for key, value in service.get("environment", {}).items() if key.startswith(ENV_PREFIX)}
        if own:
            found[f"compose: {name}"] = image | own
    settings = assigned((ROOT / "deploy/kubernetes/base/settings.env").read_text())
    secret = {variable("kafka_user"): "worker", variable("kafka_password"): "…", variable("redis"): "rediss://redis"}
    found["kubernetes"] = image | settings | secret | {variable("group_instance_id"): "encore-worker-0"}
    for path in (ROOT / "deploy/systemd").iterdir():
        # Lines that are set, not those that a comment shows.
        unit = re.sub(r"^#.*\n", "", path.read_text(), flags=re.MULTILINE)
        for specifier, value in (("%H", "host"), ("%i", "1"), ("%d", "/run/credentials/unit")):
            unit = unit.replace(specifier, value)
        found[f"systemd: {path.stem}"] = assigned(unit)
    return found


@pytest.mark.parametrize("path", NAMING, ids=lambda path: path.name)
def test_every_setting_that_is_named_is_one(path: Path) -> None:
    named = set(re.findall(rf"\b{ENV_PREFIX}[A-Z_]+", path.read_text()))
    assert named - BUILDS <= {variable(name) for name in Settings.model_fields}


@pytest.mark.parametrize(("place", "environment"), environments().items(), ids=list(environments()))
def test_every_value_is_accepted(place: str, environment: Environment) -> None:
    given = {name.removeprefix(ENV_PREFIX).lower(): value for name, value in environment.items()}
    settings = load(**given)
    assert {name: plain(getattr(settings, name)) for name in given} == given, place


def test_workers_on_one_machine_have_names_of_their_own() -> None:
    names = [
        each[variable("group_instance_id")] for place, each in environments().items() if "compose: worker" in place
    ]
    assert len(names) == len(set(names)) == 2
