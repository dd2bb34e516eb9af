"""How far a former state has told, by what it set aside."""

from __future__ import annotations

import pytest

from streams.operations.rebuild import told_by


def headers(partition: int, offset: int, topic: str = "events", topic_id: str | None = "now") -> dict[str, bytes]:
    """The headers of an output; those of older versions do not say the topic's id."""
    said = {"topic": topic.encode(), "partition": b"%d" % partition, "offset": b"%d" % offset}
    return said if topic_id is None else said | {"topic_id": topic_id.encode()}


def test_of_each_partition_it_is_one_more_than_the_largest_offset() -> None:
    outputs = [headers(0, 7), headers(1, 0), headers(0, 9), headers(0, 8, topic_id=None)]
    assert told_by(outputs, "events", "now") == {0: 10, 1: 1}


@pytest.mark.parametrize(
    "output", [headers(0, 9, topic="others"), headers(0, 9, topic_id="before"), {}, {"topic": b"events"}]
)
def test_outputs_of_another_topic_or_of_a_former_one_of_the_name_or_of_no_offset_do_not_count(output: dict) -> None:
    assert told_by([output], "events", "now") == {}
