"""From raw records to everything that the worker should have written.

Owns the expectation. It depends on the worker's output for one thing only: which of the optional keys exist.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from models.rules import Rules
from streams.verify.boards import boards, day_boards
from streams.verify.facts import Fact
from streams.verify.folding import CatalogRow, PartitionLog
from streams.verify.kept import Kept, Milestone
from streams.verify.readers import Readers
from streams.verify.records import RawRecord, Unreadable, read_title
from streams.verify.shown import Hashes, audience_fields, status_fields, title_key, window_fields
from streams.verify.sums import FactsFile, Sums, add_up, facts_folder, write_facts
from streams.verify.zones import ZoneRow

LEAST_STARTERS = 20
Silent = Mapping[int, Mapping[int, int]]
"""The silent clock's control rows of each partition: from which offset on it stood where."""

Erasures = Mapping[int, Mapping[tuple[int, str], int]]
"""Each partition's erasures: from which offset on, of whom (a digest), and below which offset records do not count."""

Zones = Mapping[int, Iterable[ZoneRow]]
"""Each partition's rows of zone data; a partition that has none judges by what is installed."""


@dataclass(frozen=True)
class Catalog:
    """What the catalog said: to each partition and from which offset on; and what it says now.

    `taken_in` maps a partition to its rows; `current` a title to its JSON row, as the titles topic has it.
    """

    taken_in: Mapping[int, Sequence[CatalogRow]] = field(default_factory=dict)
    current: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class Expected:
    """What must be found: hashes and boards by key without the prefix; each kept record once.

    Dead letters come with their reason; boards are members with their scores' texts. `produced` counts the raw
    records; `stream_ms` is the largest stream time; `releases_ms` the earliest release that a title ever had.
    """

    produced: int
    hashes: Hashes
    boards: Hashes
    dead_letters: dict[Kept, str]
    late: list[Kept]
    milestones: list[Milestone]
    stream_ms: int
    releases_ms: Mapping[str, int]

    @property
    def titles(self) -> Hashes:
        """The titles' hashes for all time."""
        return {key: fields for key, fields in self.hashes.items() if key.startswith("title:") and key.count(":") == 1}

    def total(self, name: str) -> int:
        """A count summed over all titles."""
        return sum(int(fields[name]) for fields in self.titles.values())


class Recomputation:
    """Folds the raw records once; then says, whenever asked, what must be found.

    Partitions are folded each by itself. What a partition takes in of the catalog, its silent clock and its erasures
    may go on after its last record.
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
            )
            for number in range(partitions)
        ]
        self.sums = Sums()
        self.windows: Hashes = {}
        self.day_boards: Hashes = {}

    def take(self, records: Iterable[RawRecord]) -> None:
        """Fold all records (each partition's in offset order, partitions in any mixture); to be called once."""
        with facts_folder() as folder:
            file = write_facts(folder / "facts.csv", fold(records, dict(enumerate(self.logs))))
            self.take_folded((), [file])

    def take_folded(self, logs: Iterable[PartitionLog], files: Iterable[FactsFile]) -> None:
        """Take logs in which all records were folded elsewhere, and all facts that came of it; in place of `take`."""
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
        """What must be found by the catalog, the silent clocks and the erasures as they are now.

        `there` names keys of hashes that are there: some that are nothing but zeros may be, or may not be.
        """
        for log in self.logs:
            number = log.partition
            log.end(catalog.taken_in.get(number, ()), (silent or {}).get(number, {}), (erasures or {}).get(number, {}))
        readers = Readers(self.sums, self.logs, catalog.current, there)
        return Expected(
            produced=sum(log.produced for log in self.logs),
            hashes=self.windows | readers.hashes() | {"status": self._status()},
            boards=self.day_boards | boards(readers.titles, least_starters),
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
    """The facts that the records make, each with its partition, one record at a time: neither is held any longer."""
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
    """Everything that `records` amount to; `partitions` is the source topic's partition count."""
    recomputation = Recomputation(catalog, rules, partitions, silent, pseudonym_key, erasures, zones)
    recomputation.take(records)
    return recomputation.expected(catalog, silent, erasures, least_starters=least_starters, there=there)


def readable_title(key: bytes | None, row: bytes) -> str | None:
    """The title's id where this row of the titles topic can be read; None where it is to be ignored."""
    try:
        title_id: str = read_title(key, row)["title_id"]
    except Unreadable:
        return None
    return title_id
