"""Pseudonyms of households: stable, and not reversible without the key.

Owns how a pseudonym is computed: HMAC-SHA-256 (RFC 2104), its leftmost 128 bits, in hexadecimal digits.
"""

from __future__ import annotations

import hmac

SHORTEST_KEY_BYTES = 32
"""A key has as many bytes as the hash, RFC 2104 (section 3) says: fewer weaken it."""

_BYTES = 16
"""Half of the hash, the least that RFC 2104 (section 5) advises: two of a thousand million households share one with a
probability below 10⁻²⁰."""


class Pseudonyms:
    """The pseudonyms by one key. Raises `ValueError` for a key that is too short."""

    def __init__(self, key: bytes) -> None:
        if len(key) < SHORTEST_KEY_BYTES:
            raise ValueError(f"the key has {len(key)} bytes, accepted: {SHORTEST_KEY_BYTES} or more")
        self._key = key

    def of(self, household: bytes) -> str:
        """The pseudonym of a household's id in UTF-8, or of a record's key, whatever it is: 32 characters."""
        return hmac.digest(self._key, household, "sha256")[:_BYTES].hex()

    def fingerprint(self) -> str:
        """Which key it is: the pseudonym of no household, since an id is not empty."""
        return self.of(b"")
