"""Pseudonyms of households: stable, and not reversible without the key.

Owns how a pseudonym is computed: HMAC-SHA-256 (RFC 2104), its leftmost 128 bits, in hexadecimal digits; and what
is left of a reason.
"""

from __future__ import annotations

import hmac

SHORTEST_KEY_BYTES = 32
"""A key must have as many bytes as the hash: fewer weaken it (RFC 2104, section 3)."""

_BYTES = 16
"""Half of the hash, the least that RFC 2104 (section 5) advises. Among a thousand million households, the probability
that any two share a pseudonym is below 10⁻²⁰."""


class Pseudonyms:
    """Computes pseudonyms with one key. Raises `ValueError` if the key is too short."""

    def __init__(self, key: bytes) -> None:
        if len(key) < SHORTEST_KEY_BYTES:
            raise ValueError(f"the key has {len(key)} bytes, accepted: {SHORTEST_KEY_BYTES} or more")
        self._key = key

    def of(self, household: bytes) -> str:
        """The pseudonym of a household's id in UTF-8, or of any record key: 32 hexadecimal digits."""
        return hmac.digest(self._key, household, "sha256")[:_BYTES].hex()

    def fingerprint(self) -> str:
        """Identifies the key: the pseudonym of the empty id, which no household can have."""
        return self.of(b"")


def without_quotes(reason: str) -> str:
    """Why a record is no event, without the words that a decoder quotes of it: ids may be among them."""
    # A text with an apostrophe in it is quoted by the other quotes.
    quotes = [at for at, letter in enumerate(reason) if letter in "'\""]
    return f"{reason[: quotes[0]]}'...'{reason[quotes[-1] + 1 :]}" if len(quotes) > 1 else reason
