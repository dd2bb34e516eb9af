"""Turns every setting into an option of a command, so that each is declared once.

Owns the mapping from `Settings` fields to click options.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from streams.config.redis_address import BadAddress, read_address
from streams.config.settings import SECRETS, BadSetting, Settings, kin, load, variable


def with_settings(*names: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a command the named settings as options (by default all); it receives `settings`.

    The address of a server brings the other settings of its clients along, except secrets.
    """

    named = [each for name in names or Settings.model_fields for each in (name, *kin(name))]
    fields = tuple(name for name in dict.fromkeys(named) if name not in SECRETS)

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(command)
        def run(**arguments: Any) -> Any:
            given = {name: arguments.pop(f"set_{name}") for name in fields}
            _refuse_passwords(given.get("redis"))
            try:
                settings = load(**given)
            except BadSetting as problem:
                raise click.UsageError(str(problem)) from None
            return command(settings=settings, **arguments)

        optioned: Callable[..., Any] = run
        for name in reversed(fields):
            optioned = _option(name)(optioned)
        return optioned

    return decorate


def _refuse_passwords(redis: str | None) -> None:
    try:
        has_password = bool(redis and read_address(redis).password)
    except BadAddress:
        return
    if has_password:
        raise click.UsageError(
            "--redis: accepted: no password in it, as others see a command's arguments; set"
            f" {variable('redis_password_file')}, or {variable('redis')} in the environment"
        )


def _option(name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    field = Settings.model_fields[name]
    shown = f"{field.description} [{variable(name)}, default {field.default!r}]"
    return click.option(f"--{name.replace('_', '-')}", f"set_{name}", default=None, metavar="VALUE", help=shown)
