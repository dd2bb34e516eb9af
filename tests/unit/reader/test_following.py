"""Changes are followed over trims, losses and returns; no version goes backwards, and what may be missed is told."""

from __future__ import annotations

from itertools import islice

import pytest
from fake_server import FakeServer, place
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.reader import Change, ReaderError
from streams.reader.alias import Alias
from streams.reader.following import Following, Show
from streams.reader.steps import Course

AWAY = ReaderError("Redis does not answer", passing=True)


class Follower:
    """Follows the stream of a server in memory; `news` gives what it shows until it would wait."""

    def __init__(self, server: FakeServer, after: str | None = None) -> None:
        self.server = server
        self.following = Following(Alias("encore:"), after)
        self.course = Course(self.following.steps())

    def news(self) -> list[Change]:
        shown: list[Change] = []
        waited_s = self.server.waited_s
        while self.server.waited_s < waited_s + 1:
            step = self.course.step
            shown += step.changes if isinstance(step, Show) else ()
            self.course.resume(None if isinstance(step, Show) else self.server.execute(step))
        return shown

    def told(self) -> list[tuple[str, int, bool]]:
        return [(change.key, change.version, change.missed) for change in self.news()]


@pytest.fixture
def server() -> FakeServer:
    server = FakeServer()
    server.announce("1-0", "encore:title:a", 10)
    return server


@pytest.fixture
def follower(server: FakeServer) -> Follower:
    follower = Follower(server)
    assert follower.told() == []
    return follower


def test_changes_are_shown_from_now_on(follower: Follower, server: FakeServer) -> None:
    server.announce("2-0", "encore:title:a", 11)
    server.announce("2-1", "encore:title:b", 12)
    assert follower.told() == [("encore:title:a", 11, False), ("encore:title:b", 12, False)]
    assert follower.told() == []


def test_a_change_says_what_it_is_of(follower: Follower, server: FakeServer) -> None:
    server.announce("2-0", "encore:title:a%3Ab:hour:20261123T15", 1)
    server.announce("3-0", "encore:franchise:a%20b", 1)
    server.announce("4-0", "encore:status", 1)
    found = [(change.title_id, change.franchise_id) for change in follower.news()]
    assert found == [("a:b", None), (None, "a b"), (None, None)]


def test_following_goes_on_after_a_place(server: FakeServer) -> None:
    for time in (2, 3, 4):
        server.announce(f"{time}-0", "encore:title:a", 10 + time)
    assert Follower(server, after="2-0").told() == [("encore:title:a", 13, False), ("encore:title:a", 14, False)]
    assert [change.place for change in Follower(server, after="3-0").news()] == ["4-0"]


def test_more_than_is_read_at_once_is_read_in_turn(follower: Follower, server: FakeServer) -> None:
    for number in range(2_500):
        server.announce(f"2-{number}", f"encore:title:{number}", number)
    told = follower.told()
    assert [version for _, version, _ in told] == list(range(2_500))
    assert not any(missed for _, _, missed in told)


def test_a_stream_that_was_cut_behind_the_last_place_lost_nothing(follower: Follower, server: FakeServer) -> None:
    server.announce("2-0", "encore:title:a", 11)
    follower.news()
    server.announce("3-0", "encore:title:a", 12)
    del server.stream[0]
    assert follower.told() == [("encore:title:a", 12, False)]


def test_a_stream_that_was_cut_past_the_last_place_may_have_lost_some(follower: Follower, server: FakeServer) -> None:
    for time in (2, 3, 4):
        server.announce(f"{time}-0", f"encore:title:{time}", 1)
    del server.stream[:2]
    assert follower.told() == [("encore:title:3", 1, True), ("encore:title:4", 1, False)]


def test_after_a_loss_of_data_all_that_is_new_is_shown_and_that_some_may_be_missed(
    follower: Follower, server: FakeServer
) -> None:
    server.stream.clear()
    assert follower.told() == []
    server.announce("9-0", "encore:title:b", 20)
    server.announce("9-1", "encore:title:c", 21)
    assert follower.told() == [("encore:title:b", 20, True), ("encore:title:c", 21, False)]


