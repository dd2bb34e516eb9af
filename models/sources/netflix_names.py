"""What the names of Netflix's titles reveal: whether a title is promotion, and which series it belongs to."""

from __future__ import annotations

import re

_SEASONS = (
    "season|staffel|saison|temporada|stagione|seizoen|säsong|sesong|sæson|kausi|sezon|series|serie|limited series|"
    "miniserie|part|teil|partie|parte|volume|vol|book|buch|chapter|kapitel|collection"
)
_WORDS = {
    "trailer": r"(?:teaser[ _])?trailers?|teasers?|tráilers?|bandes?-annonces?",
    "preview": r"previews?|sneak peeks?|first looks?|promos?|hooks?|big ?rows?|CLM|vorschau",
    "recap": r"recaps?|rückblick",
    "bonus": r"bonus(?: videos?)?|clips?|featurettes?|extras?|supplementals?|behind the scenes|bloopers|making of",
}
_QUALIFIERS = r"(?:(?:official|final|new|full|main|first|baseline|PVS|exclusive|season \d+|staffel \d+|s\d+) )*"
_NUMBER = r"(?: #?\d+)?"


def _patterns(word: str) -> re.Pattern[str]:
    word = f"(?:{word})"
    forms = (
        rf"\([^()]*\b{word}{_NUMBER}\)\s*$",  # X (Trailer 2)
        rf"^[^:]*(?<!\w){word}{_NUMBER}\s*:(?! *(?:{_SEASONS}) \d+: )",  # Season 2 Trailer: X, but no series called so
        rf"[:–-] {_QUALIFIERS}{word}{_NUMBER}\s*$",  # X: Official Trailer, X - Baseline Clip 2, X: Clip 3
        rf"\b(?:official|final|PVS|baseline|season \d+|staffel \d+|s\d+) {word}{_NUMBER}\s*$",  # X PVS Clip
        rf"\b{word} #?\d+\s*$",  # X Clip 3
        rf"_{word}(?:_|\d|$)",  # XYZ_S1_CLIP_PLOT, X_hook_primary_16x9
    )
    return re.compile("|".join(forms), re.IGNORECASE)


KINDS = tuple((kind, _patterns(word)) for kind, word in _WORDS.items())

_EPISODE = re.compile(r"\(Episode \d+\)\s*$", re.IGNORECASE)
_BACKFILL = re.compile(r"_backfill", re.IGNORECASE)

_SERIES = re.compile(rf"^(?P<series>.+?): (?:[^:]*\b)?(?:{_SEASONS})\b[^:]*(?::|$)", re.IGNORECASE)


def content_kind(name: str, supplemental_type: str = "") -> str:
    """main, trailer, preview, recap or bonus: by the *Supplemental Video Type* if there is one, else by the name."""
    stated = supplemental_type.strip().upper()
    if stated and stated != "N/A":
        return _stated_kind(stated)
    if _EPISODE.search(name):
        return "main"
    if _BACKFILL.search(name):
        return "preview"
    return next((kind for kind, pattern in KINDS if pattern.search(name)), "main")


def _stated_kind(stated: str) -> str:
    if "TRAILER" in stated or "TEASER" in stated:
        return "trailer"
    if "RECAP" in stated:
        return "recap"
    return "bonus" if any(word in stated for word in ("BONUS", "CLIP", "FEATURETTE", "EXTRA")) else "preview"


def series_of(name: str) -> str:
    """The series part of an episode's name, empty for other titles."""
    if found := _SERIES.match(name):
        return found["series"].strip()
    parts = name.split(": ")
    if len(parts) > 2 or (len(parts) == 2 and _EPISODE.search(name)):
        return parts[0].strip()
    return ""
