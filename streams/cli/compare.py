"""`encore compare TITLE TITLE…`: titles side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from streams.cli.options import command
from streams.cli.reading import console, nothing_of, print_json, reader_of, reading_options

if TYPE_CHECKING:
    from streams.config.settings import Settings
    from streams.display.titles_file import Names


@command()
@click.argument("title_ids", metavar="TITLE TITLE...", nargs=-1, required=True)
@reading_options
def compare(settings: Settings, title_ids: tuple[str, ...], as_json: bool, names: Names) -> None:
    """Compare titles, given by their ids, side by side: who came, who stayed, who came back."""
    with reader_of(settings) as reader:
        profiles = reader.compare(title_ids)
    for profile in profiles:
        if profile.title is None:
            raise nothing_of(profile.title_id, settings)
    if as_json:
        print_json(profiles)
        return
    from streams.cli.comparison_table import comparison

    terminal = console()
    terminal.print(comparison(profiles, names.of(profile.title for profile in profiles), terminal.width))
