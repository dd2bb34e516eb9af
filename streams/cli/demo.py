"""`encore demo`: the whole pipeline, live in the terminal.

Owns the options and the last line.
"""

from __future__ import annotations

import json
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from streams.cli.options import command, with_settings

if TYPE_CHECKING:
    from streams.config.settings import Settings
    from streams.verify import Verification

EXISTING = click.Path(exists=True, dir_okay=False, path_type=Path)
INTERRUPTED = 130


@command()
@click.option(
    "--for", "for_s", type=click.FloatRange(0, min_open=True), metavar="SECONDS",
    help="how long to feed events [default: until Ctrl-C, or the end of --input]",
)  # fmt: skip
@click.option("--input", "export", type=EXISTING, help="a file that `encore import` reads, instead of the simulator")
@click.option("--household", default="my-household", show_default=True, help="household_id of the events of --input")
@click.option("--seed", default=1, show_default=True, help="seed of the simulator")
@click.option("--json", "as_json", is_flag=True, help="print one line of JSON at the end, and nothing else on stdout")
@with_settings("kafka", "redis", "topic_partitions", "checkpoint_s", "publish_s", "dashboard_port")
def demo(
    settings: Settings,
    for_s: float | None,
    export: Path | None,
    household: str,
    seed: int,
    as_json: bool,
) -> None:
    """Run the whole pipeline and watch the counters, here and in a browser: Kafka, Redis, a worker, live events.

    Private servers are started unless addresses are set. At the end, all counters are recomputed from the raw events
    and compared. Exit 0: all are equal. Exit 1: some differ, or the demo failed.
    """
    from rich.console import Console

    from streams.tools.demo.feed import exported, simulated
    from streams.tools.demo.show import FAILURES, run_demo

    console = Console(stderr=as_json, highlight=False)
    now_ms = int(time.time() * 1000)
    feed = partial(exported, export, household) if export else partial(simulated, seed, now_ms)
    try:
        answer = run_demo(settings, feed, for_s, console)
    except KeyboardInterrupt:
        click.echo("Interrupted before the verification; all servers are stopped.", err=True)
        raise SystemExit(INTERRUPTED) from None
    except FAILURES as problem:
        raise click.ClickException(str(problem)) from None
    _conclude(answer, console, as_json)
    raise SystemExit(0 if answer.verified else 1)


def _conclude(answer: Verification, console: Any, as_json: bool) -> None:
    from streams.tools.demo.table import verdict

    console.print(verdict(answer))
    if as_json:
        click.echo(json.dumps(as_dict(answer)))


def as_dict(answer: Verification) -> dict[str, Any]:
    """The last line for machines."""
    names = ("events", "dead_letters", "late", "titles", "completions", "rewatches", "verified")
    return {name: getattr(answer, name) for name in names}
