"""Servers that keep others out, as `deploy/` says it: Kafka with users, certificates and ACLs, Redis with users.

Owns their configuration, who may log in, and what a command needs for it. The Redis that the tests have is built
without TLS: a proxy speaks it before it.
"""

from __future__ import annotations

import secrets
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import redis
from certificates import Certificates
from confluent_kafka import KafkaException
from confluent_kafka.admin import AclBinding, AclOperation, AclPermissionType, AdminClient
from confluent_kafka.admin import ResourcePatternType as PatternType
from confluent_kafka.admin import ResourceType as Kind
from deployed import DEPLOY, Rule, rules
from proxy import Proxy

from streams.tools.devstack import RedisServer
from streams.tools.devstack.kafka import SETTINGS, KafkaServer, Quorum
from streams.tools.devstack.process import Running
from streams.tools.devstack.servers import HOST, free_port

PRINCIPALS = ("admin", "worker", "producer", "eraser", "milestones", "replayer", "auditor")


class SecuredKafka(KafkaServer):
    """A node with two listeners: SASL_SSL (SCRAM-SHA-512) on `port`, mutual TLS on `certificate_port`.

    A certificate's principal is its common name. The controllers' listener knows the broker's certificate alone.
    """

    def __init__(self, folder: Path, certificates: Certificates, passwords: dict[str, str]) -> None:
        super().__init__(folder, remove=False, brief=True)
        self._certificates, self._passwords = certificates, passwords
        self.certificate_port = free_port()

    def _configure(self, port: int, quorum: Quorum) -> Path:
        own = self._certificates.issue("broker", HOST)
        keystore = self.folder / "broker-keystore.pem"
        keystore.write_bytes(own.key.read_bytes() + own.certificate.read_bytes())
        scram = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
        settings = {
            **SETTINGS,
            **quorum.settings(self._node_id),
            "listeners": f"SASL_SSL://{HOST}:{port},SSL://{HOST}:{self.certificate_port},"
            f"CONTROLLER://{HOST}:{quorum.ports[0]}",
            "advertised.listeners": f"SASL_SSL://{HOST}:{port},SSL://{HOST}:{self.certificate_port}",
            "listener.security.protocol.map": "SASL_SSL:SASL_SSL,SSL:SSL,CONTROLLER:SSL",
            "inter.broker.listener.name": "SSL",
            "sasl.enabled.mechanisms": "SCRAM-SHA-512",
            "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config": scram,
            "listener.name.ssl.ssl.client.auth": "required",
            "listener.name.controller.ssl.client.auth": "required",
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(keystore),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(self._certificates.ca_file),
            "ssl.principal.mapping.rules": r"RULE:^.*CN=([^,]+).*$/$1/,DEFAULT",
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": "User:broker;User:admin",
            "log.dirs": str(self.data / "logs"),
        }
        config = self.folder / "server.properties"
        # A backslash escapes in a file of properties.
        config.write_text("".join(f"{name}={value}\n".replace("\\", "\\\\") for name, value in settings.items()))
        return config

    def _format(self, config: Path, cluster_id: str) -> None:
        users = (f"SCRAM-SHA-512=[name={name},password={password}]" for name, password in self._passwords.items())
        self._run_format(config, cluster_id, *(word for user in users for word in ("--add-scram", user)))
        self._cluster.write_text(cluster_id)

    def _answers(self, running: Running) -> bool:
        try:
            return bool(self.admin().list_topics(timeout=2).brokers)
        except KafkaException:
            return False

    def admin(self) -> AdminClient:
        """A client that may do everything."""
        return AdminClient(self.client("admin"))

    def client(self, principal: str) -> dict[str, Any]:
        """librdkafka's options of a principal that logs in with its password."""
        return {
            "bootstrap.servers": f"{HOST}:{self.port}",
            "security.protocol": "SASL_SSL",
            "ssl.ca.location": str(self._certificates.ca_file),
            "sasl.mechanism": "SCRAM-SHA-512",
            "sasl.username": principal,
            "sasl.password": self._passwords[principal],
            "log_level": 0,
        }


