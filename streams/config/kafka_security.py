"""Where Kafka is, and how clients authenticate: one mapping to the options of all three client libraries.

Owns protocol and mechanism: TLS if any credential is set, SCRAM-SHA-512 if it is a user and a password, and never a
password without TLS.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from streams.config.credentials import Credentials

MECHANISM = "SCRAM-SHA-512"
_TRIES = 10
_ONE_TRY_S = 0.5


@dataclass(frozen=True)
class KafkaAddress:
    """Servers, as HOST:PORT[,HOST:PORT…], and credentials. `str` gives the servers."""

    servers: str
    credentials: Credentials = field(default_factory=Credentials)

    def __str__(self) -> str:
        return self.servers

    @property
    def protocol(self) -> str:
        """Kafka's name of the security protocol."""
        if self.credentials.user:
            return "SASL_SSL"
        return "SSL" if self.credentials.need_tls else "PLAINTEXT"

    @property
    def nodes(self) -> list[tuple[str, int]]:
        """Host and port of each of the servers."""
        return [(host, int(port)) for host, _, port in (at.rpartition(":") for at in self.servers.split(","))]

    def for_librdkafka(self) -> dict[str, Any]:
        """Options of confluent-kafka's clients."""
        shown, options = self.credentials, {"bootstrap.servers": self.servers}
        if self.protocol == "PLAINTEXT":
            return options
        files = {
            "ssl.ca.location": shown.ca_file,
            "ssl.certificate.location": shown.cert_file,
            "ssl.key.location": shown.key_file,
        }
        options |= {"security.protocol": self.protocol} | {name: file for name, file in files.items() if file}
        if shown.user:
            options |= {"sasl.mechanism": MECHANISM, "sasl.username": shown.user, "sasl.password": shown.password}
        return options

    def for_python(self) -> dict[str, Any]:
        """Options of the clients in pure Python: aiokafka and kafka-python share them."""
        shown, options = self.credentials, dict[str, Any](bootstrap_servers=self.servers.split(","))
        if self.protocol == "PLAINTEXT":
            return options
        options |= {"security_protocol": self.protocol, "ssl_context": shown.tls()}
        if shown.user:
            options |= {
                "sasl_mechanism": MECHANISM,
                "sasl_plain_username": shown.user,
                "sasl_plain_password": shown.password,
            }
        return options


class Heard:
    """An `error_cb` for a librdkafka client, which calls it while it is polled. `refusal`: why it was refused."""

    refusal = ""

    def __call__(self, error: Any) -> None:
        # A broker reports a missing certificate after the handshake: as a lost connection, with a reason of TLS.
        if error.name() in ("_AUTHENTICATION", "_SSL") or "SSL routines" in error.str():
            self.refusal = self.refusal or error.str()


def refusal(kafka: KafkaAddress) -> str:
    """Why Kafka, or TLS, refuses this client; empty if it does not, or the reason is unknown. Blocks for seconds.

    Calls of a client only report a timeout; the reason reaches librdkafka's error callback.
    """
    if kafka.protocol == "PLAINTEXT":
        return ""
    from confluent_kafka import KafkaException
    from confluent_kafka.admin import AdminClient

    heard = Heard()
    asking = AdminClient({**kafka.for_librdkafka(), "error_cb": heard, "log_level": 0})
    for _ in range(_TRIES):
        try:
            asking.list_topics(timeout=_ONE_TRY_S)
            break
        except KafkaException:
            asking.poll(0)
        if heard.refusal:
            break
    return heard.refusal


def with_refusal(kafka: KafkaAddress, problem: object) -> str:
    """The problem, and why Kafka refuses this client, if that is known."""
    return ": ".join(filter(None, (str(problem), refusal(kafka))))
