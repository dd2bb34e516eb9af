"""Which clocks of silent partitions Redis may show: the gauges fall while a verification reads.

Owns the looks into the state. A silent partition writes clock after clock while its sessions time out, and Redis shows
each a moment later. So the gauges in Redis are those of a clock between two: the one that was published for certain
before Redis was read, and the one that was committed when it had been read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import NamedTuple

from streams.verify.reading import StateLog, Version

NEVER_PUBLISHED: Version = (0, 0)
SilentClocks = dict[int, dict[int, int]]
"""By partition: the source offset and the time of its newest control row of a silence; empty without one."""


class StateLook(NamedTuple):
    """A partition as of one look: its last checkpoint's version, and its newest control row of a silence."""

    version: Version
    silent: dict[int, int]


class StateLooks:
    """The looks of one verification into the state, in their order."""

    def __init__(self) -> None:
        self._of: dict[int, list[StateLook]] = defaultdict(list)

    def note(self, state: StateLog) -> None:
        """Note the state as it was read just now."""
        for partition, silent in silent_clocks(state).items():
            self._of[partition].append(StateLook(state.version(partition), silent))

    def published(self, versions: Mapping[int, Version]) -> SilentClocks:
        """The clocks that Redis shows at least, if these versions were published before it was read.

        Never older ones than those of the first look: what was committed then must be published in the end.
        """
        return {
            partition: _newest_of(looks, versions.get(partition, NEVER_PUBLISHED))
            for partition, looks in self._of.items()
        }


def silent_clocks(state: StateLog) -> SilentClocks:
    """The clocks that are committed now."""
    return {partition: _newest_row(state.silent.get(partition, {})) for partition in state.positions}


def _newest_of(looks: list[StateLook], published: Version) -> dict[int, int]:
    told = [look.silent for look in looks if look.version <= published]
    return told[-1] if told else looks[0].silent


def _newest_row(rows: Mapping[int, int]) -> dict[int, int]:
    return dict([max(rows.items(), key=lambda row: row[1])]) if rows else {}
