"""Every request and connection: an id, a line in the log and a count; an error's id when it fails."""

from __future__ import annotations

import logging
import secrets
import time

from starlette.datastructures import MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.routing import BaseRoute, Match, Route, WebSocketRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboard import logs, metrics
from dashboard.errors import fault_of_database, report_error

METHODS = {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"}
# Asked every few seconds: what changes there has a line of its own.
PROBES = {"/healthz", "/readyz"}
# Asked by the dozen for each first page: no line while all is well.
QUIET = {"/_stcore/health", "/_stcore/host-config", "/_stcore/metrics", "/static"}


class RequestLog:
    """Gives each request an id, and says what was asked (its kind, no more) and what came of it."""

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        request_id, name = secrets.token_hex(8), logs.REQUEST_ID_HEADER.lower().encode()
        # What a browser says is its id may be anything; a run of a page finds ours here.
        others = [(key, value) for key, value in scope["headers"] if key.lower() != name]
        scope["headers"] = [*others, (name, request_id.encode())]
        logs.new_request(request_id)
        seen = _Seen()

        async def send_with_id(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.accept"):
                seen.status = message.get("status", 101)
                message.setdefault("headers", [])
                MutableHeaders(scope=message)[logs.REQUEST_ID_HEADER] = request_id
            await send(message)

        try:
            await self.app(scope, receive, send_with_id)
        except Exception as error:
            words = report_error(error, "request")
            if scope["type"] != "http" or seen.status:
                seen.status = 500
                return
            fault = fault_of_database(error)
            failed = PlainTextResponse(
                f"{fault} ({words})"
                if fault
                else f"This could not be answered ({words}). Try again; if it comes back, give the "
                "error number to whoever runs the dashboard.",
                503 if fault else 500,
            )
            await failed(scope, receive, send_with_id)
        finally:
            _tell(scope, seen)


class _Seen:
    """What came of a request; status 0 when nothing was answered: the browser left."""

    def __init__(self) -> None:
        self.began = time.perf_counter()
        self.status = 0


def _tell(scope: Scope, seen: _Seen) -> None:
    seconds, route = time.perf_counter() - seen.began, route_class(scope)
    told = {"route": route, "status": seen.status, "ms": round(seconds * 1000, 1)}
    if scope["type"] == "websocket":
        logs.log.info("connection ended", **told)
        return
    metrics.count_request(route, seen.status, seconds)
    is_quiet = route in PROBES or (route in QUIET and seen.status < 400)
    level = logging.DEBUG if is_quiet else logging.INFO
    method = scope["method"] if scope["method"] in METHODS else "other"
    logs.log.log(level, "request", method=method, **told)


def route_class(scope: Scope) -> str:
    """The template of the route that was asked for, such as "/export/{subject}.{form}": out of a
    fixed list, never a part that somebody chose. "/static" for a script of the pages, "other" where
    there is none."""
    route = scope.get("route") or _refused_on_the_way(scope)
    if isinstance(route, Route | WebSocketRoute):
        return route.path
    if route is None:
        return "other"
    # What is left is Streamlit's: its scripts, or else the page, whatever the address.
    return "/static" if scope["path"].startswith("/static/") else "page"


def _refused_on_the_way(scope: Scope) -> BaseRoute | None:
    """The route that would have answered, had nothing before it."""
    app = scope.get("app")
    routes = app.routes if app is not None else ()
    return next((route for route in routes if route.matches(scope)[0] is Match.FULL), None)
