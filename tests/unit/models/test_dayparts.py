"""Parts of the local day. Expectations are worked out by hand: each case says its zone's offset from UTC at that time.

Clocks change on Sundays: in Europe on 30 March and 26 October 2025 at 01:00 UTC, in New York on 9 March and 2 November
at 02:00 by the clock there, in Adelaide on 6 April at 03:00 and 5 October at 02:00. 16 June 2025 is a Monday.
"""

from __future__ import annotations

import pickle
import re
from datetime import UTC, date, datetime, timedelta

import pytest

from models.dayparts import OTHER, QUARTER_MS, Daypart, LocalTimes, read_dayparts, weekday
from models.events import END_OF_CALENDAR_MS
from models.rules import DAY_MS, DAYPARTS, Rules
from streams.config.zones import Zones

EPOCH = date(1970, 1, 1)
WEEK = frozenset(range(7))
ZONES = Zones()


def ms(utc: str) -> int:
    """An instant: `2025-06-16 05:00`, with seconds and their fractions as wanted."""
    return round(datetime.fromisoformat(utc).replace(tzinfo=UTC).timestamp() * 1000)


def at(zone: str | None, utc: str, setting: str = DAYPARTS) -> str:
    """The local date and the daypart, such as `Mon 16 Jun before_school`."""
    times = LocalTimes(read_dayparts(setting), ZONES)
    local = times.at(zone, ms(utc))
    return f"{EPOCH + timedelta(days=local.day):%a %d %b} {times.dayparts[local.daypart].name}"


def end_of(zone: str | None, day: str) -> str:
    """When a local day is over, in UTC."""
    number = (date.fromisoformat(day) - EPOCH).days
    end_ms = LocalTimes(read_dayparts(""), ZONES).end_quarter(zone, number) * QUARTER_MS
    return f"{datetime.fromtimestamp(end_ms / 1000, UTC):%Y-%m-%d %H:%M}"


# -- the setting --------------------------------------------------------------------------------------------------


def test_the_setting_names_parts_in_their_order_and_the_rest_is_other() -> None:
    assert read_dayparts(DAYPARTS) == (
        Daypart("before_school", 6 * 60, 8 * 60 + 30, frozenset({0, 1, 2, 3, 4})),
        Daypart("after_school", 15 * 60, 18 * 60, frozenset({0, 1, 2, 3, 4})),
        Daypart("evening", 18 * 60, 23 * 60, WEEK),
        Daypart(OTHER, 0, 24 * 60, WEEK),
    )


def test_an_empty_setting_leaves_the_whole_day_to_other() -> None:
    assert read_dayparts("") == (Daypart(OTHER, 0, 24 * 60, WEEK),)


@pytest.mark.parametrize(
    ("days", "read"),
    [
        ("", WEEK), ("/mon", {0}), ("/sun", {6}), ("/mon-fri", {0, 1, 2, 3, 4}), ("/sat+sun", {5, 6}),
        ("/mon-wed+sat", {0, 1, 2, 5}), ("/tue-tue", {1}), ("/sun+mon-tue+mon", {0, 1, 6}), ("/mon-sun", WEEK),
    ],
)  # fmt: skip
def test_days_are_weekdays_and_ranges_joined_by_plus(days: str, read: set[int]) -> None:
    assert read_dayparts(f"part=06:00-07:00{days}")[0].days == read


@pytest.mark.parametrize(
    "entry",
    [
        *("part", "part=", "part=06:00", "part=6:00-07:00", "part=06:00-07:00/", "part=06:00-07:00/mon fri"),
        *("Part=06:00-07:00", "1part=06:00-07:00", "_part=06:00-07:00", "a-b=06:00-07:00", "=06:00-07:00"),
        "part=٠٦:٠٠-٠٧:٠٠",
    ],
)
def test_what_is_no_entry_is_refused_with_the_form_of_one(entry: str) -> None:
    with pytest.raises(ValueError, match=re.escape(f"{entry!r}: accepted: NAME=HH:MM-HH:MM or NAME=HH:MM-HH:MM/DAYS")):
        read_dayparts(f"evening=18:00-23:00,{entry}")


