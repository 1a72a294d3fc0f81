"""A visitor without a browser: clicks, keeps what a browser keeps, and fetches what it would fetch."""

from __future__ import annotations

import asyncio
import random
import re
import ssl
import time
from dataclasses import dataclass, field
from typing import Any

import httpx
from streamlit.proto.Alert_pb2 import Alert
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

# A click that is not answered by then is an error, and counts as having taken so long.
LONGEST_SECONDS = 60.0
# How a page names what a browser fetches beside it; it keeps what it has fetched.
_FILES = re.compile(rb"/(?:table|geo/[^/\"\\ ]+)/[^\"\\ ]+\.json[^\"\\ ]*")
# What can be clicked on each page. Another page is chosen from the menu.
CLICKS = {
    "Coverage": ("layer", "ward", "locality", "This week"),
    "This week": ("locality", "Coverage"),
}


@dataclass(frozen=True)
class Click:
    """One click: of what kind, seconds until the script had finished and until the files that the
    page then named were there, and what went wrong ("" for nothing)."""

    kind: str
    seconds: float
    seconds_with_files: float
    error: str = ""


@dataclass
class _Box:
    """A select box as the browser has it."""

    widget_id: str
    options: list[str]
    value: str
    fragment_id: str


@dataclass
class Visitor:
    """One session of somebody who looks at Coverage and This week."""

    address: str
    cookies: dict[str, str]
    random: random.Random
    tls: ssl.SSLContext | None = None
    page: str = "Coverage"
    _boxes: dict[str, _Box] = field(default_factory=dict)
    _drawn: set[str] = field(default_factory=set)
    _pages: dict[str, str] = field(default_factory=dict)
    _here: str = ""
    _query: str = ""
    # Long messages by hash, with the run that last used them: after two more they are sent again.
    _cached: dict[str, tuple[int, ForwardMsg]] = field(default_factory=dict)
    _runs: int = 0
    _files: set[str] = field(default_factory=set)
    _named: list[str] = field(default_factory=list)
    _renews: tuple[str, float] | None = None
    _renew_at: float = float("inf")
    _told: str = ""

    async def open(self) -> Click:
        """Open the page as a browser does: the page itself, then its connection, then a first run."""
        self._http = httpx.AsyncClient(
            base_url=self.address,
            verify=self.tls or False,
            cookies=self.cookies,
            trust_env=False,
            timeout=LONGEST_SECONDS,
        )
        answer = await self._http.get("/coverage", headers={"Accept": "text/html"})
        if answer.status_code != 200:
            raise RuntimeError(f"expected the page, found status {answer.status_code}")
        # With what a proxy has set.
        cookies = "; ".join(f"{each.name}={each.value}" for each in self._http.cookies.jar)
        self._socket: ClientConnection = await connect(
            self.address.replace("http", "ws", 1) + "/_stcore/stream",
            subprotocols=["streamlit"],  # type: ignore[list-item]
            origin=self.address,  # type: ignore[arg-type]
            additional_headers={"Cookie": cookies} if cookies else {},
            ssl=self.tls if self.address.startswith("https") else None,
            open_timeout=LONGEST_SECONDS,
            ping_interval=None,
            max_size=None,
            proxy=None,
        )
        message = BackMsg()
        message.rerun_script.page_name = "coverage"
        return await self._run("first", message)

    async def close(self) -> None:
        """Leave."""
        await self._socket.close()
        await self._http.aclose()

    async def visit(self, think_seconds: float, until: float, clicks: list[Click]) -> None:
        """Click and think until then (by `time.monotonic`); what was clicked is added to `clicks`."""
        pause = self.random.uniform(0, think_seconds)
        while time.monotonic() + pause < until:
            await self._think(pause)
            clicks.append(await self.click(self.random.choice(CLICKS[self.page])))
            pause = self.random.expovariate(1 / think_seconds)
        await self._think(max(0.0, until - time.monotonic()))

    def offered(self, key: str) -> list[str]:
        """What a select box of the page offers."""
        return self._boxes[key].options

    async def click(self, kind: str, value: str = "") -> Click:
        """Choose another page from the menu, or this, or something else at random, in a select box."""
        message = BackMsg()
        if kind in CLICKS:
            message.rerun_script.page_script_hash = self._pages[kind]
            # What the page before was told is no address of this one.
            self._query, self.page = "", kind
        else:
            box = self._boxes[kind]
            others = [each for each in box.options if each != box.value]
            box.value = value or self.random.choice(others)
            message.rerun_script.page_script_hash = self._here
            message.rerun_script.fragment_id = box.fragment_id
        return await self._run(kind, message)

    async def _think(self, seconds: float) -> None:
        """Do nothing; parts of a page that renew themselves do so meanwhile."""
        until = time.monotonic() + seconds
        while self._renews and self._renew_at < until:
            fragment_id, interval = self._renews
            await asyncio.sleep(max(0.0, self._renew_at - time.monotonic()))
            message = BackMsg()
            message.rerun_script.page_script_hash = self._here
            message.rerun_script.fragment_id = fragment_id
            message.rerun_script.is_auto_rerun = True
            await self._run("renewal", message)
            self._renew_at = time.monotonic() + interval
        await asyncio.sleep(max(0.0, until - time.monotonic()))

    async def _run(self, kind: str, message: BackMsg) -> Click:
        asked = message.rerun_script
        asked.query_string = self._query
        asked.cached_message_hashes.extend(self._cached)
        for box in self._boxes.values():
            state = asked.widget_states.widgets.add()
            state.id, state.string_value = box.widget_id, box.value
        self._told, started = "", time.perf_counter()
        try:
            async with asyncio.timeout(LONGEST_SECONDS):
                await self._socket.send(message.SerializeToString())
                await self._until_finished()
                seconds = time.perf_counter() - started
                await self._fetch()
        except TimeoutError:
            return Click(kind, LONGEST_SECONDS, LONGEST_SECONDS, "not answered")
        return Click(kind, seconds, time.perf_counter() - started, self._told)

    async def _until_finished(self) -> None:
        while True:
            raw = await self._socket.recv()
            assert isinstance(raw, bytes)
            message = ForwardMsg.FromString(raw)
            kind = message.WhichOneof("type")
            if kind == "new_session":
                self._here = message.new_session.page_script_hash
                self._drawn.clear()
            elif kind == "script_finished":
                # It begins again by itself where the page asked for that.
                if message.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN:
                    break
            else:
                self._keep(message, raw)
        if message.script_finished == ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY:
            # A part of the page: the rest of it stays.
            return
        self._boxes = {key: box for key, box in self._boxes.items() if key in self._drawn}
        self._runs += 1
        self._cached = {
            name: (run, kept) for name, (run, kept) in self._cached.items() if self._runs - run <= 2
        }

    def _keep(self, message: ForwardMsg, raw: bytes) -> None:
        if message.WhichOneof("type") == "ref_hash":
            message = self._cached[message.ref_hash][1]
        if message.metadata.cacheable:
            self._cached[message.hash] = (self._runs, message)
        kind: Any = message.WhichOneof("type")
        if kind == "navigation":
            self._pages = {
                page.page_name: page.page_script_hash for page in message.navigation.app_pages
            }
            self._here = message.navigation.page_script_hash or self._here
        elif kind == "page_info_changed":
            self._query = message.page_info_changed.query_string
        elif kind == "page_not_found":
            self._told = "page not found"
        elif kind == "auto_rerun":
            self._renews = (message.auto_rerun.fragment_id, message.auto_rerun.interval)
            self._renew_at = time.monotonic() + message.auto_rerun.interval
        elif kind == "delta" and message.delta.HasField("new_element"):
            self._keep_element(message)
        self._named += [name.decode() for name in _FILES.findall(raw)]

    def _keep_element(self, message: ForwardMsg) -> None:
        element = message.delta.new_element
        kind = element.WhichOneof("type")
        if kind == "exception" or (kind == "alert" and element.alert.format == Alert.ERROR):
            self._told = "an error on the page"
        elif kind == "selectbox":
            box, options = element.selectbox, list(element.selectbox.options)
            key = box.id.rsplit("-", 1)[-1]
            known = self._boxes.get(key)
            value = options[box.default] if options else ""
            if box.set_value:
                value = box.raw_value
            elif known and known.widget_id == box.id and known.value in options:
                value = known.value
            self._drawn.add(key)
            self._boxes[key] = _Box(box.id, options, value, message.delta.fragment_id)

    async def _fetch(self) -> None:
        """The files that a page names, once each."""
        for name in self._named:
            if name not in self._files:
                answer = await self._http.get(name)
                if answer.status_code != 200:
                    self._told = f"a file answered {answer.status_code}"
                self._files.add(name)
        self._named.clear()
