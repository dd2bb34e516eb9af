"""`encore backfill`: years of history from a warehouse, before the live records.

Owns the options and the output.
"""

from __future__ import annotations

import gc
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from streams.cli.options import command, with_settings
from streams.cli.servers import insist_on_json, kafka_located
from streams.display.numbers import many

if TYPE_CHECKING:
    from streams.config.settings import Settings
    from streams.operations.backfill import Files, FilesContent


@command()
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@with_settings("kafka", "devstack_dir", "source_topic", "titles_topic", "topic_partitions", "topic_replication")
def backfill(settings: Settings, files: tuple[Path, ...]) -> None:
    """Send the events in FILES to the source topic in the order of their times, before any live record.

    FILES are Parquet with the fields of an event as columns (.parquet), or JSON with one event per line (.jsonl). Each
    record is stamped with its event's time. The topic must be new: start live producers afterwards. If the command is
    killed, run it again with the same files: it goes on, and sends nothing twice. Exit 1: not everything was sent.
    """
    # If it is not installed, say so before anything else.
    import duckdb  # noqa: F401

    from streams.kafka.producer import SendFailed
    from streams.kafka.reader import CannotRead
    from streams.kafka.topics import KafkaFailed, make_topics
    from streams.operations.backfill import CannotBackfill, Files

    insist_on_json(settings)
    settings = kafka_located(settings)
    try:
        history = Files(files)
        found = history.look()
        make_topics(settings, settings.kafka_address)
        _send(settings, history, found)
    except (CannotBackfill, KafkaFailed, CannotRead, SendFailed) as problem:
        raise click.ClickException(str(problem)) from None


def _send(settings: Settings, history: Files, found: FilesContent) -> None:
    from streams.cli.progress import progress
    from streams.kafka.producer import send
    from streams.operations.backfill import already_there, check_begun, without_begun

    click.echo(f"{many(found.events, 'event')} from {_day(found.first_ms)} to {_day(found.last_ms)}")
    there = already_there(settings)
    if sum(there.values()):
        check_begun(settings, history.records(), there)
        click.echo(f"going on: {sum(there.values()):,} of them are in {settings.source_topic} already")
    with progress("sending", found.events - sum(there.values())) as advance:
        sent = send(
            without_begun(history.records(), there),
            settings.kafka_address,
            settings.source_topic,
            stamp=False,
            progress=lambda done, elapsed_s, behind_s: advance(done, f"{done:,} events"),
        )
    # Sending keeps the collector away from all that there was, and DuckDB complains of what is never freed.
    gc.unfreeze()
    click.echo(f"{many(sent.events, 'event')} delivered to {settings.source_topic}")
    if sent.interrupted:
        raise click.ClickException("interrupted: run it again with the same files to continue")


def _day(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1000, UTC).date().isoformat()
