"""`encore simulate`: viewing that never happened, sent as if it did.

Owns the options and what is printed. It must not know how viewing is made up or sent.
"""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

import click

from streams.cli.options import with_settings
from streams.simulate.plan import Plan

if TYPE_CHECKING:
    from streams.settings import Settings
    from streams.simulate.sender import Pace, Sent

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


def read_plan(given: dict[str, str | None]) -> Plan:
    """The plan of `plan_<field>` texts. Raises `click.UsageError` with one line."""
    from pydantic import ValidationError

    stated = {name.removeprefix("plan_"): text for name, text in given.items() if text is not None}
    try:
        return Plan(**stated)  # type: ignore[arg-type]
    except ValidationError as error:
        problem = error.errors()[0]
        option = f"--{str(problem['loc'][0]).replace('_', '-')}"
        raise click.UsageError(f"{option}={problem['input']!r}: {problem['msg']}") from None


@click.command()
@with_settings("kafka", "devstack_dir", "source_topic", "titles_topic", "topic_partitions", "topic_replication")
@click.option("--speed", type=click.FloatRange(0, min_open=True), help="simulated seconds a second [default 3600]")
@click.option("--rate", type=click.FloatRange(0, min_open=True), help="events a second, instead of a speed")
@click.option("--for", "for_s", type=click.FloatRange(0, min_open=True), help="seconds to send [default: no end]")
@click.option("--events", type=click.IntRange(1), help="events to send at most")
@click.option("--origin", help="where the simulated clock starts, ISO 8601 [default: so that it ends about now]")
@click.option("--json", "as_json", is_flag=True, help="the summary as one line of JSON")
@with_plan
def simulate(
    settings: Settings,
    speed: float | None,
    rate: float | None,
    for_s: float | None,
    events: int | None,
    origin: str | None,
    as_json: bool,
    **plan_texts: str | None,
) -> None:
    """Send simulated viewing: families, kids who rewatch, and everything that goes wrong on the way.

    At speed 1 it is now; faster, the records carry the times of a simulated clock. Sending never waits for
    the broker: the times of sending are fixed beforehand, and falling behind is caught up and reported.
    """
    plan = read_plan(plan_texts)
    if speed and rate:
        raise click.UsageError("--speed and --rate: accepted is one of them")
    speed = None if rate else speed or 3600.0
    origin_ms = _origin_ms(origin, speed, for_s)
    sent = _run(settings, plan, origin_ms, _pace(speed, rate, origin_ms), for_s, events)
    click.echo(_json(sent, origin_ms) if as_json else _summary(sent, origin_ms))


def _run(settings: Settings, plan: Plan, origin_ms: int, pace: Pace, for_s: float | None, events: int | None) -> Sent:
    from streams.cli.progress import progress
    from streams.devstack import NoServers, addresses
    from streams.simulate.sender import SendFailed, send
    from streams.simulate.stream import stream
    from streams.simulate.world import catalog_rows, titles
    from streams.titles import write_titles
    from streams.topics import KafkaFailed, make_topics

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        kafka = settings.kafka or addresses(settings).kafka
        make_topics(settings, kafka)
        write_titles(settings, kafka, catalog_rows(titles(plan, origin_ms)))
        items = islice(stream(plan, origin_ms), events)
        with progress("simulating", for_s or events) as advance:

            def report(sent: int, elapsed_s: float, behind_s: float) -> None:
                advance(elapsed_s if for_s else sent, _words(sent, elapsed_s, behind_s))

            return send(items, kafka, settings.source_topic, pace, for_s=for_s, progress=report)
    except (NoServers, KafkaFailed, SendFailed) as problem:
        raise click.ClickException(str(problem)) from None


def _words(sent: int, elapsed_s: float, behind_s: float) -> str:
    late = f", {behind_s:.1f} s behind" if behind_s >= 0.5 else ""
    return f"{sent:,} events, {sent / max(elapsed_s, 0.001):,.0f}/s{late}"


def _origin_ms(origin: str | None, speed: float | None, for_s: float | None) -> int:
    now_ms = int(time.time() * 1000)
    if origin:
        return _iso_ms(origin)
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
    from streams.simulate.sender import by_rate, by_speed

    return by_rate(rate) if rate else by_speed(speed or 1.0, origin_ms)


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
