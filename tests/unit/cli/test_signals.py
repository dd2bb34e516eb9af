"""What a signal does to a command that has only begun."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

SERVICES = ["worker", "dashboard", "simulate"]
SIGNALLED = "import os, signal, time; os.kill(os.getpid(), signal.SIGTERM); time.sleep(20)"
"""A module of another package, during whose import the signal comes."""


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_that_is_told_to_end_during_its_first_import_of_another_package_ends_in_order(
    tmp_path: Path, service: str
) -> None:
    (tmp_path / "click.py").write_text(SIGNALLED)
    path = os.pathsep.join([str(tmp_path), str(Path(__file__).parents[3])])

    ended = subprocess.run(
        [sys.executable, "-m", "streams.cli", service],
        env={**os.environ, "PYTHONPATH": path}, stderr=subprocess.PIPE, timeout=30, check=False,
    )  # fmt: skip

    assert (ended.stderr, ended.returncode) == (b"", 0)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells which signals a process handles")
@pytest.mark.parametrize("service", SERVICES)
def test_a_service_that_is_told_to_end_while_it_still_begins_ends_in_order(service: str) -> None:
    process = subprocess.Popen([sys.executable, "-m", "streams.cli", service], stderr=subprocess.PIPE)
    _until_it_handles(process, signal.SIGTERM)

    process.send_signal(signal.SIGTERM)

    assert (process.communicate(timeout=20)[1], process.returncode) == (b"", 0)


def _until_it_handles(process: subprocess.Popen[bytes], number: int) -> None:
    end = time.monotonic() + 20
    while not _caught_signals(process.pid) & 1 << number - 1:
        assert time.monotonic() < end
        time.sleep(0.002)


def _caught_signals(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text().splitlines()
    (mask,) = (line.split()[1] for line in status if line.startswith("SigCgt"))
    return int(mask, 16)
