"""Both readers are one: the same methods, nothing of a worker behind them."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path

import pytest

from streams.reader import AsyncReader, Reader, ReaderError

ALLOWED = {
    "streams",
    "streams.config",
    "streams.config.redis_address",
    "streams.redis",
    "streams.redis.clients",
    "streams.redis.keys",
}
HEAVY = ("faust", "mode", "aiokafka", "kafka", "confluent_kafka", "duckdb", "pydantic", "click", "rich")


def methods(reader: type) -> dict[str, str]:
    """Public methods with their parameters and documentation."""
    found = {name: member for name, member in inspect.getmembers(reader, callable) if not name.startswith("_")}
    return {name: f"{list(inspect.signature(of).parameters.values())} {of.__doc__}" for name, of in found.items()}


def test_both_readers_have_the_same_methods_with_the_same_parameters() -> None:
    assert methods(Reader) == methods(AsyncReader)
    assert {"title", "titles", "hours", "board", "compare", "changes", "close"} <= set(methods(Reader))


def test_who_imports_the_reader_imports_neither_kafka_nor_faust_nor_a_worker() -> None:
    code = "import sys, streams.reader; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    ours = {name for name in loaded if name.partition(".")[0] == "streams" and not name.startswith("streams.reader")}
    assert ours <= ALLOWED
    assert not [name for name in loaded if name.partition(".")[0] in HEAVY]


def test_a_reader_connects_when_it_is_asked_not_when_it_is_made() -> None:
    for url in ("redis://127.0.0.1:1/0", "redis+cluster://127.0.0.1:1", "redis+sentinel://127.0.0.1:1/primary"):
        Reader(url).close()
        AsyncReader(url)


@pytest.mark.parametrize("reader", [Reader, AsyncReader])
@pytest.mark.parametrize("url", ["", "localhost", "http://localhost", "redis+cluster://h:1/5"])
def test_an_address_that_is_none_is_refused_with_what_is_accepted(reader: type, url: str) -> None:
    with pytest.raises(ReaderError, match="is no address of a Redis: accepted"):
        reader(url)


@pytest.mark.parametrize(
    "url",
    [
        "redis://u:secret@127.0.0.1:1/0",
        "redis+cluster://u:secret@127.0.0.1:1",
        "redis+sentinel://u:secret@127.0.0.1:1/primary?sentinel_password=secret",
    ],
)
def test_a_server_that_is_not_there_is_one_line_without_the_password(url: str) -> None:
    with Reader(url) as reader, pytest.raises(ReaderError) as raised:
        reader.title("dragon")
    assert raised.value.passing
    assert "does not answer" in str(raised.value)
    assert "secret" not in str(raised.value) + repr(raised.value)
    assert "\n" not in str(raised.value)
    assert "<" not in str(raised.value)


@pytest.mark.parametrize("method", sorted(methods(Reader)))
def test_every_method_is_in_the_guide(method: str) -> None:
    guide = (Path(__file__).parents[3] / "docs" / "reading.md").read_text()
    assert f"`{method}(" in guide or method == "close"
