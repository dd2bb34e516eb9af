"""`encore notify`: tell verdicts to a webhook.

Owns the options, the output and the exit code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from streams.cli.options import command, with_settings
from streams.cli.reading import READER, address

if TYPE_CHECKING:
    from streams.config.settings import Settings


@command()
@click.option("--from-now", is_flag=True, help="start a new group at the present, not at the oldest verdict in Redis")
@with_settings(
    *READER, "webhook", "webhook_secret_file", "webhook_group", "webhook_timeout_s", "metrics_port", "metrics_host",
    "log_level", "log_format",
)  # fmt: skip
def notify(settings: Settings, from_now: bool) -> None:
    """Send verdicts to a webhook: a title became unstoppable, or completions reached 10, 100, 1000….

    Verdicts are sent in order. Each is repeated until the webhook accepts it, also after a restart. The answer 410 ends
    the command. Exit 0: stopped by a signal or by 410; 1: Redis refuses; 2: a bad setting.
    """
    import asyncio

    from streams.observability.listening import PortTaken
    from streams.observability.logs import log_to_stderr
    from streams.operations.telling import run_notify
    from streams.operations.webhook import BadSecret, Gone, read_secret
    from streams.reader import ReaderError

    if not settings.webhook:
        raise click.UsageError("ENCORE_WEBHOOK is not set: set it to the receiver's URL, https://…")
    try:
        key = read_secret(settings.webhook_secret_file)
    except BadSecret as problem:
        raise click.UsageError(f"ENCORE_WEBHOOK_SECRET_FILE={settings.webhook_secret_file!r}: {problem}") from None
    log_to_stderr(settings.log_level, settings.log_format)
    try:
        asyncio.run(run_notify(settings, address(settings), key, from_now=from_now))
    except Gone:
        click.echo("the webhook answers 410: it wants no more verdicts; where it stands is kept")
    except (PortTaken, ReaderError) as problem:
        raise click.ClickException(str(problem)) from None
