"""What the doctor says of the source's retention, and of an archive that is behind it."""

from __future__ import annotations

import pytest

from models.rules import DAY_MS
from streams.config.settings import Settings
from streams.operations.findings import ODD, OK, WRONG
from streams.operations.retention import MissingInArchive, judge_archive, judge_retention

WEEK_MS = 7 * DAY_MS
HOUR_MS = DAY_MS // 24


@pytest.mark.parametrize(
    ("archive", "retention_ms", "level", "found"),
    [
        ("", -1, OK, "for ever"),
        ("", WEEK_MS, ODD, "7.0 days"),
        ("s3://viewing", -1, OK, "for ever"),
        ("s3://viewing", 30 * DAY_MS - 1, OK, "30.0 days, less than the grace of 30 days; then the archive"),
        ("s3://viewing", 30 * DAY_MS, OK, "30.0 days; then the archive"),
    ],
)
def test_a_finite_retention_is_odd_without_an_archive(archive: str, retention_ms: int, level: str, found: str) -> None:
    finding = judge_retention(Settings(archive=archive), retention_ms)
    assert (finding.level, finding.found) == (level, found)
    assert ("encore archive" in finding.advice) == (level == ODD)


@pytest.mark.parametrize(
    ("retention_ms", "age_ms", "level"),
    [
        (WEEK_MS, HOUR_MS, OK),
        (WEEK_MS, DAY_MS, OK),
        (WEEK_MS, DAY_MS + 1, ODD),
        (WEEK_MS, WEEK_MS // 2 - 1, ODD),
        (WEEK_MS, WEEK_MS // 2, WRONG),
        (-1, 400 * DAY_MS, ODD),
    ],
)
def test_an_archive_is_wrong_once_half_of_the_retention_is_over(retention_ms: int, age_ms: int, level: str) -> None:
    finding = judge_archive(
        "s3://viewing", retention_ms, [MissingInArchive(0, 0, 0, 0), MissingInArchive(1, 5, age_ms, 0)]
    )
    assert finding.level == level
    assert "lacks 5 records, the oldest, of partition 1" in finding.found


def test_an_archive_that_has_all_is_right_and_one_with_a_gap_is_wrong() -> None:
    assert judge_archive("s3://viewing", WEEK_MS, [MissingInArchive(0, 0, 0, 0)]).level == OK
    finding = judge_archive("s3://viewing", WEEK_MS, [MissingInArchive(0, 0, 0, 0), MissingInArchive(1, 5, 0, 7)])
    assert (finding.level, "7 records of partition 1" in finding.found) == (WRONG, True)
