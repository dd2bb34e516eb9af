"""An archive in a folder.

Owns how a file appears at once: written under a hidden name, flushed to the disk, then linked or renamed. A process
that is killed leaves at most such a hidden file; the next one that writes in its folder removes it.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from streams.archive.store import ArchiveFailed, Changed, Exists, FileMissing, StoredFile

_LOCK = ".lock"
_PART = ".part"
_OLD_S = 60.0


class Folder:
    """The files below a folder, which is made when the first one is written."""

    def __init__(self, address: str) -> None:
        self._root = Path(address).absolute()

    def list(self, folder: str) -> list[StoredFile]:
        with _told(self._root):
            return sorted(self._below(self._root / folder))

    def _below(self, folder: Path) -> Iterator[StoredFile]:
        for path in folder.rglob("*"):
            if not path.name.startswith("."):
                with suppress(FileNotFoundError):
                    if path.is_file():
                        yield self._stored(path)

    def _stored(self, path: Path) -> StoredFile:
        found = path.stat()
        version = f"{found.st_ino}-{found.st_mtime_ns}-{found.st_size}"
        return StoredFile(path.relative_to(self._root).as_posix(), found.st_size, version)

    def create(self, path: str, data: bytes) -> None:
        target = self._root / path
        with _told(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            _remove_parts(target.parent)
            with _written(target, data) as part:
                try:
                    target.hardlink_to(part)
                except FileExistsError:
                    raise Exists(path) from None
            _flush(target.parent)

    def replace(self, stored: StoredFile, data: bytes) -> None:
        target = self._root / stored.path
        with _told(target), _locked(target.parent), _written(target, data) as part:
            # Checked under the lock, which everyone who replaces holds.
            try:
                now = self._stored(target)
            except FileNotFoundError:
                raise Changed(stored.path) from None
            if now.version != stored.version:
                raise Changed(stored.path)
            part.replace(target)
            _flush(target.parent)

    @contextmanager
    def open(self, path: str) -> Iterator[BinaryIO]:
        with _told(self._root / path):
            try:
                file = (self._root / path).open("rb")
            except FileNotFoundError:
                raise FileMissing(path) from None
            with file:
                yield file

    def delete(self, paths: Collection[str]) -> None:
        for path in paths:
            target = self._root / path
            with _told(target):
                target.unlink(missing_ok=True)

    def address(self, path: str) -> str:
        return str(self._root / path)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as problem:
        raise ArchiveFailed(f"{path}: {problem.strerror or problem}") from None


@contextmanager
def _written(target: Path, data: bytes) -> Iterator[Path]:
    """The data in a hidden file beside its target, on the disk. The hidden name is gone afterwards."""
    part = target.with_name(f".{target.name}.{secrets.token_hex(4)}{_PART}")
    try:
        with part.open("xb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            yield part
    finally:
        part.unlink(missing_ok=True)


def _remove_parts(folder: Path) -> None:
    """Remove what killed processes have left: it is a minute old, and nobody holds its lock."""
    for part in folder.glob(f".*{_PART}"):
        with suppress(OSError), part.open("rb") as file:
            if time.time() - part.stat().st_mtime < _OLD_S:
                continue
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            part.unlink(missing_ok=True)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    with (folder / _LOCK).open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _flush(folder: Path) -> None:
    """Flush a folder's entries to the disk: a new name could else be lost with the power."""
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
