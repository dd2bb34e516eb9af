"""The users and rights under `deploy/` are those that the code needs, by the names that it has."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from deployed import DEPLOY, Rule, rules

from streams.config.bridges import bridge_settings
from streams.config.settings import ENV_PREFIX, Settings
from streams.kafka.topics import all_topics, bridge_outputs, controls, inputs, outputs, replays
from streams.publishing.scripts import COMMANDS

USERS = {line.split()[1]: line.split()[2:] for line in (DEPLOY / "redis" / "users.acl").read_text().splitlines()}
READING = (Path(__file__).parents[3] / "docs" / "reading.md").read_text()
PREFIX = Settings().redis_prefix
ACLS = (DEPLOY / "kafka" / "acls.sh").read_text()


def commands(user: str) -> set[str]:
    return {word.removeprefix("+") for word in USERS[user] if word.startswith("+")}


def test_a_worker_may_send_the_commands_that_it_sends_and_no_others() -> None:
    assert commands("worker") == {command.lower() for command in COMMANDS}


def test_a_reader_may_do_what_the_guide_says_and_subscribe() -> None:
    (line,) = re.findall(r"^ACL SETUSER reader (.*)$", READING, re.MULTILINE)
    of_guide = {word.removeprefix("+") for word in line.split() if word.startswith("+")}
    assert commands("reader") == of_guide | {"subscribe", "unsubscribe", "ping"}


@pytest.mark.parametrize("user", ["worker", "reader", "auditor", "notifier"])
def test_a_user_has_a_placeholder_for_a_password_and_keys_under_the_prefix_alone(user: str) -> None:
    words = USERS[user]
    assert words[:4] == ["on", f">{user.upper()}_PASSWORD", "resetkeys", "resetchannels"]
    assert [word for word in words if word[0] in "~&%"] in ([f"~{PREFIX}*"], [f"~{PREFIX}*", f"&{PREFIX}changes"])
    assert [word for word in words if word.startswith("-")] == ["-@all"]


def test_nobody_gets_in_without_a_name() -> None:
    assert set(USERS) == {"default", "worker", "reader", "auditor", "notifier"}
    assert USERS["default"] == ["off", "resetpass", "resetkeys", "resetchannels", "-@all"]


# -- Kafka --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> list[Rule]:
    return rules(tmp_path_factory.mktemp("rights"))


def of(given: list[Rule], principal: str, resource: str) -> dict[str, set[str]]:
    """The operations that a principal may do, by the resource's name."""
    found: dict[str, set[str]] = {}
    for rule in given:
        if rule["allow-principal"] == [f"User:{principal}"]:
            for name in rule.get(resource, ()):
                found.setdefault(name, set()).update(rule["operation"])
    return found


def test_a_worker_may_read_what_comes_in_and_write_what_goes_out(given: list[Rule]) -> None:
    settings = Settings()
    expected = {topic.name: {"Read"} for topic in (*inputs(settings), *controls(settings))} | {
        topic.name: {"Write"} for topic in outputs(settings)
    }
    expected[settings.state_topic] = {"Read", "Write"}
    assert of(given, "worker", "topic") == expected
    assert of(given, "worker", "transactional-id") == {f"{settings.app_id}-": {"Write"}}


def test_an_auditor_sees_every_topic_and_writes_to_none(given: list[Rule]) -> None:
    topics = {topic.name for topic in all_topics(Settings())}
    assert of(given, "auditor", "topic") == {topic: {"Read", "DescribeConfigs"} for topic in topics}
    assert [rule["operation"] for rule in given if "cluster" in rule] == [["DescribeConfigs"]]


def test_producer_and_consumer_have_their_topics_alone(given: list[Rule]) -> None:
    assert of(given, "producer", "topic") == {topic.name: {"Write"} for topic in inputs(Settings())}
    assert of(given, "milestones", "topic") == {Settings().milestones_topic: {"Read"}}


def test_a_collector_writes_the_source_alone(given: list[Rule]) -> None:
    assert of(given, "collector", "topic") == {Settings().source_topic: {"Write"}}


def test_an_archiver_reads_the_source_alone_in_a_group_of_its_own(given: list[Rule]) -> None:
    assert of(given, "archiver", "topic") == {Settings().source_topic: {"Read"}}
    assert of(given, "archiver", "group") == {f"{Settings().app_id}-archive": {"Read"}}


def test_a_bridge_reads_foreign_topics_and_writes_events_and_what_is_its_own(tmp_path: Path) -> None:
    settings, given = Settings(), rules(tmp_path, BRIDGE_TOPICS="plays users")
    own = bridge_settings(settings, "plex_webhook", "plays")
    assert of(given, "bridge", "topic") == {
        "plays": {"Read"},
        "users": {"Read"},
        settings.source_topic: {"Write"},
        f"{settings.app_id}-bridge-": {"Read", "Write"},
    }
    assert of(given, "bridge", "transactional-id") == {f"{settings.app_id}-bridge-": {"Write"}}
    assert all(topic.name.startswith(f"{settings.app_id}-bridge-") for topic in bridge_outputs(own))
    assert own.app_id.startswith(f"{settings.app_id}-bridge-"), "its group, and the prefix of its transactional ids"


def test_who_sends_dead_letters_again_reads_them_and_writes_where_they_came_from(tmp_path: Path) -> None:
    settings, remembers = Settings(), replays(Settings()).name
    expected = {
        settings.dead_letters_topic: {"Read"},
        settings.source_topic: {"Write"},
        remembers: {"Create", "Read", "Write"},
    }
    assert of(rules(tmp_path), "replayer", "topic") == expected
    with_a_bridge = expected | {"plays": {"Write"}, f"{settings.app_id}-bridge-": {"Read"}}
    assert of(rules(tmp_path, BRIDGE_TOPICS="plays"), "replayer", "topic") == with_a_bridge


def test_what_scales_workers_sees_how_far_they_are_and_no_record(given: list[Rule]) -> None:
    assert of(given, "autoscaler", "topic") == {Settings().source_topic: {"Describe"}}
    assert of(given, "autoscaler", "group") == {Settings().app_id: {"Describe"}}


def test_who_has_households_forgotten_sees_no_event_and_no_milestone(given: list[Rule]) -> None:
    settings = Settings()
    assert of(given, "eraser", "topic") == {
        settings.erasures_topic: {"Write"},
        settings.source_topic: {"Describe"},
        settings.state_topic: {"Read"},
    }


def test_an_administrator_logs_in_at_a_broker_to_give_each_of_them(given: list[Rule]) -> None:
    for rule in given:
        assert (rule["bootstrap-server"], rule["command-config"]) == (["b:1"], ["admin.properties"])


def test_other_names_are_those_of_the_settings(tmp_path: Path) -> None:
    named = set(re.findall(rf"{ENV_PREFIX}([A-Z_]+):-", ACLS))
    assert {name.lower() for name in named} <= Settings.model_fields.keys()
    renamed = {name: f"own-{name.lower().replace('_', '-')}" for name in named}
    given = rules(tmp_path, **{f"{ENV_PREFIX}{name}": value for name, value in renamed.items()})
    topics = set(of(given, "worker", "topic"))
    assert topics == {value for name, value in renamed.items() if name != "APP_ID"} | {"own-app-id-state"}
