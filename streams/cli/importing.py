"""`encore import`: viewing histories of other services, as playback events.

Owns the options and the output.
"""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from streams.cli.options import command, with_settings
from streams.cli.servers import insist_on_json, kafka_located

if TYPE_CHECKING:
    from models.sources.reading import FileOwner
    from streams.config.kafka_security import KafkaAddress
    from streams.config.settings import Settings
    from streams.operations.imports import Import
    from streams.operations.titles import Row

EXISTING = click.Path(exists=True, dir_okay=False, path_type=Path)
LARGEST_HOUSEHOLD_BYTES = 256
TOPIC_OPTIONS = ("--source-topic", "--titles-topic")


@command(name="import")
@with_settings(
    "kafka",
    "devstack_dir",
    "source_topic",
    "titles_topic",
    "topic_partitions",
    "topic_replication",
    "grace_days",
)
@click.argument("file", type=EXISTING)
@click.option("--household", required=True, help="household_id of the events")
@click.option(
    "--viewing-activity", "beside", type=EXISTING, metavar="FILE",
    help="the ViewingActivity.csv of the same export, if FILE is a PlaybackRelatedEvents.csv: adds what FILE lacks",
)  # fmt: skip
@click.option("--titles", type=EXISTING, help="title rows (JSON lines) [default: those of the titles topic]")
@click.option("--kids", multiple=True, metavar="PROFILE", help="name of a kids' profile; can be repeated")
@click.option(
    "--time-zone", help="the household's IANA zone; also for times in the file that state none [default: UTC]"
)
@click.option("--yes", is_flag=True, help="also send events that will count as late")
def importing(
    settings: Settings,
    file: Path,
    household: str,
    beside: Path | None,
    titles: Path | None,
    kids: tuple[str, ...],
    time_zone: str | None,
    yes: bool,
) -> None:
    """Send the viewing history in FILE as playback events.

    The format is recognized by the content: Netflix (ViewingActivity.csv, PlaybackRelatedEvents.csv), Tautulli (CSV or
    JSON), the Playback Reporting plugin of Jellyfin and Emby (TSV), Prime Video (Viewing History.csv).

    The records carry the times of the viewing. If the topic already has records that are newer by more than the grace
    (30 days), the events would only count as late: the command then sends them only with --yes. Exit 1: nothing was
    delivered.
    """
    from models.sources.reading import NotImportable
    from streams.kafka.producer import SendFailed
    from streams.kafka.topics import KafkaFailed, make_topics
    from streams.operations.imports import in_catalog, read_import
    from streams.operations.titles import stored_titles, write_titles

    insist_on_json(settings)
    viewer = _viewer(household, time_zone, kids)
    try:
        given = _given_titles(titles)
        found = read_import(file, in_catalog(viewer, given), beside)
        _say_what_was_read(file, found)
        kafka = kafka_located(settings).kafka_address
        make_topics(settings, kafka)
        catalog = given if titles else stored_titles(settings, kafka)
        if catalog is not given:
            found = read_import(file, in_catalog(viewer, catalog), beside)
        _say_what_is_told(found)
        _refuse_late_events(settings, kafka, found, household, yes)
        write_titles(settings, kafka, given.values())
        _complete_catalog(settings, kafka, found, catalog)
        _send(settings, kafka, found)
    except (NotImportable, KafkaFailed, SendFailed, OSError) as problem:
        raise click.ClickException(str(problem)) from None


def _viewer(household: str, time_zone: str | None, kids: tuple[str, ...]) -> FileOwner:
    from models.sources.reading import FileOwner
    from streams.config.zones import Zones

    if not household or not household.isprintable() or len(household.encode()) > LARGEST_HOUSEHOLD_BYTES:
        accepted = f"one or more printable characters, at most {LARGEST_HOUSEHOLD_BYTES} bytes"
        raise click.UsageError(f"--household={household[:80]!r}: accepted: {accepted}")
    zones = Zones()
    if time_zone is not None and time_zone not in zones:
        raise click.UsageError(f"--time-zone={time_zone!r}: accepted: an IANA name such as Europe/Berlin")
    return FileOwner(household, time_zone, frozenset(kids), zone=zones[time_zone or "UTC"])


