"""Which windows may have expired by now, or hold less than before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from models.rules import DAY_MS
from streams.config.settings import Settings
from streams.verify.audience import named_week_ms
from streams.verify.shown import title_key
from streams.verify.sums import DAY_NAME, HOUR_NAME


@dataclass(frozen=True)
class Retention:
    """How long windows are kept: those of hours, days and audiences from their start, those by age from the release.

    A title whose release was corrected is judged by the earliest: its windows hold what was counted by that.
    """

    hour_ms: int
    day_ms: int
    age_ms: int
    releases_ms: Mapping[str, int]

    @classmethod
    def of(cls, settings: Settings, releases_ms: Mapping[str, int]) -> Retention:
        return cls(
            settings.hour_retention_days * DAY_MS,
            settings.day_retention_days * DAY_MS,
            settings.age_retention_days * DAY_MS,
            {title_key(title_id): release_ms for title_id, release_ms in releases_ms.items()},
        )

    def over(self, keys: Iterable[str], clock_ms: int) -> set[str]:
        """The keys whose retention is over at a clock."""
        return {key for key in keys if (until_ms := self.until_ms(key)) is not None and until_ms <= clock_ms}

    def until_ms(self, key: str) -> int | None:
        """When a key's retention is over; None: it is kept for good."""
        match key.split(":"):
            case ["title", _, "hour", name]:
                return _start_ms(name, HOUR_NAME) + self.hour_ms
            case ["title", _, "day", name] | ["board", _, "day", name]:
                return _start_ms(name, DAY_NAME) + self.day_ms
            case ["title", _, "audience", name]:
                return named_week_ms(name) + self.day_ms
            case ["title", title, "age" | "week", _] | ["title", title, "legs"]:
                return self.releases_ms[f"title:{title}"] + self.age_ms
        return None


def _start_ms(name: str, pattern: str) -> int:
    return round(datetime.strptime(name, pattern).replace(tzinfo=UTC).timestamp()) * 1000
