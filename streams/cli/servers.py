"""Finds the servers for commands: from the settings or the devstack.

Owns the error if there are none, and that of a command that would write another format than the one that is set.
"""

from __future__ import annotations

import click

from streams.config.rule_settings import JSON
from streams.config.settings import Settings


def located(settings: Settings, failure: type[click.ClickException] = click.ClickException) -> Settings:
    """The settings with the addresses of Kafka and Redis in them. Raises `failure` if there are none."""
    from streams.tools.devstack import NoServers
    from streams.tools.devstack import located as find

    try:
        return find(settings)
    except NoServers as problem:
        raise failure(str(problem)) from None


def insist_on_json(settings: Settings) -> None:
    """Refuse to write events to a topic for which another format is set: whoever else reads it expects that."""
    if settings.source_format != JSON:
        raise click.UsageError(
            f"ENCORE_SOURCE_FORMAT={settings.source_format}: this command writes {JSON}. Workers read that beside"
            f" {settings.source_format}: set {JSON} here if all other readers of {settings.source_topic} do too"
        )


def kafka_located(settings: Settings) -> Settings:
    """The same where only Kafka is needed."""
    return settings if settings.kafka else located(settings)
