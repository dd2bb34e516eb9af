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


class ApiPath(NamedTuple):
    """A path below the version. `name`: the method of `Library` that answers, and the operation's id."""

    path: str
    name: str
    asked: type[Asked]
    answer: type[Read]


QUESTIONS = (
    ApiPath("/titles", "titles", TitlesAsked, Titles),
    ApiPath("/titles/{title_id}", "title", TitleAsked, Title),
    ApiPath("/titles/{title_id}/hours", "hours", HoursAsked, Hours),
    ApiPath("/titles/{title_id}/days", "days", DaysAsked, Days),
    ApiPath("/titles/{title_id}/weeks", "weeks", WeeksAsked, Weeks),
    ApiPath("/titles/{title_id}/ages", "ages", TitleAsked, Ages),
    ApiPath("/titles/{title_id}/audience", "audience", AudienceAsked, Audience),
    ApiPath("/titles/{title_id}/curve", "curve", TitleAsked, Curve),
    ApiPath("/titles/{title_id}/dayparts", "dayparts", TitleAsked, Dayparts),
    ApiPath("/titles/{title_id}/legs", "legs", TitleAsked, Legs),
    ApiPath("/boards/{metric}", "board", BoardAsked, RankedTitles),
    ApiPath("/boards/{metric}/franchises", "franchise_board", FranchiseBoardAsked, RankedFranchises),
    ApiPath("/franchises", "franchises", FranchisesAsked, Franchises),
    ApiPath("/franchises/{franchise_id}", "franchise", FranchiseAsked, Franchise),
    ApiPath("/compare", "compare", ComparisonAsked, Comparison),
    ApiPath("/status", "status", NothingAsked, Status),
)
