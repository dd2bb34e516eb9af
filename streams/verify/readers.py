"""Everything that readers read about titles and franchises, except windows.

Adds up the partitions at the end of their logs, with the present catalog.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import cached_property
from typing import Any
from urllib.parse import unquote

from streams.verify.coverage import catalog_length
from streams.verify.curves import curve
from streams.verify.folding import PartitionLog
from streams.verify.legs import legs
from streams.verify.shown import (
    SUMMED_COUNTS,
    Hashes,
    all_time_fields,
    catalog_fields,
    daypart_fields,
    franchise_key,
    rate,
    six_decimals,
    title_key,
)
from streams.verify.sums import Sums

COMPUTED = ("legs",)
"""The words of a title's hashes that are computed from its windows' counts. They have no shares."""


def is_computed(key: str) -> bool:
    """Whether a key names a computed hash."""
    return key.count(":") == 2 and key.rpartition(":")[2] in COMPUTED


class Readers:
    """The hashes that can change without a record: gauges fall, and the catalog is corrected.

    A session counts as watched now only if its partition has counted anything of the title. So only a title's counters
    decide whether it has a hash, not the moment of a checkpoint. `there` names keys that were found: a franchise that a
    title was moved to, and away from before any record, may have a hash of zeros. The logs do not show that, so such a
    hash is expected if it is found.
    """

    def __init__(
        self, sums: Sums, logs: Sequence[PartitionLog], current: Mapping[str, bytes], there: Collection[str]
    ) -> None:
        self.sums = sums
        self.logs = logs
        self.there = there
        self.catalog: dict[str, dict[str, Any]] = {title_id: json.loads(row) for title_id, row in current.items()}
        self.watching = [self._watching(log) for log in logs]
        self.watching_now = sum(self.watching, Counter[str]())

    def _watching(self, log: PartitionLog) -> Counter[str]:
        counted = self.sums.titles.get(log.partition, {})
        watching = log.gauges().watching(log.clock_ms)
        return Counter({title_id: sessions for title_id, sessions in watching.items() if title_id in counted})

    def hashes(self) -> Hashes:
        hashes = {title_key(title_id): fields for title_id, fields in self.titles.items()}
        hashes |= {franchise_key(franchise_id): fields for franchise_id, fields in self.franchises.items()}
        return hashes | dict(self._dayparts()) | dict(self._curves()) | dict(self._legs())

    @cached_property
    def titles(self) -> Hashes:
        """The hashes of titles, by title id; only of titles that have one."""
        return {
            title_id: all_time_fields(self._counts(title_id), self.watching_now[title_id], self._views(title_id))
            | catalog_fields(self.catalog.get(title_id, {}))
            for title_id in {title_id for titles in self.sums.titles.values() for title_id in titles}
        }

    def _counts(self, title_id: str) -> Counter[str]:
        counts: Counter[str] = Counter()
        for titles in self.sums.titles.values():
            counts.update(titles.get(title_id, {}))
        for log in self.logs:
            counts.subtract(log.households_gone.get(title_id, {}))
        return counts

    def _views(self, title_id: str) -> str:
        return rate(self._counts(title_id)["watched_ms"], self._runtime_ms(title_id))

    def _runtime_ms(self, title_id: str) -> int:
        return self.catalog.get(title_id, {}).get("runtime_ms") or 0

    # Dayparts, curves and legs

    def _dayparts(self) -> Iterator[tuple[str, dict[str, str]]]:
        streaks: dict[str, Counter[tuple[int, int]]] = defaultdict(Counter)
        for log in self.logs:
            for (title_id, daypart, level), households in log.gauges().current_streaks(log.clock_ms).items():
                streaks[title_id][daypart, level] += households
        names = self.logs[0].dayparts.names
        for title_id in self.titles:
            fields = daypart_fields(names, self.sums.dayparts[title_id], streaks[title_id])
            yield f"{title_key(title_id)}:dayparts", fields

    def _curves(self) -> Iterator[tuple[str, dict[str, str]]]:
        for title_id in self.titles:
            length_ms = catalog_length(self.catalog.get(title_id, {}))
            played = sum((log.made.curves.get(title_id, Counter()) for log in self.logs), Counter[int]())
            fields = curve(played, length_ms) if length_ms else {}
            if fields:
                yield f"{title_key(title_id)}:curve", fields

    def _legs(self) -> Iterator[tuple[str, dict[str, str]]]:
        as_of_ms = min((log.stream_ms for log in self.logs if log.stream_ms >= 0), default=0)
        for title_id in self.titles:
            release_ms = self.catalog.get(title_id, {}).get("release_time_ms")
            if release_ms is not None:
                fields = legs(self.sums.windows.get(title_id, {}), release_ms, as_of_ms)
                if fields:
                    yield f"{title_key(title_id)}:legs", fields

    # Franchises

    @cached_property
    def franchises(self) -> Hashes:
        """The hashes of franchises, by franchise id; only of franchises that have one."""
        return dict(self._franchises())

    def _franchises(self) -> Iterator[tuple[str, dict[str, str]]]:
        for franchise_id in self._franchises_with_a_hash():
            counts: Counter[str] = Counter()
            watching = 0
            for log, watching_now in zip(self.logs, self.watching, strict=True):
                counts.update(log.franchises.distinct.get(franchise_id, {}))
                for title_id in log.franchises.members.get(franchise_id, ()):
                    watching += watching_now[title_id]
                    counts.update(self._summed(log.partition, title_id))
            views = self._views_of_franchise(franchise_id)
            yield franchise_id, all_time_fields(counts, watching, views)

    def _franchises_with_a_hash(self) -> set[str]:
        franchises = {franchise_id for log in self.logs for franchise_id in log.franchises.once()}
        for log, watching_now in zip(self.logs, self.watching, strict=True):
            franchises |= {log.franchises.of[title_id] for title_id in watching_now if title_id in log.franchises.of}
        maybe = {unquote(key.removeprefix("franchise:")) for key in self.there if key.startswith("franchise:")}
        return franchises | {each for each in maybe if franchise_key(each) in self.there}

    def _summed(self, partition: int, title_id: str) -> dict[str, int]:
        counts = self.sums.titles.get(partition, {}).get(title_id, {})
        return {name: counts.get(name, 0) for name in SUMMED_COUNTS}

    def _views_of_franchise(self, franchise_id: str) -> str:
        """The sum of the views of the titles that the present catalog puts in the franchise."""
        views = [
            Decimal(self._counts(title_id)["watched_ms"]) / self._runtime_ms(title_id)
            for title_id in self._members_now.get(franchise_id, ())
            if title_id in self.titles and self._runtime_ms(title_id) > 0
        ]
        return six_decimals(sum(views, Decimal(0))) if views else ""

    @cached_property
    def _members_now(self) -> dict[str, list[str]]:
        members: dict[str, list[str]] = defaultdict(list)
        for title_id, row in self.catalog.items():
            if row.get("franchise_id"):
                members[row["franchise_id"]].append(title_id)
        return members

    def earliest_releases_ms(self) -> dict[str, int]:
        """The earliest release that each title has or had, in milliseconds since 1970."""
        releases: dict[str, int] = {}
        now = {title_id: row["release_time_ms"] for title_id, row in self.catalog.items() if "release_time_ms" in row}
        for of_one in (now, *(log.earliest_release_ms for log in self.logs)):
            for title_id, release_ms in of_one.items():
                if release_ms is not None:
                    releases[title_id] = min(release_ms, releases.get(title_id, release_ms))
        return releases
