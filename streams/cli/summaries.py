"""How the commands of a group are listed in its help."""

from __future__ import annotations

import click


class Summarized(click.Group):
    """A group whose help shows the whole summary of each command, in several lines where there is little room."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        commands = ((name, self.get_command(ctx, name)) for name in self.list_commands(ctx))
        rows = [(name, command.get_short_help_str(limit=1_000)) for name, command in commands if command is not None]
        with formatter.section("Commands"):
            formatter.write_dl(rows)
