"""Kafka's classes are recorded once on a machine; no start fails because they could not be."""

from __future__ import annotations

from pathlib import Path

import pytest

from streams.tools.devstack import ServerFailed
from streams.tools.devstack.cache import cache_folder
from streams.tools.devstack.prepared import class_cache


@pytest.fixture(autouse=True)
def cache_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def test_classes_are_recorded_once() -> None:
    recorded: list[Path] = []

    def record(file: Path) -> None:
        recorded.append(file)
        file.write_bytes(b"classes")

    def record_again(file: Path) -> None:
        raise AssertionError("they are there")

    first = class_cache(record)

    assert first is not None
    assert first.read_bytes() == b"classes"
    assert class_cache(record_again) == first
    assert len(recorded) == 1


@pytest.mark.parametrize("failure", [ServerFailed("Java did not write it"), OSError("no space left")], ids=str)
def test_without_them_a_node_starts_all_the_same_and_a_process_tries_once(failure: Exception) -> None:
    tries: list[Path] = []

    def record(file: Path) -> None:
        tries.append(file)
        file.write_bytes(b"cla")
        raise failure

    assert [class_cache(record), class_cache(record)] == [None, None]
    assert len(tries) == 1
    assert [path.name for path in cache_folder().iterdir() if "partial" not in path.name and path.is_dir()] == []
