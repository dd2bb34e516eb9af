"""All faults: importing their modules registers them."""

import brokers
import corrections
import deaths
import erasures
import hostile_input
import late_ends
import limits
import rebalances
import redis_loss
import state_loss
import zombies
from catalogue import FAULTS

__all__ = [
    "FAULTS",
    "brokers",
    "corrections",
    "deaths",
    "erasures",
    "hostile_input",
    "late_ends",
    "limits",
    "rebalances",
    "redis_loss",
    "state_loss",
    "zombies",
]
