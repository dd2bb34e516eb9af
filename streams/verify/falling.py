"""Gauges that fall while a verification reads: which values lie on the way from one clock to a later one.

Owns the judgement of a value that is no longer what an earlier clock gives, and not yet what a later one gives.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import NamedTuple

from streams.verify.shown import Hashes

GAUGE = re.compile(r"\d+(\.0)?")
"""The text of a gauge in a hash, or of its score on a board."""


class Fallen(NamedTuple):
    """The hashes and boards that later clocks of silent partitions give. Only gauges differ from those of before."""

    hashes: Hashes
    boards: Hashes

    def has_field(self, key: str, name: str, expected: str, found: str) -> bool:
        """Whether the found value of a field may be there while it falls from what was expected."""
        least = self.hashes.get(key, {}).get(name, expected)
        return least != expected and _is_between(least, found, expected)

    def has_score(self, key: str, member: str, expected: str, found: str | None) -> bool:
        """The same for a score on a board. A member leaves when it comes to 0."""
        least = self.boards.get(key, {}).get(member)
        if found is None:
            return least is None
        return least != expected and _is_between(least or "1", found, expected)


def _is_between(least: str, found: str, most: str) -> bool:
    numbers = all(GAUGE.fullmatch(each) for each in (least, found, most))
    return numbers and Decimal(least) <= Decimal(found) <= Decimal(most)
