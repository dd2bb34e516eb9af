"""Which files are the site, and in which order: all that docs/README.md lists, and what their links reach.

Pages keep their places, so the links between them are the same on the site and in the repository. A link to a file that
is no page, such as a schema, brings that file.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
INDEX = Path("docs/README.md")
START = [Path("README.md"), INDEX, Path("CHANGELOG.md")]

CODE = re.compile(r"^( *)```.*?^\1```$|`[^`\n]+`", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s#]+)(?:#[^)\s]*)?\)")
READERS = re.compile(r"^## (.+?)(?: \(.+\))?$", re.MULTILINE)
ENTRY = re.compile(r"^- \[[^]]+\]\(([^)]+)\)", re.MULTILINE)


class BadLink(Exception):
    """A link that cannot work on the site: in which page, to what, and what to write instead."""


def lay_out(folder: Path) -> None:
    """Copy the site's files into a folder, at their places."""
    for path in reached(START):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, folder / path)


def navigation() -> list[dict[str, Any]]:
    """A section for each kind of reader, in the order of docs/README.md."""
    _, *sections = READERS.split((ROOT / INDEX).read_text())
    listed = zip(sections[::2], sections[1::2], strict=True)
    return [
        {"Start here": [str(path) for path in START]},
        *({readers: [entry(resolved(INDEX, link)) for link in ENTRY.findall(text)]} for readers, text in listed),
    ]


def entry(page: Path) -> str | dict[str, list[str]]:
    """A page; or, for the README of a folder with further pages, a section of them all."""
    others = sorted(path.name for path in (ROOT / page.parent).glob("*.md") if path.name != page.name)
    if page.name != "README.md" or not others:
        return str(page)
    return {page.parent.name.capitalize(): [str(page), *(str(page.parent / other) for other in others)]}


def reached(start: list[Path]) -> list[Path]:
    """These pages, and every file that links lead to from them."""
    found = dict.fromkeys(start)
    waiting = list(found)
    while waiting:
        new = [path for path in linked(waiting.pop()) if path not in found]
        found |= dict.fromkeys(new)
        waiting += [path for path in new if path.suffix == ".md"]
    return list(found)


def linked(page: Path) -> list[Path]:
    """The files of the repository that a page links to."""
    text = CODE.sub("", (ROOT / page).read_text())
    return [resolved(page, link) for link in LINK.findall(text) if ":" not in link]


def resolved(page: Path, link: str) -> Path:
    """Where a link leads, from the repository's root."""
    target = (ROOT / page.parent / link).resolve()
    if not target.is_relative_to(ROOT):
        raise BadLink(f"{page} links to {link}, which is outside the repository")
    if target.is_dir():
        raise BadLink(f"{page} links to the folder {link}: link to a page in it, such as its README.md")
    if not target.is_file():
        raise BadLink(f"{page} links to {link}, which is not there")
    return target.relative_to(ROOT)
