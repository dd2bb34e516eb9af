"""Java's murmur2, as another client computes it."""

from __future__ import annotations

import pytest
from kafka.partitioner.default import murmur2 as murmur2_of_kafka_python

from models.partitioner import murmur2, partition_of

KEYS = [bytes(range(250, 256))[:length] + "häuser😀"[:length].encode() for length in range(8)]
KEYS += [b"household-%d" % number for number in range(200)] + [bytes([255]) * 1_000, bytes(1_001)]


@pytest.mark.parametrize(
    ("key", "hashed"),
    [
        # The values that Apache Kafka's own UtilsTest asserts.
        (b"21", -973932308), (b"foobar", -790332482), (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971), (b"abc", 479470107),
    ],
)  # fmt: skip
def test_the_hash_is_javas(key: bytes, hashed: int) -> None:
    assert murmur2(key) == hashed % 2**32


@pytest.mark.parametrize("partitions", [1, 2, 4, 63])
def test_the_partition_is_where_other_clients_send_the_key(partitions: int) -> None:
    theirs = [(murmur2_of_kafka_python(key) & 0x7FFFFFFF) % partitions for key in KEYS]
    assert [partition_of(key, partitions) for key in KEYS] == theirs
