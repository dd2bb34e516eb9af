"""Which answers of Kafka are asked for again, and which are final."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from streams.config.kafka_security import KafkaAddress
from streams.kafka.admin import _AGAIN, KafkaRefused, KafkaView, until_answered


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


class Clients:
    """Makes admin clients, each of which ends every question by its turn: an error's code, or the brokers there are."""

    def __init__(self, *turns: int | list[str]) -> None:
        self.turns = list(turns)
        self.made = 0

    def __call__(self, _: Mapping[str, Any]) -> Any:
        self.made += 1
        turn, answer = self.turns.pop(0), Future[Any]()
        if isinstance(turn, int):
            answer.set_exception(KafkaException(KafkaError(turn)))
        else:
            answer.set_result(SimpleNamespace(nodes=turn))
        return SimpleNamespace(describe_cluster=lambda **_: answer, poll=lambda _: 0)


def test_a_client_that_waits_for_a_broker_that_is_gone_is_replaced_by_a_new_one() -> None:
    clients = Clients(KafkaError._TIMED_OUT, ["one", "two"], ["nobody asks"])

    view = KafkaView(KafkaAddress("kafka:9092"), clients)

    assert (view.brokers(), view.brokers(), clients.made) == (2, 2, 2)


def test_a_client_that_answers_with_an_error_is_kept() -> None:
    clients = Clients(KafkaError.CLUSTER_AUTHORIZATION_FAILED)

    with pytest.raises(KafkaRefused):
        KafkaView(KafkaAddress("kafka:9092"), clients).brokers()

    assert clients.made == 1
