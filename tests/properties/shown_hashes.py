"""What the two readings of a log say, in the same words: hashes as readers find them, and kept records."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import zip_longest

from random_logs import Log

from models.catalog import CatalogRow
from models.dayparts import read_dayparts
from models.fold import Fold
from models.fold_changes import FoldChanges
from models.hash_fields import (
    WATCHED,
    audience_fields,
    catalog_fields,
    curve_fields,
    daypart_fields,
    daypart_names,
    franchise_fields,
    hour_fields,
    legs_fields,
    stream_fields,
    title_fields,
    window_fields,
)
from models.legs import FOUR_WEEKS, OPENING, complete_weeks, legs
from models.tally import CURVE, DAYPARTS, FRANCHISE, TITLE, TallyKey
from models.windows import AGE, AUDIENCE, HOUR, WEEK
from streams.config.settings import Settings
from streams.redis.keys import Keys
from streams.state.side_outputs import kept_records
from streams.state.transactions import SideRecord as Written
from streams.verify import Expected, KeptRecord, Milestone
from streams.verify.kept import held
from streams.verify.retention import Retention

Hashes = dict[str, dict[str, str]]
Totals = dict[TallyKey, list[int]]
RATES_SHOWN = {
    "views", "completion_rate", "completion_rate_before", "repeat_rate", "return_rate_7d", "rewatch_share",
    "rewatch_share_before",
    "hold", "multiple", "half_life_days", "hold_4w", "hold_4w_before",
}  # fmt: skip
KEYS = Keys("")


# -- records in topics of their own -------------------------------------------------------------------------------


def kept(log: Log, changes: list[list[FoldChanges]], topic: str) -> list[KeptRecord | Milestone]:
    """What each partition's checkpoints write into the topic of a setting, in the recomputation's form."""
    where = Settings()
    return [
        _kept(record)
        for number, of_partition in enumerate(changes)
        for drained in of_partition
        for record in kept_records(drained, where, number, "a topic's id", log.pseudonyms)
        if record.topic == getattr(where, topic)
    ]


def _kept(record: Written) -> KeptRecord | Milestone:
    headers = dict(record.headers)
    place = int(headers["partition"]), int(headers["offset"])
    if record.topic == Settings().milestones_topic:
        return Milestone(*place, record.key, **json.loads(record.value or b""))
    length = int(headers["value_bytes"]) if "value_bytes" in headers else None
    return KeptRecord(*place, held(record.key), held(record.value), None, length)


# -- hashes -------------------------------------------------------------------------------------------------------


def shown(folds: list[Fold], log: Log) -> Hashes:
    """Every hash that readers would find of these drained folds, by its key without the prefix."""
    totals, catalog = _totals(folds), log.catalog()
    names = daypart_names(part.name for part in read_dayparts(log.rules.dayparts))
    found = {KEYS.tally(key): _pairs(_fields(key, totals, catalog, names)) for key in totals}
    hashes = {key: fields for key, fields in found.items() if fields}
    as_of_ms = min((fold.stream_time_ms for fold in folds if fold.stream_time_ms >= 0), default=0)
    hashes |= {KEYS.legs(title_id): _pairs(fields) for title_id, fields in _legs(totals, catalog, as_of_ms)}
    stream = [sum(counts) for counts in zip(*(fold.stream_counts() for fold in folds), strict=True)]
    return hashes | {"status": _pairs(stream_fields(stream))}


def _totals(folds: list[Fold]) -> Totals:
    totals: Totals = {}
    for fold in folds:
        for key, (_, *counts) in fold.tallies.items():
            # A curve may be by another length in another partition.
            totals[key] = [total + count for total, count in zip_longest(totals.get(key, []), counts, fillvalue=0)]
    return totals


def _fields(key: TallyKey, totals: Totals, catalog: Mapping[str, CatalogRow], names: list[str]) -> list[str]:
    total = totals[key]
    if key.kind == DAYPARTS:
        return daypart_fields(names, total)
    if key.kind == FRANCHISE:
        return franchise_fields(total, list(_members(key.title_id, totals, catalog)))
    if key.kind == TITLE:
        row = catalog.get(key.title_id)
        return title_fields(total, row.known_runtime_ms if row is not None else 0) + catalog_fields(row)
    if key.kind == AUDIENCE:
        return audience_fields(total)
    if key.kind == CURVE:
        row = catalog.get(key.title_id)
        return curve_fields(total, row.length_ms if row is not None else 0)
    return hour_fields(total) if key.kind == HOUR else window_fields(total)


def _members(franchise_id: str, totals: Totals, catalog: Mapping[str, CatalogRow]) -> Iterator[tuple[int, int]]:
    """Watched time and runtime of the titles that belong to a franchise now and have both."""
    for title_id, row in catalog.items():
        total = totals.get(TallyKey(TITLE, 0, title_id))
        if row.franchise_id == franchise_id and row.known_runtime_ms and total is not None:
            yield total[WATCHED], row.known_runtime_ms


def _legs(totals: Totals, catalog: Mapping[str, CatalogRow], as_of_ms: int) -> Iterator[tuple[str, list[str]]]:
    for title_id, row in catalog.items():
        week = complete_weeks(row.release_time_ms, as_of_ms)
        if week and TallyKey(TITLE, 0, title_id) in totals:
            weeks = {n: totals.get(TallyKey(WEEK, n, title_id), []) for n in range(1, week + 1)}
            opening, four_weeks = (totals.get(TallyKey(AGE, place, title_id), []) for place in (OPENING, FOUR_WEEKS))
            yield title_id, legs_fields(legs(week, weeks, opening, four_weeks))


def _pairs(flat: list[str]) -> dict[str, str]:
    return dict(zip(flat[::2], flat[1::2], strict=True))


# -- where they differ --------------------------------------------------------------------------------------------


def expected_now(log: Log, expected: Expected, found: Hashes) -> Hashes:
    """Of the hashes expected and found, those that nobody may have let go by now."""
    releases_ms = {KEYS.title(title_id): release_ms for title_id, release_ms in expected.releases_ms.items()}
    retention = Retention(*log.retention, releases_ms)
    over = retention.over(found.keys() | expected.hashes.keys(), expected.stream_ms)
    for key in over:
        found.pop(key, None)
    return {key: fields for key, fields in expected.hashes.items() if key not in over}


def differences(found: Hashes, expected: Hashes) -> list[str]:
    """Where two sets of hashes differ, one line each; the last digit of a rate may round either way."""
    return [
        f"{key} {name}: found {found.get(key, {}).get(name)!r}, expected {expected.get(key, {}).get(name)!r}"
        for key in sorted(found.keys() | expected.keys())
        for name in sorted(found.get(key, {}).keys() | expected.get(key, {}).keys())
        if not _alike(name, found.get(key, {}).get(name), expected.get(key, {}).get(name))
    ]


def _alike(name: str, found: str | None, expected: str | None) -> bool:
    if name in RATES_SHOWN and found and expected:
        return abs(float(found) - float(expected)) < 1.5e-6 * max(1.0, abs(float(expected)))
    return found == expected
