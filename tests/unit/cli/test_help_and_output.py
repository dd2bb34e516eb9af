"""How commands explain themselves, and what they print where nobody looks at a terminal."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from streams.cli import COMMANDS, main
from streams.cli.options import Setting
from streams.cli.reading import console

CONNECTIONS = re.compile(r"kafka|schema_registry|redis(?!_prefix)|allow_plaintext|devstack_dir")


def every_command(group: click.Group, name: str = "") -> dict[str, click.Command]:
    found = {}
    for part in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), part)
        assert command is not None
        found[f"{name} {part}".strip()] = command
        if isinstance(command, click.Group):
            found |= every_command(command, f"{name} {part}".strip())
    return found


ALL = every_command(main)


@pytest.mark.parametrize("name", ALL)
def test_help_shows_a_command_s_own_options_then_settings_then_connections(name: str) -> None:
    options = [option for option in ALL[name].params if isinstance(option, click.Option)]
    sections: dict[str, set[str]] = {"Options": {"--help"}, "Settings": set(), "Connections": set()}
    for option in options:
        field = str(option.name).removeprefix("set_")
        is_setting, connects = isinstance(option, Setting), CONNECTIONS.match(field)
        sections["Options" if not is_setting else "Connections" if connects else "Settings"].add(option.opts[0])

    told = CliRunner().invoke(main, [*name.split(), "--help"]).stdout

    parts = re.findall(r"(?ms)^(Options|Settings|Connections):\n(.*?)(?=^\w|\Z)", told)
    shown = {part: set(re.findall(r"(?m)^  (?:-h, )?(--[a-z-]+)", text)) for part, text in parts}
    assert list(shown) == [part for part, options in sections.items() if options]
    assert shown == {part: options for part, options in sections.items() if options}


@pytest.mark.parametrize("group", ["", "dead-letters"])
def test_a_group_s_help_has_the_whole_summary_of_each_command(group: str) -> None:
    told = " ".join(CliRunner().invoke(main, [*group.split(), "--help"], env={"COLUMNS": "60"}).stdout.split())
    for name, command in ALL.items():
        if name.split()[:-1] == group.split():
            assert f"{name.split()[-1]} {command.get_short_help_str(1_000)}" in told


def test_every_command_is_looked_at() -> None:
    assert {name.split()[0] for name in ALL} == set(COMMANDS)


def test_lines_are_whole_where_output_is_no_terminal(capsys: pytest.CaptureFixture[str], monkeypatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    console().print("word " * 100)
    assert len(capsys.readouterr().out.splitlines()) == 1

    monkeypatch.setenv("COLUMNS", "80")
    console().print("word " * 100)
    assert len(capsys.readouterr().out.splitlines()) == 7


@pytest.mark.parametrize("command", ["up", "down"])
def test_a_folder_that_cannot_be_written_is_one_line(command: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    folder = tmp_path / "file" / "folder"

    ended = CliRunner().invoke(main, ["devstack", command], env={"ENCORE_DEVSTACK_DIR": str(folder)})

    assert (ended.exit_code, ended.stdout) == (1, "")
    (line,) = ended.stderr.splitlines()
    assert line.startswith(f"Error: cannot use {folder}: Not a directory; name a folder in which you may write")


def test_redis_cli_goes_to_one_server_and_no_password_is_among_its_arguments() -> None:
    from streams.cli.redis_cli import _connection

    told = _connection("redis://reader:s3cret@127.0.0.1:6380/2")

    assert told == (["-h", "127.0.0.1", "-p", "6380", "-n", "2", "--user", "reader"], {"REDISCLI_AUTH": "s3cret"})
    for url in ("redis+sentinel://a:1/encore/0", "redis+cluster://a:1", "rediss://a:1/0"):
        with pytest.raises(click.UsageError, match="connects to one server only"):
            _connection(url)
