"""What Netflix's names of titles say."""

import pytest

from models.sources.netflix_names import content_kind, series_of


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("Paper Boats: Trailer", "trailer"),
        ("Paper Boats: Official Trailer 2", "trailer"),
        ("Trailer: Paper Boats", "trailer"),
        ("Season 2 Trailer: Paper Boats", "trailer"),
        ("Teaser 2: Paper Boats", "trailer"),
        ("Paper Boats (Trailer)", "trailer"),
        ("Paper Boats (Trailer 2)", "trailer"),
        ("Paper Boats (Official Teaser)", "trailer"),
        ("Paper Boats: Season 2 (Trailer)", "trailer"),
        ("Paper Boats Season 2 Trailer", "trailer"),
        ("Paper Boats: Clip 3", "bonus"),
        ("Season 1 Harbour Master Clip: Paper Boats", "bonus"),
        ("Paper Boats - Baseline Clip 2", "bonus"),
        ("Paper Boats: Season 1 - Baseline Clip", "bonus"),
        ("Paper Boats PVS Clip 3", "bonus"),
        ("PAPERBOATS_S1_CLIP_PLOT", "bonus"),
        ("Paper Boats (Bonus Video)", "bonus"),
        ("Season 1 First Look: Paper Boats", "preview"),
        ("Paper Boats - CLM 9", "preview"),
        ("Paper Boats_hook_primary_16x9", "preview"),
        ("Paper Boats (Sneak Peek)", "preview"),
        ("Season 1 Recap: Paper Boats", "recap"),
        ("Paper Boats (Season 1 Recap)", "recap"),
    ],
)
def test_promotional_name_says_its_kind(name: str, kind: str) -> None:
    assert content_kind(name) == kind


@pytest.mark.parametrize(
    "name",
    [
        "Paper Boats",
        "Trailer Park Nights",
        "Trailer Park Nights: Season 1: Harbour",
        "The Long Trailer",
        "Paper Boats (Trailer) returns",
        "Paper Boats (Director's Cut)",
        "Paper Boats: Season 1: The Trailer (Episode 3)",
        'Paper Boats: Season 1: "The Trailer"',
        "First Look: Season 1: Harbour",
        "Eclipse 2",
        "Paper Clips",
        "The Hook: Part 2: Harbour",
    ],
)
def test_name_with_a_promotional_word_in_it_is_still_a_main_title(name: str) -> None:
    assert content_kind(name) == "main"


@pytest.mark.parametrize(
    ("stated", "kind"),
    [
        ("HOOK", "preview"),
        ("PROMOTIONAL", "preview"),
        ("BIG_ROW", "preview"),
        ("TRAILER", "trailer"),
        ("TEASER_TRAILER", "trailer"),
        ("RECAP", "recap"),
        ("BONUS_VIDEO", "bonus"),
        ("SOMETHING_NEW", "preview"),
        ("", "main"),
        ("N/A", "main"),
    ],
)
def test_stated_type_goes_before_the_name(stated: str, kind: str) -> None:
    assert content_kind("Paper Boats", stated) == kind


@pytest.mark.parametrize(
    ("name", "series"),
    [
        ("Paper Boats: Season 2: Harbour (Episode 3)", "Paper Boats"),
        ('Paper Boats: Season 2: "Harbour: Night"', "Paper Boats"),
        ("Paper Boats: Staffel 1: Der Hafen", "Paper Boats"),
        ("Paper Boats: The Beginning: Season 1: Harbour", "Paper Boats: The Beginning"),
        ("Paper Boats: Limited Series: Harbour", "Paper Boats"),
        ("Paper Boats: Paper Boats 2: Chapter One", "Paper Boats: Paper Boats 2"),
        ("Paper Boats: Harbour (Episode 3)", "Paper Boats"),
        ("Paper Boats: Ebb: Flood", "Paper Boats"),
        ("Paper Boats: Harbour", ""),
        ("Paper Boats", ""),
    ],
)
def test_series_part_of_a_name(name: str, series: str) -> None:
    assert series_of(name) == series
