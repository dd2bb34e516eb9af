"""Which options of `encore bench` exclude each other: it says so in one line, before anything is started."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from streams.cli import main


@pytest.mark.parametrize("option", ["--latency", "--restore"])
@pytest.mark.parametrize("other", [("--shape", "live"), ("--stock",)], ids=" ".join)
def test_a_fixed_load_with_a_shape_or_beside_stock_faust_is_refused_in_one_line(
    option: str, other: tuple[str, ...]
) -> None:
    done = CliRunner().invoke(main, ["bench", option, *other])

    assert (done.exit_code, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"Error: {option} has a load of its own")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--stock",), "Error: --shape hostile: leave out --stock"),
        (
            ("--load", "of my own"),
            "Error: --load='of my own': accepted: words of 5,000 sessions of a household and title, ",
        ),
    ],
)
def test_hostile_loads_know_no_stock_faust_and_are_chosen_by_words(options: tuple[str, ...], said: str) -> None:
    done = CliRunner().invoke(main, ["bench", "--shape", "hostile", *options])

    assert (done.exit_code, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith(said)
