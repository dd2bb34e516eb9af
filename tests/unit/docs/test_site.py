"""The documentation as a website: built without a warning, each link leads somewhere, no other host is asked."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

ROOT = Path(__file__).parents[3]
PYTHON = ROOT / ".venv-docs/bin/python"
ADDRESSES = {"a": "href", "img": "src", "link": "href", "script": "src", "source": "src", "iframe": "src"}
ELSEWHERE = re.compile(r"[a-z+]+:|//")
MARKDOWN = re.compile(r"\]\(|```|^\|.*\|$|^ *(?:- |#+ )", re.MULTILINE)
"""What the reader of a page must not see: Markdown that is none where it stands."""
FENCED = re.compile(r"^((?: {4})*)```.*?^\1```$", re.MULTILINE | re.DOTALL)
INDENTED_BY_LESS = re.compile(r"^ {1,3}(?:[-*] |\d+\. |```).*|(?<=\n\n) {1,3}\S.*", re.MULTILINE)
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("deploy/**/*.md")])

pytestmark = pytest.mark.skipif(
    not PYTHON.exists() and not os.environ.get("CI"), reason="nothing builds the site: `make site` installs it"
)


class Page(HTMLParser):
    """A built page: what it names, what it asks for, and its paragraphs and lists without code."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.asked: list[tuple[str, str]] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.ids |= {given["id"]} if "id" in given else set()
        if address := given.get(ADDRESSES.get(tag, "")):
            self.asked.append((tag, address))
        if tag in ("article", "pre", "code", "script", "style"):
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self._open:
            self._open.remove(tag)

    def handle_data(self, data: str) -> None:
        if self._open == ["article"]:
            self.words.append(data)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("built") / "site"
    done = built(folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def built(folder: Path, project: Path = ROOT) -> subprocess.CompletedProcess[str]:
    command = [PYTHON, project / "website", folder]
    return subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    return {path: Page(path.read_text()) for path in sorted(site.rglob("*.html"))}


def links(pages: dict[Path, Page]) -> Iterator[tuple[Path, str, Path, str]]:
    """Page, address, and what the address means: file and anchor. The page for what is not found is served anywhere."""
    for path, page in pages.items():
        for _, address in page.asked if path.name != "404.html" else ():
            if not ELSEWHERE.match(address):
                split = urlsplit(address)
                target = (path.parent / unquote(split.path)).resolve() if split.path else path
                yield path, address, target / "index.html" if target.is_dir() else target, unquote(split.fragment)


def test_every_link_of_every_page_leads_to_a_file_and_an_anchor_that_are_there(pages: dict[Path, Page]) -> None:
    found = list(links(pages))
    assert len(found) > 1_000
    assert [(str(path), address) for path, address, file, _ in found if not file.is_file()] == []
    anchors = [each for each in found if each[3] and each[2] in pages]
    assert len(anchors) > 100
    assert [(str(path), address) for path, address, file, anchor in anchors if anchor not in pages[file].ids] == []


def test_every_page_of_the_documentation_is_in_the_navigation(site: Path, pages: dict[Path, Page]) -> None:
    written = [path.relative_to(ROOT) for path in sorted((ROOT / "docs").rglob("*.md"))]
    places = {site / (path.parent if path.name == "README.md" else path.with_suffix("")) for path in written}
    nothing_else = pages[site / "404.html"]
    listed = {site / unquote(address).strip("/") for tag, address in nothing_else.asked if tag == "a"}
    assert places - listed == set()
    assert {path.parent for path in pages if path.name == "index.html"} - listed == set(), "reached, and not listed"


def test_a_page_asks_no_other_host_for_anything(pages: dict[Path, Page]) -> None:
    asked = {address for page in pages.values() for tag, address in page.asked if tag != "a"}
    assert {address for address in asked if ELSEWHERE.match(address) and not address.startswith("data:")} == set()


def test_no_page_shows_markdown(pages: dict[Path, Page]) -> None:
    shown = {str(path): MARKDOWN.findall("".join(page.words)) for path, page in pages.items()}
    assert {path: found for path, found in shown.items() if found} == {}


def test_what_belongs_to_an_item_of_a_list_is_indented_by_four_spaces_or_it_would_not_be_of_the_item() -> None:
    found = {str(path): INDENTED_BY_LESS.findall(FENCED.sub("", path.read_text())) for path in PAGES}
    assert {path: lines for path, lines in found.items() if lines} == {}


@pytest.mark.parametrize(
    ("link", "said"),
    [
        ("docs/", "README.md links to the folder docs/: link to a page in it, such as its README.md"),
        ("docs/reading.md", "README.md links to docs/reading.md, which is not there"),
        ("../elsewhere.md", "README.md links to ../elsewhere.md, which is outside the repository"),
        ("docs/README.md#nowhere", "anchor does not exist"),
    ],
)
def test_a_link_that_leads_nowhere_ends_the_build_and_leaves_the_site_as_it_was(
    link: str, said: str, tmp_path: Path
) -> None:
    project, folder = tmp_path / "project", tmp_path / "site"
    shutil.copytree(ROOT / "website", project / "website")
    for name in ("README.md", "CHANGELOG.md", "docs/README.md"):
        (project / name).parent.mkdir(exist_ok=True)
        (project / name).write_text("# Title\n")
    (project / "README.md").write_text(f"# Title\n\nSee [this]({link}).\n")
    folder.mkdir()
    (folder / "search.json").write_text("as it was")
    done = built(folder, project)
    assert done.returncode == 1
    assert said in done.stdout + done.stderr
    assert [path.read_text() for path in folder.iterdir()] == ["as it was"]


def test_a_folder_that_is_no_site_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("a page of something else")
    done = built(tmp_path)
    assert (done.returncode, done.stderr) == (
        1,
        f"{tmp_path} would be replaced, and is no site: name another folder, or remove it\n",
    )
    assert [path.name for path in tmp_path.iterdir()] == ["index.html"]
