"""Reads everything in Redis under the prefix, for a verification."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from redis import RedisError, ResponseError

from streams.config.redis_address import without_password
from streams.kafka.reader import CannotRead
from streams.redis.clients import sync_client
from streams.redis.keys import Keys
from streams.verify.boards import LISTS
from streams.verify.reading import Version
from streams.verify.shown import Hashes

PIPELINE_KEYS = 1_000
STREAMS, BOARD, INTERNAL, SHARES = ("changes", "verdicts"), "board:", "internal:", "internal:shares:"
ALIAS = "alias"
"""Which application readers are shown: `encore promote` writes it, not a worker."""

Answer = dict[str, str] | None
"""A hash's fields, or a board's members with their scores; empty: it has gone since the scan; None: a wrong type."""


class Published(NamedTuple):
    """Every hash, board and list that readers may read, the keys that have shares, and keys of a wrong type.

    All keys are without the prefix. `versions`: by partition, the checkpoint up to which everything was published
    before anything was read.
    """

    hashes: Hashes
    boards: Hashes
    shares: set[str]
    odd_keys: dict[str, str]
    versions: dict[int, Version]


def published(url: str, prefix: str) -> Published:
    """Everything under the prefix; of internal keys, only the names of shares. Raises `CannotRead`."""
    pattern = re.sub(r"([*?\[\]\\])", r"\\\1", prefix) + "*"
    try:
        # Keys and values may be any bytes, and must be read back unchanged.
        with sync_client(url, decode_responses=True, encoding_errors="surrogateescape") as redis:
            versions = _versions(redis, prefix)
            names = {key[len(prefix) :] for key in redis.scan_iter(pattern, 10_000)}
            readers = sorted(name for name in names if not name.startswith(INTERNAL) and name not in (*STREAMS, ALIAS))
            answers = dict(_read(redis, prefix, readers))
            odd = [name for name, fields in answers.items() if fields is None] + sorted(names & {*STREAMS})
            types = {name: redis.type(_key(prefix, name)) for name in odd}
    except RedisError as problem:
        raise CannotRead(f"Redis at {without_password(url)} cannot be read: {problem}") from None
    there = {name: fields for name, fields in answers.items() if fields}
    return Published(
        {name: fields for name, fields in there.items() if not _is_ranked(name)},
        {name: scores for name, scores in there.items() if _is_ranked(name)},
        {name[len(SHARES) :] for name in names if name.startswith(SHARES)},
        {name: type_ for name, type_ in types.items() if type_ not in ("none", "stream" if name in STREAMS else "")},
        versions,
    )


def _is_ranked(name: str) -> bool:
    """Whether a key names a board or a list: a sorted set."""
    return name.startswith(BOARD) or name in LISTS


def _versions(redis: Any, prefix: str) -> dict[int, Version]:
    noted = redis.hgetall(Keys(prefix).published)
    pairs = {int(partition): text.split(":") for partition, text in noted.items()}
    return {partition: (int(incarnation), int(sequence)) for partition, (incarnation, sequence) in pairs.items()}


def _read(redis: Any, prefix: str, names: list[str]) -> Iterator[tuple[str, Answer]]:
    for start in range(0, len(names), PIPELINE_KEYS):
        some = names[start : start + PIPELINE_KEYS]
        pipeline = redis.pipeline(transaction=False)
        for name in some:
            if _is_ranked(name):
                pipeline.zrange(_key(prefix, name), 0, -1, withscores=True)
            else:
                pipeline.hgetall(_key(prefix, name))
        for name, answer in zip(some, pipeline.execute(raise_on_error=False), strict=True):
            yield name, _fields(answer)


def _key(prefix: str, name: str) -> bytes:
    return (prefix + name).encode(errors="surrogateescape")


def _fields(answer: Any) -> Answer:
    if isinstance(answer, ResponseError) and str(answer).startswith("WRONGTYPE"):
        return None
    if isinstance(answer, Exception):
        raise answer
    return answer if isinstance(answer, dict) else {member: repr(score) for member, score in answer}
