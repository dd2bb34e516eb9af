"""`make faults`: a campaign of faults against real servers and several workers.

Exit 0: every trial verified. Exit 1: what failed is shown, with its seed. Owns the options and what is shown.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from math import inf
from pathlib import Path
from typing import Any

import click
from campaign import Campaign, Job, plan
from catalogue import Fault
from every_fault import FAULTS
from report import as_dict, table
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn


@click.command()
@click.option("--seed", type=int, default=None, help="the campaign's seed [default: the time]")
@click.option("--long", "is_long", is_flag=True, help="the long campaign: at least 200 kill -9, 10 of each other fault")
@click.option("--only", multiple=True, metavar="WORDS", help="faults whose name holds these words; may be repeated")
@click.option("--alone", is_flag=True, help="each fault in an application of its own")
@click.option("--hits", type=click.IntRange(1), help="hits of each fault, whatever its own number is")
@click.option("--lanes", type=click.IntRange(1, 8), default=2, show_default=True, help="trials side by side")
@click.option("--most-minutes", type=float, default=inf, help="begin no trial after so many minutes")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="write the figures here")
@click.option("--keep", is_flag=True, help="keep the folder of logs")
@click.option("--list", "is_list", is_flag=True, help="list the faults")
def faults(
    seed: int | None, is_long: bool, only: tuple[str, ...], alone: bool, hits: int | None, lanes: int,
    most_minutes: float, json_file: Path | None, keep: bool, is_list: bool,
) -> None:  # fmt: skip
    """Hit workers and servers while events flow; afterwards every number must equal a recomputation."""
    names = [name for name in FAULTS if not only or any(words.lower() in name.lower() for words in only)]
    if is_list:
        click.echo("\n".join(names))
        return
    seed = int(time.time()) if seed is None else seed

    def hits_of(fault: Fault) -> int:
        return hits or (fault.long if is_long else fault.short)

    jobs = plan(seed, hits_of, names, shared=not alone)
    folder = Path(tempfile.mkdtemp(prefix="encore-faults-"))
    console = Console(stderr=True)
    console.print(f"seed {seed}: {len(jobs)} trials of {len(names)} faults in {lanes} lanes, logs in {folder}")
    campaign = run(jobs, folder, lanes, console, is_long=is_long, begin_within_s=most_minutes * 60)
    Console().print(table(campaign))
    for failure in [failure for result in campaign.results.values() for failure in result.failures]:
        click.echo(f"\n{failure}", err=True)
    if json_file:
        json_file.write_text(json.dumps(as_dict(campaign, seed), indent=1))
    if not keep and not any(result.failures for result in campaign.results.values()):
        shutil.rmtree(folder, ignore_errors=True)
    raise SystemExit(any(result.failures for result in campaign.results.values()))


def run(jobs: list[Job], folder: Path, lanes: int, console: Console, **more: Any) -> Campaign:
    """Run the campaign; a line for each trial, and a bar at a terminal."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task("faults", total=sum(job.hits for job in jobs))

        def on_result(job: Job, said: str) -> None:
            console.print(f"{time.strftime('%H:%M:%S')}  {said:<9} {_words(job)}  ({job.hits} hits)")
            progress.advance(task, 0 if said.startswith("void") else job.hits)

        campaign = Campaign(jobs, folder, on_result, **more)
        campaign.run(lanes)
    return campaign


def _words(job: Job) -> str:
    return job.faults[0] if len(job.faults) == 1 else f"{len(job.faults)} faults in one: {', '.join(job.faults)}"


if __name__ == "__main__":
    faults()
