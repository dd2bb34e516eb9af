"""Coverage-guided fuzzing of what reads bytes from outside: the targets of `tests/properties/decoding.py`, by atheris.

    pip install atheris          # not among the project's dependencies
    python tests/fuzz/decoders.py TARGET [FOLDER] [-runs=1000000] [any other option of libFuzzer]

TARGET: event, title, titles-file, zone-row, netflix-export, or a live schema such as segment_video. FOLDER keeps the
inputs that reached new code; without it they go with the run. It ends at the first finding, with the input beside it in
a file `crash-…`; that input belongs into `tests/properties/test_fuzzing.py`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import atheris

sys.path.insert(0, str(Path(__file__).parents[1] / "properties"))
with atheris.instrument_imports(include=["models", "streams", "decoding"]):
    from decoding import TARGETS, Target


def main() -> None:
    name, *options = sys.argv[1:] or [""]
    if name not in TARGETS:
        raise SystemExit(f"TARGET={name!r}: accepted: {', '.join(TARGETS)}")
    target = TARGETS[name]
    with TemporaryDirectory() as folder:
        arguments = [sys.argv[0], *options, *_seeded(Path(folder), target)]
        atheris.Setup(arguments, target.read, custom_mutator=_mutator(target.words))
        atheris.Fuzz()


def _seeded(folder: Path, target: Target) -> list[str]:
    """The arguments that name the inputs to begin with, and the words of the format."""
    seeds, words = folder / "seeds", folder / "words"
    seeds.mkdir()
    for number, seed in enumerate(target.seeds):
        (seeds / str(number)).write_bytes(seed)
    words.write_text("".join('"' + "".join(f"\\x{byte:02x}" for byte in word) + '"\n' for word in target.words))
    return [str(seeds), f"-dict={words}"]


TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[\w.+-]+|.', re.DOTALL)


def _mutator(words: tuple[bytes, ...]) -> Callable[[bytes, int, int], bytes]:
    """Half of the inputs differ in bytes, half in tokens: bytes alone hardly ever leave the JSON a JSON."""

    def mutated(data: bytes, most_bytes: int, seed: int) -> bytes:
        random = Random(seed)
        if random.random() < 0.5:
            return bytes(atheris.Mutate(data, most_bytes))
        tokens = TOKEN.findall(data)
        for _ in range(random.randrange(1, 4)):
            place = random.randrange(len(tokens) + 1)
            tokens[place : place + random.randrange(3)] = random.choices([*tokens, *words], k=random.randrange(3))
        return b"".join(tokens)[:most_bytes]

    return mutated


if __name__ == "__main__":
    main()
