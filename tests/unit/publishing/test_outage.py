"""When it is said that Redis is whole again."""

from __future__ import annotations

import logging

import pytest

from streams.publishing.outage import WholeAgain


@pytest.mark.parametrize(("written", "said"), [(0, 0), (1, 1), (2, 1)])
def test_who_had_nothing_to_write_again_says_nothing(written: int, said: int, caplog: pytest.LogCaptureFixture) -> None:
    whole_again = WholeAgain()
    whole_again.begin()
    with caplog.at_level(logging.INFO):
        whole_again.note(written, False)
        whole_again.note(0, True)
        whole_again.note(5, True)
    assert len(caplog.messages) == said
