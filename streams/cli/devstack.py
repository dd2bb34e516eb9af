"""`encore devstack up|down|status`: a Kafka and a Redis that run in the background.

Owns the output.
"""

from __future__ import annotations

import sys

import click

from streams.cli.options import group, with_settings
from streams.config.settings import Settings


@group()
def devstack() -> None:
    """A real Kafka and a real Redis for this machine, without containers."""


@devstack.command()
@click.option(
    "--brokers",
    type=click.Choice(["1", "3"]),
    help="number of Kafka brokers [default: as in the folder, in a new one 1]",
)
@with_settings("devstack_dir")
def up(settings: Settings, brokers: str | None) -> None:
    """Start the servers if they are not running, and print their addresses as shell commands."""
    from streams.tools.devstack import ServerFailed
    from streams.tools.devstack.background import background, changing

    try:
        with changing(settings):
            stack = background(settings, int(brokers or 0))
            stack.up()
    except ServerFailed as failure:
        raise click.ClickException(str(failure)) from None
    _print_addresses(stack.kafka, stack.redis)


@devstack.command()
@with_settings("devstack_dir")
def down(settings: Settings) -> None:
    """Stop the servers. Their data stays in the folder."""
    from streams.tools.devstack.background import background, changing

    with changing(settings):
        background(settings).stop()


@devstack.command()
@with_settings("devstack_dir")
def status(settings: Settings) -> None:
    """Show whether all servers run and answer. Exit 0: they do; 1: they do not."""
    from streams.tools.devstack.background import background

    stack = background(settings)
    for server in (*stack.brokers, stack.redis_server):
        state = "ready" if server.ready else "running, does not answer" if server.running else "down"
        where = f" {server.address} (process {server.pid})" if server.running else ""
        click.echo(f"{server.name}: {state}{where}", err=True)
    if not stack.ready:
        sys.exit(1)
    _print_addresses(stack.kafka, stack.redis)


def _print_addresses(kafka: str, redis: str) -> None:
    click.echo(f"export ENCORE_KAFKA={kafka} ENCORE_REDIS={redis}")
