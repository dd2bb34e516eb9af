"""The hashes that readers read: key, expiry, fields from totals, and places on boards."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from models.catalog import CatalogRow
from models.dayparts import read_dayparts
from models.hash_fields import (
    DAY_BOARDS,
    JUDGED_BY,
    LEGS,
    TITLE_BOARDS,
    WATCHED,
    WHOLE,
    WINDOW,
    Field,
    audience_fields,
    curve_fields,
    daypart_fields,
    daypart_names,
    franchise_fields,
    hour_fields,
    legs_fields,
    stream_fields,
    title_fields,
    window_fields,
)
from models.legs import FOUR_WEEKS, OPENING, legs
from models.tally import CURVE, DAYPARTS, TITLE, TallyKey
from models.windows import AGE, AUDIENCE, DAY, HOUR, KINDS, WEEK
from streams.config.settings import Settings
from streams.publishing.sink import LISTED, Boards, Metric, VerdictField
from streams.redis.keys import Keys

COMPLETIONS, UNSTOPPABLE = "completions", "unstoppable"
"""The fields that are told, as verdicts."""

STATUS = TallyKey("status", 0, "")
"""The status hash has shares and a total, as all others do."""


class ComputedHash(NamedTuple):
    """A kind of hash that is computed for a title, at the end of a week, from other hashes' totals.

    `inputs` returns the keys of those hashes, for a title and a week. `fields` returns names and texts, alternating,
    for a week and the totals of the inputs. `life_ms`: how long the hash lives from its last change. `boards`: where it
    is ranked, and what is told of it.
    """

    key: Callable[[str], str]
    life_ms: int
    inputs: Callable[[str, int], list[str]]
    fields: Callable[[int, Sequence[Sequence[int]]], list[str]]
    boards: Boards


class Rendering:
    """Renders the hashes under one prefix."""

    def __init__(self, settings: Settings) -> None:
        self.keys = Keys(settings.redis_prefix)
        retention = settings.retention()
        self._lives_ms = {kind: each.kept_ms(retention) for kind, each in KINDS.items()}
        told = Boards((), (), 0, VerdictField(UNSTOPPABLE, "title", _place(UNSTOPPABLE, LEGS)))
        self.legs = ComputedHash(self.keys.legs, retention.age_ms, self._legs_inputs, self._legs_fields, told)
        self.computed = (self.legs,)
        self._daypart_names = daypart_names(part.name for part in read_dayparts(settings.dayparts))
        ranked = _metrics(TITLE_BOARDS, WHOLE, settings.board_least_starters)
        of_title, of_franchise = (
            VerdictField(COMPLETIONS, of, _place(COMPLETIONS, WHOLE)) for of in ("title", "franchise")
        )
        self._title_boards = Boards(tuple(map(self.keys.board, TITLE_BOARDS)), ranked, 0, of_title)
        self.new_title_boards = _with_list(self._title_boards, self.keys.titles)
        franchise_boards = Boards(tuple(map(self.keys.franchise_board, TITLE_BOARDS)), ranked, 0, of_franchise)
        self.franchise_boards = _with_list(franchise_boards, self.keys.franchises)
        self._day_metrics = _metrics(DAY_BOARDS, WINDOW, 0)
        self._day_boards = lru_cache(1_000)(self._boards_of_day)

    def hash_key(self, key: TallyKey) -> str:
        """The key of the hash that shows a tally."""
        return self.keys.status if key == STATUS else self.keys.tally(key)

    def time_to_live_ms(self, key: TallyKey) -> int:
        """How long a tally's hash lives from its last change, in milliseconds; 0: it does not expire."""
        return self._lives_ms.get(key.kind, 0)

    def fields(
        self, key: TallyKey, total: list[int], catalog: Mapping[str, CatalogRow], status: list[str]
    ) -> list[str]:
        """Names and texts, alternating. `status`: those of the status hash besides counters."""
        if key.kind == TITLE:
            return title_fields(total, runtime_ms(catalog, key.title_id))
        if key.kind == DAYPARTS:
            return daypart_fields(self._daypart_names, total)
        if key == STATUS:
            return [*stream_fields(total), *status]
        if key.kind == AUDIENCE:
            return audience_fields(total)
        if key.kind == CURVE:
            return curve_fields(total, length_ms(catalog, key.title_id))
        return hour_fields(total) if key.kind == HOUR else window_fields(total)

    def franchise_fields(self, total: Sequence[int], members: Iterable[tuple[Sequence[int], int]]) -> list[str]:
        """The same for a franchise. `members`: its titles' totals, empty if there are none, and runtimes in ms."""
        return franchise_fields(total, [(title[WATCHED], runtime_ms) for title, runtime_ms in members if title])

    def _legs_inputs(self, title_id: str, week: int) -> list[str]:
        """The keys of the hashes from whose totals a title's legs at the end of a week are computed."""
        weeks = [TallyKey(WEEK, n, title_id) for n in range(1, week + 1)]
        return [self.keys.tally(key) for key in (*_ages_used(title_id), *weeks)]

    def _legs_fields(self, week: int, totals: Sequence[Sequence[int]]) -> list[str]:
        """Names and texts, alternating, from the totals of `_legs_inputs`."""
        opening, four_weeks, *weeks = totals
        return legs_fields(legs(week, dict(enumerate(weeks, 1)), opening, four_weeks))

    def boards(self, key: TallyKey) -> Boards | None:
        """The boards on which a tally ranks its title; None: none."""
        if key.kind == TITLE:
            return self._title_boards
        return self._day_boards(key.number) if key.kind == DAY else None

    def _boards_of_day(self, day: int) -> Boards:
        keys = tuple(self.keys.board(metric, day) for metric in DAY_BOARDS)
        return Boards(keys, self._day_metrics, self._lives_ms[DAY])


def _ages_used(title_id: str) -> tuple[TallyKey, TallyKey]:
    return TallyKey(AGE, OPENING, title_id), TallyKey(AGE, FOUR_WEEKS, title_id)


def _metrics(names: Iterable[str], fields: Sequence[Field], least: int) -> tuple[Metric, ...]:
    return tuple(
        Metric(_place(name, fields), _place(JUDGED_BY[name], fields), least)
        if name in JUDGED_BY
        else Metric(_place(name, fields), -1, 0)
        for name in names
    )


def _with_list(boards: Boards, key: str) -> Boards:
    return boards._replace(keys=(*boards.keys, key), metrics=(*boards.metrics, LISTED))


def _place(name: str, fields: Sequence[Field]) -> int:
    """The place of a field's text among names and texts."""
    return 2 * [field.name for field in fields].index(name) + 1


def length_ms(catalog: Mapping[str, CatalogRow], title_id: str) -> int:
    """A title's content length by the catalog, in milliseconds; 0: not known."""
    row = catalog.get(title_id)
    return row.length_ms if row is not None else 0


def runtime_ms(catalog: Mapping[str, CatalogRow], title_id: str) -> int:
    """A title's runtime by the catalog, in milliseconds; 0: not known."""
    row = catalog.get(title_id)
    return row.known_runtime_ms if row is not None else 0
