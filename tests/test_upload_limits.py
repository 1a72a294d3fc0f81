"""What may be uploaded: each limit on both sides, and the real server with a real session."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.web.server.starlette.starlette_app_utils import generate_xsrf_token_string
from streamlit.web.server.starlette.starlette_routes import create_upload_routes
from streamlit.web.server.starlette.starlette_server import _get_uvicorn_config_kwargs
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

from dashboard.intake.source import MOST_BYTES
from dashboard.upload_limits import MOST_WAITING, Limits, UploadLimits, Waiting, address_of
from tests.made_once import demonstration_file
from tests.served import Server, serving

SESSION, OTHER = "one session", "another session"
TOKEN = generate_xsrf_token_string()
PIECE = 65_536
# Small enough for a test; room for the form around a file is of its own.
SMALL = Limits(
    file_bytes=1_000_000, session_bytes=3_000_000, address_bytes=5_000_000, held_bytes=9_000_000
)
BOUNDARY = "line"
BEFORE = (
    f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n'
    "Content-Type: text/csv\r\n\r\n"
).encode()
AFTER = f"\r\n--{BOUNDARY}--\r\n".encode()
FORM = len(BEFORE) + len(AFTER)


def always(_session_id: str) -> bool:
    return True


class Place:
    """Streamlit's own upload routes behind the limits, with a clock that stands still."""

    def __init__(self, limits: Limits = SMALL):
        self.now, self.waiting = 0.0, Waiting()
        self.kept = MemoryUploadedFileManager("/_stcore/upload_file")
        streamlit: Any = SimpleNamespace(is_active_session=always)
        limiting = Middleware(
            UploadLimits,
            limits=limits,
            waiting=self.waiting,
            held=self.held,
            clock=lambda: self.now,
        )
        self.app = Starlette(
            routes=create_upload_routes(streamlit, self.kept, ""), middleware=[limiting]
        )
        self.numbers = iter(range(10_000))

    def held(self) -> int:
        return sum(len(f.data) for files in self.kept.file_storage.values() for f in files.values())

    def path(self, session_id: str = SESSION) -> str:
        """Where a file is waited for."""
        file_id = f"file-{next(self.numbers)}"
        self.waiting.add(session_id, [file_id], always)
        return f"/_stcore/upload_file/{session_id}/{file_id}"

    async def put(
        self,
        size: int,
        session_id: str = SESSION,
        path: str | None = None,
        client: str = "192.0.2.1",
        stated: bool = True,
        stated_size: int | None = None,
    ) -> httpx.Response:
        """Upload so many bytes, with or without saying before how many they are."""
        transport = httpx.ASGITransport(app=self.app, client=(client, 50_000))
        headers = {
            "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
            "X-Xsrftoken": TOKEN,
            "Cookie": f"_streamlit_xsrf={TOKEN}",
        }
        if stated:
            headers["Content-Length"] = str(stated_size or size + FORM)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as browser:
            return await browser.put(
                path or self.path(session_id), content=pieces(size), headers=headers
            )


async def pieces(size: int) -> AsyncIterator[bytes]:
    yield BEFORE
    for start in range(0, size, PIECE):
        yield b"x" * min(PIECE, size - start)
    yield AFTER


def run(work: Coroutine[Any, Any, Any]) -> Any:
    # In a thread: the browser tests of the same worker leave an event loop running in this one.
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


def test_what_is_waited_for_is_taken_whole():
    place = Place()
    answer = run(place.put(SMALL.file_bytes))
    assert answer.status_code == 204
    assert place.held() == SMALL.file_bytes


def test_a_file_is_as_large_as_one_that_can_be_read():
    assert Limits().file_bytes == MOST_BYTES


@pytest.mark.parametrize(
    "path",
    [
        "/_stcore/upload_file/one%20session/never-given-out",
        "/_stcore/upload_file/no%20session/file-0",
        "/_stcore/upload_file/one%20session",
        "/",
    ],
)
def test_what_nothing_waits_for_is_refused_unread(path: str):
    place = Place()
    place.path()
    answer = run(place.put(1_000, path=path))
    assert answer.status_code == 403
    assert "choose the file there" in answer.text
    assert not place.kept.file_storage