@pytest.mark.parametrize(
    "clock",
    [
        *("06:01-07:00", "06:00-07:14", "06:00-06:00", "07:00-06:00", "23:00-01:00", "24:00-24:00"),
        *("00:00-24:15", "00:00-25:00", "06:60-08:00", "06:00-07:60"),
    ],
)
def test_times_are_whole_quarter_hours_in_order_within_one_day(clock: str) -> None:
    with pytest.raises(ValueError, match=f"^'part={clock}': accepted: whole quarter hours from 00:00 to 24:00"):
        read_dayparts(f"part={clock}")


def test_a_part_may_be_a_quarter_hour_or_a_whole_day() -> None:
    assert [part[1:3] for part in read_dayparts("a=23:45-24:00,b=00:00-24:00")[:2]] == [(1425, 1440), (0, 1440)]


@pytest.mark.parametrize("days", ["monday", "mon-", "-fri", "mon+", "mo", "mon-fri-sun", "mon--fri", "+"])
def test_what_is_no_day_is_refused_with_the_days_that_there_are(days: str) -> None:
    with pytest.raises(ValueError, match=re.escape(f"'part=06:00-07:00/{days}': accepted days: mon tue wed")):
        read_dayparts(f"part=06:00-07:00/{days}")


def test_a_range_of_days_does_not_go_over_sunday() -> None:
    with pytest.raises(ValueError, match=r"'part=06:00-07:00/sat-mon': a range of days goes from Monday"):
        read_dayparts("part=06:00-07:00/sat-mon")


@pytest.mark.parametrize("twice", ["a=06:00-07:00,a=08:00-09:00", "other=06:00-07:00"])
def test_every_name_is_there_once_other_too(twice: str) -> None:
    name = twice[: twice.index("=")]
    with pytest.raises(ValueError, match=f"{name!r} is there twice: every name once, 'other' is the name of the rest"):
        read_dayparts(twice)


@pytest.mark.parametrize(("parts", "fits"), [(7, True), (8, True), (9, False)])
def test_there_are_eight_parts_at_most_besides_other(parts: int, fits: bool) -> None:
    setting = ",".join(f"part_{number}=0{number}:00-0{number}:15" for number in range(parts))
    if fits:
        assert len(read_dayparts(setting)) == parts + 1
    else:
        with pytest.raises(ValueError, match=r"^9 dayparts: accepted: at most 8"):
            read_dayparts(setting)


def test_rules_take_only_what_can_be_read_and_differ_where_the_setting_does() -> None:
    with pytest.raises(ValueError, match="accepted"):
        Rules(dayparts="part=06:00")
    assert Rules(dayparts="").fingerprint() != Rules().fingerprint()


def test_rules_pass_from_one_process_to_another() -> None:
    rules = Rules(dayparts="", play_ms=7)
    assert pickle.loads(pickle.dumps(rules)) == rules


# -- which part of which day --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("utc", "found"),
    [
        ("2025-06-16 05:59:59.999", "Mon 16 Jun other"), ("2025-06-16 06:00", "Mon 16 Jun before_school"),
        ("2025-06-16 06:00:00.001", "Mon 16 Jun before_school"),
        ("2025-06-16 08:29:59.999", "Mon 16 Jun before_school"), ("2025-06-16 08:30", "Mon 16 Jun other"),
        ("2025-06-16 14:59:59.999", "Mon 16 Jun other"), ("2025-06-16 15:00", "Mon 16 Jun after_school"),
        ("2025-06-16 17:59:59.999", "Mon 16 Jun after_school"), ("2025-06-16 18:00", "Mon 16 Jun evening"),
        ("2025-06-16 22:59:59.999", "Mon 16 Jun evening"), ("2025-06-16 23:00", "Mon 16 Jun other"),
        ("2025-06-16 23:59:59.999", "Mon 16 Jun other"), ("2025-06-17 00:00", "Tue 17 Jun other"),
    ],
)  # fmt: skip
def test_a_part_holds_its_start_and_not_its_end(utc: str, found: str) -> None:
    assert at("UTC", utc) == found


