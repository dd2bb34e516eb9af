"""How much may be asked for, by programs and by the dashboard's pages."""

from __future__ import annotations

from models.events import LONGEST_ID_BYTES

LONGEST_ID = LONGEST_ID_BYTES
"""Characters of an id. A longer one has no counters: no event may have it."""

LONGEST_SEARCH = 200
"""Characters of the words that are searched for."""

MOST_LISTED = 1_000
MOST_IDS = 100
MOST_RANKED = 1_000
MOST_HOURS = 1_000
MOST_DAYS = 1_000

FIRST_YEAR, LAST_YEAR = 1971, 9000
"""The years of days and hours. From each of them, the windows before or after it are still days of the calendar."""

MOST_COMPARED = 10
"""Titles side by side."""

MOST_DRAWN = 4
"""Titles in one chart: beyond, lines cannot be told apart."""
