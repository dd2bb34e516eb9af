"""Credentials: read from files or the environment, refused in one line where they cannot be used, and never told."""

from __future__ import annotations

from pathlib import Path

import pytest
from certificates import Certificates
from click.testing import CliRunner
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from streams.cli import main
from streams.config.credentials import Credentials
from streams.config.settings import SECRETS, BadSetting, Settings, load
from streams.tools.processes import environment

KAFKA = "kafka.example:9093"
REDIS = "rediss://redis.example"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("certificates"))


def write(file: Path, text: str) -> str:
    file.write_text(text)
    return str(file)


def test_a_password_is_the_whole_file_but_for_its_line_end(tmp_path: Path) -> None:
    file = write(tmp_path / "password", " se same \r\n")
    found = load(kafka=KAFKA, kafka_user="worker", kafka_password_file=file).kafka_address.credentials
    assert found == Credentials(user="worker", password=" se same ")


def test_a_password_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENCORE_KAFKA_PASSWORD", "open-sesame")
    found = load(kafka=KAFKA, kafka_user="worker").kafka_address.credentials
    assert found == Credentials(user="worker", password="open-sesame")


def test_files_of_a_certificate_and_its_key_and_a_ca_are_taken(certificates: Certificates) -> None:
    own, ca = certificates.issue("worker"), str(certificates.ca_file)
    found = load(
        kafka=KAFKA, kafka_ca_file=ca, kafka_cert_file=str(own.certificate), kafka_key_file=str(own.key)
    ).kafka_address
    assert found.credentials == Credentials(ca, str(own.certificate), str(own.key))
    assert found.protocol == "SSL"


@pytest.mark.parametrize("server", ["kafka", "redis"])
@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            {"user": "worker"},
            "PASSWORD_FILE='': must not be empty, because ENCORE_{0}_USER is set; or set ENCORE_{0}_PASSWORD",
        ),
        ({"password": "sesame"}, "USER='': must not be empty, because ENCORE_{0}_PASSWORD is set"),
        ({"cert_file": "x"}, "KEY_FILE='': must not be empty, because ENCORE_{0}_CERT_FILE is set"),
        ({"key_file": "x"}, "CERT_FILE='': must not be empty, because ENCORE_{0}_KEY_FILE is set"),
        (
            {"user": "worker", "password": "sesame", "password_file": "x"},
            "PASSWORD_FILE='x': ENCORE_{0}_PASSWORD is set, too; set only one of them",
        ),
        (
            {"user": "worker", "password_file": "/nowhere/x"},
            "PASSWORD_FILE='/nowhere/x': cannot be read: No such file or directory",
        ),
        (
            {"user": "worker", "password_file": "/dev/null"},
            "PASSWORD_FILE='/dev/null': is empty; it must hold the password",
        ),
        ({"ca_file": "/nowhere/x"}, "CA_FILE='/nowhere/x': cannot be read: No such file or directory"),
        ({"ca_file": __file__}, f"CA_FILE='{__file__}': must be a file of certificates in PEM format"),
        (
            {"cert_file": __file__, "key_file": __file__},
            f"CERT_FILE='{__file__}': must be a file of certificates in PEM format, and ENCORE_{{0}}_KEY_FILE the"
            " unencrypted key",
        ),
    ],
)
def test_what_cannot_be_used_is_refused_in_one_line(server: str, given: dict[str, str], said: str) -> None:
    addresses = {server: {"kafka": KAFKA, "redis": REDIS}[server]}
    with pytest.raises(BadSetting) as refused:
        load(**addresses, **{f"{server}_{part}": value for part, value in given.items()})
    assert str(refused.value).startswith(f"ENCORE_{server.upper()}_{said.format(server.upper())}")
    assert "\n" not in str(refused.value)
    assert "sesame" not in str(refused.value)


def test_a_key_of_another_certificate_is_refused(certificates: Certificates) -> None:
    one, other = certificates.issue("one"), certificates.issue("other")
    with pytest.raises(
        BadSetting, match=r"^ENCORE_REDIS_CERT_FILE='.*one\.pem': must be .*REDIS_KEY_FILE the unencrypted key"
    ):
        load(redis=REDIS, redis_cert_file=str(one.certificate), redis_key_file=str(other.key))