@pytest.mark.parametrize("zone", [None, "", "Mars/Base", "utc", "UTC", "Etc/UTC"])
def test_no_zone_and_one_that_is_none_mean_utc(zone: str | None) -> None:
    assert at(zone, "2025-06-16 06:00") == "Mon 16 Jun before_school"
    assert end_of(zone, "2025-06-16") == "2025-06-17 00:00"


@pytest.mark.parametrize(
    ("utc", "found"),
    [
        ("2025-06-20 07:00", "Fri 20 Jun before_school"), ("2025-06-21 07:00", "Sat 21 Jun other"),
        ("2025-06-22 16:00", "Sun 22 Jun other"), ("2025-06-21 18:00", "Sat 21 Jun evening"),
        ("2025-06-22 22:45", "Sun 22 Jun evening"), ("2025-06-23 07:00", "Mon 23 Jun before_school"),
    ],
)  # fmt: skip
def test_school_is_on_weekdays_and_the_evening_on_every_day(utc: str, found: str) -> None:
    assert at(None, utc) == found


def test_the_first_part_that_fits_holds_where_they_overlap() -> None:
    setting = "lunch=12:00-13:00/mon,noon=11:00-14:00,morning=00:00-12:00"
    found = {
        f"{day} {hour}": at(None, f"2025-06-{day} {hour}:30", setting) for day in (16, 17) for hour in (10, 11, 12)
    }
    assert found == {
        "16 10": "Mon 16 Jun morning", "16 11": "Mon 16 Jun noon", "16 12": "Mon 16 Jun lunch",
        "17 10": "Tue 17 Jun morning", "17 11": "Tue 17 Jun noon", "17 12": "Tue 17 Jun noon",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("utc", "found"),
    [
        # +1 until Sunday, 30 March, 01:00 UTC, when 02:00 becomes 03:00
        ("2025-03-28 04:59:59.999", "Fri 28 Mar other"), ("2025-03-28 05:00", "Fri 28 Mar before_school"),
        ("2025-03-28 07:29:59.999", "Fri 28 Mar before_school"), ("2025-03-28 07:30", "Fri 28 Mar other"),
        ("2025-03-29 17:00", "Sat 29 Mar evening"), ("2025-03-29 22:59:59.999", "Sat 29 Mar other"),
        ("2025-03-29 23:00", "Sun 30 Mar other"),
        # +2
        ("2025-03-30 15:59:59.999", "Sun 30 Mar other"), ("2025-03-30 16:00", "Sun 30 Mar evening"),
        ("2025-03-30 21:59:59.999", "Sun 30 Mar other"), ("2025-03-30 22:00", "Mon 31 Mar other"),
        ("2025-03-31 03:59:59.999", "Mon 31 Mar other"), ("2025-03-31 04:00", "Mon 31 Mar before_school"),
        ("2025-03-31 06:29:59.999", "Mon 31 Mar before_school"), ("2025-03-31 06:30", "Mon 31 Mar other"),
        ("2025-10-24 04:00", "Fri 24 Oct before_school"), ("2025-10-24 13:00", "Fri 24 Oct after_school"),
        ("2025-10-25 22:00", "Sun 26 Oct other"), ("2025-10-26 00:59:59.999", "Sun 26 Oct other"),
        # +1 again: 02:00 to 03:00 come twice
        ("2025-10-26 01:00", "Sun 26 Oct other"), ("2025-10-26 16:59:59.999", "Sun 26 Oct other"),
        ("2025-10-26 17:00", "Sun 26 Oct evening"), ("2025-10-26 22:59:59.999", "Sun 26 Oct other"),
        ("2025-10-26 23:00", "Mon 27 Oct other"), ("2025-10-27 04:59:59.999", "Mon 27 Oct other"),
        ("2025-10-27 05:00", "Mon 27 Oct before_school"), ("2025-10-27 14:00", "Mon 27 Oct after_school"),
    ],
)  # fmt: skip
def test_berlin_through_both_changes_of_its_clocks(utc: str, found: str) -> None:
    assert at("Europe/Berlin", utc) == found


