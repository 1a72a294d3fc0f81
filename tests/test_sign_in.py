"""Signing in and out over HTTP, against a real sign-in service that can be told to lie."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, select, update
from sqlalchemy.exc import OperationalError
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware

from dashboard import access, data, gate, routes, sign_in
from dashboard.access import hashed, reader_by
from dashboard.gate import COOKIE
from dashboard.settings import settings
from queries import people, tables, trail
from queries.database import make_engine, writing
from queries.people import Grant
from tests.identity_provider import Claims, Provider, provider

# The service for tests uses parts of its library that are on their way out.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

ADDRESS = "https://board.example.nhs.uk"
SECRET = "s" * 32
# There for everybody who is signed in.
ANYTHING = "/geo/topo/world.json"
_APP = Starlette(
    routes=routes.ROUTES,
    middleware=[
        *routes.MIDDLEWARE,
        # Streamlit's own, where it keeps a sign-in under way.
        Middleware(SessionMiddleware, secret_key=SECRET, same_site="lax"),
    ],
)


class Browser:
    """Keeps cookies as a browser does that came by https."""

    def __init__(self) -> None:
        self.cookies: dict[str, str] = {}
        self.set: list[str] = []

    def get(self, address: str, **headers: str) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(app=_APP)
            async with httpx.AsyncClient(transport=transport, base_url=ADDRESS) as client:
                kept = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
                sent = {name.replace("_", "-"): value for name, value in headers.items()}
                return await client.get(address, headers={**sent, "cookie": kept})

        with ThreadPoolExecutor(1) as pool:
            answer = pool.submit(asyncio.run, ask()).result()
        self.set = answer.headers.get_list("set-cookie")
        for line in self.set:
            for name, morsel in SimpleCookie(line).items():
                self.cookies[name] = morsel.value
                if morsel["max-age"] == "0":
                    del self.cookies[name]
        return answer

    def sign_in(self, service: Provider, who: str, where: str = "/") -> httpx.Response:
        """All the way to the service and back."""
        asked = self.get(f"/sign-in/start?next={where}")
        return self.get(service.say_who(asked.headers["location"], who))


@pytest.fixture(scope="module")
def service() -> Iterator[Provider]:
    with provider() as found:
        yield found


@pytest.fixture
def team(
    service: Provider, sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Engine]:
    """The dashboard asks everybody to sign in, on an empty database."""
    service.spoil, service.other_key = None, False
    for name, value in {
        "SIGN_IN": "oidc",
        "OIDC_METADATA_URL": service.metadata_url,
        "OIDC_CLIENT_ID": "board",
        "OIDC_CLIENT_SECRET": "secret",
        "COOKIE_SECRET": SECRET,
        "HASH_KEY": SECRET,
        "PUBLIC_ADDRESS": ADDRESS,
        "DATABASE_URL": str(sqlite_engine.url),
    }.items():
        monkeypatch.setenv(f"DASHBOARD_{name}", value)
    settings.cache_clear()
    sign_in._provider.cache_clear()
    monkeypatch.setattr(sign_in._Refused, "at", -math.inf)
    yield sqlite_engine
    # The next test has another file of the same name.
    data.engine().dispose()
    settings.cache_clear()
    sign_in._provider.cache_clear()


def sign_ins(engine: Engine) -> list[tuple[int, str | None]]:
    kept = tables.sign_in.c
    with engine.connect() as connection:
        rows = connection.execute(select(kept.person_id, kept.ended_why).order_by(kept.started_at))
        return [tuple(row) for row in rows]


def kinds(engine: Engine) -> list[str]:
    return trail.lines(engine)["kind"].tolist()[::-1]


def give(engine: Engine, grant: Grant, person_id: int | None = None, group: str | None = None):
    with writing(engine) as connection:
        return people.give(
            connection, grant, "test", datetime.now(UTC), person_id=person_id, group_name=group
        )


def test_who_signs_in_comes_back_to_where_they_were(service: Provider, team: Engine):
    browser = Browser()
    asked = browser.get("/coverage?icb=QKS&ward=E05000001", accept="text/html")
    assert asked.status_code == 302
    here = urlsplit(asked.headers["location"])
    assert here.path == "/sign-in"
    page = browser.get(asked.headers["location"])
    assert page.status_code == 200
    assert "/sign-in/start?next=%2Fcoverage%3Ficb%3DQKS%26ward%3DE05000001" in page.text
    answer = browser.sign_in(service, "lead", parse_qs(here.query)["next"][0].replace("&", "%26"))
    assert (answer.status_code, answer.headers["location"]) == (
        303,
        "/coverage?icb=QKS&ward=E05000001",
    )
    (cookie,) = [line for line in browser.set if line.startswith(COOKIE)]
    flags = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert {"httponly", "secure", "samesite=lax", "path=/", "max-age=28800"} <= flags
    who = reader_by(browser.cookies[COOKIE])
    assert (who.name, who.is_signed_in, who.grants) == ("Pat Lead", True, frozenset())
    # What the browser keeps is nowhere in the database.
    assert browser.cookies[COOKIE].encode() not in Path(str(team.url.database)).read_bytes()
    assert kinds(team) == [trail.SIGNED_IN]


def test_every_cookie_is_for_https_only(service: Provider, team: Engine):
    browser = Browser()
    browser.get("/sign-in/start")
    assert browser.set
    assert all("secure" in line.lower() for line in browser.set)


def without(claims: Claims, name: str) -> Claims:
    return {key: value for key, value in claims.items() if key != name}


@pytest.mark.parametrize(
    "spoil",
    [
        lambda claims: claims | {"nonce": "another"},
        lambda claims: without(claims, "nonce"),
        lambda claims: claims | {"aud": "another"},
        lambda claims: without(claims, "aud"),
        lambda claims: claims | {"iss": "http://elsewhere.example"},
        lambda claims: without(claims, "iss"),
        lambda claims: without(claims, "sub"),
        lambda claims: claims | {"exp": int(time.time()) - 3_600},
        lambda claims: without(claims, "exp"),
    ],
    ids=["nonce", "no nonce", "audience", "no audience", "issuer", "no issuer", "nobody", "old",
         "endless"],
)  # fmt: skip
def test_a_wrong_token_signs_nobody_in(
    service: Provider, team: Engine, spoil: Callable[[Claims], Claims]
):
    service.spoil = spoil
    browser = Browser()
    answer = browser.sign_in(service, "lead")
    assert (answer.status_code, COOKIE in browser.cookies) == (400, False)
    assert "You could not be signed in" in answer.text
    assert sign_ins(team) == []
    assert kinds(team) == [trail.DENIED]


def test_a_token_signed_by_somebody_else_signs_nobody_in(service: Provider, team: Engine):
    service.other_key = True
    assert Browser().sign_in(service, "lead").status_code == 400
    assert sign_ins(team) == []


def test_nobody_fills_the_trail_by_failing(
    service: Provider, team: Engine, monkeypatch: pytest.MonkeyPatch
):
    for _ in range(5):
        assert Browser().get("/sign-in/done?code=a&state=b").status_code == 400
    assert kinds(team) == [trail.DENIED]
    monkeypatch.setattr(sign_in, "REFUSED_EVERY_SECONDS", 0)
    Browser().get("/sign-in/done?code=a&state=b")
    assert kinds(team) == [trail.DENIED, trail.DENIED]


def test_an_answer_to_another_question_signs_nobody_in(service: Provider, team: Engine):
    mine, theirs = Browser(), Browser()
    asked = theirs.get("/sign-in/start").headers["location"]
    mine.get("/sign-in/start")
    # The state is of another browser: somebody would be signed in as somebody else.
    assert mine.get(service.say_who(asked, "lead")).status_code == 400
    assert mine.get("/sign-in/done?code=abc").status_code == 400
    assert mine.get("/sign-in/done?error=access_denied&state=x").status_code == 400
    assert sign_ins(team) == []


def test_a_code_is_good_for_once(service: Provider, team: Engine):
    browser = Browser()
    back = service.say_who(browser.get("/sign-in/start").headers["location"], "lead")
    before = dict(browser.cookies)
    assert browser.get(back).status_code == 303
    # Again, by who overheard the address and has every cookie of then.
    other = Browser()
    other.cookies = before
    assert other.get(back).status_code == 400
    code = parse_qs(urlsplit(back).query)["code"][0]
    fresh = Browser()
    state = parse_qs(urlsplit(fresh.get("/sign-in/start").headers["location"]).query)["state"][0]
    assert fresh.get(f"/sign-in/done?code={code}&state={state}").status_code == 400
    assert len(sign_ins(team)) == 1


def test_a_service_that_is_away_is_said_to_be(team: Engine, monkeypatch: pytest.MonkeyPatch):
    # A port on which nothing listens.
    monkeypatch.setenv(
        "DASHBOARD_OIDC_METADATA_URL", "http://localhost:1/.well-known/openid-configuration"
    )
    settings.cache_clear()
    answer = Browser().get("/sign-in/start")
    assert answer.status_code == 503
    assert "does not answer" in answer.text


@given(asked=st.one_of(st.text(), st.text().map(lambda tail: f"/{tail}"), st.none()))
def test_nobody_is_sent_elsewhere(asked: str | None):
    where = sign_in.place(asked)
    assert where in ("/", asked)
    assert where.startswith("/")
    assert not urlsplit(where).netloc
    assert not where.startswith(("//", "/\\", "/sign-"))
    assert "\\" not in where
    assert where.isprintable()


@pytest.mark.parametrize(
    "asked",
    ["//evil.example", "/\\evil.example", "https://evil.example", "/\t/evil.example",
     "javascript:alert(1)", "/sign-out", "/" + "a" * 2_000],
)  # fmt: skip
def test_these_places_are_none_of_ours(asked: str):
    assert sign_in.place(asked) == "/"


def test_a_group_gives_a_role_and_others_are_not_kept(service: Provider, team: Engine):
    number = give(team, Grant("icb_lead", "icb", "QKS"), group="icb-leads")
    browser = Browser()
    browser.sign_in(service, "lead")
    who = reader_by(browser.cookies[COOKIE])
    assert who.grants == {Grant("icb_lead", "icb", "QKS")}
    with team.connect() as connection:
        assert connection.scalar(select(tables.sign_in.c.groups)) == '["icb-leads"]'
    with writing(team) as connection:
        assert people.take_away(connection, number, "test", datetime.now(UTC))
    assert not reader_by(browser.cookies[COOKIE]).is_signed_in
    assert sign_ins(team) == [(1, people.ROLE_CHANGED)]


def test_a_role_given_or_taken_away_signs_out_everywhere(service: Provider, team: Engine):
    here, there = Browser(), Browser()
    here.sign_in(service, "lead")
    there.sign_in(service, "lead")
    other = Browser()
    other.sign_in(service, "stranger")
    number = give(team, Grant("analyst", "all"), person_id=1)
    for browser in (here, there):
        assert browser.get(ANYTHING).status_code == 401
    assert other.get("/healthz").status_code == 200
    assert reader_by(other.cookies[COOKIE]).is_signed_in
    here.sign_in(service, "lead")
    assert reader_by(here.cookies[COOKIE]).grants == {Grant("analyst", "all")}
    with writing(team) as connection:
        people.take_away(connection, number, "test", datetime.now(UTC))
    assert here.get(ANYTHING).status_code == 401


def test_who_signs_out_leaves_nothing_that_could_be_copied(service: Provider, team: Engine):
    browser = Browser()
    browser.sign_in(service, "lead")
    copied = Browser()
    copied.cookies = dict(browser.cookies)
    assert copied.get(ANYTHING).status_code == 200
    # A page elsewhere has a link to it.
    assert browser.get("/sign-out", sec_fetch_site="cross-site").headers["location"] == "/"
    assert copied.get(ANYTHING).status_code == 200
    answer = browser.get("/sign-out", sec_fetch_site="same-origin")
    assert answer.headers["location"].startswith(f"{service.url}/oauth2/end_session?")
    assert COOKIE not in browser.cookies
    assert copied.get(ANYTHING).status_code == 401
    assert sign_ins(team) == [(1, people.SIGNED_OUT)]
    assert kinds(team) == [trail.SIGNED_IN, trail.SIGNED_OUT]


def test_signing_in_again_ends_the_one_before(service: Provider, team: Engine):
    browser = Browser()
    browser.sign_in(service, "lead")
    before = browser.cookies[COOKIE]
    browser.sign_in(service, "admin")
    assert not reader_by(before).is_signed_in
    assert reader_by(browser.cookies[COOKIE]).name == "Ada Min"


@pytest.mark.parametrize(
    ("started_minutes", "seen_minutes", "goes_on"),
    [(29, 29, True), (31, 29, True), (31, 31, False), (479, 0, True), (481, 0, False)],
)
def test_how_long_a_sign_in_lasts(
    service: Provider, team: Engine, started_minutes: int, seen_minutes: int, goes_on: bool
):
    browser = Browser()
    browser.sign_in(service, "lead")
    now = datetime.now(UTC)
    with writing(team) as connection:
        connection.execute(
            update(tables.sign_in).values(
                started_at=now - timedelta(minutes=started_minutes),
                seen_at=now - timedelta(minutes=seen_minutes),
            )
        )
    assert reader_by(browser.cookies[COOKIE]).is_signed_in is goes_on
    assert browser.get(ANYTHING).status_code == (200 if goes_on else 401)


def test_what_is_done_keeps_a_sign_in(service: Provider, team: Engine):
    browser = Browser()
    browser.sign_in(service, "lead")
    token = hashed(browser.cookies[COOKIE])
    long_ago = datetime.now(UTC) - timedelta(minutes=20)
    people.touch(team, token, long_ago)
    browser.get(ANYTHING)
    found = people.sign_in_of(team, token)
    assert found is not None
    assert found.seen_at - long_ago > timedelta(minutes=19)


@pytest.mark.parametrize("token", ["", "x", "a" * 43, '"', "{}", None])
def test_nobody_is_let_in_by_something_else(team: Engine, token: str | None):
    browser = Browser()
    if token is not None:
        browser.cookies[COOKIE] = token
    for address in (
        "/history.csv",
        "/export/coverage.csv?icb=QKS",
        "/_stcore/metrics",
        "/trail.csv",
    ):
        answer = browser.get(address)
        assert (answer.status_code, answer.text) == (401, "not signed in")
        assert answer.headers["cache-control"] == "no-store"
    assert browser.get("/outcomes", accept="text/html").status_code == 302


def test_what_a_name_may_be(service: Provider, team: Engine):
    service.spoil = lambda claims: claims | {"name": "A\x00\n<b>" + "x" * 500, "groups": "all"}
    browser = Browser()
    assert browser.sign_in(service, "lead").status_code == 303
    assert reader_by(browser.cookies[COOKIE]).name == "A<b>" + "x" * 96


def test_uploads_are_for_those_who_write(service: Provider, team: Engine):
    give(team, Grant("administrator", "all"), group="icb-leads")
    browser = Browser()
    browser.sign_in(service, "lead")
    answer = browser.get("/_stcore/upload_file/a/b")
    assert (answer.status_code, answer.text) == (404, "not found")


@pytest.mark.parametrize("address", ["/access-review.csv", "/trail.csv"])
def test_who_has_access_is_for_administrators(service: Provider, team: Engine, address: str):
    give(team, Grant("icb_lead", "all"), group="icb-leads")
    browser = Browser()
    browser.sign_in(service, "lead")
    assert browser.get(address).text == "not found"
    browser.sign_in(service, "admin")
    give(team, Grant("administrator", "all"), person_id=2)
    browser.sign_in(service, "admin")
    assert "Ada Min" in browser.get("/access-review.csv").text
    assert "signed in" in browser.get("/trail.csv").text
    # An administrator gives access, and has none to figures by that.
    assert reader_by(browser.cookies[COOKIE]).scope.icb_codes == frozenset()


def test_a_file_that_is_taken_is_written_down_first(
    service: Provider, team: Engine, monkeypatch: pytest.MonkeyPatch
):
    give(team, Grant("administrator", "all"), group="icb-leads")
    browser = Browser()
    browser.sign_in(service, "lead")
    assert browser.get("/access-review.csv?icb=Jane Doe, born 3/4/1950").status_code == 200
    line = trail.lines(team).iloc[0]
    assert (line["kind"], line["person_id"]) == (trail.EXPORTED, 1)
    assert line["detail"] == '{"board": null, "file": "access-review.csv"}'
    # A template has nothing of anybody in it.
    assert browser.get("/template/services.csv").status_code == 200
    assert kinds(team)[-1] == trail.EXPORTED
    assert kinds(team).count(trail.EXPORTED) == 1

    def full(*_: object) -> None:
        raise OperationalError("", None, Exception("the disk is full"))

    monkeypatch.setattr(trail, "note_alone", full)
    answer = browser.get("/access-review.csv")
    assert (answer.status_code, "could not be written down" in answer.text) == (503, True)


def test_who_asks_for_another_board_is_written_down(
    service: Provider, team: Engine, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(gate, "_DENIED", {})
    give(team, Grant("icb_lead", "icb", "QKS"), group="icb-leads")
    browser = Browser()
    browser.sign_in(service, "lead")
    browser.get(f"{ANYTHING}?icb=QKS")
    assert kinds(team) == [trail.SIGNED_IN]
    for _ in range(3):
        browser.get(f"{ANYTHING}?icb=QXX")
    assert kinds(team) == [trail.SIGNED_IN, trail.DENIED]
    line = trail.lines(team).iloc[0]
    assert (line["person_id"], line["detail"]) == (1, '{"what": "another board"}')


def test_postgres_knows_who_signed_in_too(postgres_engine: Engine):
    now = datetime.now(UTC)
    for token in ("a", "b"):
        assert people.sign_in(postgres_engine, hashed(token), "i", "s", "Pat", ["g"], now) == 1
    with writing(postgres_engine) as connection:
        people.give(connection, Grant("analyst", "all"), "test", now, group_name="g")
    assert people.end_sign_in(postgres_engine, hashed("a"), people.SIGNED_OUT, now) == 1
    assert people.end_sign_in(postgres_engine, hashed("a"), people.SIGNED_OUT, now) is None
    assert people.sign_in_of(postgres_engine, hashed("a")) is None
    found = people.sign_in_of(postgres_engine, hashed("b"))
    # The group meant nothing here when they signed in.
    assert found is not None
    assert (found.shown_name, found.grants) == ("Pat", frozenset())
    assert access.ends(found) - now == timedelta(hours=8)
    engine = make_engine(postgres_engine.url.render_as_string(hide_password=False))
    people.sign_in(engine, hashed("c"), "i", "s", "Pat", ["g"], now)
    found = people.sign_in_of(engine, hashed("c"))
    assert found is not None
    assert found.grants == {Grant("analyst", "all")}
    engine.dispose()
