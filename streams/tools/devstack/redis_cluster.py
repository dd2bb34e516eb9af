"""A Redis Cluster: three primaries that share the slots, each with the requested number of replicas.

Owns how nodes are joined and slots are shared.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from streams.tools.devstack.process import ServerFailed
from streams.tools.devstack.redis import RedisServer, client_of
from streams.tools.devstack.redis_group import RedisGroup
from streams.tools.devstack.servers import HOST

SLOTS = 16_384
PRIMARIES = 3


class RedisClusterServers(RedisGroup):
    """Use as a context manager. `nodes`: the first three are the primaries that it begins with."""

    def __init__(self, folder: Path, replicas: int = 0) -> None:
        count = PRIMARIES * (1 + replicas)
        self.nodes = [RedisServer(folder / f"node-{number}", clustered=True) for number in range(count)]

    @property
    def everyone(self) -> list[RedisServer]:
        """All nodes."""
        return self.nodes

    @property
    def address(self) -> str:
        """`redis+cluster://HOST:PORT,…`."""
        return f"redis+cluster://{','.join(f'{HOST}:{node.port}' for node in self.nodes)}"

    def start(self) -> None:
        """Start all nodes and join them. Raises `ServerFailed`."""
        for node in self.nodes:
            node.start()
        self._share_slots()
        self._meet()
        for number, node in enumerate(self.nodes[PRIMARIES:]):
            primary_id = self._ask(self.nodes[number % PRIMARIES], "CLUSTER MYID")
            self._ask(node, "CLUSTER REPLICATE", primary_id)
        self.wait_until(self._is_whole, "the nodes of the cluster agree")

    def _share_slots(self) -> None:
        for number, node in enumerate(self.nodes[:PRIMARIES]):
            first, end = (SLOTS * each // PRIMARIES for each in (number, number + 1))
            self._ask(node, "CLUSTER ADDSLOTS", *range(first, end))
            self._ask(node, "CLUSTER SET-CONFIG-EPOCH", number + 1)

    def _meet(self) -> None:
        for node in self.nodes[1:]:
            self._ask(self.nodes[0], "CLUSTER MEET", HOST, node.port)
        self.wait_until(
            lambda: all(int(self._info(node)["cluster_known_nodes"]) == len(self.nodes) for node in self.nodes),
            "the nodes of the cluster know each other",
        )

    def _is_whole(self) -> bool:
        return all(
            self._info(node)["cluster_state"] == "ok" and len(self._ask(node, "CLUSTER SLOTS")) == PRIMARIES
            for node in self.nodes
        ) and all(self._is_copied(node) for node in self.nodes[PRIMARIES:])

    def _is_copied(self, node: RedisServer) -> bool:
        with client_of(node.port) as client:
            return bool(client.info("replication").get("master_link_status") == "up")

    def owner_of(self, key: str) -> RedisServer:
        """The node that accepts writes to a key now, by the running nodes. Raises `ServerFailed` if none does."""
        for asked in self.nodes:
            if asked.running:
                slot = self._ask(asked, "CLUSTER KEYSLOT", key)
                ports = [range_[2][1] for range_ in self._ask(asked, "CLUSTER SLOTS") if range_[0] <= slot <= range_[1]]
                return next(node for node in self.nodes if node.port == ports[0])
        raise ServerFailed("no node of the cluster runs")

    def wait_for_another(self, key: str, former: RedisServer) -> RedisServer:
        """Wait until another node has taken a key's slot over. Raises `ServerFailed`."""
        self.wait_until(lambda: self.owner_of(key) is not former, "another node has the slot")
        return self.owner_of(key)

    def _info(self, node: RedisServer) -> dict[str, str]:
        found: dict[str, str] = self._ask(node, "CLUSTER INFO")
        return found

    def _ask(self, node: RedisServer, *words: str | int) -> Any:
        with client_of(node.port) as client:
            client.response_callbacks.pop("CLUSTER SLOTS", None)
            answer = client.execute_command(*words)
        return answer.decode() if isinstance(answer, bytes) else answer
