"""Where the schema registry is, and how its client authenticates.

Owns what an address may look like, and the mapping to the options of confluent-kafka's client.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, urlsplit

from streams.config.credentials import Credentials

_ANSWER_S = 5.0
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class RegistryAddress:
    """One URL, or several of one registry separated by commas, and credentials. `str` gives the URLs."""

    urls: str
    credentials: Credentials = field(default_factory=Credentials)

    def __str__(self) -> str:
        return self.urls

    def for_client(self) -> dict[str, Any]:
        """Options of `SchemaRegistryClient`, which tries once: its caller decides how long to go on."""
        shown = self.credentials
        options: dict[str, Any] = {
            "url": self.urls,
            "timeout": _ANSWER_S,
            "max.retries": 0,
            # Without one, the client would trust its own list instead of the system's.
            "ssl.ca.location": shown.ca_file or ssl.get_default_verify_paths().cafile,
            "ssl.certificate.location": shown.cert_file,
            "ssl.key.location": shown.key_file,
        }
        if shown.user:
            options["basic.auth.user.info"] = f"{shown.user}:{shown.password}"
        return {name: value for name, value in options.items() if value not in ("", None)}


def read_urls(text: str) -> list[SplitResult]:
    """The URLs in `http[s]://HOST[:PORT][/PATH],…`. Raises `ValueError`."""
    parts = [urlsplit(url.strip()) for url in text.split(",")]
    for each in parts:
        is_usable = each.scheme in _PORTS and each.hostname and not (each.query or each.fragment)
        if not is_usable or each.port == 0 or "@" in each.netloc:
            raise ValueError("accepted: https://HOST[:PORT][/PATH], or several separated by commas; no login in it")
    return parts


def plain_nodes(text: str) -> list[tuple[str, int]]:
    """Host and port of the URLs without TLS."""
    return [(each.hostname or "", each.port or _PORTS["http"]) for each in read_urls(text) if each.scheme == "http"]
