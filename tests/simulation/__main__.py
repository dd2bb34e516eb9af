"""Run the simulation: `python tests/simulation --seconds 60 --seed 1`, or `--runs N`; `--without SAFEGUARD` (`--list`).

Prints the schedules an hour, and of a seed that fails the fewest faults that fail it. The same seed runs the same way.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path

_HERE = Path(__file__).parent
sys.path.append(str(_HERE.parent / "contract"))


def main() -> int:
    options = _options()
    if options.list:
        from safeguards import SAFEGUARDS

        print(*SAFEGUARDS, sep="\n")
        return 0
    if options.without:
        return _without(options.without)
    return _simulate(options)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="stop after so many seconds of CPU time")
    parser.add_argument("--runs", type=int, default=0, help="stop after so many runs")
    parser.add_argument("--seed", type=int, default=1, help="the first run's seed; each further run has the next one")
    parser.add_argument("--without", default="", help="run a worker without this safeguard")
    parser.add_argument("--list", action="store_true", help="list the safeguards")
    return parser.parse_args()


def _without(safeguard: str) -> int:
    """The same in another process, on a copy of the code."""
    from safeguards import without

    arguments = [each for each in sys.argv[1:] if each not in ("--without", safeguard)]
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, **without(safeguard, Path(folder) / "mutant")}
        return subprocess.run([sys.executable, str(_HERE), *arguments], env=environment, check=False).returncode


def _simulate(options: argparse.Namespace) -> int:
    from campaign_of_seeds import simulate

    seeds: Iterator[int] = count(options.seed)
    if options.runs:
        seeds = iter(range(options.seed, options.seed + options.runs))
    return 1 if simulate(seeds, None if options.runs else options.seconds, print) is not None else 0


if __name__ == "__main__":
    sys.exit(main())
