"""How a checkpoint's failure is called."""

from __future__ import annotations

import pytest
from confluent_kafka import KafkaError, KafkaException

from streams.config.kafka_security import KafkaAddress
from streams.state.transactions import CheckpointFailed, Fenced, TransactionalWriter


class RaisesOnce:
    """A client that has met a fatal error: it raises it where it polls next."""

    def __init__(self, fatal: KafkaError) -> None:
        self._fatal = fatal

    def poll(self, _: float) -> None:
        raise KafkaException(self._fatal)

    def purge(self) -> None: ...

    def close(self) -> None: ...


@pytest.mark.parametrize(
    ("told_before", "said", "called"),
    [
        (None, KafkaError._FENCED, Fenced),
        (None, KafkaError.PRODUCER_FENCED, Fenced),
        (None, KafkaError.INVALID_PRODUCER_EPOCH, Fenced),
        (None, KafkaError._TIMED_OUT, CheckpointFailed),
        (None, KafkaError._FATAL, CheckpointFailed),
        (KafkaError._FENCED, KafkaError._FATAL, Fenced),
        (KafkaError.OUT_OF_ORDER_SEQUENCE_NUMBER, KafkaError._FATAL, CheckpointFailed),
    ],
)
def test_who_was_fenced_is_told_so_whichever_call_notices(
    told_before: int | None, said: int, called: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streams.state.transactions._WHO_FENCED_S", 0.01)
    writer = TransactionalWriter(KafkaAddress("127.0.0.1:1"), "test-0", "state", 0, 10)
    if told_before is not None:
        writer._producer = RaisesOnce(KafkaError(told_before, fatal=True))

    failure = writer._failure("checkpoint", KafkaError(said, fatal=said == KafkaError._FATAL))

    assert type(failure) is called
    writer.close()
