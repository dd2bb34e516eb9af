"""A worker writes no file: its root file system may be read-only."""

from __future__ import annotations

from pathlib import Path

import pytest
from application import Application
from playback import EVENING_MS, whole_viewing

pytestmark = pytest.mark.system


def test_a_worker_leaves_nothing_behind_where_it_runs_or_where_temporary_files_go(
    application: Application, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    worker = application.ready_worker(TMPDIR=str(elsewhere), HOME=str(elsewhere), PYTHONDONTWRITEBYTECODE="1")
    application.send(whole_viewing("household", "title", EVENING_MS))
    application.verify()

    assert worker.stopped().code == 0
    assert list(elsewhere.iterdir()) == []
    assert {path.suffix for path in application.folder.iterdir() if path != elsewhere} == {".log", ".out"}
