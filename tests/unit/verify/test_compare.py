"""Every way in which what was published can differ from what was recomputed, and how it is said."""

from __future__ import annotations

from dataclasses import replace

import pytest
from recomputation_log import DAY, HOUR, T0, Log, S

from models.rules import LARGEST_KEPT_BYTES
from streams.verify import Difference, Expected, KeptRecord, WorkerOutput, compare
from streams.verify.kept import held

BOOKKEEPING = {"as_of_ms": "1", "version": "7", "complete": "1"}
STATUS = {"incarnation": "1", "partitions_ready": "4", "lag": "0", "checkpointed_ms": "9", "rebuilding": "0"}


def one_viewing() -> Expected:
    log = Log().watch(0, 40, 0).raw(None, b"no key", T0).raw(b"home", None, T0)
    return log.add("pause", 0, -40 * DAY, timestamp=0).recompute()


def two_completions() -> Expected:
    """Each of one hundred seconds: the first makes a starter and viewer at offset 9 too, the second at 20 none."""
    return Log().watch(0, 100, 0).watch(0, 100, HOUR, "b").recompute()


def as_expected(expected: Expected, **changed: dict[str, str]) -> WorkerOutput:
    hashes = {key: fields | BOOKKEEPING for key, fields in expected.hashes.items()}
    hashes["status"] |= STATUS
    for key, fields in changed.items():
        hashes[key.replace("__", ":")] = hashes.get(key.replace("__", ":"), {}) | fields
    kept = (dict.fromkeys(each, 1) for each in (expected.dead_letters, expected.late, expected.milestones))
    return WorkerOutput(hashes, expected.boards, set(hashes), {}, *kept)


def test_what_is_equal_has_no_difference() -> None:
    expected = one_viewing()
    assert sorted(expected.hashes) == [
        "status", "title:film", "title:film:curve", "title:film:day:20250616", "title:film:dayparts",
        "title:film:hour:20250616T00",
    ]  # fmt: skip
    assert sorted(expected.boards) == [
        "board:plays", "board:plays:day:20250616", "board:views", "board:watched_s", "board:watched_s:day:20250616",
        "titles",
    ]  # fmt: skip
    assert compare(expected, as_expected(expected)) == []


def test_what_the_status_says_of_the_moment_is_not_looked_at() -> None:
    expected = one_viewing()
    assert compare(expected, as_expected(expected, status={"lag": "5", "partitions_ready": "2"})) == []


def test_a_field_that_the_status_does_not_have_is_reported_and_one_that_it_lacks() -> None:
    expected = one_viewing()
    found = as_expected(expected, status={"watching_now": "3", "rebuilding": "1"})
    del found.hashes["status"]["lag"]
    assert compare(expected, found) == [
        Difference("status", "watching_now", "nothing", "3"),
        Difference("status", "lag", "an integer", "nothing"),
        Difference("status", "rebuilding", "0", "1"),
    ]


@pytest.mark.parametrize(("events", "balanced"), [("4", False), ("5", True), ("6", False)])
def test_what_is_counted_adds_up_to_the_records_of_the_raw_topic(events: str, balanced: bool) -> None:
    expected = one_viewing()
    assert (expected.produced, expected.hashes["status"]["events"]) == (8, "5")
    differences = compare(expected, as_expected(expected, status={"events": events}))
    balance = Difference("status", "events + dead_letters + late_events", "8", f"{events} + 2 + 1")
    assert differences == ([] if balanced else [Difference("status", "events", "5", events), balance])


def test_the_balance_is_that_of_the_raw_topic_even_where_each_count_is_as_recomputed() -> None:
    expected = replace(one_viewing(), produced=9)
    assert compare(expected, as_expected(expected)) == [
        Difference("status", "events + dead_letters + late_events", "9", "5 + 2 + 1")
    ]


