"""Pages of a board, and what a search finds on it and beyond."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from shown_titles import HEAD, title

from streams.api.catalogue import Catalogue
from streams.dashboard.board_page import ROWS, BoardPlace, BoardSelection, ShownBoard
from streams.dashboard.ranking import ranked
from streams.reader import Board, Entry, FranchiseBoard, FranchiseEntry, Listing, Title

TITLES = {
    "egg": title("egg", name="The Dragon's Egg", franchise_id="dragons"),
    "été": title("été", name="Un Été", franchise_id="seasons"),
    "new": title("new", name="A Dragon in Summer"),
    "plain": title("plain"),
}
BOARD = ("egg", "plain", "été")


class FakeReader:
    """A reader of four titles, three of them on the board."""

    prefix = "encore:"

    def __init__(self, entries: tuple[str, ...] = BOARD) -> None:
        self._entries = [Entry(title_id=name, score=1_000 - at) for at, name in enumerate(entries)]

    async def board(self, metric: str, day: Any, top: int, skip: int) -> Board:
        return Board(metric=metric, entries=tuple(self._entries[skip : skip + top]), **HEAD)

    async def franchise_board(self, metric: str, top: int, skip: int) -> FranchiseBoard:
        return FranchiseBoard(metric=metric, entries=(FranchiseEntry(franchise_id="dragons", score=7),), **HEAD)

    async def title_ids(self, after: str, most: int) -> Listing:
        return Listing(ids=tuple([name for name in sorted(TITLES) if name > after][:most]), **HEAD)

    async def titles(self, title_ids: Any) -> dict[str, Title]:
        return {name: TITLES[name] for name in title_ids}


def run(asked: BoardSelection, reader: FakeReader | None = None) -> ShownBoard:
    of: Any = reader or FakeReader()
    return asyncio.run(ranked(of, Catalogue(of), asked))


def found(search: str) -> list[BoardPlace]:
    return list(run(BoardSelection("title", "completions", search=search)).places)


@pytest.mark.parametrize(
    ("count", "page", "rows", "more"),
    [
        (ROWS - 1, 1, ROWS - 1, False),
        (ROWS, 1, ROWS, False),
        (ROWS + 1, 1, ROWS, True),
        (ROWS + 1, 2, 1, False),
        (0, 1, 0, False),
        (1, 2, 0, False),
    ],
)
def test_a_board_has_pages(count: int, page: int, rows: int, more: bool) -> None:
    shown = run(BoardSelection("title", "completions", page=page), FakeReader(tuple(map(str, range(count)))))
    assert (len(shown.places), shown.more) == (rows, more)


def test_on_a_later_page_places_go_on_and_bars_are_of_the_whole_board_s_largest() -> None:
    shown = run(BoardSelection("title", "completions", page=2), FakeReader(tuple(map(str, range(ROWS + 1)))))
    assert (shown.places, shown.largest) == ([BoardPlace(ROWS + 1, str(ROWS), 1_000 - ROWS)], 1_000)


def test_a_search_finds_titles_by_words_of_their_name_or_id_and_leaves_them_their_place() -> None:
    assert found("EGG dragon") == [BoardPlace(1, "egg", 1_000)]
    assert found("ete") == [BoardPlace(3, "été", 998)]
    assert found("plai") == [BoardPlace(2, "plain", 999)]
    assert found("nothing") == []


def test_what_is_found_but_not_ranked_stands_at_the_end_without_a_place() -> None:
    assert found("dragon") == [BoardPlace(1, "egg", 1_000), BoardPlace(0, "new", None)]


def test_a_search_names_franchises_too() -> None:
    shown = run(BoardSelection("title", "completions", search="season"))
    assert (shown.found, shown.franchises) == (0, ["seasons"])


def test_franchises_are_searched_by_their_id() -> None:
    asked = BoardSelection("franchise", "completions", search="s")
    assert run(asked).places == [BoardPlace(1, "dragons", 7), BoardPlace(0, "seasons", None)]
