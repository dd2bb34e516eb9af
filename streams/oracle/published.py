"""Reads all that is in Redis under the prefix.

Owns the scan of a verification. It must not know which keys should be there, nor what they should say.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from redis import Redis, RedisError, ResponseError

from streams.oracle.reading import CannotRead
from streams.oracle.sums import Hashes
from streams.settings import without_password

PIPELINE_KEYS = 1_000
CHANGES, INTERNAL, SHARES = "changes", "internal:", "internal:shares:"


class Published(NamedTuple):
    """Every hash that readers may read, the keys that the publisher holds shares of, and the type of any other key.

    All keys are without the prefix.
    """

    hashes: Hashes
    shares: set[str]
    odd_keys: dict[str, str]


def published(url: str, prefix: str) -> Published:
    """What is under the prefix now; of the publisher's internal keys only the shares. Raises `CannotRead`."""
    pattern = re.sub(r"([*?\[\]\\])", r"\\\1", prefix) + "*"
    try:
        # A key or value of any bytes is read back as it is.
        with Redis.from_url(url, decode_responses=True, encoding_errors="surrogateescape") as redis:
            names = {key[len(prefix) :] for key in redis.scan_iter(pattern, 10_000)}
            readers = sorted(name for name in names if not name.startswith(INTERNAL) and name != CHANGES)
            answers = dict(_hashes(redis, prefix, readers))
            odd = [name for name, fields in answers.items() if fields is None] + sorted(names & {CHANGES})
            types = {name: redis.type(_key(prefix, name)) for name in odd}
    except RedisError as problem:
        raise CannotRead(f"Redis at {without_password(url)} cannot be read: {problem}") from None
    return Published(
        {name: fields for name, fields in answers.items() if fields},
        {name[len(SHARES) :] for name in names if name.startswith(SHARES)},
        {name: type_ for name, type_ in types.items() if type_ != "none" and (name, type_) != (CHANGES, "stream")},
    )


def _hashes(redis: Any, prefix: str, names: list[str]) -> Iterator[tuple[str, dict[str, str] | None]]:
    """Each key's fields, none where it went meanwhile; None where it is no hash."""
    for start in range(0, len(names), PIPELINE_KEYS):
        some = names[start : start + PIPELINE_KEYS]
        pipeline = redis.pipeline(transaction=False)
        for name in some:
            pipeline.hgetall(_key(prefix, name))
        for name, answer in zip(some, pipeline.execute(raise_on_error=False), strict=True):
            yield name, _fields(answer)


def _key(prefix: str, name: str) -> bytes:
    return (prefix + name).encode(errors="surrogateescape")


def _fields(answer: Any) -> dict[str, str] | None:
    if isinstance(answer, ResponseError) and str(answer).startswith("WRONGTYPE"):
        return None
    if isinstance(answer, Exception):
        raise answer
    fields: dict[str, str] = answer
    return fields
