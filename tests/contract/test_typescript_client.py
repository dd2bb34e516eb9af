"""The TypeScript client as a program has it: packed, installed, compiled, and run in Node on a real API and Redis."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tarfile
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from api_server import ODD, ApiServer, publish
from published_by_hand import PublishedByHand
from redis import Redis

from streams.tools.devstack import Devstack

ROOT = Path(__file__).parents[2]
CLIENT = ROOT / "clients" / "typescript"
COMMANDS = CLIENT / "node_modules" / ".bin"
ADDRESS, KEY = "http://127.0.0.1:8421", "b0b1-replace-me-with-32-random-characters"
"""As the README has them."""


def done(*command: object, cwd: Path) -> str:
    environment = {**os.environ, "npm_config_cache": str(cwd / ".npm"), "npm_config_offline": "true"}
    ran = subprocess.run([*map(str, command)], cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, f"{command}\n{ran.stdout}{ran.stderr}"
    return ran.stdout


@pytest.fixture(scope="module")
def compiler() -> Path:
    """The compiler; without Node there is none, in CI, too."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("no node, or no npm: install Node.js to try the TypeScript client")
    if not (COMMANDS / "tsc").exists():
        told = "no TypeScript compiler: `make typescript` installs it"
        pytest.fail(told) if os.environ.get("CI") else pytest.skip(told)
    return COMMANDS / "tsc"


@pytest.fixture(scope="module")
def tarball(compiler: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package, made from a copy of its sources."""
    folder = tmp_path_factory.mktemp("sources")
    shutil.copytree(CLIENT, folder, ignore=shutil.ignore_patterns("node_modules", "dist"), dirs_exist_ok=True)
    (folder / "node_modules").symlink_to(CLIENT / "node_modules")
    done("npm", "pack", cwd=folder)
    (made,) = folder.glob("*.tgz")
    return made


@pytest.fixture(scope="module")
def project(compiler: Path, tarball: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A program's folder with the package, and with the README's examples, compiled, as `example_0.js` and so on."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "package.json").write_text('{"private": true, "type": "module"}')
    done("npm", "install", tarball, cwd=folder)
    for number, example in enumerate(re.findall(r"```ts\n(.*?)```", (CLIENT / "README.md").read_text(), re.DOTALL)):
        (folder / f"example_{number}.ts").write_text(example)
    checked = ["--strict", "--skipLibCheck", "--target", "es2022", "--module", "nodenext", "--lib", "es2022,dom"]
    done(compiler, *checked, *sorted(folder.glob("example_*.ts")), cwd=folder)
    return folder


@pytest.fixture(scope="module")
def api(redis_of_our_own: Devstack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    """`encore dashboard` on some titles, for this module; it requires a read key."""
    keys = tmp_path_factory.mktemp("keys") / "keys"
    keys.write_text(KEY)
    with Redis.from_url(redis_of_our_own.redis, decode_responses=True) as client:
        published = PublishedByHand(client, "typescript:")
        publish(published)
        server = ApiServer(redis_of_our_own.redis, published, ENCORE_READ_KEY_FILE=str(keys))
        yield server
        assert server.stop() == (0, "")


class Program:
    """Runs JavaScript beside the installed client, which it has as `encore`; what it gives to `tell` is returned."""

    def __init__(self, project: Path, api: ApiServer) -> None:
        self.project, self.address = project, f"http://{api.host}"

    def command(self, script: str) -> list[str]:
        head = 'import { ApiError, Encore } from "encore-viewing-client"; '
        head += (
            f"const address = {self.address!r}, readKey = {KEY!r}; const encore = new Encore(address, {{ readKey }}); "
        )
        head += "const tell = (it) => console.log(JSON.stringify(it)); "
        return ["node", "--input-type=module", "--eval", head + script]

    def tells(self, script: str) -> list[Any]:
        return [json.loads(line) for line in done(*self.command(script), cwd=self.project).splitlines()]

    def example(self, number: int) -> Path:
        """The README's example, on this API."""
        file = self.project / f"example_{number}.js"
        file.write_text(file.read_text().replace(ADDRESS, self.address))
        return file


@pytest.fixture
def program(project: Path, api: ApiServer) -> Program:
    return Program(project, api)


def test_the_types_are_those_that_the_openapi_document_makes(compiler: Path, tmp_path: Path) -> None:
    script = json.loads((CLIENT / "package.json").read_text())["scripts"]["generate"]
    command = script.replace("src/openapi.ts", str(tmp_path / "openapi.ts")).split()
    done(COMMANDS / command[0], *command[1:], cwd=CLIENT)
    made = (tmp_path / "openapi.ts").read_text()
    assert (CLIENT / "src" / "openapi.ts").read_text() == made, "npm run generate, in clients/typescript"


def test_the_lock_names_no_registry() -> None:
    packages = json.loads((CLIENT / "package-lock.json").read_text())["packages"]
    assert [name for name, package in packages.items() if "resolved" in package] == []


def test_the_package_is_the_compiled_client_and_needs_no_other(tarball: Path) -> None:
    with tarfile.open(tarball) as packed:
        names = {name.removeprefix("package/") for name in packed.getnames()}
        license_ = packed.extractfile("package/LICENSE").read()  # type: ignore[union-attr]
        package = json.load(packed.extractfile("package/package.json"))  # type: ignore[arg-type]
    modules = {path.stem for path in (CLIENT / "src").glob("*.ts")}
    compiled = {f"dist/{module}{suffix}" for module in modules for suffix in (".js", ".d.ts")}
    assert names == {"package.json", "README.md", "LICENSE", *compiled}
    assert license_ == (ROOT / "LICENSE").read_bytes()
    assert "dependencies" not in package
    assert package["version"] == tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]