def test_a_server_with_less_of_the_stream_is_noticed_although_its_new_places_are_older(
    follower: Follower, server: FakeServer
) -> None:
    for time in (50, 60):
        server.announce(f"{time}-0", "encore:title:a", time)
    follower.news()
    del server.stream[2:]
    server.announce("55-0", "encore:title:b", 55)
    assert follower.told() == [("encore:title:b", 55, True)]


def test_a_version_that_is_not_newer_is_not_shown(follower: Follower, server: FakeServer) -> None:
    server.announce("2-0", "encore:title:a", 11)
    follower.news()
    server.stream.clear()
    for time, version in ((3, 10), (4, 11), (5, 12)):
        server.announce(f"{time}-0", "encore:title:a", version)
    assert follower.told() == [("encore:title:a", 12, True)]


def test_where_there_was_no_stream_yet_the_first_change_says_that_some_may_be_missed() -> None:
    server = FakeServer()
    follower = Follower(server)
    assert follower.told() == []
    server.announce("2-0", "encore:title:a", 1)
    assert follower.told() == [("encore:title:a", 1, True)]


def test_a_server_that_is_away_is_asked_again_less_and_less_often(follower: Follower, server: FakeServer) -> None:
    server.down = AWAY
    pauses = [follower.course.resume(server.execute(follower.course.step)) for _ in range(20)]
    assert len(pauses) == 20
    assert 20 < server.waited_s < 60
    server.down = None
    server.announce("2-0", "encore:title:a", 11)
    assert follower.told() == [("encore:title:a", 11, False)]


def test_a_right_that_is_missing_ends_it(follower: Follower, server: FakeServer) -> None:
    server.down = ReaderError("the user may not read the stream")
    with pytest.raises(ReaderError, match="may not"):
        list(islice(follower.news(), 1))


def test_an_entry_at_the_last_place_that_is_another_one_is_noticed(follower: Follower, server: FakeServer) -> None:
    server.announce("2-0", "encore:title:a", 11)
    follower.news()
    server.stream[1:] = []
    server.announce("2-0", "encore:title:b", 12)
    assert follower.told() == [("encore:title:b", 12, True)]


STEPS = st.lists(
    st.sampled_from(["change", "change", "change", "read", "keep", "go back", "lose", "trim", "go away", "come back"]),
    max_size=60,
)


@settings(max_examples=500)
@given(STEPS, st.integers(0, 3))
def test_whatever_happens_to_servers_no_version_goes_back_and_nothing_is_missed_silently(
    steps: list[str], titles: int
) -> None:
    server, version = FakeServer(), 0
    server.announce("0-1", "encore:title:0", 0)
    follower = Follower(server)
    follower.news()
    # What this line of servers has announced, trimmed or not, and which of it is settled: shown, or said to be missed.
    announced, kept = list(server.stream), (list(server.stream), list(server.stream))
    shown: dict[str, int] = {}
    excused = 1
    for step in [*steps, "come back", "read"]:
        if step == "change":
            version += 1
            server.announce(
                f"{place(announced[-1][0])[0] + 1 if announced else 1}-0",
                f"encore:title:{version % (titles + 1)}",
                version,
            )
            announced.append(server.stream[-1])
        elif step == "keep":
            kept = list(server.stream), list(announced)
        elif step == "go back":
            server.stream[:], announced = kept[0], list(kept[1])
            excused = min(excused, len(announced))
        elif step == "lose":
            server.stream.clear()
            announced, excused, kept = [], 0, ([], [])
        elif step == "trim":
            del server.stream[: len(server.stream) // 2 + 1]
        elif step in ("go away", "come back"):
            server.down = AWAY if step == "go away" else None
        elif step == "read" and server.down is None:
            for change in follower.news():
                assert change.version > shown.get(change.key, -1)
                shown[change.key] = change.version
                excused = len(announced) if change.missed else excused
            silent = [
                fields for _, fields in announced[excused:] if int(fields["version"]) > shown.get(fields["key"], -1)
            ]
            assert not silent or follower.following.may_have_missed
            excused = len(announced)
