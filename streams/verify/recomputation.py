"""From raw records to everything that the worker should have written.

Owns the expectation. It depends on the worker's output for one thing only: which of the optional keys exist.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from models.rules import Rules
from streams.registry.decoder import SourceDecoder
from streams.verify.boards import boards, day_boards, lists
from streams.verify.facts import Fact
from streams.verify.folding import CatalogRow, PartitionLog
from streams.verify.kept import KeptRecord, Milestone
from streams.verify.readers import Readers
from streams.verify.records import RawRecord, UnreadableRecord, read_title
from streams.verify.shown import Hashes, audience_fields, status_fields, title_key, window_fields
from streams.verify.sums import FactsFile, Sums, add_up, facts_folder, write_facts
from streams.verify.zones import ZoneRow

LEAST_STARTERS = 20
Silent = Mapping[int, Mapping[int, int]]
"""The control rows of silences by partition: source offset, and the clock's time from there on in milliseconds."""

Erasures = Mapping[int, Mapping[tuple[int, str], int]]
"""The erasures by partition: (the offset at which one applied, the household's digest), and the offset below which
its records do not count."""

Zones = Mapping[int, Iterable[ZoneRow]]
"""The rows of zone data by partition. A partition without rows uses the installed zones."""


@dataclass(frozen=True)
class Catalog:
    """The catalog: the rows that each partition applied, with their offsets, and the present rows.

    `taken_in` maps a partition to its rows; `current` maps a title to its JSON row in the titles topic.
    """

    taken_in: Mapping[int, Sequence[CatalogRow]] = field(default_factory=dict)
    current: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class Expected:
    """What must be found: hashes and boards by key without the prefix, and each record of a side topic exactly once.

    Dead letters map to their reason; boards map members to their scores' texts. `produced` counts the raw records.
    `stream_ms` is the largest stream time of a partition. `releases_ms` maps a title to its earliest release ever.
    """

    produced: int
    hashes: Hashes
    boards: Hashes
    dead_letters: dict[KeptRecord, str]
    late: list[KeptRecord]
    milestones: list[Milestone]
    stream_ms: int
    releases_ms: Mapping[str, int]

    @property
    def titles(self) -> Hashes:
        """The titles' hashes for all time, by key."""
        return {key: fields for key, fields in self.hashes.items() if key.startswith("title:") and key.count(":") == 1}

    def total(self, name: str) -> int:
        """A count summed over all titles."""
        return sum(int(fields[name]) for fields in self.titles.values())


class Recomputation:
    """Folds the raw records once. Then `expected` may be called any number of times.

    Partitions are folded independently. Control rows may still come after a partition's last record.
    """

    def __init__(
        self,
        catalog: Catalog,
        rules: Rules,
        partitions: int,
        silent: Silent | None = None,
        pseudonym_key: bytes | None = None,
        erasures: Erasures | None = None,
        zones: Zones | None = None,
        decode: SourceDecoder | None = None,
    ) -> None:
        self.logs = [
            PartitionLog(
                number,
                partitions,
                rules,
                catalog.taken_in.get(number, ()),
                (silent or {}).get(number, {}),
                pseudonym_key,
                (erasures or {}).get(number, {}),
                (zones or {}).get(number, ()),
                decode,
            )
            for number in range(partitions)
        ]
        self.sums = Sums()
        self.windows: Hashes = {}
        self.day_boards: Hashes = {}

    def take(self, records: Iterable[RawRecord]) -> None:
        """Fold all records: each partition's in offset order, partitions interleaved in any way. Call it once."""
        with facts_folder() as folder:
            file = write_facts(folder / "facts.csv", fold(records, dict(enumerate(self.logs))))
            self.take_folded((), [file])

    def take_folded(self, logs: Iterable[PartitionLog], files: Iterable[FactsFile]) -> None:
        """Use logs that were folded elsewhere, and all the facts from them. Call it instead of `take`."""
        for log in logs:
            self.logs[log.partition] = log
        self.sums = add_up(files)
        windows = [
            (title_id, name, fields)
            for title_id, windows in self.sums.windows.items()
            for name, counts in windows.items()
            if (fields := window_fields(name, counts))
        ]
        self.windows = {f"{title_key(title_id)}:{name}": fields for title_id, name, fields in windows}
        self.windows |= {
            f"{title_key(title_id)}:{name}": fields
            for title_id, weeks in self.sums.audience.items()
            for name, counts in weeks.items()
            if (fields := audience_fields(counts))
        }
        self.day_boards = day_boards(each for each in windows if each[1].startswith("day:"))

    def expected(
        self,
        catalog: Catalog,
        silent: Silent | None = None,
        erasures: Erasures | None = None,
        *,
        least_starters: int = LEAST_STARTERS,
        there: Collection[str] = (),
    ) -> Expected:
        """What must be found, with the catalog and control rows as they are now.

        `there` names the keys of the hashes that were found: some hashes of zeros are optional.
        """
        for log in self.logs:
            number = log.partition
            log.end(catalog.taken_in.get(number, ()), (silent or {}).get(number, {}), (erasures or {}).get(number, {}))
        readers = Readers(self.sums, self.logs, catalog.current, there)
        return Expected(
            produced=sum(log.produced for log in self.logs),
            hashes=self.windows | readers.hashes() | {"status": self._status()},
            boards=self.day_boards
            | boards(readers.titles, least_starters)
            | boards(readers.franchises, least_starters, ":franchises")
            | lists(readers.titles, readers.franchises),
            dead_letters={kept: reason for log in self.logs for kept, reason in log.dead_letters.items()},
            late=[kept for log in self.logs for kept in log.late],
            milestones=[milestone for log in self.logs for milestone in log.made.milestones],
            stream_ms=max(log.stream_ms for log in self.logs),
            releases_ms=readers.earliest_releases_ms(),
        )

    def _status(self) -> dict[str, str]:
        account: Counter[str] = Counter()
        for log in self.logs:
            account.update(log.made.account)
            account.update(dead_letters=len(log.dead_letters), late_events=len(log.late))
        return status_fields(account)


def fold(records: Iterable[RawRecord], logs: Mapping[int, PartitionLog]) -> Iterator[tuple[int, Fact]]:
    """Fold records, and yield the facts of each with its partition. Holds only one record and its facts at a time."""
    for record in records:
        log = logs[record.partition]
        log.take(record)
        for fact in log.made.facts:
            yield record.partition, fact
        log.made.facts.clear()


def recompute(
    records: Iterable[RawRecord],
    catalog: Catalog,
    rules: Rules,
    partitions: int,
    *,
    silent: Silent | None = None,
    erasures: Erasures | None = None,
    zones: Zones | None = None,
    least_starters: int = LEAST_STARTERS,
    there: Collection[str] = (),
    pseudonym_key: bytes | None = None,
) -> Expected:
    """Everything that must be found after `records`. `partitions`: how many the source topic has."""
    recomputation = Recomputation(catalog, rules, partitions, silent, pseudonym_key, erasures, zones)
    recomputation.take(records)
    return recomputation.expected(catalog, silent, erasures, least_starters=least_starters, there=there)


def readable_title(key: bytes | None, row: bytes) -> str | None:
    """The title's id, if this row of the titles topic can be read; None: it must be ignored."""
    try:
        title_id: str = read_title(key, row)["title_id"]
    except UnreadableRecord:
        return None
    return title_id
