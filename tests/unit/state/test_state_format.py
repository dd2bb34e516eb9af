"""The format of the state: bytes of every kind of record, and a changelog that older code wrote."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from partition_log import T0

from models.account import StreamCounters
from models.audience import WatchedWeeks
from models.catalog import CatalogRow
from models.counters import ALL_FIELDS, WINDOW_FIELDS, Counters
from models.current_windows import CurrentWindows
from models.fold_changes import FoldChanges
from models.habits import Habit
from models.rows import pack, unpack
from models.session import Session
from models.streaks import PART_FIELDS
from models.tally import TallyKey
from models.viewing import Row
from models.windows import AGES, LAST_WEEK
from streams.state.changelog import (
    STATE_FORMAT,
    Erased,
    Position,
    catalog_message,
    erasure_message,
    position_message,
    silence_message,
    state_messages,
)
from streams.state.tally_records import Message
from streams.state.zone_records import zone_message

FORMAT = 6
RAISE_IT = (
    "What the state holds has changed: raise STATE_FORMAT in streams/state/changelog.py, keep in READABLE_FORMATS only"
    " formats whose states lack nothing, and put the new number and bytes here (CONTRIBUTING.md, a new format)."
)
SITTING, EVENTS = str(UUID(int=7 << 64 | 1)), [str(UUID(int=9 << 64 | number)) for number in range(4)]


def session(**fields: Any) -> Session:
    """A session of which no field is as it is in a new one."""
    usual: dict[str, Any] = {
        "session_id": SITTING, "time_ms": T0 - 1_000, "position_ms": 61_000, "playing": True, "over": True,
        "spent_ms": 4_000, "until_play_ms": 900, "time_ids": (EVENTS[0], "event"), "later_ms": 250,
        "rate_thousandths": 1_250, "largest_seq": 70_000, "seq_ids": (EVENTS[1], EVENTS[2]), "speeds": 1_000_002_000,
        "autoplay": True, "has_played": True, "run_start_ms": T0 - 90_000,
    }  # fmt: skip
    return Session(**usual | fields)


def row() -> Row:
    """A row that uses every field."""
    made = Row(T0)
    made.flags, made.completions, made.watched_ms, made.mark_ms, made.stated_length_ms = 23, 3, 90_000, 95_000, 100_000
    made.once, made.twice, made.owed = 0b1111_0000, 0b1_0000_0101, 1 << 20
    made.owed_by = SITTING
    made.sessions = {SITTING: session(), "b": session(session_id="b", seq_ids=None, largest_seq=None)}
    made.habits = [Habit(20_254, 5_000, 20_253, 0b1011, 190, {20_200: 1_000}), None, Habit(), None]
    made.weeks = WatchedWeeks(2_893, 7_000, 1, 5, 0b100111, 1, {2_890: 3_000})
    made.profiles = (SITTING_BYTES, "mia")
    made.completed_ms = T0 - 5_000
    return made


SITTING_BYTES = UUID(SITTING).bytes
TITLE = [7, *range(1, ALL_FIELDS + 2)]
WINDOW = [7, *range(1_000, 1_000 + WINDOW_FIELDS)]
PARTS = [7, *range(70_000, 70_000 + 4 * len(PART_FIELDS))]


def changed(rows: Any = (), tallies: Any = None, current: Any = None, streaks: Any = None) -> Callable[[], Message]:
    """The one record that such a change makes."""
    changes = FoldChanges(list(rows), tallies or {}, [], [], [], streaks or {}, current or {})

    def message() -> Message:
        (only,) = state_messages(changes)
        return only

    return message


def tally(kind: str, number: int, counters: list[int]) -> Callable[[], Message]:
    return changed(tallies={TallyKey(kind, number, "film"): counters})


CURRENT = CurrentWindows(486_120, {TallyKey("h", 486_120, "film"): [0, 5, 6], TallyKey("a", 1, "film"): [0, 0, 1]})
TITLE_ROW = CatalogRow("film", "The Film", "saga", 5_400_000, 5_300_000, T0, "main", True)
POSITION = Position(
    50,
    "source",
    4,
    T0,
    3,
    "rules",
    "zones",
    1_000,
    list(range(12)),
    state_id="state",
    told=5,
    rebuild_until=9,
    writer="5eed",
    changed_rules={"grace_days": 7},
)
MADE: dict[str, Callable[[], Message]] = {
    "row": lambda: changed(rows=[("film", "home", pack(row()))])(),
    "title": tally("t", 0, TITLE),
    "franchise": tally("f", 0, TITLE),
    "hour": tally("h", 486_120, WINDOW),
    "day": tally("d", 20_255, WINDOW),
    "age": tally("a", 1, WINDOW),
    "week": tally("w", 104, WINDOW),
    "dayparts": tally("l", 0, PARTS),
    "audience": tally("u", 2_894, [7, 4, 3, 2, 1]),
    "curve": tally("v", 0, [7, *range(100, 120)]),
    "current windows": changed(current={"film": CURRENT}),
    "streaks": changed(streaks={("film", 1_944_480): list(range(12))}),
    "catalog row": lambda: catalog_message(1_234, "film", TITLE_ROW),
    "catalog row of a title that left": lambda: catalog_message(1_234, "film", None),
    "zone": lambda: zone_message(1_234, "Europe/Berlin", b"TZif"),
    "silence": lambda: silence_message(1_234, T0),
    "erasure": lambda: erasure_message(1_234, "d1" * 32, Erased(1_200, 3)),
    "position": lambda: position_message(POSITION),
}
BYTES = {
    "row": (
        "72000466696c6d686f6d65",
        "9fcf0000019776092400170392dc0010c41000000000000000070000000000000001cd03e8cdee48c3c3cd0fa0cd038492c4"
        "1000000000000000090000000000000000a56576656e74ccfacd04e2ce0001117092c4100000000000000009000000000000"
        "0001c41000000000000000090000000000000002ce3b9ad1d0c3c3cf000001977607c470dc0010a162cd03e8cdee48c3c3cd"
        "0fa0cd038492c41000000000000000090000000000000000a56576656e74ccfacd04e2c0c0ce3b9ad1d0c3c3cf0000019776"
        "07c4709496cd4f1ecd1388cd4f1d0bccbe81cd4ee8cd03e8c096d1800000d180000000c0c0ce00015f90cd1388ce000186a0"
        "ce04000004c4020501ce14000001c410000000000000000700000000000000019701cd1b580105270181cd0b4acd0bb892c4"
        "1000000000000000070000000000000001a36d6961cd1388",
    ),
    "title": (
        "7466696c6d",
        "dc001a070102030405060708090a0b0c0d0e0f10111213141516171819",
    ),
    "franchise": (
        "6666696c6d",
        "dc001a070102030405060708090a0b0c0d0e0f10111213141516171819",
    ),
    "hour": (
        "6800076ae866696c6d",
        "dc001307cd03e8cd03e9cd03eacd03ebcd03eccd03edcd03eecd03efcd03f0cd03f1cd03f2cd03f3cd03f4cd03f5cd03f6cd"
        "03f7cd03f8cd03f9",
    ),
    "day": (
        "6400004f1f66696c6d",
        "dc001307cd03e8cd03e9cd03eacd03ebcd03eccd03edcd03eecd03efcd03f0cd03f1cd03f2cd03f3cd03f4cd03f5cd03f6cd"
        "03f7cd03f8cd03f9",
    ),
    "age": (
        "610000000166696c6d",
        "dc001307cd03e8cd03e9cd03eacd03ebcd03eccd03edcd03eecd03efcd03f0cd03f1cd03f2cd03f3cd03f4cd03f5cd03f6cd"
        "03f7cd03f8cd03f9",
    ),
    "week": (
        "770000006866696c6d",
        "dc001307cd03e8cd03e9cd03eacd03ebcd03eccd03edcd03eecd03efcd03f0cd03f1cd03f2cd03f3cd03f4cd03f5cd03f6cd"
        "03f7cd03f8cd03f9",
    ),
    "dayparts": (
        "6c66696c6d",
        "dc001507ce00011170ce00011171ce00011172ce00011173ce00011174ce00011175ce00011176ce00011177ce00011178ce"
        "00011179ce0001117ace0001117bce0001117cce0001117dce0001117ece0001117fce00011180ce00011181ce00011182ce"
        "00011183",
    ),
    "audience": (
        "7500000b4e66696c6d",
        "950704030201",
    ),
    "curve": (
        "7666696c6d",
        "dc0015076465666768696a6b6c6d6e6f7071727374757677",
    ),
    "current windows": (
        "6e66696c6d",
        "93ce00076ae89292a168ce00076ae892a16101929300050693000001",
    ),
    "streaks": (
        "73001daba066696c6d",
        "9c000102030405060708090a0b",
    ),
    "catalog row": (
        "6330303030303030303030303030303030313233347c66696c6d",
        "7b227469746c655f6964223a2266696c6d222c226e616d65223a225468652046696c6d222c226672616e63686973655f6964"
        "223a2273616761222c2272756e74696d655f6d73223a353430303030302c22637265646974735f73746172745f6d73223a35"
        "3330303030302c2272656c656173655f74696d655f6d73223a313735303033323030303030302c22636f6e74656e745f6b69"
        "6e64223a226d61696e222c2269735f6b696473223a747275657d",
    ),
    "catalog row of a title that left": (
        "6330303030303030303030303030303030313233347c66696c6d",
        "",
    ),
    "zone": (
        "7a30303030303030303030303030303030313233347c4575726f70652f4265726c696e",
        "238fdc07453966ffbc3ae6d544ffb7b487e7be14fbdd8b50f31fd24b4b870fb3545a6966",
    ),
    "silence": (
        "6b3030303030303030303030303030303031323334",
        "31373530303332303030303030",
    ),
    "erasure": (
        "6530303030303030303030303030303030313233347c64316431643164316431643164316431643164316431643164316431"
        "643164316431643164316431643164316431643164316431643164316431643164316431",
        "7b22756e74696c223a313230302c22726f7773223a337d",
    ),
    "position": (
        "70",
        "7b226e6578745f6f6666736574223a35302c22746f7069635f6964223a22736f75726365222c22706172746974696f6e7322"
        "3a342c2273747265616d5f74696d655f6d73223a313735303033323030303030302c2273657175656e6365223a332c227275"
        "6c6573223a2272756c6573222c227a6f6e6573223a227a6f6e6573222c22696e6361726e6174696f6e223a313030302c2273"
        "747265616d223a5b302c312c322c332c342c352c362c372c382c392c31302c31315d2c22666f726d6174223a362c22737461"
        "74655f6964223a227374617465222c22746f6c64223a352c2272656275696c645f756e74696c223a392c"
        "22777269746572223a2235656564222c226368616e6765645f72756c6573223a7b2267726163655f64617973223a377d7d",
    ),
}
COUNTERS = (
    "plays starters viewers watchers completers repeaters completions rewatches watched_ms kids_plays "
    "kids_completions kids_rewatches kids_watched_ms profile_rewatches autoplay_completions returned_1d "
    "returned_7d returned_28d skimmers rewatch_hist_1 rewatch_hist_2 rewatch_hist_3_4 rewatch_hist_5_9 "
    "rewatch_hist_10_plus"
)
STREAM_COUNTERS = (
    "events dead_letters late_events late_hour_events unknown_zone_events misrouted_events stale_events "
    "player_restarts refused_long_ms refused_fast_ms refused_gap_ms refused_back"
)
PARTS_COUNTERS = "watched_ms completions streak_3 streak_5 streak_10"


@pytest.mark.parametrize("kind", MADE)
def test_the_bytes_of_a_record_are_those_of_the_format(kind: str) -> None:
    message = MADE[kind]()
    assert ((message["key"] or b"").hex(), (message["value"] or b"").hex()) == BYTES[kind], RAISE_IT


def test_the_places_of_the_counters_are_those_of_the_format() -> None:
    assert " ".join(Counters.__struct_fields__) == COUNTERS, RAISE_IT
    assert " ".join(StreamCounters.__struct_fields__) == STREAM_COUNTERS, RAISE_IT
    assert " ".join(PART_FIELDS) == PARTS_COUNTERS, RAISE_IT


def test_the_windows_are_those_of_the_format() -> None:
    """An older state lacks the past of a further window, although no bytes differ."""
    assert (AGES, LAST_WEEK) == ({"opening": 72, "7d": 168, "28d": 672, "91d": 2_184}, 104), RAISE_IT


def test_the_number_of_these_bytes_is_the_one_in_the_code() -> None:
    assert STATE_FORMAT == FORMAT, RAISE_IT


def test_the_row_uses_every_field() -> None:
    at_rest = unpack(pack(row()))
    rows, sessions = [at_rest, Row(T0)], [*at_rest.sessions.values(), Session("", 0, 0, False, False, 0, 0, ())]
    assert _same(rows, Row) <= {"touched_ms", "filled", "reached_week", "watched", "dirty", "generation"}
    assert _same([sessions[0], sessions[-1]], Session) == set()


def _same(pair: list[Any], kind: Any) -> set[str]:
    first, last = pair
    names = [name for name in dir(kind) if not name.startswith("_") and not callable(getattr(first, name))]
    return {name for name in names if getattr(first, name) == getattr(last, name)}
