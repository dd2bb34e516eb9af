"""What workers tell each other of their partitions is read as it was told."""

from __future__ import annotations

from streams.publishing.partition_status import NotedHealth, PartitionHealth, read_note


def test_a_note_is_read_as_it_was_told() -> None:
    note = NotedHealth(PartitionHealth(stream_time_ms=-1, lag=7, checkpointed_ms=900), at_ms=950)
    assert note.text() == "-1:7:900:950"
    assert read_note(note.text().encode()) == note


def test_one_of_before_checkpoints_were_told_is_as_fresh_as_the_note() -> None:
    assert read_note(b"500:7:950") == NotedHealth(PartitionHealth(500, 7, 950), 950)
