"""The way back from changelog records to a fold: what is there is taken in, what cannot be read is refused."""

from __future__ import annotations

import msgspec
import pytest

from models.fold import Fold
from models.fold_changes import FoldChanges
from models.rows import pack
from models.rules import Rules
from models.tally import TallyKey
from models.viewing import Row
from streams.config.zones import installed_zones
from streams.state.changelog import (
    Erased,
    Position,
    Restored,
    StateError,
    erasure_message,
    position_message,
    read_erasure,
    state_messages,
)
from streams.state.zone_records import zone_message

POSITION = Position(5, "topic", 1, 7, 3, "rules", "zones", 1, [4, *range(11)])
ROWS = [
    (title_id, home, pack(Row(number)))
    for number, (title_id, home) in enumerate([("film", "home"), ("film", "häus"), ("f" * 300, "home")])
]
FILM, HOUR, DAY = TallyKey("t", 0, "film"), TallyKey("h", 258, "film"), TallyKey("d", 10, "film")
AUDIENCE, CURVE = TallyKey("u", 2_894, "film"), TallyKey("v", 0, "film")
TALLIES = {FILM: [3, 1], HOUR: [3, 2], DAY: [3, 4], TallyKey("f", 0, "saga"): [3, 5], AUDIENCE: [3, 6], CURVE: [3]}


def restored(*records: tuple[bytes | None, bytes | None]) -> Restored:
    taken = Restored(Fold(Rules()))
    taken.add(records)  # type: ignore[arg-type]
    taken.finish()
    return taken


def messages() -> list[tuple[bytes, bytes]]:
    written = [*state_messages(FoldChanges(ROWS, TALLIES, [], [], [])), position_message(POSITION)]
    return [(message["key"], message["value"]) for message in written]


def rows(taken: Restored) -> list[tuple[str, str, object]]:
    return [(title, home, row) for title, kept in taken.fold.titles.items() for home, row in kept.rows.items()]


def test_rows_tallies_and_position_come_back() -> None:
    taken = restored(*messages())
    assert (rows(taken), taken.fold.tallies, taken.position) == (ROWS, TALLIES, POSITION)
    assert (taken.rows, taken.fold.stream_time_ms, taken.fold.stream_counts()) == (10, 7, POSITION.stream)


def test_an_erasure_comes_back_with_the_digest_of_its_household() -> None:
    written = erasure_message(1_234, "d1" * 32, Erased(1_200, 3))
    assert read_erasure(written["key"], written["value"]) == ("d1" * 32, Erased(1_200, 3))


def test_of_one_key_the_last_value_holds_in_one_call_or_several() -> None:
    taken = Restored(Fold(Rules()))
    taken.add(messages())
    taken.add([(messages()[0][0], ROWS[2][2]), messages()[1]])
    assert rows(taken)[:2] == [("film", "home", ROWS[2][2]), ROWS[1]]


def test_a_tombstone_takes_a_row_or_a_tally_away() -> None:
    gone = [(key, None) for key, _ in messages()[:9]]
    taken = restored(*messages(), *gone, *gone, messages()[-1])
    assert (rows(taken), taken.fold.tallies) == ([], {})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (None, b""), (b"", b""), (b"x", b""), (b"\xff", b""), (b"p", None), (b"p", b"{"), (b"p", b"{}"),
        (b"p", b"\xff"), (b"r", b""), (b"r\x00", b""), (b"r\x00\x01\xffhome", b""), (b"r\x00\x01t\xff", b""),
        (b"r\x00\x01t\xff", None), (b"c00000000000000000001|\xff", b""), (b"tfilm", b""), (b"tfilm", b"\xc1"),
        (b"t\xff", b"\x90"), (b"h\x00\x00\x00\x01film", b"\x91\xa1x"), (b"nfilm", b"\xc1"), (b"nfilm", b"\x90"),
        (b"nfilm", b"\x93\x00\x91\x92\xa1h\x00\x90"), (b"n\xff", b"\x93\x00\x90\x90"), (b"bfilm", b"\x90"),
        (b"s\x00\x00\x00\x01film", b"\xc1"), (b"z00000000000000000001|a", b"TZif"), (b"z00000000000000000001|a", None),
        (b"z00000000000000000001|\xff", b""),
    ],
)  # fmt: skip
def test_a_record_that_is_no_state_is_refused_with_the_remedy_in_one_line(key: bytes | None, value: bytes) -> None:
    with pytest.raises(StateError, match="run `encore rebuild`") as refused:
        restored(messages()[-1], (key, value), messages()[-1])
    assert "\n" not in str(refused.value)


def test_zone_data_comes_back_and_is_refused_by_its_key_if_it_is_damaged() -> None:
    data = installed_zones()["Europe/Berlin"]
    key, value = (zone_message(5, "Europe/Berlin", data)[part] or b"" for part in ("key", "value"))
    assert restored((key, value), messages()[-1]).zones == {"Europe/Berlin": data}
    # Python's `zoneinfo` would read a file that lacks its end forever.
    for damaged in (value[:-1], value[:-2], value + b"\n", value[32:], bytes([value[0] ^ 1]) + value[1:]):
        with pytest.raises(StateError, match=r"Europe/Berlin'.* the zone data is damaged: .* `encore rebuild`"):
            restored((key, damaged), messages()[-1])


@pytest.mark.parametrize("records", [messages()[:1], messages()[:-1], [*messages(), messages()[0]]])
def test_a_state_that_does_not_end_with_a_position_was_torn_and_is_refused(
    records: list[tuple[bytes, bytes]],
) -> None:
    with pytest.raises(StateError, match=r"part of a transaction was committed.*run `encore rebuild`"):
        restored(*records)


def test_a_position_of_before_there_were_rebuilds_is_read() -> None:
    older = msgspec.json.decode(position_message(POSITION)["value"])
    for name in ("state_id", "told", "rebuild_until", "writer"):
        del older[name]
    assert restored((b"p", msgspec.json.encode(older))).position == POSITION
