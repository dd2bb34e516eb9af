"""Titles as a reader gives them, for pages."""

from __future__ import annotations

from typing import Any

from streams.reader import Age, AudienceWeek, Curve, Day, Daypart, Dayparts, Hour, Legs, Profile, Title, Week

AS_OF_MS = 1_795_449_936_145
HEAD: dict[str, Any] = {"as_of_ms": AS_OF_MS, "version": 1, "complete": True}
REBUILDING = HEAD | {"complete": False}


def title(title_id: str, head: dict[str, Any] = HEAD, **fields: Any) -> Title:
    return Title(title_id=title_id, **head | fields)


def week(number: int, watched_s: float, head: dict[str, Any] = HEAD) -> Week:
    return Week(title_id="dragon", name=str(number), watched_s=watched_s, **head)


def hour(name: str, completions: int, head: dict[str, Any] = HEAD) -> Hour:
    return Hour(title_id="dragon", name=name, completions=completions, **head)


def day(name: str, head: dict[str, Any] = HEAD, **fields: Any) -> Day:
    return Day(title_id="dragon", name=name, **head | fields)


def dayparts(head: dict[str, Any] = HEAD) -> Dayparts:
    before = Daypart(name="before_school", watched_s=3_000.0, completions=30, streak_3=118, streak_5=71, streak_10=22)
    return Dayparts(title_id="dragon", dayparts=(before, Daypart(name="other", watched_s=1_000.0)), **head)


def legs(head: dict[str, Any] = HEAD, **fields: Any) -> Legs:
    return Legs(**{"title_id": "dragon", "week": 9} | head | fields)


def audience(
    name: str, new: int, returning: int = 0, resurrected: int = 0, head: dict[str, Any] = HEAD
) -> AudienceWeek:
    classes = {"new": new, "returning": returning, "resurrected": resurrected}
    return AudienceWeek(title_id="dragon", name=name, reached=sum(classes.values()), **classes, **head)


def curve(*values: float, head: dict[str, Any] = HEAD) -> Curve:
    return Curve(title_id="dragon", values=values, **head)


COUNTS: dict[str, Any] = {
    "plays": 44_012_345, "starters": 600, "viewers": 596, "watchers": 576, "completers": 540, "repeaters": 270,
    "completions": 1_650, "rewatches": 1_110, "watched_s": 9_758_416.206, "completion_rate": 0.9, "repeat_rate": 0.5,
    "rewatch_hist_1": 270, "rewatch_hist_2": 135, "rewatch_hist_10_plus": 4,
    "returned_1d": 165, "returned_7d": 825, "returned_28d": 1_000, "return_rate_7d": 0.5, "profile_rewatches": 900,
    "autoplay_completions": 33,
}  # fmt: skip


def dragon(**parts: Any) -> Profile:
    """A title with everything; `parts` take the place of what it has."""
    whole = {
        "title": title("dragon", **COUNTS),
        "ages": (Age(title_id="dragon", name="opening", starters=200, watched_s=3_600.0, **HEAD),),
        "weeks": (week(1, 7_200.0), week(3, 1_800.0)),
        "dayparts": dayparts(),
        "audience": (audience("2026W45", 8), audience("2026W47", 1, 2, 1), audience("2026W48", 0, 1)),
        "curve": curve(4, 4, 8, 2),
        "legs": legs(hold_4w=0.95, hold_4w_before=0.84, rewatch_share=0.6, rewatch_share_before=0.5),
    }
    return Profile(**{"title_id": "dragon"} | whole | parts)
