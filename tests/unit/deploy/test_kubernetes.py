"""The manifests: valid by Kubernetes' schemas, restricted, and of one mind with the worker and with each other."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from streams.collect import server
from streams.config.settings import Settings
from streams.observability.monitoring import Monitoring
from streams.worker import group_process

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "deploy/kubernetes"
DOCKERFILE = (ROOT / "deploy/Dockerfile").read_text()
DEPLOYING = (ROOT / "docs/deploying.md").read_text()
SETTINGS = dict(re.findall(r"^(\w+)=(.*)$", (FOLDER / "base/settings.env").read_text(), re.MULTILINE))
VERSIONS = ["1.29", kubernetes_validate.latest_version().rpartition(".")[0]]

Object = dict[str, Any]

MANIFESTS: list[tuple[Path, Object]] = [
    (path, manifest)
    for path in sorted(FOLDER.rglob("*.yaml"))
    if path.name != "kustomization.yaml"
    for manifest in yaml.safe_load_all(path.read_text())
]
OF_OPERATORS = {"PodMonitor", "ScaledObject", "ServiceMonitor"}
"""They come with KEDA and the Prometheus Operator, and their schemas too."""
STANDARD = [manifest for _, manifest in MANIFESTS if manifest["kind"] not in OF_OPERATORS]


COLLECT = FOLDER / "collect"


def the(kind: str, name: str = "", of_collect: bool = False) -> Object:
    """An object of the worker's, or of the collector's."""
    found = [each for path, each in MANIFESTS if each["kind"] == kind and (path.parent == COLLECT) == of_collect]
    (one,) = [each for each in found if name in ("", each["metadata"]["name"])]
    return one


WORKERS = the("StatefulSet")["spec"]
POD = WORKERS["template"]["spec"]
LABELS = WORKERS["template"]["metadata"]["labels"]
(CONTAINER,) = POD["containers"]
ARCHIVER = the("Deployment")["spec"]["template"]
PROBES = [CONTAINER[f"{probe}Probe"] for probe in ("startup", "readiness", "liveness")]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("manifest", STANDARD, ids=lambda each: f"{each['kind']} {each['metadata']['name']}")
def test_every_manifest_is_valid_by_its_schema(manifest: Object, version: str) -> None:
    assert kubernetes_validate.validate(manifest, version, strict=True) == version


def test_a_misspelt_field_would_be_found() -> None:
    wrong = the("PodDisruptionBudget") | {"spec": {"maxUnavailible": 1}}
    with pytest.raises(kubernetes_validate.ValidationError, match="maxUnavailible"):
        kubernetes_validate.validate(wrong, VERSIONS[0], strict=True)


@pytest.mark.parametrize("kustomization", sorted(FOLDER.rglob("kustomization.yaml")), ids=lambda path: path.parent.name)
def test_a_kustomization_names_every_file_beside_it(kustomization: Path) -> None:
    beside = {path.name for path in kustomization.parent.iterdir()} - {kustomization.name}
    read = yaml.safe_load(kustomization.read_text())
    generated = {env for each in read.get("configMapGenerator", []) for env in each["envs"]}
    assert {*read["resources"], *generated} == beside


# -- the worker ---------------------------------------------------------------------------------------------------


def test_it_is_as_restricted_as_it_can_be() -> None:
    assert POD["securityContext"] == {
        "runAsNonRoot": True, "runAsUser": 10001, "runAsGroup": 10001, "seccompProfile": {"type": "RuntimeDefault"},
    }  # fmt: skip
    assert CONTAINER["securityContext"] == {
        "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
    }  # fmt: skip
    assert "USER 10001:10001" in DOCKERFILE
    assert not (
        POD["automountServiceAccountToken"] or the("ServiceAccount", "encore-worker")["automountServiceAccountToken"]
    )
    assert the("Namespace")["metadata"]["labels"] == {"pod-security.kubernetes.io/enforce": "restricted"}


def test_its_name_survives_a_restart() -> None:
    name = {"name": "ENCORE_GROUP_INSTANCE_ID", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}
    assert CONTAINER["env"] == [name]
    assert CONTAINER["args"] == ["worker"]


def test_it_has_the_time_to_start_and_to_end_that_it_takes() -> None:
    start, *_ = PROBES
    assert start["periodSeconds"] * start["failureThreshold"] > Settings().startup_timeout_s * 2
    assert POD["terminationGracePeriodSeconds"] > group_process._END_S


@pytest.fixture(scope="module")
def served() -> Iterator[int]:
    """The port of a worker's monitoring."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monitoring = Monitoring(Settings(metrics_port=port))
    monitoring.open()
    yield port
    monitoring.close()


@pytest.mark.parametrize("path", [probe["httpGet"]["path"] for probe in PROBES] + ["/metrics"])
def test_a_worker_answers_what_is_asked(served: int, path: str) -> None:
    connection = HTTPConnection("127.0.0.1", served, timeout=10)
    connection.request("GET", path)
    assert connection.getresponse().status in (200, 503)
    connection.close()


