"""`encore topics ensure`: create the topics that are missing.

Owns the output and the exit code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from streams.cli.options import group, with_settings
from streams.cli.servers import kafka_located

if TYPE_CHECKING:
    from streams.config.settings import Settings


@group()
def topics() -> None:
    """The application's topics."""


@topics.command()
@with_settings(
    "kafka", "devstack_dir", "app_id", "source_topic", "titles_topic", "erasures_topic", "milestones_topic",
    "dead_letters_topic", "late_topic", "topic_partitions", "topic_replication",
)  # fmt: skip
def ensure(settings: Settings) -> None:
    """Create the topics that are missing; existing ones are not changed.

    A worker does the same when it starts, if its rights suffice. Exit 1: Kafka does not answer or refuses, or the state
    topic does not fit the source topic.
    """
    from streams.kafka.topics import KafkaFailed, TopicMismatch, make_topics

    try:
        made = make_topics(settings, kafka_located(settings).kafka_address, all_of_them=True)
    except (KafkaFailed, TopicMismatch) as problem:
        raise click.ClickException(str(problem)) from None
    for name in made:
        click.echo(f"made {name}")
    if not made:
        click.echo("all topics are there")
