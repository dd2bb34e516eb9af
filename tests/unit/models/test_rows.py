"""Rows at rest."""

from __future__ import annotations

import pytest
from playing import household

from models.rows import pack, unpack
from models.viewing import Row

PLANES = {
    "none": 0, "the first": 1, "the second": 0b10, "a run": 0b1111, "a hole": 0b101, "a run further on": 0b1110_0000,
    "a day": (1 << 17_280) - 1, "the last of a day": 1 << 17_279, "an hour and more": ((1 << 900) - 1) << 300,
    "every second": int("10" * 500, 2), "a week": (1 << 120_960) - 1,
}  # fmt: skip


@pytest.mark.parametrize("plane", PLANES.values(), ids=PLANES.keys())
@pytest.mark.parametrize("name", ["once", "twice", "owed"])
def test_a_plane_comes_back_as_it_was(name: str, plane: int) -> None:
    row = Row()
    setattr(row, name, plane)
    assert getattr(unpack(pack(row)), name) == plane


def test_a_row_comes_back_whole_and_goes_on_as_if_it_had_never_been_packed() -> None:
    packed, untouched = (household().plays(0, 905, ends="heartbeat") for _ in range(2))
    for viewing in (packed, untouched):
        viewing.sits_down("other").tells("rate", 40, seq=-5, playback_rate=1.5).sits_down("sitting-1")
    packed.row = unpack(pack(packed.row))
    assert packed.state() == untouched.state()
    for viewing in (packed, untouched):
        viewing.plays_on(1000, ends="end").sits_down("other").plays_on(90, every=15, pace=1.5)
    assert packed.state() == untouched.state()
    assert packed.facts == untouched.facts


def test_packing_is_the_same_bytes_for_the_same_state() -> None:
    row = household().plays(0, 500).row
    assert pack(unpack(pack(row))) == pack(row)


@pytest.mark.parametrize(("sittings", "most_bytes"), [(1, 100), (3, 250)])
def test_a_row_rests_in_few_bytes(sittings: int, most_bytes: int) -> None:
    viewing = household(film_s=6_000)
    for sitting in range(sittings):
        viewing.sits_down(f"{sitting:08x}-0000-4000").plays(sitting * 1_000, sitting * 1_000 + 1_000)
    assert len(pack(viewing.row)) <= most_bytes
