"""What Prometheus and a supervisor see of a real worker: while it starts, counts, loses Redis, and freezes."""

from __future__ import annotations

import signal
import socket
from pathlib import Path

import pytest
from application import Application, until
from monitored import ask, free_port, metrics
from playback import EVENING_MS, event, whole_viewing

pytestmark = pytest.mark.system

HOUSEHOLD = "a-private-home"


def test_a_worker_tells_what_it_counted_and_is_ready_once_all_is_restored(application: Application) -> None:
    port = free_port()
    worker = application.worker(ENCORE_METRICS_PORT=str(port), ENCORE_LOG_LEVEL="debug")
    until(lambda: ask(port, "/startupz") == (200, "ok\n"), "it has started")
    assert (ask(port, "/livez"), ask(port, "/readyz")) == ((200, "ok\n"), (200, "ok\n"))
    viewing = list(whole_viewing(HOUSEHOLD, "Paper Boats", EVENING_MS))
    application.send(viewing)
    late = event("start", HOUSEHOLD, "Paper Boats", EVENING_MS - 31 * 86_400_000, 0)
    application.send([late], timestamp_ms=EVENING_MS)
    application.produce(HOUSEHOLD.encode(), b"no event", EVENING_MS).get(30)
    application.until_checkpointed()
    until(lambda: metrics(port)["encore_event_to_redis_seconds_count"] >= 1, "a round is published")
    until(lambda: metrics(port)["encore_lag_records"] == 0, "the lag is noted")
    found = metrics(port)
    assert {name: found[f"encore_{name}"] for name in (
        "consumed_records_total", "events_total", "dead_letters_total", "credited_seconds_total", "restores_total",
        "lag_records", "state_rows", "redis_rebuilds_total", "refused_transactions_total",
    )} == {
        "consumed_records_total": len(viewing) + 2, "events_total": len(viewing), "dead_letters_total": 1,
        "credited_seconds_total": 600, "restores_total": 4, "lag_records": 0, "state_rows": 1,
        "redis_rebuilds_total": 0, "refused_transactions_total": 0,
    }  # fmt: skip
    assert found["process_resident_memory_bytes"] > 1e6
    text = ask(port, "/metrics")[1]
    assert ("Paper Boats" in text, HOUSEHOLD in text) == (False, False)
    assert worker.stopped().code == 0
    assert ask(port, "/livez")[0] == 0
    assert HOUSEHOLD not in worker.log


def test_a_frozen_worker_answers_nothing_and_one_that_goes_on_is_alive_again(application: Application) -> None:
    port = free_port()
    worker = application.worker(ENCORE_METRICS_PORT=str(port))
    until(lambda: ask(port, "/readyz")[0] == 200, "it is ready")
    worker.signal(signal.SIGSTOP)
    assert ask(port, "/livez", timeout_s=1)[0] == 0
    worker.signal(signal.SIGCONT)
    until(lambda: ask(port, "/livez") == (200, "ok\n"), "it goes on")


def test_systemd_is_told_that_a_worker_is_alive_then_ready_and_that_it_stops(
    application: Application, tmp_path: Path
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as supervisor:
        supervisor.bind(str(tmp_path / "notify"))
        supervisor.settimeout(30)
        worker = application.worker(NOTIFY_SOCKET=str(tmp_path / "notify"))
        told = [supervisor.recv(100)]
        while b"READY=1" not in told[-1]:
            told.append(supervisor.recv(100))
        assert set(told[:-1]) == {b"WATCHDOG=1"}
        assert (told[-1], worker.count("restored:")) == (b"WATCHDOG=1\nREADY=1", 4)
        worker.stopped()
        after = [supervisor.recv(100)]
        while after[-1] != b"STOPPING=1":
            after.append(supervisor.recv(100))
        assert set(after[:-1]) <= {b"WATCHDOG=1"}


def test_two_workers_cannot_share_a_port(application: Application) -> None:
    port = free_port()
    application.worker(ENCORE_METRICS_PORT=str(port))
    until(lambda: ask(port, "/livez")[0] == 200, "it answers")
    failure = application.worker(ENCORE_METRICS_PORT=str(port)).ended().failure()
    assert f"ENCORE_METRICS_PORT={port}: " in failure
    assert "each process of a machine needs a port of its own" in failure
