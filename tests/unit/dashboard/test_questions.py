"""What a page asks, as it stands in its URL."""

from __future__ import annotations

from datetime import date
from urllib.parse import urlencode

import pytest
from starlette.datastructures import QueryParams

from streams.dashboard.asked import (
    NoSuchPage,
    board_asked,
    comparison_asked,
    franchise_asked,
    franchises_asked,
    title_asked,
)
from streams.dashboard.questions import (
    BoardQuestion,
    ComparisonQuestion,
    FranchiseQuestion,
    FranchisesQuestion,
    TitleQuestion,
)
from streams.dashboard.server import hosts_of
from streams.reader import Change


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", BoardQuestion("completions")),
        ("metric=repeat_rate", BoardQuestion("repeat_rate")),
        ("metric=plays&day=2026-11-23", BoardQuestion("plays", date(2026, 11, 23))),
        ("page=2&relative=yes&with=dragon", BoardQuestion("completions", page=2)),
        ("search=+little++Dragon+&page=3", BoardQuestion(page=3, search="little Dragon")),
    ],
)
def test_a_board_is_asked_by_its_metric_day_page_and_words(query: str, expected: BoardQuestion) -> None:
    assert board_asked(QueryParams(query)) == expected


def test_franchises_are_asked_as_titles_are() -> None:
    asked = franchises_asked(QueryParams("metric=plays&page=2&search=dragons"))
    assert (asked, franchise_asked(QueryParams("id=dragons"))) == (
        FranchisesQuestion("plays", 2, "dragons"),
        FranchiseQuestion("dragons"),
    )


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("metric=nothing", "metric: accepted: plays"),
        ("metric=views&day=2026-11-23", "accepted with a day: plays"),
        ("metric=plays&day=2026-02-30", "such as 2026-11-23"),
        ("day=1970-12-31", "such as 2026-11-23"),
        ("page=0", "page: accepted: 1 to 10,000"),
        ("page=10001", "page: accepted: 1 to 10,000"),
        ("page=two", "page: accepted: 1 to 10,000"),
        (f"search={'x' * 201}", "search: accepted: up to 200 characters"),
    ],
)
def test_a_board_that_is_not_there_is_refused_with_what_is_accepted(query: str, said: str) -> None:
    with pytest.raises(NoSuchPage, match=said):
        board_asked(QueryParams(query))


@pytest.mark.parametrize("title_id", ["dragon", "a/b?c#d&e=f%20+ü", "<script>", "\N{DRAGON FACE}", "x" * 256])
def test_any_title_id_comes_through_a_url(title_id: str) -> None:
    assert title_asked(QueryParams(urlencode({"id": title_id}))) == TitleQuestion(title_id)


@pytest.mark.parametrize("query", ["", "id=", "id=a&id=b", f"id={'x' * 257}"])
def test_a_title_page_is_of_one_title(query: str) -> None:
    with pytest.raises(NoSuchPage, match="id: accepted: one"):
        title_asked(QueryParams(query))


def test_a_title_s_days_are_asked_by_a_measure_from_one_to_another() -> None:
    asked = title_asked(QueryParams("id=dragon&measure=watched_s&from=2026-09-01&to=2026-11-09"))
    assert asked == TitleQuestion("dragon", "watched_s", date(2026, 9, 1), date(2026, 11, 9))


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("measure=repeat_rate", "measure: accepted: plays"),
        ("from=2026-11-09&to=2026-11-08", "the first not after the last"),
        ("from=2024-01-01&to=2026-09-27", "at most 1,000 days"),
        ("to=9001-01-01", "to: accepted: a UTC day"),
    ],
)
def test_days_that_are_not_there_are_refused_with_what_is_accepted(query: str, said: str) -> None:
    assert title_asked(QueryParams("id=a&from=2024-01-01&to=2026-09-26")).last == date(2026, 9, 26)
    with pytest.raises(NoSuchPage, match=said):
        title_asked(QueryParams(f"id=a&{query}"))


def test_a_comparison_says_what_is_drawn() -> None:
    asked = comparison_asked(QueryParams("id=a&drawn=days&measure=plays&from=2026-09-01"))
    assert asked == ComparisonQuestion(("a",), "days", "plays", date(2026, 9, 1))
    with pytest.raises(NoSuchPage, match="drawn: accepted: weeks, days, audience, curve, households"):
        comparison_asked(QueryParams("id=a&drawn=pie"))


def test_a_comparison_is_of_four_titles_at_most_each_once() -> None:
    assert comparison_asked(QueryParams("id=a&id=b&id=a")) == ComparisonQuestion(("a", "b"))
    with pytest.raises(NoSuchPage, match="1 to 4"):
        comparison_asked(QueryParams("&".join(f"id={number}" for number in range(5))))


def test_an_answer_changes_with_its_own_titles_only() -> None:
    of_dragon = Change(key="k", version=1, place="1-0", title_id="dragon")
    of_status = Change(key="k", version=1, place="1-0")
    of_dragons = Change(key="k", version=1, place="1-0", franchise_id="dragons")
    titles = (BoardQuestion(), TitleQuestion("dragon"), TitleQuestion("big"), ComparisonQuestion(("big", "dragon")))
    franchises = (FranchisesQuestion(), FranchiseQuestion("dragons"), FranchiseQuestion("others"))
    questions = (*titles, *franchises)
    assert [question.concerns(of_dragon) for question in questions] == [True, True, False, True, False, False, False]
    assert [question.concerns(of_dragons) for question in questions] == [False] * 4 + [True, True, False]
    assert not any(question.concerns(of_status) for question in questions)


@pytest.mark.parametrize(
    ("host", "is_open"),
    [("127.0.0.1", False), ("localhost", False), ("::1", False), ("0.0.0.0", True), ("encore.example", True)],
)
def test_on_the_loopback_only_its_own_names_are_answered(host: str, is_open: bool) -> None:
    assert ("*" in hosts_of(host)) == is_open
