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
@click.option(
    "--bridge",
    "bridges",
    multiple=True,
    metavar="FORMAT=TOPIC",
    help="also create the topics of this bridge; can be repeated",
)
@with_settings(
    "kafka", "devstack_dir", "app_id", "source_topic", "titles_topic", "erasures_topic", "milestones_topic",
    "dead_letters_topic", "late_topic", "topic_partitions", "topic_replication",
)  # fmt: skip
def ensure(settings: Settings, bridges: tuple[str, ...]) -> None:
    """Create the topics that are missing; existing ones are not changed.

    A worker does the same when it starts, if it may create topics. Exit 1: Kafka does not answer or refuses, or the
    state topic does not fit the source topic.
    """
    from streams.kafka.topics import KafkaFailed, TopicMismatch, make_bridge_topics, make_topics

    own = [_bridge_settings(settings, bridge) for bridge in bridges]
    try:
        kafka = kafka_located(settings).kafka_address
        made = make_topics(settings, kafka, all_of_them=True)
        for each in own:
            made += make_bridge_topics(settings, each, kafka)
    except (KafkaFailed, TopicMismatch) as problem:
        raise click.ClickException(str(problem)) from None
    for name in made:
        click.echo(f"made {name}")
    if not made:
        click.echo("all topics are there")


def _bridge_settings(settings: Settings, bridge: str) -> Settings:
    from models.sources.schemas import schemas
    from streams.config.bridges import bridge_settings
    from streams.config.settings import BadSetting

    schema, _, topic = bridge.partition("=")
    if schema not in schemas() or not topic:
        raise click.UsageError(f"--bridge {bridge}: accepted: FORMAT=TOPIC, FORMAT one of {', '.join(schemas())}")
    try:
        return bridge_settings(settings, schema, topic)
    except BadSetting as problem:
        raise click.UsageError(str(problem)) from None
