"""Small messages are sent as they come."""

from __future__ import annotations

import socket

import pytest

from dashboard.network import send_at_once


def accepted_delays(monkeypatch: pytest.MonkeyPatch, *, at_once: bool) -> bool:
    """Whether a connection accepted by a socket like Streamlit's holds small messages back."""
    monkeypatch.setattr(socket.socket, "accept", socket.socket.accept)
    if at_once:
        send_at_once()
    with socket.socket(socket.AF_INET) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        with socket.create_connection(listener.getsockname()), listener.accept()[0] as accepted:
            return accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 0


def test_accepted_connections_do_not_delay(monkeypatch: pytest.MonkeyPatch) -> None:
    assert accepted_delays(monkeypatch, at_once=False)
    assert not accepted_delays(monkeypatch, at_once=True)
