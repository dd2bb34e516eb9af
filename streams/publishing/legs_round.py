"""Legs in a round of publishing: which titles' a round looks at, and writes.

Owns the bound. Legs of titles that the round wrote belong to its version, so they are all written; others, such as
those of a whole catalog that was just taken over, may take several rounds.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from collections.abc import Set as AbstractSet
from itertools import islice

from models.tally import TallyKey
from streams.publishing.legs_schedule import LegsDue
from streams.publishing.round import RoundWriter, Stamp
from streams.publishing.sink import PrefixState

_WEIGHT = 4
"""Legs cost about as much as so many other hashes."""


class LegsRound:
    """Writes the legs that are due. `is_counted`: whether this worker has counts of a title."""

    def __init__(self, due: LegsDue, writer: RoundWriter, is_counted: Callable[[str], bool]) -> None:
        self._legs, self._writer, self._is_counted = due, writer, is_counted

    async def write(
        self, written: Collection[TallyKey], left: Collection[str], state: PrefixState, stamp: Stamp, most: int
    ) -> int:
        """Write legs, about as many as `most` hashes cost. Returns how many.

        `left`: titles to leave out, as all of their shares were refused: their new owner, who may have a newer catalog,
        writes them.
        `state`: read after all shares were written. Whoever computed legs without them used no later stream time.
        """
        legs, first = self._legs, {key.title_id for key in written}
        legs.note_written(written, state.judged_ms)
        legs.advance_to(state.as_of_ms)
        for title_id, week in (await self._writer.weeks_of_legs(_some_of(legs.unchecked, first, most))).items():
            legs.note_found(title_id, week, state.as_of_ms)
        chosen = _some_of(legs.due, first, most // _WEIGHT) - set(left)
        for title_id in [title_id for title_id in chosen if not self._is_counted(title_id)]:
            legs.forget(title_id)
        due = legs.take(state.as_of_ms, chosen & legs.due)
        await self._writer.write_computed(due.weeks, stamp)
        await self._writer.delete_computed(due.gone)
        legs.note_done(due, state.as_of_ms)
        return len(due.weeks)


def _some_of(title_ids: AbstractSet[str], first: AbstractSet[str], most: int) -> set[str]:
    """All titles if they are at most `most`; else those in `first`, and so many others."""
    return set(title_ids) if len(title_ids) <= most else {*(first & title_ids), *islice(title_ids, most)}
