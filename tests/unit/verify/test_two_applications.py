"""What two applications show differently: by kind of key, by field, and how far they are apart."""

from __future__ import annotations

from decimal import Decimal

import pytest

from streams.verify.two_applications import ApplicationProgress, FieldSums, KeyKind, apart, differences, kind_of

WRITTEN = {"as_of_ms": "1", "version": "2", "complete": "1"}


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("title:a", "title"),
        ("title:a%3Ab:day:20261123", "day"),
        ("title:a:audience:2026W48", "audience"),
        ("title:a:legs", "legs"),
        ("franchise:a", "franchise"),
        ("board:plays", "board"),
        ("board:plays:day:20261123", "board of a day"),
        ("status", "status"),
    ],
)
def test_a_key_is_of_the_kind_of_what_it_shows(key: str, kind: str) -> None:
    assert kind_of(key) == kind


def test_what_says_when_a_hash_was_written_and_how_workers_are_is_not_compared() -> None:
    first = {"title:a": {"plays": "3", **WRITTEN}, "status": {"events": "9", "lag": "4", **WRITTEN}}
    second = {"title:a": {"plays": "3", "version": "7"}, "status": {"events": "9", "lag": "0", "incarnation": "5"}}
    assert differences(first, second) == {"title": KeyKind(both=1), "status": KeyKind(both=1)}


def test_a_field_that_differs_anywhere_is_told_with_its_sums_over_all_keys() -> None:
    first = {"title:a": {"plays": "3", "watched_s": "1.500"}, "title:b": {"plays": "10", "watched_s": "2.000"}}
    second = {"title:a": {"plays": "4", "watched_s": "1.500"}, "title:b": {"plays": "10", "watched_s": "2.000"}}
    kind = KeyKind(both=2, differing=1, sums={"plays": FieldSums(1, Decimal(13), Decimal(14))}, example="title:a")
    assert differences(first, second) == {"title": kind}


def test_keys_that_only_one_shows_are_differences() -> None:
    found = differences({"title:a": {"plays": "3"}}, {"title:b": {"plays": "4"}})["title"]
    assert (found.both, found.only_first, found.only_second, found.is_equal) == (0, 1, 1, False)
    assert found.sums == {"plays": FieldSums(2, Decimal(3), Decimal(4))}


@pytest.mark.parametrize(("score", "is_equal"), [("3.0", True), ("3", True), ("4", False)])
def test_boards_are_compared_by_members_and_scores(score: str, is_equal: bool) -> None:
    assert differences({"board:plays": {"a": "3"}}, {"board:plays": {"a": score}})["board"].is_equal is is_equal


@pytest.mark.parametrize(
    ("second", "records"),
    [
        (ApplicationProgress("t", {"0": 5, "1": 7}), 0),
        (ApplicationProgress("t", {"0": 6, "1": 5}), 3),
        (ApplicationProgress("t", {"0": 5}), None),
        (ApplicationProgress("u", {"0": 5, "1": 7}), None),
        (ApplicationProgress("", {}), None),
    ],
)
def test_how_far_two_applications_are_apart_is_said_where_they_count_the_same_topic(
    second: ApplicationProgress, records: int | None
) -> None:
    assert apart(ApplicationProgress("t", {"0": 5, "1": 7}), second) == records