def test_the_readmes_example_passes_strict_tsc_and_prints_what_redis_holds(program: Program, api: ApiServer) -> None:
    def held(title_id: str, field: str) -> str:
        return api.published.client.hget(f"{api.published.prefix}title:{title_id}", field)

    said = done("node", program.example(0), cwd=program.project).splitlines()
    assert said == [
        f"{held('little-dragon', 'completions')} nobody started it",
        f"dragon-2 {held('dragon-2', 'rewatches')}",
        f"little-dragon {held('little-dragon', 'rewatches')}",
        "400 limit an integer from 1 to 1,000",
    ]


CALLS = {
    'titles({ limit: 2, after: "a b+ü" })': "/titles?limit=2&after=a%20b%2B%C3%BC",
    "titles({ id: [odd, 'zebra'] })": f"/titles?id={quote(ODD, safe='')}&id=zebra",
    "title(odd)": f"/titles/{quote(ODD, safe='')}",
    "hours('little-dragon', { first: '2025-11-20T01:00:00+01:00' })": (
        "/titles/little-dragon/hours?first=2025-11-20T00:00:00Z"
    ),
    "days('little-dragon', { last: '2025-11-19' })": "/titles/little-dragon/days?last=2025-11-19",
    "weeks('little-dragon', { first: 2, last: undefined })": "/titles/little-dragon/weeks?first=2",
    "ages('little-dragon')": "/titles/little-dragon/ages",
    "audience('little-dragon')": "/titles/little-dragon/audience",
    "curve('little-dragon')": "/titles/little-dragon/curve",
    "dayparts('little-dragon')": "/titles/little-dragon/dayparts",
    "legs('little-dragon')": "/titles/little-dragon/legs",
    "board('plays', { day: '2025-11-20' })": "/boards/plays?day=2025-11-20",
    "franchiseBoard('completions', { limit: 1 })": "/boards/completions/franchises?limit=1",
    "franchises()": "/franchises",
    "franchise('dragons')": "/franchises/dragons",
    "compare(['zebra', odd])": f"/compare?id=zebra&id={quote(ODD, safe='')}",
    "status()": "/status",
    "openapi()": "/openapi.json",
}


def test_every_operation_has_its_method_here_and_in_the_readme() -> None:
    paths = json.loads((ROOT / "deploy" / "contracts" / "openapi.json").read_text())["paths"]
    names = {re.sub("_(.)", lambda it: it[1].upper(), path["get"]["operationId"]) for path in paths.values()}
    assert {call.partition("(")[0] for call in CALLS} == names - {"titlesCsv", "changes"}
    assert names <= set(re.findall(r"`(\w+)`", (CLIENT / "README.md").read_text()))


def test_every_method_gives_what_its_path_answers(program: Program, api: ApiServer) -> None:
    calls = "".join(f"tell(await encore.{call}); " for call in CALLS)
    told = program.tells(f"const odd = {json.dumps(ODD)}; {calls} tell(await encore.titlesCsv());")
    answers = [api.ask(path, Authorization=f"Bearer {KEY}") for path in [*CALLS.values(), "/titles.csv"]]
    assert {answer.status for answer in answers} == {200}
    assert told == [*(answer.said for answer in answers[:-1]), answers[-1].body.decode()]


def test_all_titles_come_whatever_the_size_of_a_page(program: Program, api: ApiServer) -> None:
    script = "for (const limit of [1, 3, 4, 5]) { const ids = []; "
    script += "for await (const title of encore.allTitles({ limit })) ids.push(title.title_id); tell(ids); }"
    script += "for await (const each of encore.allFranchises({ limit: 1 })) tell(each.franchise_id);"
    held = api.published.client.zrange(f"{api.published.prefix}titles", 0, -1)
    assert program.tells(script) == [held] * 4 + ["dragons"]


def test_an_id_that_no_path_can_have_is_asked_for_in_the_query(program: Program, api: ApiServer) -> None:
    api.published.title("..", completions=4)
    try:
        script = 'tell((await encore.title("..")).completions); '
        script += 'for (const ask of [() => encore.title("."), () => encore.days(".."), () => encore.franchise(".")])'
        script += " await ask().catch((problem) => tell(String(problem)));"
        assert program.tells(script) == [
            4,
            "ApiError: 404 Not Found: no counters of the title '.'",
            "RangeError: title_id '..' cannot be in a path: ask titles({id}) or compare([id])",
            "RangeError: franchise_id '.' cannot be in a path: ask titles({id}) or compare([id])",
        ]
    finally:
        api.published.client.delete(f"{api.published.prefix}title:..")
        api.published.client.zrem(f"{api.published.prefix}titles", "..")


