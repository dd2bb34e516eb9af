"""How an answer becomes a response: its JSON, its ETag, its headers.

An ETag is the answer's version, and a digest of its bytes: the version alone would be the same for two programs that
write other fields, for a series from which a window went, and for two applications between which readers were moved.
"""

from __future__ import annotations

import hashlib
import re
from http import HTTPStatus

import msgspec
from starlette.responses import Response

from streams.api.answers import BadArgument, Problem
from streams.reader.results import Read

JSON, PROBLEM_JSON = "application/json", "application/problem+json"
_TAGS = re.compile(r'(?:W/)?("[^"]*")')


def read_response(answer: Read, if_none_match: str, cache_control: str) -> Response:
    """200 with the answer, or 304 if the client has it."""
    body = msgspec.json.encode(answer)
    etag = f'"{answer.version}-{hashlib.blake2b(body, digest_size=8).hexdigest()}"'
    headers = {"ETag": etag, "Cache-Control": cache_control}
    if if_none_match.strip() == "*" or etag in _TAGS.findall(if_none_match):
        return Response(status_code=304, headers=headers)
    return Response(body, 200, headers, JSON)


def problem_response(
    status: int, detail: str, headers: dict[str, str] | None = None, bad: BadArgument | None = None
) -> Response:
    """Why there is no answer."""
    problem = Problem(
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        argument=bad.argument if bad is not None else msgspec.UNSET,
        accepted=bad.accepted if bad is not None else msgspec.UNSET,
    )
    return Response(
        msgspec.json.encode(problem), status, {"Cache-Control": "no-store", **(headers or {})}, PROBLEM_JSON
    )
