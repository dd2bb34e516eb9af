"""Packs ids: a UUID in its usual text becomes sixteen bytes, anything else stays as it is.

Equal ids have equal short forms, so short forms can be compared.
"""

from __future__ import annotations

from binascii import unhexlify
from typing import Any

Id = Any
"""An id: text, or the sixteen bytes of a UUID. (msgspec decodes no union of the two.)"""


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
