"""The contracts say what the code does: topics by AsyncAPI, values by JSON Schema, both ways where there are two."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from models.catalog import BadTitle, CatalogRow, read_title
from models.events import BadEvent, ContentKind, Event, EventType
from models.fold_changes import FoldChanges, Milestone
from models.habits import LEVELS
from models.reading import read_event
from models.viewing import COMPLETED, STARTED, STREAK, VIEWED, Fact
from streams.config.rule_settings import RuleSettings
from streams.config.settings import Settings
from streams.kafka.topics import all_topics, controls, inputs
from streams.state.side_outputs import kept_records

FOLDER = Path(__file__).parents[3] / "deploy" / "contracts"
SCHEMAS = sorted(path.name for path in FOLDER.glob("*.schema.json"))

Object = dict[str, Any]


def schema(name: str) -> Object:
    found: Object = json.loads((FOLDER / name).read_text())
    return found


def asyncapi() -> Object:
    found: Object = yaml.safe_load((FOLDER / "asyncapi.yaml").read_text())
    return found


EVENT, TITLE, MILESTONE = (schema(f"{name}.schema.json") for name in ("playback-event", "title", "milestone"))
EVENTS, TITLES, MILESTONES = (Draft202012Validator(found) for found in (EVENT, TITLE, MILESTONE))


def is_event(value: Object) -> bool:
    """Whether the worker's own decoder takes it; the key is as it should be."""
    try:
        read_event(str(value.get("household_id", "")).encode(), json.dumps(value).encode())
    except BadEvent:
        return False
    return True


def is_title(value: Object) -> bool:
    try:
        read_title(str(value.get("title_id", "")).encode(), json.dumps(value).encode())
    except BadTitle:
        return False
    return True


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_schema_is_one_and_holds_for_its_examples(name: str) -> None:
    found = schema(name)
    assert found["$schema"] == Draft202012Validator.META_SCHEMA["$id"]
    Draft202012Validator.check_schema(found)
    assert found["examples"]
    for value in found["examples"]:
        Draft202012Validator(found).validate(value)


@pytest.mark.parametrize("value", EVENT["examples"])
def test_the_examples_of_events_are_events(value: Object) -> None:
    assert is_event(value)


@pytest.mark.parametrize("value", TITLE["examples"])
def test_the_examples_of_titles_are_titles(value: Object) -> None:
    assert is_title(value)


def test_the_schemas_name_the_fields_and_words_of_the_code() -> None:
    assert tuple(EVENT["properties"]) == Event.__struct_fields__
    assert tuple(TITLE["properties"]) == CatalogRow.__struct_fields__
    assert EVENT["required"] == list(Event.__struct_fields__[: -len(Event.__struct_defaults__)])
    assert EVENT["properties"]["event_type"]["enum"] == list(get_args(EventType))
    assert EVENT["properties"]["content_kind"]["enum"] == [*get_args(ContentKind), None]


def test_the_avro_schema_has_the_fields_and_words_of_the_json_schema() -> None:
    """(Those of Protobuf: tests/unit/registry.)"""
    avro = json.loads((FOLDER / "playback-event.avsc").read_text())
    kinds = {"string": "string", "long": "integer", "double": "number", "boolean": "boolean"}
    assert [field["name"] for field in avro["fields"]] == list(EVENT["properties"])
    for field in avro["fields"]:
        said, of = EVENT["properties"][field["name"]], field["type"]
        is_optional = isinstance(of, list)
        assert is_optional is (field["name"] not in EVENT["required"])
        assert ("default" in field, field.get("default")) == (is_optional, None)
        if is_optional:
            assert of[0] == "null"
            of = of[1]
        if isinstance(of, dict) and of["type"] == "enum":
            assert of["symbols"] == [word for word in said["enum"] if word is not None]
        else:
            kind = kinds[of["type"] if isinstance(of, dict) else of]
            assert said["type"] == ([kind, "null"] if is_optional else kind)


_NUMBERS = st.sampled_from(
    [
        *(-(2**63) - 1, -(2**63), -1, 0, 1, 604_800_000, 604_800_001, 253_402_300_799_999, 253_402_300_800_000),
        *(2**63 - 1, 2**63, 0.5, 1e300),
    ]
)
_TEXTS = ["", "x", "x" * 64, "x" * 65, "x" * 256, "x" * 257, "start", "kids", "main"]
_OTHERS = st.sampled_from([*_TEXTS, True, False, None, [], {}, [1], {"a": 1}])
_VALUES = _NUMBERS | _OTHERS


