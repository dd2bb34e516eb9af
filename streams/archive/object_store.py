"""An archive in an object store: S3 and what speaks its protocol, Google Cloud Storage, Azure Blob Storage.

Owns the mapping to obstore, which takes credentials and endpoints from the environment (`AWS_…`, `GOOGLE_…`,
`AZURE_…`) or from the machine's role.
"""

from __future__ import annotations

import io
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO

from streams.archive.store import ArchiveFailed, Changed, Exists, FileMissing, StoredFile

# Only who has an archive in an object store needs obstore, so it is imported where one is opened.
if TYPE_CHECKING:
    from obstore import ReadableFile, UpdateVersion


class Bucket:
    """The objects below a URL. Writing a new one and replacing one are conditional requests."""

    def __init__(self, address: str) -> None:
        import obstore
        from obstore import exceptions
        from obstore.store import from_url

        self._address = address.rstrip("/")
        self._obstore, self._errors = obstore, exceptions
        with self._told(""):
            self._store = from_url(self._address)

    def list(self, folder: str) -> list[StoredFile]:
        with self._told(folder):
            found = [each for some in self._obstore.list(self._store, folder) for each in some]
        stored = [StoredFile(each["path"], each["size"], _version(each["e_tag"], each["version"])) for each in found]
        return sorted(stored, key=lambda each: each.path)

    def create(self, path: str, data: bytes) -> None:
        with self._told(path):
            try:
                self._obstore.put(self._store, path, data, mode="create", use_multipart=False)
            except self._errors.AlreadyExistsError:
                raise Exists(path) from None

    def replace(self, stored: StoredFile, data: bytes) -> None:
        with self._told(stored.path):
            try:
                self._obstore.put(self._store, stored.path, data, mode=stored.version, use_multipart=False)
            except (self._errors.PreconditionError, self._errors.NotFoundError):
                raise Changed(stored.path) from None

    @contextmanager
    def open(self, path: str) -> Iterator[BinaryIO]:
        with self._told(path):
            try:
                with io.BufferedReader(_ObjectFile(self._obstore.open_reader(self._store, path))) as file:
                    yield file
            except (self._errors.NotFoundError, FileNotFoundError):
                raise FileMissing(path) from None

    def delete(self, paths: Collection[str]) -> None:
        for path in paths:
            with self._told(path):
                try:
                    self._obstore.delete(self._store, path)
                except (self._errors.NotFoundError, FileNotFoundError):
                    continue

    def address(self, path: str) -> str:
        return f"{self._address}/{path}"

    @contextmanager
    def _told(self, path: str) -> Iterator[None]:
        try:
            yield
        except (self._errors.BaseError, OSError) as problem:
            said = str(problem).partition("\n")[0]
            raise ArchiveFailed(f"{self._address}/{path}: {said}") from None


class _ObjectFile(io.RawIOBase):
    """obstore's reader with all that Python asks of a file."""

    def __init__(self, reader: ReadableFile) -> None:
        self._reader = reader

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._reader.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._reader.seek(offset, whence)

    def tell(self) -> int:
        return self._reader.tell()


def _version(tag: str | None, version: str | None) -> UpdateVersion:
    """What a conditional request needs. Stores differ in which of the two they give."""
    given: UpdateVersion = {}
    if tag is not None:
        given["e_tag"] = tag
    if version is not None:
        given["version"] = version
    return given
