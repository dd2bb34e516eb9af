"""The hashes that readers see: field names and texts of section 3 of the design.

Owns the fields and their kinds of number, the rates, the fields that boards rank by, and how numbers are written. It
must not know Redis or its keys.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from math import fsum
from typing import TYPE_CHECKING, NamedTuple, get_type_hints
from urllib.parse import quote

from models.account import StreamCounters
from models.counters import HOUR_FIELDS, WINDOW_FIELDS, Counters
from models.curve import cells_of_slices
from models.legs import Legs
from models.rules import MOST_SLICES
from models.streaks import PART_FIELDS

if TYPE_CHECKING:
    from models.catalog import CatalogRow

COUNT, GAUGE, SECONDS, RATIO, FLAG, TIME, TEXT = "count", "gauge", "seconds", "ratio", "flag", "time", "text"
"""Kinds of fields: integers that decrease only by late data and corrections; integers that go up and down; seconds with
three decimals; numbers with six decimals, or empty; 0 or 1; milliseconds since 1970; any text, or empty."""


class Field(NamedTuple):
    """A field of a hash, and its kind."""

    name: str
    kind: str


def _counters(names: Iterable[str]) -> tuple[Field, ...]:
    return tuple(
        Field(f"{name.removesuffix('_ms')}_s", SECONDS) if name.endswith("_ms") else Field(name, COUNT)
        for name in names
    )


COUNTER_FIELDS = Counters.__struct_fields__
STREAM_FIELDS = StreamCounters.__struct_fields__
WATCHING_NOW = "watching_now"
WINDOW = _counters(COUNTER_FIELDS[:WINDOW_FIELDS])
"""Fields of the hashes of days, weeks and ages."""

HOUR = WINDOW[:HOUR_FIELDS]
"""Fields of the hashes of hours."""

AUDIENCE = _counters(("reached", "new", "returning", "resurrected"))
"""Fields of the hash of a week's audience."""

SLICES = "slices"
"""The field of a curve's hash that says how many slices it has. Each slice is a field named by its number, from 0."""

WHOLE = (
    *_counters(COUNTER_FIELDS),
    Field(WATCHING_NOW, GAUGE),
    *(Field(name, RATIO) for name in ("views", "completion_rate", "repeat_rate", "return_rate_7d")),
)
"""Fields of the hashes of titles and franchises."""

CATALOG = (Field("name", TEXT), Field("franchise_id", TEXT), Field("runtime_s", SECONDS))
"""Further fields of a title's hash, from the catalog. Each is empty if the catalog does not state it."""

DAYPART = tuple(
    Field(field.name, GAUGE if field.name.startswith("streak") else field.kind) for field in _counters(PART_FIELDS)
)
"""Fields of the hash of dayparts, each prefixed with a daypart's name and `_`."""

_KINDS = {int: COUNT, bool: FLAG}


def computed(result: type[NamedTuple]) -> tuple[Field, ...]:
    """The fields of a computed result's hash. Names that end in `_ms` become seconds; others get their type's kind."""
    return tuple(
        Field(f"{name.removesuffix('_ms')}_s", SECONDS)
        if name.endswith("_ms")
        else Field(name, _KINDS.get(each, RATIO))
        for name, each in get_type_hints(result).items()
    )


LEGS = computed(Legs)
"""Fields of the hash of legs. Its seconds may be empty."""

STREAM = _counters(STREAM_FIELDS)
WORKERS = (
    Field("partitions_ready", GAUGE),
    Field("lag", GAUGE),
    Field("checkpointed_ms", TIME),
    Field("rebuilding", GAUGE),
    Field("incarnation", TIME),
)
"""Fields of the status hash: the counts of all records (`STREAM`), and the state of the workers."""

BOOKKEEPING = (Field("as_of_ms", TIME), Field("version", COUNT), Field("complete", FLAG))
"""Fields of every hash."""

TITLE_BOARDS = (
    *("plays", "starters", "viewers", "completers", "repeaters", "completions", "rewatches"),
    *("watched_s", "views", WATCHING_NOW, "completion_rate", "repeat_rate"),
)
"""The fields that titles are ranked by, for all time."""

DAY_BOARDS = ("plays", "starters", "viewers", "completers", "completions", "rewatches", "watched_s")
"""The fields that titles are ranked by, for each UTC day."""

JUDGED_BY = {"completion_rate": "starters", "repeat_rate": "completers"}
"""The rates' boards, and each rate's denominator: a title with too few households in it is not ranked."""

_STREAM_IN_SECONDS = tuple(place for place, field in enumerate(STREAM) if field.kind == SECONDS)
_IN_SECONDS = tuple(place for place, field in enumerate(WHOLE) if field.kind == SECONDS)
_WINDOW_NAMES = [field.name for field in WINDOW]
_HOUR_NAMES = [field.name for field in HOUR]
_AUDIENCE_NAMES = [field.name for field in AUDIENCE]
_SLICE_NAMES = list(map(str, range(MOST_SLICES)))
_WHOLE_NAMES = [field.name for field in WHOLE]
_STARTERS, _COMPLETERS, _REPEATERS, WATCHED, _COMPLETIONS, _RETURNED_7D = (
    COUNTER_FIELDS.index(name)
    for name in ("starters", "completers", "repeaters", "watched_ms", "completions", "returned_7d")
)


def encoded_id(text: str) -> str:
    """An id as keys hold it: percent-encoded (RFC 3986), except for unreserved characters."""
    return quote(text, safe="-._~")


def seconds(milliseconds: int) -> str:
    """Milliseconds as seconds with three decimals."""
    return _point(str(milliseconds))


