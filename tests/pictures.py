"""Takes the pictures of docs/dashboard.md from a dashboard that shows the story of the two films.

`python tests/pictures.py URL [FOLDER]`, after the README's commands and `encore dashboard`. With a folder: every page
there, whole, at three widths and in both themes, to be looked at, and none for docs/.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Literal, NamedTuple

from playwright.sync_api import Browser, Page, sync_playwright

DOCS = Path(__file__).parents[1] / "docs"
FILM, HIT, OTHERS = "the-film-that-will-not-stop", "the-big-opening", ("the-little-dragon-2", "the-tiny-dragon-5")
TWO = f"/compare?id={HIT}&id={FILM}"
FOUR = f"{TWO}&" + "&".join(f"id={title_id}" for title_id in OTHERS)
Theme = Literal["light", "dark"]


class Picture(NamedTuple):
    """A picture of docs/: a page of the dashboard, or as much as is so high. `reads`: the place read in its chart."""

    name: str
    path: str
    width: int
    height: int
    theme: Theme = "light"
    reads: str = ""


PICTURES = (
    Picture("board", "/", 1100, 760),
    Picture("compare", FOUR, 1100, 1000, reads="week 5"),
    Picture("phone", f"/title?id={FILM}", 380, 870, "dark"),
    Picture("title", f"/title?id={FILM}", 1100, 1960),
)
PAGES = {
    "board": "/",
    "board-search": "/?search=dragon",
    "board-day": "/?day=2026-11-28",
    "franchises": "/franchises",
    "franchise": "/franchise?id=will-not-stop",
    "title": f"/title?id={FILM}",
    "title-hit": f"/title?id={HIT}&measure=watched_s",
    "title-old": f"/title?id={OTHERS[0]}",
    "title-unknown": "/title?id=nobody",
    "compare-weeks": TWO,
    "compare-weeks-relative": f"{FOUR}&relative=yes",
    "compare-days": f"{FOUR}&drawn=days",
    "compare-audience": f"{TWO}&drawn=audience",
    "compare-curve": f"{FOUR}&drawn=curve",
    "compare-households": f"{FOUR}&drawn=households",
    "pipeline": "/pipeline",
}
WIDTHS = (380, 760, 1280)


def opened(browser: Browser, url: str, width: int, height: int, theme: Theme) -> Page:
    """A page once it is drawn."""
    page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=theme)
    page.goto(url)
    page.locator("main h1").wait_for()
    page.locator("#health:not(:empty)").wait_for()
    page.wait_for_timeout(400)
    return page


def read(page: Page, place: str) -> None:
    """Go to a place of the first chart by keyboard."""
    chart = page.locator("[tabindex='0']", has=page.locator("canvas")).first
    chart.focus()
    while place not in chart.inner_text():
        page.keyboard.press("ArrowRight")


def main(url: str, folder: Path | None) -> None:
    """Take them."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        if folder is None:
            for name, path, width, height, theme, reads in PICTURES:
                page = opened(browser, url + path, width, height, theme)
                if reads:
                    read(page, reads)
                page.screenshot(path=DOCS / f"dashboard-{name}.png")
                page.close()
            return
        folder.mkdir(parents=True, exist_ok=True)
        for name, path in PAGES.items():
            for width in WIDTHS:
                for theme in ("light", "dark"):
                    page = opened(browser, url + path, width, 900, theme)
                    page.screenshot(path=folder / f"{name}-{width}-{theme}.png", full_page=True)
                    page.close()


if __name__ == "__main__":
    main(sys.argv[1].rstrip("/"), Path(sys.argv[2]) if len(sys.argv) > 2 else None)
