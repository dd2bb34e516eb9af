"""`encore dashboard` as people have it: a real Redis, a real browser, and nothing but what is on the page."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from published_by_hand import PublishedByHand
from redis import Redis

pytestmark = pytest.mark.system

SCRIPT = "<script>alert(1)</script>"
ODD = "a/b?c#d&e=f%20+ü \N{DRAGON FACE}"
PHONE = {"width": 380, "height": 760}
DRAGON = {
    "plays": 44_012_345, "starters": 600, "viewers": 596, "watchers": 576, "completers": 559, "repeaters": 414,
    "completions": 1_650, "rewatches": 1_091, "watched_s": "9758416.206", "completion_rate": "0.931667",
    "repeat_rate": "0.740608", "rewatch_hist_1": 145, "rewatch_hist_10_plus": 4, "franchise_id": "dragons",
}  # fmt: skip


class Dashboard:
    """A running `encore dashboard`; `url` is what it says of itself."""

    def __init__(self, redis: str, prefix: str, *words: str) -> None:
        environment = {**os.environ, "ENCORE_REDIS": redis, "ENCORE_REDIS_PREFIX": prefix}
        command = [sys.executable, "-m", "streams.cli", "dashboard", "--dashboard-port", "0", *words]
        self.process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.said = self.process.stdout.readline()
        self.url = re.findall(r"http://\S+", self.said)[0]

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Its exit code after a signal."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        with self.process:
            return self.process.wait(20)


class Shown:
    """A dashboard, and the Redis and prefix that it shows."""

    def __init__(self, redis: str, prefix: str, folder: Path) -> None:
        self.redis, self.prefix = redis, prefix
        self.client = Redis.from_url(redis, decode_responses=True)
        self._published = PublishedByHand(self.client, prefix)
        names = folder / "names.jsonl"
        names.write_text('{"title_id": "dragon", "name": "The Little Dragon"}\n')
        self.dashboard = Dashboard(redis, prefix, "--names", str(names))

    def published_anew(self) -> PublishedByHand:
        """What is shown from now on: nothing of what was published before, and newer versions."""
        self.empty()
        self._published.complete = 1
        publish(self._published)
        return self._published

    def empty(self) -> None:
        for key in self.client.scan_iter(f"{self.prefix}*", count=1000):
            self.client.unlink(key)

    def close(self) -> None:
        self.dashboard.stop(signal.SIGKILL)
        self.client.close()


def publish(published: PublishedByHand) -> None:
    published.status(events=1_000, lag=7, dead_letters=3)
    published.title("dragon", **DRAGON)
    published.window("dragon", "day:20251119", completions=3, watched_s="1800.000")
    published.window("dragon", "day:20251120", completions=12, watched_s="3600.000")
    published.window("dragon", "age:opening", starters=200, completers=120, watched_s="3600.000")
    for week in (1, 2, 3):
        published.window("dragon", f"week:{week}", watched_s=f"{7200 // week}.000")
    published.window("dragon", "hour:20251120T00", completions=5)
    published.part(
        "dragon", "dayparts", before_school_watched_s="9.000", before_school_streak_5=71, other_watched_s="1.000"
    )
    published.audience("dragon", "2025W46", new=70)
    published.audience("dragon", "2025W47", new=5, returning=60, resurrected=8)
    published.curve("dragon", 4, 4, 8, 2)
    published.part("dragon", "legs", week=9, hold="0.970000", hold_4w="0.95", hold_4w_before="0.95", unstoppable=1)
    published.title(SCRIPT, completions=9, starters=9_000, completers=9)
    published.title(ODD, completions=8, starters=8)
    published.window(ODD, "week:1", watched_s="1800.000")
    published.window(ODD, "week:2", watched_s="1800.000")
    published.part(ODD, "legs", week=2)
    published.franchise("dragons", completions=1_700, starters=700)
    published.board("completions", **{"dragon": 1_650, SCRIPT: 9, ODD: 8})
    published.board("plays", dragon=44_012_345)
    published.board("plays", day="20251120", dragon=12)


@pytest.fixture(scope="module")
def shown(servers: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    """The one dashboard of nearly all tests, on the shared Redis."""
    shown = Shown(servers.redis, f"test-{secrets.token_hex(6)}:", tmp_path_factory.mktemp("shown"))
    yield shown
    shown.empty()
    shown.close()


@pytest.fixture
def published(shown: Shown) -> PublishedByHand:
    return shown.published_anew()


@pytest.fixture
def dashboard(shown: Shown, published: PublishedByHand) -> Dashboard:
    return shown.dashboard


@pytest.fixture
def alone(private_redis: Any, tmp_path: Path) -> Iterator[Shown]:
    """A dashboard and its Redis of the test's own."""
    shown = Shown(private_redis.redis, "encore:", tmp_path)
    yield shown
    shown.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The system's Chromium; nothing is downloaded. While it runs this thread has a running event loop (Playwright's),
    so that no other test may use `asyncio.run`: it ends with the module."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        assert not os.environ.get("CI"), "no Chromium: install one (Debian: chromium)"
        pytest.skip("no Chromium: install one to try the dashboard")
    with sync_playwright() as playwright:
        # The sandbox needs what a container mostly has not; the only pages are our own.
        started = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield started
        started.close()


