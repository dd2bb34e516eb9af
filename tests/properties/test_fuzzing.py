"""Whatever bytes come from outside, only the one named error leaves a decoder, and what it read keeps its promises.

What must hold is said in `decoding`; `tests/fuzz/decoders.py` puts the same targets under coverage-guided fuzzing.
What was found, and what lies at an edge that chance seldom meets, is kept in `KEPT`.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from decoding import COLUMNS, HOUSEHOLD, TARGETS, Target, export_file
from hypothesis import given, settings
from hypothesis import strategies as st

from models.events import BadEvent, nesting
from models.reading import read_event
from models.rules import DEEPEST_NESTING, LARGEST_EVENT_BYTES
from models.sources.schemas import schemas

TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[\w.+-]+|.', re.DOTALL)
HOSTILE = (
    b"\x00", b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xef\xbb\xbf", b"\xff\xfe", b'"\\ud800"',
    b'"\\u0000"', b"\r", b"\n", b"\r\n", b"\xe2\x80\xa8", b"\x0b", b"null", b"true", b"5", b"5.0", b"-0", b'"5"', b"[]",
    b"{}", b"NaN", b"1e999", b"-1e-999", b"9" * 25, b"9" * 400, b"9" * 5_000, b"0." + b"1" * 400,
    b"9223372036854775808", b"[" * DEEPEST_NESTING, b'{"x":' * (DEEPEST_NESTING + 1), b"[" * 5_000 + b"]" * 5_000,
    b'"' * 7, b'"' + b'\\"' * 300,
)  # fmt: skip

Damage = Callable[[st.DrawFn, bytes, Target], bytes]


def _place(draw: st.DrawFn, content: bytes) -> int:
    return draw(st.integers(0, len(content)))


def flip_bits(draw: st.DrawFn, content: bytes, target: Target) -> bytes:
    place = _place(draw, content)
    return (
        content[:place]
        + bytes(byte ^ draw(st.integers(1, 255)) for byte in content[place : place + 1])
        + content[place + 1 :]
    )


def cut_off(draw: st.DrawFn, content: bytes, target: Target) -> bytes:
    return content[: _place(draw, content)]


def leave_out(draw: st.DrawFn, content: bytes, target: Target) -> bytes:
    place = _place(draw, content)
    return content[:place] + content[place + draw(st.integers(1, 40)) :]


def repeat(draw: st.DrawFn, content: bytes, target: Target) -> bytes:
    first, second = sorted((_place(draw, content), _place(draw, content)))
    return content[:second] + content[first:second] * draw(st.integers(1, 3)) + content[second:]


def put_in(draw: st.DrawFn, content: bytes, target: Target) -> bytes:
    place = _place(draw, content)
    return content[:place] + draw(st.sampled_from((*HOSTILE, *target.words))) + content[place:]


def swap_types(draw: st.DrawFn, content: bytes, target: Target) -> bytes:
    tokens = TOKEN.findall(content) or [b""]
    tokens[draw(st.integers(0, len(tokens) - 1))] = draw(st.sampled_from((*HOSTILE, *target.words)))
    return b"".join(tokens)


def end_lines_otherwise(draw: st.DrawFn, content: bytes, target: Target) -> bytes:
    lines = content.splitlines()
    return b"".join(line + draw(st.sampled_from((b"\n", b"\r\n", b"\r", b"\n\n", b""))) for line in lines)


DAMAGES: tuple[Damage, ...] = (flip_bits, cut_off, leave_out, repeat, put_in, swap_types, end_lines_otherwise)


@st.composite
def damaged(draw: st.DrawFn, target: Target) -> bytes:
    """A valid input of a target after one to four damages."""
    content = draw(st.sampled_from(target.seeds))
    for damage in draw(st.lists(st.sampled_from(DAMAGES), min_size=1, max_size=4)):
        content = damage(draw, content, target)
    return content


def _rows(*traces: str) -> bytes:
    return export_file(*(("Mia", "A", "TV", "2020-03-14 18:00:00", "US", text) for text in traces))


DEEP = b"[" * DEEPEST_NESTING + b"]" * DEEPEST_NESTING

KEPT = {
    "title": [
        # A number beyond a double in a field that is not ours: the stored row could not be read back.
        b'{"title_id": "film", "x": 1e999}',
        b'{"title_id": "film", "x": [-1e999], "runtime_ms": 60000}',
        b'{"title_id": "film", "x": ' + DEEP + b"}",
    ],
    "titles-file": [
        # Numbers that are written longer than they were read: the row was over the size when it was sent.
        b'{"title_id": "film", "x": [' + b",".join([b"1E9"] * 16_000) + b"]}",
        b'{"title_id": "film", "x": ' + DEEP + b"}",
    ],
    "netflix-export": [
        # A description so long that no event holds it, or that no title's row holds it twice.
        export_file(("Mia", "A" * 70_000, "TV", "2020-03-14 18:00:00", "US", "[]"), end="\n"),
        _rows('[{"eventType": "start", "sessionOffsetMs": 0, "mediaOffsetMs": 60000}]').replace(b'"A"', b"A" * 33_000),
        _rows('[{"eventType": "start", "sessionOffsetMs": -1, "mediaOffsetMs": 0}]').replace(
            b"2020-03-14 18", b"1970-01-01 00"
        ),
    ],
}


@pytest.mark.parametrize("name", TARGETS)
def test_valid_inputs_are_read(name: str) -> None:
    read = [TARGETS[name].read(seed) for seed in TARGETS[name].seeds]
    assert sum(read) >= 3, f"{name}: fuzzing begins with these, and needs three that can be read"


@pytest.mark.parametrize(("name", "content"), [(name, content) for name, found in KEPT.items() for content in found])
def test_inputs_that_are_kept_are_read_or_refused_by_name(name: str, content: bytes) -> None:
    TARGETS[name].read(content)


@pytest.mark.parametrize("name", TARGETS)
@settings(max_examples=400)
@given(data=st.data())
def test_damaged_inputs_are_read_or_refused_by_name(name: str, data: st.DataObject) -> None:
    TARGETS[name].read(data.draw(damaged(TARGETS[name])))


@pytest.mark.parametrize("name", TARGETS)
@settings(max_examples=100)
@given(content=st.binary(max_size=400) | st.text(max_size=400).map(str.encode))
def test_any_bytes_are_read_or_refused_by_name(name: str, content: bytes) -> None:
    TARGETS[name].read(content)


@settings(max_examples=100)
@given(st.lists(st.binary(max_size=200) | st.sampled_from(HOSTILE), max_size=8), st.sampled_from((b"\n", b"\r\n")))
def test_any_lines_below_a_good_header_are_rows_or_reported(lines: list[bytes], end: bytes) -> None:
    TARGETS["netflix-export"].read(end.join((",".join(COLUMNS).encode(), *lines)))


@settings(max_examples=100)
@given(st.sampled_from(("eventType", "sessionOffsetMs", "mediaOffsetMs", "else")), st.sampled_from(HOSTILE))
def test_any_value_in_the_json_inside_a_row_is_read_or_reported(name: str, value: bytes) -> None:
    member = f'{{"{name}": {value.decode(errors="surrogateescape")}, "other": 1}}'
    everything = _rows("[]").decode().replace('"[]"', '"[' + member.replace('"', '""') + ']"')
    TARGETS["netflix-export"].read(everything.encode(errors="surrogateescape"))


ODD_VALUES = (
    "null", "true", "[]", "{}", '""', '"x"', '"\\u0000"', "-1", "-0.0", "1e-320", "1e308", "-1e308", '"1e308"', '"nan"',
    '"inf"', "9" * 400, "-" + "9" * 400, "9" * 5_000, '"' + "9" * 400 + '"', "9223372036854775807", "253402300800000",
    '"0001-01-01T00:00:00+23:59"', '"9999-12-31T23:59:59-23:59"', '"PT99999999H"', '{"seconds": 9223372036854775807}',
)  # fmt: skip


def _places(value: object, place: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Every place in a JSON value; of a list, the first."""
    yield place
    inner = value.items() if isinstance(value, dict) else enumerate(value[:1]) if isinstance(value, list) else ()
    for name, part in inner:
        yield from _places(part, (*place, name))


