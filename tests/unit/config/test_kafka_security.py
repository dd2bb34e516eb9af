"""How each of the three Kafka clients is told to get in."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
from certificates import Certificates
from confluent_kafka import Producer
from kafka.admin import KafkaAdminClient
from proxy import HOST, Proxy

from streams.config.credentials import Credentials
from streams.config.kafka_security import KafkaAddress, refusal, with_refusal

SERVERS = "a.example:1,b.example:2"


@pytest.fixture
def files(tmp_path: Path) -> Credentials:
    certificates = Certificates(tmp_path)
    own = certificates.issue("worker")
    return Credentials(str(certificates.ca_file), str(own.certificate), str(own.key))


def test_without_credentials_nothing_is_said_but_where_kafka_is() -> None:
    kafka = KafkaAddress(SERVERS)
    assert kafka.for_librdkafka() == {"bootstrap.servers": SERVERS}
    assert kafka.for_python() == {"bootstrap_servers": ["a.example:1", "b.example:2"]}


def test_a_ca_alone_means_tls(files: Credentials) -> None:
    kafka = KafkaAddress(SERVERS, Credentials(files.ca_file))
    assert kafka.for_librdkafka() == {
        "bootstrap.servers": SERVERS,
        "security.protocol": "SSL",
        "ssl.ca.location": files.ca_file,
    }
    assert kafka.for_python()["security_protocol"] == "SSL"


def test_a_user_means_scram_and_never_without_tls() -> None:
    kafka = KafkaAddress(SERVERS, Credentials(user="worker", password="sesame"))
    assert kafka.for_librdkafka() == {
        "bootstrap.servers": SERVERS,
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": "worker",
        "sasl.password": "sesame",
    }
    options = kafka.for_python()
    context = options.pop("ssl_context")
    assert options == {
        "bootstrap_servers": ["a.example:1", "b.example:2"],
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "worker",
        "sasl_plain_password": "sesame",
    }
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)


def test_a_certificate_of_ones_own_goes_along(files: Credentials) -> None:
    assert KafkaAddress(SERVERS, files).for_librdkafka() == {
        "bootstrap.servers": SERVERS,
        "security.protocol": "SSL",
        "ssl.ca.location": files.ca_file,
        "ssl.certificate.location": files.cert_file,
        "ssl.key.location": files.key_file,
    }


def test_the_clients_know_these_options(files: Credentials) -> None:
    kafka = KafkaAddress("127.0.0.1:1", Credentials(files.ca_file, files.cert_file, files.key_file, "u", "p"))
    Producer(kafka.for_librdkafka() | {"log_level": 0})
    assert kafka.for_python().keys() <= KafkaAdminClient.DEFAULT_CONFIG.keys()


@pytest.mark.parametrize("user", ["", "worker"])
def test_why_a_client_is_not_let_in_is_known_where_kafka_has_a_certificate_of_a_ca_that_it_does_not_trust(
    tmp_path: Path, user: str
) -> None:
    ours, strangers = Certificates(tmp_path / "ours"), Certificates(tmp_path / "strangers")
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(*ours.issue("kafka", HOST))
    with Proxy((HOST, 1), tls=tls) as front:
        kafka = KafkaAddress(f"{HOST}:{front.port}", Credentials(str(strangers.ca_file), user=user, password=user))
        assert "certificate verify failed" in refusal(kafka)
        trusting = KafkaAddress(f"{HOST}:{front.port}", Credentials(str(ours.ca_file)))
        assert with_refusal(trusting, "timed out") == "timed out"


def test_as_text_it_is_its_servers() -> None:
    assert f"{KafkaAddress(SERVERS, Credentials(user='u', password='p'))}" == SERVERS
