"""How many households of each title went how far, from starters to repeaters.

Owns the chart's data and the steps; `static/chart.js` draws it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from streams.dashboard.chart import HOUSEHOLDS, Chart, ChartSeries
from streams.reader import Profile

STEPS = {
    "starters": "watched 2 minutes",
    "viewers": "watched 5 minutes",
    "watchers": "covered 70 % of it",
    "completers": "completed it",
    "repeaters": "completed it twice or more",
}
"""The steps, and what each means."""


def households_compared(profiles: Sequence[Profile], names: Mapping[str, str]) -> Chart | None:
    """The households of each title, step by step; None: there are none."""
    if not any(profile.title is not None and profile.title.starters for profile in profiles):
        return None
    return Chart(
        title="Households, from start to again",
        form="lines",
        unit=HOUSEHOLDS,
        across="how far they went",
        places=tuple(f"{step}, {meaning}" for step, meaning in STEPS.items()),
        ticks=tuple((place, step) for place, step in enumerate(STEPS)),
        series=tuple(_series(profile, names) for profile in profiles),
    )


def _series(profile: Profile, names: Mapping[str, str]) -> ChartSeries:
    values = tuple(None if profile.title is None else getattr(profile.title, step) for step in STEPS)
    says = tuple("" if value is None else f"{value:,}" for value in values)
    return ChartSeries(names[profile.title_id], values, says)
