"""Turns every setting into an option of a command, so that each is declared once.

Owns the mapping from `Settings` fields to click options, and the order of a command's help: its own options first, then
settings, then connections.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, wraps
from typing import Any

import click

from streams.cli.summaries import Summarized
from streams.config.redis_address import BadAddress, read_address
from streams.config.settings import SECRETS, SERVERS, BadSetting, Settings, kin, load, variable


class Setting(click.Option):
    """An option that stands for a setting."""

    @property
    def section(self) -> str:
        """The heading under which a command's help shows it."""
        name = str(self.name).removeprefix("set_")
        connects = name in ("devstack_dir", *(each for server in SERVERS for each in (server, *kin(server))))
        return "Connections" if connects else "Settings"


class Command(click.Command):
    """A command whose help shows its own options first, then settings, then connections."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        sections: dict[str, list[tuple[str, str]]] = {"Options": [], "Settings": [], "Connections": []}
        for parameter in self.get_params(ctx):
            if (shown := parameter.get_help_record(ctx)) is not None:
                sections[parameter.section if isinstance(parameter, Setting) else "Options"].append(shown)
        for name, rows in sections.items():
            if rows:
                with formatter.section(name):
                    formatter.write_dl(rows)


class Group(Summarized, Command):
    """A group of such commands."""

    command_class = Command


command = partial(click.command, cls=Command)
group = partial(click.group, cls=Group)


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
            "--redis must not hold a password, because other users can see a command's arguments; set"
            f" {variable('redis_password_file')}, or {variable('redis')} in the environment"
        )


def _option(name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    field = Settings.model_fields[name]
    default = "" if field.default == "" else f", default {field.default}"
    shown = f"{field.description} [{variable(name)}{default}]"
    return click.option(
        f"--{name.replace('_', '-')}", f"set_{name}", cls=Setting, default=None, metavar="VALUE", help=shown
    )
