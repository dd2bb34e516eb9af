"""Everything about one title, in a terminal of 80 columns or more.

Owns sections, wording and colour.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from models.windows import audience_week_name
from streams.cli.reading import NOT_COMPLETE
from streams.display import numbers
from streams.display.curve_shape import condensed, fall_words, most_replayed, peak_words, steepest_fall
from streams.display.measures import AGE_WORDS, audience_by_week, newest_week, starters_by, watched_by_week
from streams.display.titles_file import Names
from streams.reader import Age, Curve, Dayparts, Legs, Profile, Title, Week

ACCENT = "bold cyan"
_BAR = 14
_NARROW_BAR = 12
_SHORT_BAR = 8
_WEEKS_SHOWN = 8
_WEEKS_DRAWN = 52
_SLICES_DRAWN = 50

Row = tuple[str, ...]


def page(profile: Profile, names: Names) -> RenderableType:
    """Everything about a title that has counters, section by section."""
    title = profile.title
    assert title is not None
    sections: list[RenderableType] = [_heading(title, names), _totals(title), _households(title), _again(title)]
    if profile.ages:
        sections.append(_ages(profile.ages))
    if profile.weeks:
        sections.append(_weeks(profile.weeks, profile.complete_weeks))
    if profile.dayparts is not None:
        sections.append(_dayparts(profile.dayparts))
    if profile.legs is not None:
        sections.append(_legs(profile.legs, profile.weeks))
    if profile.audience:
        sections.append(_audience(profile))
    if profile.curve is not None:
        sections.append(_curve(profile.curve, names.lengths_ms.get(title.title_id, 0)))
    return Group(*(part for section in sections for part in (section, Text())))


def _heading(title: Title, names: Names) -> Text:
    name = numbers.label(names.get(title.title_id, title.title_id))
    words = [Text(name, style="bold")]
    words += [Text(numbers.label(title.title_id), style="dim")] if title.title_id in names else []
    words.append(Text(numbers.moment(title.as_of_ms), style="dim"))
    heading = Text("  ·  ", style="dim").join(words)
    return heading if title.complete else Text("\n").join([heading, Text(NOT_COMPLETE, style="bold yellow")])


def _totals(title: Title) -> Table:
    columns = (
        (
            ("plays", numbers.count(title.plays)),
            ("watched", numbers.viewing(title.watched_s)),
            ("views", numbers.count(title.views)),
            ("watching now", numbers.count(title.watching_now)),
        ),
        (
            ("completions", numbers.count(title.completions)),
            ("rewatches", numbers.count(title.rewatches)),
            ("completion rate", numbers.rate(title.completion_rate)),
            ("repeat rate", numbers.rate(title.repeat_rate)),
        ),
        (
            ("kids' plays", numbers.count(title.kids_plays)),
            ("kids' watched", numbers.viewing(title.kids_watched_s)),
            ("kids' completions", numbers.count(title.kids_completions)),
            ("kids' rewatches", numbers.count(title.kids_rewatches)),
        ),
    )
    grid = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
    for number in range(len(columns)):
        grid.add_column(style="dim", no_wrap=True)
        grid.add_column(justify="right", no_wrap=True, style=ACCENT if number == 1 else "")
    for row in zip(*columns, strict=True):
        grid.add_row(*(Text(word) for cell in row for word in cell))
    return grid


def _households(title: Title) -> Table:
    """From starters to repeaters, and beside it how often households completed the title."""
    steps = ("starters", "viewers", "watchers", "completers", "repeaters")
    values = [getattr(title, name) for name in steps]
    largest = max(values)
    left = _grid("households", "", "", "")
    for name, value, before in zip(steps, values, [0, *values], strict=False):
        share = numbers.rate(value / before) if before else ""
        left.add_row(*_texts(name, numbers.bar(value, largest, _BAR), numbers.count(value), share))
    left.add_row(*_texts("skimmers", numbers.bar(title.skimmers, largest, _BAR), numbers.count(title.skimmers), ""))
    histogram = title.rewatch_histogram
    right = _grid("completed it", "", "")
    for times, households in histogram.items():
        bar = numbers.bar(households, max(histogram.values()), _NARROW_BAR)
        right.add_row(*_texts(f"{times.replace('-', '–')} ×", bar, numbers.count(households)))
    both = Table.grid(padding=(0, 3, 0, 0))
    both.add_row(left, right)
    return both


def _again(title: Title) -> Table:
    """What followed its completions, and how they were made."""
    grid = _grid("of its completions", "", "", "")
    rows = (
        ("another within 1 day", title.returned_1d),
        ("another within 7 days: the return rate", title.returned_7d),
        ("another within 28 days", title.returned_28d),
        ("by a profile that had completed it before", title.profile_rewatches),
        ("in sessions begun by autoplay", title.autoplay_completions),
    )
    for name, value in rows:
        share = numbers.rate(value / title.completions) if title.completions else ""
        grid.add_row(*_texts(name, numbers.bar(value, title.completions, _BAR), numbers.count(value), share))
    return grid


def _ages(ages: Sequence[Age]) -> Table:
    grid = _grid("since release", *_COUNTS)
    for age in ages:
        grid.add_row(*_texts(AGE_WORDS[age.name], *_counts(age)))
    return grid


def _weeks(weeks: Sequence[Week], complete: int) -> Table:
    grid = _grid("week", *_COUNTS)
    if complete:
        series = numbers.sparkline(watched_by_week(weeks, complete)[-_WEEKS_DRAWN:])
        grid.title, grid.title_justify, grid.title_style = Text(f"watched, week by week  {series}"), "left", "dim"
    for week in weeks[-_WEEKS_SHOWN:]:
        grid.add_row(*_texts(week.name if week.number <= complete else f"{week.name}, so far", *_counts(week)))
    return grid


_COUNTS = ("watched", "starters", "completers", "completions", "rewatches")


def _counts(window: Age | Week) -> Row:
    counts = (window.starters, window.completers, window.completions, window.rewatches)
    return (numbers.viewing(window.watched_s), *map(numbers.count, counts))


def _dayparts(found: Dayparts) -> Table:
    grid = _grid("\ndaypart", "", "\nwatched", "\nshare", "com-\npletions", "3 days\nin a row", "\n5 days", "\n10 days")
    whole = sum(part.watched_s for part in found.dayparts)
    largest = max((part.watched_s for part in found.dayparts), default=0)
    for part in found.dayparts:
        streaks = map(numbers.count, (part.streak_3, part.streak_5, part.streak_10))
        grid.add_row(
            *_texts(
                part.name.replace("_", " "),
                numbers.bar(part.watched_s, largest, _SHORT_BAR),
                numbers.viewing(part.watched_s),
                numbers.rate(part.watched_s / whole) if whole else numbers.NONE,
                numbers.count(part.completions),
                *streaks,
            )
        )
    return grid


def _audience(profile: Profile) -> Table:
    fields = ("reached", "new", "returning", "resurrected")
    newest = newest_week([profile])
    weeks = audience_by_week(profile.audience, newest)
    grid = _grid("audience by week", *fields)
    over = [week for week in weeks if week.name < audience_week_name(newest)]
    if over:
        series = numbers.sparkline([week.reached for week in over[-_WEEKS_DRAWN:]])
        grid.title, grid.title_justify, grid.title_style = Text(f"reached, week by week  {series}"), "left", "dim"
    for week in weeks[-_WEEKS_SHOWN:]:
        name = week.name if week in over else f"{week.name}, so far"
        grid.add_row(*_texts(name, *(numbers.count(getattr(week, field)) for field in fields)))
    return grid


def _curve(curve: Curve, length_ms: int) -> Table:
    """How often each part was played, from the beginning to the end of the title."""
    grid = _grid("which parts are played", "")
    values = curve.values
    fall, peak = steepest_fall(values), most_replayed(values)
    grid.add_row(*_texts("from beginning to end", numbers.sparkline(condensed(values, _SLICES_DRAWN))))
    grid.add_row(*_texts("steepest fall", fall_words(fall, len(values), length_ms)))
    grid.add_row(*_texts("most replayed part", peak_words(peak, len(values), length_ms)))
    return grid


def _legs(legs: Legs, weeks: Sequence[Week]) -> Table:
    now, before = (numbers.count(starters_by(weeks, week)) for week in (legs.week, legs.week - 1))
    grid = _grid("staying power", f"week {legs.week}", f"week {legs.week - 1}" if legs.week > 1 else "")
    rows = (
        ("watched in the week", numbers.viewing(legs.week_watched_s), numbers.viewing(legs.week_before_watched_s)),
        ("hold: the week ÷ the one before", numbers.rate(legs.hold), ""),
        ("hold, mean of 4 weeks", numbers.rate(legs.hold_4w), numbers.rate(legs.hold_4w_before)),
        ("rewatches ÷ completions", numbers.rate(legs.rewatch_share), numbers.rate(legs.rewatch_share_before)),
        ("completers ÷ starters", numbers.rate(legs.completion_rate), numbers.rate(legs.completion_rate_before)),
        ("starters since the release", now, before),
        ("multiple: 28 days ÷ opening", numbers.factor(legs.multiple), ""),
        ("half-life", numbers.days(legs.half_life_days), ""),
        ("unstoppable", "yes" if legs.unstoppable else "no", ""),
    )
    for name, as_of, week_before in rows:
        style = ACCENT if name == "unstoppable" and legs.unstoppable else ""
        grid.add_row(Text(name), Text(as_of, style=style), Text(week_before, style="dim"))
    return grid


def _grid(first: str, *others: str) -> Table:
    grid = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    grid.add_column(first, no_wrap=True)
    for number, head in enumerate(others):
        is_bar = number == 0 and not head
        grid.add_column(head, justify="left" if is_bar else "right", style="dim" if is_bar else "", no_wrap=True)
    return grid


def _texts(*cells: str) -> Iterable[Text]:
    return map(Text, cells)
