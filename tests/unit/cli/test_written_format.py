"""What writes events writes JSON, and refuses to where another format is set for the topic."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from streams.cli import main


@pytest.mark.parametrize(
    "command",
    [
        ["simulate"],
        ["import", "FILE", "--household", "h"],
        ["backfill", "FILE"],
        ["collect"],
        ["bridge", "plex_webhook", "--from", "foreign"],
    ],
)
def test_a_command_that_writes_json_refuses_another_format(command: list[str], tmp_path: Path) -> None:
    file = tmp_path / "history.jsonl"
    file.write_text("{}\n")
    environment = {"ENCORE_SOURCE_FORMAT": "avro", "ENCORE_SCHEMA_REGISTRY": "http://127.0.0.1:9"}

    ended = CliRunner().invoke(main, [str(file) if word == "FILE" else word for word in command], env=environment)

    assert ended.exit_code == 2
    assert ended.stderr == (
        "Error: ENCORE_SOURCE_FORMAT=avro: this command writes json. Workers read that beside avro: set json here if"
        " all other readers of playback-events do too\n"
    )
