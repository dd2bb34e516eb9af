"""`encore config show`: every setting's value and where it comes from.

Owns the output; secrets are masked.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource
from pydantic import SecretStr

from streams.cli.options import group, with_settings
from streams.cli.reading import console
from streams.config.redis_address import without_password
from streams.config.settings import Settings, variable

if TYPE_CHECKING:
    from rich.table import Table


@group()
def config() -> None:
    """The settings."""


@config.command()
@click.option("--json", "as_json", is_flag=True, help="print the settings as one JSON object")
@with_settings()
def show(settings: Settings, as_json: bool) -> None:
    """Show the settings that a worker started here would use. Bold: set by an option or the environment."""
    values = {name: _masked(value) for name, value in settings.model_dump().items()}
    if as_json:
        click.echo(json.dumps({variable(name): value for name, value in values.items()}, ensure_ascii=False))
        return
    console().print(_table(values))


def _masked(value: object) -> object:
    if isinstance(value, SecretStr):
        return "***" if value else ""
    return without_password(value) if isinstance(value, str) else value


def _table(values: dict[str, object]) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="dim")
    for head in ("setting", "value", "from"):
        table.add_column(head, overflow="fold")
    for name, value in values.items():
        source = _source(name)
        style = "dim" if source == "default" else "bold"
        table.add_row(
            Text(variable(name), style), Text("empty" if value == "" else str(value), style), Text(source, style)
        )
    return table


def _source(name: str) -> str:
    if click.get_current_context().get_parameter_source(f"set_{name}") is ParameterSource.COMMANDLINE:
        return "option"
    return "environment" if variable(name) in os.environ else "default"
