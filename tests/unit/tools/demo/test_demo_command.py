"""What `encore demo` refuses before it starts anything."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from streams.cli import main

NOBODY = {"ENCORE_KAFKA": "127.0.0.1:1", "ENCORE_REDIS": "redis://127.0.0.1:1/0"}


def test_an_input_that_is_no_export_is_refused_in_one_line(tmp_path: Path) -> None:
    wrong = tmp_path / "notes.csv"
    wrong.write_text("a,b\n1,2\n")

    done = CliRunner().invoke(main, ["demo", "--input", str(wrong)], env=NOBODY)

    (line,) = done.stderr.splitlines()
    assert (done.exit_code, done.stdout, str(wrong) in line) == (1, "", True)