@pytest.mark.parametrize(
    ("utc", "found"),
    [
        # -5 until Sunday, 9 March, 07:00 UTC; the evening goes on into the next UTC day
        ("2025-03-07 10:59:59.999", "Fri 07 Mar other"), ("2025-03-07 11:00", "Fri 07 Mar before_school"),
        ("2025-03-07 22:59:59.999", "Fri 07 Mar after_school"), ("2025-03-07 23:00", "Fri 07 Mar evening"),
        ("2025-03-08 03:59:59.999", "Fri 07 Mar evening"), ("2025-03-08 04:00", "Fri 07 Mar other"),
        ("2025-03-08 04:59:59.999", "Fri 07 Mar other"), ("2025-03-08 05:00", "Sat 08 Mar other"),
        # -4
        ("2025-03-09 21:59:59.999", "Sun 09 Mar other"), ("2025-03-09 22:00", "Sun 09 Mar evening"),
        ("2025-03-10 03:59:59.999", "Sun 09 Mar other"), ("2025-03-10 04:00", "Mon 10 Mar other"),
        ("2025-03-10 09:59:59.999", "Mon 10 Mar other"), ("2025-03-10 10:00", "Mon 10 Mar before_school"),
        ("2025-10-31 10:00", "Fri 31 Oct before_school"), ("2025-10-31 19:00", "Fri 31 Oct after_school"),
        # -5 again from Sunday, 2 November, 06:00 UTC
        ("2025-11-02 05:30", "Sun 02 Nov other"), ("2025-11-02 06:30", "Sun 02 Nov other"),
        ("2025-11-02 22:59:59.999", "Sun 02 Nov other"), ("2025-11-02 23:00", "Sun 02 Nov evening"),
        ("2025-11-03 04:59:59.999", "Sun 02 Nov other"), ("2025-11-03 05:00", "Mon 03 Nov other"),
        ("2025-11-03 10:59:59.999", "Mon 03 Nov other"), ("2025-11-03 11:00", "Mon 03 Nov before_school"),
    ],
)  # fmt: skip
def test_new_york_through_both_changes_of_its_clocks(utc: str, found: str) -> None:
    assert at("America/New_York", utc) == found


