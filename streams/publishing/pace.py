"""How long publishing pauses between two rounds, and between two rounds of charts.

Owns the pauses: the configured minimum, and longer ones while Redis is away, during a rebuild, and during a backlog.
"""

from __future__ import annotations

from collections.abc import Callable

from streams.config.settings import Settings

_LONGEST_PAUSE_S = 5.0
_PAUSE_FAR_BEHIND_S = 1.0
_PAUSE_FAR_BEHIND = 4
_FAR_BEHIND_RECORDS = 50_000
_FAR_BEHIND_CHARTS = 5
_ASK_S = 0.5


class Pace:
    """The pace of one worker. `lag` returns how many records its partitions are behind their source, in total."""

    def __init__(self, settings: Settings, lag: Callable[[], int]) -> None:
        self._settings = settings
        self._lag = lag
        self._pause_s = settings.publish_s

    @property
    def is_far_behind(self) -> bool:
        """Whether the backlog is so large that publishing a second later makes no difference to readers."""
        return self._lag() > _FAR_BEHIND_RECORDS

    @property
    def charts_pause_s(self) -> float:
        """The time between two rounds that publish charts, in seconds."""
        return self._settings.chart_publish_s * (_FAR_BEHIND_CHARTS if self.is_far_behind else 1)

    def note_round(self) -> None:
        """Note that a round succeeded."""
        self._pause_s = self._settings.publish_s

    def note_away(self) -> None:
        """Note that a round failed: the next pause is twice as long."""
        self._pause_s = min(_LONGEST_PAUSE_S, self._pause_s * 2)

    def pause_s(self, took_s: float, is_held_back: bool) -> float:
        """How many seconds to pause after a round of `took_s` seconds. `is_held_back`: by a rebuild."""
        if is_held_back:
            self._pause_s = max(self._pause_s, _ASK_S)
        return max(self._pause_s, self._far_behind_s(took_s))

    def _far_behind_s(self, took_s: float) -> float:
        """The least pause during a backlog: a multiple of the last round.

        Published numbers are old then in any case, so folding has precedence.
        """
        if not self.is_far_behind:
            return 0.0
        return min(_LONGEST_PAUSE_S, max(_PAUSE_FAR_BEHIND_S, _PAUSE_FAR_BEHIND * took_s))
