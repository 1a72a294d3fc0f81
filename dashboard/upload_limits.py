"""How much may be uploaded, by whom and for what, before any of it is kept.

Streamlit takes a file at `PUT /_stcore/upload_file/{session}/{file}` from everybody who has a
page open, whether the page asks for files or not, and keeps it in memory until the page closes.
"""

from __future__ import annotations

import asyncio
import ipaddress
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit import runtime
from streamlit.runtime import Runtime
from streamlit.runtime.stats import CACHE_MEMORY_FAMILY, CacheStat

# Names and boundary lines around the one file of a form; a browser needs a few hundred bytes.
_FORM_BYTES = 16_384
# What a file costs at least, so that thousands of empty ones are not free.
_LEAST_BYTES = 65_536
# Addresses of one session that wait for a file; the oldest give way. A folder that is dropped
# asks for all its files at once.
MOST_WAITING = 1_000
# How Streamlit names what a file box holds.
_FILE_BOX = "file_uploader_state_value"


@dataclass(frozen=True)
class Limits:
    """Bytes, seconds and counts; each with the reason for what it is."""

    # As `MOST_BYTES` of dashboard/intake/source.py: what is larger would be refused there.
    file_bytes: int = 300_000_000
    # A first set-up brings the national files (the largest has 90 MB) in one sitting.
    session_bytes: int = 600_000_000
    # An office shares an address: two of its people at a first set-up.
    address_bytes: int = 1_200_000_000
    window_seconds: int = 900
    # Kept by Streamlit and on its way, of all sessions together. While a file is taken over it is
    # there twice, so that the server needs up to this and the largest file again.
    held_bytes: int = 1_200_000_000
    # A browser sends six at once; behind a proxy that speaks HTTP/2 all that were dropped.
    at_once: int = 20
    # A line that is slow still sends something; one that sends nothing holds a place.
    stall_seconds: float = 60


class RefusedError(Exception):
    """An upload that is not taken: with the status and the sentence of the answer."""

    def __init__(self, status: int, sentence: str, wait_seconds: int | None = None):
        super().__init__(sentence)
        self.status, self.sentence, self.wait_seconds = status, sentence, wait_seconds

    def answer(self) -> PlainTextResponse:
        """The sentence, and after how long it is worth another try."""
        headers = {} if self.wait_seconds is None else {"Retry-After": str(self.wait_seconds)}
        return PlainTextResponse(self.sentence, self.status, headers)


class Waiting:
    """The addresses, of each session, under which a file box of its page waits for a file."""

    def __init__(self) -> None:
        self._files: dict[str, dict[str, None]] = {}

    def add(
        self, session_id: str, file_ids: Sequence[str], is_active: Callable[[str], bool]
    ) -> None:
        """Wait for these files; sessions that are gone wait no longer."""
        for gone in [each for each in self._files if not is_active(each)]:
            del self._files[gone]
        files = self._files.setdefault(session_id, {})
        files.update(dict.fromkeys(file_ids))
        for oldest in list(files)[:-MOST_WAITING]:
            del files[oldest]

    def take(self, session_id: str, file_id: str) -> bool:
        """Whether the file was waited for; from now on it is not: each address works once."""
        files = self._files.get(session_id, {})
        if file_id not in files:
            return False
        del files[file_id]
        return True


WAITING = Waiting()


def watch(server: Runtime) -> None:
    """Note from now on which addresses this server gives out to pages that have a file box.

    Streamlit gives them to every page that asks and does not remember them. Without this
    nothing is waited for, and every upload is refused.
    """
    manager = server.uploaded_file_mgr
    give_out = manager.get_upload_urls

    def note(session_id: str, file_names: Sequence[str]) -> list[Any]:
        given = give_out(session_id, file_names)
        if _has_file_box(server, session_id):
            WAITING.add(session_id, [each.file_id for each in given], server.is_active_session)
        return given

    manager.get_upload_urls = note  # type: ignore[method-assign]


def _has_file_box(server: Runtime, session_id: str) -> bool:
    """Whether the page that a session shows drew a box for files."""
    session = server.get_app_session(session_id)
    if session is None:
        return False
    state = session.session_state
    known = state._new_widget_state.widget_metadata
    # What is known outlives the page; what has a value is on it. Lists, since the page may be
    # running in another thread.
    for widget_id in [*list(state._old_state), *list(state._new_widget_state.states)]:
        widget = known.get(widget_id)
        if widget is not None and widget.value_type == _FILE_BOX:
            return True
    return False


def held_bytes() -> int:
    """Bytes of the files that Streamlit keeps for all sessions."""
    if not runtime.exists():
        return 0
    stats = runtime.get_instance().uploaded_file_mgr.get_stats().get(CACHE_MEMORY_FAMILY, ())
    return sum(each.byte_length for each in stats if isinstance(each, CacheStat))


class _Spent:
    """Bytes by name within a window of time that moves along."""

    def __init__(self, seconds: int, clock: Callable[[], float]):
        self._seconds, self._clock = seconds, clock
        self._by_second: dict[str, deque[list[int]]] = defaultdict(deque)

    def add(self, name: str, count: int) -> None:
        second = int(self._clock())
        entries = self._by_second[name]
        if entries and entries[-1][0] == second:
            entries[-1][1] += count
        else:
            entries.append([second, count])

    def total(self, name: str) -> int:
        self._forget()
        return sum(count for _, count in self._by_second.get(name, ()))

    def _forget(self) -> None:
        until = self._clock() - self._seconds
        for name, entries in list(self._by_second.items()):
            while entries and entries[0][0] <= until:
                entries.popleft()
            if not entries:
                del self._by_second[name]


