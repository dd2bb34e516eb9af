"""Finds households that are counted in more than one partition: each counts as two, so the numbers are wrong.

Two readings that agree do not show it, as each partition is folded by itself. It comes from partitions that were added
to a topic, or from a producer with another partitioner.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from streams.verify.comparison import Difference
from streams.verify.folding import PartitionLog

REMEDY = "`encore repartition` brings each household into one partition"


def divided(logs: Sequence[PartitionLog]) -> Iterator[Difference]:
    """A difference if there are such households: how many, and where an event of one is. It names none of them."""
    # In at most one partition a household is at home, so in one of two it is misrouted.
    found = sorted(
        {household: (log.partition, offset) for log in logs for household, offset in _elsewhere_too(log, logs)}.values()
    )
    if found:
        (partition, offset), many = found[0], len(found)
        where = f"for example that of the event at partition {partition}, offset {offset}"
        yield Difference("households in two partitions", "", "0", f"{many}, {where}; {REMEDY}")


def _elsewhere_too(log: PartitionLog, logs: Iterable[PartitionLog]) -> Iterator[tuple[str, int]]:
    for household, offset in log.misrouted.items():
        if any(household in other.seen for other in logs if other is not log):
            yield household, offset
