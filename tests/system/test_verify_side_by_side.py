"""Partitions of a real Kafka folded in processes of their own: the same as in one, and no process is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import psutil
import pytest
from confluent_kafka import Producer
from random_logs import Writer

from streams.config.kafka_security import KafkaAddress
from streams.kafka.reader import NoTopic, TopicReader
from streams.verify import CannotRead, Catalog, Expected, Recomputation
from streams.verify.reading import source_records
from streams.verify.side_by_side import Folded, fold_side_by_side, shares_of

pytestmark = pytest.mark.system

EVENTS = 25_000
WAITING = """
import signal, sys
from pathlib import Path
signal.signal(signal.SIGINT, signal.default_int_handler)  # who started the tests may have it ignored
sys.path.insert(0, sys.argv[3])
from test_verify_side_by_side import folded, recomputation, source_of
if __name__ == "__main__":
    with source_of(sys.argv[1], sys.argv[2]) as source:
        ends = {partition: end + 1_000_000 for partition, end in source.ends().items()}
        folded(source, ends, recomputation(), Path(sys.argv[4]))
"""


def source_of(kafka: str, topic: str) -> TopicReader:
    return TopicReader(KafkaAddress(kafka), topic)


def recomputation() -> Recomputation:
    log = Writer(Random(7), 1).log()
    return Recomputation(Catalog(), log.rules, 4)


def folded(
    source: TopicReader, ends: dict[int, int], empty: Recomputation, folder: Path, told: list[int] | None = None
) -> Folded:
    """Folded by two processes up to these ends."""
    shares = shares_of(source, ends, empty.logs, 2)
    return fold_side_by_side(shares, folder, ([] if told is None else told).append)


@pytest.fixture
def source(encore_env: dict[str, str]) -> Iterator[TopicReader]:
    """A topic with random events in four partitions."""
    producer = Producer({"bootstrap.servers": encore_env["ENCORE_KAFKA"]})
    steps = Writer(Random(7), EVENTS).log().steps
    for number, step in enumerate(steps):
        record, partition = step.record, number * 2654435761 % 2**32 % 4
        producer.produce(
            encore_env["ENCORE_SOURCE_TOPIC"], record.value, record.key, partition, timestamp=record.timestamp
        )
        producer.poll(0)
    producer.flush(30)
    with source_of(encore_env["ENCORE_KAFKA"], encore_env["ENCORE_SOURCE_TOPIC"]) as reader:
        yield reader


def test_several_processes_expect_what_one_expects(source: TopicReader, tmp_path: Path) -> None:
    # What comes past the ends does not count for either.
    ends = {partition: end - 3 for partition, end in source.ends().items()}
    one, several, told = recomputation(), recomputation(), list[int]()
    one.take(source_records(source, ends))
    several.take_folded(*folded(source, ends, several, tmp_path, told))
    assert _expected(several) == _expected(one)
    assert _expected(one).produced == EVENTS - 4 * 3 == sum(told)
    assert _expected(one).milestones and _expected(one).dead_letters and _expected(one).late


def _expected(recomputed: Recomputation) -> Expected:
    return recomputed.expected(Catalog())


def test_what_a_process_cannot_read_is_told_as_if_it_were_read_here(source: TopicReader, tmp_path: Path) -> None:
    ends = source.ends()
    source.topic += "-gone"
    with pytest.raises(NoTopic, match=f"Kafka at {source.kafka} has no topic {source.topic}"):
        folded(source, ends, recomputation(), tmp_path)
    assert _folding(psutil.Process()) == []


def test_a_process_that_is_killed_ends_the_others(source: TopicReader, tmp_path: Path) -> None:
    ends = {partition: end + 1_000_000 for partition, end in source.ends().items()}
    killer = threading.Thread(target=_kill_one)
    killer.start()
    with pytest.raises(CannotRead, match="exit code -9"):
        folded(source, ends, recomputation(), tmp_path)
    killer.join()
    assert _folding(psutil.Process()) == []


def _kill_one() -> None:
    _two_folding(psutil.Process())[0].kill()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_process_outlives_the_one_that_waits_for_it(
    source: TopicReader, tmp_path: Path, how: signal.Signals
) -> None:
    script = tmp_path / "waiting.py"
    script.write_text(WAITING)
    here = Path(__file__).parent
    waiting = subprocess.Popen(
        [sys.executable, script, str(source.kafka), source.topic, here, tmp_path],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(here.parent / "properties"), str(here)])},
        stderr=subprocess.DEVNULL,
    )
    folding = _two_folding(psutil.Process(waiting.pid))
    waiting.send_signal(how)
    assert waiting.wait(20) != 0
    assert psutil.wait_procs(folding, timeout=20)[1] == []


def _two_folding(parent: psutil.Process) -> list[psutil.Process]:
    until = time.monotonic() + 30
    while len(found := _folding(parent)) < 2:
        assert time.monotonic() < until
        time.sleep(0.05)
    time.sleep(1)  # they have begun
    return found


def _folding(parent: psutil.Process) -> list[psutil.Process]:
    return [child for child in parent.children() if "spawn_main" in " ".join(child.cmdline())]