def test_whoever_asks_asks_the_port_that_the_image_tells_metrics_on() -> None:
    assert CONTAINER["ports"] == [{"name": "metrics", "containerPort": 9464}]
    assert "ENCORE_METRICS_PORT=9464" in DOCKERFILE
    assert "ENCORE_METRICS_PORT" not in SETTINGS
    assert the("Service")["spec"]["ports"] == [{"name": "metrics", "port": 9464, "targetPort": "metrics"}]
    assert {probe["httpGet"]["port"] for probe in PROBES} == {"metrics"}
    (asked,) = the("ServiceMonitor")["spec"]["endpoints"]
    assert (asked["port"], asked["path"]) == ("metrics", "/metrics")


# -- the collector ------------------------------------------------------------------------------------------------

COLLECTORS = the("Deployment", of_collect=True)["spec"]
DOOR = COLLECTORS["template"]["spec"]
(DOOR_CONTAINER,) = DOOR["containers"]


def test_the_collector_is_as_restricted_as_the_worker() -> None:
    assert DOOR["securityContext"] == POD["securityContext"] | {"fsGroup": 10001}
    assert DOOR_CONTAINER["securityContext"] == CONTAINER["securityContext"]
    account = the("ServiceAccount", of_collect=True)
    assert not (DOOR["automountServiceAccountToken"] or account["automountServiceAccountToken"])
    assert DOOR["serviceAccountName"] == account["metadata"]["name"]


def test_the_collectors_settings_are_settings_and_its_file_is_the_one_that_is_mounted() -> None:
    given = {each["name"].removeprefix("ENCORE_").lower(): each["value"] for each in DOOR_CONTAINER["env"]}
    settings = Settings(**given)
    (mounted,) = DOOR_CONTAINER["volumeMounts"]
    assert settings.collect_sources == f"{mounted['mountPath']}/sources.toml"
    assert DOOR_CONTAINER["args"] == ["collect"]
    ports = {each["name"]: each["containerPort"] for each in DOOR_CONTAINER["ports"]}
    assert ports == {"http": settings.collect_port, "metrics": 9464}


def test_the_collector_has_the_time_to_answer_what_it_has_accepted() -> None:
    waits_s = int(Settings().collect_timeout_s) + server.END_S
    *_, before = DOOR_CONTAINER["lifecycle"]["preStop"]["exec"]["command"]
    assert DOOR["terminationGracePeriodSeconds"] > waits_s + int(re.findall(r"sleep\((\d+)\)", before)[0])
    start = DOOR_CONTAINER["startupProbe"]
    assert start["periodSeconds"] * start["failureThreshold"] > Settings().startup_timeout_s


def test_all_mean_the_same_collectors() -> None:
    labels = COLLECTORS["template"]["metadata"]["labels"]
    policy = the("NetworkPolicy", of_collect=True)["spec"]
    selectors = [COLLECTORS["selector"], the("PodDisruptionBudget", of_collect=True)["spec"]["selector"]]
    selectors += [policy["podSelector"], *(each["labelSelector"] for each in DOOR["topologySpreadConstraints"])]
    assert [selector["matchLabels"] for selector in selectors] == [labels] * 4
    service = the("Service", of_collect=True)["spec"]
    assert service["selector"] == labels != LABELS
    assert {each["targetPort"] for each in service["ports"]} == {each["name"] for each in DOOR_CONTAINER["ports"]}
    assert {port["port"] for rule in policy["egress"] for port in rule["ports"]} == {53, 9093}


# -- what is around it --------------------------------------------------------------------------------------------


def test_all_mean_the_same_pods() -> None:
    spread = [each["labelSelector"] for each in POD["topologySpreadConstraints"]]
    policy = the("NetworkPolicy", "encore-worker")["spec"]["podSelector"]
    selectors = [WORKERS["selector"], the("PodDisruptionBudget")["spec"]["selector"], policy, *spread]
    assert [selector["matchLabels"] for selector in selectors] == [LABELS] * 5
    assert the("Service")["spec"]["selector"] == LABELS
    assert the("Service")["metadata"]["name"] == WORKERS["serviceName"]


