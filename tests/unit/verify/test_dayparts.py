"""Which part of which local day an instant falls into, by cases worked out by hand from the zones' rules.

2025: Berlin is an hour ahead of UTC, two from 30 March 01:00 UTC to 26 October 01:00 UTC. New York is five hours
behind, four from 9 March 07:00 UTC to 2 November 06:00 UTC. Adelaide is nine and a half hours ahead, ten and a half
until 5 April 16:30 UTC and from 4 October 16:30 UTC on. Kolkata is five and a half hours ahead, Kathmandu five and
three quarters, Chatham twelve and three quarters and an hour more in summer.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from models.rules import Rules
from streams.verify.dayparts import Dayparts, end_of_day_ms, local, weekday
from streams.verify.zones import installed_zones

DEFAULT = Rules().dayparts
FIRST = date(1970, 1, 1)
ZONES = installed_zones()


def ms(text: str) -> int:
    """An instant of 2025, in UTC: `06-16 05:00`, with seconds and their fractions as wanted."""
    return round(datetime.fromisoformat(f"2025-{text}").replace(tzinfo=UTC).timestamp() * 1000)


def at(zone: str, text: str, setting: str = DEFAULT) -> tuple[str, str]:
    """The daypart's name and the local date."""
    dayparts = Dayparts(setting)
    number, day = dayparts.at(ZONES[zone], ms(text))
    return dayparts.names[number], (FIRST + timedelta(days=day)).strftime("%a %m-%d")


@pytest.mark.parametrize(
    ("utc", "part", "day"),
    [
        # Summer time begins on Sunday, 30 March: 01:59 is followed by 03:00.
        ("03-28 04:59:59.999", "other", "Fri 03-28"),  # 05:59
        ("03-28 05:00", "before_school", "Fri 03-28"),  # 06:00
        ("03-28 07:29", "before_school", "Fri 03-28"),  # 08:29
        ("03-28 07:30", "other", "Fri 03-28"),  # 08:30
        ("03-29 14:00", "other", "Sat 03-29"),  # 15:00, but a Saturday
        ("03-29 17:00", "evening", "Sat 03-29"),  # 18:00
        ("03-29 21:59", "evening", "Sat 03-29"),  # 22:59
        ("03-29 22:00", "other", "Sat 03-29"),  # 23:00
        ("03-29 22:59", "other", "Sat 03-29"),  # 23:59
        ("03-29 23:00", "other", "Sun 03-30"),  # 00:00
        ("03-30 15:59", "other", "Sun 03-30"),  # 17:59
        ("03-30 16:00", "evening", "Sun 03-30"),  # 18:00
        ("03-30 22:00", "other", "Mon 03-31"),  # 00:00
        ("03-31 03:59", "other", "Mon 03-31"),  # 05:59
        ("03-31 04:00", "before_school", "Mon 03-31"),  # 06:00
        ("03-31 13:00", "after_school", "Mon 03-31"),  # 15:00
        # It ends on Sunday, 26 October: 02:00 to 02:59 come twice.
        ("10-24 04:00", "before_school", "Fri 10-24"),  # 06:00
        ("10-25 16:00", "evening", "Sat 10-25"),  # 18:00
        ("10-26 00:30", "other", "Sun 10-26"),  # 02:30
        ("10-26 01:30", "other", "Sun 10-26"),  # 02:30 again
        ("10-26 16:59", "other", "Sun 10-26"),  # 17:59
        ("10-26 17:00", "evening", "Sun 10-26"),  # 18:00
        ("10-26 22:59", "other", "Sun 10-26"),  # 23:59
        ("10-26 23:00", "other", "Mon 10-27"),  # 00:00
        ("10-27 04:59", "other", "Mon 10-27"),  # 05:59
        ("10-27 05:00", "before_school", "Mon 10-27"),  # 06:00
    ],
)
def test_berlin_across_both_changes_of_its_clocks(utc: str, part: str, day: str) -> None:
    assert at("Europe/Berlin", utc) == (part, day)


