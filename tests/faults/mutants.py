"""Workers from which one safeguard was removed: a campaign that does not fail on them proves nothing.

Owns the mutations: which text of which file becomes what, and the fault that must find it.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import NamedTuple

_ROOT = Path(__file__).parents[2]


class Change(NamedTuple):
    """One text of one file, which must be there once, and what it becomes."""

    file: str
    old: str
    new: str


class Mutant(NamedTuple):
    """A worker without one safeguard, and the fault on which a campaign must fail."""

    fault: str
    changes: tuple[Change, ...]


_TRANSACTIONS = "streams/state/transactions.py"
_PRODUCER = "streams/kafka/transactional_producer.py"
_NO_RENEWAL = Change(
    _TRANSACTIONS,
    "self._may_come_late = tries > 1 or time.monotonic() - begun_s >= UNREPEATED_S",
    "self._may_come_late = False",
)
"""A new producer is preceded by a look at the state, which would find a zombie out too, wherever commits are slow."""

MUTANTS = {
    "the fence": Mutant(
        "SIGSTOP for three session timeouts, before a transaction",
        (
            _NO_RENEWAL,
            Change(_TRANSACTIONS, "_kafka, self.name, self.timeout_s", '_kafka, f"{time.time_ns()}", self.timeout_s'),
        ),
    ),
    "the continuity check": Mutant(
        "state: source records cut under a running worker",
        (Change("streams/worker/partition.py", "if batch.start != self.position:", "if False:"),),
    ),
    "the version check in Redis": Mutant(
        "SIGSTOP for three session timeouts, with shares in hand",
        (
            Change(
                "streams/publishing/lua/add_shares.lua",
                "if old and (old[2] > share[2] or (old[2] == share[2] and old[3] > share[3])) then",
                "if false then",
            ),
        ),
    ),
    "the new producer after a late commit": Mutant(
        "a late EndTxn",
        (_NO_RENEWAL,),
    ),
    "the look at the state before a new producer": Mutant(
        "SIGSTOP for three session timeouts, after a commit that was repeated",
        (
            Change(_TRANSACTIONS, "        self._check_the_end_is(self._own)\n", ""),
            Change(_TRANSACTIONS, "last = self._check_the_end_is(self._own[-2:])", "last = None"),
        ),
    ),
    "the check that a state ends with a position": Mutant(
        "state: half of a transaction at its end",
        (Change("streams/state/changelog.py", "if last_key != POSITION_KEY:", "if False:"),),
    ),
    "the transaction": Mutant(
        "kill -9 with rows written and not committed",
        (
            _NO_RENEWAL,
            Change(_PRODUCER, '"transactional.id": name,', '"enable.idempotence": True,'),
            Change(
                _TRANSACTIONS,
                "lambda: self._producer.init_transactions(CALL_S))\n\n",
                "lambda: None)\n\n",
            ),
            Change(_TRANSACTIONS, "self._producer.begin_transaction()", "pass"),
            Change(_TRANSACTIONS, "self._producer.commit_transaction(CALL_S)", "self._producer.flush()"),
        ),
    ),
}


def mutated(mutant: Mutant, folder: Path) -> dict[str, str]:
    """A copy of the code, with its bytecode, and a mutant's changes in `folder`; the environment of what runs it."""
    for package in ("models", "streams"):
        shutil.copytree(_ROOT / package, folder / package)
    for change in mutant.changes:
        file = folder / change.file
        text = file.read_text()
        assert text.count(change.old) == 1, f"{change.file} holds {change.old!r} {text.count(change.old)} times"
        file.write_text(text.replace(change.old, change.new))
    return {"PYTHONPATH": str(folder)}
