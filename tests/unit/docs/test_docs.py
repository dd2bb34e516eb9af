"""The pages say what the code does: a test for each that could drift."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest
from every_fault import FAULTS
from mutants import MUTANTS

from models.events import Event
from models.hash_fields import COUNTER_FIELDS, STREAM_FIELDS
from models.sources.day_only import DayOnly
from models.sources.reading import Format
from models.sources.schemas import schemas
from models.sources.told import LEFT_OUT, REJECTED, Schema
from streams.cli import COMMANDS, main
from streams.cli.bridge import bridge
from streams.cli.importing import importing
from streams.config.settings import Settings
from streams.config.settings_page import page
from streams.kafka.topics import all_topics
from streams.operations.import_formats import formats
from streams.redis.keys import Keys

ROOT = Path(__file__).parents[3]


def read(name: str) -> str:
    return (ROOT / name).read_text()


def test_the_settings_page_is_the_one_made_from_the_settings() -> None:
    assert read("docs/settings.md") == page(), "python -m streams.config.settings_page > docs/settings.md"


@pytest.mark.parametrize("field", Event.__struct_fields__)
def test_every_field_of_an_event_is_on_the_events_page(field: str) -> None:
    assert f"`{field}`" in read("docs/events.md")


@pytest.mark.parametrize("topic", [topic.name for topic in all_topics(Settings())])
def test_every_topic_is_documented(topic: str) -> None:
    assert f"`{topic}`" in read("docs/events.md") + read("docs/operating.md")


@pytest.mark.parametrize("name", [*COUNTER_FIELDS, *STREAM_FIELDS])
def test_every_counter_is_documented(name: str) -> None:
    assert re.search(rf"\b{name.removesuffix('_ms')}", read("README.md") + read("docs/operating.md"))


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_and_is_documented(command: str) -> None:
    found = main.get_command(click.Context(main), command)
    assert found is not None
    assert found.help
    assert f"encore {command}" in read("docs/operating.md")


@pytest.mark.parametrize("key", [Keys("encore:").status, Keys("encore:").changes, Keys("encore:").alias])
def test_every_key_of_readers_is_documented(key: str) -> None:
    assert f"`{key}`" in read("README.md")


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_of_the_campaign_has_its_figures(fault: str) -> None:
    assert f"| {fault} |" in read("docs/reliability.md")


@pytest.mark.parametrize(("name", "schema"), schemas().items())
def test_every_live_schema_has_its_row(name: str, schema: Schema) -> None:
    rows = [line for line in read("docs/sources.md").splitlines() if f"| `{name}` |" in line]
    assert len(rows) == 1, f"docs/sources.md has no row, or several, of {name}"
    assert schema.name in rows[0]
    assert f"`{schema.household}`" in rows[0]


@pytest.mark.parametrize("name", schemas())
def test_every_live_schema_is_named_where_a_format_is_chosen(name: str) -> None:
    assert name in (bridge.help or ""), "the help of encore bridge, in streams/cli/bridge.py, names every format"
    assert f"`{name}`" in read("docs/collect.md"), "the row of `format` in docs/collect.md names every format"


@pytest.mark.parametrize("known", formats().values(), ids=lambda known: known.name)
def test_every_format_that_import_knows_is_documented_by_its_maker(known: Format) -> None:
    maker = known.name.split()[0]
    assert maker in read("docs/input.md"), f"docs/input.md does not tell of {known.name}"
    if not isinstance(known, DayOnly):
        assert maker in (importing.help or ""), f"the help in streams/cli/importing.py does not tell of {known.name}"


@pytest.mark.parametrize("reason", [*LEFT_OUT, *REJECTED])
def test_every_reason_for_no_event_is_documented(reason: str) -> None:
    assert f"| `{reason}` |" in read("docs/sources.md")


CITATION = re.compile(r"the design, section (\d)(?:: ([a-z ]+[a-z]))?|section (\d) of\s+the design")


@pytest.mark.parametrize(
    "name",
    sorted(str(path.relative_to(ROOT)) for path in [*ROOT.glob("models/**/*.py"), *ROOT.glob("streams/**/*.py")]),
)
def test_every_section_of_the_design_that_is_cited_is_there_and_tells_of_it(name: str) -> None:
    sections = re.split(r"^## (?=\d\. )", read("docs/design.md"), flags=re.MULTILINE)
    for match in CITATION.finditer(re.sub(r"\s+", " ", read(name))):
        number, topic = int(match[1] or match[3]), match[2] or ""
        assert sections[number].startswith(f"{number}. ")
        assert topic in sections[number].lower()


@pytest.mark.parametrize("safeguard", MUTANTS)
def test_every_safeguard_that_the_campaign_is_tried_without_is_documented(safeguard: str) -> None:
    assert f"| {safeguard}" in read("docs/reliability.md")


def test_every_term_of_the_glossary_has_its_file() -> None:
    terms = re.findall(r"^\| (?!term|---).*$", read("docs/glossary.md"), re.MULTILINE)
    assert len(terms) > 70
    assert [term for term in terms if not re.search(r"`(models|streams)/[\w/]+\.py` \|$", term)] == []


(MADE,) = re.findall(r"^\.PHONY: (.*)$", read("Makefile"), re.MULTILINE)
PAGES = ["README.md", "CONTRIBUTING.md", *sorted(str(page.relative_to(ROOT)) for page in ROOT.glob("docs/**/*.md"))]


def test_what_the_pages_say_to_make_can_be_made() -> None:
    said = {target for page in PAGES for target in re.findall(r"(?:^\$? ?|`)make ([a-z-]+)", read(page), re.MULTILINE)}
    assert said <= set(MADE.split())
    assert {"check", "mutations"} <= said
