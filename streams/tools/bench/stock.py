"""The comparison: the title totals in ordinary Faust, as its documentation teaches it.

Owns one Faust app: `faust.Record` events in JSON from a topic, `app.Table` for the pairs of household and title and for
the titles' totals (changelog topics, memory store), one agent, stock transport. The fold is the rules written plainly,
for all-time totals only: no windows, no dead letters, no transactions, no Redis, and the catalog is read beforehand, so
that the comparison errs in favour of Faust. It imports nothing of `models` or of the worker.

`python -m streams.tools.bench.stock KAFKA TOPIC APP_ID EVENTS`, with the titles topic in the settings, reads the
catalog, then consumes that many events and prints one JSON line: events, wall_s, cpu_s (all threads, from the first
event on), process_cpu_s (start-up included).
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from tempfile import gettempdir
from typing import Any

import faust

from streams.config.settings import load
from streams.operations.titles import stored_titles

CELL_MS = 5_000
GRACE_MS = 30 * 86_400_000
FUTURE_MS = 300_000
PLAYING = {"start", "play", "heartbeat", "rate", "seek"}
STILL = {"pause", "buffer", "stop", "end"}


TOTALS = ("plays", "starters", "viewers", "watchers", "completers", "repeaters", "completions", "rewatches")
KIDS_TOO = ("plays", "completions", "rewatches", "watched_ms")


class Playback(faust.Record, serializer="json"):  # type: ignore[call-arg]
    """The fields of a playback event that the totals need."""

    event_id: str
    event_type: str
    event_time_ms: int
    household_id: str
    title_id: str
    play_session_id: str
    position_ms: int
    profile_kind: str = "general"
    seq: int | None = None
    playback_rate: float | None = None
    seek_from_ms: int | None = None
    runtime_ms: int | None = None
    credits_start_ms: int | None = None
    content_kind: str | None = None
    autoplay: bool | None = None


def new_title() -> dict[str, int]:
    names = "plays starters viewers watchers completers repeaters completions rewatches watched_ms"
    return dict.fromkeys([*names.split(), "kids_plays", "kids_completions", "kids_rewatches", "kids_watched_ms"], 0)


def new_pair() -> dict[str, Any]:
    return {
        "sessions": {},
        "cells": 0,
        "once": "0",
        "twice": "0",
        "owed": "0",
        "owner": "",
        "watched_ms": 0,
        "completions": 0,
        "starter": False,
        "viewer": False,
        "watcher": False,
    }


def new_session(event: Playback) -> dict[str, Any]:
    return {
        "playing": False,
        "over": False,
        "position_ms": event.position_ms,
        "time_ms": event.event_time_ms,
        "place": [],
        "ids": [],
        "rate": 1000,
        "allowance_ms": 5_000,
        "credited_ms": 0,
        "played": False,
        "play_ms": 120_000 if event.autoplay else 1_000,
    }


def is_old(session: dict[str, Any], event: Playback) -> bool:
    """Whether the event is older than the session, or a duplicate at its place; notes its place if not."""
    by_seq = event.seq is not None
    place = event.seq if by_seq else event.event_time_ms
    if session["place"] and session["place"][0] == by_seq:
        if place < session["place"][1]:
            return True
        if place == session["place"][1] and event.event_id in session["ids"]:
            return True
    if session["place"] == [by_seq, place]:
        session["ids"].append(event.event_id)
    else:
        session["place"], session["ids"] = [by_seq, place], [event.event_id]
    return False


def close_interval(session: dict[str, Any], event: Playback) -> tuple[int, int]:
    """The credited interval that ends with this event, in milliseconds; empty where nothing is credited."""
    begin = session["position_ms"]
    end = event.seek_from_ms if event.event_type == "seek" else event.position_ms
    elapsed = event.event_time_ms - session["time_ms"]
    if end is None or not session["playing"] or not 0 <= elapsed <= 1_800_000:
        return begin, begin
    allowed = session["allowance_ms"] + elapsed * session["rate"] * 102 // 100_000
    credited = end - begin if 0 < end - begin <= allowed else 0
    session["allowance_ms"] = min(5_000, allowed - credited)
    return begin, begin + credited


def begin_again(session: dict[str, Any], event: Playback) -> None:
    """Let a session that has made its play and goes back to the start wait for another."""
    goes_back = event.position_ms < 60_000 <= session["position_ms"] - event.position_ms
    if event.event_type in ("start", "play", "seek") and goes_back and session["credited_ms"] >= session["play_ms"]:
        session["credited_ms"] = 0


def move_on(session: dict[str, Any], event: Playback) -> None:
    """The session's state after the event."""
    kind = event.event_type
    if kind in ("start", "play"):
        session["playing"], session["over"] = True, False
    elif kind in STILL:
        session["playing"] = False
        session["over"] = session["over"] or kind in ("stop", "end")
    elif kind == "heartbeat" and not session["over"] and event.position_ms > session["position_ms"]:
        session["playing"] = True
    session["position_ms"] = event.position_ms
    session["time_ms"] = event.event_time_ms
    if event.playback_rate is not None:
        session["rate"] = min(4_000, max(100, round(event.playback_rate * 1000)))


