"""The measures by which titles are compared."""

from __future__ import annotations

from typing import Any

import pytest

from models.rules import DAY_MS
from streams.display.measures import sections
from streams.reader import AudienceWeek, Profile, Title

HEAD: dict[str, Any] = {"version": 1, "complete": True}
TITLE = Title(title_id="film", as_of_ms=20_000 * DAY_MS, rewatch_hist_3_4=100, rewatch_hist_5_9=20,
              rewatch_hist_10_plus=3, **HEAD)  # fmt: skip
"""Its day 20,000 is Thursday, 4 October 2024, in week 40."""


def values(profile: Profile, section: str) -> dict[str, object]:
    (found,) = [each for each in sections([profile], {}) if each.name.startswith(section)]
    return {measure.name: measure.value(profile) for measure in found.rows}


def test_households_that_completed_it_five_times_or_more_are_those_of_both_counts() -> None:
    measures = values(Profile(title_id="film", title=TITLE), "all time: again and again")
    assert measures["5 completions or more"] == 23


@pytest.mark.parametrize(("week", "reached"), [("2024W38", 0), ("2024W39", 7), ("2024W40", 0)])
def test_the_audience_is_that_of_the_last_whole_week_which_may_be_nobody(week: str, reached: int) -> None:
    found = AudienceWeek(title_id="film", name=week, reached=7, new=7, **HEAD)
    profile = Profile(title_id="film", title=TITLE, audience=(found,))
    measures = values(profile, "audience of 2024W39")
    assert [measures[name] for name in ("reached", "new", "returning")] == [reached, reached, 0]
