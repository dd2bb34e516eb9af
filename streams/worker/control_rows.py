"""A partition's input besides records: catalog rows, zone data, erasures, and the time that passes without records.

Owns when each takes effect (before the next record), and the control rows that record it until a checkpoint writes
them. Reading the log again replays exactly the control rows, so it gives the same state.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import NamedTuple

from models.catalog import CatalogRow
from models.fold import Fold
from streams.config.zones import rules_of
from streams.source.erasures import Erasure
from streams.state.changelog import Erased, catalog_message, erasure_message, silence_message
from streams.state.tally_records import Message
from streams.state.zone_records import zone_message

log = logging.getLogger(__name__)


class ControlSources(NamedTuple):
    """Return the present catalog, by title, and the present erasures, by digest.

    Each change makes a new mapping: if the mapping is the same, nothing has changed.
    """

    catalog: Callable[[], Mapping[str, CatalogRow]]
    erasures: Callable[[], Mapping[str, Erasure]]


class Controls:
    """The control rows of one partition's fold. `topic_id` is the source topic's.

    `are_urgent`: the next checkpoint must write them, even if no record came.
    """

    def __init__(self, number: int, topic_id: str, fold: Fold, sources: ControlSources) -> None:
        self.are_urgent = False
        self._number, self._topic_id, self._fold, self._sources = number, topic_id, fold, sources
        self._catalog_known: Mapping[str, CatalogRow] | None = None
        self._erasures_known: Mapping[str, Erasure] | None = None
        self._messages: list[Message] = []
        self._zones: list[Message] = []

    def __bool__(self) -> bool:
        """Whether there is a control row that must be written even if no record comes."""
        return bool(self._messages)

    def drain(self) -> list[Message]:
        """The control rows since the last call, for the checkpoint that is being written."""
        messages = [*self._zones, *self._messages]
        self._zones, self._messages, self.are_urgent = [], [], False
        return messages

    def apply_catalog(self, position: int) -> None:
        """Apply the present catalog from the record at a position on."""
        before, now = self._fold.catalog, self._sources.catalog()
        if now is self._catalog_known:
            return
        self._catalog_known = now
        for title_id in [
            title_id for title_id in before.keys() | now.keys() if before.get(title_id) != now.get(title_id)
        ]:
            self._fold.apply_catalog_row(title_id, now.get(title_id))
            self._messages.append(catalog_message(position, title_id, now.get(title_id)))

    def apply_zones(
        self, position: int, before: Mapping[str, bytes], now: Mapping[str, bytes], *, waits: bool = True
    ) -> None:
        """Apply the zone data `now`, by zone name, from the record at a position on; `before` applied so far.

        A zone that `now` lacks keeps its data. The rows wait for a record, or else have a checkpoint of their own.
        """
        new = {name: data for name, data in now.items() if before.get(name) != data}
        self._fold.apply_zones({name: rules_of(data) for name, data in new.items()})
        rows = self._zones if waits else self._messages
        rows += [zone_message(position, name, data) for name, data in new.items()]
        if before and new:
            log.info("partition %d takes in the changed data of %d zones", self._number, len(new))

    def apply_erasures(self, position: int) -> None:
        """Apply new erasures before the record at a position."""
        now = self._sources.erasures()
        if now is self._erasures_known:
            return
        self._erasures_known, known = now, self._fold.erasures.until
        until = {digest: erasure.reaches(self._topic_id, self._number) for digest, erasure in now.items()}
        until = {digest: offset for digest, offset in until.items() if offset > known.get(digest, -1)}
        if not until:
            return
        for digest, rows in self._fold.erase(until).items():
            self._messages.append(erasure_message(position, digest, Erased(until[digest], rows)))
            log.info("partition %d forgot a household: %d rows", self._number, rows)
        self.are_urgent = True

    def advance_clock(self, position: int, clock_ms: int) -> None:
        """Advance the clock after a silence, if that ends anything."""
        if self._fold.ends_by(clock_ms):
            self._fold.advance_clock(clock_ms)
            self._messages.append(silence_message(position, clock_ms))
