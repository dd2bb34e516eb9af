"""`encore bench`: how fast are the worker, stock Faust on the same events, and a restore?

Owns the options and the output.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from streams.cli.options import command, with_settings
from streams.cli.progress import progress
from streams.cli.reading import console

if TYPE_CHECKING:
    from streams.config.settings import Settings
    from streams.tools.bench.report import HostileTrial, Report
    from streams.tools.simulate.hostile import Load

PARTITIONS = 4
VERIFY_WAIT_S = 60.0
BACKLOG_CHECKPOINT_S = 1.0
"""A backlog is measured with a checkpoint each second, unless another interval is set."""
SETTINGS = ("kafka", "redis", "checkpoint_s", "publish_s", "publish_keys_per_s", "batch_records", "hot_rows")


@command()
@click.option(
    "--events", type=click.IntRange(1000), default=1_000_000, show_default=True,
    help="events in the backlog, or at most in a hostile load",
)  # fmt: skip
@click.option(
    "--shape", type=click.Choice(["replay", "live", "hostile"]), default="replay", show_default=True,
    help="replay: 20,000 sessions, an event a minute; live: each event of another household and title; hostile: the"
    " worst that a producer can send, load by load",
)  # fmt: skip
@click.option("--load", metavar="WORDS", default="", help="for --shape hostile: only loads with these words")
@click.option("--stock", is_flag=True, help="also run stock Faust on the start of the same backlog")
@click.option(
    "--stock-events", type=click.IntRange(1000), default=60_000, show_default=True, help="events for stock Faust"
)
@click.option("--latency", is_flag=True, help="measure latency from event to Redis instead, at a steady rate")
@click.option(
    "--rate", type=click.IntRange(50), default=10_000, show_default=True, help="for --latency: events a second"
)
@click.option(
    "--seconds", type=click.IntRange(1), default=30, show_default=True, help="for --latency: how long to send"
)
@click.option("--restore", is_flag=True, help="measure the restore of a worker's state from its changelog instead")
@click.option(
    "--rows", type=click.IntRange(1000), default=1_000_000, show_default=True, help="for --restore: rows of state"
)
@click.option(
    "--partitions", type=click.IntRange(1, 64), default=1, show_default=True, help="for --restore: partitions"
)
@click.option("--seed", default=1, show_default=True, help="the same seed gives the same events")
@click.option("--json", "as_json", is_flag=True, help="print the figures as one line of JSON")
@with_settings(*SETTINGS)
def bench(
    settings: Settings,
    events: int,
    shape: str,
    load: str,
    stock: bool,
    stock_events: int,
    latency: bool,
    rate: int,
    seconds: int,
    restore: bool,
    rows: int,
    partitions: int,
    seed: int,
    as_json: bool,
) -> None:
    """Measure the worker in its own process on a real Kafka and a real Redis.

    Private servers are used where no address is set. Exit 1 if what was published did not verify, or not every
    row was restored.
    """
    from streams.tools.bench.report import SHOWN, as_dict, as_table

    if latency and (stock or restore or shape != "replay"):
        raise click.UsageError("--latency has a load of its own: leave out --shape, --stock and --restore")
    if restore and (stock or shape != "replay"):
        raise click.UsageError("--restore has a load of its own: leave out --shape and --stock")
    if shape == "hostile" and stock:
        raise click.UsageError("--shape hostile: leave out --stock, which reads a backlog")
    with _failures_in_one_line():
        if shape == "hostile":
            report = _hostile(settings, load, events)
        elif restore:
            report = _restore(settings, rows, partitions)
        elif latency:
            report = _latency(settings, rate, seconds, seed)
        else:
            if "checkpoint_s" not in settings.model_fields_set:
                settings = settings.model_copy(update={"checkpoint_s": BACKLOG_CHECKPOINT_S})
            report = _backlog(settings, shape, events, seed, min(stock_events, events) if stock else 0)
    if as_json:
        click.echo(json.dumps(as_dict(report)))
    else:
        console().print(as_table(report))
        for difference in report.differences[:SHOWN]:
            click.echo(difference)
        if len(report.differences) > SHOWN:
            click.echo(f"and {len(report.differences) - SHOWN:,} more")
    raise SystemExit(0 if report.verified else 1)


def _backlog(settings: Settings, shape: str, events: int, seed: int, stock_events: int) -> Report:
    from streams.tools.bench import backlog
    from streams.tools.bench.report import Report, differences
    from streams.tools.trial import run_of_its_own
    from streams.verify import verify

    with run_of_its_own(settings, "bench", PARTITIONS) as run:
        with _progress(f"producing the {shape} backlog", events) as advance:
            backlog.fill(run.settings, shape, events, seed, advance)
        with _progress("the worker", events) as advance:
            worker = backlog.measure(run, events, advance)
        answer = verify(run.settings, wait_s=VERIFY_WAIT_S, expired_too=True)
        stock = None
        if stock_events:
            with _progress("stock Faust (its progress cannot be seen)", None):
                stock = backlog.measure_stock(run, stock_events)
        return Report(shape, differences(answer), worker, stock)


def _hostile(settings: Settings, words: str, most_events: int) -> Report:
    from streams.tools.bench.report import Report
    from streams.tools.simulate.hostile import LOADS, ORDINARY
    from streams.tools.trial import run_of_its_own

    loads = [load for load in LOADS if words in load.name]
    if not loads:
        raise click.UsageError(f"--load={words!r}: accepted: words of {', '.join(load.name for load in LOADS)}")
    with run_of_its_own(settings, "bench-servers", PARTITIONS) as servers:
        trials = [_hostile_trial(servers.settings, load, most_events) for load in [ORDINARY, *loads]]
    return Report("hostile", [line for trial in trials for line in trial.differences], hostile=trials)


def _hostile_trial(settings: Settings, load: Load, most_events: int) -> HostileTrial:
    from streams.tools.bench.hostile import WATCHING_S, measure
    from streams.tools.bench.report import HostileTrial, differences
    from streams.tools.trial import run_of_its_own
    from streams.verify import verify

    watched_briefly = settings.model_copy(update={"watching_s": WATCHING_S})
    with run_of_its_own(watched_briefly, "bench", PARTITIONS) as run:
        with _progress(load.name, None):
            cost = measure(run, load, most_events)
        begun_s = time.monotonic()
        answer = verify(run.settings, wait_s=VERIFY_WAIT_S, expired_too=True)
        return HostileTrial(cost, time.monotonic() - begun_s, differences(answer))


def _latency(settings: Settings, rate: int, seconds: int, seed: int) -> Report:
    from streams.tools.bench.live import measure_latency
    from streams.tools.bench.report import Report, differences
    from streams.tools.trial import run_of_its_own
    from streams.verify import verify

    with run_of_its_own(settings, "bench", PARTITIONS) as run:
        with _progress(f"{rate:,} events/s for {seconds} s", None):
            latency = measure_latency(run, rate, seconds, seed)
        answer = verify(run.settings, wait_s=VERIFY_WAIT_S, expired_too=True)
        return Report("latency", differences(answer), latency=latency)


def _restore(settings: Settings, rows: int, partitions: int) -> Report:
    from streams.tools.bench.report import Report
    from streams.tools.bench.restoring import RESTORES, fill, measure_restore
    from streams.tools.trial import run_of_its_own

    with run_of_its_own(settings, "bench", partitions) as run:
        with _progress("writing the state", rows) as advance:
            fill(run.settings, rows, advance)
        with _progress(f"restoring it {RESTORES} times", None):
            found = measure_restore(run)
        lost = [] if found.rows == rows else [f"{rows:,} rows were written, {found.rows:,} are restored"]
        return Report("restore", lost, restore=found)


@contextmanager
def _progress(what: str, total: int | None) -> Iterator[Callable[[int], None]]:
    done = 0
    with progress(what, total) as show:

        def advance(count: int) -> None:
            nonlocal done
            done += count
            show(done, f"{done:,}")

        yield advance


@contextmanager
def _failures_in_one_line() -> Iterator[None]:
    from streams.kafka.producer import SendFailed
    from streams.kafka.reader import CannotRead
    from streams.kafka.topics import KafkaFailed
    from streams.state.transactions import CheckpointFailed
    from streams.tools.bench.backlog import TooShort
    from streams.tools.devstack import ServerFailed
    from streams.tools.processes import ChildEnded

    failures = (CannotRead, CheckpointFailed, ChildEnded, KafkaFailed, SendFailed, ServerFailed, TimeoutError, TooShort)
    try:
        yield
    except failures as problem:
        raise click.ClickException(str(problem)) from None
