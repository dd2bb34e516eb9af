"""Keeps a state of the present format, for the time when it is an older one: `python tests/unit/state/keep_state.py`.

Writes `state_of_format_<n>.msgpack.gz` beside itself, from the first random log of one partition whose first steps
leave every kind of record. `test_states_of_older_formats.py` reads it.
"""

from __future__ import annotations

import sys
from gzip import compress
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import msgspec

ROOT = Path(__file__).parents[3]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "properties")]

from checkpoints import checkpoints_of, cut_at_controls, restored_from  # noqa: E402
from random_logs import Step, Writer  # noqa: E402

from models.windows import KEPT_FOR  # noqa: E402
from streams.state.changelog import STATE_FORMAT  # noqa: E402

KINDS = b"acdefhklnprstuvwz"
EVENTS, BEFORE = 400, 240


def kept(seed: int) -> dict[str, Any] | None:
    """The rules, steps and changelog of a log; None if it is not of one partition, or leaves not every kind."""
    random = Random(seed)
    writer = Writer(random, EVENTS)
    # Folds have the default retention here, and households their own ids.
    if writer.partitions > 1 or writer.key or writer.retention != KEPT_FOR or not writer.takes_in_zones:
        return None
    log = writer.log()
    before, after = log.steps[:BEFORE], log.steps[BEFORE:]
    batches = list(enumerate(cut_at_controls(before, random), start=1))
    written = [pair for messages in checkpoints_of(restored_from(log, 0, []), batches) for pair in messages]
    newest = {key: place for place, (key, _) in enumerate(written)}
    changelog = [pair for place, pair in enumerate(written) if newest[pair[0]] == place]
    if {key[0] for key, value in changelog if value is not None} < set(KINDS):
        return None
    parts = {"before": [*map(_plain, before)], "after": [*map(_plain, after)]}
    return {"rules": log.rules, "zones": {}, "changelog": changelog, **parts}


def _plain(step: Step) -> list[Any]:
    return [step.titles, step.silent_ms, step.erased, step.record, step.zones]


if __name__ == "__main__":
    found = next(found for seed in count() if (found := kept(seed)) is not None)
    path = Path(__file__).with_name(f"state_of_format_{STATE_FORMAT}.msgpack.gz")
    path.write_bytes(compress(msgspec.msgpack.encode(found), mtime=0))
    print(f"{path}: {path.stat().st_size:,} bytes")
