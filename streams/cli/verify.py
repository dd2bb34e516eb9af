"""`encore verify`: does everything that was published equal a recomputation of the raw topic?

Owns how the answer is shown.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from streams.cli.options import command, with_settings
from streams.cli.reading import console
from streams.cli.servers import located
from streams.config.rule_settings import RULE_SETTINGS

if TYPE_CHECKING:
    from streams.config.settings import Settings
    from streams.verify import Verification

SHOWN_DIFFERENCES = 50
SETTINGS = (
    "kafka", "redis", "devstack_dir", "app_id", "source_topic", "titles_topic", "milestones_topic",
    "dead_letters_topic", "late_topic", "redis_prefix", "hour_retention_days", "day_retention_days",
    "age_retention_days", "board_least_starters", "archive", "schema_registry", *RULE_SETTINGS,
)  # fmt: skip


@command()
@click.option("--json", "as_json", is_flag=True, help="print the answer as one line of JSON")
@click.option(
    "--wait", "wait_s", type=click.FloatRange(min=0), default=30.0, show_default=True, metavar="SECONDS",
    help="wait up to this long for the worker to reach the end of the topic, and again for publishing",
)  # fmt: skip
@click.option("--expired-too", is_flag=True, help="also report windows that are past their retention")
@with_settings(*SETTINGS)
def verify(settings: Settings, as_json: bool, wait_s: float, expired_too: bool) -> None:
    """Recompute every counter from the raw topic and compare it with what was published.

    With an archive (--archive, ENCORE_ARCHIVE), what Kafka has forgotten is read there. Exit 0: everything is equal.
    Exit 1: something differs (shown with key, field, expected, found), or a server, topic or archive cannot be read.
    """
    # If it is not installed, say so before anything else.
    import duckdb  # noqa: F401

    from streams.registry.decoder import decoder_of
    from streams.verify import CannotRead
    from streams.verify import verify as run

    decoder_of(settings)
    try:
        answer = run(located(settings), wait_s=wait_s, expired_too=expired_too)
    except CannotRead as problem:
        raise click.ClickException(str(problem)) from None
    if as_json:
        click.echo(json.dumps(as_dict(answer)))
    else:
        _show(answer)
    raise SystemExit(0 if answer.verified else 1)


def as_dict(answer: Verification) -> dict[str, Any]:
    """The answer for machines: totals, `verified`, the number of differences and the first of them."""
    return {
        "events": answer.events,
        "dead_letters": answer.dead_letters,
        "late": answer.late,
        "milestones": answer.milestones,
        "produced": answer.produced,
        "titles": answer.titles,
        "completions": answer.completions,
        "rewatches": answer.rewatches,
        "keys": answer.keys,
        "seconds": round(answer.seconds, 3),
        "verified": answer.verified,
        "difference_count": len(answer.differences),
        "differences": [difference._asdict() for difference in answer.differences[:SHOWN_DIFFERENCES]],
        "notes": answer.notes,
    }


def summary(answer: Verification) -> str:
    """The answer in one line."""
    balance = (
        f"{answer.events:,} events + {answer.dead_letters:,} dead letters + {answer.late:,} late"
        f" = {answer.produced:,} produced"
    )
    counted = (
        f"{answer.titles:,} titles, {answer.completions:,} completions, {answer.rewatches:,} rewatches,"
        f" {answer.milestones:,} milestones"
    )
    verdict = "verified" if answer.verified else f"NOT VERIFIED ({len(answer.differences):,} differences)"
    return f"{verdict}: {balance}; {counted}; {answer.keys:,} keys in {answer.seconds:.1f} s"


def _show(answer: Verification) -> None:
    from rich.table import Table
    from rich.text import Text

    if answer.differences:
        table = Table("key", "field", "expected", "found")
        for difference in answer.differences[:SHOWN_DIFFERENCES]:
            table.add_row(*(Text(_printable(part), overflow="fold") for part in difference))
        console().print(table)
    if len(answer.differences) > SHOWN_DIFFERENCES:
        click.echo(f"and {len(answer.differences) - SHOWN_DIFFERENCES:,} more")
    for note in answer.notes:
        click.echo(f"note: {note}")
    click.echo(summary(answer))


def _printable(text: str) -> str:
    """The text with bytes that are not UTF-8 escaped: Redis keys may have any bytes."""
    return text.encode(errors="backslashreplace").decode()