class RedisWithUsers(RedisServer):
    """A server whose users are those of `deploy/redis/users.acl`."""

    def __init__(self, folder: Path, passwords: dict[str, str]) -> None:
        super().__init__(folder, remove=False)
        self._passwords = passwords

    def _command(self, port: int) -> list[str]:
        users = (DEPLOY / "redis" / "users.acl").read_text()
        for name, password in self._passwords.items():
            users = users.replace(f"{name.upper()}_PASSWORD", password)
        file = self.folder / "users.acl"
        file.write_text(users)
        return [*super()._command(port), "--aclfile", str(file)]

    def _answers(self, running: Running) -> bool:
        try:
            with self.client("worker", running.port) as client:
                return int(client.info("server")["process_id"]) == running.pid
        except (redis.RedisError, OSError):
            return False

    def client(self, user: str, port: int = 0) -> redis.Redis:
        """A client of one of the users, without TLS."""
        return redis.Redis(HOST, port or self.port, username=user, password=self._passwords[user])


class SecuredServers:
    """Both, and the environment of a command that logs in to both as somebody."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder = folder
        self.certificates, self.strangers = Certificates(folder / "ours"), Certificates(folder / "strangers")
        self.passwords = {name: secrets.token_urlsafe(16) for name in (*PRINCIPALS, "reader")}
        for name, password in self.passwords.items():
            (folder / f"{name}.password").write_text(f"{password}\n")
        self.redis = RedisWithUsers(folder, self.passwords)
        stack.callback(self.redis.kill)
        self.redis.start()
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(*self.certificates.issue("redis", HOST))
        self._front = stack.enter_context(Proxy((HOST, self.redis.port), tls=tls))
        self.kafka = SecuredKafka(folder, self.certificates, {name: self.passwords[name] for name in PRINCIPALS})
        stack.callback(self.kafka.kill)
        self.kafka.start()

    def environment(self, principal: str, redis_user: str = "") -> dict[str, str]:
        """Of a command that logs in to Kafka as this principal, and to Redis as this user (else: as the principal)."""
        ca = str(self.certificates.ca_file)
        user = redis_user or principal
        return {
            "ENCORE_KAFKA": f"{HOST}:{self.kafka.port}",
            "ENCORE_KAFKA_CA_FILE": ca,
            "ENCORE_KAFKA_USER": principal,
            "ENCORE_KAFKA_PASSWORD_FILE": str(self.folder / f"{principal}.password"),
            "ENCORE_REDIS": f"rediss://{HOST}:{self._front.port}/0",
            "ENCORE_REDIS_CA_FILE": ca,
            "ENCORE_REDIS_USER": user,
            "ENCORE_REDIS_PASSWORD_FILE": str(self.folder / f"{user}.password"),
        }

    def by_certificate(self, principal: str) -> dict[str, str]:
        """What is otherwise where Kafka knows the command by a certificate in place of a password."""
        own = self.certificates.issue(principal)
        return {
            "ENCORE_KAFKA": f"{HOST}:{self.kafka.certificate_port}",
            "ENCORE_KAFKA_USER": "",
            "ENCORE_KAFKA_PASSWORD_FILE": "",
            "ENCORE_KAFKA_CERT_FILE": str(own.certificate),
            "ENCORE_KAFKA_KEY_FILE": str(own.key),
        }

    def give_rights(self) -> None:
        """What `deploy/kafka/acls.sh` says, given by an administrator."""
        bindings = [binding for rule in rules(self.folder) for binding in _bindings(rule)]
        admin = self.kafka.admin()
        for answer in admin.create_acls(bindings).values():
            answer.result()


@contextmanager
def secured_servers(folder: Path) -> Iterator[SecuredServers]:
    """Both, running."""
    with ExitStack() as stack:
        yield SecuredServers(folder, stack)


def _bindings(rule: Rule) -> Iterator[AclBinding]:
    pattern = PatternType[rule.get("resource-pattern-type", ["literal"])[0].upper()]
    (principal,) = rule["allow-principal"]
    kinds = {
        "topic": Kind.TOPIC,
        "group": Kind.GROUP,
        "transactional-id": Kind.TRANSACTIONAL_ID,
        # The client's word for the cluster.
        "cluster": Kind.BROKER,
    }
    for option, kind in kinds.items():
        for name in rule.get(option, ()):
            for operation in rule["operation"]:
                what = AclOperation[{"DescribeConfigs": "DESCRIBE_CONFIGS"}.get(operation, operation.upper())]
                yield AclBinding(kind, name, pattern, principal, "*", what, AclPermissionType.ALLOW)
