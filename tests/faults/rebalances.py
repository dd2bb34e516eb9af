"""Workers join and leave all the time: work must go on in between, and nothing is counted twice."""

from __future__ import annotations

import time

from catalogue import fault
from trial import RATE, Trial

_EACH_S = 3.0
_MOST_BEHIND_S = 20.0


@fault("rebalance storm: a worker joins or leaves every 3 s", per_trial=50, short=6, long=50)
def storm(trial: Trial) -> None:
    trial.set_up()
    trial.feed()
    trial.worker()
    trial.until_working()
    guests = []
    for _ in range(trial.hits):
        struck_s = time.monotonic()
        if len(guests) >= 3 or (guests and trial.rng.random() < 0.5):
            guest = guests.pop(trial.rng.randrange(len(guests)))
            guest.supervised = False
            guest.process.popen.terminate()
        else:
            guests.append(trial.worker())
        time.sleep(max(0.0, struck_s + _EACH_S - time.monotonic()))
        behind = trial.follower.behind()
        trial.note("behind_records", behind)
        assert behind < RATE * _MOST_BEHIND_S, f"{behind} records behind in the storm"
    trial.until_working()
    trial.verify()
