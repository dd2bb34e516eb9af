"""Prints docs/metrics.md from the declarations: `python -m streams.observability.metrics_page > docs/metrics.md`."""

from __future__ import annotations

from prometheus_client.metrics import MetricWrapperBase

from streams.observability.archive_metrics import ArchiveMetrics
from streams.observability.bridge_metrics import BridgeMetrics
from streams.observability.collect_metrics import CollectMetrics
from streams.observability.dashboard_metrics import DashboardMetrics
from streams.observability.metrics import PREFIX, Metrics
from streams.observability.notify_metrics import NotifyMetrics

_HEAD = """# Metrics

A worker with `ENCORE_METRICS_PORT` answers on that port, at `ENCORE_METRICS_HOST` (loopback unless it is set):

| path | answer |
|---|---|
| `/metrics` | the metrics below, in Prometheus's text format or as OpenMetrics, and `process_…` (CPU, memory, \
open files) |
| `/livez` | 200 while the worker's event loop moves; Kafka and Redis may be away |
| `/readyz` | 200 once all partitions that are this worker's are restored, and while their checkpoints go on; \
a stopped partition counts for neither |
| `/startupz` | 200 once the worker has been assigned partitions for the first time and has restored them |

Where a probe answers 503, its body is one line that says why. No label, path or line names a household or a title.

| metric | type | labels | meaning |
|---|---|---|---|
"""


_ARCHIVE = """
## Those of `encore archive`

It answers `/metrics` and `/livez` (200 while it asks Kafka and writes) in the same way.

| metric | type | labels | meaning |
|---|---|---|---|
"""


_BRIDGE = """
## Those of `encore bridge`

It answers the same paths as a worker.

| metric | type | labels | meaning |
|---|---|---|---|
"""


_COLLECT = """
## Those of `encore collect`

It answers `/metrics`, `/livez` (200 while its event loop moves) and `/readyz` (200 while Kafka answers, until it is
stopped) in the same way. `source` is a name from the file of the sources.

| metric | type | labels | meaning |
|---|---|---|---|
"""


_DASHBOARD = """
## Those of `encore dashboard`

It answers `/metrics`, `/livez` (200 while its event loop moves) and `/readyz` (200 while Redis answers, until it is
stopped) in the same way, on this port and without a read key. `path` is one of the API, as OpenAPI has it.

| metric | type | labels | meaning |
|---|---|---|---|
"""


_NOTIFY = """
## Those of `encore notify`

It answers `/metrics` and `/livez` (200 while its event loop moves) in the same way.

| metric | type | labels | meaning |
|---|---|---|---|
"""


def page() -> str:
    """The page as Markdown."""
    archive, bridge = _ARCHIVE + _rows(ArchiveMetrics()), _BRIDGE + _rows(BridgeMetrics())
    collect, notify = _COLLECT + _rows(CollectMetrics()), _NOTIFY + _rows(NotifyMetrics())
    dashboard = _DASHBOARD + _rows(DashboardMetrics())
    return _HEAD + _rows(Metrics()) + archive + bridge + collect + dashboard + notify


def _rows(metrics: Metrics | ArchiveMetrics | BridgeMetrics | CollectMetrics | DashboardMetrics | NotifyMetrics) -> str:
    return "".join(_row(metric) for metric in vars(metrics).values() if isinstance(metric, MetricWrapperBase))


def _row(metric: MetricWrapperBase) -> str:
    (family,) = metric.describe()
    name = f"{family.name}_total" if family.type == "counter" else family.name
    assert name.startswith(PREFIX)
    labels = ", ".join(f"`{label}`" for label in metric._labelnames)
    return f"| `{name}` | {family.type} | {labels} | {family.documentation} |\n"


if __name__ == "__main__":
    print(page(), end="")
