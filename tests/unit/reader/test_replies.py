"""What Redis says becomes typed values; what cannot be read is an error that says where."""

from __future__ import annotations

from datetime import UTC, date, datetime

import msgspec
import pytest

from models.events import END_OF_CALENDAR_MS
from streams.reader import Legs, LongWindow, ReaderError, Title, Window
from streams.reader.replies import ServerState, board, curve, dayparts, server_state, struct

HEAD = {"version": "12", "complete": "1", "as_of_ms": "1763600000000"}
STATE = ServerState(version=9, complete=True, as_of_ms=7)


def title(**fields: str) -> Title:
    return struct(Title, "encore:title:dragon", HEAD | fields, title_id="dragon")


def test_counts_are_integers_and_seconds_are_floats() -> None:
    found = title(plays="44012345", watched_s="9758416.206")
    assert (found.plays, found.watched_s, found.watched_ms) == (44_012_345, 9_758_416.206, 9_758_416_206)
    assert (found.version, found.complete, found.as_of) == (12, True, datetime(2025, 11, 20, 0, 53, 20, tzinfo=UTC))


@pytest.mark.parametrize("milliseconds", [1, 999, 1_001, 2**52 + 1, 7_999_999_999_999_999])
def test_watched_milliseconds_come_back_exactly(milliseconds: int) -> None:
    text = f"{milliseconds // 1000}.{milliseconds % 1000:03d}"
    assert title(watched_s=text, kids_watched_s=text).watched_ms == milliseconds
    assert title(watched_s=text, kids_watched_s=text).kids_watched_ms == milliseconds


def test_a_rate_that_is_empty_is_none() -> None:
    found = title(completion_rate="0.933222", repeat_rate="", views="")
    assert (found.completion_rate, found.repeat_rate, found.views) == (0.933222, None, None)


def test_fields_of_another_age_of_the_worker_do_no_harm() -> None:
    found = title(a_counter_of_the_future="1")
    assert found.watching_now == 0


@pytest.mark.parametrize("result", [Title, LongWindow])
def test_what_an_older_worker_does_not_count_is_nothing(result: type[Title] | type[LongWindow]) -> None:
    named = {"title_id": "dragon", "name": "28d"}
    found = struct(result, "encore:some", {"version": "12", "complete": "1"}, **named).as_dict()
    assert {name: value for name, value in found.items() if value} == named | {"version": 12, "complete": True}


def test_the_histogram_is_told_by_completions() -> None:
    found = title(rewatch_hist_1="1", rewatch_hist_2="2", rewatch_hist_3_4="3", rewatch_hist_10_plus="5")
    assert found.rewatch_histogram == {"1": 1, "2": 2, "3-4": 3, "5-9": 0, "10+": 5}


def test_the_flag_of_legs_is_true_or_false() -> None:
    legs = [struct(Legs, "legs", HEAD | {"week": "5", "unstoppable": text}, title_id="x") for text in ("0", "1")]
    assert [of.unstoppable for of in legs] == [False, True]


@pytest.mark.parametrize("fields", [{}, {"version": "1"}, HEAD | {"plays": "many"}, HEAD | {"complete": "maybe"}])
def test_a_hash_that_encore_does_not_write_is_an_error_that_names_it(fields: dict[str, str]) -> None:
    with pytest.raises(ReaderError, match="encore:title:dragon is not as Encore writes it"):
        struct(Title, "encore:title:dragon", fields, title_id="dragon")


@pytest.mark.parametrize("as_of_ms", [-1, 0, END_OF_CALENDAR_MS - 1])
def test_a_stream_time_within_the_calendar_is_a_time(as_of_ms: int) -> None:
    found = title(as_of_ms=str(as_of_ms))
    assert found.as_of == (datetime.fromtimestamp(as_of_ms / 1000, UTC) if as_of_ms else None)


