"""Legs of a title: hold, multiple, half-life and unstoppable, from its weeks since release.

Owns the formulas, in integers and decimals of 28 digits. It shares no code with `models`.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from models.rules import DAY_MS
from streams.verify.facts import WEEK_MS, WEEKS
from streams.verify.shown import rate, seconds, six_decimals
from streams.verify.sums import Counts

LEAST_STARTERS = 20
"""An unstoppable title has at least this many starters."""


class Legs:
    """The legs of one title. `windows`: its counts by window name; `weeks`: how many of its weeks are complete."""

    def __init__(self, windows: Mapping[str, Counts], weeks: int) -> None:
        self.windows = windows
        self.weeks = weeks

    def count(self, window: str, kind: str = "watched_ms") -> int:
        return self.windows.get(window, {}).get(kind, 0)

    def watched_ms(self, week: int) -> int:
        return self.count(f"week:{week}")

    def until(self, week: int, kind: str) -> int:
        """The sum of a count over the weeks from the first to this one."""
        return sum(self.count(f"week:{n}", kind) for n in range(1, week + 1))

    def hold_4w(self, week: int) -> str:
        """The geometric mean hold of four weeks. It depends only on the first and the last of the five weeks."""
        if week < 5 or not self.watched_ms(week - 4):
            return ""
        return six_decimals((Decimal(self.watched_ms(week)) / self.watched_ms(week - 4)).sqrt().sqrt())

    def rewatch_share(self, week: int) -> str:
        return rate(self.until(week, "rewatches"), self.until(week, "completions"))

    def completion_rate(self, week: int) -> str:
        """At most 1: a household that started before the first week may complete in it."""
        starters = self.until(week, "starters")
        return rate(min(self.until(week, "completers"), starters), starters)

    def half_life_days(self) -> str:
        """By the least squares line through the logarithms of the last six weeks; empty if it does not fall."""
        weeks = [self.watched_ms(week) for week in range(self.weeks - 5, self.weeks + 1)]
        if self.weeks < 6 or not all(weeks):
            return ""
        a, b, c, d, e, f = weeks
        if f**5 * e**3 * d >= a**5 * b**3 * c:  # the line does not fall; in integers, as logarithms round
            return ""
        logs = [Decimal(watched_ms).ln() for watched_ms in weeks]
        slope = sum((weight * log for weight, log in zip(range(-5, 6, 2), logs, strict=True)), Decimal(0)) / 35
        return six_decimals(7 * Decimal(2).ln() / -slope)

    def qualifies(self, week: int) -> bool:
        """Whether a week's hold, rewatches and completions are those of an unstoppable title.

        No week before the fifth qualifies, as there is no mean hold of four weeks yet.
        """
        completions, starters = self.until(week, "completions"), self.until(week, "starters")
        return (
            week >= 5
            and self.watched_ms(week - 4) > 0
            and self.watched_ms(week) * 100**4 >= self.watched_ms(week - 4) * 85**4
            and completions > 0
            and self.until(week, "rewatches") * 100 >= completions * 30
            and starters >= LEAST_STARTERS
            and self.until(week, "completers") * 100 >= starters * 60
        )


def legs(windows: Mapping[str, Counts], release_ms: int, as_of_ms: int) -> dict[str, str]:
    """The fields of a title's legs; empty before its first week is complete."""
    week = min(WEEKS, (as_of_ms - release_ms) // WEEK_MS)
    if week < 1:
        return {}
    of = Legs(windows, week)
    opening_ms, d28_ms = of.count("age:opening"), of.count("age:28d")
    is_28_days_old = as_of_ms >= release_ms + 28 * DAY_MS
    before = week - 1
    return {
        "week": str(week),
        "week_watched_s": seconds(of.watched_ms(week)),
        "week_before_watched_s": seconds(of.watched_ms(before)) if before else "",
        "hold": rate(of.watched_ms(week), of.watched_ms(before)),
        "opening_watched_s": seconds(opening_ms),
        "d28_watched_s": seconds(d28_ms) if is_28_days_old else "",
        "multiple": rate(d28_ms, opening_ms) if is_28_days_old else "",
        "half_life_days": of.half_life_days(),
        "hold_4w": of.hold_4w(week),
        "hold_4w_before": of.hold_4w(before),
        "rewatch_share": of.rewatch_share(week),
        "rewatch_share_before": of.rewatch_share(before),
        "completion_rate": of.completion_rate(week),
        "completion_rate_before": of.completion_rate(before),
        "unstoppable": str(int(of.qualifies(week) and of.qualifies(before))),
    }
