"""What libraries may say in a worker's log, and how often."""

import json
import logging
import os
import pty
import subprocess
import sys

import pytest

from streams.observability.logs import Seldom


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


def test_an_exception_of_the_kafka_client_is_one_line_and_of_other_libraries_whole() -> None:
    records = [said(name, logging.ERROR, "it broke") for name in ("aiokafka.consumer", "faust.agents")]
    for record in records:
        record.exc_info = (ValueError, ValueError("why"), None)
        assert Seldom().filter(record)

    assert [record.getMessage() for record in records] == ["it broke: ValueError('why')", "it broke"]
    assert [bool(record.exc_info) for record in records] == [False, True]


@pytest.mark.parametrize(
    ("name", "said", "heard"),
    [
        ("mode.timers", "Timer commit is overlapping (interval=2.8 runtime=3.1)", None),
        ("mode.threads", "Thread keepalive is not responding...", "a client's thread gets no processor time"),
        (
            "aiokafka.coordinator.assignors.sticky.sticky_assignor",
            "Partition 'p' is assigned to multiple consumers following sticky assignment generation -1.",
            "a member came back to the group",
        ),
        ("mode.threads", "Thread died", "Thread died"),
    ],
)
def test_what_only_a_librarys_author_understands_is_said_in_our_words(name: str, said: str, heard: str | None) -> None:
    record = logging.LogRecord(name, logging.ERROR, "", 1, said, (), None)
    assert Seldom().filter(record) == (heard is not None)
    assert heard is None or record.getMessage().startswith(heard)


def test_what_we_say_ourselves_is_heard_every_time_as_it_is() -> None:
    seldom = Seldom()
    records = [said("streams.worker.process", logging.ERROR, "worker failed") for _ in range(2)]

    assert [seldom.filter(record) for record in records] == [True, True]
    assert {record.levelname for record in records} == {"ERROR"}


def test_a_thread_that_dies_is_told_of_in_one_line() -> None:
    script = (
        "import threading; from streams.observability.logs import log_to_stderr; log_to_stderr('info', 'text');"
        "thread = threading.Thread(target=lambda: 1 / 0, name='fetcher'); thread.start(); thread.join()"
    )

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=30)

    (line,) = done.stderr.splitlines()
    assert line.endswith("WARNING thread fetcher ended: ZeroDivisionError")


SAYS = (
    "import logging; from streams.observability.logs import log_to_stderr; log_to_stderr('info', '{form}');"
    "log = logging.getLogger('streams.worker.process'); log.info('assigned %s', [1]);"
    "log.error('worker \\'failed\\'\\nby this', exc_info=ValueError('why'))"
)


def run(form: str, stderr: int) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", SAYS.format(form=form)]
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=stderr, text=True, timeout=30, check=True)


@pytest.mark.parametrize("form", ["json", "auto"])
def test_what_is_not_read_on_a_terminal_is_an_object_a_line(form: str) -> None:
    lines = [json.loads(line) for line in run(form, subprocess.PIPE).stderr.splitlines()]

    assert all(line.pop("timestamp").endswith("Z") for line in lines)
    assert lines == [
        {"level": "info", "logger": "streams.worker.process", "event": "assigned [1]"},
        {
            "level": "error",
            "logger": "streams.worker.process",
            "event": "worker 'failed'\nby this",
            "exception": "ValueError: why",
        },
    ]


def test_a_terminal_gets_text_for_people() -> None:
    ours, theirs = pty.openpty()
    run("auto", theirs)
    os.close(theirs)

    shown = os.read(ours, 4096).decode()
    os.close(ours)

    assert " INFO    assigned [1]\r\n" in shown
    assert "{" not in shown


def test_text_can_be_asked_for_anywhere() -> None:
    assert " INFO    assigned [1]\n" in run("text", subprocess.PIPE).stderr
