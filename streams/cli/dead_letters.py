"""`encore dead-letters`: list the records that could not be read, and send them again.

Owns the output, the questions and the exit codes.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from streams.cli.options import group, with_settings
from streams.cli.servers import kafka_located

if TYPE_CHECKING:
    from streams.config.settings import Settings
    from streams.operations.dead_letters import DeadLetter

_SETTINGS = ("kafka", "devstack_dir", "source_topic", "dead_letters_topic")
_SHOWN_BYTES = 200


@group("dead-letters")
def dead_letters() -> None:
    """Records that could not be read."""


@dead_letters.command("list")
@click.option("--error", "words", default="", metavar="WORDS", help="only those whose reason contains this text")
@click.option("--last", type=click.IntRange(1), default=20, show_default=True, help="how many to show")
@click.option("--reasons", is_flag=True, help="count the reasons instead")
@click.option("--json", "as_json", is_flag=True, help="print JSON lines, with keys and values as text")
@with_settings(*_SETTINGS)
def list_(settings: Settings, words: str, last: int, reasons: bool, as_json: bool) -> None:
    """Show the newest dead letters, with source offset and reason.

    Values are shown as they were sent, household ids included. Exit 1: Kafka does not answer.
    """
    letters = sorted(_letters(kafka_located(settings), words), key=lambda letter: letter.time_ms)
    if reasons:
        _show_reasons(letters, as_json)
        return
    for letter in letters[-last:]:
        click.echo(json.dumps(_as_dict(letter), ensure_ascii=False) if as_json else _line(letter))
    if not as_json:
        click.echo(f"{len(letters):,} dead letters in {settings.dead_letters_topic}{_chosen(words)}", err=True)


@dead_letters.command()
@click.option("--error", "words", default="", metavar="WORDS", help="only those whose reason contains this text")
@click.option("--yes", is_flag=True, help="do not ask for confirmation")
@with_settings(*_SETTINGS)
def replay(settings: Settings, words: str, yes: bool) -> None:
    """Send dead letters to the source topic again, unchanged. First deploy a worker that can read them.

    A record that still cannot be read becomes a dead letter again. An event that has been counted meanwhile changes
    nothing, as its id is known. Dead letters that were shortened, because of their length or for pseudonyms, are
    skipped. Exit 1: not all were sent.
    """
    from streams.kafka.producer import SendFailed
    from streams.operations.dead_letters import send_again

    settings = kafka_located(settings)
    letters = list(_letters(settings, words))
    whole = [letter for letter in letters if not letter.is_cut]
    if not whole:
        click.echo(f"no dead letters to send again{_chosen(words)}")
        return
    if not yes:
        if not sys.stdin.isatty():
            raise click.ClickException(f"{len(whole):,} would be sent to {settings.source_topic}; say --yes")
        click.confirm(f"Send {len(whole):,} to {settings.source_topic}?", abort=True, err=True)
    try:
        sent = send_again(settings.kafka_address, settings.source_topic, whole)
    except SendFailed as problem:
        raise click.ClickException(str(problem)) from None
    left_out = f"; {len(letters) - sent:,} are not here whole and were left out" if len(letters) > sent else ""
    click.echo(f"{sent:,} sent to {settings.source_topic}{left_out}")


def _letters(settings: Settings, words: str) -> Iterator[DeadLetter]:
    from streams.kafka.reader import CannotRead
    from streams.operations.dead_letters import read_dead_letters

    try:
        for letter in read_dead_letters(settings.kafka_address, settings):
            if words.lower() in letter.error.lower():
                yield letter
    except CannotRead as problem:
        raise click.ClickException(str(problem)) from None


def _show_reasons(letters: Iterable[DeadLetter], as_json: bool) -> None:
    found = Counter(letter.error for letter in letters).most_common()
    if as_json:
        click.echo(json.dumps(dict(found), ensure_ascii=False))
        return
    for reason, number in found:
        click.echo(f"{number:>9,}  {reason}")


def _line(letter: DeadLetter) -> str:
    at = datetime.fromtimestamp(letter.time_ms / 1000, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    value = b"no value" if letter.value is None else letter.value
    shown = value[:_SHOWN_BYTES].decode(errors="backslashreplace")
    cut = "…" if len(value) > _SHOWN_BYTES else ""
    # Whatever a record holds, a line stays a line, and the terminal as it is.
    safe = "".join(each if each.isprintable() else f"\\x{ord(each):02x}" for each in shown)
    return f"{at}  {letter.topic}/{letter.partition}:{letter.offset}  {letter.error}\n    {safe}{cut}"


def _as_dict(letter: DeadLetter) -> dict[str, object]:
    texts = {name: None if data is None else data.decode(errors="backslashreplace") for name, data in (
        ("key", letter.key), ("value", letter.value),
    )}  # fmt: skip
    return letter._asdict() | texts


def _chosen(words: str) -> str:
    return f" whose reason holds {words!r}" if words else ""
