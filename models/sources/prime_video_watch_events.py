"""Prime Video's `Watch Events.csv`: the total time of a title, and when it was last watched."""

from __future__ import annotations

from models.sources.day_only import DayOnly
from models.sources.document import Document

COLUMNS = {"Most Recent Watch Date", "Seconds Watched"}


def _looks(document: Document) -> bool:
    return document.has(COLUMNS)


FORMAT = DayOnly(
    "Prime Video watch events (Watch Events.csv)",
    _looks,
    "take Viewing History.csv, which is in the same folder of the export",
    says="only how long a title was watched altogether, not when",
)
