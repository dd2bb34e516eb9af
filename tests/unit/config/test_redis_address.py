"""Addresses of Redis: which text is which, and what is told of them."""

from __future__ import annotations

import pytest

from streams.config.credentials import Credentials
from streams.config.redis_address import BadAddress, RedisAddress, hash_tag, read_address, with_login, without_password
from streams.config.settings import BadSetting, load
from streams.redis.clients import _options


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
        "redis:///0?host=elsewhere.example",
        "redis://127.0.0.1?port=1",
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
    with pytest.raises(BadSetting, match=r"ENCORE_REDIS_PREFIX='encore:': on a Redis Cluster .*\{encore\}:"):
        load(redis="redis+cluster://127.0.0.1:1", redis_prefix="encore:")
    assert load(redis="redis+cluster://127.0.0.1:1", redis_prefix="{encore}:").redis_prefix == "{encore}:"


@pytest.mark.parametrize(
    "url",
    [
        "rediss://a:7/3",
        "rediss://a:7/3?health_check_interval=9",
        "rediss+sentinel://a:1,b/main",
        "rediss+cluster://a:1,[::1]:2",
    ],
)
def test_a_login_and_its_files_become_part_of_any_url_whatever_they_are_written_with(url: str) -> None:
    shown = Credentials("/c a/%2F&ca.pem", "/cert.pem", "/key.pem", "wor/ker:@", "p@ss:/?#&%41+ ")
    at_sentinels = Credentials(user="s%41", password="s?&#+ %2F") if "sentinel" in url else Credentials()
    address = read_address(with_login(url, shown, at_sentinels))
    own, of_sentinels = _options(address, {})
    files = {"ssl_ca_certs": shown.ca_file, "ssl_certfile": shown.cert_file, "ssl_keyfile": shown.key_file}
    assert (address.nodes, address.service, address.db) == _where(read_address(url))
    assert own.items() >= (files | {"username": shown.user, "password": shown.password}).items()
    if "sentinel" in url:
        login = {"username": at_sentinels.user, "password": at_sentinels.password}
        assert of_sentinels.items() >= (files | login).items()
    assert without_password(address.url).count("***") >= 1
    assert "p@ss" not in without_password(address.url)


def _where(address: RedisAddress) -> tuple[object, ...]:
    return address.nodes, address.service, address.db


@pytest.mark.parametrize("url", ["redis://a:7/3", "unix:///x.sock", "redis+cluster://a:1?ssl_ca_certs=/x"])
def test_without_credentials_a_url_stays_as_it_is(url: str) -> None:
    assert with_login(url, Credentials(), Credentials()) == url
