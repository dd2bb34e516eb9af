"""The viewing history of Disney+'s data export, as a table: profile, program, season and day."""

from __future__ import annotations

from models.sources.day_only import DayOnly
from models.sources.document import Document

COLUMNS = {"program title", "season title", "date"}


def _looks(document: Document) -> bool:
    return {name.casefold() for name in document.columns} >= COLUMNS


FORMAT = DayOnly(
    "Disney+ viewing history",
    _looks,
    "Disney+ gives no better file: ask for those of other services, such as Netflix's ViewingActivity.csv"
    " (netflix.com/account/getmyinfo) or Prime Video's Viewing History.csv (amazon.com/hz/privacy-central)",
    says="only on which day something was watched, not for how long",
)
