"""Whether the counters are current, in words for people.

Owns from when on workers are behind, or silent.
"""

from __future__ import annotations

from streams.reader import Status

SILENT_S = 60
BEHIND_SHARE = 0.01


def not_current(status: Status | None, now_ms: int) -> str:
    """Why the counters are not those of now, in one line; empty: they are.

    A few records always wait: workers are behind where it is more than a hundredth of what they have counted.
    """
    if status is None:
        return ""
    if status.rebuilding:
        return "the counters are being recounted: these are the former ones"
    silent_s = (now_ms - status.checkpointed_ms) / 1000
    if status.checkpointed_ms and silent_s > SILENT_S:
        return f"no worker has reported for {_ago(silent_s)}: what was sent since then is not counted"
    if status.lag > status.events * BEHIND_SHARE:
        records = f"{status.lag:,} records are not counted yet"
        return f"workers are catching up: {records}; `encore lag --wait` waits for them"
    return ""


def _ago(seconds: float) -> str:
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.0f} h" if seconds < 172_800 else f"{seconds / 86_400:.0f} days"
