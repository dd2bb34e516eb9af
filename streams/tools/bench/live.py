"""Latency from event to Redis at a steady rate.

Owns the probes and their clock. Every fiftieth event is a probe: the only event of a household and a title of its own,
whose position at the stated end makes the household a skimmer. So exactly one change in Redis belongs to it. Its
latency runs from the event's `sent_time_ms`, the time at which it was due, to the arrival of the change's message on
the `changes` channel, which is sent after the hash is written.

`python -m streams.tools.bench.live KAFKA TOPIC EVENTS_PER_S EVENTS SEED ORIGIN_MS` is the sender: it prints one JSON
line with the number of events and the most that it was behind.
"""

from __future__ import annotations

import json
import math
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from redis import Redis

from streams.config.settings import load
from streams.kafka.producer import Outgoing, Pace, send
from streams.operations.titles import write_titles
from streams.tools.processes import Child, environment, wait_until
from streams.tools.simulate import backlog as loads
from streams.tools.trial import Run

PROBE_EVERY = 50
PROBE = "latency-probe-"
LONGEST_WAIT_S = 60.0
WARM_UP_S = 10.0
TICK_S = 0.005
LINGER_MS = 20
"""Short: what a record waits for in the sender counts as latency."""


@dataclass(frozen=True)
class Latency:
    """Milliseconds from an event's intended sending until Redis has it; `behind_s` is the sender's worst."""

    events: int
    events_per_s: float
    probes: int
    p50_ms: float
    p99_ms: float
    largest_ms: float
    behind_s: float
    worker_cpu_share: float


def with_probes(items: Iterator[Outgoing]) -> Iterator[Outgoing]:
    """The items, every fiftieth of them replaced by a probe that is sent in its place."""
    for number, item in enumerate(items):
        yield probe(number, item.due_ms) if number % PROBE_EVERY == 0 else item


def probe_name(number: int) -> str:
    """The household and title of probe `number`; names are ordered as numbers are."""
    return f"{PROBE}{number:09d}"


def probe(number: int, due_ms: int, title_id: str = "") -> Outgoing:
    """An event of a household of its own. It changes the title's hash; without `title_id`, it makes one of its own."""
    name = probe_name(number)
    event = {
        "event_id": name,
        "event_type": "pause",
        "event_time_ms": due_ms,
        "household_id": name,
        "title_id": title_id or name,
        "play_session_id": name,
        "position_ms": 60_000,
        "runtime_ms": 60_000,
    }
    return Outgoing(due_ms, name.encode(), json.dumps(event).encode(), due_ms)


class Arrivals:
    """When changes of the probes' titles were announced, by title id: seconds since the epoch. Listens in a thread.

    It reads the subscription's connection itself, which costs less than redis-py's PubSub for the thousands of
    messages a second, on the machine that is measured.
    """

    def __init__(self, run: Run) -> None:
        self.times: dict[str, list[float]] = {}
        self._title = f"{run.settings.redis_prefix}title:".encode()
        # Protocol 2: of the newer one redis-py hands messages to a PubSub only.
        self._client: Any = Redis.from_url(run.settings.redis_url, protocol=2)
        self._connection = self._client.connection_pool.get_connection()
        self._connection.send_command("SUBSCRIBE", f"{run.settings.redis_prefix}changes")
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="arrivals", daemon=True)

    def __enter__(self) -> Arrivals:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self._client.close()

    def _listen(self) -> None:
        while not self._over.is_set():
            if self._connection.can_read(timeout=0.1):
                _, _, message = self._connection.read_response()
                if isinstance(message, bytes) and PROBE.encode() in message:
                    self._note(json.loads(message)["key"].encode())

    def _note(self, key: bytes) -> None:
        # A probe's title has other hashes beside its own, windows and dayparts: those come at other times.
        title_id = key.removeprefix(self._title)
        if title_id.startswith(PROBE.encode()) and b":" not in title_id:
            self.times.setdefault(title_id.decode(), []).append(time.time())


