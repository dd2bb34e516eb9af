"""The page of a franchise, as plain values for JSON: its own counters, which count a household once, and its titles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from streams.api.bounds import MOST_DRAWN
from streams.dashboard.board_page import BESIDE, BoardPlace, BoardRow, ShownBoard, rows
from streams.dashboard.figure import Named, State, metric_words, moment
from streams.dashboard.totals import again, all_time, funnel, headline, histogram
from streams.reader import Franchise, Title

MOST_TITLES = 500
"""How many of its titles are shown."""


class FranchisePage(msgspec.Struct, frozen=True):
    """A franchise. `titles`: its titles, those with the most completions first, with `heads` beside;
    `drawn`: how many of them a comparison may have."""

    franchise_id: str
    state: State
    as_of: str = ""
    headline: tuple[Named, ...] = ()
    totals: tuple[Named, ...] = ()
    funnel: tuple[Named, ...] = ()
    histogram: tuple[Named, ...] = ()
    again: tuple[Named, ...] = ()
    heads: tuple[str, ...] = ()
    titles: tuple[BoardRow, ...] = ()
    drawn: int = MOST_DRAWN


def franchise_page(
    franchise_id: str, franchise: Franchise | None, titles: Sequence[Title], names: Mapping[str, str]
) -> FranchisePage:
    """The page of a franchise and its titles."""
    if franchise is None:
        return FranchisePage(franchise_id, "unknown")
    if not franchise.complete:
        return FranchisePage(franchise_id, "rebuilding", moment(franchise.as_of_ms))
    return FranchisePage(
        franchise_id=franchise_id,
        state="shown",
        as_of=moment(franchise.as_of_ms),
        headline=headline(franchise),
        totals=all_time(franchise),
        funnel=funnel(franchise),
        histogram=histogram(franchise),
        again=again(franchise),
        heads=tuple(map(metric_words, BESIDE)),
        titles=_titles(titles, names),
    )


def _titles(titles: Sequence[Title], names: Mapping[str, str]) -> tuple[BoardRow, ...]:
    ordered = sorted(titles, key=lambda title: (-title.completions, title.title_id))[:MOST_TITLES]
    places = [
        BoardPlace(place, one.title_id, one.completions if one.complete else None)
        for place, one in enumerate(ordered, 1)
    ]
    largest = max((place.score or 0 for place in places), default=0)
    shown = ShownBoard(0, True, places, largest)
    return rows("completions", shown, {title.title_id: title for title in ordered}, names, BESIDE)
