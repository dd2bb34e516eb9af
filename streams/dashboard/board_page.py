"""The page of a board: titles or franchises ranked, a page at a time or those of a search, as plain values for JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Literal, NamedTuple

import msgspec

from models.hash_fields import DAY_BOARDS, TITLE_BOARDS
from streams.api.bounds import MOST_DRAWN
from streams.dashboard.figure import Figure, metric_words, moment, of_metric
from streams.reader import Franchise, Title

BESIDE = ("starters", "completion_rate", "repeat_rate", "rewatches")
"""The measures shown beside the metric of a board for all time."""

ROWS = 50
"""How many rows a page has."""

Kind = Literal["title", "franchise"]


class Choice(msgspec.Struct, frozen=True):
    """A measure to choose: its metric, the metric in words, and whether it is counted by the day, too."""

    metric: str
    words: str
    of_days: bool


class BoardPlace(NamedTuple):
    """A place on a board. `number` 0: it has none, and no score."""

    number: int
    id: str
    score: int | float | None


class BoardRow(msgspec.Struct, frozen=True):
    """One that is ranked. `place` 0: it is not. `beside` is empty on days' boards and while it is incomplete."""

    place: int
    id: str
    name: str
    score: Figure
    beside: tuple[Figure, ...]
    complete: bool


class BoardPage(msgspec.Struct, frozen=True):
    """A board. `complete` False: workers are catching up, and it is not shown.

    `search`: the words that are searched for; `found`: how many have them; `franchises`: the ids of franchises that do.
    `page` counts from 1; `more`: there is another one behind it. `drawn`: how many titles a comparison may have.
    """

    kind: Kind
    metric: str
    words: str
    day: str
    as_of: str
    complete: bool
    heads: tuple[str, ...]
    rows: tuple[BoardRow, ...]
    choices: tuple[Choice, ...]
    page: int = 1
    more: bool = False
    search: str = ""
    found: int = 0
    franchises: tuple[str, ...] = ()
    drawn: int = MOST_DRAWN


class BoardSelection(NamedTuple):
    """Which board: of what, by which metric, for all time or of a day, which page of it, and the words searched for."""

    kind: Kind
    metric: str
    day: date | None = None
    page: int = 1
    search: str = ""


class ShownBoard(NamedTuple):
    """What a page shows of a board. `largest`: the score of its first place; `found`, `franchises`: of a search."""

    as_of_ms: int
    complete: bool
    places: Sequence[BoardPlace]
    largest: float
    more: bool = False
    found: int = 0
    franchises: Sequence[str] = ()


CHOICES = tuple(Choice(metric, metric_words(metric), metric in DAY_BOARDS) for metric in TITLE_BOARDS)


def board_page(
    asked: BoardSelection,
    ranked: ShownBoard,
    totals: Mapping[str, Title] | Mapping[str, Franchise],
    names: Mapping[str, str],
) -> BoardPage:
    """The page. `totals`: the counters of those on it; empty for a day's board."""
    heads = tuple(field for field in BESIDE if field != asked.metric) if asked.day is None else ()
    return BoardPage(
        kind=asked.kind,
        metric=asked.metric,
        words=metric_words(asked.metric),
        day="" if asked.day is None else asked.day.isoformat(),
        as_of=moment(ranked.as_of_ms),
        complete=ranked.complete,
        heads=tuple(map(metric_words, heads)),
        rows=rows(asked.metric, ranked, totals, names, heads) if ranked.complete else (),
        choices=CHOICES,
        page=asked.page,
        more=ranked.more,
        search=asked.search,
        found=ranked.found,
        franchises=tuple(ranked.franchises),
    )


def rows(
    metric: str,
    ranked: ShownBoard,
    totals: Mapping[str, Title] | Mapping[str, Franchise],
    names: Mapping[str, str],
    heads: Iterable[str],
) -> tuple[BoardRow, ...]:
    """A row for each place: its score, and the counters that stand beside it."""
    made = []
    for place in ranked.places:
        one = totals.get(place.id)
        is_complete = one is None or one.complete
        beside = tuple(of_metric(field, getattr(one, field, None)) for field in heads) if is_complete else ()
        score = of_metric(metric, place.score, ranked.largest)
        made.append(BoardRow(place.number, place.id, names.get(place.id, place.id), score, beside, is_complete))
    return tuple(made)