def in_ticks(events_per_s: int) -> Pace:
    """The rate, in bursts of `TICK_S`, so that the sender need not wake for every event."""
    per_tick = max(1, round(events_per_s * TICK_S))
    return lambda number, item: number // per_tick * per_tick / events_per_s


def measure_latency(run: Run, events_per_s: int, seconds: int, seed: int) -> Latency:
    """Start a worker, send live events at the rate, and wait until every probe arrived.

    The measured `seconds` come after a warm-up of at most `WARM_UP_S`.
    """
    unmeasured = warm_up(events_per_s)
    events = events_per_s * seconds + unmeasured
    probes = math.ceil(events / PROBE_EVERY)
    settings, origin_ms = run.settings, int(time.time() * 1000)
    write_titles(settings, settings.kafka_address, loads.title_rows(loads.LIVE, origin_ms))
    command = [sys.executable, "-m", "streams.tools.bench.live", settings.source_topic]
    command += [str(number) for number in (events_per_s, events, seed, origin_ms)]
    with run.worker() as worker, Arrivals(run) as arrivals:
        run.wait_until_ready(worker)
        began_s, began_cpu_s = time.monotonic(), worker.cpu_s()
        with Child("the sender", command, environment(settings), run.folder / "sender.log") as sender:
            sender.wait(seconds + WARM_UP_S + LONGEST_WAIT_S)
            sent = sender.figures()
        share = (worker.cpu_s() - began_cpu_s) / (time.monotonic() - began_s)
        wait_until(lambda: len(arrivals.times) >= probes, "every probe in Redis", LONGEST_WAIT_S, worker)
    latencies_ms = sorted(_latencies_ms(run, arrivals.times, unmeasured))
    return Latency(
        events=sent["events"],
        events_per_s=sent["events"] / sent["elapsed_s"],
        probes=len(latencies_ms),
        p50_ms=percentile(latencies_ms, 50),
        p99_ms=percentile(latencies_ms, 99),
        largest_ms=latencies_ms[-1],
        behind_s=sent["behind_s"],
        worker_cpu_share=share,
    )


def percentile(ordered: Sequence[float], percent: float) -> float:
    """The smallest of the ordered values that `percent` of them do not exceed."""
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def warm_up(events_per_s: int) -> int:
    """Events to send before the measured ones: until every household was seen, few counters change."""
    return min(loads.LIVE.sessions, round(events_per_s * WARM_UP_S))


def _latencies_ms(run: Run, times: dict[str, list[float]], unmeasured: int) -> Iterator[float]:
    """From the source topic, which knows when each probe was to be sent."""
    for value in _values(run):
        if value and PROBE.encode() in value:
            event = json.loads(value)
            if event["title_id"] >= probe_name(unmeasured):
                yield times[event["title_id"]][0] * 1000 - event["sent_time_ms"]


def _values(run: Run) -> Iterator[bytes | None]:
    from kafka import KafkaConsumer, TopicPartition

    topic = run.settings.source_topic
    consumer: Any = KafkaConsumer(**run.settings.kafka_address.for_python(), group_id=None)
    try:
        parts = [TopicPartition(topic, number) for number in range(run.settings.topic_partitions)]
        consumer.assign(parts)
        consumer.seek_to_beginning(*parts)
        ends = consumer.end_offsets(parts)
        while any(consumer.position(part) < ends[part] for part in parts):
            for records in consumer.poll(timeout_ms=500).values():
                yield from (record.value for record in records)
    finally:
        consumer.close()


def main() -> None:
    topic, *numbers = sys.argv[1:]
    events_per_s, events, seed, origin_ms = map(int, numbers)
    items = with_probes(loads.live_backlog(events, seed, origin_ms))
    sent = send(items, load().kafka_address, topic, in_ticks(events_per_s), linger_ms=LINGER_MS)
    print(json.dumps({"events": sent.events, "elapsed_s": sent.elapsed_s, "behind_s": sent.behind_s}))


if __name__ == "__main__":
    main()
