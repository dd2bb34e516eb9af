"""The servers that keep running after the command that started them: `encore devstack up`.

Owns their folder, and how other commands find them.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

from streams.config.settings import Settings
from streams.tools.devstack.cache import cache_folder, locked
from streams.tools.devstack.stack import Devstack


class NoServers(Exception):
    """Neither a setting nor a running devstack says where the servers are. The message is one line."""


def located(settings: Settings) -> Settings:
    """The settings; empty addresses are replaced by those of the running devstack. Raises `NoServers`."""
    if settings.kafka and settings.redis:
        return settings
    stack = background(settings)
    kafka = settings.kafka or (stack.kafka if any(broker.running for broker in stack.brokers) else "")
    redis = settings.redis or (stack.redis if stack.redis_server.running else "")
    if not kafka or not redis:
        missing = " and ".join(name for name, found in (("Kafka", kafka), ("Redis", redis)) if not found)
        raise NoServers(f"no {missing}: set ENCORE_KAFKA and ENCORE_REDIS, or run `encore devstack up`")
    return settings.model_copy(update={"kafka": kafka, "redis": redis})


def background(settings: Settings, brokers: int = 0) -> Devstack:
    """The servers of the devstack's folder, running or not. `brokers` 0: as many as it has, else one.

    Raises `ServerFailed` where it has another number of brokers.
    """
    return Devstack(_folder(settings), brokers=brokers, tied=False)


def changing(settings: Settings) -> AbstractContextManager[None]:
    """One command at a time starts or ends them."""
    return locked(_folder(settings) / "lock")


def _folder(settings: Settings) -> Path:
    return Path(settings.devstack_dir).resolve() if settings.devstack_dir else cache_folder() / "devstack"