@pytest.mark.parametrize("as_of_ms", [-2, END_OF_CALENDAR_MS, END_OF_CALENDAR_MS + 1])
def test_a_stream_time_that_no_calendar_holds_is_an_error_that_names_key_and_field(as_of_ms: int) -> None:
    with pytest.raises(ReaderError, match=rf"encore:title:dragon: as_of_ms is {as_of_ms}, accepted"):
        title(as_of_ms=str(as_of_ms))


@pytest.mark.parametrize("beyond_ms", [-1, 0, 1])
def test_a_board_beside_such_a_status_is_as_of_the_calendars_end(beyond_ms: int) -> None:
    state = server_state([b"9", b"1", str(END_OF_CALENDAR_MS + beyond_ms).encode()])
    assert state == ServerState(9, True, END_OF_CALENDAR_MS - 1)


def test_a_curve_has_its_slices_in_turn() -> None:
    values = {str(number): f"{number}.500" for number in (10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0)}
    found = curve("key", HEAD | {"slices": "11"} | values, "dragon")
    assert (found.title_id, found.values) == ("dragon", tuple(number + 0.5 for number in range(11)))


@pytest.mark.parametrize("fields", [{}, {"slices": "many"}, {"slices": "2", "0": "1.000"}, {"slices": "1", "0": "x"}])
def test_a_curve_that_cannot_be_read_is_an_error_that_names_it(fields: dict[str, str]) -> None:
    with pytest.raises(ReaderError, match="key is not as Encore writes it"):
        curve("key", HEAD | fields, "dragon")


def test_dayparts_keep_their_order_and_other_is_the_last() -> None:
    fields = {
        "other_watched_s": "4.000",
        "before_school_watched_s": "1.500",
        "before_school_completions": "2",
        "before_school_streak_3": "3",
        "before_school_streak_10": "1",
        "evening_watched_s": "0.000",
    }
    found = dayparts("key", HEAD | fields, "dragon")
    assert [part.name for part in found.dayparts] == ["before_school", "evening", "other"]
    school = found["before_school"]
    assert (school.watched_s, school.completions, school.streak_3, school.streak_5, school.streak_10) == (
        1.5,
        2,
        3,
        0,
        1,
    )
    with pytest.raises(KeyError):
        found["at_night"]


def test_a_daypart_may_have_any_name_of_the_setting() -> None:
    found = dayparts("key", HEAD | {"a_watched_s_watched_s": "1.000", "a_watched_s": "2.000"}, "dragon")
    assert {part.name: part.watched_s for part in found.dayparts} == {"a_watched_s": 1.0, "a": 2.0}


def test_dayparts_that_cannot_be_read_are_an_error_that_names_them() -> None:
    with pytest.raises(ReaderError, match="key is not as Encore writes it"):
        dayparts("key", HEAD | {"a_watched_s": "long"}, "dragon")


def test_scores_of_counts_are_integers_and_others_are_not() -> None:
    counts = board([(b"dragon", 44_012_345.0)], STATE, "plays", None).entries
    rates = board([(b"dragon", 1.0)], STATE, "completion_rate", None).entries
    assert [repr(entry.score) for entry in (*counts, *rates)] == ["44012345", "1.0"]


def test_a_board_is_as_new_and_as_complete_as_the_status_beside_it() -> None:
    found = board([], STATE, "plays", date(2026, 11, 23))
    assert (found.version, found.complete, found.as_of_ms, found.day) == (9, True, 7, date(2026, 11, 23))


def test_results_go_into_json_as_they_are() -> None:
    found = title(watched_s="1.500").as_dict()
    assert found["title_id"] == "dragon"
    assert b'"watched_s":1.5' in msgspec.json.encode(found)


def test_results_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        title().plays = 5  # type: ignore[misc]


def test_no_event_yet_is_no_time() -> None:
    assert struct(Window, "key", {"version": "1", "complete": "1"}, title_id="x", name="7d").as_of is None
