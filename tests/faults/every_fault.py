"""Importing this module registers every fault."""

import brokers
import corrections
import deaths
import hostile_input
import limits
import rebalances
import redis_loss
import state_loss
import zombies

FAULT_MODULES = (brokers, corrections, deaths, hostile_input, limits, rebalances, redis_loss, state_loss, zombies)
