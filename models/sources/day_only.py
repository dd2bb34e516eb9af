"""Files that state only the day of viewing: recognized, and refused with advice on what to get instead."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from models.sources.document import Document
from models.sources.reading import FileOwner, NotImportable, Reading


@dataclass(frozen=True, slots=True)
class DayOnly:
    """A format without durations. `instead`: which file has them, and how to get it."""

    name: str
    looks: Callable[[Document], bool]
    instead: str
    says: str = "only when something was watched, not for how long"
    columns: tuple[str, ...] = ()

    def recognizes(self, document: Document) -> bool:
        """Whether the file is one of these, by its content."""
        return self.looks(document)

    def read(self, document: Document, viewer: FileOwner) -> Reading:
        """Always raises `NotImportable`."""
        raise NotImportable(f"{self.name}: it says {self.says}; {self.instead}")
