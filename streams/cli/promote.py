"""`encore promote`: show readers another application.

Owns the output and the exit code.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import click

from streams.cli.options import command, with_settings
from streams.cli.servers import located

if TYPE_CHECKING:
    from streams.config.settings import Settings


@command()
@click.argument("prefix")
@click.option("--force", is_flag=True, help="move readers even if they then see older numbers")
@click.option("--json", "as_json", is_flag=True, help="print the answer as one line of JSON")
@with_settings("redis", "devstack_dir", "redis_prefix")
def promote(settings: Settings, prefix: str, force: bool, as_json: bool) -> None:
    """Show the application under PREFIX to everybody who reads under ENCORE_REDIS_PREFIX, in one step.

    To go back, run the command with the former prefix. While the application under PREFIX catches up with what readers
    have seen, their numbers stand still, for ten seconds at most. Exit 1: nothing has changed for readers, because the
    other application is incomplete, is recounting, or is too far behind; or Redis does not answer.
    """
    from streams.operations.promote import PromotionRefused
    from streams.operations.promote import promote as run
    from streams.publishing.sink import Unreachable

    settings = settings if settings.redis else located(settings)
    try:
        done = asyncio.run(run(settings, prefix, force=force))
    except PromotionRefused as problem:
        raise click.ClickException(str(problem)) from None
    except Unreachable as problem:
        raise click.ClickException(f"Redis does not answer: {problem}; run it again") from None
    if as_json:
        click.echo(json.dumps(done._asdict()))
    elif done.before == done.now:
        click.echo(f"readers of {settings.redis_prefix} see {done.now} already")
    else:
        click.echo(f"readers of {settings.redis_prefix} see {done.now}, no more {done.before}")
