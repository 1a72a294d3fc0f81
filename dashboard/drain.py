"""How an app process ends: it is no longer ready, tells who is there, and waits until they are done."""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import streamlit as st
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

if TYPE_CHECKING:
    from streamlit.runtime.session_manager import SessionClient

_LOG = logging.getLogger("dashboard")
# Set from the first SIGTERM to the end of the process.
draining = threading.Event()
NOTICE = (
    "This server is about to restart: your view is kept. Finish what you are writing; in a moment "
    "this page connects again by itself."
)
# A script that still runs when the time is up is given so much longer: a saved form is saved.
FINISH_SECONDS = 5
_PLACE = "server-notice"
_RETRY = (b"retry-after", b"1")

_open_sockets: set[int] = set()
# Where each open session keeps the place of the notice; gone with its connection.
_places: WeakKeyDictionary[SessionClient, list[int]] = WeakKeyDictionary()


class Draining:
    """Counts the open WebSockets, one a session, and takes no new one while the process drains.

    The refusal is an answer with 503, on which a proxy asks the next process.
    """

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":
            await self.app(scope, receive, send)
            return
        if draining.is_set():
            await send(
                {"type": "websocket.http.response.start", "status": 503, "headers": [_RETRY]}
            )
            await send({"type": "websocket.http.response.body", "body": b"draining"})
            return
        _open_sockets.add(id(scope))
        try:
            await self.app(scope, receive, send)
        finally:
            _open_sockets.discard(id(scope))


def at_sigterm() -> None:
    """From now on SIGTERM drains this process before it ends; called on the server's event loop.

    SIGINT ends it at once, as before: that is somebody at the keyboard.
    """
    end_at_once = signal.getsignal(signal.SIGTERM)
    # Not where somebody else looks after signals, as tests do.
    if threading.current_thread() is not threading.main_thread() or not callable(end_at_once):
        return
    loop, waiting = asyncio.get_running_loop(), set[asyncio.Task[None]]()

    def begin(number: int, frame: object) -> None:
        if draining.is_set():
            return
        draining.set()
        loop.call_soon_threadsafe(
            lambda: waiting.add(loop.create_task(_drain(lambda: end_at_once(number, None))))
        )

    signal.signal(signal.SIGTERM, begin)


async def _drain(end: Callable[[], object]) -> None:
    # Imported here, so that the server is there before they are.
    from dashboard.settings import settings

    seconds = settings().drain_seconds
    _LOG.warning("Draining: %d sessions are open, %g seconds at most", len(_open_sockets), seconds)
    try:
        _tell_open_sessions()
        until = time.monotonic() + seconds
        while _open_sockets and (
            time.monotonic() < until
            or (_script_runs() and time.monotonic() < until + FINISH_SECONDS)
        ):
            await asyncio.sleep(0.1)
    finally:
        # Whatever went wrong before: a process that was told to end does.
        end()


def _script_runs() -> bool:
    return any(one.name == "ScriptRunner.scriptThread" for one in threading.enumerate())


def draw_notice() -> None:
    """The place of the notice, above the page; filled from the start while the process drains.

    It is there and empty before, so that a screen reader reads out what comes into it.
    """
    with st.container(key=_PLACE):
        place = st.html(_markup())
    context = get_script_run_ctx()
    # Nobody is there where a test runs the script alone.
    if context is None or place._cursor is None or not runtime.exists():
        return
    client = runtime.get_instance().get_client(context.session_id)
    if client is not None:
        _places[client] = list(place._cursor.delta_path)


def _markup() -> str:
    return f"<p>{NOTICE}</p>" if draining.is_set() else "<p></p>"


def _tell_open_sessions() -> None:
    """Put the notice on every open page without running its script, which may be at work."""
    from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
    from streamlit.runtime.session_manager import SessionClientDisconnectedError

    for client, place in list(_places.items()):
        message = ForwardMsg()
        message.metadata.delta_path[:] = place
        message.delta.new_element.html.body = _markup()
        with suppress(SessionClientDisconnectedError):
            client.write_forward_msg(message)
