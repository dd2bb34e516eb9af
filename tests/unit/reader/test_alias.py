"""Readers follow the alias: every answer is of one application, whenever readers are moved."""

from __future__ import annotations

from typing import Any

import pytest
from fake_server import FakeServer, carried_out

from streams.reader.alias import Alias
from streams.reader.following import Following, Show, last_place
from streams.reader.steps import Course, ask

COMMANDS = 5
"""Of the question below: the status, three titles, the alias."""


class Readings:
    """A reader of a server in memory, on which blue says 1 play of each title, and green says 2."""

    def __init__(self) -> None:
        self.server = FakeServer()
        self.alias = Alias("encore:")
        for prefix, plays in (("encore:", "1"), ("green:", "2")):
            self.server.publish(f"{prefix}status", 100)
            for title in "abc":
                self.server.publish(f"{prefix}title:{title}", 100, plays=plays)

    def plays(self) -> list[int]:
        asked = ask(self.alias, lambda of: of.titles(["a", "b", "c"]), 0, lambda: self.server.waited_s)
        return [title.plays for title in carried_out(asked, self.server).values()]

    def carry_out(self, steps: Any) -> Any:
        return carried_out(steps, self.server)


@pytest.fixture
def readings() -> Readings:
    return Readings()


def test_without_an_alias_the_own_prefix_is_read(readings: Readings) -> None:
    assert (readings.plays(), readings.alias.shown.prefix) == ([1, 1, 1], "encore:")


def test_a_reader_that_starts_reads_what_is_shown(readings: Readings) -> None:
    readings.server.promote("green:")
    assert (readings.plays(), readings.alias.shown.prefix) == ([2, 2, 2], "green:")


@pytest.mark.parametrize("command", range(2 * COMMANDS + 1))
def test_at_whatever_command_readers_are_moved_an_answer_is_of_one_application(
    readings: Readings, command: int
) -> None:
    readings.server.moves_at = (command, "green:")
    found = [readings.plays() for _ in range(4)]
    assert all(each in ([1, 1, 1], [2, 2, 2]) for each in found)
    assert found == sorted(found)
    assert found[-1] == [2, 2, 2]


def test_a_question_of_many_batches_is_asked_again_as_a_whole(readings: Readings) -> None:
    ids = [f"t{number}" for number in range(2_500)]
    for prefix, plays in (("encore:", "1"), ("green:", "2")):
        for title in ids:
            readings.server.publish(f"{prefix}title:{title}", 100, plays=plays)
    readings.server.moves_at = (1_500, "green:")
    titles = readings.carry_out(ask(readings.alias, lambda of: of.titles(ids), 0))
    assert {title.plays for title in titles.values()} == {2}


def test_readers_are_moved_back(readings: Readings) -> None:
    found = []
    for prefix in ("green:", "encore:", "green:"):
        readings.server.promote(prefix)
        found.append(readings.plays()[0])
    assert found == [2, 1, 2]


def test_an_alias_that_is_lost_with_the_data_moves_nobody_who_has_seen_it(readings: Readings) -> None:
    readings.server.promote("green:")
    readings.plays()
    del readings.server.hashes["encore:alias"]
    assert readings.plays() == [2, 2, 2]


def test_an_application_s_newest_results_are_kept_while_another_one_is_shown(readings: Readings) -> None:
    readings.server.publish("encore:title:a", 200, plays="9")
    assert readings.plays() == [9, 1, 1]
    readings.server.promote("green:")
    readings.plays()
    readings.server.publish("encore:title:a", 199, plays="8")
    readings.server.promote("encore:")
    assert readings.plays() == [9, 1, 1]


# -- changes ------------------------------------------------------------------------------------------------------


def changes(readings: Readings, following: Course) -> list[tuple[str, str, bool]]:
    """What is shown until it would wait: key, place, and whether something may have been missed."""
    shown: list[Any] = []
    until_s = readings.server.waited_s + 1
    while readings.server.waited_s < until_s:
        step = following.step
        shown += step.changes if isinstance(step, Show) else ()
        following.resume(None if isinstance(step, Show) else readings.server.execute(step))
    return [(change.key, change.place, change.missed) for change in shown]


def test_whoever_follows_changes_is_told_to_read_anew_and_gets_those_of_the_other_application(
    readings: Readings,
) -> None:
    server, following = readings.server, Course(Following(readings.alias).steps())
    server.announce("1-0", "encore:title:a", 1)
    changes(readings, following)
    server.announce("2-0", "encore:title:a", 2)
    assert changes(readings, following) == [("encore:title:a", "2-0", False)]
    server.announce("1-5", "green:title:a", 7)
    server.promote("green:")
    assert changes(readings, following) == [("green:title:a", "1-5@green:", True)]
    server.announce("3-0", "green:title:b", 8)
    assert changes(readings, following) == [("green:title:b", "3-0@green:", False)]


def test_a_place_tells_of_which_application_it_is(readings: Readings) -> None:
    server = readings.server
    server.announce("5-0", "green:title:a", 7)
    server.promote("green:")
    place = readings.carry_out(last_place(readings.alias))[0]
    assert place == "5-0@green:"
    server.announce("6-0", "green:title:b", 8)
    restarted = Readings()
    restarted.server = server
    assert changes(restarted, Course(Following(restarted.alias, place).steps())) == [
        ("green:title:b", "6-0@green:", False)
    ]
    server.promote("encore:")
    server.announce("5-0", "encore:title:a", 3)
    back = Course(Following(Alias("encore:"), place).steps())
    assert changes(restarted, back) == [("encore:title:a", "5-0", True)]
