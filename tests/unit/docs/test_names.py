"""The pages name files, functions and pages that exist, and a class name says one thing."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from configparser import ConfigParser
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
HISTORY = ROOT / "docs" / "history"
PAGES = sorted(
    str(path.relative_to(ROOT))
    for pages in ("*.md", "docs/**/*.md", "deploy/*.md", "clients/*/*.md")
    for path in ROOT.glob(pages)
    if HISTORY not in path.parents
)
LIFE = "docs/life-of-an-event.md"
SOURCES = [*ROOT.glob("models/**/*.py"), *ROOT.glob("streams/**/*.py")]

# The rules and their independent recomputation share no code, but the words of the same rules; what the published
# reader returns has the name of what it shows.
IN_BOTH_READINGS = ["models", "streams/verify"]
IN_BOTH_AND_READ = ["models", "streams/reader", "streams/verify"]
SAME_CONCEPTS = {
    "CatalogRow": IN_BOTH_READINGS,
    "Daypart": IN_BOTH_AND_READ,
    "Dayparts": ["streams/reader", "streams/verify"],
    "Fact": IN_BOTH_READINGS,
    "Legs": IN_BOTH_AND_READ,
    "Milestone": IN_BOTH_READINGS,
    "Retention": IN_BOTH_READINGS,
    "Session": IN_BOTH_READINGS,
}


def read(name: str) -> str:
    return (ROOT / name).read_text()


def without_code(text: str) -> str:
    return re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)


def anchors(page: Path) -> set[str]:
    heads = re.findall(r"^#+ (.+)$", without_code(page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", PAGES)
def test_every_python_file_that_a_page_names_exists(page: str) -> None:
    named = set(re.findall(r"`((?:models|streams|tests|deploy)/[\w/.-]+\.(?:py|lua))`", read(page)))
    assert {name for name in named if not (ROOT / name).is_file()} == set()


@pytest.mark.parametrize("page", PAGES)
def test_every_page_that_a_page_links_to_exists_and_has_the_heading(page: str) -> None:
    for target, heading in re.findall(r"\]\(([^)#\s]*)(?:#([\w-]+))?\)", without_code(read(page))):
        if target.startswith(("http:", "https:", "mailto:")):
            continue
        found = (ROOT / page).parent / target if target else ROOT / page
        assert found.exists(), target
        assert not heading or heading in anchors(found), f"{target}#{heading}"


def defined() -> set[str]:
    """Every function and class, and every method as `Class.method`."""
    names = set()
    for path in SOURCES:
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef):
                names.add(node.name)
                names |= {f"{node.name}.{each.name}" for each in node.body if hasattr(each, "name")}
            elif hasattr(node, "name"):
                names.add(node.name)
    return names


def folder_of(source: Path) -> str:
    first, second, *_ = source.relative_to(ROOT).parts
    return first if first == "models" else f"{first}/{second}"


def test_a_class_name_means_one_thing_but_for_the_same_concept_in_readings_that_share_no_code() -> None:
    folders = defaultdict(list)
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef):
                folders[node.name].append(folder_of(path))
    assert {name: sorted(found) for name, found in folders.items() if len(found) > 1} == SAME_CONCEPTS


def test_every_function_in_the_life_of_an_event_exists() -> None:
    quoted = re.findall(r"`([A-Za-z_]+(?:\.[a-z_]+)?)(?:\([\w, ]*\))?`", without_code(read(LIFE)))
    functions = {name for name in quoted if re.fullmatch(r"[A-Z][a-z]\w*(\.\w+)?|_[a-z_]+|[a-z]+_[a-z_]+", name)}
    assert len(functions) > 50
    assert functions - defined() == {"None"}


def test_every_bare_function_in_the_life_of_an_event_is_in_the_file_that_follows_it() -> None:
    for names, path in re.findall(r"((?:`\w+`(?:, | and )?)+) in\s+`([\w/]+\.py)`", read(LIFE)):
        source = read(path)
        for name in re.findall(r"`(\w+)`", names):
            assert re.search(rf"^(?:async )?(?:def|class) {name}\b", source, re.MULTILINE), f"{name} in {path}"


def test_every_method_in_the_life_of_an_event_is_in_the_file_that_follows_it() -> None:
    for owner, method, path in re.findall(r"`([A-Z]\w+)\.(\w+)` in\s+`([\w/]+\.py)`", read(LIFE)):
        assert re.search(rf"^class {owner}\b", read(path), re.MULTILINE), f"{owner} in {path}"
        assert re.search(rf"^    (?:async )?def {method}\b", read(path), re.MULTILINE), f"{method} in {path}"


def test_every_document_is_in_the_index() -> None:
    index = read("docs/README.md")
    missing = {path.name for path in (ROOT / "docs").glob("*.md") if f"]({path.name})" not in index}
    assert missing == {"README.md"}


def test_every_decision_is_in_their_index() -> None:
    index = read("docs/decisions/README.md")
    records = [path.name for path in (ROOT / "docs" / "decisions").glob("0*.md")]
    assert [name for name in records if f"]({name})" not in index] == []


def test_the_layers_of_streams_in_contributing_are_those_of_the_import_contract() -> None:
    contracts = ConfigParser()
    contracts.read(ROOT / ".importlinter")
    layers = contracts["importlinter:contract:rooms"]["layers"].split("\n")
    contracted = [sorted(re.findall(r"\w+", layer)) for layer in layers if layer]
    rows = re.findall(r"^\| \d+ \| ([^|]+) \|", read("CONTRIBUTING.md"), re.MULTILINE)
    assert [sorted(re.findall(r"`(\w+)`", row)) for row in rows] == contracted
