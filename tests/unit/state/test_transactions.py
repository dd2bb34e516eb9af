"""How a checkpoint's failure is called."""

from __future__ import annotations

import pytest
from confluent_kafka import KafkaError, KafkaException

from streams.config.kafka_security import KafkaAddress
from streams.state.transactions import CheckpointFailed, Fenced, TransactionalWriter, _served


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


class LogsBehindItsError:
    """A client that met a fatal error and hands out a log line after it: Python makes a `SystemError` of the two."""

    def flush(self, _: float) -> None:
        raise SystemError("<class 'logging.LogRecord'> returned a result with an exception set") from KafkaException(
            KafkaError(KafkaError._FENCED, fatal=True)
        )


def test_an_error_that_a_log_line_hides_is_the_error() -> None:
    with pytest.raises(KafkaException) as raised:
        _served(lambda: LogsBehindItsError().flush(1))
    assert raised.value.args[0].code() == KafkaError._FENCED


def test_an_error_of_the_interpreters_own_stays_one() -> None:
    def fails() -> None:
        raise SystemError("bad call")

    with pytest.raises(SystemError, match="bad call"):
        _served(fails)
