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

import click
import kubernetes_validate
import pytest
import yaml

from streams.cli import main
from streams.collect import server
from streams.config.settings import Settings
from streams.observability.monitoring import Monitoring
from streams.worker import group_process

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "deploy/kubernetes"
DOCKERFILE = (ROOT / "deploy/Dockerfile").read_text()
DEPLOYING = (ROOT / "docs/deploying.md").read_text()
SETTINGS = dict(re.findall(r"^(\w+)=(.*)$", (FOLDER / "base/settings.env").read_text(), re.MULTILINE))
COMPONENT = "app.kubernetes.io/component"
VERSIONS = ["1.29", kubernetes_validate.latest_version().rpartition(".")[0]]

Object = dict[str, Any]

MANIFESTS: list[tuple[Path, Object]] = [
    (path, manifest)
    for path in sorted(FOLDER.glob("*/*.yaml"))
    if path.name != "kustomization.yaml"
    for manifest in yaml.safe_load_all(path.read_text())
]
OF_OPERATORS = {"PodMonitor", "ScaledObject", "ServiceMonitor", "TriggerAuthentication"}
"""They come with KEDA and the Prometheus Operator, and their schemas too."""
STANDARD = [manifest for _, manifest in MANIFESTS if manifest["kind"] not in OF_OPERATORS]


def the(kind: str, of: str = "base", name: str = "") -> Object:
    """An object of one part, by its folder; of several of a kind, that of a name."""
    found = [each for path, each in MANIFESTS if each["kind"] == kind and path.parent.name == of]
    (one,) = [each for each in found if name in ("", each["metadata"]["name"])]
    return one


def pod_of(workload: Object) -> Object:
    """Metadata and spec of the pods that it makes."""
    spec = workload["spec"]
    return spec["jobTemplate"]["spec"]["template"] if workload["kind"] == "CronJob" else spec["template"]


PODS = {
    path.parent.name: pod_of(manifest)
    for path, manifest in MANIFESTS
    if manifest["kind"] in ("CronJob", "Deployment", "Job", "StatefulSet")
}
"""By the folder of their part."""

WORKERS = the("StatefulSet")["spec"]
POD = PODS["base"]["spec"]
LABELS = PODS["base"]["metadata"]["labels"]
(CONTAINER,) = POD["containers"]
PROBES = [CONTAINER[f"{probe}Probe"] for probe in ("startup", "readiness", "liveness")]
TALKS_TO = {
    "base": {9093, 6379}, "archive": {9093, 443}, "bridge": {9093}, "collect": {9093}, "dashboard": {6379},
    "notify": {6379, 443}, "topics": {9093}, "verify": {9093, 6379, 443},
}  # fmt: skip
"""Kafka, Redis, and what is reached by HTTPS; DNS besides."""


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


# -- every part ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pod", PODS.values(), ids=list(PODS))
def test_pods_are_as_restricted_as_they_can_be(pod: Object) -> None:
    assert pod["spec"]["securityContext"] == {
        "runAsNonRoot": True, "runAsUser": 10001, "runAsGroup": 10001, "fsGroup": 10001,
        "seccompProfile": {"type": "RuntimeDefault"},
    }  # fmt: skip
    (container,) = pod["spec"]["containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
    }  # fmt: skip
    assert (pod["spec"]["automountServiceAccountToken"], pod["spec"]["enableServiceLinks"]) == (False, False)
    assert container["resources"]["limits"].keys() == {"memory"}


def test_the_image_and_the_namespace_ask_for_that() -> None:
    assert "USER 10001:10001" in DOCKERFILE
    accounts = [each for _, each in MANIFESTS if each["kind"] == "ServiceAccount"]
    assert [each["automountServiceAccountToken"] for each in accounts] == [False] * len(accounts)
    namespace = yaml.safe_load((FOLDER / "base/namespace.yaml").read_text())
    assert namespace["metadata"]["labels"] == {"pod-security.kubernetes.io/enforce": "restricted"}


