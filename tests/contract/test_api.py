"""What the HTTP API promises, on a real Redis: each answer, each refusal, and what OpenAPI says of them."""

from __future__ import annotations

import csv
import http.client
import io
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import pytest
from api_server import AS_OF_MS, ODD, ApiServer
from http_answer import Answer
from published_by_hand import PublishedByHand
from redis import Redis

from streams.api import openapi
from streams.api.changes import MOST_CLIENTS
from streams.tools.devstack import Devstack

GUIDE = Path(__file__).parents[2] / "docs" / "api.md"
CONTRACT = Path(__file__).parents[2] / "deploy" / "contracts" / "openapi.json"


@pytest.fixture
def published(api: ApiServer) -> PublishedByHand:
    return api.published


def ids(answer: Answer) -> list[str]:
    assert answer.status == 200
    return [title["title_id"] for title in answer.said["titles"]]


def test_a_title_is_what_its_hash_says(api: ApiServer) -> None:
    answer = api.ask("/titles/little-dragon")
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    said = answer.said
    assert (said["title_id"], said["name"], said["completions"]) == ("little-dragon", "The Little Dragon", 1_650)
    assert (said["as_of_ms"], said["complete"], said["completion_rate"]) == (AS_OF_MS, True, None)


def test_an_id_is_one_percent_encoded_segment_whatever_is_in_it(api: ApiServer) -> None:
    ecma = quote(ODD, safe="-_.!~*'()")  # encodeURIComponent
    for encoded in (ecma, quote(ODD, safe=""), "".join(f"%{byte:02x}" for byte in ODD.encode())):
        answer = api.ask(f"/titles/{encoded}")
        assert (answer.status, answer.said["title_id"], answer.said["completions"]) == (200, ODD, 8)
    assert ids(api.ask(f"/titles?id={quote(ODD, safe='')}")) == [ODD]
    assert api.ask("/titles/%ff").said["detail"] == (
        "title_id='%ff': accepted: percent-encoded UTF-8, as encodeURIComponent makes it"
    )
    assert api.ask("/titles/100%").status == 400
    assert api.ask("/titles/a/b").status == 404
    assert api.ask("/titles/").status == 404


def test_titles_come_page_by_page_in_the_order_of_their_ids(api: ApiServer) -> None:
    first = api.ask("/titles?limit=3")
    assert (ids(first), first.said["next_after"]) == ([ODD, "dragon-2", "little-dragon"], "little-dragon")
    second = api.ask("/titles?limit=3&after=little-dragon")
    assert (ids(second), second.said["next_after"]) == (["zebra"], None)
    assert api.ask("/titles?limit=4").said["next_after"] is None
    assert (first.said["complete"], first.said["as_of_ms"]) == (True, AS_OF_MS)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("dragon", ["dragon-2", "little-dragon"]),
        ("DRAGON little", ["little-dragon"]),
        ("ete", ["dragon-2"]),
        ("hyperlink", [ODD]),
        ("nobody", []),
    ],
)
def test_titles_are_found_by_words_of_their_names_and_ids(api: ApiServer, words: str, found: list[str]) -> None:
    assert ids(api.ask(f"/titles?search={quote(words)}")) == found


def test_what_is_found_comes_page_by_page(api: ApiServer) -> None:
    first = api.ask("/titles?search=dragon&limit=1")
    assert (ids(first), first.said["next_after"]) == (["dragon-2"], "dragon-2")
    second = api.ask("/titles?search=dragon&limit=1&after=dragon-2")
    assert (ids(second), second.said["next_after"]) == (["little-dragon"], None)


@pytest.mark.parametrize(
    ("path", "series", "names"),
    [
        ("hours", "hours", ["20251119T23", "20251120T00"]),
        ("hours?first=2025-11-20T01:30:00%2B01:00&last=2025-11-20T00:00:00Z", "hours", ["20251120T00"]),
        ("days", "days", ["20251101", "20251120"]),
        ("days?first=2025-11-02", "days", ["20251120"]),
        ("days?last=2025-11-19", "days", ["20251101"]),
        ("weeks", "weeks", ["1", "3"]),
        ("weeks?first=2&last=3", "weeks", ["3"]),
        ("ages", "ages", ["opening"]),
        ("audience", "weeks", ["2025W47"]),
    ],
)
def test_a_series_leaves_out_what_counted_nothing(api: ApiServer, path: str, series: str, names: list[str]) -> None:
    said = api.ask(f"/titles/little-dragon/{path}").said
    assert [window["name"] for window in said[series]] == names
    assert (said["title_id"], said["as_of_ms"], said["complete"]) == ("little-dragon", AS_OF_MS, True)
    assert said["version"] >= max(window["version"] for window in said[series])


