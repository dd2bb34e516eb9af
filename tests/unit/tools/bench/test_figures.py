"""The figures: what is divided by what, which moment the clock starts at, and the names machines read."""

import io
import json
import re

import pytest
from rich.console import Console

from models import FORM
from models.rules import Rules
from streams.tools.bench.backlog import Measured, Stock
from streams.tools.bench.hostile import Hostile
from streams.tools.bench.live import PROBE_EVERY, Latency, in_ticks, percentile, probe, with_probes
from streams.tools.bench.progress import CpuClock
from streams.tools.bench.report import HostileTrial, Report, as_dict, as_table
from streams.tools.bench.restoring import Restore
from streams.tools.simulate.backlog import live_backlog
from streams.verify import Catalog, RawRecord, recompute

WORKER = Measured(1_000, 800, 4.0, 2.0, 5.0, 3 << 20, 77, 9)
STOCK = Stock(60, 30.0, 20.0, 21.0)
RESTORE = Restore(4, 1_003, 1_000, 2.0, 0.5, 300_000, 5 << 20)
LATENCY = Latency(300, 10.0, 6, 400.4, 900.6, 1000.0, 0.0125, 0.25)


def test_a_backlog_reports_the_measured_window_and_the_whole_process():
    assert as_dict(Report("replay", [], WORKER)) == {
        "shape": "replay",
        "rules": FORM,
        "events": 1_000,
        "measured_events": 800,
        "wall_s": 4.0,
        "cpu_s": 2.0,
        "events_per_s": 200,
        "events_per_cpu_s": 400,
        "events_per_process_cpu_s": 200,
        "peak_mib": 3.0,
        "changelog_rows": 77,
        "redis_keys": 9,
        "verified": True,
        "difference_count": 0,
        "differences": [],
    }


def test_stock_beside_the_worker_gives_the_ratio_of_their_cpu_seconds():
    figures = as_dict(Report("replay", [], WORKER, STOCK))
    assert (figures["stock_events_per_s"], figures["stock_events_per_cpu_s"], figures["ratio"]) == (2, 3, 133.3)


def test_a_live_stream_reports_its_latencies_in_milliseconds():
    assert as_dict(Report("latency", ["one", "two"], latency=LATENCY)) == {
        "shape": "latency",
        "rules": FORM,
        "events": 300,
        "events_per_s": 10,
        "probes": 6,
        "p50_ms": 400,
        "p99_ms": 901,
        "largest_ms": 1000,
        "sender_behind_ms": 12,
        "worker_cpu_share": 0.25,
        "verified": False,
        "difference_count": 2,
        "differences": ["one", "two"],
    }


def test_a_restore_reports_its_rows_against_clock_cpu_and_memory():
    assert as_dict(Report("restore", [], restore=RESTORE)) == {
        "shape": "restore",
        "rules": FORM,
        "partitions": 4,
        "records": 1_003,
        "rows": 1_000,
        "restore_s": 2.0,
        "restore_cpu_s": 0.5,
        "rows_per_s": 500,
        "rows_per_cpu_s": 2_000,
        "bytes_per_row": 300,
        "peak_mib": 5.0,
        "verified": True,
        "difference_count": 0,
        "differences": [],
    }


@pytest.mark.parametrize("report", [Report("replay", [], WORKER, STOCK), Report("restore", [], restore=RESTORE)])
def test_the_table_has_a_line_for_every_figure_and_one_for_the_verdict(report):
    unlabelled = {"shape", "verified", "difference_count", "differences"}
    assert as_table(report).row_count == len(as_dict(report).keys() - unlabelled) + 1


@pytest.mark.parametrize(("percent", "value"), [(0, 1), (50, 50), (99, 99), (99.5, 100), (100, 100)])
def test_a_percentile_is_the_least_value_that_so_many_do_not_exceed(percent, value):
    assert percentile(list(range(1, 101)), percent) == value


HOSTILE = HostileTrial(Hostile("ordinary (replay)", 100, 9.0, 1.0, 1.0, 3 << 20, 2 << 20, 7), 2.0, [])


@pytest.mark.parametrize(
    "report",
    [
        Report("replay", [], WORKER),
        Report("latency", [], latency=LATENCY),
        Report("hostile", [], hostile=[HOSTILE]),
    ],
)
def test_people_too_are_told_in_which_form_the_rules_ran(report):
    console = Console(width=200, file=io.StringIO())
    console.print(as_table(report))
    assert re.search(rf"^rules:? +{FORM} *$", console.file.getvalue(), re.MULTILINE)


class FakeChild:
    def __init__(self, cpu):
        self.cpu = iter(cpu)

    def check(self):
        pass

    def cpu_s(self):
        return next(self.cpu)


@pytest.mark.parametrize(("when", "cpu_s"), [(9.9, 1.0), (10.0, 1.0), (10.1, 2.0), (11.0, 2.0), (99.0, 3.0)])
def test_the_cpu_clock_answers_with_the_first_sample_at_or_after_a_moment(monkeypatch, when, cpu_s):
    clock = CpuClock(FakeChild([1.0, 2.0, 3.0]))
    times = iter([10.0, 11.0, 12.0])
    monkeypatch.setattr("streams.tools.bench.progress.time.time", lambda: next(times))
    for _ in range(3):
        clock.sample()
    assert clock.at(when) == cpu_s


def test_every_fiftieth_event_of_a_live_stream_is_a_probe():
    items = list(with_probes(live_backlog(2 * PROBE_EVERY + 1)))
    probes = [n for n, item in enumerate(items) if item.key.startswith(b"latency-probe-")]
    assert probes == [0, PROBE_EVERY, 2 * PROBE_EVERY]
    assert items[PROBE_EVERY] == probe(PROBE_EVERY, items[PROBE_EVERY].due_ms)


@pytest.mark.parametrize(("number", "due_s"), [(0, 0.0), (49, 0.0), (50, 0.005), (99, 0.005), (10_000, 1.0)])
def test_a_steady_rate_is_sent_in_ticks_of_five_milliseconds(number, due_s):
    assert in_ticks(10_000)(number, None) == pytest.approx(due_s)


def test_a_rate_below_one_event_a_tick_is_sent_event_by_event():
    assert [in_ticks(100)(number, None) for number in (0, 1, 2)] == [0.0, 0.01, 0.02]


def test_a_probe_alone_makes_its_title_appear_with_one_skimmer():
    item = probe(7, 1_767_225_600_000)
    expected = recompute([RawRecord(0, 0, item.timestamp_ms, item.key, item.value)], Catalog(), Rules(), 1)
    title_id = json.loads(item.value)["title_id"]
    title = expected.hashes[f"title:{title_id}"]
    assert {name: value for name, value in title.items() if value not in ("0", "", "0.000")} == {"skimmers": "1"}
