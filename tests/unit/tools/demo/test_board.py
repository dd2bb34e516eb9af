"""A board is what Redis says, ranked; a trend is what was completed between the looks."""

import pytest

from streams.tools.demo.board import BARS, BoardReader, LiveBoard, LiveStatus, LiveTitle, Trends, into_bars, title_key


class FakePipeline:
    def __init__(self, hashes):
        self.hashes, self.answers = hashes, []

    def hgetall(self, key):
        self.answers.append(dict(self.hashes.get(key, {})))

    def hmget(self, key, *fields):
        self.answers.append([self.hashes.get(key, {}).get(field) for field in fields])

    def execute(self):
        return self.answers


class FakeRedis:
    def __init__(self, hashes):
        self.hashes = hashes

    def pipeline(self, transaction):
        return FakePipeline(self.hashes)


def counted(completions, rewatches, plays=10, completion_rate="0.500000", repeat_rate=""):
    return {
        "plays": str(plays),
        "starters": "4",
        "completers": "2",
        "completions": str(completions),
        "rewatches": str(rewatches),
        "completion_rate": completion_rate,
        "repeat_rate": repeat_rate,
    }


def test_a_board_before_anything_was_published_is_empty():
    board = BoardReader(FakeRedis({}), "e:", {"a": "Anna"}).read()
    assert board == LiveBoard(LiveStatus(), ())


def test_a_board_holds_the_status_and_every_title_that_counts_something():
    status = {
        "events": "7",
        "dead_letters": "1",
        "late_events": "2",
        "lag": "3",
        "as_of_ms": "9",
        "version": "4",
    }
    redis = FakeRedis({"e:status": status, "e:title:a": counted(3, 1)})
    board = BoardReader(redis, "e:", {"a": "Anna", "b": "Bert"}).read()
    anna = LiveTitle("Anna", 10, 4, 2, 3, 1, 0.5, None, (3,))
    assert board == LiveBoard(LiveStatus(7, 1, 2, 3, 9), (anna,))
    assert board.status.records == 10


def test_titles_are_ranked_by_rewatches_then_completions_then_plays_then_name():
    hashes = {
        "e:title:a": counted(5, 1),
        "e:title:b": counted(5, 2),
        "e:title:c": counted(6, 1),
        "e:title:d": counted(5, 1, plays=11),
        "e:title:e": counted(5, 1),
    }
    names = {title_id: title_id.upper() for title_id in "edcba"}
    board = BoardReader(FakeRedis(hashes), "e:", names).read()
    assert [title.name for title in board.titles] == ["B", "C", "D", "A", "E"]


def test_a_board_sums_completions_and_rewatches_over_the_titles():
    board = BoardReader(
        FakeRedis({"e:title:a": counted(5, 1), "e:title:b": counted(4, 2)}), "e:", {"a": "", "b": ""}
    ).read()
    assert (board.completions, board.rewatches) == (9, 3)


def test_an_id_is_percent_encoded_in_its_key():
    assert title_key("encore:", "Ein Fall: 7/ä~") == "encore:title:Ein%20Fall%3A%207%2F%C3%A4~"


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
