"""Messages to webhooks: CloudEvents, signed as Standard Webhooks say."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from streams.operations.webhook import BadSecret, Message, message, read_secret, signed

FLAG = {
    "id": "title:it\u2019s:unstoppable:7:1", "verdict": "unstoppable", "title_id": "it\u2019s", "value": "1",
    "week": "7", "as_of_ms": "5",
}  # fmt: skip
SUM = {
    "id": "franchise:saga:completions:1000", "verdict": "completions", "franchise_id": "saga", "value": "1000",
    "as_of_ms": "5",
}  # fmt: skip


def test_a_title_that_became_unstoppable_is_a_cloud_event() -> None:
    assert json.loads(message(FLAG, 1_795_403_272_895, "It\u2019s!", "encore:").body) == {
        "specversion": "1.0",
        "id": "title:it\u2019s:unstoppable:7:1",
        "source": "urn:encore:encore",
        "type": "encore.title.unstoppable",
        "subject": "it\u2019s",
        "time": "2026-11-23T03:07:52.895Z",
        "datacontenttype": "application/json",
        "data": {"title_id": "it\u2019s", "name": "It\u2019s!", "unstoppable": True, "week": 7, "as_of_ms": 5},
    }


def test_one_that_no_longer_is_and_a_franchise_say_so_in_their_data() -> None:
    of_title, of_franchise = (
        json.loads(message(verdict, 0, "", "encore:").body) for verdict in (FLAG | {"value": "0"}, SUM)
    )
    assert (of_title["data"]["unstoppable"], of_title["data"]["name"]) == (False, None)
    assert of_franchise["data"] == {"franchise_id": "saga", "completions": 1000, "as_of_ms": 5}
    assert of_franchise["type"] == "encore.franchise.completions"


def test_its_id_is_fit_for_a_header_and_that_of_the_verdict_under_the_prefix() -> None:
    ids = [message(verdict, at, name, prefix).id for verdict, at, name, prefix in (
        (FLAG, 1, "", "encore:"), (FLAG, 2, "x", "encore:"), (FLAG, 1, "", "other:"), (SUM, 1, "", "encore:"),
    )]  # fmt: skip
    assert ids[0] == ids[1]
    assert len(set(ids)) == 3
    assert all(each.isascii() and "." not in each for each in ids)


def test_the_signature_is_that_of_the_specification_s_example() -> None:
    key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    told = Message("msg_p5jXN8AQM9LWM0D4loKWxJek", b'{"test": 2432232314}')
    assert signed(told, key, 1_614_265_330)["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize(("size", "good"), [(23, False), (24, True), (64, True), (65, False)])
def test_a_secret_has_24_to_64_bytes(tmp_path: Path, size: int, good: bool) -> None:
    file = tmp_path / "secret"
    file.write_text("whsec_" + base64.b64encode(b"k" * size).decode() + "\n")
    if good:
        assert read_secret(str(file)) == b"k" * size
    else:
        with pytest.raises(BadSecret, match="24 to 64"):
            read_secret(str(file))


@pytest.mark.parametrize("text", ["", "no secret", "whsec_ü"])
def test_what_is_no_secret_is_refused_and_not_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "secret").write_text(text)
    with pytest.raises(BadSecret, match="must be a file") as refused:
        read_secret(str(tmp_path / "secret"))
    assert not text or text not in str(refused.value)
    with pytest.raises(BadSecret, match="cannot be read"):
        read_secret(str(tmp_path / "other"))
