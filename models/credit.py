"""How much of an interval is credited: the content that was played at a believable pace (the design, section 1).

Owns the allowance, the inference of unstated playback rates, looping titles, and how credit is spread over time. Counts
what is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from models.account import StreamCounters
from models.dayparts import QUARTER_MS
from models.events import Event
from models.rules import (
    FASTEST_FOUND_THOUSANDTHS,
    GAP_PACE_PERCENT,
    LOOP_PACE_PERCENT,
    PACE_SLACK_MS,
    SHORTEST_SPEED_INTERVAL_MS,
    SHORTEST_STATED_LENGTH_MS,
    Rules,
)
from models.session import ORDINARY_RATE, Session

_SPEED_BITS: Final = 12
_LARGEST_SPEED: Final = (1 << _SPEED_BITS) - 1
"""A session's last two speeds, in thousandths, share one number; the last one is in its low bits. A larger speed is
stored as this one: both are too far above `FASTEST_FOUND_THOUSANDTHS` to match a speed that may be inferred."""

_TOLERANCE: Final = 50
"""Two speeds count as equal if they differ by at most one part in this many."""


def close_interval(
    session: Session, event: Event, elapsed_ms: int, end_ms: int, runtime_ms: int, rules: Rules,
    account: StreamCounters,
) -> tuple[int, int]:  # fmt: skip
    """Judge the interval that an event closes at `end_ms`, `elapsed_ms` after its start. The session must be playing.

    Returns the content credited in milliseconds, and the position at which the title ended and began again from 0 (0:
    it did not loop). `runtime_ms` is the catalog's; 0: not known. Updates the session's allowance, speeds and inferred
    rate, and counts refused content in `account`.
    """
    start_ms = session.position_ms
    played_ms = end_ms - start_ms
    if not 0 <= elapsed_ms <= rules.longest_interval_ms:
        _refuse_long(played_ms, elapsed_ms, account)
        return 0, 0
    rate = session.rate_thousandths or ORDINARY_RATE
    allowance_ms: int = rules.allowance_ms
    pace_percent: int = rules.pace_percent
    budget_ms = allowance_ms - session.spent_ms + elapsed_ms * rate * pace_percent // 100_000
    credited_ms = loops_at_ms = 0
    if played_ms > 0:
        if session.speeds >= 0 and elapsed_ms >= SHORTEST_SPEED_INTERVAL_MS:
            speed = played_ms * 1000 // elapsed_ms
            if played_ms > budget_ms and _is_steady(speed, session.speeds):
                rate = session.rate_thousandths = speed
                budget_ms = allowance_ms - session.spent_ms + elapsed_ms * rate * pace_percent // 100_000
            elif speed * 10 < rate * 9:
                # This interval is still judged by the inferred rate; later ones are not.
                session.rate_thousandths = None
            session.speeds = (session.speeds & _LARGEST_SPEED) << _SPEED_BITS | min(speed, _LARGEST_SPEED)
        if played_ms > budget_ms:
            account.refused_fast_ms += played_ms
        elif elapsed_ms > rules.gap_ms and not _is_played_through(event, played_ms, elapsed_ms, rate):
            account.refused_gap_ms += played_ms
        else:
            credited_ms = played_ms
    elif played_ms < 0:
        end_of_loop_ms = _loops_at_ms(event, start_ms, runtime_ms)
        around_ms = end_of_loop_ms - start_ms + end_ms
        if end_of_loop_ms and 0 < around_ms <= budget_ms and _is_paced(around_ms, elapsed_ms, rate, LOOP_PACE_PERCENT):
            credited_ms, loops_at_ms = around_ms, end_of_loop_ms
        else:
            account.refused_back += 1
    left_ms = budget_ms - credited_ms
    session.spent_ms = allowance_ms - left_ms if left_ms < allowance_ms else 0
    return credited_ms, loops_at_ms


def _refuse_long(played_ms: int, elapsed_ms: int, account: StreamCounters) -> None:
    if elapsed_ms > 0 and played_ms > 0:
        account.refused_long_ms += played_ms
    elif elapsed_ms > 0 and played_ms < 0:
        account.refused_back += 1


def _is_steady(speed: int, speeds: int) -> bool:
    """Whether an interval was as fast as the two before it, and not too fast to be inferred as a rate."""
    before, last = speeds >> _SPEED_BITS, speeds & _LARGEST_SPEED
    return (
        speed <= FASTEST_FOUND_THOUSANDTHS
        and abs(speed - last) * _TOLERANCE <= last
        and abs(speed - before) * _TOLERANCE <= before
    )


def _is_played_through(event: Event, played_ms: int, elapsed_ms: int, rate: int) -> bool:
    """Whether a long interval was played throughout. A `start` or `play` does not show that: the player began anew."""
    return event.event_type not in ("start", "play") and _is_paced(played_ms, elapsed_ms, rate, GAP_PACE_PERCENT)


def _is_paced(played_ms: int, elapsed_ms: int, rate: int, percent: int) -> bool:
    return played_ms + PACE_SLACK_MS >= elapsed_ms * rate * percent // 100_000


def _loops_at_ms(event: Event, start_ms: int, runtime_ms: int) -> int:
    """The position at which the title ends, if it may have looped; 0: it cannot have looped."""
    if event.event_type in ("seek", "start", "play"):
        return 0
    if not runtime_ms and event.runtime_ms is not None and event.runtime_ms >= SHORTEST_STATED_LENGTH_MS:
        runtime_ms = event.runtime_ms
    return runtime_ms if start_ms <= runtime_ms else 0


def spread(credited_ms: int, until_ms: int, elapsed_ms: int) -> Iterator[tuple[int, int]]:
    """Spread credit evenly over the `elapsed_ms` before `until_ms`, cut at UTC quarter hours.

    Yields the instant at which each piece begins, and its credit in milliseconds.
    """
    since_ms = start_ms = until_ms - elapsed_ms
    given_ms = 0
    while start_ms < until_ms:
        end_ms = min((start_ms // QUARTER_MS + 1) * QUARTER_MS, until_ms)
        given_by_end_ms = credited_ms * (end_ms - since_ms) // elapsed_ms
        if given_by_end_ms > given_ms:
            yield start_ms, given_by_end_ms - given_ms
        start_ms, given_ms = end_ms, given_by_end_ms
