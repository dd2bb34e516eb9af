"""When `encore archive` does not begin."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from streams.cli import main


def refused(*arguments: str, **environment: str) -> str:
    ended = CliRunner().invoke(main, ["archive", *arguments], env=environment)
    assert (ended.exit_code, ended.stdout) == (2, "")
    (line,) = ended.stderr.splitlines()
    return line


def test_without_a_place_to_archive_to() -> None:
    for arguments in ((), ("list",)):
        assert refused(*arguments).startswith("Error: ENCORE_ARCHIVE='': accepted: a folder, or s3://BUCKET/PREFIX")


def test_under_pseudonyms_as_an_archive_would_keep_ids(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_bytes(b"k" * 32)
    said = refused(ENCORE_ARCHIVE=str(tmp_path / "archive"), ENCORE_PSEUDONYM_KEY_FILE=str(key))
    assert "an archive would hold the households' ids" in said
    assert not (tmp_path / "archive").exists()
