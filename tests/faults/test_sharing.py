"""Which faults share a trial, in which order they strike it, and what a failure says of them. No server is started."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import campaign
import pytest
from campaign import Campaign, Job, plan
from catalogue import Fault, Scene, Strikes, share
from every_fault import FAULTS

SCENE = Scene("a scene", lambda trial: trial.do("begin"), end=lambda trial: trial.do("verify"),
              go_on=lambda trial: trial.do("go on"))  # fmt: skip


class Recording:
    """In the place of a trial: what was done to it."""

    def __init__(self, *_: Any, **__: Any) -> None:
        self.done: list[str] = []
        self.struck: dict[str, int] = {}
        self.do = self.done.append

    def next_fault(self, name: str) -> None:
        self.struck[name] = 0

    def note_hit(self) -> None:
        self.struck[list(self.struck)[-1]] += 1

    def close(self) -> None:
        self.do("close")


def strikes(name: str, hits: int = 1, *, hides: bool = False, strike: Any = None) -> Strikes:
    def hit(trial: Any, number: int) -> None:
        trial.do(f"{name} {number}")

    return Strikes(Fault(name, lambda trial: None, 5, 1, 20, 1, SCENE, strike or hit, hides), hits)


def all_hits(jobs: list[Job]) -> Counter[str]:
    return Counter({each.fault.name: each.hits for job in jobs for each in job.strikes})


@pytest.mark.parametrize("shared", [False, True])
def test_every_fault_strikes_as_often_as_it_is_to(shared: bool) -> None:
    jobs = plan(1, lambda fault: fault.short, shared=shared)

    assert all_hits(jobs) == Counter({name: fault.short for name, fault in FAULTS.items()})


def test_faults_share_a_trial_on_one_scene_only_and_make_their_own_where_none_is_shared() -> None:
    shared = plan(1, lambda fault: fault.short, shared=True)

    for job in shared:
        assert len({each.fault.scene for each in job.strikes}) == 1
        assert len(job.strikes) == 1 or job.strikes[0].fault.scene is not None
    assert len(shared) < len(FAULTS) / 2
    assert {len(job.strikes) for job in plan(1, lambda fault: fault.long)} == {1}


def test_no_application_is_struck_more_often_by_a_fault_than_it_may_be() -> None:
    jobs = plan(1, lambda fault: 7, shared=True)

    assert all(each.hits <= each.fault.per_trial for job in jobs for each in job.strikes)


def test_what_a_fault_would_hide_is_verified_before_it() -> None:
    trial: Any = Recording()

    share(trial, [strikes("empty", hides=True), strikes("rebuild", hides=True), strikes("kill", 2), strikes("stop")])

    assert trial.done == ["begin", "empty 0", "verify", "go on", "rebuild 0", "kill 0", "kill 1", "stop 0", "verify"]


def test_where_a_shared_trial_fails_all_its_faults_do_and_the_message_says_in_which_order_they_struck(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(trial: Any, number: int) -> None:
        raise AssertionError("a number is wrong")

    job = Job((strikes("kill", 2), strikes("stop", strike=fails), strikes("freeze")), "seed 7")
    monkeypatch.setattr(campaign, "Trial", Recording)
    said: list[str] = []
    running = Campaign([job], tmp_path, lambda job, words: said.append(words))
    running.run_on(None)

    assert said == ["FAILED: a number is wrong"]
    (failure,) = running.results["kill"].failures
    assert [result.failures for result in running.results.values()] == [[failure]] * 3
    assert (
        "seed 7\none application was struck, in this order, by:\n  2 × kill\n  0 × stop\nnot yet by: freeze\n"
        in failure
    )
    assert "Traceback" in failure
