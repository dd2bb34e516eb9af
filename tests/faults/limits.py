"""The machine runs out: Kafka's disk is full, a worker gets no more memory. It fails loudly, and recovers."""

from __future__ import annotations

import time
from pathlib import Path

import psutil
from application import until
from catalogue import fault
from confluent_kafka import Producer
from trial import Trial

_FAILS_S = 60
_LARGE_RECORDS = 200
_LARGE_BYTES = 900_000
_CLOSE_BYTES = 4096


@fault("disk full under Kafka", per_trial=5)
def disk_full(trial: Trial) -> None:
    """No file of Kafka's may grow any more; it gives up, and the disk has room again when it is started anew."""
    trial.set_up(ENCORE_TRANSACTION_TIMEOUT_S="10")
    trial.start_work()
    trial.read_on()
    kafka = trial.servers.kafka_server
    for _ in range(trial.hits):
        trial.mid_work()
        kafka.limit_file_size(_largest_log(kafka.data, trial.application.state_topic) + _CLOSE_BYTES)
        until(lambda: not kafka.running, "Kafka gives up its full disk", _FAILS_S)
        trial.sleep(0.0, 3.0)
        kafka.start()
        trial.note("recovery_s", trial.until_working())
    trial.verify()


def _largest_log(data: Path, topic: str) -> int:
    return max(file.stat().st_size for file in data.glob(f"**/{topic}-*/*.log"))


@fault("memory limit on a worker", per_trial=4)
def out_of_memory(trial: Trial) -> None:
    """Not a byte more than it has, and then large records, which it must hold for seconds until they are written."""
    application = trial.set_up(ENCORE_STALL_S="10", ENCORE_CHECKPOINT_S="3")
    workers = trial.start_work()
    trial.read_on()
    for _ in range(trial.hits):
        victim = trial.rng.choice(workers)
        trial.mid_work()
        with victim.unsupervised():
            # One that has run for long may have room enough from before.
            victim.process.kill()
            victim.restart()
            victim.until_restored()
            life = victim.process
            process = psutil.Process(life.popen.pid)
            # Its address space would be no measure: threads reserve much more of that than they use.
            process.rlimit(psutil.RLIMIT_DATA, (process.memory_info().data,) * 2)
            struck_s = time.monotonic()
            _send_large_records(application.environment)
            until(
                lambda life=life: life.popen.poll() is not None,
                lambda life=life: f"it fails:\n{life.log[-2000:]}",
                _FAILS_S,
            )
            trial.note("failed_after_s", time.monotonic() - struck_s)
            assert life.popen.returncode != 0, life.log[-2000:]
            assert len(life.log.splitlines()) > 3, "it said nothing"
            # It may end with as many words as it likes.
            victim.lives.remove(life)
        trial.until_working()
    trial.verify()


def _send_large_records(environment: dict[str, str]) -> None:
    producer = Producer({"bootstrap.servers": environment["ENCORE_KAFKA"], "message.max.bytes": 2_000_000})
    for number in range(_LARGE_RECORDS):
        producer.produce(environment["ENCORE_SOURCE_TOPIC"], b"x" * _LARGE_BYTES, f"home-{number}")
    assert producer.flush(60) == 0
