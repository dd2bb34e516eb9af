"""Where an archive is kept: what it needs from a folder or an object store.

Owns the protocol and the choice by address. A file is there as a whole or not at all, and what others have written is
never overwritten unseen: that is all that an archive's exactness rests on.
"""

from __future__ import annotations

from collections.abc import Collection
from contextlib import AbstractContextManager
from typing import Any, BinaryIO, NamedTuple, Protocol


class ArchiveFailed(Exception):
    """The archive cannot be read or written, or does not fit the source. One line: what, where, what to do."""


class Exists(Exception):
    """A file of this name is there already."""


class Changed(Exception):
    """The file was replaced or deleted since it was read."""


class FileMissing(Exception):
    """No file of this name is there (any more)."""


class StoredFile(NamedTuple):
    """One file. `path` is relative to the archive; `version` changes whenever the file is replaced."""

    path: str
    size_bytes: int
    version: Any


class Store(Protocol):
    """The files of an archive. Every method blocks; every one raises `ArchiveFailed` if the store fails."""

    def list(self, folder: str) -> list[StoredFile]:
        """All files below a folder, by path; none if there is no such folder."""
        ...

    def create(self, path: str, data: bytes) -> None:
        """Write a new file. Raises `Exists`."""
        ...

    def replace(self, stored: StoredFile, data: bytes) -> None:
        """Write a file anew that must be as it was listed. Raises `Changed`."""
        ...

    def open(self, path: str) -> AbstractContextManager[BinaryIO]:
        """A file, for reading at any place. Raises `FileMissing` on entry, or while it is read."""
        ...

    def delete(self, paths: Collection[str]) -> None:
        """Delete files; those that are not there are no error."""
        ...

    def address(self, path: str) -> str:
        """Where others find a file: a path, or a URL."""
        ...


def open_store(address: str) -> Store:
    """The store at an address: a folder, or `s3://…`, `gs://…`, `az://…`. Raises `ArchiveFailed`."""
    if "://" not in address:
        from streams.archive.folder import Folder

        return Folder(address)
    from streams.archive.object_store import Bucket

    return Bucket(address)
