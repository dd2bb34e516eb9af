"""A bridge's state: what is restored is what was written, and what cannot be continued says why and what to do."""

from __future__ import annotations

import pytest

from models.sources.foreign_partition import ForeignPartition, Forgetting
from models.sources.identities import BY_THE_SCHEMA
from models.sources.schemas import schemas
from streams.bridge.state import FORMAT, BridgePosition, BridgeRestore, check_continues, check_source, state_messages
from streams.config.bridges import bridge_settings
from streams.config.settings import BadSetting, Settings
from streams.state.changelog import StateError

BRIDGE = bridge_settings(Settings(), "segment_video", "plays")
IDS = ("foreign", "state")
SESSION = b"\x93\xa1h\xa1t\xa1p"


def position(next_offset: int = 10, **other: object) -> BridgePosition:
    given = {"topic_id": "foreign", "state_id": "state", "sequence": 3, "forgetting": Forgetting(5, 7), "writer": "w"}
    return BridgePosition(**{"next_offset": next_offset, **given, **other})  # type: ignore[arg-type]


def restored(*batches: list[tuple[bytes, bytes | None]]) -> BridgeRestore:
    found = BridgeRestore(ForeignPartition(schemas()["segment_video"], BY_THE_SCHEMA, 1))
    for batch in batches:
        found.add(batch)
    found.finish()
    return found


def records(sessions: dict[str, bytes | None], at: BridgePosition) -> list[tuple[bytes, bytes | None]]:
    return [(message["key"], message["value"]) for message in state_messages(sessions, at)]


def test_a_state_is_restored_as_it_was_written_and_its_last_record_is_the_position() -> None:
    found = restored(
        records({"a": SESSION, "b": SESSION}, position(1)), records({"a": None, "c": SESSION}, position(2))
    )
    assert (found.position, found.rows, found.partition.sessions) == (position(2), 6, 2)
    assert (found.partition.forgetting, found.last) == (Forgetting(5, 7), records({}, position(2))[0][1])


def test_an_empty_state_has_no_position() -> None:
    assert (restored().position, restored().last) == (None, None)


@pytest.mark.parametrize(
    "broken",
    [
        [(b"sa", SESSION)],
        [(b"sa", b"no session"), *records({}, position())],
        [(b"x", b""), *records({}, position())],
        [(b"p", b"no position")],
    ],
)
def test_what_is_no_whole_state_is_refused(broken: list[tuple[bytes, bytes | None]]) -> None:
    with pytest.raises(StateError):
        restored(broken)


@pytest.mark.parametrize(
    ("found", "committed", "words"),
    [
        (None, 4, "holds no state, and there was one, up to offset 4"),
        (position(10), 11, "ends too early: the group has committed offset 11, the state continues at 10"),
        (position(topic_id="other"), None, "ids other and state, they are foreign and state now"),
        (position(state_id="other"), None, "ids foreign and other, they are foreign and state now"),
        (position(format=FORMAT + 1), None, f"has format {FORMAT + 1}, this bridge reads {FORMAT}"),
    ],
)
def test_a_state_that_lacks_something_is_refused_with_how_to_begin_anew(
    found: BridgePosition | None, committed: int | None, words: str
) -> None:
    with pytest.raises(StateError, match=words) as problem:
        check_continues(BRIDGE, 0, found, committed, IDS)
    assert str(problem.value).endswith(
        "stop the bridge, and delete its group encore-bridge-segment_video-plays and the topic"
        " encore-bridge-segment_video-plays-state"
    )


@pytest.mark.parametrize(("found", "committed"), [(None, None), (position(10), None), (position(10), 10)])
def test_a_whole_state_is_continued(found: BridgePosition | None, committed: int | None) -> None:
    check_continues(BRIDGE, 0, found, committed, IDS)


@pytest.mark.parametrize(("first", "end"), [(0, 10), (10, 10), (10, 20)])
def test_a_partition_continues_where_its_state_ends(first: int, end: int) -> None:
    assert check_source(BRIDGE, 0, 10, first, end, accept_gap=False) == 10


def test_records_that_kafka_has_forgotten_are_passed_over_only_where_that_is_accepted() -> None:
    with pytest.raises(StateError, match=r"forgotten offsets 10 to 10 of plays/0.*--accept-gap"):
        check_source(BRIDGE, 0, 10, 11, 20, accept_gap=False)
    assert check_source(BRIDGE, 0, 10, 11, 20, accept_gap=True) == 11


def test_a_topic_that_has_lost_its_end_is_refused_in_any_case() -> None:
    with pytest.raises(StateError, match="plays/0 ends at offset 9, and is translated up to 10"):
        check_source(BRIDGE, 0, 10, 0, 9, accept_gap=True)


def test_a_bridge_is_an_application_of_its_own() -> None:
    assert (BRIDGE.app_id, BRIDGE.source_topic) == ("encore-bridge-segment_video-plays", "plays")
    assert BRIDGE.state_topic == "encore-bridge-segment_video-plays-state"
    assert BRIDGE.dead_letters_topic == "encore-bridge-segment_video-plays-dead-letters"


def test_a_name_that_is_too_long_for_kafka_is_refused() -> None:
    rest = len("encore-bridge-segment_video--dead-letters")
    assert len(bridge_settings(Settings(), "segment_video", "x" * (249 - rest)).dead_letters_topic) == 249
    with pytest.raises(BadSetting, match="at most 249 characters"):
        bridge_settings(Settings(), "segment_video", "x" * (250 - rest))
