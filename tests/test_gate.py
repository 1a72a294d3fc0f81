"""Who is let in: on one machine, and message by message over a WebSocket."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import Engine, select, update
from streamlit.proto.BackMsg_pb2 import BackMsg

from dashboard import data, gate
from dashboard.access import hashed
from dashboard.gate import COOKIE, Gate
from dashboard.settings import Settings, settings
from queries import people, tables
from queries.database import writing
from queries.people import Grant

SECRET = "s" * 32
TOKEN = "a-token-of-a-browser"
TEAM = {
    "sign_in": "oidc",
    "oidc_metadata_url": "https://login.example/.well-known/openid-configuration",
    "oidc_client_id": "board",
    "oidc_client_secret": "secret",
    "cookie_secret": SECRET,
    "hash_key": SECRET,
    "public_address": "https://board.example.nhs.uk",
}


@pytest.fixture
def team(sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """A team's dashboard on an empty database; one analyst is signed in."""
    for name, value in TEAM.items():
        monkeypatch.setenv(f"DASHBOARD_{name.upper()}", value)
    monkeypatch.setenv("DASHBOARD_DATABASE_URL", str(sqlite_engine.url))
    settings.cache_clear()
    now = datetime.now(UTC)
    people.sign_in(sqlite_engine, "another", "issuer", "pat", "Pat", [], now)
    with writing(sqlite_engine) as connection:
        people.give(connection, Grant("analyst", "all"), "test", now, person_id=1)
    people.sign_in(sqlite_engine, hashed(TOKEN), "issuer", "pat", "Pat", [], now)
    yield sqlite_engine
    data.engine().dispose()
    settings.cache_clear()


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A dashboard on one machine."""
    monkeypatch.delenv("DASHBOARD_SIGN_IN", raising=False)
    settings.cache_clear()
    yield
    settings.cache_clear()


class Behind:
    """What is behind the gate: keeps what comes through."""

    def __init__(self) -> None:
        self.came: list[Any] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            self.came.append(scope["path"])
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"in"})
            return
        while (message := await receive())["type"] != "websocket.disconnect":
            self.came.append(message)


def ask(
    kind: str, headers: dict[str, str], messages: list[Any] | None = None, path: str = "/"
) -> tuple[list[Any], list[Any]]:
    """What the gate sends, and what comes through to behind it."""
    behind, sent, waiting = Behind(), [], iter(messages or [])
    scope = {
        "type": kind, "path": path, "method": "GET", "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }  # fmt: skip

    async def receive() -> Any:
        message = next(waiting, {"type": "websocket.disconnect"})
        return message() if callable(message) else message

    async def send(message: Any) -> None:
        sent.append(message)

    # In a thread: the browser tests of the same worker leave an event loop running in this one.
    with ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: asyncio.run(Gate(behind)(scope, receive, send))).result()
    return sent, behind.came


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:8501", "127.0.0.1:8501", "[::1]:8501", "[::1]"]
)
@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_whoever_sits_here_is_let_in(alone: None, host: str, kind: str):
    sent, came = ask(kind, {"host": host}, [{"type": "websocket.connect"}])
    assert came
    assert not [m for m in sent if m["type"] == "websocket.close" or m.get("status") == 403]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"host": "board.example.nhs.uk"},
        {"host": "127.0.0.1.evil.example:8501"},
        {"host": "localhost.evil.example"},
        {"host": "192.168.1.7:8501"},
        {"host": "localhost", "x-forwarded-for": "10.1.2.3"},
        {"host": "localhost", "forwarded": "for=10.1.2.3"},
        {"host": "localhost", "via": "1.1 proxy"},
    ],
)
@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_what_comes_from_elsewhere_is_not(alone: None, headers: dict[str, str], kind: str):
    sent, came = ask(kind, headers, [{"type": "websocket.connect"}])
    assert came == []
    if kind == "http":
        assert sent[0]["status"] == 403
        assert b"has no sign-in" in sent[1]["body"]
    else:
        assert sent == [{"type": "websocket.close", "code": 1008}]


@pytest.mark.parametrize("cookie", ["", f"{COOKIE}=x", f"other={TOKEN}", "=;=;", f"{COOKIE}"])
def test_no_page_opens_for_who_is_not_signed_in(team: Engine, cookie: str):
    sent, came = ask("websocket", {"cookie": cookie}, [{"type": "websocket.connect"}])
    assert (sent, came) == ([{"type": "websocket.close", "code": 1008}], [])


@pytest.mark.parametrize("path", sorted(gate.OPEN))
def test_these_are_open_to_all(team: Engine, path: str):
    assert ask("http", {}, path=path)[1] == [path]


@pytest.mark.parametrize(
    "path", ["/sign-in/", "/sign-in/x", "/healthz/..", "//healthz", "/HEALTHZ", "/_stcore/health"]
)
def test_and_nothing_that_looks_like_them(team: Engine, path: str):
    assert ask("http", {}, path=path)[1] == []


def rerun(fragment: str = "", auto: bool = False) -> dict[str, Any]:
    said = BackMsg()
    said.rerun_script.fragment_id = fragment
    said.rerun_script.is_auto_rerun = auto
    return {"type": "websocket.receive", "bytes": said.SerializeToString()}


def fragments(came: list[Any]) -> list[str]:
    found = []
    for message in came:
        said = BackMsg()
        said.ParseFromString(message["bytes"])
        found.append(said.rerun_script.fragment_id)
    return found


def seen_at(engine: Engine) -> datetime:
    found = people.sign_in_of(engine, hashed(TOKEN))
    assert found is not None
    return found.seen_at


def test_a_part_of_a_page_runs_alone_while_all_is_as_it_was(team: Engine):
    _, came = ask("websocket", {"cookie": f"{COOKIE}={TOKEN}"}, [rerun("map"), rerun("list")])
    assert fragments(came) == ["map", "list"]


@pytest.mark.parametrize(
    "change",
    [
        lambda engine: people.end_sign_in(
            engine, hashed(TOKEN), people.SIGNED_OUT, datetime.now(UTC)
        ),
        lambda engine: give(engine, Grant("pcn_lead", "pcn", "QKS", "U90001")),
        lambda engine: long_ago(engine, "seen_at", minutes=31),
        lambda engine: long_ago(engine, "started_at", hours=9),
    ],
    ids=["signed out", "another role", "idle", "too long"],
)
def test_whoever_was_let_in_on_other_terms_gets_the_whole_page(
    team: Engine, change: Callable[[Engine], object]
):
    def changed() -> dict[str, Any]:
        change(team)
        return rerun("list")

    _, came = ask("websocket", {"cookie": f"{COOKIE}={TOKEN}"}, [rerun("map"), changed])
    assert fragments(came) == ["map", ""]


def give(engine: Engine, grant: Grant) -> None:
    with writing(engine) as connection:
        people.give(connection, grant, "test", datetime.now(UTC), person_id=1)


def long_ago(engine: Engine, column: str, **ago: int) -> None:
    with writing(engine) as connection:
        connection.execute(
            update(tables.sign_in).values({column: datetime.now(UTC) - timedelta(**ago)})
        )


@pytest.mark.parametrize(("auto", "counts"), [(False, True), (True, False)])
def test_a_page_that_renews_itself_is_nobody_who_is_there(team: Engine, auto: bool, counts: bool):
    long_ago(team, "seen_at", minutes=20)
    before = seen_at(team)
    ask("websocket", {"cookie": f"{COOKIE}={TOKEN}"}, [rerun(auto=auto)])
    assert (seen_at(team) > before) is counts


def test_what_is_no_message_of_ours_goes_on_as_it_is(team: Engine):
    sent = [
        {"type": "websocket.receive", "bytes": b"\xff\xfe"},
        {"type": "websocket.receive", "text": "words"},
    ]
    assert ask("websocket", {"cookie": f"{COOKIE}={TOKEN}"}, sent)[1] == sent


def test_a_busy_database_does_not_hold_a_click_up(team: Engine):
    long_ago(team, "seen_at", minutes=20)
    # Somebody loads a file meanwhile.
    with team.connect().execution_options(writes=True) as other, other.begin():
        other.execute(select(tables.load))
        data.engine().dispose()
        _, came = ask("http", {"cookie": f"{COOKIE}={TOKEN}", "host": "x"}, path="/history.csv")
        assert came == ["/history.csv"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        *(({name: ""}, f"{name} is missing") for name in TEAM if name not in ("sign_in", "hash_key",
          "cookie_secret", "oidc_client_secret")),
        ({"cookie_secret": None}, "cookie_secret is missing"),
        ({"hash_key": None}, "hash_key is missing"),
        ({"cookie_secret": "short"}, "at least 32"),
        ({"oidc_metadata_url": "http://login.example/x"}, "does not begin with https"),
        ({"public_address": "http://board.example.nhs.uk"}, "expected https"),
        ({"disclosure_profile": "internal", "allow_internal": True}, "hides no number"),
        ({"session_hours": 9}, "less than or equal to 8"),
        ({"idle_minutes": 31}, "less than or equal to 30"),
        ({"sign_in": "maybe"}, "'none' or 'oidc'"),
    ],
)  # fmt: skip
def test_unsafe_settings_are_refused_with_the_reason(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, change: dict[str, Any], words: str
):
    for name in (*TEAM, "database_url", "disclosure_profile"):
        monkeypatch.delenv(f"DASHBOARD_{name.upper()}", raising=False)
    assert Settings(**TEAM).sign_in == "oidc"
    with pytest.raises(ValidationError, match=words) as refused:
        Settings(**TEAM | change)
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(
    ("sign_in", "address", "starts"),
    [
        ("none", "127.0.0.1", True), ("none", "localhost", True), ("none", "0.0.0.0", False),
        ("none", None, False), ("none", "10.1.2.3", False), ("oidc", "0.0.0.0", True),
        ("oidc", "127.0.0.1", True),
    ],
)  # fmt: skip
def test_nobody_is_served_without_sign_in_but_on_this_machine(
    sign_in: str, address: str | None, starts: bool
):
    chosen = Settings(**TEAM | {"sign_in": sign_in})
    assert (chosen.why_not_serve(address) == "") is starts
