"""Credentials of a client: the CA that it trusts, its certificate, a user and a password.

Owns the names of these settings, reads their files, and says what is wrong with one; a message never holds a secret.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

if TYPE_CHECKING:
    from ssl import SSLContext

_PARTS = ("ca_file", "cert_file", "key_file", "user", "password", "password_file")


@dataclass(frozen=True)
class Credentials:
    """Paths of PEM files, and a login; unset parts are empty."""

    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""
    user: str = ""
    password: str = field(default="", repr=False)

    @property
    def need_tls(self) -> bool:
        """Whether files are set that only TLS uses."""
        return bool(self.ca_file or self.cert_file)

    def tls(self) -> SSLContext:
        """A context that trusts the CA (without one: the system's) and verifies the server's name."""
        import ssl

        context = ssl.create_default_context(cafile=self.ca_file or None)
        if self.cert_file:
            # Without a password here, OpenSSL would ask for an encrypted key's at the terminal.
            context.load_cert_chain(self.cert_file, self.key_file, password="")
        return context


def read_credentials(server: str, settings: Mapping[str, Any]) -> Credentials:
    """Reads the settings `<server>_ca_file`, …. Raises `ValueError`, `SETTING=VALUE: what is accepted`."""
    given = {part: plain(settings.get(f"{server}_{part}", "")) for part in _PARTS}
    _insist_on_pairs(server, given)
    password = _password(server, given["password"], given["password_file"])
    found = Credentials(given["ca_file"], given["cert_file"], given["key_file"], given["user"], password)
    for parts in (("ca_file",), ("cert_file", "key_file")):
        _insist_on_use(server, {part: given[part] for part in parts})
    return found


def plain(value: object) -> str:
    """A setting's value as text, a secret's too: only for a client, or the environment of a child process."""
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)


def first_given(server: str, settings: Mapping[str, Any]) -> str:
    """The name of a server's first setting that is not empty; empty if there is none."""
    return next((name for part in _PARTS if settings.get(name := f"{server}_{part}")), "")


def _insist_on_pairs(server: str, given: Mapping[str, str]) -> None:
    for one, other in (
        ("cert_file", "key_file"),
        ("user", "password" if given["password"] else "password_file"),
    ):
        if bool(given[one]) != bool(given[other]):
            there, lacking = (one, other) if given[one] else (other, one)
            instead = f"; or set {server}_password" if lacking == "password_file" else ""
            raise ValueError(f"{server}_{lacking}='': must not be empty, because {server}_{there} is set{instead}")
    if given["password"] and given["password_file"]:
        shown = given["password_file"]
        raise ValueError(f"{server}_password_file={shown!r}: {server}_password is set, too; set only one of them")


def _password(server: str, password: str, file: str) -> str:
    if not file:
        return password
    try:
        read = Path(file).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeError) as problem:
        raise ValueError(f"{server}_password_file={file!r}: cannot be read: {_why(problem)}") from None
    if not read:
        raise ValueError(f"{server}_password_file={file!r}: is empty; it must hold the password and nothing else")
    return read


def _insist_on_use(server: str, files: Mapping[str, str]) -> None:
    """Try the files now: a client reports an unusable one late, and without the reason."""
    if not all(files.values()):
        return
    for part, file in files.items():
        try:
            Path(file).read_bytes()
        except OSError as problem:
            raise ValueError(f"{server}_{part}={file!r}: cannot be read: {_why(problem)}") from None
    try:
        Credentials(**files).tls()
    except OSError:  # includes TLS errors
        (part, file), *other = files.items()
        beside = f", and {server}_{other[0][0]} the unencrypted key of the first one" if other else ""
        raise ValueError(f"{server}_{part}={file!r}: must be a file of certificates in PEM format{beside}") from None


def _why(problem: Exception) -> str:
    return problem.strerror or "" if isinstance(problem, OSError) else "it is no UTF-8"
