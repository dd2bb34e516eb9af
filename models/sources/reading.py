"""The result of reading a file: events, titles that the catalog may lack, and an account of everything else.

Owns the types that all formats share: the viewer, a bad row, a refused file, a reading.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from typing import TYPE_CHECKING, Protocol, TypeVar

from models.rules import SHORTEST_STATED_LENGTH_MS

if TYPE_CHECKING:
    from models.sources.document import Document

R = TypeVar("R")
T = TypeVar("T")

LARGEST_ID_BYTES, LARGEST_COUNTRY_BYTES = 256, 64
LARGEST_NAME_BYTES = 16_384
"""No title has a longer name: such a row is damaged."""

SHORTEST_LENGTH_MS = 600_000
"""The largest position counts as a title's length only from ten minutes on: a shorter one may be a first look."""

PlaybackEvent = dict[str, str | int | bool]


class UnreadableField(Exception):
    """A field cannot be read. The message names it and what is accepted."""


class BadRow(Exception):
    """A row that cannot be read: its number in the file (from 1) and the reason, in one line."""

    def __init__(self, line: int, reason: str, unit: str = "line") -> None:
        super().__init__(f"{unit} {line}: {reason}")
        self.line, self.reason = line, reason


class NotImportable(Exception):
    """The file cannot be imported at all. The message says what it is and what to do, in one line."""


@dataclass(frozen=True, slots=True)
class FileOwner:
    """Whose file it is, and facts that the file lacks.

    `time_zone` goes into the events. `zone` applies to times in the file that state none. `kids`: profiles of kids.
    `title_ids` maps a title's name to its id in the catalog (without one, the name is the id); `runtimes_ms` is by that
    id. `beside`: a second file of the same export.
    """

    household_id: str
    time_zone: str | None = None
    kids: frozenset[str] = frozenset()
    title_ids: Mapping[str, str] = field(default_factory=dict)
    runtimes_ms: Mapping[str, int] = field(default_factory=dict)
    zone: tzinfo = UTC
    beside: Document | None = None

    def title_id(self, name: str) -> str:
        """The catalog's id of a title, else its name, shortened to what an id may have."""
        return self.title_ids.get(name) or fitting_id(name)


@dataclass(slots=True)
class FileTitle:
    """What a file says about a main title: its largest position (`largest_ms`) and its length. 0: not stated."""

    name: str
    franchise_id: str = ""
    largest_ms: int = 0
    runtime_ms: int = 0

    @property
    def length_ms(self) -> int:
        """The title's length: the stated one, else the largest position; 0 if both are too short."""
        if self.runtime_ms >= SHORTEST_STATED_LENGTH_MS:
            return self.runtime_ms
        return self.largest_ms if self.largest_ms >= SHORTEST_LENGTH_MS else 0


@dataclass(slots=True)
class Reading:
    """The result of reading a file. `told_ms`: all viewing that it states; `lost_ms`: viewing that is in no event, by
    reason; `promotional_ms`: viewing of trailers and the like."""

    rows: int = 0
    empty_rows: int = 0
    bad_rows: list[BadRow] = field(default_factory=list)
    events: list[PlaybackEvent] = field(default_factory=list)
    titles: dict[str, FileTitle] = field(default_factory=dict)
    told_ms: int = 0
    lost_ms: Counter[str] = field(default_factory=Counter)
    promotional_ms: int = 0

    @property
    def delivered_ms(self) -> int:
        """The viewing that is in the events, in milliseconds."""
        return self.told_ms - self.lost_ms.total()

    def parsed(
        self, rows: Iterable[tuple[int, R | BadRow]], parse: Callable[[int, R], T | None], unit: str = "line"
    ) -> Iterator[T]:
        """Yield what `parse` returns for each row. None leaves a row out; `UnreadableField` makes it a bad row."""
        for number, row in rows:
            if isinstance(row, BadRow):
                self.bad_rows.append(row)
                continue
            try:
                found = parse(number, row)
            except UnreadableField as problem:
                self.bad_rows.append(BadRow(number, str(problem), unit))
                continue
            if found is not None:
                yield found

    def loses(self, played_ms: int, reason: str) -> None:
        """Count viewing that the file states, but that is in no event."""
        self.told_ms += played_ms
        self.lost_ms[reason] += played_ms

    def meets(self, title_id: str, name: str, franchise_id: str, reached_ms: int, runtime_ms: int = 0) -> None:
        """Note a main title, with its largest stated position and its length if that is stated."""
        title = self.titles.setdefault(title_id, FileTitle(name, fitting_id(franchise_id) if franchise_id else ""))
        title.largest_ms = max(title.largest_ms, reached_ms)
        title.runtime_ms = max(title.runtime_ms, runtime_ms)


class Format(Protocol):
    """One kind of file. `name` describes it for people; `columns` are those that it must have, if any."""

    @property
    def name(self) -> str: ...

    @property
    def columns(self) -> tuple[str, ...]: ...

    def recognizes(self, document: Document) -> bool:
        """Whether the file is one of these, by its content."""
        ...

    def read(self, document: Document, viewer: FileOwner) -> Reading:
        """Its events, in the order of the file. Raises `NotImportable` if the format cannot give any."""
        ...


def fitting_id(text: str) -> str:
    """The text; if it is too long for an id, its beginning and a hash of all of it."""
    encoded = text.encode()
    if len(encoded) <= LARGEST_ID_BYTES:
        return text
    digest = hashlib.sha256(encoded).hexdigest()[:16]
    return f"{encoded[: LARGEST_ID_BYTES - 20].decode(errors='ignore')}…{digest}"


def session_id(*stated: str) -> str:
    """A play session's id, computed from what the file states: the same each time that it is read."""
    return hashlib.sha256("\x1f".join(stated).encode()).hexdigest()[:32]


def session_fields(
    viewer: FileOwner, title_id: str, *, play_session_id: str, profile: str, kids: bool, kind: str, **stated: str
) -> PlaybackEvent:
    """The fields that all events of a session have. `stated`: `device` and `country`, left out if they are empty."""
    fields: PlaybackEvent = {
        "household_id": viewer.household_id,
        "title_id": title_id,
        "play_session_id": play_session_id,
        "profile_kind": "kids" if kids or profile in viewer.kids else "general",
    }
    ids = {"profile_id": fitting_id(profile), "device_id": fitting_id(stated.get("device", ""))}
    others = {"country": country(stated.get("country", "")), "time_zone": viewer.time_zone or ""}
    kinds = {"content_kind": "" if kind == "main" else kind}
    return fields | {name: value for name, value in (ids | others | kinds).items() if value}


def country(text: str) -> str:
    """The code before a name in brackets, as in `US (United States)`."""
    code = text.split("(")[0].strip()
    return code if len(code.encode()) <= LARGEST_COUNTRY_BYTES else ""


def checked_name(text: str, column: str) -> str:
    """A title's name. Raises `UnreadableField` if there is none, or if it is too long."""
    if not text.strip():
        raise UnreadableField(f"no {column}")
    if len(text.encode()) > LARGEST_NAME_BYTES:
        raise UnreadableField(f"{column} has {len(text.encode())} bytes, accepted: at most {LARGEST_NAME_BYTES}")
    return text