def cover(pair: dict[str, Any], session_id: str, begin: int, end: int) -> int:
    """Set the cells of the interval; returns how many completions that made."""
    once, twice, owed = int(pair["once"], 16), int(pair["twice"], 16), int(pair["owed"], 16)
    first, last = -(-(begin - 2_500) // CELL_MS), -(-(end - 2_500) // CELL_MS)
    owns = pair["owner"] == session_id
    for cell in range(max(0, first), min(last, pair["cells"])):
        bit = 1 << cell
        if owns and owed & bit:
            owed &= ~bit
        elif once & bit:
            twice |= bit
        else:
            once |= bit
    made, full = 0, (1 << pair["cells"]) - 1
    end_cell = -(-9 * pair["cells"] // 10) - 1
    while pair["cells"] and once.bit_count() * 10 >= 8 * pair["cells"] and once >> end_cell:
        owed, once, twice = full & ~once, twice, 0
        pair["owner"] = session_id
        made += 1
    pair["once"], pair["twice"], pair["owed"] = f"{once:x}", f"{twice:x}", f"{owed:x}"
    return made


def count(pair: dict[str, Any], title: dict[str, int], session: dict[str, Any], event: Playback) -> None:
    """Close the running interval and count what it crossed."""
    begin, end = close_interval(session, event)
    if begin == end:
        return
    kids = event.profile_kind == "kids"
    before, session["credited_ms"] = session["credited_ms"], session["credited_ms"] + end - begin
    if before < session["play_ms"] <= session["credited_ms"]:
        title["plays"] += 1
        title["kids_plays"] += kids
        if not session["played"]:
            session["played"] = True
            pair["watched_ms"] += before
    title["watched_ms"] += end - begin
    title["kids_watched_ms"] += (end - begin) * kids
    pair["watched_ms"] += (end - begin) * session["played"]
    made = cover(pair, event.play_session_id, begin, end)
    for name, crossed in (
        ("starter", pair["watched_ms"] >= 120_000),
        ("viewer", pair["watched_ms"] >= 300_000),
        ("watcher", pair["cells"] and int(pair["once"], 16).bit_count() * 10 >= 7 * pair["cells"]),
    ):
        if not pair[name] and (made or crossed):
            pair[name] = True
            title[f"{name}s"] += 1
    for _ in range(made):
        pair["completions"] += 1
        again = pair["completions"] > 1
        title["completions"] += 1
        title["kids_completions"] += kids
        title["completers"] += not again
        title["rewatches"] += again
        title["kids_rewatches"] += again and kids
        title["repeaters"] += pair["completions"] == 2


def fold(pair: dict[str, Any], title: dict[str, int], event: Playback, row: dict[str, Any]) -> None:
    """Apply one event to its household's pair and its title's totals, in place; `row` is the catalog's."""
    if not pair["cells"]:
        known = row.get("credits_start_ms") or row.get("runtime_ms")
        stated = event.credits_start_ms or event.runtime_ms or 0
        length = known or (stated if stated >= 60_000 else 0)
        pair["cells"] = max(1, length // CELL_MS) if length else 0
    session = pair["sessions"].get(event.play_session_id)
    opened = session is None
    if session is None:
        session = pair["sessions"][event.play_session_id] = new_session(event)
    if is_old(session, event):
        return
    count(pair, title, session, event)
    begin_again(session, event)
    if opened:
        session["playing"] = event.event_type in PLAYING
    move_on(session, event)
    if event.event_type in ("stop", "end") and pair["owner"] == event.play_session_id:
        pair["owed"], pair["owner"] = "0", ""


def decode(value: bytes) -> Playback | None:
    """The event in a record's value; None: it cannot be read."""
    try:
        event: Playback = Playback.loads(value)
    except (ValueError, TypeError, faust.exceptions.ValueDecodeError):
        return None
    return event


def is_counted(event: Playback, row: dict[str, Any], record_ms: float) -> bool:
    """Whether the event is of a main title, and neither from the future nor too late."""
    main = event.content_kind in (None, "main") and row.get("content_kind") in (None, "main")
    return main and record_ms - GRACE_MS <= event.event_time_ms <= record_ms + FUTURE_MS


def make_app(kafka: str, topic_name: str, app_id: str, events: int, catalog: dict[str, dict[str, Any]]) -> faust.App:
    """The app; it ends its process after `events` events. `catalog`: rows of the titles topic by id."""
    app = faust.App(
        app_id,
        broker=f"kafka://{kafka}",
        store="memory://",
        datadir=Path(gettempdir()) / "encore-faust",
        topic_partitions=4,
        topic_replication_factor=1,
        topic_disable_leader=True,
        stream_wait_empty=False,
        broker_commit_interval=1.0,
        producer_linger=0.02,
        producer_max_batch_size=1 << 20,
        consumer_auto_offset_reset="earliest",
        web_enabled=False,
    )
    topic = app.topic(topic_name, key_serializer="raw", value_serializer="raw")
    pairs = app.Table("pairs", default=new_pair, partitions=4)
    titles = app.Table("titles", default=new_title, partitions=4)
    started: list[tuple[float, float]] = []
    done = 0

    @app.agent(topic)
    async def count_viewing(stream: faust.StreamT[bytes]) -> None:
        nonlocal done
        async for record in stream.events():
            if not started:
                started.append((time.perf_counter(), time.process_time()))
            event = decode(record.value)
            row = catalog.get(event.title_id, {}) if event else {}
            if event and is_counted(event, row, record.message.timestamp * 1000):
                key = f"{event.household_id}|{event.title_id}"
                pair, title = pairs[key], titles[event.title_id]
                fold(pair, title, event, row)
                pairs[key], titles[event.title_id] = pair, title
            done += 1
            if done == events:
                await app.producer.flush()
                report(started[0], done)

    return app


def report(started: tuple[float, float], done: int) -> None:
    """Print the figures and end the process: what is measured is over."""
    wall_s, cpu_s = time.perf_counter() - started[0], time.process_time() - started[1]
    figures = {"events": done, "wall_s": wall_s, "cpu_s": cpu_s, "process_cpu_s": time.process_time()}
    os.write(sys.__stdout__.fileno(), json.dumps(figures).encode() + b"\n")  # type: ignore[union-attr]
    os._exit(0)


def main() -> None:
    kafka, topic, app_id, events = sys.argv[1:]
    app = make_app(kafka, topic, app_id, int(events), stored_titles(load(), load().kafka_address))
    faust.Worker(app, loglevel="ERROR", redirect_stdouts=False).execute_from_commandline()


if __name__ == "__main__":
    main()
