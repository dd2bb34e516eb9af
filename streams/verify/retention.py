"""Which windows may have expired, or may hold less than was counted in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from models.rules import DAY_MS
from streams.config.settings import Settings
from streams.verify.readers import COMPUTED
from streams.verify.shown import title_key
from streams.verify.windows import AGES, BY_WORD, DAYS, HOURS


@dataclass(frozen=True)
class Retention:
    """How long windows are kept: hours, days and audiences from their start, windows by age from the release.

    If a title's release was corrected, its earliest one counts, as its windows may have been counted by that.
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
        """The keys whose retention is over at a time in milliseconds since 1970."""
        return {key for key in keys if (until_ms := self.until_ms(key)) is not None and until_ms <= clock_ms}

    def until_ms(self, key: str) -> int | None:
        """When a key's retention is over, in milliseconds since 1970; None: it never expires."""
        match key.split(":"):
            case ["board", _, "day", name]:
                return self._until_ms("day", "", name)
            case ["title", title, word, name] if word in BY_WORD:
                return self._until_ms(word, title, name)
            case ["title", title, word] if word in COMPUTED:
                return self.releases_ms[f"title:{title}"] + self.age_ms
        return None

    def _until_ms(self, word: str, title: str, name: str) -> int:
        window = BY_WORD[word]
        start_ms = self.releases_ms[f"title:{title}"] if window.start_ms is None else window.start_ms(name)
        return start_ms + {HOURS: self.hour_ms, DAYS: self.day_ms, AGES: self.age_ms}[window.kept]