def _point(digits: str) -> str:
    return f"{digits[:-3]}.{digits[-3:]}" if len(digits) > 3 else f"0.{digits:0>3}"


def ratio(value: float | None) -> str:
    """Six decimals; empty for None."""
    return "" if value is None else f"{value:.6f}"


def rate(part: int, whole: int) -> str:
    """`part` ÷ `whole` with six decimals; empty if `whole` is 0."""
    return f"{part / whole:.6f}" if whole else ""


def window_fields(totals: Sequence[int]) -> list[str]:
    """Names and texts, alternating, of the hash of a day, week or age. `totals`: at least `WINDOW_FIELDS` counters."""
    return _in_turn(_WINDOW_NAMES, _texts(totals[:WINDOW_FIELDS]))


def hour_fields(totals: Sequence[int]) -> list[str]:
    """The same for an hour's hash, with the first `HOUR_FIELDS` counters."""
    return _in_turn(_HOUR_NAMES, _texts(totals[:HOUR_FIELDS]))


def audience_fields(totals: Sequence[int]) -> list[str]:
    """Names and texts, alternating, of the hash of a week's audience."""
    return _in_turn(_AUDIENCE_NAMES, list(map(str, totals)))


def curve_fields(sums: Sequence[int], length_ms: int) -> list[str]:
    """Names and texts, alternating, of a curve's hash, from the sums of its slices.

    Empty if the length is not known or nothing was played. After a change of the length, some shares may still have
    more or fewer slices; the values are right once all have the new ones.
    """
    if not length_ms:
        return []
    cells = cells_of_slices(length_ms)
    slices = len(cells)
    totals = [*sums[:slices], *[0] * (slices - len(sums))]
    if not any(totals):
        return []
    return _in_turn([SLICES, *_SLICE_NAMES[:slices]], [str(slices), *map(_mean, totals, cells)])


@lru_cache(maxsize=50_000)
def _mean(total: int, cells: int) -> str:
    """A slice's value, with three decimals. Cached: most slices are the same in the next round of publishing."""
    thousandths, rest = divmod(2_000 * total + cells, 2 * cells)
    # Round half to even.
    return _point(str(thousandths - (not rest and thousandths & 1)))


def title_fields(totals: Sequence[int], runtime_ms: int) -> list[str]:
    """Names and texts, alternating, of a title's hash, from its counters and the catalog's runtime (0: not known)."""
    return _whole_fields(totals, rate(totals[WATCHED], runtime_ms))


def catalog_fields(row: CatalogRow | None) -> list[str]:
    """Names and texts, alternating, of what a title's hash shows of its row of the catalog; None: it has no row."""
    if row is None:
        return ["name", "", "franchise_id", "", "runtime_s", ""]
    runtime = seconds(row.known_runtime_ms) if row.known_runtime_ms else ""
    return ["name", row.name or "", "franchise_id", row.franchise_id or "", "runtime_s", runtime]


def franchise_fields(totals: Sequence[int], members: Iterable[tuple[int, int]]) -> list[str]:
    """The same for a franchise, from its own counters. `members`: watched time and runtime, in milliseconds, of its
    titles that have both."""
    views = [watched_ms / runtime_ms for watched_ms, runtime_ms in members]
    return _whole_fields(totals, ratio(fsum(views) if views else None))


def _whole_fields(totals: Sequence[int], views: str) -> list[str]:
    texts = _texts(totals)
    texts += (
        views,
        rate(totals[_COMPLETERS], totals[_STARTERS]),
        rate(totals[_REPEATERS], totals[_COMPLETERS]),
        rate(totals[_RETURNED_7D], totals[_COMPLETIONS]),
    )
    return _in_turn(_WHOLE_NAMES, texts)


def _texts(totals: Sequence[int]) -> list[str]:
    texts = list(map(str, totals))
    for place in _IN_SECONDS:
        texts[place] = _point(texts[place])
    return texts


def _in_turn(names: list[str], texts: list[str]) -> list[str]:
    fields = [""] * (2 * len(names))
    fields[::2] = names
    fields[1::2] = texts
    return fields


def daypart_names(dayparts: Iterable[str]) -> list[str]:
    """The names of the fields of the hash of dayparts, in the order of their tally."""
    return [f"{daypart}_{field.name}" for daypart in dayparts for field in DAYPART]


def daypart_fields(names: list[str], totals: Sequence[int]) -> list[str]:
    """Names and texts, alternating, of the hash of dayparts; `names` are those of `daypart_names`.

    During a rebuild with other dayparts, some shares may still have more or fewer of them; the hash is not `complete`
    then.
    """
    texts = list(map(str, totals[: len(names)]))
    texts += ["0"] * (len(names) - len(texts))
    texts[:: len(DAYPART)] = map(_point, texts[:: len(DAYPART)])
    return _in_turn(names, texts)


def legs_fields(found: Legs) -> list[str]:
    """Names and texts, alternating, of the hash of legs."""
    return computed_fields(LEGS, found)


def computed_fields(fields: Sequence[Field], values: Iterable[float | None]) -> list[str]:
    """Names and texts, alternating, of a computed hash. The text is empty if there is no value."""
    return [text for field, value in zip(fields, values, strict=True) for text in (field.name, _text(field, value))]


def _text(field: Field, value: float | None) -> str:
    if value is None:
        return ""
    if field.kind == RATIO:
        return ratio(value)
    return seconds(int(value)) if field.kind == SECONDS else str(int(value))


def stream_fields(totals: Sequence[int]) -> list[str]:
    """Names and texts, alternating, of the counters in the status hash."""
    texts = list(map(str, totals))
    for place in _STREAM_IN_SECONDS:
        texts[place] = _point(texts[place])
    return _in_turn([field.name for field in STREAM], texts)
