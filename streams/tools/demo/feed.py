"""The demo's events: simulated households, or a file with one household's real viewing.

Owns the feeds, and sends one in the background at a steady rate.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from models.sources.reading import FileOwner, NotImportable
from streams.config.settings import Settings
from streams.kafka.producer import Outgoing, by_rate, send
from streams.operations.imports import read_import
from streams.operations.titles import Row
from streams.tools.simulate.plan import Plan
from streams.tools.simulate.stream import stream
from streams.tools.simulate.world import DAY_MS, catalog_rows, titles

HOUSEHOLDS, TITLES = 150, 24
SIMULATED_PER_S = 4_000.0
BEGUN_MS = 3 * DAY_MS
"""How long ago the simulated clock starts; it is soon ahead of this machine's, and nothing minds."""

IMPORT_S = 12.0
"""Seconds over which an export is sent, however large it is."""


@dataclass(frozen=True)
class DemoLoad:
    """Records to send, the catalog to load before, and the names of all titles by id; `notes` for people."""

    items: Iterable[Outgoing]
    per_s: float
    catalog: list[Row]
    names: dict[str, str]
    notes: tuple[str, ...] = ()


def simulated(seed: int, now_ms: int) -> DemoLoad:
    """Simulated viewing without end; the more is watched at an hour, the slower it passes."""
    plan = Plan.model_validate({"seed": seed, "households": HOUSEHOLDS, "titles": TITLES})
    origin_ms = now_ms - BEGUN_MS
    everything = titles(plan, origin_ms)
    names = {title.title_id: title.name for title in everything}
    return DemoLoad(stream(plan, origin_ms), SIMULATED_PER_S, catalog_rows(everything), names)


def exported(path: Path, household: str) -> DemoLoad:
    """A whole file, in the order of its event times. Raises `NotImportable`, `OSError`."""
    found = read_import(path, FileOwner(household))
    if not found.events:
        raise NotImportable(f"{path}: {found.format_name}: no event could be made of it")
    catalog = found.missing_titles({})
    names = {str(event["title_id"]): str(event["title_id"]) for event in found.events}
    names |= {row["title_id"]: row["name"] for row in catalog}
    counts = f"{found.rows:,} rows read ({len(found.events):,} events), {len(found.bad_rows):,} could not be read"
    with_length = sum("runtime_ms" in row for row in catalog)
    lengths = f"{with_length:,} titles got the largest position seen in the file as their runtime"
    per_s = max(1.0, len(found.events) / IMPORT_S)
    bad = tuple(f"  {row}" for row in found.bad_rows[:5])
    return DemoLoad(
        found.items(), per_s, catalog, names, (f"{path.name}: {found.format_name}; {counts}", *bad, lengths)
    )


class Feeding:
    """Sends a feed in a thread until it is over or `stop` is called. `sent` counts up meanwhile."""

    def __init__(self, feed: DemoLoad, settings: Settings) -> None:
        self.sent = 0
        self._error: Exception | None = None
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(feed, settings), name="feed", daemon=True)
        self._thread.start()

    @property
    def over(self) -> bool:
        """Whether everything was sent and delivered, or sending failed: then this raises `SendFailed`."""
        if self._error is not None:
            raise self._error
        return not self._thread.is_alive()

    def stop(self) -> None:
        """Send no more; returns when all that was sent is delivered."""
        self._stopped.set()
        self._thread.join()

    def __enter__(self) -> Feeding:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _run(self, feed: DemoLoad, settings: Settings) -> None:
        try:
            send(self._until_stopped(feed.items), settings.kafka_address, settings.source_topic, by_rate(feed.per_s))
        except Exception as problem:
            self._error = problem

    def _until_stopped(self, items: Iterable[Outgoing]) -> Iterator[Outgoing]:
        for item in items:
            if self._stopped.is_set():
                return
            yield item
            self.sent += 1
