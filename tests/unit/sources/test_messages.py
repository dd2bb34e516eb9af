"""Every live schema, by pairs: messages as players send them, and what they must become.

A file of `messages/SCHEMA/` is one stream. A step is a message (an object, or its raw text), with the record's key and
its time in seconds after 18:00 where they matter; then its events, less the fields that all events of the file have, or
why it becomes none.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from models.reading import read_event
from models.sources.identities import Identities
from models.sources.schemas import schemas
from models.sources.told import LEFT_OUT, REJECTED, Rejected
from models.sources.translator import Translator

MESSAGES = Path(__file__).parent / "messages"
FILES = sorted(MESSAGES.glob("*/*.json"))
SIX_PM_MS = 1_777_917_600_000

Step = dict[str, Any]


def _named(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


def _read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found


def _translator(path: Path, stated: dict[str, Any]) -> Translator:
    chosen = dict(stated.get("identities", {}))
    if "household_of" in chosen:
        chosen["household_of"] = chosen["household_of"].get
    chosen["kids"] = frozenset(chosen.get("kids", ()))
    return Translator(schemas()[path.parent.name], Identities(**chosen))


def _record(step: Step) -> tuple[bytes, int, bytes | None]:
    message = step["message"]
    value = message if isinstance(message, str) else json.dumps(message)
    return value.encode(), SIX_PM_MS + step.get("at", 0) * 1000, step["key"].encode() if "key" in step else None


def _became(translator: Translator, step: Step) -> Step:
    """What a message became, as the file has it: `events`, `left_out`, `rejected`."""
    try:
        found = translator.translate(*_record(step))
    except Rejected as problem:
        return {"rejected": [problem.code, str(problem)]}
    became: Step = {}
    if found.left_out:
        became["left_out"] = found.left_out if len(found.left_out) > 1 else found.left_out[0]
    if found.events:
        became["events"] = [msgspec.json.decode(msgspec.json.encode(event)) for event in found.events]
    return became


def _expected(step: Step, of_every_event: Step) -> Step:
    expected = {name: step[name] for name in ("left_out", "rejected") if name in step}
    if "events" in step:
        expected["events"] = [of_every_event | event for event in step["events"]]
    return expected


@pytest.mark.parametrize("path", FILES, ids=_named)
def test_messages_become_what_the_file_says(path: Path) -> None:
    stated = _read(path)
    translator = _translator(path, stated)
    for step in stated["steps"]:
        became = _became(translator, step)
        assert became == _expected(step, stated.get("of_every_event", {})), step.get("says", step["message"])


@pytest.mark.parametrize("path", FILES, ids=_named)
def test_every_event_is_one_that_the_worker_reads(path: Path) -> None:
    stated = _read(path)
    translator = _translator(path, stated)
    for step in stated["steps"]:
        for event in _became(translator, step).get("events", []):
            assert read_event(event["household_id"].encode(), json.dumps(event).encode())


@pytest.mark.parametrize("path", FILES, ids=_named)
def test_a_translator_that_goes_on_from_what_was_kept_makes_the_same_events(path: Path) -> None:
    stated = _read(path)
    whole, kept = _translator(path, stated), dict[str, bytes | None]()
    for step in stated["steps"]:
        goes_on = _translator(path, stated)
        for key, packed in kept.items():
            if packed is not None:
                goes_on.restore(key, packed)
        assert _became(goes_on, step) == _became(whole, step)
        kept |= goes_on.drain()
    assert {key: packed for key, packed in kept.items() if packed} == whole.drain()


@pytest.mark.parametrize("path", FILES, ids=_named)
def test_a_stream_that_is_translated_twice_in_a_row_changes_no_session(path: Path) -> None:
    stated = _read(path)
    once, twice = _translator(path, stated), _translator(path, stated)
    for step in stated["steps"]:
        _became(once, step)
        _became(twice, step)
        _became(twice, step)
    assert twice.drain() == once.drain()


@pytest.mark.parametrize("name", schemas())
def test_a_schema_has_files(name: str) -> None:
    assert any(path.parent.name == name for path in FILES), f"put messages and what they become into {MESSAGES / name}"


def test_every_reason_has_an_example() -> None:
    steps = [step for path in FILES for step in _read(path)["steps"]]
    left_out = {step["left_out"] for step in steps if isinstance(step.get("left_out"), str)}
    rejected = {step["rejected"][0] for step in steps if "rejected" in step}
    assert (left_out, rejected) == (set(LEFT_OUT), set(REJECTED))
