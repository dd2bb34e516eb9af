"""What the doctor says of Kafka's guards for transactions, of events in a wrong partition, and of what is installed."""

from __future__ import annotations

from typing import Any

import pytest

from models import FORM
from streams.config.zones import zones_version
from streams.kafka.admin import _level
from streams.kafka.topics import GROWN, REMEDY, KafkaFailed
from streams.operations.doctor import installation, misrouted, remedy_in, transactions
from streams.operations.findings import ODD, OK, WRONG, Finding

VERIFICATION = "transaction.partition.verification.enable"


class View:
    def __init__(self, options: dict[str, str], version: int | None, problem: str = "") -> None:
        self._options, self._version, self._problem = options, version, problem

    def broker_options(self) -> dict[str, str]:
        if self._problem:
            raise KafkaFailed(self._problem)
        return self._options

    def feature(self, name: str) -> int | None:
        assert name == "transaction.version"
        return self._version


@pytest.mark.parametrize(
    ("verifies", "version", "level", "found"),
    [
        (
            "true",
            2,
            OK,
            f"transaction.version 2, {VERIFICATION}=true; after a slow commit a worker goes on with a new producer",
        ),
        (
            "true",
            0,
            OK,
            f"transaction.version 0, {VERIFICATION}=true; after a slow commit a worker goes on with a new producer",
        ),
        ("false", 2, ODD, f"transaction.version 2, {VERIFICATION}=false"),
        ("false", None, ODD, f"transaction.version unknown, {VERIFICATION}=false"),
    ],
)
def test_the_brokers_check_of_transactions_and_their_version_are_said(
    verifies: str, version: int | None, level: str, found: str
) -> None:
    finding: Any = transactions(View({VERIFICATION: verifies}, version))  # type: ignore[arg-type]
    assert (finding.level, finding.found, bool(finding.advice)) == (level, found, level == ODD)


def test_who_may_not_ask_is_told_whom_to_ask() -> None:
    finding = transactions(View({}, None, "not authorized"))  # type: ignore[arg-type]
    assert (finding.level, finding.found) == (ODD, "cannot be asked: not authorized")


@pytest.mark.parametrize(
    ("features", "level"), [({}, None), ({"f": {"supported": (0, 2)}}, None), ({"f": {"finalized": (1, 2)}}, 2)]
)
def test_a_features_level_is_the_one_that_is_finalized(features: dict[str, Any], level: int | None) -> None:
    assert _level(features, "f") == level


def test_the_zone_data_and_the_form_of_the_rules_are_said() -> None:
    assert list(installation()) == [Finding(OK, "time zones", f"tzdata {zones_version()}"), Finding(OK, "rules", FORM)]


@pytest.mark.parametrize("remedy", [REMEDY, GROWN])
def test_the_advice_for_a_refused_state_is_the_remedy_that_the_refusal_names(remedy: str) -> None:
    assert remedy_in(f"playback-events/0: the state does not fit: {remedy}; 3 more partitions likewise") == remedy


@pytest.mark.parametrize(("events", "level"), [(0, OK), (1, WRONG), (2_000, WRONG)])
def test_a_single_event_in_a_wrong_partition_is_wrong(events: int, level: str) -> None:
    finding = misrouted(events)
    assert (finding.level, f"{events:,} event" in finding.found) == (level, bool(events))
    assert ("`encore repartition`" in finding.advice) == bool(events)