@given(st.data())
def test_what_the_schema_says_of_an_event_the_decoder_says_too(data: st.DataObject) -> None:
    value = EVENT["examples"][1] | data.draw(st.dictionaries(st.sampled_from(Event.__struct_fields__), _VALUES))
    left_out = data.draw(st.sets(st.sampled_from([*Event.__struct_fields__]), max_size=2))
    value = {name: field for name, field in value.items() if name not in left_out}
    assert EVENTS.is_valid(value) == is_event(value)


@pytest.mark.parametrize("field", Event.__struct_fields__)
@given(value=_VALUES)
def test_field_by_field_schema_and_decoder_agree_on_an_event(field: str, value: Any) -> None:
    event = EVENT["examples"][1] | {field: value}
    assert EVENTS.is_valid(event) == is_event(event)


@pytest.mark.parametrize("field", CatalogRow.__struct_fields__)
@given(value=_VALUES)
@example(value="")
def test_field_by_field_schema_and_decoder_agree_on_a_title(field: str, value: Any) -> None:
    title = TITLE["examples"][1] | {field: value}
    assert TITLES.is_valid(title) == is_title(title)


@given(st.dictionaries(st.text(), _VALUES))
def test_schema_and_decoder_agree_on_objects_of_any_kind(value: Object) -> None:
    assert EVENTS.is_valid(value) == is_event(value)
    assert TITLES.is_valid(value) == is_title(value)


@pytest.mark.parametrize("field", ["position_ms", "event_time_ms", "seq"])
def test_an_integer_written_with_a_fraction_is_refused_by_the_decoder_only(field: str) -> None:
    event = EVENT["examples"][1] | {field: 5.0}
    assert EVENTS.is_valid(event)
    assert not is_event(event)
    assert "5.0 is none" in EVENT["description"]


