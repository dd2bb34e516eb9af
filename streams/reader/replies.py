"""Parses Redis's replies into results."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple, TypeVar

import msgspec

from models.events import END_OF_CALENDAR_MS
from models.hash_fields import SLICES
from streams.reader.errors import ReaderError
from streams.reader.results import (
    Board,
    Curve,
    Daypart,
    Dayparts,
    Entry,
    FranchiseBoard,
    FranchiseEntry,
    Listing,
    Read,
    Title,
)

R = TypeVar("R", bound=Read)

OTHER = "other"
_DAYPART_MARK = "_watched_s"
_DAYPART_FIELDS = msgspec.structs.fields(Daypart)[1:]
_WHOLE = frozenset(field.name for field in msgspec.structs.fields(Title) if field.type is int)


class ServerState(NamedTuple):
    """The status hash at the time of an answer. If its version is older than before, the server has fallen behind."""

    version: int = 0
    complete: bool = False
    as_of_ms: int = 0


def server_state(reply: Sequence[Any]) -> ServerState:
    """The state from the values of `version`, `complete` and `as_of_ms`; None for all of them if there is no status."""
    version, complete, as_of_ms = (text_of(value or b"") for value in reply)
    return ServerState(int(version or 0), complete == "1", min(int(as_of_ms or 0), END_OF_CALENDAR_MS - 1))


def texts(reply: Any) -> dict[str, str]:
    """A hash as texts; empty if there is none."""
    return {text_of(name): text_of(value) for name, value in reply.items()}


def text_of(value: Any) -> str:
    """Redis's bytes as text. Bytes that are not UTF-8 are kept (`surrogateescape`)."""
    return value.decode(errors="surrogateescape") if isinstance(value, bytes) else str(value)


def struct(kind: type[R], key: str, fields: Mapping[str, str], **names: str) -> R:
    """A result from a hash that exists. An empty text becomes None."""
    known = {name: text for name, text in fields.items() if text} | names
    try:
        found = msgspec.convert(known, kind, strict=False)
    except msgspec.ValidationError as problem:
        raise ReaderError(f"{key} is not as Encore writes it ({problem}); is the prefix the right one?") from None
    if not -1 <= found.as_of_ms < END_OF_CALENDAR_MS:
        raise ReaderError(
            f"{key}: as_of_ms is {found.as_of_ms}, accepted: the years 1970 to 9999; a former worker took a wrong"
            " timestamp for the time: stop all workers and run `encore rebuild`"
        )
    return found


def curve(key: str, fields: Mapping[str, str], title_id: str) -> Curve:
    """The curve of a title."""
    head = struct(Read, key, fields)
    try:
        values = tuple(float(fields[str(number)]) for number in range(int(fields[SLICES])))
    except (KeyError, ValueError) as problem:
        raise ReaderError(f"{key} is not as Encore writes it ({problem}); is the prefix the right one?") from None
    return Curve(title_id=title_id, values=values, **msgspec.structs.asdict(head))


def dayparts(key: str, fields: Mapping[str, str], title_id: str) -> Dayparts:
    """The dayparts of a title in the order of the setting, `other` last."""
    names = [name.removesuffix(_DAYPART_MARK) for name in fields if name.endswith(_DAYPART_MARK)]
    rows = [
        {"name": name} | {field.name: fields.get(f"{name}_{field.name}", "0") for field in _DAYPART_FIELDS}
        for name in sorted(names, key=OTHER.__eq__)
    ]
    head = struct(Read, key, fields)
    try:
        parts = msgspec.convert(rows, tuple[Daypart, ...], strict=False)
    except msgspec.ValidationError as problem:
        raise ReaderError(f"{key} is not as Encore writes it ({problem}); is the prefix the right one?") from None
    return Dayparts(title_id=title_id, dayparts=parts, **msgspec.structs.asdict(head))


Scores = Sequence[tuple[Any, Any]]


def board(reply: Scores, state: ServerState, metric: str, day: date | None) -> Board:
    """A board of titles and scores, best first."""
    entries = tuple(Entry(title_id=member, score=score) for member, score in _ranked(reply, metric))
    return Board(metric=metric, day=day, entries=entries, **state._asdict())


def franchise_board(reply: Scores, state: ServerState, metric: str) -> FranchiseBoard:
    """A board of franchises and scores, best first."""
    entries = tuple(FranchiseEntry(franchise_id=member, score=score) for member, score in _ranked(reply, metric))
    return FranchiseBoard(metric=metric, entries=entries, **state._asdict())


def _ranked(reply: Scores, metric: str) -> Iterator[tuple[str, int | float]]:
    number = int if metric in _WHOLE else float
    return ((text_of(member), number(float(score))) for member, score in reply)


def listing(reply: Sequence[Any], state: ServerState) -> Listing:
    """A list of ids."""
    return Listing(ids=tuple(map(text_of, reply)), **state._asdict())
