"""What importing a module loads, each in a fresh interpreter."""

from __future__ import annotations

import subprocess
import sys

import pytest


def loaded_by(module: str) -> set[str]:
    """The top-level packages that importing a module loads."""
    code = f"import sys, {module}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    return set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())


def test_a_partition_loads_neither_faust_nor_its_kafka_client() -> None:
    assert not loaded_by("streams.worker.partition") & {"faust", "mode", "aiokafka"}


@pytest.mark.parametrize("operation", ["dead_letters", "doctor", "forget", "imports", "lag", "rebuild", "titles"])
def test_an_operation_loads_neither_faust_nor_the_recomputation(operation: str) -> None:
    assert not loaded_by(f"streams.operations.{operation}") & {"faust", "mode", "aiokafka", "duckdb"}