@pytest.mark.parametrize(
    ("key", "field", "value", "should"),
    [
        ("title:film", "plays", "2", "1"),
        ("title:film", "watched_s", "40", "40.000"),
        ("title:film", "watching_now", "3", "0"),
        ("title:film:dayparts", "other_watched_s", "41.000", "40.000"),
        ("title:film:dayparts", "evening_streak_3", "1", "0"),
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


# Keys that should not be there


def test_a_key_that_is_no_hash_is_reported_with_its_type() -> None:
    expected = one_viewing()
    found = as_expected(expected)
    del found.hashes["title:film"]
    found = replace(found, boards={key: scores for key, scores in found.boards.items() if key != "board:plays"})
    odd = {"title:film": "string", "board:plays": "hash", "board:x": "list", "changes": "list", "verdicts": "zset"}
    assert compare(expected, replace(found, odd_keys=odd)) == [
        Difference("board:plays", "", "film=1", "a hash"),
        Difference("board:x", "", "nothing", "a list"),
        Difference("changes", "", "a stream", "a list"),
        Difference("title:film", "", "plays=1 watched_s=40.000 views=0.400000 runtime_s=100.000", "a string"),
        Difference("verdicts", "", "a stream", "a zset"),
    ]


def test_shares_are_there_for_the_readers_hashes_and_for_no_other() -> None:
    expected = one_viewing()
    found = as_expected(expected)
    shares = {*found.hashes, "title:gone"} - {"title:film"}
    assert compare(expected, replace(found, shares=shares)) == [
        Difference("internal:shares:title:gone", "", "nothing", "shares of a hash that is not there"),
        Difference("internal:shares:title:film", "", "shares of a hash that is there", "nothing"),
    ]


@pytest.mark.parametrize("shares", [set(), {"title:film:legs"}])
def test_legs_have_no_shares_but_may_have_a_revision(shares: set[str]) -> None:
    expected = one_viewing()
    expected.hashes["title:film:legs"] = {"week": "1"}
    found = as_expected(expected)
    found = replace(found, shares=set(found.shares) - {"title:film:legs"} | shares)
    assert compare(expected, found) == []
    del expected.hashes["title:film:legs"], found.hashes["title:film:legs"]  # its release was taken back
    assert compare(expected, found) == []


@pytest.mark.parametrize(("key", "may_be"), [("title:film:curve", True), ("title:gone:curve", False)])
def test_of_a_curve_that_began_anew_only_shares_are_there(key: str, may_be: bool) -> None:
    expected = one_viewing()
    found = as_expected(expected)
    assert (compare(expected, replace(found, shares={*found.shares, key})) == []) == may_be


@pytest.mark.parametrize("gone", ["hash", "shares", "both"])
def test_a_window_whose_time_to_live_may_be_over_may_lack_its_hash_its_shares_or_both(gone: str) -> None:
    expected, key = one_viewing(), "title:film:day:20250616"
    found = as_expected(expected)
    if gone != "shares":
        del found.hashes[key]
    if gone != "hash":
        found = replace(found, shares=set(found.shares) - {key})
    assert len(compare(expected, found)) == 1
    assert compare(expected, found, may_lack={key}) == []


# Boards


def boards_with(expected: Expected, key: str, **scores: str) -> WorkerOutput:
    found = as_expected(expected)
    return replace(found, boards=found.boards | {key: scores})


def test_a_board_is_compared_with_all_its_members() -> None:
    expected = one_viewing()
    found = boards_with(expected, "board:watched_s", film="39.0", other="1.0")
    assert compare(expected, found) == [
        Difference("board:watched_s", "film", "40.000", "39.0"),
        Difference("board:watched_s", "other", "nothing", "1.0"),
    ]
    assert compare(expected, boards_with(expected, "board:watched_s")) == [
        Difference("board:watched_s", "film", "40.000", "nothing")
    ]


def test_a_member_without_a_score_must_not_be_there() -> None:
    expected = one_viewing()
    found = boards_with(expected, "board:plays", film="1.0", other="0.0")
    assert compare(expected, found) == [Difference("board:plays", "other", "nothing", "0.0")]


def test_a_missing_and_an_extra_board_are_reported() -> None:
    expected = one_viewing()
    found = boards_with(expected, "board:boos", film="2.0")
    found = replace(found, boards={key: scores for key, scores in found.boards.items() if key != "board:plays"})
    assert compare(expected, found) == [
        Difference("board:plays", "", "film=1", "nothing"),
        Difference("board:boos", "", "nothing", "film=2.0"),
    ]


@pytest.mark.parametrize(
    ("views", "equal"),
    [("0.4", True), ("0.399999", True), ("0.400001", True), ("0.400002", False), ("0.399998", False)],
)
def test_a_score_is_the_fields_and_of_a_rate_the_last_digit_rounds_either_way(views: str, equal: bool) -> None:
    expected = one_viewing()
    assert (compare(expected, boards_with(expected, "board:views", film=views)) == []) == equal
    assert (compare(expected, boards_with(expected, "board:watched_s", film="40.000001")) == []) is False


# Legs


@pytest.mark.parametrize(
    ("half_life", "found", "equal"),
    [
        ("7.000000", "7.000001", True), ("7.000000", "7.000002", False), ("7.000000", "", False),
        ("1000000.000000", "1000000.010000", True), ("1000000.000000", "1000000.020000", False),
    ],
)  # fmt: skip
def test_a_half_life_is_as_exact_as_a_slope_can_be(half_life: str, found: str, equal: bool) -> None:
    expected = one_viewing()
    expected.hashes["title:film:legs"] = {"half_life_days": half_life}
    there = as_expected(expected, **{"title:film:legs": {"half_life_days": found}})
    assert (compare(expected, there) == []) == equal


# Windows whose retention is over


@pytest.mark.parametrize(
    ("plays", "watched", "less"),
    [("1", "40.000", True), ("0", "39.999", True), ("2", "40.000", False), ("-1", "0", False)],
)
def test_a_window_that_a_partition_let_go_of_may_hold_less(plays: str, watched: str, less: bool) -> None:
    expected, key = one_viewing(), "title:film:day:20250616"
    found = as_expected(expected, **{key: {"plays": plays, "watched_s": watched}})
    assert (compare(expected, found, may_be_less={key}) == []) == less
    assert (compare(expected, found) == []) == (plays == "1")


@pytest.mark.parametrize(("returning", "less"), [("-1", True), ("1", True), ("2", False), ("", False)])
def test_a_weeks_class_that_a_partition_let_go_of_may_be_less_than_nothing(returning: str, less: bool) -> None:
    expected, key = one_viewing(), "title:film:audience:2025W25"
    expected.hashes[key] = {"reached": "3", "returning": "1"}
    found = as_expected(expected, **{key: {"returning": returning}})
    assert (compare(expected, found, may_be_less={key}) == []) == less
    assert (compare(expected, found) == []) == (returning == "1")


def test_a_board_of_a_day_that_a_partition_let_go_of_may_hold_less() -> None:
    expected, key = one_viewing(), "board:watched_s:day:20250616"
    expected.boards[key]["more"] = "7.000"
    for scores, less in (({"film": "39.0"}, True), ({"film": "41.0"}, False), ({"film": "40.0", "new": "1.0"}, False)):
        found = boards_with(expected, key, **scores)
        assert (compare(expected, found, may_be_less={key}) == []) == less
        assert compare(expected, found) != []


def test_of_legs_nobody_knows_what_is_left_but_their_fields() -> None:
    expected, key = one_viewing(), "title:film:legs"
    expected.hashes[key] = {"week": "104", "hold": ""}
    found = as_expected(expected, **{key: {"hold": "2.000000"}})
    assert compare(expected, found, may_be_less={key}) == []
    del found.hashes[key]["week"]
    assert compare(expected, found, may_be_less={key}) == [Difference(key, "week", "104", "nothing")]


# Records that are kept


def test_dead_letters_are_there_exactly_once_with_their_bytes() -> None:
    expected = one_viewing()
    no_key, tombstone = expected.dead_letters
    expected.dead_letters[no_key] = "not JSON"
    late = expected.late[0]
    changed, ghost = KeptRecord(0, tombstone.offset, b"home", b"changed"), KeptRecord(1, 9, b"k", b"v")
    found = replace(as_expected(expected), dead_letters={no_key: 2, changed: 1, ghost: 1}, late={})
    assert compare(expected, found) == [
        Difference(f"dead letter 0:{no_key.offset}", "", "once (not JSON)", "2 times"),
        Difference(f"dead letter 0:{tombstone.offset}", "value", "nothing", "b'changed'"),
        Difference("dead letter 1:9", "", "nothing", "1 times: b'v'"),
        Difference(f"late event 0:{late.offset}", "", "once (late)", "nothing"),
    ]


@pytest.mark.parametrize(
    ("size", "kept_size", "value_bytes"),
    [
        (LARGEST_KEPT_BYTES - 1, LARGEST_KEPT_BYTES - 1, None),
        (LARGEST_KEPT_BYTES, LARGEST_KEPT_BYTES, None),
        (LARGEST_KEPT_BYTES + 1, LARGEST_KEPT_BYTES, LARGEST_KEPT_BYTES + 1),
    ],
)
def test_a_dead_letter_beyond_five_million_bytes_is_kept_cut_with_its_length(
    size: int, kept_size: int, value_bytes: int | None
) -> None:
    expected = Log().raw(b"home", b"x" * size, T0).recompute()
    letter = KeptRecord(0, 0, b"home", held(b"x" * kept_size), None, value_bytes)
    found = as_expected(expected)
    assert compare(expected, replace(found, dead_letters={letter: 1})) == []
    assert compare(expected, replace(found, dead_letters={letter._replace(value_bytes=7): 1})) == [
        Difference("dead letter 0:0", "value_bytes", "nothing" if value_bytes is None else str(value_bytes), "7")
    ]
    shorter = letter._replace(value=held(b"x" * (kept_size - 1)))
    (difference,) = compare(expected, replace(found, dead_letters={shorter: 1}))
    assert (difference.field, f"({kept_size} bytes," in difference.expected) == ("value", True)


def test_a_key_is_cut_as_a_value_is() -> None:
    expected = Log().raw(b"k" * (LARGEST_KEPT_BYTES + 1), b"{", T0).recompute()
    (letter,) = expected.dead_letters
    assert letter == KeptRecord(0, 0, held(b"k" * LARGEST_KEPT_BYTES), b"{", LARGEST_KEPT_BYTES + 1, None)


@pytest.mark.parametrize("size", [100, 101, 102])
def test_long_values_that_differ_in_one_byte_at_their_end_differ(size: int) -> None:
    whole = b"x" * size
    assert (held(whole) == whole) == (size <= 100)
    assert held(whole) == held(bytes(whole)) != held(whole[:-1] + b"y")
    assert len(held(whole) or b"") <= 120


def test_a_record_that_cannot_be_read_is_reported_as_it_was_told() -> None:
    expected = one_viewing()
    odd = Difference("encore-late 0:3", "headers", "topic, partition, offset", "none")
    assert compare(expected, replace(as_expected(expected), odd_records=[odd])) == [odd]


# Milestones


def test_a_milestone_that_is_missing_and_one_that_is_extra_are_reported() -> None:
    expected = two_completions()
    starter, viewer, first, second = expected.milestones
    ghost = starter._replace(offset=3)
    found = replace(as_expected(expected), milestones={viewer: 1, first: 1, second: 1, ghost: 1})
    assert compare(expected, found) == [
        Difference("milestone 0:3 starter", "", "nothing", "1 times: starter 1 of film by home"),
        Difference("milestone 0:9 starter", "", "once (starter 1 of film by home)", "nothing"),
    ]


@pytest.mark.parametrize("times", [2, 3])
def test_a_milestone_that_is_there_more_than_once_is_reported(times: int) -> None:
    expected = two_completions()
    found = as_expected(expected)
    found = replace(found, milestones={**found.milestones, expected.milestones[3]: times})
    assert compare(expected, found) == [
        Difference("milestone 0:20 completion", "", "once (completion 2 of film by home)", f"{times} times")
    ]


@pytest.mark.parametrize(
    ("field", "value", "should", "said"),
    [
        ("key", b"h", "b'home'", "b'h'"), ("key", None, "b'home'", "nothing"),
        ("milestone", "play", "completion", "play"), ("household_id", "h", "home", "h"),
        ("title_id", "movie", "film", "movie"), ("event_id", "e0", "e9", "e0"),
        ("event_time_ms", 5, str(T0 + 90 * S), "5"), ("ordinal", 2, "1", "2"),
        ("rewatch", True, "False", "True"), ("rewatch", None, "False", "nothing"), ("daypart", "x", "nothing", "x"),
    ],
)  # fmt: skip
def test_a_milestone_with_another_field_value_says_which(field: str, value: object, should: str, said: str) -> None:
    expected = two_completions()
    starter, viewer, first, second = expected.milestones
    changed = first._replace(**{field: value})
    found = replace(as_expected(expected), milestones=dict.fromkeys((starter, viewer, changed, second), 1))
    assert compare(expected, found) == [Difference("milestone 0:9 completion", field, should, said)]


def test_of_two_milestones_of_one_event_each_is_compared_with_the_one_most_like_it() -> None:
    expected = two_completions()
    starter, viewer, first, second = expected.milestones
    others = [each._replace(event_id="e0") for each in (first, viewer)]
    found = replace(as_expected(expected), milestones=dict.fromkeys((starter, *others, second), 1))
    assert compare(expected, found) == [
        Difference("milestone 0:9 viewer", "event_id", "e9", "e0"),
        Difference("milestone 0:9 completion", "event_id", "e9", "e0"),
    ]


@pytest.mark.parametrize(("told", "differences"), [(20, 1), (21, 0), (22, 0)])
def test_what_a_state_before_has_told_may_be_other_milestones(told: int, differences: int) -> None:
    # The second completion is made at offset 20; it is missing, and below `told` another one is there.
    expected = two_completions()
    found = as_expected(expected)
    rest = expected.milestones[:-1]
    other = rest[0]._replace(offset=0, milestone="viewer")
    found = replace(found, milestones=dict.fromkeys((*rest, other), 1))
    assert len(compare(expected, found, told={0: told})) == differences
    assert len(compare(expected, found, told={1: told})) == 2
    assert len(compare(expected, found)) == 2


def test_what_a_state_before_has_told_is_told_once_even_if_other_words_were_used() -> None:
    expected = two_completions()
    found = as_expected(expected)
    again = expected.milestones[2]._replace(event_id="other", key=b"other", rewatch=None)
    found = replace(found, milestones={**found.milestones, again: 1})
    assert compare(expected, found, told={0: 100}) == [
        Difference("milestone 0:9 completion", "", "once (completion 1 of film by home)", "2 times")
    ]
    assert compare(expected, replace(found, milestones={expected.milestones[0]: 2}), told={0: 100}) == [
        Difference("milestone 0:9 starter", "", "once (starter 1 of film by home)", "2 times")
    ]


def test_dead_letters_and_late_events_below_told_are_compared_all_the_same() -> None:
    expected = one_viewing()
    found = replace(as_expected(expected), dead_letters={}, late={})
    assert len(compare(expected, found, told={0: 100})) == 3


@pytest.mark.parametrize(("told", "times", "missing"), [(2, 1, 0), (3, 1, 0), (1, 1, 1), (0, 1, 1), (2, 0, 1)])
def test_a_dead_letter_that_was_told_of_the_topic_this_is_a_copy_of_is_not_told_again(
    told: int, times: int, missing: int
) -> None:
    log = Log().add("start", 0, 0).raw(b"home", b"?", T0)
    expected = log.recompute()
    (letter,) = expected.dead_letters
    elsewhere = {letter._replace(partition=-1, offset=-1): times}
    found = replace(as_expected(expected), dead_letters={}, dead_letters_elsewhere=elsewhere)
    differences = compare(expected, found, told={0: told})
    assert [difference.found for difference in differences] == ["nothing"] * missing


def test_a_list_holds_whoever_has_a_hash_and_no_other() -> None:
    expected = one_viewing()
    assert compare(expected, boards_with(expected, "titles", other="0.0")) == [
        Difference("titles", "film", "0", "nothing"),
        Difference("titles", "other", "nothing", "0.0"),
    ]
