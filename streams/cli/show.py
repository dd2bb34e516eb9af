"""`encore show TITLE`: everything about one title."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from streams.cli.options import command
from streams.cli.reading import console, nothing_of, print_json, reader_of, reading_options

if TYPE_CHECKING:
    from streams.config.settings import Settings
    from streams.display.titles_file import Names


@command()
@click.argument("title_id", metavar="TITLE")
@reading_options
def show(settings: Settings, title_id: str, as_json: bool, names: Names) -> None:
    """Show all counters of a title, given by its id."""
    with reader_of(settings) as reader:
        (profile,) = reader.compare([title_id])
    if profile.title is None:
        raise nothing_of(title_id, settings)
    if as_json:
        print_json(profile)
        return
    from streams.cli.title_page import page

    terminal = console()
    terminal.print(page(profile, names.of([profile.title])))
