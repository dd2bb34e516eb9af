"""Clients of a Redis that speaks TLS: they trust whom the settings say, whatever kind of client it is."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from certificates import Certificates
from proxy import HOST, Proxy
from redis import RedisError

from streams.config.settings import load
from streams.redis.clients import async_client, sync_client


@pytest.fixture
def ours(tmp_path: Path) -> Certificates:
    return Certificates(tmp_path / "ours")


@pytest.fixture
def port(ours: Certificates) -> Iterator[int]:
    """Where somebody speaks TLS and then hangs up."""
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(*ours.issue("redis", HOST))
    with Proxy((HOST, 1), tls=tls) as front:
        yield front.port


def asked(url: str) -> str:
    """What a client says that asks there."""
    client = sync_client(url, socket_timeout=5)
    try:
        with pytest.raises(RedisError) as told:
            client.ping()
        return str(told.value)
    finally:
        client.close()


def asked_by_asyncio(url: str) -> str:
    async def ask() -> str:
        client = async_client(url, socket_timeout=5)
        try:
            with pytest.raises(RedisError) as told:
                await client.ping()
            return str(told.value)
        finally:
            await client.aclose()

    return asyncio.run(ask())


@pytest.mark.parametrize("ask", [asked, asked_by_asyncio])
def test_a_server_is_trusted_by_the_ca_that_the_settings_name_and_no_other(
    tmp_path: Path, ours: Certificates, port: int, ask: Callable[[str], str]
) -> None:
    strangers = Certificates(tmp_path / "strangers")
    of_strangers, of_ours = (
        ask(load(redis=f"rediss://{HOST}:{port}", redis_ca_file=str(each.ca_file)).redis_url)
        for each in (strangers, ours)
    )
    assert "CERTIFICATE_VERIFY_FAILED" in of_strangers
    assert "CERTIFICATE_VERIFY_FAILED" not in of_ours


@pytest.mark.parametrize("ask", [asked, asked_by_asyncio])
def test_a_certificate_is_of_the_host_that_was_asked(ours: Certificates, port: int, ask: Callable[[str], str]) -> None:
    url = load(redis=f"rediss://localhost:{port}", redis_ca_file=str(ours.ca_file)).redis_url
    assert "CERTIFICATE_VERIFY_FAILED" in ask(url)
