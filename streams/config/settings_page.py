"""Prints docs/settings.md from the declarations: `python -m streams.config.settings_page > docs/settings.md`."""

from __future__ import annotations

from streams.config.settings import Settings, variable

_HEAD = """# Settings

Each is an environment variable and an option of the commands that use it (`--checkpoint-s` for
`ENCORE_CHECKPOINT_S`; `encore COMMAND --help` lists them). An option wins over the environment. A setting that
cannot be used ends the command with exit code 2 and one line that says which it is, its value and what is accepted.
So does a variable `ENCORE_…` that is no setting: the line names the nearest one.
Secrets (`…_PASSWORD`) have no option and are never printed. See [operating.md](operating.md), keep others out.

The thresholds of the rules, from `ENCORE_COMPLETION_PERCENT` on, are part of the state: a worker refuses a state that
was computed with others. Only a `ENCORE_SOURCE_FORMAT` of json may become another one.

| setting | default | meaning |
|---|---|---|
"""


def _shown(default: object) -> str:
    return f"`{default}`" if str(default) else "empty"


def _escaped(text: str | None) -> str:
    return (text or "").replace("|", "\\|")


def page() -> str:
    """The page as Markdown."""
    rows = [
        f"| `{variable(name)}` | {_shown(field.default)} | {_escaped(field.description)} |"
        for name, field in Settings.model_fields.items()
    ]
    return _HEAD + "\n".join(rows) + "\n"


if __name__ == "__main__":
    print(page(), end="")
