"""An independent recomputation of every counter from the raw topic, compared with what was published.

Owns `encore verify`. It shares no code with `models` but the thresholds: the evidence is that two independent readings
of the rules agree.
"""

from streams.kafka.reader import CannotRead
from streams.verify.comparison import Difference, WorkerOutput, compare
from streams.verify.folding import CatalogRow
from streams.verify.kept import KeptRecord, Milestone
from streams.verify.recomputation import Catalog, Expected, Recomputation, recompute
from streams.verify.records import RawRecord
from streams.verify.verification import Verification, verify

__all__ = [
    "CannotRead",
    "Catalog",
    "CatalogRow",
    "Difference",
    "Expected",
    "KeptRecord",
    "Milestone",
    "RawRecord",
    "Recomputation",
    "Verification",
    "WorkerOutput",
    "compare",
    "recompute",
    "verify",
]
