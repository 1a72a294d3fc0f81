"""Signing in and out, by OpenID Connect: the organisation says who it is, the database what they may
see.

What looks into the database is imported when first asked: the server is there sooner.
"""

from __future__ import annotations

import logging
import math
import secrets
import time
from datetime import UTC, datetime
from functools import lru_cache
from html import escape
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from dashboard import warm_up
from dashboard.gate import COOKIE, SIGN_IN, token_of
from dashboard.plain_page import plain_page
from dashboard.settings import settings

_LOG = logging.getLogger("dashboard")
# Where somebody goes after signing in, kept in the cookie of the sign-in under way.
_NEXT = "next"
LONGEST_ADDRESS = 2_000
LONGEST_NAME = 100
REFUSED_EVERY_SECONDS = 60.0
AWAY = (
    "Your organisation's sign-in service does not answer",
    "Nothing is wrong with your account. Wait a minute and try again; if it stays so, tell whoever "
    "runs the dashboard.",
)
FAILED = (
    "You could not be signed in",
    "The answer of your organisation's sign-in service did not fit what was asked, or came too late. "
    "Begin again here; if it comes back, tell whoever runs the dashboard.",
)


@lru_cache(maxsize=1)
def _provider() -> Any:
    # Nobody needs it before the first sign-in.
    from authlib.integrations.starlette_client import OAuth

    chosen = settings()
    assert chosen.oidc_client_secret is not None
    return OAuth().register(
        "organisation",
        server_metadata_url=chosen.oidc_metadata_url,
        client_id=chosen.oidc_client_id,
        client_secret=chosen.oidc_client_secret.get_secret_value(),
        # PKCE: a code that is overheard is of no use. 10 s: a provider that hangs is away.
        client_kwargs={
            "scope": chosen.oidc_scopes, "code_challenge_method": "S256", "timeout": 10,
        },
    )  # fmt: skip


def place(asked: str | None) -> str:
    """The address of ours to go to; "/" for what is none, or of another host."""
    parts = urlsplit(asked or "/")
    is_ours = (
        asked is not None
        and len(asked) <= LONGEST_ADDRESS
        and asked.startswith("/")
        and not asked.startswith(("//", "/\\", SIGN_IN, "/sign-out"))
        and not parts.netloc
        and asked.isprintable()
        and "\\" not in asked
    )
    return asked if asked is not None and is_ours else "/"


async def ask(request: Request) -> Response:
    """The page for those who are not signed in."""
    where = quote(place(request.query_params.get(_NEXT)), safe="")
    body = (
        "<p>Use the account of your organisation. You come back to the same place.</p>"
        f'<p><a class="button" href="{SIGN_IN}/start?next={escape(where)}">Sign in</a></p>'
    )
    return _page("Social prescribing coverage", body)


async def start(request: Request) -> Response:
    """On to the organisation."""
    request.session[_NEXT] = place(request.query_params.get(_NEXT))
    try:
        answer: Response = await _provider().authorize_redirect(request, _address("/done"))
    # Whatever the provider or the way to it does: nobody is signed in.
    except Exception as error:
        _LOG.warning("sign-in service away: %s", type(error).__name__)
        return _told(*AWAY, status=503)
    return answer


async def done(request: Request) -> Response:
    """Back from the organisation: who it is, if the answer is the one that was asked for."""
    where = place(request.session.pop(_NEXT, None))
    try:
        # State, nonce, issuer, audience, signature and time are checked by Authlib.
        found = await _provider().authorize_access_token(request)
        claims = found["userinfo"]
        issuer, subject = str(claims["iss"]), str(claims["sub"])
    # One answer for all that can be wrong: a stranger learns nothing from which.
    except Exception as error:
        _LOG.warning("sign-in refused: %s", type(error).__name__)
        await run_in_threadpool(_refused)
        return _told(*FAILED, status=400)
    name = str(claims.get("name") or claims.get("preferred_username") or "no name given")
    groups = claims.get(settings().oidc_groups_claim) or []
    token = secrets.token_urlsafe(32)
    await run_in_threadpool(
        _begin, token, issuer, subject, _plain(name),
        [each for each in groups if isinstance(each, str)] if isinstance(groups, list) else [],
        token_of(request.headers),
    )  # fmt: skip
    answer = RedirectResponse(where, 303)
    answer.set_cookie(
        COOKIE,
        token,
        max_age=int(settings().session_hours * 3600),
        path="/",
        secure=True,
        httponly=True,
        samesite="lax",
    )
    return answer


def _plain(name: str) -> str:
    return "".join(letter for letter in name if letter.isprintable())[:LONGEST_NAME].strip()


def _begin(
    token: str, issuer: str, subject: str, name: str, groups: list[str], before: str | None
) -> None:
    from dashboard.access import hashed
    from dashboard.data import engine
    from queries import people, trail

    warm_up.wait()
    now = datetime.now(UTC)
    if before:
        end(before)
    who = people.sign_in(engine(), hashed(token), issuer, subject, name, groups, now)
    trail.note_alone(engine(), trail.SIGNED_IN, who, {})


class _Refused:
    """When a sign-in that failed was last written down."""

    at = -math.inf


def _refused() -> None:
    from dashboard.data import engine
    from queries import trail

    # Anybody can fail as often as they like; the trail is not theirs to fill. The log has each.
    if time.monotonic() - _Refused.at < REFUSED_EVERY_SECONDS:
        return
    _Refused.at = time.monotonic()
    warm_up.wait()
    trail.note_alone(engine(), trail.DENIED, trail.NOBODY, {"what": "sign in"})


async def sign_out(request: Request) -> Response:
    """End the sign-in, here and for whoever has copied it, and then at the organisation."""
    if request.headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
        # A page elsewhere does not sign anybody out.
        return RedirectResponse("/", 303)
    token = token_of(request.headers)
    if token:
        await run_in_threadpool(end, token)
    answer: Response = RedirectResponse(await _leaving_address(), 303)
    answer.delete_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="lax")
    return answer


def end(token: str) -> None:
    """End a sign-in, and write it down."""
    from dashboard.access import hashed
    from dashboard.data import engine
    from queries import people, trail

    who = people.end_sign_in(engine(), hashed(token), people.SIGNED_OUT, datetime.now(UTC))
    if who is not None:
        trail.note_alone(engine(), trail.SIGNED_OUT, who, {})


async def _leaving_address() -> str:
    """Where the organisation signs out too, if it says where; else the page to sign in again."""
    try:
        leaving = (await _provider().load_server_metadata()).get("end_session_endpoint")
    # Here they are signed out in any case.
    except Exception:
        leaving = None
    if not leaving:
        return SIGN_IN
    asked = {"client_id": settings().oidc_client_id, "post_logout_redirect_uri": _address("")}
    return f"{leaving}{'&' if '?' in leaving else '?'}{urlencode(asked)}"


def _address(path: str) -> str:
    return f"{settings().public_address}{SIGN_IN}{path}"


def _told(title: str, words: str, status: int) -> Response:
    again = f'<p><a class="button" href="{SIGN_IN}">Sign in</a></p>'
    return _page(title, f"<p>{escape(words)}</p>{again}", status)


def _page(title: str, body: str, status: int = 200) -> Response:
    return HTMLResponse(plain_page(title, body), status, headers={"Cache-Control": "no-store"})