@pytest.mark.parametrize(
    ("utc", "part", "day"),
    [
        ("03-07 10:00", "other", "Fri 03-07"),  # 05:00
        ("03-07 11:00", "before_school", "Fri 03-07"),  # 06:00
        ("03-08 03:59", "evening", "Fri 03-07"),  # 22:59 of the day before
        ("03-08 04:00", "other", "Fri 03-07"),  # 23:00
        ("03-08 05:00", "other", "Sat 03-08"),  # 00:00
        ("03-09 22:00", "evening", "Sun 03-09"),  # 18:00, by summer time
        ("03-10 03:59", "other", "Sun 03-09"),  # 23:59
        ("03-10 04:00", "other", "Mon 03-10"),  # 00:00
        ("03-10 10:00", "before_school", "Mon 03-10"),  # 06:00
        ("03-10 12:30", "other", "Mon 03-10"),  # 08:30
        ("10-31 19:00", "after_school", "Fri 10-31"),  # 15:00
        ("10-31 22:00", "evening", "Fri 10-31"),  # 18:00
        ("11-02 05:30", "other", "Sun 11-02"),  # 01:30
        ("11-02 06:30", "other", "Sun 11-02"),  # 01:30 again
        ("11-03 04:59", "other", "Sun 11-02"),  # 23:59
        ("11-03 19:00", "other", "Mon 11-03"),  # 14:00
        ("11-03 20:00", "after_school", "Mon 11-03"),  # 15:00
        ("11-04 03:30", "evening", "Mon 11-03"),  # 22:30
    ],
)
def test_new_york_across_both_changes_of_its_clocks(utc: str, part: str, day: str) -> None:
    assert at("America/New_York", utc) == (part, day)


@pytest.mark.parametrize(
    ("zone", "utc", "part", "day"),
    [
        ("Asia/Kolkata", "06-16 00:29:59", "other", "Mon 06-16"),  # 05:59
        ("Asia/Kolkata", "06-16 00:30", "before_school", "Mon 06-16"),  # 06:00
        ("Asia/Kolkata", "06-16 02:59:59", "before_school", "Mon 06-16"),  # 08:29
        ("Asia/Kolkata", "06-16 03:00", "other", "Mon 06-16"),  # 08:30
        ("Asia/Kolkata", "06-16 18:29", "other", "Mon 06-16"),  # 23:59
        ("Asia/Kolkata", "06-16 18:30", "other", "Tue 06-17"),  # 00:00
        ("Asia/Kathmandu", "06-16 00:14:59", "other", "Mon 06-16"),  # 05:59
        ("Asia/Kathmandu", "06-16 00:15", "before_school", "Mon 06-16"),  # 06:00
        ("Asia/Kathmandu", "06-16 02:44", "before_school", "Mon 06-16"),  # 08:29
        ("Asia/Kathmandu", "06-16 02:45", "other", "Mon 06-16"),  # 08:30
        ("Asia/Kathmandu", "06-16 09:15", "after_school", "Mon 06-16"),  # 15:00
        ("Asia/Kathmandu", "06-16 18:15", "other", "Tue 06-17"),  # 00:00
        ("Australia/Adelaide", "04-03 19:29", "other", "Fri 04-04"),  # 05:59, by summer time
        ("Australia/Adelaide", "04-03 19:30", "before_school", "Fri 04-04"),  # 06:00
        ("Australia/Adelaide", "04-05 12:29", "evening", "Sat 04-05"),  # 22:59
        ("Australia/Adelaide", "04-05 16:15", "other", "Sun 04-06"),  # 02:45
        ("Australia/Adelaide", "04-05 16:45", "other", "Sun 04-06"),  # 02:15 again
        ("Australia/Adelaide", "04-06 20:29", "other", "Mon 04-07"),  # 05:59
        ("Australia/Adelaide", "04-06 20:30", "before_school", "Mon 04-07"),  # 06:00
        ("Australia/Adelaide", "10-03 05:30", "after_school", "Fri 10-03"),  # 15:00
        ("Australia/Adelaide", "10-06 04:29", "other", "Mon 10-06"),  # 14:59, by summer time
        ("Australia/Adelaide", "10-06 04:30", "after_school", "Mon 10-06"),  # 15:00
        ("Pacific/Chatham", "06-15 17:14", "other", "Mon 06-16"),  # 05:59
        ("Pacific/Chatham", "06-15 17:15", "before_school", "Mon 06-16"),  # 06:00
        ("Pacific/Chatham", "12-14 16:15", "before_school", "Mon 12-15"),  # 06:00, by summer time
    ],
)
def test_zones_of_half_and_quarter_hours(zone: str, utc: str, part: str, day: str) -> None:
    assert at(zone, utc) == (part, day)


