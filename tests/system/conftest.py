"""Applications for system tests: made from an environment, and ended with the test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest
from application import Application


class OwnRedis(NamedTuple):
    """The shared Kafka and a Redis of the test's own."""

    kafka: str
    redis: str


@pytest.fixture
def application_of(tmp_path: Path) -> Iterator[Callable[[dict[str, str]], Application]]:
    """`application_of(environment)`: an application whose processes end with the test."""
    with ExitStack() as cleanup:

        def make(environment: dict[str, str]) -> Application:
            folder = tmp_path / environment["ENCORE_APP_ID"]
            folder.mkdir()
            made = Application(environment, folder)
            cleanup.callback(made.close)
            return made

        yield make


@pytest.fixture
def application(encore_env, application_of) -> Application:
    """A fresh application on the shared servers, four partitions."""
    return application_of(encore_env)


@pytest.fixture
def on_private_redis(servers, private_redis, env_on, application_of) -> Application:
    """A fresh application on the shared Kafka and the test's own Redis (`private_redis.redis_server`)."""
    return application_of(env_on(OwnRedis(servers.kafka, private_redis.redis)))
