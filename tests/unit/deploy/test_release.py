"""The release: one list of Pythons, wheels that are tested where no sources lie, and nobody's password."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[3]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
WHEELS = PROJECT["tool"]["cibuildwheel"]
WORKFLOW = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text())
JOBS: dict[str, dict[str, Any]] = WORKFLOW["jobs"]

PYTHONS = re.findall(r"Python :: (3\.\d+)", "\n".join(PROJECT["project"]["classifiers"]))
"""Those that the project says it runs on."""


def steps(job: str, key: str) -> list[str]:
    return [step[key] for step in JOBS[job]["steps"] if key in step]


def test_every_python_that_is_claimed_gets_a_wheel_and_a_test_of_the_pure_one() -> None:
    assert WHEELS["build"] == [f"cp{python.replace('.', '')}-*" for python in PYTHONS]
    assert JOBS["pure"]["strategy"]["matrix"]["python"] == PYTHONS
    assert PROJECT["project"]["requires-python"] == f">={PYTHONS[0]}"


def test_linux_and_macos_get_wheels_on_both_kinds_of_processor() -> None:
    runners = JOBS["wheels"]["strategy"]["matrix"]["runner"]
    assert {runner.partition("-")[0] for runner in runners} == {"ubuntu", "macos"}
    assert len(runners) == len(set(runners)) == 4
    assert WHEELS["archs"] == ["auto64"], "each for the machine that builds it, and can test it"


def test_a_wheel_is_compiled_or_none_and_the_fallback_is_pure() -> None:
    assert WHEELS["environment"] == {"ENCORE_COMPILE": "yes"}
    assert JOBS["pure"]["env"] == {"ENCORE_COMPILE": "no"}


@pytest.mark.parametrize(
    ("form", "commands"),
    [("compiled", WHEELS["test-command"]), ("interpreted", steps("pure", "run")[-1].splitlines())],
)
def test_a_wheel_says_its_form_and_passes_the_tests_of_the_rules_away_from_the_sources(
    form: str, commands: list[str]
) -> None:
    *_, says, tests = commands
    assert f"assert models.FORM == '{form}'" in says
    *command, folder = tests.split()
    assert command == ["pytest", "--ignore", "tests/unit/models/test_compiled_rules.py"]
    assert (ROOT / folder).is_dir() and (ROOT / command[-1]).is_file()
    assert set(WHEELS["test-sources"]) == {"tests", "pyproject.toml"}


def test_only_a_tag_that_is_the_version_publishes_and_only_what_was_tested() -> None:
    publish = JOBS["publish"]
    assert WORKFLOW[True] == {"push": {"tags": ["v*"]}, "workflow_dispatch": None}, "YAML reads `on` as true"
    assert (publish["if"], publish["needs"]) == ("github.event_name == 'push'", ["wheels", "pure"])
    assert steps("publish", "run") == ['test -f "dist/encore_viewing-${GITHUB_REF_NAME#v}.tar.gz"']
    for job, needs in (("images", publish["needs"]), ("chart", ["images"]), ("site", publish["needs"])):
        assert (JOBS[job]["if"], JOBS[job]["needs"]) == (publish["if"], needs)
    for job in ("images", "site"):
        assert 'grep -qx "version = \\"${GITHUB_REF_NAME#v}\\"" pyproject.toml' in steps(job, "run")


def test_every_image_of_the_dockerfile_is_published_with_what_it_holds_and_how_it_was_made() -> None:
    targets = {each["target"]: each["image"] for each in JOBS["images"]["strategy"]["matrix"]["include"]}
    dockerfile = (ROOT / "deploy/Dockerfile").read_text()
    assert set(targets) == set(re.findall(r" AS (\w+)$", dockerfile, re.MULTILINE)) - {"build"}
    assert set(targets.values()) == set(re.findall(r"--tag (\S+)", dockerfile))
    assert "--sbom=true --provenance=mode=max" in steps("images", "run")[-1]


def test_images_and_chart_are_signed_by_their_digest_and_the_chart_takes_these_images() -> None:
    for job in ("images", "chart"):
        assert re.search(r'cosign sign --yes "\S+@\$\(', steps(job, "run")[-1])
    (line,) = re.findall(r"s\|(.*?)\|", steps("chart", "run")[-1])
    assert re.search(line.replace("\\", ""), (ROOT / "deploy/helm/values.yaml").read_text(), re.MULTILINE)


def test_what_runs_of_others_is_named_by_its_commit() -> None:
    used = [action for job in JOBS for action in steps(job, "uses")]
    assert [action for action in used if not re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", action)] == []


def test_no_password_is_stored_and_only_publishing_may_do_more_than_read() -> None:
    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert {name: job["permissions"] for name, job in JOBS.items() if "permissions" in job} == {
        "publish": {"id-token": "write"},
        "images": {"contents": "read", "packages": "write", "id-token": "write"},
        "chart": {"contents": "read", "packages": "write", "id-token": "write"},
        "site": {"contents": "read", "pages": "write", "id-token": "write"},
    }
    assert "secrets." not in (ROOT / ".github/workflows/release.yml").read_text()