def test_curve_dayparts_legs_boards_franchises_comparison_and_status(api: ApiServer) -> None:
    assert api.ask("/titles/little-dragon/curve").said["values"] == [4.0, 8.0]
    assert [part["name"] for part in api.ask("/titles/little-dragon/dayparts").said["dayparts"]] == ["evening", "other"]
    assert api.ask("/titles/little-dragon/legs").said["unstoppable"] is True
    assert api.ask("/boards/completions?limit=1&skip=1").said["entries"] == [
        {"rank": 2, "title_id": "dragon-2", "name": "Ein kleiner Drache: Été", "score": 50}
    ]
    day = api.ask("/boards/plays?day=2025-11-20").said
    assert (day["day"], [entry["title_id"] for entry in day["entries"]]) == ("2025-11-20", ["zebra"])
    assert api.ask("/boards/completions/franchises").said["entries"] == [
        {"rank": 1, "franchise_id": "dragons", "score": 1_700}
    ]
    assert api.ask("/franchises/dragons").said["completions"] == 1_700
    assert [each["franchise_id"] for each in api.ask("/franchises").said["franchises"]] == ["dragons"]
    profiles = api.ask("/compare?id=zebra&id=nobody").said["profiles"]
    assert [(each["title_id"], each["title"] is None) for each in profiles] == [("zebra", False), ("nobody", True)]
    assert api.ask("/status").said["events"] == 1_000


@pytest.mark.parametrize(
    ("path", "argument", "accepted"),
    [
        ("/titles?limit=0", "limit", "an integer from 1 to 1,000"),
        ("/titles?limit=1001", "limit", "an integer from 1 to 1,000"),
        ("/titles?limit=1.0", "limit", "an integer from 1 to 1,000"),
        ("/titles?limit=1&limit=2", "limit", "to be given once"),
        ("/titles?search=", "search", "text of 1 to 200 characters"),
        ("/titles?serch=x", "serch", "after, limit, search, id"),
        ("/titles?id=a&after=b", "id", "not together with after"),
        ("/titles?after=%ff", "query", "at most 200 parameters, percent-encoded UTF-8"),
        ("/titles/little-dragon?limit=1", "limit", "no parameter in the query"),
        ("/titles/little-dragon/days?first=23.11.2026", "first", "a day such as 2026-11-23"),
        (
            "/titles/little-dragon/days?first=2025-11-21", "first",
            "at most 999 days before the last, 2025-11-20, and not after it",
        ),
        ("/titles/little-dragon/days?last=1970-12-31", "last", "the years 1971 to 9000"),
        (
            "/titles/little-dragon/hours?last=2025-11-20T00:00:00", "last",
            "a time with its zone, such as 2026-11-23T15:00:00Z",
        ),
        ("/titles/little-dragon/weeks?first=3&last=2", "first", "a week not after the last, 2"),
        ("/titles/little-dragon/weeks?last=105", "last", "an integer from 1 to 104"),
        (
            "/boards/rewatch", "metric",
            "completers, completion_rate, completions, plays, repeat_rate, repeaters, rewatches, starters, viewers,"
            " views, watched_s, watching_now",
        ),
        (
            "/boards/views?day=2025-11-20", "metric",
            "on a day: plays, starters, viewers, completers, completions, rewatches, watched_s",
        ),
        ("/compare", "id", "1 to 10 ids"),
        ("/status?x=1", "x", "no parameter in the query"),
    ],
)  # fmt: skip
def test_a_bad_argument_is_named_with_what_is_accepted(api: ApiServer, path: str, argument: str, accepted: str) -> None:
    answer = api.ask(path)
    assert (answer.status, answer.headers["content-type"]) == (400, "application/problem+json")
    assert answer.headers["cache-control"] == "no-store"
    said = answer.said
    assert (said["title"], said["status"], said["argument"], said["accepted"]) == (
        "Bad Request", 400, argument, accepted,
    )  # fmt: skip
    assert said["detail"].startswith(f"{argument}=")


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/titles/nobody", "no counters of the title 'nobody'"),
        ("/titles/nobody/days", "no counters of the title 'nobody'"),
        ("/titles/zebra/curve", "the catalog does not tell its length"),
        ("/franchises/none", "no counters of the franchise 'none'"),
        ("/compare?id=nobody", "no counters of any of"),
        ("/nowhere", "the paths are in /api/v1/openapi.json"),
    ],
)
def test_what_does_not_exist_is_said_to_be_missing(api: ApiServer, path: str, words: str) -> None:
    answer = api.ask(path)
    assert (answer.status, answer.headers["content-type"]) == (404, "application/problem+json")
    assert words in answer.said["detail"]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_nothing_can_be_written(api: ApiServer, method: str) -> None:
    answer = api.ask("/titles/zebra", method)
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")
    assert answer.said["detail"] == "accepted: GET and HEAD; there is nothing to write here"


