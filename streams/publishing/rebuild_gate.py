"""Whether publishing is held back: during a rebuild, readers keep seeing the former counters.

Owns the worker's part in that: which of its partitions are being recounted, and whether any other worker's are.
"""

from __future__ import annotations

from collections.abc import Mapping

from streams.publishing.partition_status import PartitionHealth
from streams.publishing.sink import Readable, Sink


class Hold:
    """`is_on`: publishing is held back. It is on until Redis says that no partition is being recounted.

    Redis must be asked again when a partition is opened, and after a loss of data.
    """

    def __init__(self, sink: Sink, status_key: str) -> None:
        self.is_on = True
        self._sink = sink
        self._status_key = status_key
        self._recounts: dict[int, bool] = {}
        self._was_rebuild = False

    def ask_again(self) -> None:
        """Hold publishing back until Redis is asked again."""
        self.is_on = True

    def note(self, partition: int, recounts: bool) -> None:
        """Note whether a partition of this worker is being recounted."""
        self._recounts[partition] = recounts

    def forget(self, partition: int) -> None:
        """Leave a partition to its next owner."""
        self._recounts.pop(partition, None)

    async def is_over(self, health: Mapping[int, PartitionHealth]) -> bool:
        """Ask Redis, and show readers how far the rebuild is. Returns whether a rebuild has just ended.

        Raises `Unreachable` and `DataLost`; publishing stays held back then.
        """
        # If a partition is opened during the call to Redis, that switches it on again.
        self.is_on, left = False, 1
        try:
            left = await self._sink.note_recounts(self._recounts)
            if left:
                self._was_rebuild = True
                await self._sink.note_partitions(health)
                await self._tell(left)
        finally:
            self.is_on = self.is_on or left > 0
        was_rebuild, self._was_rebuild = self._was_rebuild, self._was_rebuild and self.is_on
        return was_rebuild and not self.is_on

    async def _tell(self, left: int) -> None:
        """Write the progress into the status hash; its counters stay as they are."""
        revision = (await self._sink.add_shares([self._status_key], [0], [[]])).revisions[0]
        fields = [*(await self._sink.read_state()).status, "rebuilding", str(left)]
        await self._sink.write_hashes([Readable(self._status_key, revision, 0, fields)])
