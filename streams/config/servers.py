"""The settings of the servers: where Kafka, Redis and the schema registry are, and how clients authenticate.

Owns the checks of addresses and credentials together: no connection without TLS, unless `allow_plaintext` names the
server.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from streams.config.credentials import Credentials, first_given, read_credentials
from streams.config.kafka_security import KafkaAddress
from streams.config.plaintext import insist_on_tls, read_allowed
from streams.config.redis_address import SENTINEL, read_address, with_login, without_password
from streams.config.schema_registry import RegistryAddress, plain_nodes, read_urls

ENV_PREFIX = "ENCORE_"


def _servers(value: str) -> str:
    if value and not re.fullmatch(r"[^\s:,/]+:\d{1,5}(,[^\s:,/]+:\d{1,5})*", value):
        raise ValueError("accepted: HOST:PORT, or several separated by commas")
    return value


def read_by(read: Callable[[str], object]) -> AfterValidator:
    """Accepts an empty text, or one that `read` accepts; the value stays text."""

    def check(value: str) -> str:
        if value:
            read(value)
        return value

    return AfterValidator(check)


Servers = Annotated[str, AfterValidator(_servers)]
RedisUrl = Annotated[str, read_by(read_address)]
_SECRET = "; only from the environment, or from a file"


class ServerSettings(BaseSettings):
    """Addresses and credentials. An empty address means the devstack."""

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, frozen=True, extra="forbid")

    kafka: Servers = Field("", description="Kafka servers, HOST:PORT[,HOST:PORT…]; empty: the devstack")
    redis: RedisUrl = Field(
        "",
        description="Redis: redis://HOST:PORT/DB, redis+sentinel://HOST:PORT,…/SERVICE, redis+cluster://HOST:PORT,…;"
        " empty: the devstack",
    )
    kafka_ca_file: str = Field(
        "", description="CA certificates that Kafka's certificates are checked against; if set, TLS is used"
    )
    kafka_cert_file: str = Field("", description="client certificate for Kafka (mutual TLS)")
    kafka_key_file: str = Field("", description="key of that certificate")
    kafka_user: str = Field("", description="user at Kafka (SCRAM-SHA-512, always over TLS)")
    kafka_password: SecretStr = Field(SecretStr(""), description="the user's password" + _SECRET)
    kafka_password_file: str = Field("", description="file with the user's password and nothing else")
    redis_ca_file: str = Field(
        "", description="CA certificates that Redis's certificates are checked against; empty: the system's"
    )
    redis_cert_file: str = Field("", description="client certificate for Redis (mutual TLS)")
    redis_key_file: str = Field("", description="key of that certificate")
    redis_user: str = Field("", description="user at Redis (ACL)")
    redis_password: SecretStr = Field(SecretStr(""), description="the user's password" + _SECRET)
    redis_password_file: str = Field("", description="file with the user's password and nothing else")
    redis_sentinel_user: str = Field("", description="user at the Sentinels, if they require one")
    redis_sentinel_password: SecretStr = Field(SecretStr(""), description="that user's password" + _SECRET)
    redis_sentinel_password_file: str = Field("", description="file with that user's password and nothing else")
    schema_registry: Annotated[str, read_by(read_urls)] = Field(
        "",
        description="schema registry of Avro and Protobuf (ENCORE_SOURCE_FORMAT), https://HOST[:PORT][/PATH],…",
    )
    schema_registry_ca_file: str = Field(
        "", description="CA certificates that the registry's certificates are checked against; empty: the system's"
    )
    schema_registry_cert_file: str = Field("", description="client certificate for the registry (mutual TLS)")
    schema_registry_key_file: str = Field("", description="key of that certificate")
    schema_registry_user: str = Field("", description="user at the registry (HTTP basic authentication)")
    schema_registry_password: SecretStr = Field(SecretStr(""), description="the user's password" + _SECRET)
    schema_registry_password_file: str = Field("", description="file with the user's password and nothing else")
    allow_plaintext: Annotated[str, read_by(read_allowed)] = Field(
        "",
        description="HOST[:PORT],… to which connections without TLS are allowed; this machine is always allowed",
    )

    @model_validator(mode="after")
    def _kafka_keeps_others_out(self) -> ServerSettings:
        kafka, given = self.kafka_address, first_given("kafka", self.model_dump())
        if given and not self.kafka:
            raise ValueError(f"kafka='': must not be empty, because {given} is set (the devstack does not use it)")
        if self.kafka and kafka.protocol == "PLAINTEXT":
            allowed = read_allowed(self.allow_plaintext)
            insist_on_tls("kafka", self.kafka, kafka.nodes, allowed, "TLS (kafka_ca_file, kafka_user)")
        return self

    @model_validator(mode="after")
    def _redis_keeps_others_out(self) -> ServerSettings:
        shown, given = self._credentials("redis"), first_given("redis", self.model_dump())
        sentinel_given = first_given("redis_sentinel", self.model_dump())
        self._credentials("redis_sentinel")
        if not self.redis:
            if first := given or sentinel_given:
                raise ValueError(f"redis='': must not be empty, because {first} is set (the devstack does not use it)")
            return self
        address, told = read_address(self.redis), without_password(self.redis)
        if shown.need_tls and not address.tls:
            raise ValueError(f"redis={told!r}: must use TLS (rediss://…), because {given} is set")
        if shown.user and (address.username or address.password):
            raise ValueError(f"redis={told!r}: must not hold a login, because redis_user is set")
        if sentinel_given and address.kind != SENTINEL:
            raise ValueError(
                f"redis={told!r}: must name Sentinels (redis+sentinel://…), because {sentinel_given} is set"
            )
        if not address.tls:
            insist_on_tls("redis", told, address.nodes, read_allowed(self.allow_plaintext), "TLS (rediss://…)")
        return self

    @model_validator(mode="after")
    def _registry_keeps_others_out(self) -> ServerSettings:
        self._credentials("schema_registry")
        given = first_given("schema_registry", self.model_dump())
        if given and not self.schema_registry:
            raise ValueError(f"schema_registry='': must not be empty, because {given} is set")
        if self.schema_registry and (plain := plain_nodes(self.schema_registry)):
            insist_on_tls(
                "schema_registry", self.schema_registry, plain, read_allowed(self.allow_plaintext), "TLS (https://…)"
            )
        return self

    def _credentials(self, server: str) -> Credentials:
        return read_credentials(server, self.model_dump())

    @property
    def kafka_address(self) -> KafkaAddress:
        """Kafka's servers and credentials."""
        return KafkaAddress(self.kafka, self._credentials("kafka"))

    @property
    def registry_address(self) -> RegistryAddress:
        """The schema registry's URLs and credentials."""
        return RegistryAddress(self.schema_registry, self._credentials("schema_registry"))

    @property
    def redis_url(self) -> str:
        """Redis's URL with all credentials; show `redis`, never this."""
        return with_login(self.redis, self._credentials("redis"), self._credentials("redis_sentinel"))
