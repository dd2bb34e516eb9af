"""Forgotten households: which they are, and which of their records no longer count.

Owns how an erasure names a household (SHA-256 of its id: FIPS 180-4), what in a partition belongs to that household,
and what can be subtracted again (decision record 15).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Final, NamedTuple

from models.rows import unpack
from models.title import Title
from models.viewing import Row

_OTHERS_KEPT: Final = 100_000


def digest_of(household_id: str) -> str:
    """What names a household whose id, or pseudonym, must be kept nowhere: 64 hexadecimal digits."""
    return sha256(household_id.encode()).hexdigest()


class Erasures:
    """A partition's erasures. `until` has, by digest, the offset below which the household's records do not count;
    `below` is the largest of these."""

    def __init__(self) -> None:
        self.until: dict[str, int] = {}
        self.below = 0
        # Households that none of these names: a digest costs as much as half an event. Those that one names are told
        # by their digest each time, and their ids stay nowhere.
        self._others: set[str] = set()

    def note(self, until: Mapping[str, int]) -> None:
        """Let these hold too, each as far as it reaches."""
        for digest, offset in until.items():
            self.until[digest] = max(offset, self.until.get(digest, 0))
        self._others.clear()
        self.below = max(self.below, *until.values(), 0)

    def covers(self, household_id: str, offset: int) -> bool:
        """Whether a household's record at an offset does not count."""
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


class Held(NamedTuple):
    """A row that a partition holds of a household."""

    title: Title
    household_id: str
    row: Row


def held_of(titles: Iterable[Title], digests: Iterable[str]) -> dict[str, list[Held]]:
    """The rows of the households that bear one of these digests, by digest. Looks through all rows."""
    known: dict[str, str] = {}
    held: dict[str, list[Held]] = {digest: [] for digest in digests}
    for title in titles:
        for household_id, kept in title.rows.items():
            digest = known.get(household_id)
            if digest is None:
                digest = known[household_id] = digest_of(household_id)
            if digest in held:
                row = unpack(kept) if isinstance(kept, bytes) else kept
                held[digest].append(Held(title, household_id, row))
    return held