def test_the_address_of_another_session_does_not_work():
    place = Place()
    path = place.path(OTHER).replace(OTHER, SESSION)
    assert run(place.put(10, path=path)).status_code == 403


def test_an_address_works_once():
    place = Place()
    path = place.path()
    assert run(place.put(10, path=path)).status_code == 204
    assert run(place.put(10, path=path)).status_code == 403


@pytest.mark.parametrize("stated", [True, False])
def test_a_file_that_is_too_large_is_refused(stated: bool):
    place = Place()
    # The form around it has room of its own.
    answer = run(place.put(SMALL.file_bytes + 20_000, stated=stated))
    assert answer.status_code == 413
    assert "at most 1,000,000 bytes" in answer.text
    assert place.held() == 0


def test_a_length_that_is_a_lie_does_not_help():
    place = Place()
    answer = run(place.put(SMALL.file_bytes + 20_000, stated_size=500))
    assert answer.status_code == 413
    assert place.held() == 0


def test_of_a_refused_file_nothing_stays_in_memory():
    place = Place()

    def longest() -> int:
        """The largest piece of bytes that anything still has, that the collector knows of."""
        gc.collect()
        return max(
            (
                len(value)
                for held in gc.get_objects()
                if isinstance(held, dict | list | tuple)
                for value in (held.values() if isinstance(held, dict) else held)
                if isinstance(value, bytes | bytearray) and value[:100].count(b"x") == 100
            ),
            default=0,
        )

    assert run(place.put(SMALL.file_bytes + 20_000, stated=False)).status_code == 413
    assert longest() < PIECE
    assert run(place.put(SMALL.file_bytes + 10, stated=False)).status_code in (204, 413)


def test_a_session_may_bring_so_much_within_a_time():
    place = Place()
    for _ in range(3):
        assert run(place.put(900_000)).status_code == 204
    assert run(place.put(900_000)).status_code == 429
    refused = run(place.put(900_000, stated=False))
    assert refused.status_code == 429
    assert "at most 3,000,000 bytes within 15 minutes from one page" in refused.text
    assert refused.headers["retry-after"] == str(SMALL.window_seconds)
    # Another page of somebody else goes on.
    assert run(place.put(900_000, OTHER, client="192.0.2.2")).status_code == 204
    place.now = SMALL.window_seconds + 1
    assert run(place.put(900_000)).status_code == 204


def test_an_address_may_bring_so_much_whatever_the_pages():
    place = Place(replace(SMALL, held_bytes=90_000_000))
    for number in range(5):
        assert run(place.put(900_000, f"page {number}")).status_code == 204
    refused = run(place.put(900_000, "page 6"))
    assert refused.status_code == 429
    assert "from one address" in refused.text
    assert run(place.put(900_000, "page 7", client="192.0.2.2")).status_code == 204


def test_empty_files_are_not_free():
    place = Place(replace(SMALL, session_bytes=10 * PIECE))
    answers = [run(place.put(0)).status_code for _ in range(12)]
    assert answers[:9] == [204] * 9
    assert answers[-1] == 429


def test_what_is_kept_of_all_sessions_is_bounded():
    place = Place(replace(SMALL, held_bytes=2_500_000))
    for number in range(2):
        client = f"192.0.2.{number}"
        assert run(place.put(1_000_000, f"page {number}", client=client)).status_code == 204
    for stated in (True, False):
        refused = run(place.put(1_000_000, OTHER, client="192.0.2.9", stated=stated))
        assert refused.status_code == 429
        assert "has no room for this one" in refused.text
    assert place.held() == 2_000_000
    place.kept.remove_session_files("page 0")
    assert run(place.put(1_000_000, OTHER, client="192.0.2.9")).status_code == 204


