"""`encore import`: other formats' viewing, one subcommand each.

Owns the options and what is printed. It must not know how a file is read.
"""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from streams.cli.options import with_settings
from streams.cli.servers import kafka_located

if TYPE_CHECKING:
    from models.sources.netflix_export import Viewer
    from streams.importing import Import
    from streams.kafka_security import KafkaAddress
    from streams.settings import Settings
    from streams.titles import Row

EXISTING = click.Path(exists=True, dir_okay=False, path_type=Path)
LARGEST_FIELD_BYTES = 1 << 24


@click.group(name="import")
def importing() -> None:
    """Turn viewing that is stored elsewhere into playback events."""


@importing.command("netflix-export")
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
@click.option("--titles", type=EXISTING, help="title rows (JSON lines); without it, those of the titles topic")
@click.option("--kids", multiple=True, metavar="PROFILE", help="name of a kids' profile; may be repeated")
@click.option("--time-zone", help="the household's IANA zone, which the export does not say [default: UTC]")
def netflix_export(
    settings: Settings,
    file: Path,
    household: str,
    titles: Path | None,
    kids: tuple[str, ...],
    time_zone: str | None,
) -> None:
    """FILE: the PlaybackRelatedEvents.csv of a personal data export.

    The records carry the times of the viewing. A topic whose newest records are more than 30 days younger
    counts them as late: import the past before the present, or into a topic of its own.
    """
    from streams.importing import NotAnExport, title_ids
    from streams.simulate.sender import SendFailed
    from streams.titles import stored_titles, write_titles
    from streams.topics import KafkaFailed, make_topics

    viewer = _viewer(household, time_zone, kids)
    try:
        kafka = kafka_located(settings).kafka_address
        make_topics(settings, kafka)
        given = _given_titles(titles)
        write_titles(settings, kafka, given.values())
        catalog = given if titles else stored_titles(settings, kafka)
        found = _read(file, replace(viewer, title_ids=title_ids(catalog)))
        _say_what_was_read(file, found)
        _complete_catalog(settings, kafka, found, catalog)
        _warn_of_late_events(settings, kafka, found, household)
        _send(settings, kafka, found)
    except (NotAnExport, KafkaFailed, SendFailed, OSError) as problem:
        raise click.ClickException(str(problem)) from None


def _viewer(household: str, time_zone: str | None, kids: tuple[str, ...]) -> Viewer:
    from zoneinfo import available_timezones

    from models.sources.netflix_export import Viewer

    if not household or not household.isprintable():
        raise click.UsageError(f"--household={household!r}: accepted: one or more printable characters")
    if time_zone is not None and time_zone not in available_timezones():
        raise click.UsageError(f"--time-zone={time_zone!r}: accepted: an IANA name such as Europe/Berlin")
    return Viewer(household, time_zone, frozenset(kids))


def _given_titles(path: Path | None) -> dict[str, Row]:
    from streams.titles import read_rows

    rows, bad = read_rows(path.read_bytes()) if path else ([], [])
    if bad:
        raise click.ClickException(f"{path}: {bad[0]} ({len(bad)} bad rows)")
    return {row["title_id"]: row for row in rows}


def _read(file: Path, viewer: Viewer) -> Import:
    from streams.cli.progress import progress
    from streams.importing import read_export

    csv.field_size_limit(LARGEST_FIELD_BYTES)
    with progress(f"reading {file.name}", file.stat().st_size) as advance:
        return read_export(file, viewer, lambda done: advance(done, ""))


def _say_what_was_read(file: Path, found: Import) -> None:
    for problem in found.bad_rows:
        click.echo(f"{file}: {problem}; skipped", err=True)
    click.echo(
        f"{found.rows:,} rows read, {found.empty_rows:,} of them without player events; "
        f"{len(found.bad_rows):,} rows skipped"
    )


def _complete_catalog(settings: Settings, kafka: KafkaAddress, found: Import, catalog: dict[str, Row]) -> None:
    from streams.titles import write_titles

    rows = found.missing_titles(catalog)
    write_titles(settings, kafka, rows)
    if rows:
        click.echo(f"{len(rows):,} titles had no runtime: the largest position seen in the file is taken for it")
    if unknown := found.titles_without_length(catalog):
        click.echo(f"{unknown:,} titles stay without a runtime: less than a minute of them was watched")


def _warn_of_late_events(settings: Settings, kafka: KafkaAddress, found: Import, household: str) -> None:
    from streams.importing import newest_record_ms

    stream_time_ms = newest_record_ms(kafka, settings.source_topic, household)
    if late := found.older_than(stream_time_ms - settings.rules().grace_ms):
        click.echo(
            f"warning: {late:,} events are more than {settings.grace_days} days older than the newest record "
            f"of their partition of {settings.source_topic}: they will count as late and as nothing else",
            err=True,
        )


def _send(settings: Settings, kafka: KafkaAddress, found: Import) -> None:
    from streams.cli.progress import progress
    from streams.simulate.sender import send

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
        raise click.ClickException("interrupted: import the file again, what is there already counts once")
