"""One evening of each live schema, posted message by message: what comes of it behind a bridge."""

from __future__ import annotations

import json

import msgspec
import pytest
from partition_log import Log
from playing import T0

from models.sources.posted import posted_format
from models.sources.schemas import schemas
from models.sources.translator import Translator

told_evenings = pytest.importorskip("told_evenings")

ONE_COMPLETION = {"plays": 1, "completers": 1, "completions": 1, "watchers": 1}


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("schema", schemas())
def test_an_evening_that_is_posted_is_one_completion_in_one_partition(schema: str, times: int) -> None:
    form, translator, log, keys = posted_format(schema), Translator(schemas()[schema]), Log(), set[bytes]()
    for at_ms, message in told_evenings.told(schema, list(told_evenings.the_evening())):
        for _ in range(times):
            record = form.record(json.dumps(message).encode(), at_ms)
            keys.add(record.key)
            for event in translator.translate(record.value, at_ms, record.key).events:
                log.raw((event.event_time_ms - T0) / 1000, event.household_id.encode(), msgspec.json.encode(event))
    title = log.title()
    assert ({name: title.get(name) for name in ONE_COMPLETION}, len(keys)) == (ONE_COMPLETION, 1)
    assert 1_199_000 <= title["watched_ms"] <= 1_201_000
