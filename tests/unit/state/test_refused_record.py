"""What is said of a record that Kafka refuses."""

from __future__ import annotations

import pytest
from confluent_kafka import KafkaError

from models.catalog import CatalogRow
from models.tally import CURVE, FRANCHISE, TITLE, TallyKey
from models.windows import WEEK
from streams.state.changelog import Erased, catalog_message, erasure_message, silence_message
from streams.state.refused_record import refused
from streams.state.tally_records import tally_key
from streams.state.transactions import CheckpointBatch, SideRecord

LARGE = b"x" * 2_000
TOO_LARGE = KafkaError(KafkaError.MSG_SIZE_TOO_LARGE)
POSITION = {"key": b"p", "value": b'{"next_offset": 43}'}


def said_of(key: bytes) -> str:
    said = refused(CheckpointBatch([{"key": key, "value": LARGE}, POSITION], []), "app-state", 3, TOO_LARGE)
    return said.partition("the largest is ")[2].partition(" in app-state")[0]


@pytest.mark.parametrize(
    ("key", "what"),
    [
        (b"r\x00\x04filmhome", "a household's row of title 'film'"),
        (b"nfilm", "the current windows of title 'film'"),
        (b"s\x00\x00\x00\x07film", "the streaks of title 'film'"),
        (tally_key(TallyKey(TITLE, 0, "film")), "the counts (t) of title or franchise 'film'"),
        (tally_key(TallyKey(CURVE, 0, "film")), "the counts (v) of title or franchise 'film'"),
        (tally_key(TallyKey(FRANCHISE, 0, "saga")), "the counts (f) of title or franchise 'saga'"),
        (tally_key(TallyKey(WEEK, 4, "film")), f"the counts ({WEEK}) of title or franchise 'film'"),
        (
            catalog_message(12, "film", CatalogRow("film"))["key"],
            f"the catalog row of title 'film' from offset '{12:020}'",
        ),
        (erasure_message(12, "a1", Erased(1, 2))["key"], f"a control row from offset '{12:020}'"),
        (silence_message(12, 1)["key"], "a control row"),
        (b"", "a control row"),
        (b"t\xff", "a control row"),
    ],
)
def test_each_record_of_the_state_is_named(key: bytes, what: str) -> None:
    assert said_of(key) == what


def test_it_is_said_where_the_checkpoint_ends_how_large_the_record_is_and_what_to_do() -> None:
    said = refused(
        CheckpointBatch([{"key": b"r\x00\x04filmhome", "value": LARGE}, POSITION], []), "app-state", 3, TOO_LARGE
    )
    assert "2,011 bytes (the checkpoint ends before offset 43 of source partition 3)" in said
    assert "raise max.message.bytes" in said and "hom" not in said


@pytest.mark.parametrize(("value", "of"), [(b'{"title_id": "film"}', " of title 'film'"), (b"{", "")])
def test_a_record_of_another_topic_is_named_by_its_source_offset(value: bytes, of: str) -> None:
    kept = SideRecord("encore-late", b"home", value + b" " * 2_000, [("offset", b"42")])
    said = refused(CheckpointBatch([POSITION], [kept]), "app-state", 3, TOO_LARGE)
    assert f"the largest is what encore-late keeps{of} of source offset 42, " in said


def test_a_record_that_exceeds_a_segment_leads_to_the_option_that_limits_it() -> None:
    said = refused(CheckpointBatch([POSITION], []), "app-state", 3, KafkaError(KafkaError.RECORD_LIST_TOO_LARGE))
    assert "raise segment.bytes" in said and "max.message.bytes" not in said


def test_of_a_time_that_a_topic_refuses_it_is_said_which_options_limit_it() -> None:
    said = refused(CheckpointBatch([POSITION], []), "app-state", 3, KafkaError(KafkaError.INVALID_TIMESTAMP, "too old"))
    assert said.endswith(
        "raise message.timestamp.before.max.ms and message.timestamp.after.max.ms of the topics app-state"
    )


def test_of_an_invalid_record_it_is_said_what_kafka_says_and_where_the_checkpoint_writes() -> None:
    kept = [SideRecord("encore-late", b"home", b"{}", []), SideRecord("encore-late", b"home", b"{}", [])]
    error = KafkaError(KafkaError.INVALID_RECORD, "no schema")
    said = refused(CheckpointBatch([POSITION], kept), "app-state", 3, error)
    assert "as invalid: no schema (the checkpoint ends before offset 43 of source partition 3)" in said
    assert said.endswith("in the topics app-state, encore-late") and "home" not in said
