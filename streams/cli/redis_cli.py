"""`encore redis-cli`: the program redis-cli that comes with the devstack's Redis, connected to the counters."""

from __future__ import annotations

import os

import click

from streams.cli.options import command, with_settings
from streams.cli.reading import address
from streams.config.settings import Settings

_PASSED_ON = {"ignore_unknown_options": True, "allow_interspersed_args": False}


@command("redis-cli", context_settings=_PASSED_ON)
@click.argument("words", metavar="[COMMAND]...", nargs=-1, type=click.UNPROCESSED)
@with_settings("redis", "devstack_dir")
def redis_cli(settings: Settings, words: tuple[str, ...]) -> None:
    """Send a command to Redis, such as HGETALL encore:status; without one, ask for commands.

    All arguments but the options below are passed to the program redis-cli. It connects to one server, without TLS.
    """
    from streams.tools.devstack import ServerFailed
    from streams.tools.devstack.redis import redis_client

    url = address(settings)
    try:
        program = str(redis_client())
    except ServerFailed as failure:
        raise click.ClickException(str(failure)) from None
    where, login = _connection(url)
    os.execve(program, [program, *where, *words], os.environ | login)


def _connection(url: str) -> tuple[list[str], dict[str, str]]:
    """The program's options, and its variables: others see a command's arguments, so no password is among them."""
    from streams.config.redis_address import SINGLE, read_address, without_password

    redis = read_address(url)
    if redis.kind != SINGLE or redis.tls or not redis.nodes:
        raise click.UsageError(
            f"ENCORE_REDIS={without_password(url)!r}: this command connects to one server only, redis://HOST:PORT/DB"
        )
    ((host, port),) = redis.nodes
    user = ["--user", redis.username] if redis.username else []
    login = {"REDISCLI_AUTH": redis.password} if redis.password else {}
    return ["-h", host, "-p", str(port), "-n", str(redis.db), *user], login
