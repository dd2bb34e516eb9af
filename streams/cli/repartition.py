"""`encore repartition`: bring the source topic's records into a topic with another number of partitions.

Owns the output and the exit code.
"""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from streams.cli.options import command, with_settings
from streams.cli.servers import kafka_located
from streams.display.numbers import many

if TYPE_CHECKING:
    from streams.config.settings import Settings
    from streams.operations.repartition import Copied


@command()
@click.argument("new_topic")
@click.option("--partitions", type=click.IntRange(1, 10_000), metavar="N", help="partitions of NEW_TOPIC, if it is new")
@click.option("--last", "is_last", is_flag=True, help="the producers are stopped: copy what is left, and finish")
@click.option("--json", "as_json", is_flag=True, help="print the answer as one line of JSON")
@with_settings(
    "kafka", "devstack_dir", "app_id", "source_topic", "erasures_topic", "pseudonym_key_file", "transaction_timeout_s"
)
def repartition(settings: Settings, new_topic: str, partitions: int | None, is_last: bool, as_json: bool) -> None:
    """Copy the source topic into NEW_TOPIC, which has N partitions; each record goes to its key's partition.

    Run it while workers and producers run, as often as you like: each run copies what came since. Stop the producers,
    run it with --last, and move workers and producers to NEW_TOPIC: docs/growing.md tells it step by step. Every record
    is copied exactly once, with timestamp and headers, in the order of the timestamps; those of forgotten households
    are left out. A run that was killed or stopped is simply run again.

    Exit 0: copied, with --last all of it. Exit 1: the copy is impossible, producers are still writing, a server failed,
    or you stopped it.
    """
    from streams.cli.progress import progress
    from streams.kafka.copy_writer import CopyFailed
    from streams.kafka.producer import SendFailed
    from streams.kafka.reader import CannotRead
    from streams.kafka.topics import KafkaFailed
    from streams.operations.repartition import RepartitionRefused
    from streams.operations.repartition import repartition as run

    begun = time.monotonic()
    try:
        with _stopped_by_signals() as is_stopped, progress("copying", None) as advance:
            copied = run(
                kafka_located(settings), new_topic, partitions, is_last=is_last, is_stopped=is_stopped,
                advance=lambda done, total: advance(done, f"{done:,} of {total:,} records"),
            )  # fmt: skip
            stopped = is_stopped()
    except (CannotRead, CopyFailed, KafkaFailed, RepartitionRefused, SendFailed) as problem:
        raise click.ClickException(str(problem)) from None
    _show(settings, new_topic, copied, time.monotonic() - begun, as_json)
    if stopped:
        raise click.ClickException("stopped; run it again to continue")
    if copied.was_finished and copied.records:
        raise click.ClickException(
            f"the copy was already finished, but something still writes to {settings.source_topic}"
        )


@contextmanager
def _stopped_by_signals() -> Iterator[Callable[[], bool]]:
    """Whether a signal came. The copy ends between two transactions: an exception in a producer's call breaks it."""
    came: list[int] = []
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, lambda number, _: came.append(number)) for number in numbers}
    try:
        yield lambda: bool(came)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _show(settings: Settings, topic: str, copied: Copied, seconds: float, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"topic": topic, **copied._asdict(), "seconds": round(seconds, 3)}))
        return
    left_out = f" ({copied.left_out:,} of forgotten households left out)" if copied.left_out else ""
    click.echo(f"{many(copied.records, 'record')} of {settings.source_topic} copied{left_out} in {seconds:.1f} s")
    if copied.is_finished:
        click.echo(
            f"{topic} holds everything, in {many(copied.partitions, 'partition')}. Once `encore lag` says 0, stop the"
            f" workers, set ENCORE_SOURCE_TOPIC={topic}, run `encore rebuild`, and start workers and producers with it"
        )
    elif not copied.was_finished:
        click.echo("run it again for what came meanwhile; once the producers are stopped, with --last")
