"""The campaign notices a worker that lacks a safeguard: each mutant fails the fault that the safeguard is for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from campaign import Campaign, plan
from every_fault import FAULTS
from mutants import MUTANTS, mutated

WAIT_S = 30.0
"""What is wrong stays wrong: a worker without a safeguard is not waited for as long as one that must become right."""

pytestmark = [pytest.mark.system, pytest.mark.timeout(900)]


@pytest.mark.parametrize("safeguard", MUTANTS)
def test_the_campaign_fails_on_a_worker_without(safeguard: str, servers: Any, tmp_path: Path) -> None:
    mutant = MUTANTS[safeguard]
    jobs = plan(1, lambda fault: 1, [FAULTS[mutant.fault].name])
    settings = mutated(mutant, tmp_path / "mutant")
    campaign = Campaign(jobs, tmp_path / "trials", lambda job, said: None, wait_s=WAIT_S, settings=settings)

    # None of these faults strikes a server.
    campaign.run_on(servers)

    (failure,) = campaign.results[mutant.fault].failures
    assert "Traceback" in failure, f"the fault met no work: {failure}"
