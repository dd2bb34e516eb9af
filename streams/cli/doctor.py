"""`encore doctor`: what is wrong, and what to do about it.

Owns the output and the exit code.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from streams.cli.options import command, with_settings
from streams.cli.reading import console
from streams.cli.servers import located

if TYPE_CHECKING:
    from streams.config.settings import Settings

_MARKS = {"ok": ("✓", "green"), "odd": ("!", "yellow"), "wrong": ("✗", "bold red")}


@command()
@click.option("--json", "as_json", is_flag=True, help="print JSON lines")
@with_settings(
    "kafka", "redis", "devstack_dir", "app_id", "source_topic", "titles_topic", "milestones_topic",
    "dead_letters_topic", "late_topic", "erasures_topic", "redis_prefix", "topic_partitions", "topic_replication",
    "archive", "grace_days", "pseudonym_key_file", "source_format", "schema_registry",
)  # fmt: skip
def doctor(settings: Settings, as_json: bool) -> None:
    """Check an application's servers, topics, group, keys and newest events, and advise what to do.

    It changes nothing. Use the same settings as the workers. Exit 0: it works, perhaps with warnings; 1: something is
    wrong.
    """
    from rich.text import Text

    from streams.operations.doctor import examine
    from streams.operations.findings import WRONG

    terminal = console()
    wrong = 0
    for finding in examine(located(settings)):
        wrong += finding.level == WRONG
        if as_json:
            click.echo(json.dumps(finding._asdict(), ensure_ascii=False))
            continue
        mark, style = _MARKS[finding.level]
        terminal.print(Text.assemble((f"{mark} ", style), (finding.what, "bold"), f"  {finding.found}"))
        if finding.advice:
            terminal.print(Text(f"    {finding.advice}", style))
    if wrong:
        raise click.exceptions.Exit(1)