@pytest.mark.parametrize(
    ("zone", "utc", "found"),
    [
        # +5:30 all year
        ("Asia/Kolkata", "2025-06-16 00:29:59.999", "Mon 16 Jun other"),
        ("Asia/Kolkata", "2025-06-16 00:30", "Mon 16 Jun before_school"),
        ("Asia/Kolkata", "2025-06-16 03:00", "Mon 16 Jun other"),
        ("Asia/Kolkata", "2025-06-16 18:29:59.999", "Mon 16 Jun other"),
        ("Asia/Kolkata", "2025-06-16 18:30", "Tue 17 Jun other"),
        # +5:45 all year
        ("Asia/Kathmandu", "2025-06-16 00:14:59.999", "Mon 16 Jun other"),
        ("Asia/Kathmandu", "2025-06-16 00:15", "Mon 16 Jun before_school"),
        ("Asia/Kathmandu", "2025-06-16 02:45", "Mon 16 Jun other"),
        ("Asia/Kathmandu", "2025-06-16 18:14:59.999", "Mon 16 Jun other"),
        ("Asia/Kathmandu", "2025-06-16 18:15", "Tue 17 Jun other"),
        # +10:30 until 5 April 16:30 UTC: Friday's morning there is Thursday's evening in UTC
        ("Australia/Adelaide", "2025-04-03 19:29:59.999", "Fri 04 Apr other"),
        ("Australia/Adelaide", "2025-04-03 19:30", "Fri 04 Apr before_school"),
        ("Australia/Adelaide", "2025-04-05 13:29:59.999", "Sat 05 Apr other"),
        ("Australia/Adelaide", "2025-04-05 13:30", "Sun 06 Apr other"),
        # +9:30
        ("Australia/Adelaide", "2025-04-06 14:29:59.999", "Sun 06 Apr other"),
        ("Australia/Adelaide", "2025-04-06 14:30", "Mon 07 Apr other"),
        ("Australia/Adelaide", "2025-04-06 20:29:59.999", "Mon 07 Apr other"),
        ("Australia/Adelaide", "2025-04-06 20:30", "Mon 07 Apr before_school"),
        ("Australia/Adelaide", "2025-10-02 20:30", "Fri 03 Oct before_school"),
        # +10:30 again from 4 October 16:30 UTC on
        ("Australia/Adelaide", "2025-10-05 13:30", "Mon 06 Oct other"),
        ("Australia/Adelaide", "2025-10-05 19:29:59.999", "Mon 06 Oct other"),
        ("Australia/Adelaide", "2025-10-05 19:30", "Mon 06 Oct before_school"),
        ("Australia/Adelaide", "2025-10-06 04:30", "Mon 06 Oct after_school"),
    ],
)
def test_zones_of_half_and_quarter_hours(zone: str, utc: str, found: str) -> None:
    assert at(zone, utc) == found


@pytest.mark.parametrize(
    ("zone", "utc", "found"),
    [
        ("Pacific/Kiritimati", "2025-06-15 09:59:59.999", "Sun 15 Jun other"),  # +14
        ("Pacific/Kiritimati", "2025-06-15 10:00", "Mon 16 Jun other"),
        ("Pacific/Kiritimati", "2025-06-15 16:00", "Mon 16 Jun before_school"),
        ("Etc/GMT+12", "2025-06-16 11:59:59.999", "Sun 15 Jun other"),  # -12
        ("Etc/GMT+12", "2025-06-16 12:00", "Mon 16 Jun other"),
        ("Asia/Tokyo", "2025-06-15 22:00", "Mon 16 Jun before_school"),  # +9, on a Sunday in UTC
        ("Asia/Tokyo", "2025-06-20 22:00", "Sat 21 Jun other"),  # on a Friday in UTC
    ],
)
def test_the_day_and_its_weekday_are_the_households(zone: str, utc: str, found: str) -> None:
    assert at(zone, utc) == found


def test_the_offset_is_the_one_at_the_start_of_the_utc_quarter_hour() -> None:
    # In St. John's, 3:30 behind UTC, clocks went forward at 00:01 until 2011: from 03:31 UTC on it was 02:30 behind.
    assert at("America/St_Johns", "2011-03-13 03:44", "new=01:00-01:15") == "Sun 13 Mar other"  # taken as 00:00
    assert at("America/St_Johns", "2011-03-13 03:45", "new=01:00-01:30") == "Sun 13 Mar new"  # 01:15


def test_seconds_of_an_old_offset_count() -> None:
    # Liberia was 44 minutes and 30 seconds behind UTC until 1972: at 06:45 UTC it was 06:00:30.
    assert at("Africa/Monrovia", "1970-01-05 06:45") == "Mon 05 Jan before_school"
    assert at("Africa/Monrovia", "1970-01-05 06:44:59.999") == "Mon 05 Jan other"


def test_before_the_epoch_began_in_utc_it_was_still_the_day_before_in_the_west() -> None:
    assert at("America/New_York", "1970-01-01 00:00") == "Wed 31 Dec evening"


