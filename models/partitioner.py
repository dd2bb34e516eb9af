"""Which partition a key belongs to: murmur2 as Java's producer computes it.

Source of the definition: Apache Kafka, `org.apache.kafka.common.utils.Utils.murmur2`.
"""

from __future__ import annotations

from struct import unpack_from

_SEED, _M, _MASK = 0x9747B28C, 0x5BD1E995, 0xFFFFFFFF


def murmur2(key: bytes) -> int:
    """The 32-bit hash of a key, as an unsigned number."""
    whole = len(key) & ~3
    value = _SEED ^ len(key)
    for word in unpack_from(f"<{whole // 4}I", key):
        word = word * _M & _MASK
        value = value * _M & _MASK ^ (word ^ word >> 24) * _M & _MASK
    if whole < len(key):
        value = (value ^ int.from_bytes(key[whole:], "little")) * _M & _MASK
    value = (value ^ value >> 13) * _M & _MASK
    return value ^ value >> 15


def partition_of(key: bytes, partitions: int) -> int:
    """The partition of a key among so many."""
    return (murmur2(key) & 0x7FFFFFFF) % partitions