def test_every_answer_says_what_a_browser_may_do(api: ApiServer) -> None:
    for path in ("/titles/zebra", "/nowhere", "/titles?limit=0", "/titles.csv", "/openapi.json"):
        headers = api.ask(path).headers
        assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert (headers["x-content-type-options"], headers["cross-origin-resource-policy"]) == (
            "nosniff",
            "same-origin",
        )
    assert api.ask("/titles/zebra", Host="evil.example").status == 400


def test_an_answer_that_the_client_has_is_not_sent_again(api: ApiServer, published: PublishedByHand) -> None:
    before = api.ask("/titles/zebra")
    etag = before.headers["etag"]
    assert re.fullmatch(rf'"{before.said["version"]}-[0-9a-f]{{16}}"', etag)
    assert before.headers["cache-control"] == "no-cache"
    for if_none_match in (etag, f'"other", W/{etag}', "*"):
        answer = api.ask("/titles/zebra", If_None_Match=if_none_match)
        assert (answer.status, answer.body, answer.headers["etag"]) == (304, b"", etag)
    published.title("zebra", completions=7)
    after = api.ask("/titles/zebra", If_None_Match=etag)
    assert (after.status, after.headers["etag"] != etag) == (200, True)


def test_head_says_what_get_would(api: ApiServer) -> None:
    for path in ("/titles/zebra", "/titles/nobody", "/titles.csv", "/changes"):
        head = api.ask(path, "HEAD")
        assert head.body == b""
        if path not in ("/titles.csv", "/changes"):
            get = api.ask(path)
            assert {**head.headers, "date": ""} == {**get.headers, "date": ""}
            assert head.status == get.status


def test_counters_that_are_being_rebuilt_say_so(api: ApiServer, published: PublishedByHand) -> None:
    published.complete = 0
    published.title("half", completions=1)
    published.complete = 1
    assert api.ask("/titles/half").said["complete"] is False
    assert api.ask("/titles?id=half&id=zebra").said["complete"] is False
    assert api.ask("/titles/half/weeks").said["complete"] is False
    published.client.delete(f"{published.prefix}title:half")
    published.client.zrem(f"{published.prefix}titles", "half")


