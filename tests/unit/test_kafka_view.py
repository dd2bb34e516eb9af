"""Which answers of Kafka are asked for again, and which are final."""

from __future__ import annotations

import pytest
from confluent_kafka import KafkaError, KafkaException

from streams.kafka_view import _AGAIN, until_answered


def failing_once(code: int) -> list[object]:
    """What a call does in turn: fail by this code, then answer."""
    return [KafkaException(KafkaError(code)), "answer"]


def ask(turns: list[object]) -> object:
    turn = turns.pop(0)
    if isinstance(turn, KafkaException):
        raise turn
    return turn


@pytest.mark.parametrize(
    "code", [KafkaError._TIMED_OUT, KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.LEADER_NOT_AVAILABLE]
)
def test_a_partition_without_a_leader_yet_is_asked_again_like_a_broker_that_is_late(code: int) -> None:
    turns = failing_once(code)
    assert until_answered(lambda: ask(turns), _AGAIN, within_s=5) == "answer"


@pytest.mark.parametrize("code", [KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError.TOPIC_AUTHORIZATION_FAILED])
def test_what_will_not_change_is_final(code: int) -> None:
    turns = failing_once(code)
    with pytest.raises(KafkaException):
        until_answered(lambda: ask(turns), _AGAIN, within_s=5)


def test_after_the_time_the_last_answer_is_final() -> None:
    turns = failing_once(KafkaError._TIMED_OUT)
    with pytest.raises(KafkaException):
        until_answered(lambda: ask(turns), _AGAIN, within_s=-1)
