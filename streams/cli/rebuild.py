"""`encore rebuild`: have everything counted again, from the source's first record.

Owns the questions, the output and the exit code.
"""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING

import click

from streams.cli.options import command, with_settings
from streams.cli.servers import located
from streams.config.rule_settings import RULE_SETTINGS

if TYPE_CHECKING:
    from streams.config.settings import Settings
    from streams.operations.rebuild import Recount

SETTINGS = (
    "kafka", "redis", "devstack_dir", "app_id", "source_topic", "schema_registry", "titles_topic", "milestones_topic",
    "dead_letters_topic", "late_topic", "redis_prefix", "topic_replication", "transaction_timeout_s", *RULE_SETTINGS,
)  # fmt: skip


@command()
@click.option("--yes", is_flag=True, help="do not ask, even if records that were counted are gone")
@click.option("--json", "as_json", is_flag=True, help="print the answer as one line of JSON")
@click.option("--from", "archive", metavar="ARCHIVE", help="count what Kafka has forgotten from here [ENCORE_ARCHIVE]")
@with_settings(*SETTINGS)
def rebuild(settings: Settings, yes: bool, as_json: bool, archive: str | None) -> None:
    """Make a new state, so that workers count everything again from the source's first record.

    Stop all workers first, and start them afterwards. Readers see the former counters until all partitions are
    recounted. Milestones, dead letters and late events are not written twice. Use the same settings as the workers.
    What Kafka has forgotten is counted from the archive, if there is one, before this command ends.
    Exit 0: done, start the workers. Exit 1: workers are running, records are gone and --yes was not given, or a
    server failed; fix that and run it again.
    """
    from streams.kafka.reader import CannotRead
    from streams.kafka.topics import KafkaFailed, TopicMismatch
    from streams.operations.rebuild import RebuildRefused, look
    from streams.operations.rebuild import rebuild as run
    from streams.publishing.sink import ForeignPrefix, Unreachable
    from streams.state.transactions import CheckpointFailed, Fenced

    begun = time.monotonic()
    settings = located(settings if archive is None else settings.model_copy(update={"archive": archive}))
    try:
        recount = look(settings)
        _confirm(settings, recount, yes)
        incarnation = run(settings)
    except Fenced:
        raise click.ClickException("a worker was started meanwhile: stop it and run `encore rebuild` again") from None
    except (CannotRead, RebuildRefused, KafkaFailed, TopicMismatch, CheckpointFailed, ForeignPrefix) as problem:
        raise click.ClickException(str(problem)) from None
    except Unreachable as problem:
        raise click.ClickException(f"Redis does not answer, nothing was changed: {problem}") from None
    _show(recount, incarnation, time.monotonic() - begun, as_json)


def _confirm(settings: Settings, recount: Recount, yes: bool) -> None:
    if not recount.gone or yes:
        return
    said = (
        f"{recount.gone:,} records are gone from the start of {settings.source_topic}: what they counted"
        " will be counted no longer"
    )
    if not sys.stdin.isatty():
        raise click.ClickException(f"{said}; confirm with --yes")
    click.confirm(f"{said}. Go on?", abort=True, err=True)


def _show(recount: Recount, incarnation: int, seconds: float, as_json: bool) -> None:
    if as_json:
        answer = {
            "partitions": len(recount.ends),
            "records": recount.records,
            "archived": recount.archived,
            "gone": recount.gone,
            "incarnation": incarnation,
            "seconds": round(seconds, 3),
        }
        click.echo(json.dumps(answer))
        return
    gone = f" ({recount.gone:,} more are gone)" if recount.gone else ""
    counted = f", and {recount.archived:,} more are counted, from the archive" if recount.archived else ""
    click.echo(
        f"the state is new: {recount.records - recount.archived:,} records of {len(recount.ends)} partitions are to be"
        f" counted{counted}{gone}; start the workers"
    )