@contextmanager
def half_sent(place: Place, loop: asyncio.AbstractEventLoop, **sender: str) -> Iterator[list[Any]]:
    """An upload that has sent some of its file and waits; with what it was answered."""
    more, said = asyncio.Event(), []

    async def receive() -> dict[str, Any]:
        if not said:
            said.append("begun")
            return {"type": "http.request", "body": BEFORE + b"x" * 900_000, "more_body": True}
        await more.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        said.append(message)

    path = place.path(sender.get("session_id", SESSION))
    scope = {
        "type": "http", "method": "PUT", "path": path, "raw_path": path.encode(),
        "root_path": "", "scheme": "http", "query_string": b"", "server": ("test", 80),
        "client": (sender.get("client", "192.0.2.1"), 1), "http_version": "1.1",
        "headers": [
            (b"content-type", f"multipart/form-data; boundary={BOUNDARY}".encode()),
            (b"x-xsrftoken", TOKEN.encode()),
            (b"cookie", f"_streamlit_xsrf={TOKEN}".encode()),
        ],
    }  # fmt: skip
    task = loop.create_task(place.app(scope, receive, send))
    yield said
    task.cancel()


async def until_gone() -> None:
    for _ in range(50):
        await asyncio.sleep(0)


async def until_begun(said: list[Any]) -> None:
    while not said:
        await asyncio.sleep(0)
    for _ in range(20):
        await asyncio.sleep(0)


def test_so_many_at_once_from_one_address():
    place = Place(replace(SMALL, at_once=1))

    async def two() -> tuple[int, int, int]:
        loop = asyncio.get_running_loop()
        with half_sent(place, loop) as said:
            await until_begun(said)
            same = (await place.put(10, OTHER)).status_code
            other = (await place.put(10, OTHER, client="192.0.2.2")).status_code
        await until_gone()
        return same, other, (await place.put(10, OTHER)).status_code

    assert run(two()) == (429, 204, 204)


def test_what_is_on_its_way_counts_as_kept():
    place = Place(replace(SMALL, held_bytes=1_500_000))

    async def two() -> tuple[int, int]:
        loop = asyncio.get_running_loop()
        with half_sent(place, loop) as said:
            await until_begun(said)
            beside = (await place.put(900_000, OTHER, client="192.0.2.2")).status_code
        await until_gone()
        return beside, (await place.put(900_000, OTHER, client="192.0.2.2")).status_code

    assert run(two()) == (429, 204)


def test_one_that_sends_nothing_more_gives_up_its_place():
    place = Place(replace(SMALL, at_once=1, stall_seconds=0.05))

    async def stalled() -> tuple[list[Any], int]:
        loop = asyncio.get_running_loop()
        with half_sent(place, loop) as said:
            async with asyncio.timeout(10):
                while len(said) < 3:
                    await asyncio.sleep(0.01)
        return said, (await place.put(10)).status_code

    said, after = run(stalled())
    assert said[1]["status"] == 408
    assert b"Choose the file again" in said[2]["body"]
    assert after == 204
    assert len(place.kept.file_storage) == 1


def test_so_many_files_are_waited_for_and_none_of_a_session_that_is_gone():
    waiting = Waiting()
    waiting.add("gone", ["a"], always)
    waiting.add("here", [str(number) for number in range(MOST_WAITING + 1)], "here".__eq__)
    assert not waiting.take("gone", "a")
    assert not waiting.take("here", "0")
    assert waiting.take("here", "1")


@pytest.mark.parametrize(
    ("client", "counted_as"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("unix", "unix"),
    ],
)
def test_who_counts_as_one(client: str, counted_as: str):
    assert address_of({"type": "http", "client": (client, 1)}) == counted_as


@pytest.mark.parametrize(
    ("proxy", "counted_as"), [("127.0.0.1", "198.51.100.4"), ("192.0.2.1", "192.0.2.1")]
)
def test_behind_a_proxy_the_visitor_counts_if_the_proxy_is_trusted(
    proxy: str, counted_as: str, monkeypatch: pytest.MonkeyPatch
):
    """What uvicorn does by itself, which `streamlit run` leaves as it is."""
    monkeypatch.delenv("FORWARDED_ALLOW_IPS", raising=False)
    seen = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(address_of(scope))

    config = uvicorn.Config(app, **_get_uvicorn_config_kwargs())
    config.load()
    forwarded = [(b"x-forwarded-for", b"203.0.113.9, 198.51.100.4")]
    scope = {"type": "http", "client": (proxy, 1), "headers": forwarded, "method": "GET"}
    run(config.loaded_app(scope, None, None))
    assert seen == [counted_as]


