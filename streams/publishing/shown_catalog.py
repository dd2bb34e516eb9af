"""The part of the catalog that readers' hashes depend on: names, runtimes, franchises, releases, and corrections."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from models.catalog import CatalogRow
from models.tally import FRANCHISE, TITLE, TallyKey


class Corrected(NamedTuple):
    """What differs in a new catalog: titles with another name, franchise or runtime, franchises with other titles or
    runtimes, titles with another release, and titles with another content length. All by id."""

    titles: set[str]
    franchises: set[str]
    releases: set[str]
    lengths: set[str]


_UNKNOWN = CatalogRow("?")


class ShownCatalog:
    """The catalog rows that the published hashes are based on. `replace` replaces them."""

    def __init__(self) -> None:
        self.rows: Mapping[str, CatalogRow] = {}
        self._other_lengths: set[str] = set()
        self._members: dict[str, set[str]] = {}

    def replace(self, rows: Mapping[str, CatalogRow]) -> Corrected:
        """Use these rows from now on. The mapping must be replaced, never changed: the same one means no correction."""
        corrected = Corrected(set(), set(), set(), set())
        before, self.rows = self.rows, rows
        if before is rows:
            return corrected
        for title_id in before.keys() | rows.keys():
            old, new = before.get(title_id, _UNKNOWN), rows.get(title_id, _UNKNOWN)
            if old is not new:
                self._correct(title_id, old, new, corrected)
        if before:
            self._other_lengths |= corrected.lengths
        return corrected

    def may_show_other_lengths(self, rows: Mapping[str, CatalogRow]) -> set[str]:
        """The titles whose curves may be shown by another content length than the present one.

        `rows`: the catalog of a partition's state, which nobody had while the catalog was corrected. A correction may
        also have been shown, and taken back, before the state took it in.
        """
        return self._other_lengths | lengths_differ(self.rows, rows)

    def _correct(self, title_id: str, old: CatalogRow, new: CatalogRow, corrected: Corrected) -> None:
        runtime = old.known_runtime_ms != new.known_runtime_ms
        franchise = old.franchise_id != new.franchise_id
        if runtime or franchise or old.name != new.name:
            corrected.titles.add(title_id)
        if old.release_time_ms != new.release_time_ms:
            corrected.releases.add(title_id)
        if old.length_ms != new.length_ms:
            corrected.lengths.add(title_id)
        if runtime or franchise:
            if old.franchise_id:
                self._members[old.franchise_id].discard(title_id)
                corrected.franchises.add(old.franchise_id)
            if new.franchise_id:
                self._members.setdefault(new.franchise_id, set()).add(title_id)
                corrected.franchises.add(new.franchise_id)

    def franchise(self, title_id: str) -> str:
        """The id of the franchise that a title belongs to; an empty string: none."""
        return self.rows.get(title_id, _UNKNOWN).franchise_id or ""

    def franchise_of(self, key: TallyKey) -> str:
        """The id of the franchise whose hash changes with a tally; an empty string: none."""
        if key.kind == TITLE:
            return self.franchise(key.title_id)
        return key.title_id if key.kind == FRANCHISE else ""

    def release_ms(self, title_id: str) -> int | None:
        """When a title is released, in milliseconds since 1970; None: not known."""
        return self.rows.get(title_id, _UNKNOWN).release_time_ms

    def runtimes(self, franchise_id: str) -> dict[str, int]:
        """The known runtimes of a franchise's titles, in milliseconds by title id."""
        known = {title_id: self.rows[title_id].known_runtime_ms for title_id in self._members.get(franchise_id, ())}
        return {title_id: runtime_ms for title_id, runtime_ms in known.items() if runtime_ms}


def lengths_differ(rows: Mapping[str, CatalogRow], others: Mapping[str, CatalogRow]) -> set[str]:
    """The titles that have other content lengths in two catalogs."""
    return {
        title_id
        for title_id in rows.keys() | others.keys()
        if rows.get(title_id, _UNKNOWN).length_ms != others.get(title_id, _UNKNOWN).length_ms
    }