def _with(value: Any, place: tuple[str | int, ...], part: str) -> Any:
    if not place:
        return part
    changed = list(value) if isinstance(value, list) else dict(value)
    changed[place[0]] = _with(value[place[0]], place[1:], part)
    return changed


@pytest.mark.parametrize("name", schemas())
def test_any_value_at_any_place_of_a_message_is_read_or_refused_by_name(name: str) -> None:
    seen = set()
    for stream in TARGETS[name].seeds:
        lines = [line for line in stream.split(b"\n") if line.startswith(b"{") and line.endswith(b"}")]
        for line in (*lines[:4], *lines[-1:]):
            message = json.loads(line)
            for place in set(_places(message)) - seen:
                seen.add(place)
                for odd in ODD_VALUES:
                    odd_line = json.dumps(_with(message, place, "ODD")).replace('"ODD"', odd).encode()
                    TARGETS[name].read(b"\n".join((lines[0], odd_line, lines[-1])))


@pytest.mark.parametrize("end", [b"", b"\\", b'"', b'"]'])
def test_a_text_without_end_costs_no_more_than_others(end: bytes) -> None:
    # It was compared from every quote in it anew: 11 seconds for one record.
    quotes = (LARGEST_EVENT_BYTES - DEEPEST_NESTING - 10) // 2
    value = b"[" * (DEEPEST_NESTING + 1) + b'"' + b'\\"' * quotes + end
    began_s = time.process_time()
    with pytest.raises(BadEvent, match="nests deeper"):
        read_event(HOUSEHOLD.encode(), value)
    assert time.process_time() - began_s < 1


