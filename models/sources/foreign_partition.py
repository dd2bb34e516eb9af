"""One partition of a foreign topic: what its records become, in their order, and when its sessions are forgotten.

Owns the form of a translated record, and the pace of forgetting. It is pure: the same records in the same order give
the same events, dead letters and memory, however they are cut into batches, and whoever goes on in between.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple, Protocol

import msgspec

from models.sources.identities import Identities
from models.sources.told import Rejected, Schema
from models.sources.translator import Translator

FORGOTTEN_EVERY: Final = 10_000
"""Sessions are forgotten after so many records."""

_NEVER_MS: Final = 1 << 62
_encode: Final = msgspec.json.Encoder().encode


class ForeignRecord(Protocol):
    """A record of the foreign topic; `timestamp` in ms."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None


class Refusal(NamedTuple):
    """A record that cannot be translated. `code`: of `told.REJECTED`; `text`: where and what."""

    record: ForeignRecord
    code: str
    text: str


class Forgetting(NamedTuple):
    """How far the next forgetting is: `records` since the last, and the least timestamp of these."""

    records: int = 0
    oldest_ms: int = _NEVER_MS


class Output(NamedTuple):
    """What records became: `events` as key, value and timestamp in ms, `refusals`, `left_out` by reason."""

    events: list[tuple[bytes, bytes, int]]
    refusals: list[Refusal]
    left_out: dict[str, int]


class ForeignPartition:
    """Translates a partition. `kept_ms`: how long a session is remembered after its last record.

    A session is forgotten by the least timestamp of the last records: a single one that is far ahead forgets nothing.
    """

    def __init__(
        self, schema: Schema, identities: Identities, kept_ms: int, *, forgotten_every: int = FORGOTTEN_EVERY
    ) -> None:
        self.forgetting = Forgetting()
        self._forgotten_every = forgotten_every
        self._translator = Translator(schema, identities)
        self._kept_ms = kept_ms
        self._output = Output([], [], {})

    @property
    def sessions(self) -> int:
        """How many sessions are remembered."""
        return len(self._translator.sessions)

    def take(self, records: Iterable[ForeignRecord]) -> None:
        """Translate records, which follow those before."""
        translator = self._translator
        taken, oldest_ms = self.forgetting
        events, refusals, left_out = self._output
        for record in records:
            timestamp_ms = record.timestamp
            try:
                found = translator.translate(record.value, timestamp_ms, record.key)
            except Rejected as problem:
                refusals.append(Refusal(record, problem.code, str(problem)))
            else:
                for event in found.events:
                    # A producer takes 0 for "now".
                    written_ms = timestamp_ms if timestamp_ms > 0 else 1
                    events.append((event.household_id.encode(), _encode(event), written_ms))
                for reason in found.left_out:
                    left_out[reason] = left_out.get(reason, 0) + 1
            taken += 1
            oldest_ms = min(oldest_ms, timestamp_ms)
            if taken == self._forgotten_every:
                translator.forget(oldest_ms - self._kept_ms)
                taken, oldest_ms = 0, _NEVER_MS
        self.forgetting = Forgetting(taken, oldest_ms)

    def drain(self) -> tuple[Output, dict[str, bytes | None]]:
        """What records became since the last call; and the sessions that changed, packed (None: forgotten)."""
        output, self._output = self._output, Output([], [], {})
        return output, self._translator.drain()

    def restore(self, key: str, packed: bytes | None) -> None:
        """Take a session as `drain` gave it; the last one counts."""
        if packed is None:
            self._translator.sessions.pop(key, None)
        else:
            self._translator.restore(key, packed)
