"""Asks for a page of a board, or for what a search finds on it.

Owns how deep a board is searched, and the order of what is found.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from streams.api.catalogue import Catalogue
from streams.dashboard.board_page import ROWS, BoardPlace, BoardSelection, ShownBoard
from streams.reader import AsyncReader, Metric

SEARCHED = 10_000
"""How many places of a board a search looks at. What it finds beyond stands at the end, without a place."""

MOST_FRANCHISES = 12
"""How many franchises a search for titles names."""


async def ranked(reader: AsyncReader, catalogue: Catalogue, asked: BoardSelection) -> ShownBoard:
    """What the page shows. Raises `ReaderError`."""
    return await (_found(reader, catalogue, asked) if asked.search else _paged(reader, asked))


async def _paged(reader: AsyncReader, asked: BoardSelection) -> ShownBoard:
    skip = (asked.page - 1) * ROWS
    board = await _board(reader, asked, ROWS + 1, skip)
    top = (await _board(reader, asked, 1)).places if skip else board.places
    largest = max((place.score or 0 for place in top), default=0)
    return board._replace(places=board.places[:ROWS], more=len(board.places) > ROWS, largest=largest)


async def _found(reader: AsyncReader, catalogue: Catalogue, asked: BoardSelection) -> ShownBoard:
    ids, franchises = await catalogue.franchises(asked.search), list[str]()
    if asked.kind == "title":
        ids, franchises = await catalogue.found(asked.search), ids
    board = await _board(reader, asked, SEARCHED)
    wanted = set(ids)
    places = [place for place in board.places if place.id in wanted]
    placed = {place.id for place in places}
    places += [BoardPlace(0, one, None) for one in ids if one not in placed]
    skip = (asked.page - 1) * ROWS
    return board._replace(
        places=places[skip : skip + ROWS],
        more=len(places) > skip + ROWS,
        found=len(places),
        franchises=franchises[:MOST_FRANCHISES],
    )


async def _board(reader: AsyncReader, asked: BoardSelection, top: int, skip: int = 0) -> ShownBoard:
    metric = cast(Metric, asked.metric)
    if asked.kind == "franchise":
        of_franchises = await reader.franchise_board(metric, top, skip)
        entries = [(entry.franchise_id, entry.score) for entry in of_franchises.entries]
        return _ranked(of_franchises.as_of_ms, of_franchises.complete, entries, skip)
    board = await reader.board(metric, asked.day, top, skip)
    return _ranked(board.as_of_ms, board.complete, [(entry.title_id, entry.score) for entry in board.entries], skip)


def _ranked(as_of_ms: int, complete: bool, entries: Sequence[tuple[str, int | float]], skip: int) -> ShownBoard:
    places = [BoardPlace(number, one, score) for number, (one, score) in enumerate(entries, skip + 1)]
    return ShownBoard(as_of_ms, complete, places, largest=max((place.score or 0 for place in places), default=0))
