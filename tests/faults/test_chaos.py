"""The chaos run's schedule, and what it takes for the cause of a worker's end. No server is started."""

from __future__ import annotations

from itertools import pairwise
from signal import SIGKILL, SIGTERM

import pytest
from chaos_schedule import KINDS, schedule
from exits import UNEXPLAINED, cause_of, last_error
from trial import SESSION_TIMEOUT_S

FAILED = "2026-11-29 18:59:04,255 ERROR   worker failed: {}: it says why"
SECONDS = 420.0


def test_a_seed_repeats_the_schedule_and_another_one_does_not() -> None:
    assert schedule(1, SECONDS, workers=3) == schedule(1, SECONDS, workers=3)
    assert schedule(1, SECONDS, workers=3) != schedule(2, SECONDS, workers=3)


@pytest.mark.parametrize("seed", range(20))
def test_every_kind_strikes_and_each_hit_is_over_when_the_run_is(seed: int) -> None:
    hits = schedule(seed, SECONDS, workers=3)

    assert {hit.kind for hit in hits} == {kind.name for kind in KINDS}
    assert {hit.worker for hit in hits} == {0, 1, 2}
    assert all(hit.at_s > 0 and hit.at_s + hit.lasts_s <= SECONDS for hit in hits)


@pytest.mark.parametrize("seed", range(20))
def test_hits_of_one_kind_follow_each_other_and_those_of_different_kinds_overlap(seed: int) -> None:
    hits = schedule(seed, SECONDS, workers=3)

    for kind in KINDS:
        own = [hit for hit in hits if hit.kind == kind.name]
        assert all(first.at_s + first.lasts_s < second.at_s for first, second in pairwise(own))
    assert any(first.at_s + first.lasts_s > second.at_s for first, second in pairwise(hits))


@pytest.mark.parametrize("seed", range(20))
def test_some_freezes_are_shorter_than_a_session_and_some_are_longer(seed: int) -> None:
    freezes = [hit.lasts_s for hit in schedule(seed, SECONDS, workers=3) if "SIGSTOP" in hit.kind]

    assert min(freezes) < SESSION_TIMEOUT_S < max(freezes)


@pytest.mark.parametrize(
    ("code", "failure", "sent", "away", "cause"),
    [
        (-9, "", {SIGKILL}, (), "kill -9"),
        (-9, "", {SIGTERM, SIGKILL}, (), "kill -9"),
        (0, "", {SIGTERM}, (), "SIGTERM, in order"),
        (0, "", {SIGTERM, SIGKILL}, (), "SIGTERM, in order"),
        (1, "Fenced", (), (), "a fence"),
        (1, "CheckpointFailed", (), ("Kafka",), "CheckpointFailed while Kafka was away"),
        (1, "CheckpointFailed", {SIGTERM}, ("Kafka", "Redis"), "CheckpointFailed while Kafka was away"),
        (1, "NotReachable", (), ("Redis",), "NotReachable while Redis was away"),
    ],
)
def test_the_cause_of_an_end_is_what_was_done_to_the_worker(
    code: int, failure: str, sent: set[int], away: set[str], cause: str
) -> None:
    assert cause_of(code, FAILED.format(failure) if failure else "", set(sent), set(away)) == cause


@pytest.mark.parametrize(
    ("code", "failure", "sent", "away"),
    [
        (-9, "", {SIGTERM}, ("Kafka",)),
        (0, "", {SIGKILL}, ("Kafka",)),
        (-15, "", {SIGTERM}, ()),
        (-14, "", {SIGTERM}, ("Kafka",)),
        (1, "", {SIGTERM}, ("Kafka",)),
        (1, "KeyError", (), ("Kafka", "Redis")),
        (1, "RuntimeError", {SIGTERM}, ("Kafka", "Redis")),
        (1, "StateError", (), ("Kafka", "Redis")),
        (1, "Stalled", (), ("Kafka", "Redis")),
        (1, "CheckpointFailed", (), ("Redis",)),
        (1, "CheckpointFailed", (), ()),
        (1, "NotReachable", (), ()),
    ],
)
def test_another_end_is_a_finding_whatever_was_sent_or_away(
    code: int, failure: str, sent: set[int], away: set[str]
) -> None:
    assert cause_of(code, FAILED.format(failure) if failure else "", set(sent), set(away)) == UNEXPLAINED


def test_what_a_worker_said_last_is_its_last_error_though_a_traceback_follows() -> None:
    failed = FAILED.format("KeyError")

    assert last_error(f"x ERROR   one\n{failed}\nTraceback (most recent call last):\n  KeyError: 3\n") == failed
    assert last_error("all is well\n") == ""
