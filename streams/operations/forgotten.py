"""Households that were forgotten, while the source topic is copied: their records are left out.

Owns that a household that is forgotten during the copy is forgotten in what was copied of it before, too.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import msgspec

from models.erasure import Erasures
from streams.config.settings import Settings
from streams.kafka.producer import Outgoing, send
from streams.kafka.reader import OptionalTopic
from streams.operations.copies import CopyNote
from streams.operations.titles import NOW
from streams.source.erasures import Erasure, take_erasure


class CopyErasures:
    """The erasures that hold for the records of one copy."""

    def __init__(self, settings: Settings, note: CopyNote, partitions: Collection[int]) -> None:
        self._settings, self._note = settings, note
        self._pseudonyms = settings.pseudonyms()
        self._messages = OptionalTopic(settings.kafka_address, settings.erasures_topic)
        self._rows: dict[str, Erasure] = {}
        self._of = {number: Erasures() for number in partitions}

    def read_on(self, written: Mapping[int, int]) -> None:
        """Take in new erasures. `written`: the ends of the new topic, below which a household may have records by now.

        Call it after the ends up to which is copied next are known. Then no erasure can reach less far than what is
        copied already, so all that was copied of its household is forgotten.
        """
        before = dict(self._rows)
        for message in self._messages.read_on():
            take_erasure(self._rows, message)
        source_id, copy_id = self._note.source_id, self._note.copy_id
        new = {
            digest: erasure
            for digest, erasure in self._rows.items()
            if erasure != before.get(digest) and erasure.topic_id == source_id
        }
        for number, erasures in self._of.items():
            erasures.note({digest: erasure.reaches(source_id, number) for digest, erasure in new.items()})
        if any(written.values()):
            ends = [written[number] for number in range(len(written))]
            self._tell({digest: ends for digest, erasure in new.items() if copy_id not in erasure.copies})

    def _tell(self, late: Mapping[str, list[int]]) -> None:
        """Extend erasures to what was copied before."""
        rows = [
            (digest, msgspec.structs.replace(self._rows[digest], copies={self._note.copy_id: ends}))
            for digest, ends in late.items()
        ]
        records = [Outgoing(0, digest.encode(), msgspec.json.encode(row), NOW) for digest, row in rows]
        if records:
            send(records, self._settings.kafka_address, self._settings.erasures_topic, stamp=False)

    def covers(self, message: Any) -> bool:
        """Whether an erasure covers this record."""
        erasures, offset, key = self._of[message.partition()], message.offset(), message.key()
        if offset >= erasures.below or key is None:
            return False
        household = key.decode(errors="replace") if self._pseudonyms is None else self._pseudonyms.of(key)
        return erasures.covers(household, offset)

    def close(self) -> None:
        self._messages.close()