def test_the_network_is_closed_but_for_what_a_worker_needs() -> None:
    assert the("NetworkPolicy", "default-deny")["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    policy = the("NetworkPolicy", "encore-worker")["spec"]
    assert [port["port"] for rule in policy["ingress"] for port in rule["ports"]] == ["metrics"]
    assert {port["port"] for rule in policy["egress"] for port in rule["ports"]} == {53, 9093, 6379}
    assert SETTINGS["ENCORE_KAFKA"].endswith(":9093")


def test_the_archiver_is_as_restricted_as_a_worker_and_open_to_kafka_and_an_object_store() -> None:
    (container,) = ARCHIVER["spec"]["containers"]
    for name in ("securityContext", "automountServiceAccountToken", "enableServiceLinks"):
        assert ARCHIVER["spec"][name] == POD[name]
    assert (container["args"], container["securityContext"]) == (["archive"], CONTAINER["securityContext"])
    assert container["livenessProbe"]["httpGet"] == {"path": "/livez", "port": "metrics"}
    assert container["ports"] == CONTAINER["ports"]
    settings, secrets = container["envFrom"]
    assert settings == CONTAINER["envFrom"][0] != secrets != CONTAINER["envFrom"][1]
    policy = the("NetworkPolicy", "encore-archive")["spec"]
    assert {port["port"] for rule in policy["egress"] for port in rule["ports"]} == {53, 9093, 443}
    labels = ARCHIVER["metadata"]["labels"]
    selectors = [the("Deployment")["spec"]["selector"], policy["podSelector"], the("PodMonitor")["spec"]["selector"]]
    assert [selector["matchLabels"] for selector in selectors] == [labels] * 3
    assert labels != LABELS
    assert ARCHIVER["spec"]["serviceAccountName"] == the("ServiceAccount", "encore-archive")["metadata"]["name"]


def test_prometheus_takes_the_job_by_the_name_that_the_alerts_take() -> None:
    monitor = the("ServiceMonitor")
    assert monitor["apiVersion"] == "monitoring.coreos.com/v1"
    assert monitor["spec"]["selector"]["matchLabels"] == the("Service")["metadata"]["labels"]
    job = the("Service")["metadata"]["labels"][monitor["spec"]["jobLabel"]]
    assert set(re.findall(r'job="(\w+)"', (ROOT / "deploy/prometheus/alerts.yml").read_text())) == {job}


def test_workers_are_scaled_by_the_lag_of_their_group_up_to_the_partitions() -> None:
    scaled = the("ScaledObject")
    assert scaled["apiVersion"] == "keda.sh/v1alpha1"
    target = {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": the("StatefulSet")["metadata"]["name"]}
    assert scaled["spec"]["scaleTargetRef"] == target
    assert scaled["spec"]["minReplicaCount"] < scaled["spec"]["maxReplicaCount"]
    assert scaled["spec"]["maxReplicaCount"] == int(SETTINGS["ENCORE_TOPIC_PARTITIONS"]) >= WORKERS["replicas"]
    (trigger,) = scaled["spec"]["triggers"]
    assert trigger["type"] == "kafka"
    assert trigger["metadata"] == {
        "bootstrapServers": SETTINGS["ENCORE_KAFKA"], "consumerGroup": Settings().app_id,
        "topic": Settings().source_topic, "lagThreshold": "500000", "offsetResetPolicy": "earliest",
    }  # fmt: skip


def test_the_images_version_is_the_projects() -> None:
    (image,) = yaml.safe_load((FOLDER / "base/kustomization.yaml").read_text())["images"]
    assert image["name"] == CONTAINER["image"]
    assert f"ARG VERSION={image['newTag']}\n" in DOCKERFILE
    (of_archive,) = yaml.safe_load((FOLDER / "archive/kustomization.yaml").read_text())["images"]
    assert of_archive == {"name": ARCHIVER["spec"]["containers"][0]["image"], "newTag": image["newTag"]}
    assert f"--tag {of_archive['name']}" in DOCKERFILE


# -- what docs/deploying.md says ----------------------------------------------------------------------------------


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", DEPLOYING, re.DOTALL)


def test_the_alert_rules_become_a_prometheus_rule_by_the_command_that_is_documented() -> None:
    (command,) = [block.partition(" | kubectl")[0] for block in blocks("sh") if "PrometheusRule" in block]
    done = subprocess.run(["sh", "-c", command], cwd=ROOT, capture_output=True, text=True, check=True)
    rule = yaml.safe_load(done.stdout)
    assert (rule["apiVersion"], rule["kind"]) == ("monitoring.coreos.com/v1", "PrometheusRule")
    assert rule["spec"] == yaml.safe_load((ROOT / "deploy/prometheus/alerts.yml").read_text())


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed here")
def test_the_overlay_that_is_documented_makes_all_that_there_is(tmp_path: Path) -> None:
    shutil.copytree(FOLDER, tmp_path / "kubernetes")
    overlay = tmp_path / "kubernetes/production"
    overlay.mkdir()
    (written,) = blocks("yaml")
    both = written.replace("[../monitoring]", "[../monitoring, ../autoscaling, ../archive, ../collect]")
    assert both != written
    (overlay / "kustomization.yaml").write_text(both)
    command = ["kubectl", "kustomize", str(overlay)]
    made = list(yaml.safe_load_all(subprocess.run(command, capture_output=True, text=True, check=True).stdout))

    assert sorted(each["kind"] for each in made) == sorted([*(each["kind"] for _, each in MANIFESTS), "ConfigMap"])
    kept = {each["kind"]: each for each in made if each["metadata"]["name"] != "encore-collect"}
    assert kept["ConfigMap"]["data"] == SETTINGS | {"ENCORE_KAFKA": "kafka.example:9093"}
    pod = kept["StatefulSet"]["spec"]["template"]["spec"]
    assert pod["containers"][0]["image"] == "images.example/encore-viewing:0.1.0"
    assert pod["containers"][0]["envFrom"][0]["configMapRef"]["name"] == kept["ConfigMap"]["metadata"]["name"]
    assert "replicas" not in kept["StatefulSet"]["spec"]
