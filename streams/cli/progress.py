"""A progress bar in a terminal; elsewhere a plain line every few seconds. Both on stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Advance = Callable[[float, str], None]
"""Called with how much is done, in the unit of the total, and a few words beside the bar."""

PLAIN_EVERY_S = 5.0


@contextmanager
def progress(label: str, total: float | None) -> Iterator[Advance]:
    """Progress of `label` up to `total` (None: without end)."""
    shown = _bar if sys.stderr.isatty() else _plain
    with shown(label, total) as advance:
        yield advance


@contextmanager
def _bar(label: str, total: float | None) -> Iterator[Advance]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, TextColumn("{task.fields[words]}"), console=Console(stderr=True)) as bar:
        task = bar.add_task(label, total=total, words="")
        yield lambda done, words: bar.update(task, completed=done, words=words)


@contextmanager
def _plain(label: str, total: float | None) -> Iterator[Advance]:
    shown_s = time.monotonic()

    def advance(done: float, words: str) -> None:
        nonlocal shown_s
        if time.monotonic() - shown_s >= PLAIN_EVERY_S:
            shown_s = time.monotonic()
            share = f" {done / total:.0%}" if total else ""
            print(f"{label}{share} {words}".rstrip(), file=sys.stderr, flush=True)

    yield advance
