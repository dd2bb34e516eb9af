"""`encore archive`: keep the source's records for longer than Kafka does.

Owns the options, the output and the exit code.
"""

from __future__ import annotations

import json
import time
from functools import partial
from typing import TYPE_CHECKING

import click

from streams.cli.options import group, with_settings
from streams.cli.servers import kafka_located

if TYPE_CHECKING:
    from streams.archive.archiver import Archiver
    from streams.config.settings import Settings

_STUCK_S = 120.0
SETTINGS = (
    "kafka", "devstack_dir", "app_id", "source_topic", "archive", "archive_file_s", "archive_file_mib",
    "archive_memory_mib", "pseudonym_key_file", "source_format", "schema_registry", "session_timeout_s", "metrics_port",
    "metrics_host", "log_level", "log_format",
)  # fmt: skip


@group(invoke_without_command=True)
@click.option(
    "--accept-gap",
    is_flag=True,
    help="go on although Kafka has deleted records that are not archived, and note the gap",
)
@with_settings(*SETTINGS)
@click.pass_context
def archive(context: click.Context, settings: Settings, accept_gap: bool) -> None:
    """Copy the source's records to Parquet files in ENCORE_ARCHIVE, until SIGTERM or Ctrl-C.

    With ENCORE_PSEUDONYM_KEY_FILE, the files have households' pseudonyms instead of their ids, and of each record only
    what a recount needs.

    Several processes of one application share the partitions. Each record is in the archive once, even if a process
    dies. Exit 0: stopped by a signal; 1: Kafka or the archive failed, or Kafka has deleted records that are not
    archived; 2: a bad setting.
    """
    if context.invoked_subcommand is not None:
        return
    _run(kafka_located(_with_archive(settings)), accept_gap)


def _with_archive(settings: Settings) -> Settings:
    if not settings.archive:
        raise click.UsageError("ENCORE_ARCHIVE is not set: set it to a folder, or s3://BUCKET/PREFIX, gs://…, az://…")
    return settings


def _run(settings: Settings, accept_gap: bool) -> None:
    import signal

    from streams.archive.archiver import Archiver
    from streams.archive.store import ArchiveFailed
    from streams.kafka.reader import CannotRead
    from streams.kafka.topics import KafkaFailed
    from streams.observability.archive_metrics import ArchiveMetrics
    from streams.observability.http_server import probes
    from streams.observability.listening import PortTaken
    from streams.observability.logs import log_to_stderr

    log_to_stderr(settings.log_level, settings.log_format)
    metrics = ArchiveMetrics()
    try:
        archiver = Archiver(settings, metrics, accept_gap=accept_gap)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: archiver.stop())
        whys = {"/livez": partial(_why_dead, archiver)}
        with probes(settings.metrics_host, settings.metrics_port, metrics.registry, whys):
            archiver.run()
    except (ArchiveFailed, CannotRead, KafkaFailed, PortTaken) as problem:
        raise click.ClickException(str(problem)) from None


def _why_dead(archiver: Archiver) -> str:
    still_s = time.monotonic() - archiver.moved_s
    return f"nothing has moved for {still_s:.0f} s" if still_s > _STUCK_S else ""


@archive.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="print JSON lines")
@with_settings("source_topic", "archive")
def list_files(settings: Settings, as_json: bool) -> None:
    """Print the archive's files, one per line. Together they hold each record once, in order.

    A file that is being merged into the one file of its day is left out. Exit 1: a file of the archive is missing,
    or it cannot be read.
    """
    from streams.archive.chain import chains
    from streams.archive.store import ArchiveFailed, open_store

    try:
        store = open_store(_with_archive(settings).archive)
        found = chains(store, settings.source_topic)
    except ArchiveFailed as problem:
        raise click.ClickException(str(problem)) from None
    for number, chain in found.items():
        for link, footer in chain.files:
            where = store.address(link.stored.path)
            if not as_json:
                click.echo(where)
                continue
            said = {
                "file": where,
                "partition": number,
                "day": link.day,
                "first": footer.first,
                "next_offset": footer.next_offset,
                "records": footer.records,
                "bytes": link.stored.size_bytes,
                "gaps": footer.gaps,
            }
            click.echo(json.dumps(said))
