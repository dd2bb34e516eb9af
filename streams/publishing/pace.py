"""How much a round of publishing takes, and how long publishing pauses between two rounds, and between two of charts.

Owns the bound of a round, and the pauses: the configured minimum, and longer ones while Redis is away, during a
rebuild, and during a backlog.
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
_ROUND_S = 0.25
_ROUND_FAR_BEHIND_S = 1.0
_LEAST_ROUND_KEYS = 3_000
_TELLING_KEYS = _LEAST_ROUND_KEYS // 2


class Pace:
    """The pace of one worker. `lag` returns how many records its partitions are behind their source, in total."""

    def __init__(self, settings: Settings, lag: Callable[[], int]) -> None:
        self._settings = settings
        self._lag = lag
        self._pause_s = settings.publish_s
        self.round_keys = _LEAST_ROUND_KEYS
        """About how many hashes the next round may write."""

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

    def note_written(self, hashes: int, took_s: float) -> None:
        """Note that a round wrote so many hashes: the next ones take what may be written in a quarter of a second.

        Titles are the first in every round: the shorter it is, the sooner is a title's change shown, and the more
        rounds its windows wait for if there are more changes than Redis takes. Far behind it takes a second: then fewer
        rounds cost less.
        """
        # Weights are estimates: even the smallest bound may be filled by fewer keys, and must be able to grow again. On
        # a busy machine a round takes long however little it writes: a smaller bound would not make it shorter.
        if hashes >= _TELLING_KEYS:
            takes_s = max(took_s, hashes / self._settings.publish_keys_per_s)
            round_s = _ROUND_FAR_BEHIND_S if self.is_far_behind else _ROUND_S
            self.round_keys = max(_LEAST_ROUND_KEYS, round(hashes * round_s / takes_s))

    def note_away(self) -> None:
        """Note that a round failed: the next pause is twice as long."""
        self._pause_s = min(_LONGEST_PAUSE_S, self._pause_s * 2)

    def pause_s(self, took_s: float, is_held_back: bool, is_part: bool = False) -> float:
        """How many seconds to pause after a round of `took_s` seconds.

        `is_held_back`: by a rebuild. `is_part`: the round left something to the next one.
        """
        if is_held_back:
            self._pause_s = max(self._pause_s, _ASK_S)
        far_behind_s = self._far_behind_s(took_s)
        return max(self._pause_s, min(took_s, far_behind_s) if is_part else far_behind_s)

    def _far_behind_s(self, took_s: float) -> float:
        """The least pause during a backlog: a multiple of the last round.

        Published numbers are old then in any case, so folding has precedence.
        """
        if not self.is_far_behind:
            return 0.0
        return min(_LONGEST_PAUSE_S, max(_PAUSE_FAR_BEHIND_S, _PAUSE_FAR_BEHIND * took_s))