class Watched:
    """A page, and all that went wrong on it: errors, messages of the console, dialogs, requests to elsewhere."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.wrong: list[str] = []
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        page.on("console", lambda message: self.wrong.append(message.text))
        page.on("dialog", lambda dialog: (self.wrong.append(dialog.message), dialog.dismiss()))
        page.on("request", lambda request: self._ask(request.url, url))

    def _ask(self, asked: str, url: str) -> None:
        if urlsplit(asked).netloc != urlsplit(url).netloc:
            self.wrong.append(f"asked {asked}")


@contextmanager
def watched(browser: Browser, dashboard: Dashboard) -> Iterator[Page]:
    """A page at the dashboard on which nothing may go wrong."""
    with browser.new_context(base_url=dashboard.url) as context:
        found = Watched(context.new_page(), dashboard.url)
        found.page.goto("/")
        yield found.page
        assert found.wrong == []


@pytest.fixture
def page(browser: Browser, dashboard: Dashboard) -> Iterator[Page]:
    with watched(browser, dashboard) as page:
        yield page


def row(page: Page, name: str) -> Any:
    return page.get_by_role("row").filter(has=page.get_by_role("link", name=name, exact=True))


def test_the_leaderboard_shows_titles_by_name_with_short_numbers_and_exact_ones_behind(page: Page) -> None:
    dragon = row(page, "The Little Dragon")
    expect(dragon).to_contain_text("93.2%")
    expect(page).to_have_title("completions, all time · Encore")
    page.get_by_label("Ranked by").select_option("plays")
    expect(dragon.get_by_text("44.0M")).to_have_attribute("title", "44,012,345")
    expect(page).to_have_url(re.compile(r"/\?metric=plays$"))
    page.get_by_label("on a UTC day").fill("2025-11-20")
    expect(page).to_have_title("plays, 2025-11-20 UTC · Encore")
    expect(dragon).to_contain_text("12")
    page.go_back()
    expect(dragon.get_by_text("44.0M")).to_be_visible()


def test_a_change_in_redis_appears_without_a_reload(page: Page, published: PublishedByHand) -> None:
    expect(row(page, "The Little Dragon")).to_contain_text("1,650")
    page.evaluate("window.isTheSame = true")
    published.board("completions", **{"dragon": 1_651, SCRIPT: 2_000})
    published.title("dragon", **DRAGON | {"completions": 1_651, "repeaters": 415})
    expect(row(page, "The Little Dragon")).to_contain_text("1,651")
    expect(page.get_by_role("link", name=re.compile("Dragon|script"))).to_have_text([SCRIPT, "The Little Dragon"])
    assert page.evaluate("window.isTheSame")


def chart(page: Page, title: str) -> Any:
    return page.get_by_role("application", name=title)


def test_a_new_week_and_another_curve_appear_without_a_reload(page: Page, published: PublishedByHand) -> None:
    page.get_by_role("link", name="The Little Dragon").click()
    reached = chart(page, "Households reached in each week")
    reached.focus()
    page.keyboard.press("End")
    expect(reached.get_by_role("status")).to_contain_text("week from 2025-11-17, so far: 73 reached")
    page.evaluate("window.isTheSame = true")
    published.audience("dragon", "2025W47", new=99)
    published.curve("dragon", 4, 4, 4, 4)
    expect(reached.get_by_role("status")).to_contain_text("week from 2025-11-17, so far: 99 reached")
    expect(page.get_by_role("region", name="Which parts are played")).to_contain_text("none stands out")
    expect(reached).to_be_focused()
    assert page.evaluate("window.isTheSame")


KEYS = [("ArrowRight", 1), ("ArrowRight", 2), ("End", 3), ("ArrowRight", 3), ("ArrowLeft", 2), ("Home", 1)]


def test_the_values_of_a_chart_are_read_by_keyboard_by_touch_and_as_a_table(
    browser: Browser, dashboard: Dashboard
) -> None:
    with browser.new_context(base_url=dashboard.url, has_touch=True, viewport=PHONE) as context:
        page = context.new_page()
        page.goto("/title?id=dragon")
        weeks = chart(page, "Watched time of each week since the release, in hours watched. watched: at most 2.0 h")
        values = weeks.get_by_role("status")
        weeks.focus()
        for key, week in KEYS:
            page.keyboard.press(key)
            expect(values).to_contain_text(f"week {week}")
        expect(values).to_have_text("week 12.0 h, 200.0% of the opening")
        expect(values).to_have_attribute("aria-live", "polite")
        page.keyboard.press("Escape")
        expect(values).to_be_empty()
        weeks.locator(".u-over").tap()
        expect(values).to_have_text("week 21.0 h, 100.0% of the opening")
        weeks.get_by_text("Values as a table").click()
        expect(weeks.get_by_role("row").last).to_have_text("week 340 min, 66.7% of the opening")


def test_a_title_shows_all_that_is_known_of_it(page: Page) -> None:
    page.get_by_role("link", name="The Little Dragon").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("unstoppable")
    headings = page.get_by_role("heading", level=2)
    expect(headings).to_have_text([
        "Households, from start to again", "How often they completed it", "What becomes of its completions",
        "Week by week since the release", "Day by day", "Audience by week", "Which parts are played",
        "Completions by the hour",
        "When it is watched", "Habit", "Staying power", "Since the release", "All time",
    ])  # fmt: skip
    expect(page.locator(".headline")).to_contain_text("600")
    expect(chart(page, "Watched time of each week since the release")).to_be_visible()
    expect(chart(page, "Completions of each day, in completions. The Little Dragon: at most 12")).to_be_visible()
    expect(chart(page, "How often each part was played")).to_be_visible()
    expect(page.get_by_role("region", name="Which parts are played")).to_contain_text("0:10 to 0:15: 1.78 times")
    expect(page.get_by_role("table", name="Households with a streak")).to_contain_text("71")
    expect(page.get_by_role("row").filter(has_text="hold, mean of 4 weeks")).to_contain_text("95.0%")


@pytest.mark.parametrize("title_id", [SCRIPT, ODD])
def test_whatever_a_title_is_called_is_text_and_has_a_page(page: Page, title_id: str) -> None:
    page.get_by_role("link", name=title_id, exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(title_id)
    expect(page.locator(".headline")).to_be_visible()
    assert page.locator("script").count() == 2
    page.goto(f"/title?id={quote(title_id, safe='')}")
    expect(page.get_by_role("heading", level=1)).to_have_text(title_id)


def test_titles_are_chosen_and_stand_in_one_chart_on_one_scale_or_relative(page: Page) -> None:
    page.get_by_label("Compare The Little Dragon").check()
    page.get_by_label(f"Compare {ODD}").check()
    page.get_by_role("link", name="Compare 2 titles").click()
    rates = page.get_by_role("row").filter(has_text="completion rate").last
    expect(rates.get_by_role("cell")).to_have_text(["93.2%", "–"])
    weeks = chart(page, "Watched time of each week since the release, in hours watched")
    weeks.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(weeks.get_by_role("status")).to_have_text(f"week 2The Little Dragon 1.0 h{ODD} 30 min")
    page.get_by_role("switch", name="relative").check()
    expect(weeks).to_have_count(0)
    relative = chart(page, "in % of each title's own largest")
    expect(relative.get_by_role("status")).to_have_text(f"week 2The Little Dragon 50% (1.0 h){ODD} 100% (30 min)")
    page.get_by_label("Show").select_option("days")
    page.get_by_label("from", exact=True).fill("2025-11-20")
    page.reload()
    expect(page.get_by_role("heading", level=2).first).to_have_text("Watched time of each day")
    expect(page.get_by_role("switch", name="relative")).to_be_checked()


def test_titles_are_searched_and_the_address_holds_the_search(page: Page) -> None:
    page.get_by_label("Search").fill("DRAGON little")
    expect(page.get_by_role("status").filter(has_text="1 title found")).to_be_visible()
    expect(page.locator("tbody").get_by_role("link")).to_have_text(["The Little Dragon"])
    expect(page).to_have_url(re.compile(r"/\?search=DRAGON\+little$"))
    page.reload()
    expect(page.get_by_label("Search")).to_have_value("DRAGON little")
    page.get_by_label("Search").fill("dragons")
    page.get_by_role("link", name="dragons").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("dragons")
    expect(row(page, "The Little Dragon")).to_contain_text("1,650")


def test_a_long_board_has_pages(page: Page, published: PublishedByHand) -> None:
    published.board("starters", **{f"title-{number}": 1_000 - number for number in range(51)})
    page.goto("/?metric=starters")
    expect(page.get_by_role("row")).to_have_count(51)
    page.get_by_role("link", name="next").click()
    expect(page.get_by_role("row").nth(1)).to_contain_text("51title-50")
    expect(page).to_have_url(re.compile(r"/\?metric=starters&page=2$"))
    page.get_by_label("Ranked by").select_option("completions")
    expect(page).to_have_url(re.compile(r"/\?metric=completions$"))


def test_the_pipeline_tells_what_waits_and_what_became_of_the_records(page: Page) -> None:
    expect(page.locator("#health")).to_contain_text("7 waiting")
    page.get_by_role("link", name="Pipeline").click()
    expect(page.locator("dl").first).to_contain_text("records waiting")
    expect(page.locator("dl").nth(1)).to_contain_text("dead letters3")
    expect(page.locator("dl").last).to_contain_text("too fast")


def test_counters_that_are_being_rebuilt_are_said_to_be_so_and_not_shown(
    page: Page, published: PublishedByHand
) -> None:
    published.complete = 0
    published.title("new", completions=7_777, starters=7_777)
    page.goto("/title?id=new")
    expect(page.get_by_text("catching up")).to_be_visible()
    assert "7,777" not in page.content()


def test_a_title_that_nobody_watched_and_a_page_that_is_not_there_are_said_to_be_so(
    browser: Browser, dashboard: Dashboard
) -> None:
    with browser.new_context(base_url=dashboard.url) as context:
        page = context.new_page()
        page.goto("/title?id=nobody")
        expect(page.get_by_text("nobody has watched it yet")).to_be_visible()
        page.goto("/?metric=nothing")
        expect(page.get_by_role("heading", level=1)).to_have_text("No such page")
        expect(page.get_by_role("main")).to_contain_text("metric: accepted: plays, starters")


def test_a_title_is_reached_by_the_keyboard_alone(page: Page) -> None:
    expect(row(page, "The Little Dragon")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()
    link = page.get_by_role("link", name="The Little Dragon")
    for _ in range(12):
        page.keyboard.press("Tab")
        if link.evaluate("link => link === document.activeElement"):
            break
    assert link.evaluate("link => getComputedStyle(link).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("The Little Dragon")


def test_the_focus_stays_with_its_title_when_the_ranks_change(page: Page, published: PublishedByHand) -> None:
    link = page.get_by_role("link", name="The Little Dragon")
    link.focus()
    published.board("completions", **{"dragon": 1_650, SCRIPT: 2_000, ODD: 1_999})
    published.title("dragon", **DRAGON)
    expect(page.get_by_role("row").nth(1)).to_contain_text(SCRIPT)
    expect(link).to_be_focused()


def test_a_phone_shows_every_page_without_scrolling_sideways(page: Page) -> None:
    page.set_viewport_size(PHONE)
    for path in ("/", "/title?id=dragon", "/franchise?id=dragons", "/compare?id=dragon&id=nobody", "/pipeline"):
        page.goto(path)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], path


def test_a_redis_that_goes_away_is_said_to_and_the_page_goes_on_once_it_is_back(
    browser: Browser, alone: Shown, private_redis: Any
) -> None:
    published = alone.published_anew()
    with watched(browser, alone.dashboard) as page:
        expect(row(page, "The Little Dragon")).to_contain_text("1,650")
        private_redis.redis_server.kill()
        expect(page.get_by_role("alert")).to_contain_text("Redis is away", timeout=20_000)
        expect(row(page, "The Little Dragon")).to_contain_text("1,650")
        private_redis.redis_server.start()
        published.status()
        published.title("dragon", **DRAGON | {"completions": 1_700})
        published.board("completions", dragon=1_700)
        published.title("dragon", **DRAGON | {"completions": 1_700})
        expect(row(page, "The Little Dragon")).to_contain_text("1,700", timeout=40_000)
        expect(page.get_by_role("alert")).to_be_hidden()


def test_two_hundred_pages_cost_redis_no_more_than_one(alone: Shown) -> None:
    published, dashboard = alone.published_anew(), alone.dashboard

    def reads_over(pages: int) -> int:
        with ExitStack() as cleanup:
            for _ in range(pages):
                opened = cleanup.enter_context(stream(dashboard))
                assert b"event: page" in until(opened, b"event: page")
            before = reads(published)
            for change in range(30):
                published.title("dragon", **DRAGON | {"completions": 2_000 + change})
                time.sleep(0.1)
            return reads(published) - before

    one, many = reads_over(1), reads_over(200)
    assert 0 < many <= 1.5 * one


def reads(published: PublishedByHand) -> int:
    """The reading commands that Redis has executed."""
    stats = published.client.info("commandstats")
    return sum(stats[f"cmdstat_{name}"]["calls"] for name in ("hgetall", "zrevrange", "hmget"))


def stream(dashboard: Dashboard, method: str = "GET", path: str = "/events/board", host: str = "") -> socket.socket:
    """A connection over which something was asked, without a browser."""
    where = urlsplit(dashboard.url)
    opened = socket.create_connection((where.hostname, where.port), timeout=20)
    opened.sendall(f"{method} {path} HTTP/1.1\r\nHost: {host or where.netloc}\r\n\r\n".encode())
    return opened


def until(opened: socket.socket, words: bytes) -> bytes:
    """What came until these words did."""
    came = b""
    while words not in came:
        part = opened.recv(65_536)
        assert part, came
        came += part
    return came


def test_nothing_can_be_written(dashboard: Dashboard) -> None:
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        with stream(dashboard, method) as opened:
            assert until(opened, b"\r\n\r\n").startswith(b"HTTP/1.1 405")


def test_every_answer_carries_the_policy_and_a_name_of_elsewhere_gets_none(dashboard: Dashboard) -> None:
    with stream(dashboard) as opened:
        head = until(opened, b"\r\n\r\n").decode().lower()
    assert "content-security-policy: default-src 'none'; script-src 'self'; style-src 'self';" in head
    assert "frame-ancestors 'none'" in head
    assert "x-content-type-options: nosniff" in head
    with stream(dashboard, host="evil.example") as opened:
        assert until(opened, b"\r\n\r\n").startswith(b"HTTP/1.1 400")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_cleanly_although_pages_are_open(
    shown: Shown, published: PublishedByHand, number: signal.Signals
) -> None:
    dashboard = Dashboard(shown.redis, shown.prefix)
    assert re.fullmatch(r"The dashboard is at http://127\.0\.0\.1:\d+/ \(Ctrl-C ends it\)\n", dashboard.said)
    with stream(dashboard) as opened:
        until(opened, b"event: page")
        assert dashboard.stop(number) == 0


def refused(*words: str, redis: str = "redis://127.0.0.1:1/0") -> tuple[int, str]:
    """The exit code and the one line of a dashboard that does not start."""
    command = [sys.executable, "-m", "streams.cli", "dashboard", *words]
    environment = {**os.environ, "ENCORE_REDIS": redis}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    return done.returncode, line


def test_a_redis_that_is_not_there_and_a_port_that_is_taken_are_one_line_each(servers: Any) -> None:
    code, line = refused("--dashboard-port", "0")
    assert (code, "does not answer" in line) == (1, True)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, line = refused("--dashboard-port", str(taken.getsockname()[1]), redis=servers.redis)
    assert (code, "--dashboard-port 0 takes" in line) == (1, True)


def test_what_is_no_counter_is_not_passed_on(dashboard: Dashboard, published: PublishedByHand) -> None:
    published.title("dragon", **DRAGON, household_id="home-7")
    for path in ("/events/board", "/events/title?id=dragon", "/events/compare?id=dragon"):
        with stream(dashboard, path=path) as opened:
            came = until(opened, b'"dragon"')
        assert b"home-7" not in came
