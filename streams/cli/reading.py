"""Shared by the commands that read counters: which Redis, names of titles, and the message if nothing is found.

Owns their options and exit codes.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from streams.cli.options import with_settings
from streams.cli.servers import located

if TYPE_CHECKING:
    from rich.console import Console

    from streams.config.settings import Settings
    from streams.display.titles_file import Names
    from streams.reader import Reader

NOT_COMPLETE = "counters are being rebuilt: these are too small"
READER = ("redis", "devstack_dir", "redis_prefix")
"""The settings of whoever reads."""

_WIDE = 1_000


def _names(_: click.Context, __: click.Parameter, file: str | None) -> Names:
    from streams.display.titles_file import Names

    if file is None:
        return Names()
    from streams.operations.titles import read_rows

    try:
        rows, bad = read_rows(Path(file).read_bytes())
    except OSError as problem:
        raise click.UsageError(f"--names {file}: {problem.strerror}") from None
    for row in bad:
        click.echo(f"{file}: {row}; skipped", err=True)
    return Names(rows)


names_option = click.option(
    "--names",
    callback=_names,
    metavar="FILE",
    help="file with names and lengths of titles: rows of the titles topic, as JSON lines or one array",
)
"""Gives a command `names`."""


def reading_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the settings of a reader, `as_json` and `names`."""
    for option in (
        click.option("--json", "as_json", is_flag=True, help="print exact numbers, as JSON"),
        names_option,
        with_settings(*READER),
    ):
        command = option(command)
    return command


def address(settings: Settings) -> str:
    """The URL of Redis, by the settings or the devstack."""
    return (settings if settings.redis else located(settings)).redis_url


@contextmanager
def reader_of(settings: Settings) -> Iterator[Reader]:
    """A reader for one command. If it cannot read, the command ends with one line.

    Counters that are not those of now are told of first, on standard error.
    """
    from streams.reader import Reader, ReaderError

    try:
        with Reader(address(settings), settings.redis_prefix) as reader:
            _tell_how_current(reader)
            yield reader
    except ReaderError as problem:
        raise click.ClickException(str(problem)) from None


def _tell_how_current(reader: Reader) -> None:
    from streams.display.freshness import not_current

    if problem := not_current(reader.status(), int(time.time() * 1000)):
        click.echo(f"note: {problem}", err=True)


def console() -> Console:
    """A console for the terminal or a file. It does not highlight: tables choose their own colours.

    Only in a terminal lines have to fit: elsewhere they are as long as they are, unless COLUMNS says otherwise.
    """
    from rich.console import Console

    fits = sys.stdout.isatty() or "COLUMNS" in os.environ
    return Console(highlight=False, width=None if fits else _WIDE)


def nothing_of(title_id: str, settings: Settings) -> click.ClickException:
    """The message that a title has no counters, and where they were looked for."""
    return click.ClickException(
        f"no counters of the title {title_id!r} under {settings.redis_prefix!r}: nobody has watched it yet,"
        " or the id or ENCORE_REDIS_PREFIX is another"
    )


def print_json(value: Any) -> None:
    """One line of JSON with exact numbers."""
    import msgspec

    click.echo(json.dumps(msgspec.to_builtins(value), ensure_ascii=False))
