"""The file of the sources: what is accepted, and what is said of a file that is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from streams.collect.sources import BadSources, read_sources

KEY, OTHER = "k" * 16, "o" * 16


def written(folder: Path, text: str) -> str:
    path = folder / "sources.toml"
    path.write_text(text)
    return str(path)


def test_each_key_leads_to_its_source(tmp_path: Path) -> None:
    text = f'[web]\nformat = "encore"\nkeys = ["{KEY}", "new-{KEY}"]\n'
    text += f'[tv]\nformat = "plex_webhook"\ntopic = "plex"\nkeys = ["{OTHER}"]\n'
    sources = read_sources(written(tmp_path, text), "playback-events")
    found = [sources.of(key) for key in (KEY, f"new-{KEY}", OTHER)]
    assert [(each.name, each.topic) for each in found if each] == [
        ("web", "playback-events"), ("web", "playback-events"), ("tv", "plex"),
    ]  # fmt: skip
    assert (sources.of(""), sources.of(KEY[1:])) == (None, None)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the file holds no source"),
        ("[web", "sources.toml: "),
        ('[web]\nformat = "encore"', "Object missing required field `keys` - at `$[...]`"),
        (f'[web]\nformat = "encore"\nkeys = ["{KEY}"]\nkey = 1', "Object contains unknown field `key` - at `$[...]`"),
        (f'["a b"]\nformat = "encore"\nkeys = ["{KEY}"]', "source 'a b': the name must be"),
        (
            f'[web]\nformat = "vhs"\nkeys = ["{KEY}"]',
            "source 'web': format 'vhs' is not known; use one of encore, adobe",
        ),
        ('[web]\nformat = "encore"\nkeys = []', "source 'web': keys: give one or more"),
        (f'[web]\nformat = "encore"\nkeys = ["{KEY[1:]}"]', "of at least 16 characters"),
        (f'[web]\nformat = "encore"\ntopic = "t"\nkeys = ["{KEY}"]', "events of Encore's format go to playback-events"),
        (f'[tv]\nformat = "plex_webhook"\nkeys = ["{KEY}"]', "`encore bridge plex_webhook` reads"),
        (f'[tv]\nformat = "plex_webhook"\ntopic = "playback-events"\nkeys = ["{KEY}"]', "not playback-events"),
        (f'[web]\nformat = "encore"\nkeys = ["{KEY}", "{KEY}"]', "1 keys are repeated"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_with_the_place(tmp_path: Path, text: str, said: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(BadSources) as refused:
        read_sources(path, "playback-events")
    assert str(refused.value).startswith(path)
    assert said in str(refused.value)
    assert KEY not in str(refused.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadSources, match=r"none\.toml: No such file"):
        read_sources(str(tmp_path / "none.toml"), "playback-events")
