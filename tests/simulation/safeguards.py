"""Workers without one safeguard, for the simulation: it must find each of them.

Owns which text becomes what; those of the campaign are the campaign's (`tests/faults/mutants.py`).
"""

from __future__ import annotations

import sys
from pathlib import Path

_TESTS = Path(__file__).parents[1]
sys.path.append(str(_TESTS / "faults"))

from mutants import MUTANTS, Change, Mutant, mutated  # noqa: E402

_FAKE = "fake_sink.py"
_ASSIGNMENT = "streams/worker/assignment.py"
_OF_CAMPAIGN = (
    "the fence", "the continuity check", "the transaction", "the new producer after a late commit",
    "the look at the state before a new producer",
)  # fmt: skip

_OPENED = "            await self._note_opened(partition)\n"
_ONLY_NOW = "            # Only now: the publisher must know a partition before others find it here.\n"
_FOUND = "            del self.openings[number]\n            self.partitions[number] = partition\n"

SAFEGUARDS = {
    **{name: MUTANTS[name].changes for name in _OF_CAMPAIGN},
    # The fake Redis does what the script does there.
    "the version check in Redis": (
        Change(_FAKE, "if held is not None and held[1:3] > share[1:3]:", "if False:"),
        Change(_FAKE, "elif held is None or held[1:3] < share[1:3]:", "elif held is None or held[1:3] != share[1:3]:"),
    ),
    "a partition is opened for the publisher before others find it": (
        Change(_ASSIGNMENT, _OPENED + _ONLY_NOW + _FOUND, _FOUND + _OPENED),
    ),
    "a worker that ends opens nothing more": (
        Change(
            _ASSIGNMENT,
            "if is_due and number not in self.openings and not self._ending.is_set():",
            "if is_due and number not in self.openings:",
        ),
    ),
}


def without(safeguard: str, folder: Path) -> dict[str, str]:
    """A copy of the code without a safeguard in `folder`; the environment of processes that run it."""
    fake = folder / _FAKE
    folder.mkdir(parents=True)
    fake.write_text((_TESTS / "contract" / _FAKE).read_text())
    return mutated(Mutant("", SAFEGUARDS[safeguard]), folder)
