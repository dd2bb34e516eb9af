"""A question is asked until its answer is complete; what was shown once is never followed by something older."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any, get_args

import pytest
from fake_server import FakeServer, carried_out

from models.hash_fields import DAY_BOARDS, TITLE_BOARDS
from streams.reader import Age, Day, DayMetric, FranchiseEntry, Hour, Metric, ReaderError, Week
from streams.reader.alias import Alias
from streams.reader.queries import Queries, Query
from streams.reader.steps import ask

TITLE, STATUS = "encore:title:dragon", "encore:status"
AWAY = ReaderError("Redis does not answer", passing=True)


class Readings:
    """A reader of a server in memory."""

    def __init__(self, server: FakeServer, kept: int = 100) -> None:
        self.server = server
        self.alias = Alias("encore:", kept)
        self.queries = self.alias.shown.queries

    def ask(self, query: Query[Any], wait_s: float = 0) -> Any:
        steps = ask(self.alias, lambda _: query, wait_s, lambda: self.server.waited_s)
        return carried_out(steps, self.server)

    def plays(self, wait_s: float = 0) -> int | None:
        title = self.ask(self.queries.title("dragon"), wait_s)
        return title and title.plays


@pytest.fixture
def server() -> FakeServer:
    server = FakeServer()
    server.publish(STATUS, 100)
    server.publish(TITLE, 100, plays="5")
    return server


@pytest.fixture
def reader(server: FakeServer) -> Readings:
    return Readings(server)


def test_a_title_that_is_not_there_is_none(reader: Readings) -> None:
    assert reader.ask(reader.queries.title("nobody")) is None


def test_many_titles_come_by_id_and_those_without_counters_are_left_out(reader: Readings) -> None:
    found = reader.ask(reader.queries.titles(["nobody", "dragon", "dragon"]))
    assert {title_id: title.plays for title_id, title in found.items()} == {"dragon": 5}


@pytest.mark.parametrize(("version", "plays"), [(99, 5), (100, 6), (101, 6)])
def test_an_older_version_is_not_shown_after_a_newer_one(
    reader: Readings, server: FakeServer, version: int, plays: int
) -> None:
    assert reader.plays() == 5
    server.publish(TITLE, version, plays="6")
    assert reader.plays() == plays


def test_while_counters_are_rebuilt_the_last_complete_ones_are_shown(reader: Readings, server: FakeServer) -> None:
    assert reader.plays() == 5
    server.publish(TITLE, 101, complete="0", plays="2")
    assert reader.plays() == 5


def test_who_has_seen_no_complete_value_is_told_that_it_is_not(reader: Readings, server: FakeServer) -> None:
    server.publish(TITLE, 101, complete="0", plays="2")
    title = reader.ask(reader.queries.title("dragon"))
    assert (title.plays, title.complete) == (2, False)


def test_an_incomplete_value_is_waited_for_as_long_as_the_caller_says(reader: Readings, server: FakeServer) -> None:
    server.publish(TITLE, 101, complete="0", plays="2")
    assert reader.plays(wait_s=2) == 2
    assert 2 <= server.waited_s < 2.5


def test_after_a_loss_of_data_a_title_that_was_seen_does_not_vanish(reader: Readings, server: FakeServer) -> None:
    assert reader.plays() == 5
    server.hashes.clear()
    assert reader.plays() == 5
    server.publish(STATUS, 200, complete="0")
    assert reader.plays() == 5


def test_a_title_that_is_gone_while_all_is_complete_is_gone(reader: Readings, server: FakeServer) -> None:
    assert reader.plays() == 5
    del server.hashes[TITLE]
    assert reader.plays() is None


def test_a_server_whose_status_is_older_than_one_seen_proves_nothing_by_a_missing_key(
    reader: Readings, server: FakeServer
) -> None:
    assert reader.plays() == 5
    del server.hashes[TITLE]
    server.publish(STATUS, 99)
    assert reader.plays() == 5


def test_a_board_of_a_server_that_is_behind_is_the_one_shown_before(reader: Readings, server: FakeServer) -> None:
    board = reader.queries.board("plays")
    server.boards["encore:board:plays"] = {"dragon": 5}
    assert [entry.score for entry in reader.ask(board).entries] == [5]
    server.boards["encore:board:plays"] = {"dragon": 4}
    server.publish(STATUS, 99)
    assert [entry.score for entry in reader.ask(board).entries] == [5]
    server.publish(STATUS, 101)
    assert [entry.score for entry in reader.ask(board).entries] == [4]


def test_franchises_are_ranked_like_titles(reader: Readings, server: FakeServer) -> None:
    server.boards["encore:board:plays:franchises"] = {"saga": 5, "other": 7}
    entries = reader.ask(reader.queries.franchise_board("plays", 1)).entries
    assert entries == (FranchiseEntry(franchise_id="other", score=7),)


def test_ids_are_listed_page_by_page(reader: Readings, server: FakeServer) -> None:
    server.boards["encore:titles"] = {"b": 0, "a b": 0, "c": 0}
    pages = [reader.ask(reader.queries.title_ids(after, 2)) for after in ("", "b", "c")]
    assert [page.ids for page in pages] == [("a b", "b"), ("c",), ()]
    assert {page.complete for page in pages} == {True}


def test_of_a_key_that_was_read_too_long_ago_nothing_is_kept(server: FakeServer) -> None:
    reader = Readings(server, kept=1)
    server.publish("encore:title:other", 100)
    assert reader.plays() == 5
    reader.ask(reader.queries.title("other"))
    server.publish(TITLE, 99, plays="4")
    assert reader.plays() == 4


def test_a_server_that_is_away_is_an_error_at_once_where_nobody_waits(reader: Readings, server: FakeServer) -> None:
    server.down = AWAY
    with pytest.raises(ReaderError, match="does not answer"):
        reader.plays()
    assert server.waited_s == 0


def test_a_server_that_is_away_is_waited_for_as_long_as_the_caller_says(reader: Readings, server: FakeServer) -> None:
    server.down = AWAY
    with pytest.raises(ReaderError):
        reader.plays(wait_s=1)
    assert 1 <= server.waited_s < 1.5


def test_nobody_waits_for_a_right_that_is_missing(reader: Readings, server: FakeServer) -> None:
    server.down = ReaderError("the user may not read")
    with pytest.raises(ReaderError):
        reader.plays(wait_s=10)
    assert server.waited_s == 0


def test_a_series_leaves_out_the_windows_that_counted_nothing(reader: Readings, server: FakeServer) -> None:
    server.publish(f"{TITLE}:hour:20261123T23", 1, plays="1")
    server.publish(f"{TITLE}:hour:20261124T01", 1, plays="3")
    first, last = datetime(2026, 11, 23, 23, 59, tzinfo=UTC), datetime(2026, 11, 24, 1, tzinfo=UTC)
    hours = reader.ask(reader.queries.hours("dragon", first, last))
    assert [(hour.start.hour, hour.plays) for hour in hours] == [(23, 1), (1, 3)]


def test_days_are_those_of_utc_both_ends_included(reader: Readings, server: FakeServer) -> None:
    for day in ("20261122", "20261123", "20261124", "20261125"):
        server.publish(f"{TITLE}:day:{day}", 1, plays="1")
    days = reader.ask(reader.queries.days("dragon", date(2026, 11, 23), date(2026, 11, 24)))
    assert [day.date for day in days] == [date(2026, 11, 23), date(2026, 11, 24)]


def test_weeks_and_ages_are_told_by_number_and_name(reader: Readings, server: FakeServer) -> None:
    server.publish(f"{TITLE}:week:104", 1, plays="1")
    server.publish(f"{TITLE}:age:opening", 1, plays="2")
    server.publish(f"{TITLE}:age:91d", 1, plays="3")
    assert [week.number for week in reader.ask(reader.queries.weeks("dragon"))] == [104]
    assert [(age.name, age.plays) for age in reader.ask(reader.queries.ages("dragon"))] == [("opening", 2), ("91d", 3)]


WEEKS_AS_OF = 1_795_449_936_145
"""In the week 2026W48."""


def test_the_audience_is_that_of_the_last_weeks_by_the_title_s_time_the_newest_last(
    reader: Readings, server: FakeServer
) -> None:
    server.publish(TITLE, 101)
    server.hashes[TITLE]["as_of_ms"] = str(WEEKS_AS_OF)
    for week in ("2025W43", "2025W44", "2026W47", "2026W48", "2026W49", "2027W03", "2027W04"):
        server.publish(f"{TITLE}:audience:{week}", 1, reached="9", new="4", returning="3", resurrected="2")
    found = reader.ask(reader.queries.audience("dragon"))
    assert [week.name for week in found] == ["2025W43", "2025W44", "2026W47", "2026W48", "2026W49", "2027W03"]
    assert (found[3].monday, found[3].reached, found[3].resurrected) == (date(2026, 11, 23), 9, 2)
    assert [week.name for week in reader.ask(reader.queries.audience("dragon", 1))] == [
        "2026W48", "2026W49", "2027W03",
    ]  # fmt: skip


def test_the_audience_is_asked_of_no_week_that_the_calendar_lacks(reader: Readings, server: FakeServer) -> None:
    server.publish(TITLE, 101)
    server.hashes[TITLE]["as_of_ms"] = "253402300799999"
    server.publish(f"{TITLE}:audience:9999W52", 1, reached="9", new="9", returning="0", resurrected="0")
    assert [week.name for week in reader.ask(reader.queries.audience("dragon"))] == ["9999W52"]


def test_a_title_that_is_not_there_has_no_audience_and_no_curve(reader: Readings) -> None:
    assert reader.ask(reader.queries.audience("nobody")) == ()
    assert reader.ask(reader.queries.curve("nobody")) is None


def test_a_comparison_holds_all_of_each_title_in_the_order_asked(reader: Readings, server: FakeServer) -> None:
    server.publish(f"{TITLE}:week:2", 1, plays="1")
    server.publish(f"{TITLE}:age:opening", 1, plays="2")
    server.publish(f"{TITLE}:dayparts", 1, other_watched_s="1.000")
    server.publish(f"{TITLE}:legs", 1, week="2")
    server.publish(f"{TITLE}:curve", 1, slices="1", **{"0": "3.500"})
    server.hashes[TITLE]["as_of_ms"] = str(WEEKS_AS_OF)
    server.publish(f"{TITLE}:audience:2026W48", 1, reached="3")
    nobody, dragon = reader.ask(reader.queries.profiles(["nobody", "dragon"]))
    assert (nobody.title_id, nobody.title, nobody.weeks, nobody.legs) == ("nobody", None, (), None)
    assert (dragon.title.plays, dragon.age("opening").plays, dragon.age("7d")) == (5, 2, None)
    assert (nobody.audience, nobody.curve) == ((), None)
    assert ([week.reached for week in dragon.audience], dragon.curve.values) == ([3], (3.5,))
    assert (dragon.weeks[0].number, dragon.dayparts["other"].watched_s, dragon.legs.week) == (2, 1.0, 2)


@pytest.mark.parametrize(
    ("kind", "times", "names"),
    [
        ("hour", ((2026, 11, 23, 23, 59), (2026, 11, 24, 1)), ["20261123T23", "20261124T01"]),
        ("day", ((2026, 11, 23, 23, 59), (2026, 11, 24, 1)), ["20261123", "20261124"]),
        ("day", ((2026, 11, 24), (2026, 11, 24)), ["20261124"]),
        ("age", (), ["opening", "91d"]),
        ("week", (), ["1", "104"]),
    ],
)
def test_windows_of_any_kind_are_read_by_the_kind_s_word(
    reader: Readings, server: FakeServer, kind: str, times: tuple[Any, ...], names: list[str]
) -> None:
    for name in ("20261123T22", "20261123T23", "20261124T01", "20261124T02"):
        server.publish(f"{TITLE}:hour:{name}", 1, plays="1")
    for name in ("day:20261122", "day:20261123", "day:20261124", "age:opening", "age:91d", "week:1", "week:104"):
        server.publish(f"{TITLE}:{name}", 1, plays="1")
    spanned = [datetime(*time, tzinfo=UTC) for time in times]
    found = reader.ask(reader.queries.windows("dragon", kind, *spanned))
    assert [window.name for window in found] == names
    assert {type(window) for window in found} == {{"hour": Hour, "day": Day, "age": Age, "week": Week}[kind]}


@pytest.mark.parametrize(
    "question",
    [
        lambda of: of.windows("dragon", "fortnight"),
        lambda of: of.windows("dragon", "audience"),
        lambda of: of.windows("dragon", "day"),
        lambda of: of.windows("dragon", "day", datetime(2026, 11, 23, tzinfo=UTC)),
        lambda of: of.windows("dragon", "week", datetime(2026, 11, 23, tzinfo=UTC)),
        lambda of: of.hours("dragon", datetime(2026, 11, 23), datetime(2026, 11, 24, tzinfo=UTC)),
        lambda of: of.hours("dragon", datetime(2026, 11, 24, tzinfo=UTC), datetime(2026, 11, 23, tzinfo=UTC)),
        lambda of: of.days("dragon", date(2026, 11, 24), date(2026, 11, 23)),
        lambda of: of.days("dragon", date(1926, 11, 24), date(2026, 11, 23)),
        lambda of: of.weeks("dragon", 0),
        lambda of: of.weeks("dragon", 1, 105),
        lambda of: of.weeks("dragon", 3, 2),
        lambda of: of.board("plays", top=0),
        lambda of: of.board("plays", top=1, skip=-1),
        lambda of: of.board("retention"),
        lambda of: of.board("views", date(2026, 11, 23)),
        lambda of: of.board("views", datetime(2026, 11, 23, tzinfo=UTC)),
        lambda of: of.audience("dragon", 0),
        lambda of: of.franchise_board("plays", top=0),
        lambda of: of.title_ids("", 0),
        lambda of: of.franchise_ids("", 10_001),
    ],
)
def test_a_question_without_sense_is_refused_with_what_is_accepted(question: Any) -> None:
    with pytest.raises(ReaderError, match="accepted"):
        question(Queries("encore:"))


@pytest.mark.parametrize(
    ("question", "argument"),
    [
        (lambda of: of.title(7), "title_id=7"),
        (lambda of: of.legs(None), "title_id=None"),
        (lambda of: of.weeks(b"dragon"), "title_id=b'dragon'"),
        (lambda of: of.title("\ud800"), "title_id='\\ud800'"),
        (lambda of: of.franchise(None), "franchise_id=None"),
        (lambda of: of.titles("dragon"), "title_ids='dragon'"),
        (lambda of: of.titles(None), "title_ids=None"),
        (lambda of: of.profiles(["dragon", 7]), "title_ids=7"),
        (lambda of: of.days("dragon", "2026-11-23", date(2026, 11, 23)), "first='2026-11-23'"),
        (lambda of: of.days("dragon", date(2026, 11, 23), None), "last=None"),
        (lambda of: of.hours("dragon", date(2026, 11, 23), None), "first=datetime.date(2026, 11, 23)"),
        (lambda of: of.board("plays", "2026-11-23"), "day='2026-11-23'"),
        (lambda of: of.board("rewatch"), "metric='rewatch'"),
        (lambda of: of.board("plays", top="5"), "top='5'"),
        (lambda of: of.board("plays", skip=True), "skip=True"),
        (lambda of: of.audience("dragon", 2.5), "weeks=2.5"),
    ],
)
def test_an_argument_of_the_wrong_type_is_named_in_the_reader_s_own_error(question: Any, argument: str) -> None:
    with pytest.raises(ReaderError) as raised:
        question(Queries("encore:"))
    assert str(raised.value).startswith(f"{argument}: accepted")


def test_the_metrics_that_types_accept_are_those_that_there_are_boards_of() -> None:
    assert set(get_args(Metric)) == set(TITLE_BOARDS)
    assert get_args(DayMetric) == DAY_BOARDS


def test_a_page_of_a_board_begins_where_the_one_before_ended() -> None:
    (part,) = Queries("encore:").board("plays", top=10, skip=20).parts
    assert part.command == ("ZREVRANGE", "encore:board:plays", 20, 29, "WITHSCORES")