@pytest.mark.parametrize("part", PODS)
def test_a_pod_runs_a_command_with_an_account_settings_and_a_secret_of_its_own(part: str) -> None:
    (container,) = PODS[part]["spec"]["containers"]
    name = container["args"][0]
    assert isinstance(main.get_command(click.Context(main), name), click.Command)
    assert part in (name, "base")
    given = {each["name"].removeprefix("ENCORE_").lower(): each.get("value", "x") for each in container.get("env", [])}
    assert given.keys() <= Settings.model_fields.keys()
    settings, secrets = container["envFrom"]
    assert settings == {"configMapRef": {"name": "encore-settings"}}
    others = [each["spec"]["containers"][0]["envFrom"][1] for each in PODS.values()]
    assert others.count(secrets) == 1
    if account := PODS[part]["spec"].get("serviceAccountName"):
        assert account == the("ServiceAccount", part)["metadata"]["name"]


@pytest.mark.parametrize("part", PODS)
def test_its_network_is_closed_but_for_what_it_needs(part: str) -> None:
    labels, policy = (
        PODS[part]["metadata"]["labels"],
        the("NetworkPolicy", part, f"encore-{PODS[part]['metadata']['labels'][COMPONENT]}")["spec"],
    )
    assert policy["podSelector"]["matchLabels"].items() <= labels.items()
    assert {port["port"] for rule in policy["egress"] for port in rule["ports"]} == {53} | TALKS_TO[part]
    asked = {port["port"] for rule in policy.get("ingress", []) for port in rule["ports"]}
    (container,) = PODS[part]["spec"]["containers"]
    assert asked == {port["name"] for port in container.get("ports", [])}
    assert policy["policyTypes"] == ["Ingress", "Egress"]


def test_the_rest_of_the_namespace_talks_to_nothing() -> None:
    deny = the("NetworkPolicy", name="default-deny")["spec"]
    assert deny == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    assert SETTINGS["ENCORE_KAFKA"].endswith(":9093")


@pytest.mark.parametrize("part", PODS)
def test_all_objects_of_a_part_mean_the_same_pods(part: str) -> None:
    labels = PODS[part]["metadata"]["labels"]
    of_part = [each for path, each in MANIFESTS if path.parent.name == part]
    selectors = [each["spec"]["selector"] for each in of_part if "selector" in each.get("spec", {})]
    selectors += [each["labelSelector"] for each in PODS[part]["spec"].get("topologySpreadConstraints", [])]
    for selector in (each.get("matchLabels", each) for each in selectors):
        assert selector.items() <= labels.items()
    assert sum(labels.items() <= pod["metadata"]["labels"].items() for pod in PODS.values()) == 1


def test_no_selector_means_pods_of_another_part() -> None:
    names = [pod["metadata"]["labels"][COMPONENT] for pod in PODS.values()]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("part", PODS)
def test_probes_ask_ports_and_paths_that_there_are(part: str) -> None:
    (container,) = PODS[part]["spec"]["containers"]
    ports = {port["name"] for port in container.get("ports", [])}
    probes = [container[name]["httpGet"] for name in container if name.endswith("Probe")]
    assert {probe["port"] for probe in probes} <= ports
    assert {probe["path"] for probe in probes} <= {"/livez", "/readyz", "/startupz"}
    assert bool(probes) is (part not in ("topics", "verify"))


def test_prometheus_asks_every_part_that_has_metrics() -> None:
    monitors = [each for _, each in MANIFESTS if each["kind"] in ("PodMonitor", "ServiceMonitor")]
    asked = {each["spec"]["selector"]["matchLabels"][COMPONENT] for each in monitors}
    have = {
        pod["metadata"]["labels"][COMPONENT]
        for pod in PODS.values()
        if "metrics" in {port["name"] for port in pod["spec"]["containers"][0].get("ports", [])}
    }
    assert asked == have == {"worker", "archive", "bridge", "collect", "dashboard", "notify"}


