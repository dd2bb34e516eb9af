"""Who may read, where a file of read keys is set: whoever states one of its keys.

Owns the file's form, and how a request states a key: as a bearer's token, or, for a browser, as any user's password.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64decode
from collections.abc import Callable
from functools import partial
from pathlib import Path

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

SHORTEST_KEY = 16


class BadKeys(Exception):
    """The file of read keys cannot be used. The message is one line: the file, what is accepted."""


class ReadKeys:
    """The keys, as digests."""

    def __init__(self, keys: list[str]) -> None:
        self._digests = [_digest(key) for key in keys]

    def allow(self, authorization: str) -> bool:
        """Whether a header states one of the keys. How long that takes says nothing about them."""
        digest = _digest(_stated(authorization))
        return any(list(map(partial(hmac.compare_digest, digest), self._digests)))


def read_keys(path: str) -> ReadKeys:
    """The keys of a file, one a line; while a key is replaced, both are in it. Raises `BadKeys`."""
    try:
        keys = Path(path).read_text(encoding="utf-8").split()
    except OSError as problem:
        raise BadKeys(f"{path}: {problem.strerror}") from None
    except UnicodeError:
        raise BadKeys(f"{path}: must be UTF-8") from None
    if not keys or min(map(len, keys)) < SHORTEST_KEY:
        raise BadKeys(f"{path}: must hold one key a line, at least one, each of {SHORTEST_KEY} characters or more")
    return ReadKeys(keys)


class KeyGuard:
    """Lets through what states a key, and answers everything else by `refusal`."""

    def __init__(self, app: ASGIApp, keys: ReadKeys, refusal: Callable[[], Response]) -> None:
        self._app, self._keys, self._refusal = app, keys, refusal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._keys.allow(Headers(scope=scope).get("authorization", "")):
            await self._app(scope, receive, send)
        else:
            await self._refusal()(scope, receive, send)


def _stated(authorization: str) -> str:
    scheme, _, given = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return given.strip()
    if scheme.lower() == "basic":
        try:
            return b64decode(given, validate=True).decode().partition(":")[2]
        except ValueError:
            return ""
    return ""


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode(errors="replace")).digest()
