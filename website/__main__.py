"""Builds the documentation as a website: `python website FOLDER [ADDRESS]`. Any warning is an error.

ADDRESS is where it will be served; only the page for what is not found and the map for search engines need it.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml
from pages import BadLink, lay_out, navigation

SETTINGS = Path(__file__).with_name("mkdocs.yml")


def build(target: Path, address: str) -> int:
    """The exit code. The folder is replaced only if everything went well."""
    with tempfile.TemporaryDirectory(prefix="encore-site-") as name:
        folder = Path(name).resolve()
        lay_out(folder / "pages")
        settings = {**yaml.safe_load(SETTINGS.read_text()), "nav": navigation()}
        settings |= {"site_url": address} if address else {}
        (folder / SETTINGS.name).write_text(yaml.safe_dump(settings))
        command = [sys.executable, "-m", "zensical", "build", "--strict", "--config-file", SETTINGS.name]
        ended = subprocess.run(command, cwd=folder, check=False)
        if ended.returncode == 0:
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(folder / "built", target)
        return ended.returncode


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit("Usage: python website FOLDER [ADDRESS]")
    if (folder := Path(sys.argv[1])).exists() and not (folder / "search.json").exists():
        sys.exit(f"{folder} would be replaced, and is no site: name another folder, or remove it")
    try:
        sys.exit(build(folder, "".join(sys.argv[2:])))
    except BadLink as bad:
        sys.exit(f"no site: {bad}")
