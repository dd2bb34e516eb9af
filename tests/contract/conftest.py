"""A real Redis for the contract tests alone: they flush and restart it."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from streams.devstack import Devstack, ServerFailed


@pytest.fixture(scope="module")
def redis_of_our_own() -> Iterator[Devstack]:
    """A Redis without Kafka, for one module's tests."""
    try:
        stack = Devstack.start(kafka=False)
    except ServerFailed as failure:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"no Redis: {failure}")
    with stack:
        yield stack
