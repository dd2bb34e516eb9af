"""What systemd is told, on the socket that it names."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from streams.observability.systemd import ALIVE, READY, tell_supervisor


def test_it_is_told_all_states_in_one_datagram(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as supervisor:
        supervisor.bind(str(tmp_path / "notify"))
        supervisor.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        tell_supervisor(READY, ALIVE)
        assert supervisor.recv(100) == b"READY=1\nWATCHDOG=1"


def test_a_name_with_an_at_sign_is_an_abstract_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as supervisor:
        supervisor.bind("\0encore-test-notify")
        supervisor.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", "@encore-test-notify")
        tell_supervisor(READY)
        assert supervisor.recv(100) == b"READY=1"


@pytest.mark.parametrize("address", ["", "/nobody/listens"])
def test_nobody_to_be_told_is_no_failure(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", address)
    tell_supervisor(READY)
