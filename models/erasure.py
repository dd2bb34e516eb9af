"""Forgotten households: which they are, and which of their records no longer count.

Owns how an erasure names a household (SHA-256 of its id: FIPS 180-4), what in a partition belongs to that household,
and what can be subtracted again (decision record 15).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Final, NamedTuple

from models.rows import unpack
from models.title import TitleState
from models.viewing import Row

_OTHERS_KEPT: Final = 100_000


def digest_of(household_id: str) -> str:
    """The digest that stands for a household's id, or pseudonym, once that may not be stored: 64 hexadecimal digits."""
    return sha256(household_id.encode()).hexdigest()


class Erasures:
    """A partition's erasures. `until` maps a digest to the offset below which that household's records do not count;
    `below` is the largest of these offsets."""

    def __init__(self) -> None:
        self.until: dict[str, int] = {}
        self.below = 0
        # Households without an erasure are cached: a digest costs half as much as folding an event. Erased ones are
        # never cached, since their ids may not be kept.
        self._others: set[str] = set()

    def note(self, until: Mapping[str, int]) -> None:
        """Add erasures. If a household has one already, the larger offset holds."""
        for digest, offset in until.items():
            self.until[digest] = max(offset, self.until.get(digest, 0))
        self._others.clear()
        self.below = max(self.below, *until.values(), 0)

    def covers(self, household_id: str, offset: int) -> bool:
        """Whether an erasure covers a household's record at an offset: it does not count then."""
        if household_id in self._others:
            return False
        until = self.until.get(digest_of(household_id), 0)
        if not until:
            self._note_other(household_id)
        return offset < until

    def _note_other(self, household_id: str) -> None:
        if len(self._others) >= _OTHERS_KEPT:
            self._others.clear()
        self._others.add(household_id)


class HouseholdRow(NamedTuple):
    """A household's row of one title in a partition."""

    title: TitleState
    household_id: str
    row: Row


def held_of(titles: Iterable[TitleState], digests: Iterable[str]) -> dict[str, list[HouseholdRow]]:
    """The rows of the households with these digests, by digest. Reads every household id of the partition."""
    known: dict[str, str] = {}
    held: dict[str, list[HouseholdRow]] = {digest: [] for digest in digests}
    for title in titles:
        for household_id, kept in title.rows.items():
            digest = known.get(household_id)
            if digest is None:
                digest = known[household_id] = digest_of(household_id)
            if digest in held:
                row = unpack(kept) if isinstance(kept, bytes) else kept
                held[digest].append(HouseholdRow(title, household_id, row))
    return held