def test_other_requests_pass():
    seen = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope.get("method", scope["type"]))

    async def ask() -> None:
        for scope in ({"type": "lifespan"}, {"type": "http", "method": "DELETE", "path": "/"}):
            await UploadLimits(app)(scope, None, None)  # type: ignore[arg-type]

    run(ask())
    assert seen == ["lifespan", "DELETE"]


# The real server.


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    database = demonstration_file(tmp_path_factory)
    with serving(database, tmp_path_factory.mktemp("uploads")) as running:
        yield running


class Browser:
    """A page that is open, and what a browser can ask and send from it."""

    def __init__(self, server: Server, stream: ClientConnection, page: str):
        self.server, self.stream = server, stream
        message = BackMsg()
        message.rerun_script.page_name = page
        stream.send(message.SerializeToString())
        while True:
            found = self._next()
            if found.WhichOneof("type") == "new_session":
                self.session_id = found.new_session.initialize.session_id
            if found.WhichOneof("type") == "script_finished":
                break

    def _next(self) -> ForwardMsg:
        return ForwardMsg.FromString(self.stream.recv(timeout=60, decode=False))

    def address(self) -> str:
        """Asks where a file may be sent."""
        message = BackMsg()
        message.file_urls_request.request_id = "1"
        message.file_urls_request.session_id = self.session_id
        message.file_urls_request.file_names.append("a.csv")
        self.stream.send(message.SerializeToString())
        while True:
            found = self._next()
            if found.WhichOneof("type") == "file_urls_response":
                return found.file_urls_response.file_urls[0].upload_url

    def put(self, address: str, body: Any, **headers: str) -> httpx.Response:
        return httpx.put(
            self.server.url + address,
            content=body,
            headers={
                "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
                "X-Xsrftoken": TOKEN,
                "Cookie": f"_streamlit_xsrf={TOKEN}",
                **headers,
            },
            timeout=60,
        )


@contextmanager
def opened(server: Server, page: str) -> Iterator[Browser]:
    with connect(
        server.url.replace("http", "ws") + "/_stcore/stream",
        subprotocols=[Subprotocol("streamlit")],
        origin=Origin(server.url),
        max_size=None,
    ) as stream:
        yield Browser(server, stream, page)


FILE = BEFORE + b"a,b\n1,2\n" + AFTER


@pytest.mark.slow
def test_a_page_with_a_file_box_gets_its_file_and_no_other(server: Server):
    with opened(server, "data") as page:
        address = page.address()
        assert page.put(address.rsplit("/", 1)[0] + "/made-up", FILE).status_code == 403
        assert page.put(address, FILE).status_code == 204
        assert page.put(address, FILE).status_code == 403


@pytest.mark.slow
def test_a_page_without_a_file_box_gets_none(server: Server):
    with opened(server, "coverage") as page:
        refused = page.put(page.address(), FILE)
        assert refused.status_code == 403
        assert "Open the page that takes files" in refused.text
        # Nor after it showed one.
    with opened(server, "data") as page:
        Browser(server, page.stream, "coverage")
        assert page.put(page.address(), FILE).status_code == 403


def resident(pid: int) -> int:
    """Bytes of memory of a process."""
    line = next(
        line
        for line in Path(f"/proc/{pid}/status").read_text().splitlines()
        if line.startswith("VmRSS")
    )
    return int(line.split()[1]) * 1024


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is told by Linux only")
def test_what_is_too_large_is_cut_off_and_forgotten(server: Server):
    def endless() -> Iterator[bytes]:
        yield BEFORE
        for _ in range(MOST_BYTES // 1_000_000 + 5):
            yield b"x" * 1_000_000

    with opened(server, "data") as page:
        before = resident(server.pid)
        refused = page.put(page.address(), endless())
        assert refused.status_code == 413
        assert "at most 300,000,000 bytes" in refused.text
        assert resident(server.pid) < before + MOST_BYTES // 4
