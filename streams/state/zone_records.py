"""Zone data as records of the state changelog: a digest, then the bytes of a TZif file.

Owns the records' key and form. A digest detects damaged bytes, as Python's `zoneinfo` never finishes reading some of
them and crashes on others.
"""

from __future__ import annotations

from hashlib import sha256

from streams.state.tally_records import Message

ZONE = b"z"
"""The first byte of the key of a zone's row."""

_DIGEST_BYTES = 32


def zone_message(offset: int, name: str, data: bytes) -> Message:
    """The control row that says which data of a zone applies from a source offset on."""
    return {"key": ZONE + b"%020d|%b" % (offset, name.encode()), "value": sha256(data).digest() + data}


def read_zone(value: bytes) -> bytes:
    """The zone data in a control row. Raises `ValueError` if it is not what was written."""
    digest, data = value[:_DIGEST_BYTES], value[_DIGEST_BYTES:]
    if sha256(data).digest() != digest:
        raise ValueError("the zone data is damaged: it does not match its digest")
    return data
