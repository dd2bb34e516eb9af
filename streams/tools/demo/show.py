"""The demo's run: servers, worker, dashboard, feed, live table, and the verdict at the end.

Owns the order of the steps, and how they are interrupted.
"""

from __future__ import annotations

import json
import math
import re
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from redis import RedisError
from rich.console import Console
from rich.live import Live
from rich.text import Text

from models.sources.reading import NotImportable
from streams.config.settings import Settings
from streams.dashboard.server import opened
from streams.kafka.producer import SendFailed
from streams.kafka.topics import KafkaFailed
from streams.observability.listening import PortTaken
from streams.operations.titles import Row, write_titles
from streams.reader import Reader, ReaderError
from streams.tools.demo.board import BoardReader, LiveBoard
from streams.tools.demo.feed import DemoLoad, Feeding
from streams.tools.demo.table import RunProgress, header, screen
from streams.tools.devstack import ServerFailed
from streams.tools.processes import Child, ChildEnded, encore, wait_until
from streams.tools.trial import READY_S, Run, run_of_its_own
from streams.verify import CannotRead, Verification, verify

LOOK_S = 0.4
PACE_S = 3.0
CATCH_UP_S = 60.0
PLAIN_EVERY_S = 10.0
LINES_BESIDE_ROWS = 13
PLAIN_ROWS = 12

FAILURES = (
    CannotRead, ChildEnded, KafkaFailed, NotImportable, OSError, ReaderError, RedisError, SendFailed, ServerFailed,
)  # fmt: skip
"""What can end a demo early; the message of each is for people."""


def run_demo(
    settings: Settings, make_feed: Callable[[], DemoLoad], for_s: float | None, console: Console
) -> Verification:
    """Show the feed being counted for `for_s` seconds (None: until it is over or Ctrl-C), then verify it.

    Ctrl-C and SIGTERM end the showing, not the verification; at any other time they are a KeyboardInterrupt.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    feed = make_feed()
    for note in feed.notes:
        console.print(Text(note, style="dim"))
    say = _Saying(console)
    say("Apache Kafka and Redis are starting …")
    with run_of_its_own(settings, "demo") as run:
        say("both answer; the worker opens its partitions …")
        write_titles(run.settings, run.settings.kafka_address, feed.catalog)
        with run.worker() as worker, dashboard(run, feed.catalog) as browsed:
            run.wait_until_ready(worker)
            where = address_of(browsed)
            say(f"events flow; in a browser: {where}")
            with interruptible() as interrupted, reader_of(run) as reader:
                _Showing(run, feed, (worker, browsed), where, reader, console).until_over(for_s, interrupted)
            say("everything is recomputed from the raw topic …")
            return verify(run.settings, wait_s=CATCH_UP_S, expired_too=True)


def reader_of(run: Run) -> Reader:
    """The reader that any other service would use."""
    return Reader(run.settings.redis_url, run.settings.redis_prefix)


def dashboard(run: Run, catalog: list[Row]) -> Child:
    """Start the dashboard, with the titles' names: on the port of the settings, or on another if that is taken."""
    names = run.folder / "titles.jsonl"
    names.write_text("".join(f"{json.dumps(row)}\n" for row in catalog))
    # The port of the metrics is the worker's.
    settings = run.settings.model_copy(update={"metrics_port": 0})
    try:
        opened(settings.dashboard_host, settings.dashboard_port).close()
    except PortTaken:
        settings = settings.model_copy(update={"dashboard_port": 0})
    return encore("dashboard", settings, run.folder / "dashboard.log", "dashboard", "--names", str(names))


def address_of(browsed: Child) -> str:
    """Where the dashboard is, once it says so. Raises `ChildEnded`, TimeoutError."""
    wait_until(lambda: bool(_addresses(browsed)), "the dashboard answers", READY_S, browsed)
    return _addresses(browsed)[0]


def _addresses(browsed: Child) -> list[str]:
    return re.findall(r"http://\S+", browsed.log.read_text())


class _Saying:
    """Prints progress lines, each with the seconds since the start of the run."""

    def __init__(self, console: Console) -> None:
        self._console, self._began_s = console, time.monotonic()

    def __call__(self, words: str) -> None:
        self._console.print(Text(f"{time.monotonic() - self._began_s:5.1f} s  {words}", style="dim"))


@contextmanager
def interruptible() -> Iterator[threading.Event]:
    """An event that the first Ctrl-C or SIGTERM sets; the next one is a KeyboardInterrupt."""
    event = threading.Event()

    def first(number: int, _: object) -> None:
        event.set()
        signal.signal(number, signal.default_int_handler)

    before = {number: signal.signal(number, first) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield event
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Showing:
    """One run on the screen: look at Redis, show it, look again."""

    def __init__(
        self, run: Run, feed: DemoLoad, children: Sequence[Child], where: str, reader: Reader, console: Console
    ) -> None:
        self._run, self._feed, self._children, self._where, self._console = run, feed, children, where, console
        self._reader = BoardReader(reader, feed.names)
        self._looks: deque[tuple[float, int]] = deque()
        self._began_s = self._plain_s = time.monotonic()

    def until_over(self, for_s: float | None, interrupted: threading.Event) -> None:
        """Feed and show until the time, the feed or the viewer's patience is over and all is published."""
        with Live(console=self._console, auto_refresh=False, vertical_overflow="visible") as live:
            with Feeding(self._feed, self._run.settings) as feeding:
                while not feeding.over and not interrupted.is_set() and self._left_s(for_s) > 0:
                    self._show(live, for_s)
                    interrupted.wait(min(LOOK_S, self._left_s(for_s)))
            caught_up = time.monotonic() + CATCH_UP_S
            while self._show(live, for_s).records < feeding.sent and time.monotonic() < caught_up:
                time.sleep(LOOK_S)
        if not self._console.is_terminal:
            self._console.print()

    def _left_s(self, for_s: float | None) -> float:
        return math.inf if for_s is None else self._began_s + for_s - time.monotonic()

    def _elapsed_s(self, for_s: float | None) -> float:
        return min(time.monotonic() - self._began_s, math.inf if for_s is None else for_s)

    def _show(self, live: Live, for_s: float | None) -> LiveBoard:
        for child in self._children:
            child.check()
        board = self._reader.read()
        pace = RunProgress(self._events_per_s(board), self._elapsed_s(for_s), for_s, self._where)
        if self._console.is_terminal:
            rows = max(3, self._console.height - LINES_BESIDE_ROWS)
            live.update(screen(board, pace, self._console.width, rows), refresh=True)
        else:
            live.update(screen(board, pace, self._console.width, PLAIN_ROWS))
            self._say_plainly(board, pace)
        return board

    def _events_per_s(self, board: LiveBoard) -> float:
        now_s = time.monotonic()
        self._looks.append((now_s, board.records))
        while now_s - self._looks[0][0] > PACE_S:
            self._looks.popleft()
        (then_s, then), (_, now) = self._looks[0], self._looks[-1]
        return (now - then) / (now_s - then_s) if now_s > then_s else 0.0

    def _say_plainly(self, board: LiveBoard, pace: RunProgress) -> None:
        if time.monotonic() - self._plain_s >= PLAIN_EVERY_S:
            self._plain_s = time.monotonic()
            self._console.print(header(board, pace).plain.replace("\n", "; "), soft_wrap=True)
