"""Connections that send small messages as they come."""

from __future__ import annotations

import socket
from typing import Any


def send_at_once() -> None:
    """Turn Nagle's algorithm off on every connection this process accepts from now on.

    asyncio does so only for sockets made with an explicit protocol, and Streamlit's are not:
    the second small message of each rerun then waits for the browser's acknowledgement, which
    Linux holds back for up to 40 ms.
    """
    accept = socket.socket.accept

    def accept_without_delay(listener: socket.socket) -> tuple[socket.socket, Any]:
        connection, address = accept(listener)
        if connection.family in (socket.AF_INET, socket.AF_INET6):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection, address

    socket.socket.accept = accept_without_delay  # type: ignore[method-assign, assignment]
