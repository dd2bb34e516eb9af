"""What the scripts under `deploy/` would have done.

Owns their recording: the command that they call is replaced by one that writes down what it is told.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

DEPLOY = Path(__file__).parents[2] / "deploy"
RECORDER = """#!/bin/sh
printf '%s\\t' "$@" >> "$RECORDED"
echo >> "$RECORDED"
"""

Rule = dict[str, Any]


def rules(folder: Path, **settings: str) -> list[Rule]:
    """What `deploy/kafka/acls.sh` would have Kafka's command do, option by option; an option may come several times."""
    recorder, told = folder / "kafka-acls", folder / "told"
    recorder.write_text(RECORDER)
    recorder.chmod(0o755)
    told.unlink(missing_ok=True)
    own = {"KAFKA_ACLS": str(recorder), "RECORDED": str(told), "BOOTSTRAP": "b:1", "COMMAND_CONFIG": "admin.properties"}
    subprocess.run([DEPLOY / "kafka" / "acls.sh"], env={"PATH": os.environ["PATH"]} | own | settings, check=True)
    return [_rule(line.split("\t")[:-1]) for line in told.read_text().splitlines()]


def _rule(words: list[str]) -> Rule:
    found: Rule = {}
    words = [word for word in words if word != "--add"]
    if "--cluster" in words:
        # The one option without a value; this is the name that Kafka knows a cluster by.
        words.insert(words.index("--cluster") + 1, "kafka-cluster")
    for option, value in zip(words[::2], words[1::2], strict=True):
        found.setdefault(option.removeprefix("--"), []).append(value)
    return found
