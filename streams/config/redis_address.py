"""Where Redis is: one server, a primary under Sentinel, or a cluster, as one URL.

Owns the URLs' forms, and how they are shown without passwords. It must not know a Redis library: parsing a URL opens
and imports nothing. `streams.redis.clients` makes clients for an address.

| URL | is |
|---|---|
| `redis://[USER:PASSWORD@]HOST[:PORT][/DB]`, `unix://PATH` | one server |
| `redis+sentinel://[USER:PASSWORD@]HOST[:PORT][,HOST[:PORT]…]/SERVICE[/DB]` | the primary that these Sentinels name |
| `redis+cluster://[USER:PASSWORD@]HOST[:PORT][,HOST[:PORT]…]` | the cluster that these nodes are part of |

`rediss` in place of `redis` means TLS, to the Sentinels too. User and password are those of the servers; those of the
Sentinels are `?sentinel_username=…&sentinel_password=…`. Other query options are redis-py's own
(`?ssl_ca_certs=FILE`). Credentials and files from the settings become part of the URL, and are masked where it is
shown.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal
from urllib.parse import parse_qs, quote, unquote, urlencode, urlsplit

if TYPE_CHECKING:
    from streams.config.credentials import Credentials

Kind = Literal["single", "sentinel", "cluster"]
SINGLE: Kind = "single"
SENTINEL: Kind = "sentinel"
CLUSTER: Kind = "cluster"

_SEVERAL = re.compile(
    r"(?P<scheme>rediss?)\+(?P<kind>sentinel|cluster)://"
    r"(?:(?P<user>[^:/@]*)(?::(?P<password>[^/@]*))?@)?"
    r"(?P<nodes>[^/?#@]+)(?P<path>/[^?#]*)?(?:\?(?P<query>[^#]*))?"
)
_NODE = re.compile(r"(?P<host>\[[0-9a-fA-F:.]+\]|[^\s:,\[\]]+)(?::(?P<port>\d{1,5}))?")
_PORTS = {SENTINEL: 26379, CLUSTER: 6379}


class BadAddress(ValueError):
    """The text is not the address of a Redis. The message says what is accepted."""


@dataclass(frozen=True)
class RedisAddress:
    """A Redis, and how to log in. `url`: for one server the whole URL, else one with only the login and options."""

    kind: Kind
    url: str = field(repr=False)
    nodes: tuple[tuple[str, int], ...] = ()
    service: str = ""
    db: int = 0
    tls: bool = False
    username: str = ""
    password: str = field(default="", repr=False)


def read_address(url: str) -> RedisAddress:
    """The address in a URL. Raises `BadAddress`."""
    if re.match(r"rediss?\+", url):
        return _several(url)
    try:
        parts = urlsplit(url)
        # redis-py also reads these from the query, which would bypass checks of the URL's host.
        hidden = {"host", "port"} & parse_qs(parts.query).keys()
        usable = parts.scheme in ("redis", "rediss", "unix") and (parts.port or 1) > 0 and not hidden
    except ValueError:
        usable = False
    if not usable:
        raise BadAddress("accepted: a URL such as redis://HOST:PORT/0, redis+sentinel://… or redis+cluster://…")
    return RedisAddress(
        SINGLE,
        url,
        ((parts.hostname, parts.port or 6379),) if parts.hostname else (),
        db=int(parts.path[1:]) if parts.scheme != "unix" and parts.path[1:].isdecimal() else 0,
        tls=parts.scheme == "rediss",
        username=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
    )


def _several(url: str) -> RedisAddress:
    """An address of several servers; redis-py has no URL form for it."""
    found = _SEVERAL.fullmatch(url)
    if found is None:
        raise BadAddress(
            "accepted: redis+sentinel://HOST:PORT[,HOST:PORT…]/SERVICE[/DB] or redis+cluster://HOST:PORT[,HOST:PORT…]"
        )
    kind = SENTINEL if found["kind"] == "sentinel" else CLUSTER
    service, db = _service(found["path"] or "") if kind == SENTINEL else ("", _no_database(found["path"] or ""))
    login = f"{found['user'] or ''}:{found['password']}@" if found["password"] is not None else ""
    nodes = tuple(_node(text, _PORTS[kind]) for text in found["nodes"].split(","))
    query = f"?{found['query']}" if found["query"] else ""
    return RedisAddress(
        kind,
        f"{found['scheme']}://{login}localhost/{db}{query}",
        nodes,
        service,
        db,
        found["scheme"] == "rediss",
        unquote(found["user"] or ""),
        unquote(found["password"] or ""),
    )


def _node(text: str, port: int) -> tuple[str, int]:
    found = _NODE.fullmatch(text)
    if found is None or not 0 < int(found["port"] or port) < 65_536:
        raise BadAddress(f"accepted: HOST:PORT[,HOST:PORT…], not {text!r}")
    return found["host"].strip("[]"), int(found["port"] or port)


def _service(path: str) -> tuple[str, int]:
    found = re.fullmatch(r"/([^/]+)(?:/(\d{1,4})?)?", path)
    if found is None:
        raise BadAddress("accepted: redis+sentinel://HOST:PORT[,HOST:PORT…]/SERVICE[/DB], with the service's name")
    return unquote(found[1]), int(found[2] or 0)


def _no_database(path: str) -> int:
    if path not in ("", "/", "/0"):
        raise BadAddress("accepted: redis+cluster://HOST:PORT[,HOST:PORT…] and no database: a cluster has one only")
    return 0


def with_login(url: str, shown: Credentials, to_sentinels: Credentials) -> str:
    """The URL with the login and TLS files in it. Keep it secret."""
    scheme, _, rest = url.partition("://")
    where, _, query = rest.partition("?")
    login = f"{quote(shown.user, safe='')}:{quote(shown.password, safe='')}@" if shown.user else ""
    options = {
        "ssl_ca_certs": shown.ca_file,
        "ssl_certfile": shown.cert_file,
        "ssl_keyfile": shown.key_file,
        "sentinel_username": to_sentinels.user,
        "sentinel_password": to_sentinels.password,
    }
    added = urlencode({name: text for name, text in options.items() if text})
    both = "&".join(filter(None, (query, added)))
    return f"{scheme}://{login}{where}" + (f"?{both}" if both else "")


def hash_tag(prefix: str) -> str:
    """The part of a prefix that puts all its keys into one slot of a cluster; empty: there is none."""
    found = re.match(r"[^{]*\{([^}]+)\}", prefix)
    return found[1] if found else ""


def without_password(text: str) -> str:
    """The text with users and passwords of URLs masked."""
    return re.sub(r"(password=)[^&\s'\"]*", r"\1***", re.sub(r"//[^/@]*@", "//***@", text))
