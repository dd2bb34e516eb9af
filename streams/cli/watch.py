"""`encore watch`: a board that updates as counters change.

Owns when it is refreshed: after a change, at most a few times a second.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from models.hash_fields import TITLE_BOARDS
from streams.cli.options import command
from streams.cli.reading import address, console, print_json, reading_options

if TYPE_CHECKING:
    from streams.config.settings import Settings
    from streams.display.titles_file import Names
    from streams.reader import AsyncReader, Board, Metric, Title

LEAST_PAUSE_S = 0.25
LONGEST_PAUSE_S = 2.0


class BoardLook(NamedTuple):
    """A board, and its titles. `problem`: why these are not up to date."""

    board: Board
    titles: dict[str, Title]
    problem: str = ""


@command()
@click.option(
    "--metric", type=click.Choice(TITLE_BOARDS), default="completions", show_default=True, help="what to rank by"
)
@click.option("--top", "most", type=click.IntRange(1, 1000), default=15, show_default=True, help="how many titles")
@click.option(
    "--for", "for_s", type=click.FloatRange(min=0), metavar="SECONDS", help="when to stop [default: on Ctrl-C]"
)
@reading_options
def watch(settings: Settings, metric: Metric, most: int, for_s: float | None, as_json: bool, names: Names) -> None:
    """Watch the titles with the most of a metric, live. With --json: a line each time the board has changed."""
    from streams.reader import AsyncReader, ReaderError

    url = address(settings)

    async def following() -> None:
        async with AsyncReader(url, settings.redis_prefix) as reader:
            looks = _looks(reader, metric, most)
            await (_print_lines(looks) if as_json else _draw(looks, names))

    try:
        with suppress(KeyboardInterrupt):
            asyncio.run(_for_a_while(following(), for_s))
    except ReaderError as problem:
        raise click.ClickException(str(problem)) from None


async def _for_a_while(work: Coroutine[Any, Any, None], seconds: float | None) -> None:
    task = asyncio.create_task(work)
    done, _ = await asyncio.wait({task}, timeout=seconds)
    if done:
        task.result()
    else:
        task.cancel()
        await asyncio.wait({task})


async def _looks(reader: AsyncReader, metric: Metric, most: int) -> AsyncIterator[BoardLook]:
    """Yield look after look. Raises `ReaderError` only for the first look, and if waiting does not help."""
    from streams.reader import ReaderError

    changed = asyncio.Event()
    last = await _look(reader, metric, most)
    noticing = asyncio.create_task(_notice(reader, changed))
    try:
        while not noticing.done():
            yield last
            await asyncio.sleep(LEAST_PAUSE_S)
            with suppress(TimeoutError):
                async with asyncio.timeout(LONGEST_PAUSE_S):
                    await changed.wait()
            changed.clear()
            try:
                last = await _look(reader, metric, most)
            except ReaderError as problem:
                if not problem.passing:
                    raise
                last = last._replace(problem=str(problem))
        noticing.result()
    finally:
        noticing.cancel()


async def _notice(reader: AsyncReader, changed: asyncio.Event) -> None:
    async for change in reader.changes():
        if change.title_id is not None or change.missed:
            changed.set()


async def _look(reader: AsyncReader, metric: Metric, most: int) -> BoardLook:
    while True:
        board, prefix = await reader.board(metric, top=most), reader.prefix
        titles = await reader.titles(entry.title_id for entry in board.entries)
        if reader.prefix == prefix:
            return BoardLook(board, titles)


async def _print_lines(looks: AsyncIterator[BoardLook]) -> None:
    said: Any = None
    async for look in looks:
        if look.board.entries != said:
            said = look.board.entries
            print_json(look.board)


async def _draw(looks: AsyncIterator[BoardLook], names: Names) -> None:
    from rich.live import Live

    from streams.cli.board_table import gains, watched

    terminal = console()
    first: Board | None = None
    try:
        with Live(console=terminal, auto_refresh=False) as live:
            async for look in looks:
                first = first or look.board
                moved = gains(look.board, first)
                named = names.of(look.titles.values())
                live.update(watched(look.board, look.titles, named, terminal.size, moved, look.problem), refresh=True)
    finally:
        if first is not None and not terminal.is_terminal:
            terminal.print()
