"""A worker is hit at the moment that the setting names, and at no other."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from streams.config.failpoints import Failpoint
from streams.config.settings import BadSetting, load

PASSES = """
import sys
from streams.config.failpoints import Failpoint, arm, reached
arm(sys.argv[1])
for passed in range(1, 4):
    reached(Failpoint.CUT)
    reached(Failpoint.WRITTEN, prepare=lambda: print("prepared", flush=True))
    print(passed, flush=True)
"""


def passes(setting: str) -> tuple[int, str]:
    """How a process ends that meets two moments three times, and what it printed."""
    done = subprocess.run([sys.executable, "-c", PASSES, setting], stdout=subprocess.PIPE, text=True, timeout=30)
    return done.returncode, done.stdout.replace("\n", " ").strip()


@pytest.mark.parametrize(
    ("setting", "ended"),
    [
        ("", (0, "1 2 3")),
        ("cut", (-signal.SIGKILL, "")),
        ("cut:2", (-signal.SIGKILL, "1")),
        ("cut:3:kill", (-signal.SIGKILL, "1 2")),
        ("cut:4:kill", (0, "1 2 3")),
        ("revoked", (0, "1 2 3")),
    ],
)
def test_the_process_dies_where_the_setting_says(setting: str, ended: tuple[int, str]) -> None:
    assert passes(setting) == ended


def test_a_moment_prepares_itself_only_where_it_is_armed() -> None:
    assert passes("written:2") == (-signal.SIGKILL, "1 prepared")


@pytest.mark.parametrize("moment", Failpoint)
def test_every_moment_can_be_set(moment: Failpoint) -> None:
    for setting in (moment, f"{moment}:3", f"{moment}:3:freeze", f"{moment}:kill"):
        assert load(failpoint=setting).failpoint == setting


@pytest.mark.parametrize("setting", ["nowhere", "cut:0", "cut:x", "cut:2:stop", "cut:2:kill:more", "CUT"])
def test_a_moment_that_is_none_is_refused(setting: str) -> None:
    with pytest.raises(BadSetting, match="ENCORE_FAILPOINT"):
        load(failpoint=setting)
