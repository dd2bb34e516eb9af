"""In which weeks a title reached a household, and whether the household was new, returning or resurrected.

Owns the weeks of a row: credit in weeks not reached yet, the weeks reached, and the kind of each (the design, section
1: audience). Weeks are numbered from Monday 1969-12-29.
"""

from __future__ import annotations

import msgspec

from models.rules import AUDIENCE_WEEKS

REACHED, NEW, RETURNING, RESURRECTED = 1, 2, 3, 4
"""Places in the tally of an audience, behind its sequence."""

_RECENT = 52
_RECENT_BITS = (1 << _RECENT) - 1
_REMEMBERED = (1 << AUDIENCE_WEEKS + 1) - 1
_NEVER = -1

Change = tuple[int, int, int]
"""By how much a week's audience moves: the week, the place in its tally, and 1 or -1."""


class Weeks(msgspec.Struct, array_like=True, gc=False):
    """The weeks of one row.

    `left_ms` is what `week`, the one at hand, lacks until it is reached; `others` holds the same of others in which
    some was credited. The newest week reached is `ahead` after the one at hand; bit i of `recent`, then of `older`, is
    set where the week i before the newest was reached. `first_ago`: how long before the newest the first one was; -1
    while none is reached.
    """

    week: int
    left_ms: int
    ahead: int = 0
    first_ago: int = _NEVER
    recent: int = 0
    older: int = 0
    others: dict[int, int] | None = None

    def credit(self, week: int, credited_ms: int, least_ms: int) -> list[Change]:
        """Credit a week; the changes of audiences if it is reached by it."""
        if week != self.week:
            self._turn_to(week, least_ms)
        if not self.left_ms:
            return []
        self.left_ms = max(0, self.left_ms - credited_ms)
        return [] if self.left_ms else self._reach()

    def _turn_to(self, week: int, least_ms: int) -> None:
        others = self.others or {}
        if 0 < self.left_ms < least_ms:
            others[self.week] = self.left_ms
        self.ahead += self.week - week
        self.week = week
        self.left_ms = 0 if self._is_reached(week) else others.pop(week, least_ms)
        self.others = others or None

    def forget(self, before: int) -> None:
        """Drop what was credited in weeks before this one that are not reached: nothing can come to them any more."""
        if self.others is not None:
            self.others = {week: left_ms for week, left_ms in self.others.items() if week >= before} or None

    @property
    def _reached(self) -> int:
        return self.older << _RECENT | self.recent

    def _is_reached(self, week: int) -> bool:
        """Whether a week is reached, as far as the row remembers."""
        if self.first_ago == _NEVER:
            return False
        ago = self.week + self.ahead - week
        return ago == self.first_ago or (ago >= 0 and bool(self._reached >> ago & 1))

    def _reach(self) -> list[Change]:
        """Let the week at hand be reached."""
        week = self.week
        if self.first_ago == _NEVER:
            self.ahead, self.first_ago, self.recent = 0, 0, 1
            return [(week, REACHED, 1), (week, NEW, 1)]
        ago = self.ahead
        if ago > AUDIENCE_WEEKS:
            return []
        former_first = week + ago - self.first_ago
        stated = {each for each in (week + 1, former_first if former_first > week else week) if each != week}
        before = {each: self._kind(each) for each in stated if self._is_reached(each)}
        self._remember(ago)
        changes = [(week, REACHED, 1), (week, self._kind(week), 1)]
        for each, kind in before.items():
            after = self._kind(each)
            if after != kind:
                changes += [(each, kind, -1), (each, after, 1)]
        return changes

    def _remember(self, ago: int) -> None:
        """Note the week so long before the newest; negative: it is the newest."""
        reached = self._reached
        if ago < 0:
            reached = reached << -ago | 1 if -ago <= AUDIENCE_WEEKS else 1
            self.first_ago -= ago
            self.ahead = 0
        else:
            reached |= 1 << ago
            self.first_ago = max(self.first_ago, ago)
        reached &= _REMEMBERED
        self.recent, self.older = reached & _RECENT_BITS, reached >> _RECENT

    def _kind(self, week: int) -> int:
        if self.week + self.ahead - week == self.first_ago:
            return NEW
        return RETURNING if self._is_reached(week - 1) else RESURRECTED