def _given_titles(path: Path | None) -> dict[str, Row]:
    from streams.operations.titles import read_rows

    rows, bad = read_rows(path.read_bytes()) if path else ([], [])
    if bad:
        raise click.ClickException(f"{path}: {bad[0]} ({len(bad)} bad rows)")
    return {row["title_id"]: row for row in rows}


def _say_what_was_read(file: Path, found: Import) -> None:
    """Print what the file is, and its bad rows. Exits if the file has no events."""
    click.echo(f"{file}: {found.format_name}")
    for problem in found.bad_rows:
        click.echo(f"{file}: {problem}; skipped", err=True)
    click.echo(
        f"{found.rows:,} rows read, {found.reading.empty_rows:,} of them without viewing; "
        f"{len(found.bad_rows):,} rows skipped"
    )
    if not found.events:
        _say_what_is_told(found)
        click.echo(f"Error: nothing was delivered: no event follows from {file}", err=True)
        sys.exit(1)


def _say_what_is_told(found: Import) -> None:
    for line in found.account():
        click.echo(line)


def _refuse_late_events(settings: Settings, kafka: KafkaAddress, found: Import, household: str, yes: bool) -> None:
    from streams.operations.imports import stream_time_ms

    newest_ms = stream_time_ms(kafka, settings.source_topic, household, time.time_ns() // 1_000_000)
    late = found.older_than(newest_ms - settings.rules().grace_ms)
    if not late:
        return
    why = (
        f"{late:,} of {len(found.events):,} events are more than {settings.grace_days} days older than the newest"
        f" record of their partition of {settings.source_topic} (or now, where the broker stamps records): they would"
        " count as late, and as nothing else"
    )
    if not yes:
        raise click.ClickException(f"{why}\n{_application_of_its_own(settings)}\nor send them all the same with --yes")
    click.echo(f"warning: {why}", err=True)


def _application_of_its_own(settings: Settings) -> str:
    """The commands that import into topics, state and keys apart from those of the settings."""
    name = f"{settings.app_id}-import"
    own = {
        "APP_ID": name,
        "SOURCE_TOPIC": f"{name}-events",
        "TITLES_TOPIC": f"{name}-titles",
        "MILESTONES_TOPIC": f"{name}-milestones",
        "DEAD_LETTERS_TOPIC": f"{name}-dead-letters",
        "LATE_TOPIC": f"{name}-late",
        "ERASURES_TOPIC": f"{name}-erasures",
        "REDIS_PREFIX": f"{{{name}}}:",
    }
    variables = " ".join(f"ENCORE_{variable}={shlex.quote(value)}" for variable, value in own.items())
    again = shlex.join(["encore", *_without_topics(sys.argv[1:])])
    return f"import into an application of its own instead:\n  export {variables}\n  {again}\n  encore worker"


def _without_topics(arguments: list[str]) -> Iterator[str]:
    """The arguments, without options that would override the variables."""
    given = iter(arguments)
    for argument in given:
        if argument in TOPIC_OPTIONS:
            next(given, None)
        elif not argument.startswith(tuple(f"{option}=" for option in TOPIC_OPTIONS)):
            yield argument


def _complete_catalog(settings: Settings, kafka: KafkaAddress, found: Import, catalog: dict[str, Row]) -> None:
    from streams.operations.titles import write_titles

    rows = found.missing_titles(catalog)
    write_titles(settings, kafka, rows)
    if lengths := sum("runtime_ms" in row for row in rows):
        click.echo(f"{lengths:,} titles had no runtime: the largest position seen in the file is taken for it")
    if unknown := found.titles_without_length(catalog):
        click.echo(f"{unknown:,} titles stay without a runtime: less than ten minutes of them was watched")


def _send(settings: Settings, kafka: KafkaAddress, found: Import) -> None:
    from streams.cli.progress import progress
    from streams.kafka.producer import send

    with progress("sending", len(found.events) or None) as advance:
        sent = send(
            found.items(),
            kafka,
            settings.source_topic,
            stamp=False,
            progress=lambda done, elapsed_s, behind_s: advance(done, f"{done:,} events"),
        )
    click.echo(f"{sent.events:,} events delivered to {settings.source_topic}")
    if sent.interrupted:
        raise click.ClickException("interrupted: import the file again; events that were already sent count once")
    if not sent.events:
        raise click.ClickException("nothing was delivered")
