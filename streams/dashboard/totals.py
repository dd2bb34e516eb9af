"""The counters for all time of a title or a franchise, section by section: figures with their names."""

from __future__ import annotations

from streams.dashboard.figure import Named, count, rate, viewing
from streams.dashboard.households_chart import STEPS
from streams.reader import Franchise, Title

Totals = Title | Franchise


def headline(of: Totals) -> tuple[Named, ...]:
    """The numbers that matter most."""
    return (
        Named("households reached", count(of.starters), "watched 2 minutes or more"),
        Named("completed it", count(of.completers), f"{rate(of.completion_rate).text} of those who started"),
        Named("completions", count(of.completions), f"{count(of.rewatches).text} of them rewatches"),
        Named("completed it again", count(of.repeaters), f"{rate(of.repeat_rate).text} of those who completed it"),
        Named("return rate", rate(of.return_rate_7d), "of completions: another within 7 days"),
    )


def again(of: Totals) -> tuple[Named, ...]:
    """What followed its completions, and how they were made: each as a part of all completions."""
    rows = (
        ("another within 1 day", of.returned_1d),
        ("another within 7 days", of.returned_7d),
        ("another within 28 days", of.returned_28d),
        ("by the same profile again", of.profile_rewatches),
        ("by autoplay", of.autoplay_completions),
    )
    whole = of.completions
    return tuple(
        Named(name, count(value, whole), f"{rate(value / whole).text} of them" if whole else "") for name, value in rows
    )


def all_time(of: Totals) -> tuple[Named, ...]:
    """The other counters."""
    return (
        Named("watching now", count(of.watching_now)),
        Named("plays", count(of.plays)),
        Named("watched", viewing(of.watched_s)),
        Named("views", count(of.views), "watched time ÷ runtime"),
        Named("skimmers", count(of.skimmers), "reached the end, covered less than half"),
        Named("kids' plays", count(of.kids_plays)),
        Named("kids' completions", count(of.kids_completions)),
        Named("kids' rewatches", count(of.kids_rewatches)),
        Named("kids' watched", viewing(of.kids_watched_s)),
    )


def funnel(of: Totals) -> tuple[Named, ...]:
    """From starters to repeaters: each as a part of the largest, and beside that as a part of the step before."""
    values = [getattr(of, name) for name in STEPS]
    largest = max(values)
    steps = []
    for (name, meaning), value, before in zip(STEPS.items(), values, [0, *values], strict=False):
        of_those = f", {rate(value / before).text} of those before" if before else ""
        steps.append(Named(name, count(value, largest), meaning + of_those))
    return tuple(steps)


def histogram(of: Totals) -> tuple[Named, ...]:
    """Households by how often they completed it."""
    largest = max(of.rewatch_histogram.values())
    return tuple(
        Named(f"{times.replace('-', '–')} ×", count(households, largest))
        for times, households in of.rewatch_histogram.items()
    )
