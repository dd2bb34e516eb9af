"""Titles' names and lengths: those in Redis, and those of a file of title rows, which go first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from models.catalog import CatalogRow
from streams.reader import Title


class Names(dict[str, str]):
    """Names of titles by id. `lengths_ms`: the content lengths of the titles whose rows state one."""

    def __init__(self, rows: Iterable[Mapping[str, Any]] = ()) -> None:
        super().__init__()
        self.lengths_ms: dict[str, int] = {}
        for row in rows:
            title = msgspec.convert(row, CatalogRow)
            if title.name:
                self[title.title_id] = title.name
            if title.length_ms:
                self.lengths_ms[title.title_id] = title.length_ms

    def of(self, titles: Iterable[Title | None]) -> Names:
        """These names, and those of the titles that Redis names."""
        found = Names()
        found.update({title.title_id: title.name for title in titles if title is not None and title.name})
        found.update(self)
        found.lengths_ms = self.lengths_ms
        return found
