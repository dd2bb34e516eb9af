"""Turns redis-py's exceptions into the reader's one error.

Owns which failures are transient, and what to do about the others.
"""

from __future__ import annotations

import re
from typing import Any

from redis import exceptions

from streams.config.redis_address import BadAddress, read_address, without_password
from streams.reader.errors import ReaderError

FAILURES = (exceptions.RedisError, exceptions.RedisClusterException, OSError)
"""What a driver must catch: everything that Redis, its client or the network may raise."""

OPTIONS: dict[str, Any] = {"socket_timeout": 5.0, "socket_connect_timeout": 5.0}
RETRIES = 1
"""One retry: a connection that was closed while it was idle is opened again. The reader does all further retries."""


def checked(url: str) -> str:
    """The URL, if it is a valid Redis address. Raises `ReaderError`."""
    try:
        read_address(url)
    except BadAddress as problem:
        raise ReaderError(f"{without_password(url)!r} is no address of a Redis: {problem}") from None
    return url


def reader_error(problem: Exception, url: str) -> ReaderError:
    """The reader's error for a failed call to Redis at `url`."""
    where, said = without_password(url), _said(problem)
    if isinstance(problem, exceptions.AuthenticationError):
        return ReaderError(f"Redis at {where} refuses the user or its password: {said}")
    if isinstance(problem, exceptions.NoPermissionError):
        return ReaderError(f"Redis at {where}: the user has not the rights of a reader (docs/reading.md): {said}")
    if isinstance(problem, exceptions.ClusterDownError | exceptions.TryAgainError | exceptions.ReadOnlyError):
        return ReaderError(f"Redis at {where} cannot answer now: {said}", passing=True)
    if isinstance(problem, exceptions.ResponseError):
        return ReaderError(f"Redis at {where} refuses: {said}; is the prefix the right one?")
    if isinstance(problem, exceptions.DataError):
        return ReaderError(f"no such question: {said}")
    return ReaderError(f"Redis at {where} does not answer: {said}", passing=True)


def _said(problem: Exception) -> str:
    """The library's message on one line, without its descriptions of clients."""
    return re.sub(r"[\s:]*<.*>", "", " ".join(str(problem).split())) or type(problem).__name__
