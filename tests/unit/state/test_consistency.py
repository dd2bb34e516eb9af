"""When a partition's state may be continued, and what each refusal says."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from streams.kafka.topics import REMEDY
from streams.state.changelog import STATE_FORMAT, Position, StateError
from streams.state.consistency import RecordedElsewhere, StateNames, check_fits, check_remembered, check_source

PLACE = StateNames("events/0", "app-state/0", "app")
POSITION = Position(50, "source-id", 4, 7, 3, "rules", "zones", 1_000, [4, 0, 0, 0, 0, 0], state_id="state-id")


@pytest.mark.parametrize(
    "known", [RecordedElsewhere(None, None), RecordedElsewhere(None, (1_000, 0)), RecordedElsewhere(None, (0, 0))]
)
def test_where_nobody_knows_of_a_checkpoint_the_state_is_a_new_one(known: RecordedElsewhere) -> None:
    check_remembered(PLACE, None, known)


@pytest.mark.parametrize(
    ("known", "proof"),
    [
        (RecordedElsewhere(0, None), "the group app has committed offset 0 of events/0"),
        (RecordedElsewhere(50, (1_000, 3)), "the group app has committed offset 50 of events/0"),
        (RecordedElsewhere(None, (1_000, 1)), "Redis was told of its checkpoint 1 of incarnation 1000"),
    ],
)
def test_a_state_that_others_know_of_and_that_is_not_there_is_lost(known: RecordedElsewhere, proof: str) -> None:
    with pytest.raises(StateError, match="app-state/0 holds no state, and there was one") as refused:
        check_remembered(PLACE, None, known)
    assert proof in str(refused.value)
    assert "run `encore rebuild`" in str(refused.value)


@pytest.mark.parametrize("committed", [None, 0, 49, 50])
@pytest.mark.parametrize("published", [None, (0, 0), (2_000, 0), (999, 9), (1_000, 2), (1_000, 3)])
def test_a_state_that_nobody_is_ahead_of_is_continued(committed: int | None, published: Any) -> None:
    check_remembered(PLACE, POSITION, RecordedElsewhere(committed, published))


@pytest.mark.parametrize(
    ("known", "proof"),
    [
        (RecordedElsewhere(51, None), "the group app has committed offset 51 of events/0, the state continues at 50"),
        (
            RecordedElsewhere(None, (1_000, 4)),
            "checkpoint 4 of incarnation 1000, the state's last one is 3 of incarnation 1000",
        ),
        (
            RecordedElsewhere(None, (1_001, 1)),
            "checkpoint 1 of incarnation 1001, the state's last one is 3 of incarnation 1000",
        ),
    ],
)
def test_a_state_that_others_are_ahead_of_has_lost_its_end(known: RecordedElsewhere, proof: str) -> None:
    with pytest.raises(StateError, match="app-state/0 ends too early") as refused:
        check_remembered(PLACE, POSITION, known)
    assert proof in str(refused.value)
    assert "run `encore rebuild`" in str(refused.value)


@pytest.mark.parametrize(
    ("other", "named"),
    [
        ({"rules": "others"}, r"computed with other rule settings \(rules, here others\)"),
        ({"partitions": 5, "topic_id": "another"}, "the partition count"),
        ({"topic_id": "another"}, "the source topic's id"),
        ({"state_id": "another"}, "the state topic's id"),
    ],
)
def test_a_state_that_was_computed_otherwise_or_elsewhere_is_refused(other: dict[str, Any], named: str) -> None:
    with pytest.raises(StateError, match=named) as refused:
        check_fits(PLACE, POSITION, msgspec.structs.replace(POSITION, **other))
    assert "go back to what it was, or" in str(refused.value)
    assert "run `encore rebuild`" in str(refused.value)


@pytest.mark.parametrize(
    ("of_state", "here", "named"),
    [
        ({"grace_days": 7}, {}, "ENCORE_GRACE_DAYS 7, here 30"),
        ({}, {"grace_days": 7}, "ENCORE_GRACE_DAYS 30, here 7"),
        ({"starter_s": 9, "play_s": 2}, {"starter_s": 9, "play_s": 3}, "other rule settings, ENCORE_PLAY_S 2, here 3:"),
        ({"play_s": 2}, {"gap_s": 60}, "ENCORE_PLAY_S 2, here 1; ENCORE_GAP_S 1800, here 60"),
        (
            {"pseudonym_key_file": "5eed"},
            {"pseudonym_key_file": "beef"},
            "ENCORE_PSEUDONYM_KEY_FILE with the key 5eed, here with the key beef",
        ),
        ({}, {"pseudonym_key_file": "beef"}, "ENCORE_PSEUDONYM_KEY_FILE empty, here with the key beef"),
        ({"a_later_rule": 1}, {}, "ENCORE_A_LATER_RULE 1, here not known"),
        ({"play_s": 2}, {"play_s": 2}, "those of another version: the defaults have changed"),
    ],
)
def test_rule_settings_that_differ_are_named_with_both_values(
    of_state: dict[str, Any], here: dict[str, Any], named: str
) -> None:
    state = msgspec.structs.replace(POSITION, changed_rules=of_state)
    now = msgspec.structs.replace(POSITION, rules="others", changed_rules=here)

    with pytest.raises(StateError, match="computed with other rule settings") as refused:
        check_fits(PLACE, state, now)
    assert named in str(refused.value)


@pytest.mark.parametrize("of_state", ["json", "avro", "protobuf"])
@pytest.mark.parametrize("here", ["json", "avro", "protobuf"])
def test_a_state_of_json_continues_under_any_format_and_others_under_their_own(of_state: str, here: str) -> None:
    state, now = (
        msgspec.structs.replace(POSITION, changed_rules={} if each == "json" else {"source_format": each})
        for each in (of_state, here)
    )
    if of_state in ("json", here):
        check_fits(PLACE, state, now)
        return
    with pytest.raises(StateError, match=f"computed with ENCORE_SOURCE_FORMAT={of_state}, here it is {here}, and"):
        check_fits(PLACE, state, now)


def test_a_state_that_does_not_say_its_format_is_of_json() -> None:
    older = msgspec.structs.replace(POSITION, changed_rules=msgspec.UNSET)
    check_fits(PLACE, older, msgspec.structs.replace(POSITION, changed_rules={"source_format": "avro"}))


def test_partitions_that_were_added_to_the_same_topic_are_refused_and_no_rebuild_is_named_for_them() -> None:
    with pytest.raises(StateError, match=r"the partition count of the state is 4, of this worker 5: run `encore rep"):
        check_fits(PLACE, POSITION, msgspec.structs.replace(POSITION, partitions=5))


@pytest.mark.parametrize("older", [5, STATE_FORMAT])
def test_a_state_of_a_format_that_is_read_is_continued(older: int) -> None:
    check_fits(PLACE, msgspec.structs.replace(POSITION, format=older), POSITION)


def test_a_state_that_holds_its_zone_data_is_continued_with_other_data() -> None:
    check_fits(PLACE, POSITION, msgspec.structs.replace(POSITION, zones="others"))


def test_a_state_of_format_5_is_refused_with_other_zone_data() -> None:
    older = msgspec.structs.replace(POSITION, format=5)
    with pytest.raises(StateError, match="the zone data of the state is 'zones', of this worker 'others'"):
        check_fits(PLACE, older, msgspec.structs.replace(POSITION, zones="others"))


@pytest.mark.parametrize("other", [0, 4, STATE_FORMAT + 1])
def test_a_state_of_another_format_is_refused(other: int) -> None:
    with pytest.raises(StateError, match=f"the format of the state is {other}, this worker reads 5 and 6") as refused:
        check_fits(PLACE, msgspec.structs.replace(POSITION, format=other), POSITION)
    assert str(refused.value).endswith(f"go back to what it was, or {REMEDY}")


def test_a_state_that_does_not_know_its_topics_id_yet_is_continued() -> None:
    check_fits(PLACE, msgspec.structs.replace(POSITION, state_id=""), POSITION)


@pytest.mark.parametrize(("first", "end"), [(0, 50), (50, 50), (50, 51)])
def test_a_source_that_holds_the_next_record_or_ends_before_it_is_continued(first: int, end: int) -> None:
    check_source(PLACE, 50, first, end)


@pytest.mark.parametrize(("first", "end"), [(51, 51), (51, 99), (0, 49), (0, 0)])
def test_a_source_that_was_cut_is_refused(first: int, end: int) -> None:
    with pytest.raises(StateError, match=f"events/0 has records {first} to {end}.*gone.*run `encore rebuild`"):
        check_source(PLACE, 50, first, end)
