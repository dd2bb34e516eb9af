"""The questions in URLs: what a page's query asks for.

Owns the names of all parameters; their bounds are the API's.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import cast

from starlette.datastructures import QueryParams

from models.hash_fields import DAY_BOARDS, TITLE_BOARDS
from streams.api.bounds import FIRST_YEAR, LAST_YEAR, LONGEST_ID, LONGEST_SEARCH, MOST_DAYS, MOST_DRAWN
from streams.dashboard.comparison_page import DRAWN, Drawn
from streams.dashboard.questions import (
    BoardQuestion,
    ComparisonQuestion,
    FranchiseQuestion,
    FranchisesQuestion,
    TitleQuestion,
)

MOST_PAGES = 10_000


class NoSuchPage(Exception):
    """A question that cannot be asked. The message is one line for people."""


def board_asked(query: QueryParams) -> BoardQuestion:
    """The question of `?metric=…&day=YYYY-MM-DD&page=…&search=…`. Raises `NoSuchPage`."""
    day = _day(query, "day")
    metric = _one_of(query, "metric", TITLE_BOARDS if day is None else DAY_BOARDS, "" if day is None else " with a day")
    return BoardQuestion(metric or "completions", day, _page(query), _search(query))


def franchises_asked(query: QueryParams) -> FranchisesQuestion:
    """The question of `?metric=…&page=…&search=…`. Raises `NoSuchPage`."""
    return FranchisesQuestion(_one_of(query, "metric", TITLE_BOARDS) or "completions", _page(query), _search(query))


def title_asked(query: QueryParams) -> TitleQuestion:
    """The question of `?id=…&measure=…&from=YYYY-MM-DD&to=YYYY-MM-DD`. Raises `NoSuchPage`."""
    measure = _one_of(query, "measure", DAY_BOARDS) or "completions"
    return TitleQuestion(_ids(query, 1)[0], measure, *_days(query))


def franchise_asked(query: QueryParams) -> FranchiseQuestion:
    """The question of `?id=…`. Raises `NoSuchPage`."""
    return FranchiseQuestion(_ids(query, 1)[0])


def comparison_asked(query: QueryParams) -> ComparisonQuestion:
    """The question of `?id=…&id=…&drawn=…&measure=…&from=…&to=…`. Raises `NoSuchPage`."""
    drawn = cast(Drawn, _one_of(query, "drawn", tuple(DRAWN)) or "weeks")
    measure = _one_of(query, "measure", DAY_BOARDS) or "watched_s"
    return ComparisonQuestion(_ids(query, MOST_DRAWN), drawn, measure, *_days(query))


def _ids(query: QueryParams, most: int) -> tuple[str, ...]:
    ids = tuple(dict.fromkeys(query.getlist("id")))
    if not 1 <= len(ids) <= most or not all(0 < len(one) <= LONGEST_ID for one in ids):
        raise NoSuchPage(
            f"id: accepted: {'one' if most == 1 else f'1 to {most}'}, of 1 to {LONGEST_ID} characters each"
        )
    return ids


def _one_of(query: QueryParams, name: str, accepted: Sequence[str], when: str = "") -> str:
    found = query.get(name) or ""
    if found and found not in accepted:
        raise NoSuchPage(f"{name}: accepted{when}: {', '.join(accepted)}")
    return found


def _page(query: QueryParams) -> int:
    text = query.get("page") or "1"
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= MOST_PAGES):
        raise NoSuchPage(f"page: accepted: 1 to {MOST_PAGES:,}")
    return int(text[:9])


def _search(query: QueryParams) -> str:
    search = " ".join((query.get("search") or "").split())
    if len(search) > LONGEST_SEARCH:
        raise NoSuchPage(f"search: accepted: up to {LONGEST_SEARCH} characters")
    return search


def _day(query: QueryParams, name: str) -> date | None:
    try:
        day = date.fromisoformat(query[name]) if query.get(name) else None
    except ValueError:
        day = date.min
    if day is not None and not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise NoSuchPage(f"{name}: accepted: a UTC day such as 2026-11-23")
    return day


def _days(query: QueryParams) -> tuple[date | None, date | None]:
    first, last = _day(query, "from"), _day(query, "to")
    if first and last and not 0 <= (last - first).days < MOST_DAYS:
        raise NoSuchPage(f"from, to: accepted: at most {MOST_DAYS:,} days, the first not after the last")
    return first, last
