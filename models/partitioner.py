"""Which partition a key belongs to: murmur2 as Java's producer computes it.

Source of the definition: Apache Kafka, `org.apache.kafka.common.utils.Utils.murmur2`.
"""

from __future__ import annotations

from struct import unpack_from
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    # Compiled, these are machine integers: no product here needs more than 64 bits.
    from mypy_extensions import i64

_SEED: Final = 0x9747B28C
_M: Final = 0x5BD1E995
_MASK: Final = 0xFFFFFFFF


def murmur2(key: bytes) -> int:
    """The 32-bit hash of a key, as an unsigned number."""
    whole = len(key) & ~3
    value: i64 = _SEED ^ len(key)
    word: i64
    for word in unpack_from(f"<{whole // 4}I", key):
        word = word * _M & _MASK
        value = value * _M & _MASK ^ (word ^ word >> 24) * _M & _MASK
    if whole < len(key):
        value = (value ^ int.from_bytes(key[whole:], "little")) * _M & _MASK
    value = (value ^ value >> 13) * _M & _MASK
    return value ^ value >> 15


def partition_of(key: bytes, partitions: int) -> int:
    """The partition of a key, from 0, in a topic that has `partitions` of them."""
    return (murmur2(key) & 0x7FFFFFFF) % partitions