# -- the worker ---------------------------------------------------------------------------------------------------


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
    (asked,) = the("ServiceMonitor", "monitoring")["spec"]["endpoints"]
    assert (asked["port"], asked["path"]) == ("metrics", "/metrics")


# -- the collector ------------------------------------------------------------------------------------------------

DOOR = PODS["collect"]["spec"]
(DOOR_CONTAINER,) = DOOR["containers"]


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


def test_the_collectors_service_sends_to_the_port_of_requests() -> None:
    (port,) = the("Service", "collect")["spec"]["ports"]
    assert port == {"name": "http", "port": 80, "targetPort": "http"}


# -- what is around it --------------------------------------------------------------------------------------------


def test_prometheus_takes_the_job_by_the_name_that_the_alerts_take() -> None:
    monitor = the("ServiceMonitor", "monitoring")
    assert monitor["apiVersion"] == "monitoring.coreos.com/v1"
    assert monitor["spec"]["selector"]["matchLabels"] == the("Service")["metadata"]["labels"]
    job = the("Service")["metadata"]["labels"][monitor["spec"]["jobLabel"]]
    assert set(re.findall(r'job="(\w+)"', (ROOT / "deploy/prometheus/alerts.yml").read_text())) == {job}


def test_workers_are_scaled_by_the_lag_of_their_group_up_to_the_partitions() -> None:
    scaled = the("ScaledObject", "autoscaling")
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
        "tls": "enable", "sasl": "scram_sha512",
    }  # fmt: skip
    authentication = the("TriggerAuthentication", "autoscaling")
    assert trigger["authenticationRef"]["name"] == authentication["metadata"]["name"]
    assert {each["parameter"]: each["key"] for each in authentication["spec"]["secretTargetRef"]} == {
        "username": "ENCORE_KAFKA_USER", "password": "ENCORE_KAFKA_PASSWORD",
    }  # fmt: skip


@pytest.mark.parametrize("part", PODS)
def test_an_image_is_made_by_the_dockerfile_and_of_the_projects_version(part: str) -> None:
    name, _, tag = PODS[part]["spec"]["containers"][0]["image"].partition(":")
    assert f"ARG VERSION={tag}\n" in DOCKERFILE
    assert re.search(rf"--tag {name}\s", DOCKERFILE)
    assert name == {"archive": "encore-viewing-archive", "verify": "encore-viewing-verify"}.get(part, "encore-viewing")


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
    (written,) = [block for block in blocks("yaml") if "components:" in block]
    parts = sorted(path.name for path in FOLDER.iterdir() if path.is_dir() and path.name != "base")
    both = written.replace("[../monitoring]", str([f"../{part}" for part in parts]))
    assert both != written
    (overlay / "kustomization.yaml").write_text(both)
    command = ["kubectl", "kustomize", str(overlay)]
    made = list(yaml.safe_load_all(subprocess.run(command, capture_output=True, text=True, check=True).stdout))

    assert sorted(each["kind"] for each in made) == sorted([*(each["kind"] for _, each in MANIFESTS), "ConfigMap"])
    assert {each["metadata"]["namespace"] for each in made if each["kind"] != "Namespace"} == {"encore"}
    kept = {each["kind"]: each for each in made if each["metadata"]["name"].startswith(("encore-worker", "encore-set"))}
    assert kept["ConfigMap"]["data"] == SETTINGS | {"ENCORE_KAFKA": "kafka.example:9093"}
    pod = kept["StatefulSet"]["spec"]["template"]["spec"]
    assert pod["containers"][0]["image"] == "images.example/encore-viewing:0.1.0"
    assert pod["containers"][0]["envFrom"][0]["configMapRef"]["name"] == kept["ConfigMap"]["metadata"]["name"]
    assert "replicas" not in kept["StatefulSet"]["spec"]
