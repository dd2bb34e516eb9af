"""Compiles the rules where a compiler is; the build calls it, and `make compile`.

Owns which modules of `models/` are compiled, and where they are put: into `models/_compiled`, beside the sources, which
a wheel holds too. Which of the two runs is for `models/__init__.py` to say. Where it fails the sources are interpreted;
ENCORE_COMPILE=yes makes that an error, ENCORE_COMPILE=no compiles nothing.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).parent
FOLDER = Path("models", "_compiled")
MODULES = (
    "coverage", "credit", "current_windows", "curve", "dayparts", "erasure", "expiry", "fold", "franchise", "ids",
    "partition_tallies", "partitioner", "reading", "row_cache", "rows", "rules", "session", "streaks", "tally",
    "title", "viewing", "watching", "windows",
    "sources/adobe_media_collection", "sources/foreign_partition", "sources/jellyfin_webhook", "sources/mux_views",
    "sources/player", "sources/plex_webhook", "sources/segment_video", "sources/snowplow_media",
    "sources/snowplow_tsv", "sources/told", "sources/translator", "sources/xapi_video",
)  # fmt: skip
"""Those that are called for every event, message and checkpoint, and hold no msgspec structs of their own: what mypyc
makes of a struct is none any more."""

LIBRARY = "models.rules"
"""The library that all of them lie in is named after this: `models.rules__mypyc`, and found where they are."""


class NotCompiled(Exception):
    """The rules stay interpreted; the message says why, in one line."""


class CompiledRules(BuildHookInterface[Any]):
    """Compiles before a wheel is built: into the wheel, or of an editable one into the sources' folder."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, and tell the wheel of it."""
        if version == "editable":
            compile_into(ROOT / FOLDER)
            return
        self._kept = TemporaryDirectory()
        folder = Path(self._kept.name, "compiled")
        if compile_into(folder):
            build_data["force_include"].update(_packed(folder))
            build_data.update(pure_python=False, infer_tag=True)

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove what lies in the wheel by now."""
        if version != "editable":
            self._kept.cleanup()


def _packed(folder: Path) -> dict[str, str]:
    """Where each file of the compiled rules lies in a wheel."""
    return {str(file): str(FOLDER / file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()}


def compile_into(folder: Path) -> bool:
    """Let a folder hold the compiled rules, where ENCORE_COMPILE and this machine let it; whether it does."""
    wanted = os.environ.get("ENCORE_COMPILE", "")
    if wanted not in ("", "yes", "no"):
        sys.exit(f"ENCORE_COMPILE={wanted}: accepted: yes, no, or nothing")
    try:
        if wanted == "no":
            raise NotCompiled("ENCORE_COMPILE=no")
        check_tools()
        _compile(folder)
    except NotCompiled as reason:
        shutil.rmtree(folder, ignore_errors=True)
        if wanted == "yes":
            sys.exit(f"rules: not compiled: {reason}")
        print(f"rules: interpreted: {reason}")
        return False
    print("rules: compiled")
    return True


def check_tools() -> None:
    """Look for what it takes, before the long way to find it missing."""
    compiler = (os.environ.get("CC") or sysconfig.get_config_var("CC") or "").split()
    if compiler and not shutil.which(compiler[0]):
        raise NotCompiled(f"there is no C compiler ({compiler[0]})")
    if not Path(sysconfig.get_path("include"), "Python.h").exists():
        raise NotCompiled("there is no Python.h (python3-dev)")


def _compile(folder: Path) -> None:
    """In a process of its own: the compiler ends its process where it fails, and changes what builds are made with."""
    with TemporaryDirectory() as work:
        done = subprocess.run([sys.executable, __file__, work], cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode:
            said = (done.stdout + done.stderr).strip().splitlines()
            raise NotCompiled(said[-1] if said else f"the compiler ended with {done.returncode}")
        built = Path(work, "built", "models")
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(built, folder)


def build(work: Path) -> None:
    """Translate the modules to C, and build them under this folder."""
    from mypyc.build import mypycify
    from setuptools import Distribution

    sys.path.insert(0, str(ROOT))
    from models.compiled import MANIFEST, manifest

    sources = [str(Path("models", f"{name}.py")) for name in MODULES]
    # What takes time is Python's own library: to optimize more takes twice as long, and runs no faster.
    extensions = mypycify(
        ["--config-file=", *sources], group_name=LIBRARY, target_dir=str(work / "c"), opt_level="1", debug_level="0"
    )
    building = Distribution({"name": "models", "ext_modules": extensions}).get_command_obj("build_ext")
    building.build_lib, building.build_temp = str(work / "built"), str(work / "objects")
    building.ensure_finalized()
    building.run()
    (work / "built" / "models" / MANIFEST).write_text(manifest(ROOT / "models"))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        build(Path(sys.argv[1]))
    else:
        compile_into(ROOT / FOLDER)
