"""Downloads rest in the user's cache: made once, whole or not there."""

from __future__ import annotations

import multiprocessing
import time
from pathlib import Path

import pytest

from streams.tools.devstack.cache import cache_folder, cached


def slow_download(folder: Path) -> None:
    with (cache_folder() / "downloads").open("a") as count:
        count.write(".")
    time.sleep(0.3)
    (folder / "content").write_text("whole")


def downloading() -> None:
    assert (cached("thing", slow_download) / "content").read_text() == "whole"


@pytest.fixture(autouse=True)
def cache_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def test_two_processes_download_once() -> None:
    spawned = multiprocessing.get_context("spawn")
    both = [spawned.Process(target=downloading) for _ in range(2)]
    for process in both:
        process.start()
    for process in both:
        process.join()

    assert [process.exitcode for process in both] == [0, 0]
    assert (cache_folder() / "downloads").read_text() == "."


def test_a_download_that_fails_leaves_nothing_behind_and_is_made_again() -> None:
    def failing(folder: Path) -> None:
        (folder / "content").write_text("hal")
        raise OSError("connection lost")

    with pytest.raises(OSError, match="connection lost"):
        cached("thing", failing)
    assert not (cache_folder() / "thing").exists()

    assert (cached("thing", slow_download) / "content").read_text() == "whole"
