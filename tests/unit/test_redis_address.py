"""Addresses of Redis: which text is which, and what is told of them."""

from __future__ import annotations

import pytest

from streams.redis_address import BadAddress, RedisAddress, hash_tag, read_address, without_password
from streams.settings import BadSetting, load


def _told(address: RedisAddress) -> tuple[object, ...]:
    return address.kind, address.nodes, address.service, address.db, address.tls, address.username, address.password


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("redis://a:7/3", ("single", (("a", 7),), "", 3, False, "", "")),
        ("rediss://u:p%2F@a", ("single", (("a", 6379),), "", 0, True, "u", "p/")),
        ("unix:///run/redis.sock", ("single", (), "", 0, False, "", "")),
        ("redis+sentinel://a:1,b/main", ("sentinel", (("a", 1), ("b", 26379)), "main", 0, False, "", "")),
        ("redis+sentinel://:p@a:1/main/2", ("sentinel", (("a", 1),), "main", 2, False, "", "p")),
        ("rediss+sentinel://u:p%40@a/m%20n/", ("sentinel", (("a", 26379),), "m n", 0, True, "u", "p@")),
        ("redis+cluster://a:1,[::1]:2,c", ("cluster", (("a", 1), ("::1", 2), ("c", 6379)), "", 0, False, "", "")),
        ("rediss+cluster://u:p@a/0?ssl_ca_certs=/x", ("cluster", (("a", 6379),), "", 0, True, "u", "p")),
    ],
)
def test_an_address_says_where_redis_is_and_who_logs_in(url: str, told: tuple[object, ...]) -> None:
    assert _told(read_address(url)) == told


@pytest.mark.parametrize(
    "url",
    [
        "",
        "a:1",
        "http://a",
        "redis://a:port",
        "redis+sentinel://a:1",
        "redis+sentinel://a:1/",
        "redis+sentinel://a:1/main/x",
        "redis+sentinel:///main",
        "redis+sentinel://a:1,/main",
        "redis+sentinel://a:0/main",
        "redis+cluster://a:65536",
        "redis+cluster://a/1",
        "redis+cluster://",
        "redis+other://a",
    ],
)
def test_what_is_no_address_is_refused_and_told_what_is_accepted(url: str) -> None:
    with pytest.raises(BadAddress, match=r"^accepted: "):
        read_address(url)


@pytest.mark.parametrize(
    ("prefix", "tag"),
    [("{encore}:", "encore"), ("a{b}{c}", "b"), ("encore:", ""), ("a}b{", ""), ("{}a{b}", ""), ("{a", "")],
)
def test_a_hash_tag_is_what_a_cluster_takes_for_one(prefix: str, tag: str) -> None:
    assert hash_tag(prefix) == tag


@pytest.mark.parametrize(
    "url",
    [
        "redis://user:secret@a/0",
        "redis+sentinel://user:secret@a,b/main?sentinel_password=secret&ssl_ca_certs=/x",
        "redis://a/0?password=secret",
    ],
)
def test_no_password_is_told(url: str) -> None:
    assert "secret" not in without_password(url)
    assert "secret" not in repr(read_address(url))
    assert without_password(url).endswith(("@a/0", "ssl_ca_certs=/x", "password=***"))


def test_on_a_cluster_a_prefix_without_a_hash_tag_is_refused() -> None:
    with pytest.raises(BadSetting, match=r"ENCORE_REDIS_PREFIX='encore:': accepted on a Redis Cluster: .*\{encore\}:"):
        load(redis="redis+cluster://a:1", redis_prefix="encore:")
    assert load(redis="redis+cluster://a:1", redis_prefix="{encore}:").redis_prefix == "{encore}:"
