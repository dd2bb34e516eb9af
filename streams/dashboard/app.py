"""The dashboard's web application: pages, static files, and an event stream for each kind of page.

Owns URLs and the security headers of every response. Nothing can be written: every method but GET and HEAD is refused
before the request is looked at.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

from prometheus_client import Gauge
from sse_starlette import EventSourceResponse
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders, QueryParams
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from streams.dashboard.asked import (
    NoSuchPage,
    board_asked,
    comparison_asked,
    franchise_asked,
    franchises_asked,
    title_asked,
)
from streams.dashboard.feed import Feed
from streams.dashboard.questions import Question

STATIC = Path(__file__).with_name("static")
PAGES = ("/", "/franchises", "/title", "/franchise", "/compare", "/pipeline")
PING_S = 15

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
    " img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none';"
    " require-trusted-types-for 'script'; trusted-types 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""The headers of every response."""

AskedBy = Callable[[QueryParams], Question | None]
QUESTIONS: dict[str, AskedBy] = {
    "board": board_asked,
    "franchises": franchises_asked,
    "title": title_asked,
    "franchise": franchise_asked,
    "compare": comparison_asked,
    "pipeline": lambda _: None,
}
"""The streams under `/events/`, and the question of each."""


class Guard:
    """Refuses requests other than GET and HEAD, and adds the headers to every response."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                headers.setdefault("Cache-Control", "no-cache")
            await send(message)

        if scope["type"] == "http" and scope["method"] not in ("GET", "HEAD"):
            refusal = PlainTextResponse(
                "Only GET and HEAD: there is nothing to write here.\n", 405, {"Allow": "GET, HEAD"}
            )
            await refusal(scope, receive, guarded)
        else:
            await self._app(scope, receive, guarded)


def dashboard_app(feed: Feed, open_pages: Gauge, hosts: Sequence[str]) -> Starlette:
    """The application on this feed. `hosts`: the names by which a browser may call it (`*`: any)."""
    streams = [Route(f"/events/{name}", _stream_of(feed, open_pages, asked)) for name, asked in QUESTIONS.items()]
    pages = [Route(path, _page) for path in PAGES]
    files = Mount("/static", StaticFiles(directory=STATIC))
    # Otherwise a foreign page could use a host name of its own that resolves to this server, and read everything.
    middleware = [Middleware(Guard), Middleware(TrustedHostMiddleware, allowed_hosts=list(hosts), www_redirect=False)]
    return Starlette(routes=[*pages, *streams, files], middleware=middleware)


async def _page(_: Request) -> Response:
    return FileResponse(STATIC / "index.html")


def _stream_of(feed: Feed, open_pages: Gauge, asked: AskedBy) -> Callable[[Request], object]:
    async def stream(request: Request) -> Response:
        try:
            question = asked(request.query_params)
        except NoSuchPage as problem:
            return PlainTextResponse(f"{problem}\n", 400)
        return EventSourceResponse(_messages(feed, open_pages, question), ping=PING_S, sep="\n")

    return stream


async def _messages(feed: Feed, open_pages: Gauge, question: Question | None) -> AsyncIterator[bytes]:
    with open_pages.track_inprogress(), feed.listen(question) as listener:
        async for data in listener.messages():
            yield data