def test_a_refusal_says_what_is_wrong_and_what_is_accepted(program: Program) -> None:
    script = "for (const [client, method, ...given] of [[encore, 'days', 'zebra', { first: 'today' }], "
    script += "[encore, 'title', 'nobody'], [new Encore(address + '/'), 'status'], [encore, 'titles', { id: [] }], "
    script += "[new Encore('http://127.0.0.1:1'), 'status']]) await client[method](...given)"
    script += ".catch((it) => tell([it.name, it.status, it.argument, it.accepted, it.passing]));"
    assert program.tells(script) == [
        ["ApiError", 400, "first", "a day such as 2026-11-23", False],
        ["ApiError", 404, None, None, False],
        ["ApiError", 401, None, None, False],
        ["RangeError", None, None, None, None],
        ["TypeError", None, None, None, None],
    ]


def test_an_answer_that_has_not_changed_is_the_known_one(program: Program) -> None:
    script = "const first = await encore.title('zebra'), again = await encore.title('zebra', { known: first }); "
    script += "const other = await encore.title('dragon-2', { known: first }); "
    script += "tell([again === first, other.title_id, (await encore.title('zebra')) === first]);"
    assert program.tells(script) == [[True, "dragon-2", False]]


def test_the_readmes_loop_prints_the_title_that_changes(program: Program, api: ApiServer) -> None:
    command = ["node", str(program.example(1))]
    with subprocess.Popen(command, cwd=program.project, stdout=subprocess.PIPE, text=True) as following:
        while following.poll() is None:
            api.published.title("zebra", completions=7, watching_now=3)
            try:
                following.wait(0.5)
            except subprocess.TimeoutExpired:
                continue
        assert following.stdout is not None
        assert following.stdout.read() == "zebra 3\n"


FASTER = (
    "const timer = setTimeout; "
    "globalThis.setTimeout = (call, ms, ...more) => timer(call, ms > 60_000 ? ms : ms / 30, ...more); "
)
"""Before the client waits: its seconds pass thirty times as fast. Node's own fetch waits by this, too, by minutes."""

CUT = """
const asked = [];
function cut(body) {
  const reader = body.getReader();
  let isCut = false;
  const pull = async (controller) => {
    if (isCut) throw new TypeError("cut off");
    const { value } = await reader.read();
    isCut = new TextDecoder().decode(value).includes("event: change");
    controller.enqueue(value);
  };
  return new ReadableStream({ pull }, { highWaterMark: 0 });
}
async function broken(url, init) {
  const response = await fetch(url, init);
  asked.push(init.headers["Last-Event-ID"] ?? null);
  return asked.length > 1 ? response : new Response(cut(response.body), response);
}
let changes = 0;
for await (const event of new Encore(address, { readKey, fetch: broken }).changes({ part: ["title", "day"] })) {
  tell(event);
  if (event.event === "change" && (changes += 1) === 3) break;
}
tell(asked);
"""


def test_changes_go_on_after_the_last_one_when_the_connection_breaks(program: Program, api: ApiServer) -> None:
    command = program.command(FASTER + CUT)
    with subprocess.Popen(command, cwd=program.project, stdout=subprocess.PIPE, text=True) as following:
        assert following.stdout is not None
        opened = json.loads(following.stdout.readline())
        versions = [api.published.title("zebra", completions=7)]
        first = json.loads(following.stdout.readline())
        # What comes while the client is away.
        versions += [api.published.title("zebra", completions=7), api.published.window("zebra", "day:20251120")]
        reopened, *rest, asked = map(json.loads, following.stdout.read().splitlines())
    assert [opened["event"], reopened["event"], asked] == ["open", "open", [None, first["id"]]]
    assert [{**change, "id": ""} for change in (first, *rest)] == [
        {"event": "change", "id": "", "title_id": "zebra", "part": part, "version": version}
        for part, version in zip(["title", "title", "day"], versions, strict=True)
    ]
    api.published.client.delete(f"{api.published.prefix}title:zebra:day:20251120")


def test_a_connection_that_falls_silent_is_made_again(program: Program) -> None:
    script = "let opened = 0; const quiet = { part: ['legs'] }; "
    script += "for await (const event of encore.changes(quiet)) { tell(event.event); if ((opened += 1) === 2) break; }"
    assert program.tells(FASTER + script) == ["open", "open"]


def test_a_signal_ends_the_changes(program: Program) -> None:
    script = "const listening = encore.changes({}, { signal: AbortSignal.timeout(300) }); "
    script += "try { for await (const event of listening) tell(event.event); } catch (problem) { tell(problem.name); }"
    assert program.tells(script) in (["open", "TimeoutError"], ["TimeoutError"])
