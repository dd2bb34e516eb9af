"""Hours of `encore dashboard` in Chromium: memory must stay flat in both, the console empty.

Owns what is sampled, and what flat means. The pages show what the settings `ENCORE_REDIS` and `ENCORE_REDIS_PREFIX`
name: run it beside `make soak`, or beside any worker that publishes. Two titles are given by their ids.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import quote

import click
import psutil
from playwright.sync_api import Page, sync_playwright
from rich.console import Console

_MIB = 1 << 20
_SAMPLE_S = 60.0
_WARM_UP_SHARE = 0.2
_MOST_GROWTH_SHARE = 0.1


@click.command()
@click.argument("first")
@click.argument("second")
@click.option("--minutes", type=float, default=120.0, show_default=True)
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="write the samples here")
def watch(first: str, second: str, minutes: float, json_file: Path | None) -> None:
    """Watch four pages for so long; exit 1 where memory grew or anything was on the console."""
    command = [sys.executable, "-m", "streams.cli", "dashboard", "--dashboard-port", "0"]
    with subprocess.Popen(command, env=os.environ.copy(), stdout=subprocess.PIPE, text=True) as dashboard:
        try:
            assert dashboard.stdout is not None
            url = re.findall(r"http://\S+", dashboard.stdout.readline())[0].rstrip("/")
            found = _watched(_paths(url, first, second), dashboard.pid, minutes * 60)
        finally:
            dashboard.terminate()
    Console().print_json(json.dumps({name: value for name, value in found.items() if name != "samples"}))
    if json_file:
        json_file.write_text(json.dumps(found))
    assert not found["console"], "the console is not empty"
    grown = {name: share for name, share in found["growth_share"].items() if share > _MOST_GROWTH_SHARE}
    assert not grown, f"memory grew after warm-up: {grown}"


def _paths(url: str, first: str, second: str) -> list[str]:
    one, other = quote(first, safe=""), quote(second, safe="")
    return [f"{url}/", f"{url}/title?id={one}", f"{url}/compare?id={one}&id={other}", f"{url}/pipeline"]


def _watched(paths: list[str], dashboard_pid: int, watched_s: float) -> dict[str, Any]:
    said: list[str] = []
    samples: list[dict[str, float]] = []
    with sync_playwright() as playwright:
        program = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        pages = [_opened(browser.new_page(), path, said) for path in paths]
        begun_s = time.monotonic()
        while (at_s := time.monotonic() - begun_s) < watched_s:
            # Playwright's events come while it is waited for.
            pages[0].wait_for_timeout(_SAMPLE_S * 1000)
            samples.append({"at_s": round(at_s), "dashboard_mib": _resident_mib(psutil.Process(dashboard_pid))})
            samples[-1] |= {"chromium_mib": _chromium_mib()} | _heaps(pages)
            Console().print(samples[-1])
        texts = [page.locator("body").inner_text()[:300] for page in pages]
        browser.close()
    names = [name for name in samples[0] if name != "at_s"]
    growth = {name: _growth_share([sample[name] for sample in samples]) for name in names}
    return {"minutes": watched_s / 60, "console": said, "growth_share": growth, "pages": texts, "samples": samples}


def _opened(page: Page, path: str, said: list[str]) -> Page:
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(path)
    return page


def _heaps(pages: list[Page]) -> dict[str, float]:
    """Each page's JavaScript heap in MiB after a collection, and its nodes."""
    sizes: dict[str, float] = {}
    for number, page in enumerate(pages):
        session = page.context.new_cdp_session(page)
        session.send("HeapProfiler.collectGarbage")
        session.send("Performance.enable")
        metrics = {each["name"]: each["value"] for each in session.send("Performance.getMetrics")["metrics"]}
        session.detach()
        sizes[f"heap_{number}_mib"] = round(metrics["JSHeapUsedSize"] / _MIB, 2)
        sizes[f"nodes_{number}"] = metrics["Nodes"]
    return sizes


def _chromium_mib() -> float:
    """Of this process's browser with all its processes, each one's own memory (what they share counts once each)."""
    children = psutil.Process().children(recursive=True)
    return round(sum(_resident_mib(child) for child in children if "chrom" in child.name()), 1)


def _resident_mib(process: psutil.Process) -> float:
    try:
        return round(process.memory_full_info().uss / _MIB, 1)
    except psutil.NoSuchProcess:
        return 0.0


def _growth_share(sizes: list[float]) -> float:
    """The last fifth's median over that of the fifth after the warm-up."""
    warm, fifth = int(len(sizes) * _WARM_UP_SHARE), max(1, len(sizes) // 5)
    return round(median(sizes[-fifth:]) / max(1e-9, median(sizes[warm : warm + fifth])) - 1, 3)


if __name__ == "__main__":
    watch()
