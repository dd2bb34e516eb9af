"""Tallies as records of the state changelog: those of a title that change together lie in one record.

Owns which tallies of a title are in its bundle, and the records' form. Each event moves a title, its hour, day, week
and ages, and all of them by the same: as a record each they were most of what a checkpoint writes. It must not know
what tallies mean, checkpoints, or how records are sent.

A tally is what the title's bundle says of it; where that does not, what its own record says. So each key may be
compacted by itself, whatever becomes of the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

import msgspec

from models.tallies import AGE, DAY, DAYPARTS, FRANCHISE, HOUR, TITLE, WEEK, TallyKey

Message = dict[str, bytes | None]
Tallies = Mapping[TallyKey, list[int]]

BUNDLE = b"b"
_NUMBERED = (HOUR, DAY, AGE, WEEK)
_WHOLE = (TITLE, DAYPARTS, FRANCHISE)

encode = msgspec.msgpack.Encoder().encode
decode_tally = msgspec.msgpack.Decoder(list[int]).decode
_decode_bundle = msgspec.msgpack.Decoder(tuple[list[tuple[str, int]], list[list[int]]]).decode


class UnknownKind(ValueError):
    """A record's key names no kind of tally. The message says which it does."""


class _Bundle(NamedTuple):
    """Whose latest values are in a title's bundle, in the record's order; `names` without the title."""

    keys: list[TallyKey]
    names: list[tuple[str, int]]


class Bundles:
    """The bundles of one partition's titles; `tallies` are all that there are, as of the last drain."""

    def __init__(self, tallies: Tallies) -> None:
        self._tallies = tallies
        self._bundles: dict[str, _Bundle] = {}

    def messages(self, changed: Mapping[TallyKey, list[int] | None]) -> list[Message]:
        """The records that say what changed; None in place of a tally that left."""
        messages: list[Message] = []
        groups: dict[str, tuple[list[TallyKey], list[list[int]]]] = {}
        for key, tally in changed.items():
            if tally is None:
                messages += self._without(key)
            elif key.kind == FRANCHISE:
                messages.append({"key": tally_key(key), "value": encode(tally)})
            else:
                group = groups.get(key.title_id)
                if group is None:
                    group = groups[key.title_id] = ([], [])
                group[0].append(key)
                group[1].append(tally)
        for title_id, (keys, tallies) in groups.items():
            bundle = self._bundles.get(title_id)
            if bundle is None or bundle.keys != keys:
                messages += self._turn_to(title_id, keys)
                bundle = self._bundles[title_id]
                tallies = [self._tallies[key] for key in bundle.keys]
            messages.append({"key": _bundle_key(title_id), "value": encode((bundle.names, tallies))})
        return messages

    def restore(self, title_id: str, value: bytes) -> Iterator[tuple[TallyKey, list[int]]]:
        """Go on with a title's last bundle; what it says."""
        names, tallies = _decode_bundle(value)
        keys = [TallyKey(kind, number, title_id) for kind, number in names]
        self._bundles[title_id] = _Bundle(keys, names)
        return zip(keys, tallies, strict=True)

    def _turn_to(self, title_id: str, changed: list[TallyKey]) -> Iterator[Message]:
        """Let a bundle hold what changed: what it held besides gets a record of its own, unless nothing is new."""
        bundle = self._bundles.get(title_id)
        held: Iterable[TallyKey] = () if bundle is None else bundle.keys
        now = set(changed)
        others = [key for key in held if key not in now]
        if bundle is None or len(changed) + len(others) > len(bundle.keys):
            self._hold(title_id, changed)
            for key in others:
                yield {"key": tally_key(key), "value": encode(self._tallies[key])}

    def _without(self, left: TallyKey) -> Iterator[Message]:
        """Take a tally that left out of its title's bundle, and away."""
        yield {"key": tally_key(left), "value": None}
        bundle = self._bundles.get(left.title_id)
        if bundle is None or left not in bundle.keys:
            return
        # Others of them may have left, too.
        self._hold(left.title_id, [key for key in bundle.keys if key in self._tallies])
        keys, names = self._bundles[left.title_id]
        tallies = [self._tallies[key] for key in keys]
        yield {"key": _bundle_key(left.title_id), "value": encode((names, tallies)) if keys else None}

    def _hold(self, title_id: str, keys: list[TallyKey]) -> None:
        self._bundles[title_id] = _Bundle(keys, [(key.kind, key.number) for key in keys])


@lru_cache(maxsize=100_000)
def tally_key(key: TallyKey) -> bytes:
    """The key of a tally's own record."""
    number = key.number.to_bytes(4, "big") if key.kind in _NUMBERED else b""
    return key.kind.encode() + number + key.title_id.encode()


def read_tally_key(key: bytes) -> TallyKey:
    """The tally that a record's key names. Raises `UnknownKind`, and `ValueError` for an id that is no UTF-8."""
    kind = key[:1].decode(errors="replace")
    if kind not in (*_NUMBERED, *_WHOLE):
        raise UnknownKind(f"a row of an unknown kind {kind!r}")
    number, title = (0, key[1:]) if kind in _WHOLE else (int.from_bytes(key[1:5], "big"), key[5:])
    return TallyKey(kind, number, title.decode())


@lru_cache(maxsize=100_000)
def _bundle_key(title_id: str) -> bytes:
    return BUNDLE + title_id.encode()
