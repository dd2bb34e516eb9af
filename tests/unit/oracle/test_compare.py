"""Every way in which what was published can differ from what was recomputed, and how it is said."""

from dataclasses import replace

import pytest
from oracle_log import T0, Log

from streams.oracle import Difference, Expected, Found, Kept, compare
from streams.oracle.sums import window_start_ms

BOOKKEEPING = {"as_of_ms": "1", "version": "7", "complete": "1"}


def one_viewing() -> Expected:
    log = Log().watch(0, 40, 0).raw(None, b"no key", T0).raw(b"home", None, T0)
    return log.add("pause", 0, -(40 * 86_400_000), timestamp=0).recompute()


def as_expected(expected: Expected, **changed: dict[str, str]) -> Found:
    hashes = {key: fields | BOOKKEEPING for key, fields in expected.hashes.items()}
    for key, fields in changed.items():
        hashes[key.replace("__", ":")] = hashes.get(key.replace("__", ":"), {}) | fields
    return Found(hashes, list(expected.dead_letters), list(expected.late))


def test_what_is_equal_has_no_difference() -> None:
    expected = one_viewing()
    assert sorted(expected.hashes) == [
        "status", "title:film", "title:film:day:20250616", "title:film:hour:20250616T00",
    ]  # fmt: skip
    assert compare(expected, as_expected(expected)) == []


def test_gauges_and_the_rest_of_the_status_are_not_looked_at() -> None:
    expected = one_viewing()
    found = as_expected(expected, title__film={"watching_now": "3"}, status={"lag": "5"})
    assert compare(expected, found) == []


@pytest.mark.parametrize(
    ("key", "field", "value", "should"),
    [
        ("title:film", "plays", "2", "1"),
        ("title:film", "watched_s", "40", "40.000"),
        ("title:film", "completion_rate", "0.000000", ""),
        ("title:film:hour:20250616T00", "starters", "", "0"),
        ("status", "dead_letters", "3", "2"),
        ("title:film", "complete", "0", "1"),
        ("title:film", "version", "", "an integer"),
    ],
)
def test_a_changed_field_is_reported(key: str, field: str, value: str, should: str) -> None:
    expected = one_viewing()
    found = as_expected(expected, **{key: {field: value}})
    assert Difference(key, field, should, value) in compare(expected, found)
    assert len(compare(expected, found)) == 1 + (key == "status")  # the status does not add up either


def test_a_missing_and_an_extra_field_are_reported() -> None:
    expected = one_viewing()
    found = as_expected(expected, title__film={"boos": "1"})
    del found.hashes["title:film"]["plays"]
    assert compare(expected, found) == [
        Difference("title:film", "plays", "1", "nothing"),
        Difference("title:film", "boos", "nothing", "1"),
    ]


def test_a_missing_and_an_extra_key_are_reported() -> None:
    expected = one_viewing()
    found = as_expected(expected, title__other={"plays": "4"} | BOOKKEEPING)
    del found.hashes["title:film:day:20250616"]
    assert compare(expected, found) == [
        Difference("title:film:day:20250616", "", "plays=1 watched_s=40.000", "nothing"),
        Difference("title:other", "", "nothing", "plays=4 as_of_ms=1 version=7 complete=1"),
    ]
    assert len(compare(expected, found, may_lack={"title:film:day:20250616"})) == 1


@pytest.mark.parametrize(
    ("views", "equal"),
    [
        ("0.399998", False),
        ("0.399999", True),
        ("0.400001", True),
        ("0.400002", False),
        ("0.4", False),
        ("", False),
    ],
)
def test_the_last_digit_of_a_rate_rounds_either_way(views: str, equal: bool) -> None:
    expected = one_viewing()
    assert (compare(expected, as_expected(expected, title__film={"views": views})) == []) == equal


def test_dead_letters_are_there_exactly_once_with_their_bytes() -> None:
    expected = one_viewing()
    no_key, tombstone = expected.dead_letters
    expected.dead_letters[no_key] = "not JSON"
    late = expected.late[0]
    found = as_expected(expected)
    found = replace(
        found,
        dead_letters=[no_key, no_key, Kept(0, tombstone.offset, b"home", b"changed"), Kept(1, 9, b"k", b"v")],
        late=[],
    )
    assert compare(expected, found) == [
        Difference(f"dead letter 0:{no_key.offset}", "", "once (not JSON)", "2 times"),
        Difference(f"dead letter 0:{tombstone.offset}", "", "once (no value)", "other bytes"),
        Difference(f"dead letter 0:{tombstone.offset}", "", "nothing", "1 times: b'changed'"),
        Difference("dead letter 1:9", "", "nothing", "1 times: b'v'"),
        Difference(f"late event 0:{late.offset}", "", "once (late)", "nothing"),
    ]


def test_a_window_key_says_when_it_began() -> None:
    assert window_start_ms("title:a:hour:20250616T01") == T0 + 3_600_000
    assert window_start_ms("title:a:day:20250616") == T0
    assert window_start_ms("title:a") is None
