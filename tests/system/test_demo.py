"""`encore demo` from outside: it counts, verifies, says so in one line, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time

import psutil
import pytest
import redis
from kafka import KafkaAdminClient

pytestmark = pytest.mark.system

KEYS = ["events", "dead_letters", "late", "titles", "completions", "rewatches", "verified"]
HEADER = "Profile Name,Title Description,Device,Playback Start Utc Ts,Country,Playtraces"


def command(*arguments):
    return [sys.executable, "-m", "streams.cli", "demo", *arguments]


def environment(servers):
    return {**os.environ, "ENCORE_KAFKA": servers.kafka, "ENCORE_REDIS": servers.redis}


def left_on(servers):
    """What is left of it. A broker lists a topic for a moment after it was deleted."""
    deadline = time.monotonic() + 20
    while any(left := _left_on(servers)) and time.monotonic() < deadline:
        time.sleep(0.2)
    return left


def _left_on(servers):
    with KafkaAdminClient(bootstrap_servers=servers.kafka) as admin:
        topics = [name for name in admin.list_topics() if name.startswith("encore-demo-")]
    with redis.Redis.from_url(servers.redis) as client:
        return topics, list(client.scan_iter("encore-demo-*"))


def viewing(title, start, seconds):
    """One row of an export: a title played without a break."""
    times = (("start", 0), ("playing", 0), ("paused", seconds * 1000), ("stopped", seconds * 1000))
    traces = [{"eventType": kind, "sessionOffsetMs": at, "mediaOffsetMs": at} for kind, at in times]
    quoted = json.dumps(traces).replace('"', '""')
    return f'Ann,{title},TV,{start},DE,"{quoted}"'


def test_a_short_demo_verifies_says_so_in_one_line_and_leaves_nothing_behind(servers):
    done = subprocess.run(
        command("--for", "2", "--json"), env=environment(servers), capture_output=True, text=True, timeout=200
    )
    assert done.returncode == 0, done.stderr
    assert re.search(r"in a browser: http://127\.0\.0\.1:\d+/", done.stderr)
    (line,) = done.stdout.splitlines()
    answer = json.loads(line)
    assert list(answer) == KEYS
    assert answer["verified"] is True
    assert answer["events"] > 1_000
    assert answer["completions"] > 0
    assert left_on(servers) == ([], [])


def test_an_export_is_counted_to_its_end(servers, tmp_path):
    export = tmp_path / "PlaybackRelatedEvents.csv"
    evenings = [viewing("The Film", f"2024-03-0{day} 18:00:00", 1500) for day in (1, 2, 3)]
    export.write_text("\n".join([HEADER, *evenings, viewing("Another", "2024-03-04 18:00:00", 90), "broken"]))
    done = subprocess.run(
        command("--input", str(export), "--json"),
        env=environment(servers),
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    assert "4 rows read (16 events), 1 could not be read" in done.stderr
    expected = {"dead_letters": 0, "late": 0, "titles": 2, "completions": 3, "rewatches": 2, "verified": True}
    assert json.loads(done.stdout) == {"events": 16, **expected}


def test_ctrl_c_ends_the_feeding_and_the_demo_still_verifies(servers):
    demo = subprocess.Popen(
        command("--json"),
        env=environment(servers),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    for line in demo.stderr:
        if "events flow" in line:
            break
    time.sleep(1)
    os.killpg(demo.pid, signal.SIGINT)
    answer, rest = demo.communicate(timeout=200)
    assert demo.returncode == 0, rest
    assert json.loads(answer)["verified"] is True
    assert left_on(servers) == ([], [])


def test_a_killed_demo_takes_its_worker_and_its_servers_along():
    bare = {name: value for name, value in os.environ.items() if not name.startswith("ENCORE_")}
    demo = subprocess.Popen(command("--json"), env=bare, stderr=subprocess.PIPE, text=True)
    for line in demo.stderr:
        if "events flow" in line:
            break
    family = psutil.Process(demo.pid).children(recursive=True)
    demo.kill()
    demo.wait()
    demo.stderr.close()
    _, alive = psutil.wait_procs(family, timeout=20)
    assert len(family) >= 6
    assert alive == []
