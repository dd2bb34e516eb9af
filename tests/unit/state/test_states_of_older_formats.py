"""A changelog that older code wrote is continued as if it had always been this code's.

`keep_state.py` beside it makes such a file by the code of its format: a seeded log's rules and zones, its first steps,
what their checkpoints left in the changelog, and the other steps. Each holds every kind of record. (The state of
format 5 had no zone data: there, all zones hold from the first record on.)
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
from streams.state.changelog import READABLE_FORMATS, STATE_FORMAT, Restored

Kept = dict[str, Any]
KEPT: dict[int, Kept] = {
    int(path.name.split(".")[0].removeprefix("state_of_format_")): msgspec.msgpack.decode(
        decompress(path.read_bytes()), strict=False
    )
    for path in Path(__file__).parent.glob("state_of_format_*.msgpack.gz")
}
KINDS = b"acdefhklnprstuvw"


def fold(kept: Kept) -> Fold:
    zones = {name: ZoneInfo.from_file(BytesIO(data)) for name, data in kept["zones"].items()}
    return Fold(msgspec.convert(kept["rules"], Rules), zones=zones or None)


def restored(kept: Kept) -> Restored:
    found = Restored(fold(kept))
    found.add([(key, value) for key, value in kept["changelog"]])
    found.finish()
    return found


def folded(fold: Fold, kept: Kept, *parts: str) -> Fold:
    for part in parts:
        for titles, silent_ms, erased, record, *zones in kept[part]:
            taken_in = [(title_id, row and msgspec.convert(row, CatalogRow)) for title_id, row in titles]
            take(fold, Step(0, taken_in, LogRecord(*record), silent_ms, erased, *zones))
        fold.drain(1)
    return fold


def test_there_is_a_state_of_each_older_format_that_is_read_and_of_no_other() -> None:
    assert KEPT.keys() - {STATE_FORMAT} == READABLE_FORMATS - {STATE_FORMAT}, (
        "run keep_state.py where the format was not raised yet; delete the files of formats that are no longer read"
    )


@pytest.mark.parametrize("number", KEPT)
def test_it_is_of_its_format_and_has_every_kind_of_record(number: int) -> None:
    position = restored(KEPT[number]).position
    assert position is not None and position.format == number
    assert {key[0] for key, value in KEPT[number]["changelog"] if value is not None} >= set(KINDS)


@pytest.mark.parametrize("number", KEPT)
@pytest.mark.parametrize("parts", [("before",), ("before", "after")])
def test_what_it_is_restored_to_and_what_further_records_make_of_it_is_what_a_new_fold_comes_to(
    number: int, parts: Any
) -> None:
    kept = KEPT[number]
    assert state(folded(restored(kept).fold, kept, *parts[1:])) == state(folded(fold(kept), kept, *parts))
