"""The user's cache folder, with one download at a time.

Two processes never write the same download.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


def cache_folder() -> Path:
    """`encore` in the user's cache: `$XDG_CACHE_HOME`, else `~/.cache`."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "encore"


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock file `path`; waits while another process holds it. It ends with its holder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def cached(name: str, fetch: Callable[[Path], None]) -> Path:
    """The folder `name` of the cache; the first time, `fetch` fills it. It is whole or not there."""
    folder = cache_folder() / name
    if folder.is_dir():
        return folder
    with locked(cache_folder() / f"{name}.lock"):
        if not folder.is_dir():
            partial = cache_folder() / f"{name}.partial"
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir(parents=True)
            fetch(partial)
            partial.rename(folder)
    return folder
