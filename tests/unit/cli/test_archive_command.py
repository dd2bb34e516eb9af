"""When `encore archive` does not begin."""

from __future__ import annotations

from click.testing import CliRunner

from streams.cli import main


def refused(*arguments: str, **environment: str) -> str:
    ended = CliRunner().invoke(main, ["archive", *arguments], env=environment)
    assert (ended.exit_code, ended.stdout) == (2, "")
    (line,) = ended.stderr.splitlines()
    return line


def test_without_a_place_to_archive_to() -> None:
    for arguments in ((), ("list",)):
        assert refused(*arguments).startswith(
            "Error: ENCORE_ARCHIVE is not set: set it to a folder, or s3://BUCKET/PREFIX"
        )
