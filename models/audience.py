"""In which weeks a title reached a household, and whether the household was new, returning or resurrected.

Owns the weeks of a row: credit in weeks not reached yet, the weeks reached, and the kind of each (the design, section
1: audience). Weeks are numbered from Monday 1969-12-29.
"""

from __future__ import annotations

import msgspec

from models.rules import AUDIENCE_WEEKS

REACHED, NEW, RETURNING, RESURRECTED = 1, 2, 3, 4
"""Places in the tally of an audience; its sequence is at 0."""

_RECENT = 52
_RECENT_BITS = (1 << _RECENT) - 1
_REMEMBERED = (1 << AUDIENCE_WEEKS + 1) - 1
_NEVER = -1

Change = tuple[int, int, int]
"""A change of a week's audience: the week, the place in its tally, and 1 or -1."""


class WatchedWeeks(msgspec.Struct, array_like=True, gc=False):
    """The weeks in which one household watched one title.

    `week` was credited last, and `left_ms` is the credit that it still needs to be reached; `others` maps further weeks
    that were credited but not reached to the same. The newest week reached is `week + ahead`. Bit i of `recent` is set
    if the week i weeks before the newest was reached; `older` goes on from there, at bit 52. `first_ago` is how many
    weeks before the newest the first one was reached; -1 while none is reached.
    """

    week: int
    left_ms: int
    ahead: int = 0
    first_ago: int = _NEVER
    recent: int = 0
    older: int = 0
    others: dict[int, int] | None = None

    def credit(self, week: int, credited_ms: int, least_ms: int) -> list[Change]:
        """Add credit to a week. Returns the changes of audiences if that reaches the week, at `least_ms` in all."""
        if week != self.week:
            self._select_week(week, least_ms)
        if not self.left_ms:
            return []
        self.left_ms = max(0, self.left_ms - credited_ms)
        return [] if self.left_ms else self._reach()

    def _select_week(self, week: int, least_ms: int) -> None:
        others = self.others or {}
        if 0 < self.left_ms < least_ms:
            others[self.week] = self.left_ms
        self.ahead += self.week - week
        self.week = week
        self.left_ms = 0 if self._is_reached(week) else others.pop(week, least_ms)
        self.others = others or None

    def forget(self, before: int) -> None:
        """Drop the credit of weeks before this one that are not reached: no event can add to them any more."""
        if self.others is not None:
            self.others = {week: left_ms for week, left_ms in self.others.items() if week >= before} or None

    @property
    def _reached(self) -> int:
        return self.older << _RECENT | self.recent

    def _is_reached(self, week: int) -> bool:
        """Whether a week is reached, as far back as the row remembers."""
        if self.first_ago == _NEVER:
            return False
        ago = self.week + self.ahead - week
        return ago == self.first_ago or (ago >= 0 and bool(self._reached >> ago & 1))

    def _reach(self) -> list[Change]:
        """Mark `week` as reached. Returns the changes of audiences; none if the week is too old to be remembered."""
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
        """Mark the week `ago` weeks before the newest as reached; negative: it becomes the newest."""
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