@pytest.mark.parametrize(
    ("field", "bytes_"),
    [
        *(
            (name, 256)
            for name in ("event_id", "household_id", "title_id", "play_session_id", "profile_id", "device_id")
        ),
        *((name, 64) for name in ("time_zone", "country")),
    ],
)
def test_text_is_as_long_as_its_bytes_which_the_decoder_only_counts(field: str, bytes_: int) -> None:
    def taken(text: str) -> tuple[bool, bool]:
        event = EVENT["examples"][1] | {field: text}
        return EVENTS.is_valid(event), is_event(event)

    assert taken("x" * (bytes_ - 1)) == taken("x" * bytes_) == (True, True)
    assert taken("x" * (bytes_ + 1)) == (False, False)
    assert taken("é" * (bytes_ // 2)) == (True, True)
    assert taken("é" * (bytes_ // 2) + "x") == (True, False)
    assert "in bytes of UTF-8" in EVENT["description"]


@pytest.mark.parametrize(
    "fact", [STARTED, VIEWED, *(Fact(COMPLETED, n) for n in (1, 2, 3)), *(Fact(STREAK, n, "evening") for n in LEVELS)]
)
def test_what_encore_writes_of_a_milestone_is_as_the_schema_says(fact: Fact) -> None:
    event = read_event(b"h-1", json.dumps(EVENT["examples"][0]).encode())
    (told,) = kept_records(FoldChanges([], {}, [], [], [Milestone(fact, event, 7)]), Settings(), 0, "id")
    value = json.loads(told.value or b"")
    MILESTONES.validate(value)
    assert set(value) <= set(MILESTONE["properties"])
    source = resolved(asyncapi(), {"$ref": "#/components/schemas/source"})
    Draft202012Validator(source).validate({name: text.decode() for name, text in told.headers})


GOOD = {found["milestone"] + str(found["ordinal"]): found for found in MILESTONE["examples"]}


@pytest.mark.parametrize(
    "value",
    [
        GOOD["starter1"] | {"ordinal": 2},
        GOOD["starter1"] | {"daypart": "evening"},
        GOOD["viewer1"] | {"rewatch": False},
        {name: field for name, field in GOOD["completion2"].items() if name != "rewatch"},
        GOOD["completion2"] | {"rewatch": False},
        GOOD["completion1"] | {"rewatch": True},
        GOOD["completion1"] | {"ordinal": 0},
        {name: field for name, field in GOOD["streak3"].items() if name != "daypart"},
        GOOD["streak3"] | {"ordinal": 4},
        GOOD["streak3"] | {"rewatch": False},
        GOOD["starter1"] | {"milestone": "repeater"},
        GOOD["starter1"] | {"event_time_ms": "1"},
    ],
)
def test_a_milestone_that_encore_does_not_write_is_refused(value: Object) -> None:
    assert not MILESTONES.is_valid(value)


def references(value: Any) -> Iterator[str]:
    """Every `$ref` in a document."""
    if isinstance(value, dict):
        yield from [value["$ref"]] if "$ref" in value else []
        for part in value.values():
            yield from references(part)
    if isinstance(value, list):
        for part in value:
            yield from references(part)


def resolved(document: Object, value: Object) -> Any:
    """What a `$ref` stands for; other values as they are."""
    if "$ref" not in value:
        return value
    file, _, path = value["$ref"].partition("#")
    found: Any = schema(file.removeprefix("./")) if file else document
    for name in path.strip("/").split("/") if path else ():
        found = found[name]
    return found


def test_every_reference_of_the_asyncapi_document_leads_somewhere() -> None:
    document = asyncapi()
    found = list(references(document))
    files = {*SCHEMAS, "playback-event.avsc"}
    assert {reference for reference in found if reference.startswith("./")} == {f"./{name}" for name in files}
    for reference in found:
        assert resolved(document, {"$ref": reference})


def test_the_asyncapi_document_has_a_channel_for_every_topic_in_and_out_by_its_default_name() -> None:
    settings = Settings()
    channels = {channel["address"]: channel for channel in asyncapi()["channels"].values()}
    public = {topic.name for topic in all_topics(settings)} - {settings.state_topic}
    assert set(channels) == public | {f"{settings.redis_prefix}changes"}
    topics = {channel["bindings"]["kafka"]["topic"] for address, channel in channels.items() if address in public}
    assert topics == public


def test_the_asyncapi_document_says_of_each_channel_once_whether_encore_sends_or_receives() -> None:
    document = asyncapi()
    assert document["asyncapi"] == "3.0.0"
    actions = {resolved(document, of["channel"])["address"]: of["action"] for of in document["operations"].values()}
    assert len(actions) == len(document["operations"]) == len(document["channels"])
    received = {address for address, action in actions.items() if action == "receive"}
    assert received == {topic.name for topic in [*inputs(Settings()), *controls(Settings())]}
    assert set(actions.values()) == {"send", "receive"}


@pytest.mark.parametrize("kind", ["playbackEvent", "lateEvent"])
def test_an_event_is_told_in_every_format_that_the_source_may_have_by_the_schema_beside(kind: str) -> None:
    document = asyncapi()
    messages = document["components"]["messages"]
    formats = ("json", "avro", "protobuf")
    assert list(document["channels"][f"{kind}s"]["messages"]) == [
        kind if name == "json" else f"{kind}{name.title()}" for name in formats
    ]
    avro, protobuf = (resolved(document, messages[f"{kind}{name.title()}"]["payload"]) for name in formats[1:])
    assert resolved(document, avro["schema"])["name"] == "PlaybackEvent"
    assert protobuf["schema"] == (FOLDER / "playback_event.proto").read_text()
    assert re.findall(r"\w+", RuleSettings.model_fields["source_format"].metadata[0].pattern) == [*formats]
    assert [of["schemaFormat"].partition(";")[0] for of in (avro, protobuf)] == [
        "application/vnd.apache.avro+json", "application/vnd.google.protobuf",
    ]  # fmt: skip


def test_every_message_has_a_name_a_payload_and_whole_channels() -> None:
    document = asyncapi()
    said = {name for channel in document["channels"].values() for name in channel["messages"]}
    assert said == set(document["components"]["messages"])
    for name, message in document["components"]["messages"].items():
        assert message["name"] == name
        Draft202012Validator.check_schema(resolved(document, message["payload"]))


@pytest.mark.parametrize("part", ["messages", "schemas"])
def test_the_examples_in_the_asyncapi_document_hold(part: str) -> None:
    document = asyncapi()
    found = [
        resolved(document, of["payload"]) if part == "messages" else of for of in document["components"][part].values()
    ]
    examples = [(of, value) for of in found for value in of.get("examples", ())]
    assert examples
    for of, value in examples:
        Draft202012Validator(of).validate(value)
