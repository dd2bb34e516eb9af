"""Moves readers from one application to another in one step: `docs/decisions/0026`.

Owns when that is refused, and for how long the one that is shown is held still. One script compares both and sets the
alias, so nothing can change between the two.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any, NamedTuple

from streams.config.redis_address import CLUSTER, hash_tag, read_address
from streams.config.settings import Settings
from streams.display.numbers import many
from streams.publishing.scripts import Scripts, answer
from streams.reader.alias import PREFIX
from streams.redis.clients import async_client
from streams.redis.keys import Keys

HELD_S = 10.0
"""How long the counters that are shown may stand still, until those of the other application are as far."""

NEARLY = 100_000
"""How many records an application may be behind, and still be waited for."""

_TIMEOUT_S, _PAUSE_S = 5.0, 0.02
_MOVED, _BEHIND = "moved", "behind"


class PromotionRefused(Exception):
    """Readers were not moved. The message is one line that says why and what to do."""


class Promotion(NamedTuple):
    """The prefix that readers were shown before, and the one that they are shown now."""

    before: str
    now: str


async def promote(settings: Settings, prefix: str, *, force: bool = False) -> Promotion:
    """Show the application under `prefix` to those who read under the prefix of the settings.

    `force`: although they may see less than before. Raises `PromotionRefused`, `Unreachable`.
    """
    _check_slot(settings, prefix)
    client = async_client(settings.redis_url, socket_timeout=_TIMEOUT_S, socket_connect_timeout=_TIMEOUT_S)
    try:
        before = await shown_prefix(client, settings.redis_prefix)
        if before != prefix:
            await _Move(client, settings.redis_prefix, before, prefix, force).until_done()
        return Promotion(before, prefix)
    finally:
        await client.aclose()


async def shown_prefix(client: Any, prefix: str) -> str:
    """The prefix of the application that is shown to those who read under this prefix. Raises `Unreachable`."""
    found = await answer(client.hget(Keys(prefix).alias, PREFIX))
    return prefix if found is None else found.decode()


def _check_slot(settings: Settings, prefix: str) -> None:
    tag = hash_tag(settings.redis_prefix)
    if read_address(settings.redis_url).kind == CLUSTER and hash_tag(prefix) != tag:
        raise PromotionRefused(
            f"{prefix!r}: on a Redis Cluster the prefix needs the hash tag of {settings.redis_prefix!r}, such as"
            f" {{{tag}}}-2:, because one script compares both applications"
        )


class _Move:
    """A move of readers from one application to another."""

    def __init__(self, client: Any, own: str, before: str, after: str, force: bool) -> None:
        self._client, self._scripts = client, Scripts(client)
        self._before, self._after, self._force = Keys(before), Keys(after), force
        self._alias = Keys(own).alias

    async def until_done(self) -> None:
        """Move them as soon as the other application is as far. Raises `PromotionRefused`."""
        until_s = time.monotonic() + HELD_S
        try:
            while (found := await self._once())[0] != _MOVED:
                is_near = found[0] == _BEHIND and int(found[1]) <= NEARLY
                if not is_near or time.monotonic() > until_s:
                    raise PromotionRefused(self._why(*found))
                # The one that is shown stands still, or the other would have to overtake it in every partition at once.
                left_ms = int(1000 * (until_s - time.monotonic())) + 1
                await answer(self._client.set(self._before.hold, "1", px=left_ms))
                await asyncio.sleep(_PAUSE_S)
        finally:
            await answer(self._client.delete(self._before.hold))

    async def _once(self) -> tuple[str, str]:
        """Move them if that is right now: what became of it, and what that is about."""
        before, after = self._before, self._after
        keys = [self._alias, before.offsets, after.marker, after.offsets, after.pending, after.rebuilding]
        found = await self._scripts.run(
            "promote", [*keys, before.published], after.prefix, int(self._force), before.prefix
        )
        texts = [part.decode() if isinstance(part, bytes) else str(part) for part in found]
        return texts[0], texts[1] if len(texts) > 1 else ""

    def _why(self, what: str, about: str) -> str:
        before, after = self._before.prefix, self._after.prefix
        number = int(about) if about.isdecimal() else 0
        return {
            "another": f"somebody else has just moved readers to {about}",
            "nothing": f"nothing is published under {after!r}: start the workers of the new application",
            "recounts": f"{after!r} is still recounting {many(number, 'partition')}: wait until it has finished",
            "incomplete": f"{after!r} is not complete: wait until its hashes say complete 1, with a worker for each of"
            " its partitions",
            "unknown": f"some workers of {before!r} are of an earlier version, and do not note how far they are:"
            f" wait until `encore lag` of the application under {after!r} says 0, then use --force; readers may see"
            " slightly older numbers for a moment",
            "topics": f"{before!r} and {after!r} count different source topics, so how far they are cannot be compared;"
            " --force moves readers anyway",
            _BEHIND: f"{after!r} is {many(number, 'record')} behind what readers see in {before!r}: wait"
            " until it has caught up, or use --force: readers then see older numbers",
        }[what]
