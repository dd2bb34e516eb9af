"""Who may be spoken to without TLS: this machine, and whoever the setting names."""

from __future__ import annotations

import re

import pytest

from streams.config.plaintext import first_refused, read_allowed
from streams.config.settings import BadSetting, load


@pytest.mark.parametrize(
    ("host", "refused"),
    [
        ("127.0.0.1", ""),
        ("127.255.0.9", ""),
        ("::1", ""),
        ("localhost", ""),
        ("LocalHost", ""),
        ("128.0.0.1", "128.0.0.1:7"),
        ("0.0.0.0", "0.0.0.0:7"),
        ("10.0.0.1", "10.0.0.1:7"),
        ("::2", "[::2]:7"),
        ("localhost.example", "localhost.example:7"),
        ("127.0.0.1.example", "127.0.0.1.example:7"),
        ("127.1", "127.1:7"),
    ],
)
def test_only_this_machine_may_be_spoken_to_without_tls(host: str, refused: str) -> None:
    assert first_refused([(host, 7)], frozenset()) == refused


@pytest.mark.parametrize(
    ("allowed", "refused"),
    [
        ("a.example", "b.example:2"),
        ("b.example:2", "a.example:1"),
        ("a.example:2", "a.example:1"),
        ("a.example, b.example:2", ""),
        ("example", "a.example:1"),
    ],
)
def test_what_a_name_allows_is_that_host_or_that_port_of_it(allowed: str, refused: str) -> None:
    assert first_refused([("a.example", 1), ("b.example", 2)], read_allowed(allowed)) == refused


def test_an_address_of_version_six_is_named_in_brackets() -> None:
    assert first_refused([("fd00::1", 6379)], read_allowed("[fd00::1]")) == ""
    assert first_refused([("fd00::1", 6379)], read_allowed("[fd00::1]:6379")) == ""


@pytest.mark.parametrize("text", ["*", "*.example", "a.example/8", "a:b", "a b", "a,,b", "user@a", "fd00::1"])
def test_a_pattern_is_no_name(text: str) -> None:
    with pytest.raises(BadSetting, match=r"^ENCORE_ALLOW_PLAINTEXT='.*': accepted: HOST or HOST:PORT, .* no pattern"):
        load(allow_plaintext=text)


@pytest.mark.parametrize(
    ("setting", "address", "named"),
    [
        ("kafka", "127.0.0.1:9092,kafka.example:9092", "kafka.example:9092"),
        ("redis", "redis://redis.example/0", "redis.example:6379"),
        ("redis", "redis+sentinel://127.0.0.1,sentinel.example/main", "sentinel.example:26379"),
        ("redis", "redis+cluster://node.example:7000", "node.example:7000"),
    ],
)
def test_plaintext_to_another_machine_is_refused_unless_it_is_named(setting: str, address: str, named: str) -> None:
    own: dict[str, str] = {setting: address, "redis_prefix": "{encore}:"}
    with pytest.raises(BadSetting) as refused:
        load(**own)
    assert str(refused.value).startswith(
        f"ENCORE_{setting.upper()}='{address}': without TLS, others on the way to {named}"
    )
    assert "name the host in ENCORE_ALLOW_PLAINTEXT" in str(refused.value)
    assert "\n" not in str(refused.value)
    for name in (named, named.rpartition(":")[0]):
        assert getattr(load(**own, allow_plaintext=name), setting) == address


def test_a_password_in_a_refused_address_is_not_told() -> None:
    with pytest.raises(BadSetting) as refused:
        load(redis="redis://worker:open-sesame@redis.example")
    assert "sesame" not in str(refused.value)


@pytest.mark.parametrize(
    "address", ["rediss://redis.example", "unix:///run/redis.sock", "rediss+sentinel://a.example/main"]
)
def test_with_tls_or_without_a_network_nothing_needs_a_name(address: str) -> None:
    assert load(redis=address).redis == address


@pytest.mark.parametrize(
    ("url", "refused"),
    [
        ("https://hooks.example/x", ""),
        ("http://127.0.0.1:8080/x", ""),
        ("http://named.example/x", ""),
        ("http://hooks.example/x", "hooks.example:80"),
        ("ftp://hooks.example", "https://HOST/…"),
        ("hooks.example", "https://HOST/…"),
        ("https://", "https://HOST/…"),
        ("https://hooks.example:port", "https://HOST/…"),
    ],
)
def test_verdicts_are_sent_by_tls_or_to_whom_the_setting_names(url: str, refused: str) -> None:
    if refused:
        with pytest.raises(BadSetting, match=f"^ENCORE_WEBHOOK=.*{re.escape(refused)}"):
            load(webhook=url, allow_plaintext="named.example")
    else:
        assert load(webhook=url, allow_plaintext="named.example").webhook == url