@pytest.mark.parametrize(
    ("zone", "day", "daypart"),
    [
        ("UTC", 0, OTHER), ("Asia/Tokyo", 1, "before_school"), ("Pacific/Kiritimati", 1, OTHER),
        ("America/New_York", 0, "evening"), ("Etc/GMT+12", 0, OTHER),
    ],
)  # fmt: skip
def test_the_last_quarter_hour_of_the_calendar_has_the_offset_of_the_days_before(
    zone: str, day: int, daypart: str
) -> None:
    # 31 December 9999, 23:45 UTC, a Friday: 08:45 of a Saturday in Tokyo, 13:45 in Kiritimati, 18:45 in New York.
    setting = "before_school=06:00-09:00,evening=18:00-23:00"
    times = LocalTimes(read_dayparts(setting), ZONES)
    local = times.at(zone, END_OF_CALENDAR_MS - 1)
    assert (local.day - (END_OF_CALENDAR_MS // DAY_MS - 1), times.dayparts[local.daypart].name) == (day, daypart)


# -- the end of a local day ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "day", "end"),
    [
        ("UTC", "2025-06-16", "2025-06-17 00:00"),
        ("Asia/Kolkata", "2025-06-16", "2025-06-16 18:30"),  # +5:30
        ("Asia/Kathmandu", "2025-06-16", "2025-06-16 18:15"),  # +5:45
        ("Pacific/Kiritimati", "2025-06-16", "2025-06-16 10:00"),  # +14
        ("Etc/GMT+12", "2025-06-16", "2025-06-17 12:00"),  # -12
        ("Europe/Berlin", "2025-03-29", "2025-03-29 23:00"),
        ("Europe/Berlin", "2025-03-30", "2025-03-30 22:00"),  # a day of 23 hours
        ("Europe/Berlin", "2025-10-25", "2025-10-25 22:00"),
        ("Europe/Berlin", "2025-10-26", "2025-10-26 23:00"),  # of 25
        ("America/New_York", "2025-03-08", "2025-03-09 05:00"),
        ("America/New_York", "2025-03-09", "2025-03-10 04:00"),  # 23
        ("America/New_York", "2025-11-01", "2025-11-02 04:00"),
        ("America/New_York", "2025-11-02", "2025-11-03 05:00"),  # 25
        ("Australia/Adelaide", "2025-04-05", "2025-04-05 13:30"),
        ("Australia/Adelaide", "2025-04-06", "2025-04-06 14:30"),  # 25
        ("Australia/Adelaide", "2025-10-05", "2025-10-05 13:30"),  # 23
        ("Australia/Lord_Howe", "2025-04-05", "2025-04-05 13:00"),
        ("Australia/Lord_Howe", "2025-04-06", "2025-04-06 13:30"),  # 24 and a half: from +11 to +10:30
    ],
)
def test_a_local_day_ends_at_its_midnight(zone: str, day: str, end: str) -> None:
    assert end_of(zone, day) == end


@pytest.mark.parametrize(
    ("zone", "day", "end"),
    [
        ("America/Havana", "2025-03-08", "2025-03-09 05:00"),  # -5: midnight becomes 01:00 at once
        ("America/Havana", "2025-03-09", "2025-03-10 04:00"),
        ("America/Havana", "2025-11-01", "2025-11-02 04:00"),  # -4; at 01:00 it is midnight again, of the same day
        ("America/Havana", "2025-11-02", "2025-11-03 05:00"),
        ("Asia/Beirut", "2025-03-29", "2025-03-29 22:00"),  # +2: midnight becomes 01:00 at once
        ("Asia/Beirut", "2025-03-30", "2025-03-30 21:00"),
        ("Asia/Beirut", "2025-10-25", "2025-10-25 22:00"),  # +3: instead of midnight it is 23:00 again
        ("Asia/Beirut", "2025-10-26", "2025-10-26 22:00"),
        ("Pacific/Apia", "2011-12-29", "2011-12-30 10:00"),  # -10, then +14: the 30th never was
        ("Pacific/Apia", "2011-12-30", "2011-12-30 10:00"),
        ("Pacific/Apia", "2011-12-31", "2011-12-31 10:00"),
    ],
)
def test_a_local_day_ends_where_the_clocks_change_at_midnight_too(zone: str, day: str, end: str) -> None:
    assert end_of(zone, day) == end


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "America/New_York", "Australia/Adelaide", "Pacific/Apia"])
def test_a_day_ends_where_the_next_one_begins(zone: str) -> None:
    times = LocalTimes(read_dayparts(""), ZONES)
    for day in range(20_088, 20_088 + 366):  # 2025
        end = times.end_quarter(zone, day)
        assert [times.at(zone, quarter * QUARTER_MS).day for quarter in (end - 1, end)] == [day, day + 1]


