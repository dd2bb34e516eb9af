"""What no command accepts as a setting: one line says its name, its value and what is accepted."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from streams.cli import main

BAD_SETTINGS = [
    ("ENCORE_KAFKA", "localhost", "accepted: HOST:PORT"),
    ("ENCORE_KAFKA", "kafka.example:9092", "without TLS, others on the way"),
    ("ENCORE_REDIS", "localhost:6379", "accepted: a URL such as redis://HOST:PORT/0"),
    ("ENCORE_APP_ID", "my app", "accepted: 1 to 200 of the characters A-Z a-z 0-9 . _ -"),
    ("ENCORE_SOURCE_TOPIC", "", "accepted: 1 to 200 of the characters"),
    ("ENCORE_REDIS_PREFIX", "", "at least 1 character"),
    ("ENCORE_ARCHIVE", "http://archive", "accepted: a folder, s3://BUCKET/PREFIX"),
    ("ENCORE_ARCHIVE", "s3://", "accepted: a folder, s3://BUCKET/PREFIX"),
    ("ENCORE_CHECKPOINT_S", "0", "greater than or equal to 0.05"),
    ("ENCORE_CHECKPOINT_S", "soon", "a valid number"),
    ("ENCORE_SESSION_TIMEOUT_S", "5", "greater than or equal to 6"),
    ("ENCORE_COMPLETION_PERCENT", "101", "less than or equal to 100"),
    ("ENCORE_STARTER_S", "2.5", "a valid integer"),
    ("ENCORE_LOG_LEVEL", "loud", "debug|info|warning|error"),
    ("ENCORE_DAY_RETENTION_DAYS", "59", "must be more than 59: ENCORE_GRACE_DAYS (31) plus the 28 days"),
    ("ENCORE_FORGET_DAYS", "31", "must be more than ENCORE_GRACE_DAYS (31)"),
    ("ENCORE_COLLECT_WAITING_MIB", "1", "must be at least twice ENCORE_COLLECT_BODY_KIB (1024 KiB)"),
    (
        "ENCORE_AGE_RETENTION_DAYS",
        "787",
        "must be more than 787: 104 weeks plus ENCORE_GRACE_DAYS (31) plus the 28 days",
    ),
]


def refused(*options: str, **environment: str) -> str:
    """The one line of a command that takes every setting, as a worker does."""
    ended = CliRunner().invoke(main, ["config", "show", *options], env=environment)
    assert (ended.exit_code, ended.stdout) == (2, "")
    (line,) = ended.stderr.splitlines()
    return line


@pytest.mark.parametrize(("name", "value", "accepted"), BAD_SETTINGS, ids=lambda part: str(part)[:30])
def test_a_bad_setting_is_one_line_with_its_name_value_and_what_is_accepted(
    name: str, value: str, accepted: str
) -> None:
    more = {"ENCORE_GRACE_DAYS": "31"} if "ENCORE_GRACE_DAYS" in accepted else {}

    line = refused(**more, **{name: value})

    assert line.startswith(f"Error: {name}=") and accepted in line
    assert value in line


def test_a_misspelt_variable_is_one_line_that_names_the_nearest_setting() -> None:
    line = refused(ENCORE_GRACE_DAY="7")

    assert line == "Error: ENCORE_GRACE_DAY: no such setting; the nearest is ENCORE_GRACE_DAYS"


def test_a_bad_option_is_refused_like_the_setting() -> None:
    line = refused("--checkpoint-s", "-1")

    assert all(words in line for words in ("CHECKPOINT_S", "-1", "0.05"))


def test_an_option_overrides_the_environment_even_where_it_is_bad() -> None:
    assert "nowhere" in refused("--kafka", "nowhere", ENCORE_KAFKA="127.0.0.1:1")