def test_a_key_that_is_encrypted_is_refused_and_nobody_is_asked_for_its_password(
    certificates: Certificates, tmp_path: Path
) -> None:
    own = certificates.issue("encrypted")
    key = load_pem_private_key(own.key.read_bytes(), None)
    encrypted = tmp_path / "encrypted.key"
    encrypted.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"sesame")))
    with pytest.raises(BadSetting, match=r"^ENCORE_KAFKA_CERT_FILE=.*KAFKA_KEY_FILE the unencrypted key"):
        load(kafka=KAFKA, kafka_cert_file=str(own.certificate), kafka_key_file=str(encrypted))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            {"kafka_user": "a", "kafka_password": "b"},
            "ENCORE_KAFKA='': must not be empty, because ENCORE_KAFKA_USER is set",
        ),
        (
            {"redis_user": "a", "redis_password": "b"},
            "ENCORE_REDIS='': must not be empty, because ENCORE_REDIS_USER is set",
        ),
        (
            {"redis": "redis://u:p@127.0.0.1", "redis_user": "a", "redis_password": "b"},
            "ENCORE_REDIS='redis://***@127.0.0.1': must not hold a login, because ENCORE_REDIS_USER is set",
        ),
        (
            {"redis": REDIS, "redis_sentinel_user": "a", "redis_sentinel_password": "b"},
            f"ENCORE_REDIS='{REDIS}': must name Sentinels (redis+sentinel://…), because ENCORE_REDIS_SENTINEL_USER",
        ),
    ],
)
def test_credentials_that_nobody_would_be_shown_are_refused(given: dict[str, str], said: str) -> None:
    with pytest.raises(BadSetting) as refused:
        load(**given)
    assert str(refused.value).startswith(said)


def test_files_of_tls_for_a_redis_that_is_spoken_to_without_are_refused(certificates: Certificates) -> None:
    with pytest.raises(
        BadSetting,
        match=r"^ENCORE_REDIS='redis://127\.0\.0\.1': must use TLS \(rediss://…\), because ENCORE_REDIS_CA_FILE",
    ):
        load(redis="redis://127.0.0.1", redis_ca_file=str(certificates.ca_file))


# -- never told ---------------------------------------------------------------------------------------------------


def test_no_command_has_an_option_for_a_secret() -> None:
    assert SECRETS == ("kafka_password", "redis_password", "redis_sentinel_password", "schema_registry_password")
    for command in ("worker", "verify", "top", "config"):
        ended = CliRunner().invoke(main, [command, *(["show"] if command == "config" else []), "--help"])
        for secret in SECRETS:
            assert f"--{secret.replace('_', '-')} " not in ended.output


def test_an_address_with_a_password_in_it_is_refused_as_an_option() -> None:
    ended = CliRunner().invoke(main, ["worker", "--redis", "redis://worker:open-sesame@127.0.0.1"])
    assert ended.exit_code == 2
    assert ended.output.startswith("Error: --redis must not hold a password, because other users can see a command's")
    assert "sesame" not in ended.output


def test_neither_settings_nor_addresses_show_a_secret() -> None:
    settings = Settings(
        kafka=KAFKA, kafka_user="worker", kafka_password="sesame-1",
        redis="rediss+sentinel://s.example/main", redis_user="worker", redis_password="sesame-2",
        redis_sentinel_user="worker", redis_sentinel_password="sesame-3",
    )  # fmt: skip
    assert "sesame" not in f"{settings!r} {settings.model_dump()} {settings.kafka_address!r} {settings.kafka_address}"
    assert settings.kafka_address.credentials.password == "sesame-1"


def test_a_child_process_gets_the_secrets_themselves() -> None:
    settings = Settings(kafka=KAFKA, kafka_user="worker", kafka_password="sesame-1")
    assert environment(settings)["ENCORE_KAFKA_PASSWORD"] == "sesame-1"
