"""Turns every setting into an option of a command, so that each is declared once.

Owns the mapping from `Settings` fields to click options. It must not know what a command does.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from streams.settings import ENV_PREFIX, BadSetting, Settings, load


def with_settings(*names: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a command the named settings as options (all where none is named); it receives `settings`."""

    fields = names or tuple(Settings.model_fields)

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(command)
        def run(**arguments: Any) -> Any:
            given = {name: arguments.pop(f"set_{name}") for name in fields}
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


def _option(name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    field = Settings.model_fields[name]
    shown = f"{field.description} [{ENV_PREFIX}{name.upper()}, default {field.default!r}]"
    return click.option(f"--{name.replace('_', '-')}", f"set_{name}", default=None, metavar="VALUE", help=shown)
