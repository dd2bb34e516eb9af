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
@click.option("--force", is_flag=True, help="even if readers then see older numbers than before")
@click.option("--json", "as_json", is_flag=True, help="print the answer as one line of JSON")
@with_settings("redis", "devstack_dir", "redis_prefix")
def promote(settings: Settings, prefix: str, force: bool, as_json: bool) -> None:
    """Show the application under PREFIX to everybody who reads under ENCORE_REDIS_PREFIX, in one step.

    The way back is the same command with the former prefix. Until the application under PREFIX has counted everything
    that readers have seen, those numbers stand still, for ten seconds at most. Exit 1: readers see what they saw
    before, as the other application is not complete, recounts, or is too far behind; or Redis does not answer.
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
