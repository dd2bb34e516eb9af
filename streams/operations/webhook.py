"""A verdict as a message to a webhook: a CloudEvent, signed as Standard Webhooks say, and how it is sent.

Owns the form of the message and what each answer means. It must not know Redis.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import aiohttp

_SECRET_PREFIX = "whsec_"
_LEAST_BYTES, _MOST_BYTES = 24, 64
_GONE = 410


class BadSecret(Exception):
    """The secret cannot be used. The message says why, and never holds it."""


class Gone(Exception):
    """The receiver answers 410: it wants no more messages, ever."""


class NotTaken(Exception):
    """The receiver did not take the message. The message says why; the same call may succeed later."""


class Message(NamedTuple):
    """One message. `id` is the same however often it is sent; it is fit for a header."""

    id: str
    body: bytes


def read_secret(file: str) -> bytes:
    """The key in a file: `whsec_` and 24 to 64 bytes in Base64, as Standard Webhooks write it. Raises `BadSecret`."""
    try:
        text = Path(file).read_text(encoding="ascii").strip()
        key = base64.b64decode(text.removeprefix(_SECRET_PREFIX), validate=True)
    except OSError as problem:
        raise BadSecret(f"cannot be read: {problem.strerror}") from None
    except (UnicodeError, binascii.Error):
        key = b""
    if not _LEAST_BYTES <= len(key) <= _MOST_BYTES:
        raise BadSecret(
            f"must be a file with {_LEAST_BYTES} to {_MOST_BYTES} bytes in Base64, such as that of"
            f' `echo "{_SECRET_PREFIX}$(openssl rand -base64 32)"`'
        )
    return key


def message(verdict: Mapping[str, str], at_ms: int, name: str, prefix: str) -> Message:
    """The message of an entry of the stream of verdicts, which was written at a time in milliseconds since 1970.

    `name`: what the catalog calls the title; may be empty. `prefix`: that of the keys in Redis.
    """
    of = "title" if "title_id" in verdict else "franchise"
    event = {
        "specversion": "1.0",
        "id": verdict["id"],
        "source": "urn:encore:" + (quote(prefix.rstrip(":"), safe="") or "-"),
        "type": f"encore.{of}.{verdict['verdict']}",
        "subject": verdict[f"{of}_id"],
        "time": datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "datacontenttype": "application/json",
        "data": _data(verdict, of, name),
    }
    # Ids may hold any characters, and the parts of what is signed are told apart by full stops.
    named = f"{event['source']} {event['id']}".encode(errors="surrogateescape")
    return Message("verdict_" + hashlib.sha256(named).hexdigest()[:32], json.dumps(event).encode())


def _data(verdict: Mapping[str, str], of: str, name: str) -> dict[str, Any]:
    data: dict[str, Any] = {f"{of}_id": verdict[f"{of}_id"]}
    if of == "title":
        data["name"] = name or None
    if "week" in verdict:
        data |= {verdict["verdict"]: verdict["value"] == "1", "week": int(verdict["week"])}
    else:
        data[verdict["verdict"]] = int(verdict["value"])
    return data | {"as_of_ms": int(verdict["as_of_ms"])}


def signed(told: Message, key: bytes, now_s: int) -> dict[str, str]:
    """The headers of a message that is sent at a time in seconds since 1970."""
    content = b"%s.%d.%s" % (told.id.encode(), now_s, told.body)
    signature = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    return {
        "content-type": "application/cloudevents+json; charset=utf-8",
        "webhook-id": told.id,
        "webhook-timestamp": str(now_s),
        "webhook-signature": f"v1,{signature}",
    }


class Webhook:
    """A receiver at a URL. `timeout_s`: how long it may take to answer."""

    def __init__(self, url: str, key: bytes, timeout_s: float) -> None:
        self._url, self._key = url, key
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)

    async def post(self, session: aiohttp.ClientSession, told: Message, now_s: int) -> None:
        """Send a message once. Raises `Gone` and `NotTaken`; any answer of 200 to 299 means that it was taken."""
        headers = signed(told, self._key, now_s)
        try:
            async with session.post(
                self._url, data=told.body, headers=headers, timeout=self._timeout, allow_redirects=False
            ) as answer:
                status = answer.status
        except TimeoutError:
            raise NotTaken(f"no answer within {self._timeout.total:g} s") from None
        except (aiohttp.ClientError, OSError) as problem:
            raise NotTaken(re.sub(r"\s+", " ", str(problem)) or type(problem).__name__) from None
        if status == _GONE:
            raise Gone
        if not 200 <= status < 300:
            raise NotTaken(f"it answers {status}")
