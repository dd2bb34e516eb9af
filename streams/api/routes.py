"""Every path of the API, declared once: what is asked there, and what is answered."""

from __future__ import annotations

from typing import NamedTuple

from streams.api.answers import (
    Ages,
    Audience,
    Comparison,
    Days,
    Franchises,
    Hours,
    RankedFranchises,
    RankedTitles,
    Titles,
    Weeks,
)
from streams.api.asked import (
    Asked,
    AudienceAsked,
    BoardAsked,
    ComparisonAsked,
    DaysAsked,
    FranchiseAsked,
    FranchiseBoardAsked,
    FranchisesAsked,
    HoursAsked,
    NothingAsked,
    TitleAsked,
    TitlesAsked,
    WeeksAsked,
)
from streams.reader import Curve, Dayparts, Franchise, Legs, Status, Title
from streams.reader.results import Read

PREFIX, VERSION = "/api", "/v1"
TITLES_CSV, CHANGES, OPENAPI = "/titles.csv", "/changes", "/openapi.json"


class Question(NamedTuple):
    """A path below the version. `name`: the method of `Library` that answers, and the operation's id."""

    path: str
    name: str
    asked: type[Asked]
    answer: type[Read]


QUESTIONS = (
    Question("/titles", "titles", TitlesAsked, Titles),
    Question("/titles/{title_id}", "title", TitleAsked, Title),
    Question("/titles/{title_id}/hours", "hours", HoursAsked, Hours),
    Question("/titles/{title_id}/days", "days", DaysAsked, Days),
    Question("/titles/{title_id}/weeks", "weeks", WeeksAsked, Weeks),
    Question("/titles/{title_id}/ages", "ages", TitleAsked, Ages),
    Question("/titles/{title_id}/audience", "audience", AudienceAsked, Audience),
    Question("/titles/{title_id}/curve", "curve", TitleAsked, Curve),
    Question("/titles/{title_id}/dayparts", "dayparts", TitleAsked, Dayparts),
    Question("/titles/{title_id}/legs", "legs", TitleAsked, Legs),
    Question("/boards/{metric}", "board", BoardAsked, RankedTitles),
    Question("/boards/{metric}/franchises", "franchise_board", FranchiseBoardAsked, RankedFranchises),
    Question("/franchises", "franchises", FranchisesAsked, Franchises),
    Question("/franchises/{franchise_id}", "franchise", FranchiseAsked, Franchise),
    Question("/compare", "compare", ComparisonAsked, Comparison),
    Question("/status", "status", NothingAsked, Status),
)
