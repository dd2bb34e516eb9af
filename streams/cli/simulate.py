"""`encore simulate`: send simulated viewing.

Owns the options and the output.
"""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from streams.cli.options import command, with_settings
from streams.cli.servers import insist_on_json, kafka_located
from streams.tools.simulate.plan import Plan

if TYPE_CHECKING:
    from streams.config.kafka_security import KafkaAddress
    from streams.config.settings import Settings
    from streams.kafka.producer import Outgoing, Pace, Progress, Sent
    from streams.tools.simulate.world import SimulatedTitle

DAY_MS = 86_400_000
ENDLESS_RUN_MS = 28 * DAY_MS
"""How long ago a simulated clock starts whose end is not known."""


def with_plan(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command an option for each field of `Plan`; it receives them as `plan_<field>` texts."""
    for name, field in reversed(Plan.model_fields.items()):
        shown = f"{field.description} [default {field.default!r}]"
        option = f"--{name.replace('_', '-')}"
        command = click.option(option, f"plan_{name}", default=None, metavar="N", help=shown)(command)
    return command


def read_plan(given: dict[str, str | None], otherwise: dict[str, Any]) -> Plan:
    """The plan from `plan_<field>` texts; `otherwise` has values for missing ones. Raises `click.UsageError`."""
    from pydantic import ValidationError

    stated = {name.removeprefix("plan_"): text for name, text in given.items() if text is not None}
    try:
        return Plan(**otherwise | stated)
    except ValidationError as error:
        problem = error.errors()[0]
        option = f"--{str(problem['loc'][0]).replace('_', '-')}"
        raise click.UsageError(f"{option}={problem['input']!r}: {problem['msg']}") from None


class Showing(NamedTuple):
    """What is sent: the catalog's titles, then records from the origin to the end (None: without end)."""

    titles: list[SimulatedTitle]
    items: Iterator[Outgoing]
    origin_ms: int
    end_ms: int | None


@command()
@with_settings("kafka", "devstack_dir", "source_topic", "titles_topic", "topic_partitions", "topic_replication")
@click.option("--story", is_flag=True, help="send the story of two films: the eight weeks from their release until now")
@click.option(
    "--speed", type=click.FloatRange(0, min_open=True), help="simulated seconds per real second [default 3600]"
)
@click.option("--rate", type=click.FloatRange(0, min_open=True), help="events a second, instead of a speed")
@click.option(
    "--for", "for_s", type=click.FloatRange(0, min_open=True), help="stop after so many seconds [default: never]"
)
@click.option("--events", type=click.IntRange(1), help="stop after so many events")
@click.option("--origin", help="when the simulated clock starts, ISO 8601 [default: so that it ends about now]")
@click.option("--json", "as_json", is_flag=True, help="print the summary as one line of JSON")
@with_plan
def simulate(
    settings: Settings,
    story: bool,
    speed: float | None,
    rate: float | None,
    for_s: float | None,
    events: int | None,
    origin: str | None,
    as_json: bool,
    **plan_texts: str | None,
) -> None:
    """Send simulated viewing: families, kids who rewatch, and the usual faults on the way.

    At speed 1 the records carry the present time; at higher speeds, the time of a simulated clock. Records are sent on
    a fixed schedule, however slowly the broker answers: sending that falls behind catches up and reports the delay.

    --story sends two films that are released on the same Friday. Most households start the-big-opening and few finish
    it; kids watch the-film-that-will-not-stop before school and after school, for weeks. The story needs an empty
    topic, is sent as fast as Kafka accepts it, and ends by itself. Its defaults: 400 households, 16 older titles, a
    heartbeat of 120 s.
    """
    insist_on_json(settings)
    if speed and rate:
        raise click.UsageError("--speed and --rate exclude each other: leave out one of them")
    if story and for_s and not (speed or rate):
        raise click.UsageError("--for works with a story only beside --speed or --rate")
    now_ms, given_ms = int(time.time() * 1000), _iso_ms(origin) if origin else None
    if story:
        shown = _story(plan_texts, given_ms, now_ms)
    else:
        speed = None if rate else speed or 3600.0
        shown = _ordinary(plan_texts, _origin_ms(speed, for_s, now_ms) if given_ms is None else given_ms)
    sent = _run(settings, shown, _pace(speed, rate, shown.origin_ms), for_s, events)
    click.echo(_json(sent, shown.origin_ms) if as_json else _summary(sent, shown.origin_ms))


def _ordinary(plan_texts: dict[str, str | None], origin_ms: int) -> Showing:
    from streams.tools.simulate.stream import stream
    from streams.tools.simulate.world import titles

    plan = read_plan(plan_texts, {})
    return Showing(titles(plan, origin_ms), stream(plan, origin_ms), origin_ms, None)


def _story(plan_texts: dict[str, str | None], given_ms: int | None, now_ms: int) -> Showing:
    from streams.tools.simulate.story import PLAN, story_end_ms, story_origin_ms, story_titles, story_viewers
    from streams.tools.simulate.stream import stream

    plan = read_plan(plan_texts, PLAN)
    origin_ms = story_origin_ms(now_ms) if given_ms is None else given_ms
    if origin_ms > now_ms:
        raise click.UsageError("--origin must be in the past: a story begins then")
    viewers = story_viewers(plan, origin_ms)
    return Showing(
        story_titles(plan, origin_ms), stream(plan, origin_ms, viewers), origin_ms, story_end_ms(origin_ms, now_ms)
    )


def _run(settings: Settings, shown: Showing, pace: Pace, for_s: float | None, events: int | None) -> Sent:
    from streams.kafka.producer import SendFailed, Sent, at_once, send
    from streams.kafka.topics import KafkaFailed, make_topics
    from streams.operations.titles import write_titles
    from streams.tools.simulate.world import catalog_rows

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        kafka = kafka_located(settings).kafka_address
        make_topics(settings, kafka)
        if shown.end_ms is not None:
            _insist_on_no_records(kafka, settings.source_topic)
        write_titles(settings, kafka, catalog_rows(shown.titles))
        with _progress(shown, for_s, events) as (items, report):
            # Without a pace, no time of sending is fixed beforehand.
            stamp = pace is not at_once
            return send(items, kafka, settings.source_topic, pace, for_s=for_s, stamp=stamp, progress=report)
    except KeyboardInterrupt:
        # Told to end before the first event.
        return Sent(0, 0.0, 0.0, shown.origin_ms, interrupted=True)
    except (KafkaFailed, SendFailed) as problem:
        raise click.ClickException(str(problem)) from None


def _insist_on_no_records(kafka: KafkaAddress, topic: str) -> None:
    """Refuse a topic that has records: behind these, events that are eight weeks old would be late."""
    from streams.kafka.admin import KafkaView

    view = KafkaView(kafka)
    if any(view.readable_ends(topic, range(view.topic_there(topic).partitions)).values()):
        raise click.ClickException(
            f"topic {topic} has records, so the story's older events would be late; use servers of its own: set another"
            " ENCORE_DEVSTACK_DIR for `encore devstack up`, the worker and this command"
        )


@contextmanager
def _progress(shown: Showing, for_s: float | None, events: int | None) -> Iterator[tuple[Iterator[Outgoing], Progress]]:
    """The records to send, and who to tell of it: by the time, by their number, or by the simulated clock."""
    from streams.cli.progress import progress

    reached_ms = shown.origin_ms

    def until_the_end() -> Iterator[Outgoing]:
        nonlocal reached_ms
        for item in islice(shown.items, events):
            if shown.end_ms is not None and item.due_ms >= shown.end_ms:
                return
            reached_ms = item.due_ms
            yield item

    told_ms = None if shown.end_ms is None else shown.end_ms - shown.origin_ms
    with progress("simulating", for_s or events or told_ms) as advance:

        def report(sent: int, elapsed_s: float, behind_s: float) -> None:
            done = elapsed_s if for_s else sent if events else reached_ms - shown.origin_ms
            advance(done, _words(sent, elapsed_s, behind_s))

        yield until_the_end(), report


def _words(sent: int, elapsed_s: float, behind_s: float) -> str:
    late = f", {behind_s:.1f} s behind" if behind_s >= 0.5 else ""
    return f"{sent:,} events, {sent / max(elapsed_s, 0.001):,.0f}/s{late}"


def _origin_ms(speed: float | None, for_s: float | None, now_ms: int) -> int:
    if speed == 1:
        return now_ms
    return now_ms - (int(speed * for_s * 1000) if speed and for_s else ENDLESS_RUN_MS)


def _iso_ms(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
        return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
    except (ValueError, OverflowError):
        raise click.UsageError(f"--origin={text!r}: accepted: a time such as 2026-01-31T18:00:00Z") from None


def _pace(speed: float | None, rate: float | None, origin_ms: int) -> Pace:
    from streams.kafka.producer import at_once, by_rate, by_speed

    return by_rate(rate) if rate else by_speed(speed, origin_ms) if speed else at_once


def _json(sent: Sent, origin_ms: int) -> str:
    from dataclasses import asdict

    return json.dumps({**asdict(sent), "origin_ms": origin_ms})


def _summary(sent: Sent, origin_ms: int) -> str:
    viewed_h = max(0, sent.last_timestamp_ms - origin_ms) / 3_600_000
    return (
        f"{sent.events:,} events delivered in {sent.elapsed_s:.1f} s "
        f"({sent.events / max(sent.elapsed_s, 0.001):,.0f}/s), {viewed_h:,.1f} hours of viewing; "
        f"at most {sent.behind_s * 1000:,.0f} ms behind"
    )
