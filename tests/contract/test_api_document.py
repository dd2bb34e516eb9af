"""What the OpenAPI document says of the API holds: schemathesis asks what it allows, and what it does not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
from api_server import ApiServer
from hypothesis import given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import load_all_checks
from schemathesis.specs.openapi.checks import positive_data_acceptance

CONTRACT = Path(__file__).parents[2] / "deploy" / "contracts" / "openapi.json"
DOCUMENT = schemathesis.openapi.from_dict(json.loads(CONTRACT.read_text()))
OPERATIONS = {found.ok().definition.raw["operationId"]: found.ok() for found in DOCUMENT.get_all_operations()}
WITHOUT_END = "changes"
TOGETHER = {"titles", "hours", "days", "weeks", "board"}
"""Where two parameters must fit together, such as a first day and a last one: no schema can say that."""

KNOWN = {"title_id": "little-dragon", "franchise_id": "dragons"}
EXAMPLES = 8

load_all_checks()


@pytest.mark.parametrize("name", sorted(OPERATIONS.keys() - {WITHOUT_END}))
def test_what_the_document_allows_is_answered_as_it_says_and_all_else_is_refused(api: ApiServer, name: str) -> None:
    operation = OPERATIONS[name]
    has_parameters = bool(operation.definition.raw["parameters"])
    modes = [GenerationMode.POSITIVE, *([GenerationMode.NEGATIVE] if has_parameters else [])]
    session = requests.Session()

    @settings(max_examples=EXAMPLES)
    @given(case=st.one_of(*(operation.as_strategy(mode) for mode in modes)), is_known=st.booleans())
    def asks(case: Any, is_known: bool) -> None:
        if is_known:
            case.path_parameters |= {name: KNOWN[name] for name in case.path_parameters.keys() & KNOWN}
        excluded = [positive_data_acceptance] if name in TOGETHER else []
        case.call_and_validate(base_url=api.url, session=session, excluded_checks=excluded)

    asks()
    session.close()
