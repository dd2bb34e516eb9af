"""How many brokers a folder has, and what they agree on, before any of them starts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from streams.tools.devstack import ServerFailed
from streams.tools.devstack.cluster import KafkaCluster
from streams.tools.devstack.kafka import Quorum

THREE = Quorum("cluster", (20_001, 20_002, 20_003))
NAMES = ["kafka-1", "kafka-2", "kafka-3"]


def names(cluster: KafkaCluster) -> list[str]:
    return [node.name for node in cluster.nodes]


@pytest.fixture
def folder_of_three(tmp_path: Path) -> Path:
    (tmp_path / "quorum.json").write_text(json.dumps(THREE._asdict()))
    return tmp_path


@pytest.mark.parametrize(("brokers", "expected"), [(0, ["kafka"]), (1, ["kafka"]), (3, NAMES)])
def test_a_fresh_folder_gets_the_brokers_asked_for_else_one(tmp_path: Path, brokers: int, expected: list[str]) -> None:
    assert names(KafkaCluster(tmp_path, brokers=brokers)) == expected
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("brokers", [-1, 2, 4])
def test_other_numbers_of_brokers_are_refused(tmp_path: Path, brokers: int) -> None:
    with pytest.raises(ServerFailed, match=f"1 or 3 brokers here, not {brokers}"):
        KafkaCluster(tmp_path, brokers=brokers)


@pytest.mark.parametrize("brokers", [0, 3])
def test_a_folder_of_three_brokers_has_three_again(folder_of_three: Path, brokers: int) -> None:
    assert names(KafkaCluster(folder_of_three, brokers=brokers)) == NAMES


def test_a_folder_keeps_its_number_of_brokers(folder_of_three: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    with pytest.raises(ServerFailed, match="brokers: 3; use another folder for 1"):
        KafkaCluster(folder_of_three, brokers=1)
    folder_of_one = tmp_path_factory.mktemp("one")
    (folder_of_one / "kafka").mkdir()
    with pytest.raises(ServerFailed, match="brokers: 1; use another folder for 3"):
        KafkaCluster(folder_of_one, brokers=3)


@pytest.mark.parametrize(
    ("nodes", "replication", "in_sync"), [(1, "1", "1"), (2, "1", "1"), (3, "3", "2")], ids=["one", "two", "three"]
)
def test_from_three_nodes_on_one_may_be_away(nodes: int, replication: str, in_sync: str) -> None:
    settings = Quorum("cluster", THREE.ports[:nodes]).settings(node_id=1)

    assert {value for name, value in settings.items() if "replication.factor" in name} == {replication}
    assert {value for name, value in settings.items() if name.endswith(("min.isr", "insync.replicas"))} == {in_sync}


def test_all_nodes_name_the_same_voters() -> None:
    agreed = [THREE.settings(node_id) for node_id in (1, 2, 3)]

    assert [settings.pop("node.id") for settings in agreed] == ["1", "2", "3"]
    assert agreed[0] == agreed[1] == agreed[2]
    assert agreed[0]["controller.quorum.voters"] == "1@127.0.0.1:20001,2@127.0.0.1:20002,3@127.0.0.1:20003"


def test_no_id_of_a_cluster_begins_with_a_dash_which_commands_take_for_an_option() -> None:
    drawn = {Quorum.fresh(0).cluster_id for _ in range(2_000)}

    assert len(drawn) == 2_000
    assert {len(cluster_id) for cluster_id in drawn} == {22}
    assert not [cluster_id for cluster_id in drawn if cluster_id.startswith("-")]
