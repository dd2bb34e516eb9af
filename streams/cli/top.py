"""`encore top`: the titles with the most of a metric."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import click

from models.hash_fields import DAY_BOARDS, TITLE_BOARDS
from streams.cli.options import command
from streams.cli.reading import console, print_json, reader_of, reading_options

if TYPE_CHECKING:
    from streams.config.settings import Settings
    from streams.display.titles_file import Names
    from streams.reader import Board, Metric, Reader, Title


class DayOption(click.ParamType):
    """A UTC day as YYYY-MM-DD."""

    name = "day"

    def convert(self, value: str | date, param: click.Parameter | None, ctx: click.Context | None) -> date:
        if isinstance(value, date):
            return value
        try:
            return datetime.strptime(value, "%Y-%m-%d").replace(tzinfo=UTC).date()
        except ValueError:
            self.fail(f"{value!r}: accepted: a UTC day such as 2026-11-23", param, ctx)


@command()
@click.option(
    "--metric", type=click.Choice(TITLE_BOARDS), default="completions", show_default=True, help="what to rank by"
)
@click.option("--day", type=DayOption(), metavar="YYYY-MM-DD", help="rank one UTC day [default: all time]")
@click.option("--top", "most", type=click.IntRange(1, 1000), default=20, show_default=True, help="how many titles")
@click.option("--franchises", is_flag=True, help="rank franchises instead of titles")
@reading_options
def top(
    settings: Settings, metric: Metric, day: date | None, most: int, franchises: bool, as_json: bool, names: Names
) -> None:
    """Show the titles with the most of a metric."""
    if franchises:
        if day is not None:
            raise click.UsageError("--day ranks titles only: leave out --franchises")
        _top_franchises(settings, metric, most, as_json)
        return
    if day is not None and metric not in DAY_BOARDS:
        raise click.UsageError(f"--metric {metric} is not ranked by day; with --day use one of {', '.join(DAY_BOARDS)}")
    with reader_of(settings) as reader:
        if as_json:
            print_json(reader.board(metric, day, most))
            return
        board, titles = _with_titles(reader, metric, day, most)
    from streams.cli.board_table import screen

    terminal = console()
    terminal.print(screen(board, titles, names.of(titles.values()), terminal.width))


def _with_titles(reader: Reader, metric: Metric, day: date | None, most: int) -> tuple[Board, dict[str, Title]]:
    """A board and its titles, of one application, although readers may be moved between the two questions."""
    while True:
        board, prefix = reader.board(metric, day, most), reader.prefix
        titles = reader.titles(entry.title_id for entry in board.entries)
        if reader.prefix == prefix:
            return board, titles


def _top_franchises(settings: Settings, metric: Metric, most: int, as_json: bool) -> None:
    with reader_of(settings) as reader:
        board = reader.franchise_board(metric, most)
        if as_json:
            print_json(board)
            return
        franchises = reader.franchises([entry.franchise_id for entry in board.entries])
    from streams.cli.board_table import screen

    terminal = console()
    terminal.print(screen(board, franchises, {}, terminal.width))