@pytest.mark.parametrize(
    ("zone", "quarters"), [("UTC", 0), ("Asia/Tokyo", -9 * 4), ("Australia/Adelaide", -42), ("America/New_York", 5 * 4)]
)
def test_days_end_in_their_order_behind_the_calendar_too(zone: str, quarters: int) -> None:
    times = LocalTimes(read_dayparts(""), ZONES)
    last = END_OF_CALENDAR_MS // DAY_MS - 1
    ends = [times.end_quarter(zone, day) for day in (last - 1, last, last + 7)]
    assert ends == [(day + 1) * 96 + quarters for day in (last - 1, last, last + 7)]


# -- weekdays, and what is remembered -----------------------------------------------------------------------------


def test_the_first_day_of_1970_is_a_thursday() -> None:
    assert [weekday(day) for day in (-4, -1, 0, 3, 4, 20_255)] == [6, 2, 3, 6, 0, 0]


def test_what_is_remembered_is_the_same_and_so_is_what_was_forgotten() -> None:
    times = LocalTimes(read_dayparts(DAYPARTS), ZONES)
    quarters = range(0, 60_000, 7)
    first = [times.at("Europe/Berlin", quarter * QUARTER_MS) for quarter in quarters]
    assert [times.at("Europe/Berlin", quarter * QUARTER_MS) for quarter in quarters] == first


def test_zones_that_are_none_are_not_remembered_one_by_one() -> None:
    times = LocalTimes(read_dayparts(DAYPARTS), ZONES)
    for number in range(1_000):
        times.at(f"Mars/{number}", 0)
    assert len(times._known) <= 1


def test_other_rules_hold_for_what_was_looked_up_before() -> None:
    """Noon UTC is 14:00 in Berlin and 21:00 in Tokyo; a day of Tokyo ends seven hours before one of Berlin."""
    local = LocalTimes(read_dayparts("late=20:00-22:00"), {"Mars/Base": ZONES["Europe/Berlin"]})
    noon_ms, day = 20_255 * DAY_MS + DAY_MS // 2, 20_255
    before = local.at("Mars/Base", noon_ms).daypart, local.end_quarter("Mars/Base", day)
    unknown = local.at("Mars/Moon", noon_ms).daypart, local.end_quarter("Mars/Moon", day)
    local.judge_by({"Mars/Base": ZONES["Asia/Tokyo"], "Mars/Moon": ZONES["Asia/Tokyo"]})
    after = [(local.at(zone, noon_ms).daypart, local.end_quarter(zone, day)) for zone in ("Mars/Base", "Mars/Moon")]
    midnight = (day + 1) * 96
    assert (before, unknown) == ((1, midnight - 2 * 4), (1, midnight))
    assert after == [(0, midnight - 9 * 4)] * 2


def test_with_as_many_dayparts_as_may_be_a_span_is_of_one_of_them_on_one_day() -> None:
    eight = ",".join(f"part{number}={3 * number:02}:00-{3 * number + 2:02}:00" for number in range(8))
    local = LocalTimes(read_dayparts(eight), {})
    found = {local.at(None, quarter * QUARTER_MS) for quarter in range(3 * 96)}
    assert len({each.span for each in found}) == len(found) == 3 * 9
