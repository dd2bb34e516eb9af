"""The curve of a title: how often each part of it was played."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from recomputation_log import FILM, HOUR, MIN, Log, S

from models.rules import Rules
from streams.verify import Catalog, CatalogRow, recompute
from streams.verify.curves import curve


def shown(log: Log, *titles: dict[str, object]) -> dict[str, str]:
    return log.recompute(*titles).hashes.get("title:film:curve", {})


def test_each_credited_interval_adds_one_to_the_cells_that_it_covers() -> None:
    log = Log().watch(0, 100, 0).watch(50, 100, HOUR, "b")
    log.add("start", 0, 2 * HOUR, "c").add("seek", 95 * S, 2 * HOUR, "c").add("stop", 98 * S, 2 * HOUR + 3 * S, "c")
    values = [*["1.000"] * 10, *["2.000"] * 9, "3.000"]
    assert shown(log) == {"slices": "20"} | {str(number): value for number, value in enumerate(values)}


def test_both_intervals_of_a_loop_add() -> None:
    log = Log().add("start", 80 * S, 0).add("stop", 10 * S, 30 * S)
    found = shown(log)
    assert [number for number in range(20) if found[str(number)] == "1.000"] == [0, 1, 16, 17, 18, 19]


@pytest.mark.parametrize(("cells", "slices"), [(99, 99), (100, 100), (101, 100)])
def test_a_curve_has_a_hundred_slices_at_most(cells: int, slices: int) -> None:
    assert curve({0: 1}, cells * 5_000)["slices"] == str(slices)


def test_a_slice_is_its_sum_by_its_number_of_cells_rounded_half_to_even() -> None:
    # Of 1,600 cells each slice has 16: 1/16 is 0.0625, 3/16 0.1875, 5/16 0.3125.
    found = curve(Counter({0: 1, 1: 3, 2: 5, 99: 16}), 1_600 * 5_000)
    assert [found[name] for name in ("0", "1", "2", "3", "99")] == ["0.062", "0.188", "0.312", "0.000", "1.000"]
    # Of 101 the first slice has cells 0 and 1.
    assert curve({0: 1}, 101 * 5_000)["0"] == "0.500"


def test_no_length_by_the_catalog_is_no_curve() -> None:
    log = Log().watch(0, 100, 0, runtime_ms=100 * S)
    assert shown(log, {"title_id": "film"}) == {}
    assert shown(Log().watch(0, 100, 0), FILM | {"credits_start_ms": 50 * S})["slices"] == "10"


def test_a_curve_without_a_value_is_none() -> None:
    assert shown(Log().add("start", 0, 0).add("stop", 2 * S, 2 * S)) == {}


def test_a_changed_length_starts_the_curve_anew() -> None:
    log = Log().title("film", runtime_ms=100 * S).watch(0, 100, 0).title("film", runtime_ms=100 * S, name="same")
    assert shown(log)["19"] == "1.000"
    log.title("film", runtime_ms=50 * S)
    assert shown(log) == {}
    assert shown(log.watch(0, 10, HOUR, "b"))["slices"] == "10"
    log.title("film").title("film", runtime_ms=50 * S)
    assert shown(log) == {}


def test_partitions_add_up_by_the_length_that_the_catalog_has_now() -> None:
    log = Log(partitions=2).watch(0, 100, 0, partition=0).watch(0, 50, 0, partition=1, household_id="h2")
    assert [shown(log)[name] for name in ("9", "10")] == ["2.000", "1.000"]
    rows = {number: [CatalogRow(0, "film", json.dumps(FILM).encode())] for number in range(2)}
    now = {"film": json.dumps(FILM | {"runtime_ms": 10 * S}).encode()}
    assert recompute(log.records, Catalog(rows, now), Rules(), 2).hashes["title:film:curve"] == {
        "slices": "2", "0": "2.000", "1": "2.000",
    }  # fmt: skip
    assert "title:film:curve" not in recompute(log.records, Catalog(rows, {}), Rules(), 2).hashes


def test_an_erasure_takes_nothing_back() -> None:
    log = Log().watch(0, 100, 0).watch(0, 10, MIN, "b", household_id="h2")
    erased = log.recompute(erasures={0: {(len(log.records), "x"): 0}})
    assert erased.hashes["title:film:curve"] == shown(log)
