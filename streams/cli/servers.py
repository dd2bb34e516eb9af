"""Finds the servers for commands: from the settings or the devstack.

Owns the error if there are none.
"""

from __future__ import annotations

import click

from streams.config.settings import Settings


def located(settings: Settings, failure: type[click.ClickException] = click.ClickException) -> Settings:
    """The settings with the addresses of Kafka and Redis in them. Raises `failure` if there are none."""
    from streams.tools.devstack import NoServers
    from streams.tools.devstack import located as find

    try:
        return find(settings)
    except NoServers as problem:
        raise failure(str(problem)) from None


def kafka_located(settings: Settings) -> Settings:
    """The same where only Kafka is needed."""
    return settings if settings.kafka else located(settings)
