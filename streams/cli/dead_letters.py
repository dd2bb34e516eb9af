"""`encore dead-letters`: list the records that could not be read, and send them again.

Owns the output, the questions and the exit codes.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from streams.cli.options import group, with_settings
from streams.cli.servers import kafka_located

if TYPE_CHECKING:
    from streams.config.settings import Settings
    from streams.operations.dead_letters import DeadLetter

_SETTINGS = ("kafka", "devstack_dir", "app_id", "source_topic", "dead_letters_topic", "topic_replication")
_SHOWN_BYTES = 200


@group("dead-letters")
def dead_letters() -> None:
    """Records that could not be read."""


@dead_letters.command("list")
@click.option(
    "--error", "words", default="", metavar="WORDS", help="only those whose code or reason contains this text"
)
@click.option("--last", type=click.IntRange(1), default=20, show_default=True, help="how many to show")
@click.option("--reasons", is_flag=True, help="count them by the code of their reason instead")
@click.option("--json", "as_json", is_flag=True, help="print JSON lines, with keys and values as text")
@with_settings(*_SETTINGS)
def list_(settings: Settings, words: str, last: int, reasons: bool, as_json: bool) -> None:
    """Show the newest dead letters, with source offset, and the code and words of the reason.

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
@click.option(
    "--error", "words", default="", metavar="WORDS", help="only those whose code or reason contains this text"
)
@click.option("--again", is_flag=True, help="also send those that an earlier run has sent")
@click.option("--yes", is_flag=True, help="do not ask for confirmation")
@with_settings(*_SETTINGS)
def replay(settings: Settings, words: str, again: bool, yes: bool) -> None:
    """Send dead letters to the source topic again, unchanged, each once. First deploy a worker that can read them.

    A record that still cannot be read becomes a dead letter again. An event that has been counted meanwhile changes
    nothing, as its id is known. Dead letters that were shortened, because of their length or for pseudonyms, are
    skipped, and those that this command has sent before: the topic APP_ID-replayed remembers them. Exit 1: not all
    were sent; the next run may send some of them twice.
    """
    from streams.kafka.producer import SendFailed
    from streams.kafka.reader import CannotRead
    from streams.kafka.topics import KafkaFailed
    from streams.operations.dead_letters import send_again, sent_before

    settings = kafka_located(settings)
    letters = list(_letters(settings, words))
    try:
        before = set() if again else sent_before(settings.kafka_address, settings)
    except CannotRead as problem:
        raise click.ClickException(str(problem)) from None
    whole = [letter for letter in letters if not letter.is_cut]
    due = [letter for letter in whole if letter.place not in before]
    left_out = _left_out(len(letters) - len(whole), len(whole) - len(due))
    if not due:
        click.echo(f"no dead letters to send again{_chosen(words)}{left_out}")
        return
    if not yes:
        if not sys.stdin.isatty():
            raise click.ClickException(f"{len(due):,} would be sent to {settings.source_topic}; confirm with --yes")
        click.confirm(f"Send {len(due):,} to {settings.source_topic}?", abort=True, err=True)
    try:
        sent = send_again(settings.kafka_address, settings, due)
    except (KafkaFailed, SendFailed) as problem:
        raise click.ClickException(str(problem)) from None
    click.echo(f"{sent:,} sent to {settings.source_topic}{left_out}")


def _left_out(cut: int, before: int) -> str:
    words = [f"{cut:,} are not here whole"] if cut else []
    words += [f"{before:,} were sent before (--again sends them too)"] if before else []
    return "".join(f"; {each}" for each in words)


def _letters(settings: Settings, words: str) -> Iterator[DeadLetter]:
    from streams.kafka.reader import CannotRead
    from streams.operations.dead_letters import read_dead_letters

    try:
        for letter in read_dead_letters(settings.kafka_address, settings):
            if words.lower() in letter.code or words.lower() in letter.error.lower():
                yield letter
    except CannotRead as problem:
        raise click.ClickException(str(problem)) from None


def _show_reasons(letters: Sequence[DeadLetter], as_json: bool) -> None:
    """How many letters have each code, and the words of the newest."""
    newest = {letter.code: letter.error for letter in letters}
    found = Counter(letter.code for letter in letters).most_common()
    if as_json:
        click.echo(json.dumps(dict(found)))
        return
    longest = max(map(len, newest), default=0)
    for code, number in found:
        click.echo(f"{number:>9,}  {code:<{longest}}  {_safe(newest[code])}")


def _line(letter: DeadLetter) -> str:
    at = datetime.fromtimestamp(letter.time_ms / 1000, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    value = b"no value" if letter.value is None else letter.value
    shown = value[:_SHOWN_BYTES].decode(errors="backslashreplace")
    cut = "…" if len(value) > _SHOWN_BYTES else ""
    where = f"{letter.topic}/{letter.partition}:{letter.offset}"
    return f"{at}  {where}  {letter.code}  {_safe(letter.error)}\n    {_safe(shown)}{cut}"


def _safe(text: str) -> str:
    """Whatever a record holds, a line stays a line, and the terminal as it is."""
    return "".join(each if each.isprintable() else f"\\x{ord(each):02x}" for each in text)


def _as_dict(letter: DeadLetter) -> dict[str, object]:
    texts = {name: None if data is None else data.decode(errors="backslashreplace") for name, data in (
        ("key", letter.key), ("value", letter.value),
    )}  # fmt: skip
    return letter._asdict() | texts


def _chosen(words: str) -> str:
    return f" whose code or reason holds {words!r}" if words else ""
