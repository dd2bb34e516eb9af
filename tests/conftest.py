"""The servers of the test run, and names on them that no other test uses.

System tests see Encore from outside: they get addresses and an environment from here, and import none of it.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple, Protocol

import pytest
from application import fresh_names, remove
from hypothesis import HealthCheck, settings
from kafka import KafkaAdminClient

from streams.tools.devstack import Devstack, RedisServer, ServerFailed

# Property tests: the same examples every time, and without a stopwatch, on a machine that may be busy.
settings.register_profile(
    "encore", derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)
settings.load_profile("encore")


class Servers(Protocol):
    """Addresses: `kafka` as HOST:PORT[,HOST:PORT…], `redis` as a URL."""

    @property
    def kafka(self) -> str: ...

    @property
    def redis(self) -> str: ...


class Given(NamedTuple):
    """Servers that ran before the tests."""

    kafka: str
    redis: str


Environment = dict[str, str]


WITHOUT_SERVERS = ("tests/unit", "tests/properties")
SHARED_KAFKA, SHARED_REDIS = "TESTS_KAFKA", "TESTS_REDIS"
"""Where the processes of `pytest -n` find the servers that they share."""


def pytest_configure(config: pytest.Config) -> None:
    """Start the servers before the processes of `pytest -n`, so that all of these use the same ones."""
    is_one_of_them = hasattr(config, "workerinput")
    alone = is_one_of_them or not getattr(config.option, "numprocesses", None)
    if alone:
        gc.disable()  # while this process collects tests: what is made then stays
    if alone or all(path.startswith(WITHOUT_SERVERS) for path in config.args) or all(_given()):
        return
    try:
        servers = Devstack.start(brief=True)
    except ServerFailed:
        return  # the fixtures try again, and say what failed
    config.add_cleanup(servers.stop)
    os.environ |= {SHARED_KAFKA: servers.kafka, SHARED_REDIS: servers.redis}


LONGEST = (
    "test_campaign.py",
    "test_mutants.py",
    "test_worker_state.py",
    "test_growing.py",
    "test_worker_faults.py",
    "test_archive.py",
    "test_bench.py",
    "test_bridge_chain.py",
    "test_late_requests.py",
    "test_upgrading.py",
    "test_worker_forgets.py",
    "test_collect_bridged.py",
    "test_bridge.py",
    "test_security.py",
    "test_collect.py",
    "test_operators_commands.py",
    "test_devstack.py",
    "test_worker_formats.py",
    "test_dashboard.py",
    "test_verify.py",
    "test_demo.py",
    "test_simulation.py",
    "test_worker_redis_kinds.py",
    "test_notify.py",
    "test_archive_pseudonyms.py",
    "test_drill.py",
    "test_input.py",
    "test_worker_catalog.py",
    "test_worker_settings.py",
    "test_worker_pseudonyms.py",
    # Without servers (`make check`).
    "test_fuzzing.py",
    "test_two_readings.py",
    "test_archived_under_pseudonyms.py",
    "test_benchmark_loads.py",
    "test_the_state.py",
    "test_viewings.py",
    "test_story.py",
    "test_hostile_loads.py",
    "test_recompute.py",
)
"""Files that take half a minute or more, beside each other on two cores; without servers, ten seconds or more."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first: otherwise one process ends minutes after the others."""
    items.sort(key=lambda item: LONGEST.index(item.path.name) if item.path.name in LONGEST else len(LONGEST))


def pytest_collection_finish() -> None:
    gc.enable()


def _given() -> Given:
    kafka, redis = (os.environ.get(name) or os.environ.get(shared, "") for name, shared in _ADDRESSES)
    return Given(kafka, redis)


_ADDRESSES = (("ENCORE_KAFKA", SHARED_KAFKA), ("ENCORE_REDIS", SHARED_REDIS))


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """A real Kafka and a real Redis for the whole run: ENCORE_KAFKA's and ENCORE_REDIS's, else our own."""
    given = _given()
    if all(given):
        yield given
        return
    with _started() as stack:
        yield stack


@pytest.fixture
def private_servers() -> Iterator[Devstack]:
    """A Kafka and a Redis of the test's own, to be stopped, killed, paused and started again."""
    with _started() as stack:
        yield stack


@pytest.fixture
def three_brokers() -> Iterator[Devstack]:
    """A Kafka of three brokers (`.brokers`) and a Redis of the test's own; one broker at a time may be away."""
    with _started(brokers=3) as stack:
        yield stack


@pytest.fixture
def private_redis() -> Iterator[Devstack]:
    """A Redis of the test's own, without Kafka: it is there in a moment."""
    with _started(kafka=False) as stack:
        yield stack


@pytest.fixture
def redis_in(tmp_path: Path) -> Iterator[Callable[..., RedisServer]]:
    """`redis_in(name, persistent=True, replica_of=None)`: a Redis of the test's own, started, in a folder `name`."""
    with ExitStack() as cleanup:

        def start(name: str, persistent: bool = True, replica_of: RedisServer | None = None) -> RedisServer:
            server = RedisServer(tmp_path / name, persistent=persistent, replica_of=replica_of)
            cleanup.callback(server.kill)
            server.start()
            return server

        yield start


@pytest.fixture
def env_on() -> Iterator[Callable[..., Environment]]:
    """`env_on(servers, partitions=4, replication=1, **source_config)`: the ENCORE_* environment of a fresh application.

    Its source topic exists. Topics and keys go after the test. Use it as `{**os.environ, **environment}`.
    """
    with _environments() as make:
        yield make


@pytest.fixture(scope="module")
def module_env(servers: Servers) -> Iterator[Environment]:
    """The ENCORE_* environment of one application on the shared servers, for all tests of a module."""
    with _environments() as make:
        yield make(servers)


@pytest.fixture
def encore_env(servers: Servers, env_on: Callable[..., Environment]) -> Environment:
    """The ENCORE_* environment of one fresh application on the shared servers, four partitions."""
    return env_on(servers)


@contextmanager
def _environments() -> Iterator[Callable[..., Environment]]:
    with ExitStack() as cleanup:

        def make(on: Servers, partitions: int = 4, replication: int = 1, **source_config: str) -> Environment:
            environment = fresh_names(on.kafka, on.redis, "test") | {"ENCORE_TOPIC_REPLICATION": str(replication)}
            source = {"num_partitions": partitions, "replication_factor": replication, "configs": source_config}
            admin = KafkaAdminClient(bootstrap_servers=on.kafka)
            cleanup.callback(admin.close)
            cleanup.callback(remove, environment)
            admin.create_topics({environment["ENCORE_SOURCE_TOPIC"]: source}, wait_for_metadata=True)
            return environment

        yield make


def _started(kafka: bool = True, brokers: int = 1) -> Devstack:
    try:
        return Devstack.start(kafka=kafka, brokers=brokers, brief=True)
    except ServerFailed as failure:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"no servers: {failure}")
