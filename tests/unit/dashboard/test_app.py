"""The web application, asked without a network: what it answers, what it refuses, what every answer says."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path
from typing import Any

import pytest
from http_answer import Answer

from streams.api.catalogue import Catalogue
from streams.dashboard.app import PAGES, QUESTIONS, STATIC, dashboard_app
from streams.dashboard.feed import Feed
from streams.dashboard.server import hosts_of
from streams.display.titles_file import Names
from streams.observability.dashboard_metrics import DashboardMetrics
from streams.reader import AsyncReader


def asked(path: str, method: str = "GET", query: str = "", host: str = "127.0.0.1:8421") -> Answer:
    async def asking() -> Answer:
        reader = AsyncReader("redis://127.0.0.1:1/0")
        feed = Feed(reader, Catalogue(reader), Names())
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            # The browser stays there.
            return await asyncio.Future()

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {
            "type": "http", "method": method, "path": path, "raw_path": path.encode(), "root_path": "",
            "scheme": "http", "http_version": "1.1", "query_string": query.encode(),
            "headers": [(b"host", host.encode())],
        }  # fmt: skip
        async with asyncio.timeout(20):
            await dashboard_app(feed, DashboardMetrics().dashboard_open_pages, hosts_of("127.0.0.1"))(
                scope, receive, send
            )
        headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        return Answer(sent[0]["status"], headers, b"".join(part.get("body", b"") for part in sent[1:]))

    return asyncio.run(asking())


@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_the_one_document(path: str) -> None:
    answer = asked(path)
    assert (answer.status, answer.body) == (200, (STATIC / "index.html").read_bytes())


@pytest.mark.parametrize(
    ("path", "method", "host"),
    [
        ("/", "GET", "localhost"),
        ("/nowhere", "GET", "[::1]:8421"),
        ("/", "POST", "localhost"),
        ("/", "GET", "evil.example"),
    ],
)
def test_every_answer_says_what_the_browser_may_do(path: str, method: str, host: str) -> None:
    headers = asked(path, method, host=host).headers
    policy = dict(rule.strip().split(" ", 1) for rule in headers["content-security-policy"].split(";"))
    assert policy == {
        "default-src": "'none'", "script-src": "'self'", "style-src": "'self'", "connect-src": "'self'",
        "img-src": "'self'", "base-uri": "'none'", "form-action": "'none'", "frame-ancestors": "'none'",
        "require-trusted-types-for": "'script'", "trusted-types": "'none'",
    }  # fmt: skip
    assert (headers["x-content-type-options"], headers["referrer-policy"]) == ("nosniff", "no-referrer")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("path", ["/", "/events/board", "/static/app.js", "/nowhere"])
def test_whatever_would_write_is_refused(path: str, method: str) -> None:
    answer = asked(path, method)
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize("path", ["/", "/static/app.js", *(f"/events/{name}" for name in QUESTIONS)])
def test_head_has_no_body(path: str) -> None:
    answer = asked(path, "HEAD", query="id=dragon")
    assert (answer.status, answer.body) == (200, b"")


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "10.0.0.1:8421"])
def test_on_the_loopback_a_name_of_elsewhere_is_refused(host: str) -> None:
    assert asked("/", host=host).status == 400


def test_a_question_that_cannot_be_asked_is_a_line_that_says_what_can() -> None:
    answer = asked("/events/board", query="metric=<script>")
    assert (answer.status, answer.headers["content-type"]) == (400, "text/plain; charset=utf-8")
    assert answer.body.startswith(b"metric: accepted: plays, ")
    assert b"<script>" not in answer.body


@pytest.mark.parametrize("path", ["/static/../app.py", "/static/%2e%2e/app.py", "/static/", "/app.py", "/events/"])
def test_nothing_but_the_page_s_files_is_served(path: str) -> None:
    assert asked(path).status in (404, 405)


OURS = sorted(file for file in STATIC.iterdir() if file.is_file())
UPLOT = STATIC / "vendor" / "uplot"


@pytest.mark.parametrize("file", OURS, ids=lambda file: file.name)
def test_no_file_asks_for_anything_of_elsewhere_or_makes_markup_of_text(file: Path) -> None:
    text = file.read_text().replace("http://www.w3.org/2000/svg", "")
    for forbidden in (
        "http:",
        "https:",
        "//cdn",
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
    ):
        assert forbidden not in text
    assert not file.name.endswith(".html") or not {"style=", "onclick=", "<style"} & set(text.split())


def test_the_chart_library_is_the_one_that_was_released_with_its_licence() -> None:
    found = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in UPLOT.iterdir()}
    assert found == {
        "LICENSE": "8f989229699b4fe2f1a0432d0e9edc338a8a911e250e2d1b01ecd770a5f5b1bd",
        "uPlot.iife.min.js": "19c8d4c6ad88929a79f4ae49d6f7161566dfd0ba3d15cc495e974f787eb78f1f",
        "uPlot.min.css": "df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04",
    }
    assert "(v1.6.32)" in (UPLOT / "uPlot.iife.min.js").read_text()[:100]
    assert "MIT License" in (UPLOT / "LICENSE").read_text()