@pytest.mark.parametrize(
    ("zone", "utc", "part", "day"),
    [
        ("Pacific/Auckland", "06-15 18:30", "before_school", "Mon 06-16"),  # 06:30, on a Sunday in UTC
        ("Pacific/Auckland", "06-20 18:30", "other", "Sat 06-21"),  # 06:30, on a Friday in UTC
        ("America/Los_Angeles", "06-14 00:00", "after_school", "Fri 06-13"),  # 17:00, on a Saturday in UTC
        ("America/Los_Angeles", "06-16 00:00", "other", "Sun 06-15"),  # 17:00, on a Monday in UTC
        ("Pacific/Kiritimati", "06-15 10:00", "other", "Mon 06-16"),  # 00:00, fourteen hours ahead
        ("Pacific/Kiritimati", "06-15 16:00", "before_school", "Mon 06-16"),  # 06:00
        ("Pacific/Pago_Pago", "06-16 10:59", "other", "Sun 06-15"),  # 23:59, eleven hours behind
        ("Pacific/Pago_Pago", "06-16 11:00", "other", "Mon 06-16"),  # 00:00
    ],
)
def test_the_weekday_is_that_of_the_household(zone: str, utc: str, part: str, day: str) -> None:
    assert at(zone, utc) == (part, day)


def test_every_zone_of_the_list_can_be_read() -> None:
    assert all(-1 <= local(zone, ms("06-16 12:00") // 900_000)[0] - 20_255 <= 1 for zone in ZONES.values())


def test_seconds_of_an_old_offset_count_and_neither_end_of_the_calendar_is_left() -> None:
    # Liberia was 44 minutes and 30 seconds behind UTC until 1972.
    assert local(ZONES["Africa/Monrovia"], 3) == (0, 0)
    assert local(ZONES["Africa/Monrovia"], 2) == (-1, 1425)
    assert local(ZONES["America/New_York"], 0) == (-1, 19 * 60)
    last = 253_402_300_799_999 // 900_000  # the last quarter hour of 9999
    assert local(ZONES["Pacific/Kiritimati"], last) == (2_932_897, 13 * 60 + 45)
    assert local(ZONES["Pacific/Pago_Pago"], last) == (2_932_896, 12 * 60 + 45)


# The setting


def test_the_first_daypart_that_fits_holds_and_what_is_left_is_other() -> None:
    setting = "early=05:00-09:00,school=08:00-14:00/mon-wed+fri,sunday=00:00-24:00/sun,sunny=10:00-11:00/sun"
    assert Dayparts(setting).names == ["early", "school", "sunday", "sunny", "other"]
    found = [at("UTC", utc, setting)[0] for utc in ("06-16 08:59", "06-16 09:00", "06-16 14:00", "06-19 09:00")]
    assert found == ["early", "school", "other", "other"]
    found = [at("UTC", utc, setting)[0] for utc in ("06-20 09:00", "06-22 00:00", "06-22 05:00", "06-22 23:59")]
    assert found == ["school", "sunday", "early", "sunday"]
    assert at("UTC", "06-22 10:30", setting)[0] == "sunday"


def test_the_whole_day_is_other_without_any_daypart() -> None:
    assert Dayparts("").names == ["other"]


@pytest.mark.parametrize(
    ("part", "eligible"), [("before_school", "1111100"), ("evening", "1111111"), ("other", "1111111")]
)
def test_eligible_days_are_those_of_the_daypart(part: str, eligible: str) -> None:
    dayparts = Dayparts(DEFAULT)
    monday = ms("06-16 00:00") // 86_400_000
    chosen = dayparts.parts[dayparts.names.index(part)]
    assert weekday(monday) == 0
    assert "".join(str(int(chosen.is_eligible(monday + day))) for day in range(7)) == eligible


# The end of a day


@pytest.mark.parametrize(
    ("zone", "day", "end"),
    [
        ("UTC", "06-16", "06-17 00:00"),
        ("Europe/Berlin", "03-29", "03-29 23:00"),
        ("Europe/Berlin", "03-30", "03-30 22:00"),
        ("Europe/Berlin", "10-26", "10-26 23:00"),
        ("America/New_York", "03-09", "03-10 04:00"),
        ("America/New_York", "11-02", "11-03 05:00"),
        ("Asia/Kathmandu", "06-16", "06-16 18:15"),
        ("Australia/Adelaide", "04-06", "04-06 14:30"),
        ("Pacific/Kiritimati", "06-16", "06-16 10:00"),
        ("Pacific/Pago_Pago", "06-16", "06-17 11:00"),
        ("America/Santiago", "09-06", "09-07 04:00"),  # 24:00 is 01:00: the day has no midnight
        ("America/Santiago", "04-05", "04-06 04:00"),  # 24:00 is 23:00 again: the day has an hour more
    ],
)
def test_a_local_day_ends_at_the_first_quarter_hour_of_a_later_date(zone: str, day: str, end: str) -> None:
    number = ms(f"{day} 00:00") // 86_400_000
    assert end_of_day_ms(ZONES[zone], number) == ms(end)
