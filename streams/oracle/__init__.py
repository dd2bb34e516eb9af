"""An independent recomputation of every counter from the raw topic, compared with what was published.

Owns `encore verify`. It shares no code with `models` but the thresholds: two readings of the same rules that
agree are the evidence that both are right.
"""

from streams.oracle.comparison import Difference, Found, compare
from streams.oracle.folding import CatalogRow
from streams.oracle.kept import Kept, Milestone
from streams.oracle.reading import CannotRead
from streams.oracle.recomputation import Catalog, Expected, Recomputation, recompute
from streams.oracle.records import RawRecord
from streams.oracle.verification import Verification, verify

__all__ = [
    "CannotRead",
    "Catalog",
    "CatalogRow",
    "Difference",
    "Expected",
    "Found",
    "Kept",
    "Milestone",
    "RawRecord",
    "Recomputation",
    "Verification",
    "compare",
    "recompute",
    "verify",
]
