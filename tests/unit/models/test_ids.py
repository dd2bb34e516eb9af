"""Ids in few bytes."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from models.ids import digest, full, short

UUID_TEXT = "01890a5d-ac96-774b-bcce-b302099a8057"
TEXTS = st.one_of(
    st.text(),
    st.uuids().map(str),
    st.uuids().map(lambda uuid: str(uuid).upper()),
    st.text(alphabet="0123456789abcdefABCDEF-", min_size=36, max_size=36),
    st.from_regex(r"\A[0-9a-fA-F]{8}-[0-9a-f ]{4}-[0-9a-f]{4}-[0-9a-fé]{4}-[0-9a-f+_]{12}\Z"),
)


@given(TEXTS)
@example("")
@example("--------" + UUID_TEXT[8:])
@example(UUID_TEXT.replace("a", "A", 1))
@example(UUID_TEXT.replace("-", "_"))
@example(UUID_TEXT[:-1] + "g")
@example(UUID_TEXT[:-2] + " 7")
@example(UUID_TEXT[:8] + "-ac96-774b-bcce-b302099a805-")
@example("٠١٨٩٠a5d-ac96-774b-bcce-b302099a8057")
@example("0" * 32)
def test_any_text_comes_back_as_it_was(text: str) -> None:
    assert full(short(text)) == text


@given(TEXTS, TEXTS)
def test_short_forms_are_equal_where_the_ids_are(one: str, other: str) -> None:
    assert (short(one) == short(other)) is (one == other)


@given(st.uuids())
def test_a_uuid_takes_sixteen_bytes(uuid: UUID) -> None:
    assert short(str(uuid)) == uuid.bytes


@pytest.mark.parametrize(
    "text",
    [
        "", "sitting-1", UUID_TEXT.upper(), UUID_TEXT.replace("-", ""), f"{{{UUID_TEXT}}}", UUID_TEXT[:-1],
        f"{UUID_TEXT}0", UUID_TEXT.replace("ac96-", "ac9-6"),
    ],
)  # fmt: skip
def test_any_other_text_stays_as_it_is(text: str) -> None:
    assert short(text) == text


@pytest.mark.parametrize(("text", "kept_bytes"), [("x" * 15, 15), ("x" * 16, 16), ("x" * 17, 12), ("é" * 9, 12)])
def test_of_many_ids_a_long_one_is_kept_as_a_digest(text: str, kept_bytes: int) -> None:
    kept = digest(text)
    assert len(kept if isinstance(kept, bytes) else kept.encode()) == kept_bytes


@given(TEXTS, TEXTS)
def test_digests_are_equal_where_the_ids_are(one: str, other: str) -> None:
    assert (digest(one) == digest(other)) is (one == other)
