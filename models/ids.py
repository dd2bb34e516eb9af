"""Packs ids: a UUID in its usual text becomes sixteen bytes, anything else stays as it is.

Equal ids have equal short forms, so short forms can be compared. Of many ids that are only compared, long ones are
digests.
"""

from __future__ import annotations

from binascii import unhexlify
from hashlib import blake2b
from typing import Any, Final

Id = Any
"""An id: text, the sixteen bytes of a UUID, or the twelve of a digest. (msgspec decodes no union of text and bytes.)"""

_LONGEST_TEXT_BYTES: Final = 16


def short(text: str) -> Id:
    """The id in its short form: sixteen bytes for a UUID in lower case, else the same text."""
    if len(text) != 36 or text[8:24:5] != "----":
        return text
    digits = text.replace("-", "")
    try:
        packed = unhexlify(digits)
    except ValueError:
        return text
    # `full` must restore the same text: only lower case, and digits in all 32 places.
    return packed if len(packed) == 16 and packed.hex() == digits else text


def full(packed: Id) -> str:
    """The id from its short form."""
    if isinstance(packed, str):
        return packed
    digits = packed.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def digest(text: str) -> Id:
    """The id in the form in which many are kept, to be compared and never shown: at most sixteen bytes."""
    packed = short(text)
    data = text.encode()
    if packed is not text or len(data) <= _LONGEST_TEXT_BYTES:
        return packed
    return blake2b(data, digest_size=12).digest()
