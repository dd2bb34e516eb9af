"""`encore lag`: how far each partition is behind.

Owns the output and the exit code.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from streams.cli.options import command, with_settings
from streams.cli.reading import console
from streams.cli.servers import kafka_located, located
from streams.display.numbers import many

if TYPE_CHECKING:
    from rich.table import Table

    from streams.config.settings import Settings
    from streams.kafka.admin import KafkaView
    from streams.operations.catching_up import CatchingUp
    from streams.operations.lag import GroupLag

_WAIT_S = 600.0


@command()
@click.option("--json", "as_json", is_flag=True, help="print the answer as one line of JSON")
@click.option("--at-most", type=click.IntRange(0), metavar="RECORDS", help="exit 1 if the lag exceeds this")
@click.option(
    "--wait", "wait_s", type=click.FloatRange(min=0), is_flag=False, flag_value=_WAIT_S, metavar="[SECONDS]",
    help=f"first wait until readers see all that was sent before; at most this long [{_WAIT_S:g}]",
)  # fmt: skip
@with_settings("kafka", "redis", "devstack_dir", "app_id", "source_topic", "redis_prefix")
def lag(settings: Settings, as_json: bool, at_most: int | None, wait_s: float | None) -> None:
    """Show each partition's lag: how many records are not counted yet, and the age of the oldest.

    The lag is computed from the group's committed offsets, which follow the checkpoints within about a second. --wait
    waits until everything that was sent before it is counted and in Redis; it does not wait for later records.
    Exit 1: a server does not answer, the wait was too short, or the lag exceeds --at-most.
    """
    from streams.kafka.admin import KafkaView
    from streams.kafka.reader import CannotRead
    from streams.kafka.topics import KafkaFailed
    from streams.operations.lag import read_lag

    settings = kafka_located(settings) if wait_s is None else located(settings)
    try:
        view = KafkaView(settings.kafka_address)
        if wait_s is not None:
            _wait(settings, view, wait_s)
        found = read_lag(settings, view)
    except (CannotRead, KafkaFailed) as problem:
        raise click.ClickException(str(problem)) from None
    if as_json:
        answer = {
            "records": found.records,
            "behind_s": found.behind_s,
            "workers": found.workers,
            "partitions": [partition._asdict() for partition in found.partitions],
        }
        click.echo(json.dumps(answer))
    else:
        _show(found)
    if at_most is not None and found.records > at_most:
        raise click.exceptions.Exit(1)


def _wait(settings: Settings, view: KafkaView, within_s: float) -> None:
    from streams.cli.progress import progress
    from streams.operations.catching_up import follow

    with progress("waiting", None) as advance:
        last = follow(settings, view, within_s, lambda found: advance(0, _left(found)))
    if not last.is_over:
        raise click.ClickException(f"after {within_s:g} s: {_left(last)}")


def _left(found: CatchingUp) -> str:
    if found.is_over:
        return "readers see all of it"
    workers = many(found.workers, "worker") if found.workers else "no worker: start `encore worker`"
    if found.records:
        return f"{many(found.records, 'record')} not counted yet; {workers}"
    return f"all counted, {many(len(found.unseen), 'partition')} not in Redis yet; {workers}"


def _show(found: GroupLag) -> None:
    console().print(_table(found))


def _table(found: GroupLag) -> Table:
    from rich.table import Table

    workers = many(found.workers, "worker") if found.workers else "no worker"
    table = Table(box=None, pad_edge=False, title=f"{workers} in the group", title_justify="left", show_footer=True)
    table.add_column("partition", footer="all", justify="right")
    for head, foot in (
        ("committed", ""), ("end", ""), ("waiting", f"{found.records:,}"), ("behind", _age(found.behind_s)),
    ):  # fmt: skip
        table.add_column(head, footer=foot, justify="right")
    for partition, committed, end, records, behind_s in found.partitions:
        style = "yellow" if records else "dim"
        at = "never" if committed is None else f"{committed:,}"
        table.add_row(str(partition), at, f"{end:,}", f"{records:,}", _age(behind_s), style=style)
    return table


def _age(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
