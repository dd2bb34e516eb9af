"""What a hash of readers looks like: its key, its time to live, and its fields from a total.

Owns the way from counters to what Redis holds. It must not know when anything is published, nor by whom.
"""

from __future__ import annotations

from collections.abc import Mapping

from models.catalog import CatalogRow
from models.fold import DAY, HOUR, TITLE, TallyKey
from models.published import stream_fields, title_fields, window_fields
from models.rules import DAY_MS
from streams.keys import Keys
from streams.settings import Settings

STATUS = TallyKey("status", 0, "")
"""The status hash has shares and a total like any other."""


class Rendering:
    """Renders the hashes under one prefix."""

    def __init__(self, settings: Settings) -> None:
        self.keys = Keys(settings.redis_prefix)
        self._lives_ms = {
            HOUR: settings.hour_retention_days * DAY_MS,
            DAY: settings.day_retention_days * DAY_MS,
        }

    def hash_key(self, key: TallyKey) -> str:
        """The hash that a tally is shown in."""
        return self.keys.status if key == STATUS else self.keys.tally(key)

    def time_to_live_ms(self, key: TallyKey) -> int:
        """How long its hash lives from its last change; 0: for good."""
        return self._lives_ms.get(key.kind, 0)

    def fields(
        self, key: TallyKey, total: list[int], catalog: Mapping[str, CatalogRow], status: list[str]
    ) -> list[str]:
        """Fields and their texts in turn; `status` is what the status hash holds beside counters."""
        if key == STATUS:
            return [*stream_fields(total), *status]
        if key.kind == TITLE:
            return title_fields(total, runtime_ms(catalog, key.title_id))
        return window_fields(total)


def runtime_ms(catalog: Mapping[str, CatalogRow], title_id: str) -> int:
    """The runtime that the catalog knows of a title, or 0."""
    row = catalog.get(title_id)
    return row.known_runtime_ms if row is not None else 0
