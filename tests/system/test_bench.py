"""`encore bench` from outside: small loads, every figure there, verified, nothing left behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from kafka import KafkaAdminClient

pytestmark = pytest.mark.system


def bench(servers, *arguments):
    return subprocess.run(
        [sys.executable, "-m", "streams.cli", "bench", "--json", *arguments],
        env={**os.environ, "ENCORE_KAFKA": servers.kafka, "ENCORE_REDIS": servers.redis},
        capture_output=True,
        text=True,
        timeout=280,
    )


def test_a_backlog_is_measured_verified_and_compared_with_stock_faust(servers):
    done = bench(servers, "--events", "20000", "--stock", "--stock-events", "1000", "--checkpoint-s", "0.1")
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert (figures["events"], figures["stock_events"]) == (20_000, 1_000)
    assert figures["verified"] is True
    assert 0 < figures["measured_events"] < 20_000
    assert figures["ratio"] > 1
    positive = ("wall_s", "cpu_s", "peak_mib", "changelog_rows", "redis_keys", "stock_events_per_cpu_s")
    assert all(figures[name] > 0 for name in positive)
    with KafkaAdminClient(bootstrap_servers=servers.kafka) as admin:
        assert [name for name in admin.list_topics() if name.startswith("encore-bench-")] == []


def test_a_backlog_that_one_checkpoint_takes_in_is_too_short_to_measure(servers):
    done = bench(servers, "--events", "1000", "--checkpoint-s", "5")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("Error: 1,000 events were in before the second checkpoint")


def test_latency_is_measured_from_probes_at_the_rate_asked_for(servers):
    done = bench(servers, "--latency", "--rate", "100", "--seconds", "2")
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert (figures["events"], figures["probes"]) == (1_200, 4)
    assert figures["events_per_s"] == pytest.approx(100, rel=0.1)
    assert 0 < figures["p50_ms"] <= figures["p99_ms"] <= figures["largest_ms"]
    assert figures["verified"] is True


def test_a_restore_of_some_partitions_is_measured_and_brings_every_row_back(servers):
    done = bench(servers, "--restore", "--rows", "10007", "--partitions", "3")
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert (figures["rows"], figures["partitions"], figures["records"]) == (10_007, 3, 10_007 + 3)
    assert figures["verified"] is True
    positive = ("restore_s", "restore_cpu_s", "rows_per_s", "rows_per_cpu_s", "bytes_per_row", "peak_mib")
    assert all(figures[name] > 0 for name in positive)


def test_a_hostile_load_is_measured_beside_ordinary_events_and_verified_as_they_are(servers):
    done = bench(servers, "--shape", "hostile", "--load", "one session", "--events", "5000")
    assert done.returncode == 0, done.stderr + done.stdout
    figures = json.loads(done.stdout)
    loads = {load.pop("load"): load for load in figures["loads"]}
    assert list(loads) == ["ordinary", "one session, 50,000 events at one instant"]
    assert [load["events"] for load in loads.values()] == [5_000, 5_000]
    assert [load["verified"] for load in loads.values()] == [True, True]
    assert loads["ordinary"]["times_ordinary"] == 1
    positive = ("longest_wait_s", "longest_new_s", "peak_mib", "end_mib", "redis_keys", "verify_s")
    assert all(load[name] > 0 for load in loads.values() for name in positive)
