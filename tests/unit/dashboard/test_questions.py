"""What a page asks, as it stands in its URL."""

from __future__ import annotations

from datetime import date
from urllib.parse import urlencode

import pytest
from starlette.datastructures import QueryParams

from streams.dashboard.questions import (
    BoardAsked,
    ComparisonAsked,
    NoSuchPage,
    TitleAsked,
    board_asked,
    comparison_asked,
    title_asked,
)
from streams.dashboard.server import hosts_of
from streams.reader import Change


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", BoardAsked("completions")),
        ("metric=repeat_rate", BoardAsked("repeat_rate")),
        ("metric=plays&day=2026-11-23", BoardAsked("plays", date(2026, 11, 23))),
    ],
)
def test_a_board_is_asked_by_its_metric_and_day(query: str, expected: BoardAsked) -> None:
    assert board_asked(QueryParams(query)) == expected


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("metric=nothing", "metric: accepted: plays"),
        ("metric=views&day=2026-11-23", "accepted with a day: plays"),
        ("metric=plays&day=2026-02-30", "such as 2026-11-23"),
    ],
)
def test_a_board_that_is_not_there_is_refused_with_what_is_accepted(query: str, said: str) -> None:
    with pytest.raises(NoSuchPage, match=said):
        board_asked(QueryParams(query))


@pytest.mark.parametrize("title_id", ["dragon", "a/b?c#d&e=f%20+ü", "<script>", "\N{DRAGON FACE}", "x" * 1_000])
def test_any_title_id_comes_through_a_url(title_id: str) -> None:
    assert title_asked(QueryParams(urlencode({"id": title_id}))) == TitleAsked(title_id)


@pytest.mark.parametrize("query", ["", "id=", "id=a&id=b", f"id={'x' * 1_001}"])
def test_a_title_page_is_of_one_title(query: str) -> None:
    with pytest.raises(NoSuchPage, match="id: accepted: one"):
        title_asked(QueryParams(query))


def test_a_comparison_is_of_four_titles_at_most_each_once() -> None:
    assert comparison_asked(QueryParams("id=a&id=b&id=a")) == ComparisonAsked(("a", "b"))
    with pytest.raises(NoSuchPage, match="1 to 4"):
        comparison_asked(QueryParams("&".join(f"id={number}" for number in range(5))))


def test_an_answer_changes_with_its_own_titles_only() -> None:
    of_dragon = Change(key="k", version=1, place="1-0", title_id="dragon")
    of_status = Change(key="k", version=1, place="1-0")
    questions = (BoardAsked(), TitleAsked("dragon"), TitleAsked("big"), ComparisonAsked(("big", "dragon")))
    assert [question.concerns(of_dragon) for question in questions] == [True, True, False, True]
    assert not any(question.concerns(of_status) for question in questions)


@pytest.mark.parametrize(
    ("host", "is_open"),
    [("127.0.0.1", False), ("localhost", False), ("::1", False), ("0.0.0.0", True), ("encore.example", True)],
)
def test_on_the_loopback_only_its_own_names_are_answered(host: str, is_open: bool) -> None:
    assert ("*" in hosts_of(host)) == is_open
