"""What libraries may say in a worker's log, and how often."""

import logging
import subprocess
import sys

import pytest

from streams.logs import Seldom


def said(name: str, level: int, words: str, at_s: float = 0.0) -> logging.LogRecord:
    record = logging.LogRecord(name, level, "", 0, words, None, None)
    record.created = at_s
    return record


@pytest.mark.parametrize(("later_s", "heard"), [(29.9, False), (30.0, True), (30.1, True)])
def test_a_library_says_the_same_thing_once_in_thirty_seconds(later_s: float, heard: bool) -> None:
    seldom = Seldom()
    assert seldom.filter(said("aiokafka.client", logging.ERROR, "cannot connect to node 1"))

    assert seldom.filter(said("aiokafka.client", logging.ERROR, "cannot connect to node 2", later_s)) is heard


def test_another_thing_is_heard_at_once() -> None:
    seldom = Seldom()
    seldom.filter(said("aiokafka.client", logging.ERROR, "cannot connect"))

    assert seldom.filter(said("aiokafka.client", logging.ERROR, "cannot fetch"))
    assert seldom.filter(said("librdkafka", logging.ERROR, "cannot connect"))


def test_an_error_of_a_library_is_a_warning_of_ours() -> None:
    record = said("aiokafka.client", logging.ERROR, "cannot connect")

    Seldom().filter(record)

    assert (record.levelno, record.levelname) == (logging.WARNING, "WARNING")


def test_what_we_say_ourselves_is_heard_every_time_as_it_is() -> None:
    seldom = Seldom()
    records = [said("streams.worker", logging.ERROR, "worker failed") for _ in range(2)]

    assert [seldom.filter(record) for record in records] == [True, True]
    assert {record.levelname for record in records} == {"ERROR"}


def test_a_thread_that_dies_is_told_of_in_one_line() -> None:
    script = (
        "import threading; from streams.logs import log_to_stderr; log_to_stderr('info');"
        "thread = threading.Thread(target=lambda: 1 / 0, name='fetcher'); thread.start(); thread.join()"
    )

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=30)

    (line,) = done.stderr.splitlines()
    assert line.endswith("WARNING thread fetcher ended: ZeroDivisionError")
