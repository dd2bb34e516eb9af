"""The rules in two forms: which of them runs, and what a build does that can compile, and one that cannot."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import hatch_build
from hatch_build import FOLDER, MODULES, CompiledRules, NotCompiled, compile_into
from models.compiled import MANIFEST, are_there, manifest

ROOT = Path(__file__).parents[3]
MODELS = ROOT / "models"
SAYS = "import models, models.fold; print(models.COMPILED, models.fold.__file__.endswith('.py'))"


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """The sources, and what would be compiled of them, as far as its manifest."""
    models = tmp_path / "models"
    shutil.copytree(MODELS, models, ignore=shutil.ignore_patterns("_compiled", "__pycache__"))
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / MANIFEST).write_text(manifest(models))
    return models


# -- which one runs -----------------------------------------------------------------------------------------------


def test_compiled_rules_are_those_of_their_sources(copied: Path) -> None:
    assert are_there(copied)


@pytest.mark.parametrize("name", ["fold.py", "rules.py", "__init__.py", "sources/told.py"])
def test_a_source_that_was_edited_is_not_shadowed_by_what_was_compiled_of_it(copied: Path, name: str) -> None:
    source = copied / name
    source.write_text(source.read_text() + "\n")
    assert not are_there(copied)


def test_a_source_that_came_or_went_is_an_edit_too(copied: Path) -> None:
    (copied / "more.py").touch()
    assert not are_there(copied)
    (copied / "more.py").unlink()
    assert are_there(copied)
    (copied / "legs.py").unlink()
    assert not are_there(copied)


def test_what_another_python_compiled_is_not_there(copied: Path) -> None:
    made_of = copied.parent / FOLDER / MANIFEST
    made_of.write_text(made_of.read_text().replace(manifest(copied).splitlines()[0], ".another.so"))
    assert not are_there(copied)


def test_without_any_the_sources_run(tmp_path: Path) -> None:
    assert not are_there(tmp_path)


@pytest.mark.parametrize(("setting", "interpreted"), [("1", True), ("0", not are_there(MODELS))])
def test_the_environment_may_ask_for_the_sources(setting: str, interpreted: bool) -> None:
    environment = {**os.environ, "ENCORE_INTERPRETED": setting, "PYTHONPATH": str(ROOT)}
    said = subprocess.run([sys.executable, "-c", SAYS], env=environment, capture_output=True, text=True, check=True)
    assert said.stdout.split() == [str(not interpreted), str(interpreted)]


# -- the build ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MODULES)
def test_what_is_compiled_holds_no_struct(name: str) -> None:
    assert "(msgspec.Struct" not in (MODELS / f"{name}.py").read_text()


def test_without_a_compiler_it_says_so_in_a_line_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CC", "no-such-compiler")
    monkeypatch.delenv("ENCORE_COMPILE", raising=False)
    assert not compile_into(tmp_path / "compiled")
    assert capsys.readouterr().out == "rules: interpreted: there is no C compiler (no-such-compiler)\n"


def test_who_asks_for_compiled_rules_gets_no_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "no-such-compiler")
    monkeypatch.setenv("ENCORE_COMPILE", "yes")
    with pytest.raises(SystemExit, match="not compiled: there is no C compiler"):
        compile_into(tmp_path / "compiled")


def test_who_asks_for_none_gets_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENCORE_COMPILE", "no")
    (tmp_path / "compiled").mkdir()
    assert not compile_into(tmp_path / "compiled")
    assert not (tmp_path / "compiled").exists()


def test_a_misspelt_wish_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENCORE_COMPILE", "true")
    with pytest.raises(SystemExit, match="accepted: yes, no, or nothing"):
        compile_into(tmp_path / "compiled")


def hook() -> Any:
    return CompiledRules(str(ROOT), {}, None, None, "", "wheel")  # type: ignore[arg-type]


def test_a_wheel_of_compiled_rules_is_of_this_platform_and_holds_them(monkeypatch: pytest.MonkeyPatch) -> None:
    packed = [MANIFEST, "fold.so", "sources/told.so"]

    def pretend(folder: Path) -> None:
        for name in packed:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).touch()

    monkeypatch.delenv("ENCORE_COMPILE", raising=False)
    monkeypatch.setattr(hatch_build, "check_tools", lambda: None)
    monkeypatch.setattr(hatch_build, "_compile", pretend)
    build_data: dict[str, Any] = {"force_include": {}, "pure_python": True, "infer_tag": False}
    building = hook()
    building.initialize("standard", build_data)
    included = build_data["force_include"]
    assert sorted(included.values()) == sorted(f"models/_compiled/{name}" for name in packed)
    assert all(Path(source).exists() for source in included)
    assert (build_data["pure_python"], build_data["infer_tag"]) == (False, True)
    building.finalize("standard", build_data, "")
    assert not any(Path(source).exists() for source in included)


def test_a_wheel_where_compiling_failed_is_for_every_platform(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(folder: Path) -> None:
        raise NotCompiled("it fails")

    monkeypatch.delenv("ENCORE_COMPILE", raising=False)
    monkeypatch.setattr(hatch_build, "check_tools", lambda: None)
    monkeypatch.setattr(hatch_build, "_compile", fail)
    build_data: dict[str, Any] = {"force_include": {}, "pure_python": True, "infer_tag": False}
    building = hook()
    building.initialize("standard", build_data)
    building.finalize("standard", build_data, "")
    assert build_data == {"force_include": {}, "pure_python": True, "infer_tag": False}
