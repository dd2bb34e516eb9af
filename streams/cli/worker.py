"""`encore worker`: run one worker until it is stopped."""

from __future__ import annotations

import click

from streams.cli.options import command, with_settings
from streams.cli.servers import located
from streams.config.settings import Settings

_OF_OTHER_COMMANDS = ("archive", "bridge_", "collect_", "dashboard_", "read_key_", "webhook")
SETTINGS = tuple(name for name in Settings.model_fields if not name.startswith(_OF_OTHER_COMMANDS))


@command()
@with_settings(*SETTINGS)
def worker(settings: Settings) -> None:
    """Read playback events, count them, and publish the counters to Redis, until SIGTERM or Ctrl-C.

    Workers of one application share the partitions of the source topic. Exit 0: stopped by a signal; 1: Kafka,
    Redis or the state failed; 2: a bad setting.
    """
    import asyncio
    import gc
    import os

    # What is imported stays: looking for cycles in it is a twelfth of the start. The worker says when it collects.
    gc.disable()
    from streams.observability.logs import log_to_stderr
    from streams.registry.decoder import decoder_of
    from streams.worker.process import Worker

    log_to_stderr(settings.log_level, settings.log_format)
    settings = located(settings, click.UsageError)
    decoder_of(settings)  # if it is not installed, say so before anything else

    async def run() -> None:
        code = await Worker(settings).run()
        # Everything that must be done is done; threads and tasks of the Kafka clients may hold on for long.
        os._exit(code)

    asyncio.run(run())
