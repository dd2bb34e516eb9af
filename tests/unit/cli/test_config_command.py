"""`encore config show`: every setting, where it comes from, and no secret."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from streams.cli import main
from streams.config.settings import Settings


def shown(*arguments: str, **environment: str) -> str:
    ended = CliRunner().invoke(main, ["config", "show", *arguments], env={"COLUMNS": "200", **environment})
    assert ended.exit_code == 0, ended.output
    return ended.output


def row(text: str, setting: str) -> list[str]:
    (line,) = [line for line in text.splitlines() if line.startswith(f"{setting} ")]
    return line.split()


def test_every_setting_is_there_once() -> None:
    found = json.loads(shown("--json"))
    assert list(found) == [f"ENCORE_{name.upper()}" for name in Settings.model_fields]


@pytest.mark.parametrize(
    ("arguments", "environment", "expected"),
    [
        ((), {}, ["10.0", "default"]),
        ((), {"ENCORE_CHECKPOINT_S": "3"}, ["3.0", "environment"]),
        (("--checkpoint-s", "4"), {"ENCORE_CHECKPOINT_S": "3"}, ["4.0", "option"]),
    ],
)
def test_a_setting_comes_from_an_option_the_environment_or_its_default(
    arguments: tuple[str, ...], environment: dict[str, str], expected: list[str]
) -> None:
    found = row(shown(*arguments, **environment), "ENCORE_CHECKPOINT_S")[1:]
    assert found[1:] == expected[1:]
    if environment:
        assert found == expected


@pytest.mark.parametrize("as_json", [[], ["--json"]])
def test_a_password_is_masked(as_json: list[str]) -> None:
    text = shown(*as_json, ENCORE_REDIS="rediss://worker:open-sesame@redis.example:6379/0?password=again")
    assert ("sesame" in text, "again" in text, "redis.example:6379" in text) == (False, False, True)


@pytest.mark.parametrize("as_json", [[], ["--json"]])
def test_a_secret_is_masked_but_that_it_is_set_is_shown(as_json: list[str]) -> None:
    text = shown(
        *as_json, ENCORE_KAFKA="kafka.example:1", ENCORE_KAFKA_USER="worker", ENCORE_KAFKA_PASSWORD="open-sesame"
    )
    assert ("sesame" in text, "***" in text, "worker" in text) == (False, True, True)
