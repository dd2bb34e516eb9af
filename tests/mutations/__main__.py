"""Changes one thing at a time in a copy of the program, and sees whether the tests notice.

    python tests/mutations [--count 30] [--seed 1] [--jobs 2] [--only models/viewing.py models/legs.py#38 …]

A mutation flips a comparison, an arithmetic or a Boolean operator, or moves a number. Places are drawn from the seed;
FILE#PLACE repeats one. Tests run in stages, the likeliest and cheapest first (`stages.py`), until one fails: it is
named, and must pass in an unchanged copy. What survives is printed as a diff: it lacks a test, or means the same. So is
what did not end in time: it hangs, or the machine is busy. Exit 1 if there is any of either, 2 if a test fails
unchanged too.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryDirectory

from changes import Mutation, change, drawn
from stages import NOTICED, FailsUnchanged, Tried, Unchanged, tried

from streams.tools.devstack import Devstack

ROOT = Path(__file__).parents[2]
PROGRAM = ("models/*.py", "streams/state/*.py", "streams/publishing/*.py", "streams/worker/*.py", "streams/kafka/*.py")
LEFT_OUT = shutil.ignore_patterns(".venv*", ".git", ".*_cache", "_compiled", "__pycache__", "node_modules", "site")


def main() -> int:
    asked = _asked()
    files = sorted(file.relative_to(ROOT) for pattern in PROGRAM for file in ROOT.glob(pattern))
    mutations = drawn(ROOT, files, asked.only, asked.count, asked.seed)
    servers = Devstack.start(brief=True)
    os.environ |= {"TESTS_KAFKA": servers.kafka, "TESTS_REDIS": servers.redis}
    try:
        with TemporaryDirectory(prefix="encore-mutations-") as folder:
            return _try_all(mutations, Path(folder), asked.jobs)
    except FailsUnchanged as failure:
        print(failure, file=sys.stderr)
        return 2
    finally:
        servers.stop()


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--count", type=int, default=30, help="how many mutations")
    parser.add_argument("--seed", type=int, default=1, help="decides which")
    parser.add_argument("--jobs", type=int, default=2, help="so many at a time")
    parser.add_argument("--only", nargs="*", default=[], metavar="FILE[#PLACE]", help="of these files, or these places")
    return parser.parse_args()


def _try_all(mutations: list[Mutation], folder: Path, jobs: int) -> int:
    """Try each in whichever copy is free, and tell of it. What is edited meanwhile is in no copy."""
    original, copies = _copied(folder / "unchanged"), SimpleQueue[Path]()
    for number in range(jobs):
        copies.put(_copied(folder / f"copy-{number}"))
    unchanged, counts, begun_s = Unchanged(original), Counter[str](), time.monotonic()
    with ThreadPoolExecutor(jobs) as pool:
        tries = {pool.submit(_try, mutation, copies, unchanged): mutation for mutation in mutations}
        try:
            for number, each in enumerate(as_completed(tries), 1):
                said = each.result()
                counts[said.verdict] += 1
                print(f"{number:3}/{len(tries)} {_told(tries[each], said, original)}", flush=True)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    told = ", ".join(f"{count} {verdict.lower()}" for verdict, count in counts.items())
    print(f"{told}; {(time.monotonic() - begun_s) / 60:.0f} minutes")
    return 0 if counts[NOTICED] == len(mutations) else 1


def _told(mutation: Mutation, said: Tried, original: Path) -> str:
    line = f"{said.verdict} {mutation} {said.seconds:.0f} s {said.by}".rstrip()
    return line if said.verdict == NOTICED else f"{line}\n{change(original, mutation).difference}"


def _copied(folder: Path) -> Path:
    return Path(shutil.copytree(ROOT, folder, ignore=LEFT_OUT))


def _try(mutation: Mutation, copies: SimpleQueue[Path], unchanged: Unchanged) -> Tried:
    """Whether a test notices it in a copy. The copy is as before then."""
    copy = copies.get()
    file = copy / mutation.file
    before = file.read_text()
    file.write_text(change(copy, mutation).after)
    try:
        return tried(copy, mutation.file, unchanged)
    finally:
        file.write_text(before)
        copies.put(copy)


if __name__ == "__main__":
    sys.exit(main())
