"""The OpenAPI document, made from the routes, the parameters' types and the answers' types, so that it cannot drift.

`python -m streams.api.openapi > deploy/contracts/openapi.json` writes it down; the server answers it, too.
"""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec

from streams.api.answers import ChangedTitle, Problem
from streams.api.asked import Asked, ChangesAsked, NothingAsked
from streams.api.csv_rows import csv_head
from streams.api.parameters import declared
from streams.api.questions import Library
from streams.api.responses import JSON, PROBLEM_JSON
from streams.api.routes import CHANGES, OPENAPI, PREFIX, QUESTIONS, TITLES_CSV, VERSION, ApiPath
from streams.reader import Title

Object = dict[str, Any]

_REF = "#/components/schemas/{name}"
_TEXT = {"type": "string"}
_ETAG = {"ETag": {"description": "The answer's version, and a digest of it.", "schema": _TEXT, "required": True}}
_STATUSES = {
    "400": ("BadArgument", "A parameter cannot be used; `argument` names it, `accepted` says what can."),
    "401": ("NoKey", "A read key is required, and was not stated."),
    "404": ("NothingThere", "It does not exist: nothing of it was counted."),
    "500": ("Failed", "The counters cannot be read, and will not be until somebody changes something."),
    "503": ("NotNow", "Redis does not answer, or as many clients listen as may: try again."),
}


def document() -> bytes:
    """The document, as JSON."""
    whole = {
        "openapi": "3.1.0",
        "info": {
            "title": "Encore",
            "version": "1",
            "summary": "Live, exact counters of completions and rewatches per household.",
            "description": "What each field counts is in docs/counters.md, and how to use this API in docs/api.md."
            " Counts are integers, `…_s` are seconds with three decimals, rates have six and are null if divided by 0."
            " `as_of_ms` is the stream time (UTC, milliseconds) up to which everything is in an answer, `version` only"
            " grows, and `complete` false means that counters are being rebuilt: the numbers are too small. Within this"
            " version of the API, fields are only added: ignore those that you do not know.",
            "license": {"name": "Apache 2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": PREFIX + VERSION}],
        # Without a file of read keys, none is needed.
        "security": [{}, {"readKey": []}],
        "paths": {**{each.path: {"get": _question(each)} for each in QUESTIONS}, **_others()},
        "components": {
            "schemas": _schemas(),
            "responses": {name: _problem(says) for name, says in _STATUSES.values()},
            "securitySchemes": {"readKey": {"type": "http", "scheme": "bearer", "description": "A read key."}},
        },
    }
    return json.dumps(whole, indent=2, ensure_ascii=False).encode() + b"\n"


def _question(question: ApiPath) -> Object:
    found = {
        "description": "The answer.",
        "headers": _ETAG,
        "content": {JSON: {"schema": {"$ref": _REF.format(name=question.answer.__name__)}}},
    }
    has_none = question.path != "/titles" and question.answer.__name__ not in ("RankedTitles", "RankedFranchises")
    return {
        "operationId": question.name,
        "summary": _summary(getattr(Library, question.name)),
        "parameters": _parameters(question.path, question.asked),
        "responses": {
            "200": found,
            "304": {"description": "The client has it: its `If-None-Match` names the ETag.", "headers": _ETAG},
            **_problems("400", "401", *(["404"] if has_none else []), "500", "503"),
        },
    }


def _others() -> Object:
    names = csv_head(Title).decode().strip()
    csv = _operation("titlesCsv", "All titles, as CSV (RFC 4180).", NothingAsked, TITLES_CSV)
    csv["responses"]["200"] = {
        "description": f"A line for each title: `{names}`. A text that a spreadsheet would take for a formula has an"
        " apostrophe in front.",
        "content": {"text/csv": {"schema": _TEXT}},
    }
    changes = _operation(
        "changes", "The titles that change, as server-sent events, without end.", ChangesAsked, CHANGES
    )
    changes["parameters"].append(
        {
            "name": "Last-Event-ID", "in": "header", "required": False, "schema": _TEXT,
            "description": "The id of the last event that was seen: go on after it.",
        }
    )  # fmt: skip
    changes["responses"]["200"] = {
        "description": "Events `open` (from here on nothing is missed), `change` (its data is a ChangedTitle) and"
        " `missed` (changes may have been lost: read anew what you keep).",
        "content": {"text/event-stream": {"schema": _TEXT}},
    }
    openapi = _operation("openapi", "This document.", NothingAsked, OPENAPI)
    openapi["responses"]["200"] = {"description": "OpenAPI 3.1.", "content": {JSON: {"schema": {"type": "object"}}}}
    return {path: {"get": get} for path, get in ((TITLES_CSV, csv), (CHANGES, changes), (OPENAPI, openapi))}


def _operation(name: str, summary: str, asked: type[Asked], path: str) -> Object:
    responses: Object = {"200": {}, **_problems("400", "401", "500", "503")}
    return {
        "operationId": name,
        "summary": summary,
        "parameters": _parameters(path, asked),
        "responses": responses,
    }


def _parameters(path: str, asked: type[Asked]) -> list[Object]:
    required = msgspec.json.schema_components([asked])[1][asked.__name__].get("required", [])
    found = []
    for name, schema in declared(asked).items():
        schema = dict(schema)
        parameter = {
            "name": name,
            "in": "path" if f"{{{name}}}" in path else "query",
            "required": name in required,
            "description": schema.pop("description"),
        }
        if examples := schema.pop("examples", None):
            parameter["example"] = examples[0]
        if schema.get("default") in ("", []):
            del schema["default"]
        found.append({**parameter, "schema": schema})
    return found


def _schemas() -> Object:
    _, schemas = msgspec.json.schema_components(
        [*(each.answer for each in QUESTIONS), ChangedTitle, Problem], ref_template=_REF
    )
    for name, schema in sorted(schemas.items()):
        if "description" in schema:
            schema["description"] = re.sub("`?None`?", "null", " ".join(schema["description"].split()))
        if name != "Problem":
            _say_that_all_is_there(schema)
    return dict(sorted(schemas.items()))


def _say_that_all_is_there(schema: Object) -> None:
    """An answer has every field; defaults are those of making one."""
    for field in schema["properties"].values():
        field.pop("default", None)
    schema["required"] = list(schema["properties"])


def _problem(says: str) -> Object:
    return {"description": says, "content": {PROBLEM_JSON: {"schema": {"$ref": _REF.format(name="Problem")}}}}


def _problems(*statuses: str) -> Object:
    return {status: {"$ref": f"#/components/responses/{_STATUSES[status][0]}"} for status in statuses}


def _summary(method: object) -> str:
    return (method.__doc__ or "").partition("\n")[0]


if __name__ == "__main__":
    print(document().decode(), end="")
