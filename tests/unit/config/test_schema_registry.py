"""The schema registry's settings: an address without a login in it, TLS but on this machine, secrets from files."""

from __future__ import annotations

from pathlib import Path

import pytest

from streams.config.schema_registry import RegistryAddress
from streams.config.settings import BadSetting, load


@pytest.mark.parametrize(
    "url", ["http://localhost:8081", "https://registry", "https://a:8081/apis/ccompat/v7,https://b:8081"]
)
def test_an_address_is_a_url_or_several(url: str) -> None:
    assert load(schema_registry=url).registry_address == RegistryAddress(url)


@pytest.mark.parametrize(
    ("given", "accepted"),
    [
        ({"schema_registry": "localhost:8081"}, "accepted: https://HOST[:PORT][/PATH], or several"),
        ({"schema_registry": "https://"}, "accepted: https://HOST[:PORT][/PATH], or several"),
        ({"schema_registry": "https://a,"}, "accepted: https://HOST[:PORT][/PATH], or several"),
        ({"schema_registry": "https://a?x=1"}, "accepted: https://HOST[:PORT][/PATH], or several"),
        ({"schema_registry": "https://a:70000"}, "out of range"),
        ({"schema_registry": "http://registry:8081"}, "without TLS, others on the way to registry:8081"),
        ({"schema_registry": "https://a,http://registry"}, "without TLS, others on the way to registry:80"),
        (
            {"schema_registry_user": "a", "schema_registry_password": "b"},
            "must not be empty, because ENCORE_SCHEMA_REGISTRY_USER is set",
        ),
        (
            {"schema_registry": "https://a", "schema_registry_user": "a"},
            "must not be empty, because ENCORE_SCHEMA_REGISTRY_USER is set",
        ),
        (
            {"source_format": "avro"},
            "ENCORE_SCHEMA_REGISTRY='': must not be empty, because ENCORE_SOURCE_FORMAT is avro",
        ),
        ({"source_format": "xml"}, "json|avro|protobuf"),
    ],
)
def test_what_cannot_be_used_says_what_is_accepted(given: dict[str, str], accepted: str) -> None:
    with pytest.raises(BadSetting) as refused:
        load(**given)
    assert accepted in str(refused.value)


def test_a_login_in_the_address_is_refused_and_not_told() -> None:
    with pytest.raises(BadSetting, match="no login in it") as refused:
        load(schema_registry="https://me:sesame@registry")
    assert "sesame" not in str(refused.value)


def test_a_host_that_may_be_reached_without_tls_is_named() -> None:
    found = load(schema_registry="http://registry:8081", allow_plaintext="registry:8081")
    assert found.schema_registry == "http://registry:8081"


def test_the_client_gets_the_login_and_tries_once(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("sesame\n")
    settings = load(
        schema_registry="https://registry", schema_registry_user="worker", schema_registry_password_file=str(file)
    )
    options = settings.registry_address.for_client()
    options.pop("ssl.ca.location", None)
    assert options == {
        "url": "https://registry",
        "timeout": 5.0,
        "max.retries": 0,
        "basic.auth.user.info": "worker:sesame",
    }
    assert "sesame" not in repr(settings.registry_address)
