"""How numbers are shown: short enough to read, never so short that they mislead.

Owns the texts of counts, times, shares and series.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

NONE = "–"
HEIGHTS = "▁▂▃▄▅▆▇█"
_LENGTHS = " ▏▎▍▌▋▊▉█"
_EXACT_BELOW = 100_000


def count(value: float | None) -> str:
    """A count: in full below 100,000, then with about three digits and K, M or B."""
    if value is None:
        return NONE
    if value < _EXACT_BELOW:
        return f"{value:,.0f}"
    if value < 999_500:
        return f"{value / 1e3:.0f}K"
    return f"{value / 1e6:,.1f}M" if value < 999_950_000 else f"{value / 1e9:,.1f}B"


def many(number: int, word: str) -> str:
    """A number of things, in full: 1 worker, 2 workers."""
    return f"{number:,} {word}" if number == 1 else f"{number:,} {word}s"


def viewing(seconds: float | None) -> str:
    """Watched time in the unit that suits it: seconds, minutes, then hours."""
    if seconds is None:
        return NONE
    if seconds < 60:
        return f"{seconds:.0f} s"
    if seconds < 3600:
        return f"{seconds / 60:.0f} min"
    hours = seconds / 3600
    return f"{hours:.1f} h" if hours < 100 else f"{count(hours)} h"


def rate(value: float | None) -> str:
    """A share in percent with one decimal; a dash for None."""
    return NONE if value is None else f"{value * 100:.1f}%"


def factor(value: float | None) -> str:
    """A multiple with two decimals; a dash for None."""
    return NONE if value is None else f"{count(value) if value >= 1000 else f'{value:.2f}'}×"


def days(value: float | None) -> str:
    """A length of time in days; a dash for None."""
    return NONE if value is None else f"{value:.1f} days" if value < 100 else f"{count(value)} days"


def position(milliseconds: int) -> str:
    """A place in a title, as players show it: 12:30, 1:02:30."""
    minutes, seconds = divmod(milliseconds // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def sparkline(counts: Sequence[float]) -> str:
    """A bar for each count, the highest for the largest; a blank for none."""
    top = max(counts, default=0)
    return "".join(HEIGHTS[int(-(-count * len(HEIGHTS) // top)) - 1] if count else " " for count in counts)


def bar(value: float, top: float, width: int) -> str:
    """A horizontal bar, `width` columns long for `top`. A value that is not 0 is always visible."""
    eighths = max(1, round(8 * width * value / top)) if top and value else 0
    return "█" * (eighths // 8) + _LENGTHS[eighths % 8].strip()


def moment(as_of_ms: int) -> str:
    """The stream time to the minute, UTC."""
    if not as_of_ms:
        return "no events yet"
    return datetime.fromtimestamp(as_of_ms / 1000, UTC).strftime("as of %Y-%m-%d %H:%M UTC")


def label(text: str) -> str:
    """A name or an id on one line, whatever characters it has."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)
