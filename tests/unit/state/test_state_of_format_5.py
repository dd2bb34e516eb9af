"""A changelog that the code of format 5 wrote is continued as if it had always been this code's.

The file was made of a seeded log (`tests/properties/random_logs.py`, seed 4,749, 400 events): its rules and zones, its
first 240 steps, what their checkpoints left in the changelog, and the other steps. A step is the catalog rows taken in,
the silence and the erasures before a record, and the record. It holds every kind of record.
"""

from __future__ import annotations

from gzip import decompress
from io import BytesIO
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from random_logs import LogRecord, Step, take
from whole_state import state

from models.catalog import CatalogRow
from models.fold import Fold
from models.rules import Rules
from streams.state.changelog import READABLE_FORMATS, Restored

KEPT = msgspec.msgpack.decode(
    decompress(Path(__file__).with_name("state_of_format_5.msgpack.gz").read_bytes()), strict=False
)
KINDS = b"acdefhklnprstuvw"


def fold() -> Fold:
    zones = {name: ZoneInfo.from_file(BytesIO(data)) for name, data in KEPT["zones"].items()}
    return Fold(msgspec.convert(KEPT["rules"], Rules), zones=zones)


def restored() -> Restored:
    found = Restored(fold())
    found.add([(key, value) for key, value in KEPT["changelog"]])
    found.finish()
    return found


def folded(fold: Fold, *parts: str) -> Fold:
    for part in parts:
        for titles, silent_ms, erased, record in KEPT[part]:
            taken_in = [(title_id, row and msgspec.convert(row, CatalogRow)) for title_id, row in titles]
            take(fold, Step(0, taken_in, LogRecord(*record), silent_ms, erased))
        fold.drain(1)
    return fold


def test_it_is_of_format_5_and_has_every_kind_of_record() -> None:
    position = restored().position
    assert position is not None and position.format == 5 and position.format in READABLE_FORMATS
    assert {key[0] for key, value in KEPT["changelog"] if value is not None} == set(KINDS)


@pytest.mark.parametrize("parts", [("before",), ("before", "after")])
def test_what_it_is_restored_to_and_what_further_records_make_of_it_is_what_a_new_fold_comes_to(parts: Any) -> None:
    assert state(folded(restored().fold, *parts[1:])) == state(folded(fold(), *parts))
