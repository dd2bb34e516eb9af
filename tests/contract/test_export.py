"""`encore export` on a real Redis: what is in the files, and what is refused."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from api_server import AS_OF_MS, ODD, ApiServer

from streams.operations.export import EXPORTED, columns

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run(api: ApiServer) -> Run:
    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "streams.cli", "export", *words]
        return subprocess.run(command, env={**os.environ, **api.environment}, capture_output=True, text=True)

    return run


def rows(file: Path) -> list[dict[str, str]]:
    with file.open(newline="") as opened:
        return list(csv.DictReader(opened))


def test_titles_as_csv_are_those_of_the_api(api: ApiServer, run: Run, tmp_path: Path) -> None:
    done = run("titles", str(tmp_path / "titles.csv"))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"4 rows in {tmp_path / 'titles.csv'}\n"
    assert (tmp_path / "titles.csv").read_bytes() == api.ask("/titles.csv").body
    assert [path.name for path in tmp_path.iterdir()] == ["titles.csv"]


def test_titles_as_parquet_have_every_text_as_it_is_and_a_type_for_every_column(run: Run, tmp_path: Path) -> None:
    assert run("titles", str(tmp_path / "titles.parquet"), "--format", "parquet").returncode == 0
    found = pq.read_table(tmp_path / "titles.parquet")
    assert found.column("title_id").to_pylist() == [ODD, "dragon-2", "little-dragon", "zebra"]
    assert found.column("name").to_pylist()[0] == '=HYPERLINK("x")'
    types = {field.name: (field.type, field.nullable) for field in found.schema}
    assert types["completions"] == (pa.int64(), False)
    assert types["watched_s"] == (pa.float64(), False)
    assert types["completion_rate"] == (pa.float64(), True)
    assert types["complete"] == (pa.bool_(), False)


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (("weeks",), ["1", "3"]),
        (("ages",), ["opening"]),
        (("audience",), ["2025W47"]),
        (("days", "--first", "2025-11-01", "--last", "2025-11-19"), ["20251101"]),
    ],
)
def test_windows_are_rows_of_their_titles(run: Run, tmp_path: Path, words: tuple[str, ...], names: list[str]) -> None:
    what, *options = words
    assert run(what, str(tmp_path / "file"), *options).returncode == 0
    assert [(row["title_id"], row["name"]) for row in rows(tmp_path / "file")] == [
        ("little-dragon", name) for name in names
    ]
    assert {row["as_of_ms"] for row in rows(tmp_path / "file")} == {str(AS_OF_MS)}


def test_what_cannot_be_is_one_line_and_leaves_no_file(run: Run, tmp_path: Path) -> None:
    for words, code, said in (
        (("days", str(tmp_path / "file")), 2, "--first and --last belong to `days`"),
        (("weeks", str(tmp_path / "file"), "--first", "2025-11-01"), 2, "--first and --last belong to `days`"),
        (("titles", str(tmp_path / "nowhere" / "file")), 1, "No such file or directory"),
    ):
        done = run(*words)
        assert (done.returncode, done.stdout) == (code, "")
        assert said in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_without_the_extra_parquet_is_refused_by_its_name(api: ApiServer, tmp_path: Path) -> None:
    without = "import sys; sys.modules['pyarrow'] = None; from streams.cli import main; main()"
    command = [sys.executable, "-c", without, "export", "titles", str(tmp_path / "file"), "--format", "parquet"]
    done = subprocess.run(command, env={**os.environ, **api.environment}, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "Error: pyarrow is not installed here: pip install 'encore-viewing[archive]'\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("what", EXPORTED)
def test_every_export_has_columns(what: str) -> None:
    assert columns(EXPORTED[what].row).names == list(EXPORTED[what].row.__struct_fields__)
