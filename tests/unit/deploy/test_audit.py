"""`make audit`: an audit that did not happen never looks like one that found nothing."""

from __future__ import annotations

import stat
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
NOT_AUDITED = "not audited: the database of vulnerabilities is not reached, or does not know a package\n"
FOUND = "click 8.0 CVE-0000-0001"

FINDS_NOTHING = "exit 0"
FINDS_ONE = f'while [ "$1" != --output ]; do shift; done; echo "{FOUND}" > "$2"; exit 1'
REACHES_NOBODY = "exit 1"


def audit(folder: Path, pip_audit: str) -> subprocess.CompletedProcess[str]:
    """`make audit` with this program in place of pip-audit, and nothing installed."""
    programs = folder / "venv-audit/bin"
    programs.mkdir(parents=True)
    for name, does in (("pip", "exit 0"), ("pip-audit", pip_audit)):
        (programs / name).write_text(f"#!/bin/sh\n{does}\n")
        (programs / name).chmod(stat.S_IRWXU)
    command = ["make", "--silent", "audit", f"VENV={folder / 'venv'}", "PYTHON=true"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize(
    ("pip_audit", "fails", "said"),
    [(FINDS_NOTHING, False, ""), (FINDS_ONE, True, f"{FOUND}\n"), (REACHES_NOBODY, True, "")],
    ids=["nothing found", "one found", "nobody reached"],
)
def test_it_succeeds_only_where_everything_was_looked_up_and_nothing_found(
    tmp_path: Path, pip_audit: str, fails: bool, said: str
) -> None:
    ended = audit(tmp_path, pip_audit)
    assert (ended.returncode != 0, ended.stdout) == (fails, said)
    assert (NOT_AUDITED in ended.stderr) is (pip_audit == REACHES_NOBODY)


def test_one_that_is_not_looked_up_is_no_success() -> None:
    assert "pip-audit --strict" in (ROOT / "Makefile").read_text()
