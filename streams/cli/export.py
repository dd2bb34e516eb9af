"""`encore export`: counters as a file.

Owns the options, the output and the exit code.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from streams.cli.options import command, with_settings
from streams.cli.reading import READER, reader_of
from streams.cli.top import DayOption

if TYPE_CHECKING:
    from streams.config.settings import Settings

WHAT = ("titles", "franchises", "ages", "weeks", "days", "audience")


@command()
@click.argument("what", type=click.Choice(WHAT))
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--format", "form", type=click.Choice(["csv", "parquet"]), default="csv", show_default=True, help="format of FILE"
)
@click.option("--first", type=DayOption(), metavar="YYYY-MM-DD", help="with days: the first UTC day")
@click.option("--last", type=DayOption(), metavar="YYYY-MM-DD", help="with days: the last UTC day")
@with_settings(*READER)
def export(settings: Settings, what: str, file: Path, form: str, first: date | None, last: date | None) -> None:
    """Write the counters of all titles or franchises, or their windows, into FILE, one row each.

    An existing FILE is replaced only once everything is written. Parquet needs the extra `archive`. Columns are the
    fields of docs/counters.md.
    """
    from streams.operations.export import ExportedDays, ExportFailed
    from streams.operations.export import export as written

    if (what == "days") != (first is not None and last is not None) or (first is None) != (last is None):
        raise click.UsageError("--first and --last belong to `days`: give both with it, and neither with anything else")
    days = ExportedDays(first, last) if first is not None and last is not None else ExportedDays(date.min, date.min)
    try:
        with reader_of(settings) as reader:
            number = written(reader, what, form, file, days)
    except ExportFailed as problem:
        raise click.ClickException(str(problem)) from None
    except OSError as problem:
        raise click.ClickException(f"{file}: {problem.strerror or problem}") from None
    click.echo(f"{number:,} rows in {file}")
