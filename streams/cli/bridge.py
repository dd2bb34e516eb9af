"""`encore bridge`: translate another player's topic into playback events.

Owns the options and the exit code.
"""

from __future__ import annotations

import click

from streams.cli.options import command, with_settings
from streams.cli.servers import insist_on_json, kafka_located
from streams.config.settings import Settings

SETTINGS = (
    "kafka", "devstack_dir", "app_id", "group_instance_id", "source_topic", "topic_partitions",
    "topic_replication", "bridge_household", "bridge_title", "bridge_profile", "bridge_kids", "bridge_time_zone",
    "bridge_households_topic", "bridge_session_hours", "checkpoint_s", "batch_records", "uncheckpointed_records",
    "startup_timeout_s", "session_timeout_s", "stall_s", "transaction_timeout_s", "pseudonym_key_file", "metrics_port",
    "metrics_host", "failpoint", "log_level", "log_format",
)  # fmt: skip


@command()
@click.argument("schema", metavar="FORMAT")
@click.option("--from", "topic", metavar="TOPIC", required=True, help="the foreign topic")
@click.option("--accept-gap", is_flag=True, help="go on although Kafka has deleted records that are not translated")
@with_settings(*SETTINGS)
def bridge(settings: Settings, schema: str, topic: str, accept_gap: bool) -> None:
    """Translate the records of a foreign topic into playback events, each once, until SIGTERM or Ctrl-C.

    FORMAT: adobe_media_collection, jellyfin_webhook, mux_views, plex_webhook, segment_video, snowplow_media or
    xapi_video. Several processes of one bridge share the partitions. What cannot be translated goes to the topic
    APP_ID-bridge-FORMAT-TOPIC-dead-letters. Exit 0: stopped by a signal; 1: Kafka or the state failed; 2: a bad
    setting.
    """
    import asyncio
    import gc
    import os

    gc.disable()
    from models.sources.schemas import schemas
    from streams.bridge.process import BridgeProcess
    from streams.config.settings import BadSetting
    from streams.observability.logs import log_to_stderr

    if schema not in schemas():
        raise click.UsageError(f"FORMAT {schema} is not known; use one of {', '.join(schemas())}")
    log_to_stderr(settings.log_level, settings.log_format)
    insist_on_json(settings)
    settings = kafka_located(settings)
    if topic == settings.source_topic:
        raise click.UsageError(
            f"--from {topic}: this is the topic of playback events; name the one of the player's messages"
        )
    try:
        process = BridgeProcess(settings, schema, topic, accept_gap=accept_gap)
    except BadSetting as problem:
        raise click.UsageError(str(problem)) from None

    async def run() -> None:
        code = await process.run()
        # Everything that must be done is done; threads and tasks of the Kafka clients may hold on for long.
        os._exit(code)

    asyncio.run(run())
