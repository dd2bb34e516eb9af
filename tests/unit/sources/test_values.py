"""Times and durations as the files write them."""

from zoneinfo import ZoneInfo

import pytest

from models.sources.reading import UnreadableField
from models.sources.values import duration_ms, time_ms

SIX_PM_MS = 1_584_208_800_000
WEEK_S = 7 * 86_400


@pytest.mark.parametrize(
    ("text", "expected_ms"),
    [
        ("2020-03-14 18:00:00", SIX_PM_MS),
        (" 2020-03-14 18:00 ", SIX_PM_MS),
        ("2020-03-14T18:00:00Z", SIX_PM_MS),
        ("2020-03-14T18:00:00.1234567Z", SIX_PM_MS + 123),
        ("2020-03-14 20:00:00+02:00", SIX_PM_MS),
        ("1970-01-01 00:00:00", 0),
    ],
)
def test_time_is_read_in_every_notation(text: str, expected_ms: int) -> None:
    assert time_ms("Start", text) == expected_ms


@pytest.mark.parametrize(
    ("text", "day_first"),
    [
        ("14.03.2020 18:00", None),
        ("14.3.20 18:00:00", None),
        ("14/03/2020 18:00", True),
        ("3/14/2020 18:00", False),
        ("3/14/20 6:00 PM", False),
        ("3/14/2020, 06:00:00 pm", False),
    ],
)
def test_time_that_a_spreadsheet_wrote_anew_is_read(text: str, day_first: bool | None) -> None:
    assert time_ms("Start", text, day_first=day_first) == SIX_PM_MS


@pytest.mark.parametrize(("text", "hour"), [("3/14/20 12:00 AM", 0), ("3/14/20 1:00 AM", 1), ("3/14/20 12:00 PM", 12)])
def test_twelve_o_clock_is_midnight_in_the_morning_and_noon_in_the_afternoon(text: str, hour: int) -> None:
    assert time_ms("Start", text, day_first=False) == SIX_PM_MS + (hour - 18) * 3_600_000


def test_time_of_which_nobody_knows_whether_the_day_comes_first_is_refused() -> None:
    with pytest.raises(UnreadableField, match="day or month comes first"):
        time_ms("Start", "03/04/2020 18:00")


def test_time_without_an_offset_is_in_the_zone_and_one_with_an_offset_is_not() -> None:
    zone = ZoneInfo("Europe/Berlin")
    assert time_ms("Start", "2020-03-14 19:00:00", zone) == SIX_PM_MS
    assert time_ms("Start", "2020-03-14T18:00:00Z", zone) == SIX_PM_MS


@pytest.mark.parametrize(
    "text", ["", "30.02.2020 18:00", "2020-02-30 18:00:00", "2020-03-14", "18:00", "0000-01-01 00:00:00"]
)
def test_time_in_another_notation_is_refused_by_name(text: str) -> None:
    with pytest.raises(UnreadableField, match=r"Start is .*, accepted: YYYY-MM-DD HH:MM:SS"):
        time_ms("Start", text)


@pytest.mark.parametrize(
    ("text", "expected_s"),
    [
        ("00:47:10", 2830),
        ("0:47:10", 2830),
        ("100:00:00", 360_000),
        ("00:00:01.5", 1.5),
        ("2830", 2830),
        ("2830.5", 2830.5),
        ("47 mins", 2820),
        ("1 hr 5 mins", 3900),
        ("2 days, 1 hour", 176_400),
        (str(WEEK_S - 1), WEEK_S - 1),
        (str(WEEK_S), WEEK_S),
    ],
)
def test_duration_is_read_in_every_notation(text: str, expected_s: float) -> None:
    assert duration_ms("Duration", text) == expected_s * 1000


@pytest.mark.parametrize("text", ["", "Not latest view", "-1", "00:61:00", "1 fortnight", "1e3", str(WEEK_S + 1), "²"])
def test_duration_in_another_notation_or_above_a_week_is_refused_by_name(text: str) -> None:
    with pytest.raises(UnreadableField, match=r"Duration is .*, accepted"):
        duration_ms("Duration", text)
