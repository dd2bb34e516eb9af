"""`encore titles load`: write a file of title rows into the titles topic.

Owns the output and the exit code.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from streams.cli.options import group, with_settings
from streams.cli.servers import kafka_located

if TYPE_CHECKING:
    from streams.config.settings import Settings


@group()
def titles() -> None:
    """The catalog."""


@titles.command()
@with_settings("kafka", "devstack_dir", "source_topic", "titles_topic", "topic_partitions", "topic_replication")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def load(settings: Settings, file: Path) -> None:
    """Write the titles of FILE (JSON lines, or one JSON array) into the titles topic.

    A bad row is reported with its line and skipped; the others are written, and the exit code is 1.
    """
    from streams.kafka.producer import SendFailed
    from streams.kafka.topics import KafkaFailed, make_topics
    from streams.operations.titles import read_rows, write_titles

    try:
        rows, bad = read_rows(file.read_bytes())
        kafka = kafka_located(settings).kafka_address
        make_topics(settings, kafka)
        written = write_titles(settings, kafka, rows)
    except (KafkaFailed, SendFailed, OSError) as problem:
        raise click.ClickException(str(problem)) from None
    for problem_row in bad:
        click.echo(f"{file}: {problem_row}; skipped", err=True)
    click.echo(f"{written:,} titles written to {settings.titles_topic}; {len(bad):,} rows skipped")
    if bad:
        sys.exit(1)
