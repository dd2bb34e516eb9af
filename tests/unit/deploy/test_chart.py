"""The Helm chart: linted, valid by Kubernetes' schemas with everything on and off, and the source of the manifests."""

from __future__ import annotations

import filecmp
import json
import os
import re
import shutil
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

ROOT = Path(__file__).parents[3]
CHART, MANIFESTS = ROOT / "deploy/helm", ROOT / "deploy/kubernetes"
(VERSION,) = re.findall(r"^HELM_VERSION := (\S+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
HELM = CACHE / f"encore/helm-{VERSION}/helm"
VERSIONS = ["1.29", kubernetes_validate.latest_version().rpartition(".")[0]]
OF_OPERATORS = {"PodMonitor", "ScaledObject", "ServiceMonitor", "TriggerAuthentication"}
EVERYTHING = {
    **yaml.safe_load((MANIFESTS / "values.yaml").read_text()),
    "existingSettings": "",
    "topics": {"enabled": True},
    "ca": {"secret": "encore-ca"},
    "image": {"registry": "images.example/encore", "tag": "1.2.3", "pullSecrets": [{"name": "pull"}]},
    "bridges": [
        {"name": "plex", "format": "plex_webhook", "topic": "plays", "settings": {"ENCORE_BRIDGE_KIDS": "7"}},
        {"name": "segment", "format": "segment_video", "topic": "segment", "replicas": 1},
    ],
    "receivers": [{"name": name, "secret": f"{name}-secrets", "key": f"{name}-key"} for name in ("mail", "push")],
}

Object = dict[str, Any]

pytestmark = pytest.mark.skipif(
    not HELM.exists() and not os.environ.get("CI"), reason="there is no Helm: `make helm` builds it where Go is"
)


def helm(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([HELM, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


def rendered(folder: Path, values: Object, release: str = "encore") -> list[Object]:
    """What the chart makes of these values."""
    (folder / "values.json").write_text(json.dumps(values))
    done = helm("template", release, str(CHART), "--values", str(folder / "values.json"))
    assert done.returncode == 0, done.stderr
    return [each for each in yaml.safe_load_all(done.stdout) if each]


def pods(objects: list[Object]) -> dict[str, Object]:
    """The pods' specs by the names of what makes them."""
    found = {}
    for each in objects:
        spec = each.get("spec", {})
        template = (spec.get("jobTemplate", {}).get("spec") or spec).get("template")
        if template:
            found[each["metadata"]["name"]] = template
    return found


@pytest.mark.parametrize("values", [{}, EVERYTHING], ids=["by itself", "everything"])
def test_the_linter_finds_nothing_and_what_is_made_is_valid(tmp_path: Path, values: Object) -> None:
    objects = rendered(tmp_path, values)
    linted = helm("lint", "--strict", str(CHART), "--values", str(tmp_path / "values.json"))
    assert linted.returncode == 0, linted.stdout
    for made in objects:
        for kubernetes in VERSIONS if made["kind"] not in OF_OPERATORS else ():
            assert kubernetes_validate.validate(made, kubernetes, strict=True) == kubernetes
    names = [(each["kind"], each["metadata"]["name"]) for each in objects]
    assert len(names) == len(set(names))


def test_by_itself_it_makes_workers_alone(tmp_path: Path) -> None:
    objects = rendered(tmp_path, {})
    assert list(pods(objects)) == ["encore-worker"]
    assert sorted(each["kind"] for each in objects) == [
        "ConfigMap", "NetworkPolicy", "NetworkPolicy", "PodDisruptionBudget", "Service", "ServiceAccount",
        "StatefulSet",
    ]  # fmt: skip


def test_the_manifests_are_what_it_makes(tmp_path: Path) -> None:
    shutil.copytree(MANIFESTS, tmp_path / "kubernetes")
    for path in (tmp_path / "kubernetes").glob("*/*.yaml"):
        if path.name not in ("kustomization.yaml", "namespace.yaml"):
            path.unlink()
    made = f"MANIFESTS={tmp_path / 'kubernetes'}"
    subprocess.run(["make", "--silent", "manifests", made], cwd=ROOT, check=True, timeout=120)
    files = sorted(str(path.relative_to(MANIFESTS)) for path in MANIFESTS.rglob("*") if path.is_file())
    assert files == sorted(
        str(path.relative_to(tmp_path / "kubernetes")) for path in tmp_path.rglob("*.*") if path.is_file()
    )
    same, *differs = filecmp.cmpfiles(MANIFESTS, tmp_path / "kubernetes", files, shallow=False)
    assert (differs, same) == ([[], []], files), "make manifests"


def test_several_bridges_and_receivers_share_no_pods(tmp_path: Path) -> None:
    labels = [json.dumps(pod["metadata"]["labels"]) for pod in pods(rendered(tmp_path, EVERYTHING)).values()]
    assert len(labels) == len(set(labels)) == 10


def test_a_private_ca_is_in_every_pod_and_in_kedas_login(tmp_path: Path) -> None:
    objects = rendered(tmp_path, EVERYTHING)
    for name, pod in pods(objects).items():
        (container,) = pod["spec"]["containers"]
        given = {each["name"]: each.get("value") for each in container["env"]}
        assert given["ENCORE_KAFKA_CA_FILE"] == given["ENCORE_REDIS_CA_FILE"] == "/etc/encore/ca/ca.pem", name
        assert {"name": "ca", "mountPath": "/etc/encore/ca", "readOnly": True} in container["volumeMounts"], name
        assert {"name": "ca", "secret": {"secretName": "encore-ca"}} in pod["spec"]["volumes"], name
    (login,) = [each["spec"] for each in objects if each["kind"] == "TriggerAuthentication"]
    assert {"parameter": "ca", "name": "encore-ca", "key": "ca.pem"} in login["secretTargetRef"]


def test_a_dashboard_requires_the_read_keys_of_a_secret_where_one_is_named(tmp_path: Path) -> None:
    for ca in ("", "encore-ca"):
        values = {"dashboard": {"enabled": True, "readKeys": "encore-read-keys"}, "ca": {"secret": ca}}
        pod = pods(rendered(tmp_path, values))["encore-dashboard"]["spec"]
        (container,) = pod["containers"]
        assert {"name": "ENCORE_READ_KEY_FILE", "value": "/run/encore/keys"} in container["env"]
        assert {"name": "keys", "mountPath": "/run/encore", "readOnly": True} in container["volumeMounts"]
        assert {"name": "keys", "secret": {"secretName": "encore-read-keys", "defaultMode": 0o440}} in pod["volumes"]
        assert len(pod["volumes"]) == len(container["volumeMounts"]) == (2 if ca else 1)


def test_images_are_those_of_the_registry_and_tag(tmp_path: Path) -> None:
    images = {pod["spec"]["containers"][0]["image"] for pod in pods(rendered(tmp_path, EVERYTHING)).values()}
    names = ("encore-viewing", "encore-viewing-archive", "encore-viewing-verify")
    assert images == {f"images.example/encore/{name}:1.2.3" for name in names}


def test_a_changed_setting_is_rolled_out(tmp_path: Path) -> None:
    before, after = (
        pods(rendered(tmp_path, {"settings": {"ENCORE_LOG_LEVEL": level}}))["encore-worker"]["metadata"]["annotations"]
        for level in ("info", "debug")
    )
    assert before != after


def test_topics_are_made_before_there_is_a_configmap(tmp_path: Path) -> None:
    job = pods(rendered(tmp_path, EVERYTHING))["encore-topics"]["spec"]["containers"][0]
    assert job["args"] == ["topics", "ensure", "--bridge", "plex_webhook=plays", "--bridge", "segment_video=segment"]
    assert [list(each) for each in job["envFrom"]] == [["secretRef"]]
    assert {"name": "ENCORE_TOPIC_PARTITIONS", "value": "12"} in job["env"]


def test_two_releases_share_no_object(tmp_path: Path) -> None:
    quiet = EVERYTHING | {"networkPolicy": {"defaultDeny": False}}
    blue, green = (
        {(each["kind"], each["metadata"]["name"]) for each in rendered(tmp_path, quiet, release)}
        for release in ("blue", "green")
    )
    assert not blue & green


@pytest.mark.parametrize("values", [{"worker": {"replica": 3}}, {"settings": {"KAFKA": "k:9093"}}, {"colect": {}}])
def test_a_value_that_is_none_is_refused(tmp_path: Path, values: Object) -> None:
    (tmp_path / "values.json").write_text(json.dumps(values))
    refused = helm("template", "encore", str(CHART), "--values", str(tmp_path / "values.json"))
    assert refused.returncode != 0
    assert "schema" in refused.stderr


def test_its_version_is_the_projects() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert (chart["version"], chart["appVersion"]) == (version("encore-viewing"),) * 2
