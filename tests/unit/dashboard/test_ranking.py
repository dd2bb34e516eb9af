"""Pages of a board, and what a search finds on it and beyond."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from shown_titles import HEAD, title

from streams.api.search import plain
from streams.dashboard import catalogue as catalogues
from streams.dashboard.board_page import ROWS, BoardPlace, BoardSelection, ShownBoard
from streams.dashboard.catalogue import AGAIN_S, Catalogue
from streams.dashboard.ranking import ranked
from streams.display.titles_file import Names
from streams.reader import Board, Entry, FranchiseBoard, FranchiseEntry, Listing, Title

TITLES = {
    "egg": title("egg", name="The Dragon's Egg", franchise_id="dragons"),
    "été": title("été", name="Un Été", franchise_id="seasons"),
    "new": title("new", name="A Dragon in Summer"),
    "plain": title("plain"),
}
BOARD = ("egg", "plain", "été")


class FakeReader:
    """A reader of four titles, three of them on the board. `asked`: how often what was asked."""

    prefix = "encore:"

    def __init__(self, entries: tuple[str, ...] = BOARD) -> None:
        self.asked: Counter[str] = Counter()
        self._entries = [Entry(title_id=name, score=1_000 - at) for at, name in enumerate(entries)]

    async def board(self, metric: str, day: Any, top: int, skip: int) -> Board:
        return Board(metric=metric, entries=tuple(self._entries[skip : skip + top]), **HEAD)

    async def franchise_board(self, metric: str, top: int, skip: int) -> FranchiseBoard:
        return FranchiseBoard(metric=metric, entries=(FranchiseEntry(franchise_id="dragons", score=7),), **HEAD)

    async def title_ids(self, after: str, most: int) -> Listing:
        self.asked["ids"] += 1
        return Listing(ids=tuple([name for name in sorted(TITLES) if name > after][:most]), **HEAD)

    async def titles(self, title_ids: Any) -> dict[str, Title]:
        return {name: TITLES[name] for name in title_ids}


def run(asked: BoardSelection, reader: FakeReader | None = None, **names: str) -> ShownBoard:
    catalogue = Catalogue(Names({"title_id": id_, "name": name} for id_, name in names.items()))
    return asyncio.run(ranked(reader or FakeReader(), catalogue, asked))  # type: ignore[arg-type]


def found(search: str, **names: str) -> list[BoardPlace]:
    return list(run(BoardSelection("title", "completions", search=search), **names).places)


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


def test_a_title_is_found_by_the_name_that_a_file_gives_it() -> None:
    assert found("vanilla", plain="Vanilla") == [BoardPlace(2, "plain", 999)]


def test_a_search_names_franchises_too() -> None:
    shown = run(BoardSelection("title", "completions", search="season"))
    assert (shown.found, shown.franchises) == (0, ["seasons"])


def test_franchises_are_searched_by_their_id() -> None:
    asked = BoardSelection("franchise", "completions", search="s")
    assert run(asked).places == [BoardPlace(1, "dragons", 7), BoardPlace(0, "seasons", None)]


def with_catalogue(test: Callable[[FakeReader, Catalogue, list[float]], Coroutine[Any, Any, None]]) -> None:
    reader, now = FakeReader(), [1_000.0]
    asyncio.run(test(reader, Catalogue(Names(), lambda: now[0]), now))


def test_titles_are_read_in_several_trips_and_not_again_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogues, "AT_ONCE", 2)

    async def test(reader: FakeReader, catalogue: Catalogue, now: list[float]) -> None:
        for then_s, trips in ((0, 3), (AGAIN_S - 1, 3), (AGAIN_S, 6)):
            now[0] = 1_000.0 + then_s
            assert len(await catalogue.titles(reader)) == len(TITLES)  # type: ignore[arg-type]
            assert reader.asked["ids"] == trips

    with_catalogue(test)


def test_when_readers_are_moved_the_titles_are_those_of_the_other_application() -> None:
    async def test(reader: FakeReader, catalogue: Catalogue, _: list[float]) -> None:
        for prefix, trips in (("encore:", 1), ("next:", 2)):
            reader.prefix = prefix
            assert await catalogue.of_franchise(reader, "dragons") == ("egg",)  # type: ignore[arg-type]
            assert reader.asked["ids"] == trips

    with_catalogue(test)


@pytest.mark.parametrize(("words", "expected"), [("Été", "ete"), ("STRASSE", "strasse"), ("Straße", "strasse")])
def test_case_and_accents_do_not_matter(words: str, expected: str) -> None:
    assert plain(words) == expected