def depth_letter_by_letter(text: bytes) -> int:
    """How deep a JSON text nests; a backslash outside of strings is a letter as others are."""
    levels, depth, quoted, escaped = [], 0, False, False
    for letter in text:
        if quoted:
            quoted = escaped or letter != ord('"')
            escaped = not escaped and letter == ord("\\")
        elif letter == ord('"'):
            quoted = True
        elif letter in b"[{]}":
            depth += 1 if letter in b"[{" else -1
            levels.append(depth)
    return max(levels, default=0)


@settings(max_examples=500)
@given(
    st.sampled_from((b"[" * 501, b"{}" * 501, b"[[]" * 400, b"]" * 9 + b"[" * 509, b'"' + b"[" * 501)),
    st.lists(st.sampled_from([bytes([letter]) for letter in b'[[{{]}""\\\\ax\n']), max_size=60).map(b"".join)
    | st.binary(max_size=60)
    | st.recursive(st.text(max_size=5) | st.just(0), st.lists, max_leaves=20).map(json.dumps).map(str.encode),
)
def test_nesting_is_what_a_reading_letter_by_letter_finds(begun: bytes, text: bytes) -> None:
    assert nesting(begun + text) == depth_letter_by_letter(begun + text)


@pytest.mark.parametrize("item", [b"[", b"[]", b"[],", b'"",', b'"\\\\",', b'"', b"]", b"{ "])
def test_the_nesting_of_64_kib_of_anything_costs_milliseconds(item: bytes) -> None:
    value = b"[" * (DEEPEST_NESTING + 1) + item * (60_000 // len(item))
    began_s = time.process_time()
    for _ in range(10):
        assert nesting(value) > DEEPEST_NESTING
    assert time.process_time() - began_s < 1
