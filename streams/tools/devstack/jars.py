"""Apache Kafka's jars: which ones, and how they are downloaded.

Owns the pinned list `kafka-<version>.txt` (coordinate, SHA-256, bytes), and the download by jgo's Python resolver,
which needs neither Maven nor a JDK. All jars go into one folder, on the class path, as Kafka is not a modular
application. `python -m streams.tools.devstack.jars` resolves the list again.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from streams.tools.devstack.cache import cached
from streams.tools.devstack.process import ServerFailed

VERSION = "4.1.0"
ROOTS = (f"org.apache.kafka:kafka_2.13:{VERSION}", "org.slf4j:slf4j-simple:1.7.36")
PINS = Path(__file__).with_name(f"kafka-{VERSION}.txt")
AT_ONCE = 4


class Pin(NamedTuple):
    """One jar: group:artifact:version, SHA-256 in hexadecimal, bytes."""

    coordinate: str
    sha256: str
    size: int


def kafka_jars() -> Path:
    """The folder of Kafka's jars; downloaded into the user's cache the first time.

    Raises `ServerFailed` where the download fails or a jar is not the pinned one.
    """
    return cached(f"kafka-{VERSION}", _download_all)


def pins() -> list[Pin]:
    rows = (line.split() for line in PINS.read_text().splitlines() if not line.startswith("#"))
    return [Pin(coordinate, sha256, int(size)) for coordinate, sha256, size in rows]


def _download_all(folder: Path) -> None:
    wanted = pins()
    try:
        with _progress(sum(pin.size for pin in wanted)) as advance, ThreadPoolExecutor(AT_ONCE) as pool:
            context = maven(folder / "repository", advance)
            list(pool.map(lambda pin: _download(context, pin, folder), wanted))
    except (OSError, RuntimeError) as error:
        raise ServerFailed(f"Kafka {VERSION} could not be downloaded: {error}") from error
    shutil.rmtree(folder / "repository")


def _download(context: Any, pin: Pin, folder: Path) -> None:
    group, artifact, version = pin.coordinate.split(":")
    jar = Path(context.project(group, artifact).at_version(version).artifact().resolve())
    if hashlib.sha256(jar.read_bytes()).hexdigest() != pin.sha256:
        raise ServerFailed(f"{pin.coordinate} is not the pinned jar: its SHA-256 differs from {PINS.name}")
    jar.replace(folder / jar.name)


def maven(repository: Path, advance: Callable[[int], None]) -> Any:
    """The Maven repository, and mirrors that jgo's own settings name. Downloads go into the folder `repository`;
    `advance` is called with the number of bytes that came."""
    from jgo.config import GlobalSettings
    from jgo.constants import MAVEN_CENTRAL_URL
    from jgo.maven import MavenContext, PythonResolver

    @contextmanager
    def counting(_name: str, _size: int) -> Iterator[Callable[[int], None]]:
        yield advance

    return MavenContext(
        resolver=PythonResolver(progress_callback=counting),
        repo_cache=repository,
        remote_repos={"central": MAVEN_CENTRAL_URL} | GlobalSettings.load().repositories,
        timeout=60,
    )


@contextmanager
def _progress(total: int) -> Iterator[Callable[[int], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(f"Downloading Apache Kafka {VERSION}, once", total=total)
        yield lambda count: progress.advance(task, count)


def resolve() -> list[Pin]:
    """The jars that `ROOTS` need at run time, resolved from the repository's present metadata."""
    with tempfile.TemporaryDirectory() as folder:
        context = maven(Path(folder), lambda _: None)
        given, transitive = context.resolver.resolve([context.create_dependency(root) for root in ROOTS])
        found = {str(each.artifact.component): Path(each.artifact.resolve()) for each in given + transitive}
        return [
            Pin(name, hashlib.sha256(jar.read_bytes()).hexdigest(), jar.stat().st_size)
            for name, jar in sorted(found.items())
        ]


if __name__ == "__main__":
    lines = [" ".join(map(str, pin)) for pin in resolve()]
    PINS.write_text("# coordinate, SHA-256, bytes; made by: python -m streams.tools.devstack.jars\n")
    with PINS.open("a") as pinned:
        pinned.writelines(f"{line}\n" for line in lines)
