"""`encore dashboard`: the counters in a browser, live.

Owns the options, the output and the exit codes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from streams.cli.options import command, with_settings
from streams.cli.reading import READER, address, names_option

if TYPE_CHECKING:
    from streams.config.settings import Settings
    from streams.display.titles_file import Names


@command()
@names_option
@with_settings(*READER, "dashboard_host", "dashboard_port", "read_key_file", "metrics_port", "metrics_host")
def dashboard(settings: Settings, names: Names) -> None:
    """Serve live counters to browsers, and the HTTP API to programs, until SIGTERM or Ctrl-C.

    It reads Redis and never writes. The API is at /api/v1 (docs/api.md).
    """
    from streams.api.read_key import BadKeys, read_keys
    from streams.dashboard.server import ServedCounters, opened, run_dashboard
    from streams.observability.listening import PortTaken
    from streams.reader import ReaderError

    try:
        keys = read_keys(settings.read_key_file) if settings.read_key_file else None
    except BadKeys as problem:
        raise click.UsageError(f"ENCORE_READ_KEY_FILE={problem}") from None
    served = ServedCounters(
        url=address(settings),
        prefix=settings.redis_prefix,
        names=names,
        host=settings.dashboard_host,
        keys=keys,
        metrics_host=settings.metrics_host,
        metrics_port=settings.metrics_port,
    )

    def say(where: str) -> None:
        click.echo(f"The dashboard is at {where} (Ctrl-C ends it)")

    try:
        with opened(settings.dashboard_host, settings.dashboard_port) as listening:
            run_dashboard(served, listening, say)
    except (PortTaken, ReaderError) as problem:
        raise click.ClickException(str(problem)) from None
