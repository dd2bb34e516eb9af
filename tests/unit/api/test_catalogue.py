"""What is known of all titles: which have certain words, which are of a franchise, and when they are read again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from streams.api import catalogue as catalogues
from streams.api.catalogue import FRESH_S, Catalogue, plain
from streams.reader import Listing, ReaderError, Title

HEAD: dict[str, Any] = {"as_of_ms": 1_763_600_000_000, "version": 1, "complete": True}


def title(title_id: str, name: str | None = None, franchise_id: str | None = None) -> Title:
    return Title(title_id=title_id, name=name, franchise_id=franchise_id, **HEAD)


class FakeReader:
    """A reader of four titles. `trips`: how often ids were asked for; `problem`: what every call raises."""

    def __init__(self) -> None:
        self.prefix = "encore:"
        self.trips = 0
        self.problem: ReaderError | None = None
        self.moves_to = ""
        shown = (
            title("egg", "The Dragon's Egg", "dragons"),
            title("new", "A Dragon in Summer"),
            title("plain"),
            title("été", "Un Été", "seasons"),
        )
        self.shown = {one.title_id: one for one in shown}

    async def title_ids(self, after: str, most: int) -> Listing:
        self.trips += 1
        if self.problem is not None:
            raise self.problem
        return Listing(ids=tuple([one for one in self.shown if one > after][:most]), **HEAD)

    async def titles(self, title_ids: Any) -> dict[str, Title]:
        await asyncio.sleep(0)
        found = {one: self.shown[one] for one in title_ids}
        if self.moves_to:
            self.prefix, self.moves_to, self.shown = self.moves_to, "", {"other": title("other", None, "dragons")}
        return found


def run(test: Callable[[FakeReader, Catalogue, list[float]], Coroutine[Any, Any, None]], **names: str) -> None:
    async def running() -> None:
        reader, now = FakeReader(), [1_000.0]
        async with asyncio.timeout(20):
            await test(reader, Catalogue(reader, names, lambda: now[0]), now)  # type: ignore[arg-type]

    asyncio.run(running())


@pytest.mark.parametrize(
    ("words", "after", "most", "ids"),
    [
        ("EGG dragon", "", None, ["egg"]),
        ("ete", "", None, ["été"]),
        ("plai", "", None, ["plain"]),
        ("vanilla", "", None, ["plain"]),
        ("nothing", "", None, []),
        ("n", "", None, ["egg", "new", "plain", "été"]),
        ("n", "", 2, ["egg", "new"]),
        ("n", "new", 2, ["plain", "été"]),
        ("n", "o", 2, ["plain", "été"]),
        ("n", "été", 2, []),
    ],
)
def test_titles_are_found_by_words_of_their_names_or_id_page_by_page(
    words: str, after: str, most: int | None, ids: list[str]
) -> None:
    async def test(reader: FakeReader, catalogue: Catalogue, _: list[float]) -> None:
        assert await catalogue.found(words, after, most) == ids

    run(test, plain="Vanilla")


def test_franchises_are_found_by_their_id_and_have_their_titles() -> None:
    async def test(reader: FakeReader, catalogue: Catalogue, _: list[float]) -> None:
        assert (await catalogue.franchises("S"), await catalogue.franchises("rag")) == (
            ["dragons", "seasons"],
            ["dragons"],
        )
        assert await catalogue.of_franchise("dragons") == ["egg"]

    run(test)


def test_titles_are_read_in_several_trips_once_for_all_and_again_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogues, "AT_ONCE", 2)

    async def test(reader: FakeReader, catalogue: Catalogue, now: list[float]) -> None:
        assert [len(found) for found in await asyncio.gather(*(catalogue.titles() for _ in range(3)))] == [4] * 3
        assert reader.trips == 3
        now[0] += FRESH_S - 1
        await catalogue.titles()
        assert reader.trips == 3

    run(test)


def test_while_they_are_read_again_the_old_ones_are_found() -> None:
    async def test(reader: FakeReader, catalogue: Catalogue, now: list[float]) -> None:
        await catalogue.titles()
        reader.shown = {"only": title("only")}
        now[0] += FRESH_S
        assert await catalogue.found("") == ["egg", "new", "plain", "été"]
        for _ in range(10):
            await asyncio.sleep(0)
        assert await catalogue.found("") == ["only"]

    run(test)


def test_a_redis_that_is_away_is_a_problem_only_while_nothing_was_read() -> None:
    async def test(reader: FakeReader, catalogue: Catalogue, now: list[float]) -> None:
        reader.problem = ReaderError("away")
        for _ in range(2):
            with pytest.raises(ReaderError):
                await catalogue.titles()
        reader.problem = None
        await catalogue.titles()
        reader.problem = ReaderError("away")
        now[0] += FRESH_S
        for _ in range(5):
            assert len(await catalogue.titles()) == 4
            await asyncio.sleep(0)

    run(test)


def test_when_readers_are_moved_the_titles_are_those_of_the_other_application() -> None:
    async def test(reader: FakeReader, catalogue: Catalogue, _: list[float]) -> None:
        reader.moves_to = "next:"
        assert await catalogue.of_franchise("dragons") == ["other"]
        reader.prefix, reader.shown = "encore:", {"egg": title("egg", None, "dragons")}
        assert await catalogue.of_franchise("dragons") == ["egg"]

    run(test)


@pytest.mark.parametrize(("words", "expected"), [("Été", "ete"), ("STRASSE", "strasse"), ("Straße", "strasse")])
def test_case_and_accents_do_not_matter(words: str, expected: str) -> None:
    assert plain(words) == expected
