"""The comparison counts what the worker counts: the same totals as the independent recomputation."""

from __future__ import annotations

import json
from itertools import islice

import pytest

from models.rules import Rules
from streams.tools.bench.stock import KIDS_TOO, TOTALS, Playback, decode, fold, is_counted, new_pair, new_title
from streams.tools.simulate.plan import Plan
from streams.tools.simulate.stream import stream
from streams.tools.simulate.world import catalog_rows, titles
from streams.verify import Catalog, CatalogRow, RawRecord, recompute

ORIGIN_MS = 1_767_225_600_000
COUNTS = (*TOTALS, *(f"kids_{name}" for name in KIDS_TOO if name != "watched_ms"))


def totals_of_stock(items, catalog):
    pairs, sums = {}, {}
    for item in items:
        event = decode(item.value)
        row = catalog.get(event.title_id, {})
        if is_counted(event, row, item.timestamp_ms):
            pair = pairs.setdefault((event.household_id, event.title_id), json.dumps(new_pair()))
            pair, title = json.loads(pair), sums.setdefault(event.title_id, new_title())
            fold(pair, title, event, row)
            pairs[event.household_id, event.title_id] = json.dumps(pair)
    return sums


def totals_of_the_recomputation(items, rows):
    taken_in = [CatalogRow(0, row["title_id"], json.dumps(row).encode()) for row in rows]
    records = [RawRecord(0, n, item.timestamp_ms, item.key, item.value) for n, item in enumerate(items)]
    return recompute(records, Catalog({0: taken_in}), Rules(), 1)


def test_stock_faust_counts_the_same_totals_as_the_recomputation():
    plan = Plan(seed=3, households=12, titles=4).without_faults()
    rows = catalog_rows(titles(plan, ORIGIN_MS))
    items = list(islice(stream(plan, ORIGIN_MS), 12_000))
    expected = totals_of_the_recomputation(items, rows)
    found = totals_of_stock(items, {row["title_id"]: row for row in rows})
    assert sum(total["rewatches"] for total in found.values()) > 50
    for title_id, total in found.items():
        published = expected.hashes.get(f"title:{title_id}", {})
        assert {name: total[name] for name in COUNTS} == {name: int(published.get(name, 0)) for name in COUNTS}
        assert f"{total['watched_ms'] / 1000:.3f}" == published.get("watched_s", "0.000")


@pytest.mark.parametrize("value", [b"", b"{", b"[]", b'{"event_id":"a"}'])
def test_what_cannot_be_read_is_no_event(value):
    assert decode(value) is None


@pytest.mark.parametrize(
    ("late_ms", "counted"), [(-300_001, False), (-300_000, True), (30 * 86_400_000, True), (30 * 86_400_000 + 1, False)]
)
def test_an_event_counts_from_thirty_days_before_its_record_to_five_minutes_after(late_ms, counted):
    event = Playback("e", "start", ORIGIN_MS - late_ms, "h", "t", "s", 0)
    assert is_counted(event, {}, ORIGIN_MS) is counted
