"""The page of counters says what the code does: keys, fields, kinds, boards and the form of each example."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from models import windows
from models.dayparts import read_dayparts
from models.hash_fields import (
    AUDIENCE,
    BOOKKEEPING,
    CATALOG,
    COUNT,
    DAY_BOARDS,
    DAYPART,
    FLAG,
    GAUGE,
    HOUR,
    LEGS,
    RATIO,
    SECONDS,
    SLICES,
    STREAM,
    TEXT,
    TIME,
    TITLE_BOARDS,
    WHOLE,
    WINDOW,
    WORKERS,
    Field,
)
from models.rules import MOST_SLICES, Rules
from models.tally import TallyKey
from models.windows import AGES, LAST_WEEK, audience_week
from streams.config.settings import Settings
from streams.reader import Age, AudienceWeek, Day, Daypart, Franchise, Hour, Legs, Status, Title, Week
from streams.redis.keys import READ, TALLIES, Keys

PAGE = (Path(__file__).parents[3] / "docs" / "counters.md").read_text()
SECTIONS = {
    "Every hash": BOOKKEEPING,
    "A title, or a franchise": (*WHOLE, *CATALOG),
    "A window": WINDOW,
    "The audience of a week": AUDIENCE,
    "Dayparts": DAYPART,
    "Legs": LEGS,
    "The status": (*STREAM, *WORKERS),
}
FORMS = {
    COUNT: r"\d+", GAUGE: r"\d+", SECONDS: r"\d+\.\d{3}", RATIO: r"\d+\.\d{6}", FLAG: "[01]", TIME: r"\d{13}",
    TEXT: ".+",
}  # fmt: skip
"""How a value of each kind is written."""


def rows(section: str) -> list[list[str]]:
    """The cells of the first table under a heading, without its head."""
    _, _, rest = PAGE.partition(f"\n## {section}\n")
    lines = [line for line in rest.partition("\n## ")[0].splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def code(cell: str) -> str:
    """What a cell says in code, alone."""
    found = re.fullmatch("`([^`]+)`", cell)
    assert found, cell
    return found[1]


@pytest.mark.parametrize("section", SECTIONS)
def test_every_field_is_on_the_page_with_its_kind_in_the_order_of_its_hash(section: str) -> None:
    written = [(code(field), kind) for field, kind, *_ in rows(section)]
    assert written == [(field.name, field.kind) for field in SECTIONS[section]]


@pytest.mark.parametrize("section", SECTIONS)
def test_every_field_has_a_rule_and_an_example_in_the_form_of_its_kind(section: str) -> None:
    for field, kind, rule, example in rows(section):
        assert rule
        assert re.fullmatch(FORMS[kind], code(example)), f"{field}: {example}"


def test_every_kind_is_explained_with_an_example() -> None:
    assert {
        kind: bool(re.fullmatch(FORMS[kind], code(example))) for kind, _, example in rows("Units")
    } == dict.fromkeys(FORMS, True)


def test_every_key_of_readers_is_on_the_page_and_no_other() -> None:
    prefix = Settings().redis_prefix
    written = [(code(key), kind) for key, kind, *_ in rows("Keys")]
    assert sorted(written) == sorted((prefix + form.form, form.type) for form in READ)


def test_every_key_s_example_is_one() -> None:
    keys = Keys("encore:")
    day = 20_780
    numbers = {windows.HOUR: day * 24 + 15, windows.DAY: day, windows.WEEK: 3, windows.AUDIENCE: audience_week(day)}
    made = {
        *(keys.tally(TallyKey(kind, numbers.get(kind, 0), "little-dragon")) for kind in TALLIES),
        *(keys.legs("little-dragon"), keys.status, keys.changes, keys.alias),
        *(keys.board("completions"), keys.board("plays", day), keys.franchise_board("completions")),
        *(keys.titles, keys.franchises, keys.verdicts),
    }
    assert {code(example) for *_, example in rows("Keys")} == made


def test_the_hours_lack_the_fields_that_the_page_says() -> None:
    assert [field for field, _, rule, _ in rows("A window") if "not of hours" in rule] == [
        f"`{field.name}`" for field in WINDOW if field not in HOUR
    ]


def test_the_curve_s_fields_are_on_the_page() -> None:
    assert [code(field) for field, *_ in rows("The curve")] == [SLICES, "0"]
    assert f"{MOST_SLICES} at most" in PAGE


def test_every_board_is_on_the_page() -> None:
    written = [(code(metric), whole, day) for metric, whole, day in rows("Boards")]
    assert written == [(metric, "yes", "yes" if metric in DAY_BOARDS else "no") for metric in TITLE_BOARDS]


def test_the_words_of_the_page_are_those_of_the_settings() -> None:
    settings = Settings()
    names = [*(part.name for part in read_dayparts(Rules().dayparts)), *AGES]
    assert [name for name in names if f"`{name}`" not in PAGE] == []
    assert f"1 to {LAST_WEEK}," in PAGE
    for days in (settings.hour_retention_days, settings.day_retention_days, settings.age_retention_days):
        assert f"lives {days:,} days" in PAGE
    assert f"{settings.board_least_starters} starters or more" in PAGE


@pytest.mark.parametrize(
    ("result", "fields"),
    [
        (Title, (*WHOLE, *CATALOG, *BOOKKEEPING)),
        (Franchise, (*WHOLE, *BOOKKEEPING)),
        (Hour, (*HOUR, *BOOKKEEPING)),
        *((window, (*WINDOW, *BOOKKEEPING)) for window in (Day, Week, Age)),
        (AudienceWeek, (*AUDIENCE, *BOOKKEEPING)),
        (Legs, (*LEGS, *BOOKKEEPING)),
        (Daypart, DAYPART),
        (Status, (*STREAM, *WORKERS, *BOOKKEEPING)),
    ],
)
def test_the_reader_gives_every_field_with_the_type_of_its_kind(
    result: type[msgspec.Struct], fields: Sequence[Field]
) -> None:
    types = {field.name: field.type for field in msgspec.structs.fields(result)}
    names = {"title_id", "franchise_id", "name"}
    assert set(types) - names == {field.name for field in fields} - names
    for field in fields:
        assert types[field.name] in accepted(field.kind), field.name


def accepted(kind: str) -> tuple[object, ...]:
    """The types of a kind's values."""
    if kind == SECONDS:
        return float, float | None
    return {RATIO: (float | None,), FLAG: (bool,), TEXT: (str | None,)}.get(kind, (int,))
