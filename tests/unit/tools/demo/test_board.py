"""A board is what the reader gives, ranked; a trend is what was completed between the looks."""

import pytest

from streams.reader import Status, Title
from streams.tools.demo.board import BARS, NOTHING_YET, BoardReader, LiveBoard, LiveTitle, Trends, into_bars


class FakeReader:
    def __init__(self, status=None, **titles):
        self._status, self._titles = status, titles

    def status(self):
        return self._status

    def titles(self, title_ids):
        return {title_id: self._titles[title_id] for title_id in title_ids if title_id in self._titles}


def counted(completions, rewatches, plays=10):
    return Title(title_id="", version=1, complete=True, plays=plays, completions=completions, rewatches=rewatches)


def test_a_board_before_anything_was_published_is_empty():
    board = BoardReader(FakeReader(), {"a": "Anna"}).read()
    assert (board, board.records) == (LiveBoard(NOTHING_YET, ()), 0)


def test_a_board_holds_the_status_and_every_title_that_counts_something():
    status = Status(version=4, complete=True, events=7, dead_letters=1, late_events=2)
    board = BoardReader(FakeReader(status, a=counted(3, 1)), {"a": "Anna", "b": "Bert"}).read()
    assert board == LiveBoard(status, (LiveTitle("Anna", counted(3, 1), (3,)),))
    assert board.records == 10


def test_titles_are_ranked_by_rewatches_then_completions_then_plays_then_name():
    reader = FakeReader(a=counted(5, 1), b=counted(5, 2), c=counted(6, 1), d=counted(5, 1, plays=11), e=counted(5, 1))
    board = BoardReader(reader, {title_id: title_id.upper() for title_id in "edcba"}).read()
    assert [title.name for title in board.titles] == ["B", "C", "D", "A", "E"]


def test_a_board_sums_completions_and_rewatches_over_the_titles():
    board = BoardReader(FakeReader(a=counted(5, 1), b=counted(4, 2)), {"a": "", "b": ""}).read()
    assert (board.completions, board.rewatches) == (9, 3)


def test_a_trend_is_made_of_the_completions_between_looks():
    trends = Trends()
    for completions in (2, 2, 5):
        trends.look({"a": completions})
    assert trends.of("a") == (2, 0, 3)


def test_a_title_that_comes_later_has_nothing_before():
    trends = Trends()
    trends.look({})
    trends.look({"b": 4})
    assert trends.of("b") == (0, 4)


def test_a_trend_keeps_its_sum_however_many_looks_there_were():
    trends = Trends(most=30)
    for completions in range(1, 1001):
        trends.look({"a": completions})
    assert len(trends.of("a")) <= BARS
    assert sum(trends.of("a")) == pytest.approx(1000, rel=0.1)


@pytest.mark.parametrize(
    ("counts", "bars"),
    [
        ([], ()),
        ([1, 2], (1, 2)),
        ([1, 2, 3], (1, 2, 3)),
        ([1, 2, 3, 4], (3, 7)),
        ([1, 2, 3, 4, 5], (1, 5, 9)),
    ],
)
def test_counts_are_summed_into_at_most_three_bars(counts, bars):
    assert into_bars(counts, 3) == bars
