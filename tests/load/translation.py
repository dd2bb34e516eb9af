"""`make bridge-load`: what a message of each live schema costs to translate, in CPU time and without Kafka.

Each run is a process of its own. A hundred viewers at a time pass through an evening of 22 minutes (`told_evenings`);
their messages are taken in batches, and what they became is drained as for checkpoints. With `--against FOLDER` runs of
another checkout come between those of this one: whatever slows the machine slows both.
"""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from statistics import median
from typing import NamedTuple

import click

HERE = Path(__file__).parents[2]
VIEWERS, BATCH, CHECKPOINT = 100, 500, 20_000
A_DAY_MS = 86_400_000


class Record(NamedTuple):
    """A record of the foreign topic."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None


def records(schema: str) -> Iterator[Record]:
    """Evenings of viewers, a hundred of whom sit down at once; the next ones come on the next day."""
    from told_evenings import the_evening, told

    evening = [(unix_ms, json.dumps(message)) for unix_ms, message in told(schema, list(the_evening()))]
    day = offset = 0
    while True:
        for unix_ms, message in evening:
            for viewer in range(day * VIEWERS, (day + 1) * VIEWERS):
                value = message.replace('"s"', f'"s{viewer}"').replace('"home"', f'"household-{viewer}"')
                yield Record(offset, unix_ms + day * A_DAY_MS, b"%d" % viewer, value.encode())
                offset += 1
        day += 1


def measure(schema: str, messages: int) -> None:
    """Translate in this process; prints how many events came of it, and the seconds of CPU that it took."""
    from models.sources.foreign_partition import ForeignPartition
    from models.sources.identities import Identities
    from models.sources.schemas import schemas

    partition = ForeignPartition(schemas()[schema], Identities(), 12 * 3_600_000)
    taken = list(islice(records(schema), messages))
    # As the process of a bridge does.
    gc.freeze()
    gc.disable()
    events, checkpointed, began_s = 0, 0, time.process_time()
    for first in range(0, len(taken), BATCH):
        partition.take(taken[first : first + BATCH])
        if first + BATCH - checkpointed >= CHECKPOINT or first + BATCH >= len(taken):
            output, _ = partition.drain()
            events, checkpointed = events + len(output.events), first + BATCH
    print(json.dumps([events, time.process_time() - began_s]))


def run(checkout: Path, schema: str, messages: int) -> tuple[int, float]:
    """One run of a checkout: events, and seconds of CPU."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(checkout), str(HERE / "tests" / "system")])}
    command = [sys.executable, "-P", __file__, "--alone", "--schema", schema, "--messages", str(messages)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    events, used_s = json.loads(done.stdout)
    return events, used_s


@click.command()
@click.option("--schema", multiple=True, help="only of these; otherwise of all")
@click.option(
    "--messages", default=100_000, show_default=True, help="of each run; of views, which have many events, less"
)
@click.option("--rounds", default=5, show_default=True, help="runs of each, by turns; what is printed is their median")
@click.option("--against", type=click.Path(exists=True, path_type=Path), help="another checkout, measured by turns")
@click.option("--alone", is_flag=True, hidden=True)
def load(schema: tuple[str, ...], messages: int, rounds: int, against: Path | None, alone: bool) -> None:
    """Print what a message costs, for each live schema."""
    if alone:
        measure(schema[0], messages)
        return
    from models import FORM
    from models.sources.schemas import schemas

    checkouts = [HERE] if against is None else [against, HERE]
    for name in schema or schemas():
        many = messages // 50 if name == "mux_views" else messages
        runs: dict[Path, list[tuple[int, float]]] = {checkout: [] for checkout in checkouts}
        for checkout in checkouts * rounds:
            runs[checkout].append(run(checkout, name, many))
        for checkout, found in runs.items():
            events, used_s = found[0][0], median(used_s for _, used_s in found)
            click.echo(
                f"{name:23} {used_s / many * 1e6:7.2f} µs a message {events / used_s:9,.0f} events per CPU-second"
                f"  ({FORM if checkout == HERE else checkout})"
            )


if __name__ == "__main__":
    load()
