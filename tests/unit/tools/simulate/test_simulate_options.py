"""Options of `encore simulate` that cannot be used: it says so before it asks for a Kafka."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from streams.cli import main


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--bad-share", "1.1"], "--bad-share='1.1'"),
        (["--rate", "1", "--speed", "1"], "--speed and --rate"),
        (["--origin", "soon"], "--origin='soon'"),
        (["--households", "many"], "--households='many'"),
        (["--story", "--for", "5"], "--speed or --rate"),
        (["--story", "--origin", "9000-01-01"], "must be in the past"),
    ],
)
def test_simulate_refuses_options_that_cannot_be_used(arguments: list[str], said: str) -> None:
    done = CliRunner().invoke(main, ["simulate", *arguments], env={"ENCORE_KAFKA": "127.0.0.1:1"})

    assert (done.exit_code, done.stdout, said in done.stderr) == (2, "", True)
