"""Lets in who is signed in, and nobody else: every request and every message of a page.

What looks into the database is imported when first asked: the server is there sooner.
"""

from __future__ import annotations

import math
import time
from datetime import UTC, datetime, timedelta
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders, QueryParams
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboard import logs, warm_up
from dashboard.errors import fault_of_database
from dashboard.rules import roles
from dashboard.settings import LOCAL_HOSTS, settings

if TYPE_CHECKING:
    from dashboard.access import Reader

# All that is there for those who are not signed in: signing in, health, and stopping an e-mail.
SIGN_IN = "/sign-in"
# "__Host-": browsers take it over https only, for this host only, and from no page of another.
COOKIE = "__Host-dashboard"
OPEN = {
    SIGN_IN, f"{SIGN_IN}/start", f"{SIGN_IN}/done", "/sign-out", "/healthz", "/readyz",
    "/unsubscribe",
}  # fmt: skip
UPLOADS = "/_stcore/upload_file"
# How exactly it is known when somebody last did something.
SEEN_EVERY = timedelta(minutes=1)
# How often it is written down of a person that they asked for another board, and when it last was.
DENIED_EVERY_SECONDS = 60.0
_DENIED: dict[int, float] = {}
# Headers that only a proxy sets.
_OF_A_PROXY = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")


class Gate:
    """Finds out who asks, by the token that their browser keeps, and answers nobody else."""

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif settings().sign_in == "none":
            await self._on_one_machine(scope, receive, send)
        elif scope["path"] in OPEN:
            await self.app(scope, receive, _secure(send))
        else:
            await self._signed_in(scope, receive, send)

    async def _on_one_machine(self, scope: Scope, receive: Receive, send: Send) -> None:
        # A page elsewhere can make its own name point to this machine, and a proxy can hand on what
        # comes from anywhere: nothing of that is whoever sits here.
        headers = Headers(scope=scope)
        if _host(headers) not in LOCAL_HOSTS or any(name in headers for name in _OF_A_PROXY):
            words = (
                "This dashboard has no sign-in and answers on its own machine only: set up sign-in "
                "(README, Deploy for a team)."
            )
            await _refuse(PlainTextResponse(words, 403), scope, receive, send)
            return
        await self.app(scope, receive, send)

    async def _signed_in(self, scope: Scope, receive: Receive, send: Send) -> None:
        token = token_of(Headers(scope=scope))
        who = await run_in_threadpool(_reader_by, token)
        if not who.is_signed_in:
            await _refuse(_not_signed_in(scope), scope, receive, send)
            return
        logs.bind(user=str(who.person_id))
        if scope["path"].startswith(UPLOADS) and not who.may_somewhere(roles.WRITE):
            await _refuse(PlainTextResponse("not found", 404), scope, receive, send)
        elif scope["type"] == "websocket":
            await self.app(scope, _watched(receive, token, who), send)
        else:
            from dashboard.access import asking

            await run_in_threadpool(_seen, token, who)
            asked = QueryParams(scope["query_string"]).get("icb", "")
            if asked and not who.scope.admits(asked):
                # What is asked for answers that it is not there; that somebody tried is written down.
                await run_in_threadpool(_denied, who)
            with asking(who):
                await self.app(scope, receive, _secure(send))


def token_of(headers: Headers) -> str | None:
    """What the browser keeps of its sign-in."""
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return None
    return found.value if found else None


def _host(headers: Headers) -> str | None:
    try:
        return urlsplit(f"//{headers.get('host', '')}").hostname
    except ValueError:
        return None


def _reader_by(token: str | None) -> Reader:
    from dashboard.access import reader_by

    warm_up.wait()
    return reader_by(token)


def _seen(token: str | None, who: Reader) -> None:
    """Note that they did something, now and then."""
    from dashboard.access import hashed
    from dashboard.data import engine
    from queries.people import touch

    now = datetime.now(UTC)
    idle = timedelta(minutes=settings().idle_minutes)
    if token and who.idle_ends and now - (who.idle_ends - idle) >= SEEN_EVERY:
        try:
            touch(engine(), hashed(token), now)
        except Exception as error:
            # The database is busy or away for a moment: what they do next says the same.
            if fault_of_database(error) is None:
                raise


def _denied(who: Reader) -> None:
    """Write down that somebody asked for another board: which, and how often, is not theirs to fill the
    trail with."""
    from dashboard.data import engine
    from queries import trail

    now = time.monotonic()
    if now - _DENIED.get(who.person_id, -math.inf) >= DENIED_EVERY_SECONDS:
        _DENIED[who.person_id] = now
        trail.note_alone(engine(), trail.DENIED, who.person_id, {"what": "another board"})


def _not_signed_in(scope: Scope) -> Response:
    """A page sends to where one signs in, and back; anything else is told so."""
    headers = Headers(scope=scope)
    is_page = scope["type"] == "http" and "text/html" in headers.get("accept", "")
    if scope["type"] == "http" and scope["method"] == "GET" and is_page:
        query = scope["query_string"].decode("latin-1")
        here = scope["path"] + (f"?{query}" if query else "")
        return RedirectResponse(f"{SIGN_IN}?next={quote(here, safe='')}", 302)
    return PlainTextResponse("not signed in", 401)


async def _refuse(answer: Response, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        # Before it is accepted: the server answers the handshake with 403.
        await receive()
        await send({"type": "websocket.close", "code": 1008})
    else:
        answer.headers["Cache-Control"] = "no-store"
        await answer(scope, receive, send)


def _secure(send: Send) -> Send:
    """Every cookie over https only: the one of Streamlit's that carries a sign-in under way, too."""

    async def send_securely(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            message["headers"] = [
                (name, value + b"; Secure" if _is_open_cookie(name, value) else value)
                for name, value in headers.raw
            ]
        await send(message)

    return send_securely


def _is_open_cookie(name: bytes, value: bytes) -> bool:
    return name.lower() == b"set-cookie" and b"secure" not in value.lower()


def _watched(receive: Receive, token: str | None, at_first: Reader) -> Receive:
    """The messages of a page: who has ended, or has other roles than the page was made for, gets the
    whole page anew, which says so; a part of it would go on with what it was given."""

    async def receive_watched() -> Message:
        message = await receive()
        content = message.get("bytes") if message["type"] == "websocket.receive" else None
        if not content:
            return message
        from streamlit.proto.BackMsg_pb2 import BackMsg

        said = BackMsg()
        try:
            said.ParseFromString(content)
        # Streamlit answers what is none of its messages.
        except Exception:
            return message
        if said.WhichOneof("type") != "rerun_script":
            return message
        try:
            who = await run_in_threadpool(_reader_by, token)
        except Exception as error:
            if fault_of_database(error) is None:
                raise
            # The page asks again, and says what is wrong; the connection stays.
            who = None
        if who is None or who.grants != at_first.grants or not who.is_signed_in:
            said.rerun_script.fragment_id = ""
            return {**message, "bytes": said.SerializeToString()}
        if not said.rerun_script.is_auto_rerun:
            await run_in_threadpool(_seen, token, who)
        return message

    return receive_watched
