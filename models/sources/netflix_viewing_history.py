"""Netflix's `NetflixViewingHistory.csv`, the quick download of the account page: a title and a day."""

from __future__ import annotations

from models.sources.day_only import DayOnly
from models.sources.document import Document

TITLES, DATES = {"title", "titel", "titre", "título", "titolo"}, {"date", "datum", "fecha", "data"}
"""The two columns, whose names are in the account's language."""


def _looks(document: Document) -> bool:
    columns = [name.casefold() for name in document.columns]
    return len(columns) == 2 and columns[0] in TITLES and columns[1] in DATES


FORMAT = DayOnly(
    "Netflix viewing history (NetflixViewingHistory.csv)",
    _looks,
    "ask for ViewingActivity.csv: at netflix.com/account/getmyinfo request your personal information,"
    " it is in the folder CONTENT_INTERACTION",
    says="only on which day something was watched, not for how long",
)
