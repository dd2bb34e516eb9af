"""Which servers may be reached without TLS: this machine, and those that a setting names.

Owns the check of host names. It opens no connection and resolves no name. Only configured addresses are checked. Make
sure that the addresses to which servers redirect clients are safe too: Kafka's advertised listeners, the primary that
Sentinels name, the nodes of a cluster.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable

Node = tuple[str, int]

_NAMED = re.compile(r"(\[[0-9a-fA-F:.]+\]|[^\s:,/*@\[\]]+)(:\d{1,5})?")


def read_allowed(text: str) -> frozenset[str]:
    """The names in `HOST[:PORT],…`. Raises `ValueError`."""
    names = [name.strip() for name in text.split(",")] if text else []
    if not all(_NAMED.fullmatch(name) for name in names):
        raise ValueError("accepted: HOST or HOST:PORT, or several separated by commas; each by its name, no pattern")
    return frozenset(names)


def first_refused(nodes: Iterable[Node], allowed: frozenset[str]) -> str:
    """The first of these nodes, as HOST:PORT, that requires TLS; empty if there is none."""
    for host, port in nodes:
        name = f"[{host}]" if ":" in host else host
        if not is_loopback(host) and not {name, f"{name}:{port}"} & allowed:
            return f"{name}:{port}"
    return ""


def insist_on_tls(setting: str, told: str, nodes: Iterable[Node], allowed: frozenset[str], tls: str) -> None:
    """Raises `ValueError` if one of a setting's nodes requires TLS. `tls`: how to set that up."""
    refused = first_refused(nodes, allowed)
    if refused:
        raise ValueError(
            f"{setting}={told!r}: without TLS, others on the way to {refused} can read and change what is sent;"
            f" use {tls}, or name the host in allow_plaintext"
        )


def is_loopback(host: str) -> bool:
    """Whether a host is this machine: 127.0.0.0/8, ::1, localhost."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
