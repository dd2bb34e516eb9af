"""What households are called where their ids must not be known."""

from __future__ import annotations

import pytest
from partition_log import Log

from models.partitioner import partition_of
from models.pseudonyms import Pseudonyms

KEY = b"k" * 32


def test_a_pseudonym_is_the_first_half_of_an_hmac_sha_256() -> None:
    # RFC 4231, test case 6.
    assert Pseudonyms(b"\xaa" * 131).of(b"Test Using Larger Than Block-Size Key - Hash Key First") == (
        "60e431591ee0b67f0d8a26aacbf5b77f"
    )


@pytest.mark.parametrize(("length", "accepted"), [(31, False), (32, True), (33, True)])
def test_a_key_has_32_bytes_at_least(length: int, accepted: bool) -> None:
    if accepted:
        assert len(Pseudonyms(b"k" * length).of(b"home")) == 32
    else:
        with pytest.raises(ValueError, match="the key has 31 bytes, accepted: 32 or more"):
            Pseudonyms(b"k" * length)


def test_another_key_makes_other_pseudonyms_and_another_fingerprint() -> None:
    one, other = Pseudonyms(KEY), Pseudonyms(b"l" * 32)
    assert one.of(b"home") == Pseudonyms(KEY).of(b"home") != one.of(b"other home")
    assert one.of(b"home") != other.of(b"home")
    assert one.fingerprint() != other.fingerprint()


def test_a_fold_counts_the_same_under_pseudonyms_and_hands_on_no_id() -> None:
    logs = Log(), Log(pseudonyms=Pseudonyms(KEY))
    for log in logs:
        log.completes(0, times=2).watches(5_000, household_id="another")

    plain, named = (log.drained() for log in logs)

    assert (logs[0].title(), logs[0].account()) == (logs[1].title(), logs[1].account())
    assert [packed for _, _, packed in plain.rows] == [packed for _, _, packed in named.rows]
    assert [household_id for _, household_id, _ in named.rows] == [
        Pseudonyms(KEY).of(b"household"), Pseudonyms(KEY).of(b"another"),
    ]  # fmt: skip
    assert {milestone.event.household_id for milestone in named.milestones} == {
        Pseudonyms(KEY).of(b"household"), Pseudonyms(KEY).of(b"another"),
    }  # fmt: skip


@pytest.mark.parametrize("is_home", [True, False])
def test_whether_a_record_lies_where_it_should_is_judged_by_its_own_key(is_home: bool) -> None:
    home = partition_of(b"household", 5)
    log = Log(partition=home if is_home else (home + 1) % 5, partitions=5, pseudonyms=Pseudonyms(KEY))

    log.tells("start", 0, at=0)

    assert log.account().get("misrouted_events", 0) == (0 if is_home else 1)