def address_of(scope: Scope) -> str:
    """Who asks: an IPv4 address, or the network of an IPv6 one, of which a machine has many.

    Behind a proxy uvicorn has put the visitor's address in its place already, if it trusts the
    proxy: those of this machine, or those that `FORWARDED_ALLOW_IPS` names.
    """
    client = scope.get("client")
    try:
        found = ipaddress.ip_address(client[0] if client else "")
    except ValueError:
        return str(client[0]) if client else ""
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((found, 64), strict=False))


class UploadLimits:
    """Takes an upload only where a page waits for it, and only as much as there is room for.

    Refused with a sentence: 403 where nothing is waited for, 408 when nothing more comes, 413
    for a file that is too large, 429 for too much at once or within the window.
    """

    def __init__(
        self,
        app: ASGIApp,
        limits: Limits | None = None,
        waiting: Waiting = WAITING,
        held: Callable[[], int] = held_bytes,
        clock: Callable[[], float] = time.monotonic,
    ):
        self.app, self.limits = app, limits or Limits()
        self._waiting, self._held = waiting, held
        self._spent = _Spent(self.limits.window_seconds, clock)
        self._on_the_way = 0
        self._at_once: dict[str, int] = defaultdict(int)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # Nothing else of this server takes a PUT, so that no way of writing the path gets by.
        if scope["type"] != "http" or scope["method"] != "PUT":
            await self.app(scope, receive, send)
            return
        refused: PlainTextResponse | None = None
        try:
            with self._place(scope) as count:
                await self.app(scope, self._counted(receive, count), send)
        except RefusedError as error:
            # What was read of the file goes with the error, before the answer is written.
            refused = error.answer()
        if refused is not None:
            await refused(scope, receive, send)

    @contextmanager
    def _place(self, scope: Scope) -> Iterator[Callable[[int], None]]:
        """A place among the uploads, with what counts the bytes that come; or it refuses."""
        path: str = scope["path"]
        *_, session_id, file_id = ["", *path.rstrip("/").split("/")]
        if not self._waiting.take(session_id, file_id):
            raise RefusedError(
                403,
                "Expected a file that a page of this server asked for; found one that none waits "
                "for. Open the page that takes files and choose the file there.",
            )
        address = address_of(scope)
        if self._at_once[address] >= self.limits.at_once:
            raise RefusedError(
                429,
                f"Expected at most {self.limits.at_once} uploads at once from one address. Wait "
                "until one is done, and choose the file again.",
                10,
            )
        so_far = 0

        def count(more: int) -> None:
            nonlocal so_far
            self._refuse(so_far + more, more, session_id, address)
            so_far += more
            self._on_the_way += more
            for name in (f"session {session_id}", f"address {address}"):
                self._spent.add(name, more)

        stated = Headers(scope=scope).get("content-length", "0")
        expected = int(stated) if stated.isdecimal() else 0
        self._refuse(expected, expected, session_id, address)
        for name in (f"session {session_id}", f"address {address}"):
            self._spent.add(name, _LEAST_BYTES)
        self._at_once[address] += 1
        try:
            yield count
        finally:
            self._on_the_way -= so_far
            self._at_once[address] -= 1
            if not self._at_once[address]:
                del self._at_once[address]

    def _refuse(self, size: int, more: int, session_id: str, address: str) -> None:
        """Refuse a body of this size of which so much is still to be counted."""
        limits = self.limits
        minutes = limits.window_seconds // 60
        if size > limits.file_bytes + _FORM_BYTES:
            raise RefusedError(
                413, f"Expected a file of at most {limits.file_bytes:,} bytes: split the file."
            )
        for name, most, whose in (
            (f"session {session_id}", limits.session_bytes, "one page"),
            (f"address {address}", limits.address_bytes, "one address"),
        ):
            if self._spent.total(name) + more > most:
                raise RefusedError(
                    429,
                    f"Expected at most {most:,} bytes within {minutes} minutes from {whose}. Wait "
                    "until then, and choose the file again.",
                    limits.window_seconds,
                )
        if self._held() + self._on_the_way + more > limits.held_bytes:
            raise RefusedError(
                429,
                f"The server keeps at most {limits.held_bytes:,} bytes of files that were "
                "uploaded, and has no room for this one. Load or remove those on the page, close "
                "pages that are not needed, and choose the file again.",
                60,
            )

    def _counted(self, receive: Receive, count: Callable[[int], None]) -> Receive:
        async def receive_counted() -> Message:
            try:
                message = await asyncio.wait_for(receive(), self.limits.stall_seconds)
            except TimeoutError:
                raise RefusedError(
                    408,
                    f"Expected more of the file; nothing came for {self.limits.stall_seconds:g} "
                    "seconds. Choose the file again.",
                ) from None
            if message["type"] == "http.request":
                count(len(message.get("body", b"")))
            return message

        return receive_counted