def test_all_titles_as_csv_are_safe_in_a_spreadsheet(api: ApiServer) -> None:
    answer = api.ask("/titles.csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    assert answer.body.count(b"\r\n") == 5
    rows = list(csv.DictReader(io.StringIO(answer.body.decode(), newline="")))
    assert [row["title_id"] for row in rows] == [ODD, "dragon-2", "little-dragon", "zebra"]
    assert [row["name"] for row in rows] == [
        "'=HYPERLINK(\"x\")", "Ein kleiner Drache: Été", "The Little Dragon", "",
    ]  # fmt: skip
    assert [row["complete"] for row in rows] == ["1"] * 4


class Events:
    """An open stream of changes."""

    def __init__(self, api: ApiServer, query: str = "", **headers: str) -> None:
        self.connection = api.open(
            f"/changes{query}", headers={name.replace("_", "-"): it for name, it in headers.items()}
        )
        self.response = self.connection.getresponse()
        assert self.response.status == 200

    def next(self) -> dict[str, str]:
        """The next event's fields; comments are left out."""
        fields: dict[str, str] = {}
        for line in self.response:
            name, found, text = line.decode().rstrip("\n").partition(": ")
            if found and name:
                fields[name] = text
            elif fields:
                return fields
        raise AssertionError("the stream has ended")

    def close(self) -> None:
        self.connection.close()


def test_changes_come_as_events_and_go_on_where_a_client_was(api: ApiServer, published: PublishedByHand) -> None:
    events = Events(api, "?part=title&part=day")
    opened = events.next()
    assert (opened["event"], opened["data"]) == ("open", "{}")
    first = published.title("zebra", completions=7)
    published.curve("little-dragon", 4, 8)
    second = published.window("little-dragon", "day:20251120", completions=5)
    changes = [events.next(), events.next()]
    events.close()
    assert [change["event"] for change in changes] == ["change", "change"]
    assert [json.loads(change["data"]) for change in changes] == [
        {"title_id": "zebra", "part": "title", "version": first},
        {"title_id": "little-dragon", "part": "day", "version": second},
    ]
    again = Events(api, "?part=day", Last_Event_ID=changes[0]["id"])
    assert (again.next()["event"], again.next()) == ("open", changes[1])
    again.close()


def test_a_client_that_was_away_too_long_is_told_that_changes_may_be_lost(
    api: ApiServer, published: PublishedByHand
) -> None:
    published.title("zebra", completions=7)
    events = Events(api, Last_Event_ID="5-0")
    assert [events.next()["event"] for _ in range(3)] == ["open", "missed", "change"]
    events.close()
    answer = api.ask("/changes", Last_Event_ID="yesterday")
    assert (answer.status, answer.said["argument"]) == (400, "Last-Event-ID")
    assert api.ask("/changes?part=x").said["accepted"].startswith("age, audience, curve")


def test_so_many_clients_may_listen_and_one_that_goes_leaves_its_place(api: ApiServer) -> None:
    listening = [Events(api) for _ in range(MOST_CLIENTS)]
    for events in listening:
        events.next()
    refused = api.ask("/changes")
    assert (refused.status, refused.headers["retry-after"]) == (503, "30")
    assert refused.said["detail"] == f"{MOST_CLIENTS} clients listen already"
    for events in listening:
        events.close()
    until_s, status = time.monotonic() + 60, 0
    while status != 200:
        assert time.monotonic() < until_s
        connection = api.open("/changes")
        status = connection.getresponse().status
        connection.close()


def test_the_guides_commands_do_what_it_says(api: ApiServer, tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        assert not os.environ.get("CI"), "no curl: install it"
        pytest.skip("no curl: install it to try the guide's commands")
    asked = re.findall(r"^\$ ((?:curl|encore export) .*)$", GUIDE.read_text(), re.MULTILINE)
    program = f'curl() {{ command curl --silent --fail "$@"; }}; encore() {{ {sys.executable} -m streams.cli "$@"; }}; '
    for command in asked:
        here = program + command.replace("127.0.0.1:8421", api.host)
        environment = {**os.environ, **api.environment}
        done = subprocess.run(["bash", "-c", here], cwd=tmp_path, env=environment, capture_output=True, timeout=60)
        expected = 22 if "limit=5000" in command else 28 if "--max-time" in command else 0
        assert done.returncode == expected, (command, done.stderr)
    assert len(asked) > 10
    assert {path.name for path in tmp_path.iterdir()} == {"titles.csv", "titles.parquet", "november.csv"}


def test_every_path_has_its_row_in_the_guide() -> None:
    guide = re.sub(r"`…/", "`/titles/{id}/", GUIDE.read_text())
    for path in json.loads(CONTRACT.read_text())["paths"]:
        assert re.search(rf"`{re.escape(re.sub('{.*_id}', '{id}', path))}[?`]", guide), path


def test_the_document_in_the_repository_is_the_one_made_from_the_code(api: ApiServer) -> None:
    made = openapi.document()
    assert CONTRACT.read_bytes() == made, "python -m streams.api.openapi > deploy/contracts/openapi.json"
    assert api.ask("/openapi.json").body == made


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def measured(port: int, path: str) -> tuple[int, str]:
    """What the port of metrics and probes answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", path)
    response = connection.getresponse()
    found = response.status, response.read().decode()
    connection.close()
    return found


@pytest.fixture
def keyed(redis_of_our_own: Devstack, published: PublishedByHand, tmp_path: Path) -> Iterator[ApiServer]:
    keys = tmp_path / "keys"
    keys.write_text("the-old-key-12345678\nthe-new-key-12345678\n")
    ports = {"ENCORE_METRICS_PORT": str(free_port())}
    server = ApiServer(redis_of_our_own.redis, published, ENCORE_READ_KEY_FILE=str(keys), **ports)
    yield server
    server.stop()


def test_where_read_keys_are_set_nothing_is_read_without_one(keyed: ApiServer) -> None:
    for key in ("the-old-key-12345678", "the-new-key-12345678"):
        answer = keyed.ask("/titles/zebra", Authorization=f"Bearer {key}")
        assert (answer.status, answer.headers["cache-control"]) == (200, "private, no-cache")
    for headers in ({}, {"Authorization": "Bearer another-key-12345678"}, {"Authorization": "Bearer"}):
        for path in ("/titles/zebra", "/nowhere", "/changes", "/titles.csv", "/openapi.json"):
            answer = keyed.ask(path, **headers)
            assert (answer.status, answer.headers["www-authenticate"]) == (401, 'Bearer realm="Encore"')
            assert answer.headers["content-type"] == "application/problem+json"
    for path in ("/", "/events/board", "/static/app.js"):
        answer = keyed.ask(path, below="")
        assert (answer.status, answer.headers["www-authenticate"]) == (401, 'Basic realm="Encore", charset="UTF-8"')
    # any:the-new-key-12345678
    assert keyed.ask("/", below="", Authorization="Basic YW55OnRoZS1uZXcta2V5LTEyMzQ1Njc4").status == 200


def test_metrics_and_probes_have_a_port_of_their_own_and_need_no_key(keyed: ApiServer) -> None:
    port = int(keyed.environment["ENCORE_METRICS_PORT"])
    keyed.ask("/titles/zebra", Authorization="Bearer the-new-key-12345678")
    keyed.ask("/titles/zebra")
    status, text = measured(port, "/metrics")
    assert status == 200
    for line in (
        'encore_api_requests_total{path="/titles/{title_id}",status="200"} 1.0',
        'encore_api_requests_total{path="",status="401"} 1.0',
        'encore_api_answer_seconds_count{path="/titles/{title_id}"} 1.0',
        "encore_api_listening_clients 0.0",
        "encore_dashboard_open_pages 0.0",
    ):
        assert line in text.splitlines()
    assert (measured(port, "/livez"), measured(port, "/readyz")) == ((200, "ok\n"), (200, "ok\n"))
    pages = keyed.open("/events/board", below="", headers={"Authorization": "Bearer the-new-key-12345678"})
    changes = keyed.open("/changes", headers={"Authorization": "Bearer the-new-key-12345678"})
    assert (pages.getresponse().status, changes.getresponse().status) == (200, 200)
    lines = measured(port, "/metrics")[1].splitlines()
    assert {"encore_api_listening_clients 1.0", "encore_dashboard_open_pages 1.0"} <= set(lines)
    pages.close()
    changes.close()


def test_systemd_is_told_that_it_is_ready_lives_and_is_stopped(
    redis_of_our_own: Devstack, published: PublishedByHand, tmp_path: Path
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as supervisor:
        supervisor.bind(str(tmp_path / "notify"))
        supervisor.settimeout(60)
        server = ApiServer(redis_of_our_own.redis, published, NOTIFY_SOCKET=str(tmp_path / "notify"))
        told = supervisor.recv(100) + supervisor.recv(100)
        assert server.stop() == (0, "")
        supervisor.setblocking(False)
        with suppress(BlockingIOError):
            while True:
                told += supervisor.recv(100)
    assert re.fullmatch(rb"READY=1(WATCHDOG=1)+(STOPPING=1|WATCHDOG=1)*STOPPING=1", told)


def test_a_redis_that_goes_away_is_said_to_and_not_where_it_is(private_redis: Devstack, tmp_path: Path) -> None:
    with Redis.from_url(private_redis.redis) as client:
        port = free_port()
        server = ApiServer(private_redis.redis, PublishedByHand(client, "encore:"), ENCORE_METRICS_PORT=str(port))
    assert server.ask("/status").status == 404
    assert server.ask("/titles").said == {
        "as_of_ms": 0, "version": 0, "complete": False, "titles": [], "next_after": None,
    }  # fmt: skip
    private_redis.redis_server.kill()
    answer = server.ask("/titles/zebra")
    assert (answer.status, answer.headers["retry-after"]) == (503, "1")
    assert answer.said["detail"] == "Redis does not answer now: try again"
    until_s = time.monotonic() + 60
    while measured(port, "/readyz")[0] != 503:
        assert time.monotonic() < until_s
        time.sleep(0.2)
    assert measured(port, "/livez") == (200, "ok\n")
    code, said = server.stop()
    assert (code, "does not answer" in said) == (0, True)
