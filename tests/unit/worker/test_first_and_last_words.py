"""What a worker says first: what it is. What one that failed says last: what, where, and what to do."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from aiokafka.errors import KafkaConnectionError

from models import FORM
from streams.config.settings import Settings
from streams.source.app import create_app
from streams.state.transactions import Fenced
from streams.worker.group_process import in_words
from streams.worker.process import introduction

NOBODY = "127.0.0.1:9"


class Owner:
    """Owns no partition."""

    def epoch(self, partition: int) -> None:
        return None

    async def prepare(self, batch: object) -> None:
        raise AssertionError(batch)

    def apply(self, batch: object, event: object) -> None:
        raise AssertionError(batch)

    async def revoke(self, partitions: Iterable[int]) -> None:
        pass

    assign = revoke


def test_it_says_what_starts_where_and_in_which_form_the_rules_run() -> None:
    settings = Settings(app_id="a", kafka="127.0.0.1:9092", redis="redis://reader:secret@127.0.0.1:6379/1")
    said = introduction(settings)
    assert said.startswith("worker of a starts: Kafka 127.0.0.1:9092, Redis redis://")
    assert said.endswith(f"127.0.0.1:6379/1, rules: {FORM}")
    assert "secret" not in said


def test_kafka_that_goes_away_before_faust_starts_is_named_by_its_setting_with_what_to_do() -> None:
    async def start() -> str:
        app = create_app(Settings(kafka=NOBODY), Owner())
        try:
            await app.start()
        except KafkaConnectionError as failure:
            return in_words(failure, NOBODY)
        raise AssertionError("it started")

    said = asyncio.run(start())

    assert said.startswith(f"KafkaConnectionError: ENCORE_KAFKA={NOBODY}: Unable to bootstrap from ")
    assert said.endswith("; check that its brokers run (`encore doctor`), and start the worker again")


def test_our_own_failures_say_it_themselves() -> None:
    assert in_words(Fenced("another worker owns the partition"), NOBODY) == "Fenced: another worker owns the partition"
