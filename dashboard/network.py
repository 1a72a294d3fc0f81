"""Connections that send small messages as they come, and none to ask who this machine is."""

from __future__ import annotations

import socket
from typing import Any

from streamlit import net_util


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


def ask_nobody_for_own_address() -> None:
    """Keep Streamlit from asking another host for the address of this machine.

    It does so whenever a page of another origin opens a connection, and everybody waits for the
    answer, for seconds where there is none. Such a page is then refused without asking.
    """
    net_util.get_external_ip = net_util.get_internal_ip = lambda: None
