"""`encore diff`: what two applications show differently.

Owns the output and the exit code.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import click

from streams.cli.options import command, with_settings
from streams.cli.servers import located

if TYPE_CHECKING:
    from rich.table import Table

    from streams.config.settings import Settings
    from streams.verify.two_applications import Diff, KeyKind


@command()
@click.argument("first")
@click.argument("second")
@click.option("--json", "as_json", is_flag=True, help="print the answer as one line of JSON")
@with_settings("redis", "devstack_dir")
def diff(settings: Settings, first: str, second: str, as_json: bool) -> None:
    """Compare what the applications under the prefixes FIRST and SECOND show, live: all hashes and boards.

    Fields that say when a hash was written are not compared. Exit 0: both show the same. Exit 1: something differs, or
    Redis cannot be read.
    """
    from streams.kafka.reader import CannotRead
    from streams.verify.two_applications import diff as run

    settings = settings if settings.redis else located(settings)
    try:
        found = run(settings.redis_url, first, second)
    except CannotRead as problem:
        raise click.ClickException(str(problem)) from None
    if as_json:
        click.echo(json.dumps(as_dict(found)))
    else:
        _show(found, first, second)
    raise SystemExit(0 if found.is_equal else 1)


def as_dict(found: Diff) -> dict[str, Any]:
    """The answer for machines."""
    return {
        "equal": found.is_equal,
        "records_apart": found.apart,
        "still": found.is_still,
        "kinds": {name: _kind(kind) for name, kind in found.kinds.items()},
    }


def _kind(kind: KeyKind) -> dict[str, Any]:
    return {
        "both": kind.both,
        "only_first": kind.only_first,
        "only_second": kind.only_second,
        "differing": kind.differing,
        "example": kind.example,
        "fields": {
            name: {"keys": sums.keys, "first": str(sums.first), "second": str(sums.second)}
            for name, sums in kind.sums.items()
        },
    }


def _show(found: Diff, first: str, second: str) -> None:
    from rich.console import Console

    if not found.is_equal:
        Console(highlight=False).print(_table(found, first, second))
    keys = sum(kind.both + kind.only_first + kind.only_second for kind in found.kinds.values())
    click.echo(f"{'equal' if found.is_equal else 'DIFFERENT'}: {keys:,} keys; {_standing(found)}")


def _standing(found: Diff) -> str:
    if found.apart is None:
        return "how far they are cannot be compared: they count different topics, or one is not complete"
    if found.apart:
        return f"they are {found.apart:,} records apart, which may be the reason for differences"
    return "both have counted the same records" + ("" if found.is_still else ", and more came meanwhile")


def _table(found: Diff, first: str, second: str) -> Table:
    from rich.table import Table

    table = Table("kind", "keys", "field", box=None, pad_edge=False)
    for head in (first, second, "difference"):
        table.add_column(head, justify="right")
    for name, kind in found.kinds.items():
        if kind.is_equal:
            continue
        alone = [(f"only {there}", number) for there, number in ((first, kind.only_first), (second, kind.only_second))]
        for words, number in alone:
            if number:
                table.add_row(name, f"{number:,} {words}")
        for field, sums in kind.sums.items():
            label = "the sum of a board" if field == "all" else field
            apart = f"{sums.second - sums.first:+,}{_share(sums.first, sums.second)}"
            table.add_row(name, f"{sums.keys:,}", label, f"{sums.first:,}", f"{sums.second:,}", apart)
    return table


def _share(first: Decimal, second: Decimal) -> str:
    return f" ({float((second - first) / first):+.1%})" if first else ""
