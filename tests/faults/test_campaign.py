"""The shortened campaign: each fault hits real servers and workers at work, and afterwards every number is exact.

The trials run side by side, on servers of their own, always from the same seed; `make faults` draws new ones.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from campaign import Campaign, Job, Result, plan
from every_fault import FAULTS

pytestmark = [pytest.mark.system, pytest.mark.timeout(900)]

LANES = 2
SEED = 1
NAMES = [name for name, fault in FAULTS.items() if fault.short]


class Running:
    """A campaign in the background; a fault's result can be waited for."""

    def __init__(self, jobs: list[Job], folder: Path) -> None:
        self._left = Counter(name for job in jobs for name in job.faults)
        self._changed = threading.Condition()
        self._campaign = Campaign(jobs, folder, self._on_result)
        self._thread = threading.Thread(target=self._campaign.run, args=(LANES,), daemon=True)
        self._thread.start()

    def result(self, name: str) -> Result:
        with self._changed:
            self._changed.wait_for(lambda: not self._left[name] or not self._thread.is_alive())
        return self._campaign.results[name]

    def _on_result(self, job: Job, said: str) -> None:
        if not said.startswith("void"):
            with self._changed:
                self._left.subtract(job.faults)
                self._changed.notify_all()

    def close(self) -> None:
        self._thread.join()


@pytest.fixture(scope="module")
def campaign(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    running = Running(plan(SEED, lambda fault: fault.short, shared=True), tmp_path_factory.mktemp("campaign"))
    yield running
    running.close()


@pytest.mark.parametrize("name", NAMES)
def test_after_the_fault_every_number_equals_a_recomputation(campaign: Running, name: str) -> None:
    result = campaign.result(name)

    assert not result.failures, "\n".join(result.failures)
    assert result.hits == FAULTS[name].short
