"""`encore collect`: take events by HTTP, and write them to Kafka.

Owns the options, the output and the exit codes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from streams.cli.options import command, with_settings
from streams.cli.servers import insist_on_json, kafka_located

if TYPE_CHECKING:
    from streams.config.settings import Settings

SETTINGS = (
    "kafka", "devstack_dir", "source_topic", "topic_partitions", "topic_replication", "collect_sources", "collect_port",
    "collect_host", "collect_origins", "collect_body_kib", "collect_waiting_mib", "collect_timeout_s",
    "startup_timeout_s", "metrics_port", "metrics_host", "log_level", "log_format",
)  # fmt: skip


@command()
@with_settings(*SETTINGS)
def collect(settings: Settings) -> None:
    """Take playback events, and messages of players and webhooks, by HTTP POST, until SIGTERM or Ctrl-C.

    It answers 202 once Kafka has what was posted. ENCORE_COLLECT_SOURCES lists who may post. Processes share nothing:
    run as many as you need. Exit 0: stopped by a signal; 1: Kafka or the port failed; 2: a bad setting.
    """
    from streams.collect.server import CollectFailed, run_collect
    from streams.collect.sources import BadSources, read_sources
    from streams.kafka.topics import KafkaFailed
    from streams.observability.listening import PortTaken
    from streams.observability.logs import log_to_stderr

    log_to_stderr(settings.log_level, settings.log_format)
    insist_on_json(settings)
    if not settings.collect_sources:
        raise click.UsageError(
            "ENCORE_COLLECT_SOURCES is not set: set it to a file of sources with write keys (docs/collect.md)"
        )
    try:
        sources = read_sources(settings.collect_sources, settings.source_topic)
    except BadSources as problem:
        raise click.UsageError(f"ENCORE_COLLECT_SOURCES={problem}") from None
    try:
        run_collect(kafka_located(settings), sources)
    except (CollectFailed, KafkaFailed, PortTaken) as problem:
        raise click.ClickException(str(problem)) from None
