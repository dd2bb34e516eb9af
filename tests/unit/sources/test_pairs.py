"""Every format, by pairs: a file as people have it, and what it must become."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from models.reading import read_event
from models.sources.document import Document
from models.sources.reading import FileOwner, NotImportable
from streams.operations.import_formats import formats, recognized

PAIRS = Path(__file__).parent / "pairs"
RAW = sorted(path for path in PAIRS.glob("*/*") if path.suffix != ".jsonl" and ".beside" not in path.name)
VIEWER = FileOwner("household-1", "Europe/Berlin", frozenset({"Mia"}), {"Trailer Park Nights": "tpn"}, {"tpn": 150_000})


def _lines(raw: Path, viewer: FileOwner) -> list[dict[str, Any]]:
    """What a file becomes: its events, its bad rows, and the account of the rest; or why it is refused."""
    document, beside = Document(raw.read_bytes()), raw.with_suffix(f".beside{raw.suffix}")
    joined = Document(beside.read_bytes()) if beside.exists() else None
    try:
        reading = recognized(document).read(document, replace(viewer, beside=joined))
    except NotImportable as problem:
        return [{"refused": str(problem)}]
    titles = {
        title_id: {
            "name": title.name,
            "franchise_id": title.franchise_id,
            "largest_ms": title.largest_ms,
            "runtime_ms": title.runtime_ms,
        }
        for title_id, title in reading.titles.items()
    }
    account = {"told_ms": reading.told_ms, "lost_ms": dict(reading.lost_ms), "titles": titles}
    return [*reading.events, *({"bad": str(bad)} for bad in reading.bad_rows), account]


def _named(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


@pytest.mark.parametrize("raw", RAW, ids=_named)
def test_raw_file_becomes_what_its_pair_says(raw: Path) -> None:
    pair, becomes = raw.with_name(f"{raw.name}.jsonl"), _lines(raw, VIEWER)
    if not pair.exists():
        pytest.fail(f"{pair} is missing. The file becomes, one line each:\n" + "\n".join(map(json.dumps, becomes)))
    assert becomes == [json.loads(line) for line in pair.read_text("utf-8").splitlines()]


@pytest.mark.parametrize("raw", RAW, ids=_named)
def test_file_is_recognized_as_the_format_of_its_folder_and_as_no_other(raw: Path) -> None:
    if "refused" in _lines(raw, VIEWER)[0] and "has no column" in _lines(raw, VIEWER)[0]["refused"]:
        return
    document = Document(raw.read_bytes())
    assert [name for name, each in formats().items() if each.recognizes(document)] == [raw.parent.name]


@pytest.mark.parametrize("name", formats())
def test_format_has_a_pair(name: str) -> None:
    assert any(raw.parent.name == name for raw in RAW), f"put a raw file and its .jsonl into {PAIRS / name}"


def test_no_expected_file_lacks_its_raw_one() -> None:
    expected = {path.with_name(path.name.removesuffix(".jsonl")) for path in PAIRS.glob("*/*.jsonl")}
    assert expected == set(RAW)


@pytest.mark.parametrize("raw", RAW, ids=_named)
def test_every_event_is_one_that_the_worker_reads(raw: Path) -> None:
    for line in _lines(raw, VIEWER):
        if "event_id" in line:
            read_event(b"household-1", json.dumps(line).encode())


@pytest.mark.parametrize("raw", RAW, ids=_named)
def test_another_household_has_other_events(raw: Path) -> None:
    mine, others = (
        {line["event_id"] for line in _lines(raw, viewer) if "event_id" in line}
        for viewer in (VIEWER, FileOwner("household-2"))
    )
    assert not mine & others
