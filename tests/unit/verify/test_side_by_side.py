"""Partitions that are folded side by side: who gets which, and that nothing of them is lost on the way."""

from __future__ import annotations

import pickle
from collections.abc import Iterable
from pathlib import Path

import pytest
from recomputation_log import HOUR, MIN, Log

from streams.verify import RawRecord, Recomputation
from streams.verify.facts import Fact, When
from streams.verify.folding import PartitionLog
from streams.verify.recomputation import fold
from streams.verify.side_by_side import MOST_PROCESSES, shared_out
from streams.verify.sums import FactsFile, add_up, write_facts


@pytest.mark.parametrize(
    ("records", "shares", "shared"),
    [
        ({0: 5, 1: 5}, 2, [[0], [1]]),
        ({0: 1, 1: 9, 2: 4, 3: 5}, 2, [[1, 0], [3, 2]]),
        ({0: 5}, 4, [[0]]),
        ({0: 0, 1: 0}, 1, [[0, 1]]),
    ],
)
def test_shares_are_of_about_as_many_records(records: dict[int, int], shares: int, shared: list[list[int]]) -> None:
    assert shared_out(records, shares) == shared


def test_each_partition_is_in_one_share_and_shares_are_no_more_than_is_good() -> None:
    shared = shared_out(dict.fromkeys(range(100), 7), 64)
    assert len(shared) == MOST_PROCESSES
    assert sorted(partition for share in shared for partition in share) == list(range(100))


def test_titles_that_files_number_differently_are_summed_up_by_their_ids(tmp_path: Path) -> None:
    def plays(title_id: str, amount: int) -> Fact:
        return Fact("plays", amount, When(title_id, 0, True, False, None, 0))

    files = [
        write_facts(tmp_path / "0", [(0, plays('a,"\n', 1)), (0, plays("b", 2))]),
        write_facts(tmp_path / "1", []),
        write_facts(tmp_path / "2", [(1, plays("b", 30)), (1, plays('a,"\n', 40)), (1, plays("c", 50))]),
    ]
    sums = add_up(files)
    of_day = {title_id: windows["day:19700101"]["plays"] for title_id, windows in sums.windows.items()}
    assert of_day == {'a,"\n': 41, "b": 32, "c": 50}
    of_partitions = {
        partition: {title_id: counts["plays"] for title_id, counts in titles.items()}
        for partition, titles in sums.titles.items()
    }
    assert of_partitions == {0: {'a,"\n': 1, "b": 2}, 1: {"b": 30, 'a,"\n': 40, "c": 50}}


def test_logs_that_were_elsewhere_are_expected_to_be_the_same(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    log = several_partitions()
    at_once = log.recompute()
    monkeypatch.setattr(Recomputation, "take", lambda self, records: take_in_shares(self, records, tmp_path))
    in_shares = log.recompute()
    assert in_shares == at_once
    assert in_shares.milestones and in_shares.dead_letters and in_shares.boards
    assert {"title:b:curve", "title:b:audience:2025W25"} <= in_shares.hashes.keys()


def several_partitions() -> Log:
    log = (
        Log(partitions=3)
        .title("b", 1, franchise_id="f", runtime_ms=5 * MIN)
        .title("c", 1, franchise_id="f", release_time_ms=0)
    )
    for partition, title_id in ((0, "b"), (1, "b"), (1, "c"), (2, "a")):
        household_id = f"{title_id}{partition}"
        log.watch_minutes(5, 0, "first", partition=partition, title_id=title_id, household_id=household_id)
        log.add("play", 0, HOUR, "later", partition=partition, title_id=title_id, household_id=household_id)
    return log.raw(b"x", b"{", 0, 2).silence(HOUR + MIN, partition=1)


def take_in_shares(self: Recomputation, records: Iterable[RawRecord], folder: Path) -> None:
    """As if each partition but the first had been folded in another process."""
    held = list(records)
    logs: list[PartitionLog] = []
    files: list[FactsFile] = []
    for some in ([0], [log.partition for log in self.logs[1:]]):
        share = {partition: pickle.loads(pickle.dumps(self.logs[partition])) for partition in some}
        facts = fold((record for record in held if record.partition in share), share)
        files.append(write_facts(folder / f"{len(files)}.csv", facts))
        logs += pickle.loads(pickle.dumps(list(share.values())))
    self.take_folded(logs, files)
