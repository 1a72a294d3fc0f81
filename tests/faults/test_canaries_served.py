"""Nobody sees another's area on the wire: the bytes of each page's WebSocket, as the server sends them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect

from dashboard import data, page_list
from dashboard.access import hashed
from dashboard.gate import COOKIE
from dashboard.settings import settings
from queries import people
from queries.database import writing
from queries.people import Grant
from tests.canary_board import A, B, made, marks, whose, written
from tests.made_once import HASH_KEY
from tests.served import Server, free_port, serving
from tests.small_board import AS_AT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

A1, A2, _ = A.networks
GRANTS = {
    "everything": Grant("analyst", "all"),
    "a board": Grant("icb_lead", "icb", A.code),
    "a network": Grant("pcn_lead", "pcn", A.code, A1.code),
}
SEES = {
    "everything": {each.word for board in (A, B) for each in (board, *board.networks)},
    "a board": {A.word, *(network.word for network in A.networks)},
    "a network": {A.word, A1.word},
}
# A page of either board is whole in a few seconds, on a machine that does other things too.
PATIENCE_SECONDS = 60


@dataclass(frozen=True)
class Team:
    """A team's dashboard, and what the browser of each of its people keeps."""

    server: Server
    tokens: dict[str, str]

    def headers(self, who: str) -> dict[str, str]:
        return {"Cookie": f"{COOKIE}={self.tokens[who]}"}

    def page(self, who: str, path: str, **address: str) -> bytes:
        """Every byte that the server sends for a page until its script has run."""
        origin = self.server.url
        stream = f"ws{origin.removeprefix('http')}/_stcore/stream"
        run = BackMsg()
        run.rerun_script.query_string = urlencode({"as_at": AS_AT.isoformat(), **address})
        run.rerun_script.page_name = path
        sent = []
        until = time.monotonic() + PATIENCE_SECONDS
        with connect(
            stream, additional_headers=self.headers(who), origin=origin, max_size=None
        ) as socket:  # fmt: skip
            socket.send(run.SerializeToString())
            while True:
                piece = socket.recv(timeout=max(until - time.monotonic(), 0.1))
                assert isinstance(piece, bytes)
                sent.append(piece)
                message = ForwardMsg()
                message.ParseFromString(piece)
                if message.WhichOneof("type") == "script_finished":
                    return b"".join(sent)


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory, upgraded_file: Path) -> Iterator[Team]:
    folder = tmp_path_factory.mktemp("team")
    path = made(folder / "canaries.db", upgraded_file)
    tokens = {who: f"token-{number}" for number, who in enumerate(GRANTS)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DASHBOARD_DATABASE_URL", f"sqlite:///{path.as_posix()}")
        patch.setenv("DASHBOARD_HASH_KEY", HASH_KEY)
        settings.cache_clear()
        engine = data.engine()
        written(engine)
        now = datetime.now(UTC)
        for who, grant in GRANTS.items():
            # Who is given a role is signed out: signed in before, to be known, and after.
            person = people.sign_in(engine, hashed(who), "issuer", who, who, [], now)
            with writing(engine) as connection:
                people.give(connection, grant, "test", now, person_id=person)
            people.sign_in(engine, hashed(tokens[who]), "issuer", who, who, [], now)
        engine.dispose()
    settings.cache_clear()
    port = free_port()
    also = {
        "DASHBOARD_SIGN_IN": "oidc",
        # Nobody signs in here: each has done so.
        "DASHBOARD_OIDC_METADATA_URL": "http://localhost:9/.well-known/openid-configuration",
        "DASHBOARD_OIDC_CLIENT_ID": "board",
        "DASHBOARD_OIDC_CLIENT_SECRET": "secret",
        "DASHBOARD_COOKIE_SECRET": "s" * 32,
        "DASHBOARD_PUBLIC_ADDRESS": f"http://localhost:{port}",
    }
    with serving(path, folder, port=port, also=also) as server:
        yield Team(Server(f"http://localhost:{port}", server.log, server.pid), tokens)


def seen(team: Team, who: str) -> set[str]:
    """Whose marks are in what goes to the browser: of both boards, and of another's network."""
    found: set[str] = set()
    for path in page_list.every_page():
        if path == "access":
            continue
        for address in ({"icb": A.code}, {"icb": A.code, "pcn": A2.code}, {"icb": B.code}):
            # The widest first, so that what is kept is there for whoever comes after.
            text = team.page(who, path, **address).decode("utf-8", "replace")
            found |= whose(marks(text) - (_echo(address) if who != "everything" else set()))
    return found


def _echo(address: dict[str, str]) -> set[tuple[str, str]]:
    """What was asked for may come back as it was asked: it is known to whoever typed it."""
    return marks(urlencode(address))


def test_on_the_wire_each_sees_their_own(team: Team):
    assert {who: seen(team, who) for who in GRANTS} == SEES


def test_the_files_too(team: Team):
    asked = f"icb={A.code}&as_at={AS_AT}"
    addresses = [
        f"/export/workforce.csv?{asked}",
        f"/table/workforce.json?{asked}&pcn={A1.code}",
        f"/table/workforce.json?{asked}&pcn={A2.code}",
        f"/export/workforce.csv?icb={B.code}&as_at={AS_AT}",
        f"/actions.csv?icb={A.code}",
        f"/brief.pdf?{asked}&pcn={A2.code}",
        "/history.csv",
    ]
    for who in GRANTS:
        text = "".join(
            httpx.get(team.server.url + address, headers=team.headers(who)).text
            for address in addresses
        )
        assert whose(marks(text)) - {B.word if who == "everything" else ""} <= SEES[who]
        assert A1.word in whose(marks(text))


def test_nobody_is_sent_nothing(team: Team):
    for address in ("/export/workforce.csv", "/history.csv", "/coverage", "/metrics", "/healthz"):
        answer = httpx.get(f"{team.server.url}{address}?icb={A.code}&as_at={AS_AT}")
        assert whose(marks(answer.text)) == set()
