"""Who may post: the sources of a file, each with its format, its topic and its write keys.

Owns the file's fields, and how a source is found by a key.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from models.sources.posted import ENCORE, PostedFormat, posted_format
from models.sources.schemas import schemas

SHORTEST_KEY = 16
_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")
_TOPIC = re.compile(r"[A-Za-z0-9._-]{1,200}")


class BadSources(Exception):
    """The file of the sources cannot be used. The message is one line: the file, the source, what is accepted."""


class SourceRow(msgspec.Struct, forbid_unknown_fields=True):
    """A source as the file states it."""

    format: str
    keys: list[str]
    topic: str = ""


@dataclass(frozen=True, slots=True)
class MessageSource:
    """Where messages come from: their format, and the topic that they are written to."""

    name: str
    form: PostedFormat
    topic: str


@dataclass(frozen=True, slots=True)
class Sources:
    """All sources. Keys are kept as digests, so that how long a search takes says nothing about them."""

    all: list[MessageSource] = field(default_factory=list)
    by_digest: dict[bytes, MessageSource] = field(default_factory=dict)

    def of(self, key: str) -> MessageSource | None:
        """The source of a write key."""
        return self.by_digest.get(_digest(key))


def read_sources(path: str, source_topic: str) -> Sources:
    """The sources of a file; `source_topic` is that of Encore's own events. Raises `BadSources`."""
    try:
        rows = msgspec.toml.decode(Path(path).read_bytes(), type=dict[str, SourceRow])
    except OSError as problem:
        raise BadSources(f"{path}: {problem.strerror}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        raise BadSources(f"{path}: {problem}") from None
    if not rows:
        raise BadSources(f"{path}: the file holds no source")
    sources = Sources()
    for name, row in rows.items():
        if wrong := _problem(name, row, source_topic):
            raise BadSources(f"{path}: source {name!r}: {wrong}")
        source = MessageSource(name, posted_format(row.format), row.topic or source_topic)
        sources.all.append(source)
        sources.by_digest.update((_digest(key), source) for key in row.keys)
    times = Counter(key for row in rows.values() for key in row.keys)
    if doubled := times.total() - len(times):
        raise BadSources(f"{path}: {doubled} keys are repeated: give each key to one source only")
    return sources


def _problem(name: str, row: SourceRow, source_topic: str) -> str:
    if not _NAME.fullmatch(name):
        return "the name must be 1 to 64 of the characters A-Z a-z 0-9 . _ -"
    if row.format not in (ENCORE, *schemas()):
        return f"format {row.format!r} is not known; use one of {', '.join((ENCORE, *schemas()))}"
    if not row.keys or min(map(len, row.keys)) < SHORTEST_KEY:
        return f"keys: give one or more, each of at least {SHORTEST_KEY} characters"
    if row.format == ENCORE:
        return f"topic: events of Encore's format go to {source_topic}" if row.topic else ""
    if not _TOPIC.fullmatch(row.topic) or row.topic == source_topic:
        return f"topic: name the one that `encore bridge {row.format}` reads, which is not {source_topic}"
    return ""


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode(errors="replace")).digest()
