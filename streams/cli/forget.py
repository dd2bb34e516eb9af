"""`encore forget`: make the workers forget a household.

Owns the options, the output and the exit code, and the list of what cannot be removed.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click

from streams.cli.options import command, with_settings
from streams.cli.servers import kafka_located
from streams.display.numbers import many

if TYPE_CHECKING:
    from streams.config.settings import Settings
    from streams.operations.forget import Archived, ErasureRequest, ForgetProgress


@command()
@click.argument("household")
@click.option(
    "--wait", "wait_s", type=click.FloatRange(min=0), default=60.0, show_default=True, metavar="SECONDS",
    help="wait up to this long until every partition has forgotten it",
)  # fmt: skip
@click.option(
    "--archive", "rewrite", is_flag=True, help="also rewrite the files of ENCORE_ARCHIVE that hold its records"
)
@click.option("--yes", is_flag=True, help="do not ask for confirmation")
@click.option("--json", "as_json", is_flag=True, help="print the answer as one line of JSON")
@with_settings(
    "kafka", "devstack_dir", "app_id", "source_topic", "erasures_topic", "milestones_topic", "dead_letters_topic",
    "late_topic", "pseudonym_key_file",
)  # fmt: skip
def forget(settings: Settings, household: str, wait_s: float, yes: bool, as_json: bool, rewrite: bool) -> None:
    """Have the workers forget HOUSEHOLD: they delete its rows and stop counting it.

    HOUSEHOLD is an id; `-` reads it from standard input, so that others on this machine do not see it. Workers keep
    running; a stopped one does it when it starts. It cannot be undone, so the command asks first, unless you give
    --yes.
    Exit 0: every partition has forgotten it. Exit 1: not yet, or Kafka does not answer; it is safe to run it again.
    """
    from streams.archive.store import ArchiveFailed
    from streams.kafka.producer import SendFailed
    from streams.kafka.reader import CannotRead
    from streams.kafka.topics import KafkaFailed
    from streams.operations.forget import ask, follow, forget_in_archive

    household_id = sys.stdin.readline().rstrip("\r\n") if household == "-" else household
    if not household_id:
        raise click.UsageError("HOUSEHOLD must not be empty")
    if rewrite and not settings.archive:
        raise click.UsageError("--archive needs ENCORE_ARCHIVE, which is not set")
    settings = kafka_located(settings)
    _confirm(settings, yes)
    try:
        asked = ask(settings, household_id)
        found = follow(settings, asked, wait_s)
        archived = forget_in_archive(settings, asked, household_id, rewrite, wait_s) if settings.archive else None
    except (KafkaFailed, SendFailed, CannotRead, ArchiveFailed) as problem:
        raise click.ClickException(str(problem)) from None
    if as_json:
        click.echo(json.dumps(_as_dict(settings, asked, found, archived)))
    else:
        _show(settings, found, archived)
    if archived is not None and rewrite and archived.waiting:
        raise click.ClickException(
            f"records of {many(len(archived.waiting), 'partition')} are not archived yet: run this again once"
            " `encore archive` has caught up"
        )
    if found.waiting:
        raise click.ClickException(
            f"not forgotten yet by {many(len(found.waiting), 'partition')}: {', '.join(map(str, found.waiting))}."
            " Workers do it as soon as they run and have caught up with Kafka; run this again to see"
        )


def _confirm(settings: Settings, yes: bool) -> None:
    """Ask, without the id, which others may see."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise click.ClickException("cannot ask for confirmation, as this is no terminal; confirm with --yes")
    said = f"Forget the household in {settings.app_id} for good? Its earlier events never count again"
    click.confirm(said, abort=True, err=True)


def remains(settings: Settings) -> list[str]:
    """What a forgotten household leaves behind that Encore cannot remove, a line each."""
    return [
        f"its events in {settings.source_topic}, until that topic's retention is over: they count no more, not even"
        " after a rebuild",
        f"its milestones, dead letters and late events in {settings.milestones_topic}, {settings.dead_letters_topic}"
        f" and {settings.late_topic}, until these topics' retention is over, and what others made of them",
        "what it watched: plays, completions, rewatches, watched time and all windows are sums that name nobody",
        f"former values of its rows in {settings.state_topic}, until Kafka has compacted it",
        f"the SHA-256 of its id in {settings.erasures_topic} and {settings.state_topic}: by that its events are known",
    ]


def _as_dict(
    settings: Settings, asked: ErasureRequest, found: ForgetProgress, archived: Archived | None
) -> dict[str, object]:
    in_archive = (
        {"files": [each.file for each in archived.files], "removed": archived.removed, "waiting": archived.waiting}
        if archived is not None
        else None
    )
    rows = sum(found.rows.values())
    return {
        "digest": asked.digest,
        "known": bool(rows) if not found.waiting else None,
        "rows": rows,
        "waiting": found.waiting,
        "archive": in_archive,
        "remains": remains(settings),
    }


def _show(settings: Settings, found: ForgetProgress, archived: Archived | None) -> None:
    if not found.waiting:
        rows = sum(found.rows.values())
        done = f"{many(rows, 'row')} removed" if rows else "no rows of it: it is unknown here, or forgotten before"
        click.echo(f"forgotten: {done}; no counter counts the household any more")
    if archived is not None and archived.removed:
        click.echo(
            f"{many(archived.removed, 'record')} removed from {many(len(archived.files), 'file')} of the archive"
        )
    elif archived is not None and archived.files:
        click.echo("its records in the archive, which --archive removes, are in:")
        for file, _ in archived.files:
            click.echo(f"  {file}")
    click.echo("what cannot be removed:")
    for line in remains(settings):
        click.echo(f"  - {line}")
    click.echo("what it sends from now on counts as a new household's.")
