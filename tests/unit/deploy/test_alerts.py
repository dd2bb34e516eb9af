"""Alert rules and the Grafana dashboard ask in PromQL, of metrics that are there, and lead to pages that are."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import promql_parser
import pytest
import yaml
from prometheus_client.metrics import MetricWrapperBase

from streams.observability.archive_metrics import ArchiveMetrics
from streams.observability.bridge_metrics import BridgeMetrics
from streams.observability.collect_metrics import CollectMetrics
from streams.observability.dashboard_metrics import DashboardMetrics
from streams.observability.metrics import Metrics
from streams.observability.notify_metrics import NotifyMetrics

ROOT = Path(__file__).parents[3]
RULES = [
    rule
    for group in yaml.safe_load((ROOT / "deploy/prometheus/alerts.yml").read_text())["groups"]
    for rule in group["rules"]
]
DASHBOARD = json.loads((ROOT / "deploy/grafana/encore.json").read_text())
PANELS = DASHBOARD["panels"]
QUERIES = [(panel["title"], target["expr"]) for panel in PANELS for target in panel["targets"]]
RUNBOOK = (ROOT / "docs/runbook.md").read_text()
NOT_OURS = {"up", "process_start_time_seconds", "process_cpu_seconds_total", "process_resident_memory_bytes"}
"""Of Prometheus itself, and of prometheus_client's process collector."""


def series() -> Iterator[tuple[str, set[str]]]:
    """The series that each of our processes tells, each with its own labels."""
    told = (Metrics(), ArchiveMetrics(), BridgeMetrics(), CollectMetrics(), DashboardMetrics(), NotifyMetrics())
    for metric in (metric for each in told for metric in vars(each).values()):
        if isinstance(metric, MetricWrapperBase):
            (family,) = metric.describe()
            endings = {"counter": ["_total"], "histogram": ["_bucket", "_sum", "_count"]}.get(family.type, [""])
            for ending in endings:
                yield family.name + ending, set(metric._labelnames)


SERIES = dict(series())


def selected(promql: str) -> set[str]:
    """The series that a query names. Raises `ValueError` where it is no PromQL."""
    promql_parser.parse(promql)
    return set(re.findall(r"\b(?:encore|process)_\w+|\bup\b", promql))


@pytest.mark.parametrize(("name", "expr"), [*((rule["alert"], rule["expr"]) for rule in RULES), *QUERIES])
def test_every_query_is_promql_of_series_that_a_worker_tells(name: str, expr: str) -> None:
    assert selected(expr), name
    assert selected(expr) <= SERIES.keys() | NOT_OURS


@pytest.mark.parametrize("expr", [rule["expr"] for rule in RULES] + [expr for _, expr in QUERIES])
def test_queries_sum_up_by_labels_that_their_series_have(expr: str) -> None:
    grouped = {label.strip() for labels in re.findall(r"\bby \(([^)]*)\)", expr) for label in labels.split(",")}
    there = {"le", "job", "instance"}.union(*(SERIES.get(name, set()) for name in selected(expr)))
    assert grouped <= there


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_every_alert_says_how_grave_it_is_and_leads_to_its_part_of_the_runbook(rule: dict) -> None:
    assert rule["labels"]["severity"] in ("info", "warning", "critical")
    assert rule["annotations"]["summary"]
    assert rule["annotations"]["runbook_url"] == f"docs/runbook.md#{rule['alert'].lower()}"
    assert f"\n## {rule['alert']}\n" in RUNBOOK


def test_the_runbook_tells_of_no_alert_that_is_not_there_and_links_to_what_is() -> None:
    heads = re.findall(r"^## (\w+)$", RUNBOOK, re.MULTILINE)
    assert heads == [rule["alert"] for rule in RULES]
    for link in re.findall(r"\]\(([^)#]*)(?:#[\w-]+)?\)", RUNBOOK):
        assert not link or (ROOT / "docs" / link).exists(), link


def test_every_metric_of_ours_is_on_the_dashboard_or_alerted_on() -> None:
    asked = set().union(*(selected(expr) for _, expr in QUERIES), *(selected(rule["expr"]) for rule in RULES))
    missing = {name for name in SERIES if name not in asked and not name.endswith(("_sum", "_count"))}
    assert missing == set(), "no panel of deploy/grafana/encore.json and no alert asks for these"


def test_panels_have_names_and_places_of_their_own() -> None:
    names = [panel["title"] for panel in PANELS]
    assert len(set(names)) == len(names) == len({panel["id"] for panel in PANELS})
    taken = set()
    for panel in PANELS:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert place["x"] + place["w"] <= 24
        assert not taken & cells, panel["title"]
        taken |= cells


def test_a_query_that_is_no_promql_is_found() -> None:
    with pytest.raises(ValueError, match=r"parse|unexpected|invalid"):
        selected("sum by (le (rate(encore_events_total[5m])))")
