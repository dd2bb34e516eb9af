"""Keys: each as its form says, and what belongs to a hash told from its key."""

from __future__ import annotations

import re

import pytest

from models.hash_fields import DAY_BOARDS, TITLE_BOARDS
from models.tally import CURVE, DAYPARTS, FRANCHISE, TITLE, TallyKey
from models.windows import AGE, AUDIENCE, DAY, HOUR, WEEK
from streams.redis.keys import COMPUTED, READ, TALLIES, DependentKeys, Keys
from streams.verify import readers

PREFIX = "100%{x}:"
KEYS = Keys(PREFIX)


@pytest.mark.parametrize(
    ("key", "name"),
    [
        (TallyKey(TITLE, 0, "a b:c"), "title:a%20b%3Ac"),
        (TallyKey(HOUR, 486_120, "film"), "title:film:hour:20250616T00"),
        (TallyKey(DAY, 20_255, "film"), "title:film:day:20250616"),
        (TallyKey(AGE, 0, "film"), "title:film:age:opening"),
        (TallyKey(AGE, 3, "film"), "title:film:age:91d"),
        (TallyKey(WEEK, 104, "film"), "title:film:week:104"),
        (TallyKey(AUDIENCE, 2_969, "film"), "title:film:audience:2026W48"),
        (TallyKey(CURVE, 0, "film"), "title:film:curve"),
        (TallyKey(DAYPARTS, 0, "film"), "title:film:dayparts"),
        (TallyKey(FRANCHISE, 0, "saga/1"), "franchise:saga%2F1"),
    ],
)
def test_a_tally_is_shown_under_the_key_of_its_kind(key: TallyKey, name: str) -> None:
    assert KEYS.tally(key) == PREFIX + name
    assert re.fullmatch(re.sub("<[^>]*>", "[^:]+", TALLIES[key.kind].form), name)


def test_other_keys_of_readers() -> None:
    assert [KEYS.legs("a b"), KEYS.title("a b"), KEYS.franchise("a b")] == [
        f"{PREFIX}title:a%20b:legs", f"{PREFIX}title:a%20b", f"{PREFIX}franchise:a%20b",
    ]  # fmt: skip
    assert [KEYS.board("plays"), KEYS.board("plays", 20_255), KEYS.franchise_board("plays")] == [
        f"{PREFIX}board:plays", f"{PREFIX}board:plays:day:20250616", f"{PREFIX}board:plays:franchises",
    ]  # fmt: skip
    assert [KEYS.status, KEYS.changes, KEYS.titles, KEYS.franchises] == [
        f"{PREFIX}status", f"{PREFIX}changes", f"{PREFIX}titles", f"{PREFIX}franchises",
    ]  # fmt: skip
    assert KEYS.alias == f"{PREFIX}alias"


def test_every_form_is_declared_once() -> None:
    assert {*TALLIES.values(), *COMPUTED.values()} < set(READ)
    assert len({form.form for form in READ}) == len(READ)
    assert all(form.holds for form in READ)


def test_shares_are_told_from_their_hash_and_back() -> None:
    shares = KEYS.shares(f"{PREFIX}title:film")
    assert shares == f"{PREFIX}internal:shares:title:film"
    assert KEYS.of_shares(shares) == f"{PREFIX}title:film"


def test_what_belongs_to_a_hash_is_told_from_its_key() -> None:
    title = TallyKey(TITLE, 0, "a b:c")
    assert KEYS.held(KEYS.tally(title)) == DependentKeys(
        "a b:c", [*map(KEYS.board, TITLE_BOARDS), f"{PREFIX}titles"], [KEYS.legs("a b:c")]
    )
    assert KEYS.held(KEYS.franchise("a b:c")) == DependentKeys(
        "a b:c", [*map(KEYS.franchise_board, TITLE_BOARDS), f"{PREFIX}franchises"], []
    )
    day = TallyKey(DAY, 20_255, "a b:c")
    assert KEYS.held(KEYS.tally(day)) == DependentKeys(
        "a b:c", [KEYS.board(metric, 20_255) for metric in DAY_BOARDS], []
    )
    for kind in (HOUR, AGE, WEEK, AUDIENCE, CURVE, DAYPARTS):
        assert KEYS.held(KEYS.tally(TallyKey(kind, 1, "film"))) == DependentKeys("", [], [])
    assert KEYS.held(KEYS.status) == KEYS.held(KEYS.legs("film")) == DependentKeys("", [], [])


def test_the_recomputation_computes_the_same_hashes() -> None:
    assert {*readers.COMPUTED} == COMPUTED.keys(), "COMPUTED in streams/verify/readers.py names each of them, too"
