"""One comparison of everything published with what is expected: what is read first, and by which clocks it is judged.

Owns the order of reading. Catalog, erasures and milestones are those that were committed before Redis was read; the
clocks of silent partitions are those from what was published before to what was committed after.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import NamedTuple

from streams.config.settings import Settings
from streams.verify.clocks import StateLooks, silent_clocks
from streams.verify.comparison import Difference, WorkerOutput, compare
from streams.verify.kept_topics import KeptTopics
from streams.verify.published import published
from streams.verify.reading import StateLog, TitlesTopic
from streams.verify.recomputation import Catalog, Expected, Recomputation
from streams.verify.retention import Retention


class Judgement(NamedTuple):
    """What is expected, the differences, and how many keys are missing that may have expired."""

    expected: Expected
    differences: list[Difference]
    gone: int


class Judge:
    """Compares again and again. `expired_too`: windows that are past their retention must be there, too."""

    def __init__(
        self,
        settings: Settings,
        recomputation: Recomputation,
        state: StateLog,
        titles: TitlesTopic,
        kept: KeptTopics,
        *,
        expired_too: bool,
    ) -> None:
        self._settings, self._recomputation, self._expired_too = settings, recomputation, expired_too
        self._state, self._titles, self._kept = state, titles, kept
        self._looks = StateLooks()

    def compare_now(self) -> Judgement:
        """Read on what was committed, then what was published of that, then by which clocks it may be judged."""
        state = self._state
        state.read_on()
        self._titles.read_on()
        self._looks.note(state)
        catalog, told = Catalog(state.catalog(), dict(self._titles.rows)), state.told()
        erasures = {partition: dict(erased) for partition, erased in state.erasures.items()}
        found = self._found_now()
        state.read_on()
        expect = partial(
            self._recomputation.expected,
            catalog,
            erasures=erasures,
            least_starters=self._settings.board_least_starters,
            there=found.hashes.keys(),
        )
        shown, committed = self._looks.published(found.versions), silent_clocks(state)
        expected = expect(silent=shown)
        later = expected if shown == committed else expect(silent=committed)
        over = _over(expected, self._settings, datetime.now(UTC), expired_too=self._expired_too)
        differences = compare(
            expected, found, may_lack=over.may_lack, may_be_less=over.may_be_less, told=told, later=later
        )
        gone = over.may_lack - found.hashes.keys() - found.boards.keys()
        return Judgement(expected, differences, len(gone))

    def _found_now(self) -> WorkerOutput:
        """Everything that the worker has written, as it is now."""
        kept = self._kept
        kept.read_on()
        readable = published(self._settings.redis_url, self._settings.redis_prefix)
        return WorkerOutput(
            readable.hashes,
            readable.boards,
            readable.shares,
            readable.odd_keys,
            kept.dead_letters.found,
            kept.late.found,
            kept.milestones.found,
            kept.dead_letters.elsewhere,
            kept.late.elsewhere,
            kept.odd_records(),
            readable.versions,
        )


class _Over(NamedTuple):
    """The keys whose retention is over: by stream time or the wall clock, and by stream time."""

    may_lack: set[str]
    may_be_less: set[str]


def _over(expected: Expected, settings: Settings, now: datetime, *, expired_too: bool) -> _Over:
    """What may have expired: in Redis by the wall clock, in a partition by stream time."""
    if expired_too:
        return _Over(set(), set())
    retention = Retention.of(settings, expected.releases_ms)
    keys = [*expected.hashes, *expected.boards]
    now_ms = round(now.timestamp() * 1000) + settings.future_s * 1000
    dropped = retention.over(keys, expected.stream_ms)
    return _Over(dropped | retention.over(keys, now_ms), dropped)
