"""What an archive needs of the store of its files, of a folder and of a real S3 server."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from object_storage import BUCKET, is_missing, s3_server

from streams.archive.store import ArchiveFailed, Changed, Exists, FileMissing, Store, open_store

FOLDER, S3 = "a folder", "S3"


@pytest.fixture(scope="module")
def s3() -> Iterator[None]:
    if is_missing():
        pytest.skip("no S3 server: `make` installs it")
    before = dict(os.environ)
    with s3_server() as environment:
        os.environ |= environment
        yield
    os.environ.clear()
    os.environ |= before


@pytest.fixture(params=[FOLDER, S3])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == FOLDER:
        return str(tmp_path / "archive")
    request.getfixturevalue("s3")
    return f"s3://{BUCKET}/{secrets.token_hex(4)}"


@pytest.fixture
def store(address: str) -> Store:
    return open_store(address)


def content(store: Store, path: str) -> bytes:
    with store.open(path) as file:
        return file.read()


def test_an_empty_one_lists_nothing(store: Store) -> None:
    assert store.list("topic") == []


def test_a_new_file_is_listed_with_its_size_and_read_back(store: Store) -> None:
    store.create("topic/b", b"second")
    store.create("topic/a", b"one")
    store.create("other/c", b"")
    assert [(each.path, each.size_bytes) for each in store.list("topic")] == [("topic/a", 3), ("topic/b", 6)]
    assert content(store, "topic/b") == b"second"


def test_a_file_is_read_from_any_place(store: Store) -> None:
    store.create("topic/a", b"0123456789")
    with store.open("topic/a") as file:
        file.seek(-3, os.SEEK_END)
        assert file.read(2) == b"78"
        assert file.tell() == 9
        file.seek(2)
        assert (file.read(), file.read(1)) == (b"23456789", b"")


def test_a_name_is_taken_once_and_what_has_it_stays(store: Store) -> None:
    store.create("topic/a", b"first")
    with pytest.raises(Exists):
        store.create("topic/a", b"second")
    assert content(store, "topic/a") == b"first"


def test_of_many_who_take_a_name_at_the_same_time_one_gets_it(store: Store) -> None:
    def took(number: int) -> bool:
        try:
            store.create("topic/a", b"%d" % number)
        except Exists:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        got = list(pool.map(took, range(8)))
    assert sum(got) == 1
    assert content(store, "topic/a") == b"%d" % got.index(True)


def test_a_file_is_replaced_as_it_was_listed(store: Store) -> None:
    store.create("topic/a", b"first")
    (listed,) = store.list("topic")
    store.replace(listed, b"second")
    assert content(store, "topic/a") == b"second"
    with pytest.raises(Changed):
        store.replace(listed, b"third")
    assert content(store, "topic/a") == b"second"


def test_what_was_deleted_is_not_replaced(store: Store) -> None:
    store.create("topic/a", b"first")
    (listed,) = store.list("topic")
    store.delete(["topic/a", "topic/never-there"])
    with pytest.raises(Changed):
        store.replace(listed, b"second")
    with pytest.raises(FileMissing):
        content(store, "topic/a")


def test_its_addresses_are_those_that_others_open(store: Store, address: str) -> None:
    assert store.address("topic/a") == f"{address}/topic/a"


def test_a_store_that_cannot_be_written_says_where(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(ArchiveFailed, match=r"file/archive"):
        open_store(str(tmp_path / "file" / "archive")).create("topic/a", b"")


def test_a_bucket_that_is_not_there_is_an_error_that_names_it(s3: None) -> None:
    with pytest.raises(ArchiveFailed, match="s3://nobodys"):
        open_store("s3://nobodys/archive").list("topic")


def test_what_a_killed_writer_leaves_is_not_listed_and_goes_with_the_next_file(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    (tmp_path / "topic").mkdir()
    part = tmp_path / "topic" / ".a.0123.part"
    part.write_bytes(b"half")
    os.utime(part, (0, 0))
    assert store.list("topic") == []
    store.create("topic/b", b"whole")
    assert [path.name for path in (tmp_path / "topic").iterdir()] == ["b"]
