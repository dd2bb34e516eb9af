"""The web application of the API.

Owns its routes, the statuses of errors, and the headers of every response. Paths stay percent-encoded until they are
cut at their slashes: an id may hold a slash, a percent sign or any other character.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from functools import cache
from typing import Any

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from streams.api.answers import BadArgument, NothingThere
from streams.api.asked import ChangesAsked, NothingAsked
from streams.api.catalogue import Catalogue
from streams.api.changes import ChangeStream
from streams.api.csv_rows import csv_head, csv_rows
from streams.api.measured import MeasuredRequests
from streams.api.openapi import document
from streams.api.parameters import read_parameters
from streams.api.questions import Library
from streams.api.read_key import KeyGuard, ReadKeys
from streams.api.responses import JSON, problem_response, read_response
from streams.api.routes import CHANGES, OPENAPI, PREFIX, QUESTIONS, TITLES_CSV, VERSION, ApiPath
from streams.observability.dashboard_metrics import DashboardMetrics
from streams.reader import AsyncReader, ReaderError, Title

AT_ONCE = 1_000
CSV = "text/csv; charset=utf-8; header=present"

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""The headers of every response."""

log = logging.getLogger(__name__)


def api_app(
    reader: AsyncReader,
    catalogue: Catalogue,
    metrics: DashboardMetrics,
    hosts: Sequence[str],
    keys: ReadKeys | None = None,
) -> Starlette:
    """The application on this reader, to be mounted. `hosts`: the names by which it may be called (`*`: any)."""
    answers = _Answers(reader, catalogue, metrics, "no-cache" if keys is None else "private, no-cache")
    endpoints: dict[str, Callable[[Request], Awaitable[Any]]] = {
        **{question.path: answers.of(question) for question in QUESTIONS},
        TITLES_CSV: answers.titles_csv,
        CHANGES: answers.changes,
        OPENAPI: answers.openapi,
    }
    middleware = [
        Middleware(_Encoded),
        Middleware(MeasuredRequests, metrics=metrics, paths={endpoint: path for path, endpoint in endpoints.items()}),
        Middleware(TrustedHostMiddleware, allowed_hosts=list(hosts), www_redirect=False),
    ]
    if keys is not None:
        middleware.append(Middleware(KeyGuard, keys=keys, refusal=_no_key))
    handlers = {HTTPException: _refused, BadArgument: _bad, NothingThere: _missing, ReaderError: _unread, 500: _failed}
    routes = [Route(VERSION + path, endpoint) for path, endpoint in endpoints.items()]
    app = Starlette(routes=routes, middleware=middleware, exception_handlers=handlers)  # type: ignore[arg-type]
    app.router.redirect_slashes = False
    return app


class _Encoded:
    """Matches the path as it was sent, still percent-encoded; and adds the headers to every response."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        path = scope["raw_path"].partition(b"?")[0].decode("latin-1")
        await self._app({**scope, "path": path}, receive, with_headers)


class _Answers:
    """The endpoints."""

    def __init__(
        self, reader: AsyncReader, catalogue: Catalogue, metrics: DashboardMetrics, cache_control: str
    ) -> None:
        self._reader, self._cache_control = reader, cache_control
        self._library = Library(reader, catalogue)
        self._changes = ChangeStream(reader, metrics.api_listening_clients)

    def of(self, question: ApiPath) -> Callable[[Request], Awaitable[Response]]:
        """The endpoint of a question."""
        ask = getattr(self._library, question.name)

        async def answer(request: Request) -> Response:
            asked = read_parameters(question.asked, request.path_params, request.scope["query_string"])
            found = await self._library.of_one_application(lambda: ask(asked))
            return read_response(found, request.headers.get("if-none-match", ""), self._cache_control)

        return answer

    async def titles_csv(self, request: Request) -> Response:
        """All titles, sent as they are read."""
        read_parameters(NothingAsked, {}, request.scope["query_string"])
        if request.method == "HEAD":
            return StreamingResponse(iter(()), 200, {"Cache-Control": "no-store"}, CSV)
        first = await self._library.of_one_application(lambda: self._titles_after(""))
        return StreamingResponse(self._csv(first, self._reader.prefix), 200, {"Cache-Control": "no-store"}, CSV)

    async def _csv(self, titles: list[Title], prefix: str) -> AsyncIterator[bytes]:
        yield csv_head(Title)
        while titles:
            yield csv_rows(titles)
            titles = await self._titles_after(titles[-1].title_id)
            if self._reader.prefix != prefix:
                # The client sees that the answer was cut off: what comes is of another application.
                raise _Moved(f"readers were moved from {prefix} to {self._reader.prefix} during an export")

    async def _titles_after(self, title_id: str) -> list[Title]:
        """The next titles; empty if there is none."""
        while True:
            ids = (await self._reader.title_ids(title_id, AT_ONCE)).ids
            titles = list((await self._reader.titles(ids)).values())
            if titles or not ids:
                return titles
            title_id = ids[-1]

    async def changes(self, request: Request) -> object:
        """The changes, for ever."""
        asked = read_parameters(ChangesAsked, {}, request.scope["query_string"])
        return await self._changes.response(request, asked)

    async def openapi(self, request: Request) -> Response:
        """The document that describes all this."""
        read_parameters(NothingAsked, {}, request.scope["query_string"])
        return Response(_document(), 200, {"Cache-Control": self._cache_control}, JSON)


class _Moved(Exception):
    """Readers were moved in the middle of an answer."""


@cache
def _document() -> bytes:
    return document()


def _no_key() -> Response:
    detail = "a read key is missing, or is none: Authorization: Bearer KEY"
    return problem_response(401, detail, {"WWW-Authenticate": 'Bearer realm="Encore"'})


async def _refused(_: Request, problem: HTTPException) -> Response:
    """No such path, or another method than GET and HEAD."""
    details = {
        404: f"there is no such path; the paths are in {PREFIX}{VERSION}{OPENAPI}",
        405: "accepted: GET and HEAD; there is nothing to write here",
    }
    headers = {"Allow": "GET, HEAD"} if problem.status_code == 405 else None
    return problem_response(problem.status_code, details.get(problem.status_code, problem.detail), headers)


async def _bad(_: Request, problem: BadArgument) -> Response:
    return problem_response(400, str(problem), bad=problem)


async def _missing(_: Request, problem: NothingThere) -> Response:
    return problem_response(404, str(problem))


async def _unread(_: Request, problem: ReaderError) -> Response:
    """Where Redis is, and why it refuses, is for the log of who runs this."""
    log.warning("%s", problem)
    if problem.passing:
        return problem_response(503, "Redis does not answer now: try again", {"Retry-After": "1"})
    return problem_response(500, "the counters cannot be read: the log of `encore dashboard` says why")


async def _failed(_: Request, __: Exception) -> Response:
    return problem_response(500, "an error of ours: the log of `encore dashboard` has it")
