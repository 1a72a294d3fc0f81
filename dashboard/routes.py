"""What the server answers beside the pages: shapes, exports, health; and safe headers on all.

What answers with data imports what it needs when first asked: the server is there sooner.
"""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import (
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
)
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboard import warm_up

if TYPE_CHECKING:
    import pandas as pd

# Plotly asks for the coastlines of the world even when it draws none of them.
_NO_COASTLINES = {
    "type": "Topology",
    "arcs": [],
    "objects": {
        name: {"type": "GeometryCollection", "geometries": []}
        for name in ("coastlines", "land", "ocean", "lakes", "rivers", "countries", "subunits")
    },
}
# What the lists of services, of capacity and of the pathway depend on, as the page's address names it.
NARROWED = (
    "theme", "room", "cost", "access", "age", "place", "provider", "by", "cohort", "groups",
)  # fmt: skip
# What a mail program says to stop an e-mail takes a few dozen bytes.
MOST_SAID_BYTES = 4_096
FOR_EVER = {"Cache-Control": "public, max-age=31536000, immutable"}

# Streamlit needs inline styles, and its components and Plotly come as blobs and by eval;
# nothing may come from, or go to, another host.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self' ws: wss:",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
SAFE_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}


class SafeHeaders:
    """Puts the headers that Streamlit leaves out on every answer."""

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                names = {name.lower() for name, _ in message["headers"]}
                message["headers"] = [
                    *message["headers"],
                    *(
                        (name.lower().encode(), value.encode())
                        for name, value in SAFE_HEADERS.items()
                        if name.lower().encode() not in names
                    ),
                ]
            await send(message)

        await self.app(scope, receive, send_safely if scope["type"] == "http" else send)


def geometry(request: Request) -> Response:
    """Ward shapes, compressed once when they were built; 404 for a name not in use."""
    from dashboard.access import current_scope
    from dashboard.maps import board_map

    warm_up.wait()
    board = board_map(current_scope(), request.path_params["icb_code"])
    layer = board.layer(request.path_params["name"])
    if layer is None:
        return PlainTextResponse("not found", 404)
    headers = {**FOR_EVER, "Vary": "Accept-Encoding"}
    if "gzip" not in request.headers.get("accept-encoding", ""):
        return Response(layer.body, media_type="application/geo+json", headers=headers)
    headers["Content-Encoding"] = "gzip"
    return Response(layer.gzipped, media_type="application/geo+json", headers=headers)


def coastlines(_request: Request) -> Response:
    """An empty world: without it Plotly asks another host, and draws nothing offline."""
    return Response(json.dumps(_NO_COASTLINES), media_type="application/json", headers=FOR_EVER)


def download(request: Request) -> Response:
    """An export of one board: the same figures as the page, through the same gate."""
    from dashboard import export
    from dashboard.access import current_scope
    from dashboard.data import engine

    warm_up.wait()
    subject, form = request.path_params["subject"], request.path_params["form"]
    icb_code = request.query_params.get("icb", "")
    try:
        as_at = date.fromisoformat(request.query_params.get("as_at", ""))
    except ValueError:
        return PlainTextResponse("expected as_at=YYYY-MM-DD", 400)
    try:
        with_stale = request.query_params.get("stale", "") == "counted"
        made = export.make(
            engine(),
            current_scope(),
            subject,
            icb_code,
            as_at,
            form,
            with_stale,
            dict(request.query_params),
        )
    except export.NotThereError:
        return PlainTextResponse("not found", 404)
    return _attached(made.body, made.media_type, made.file_name)


def table(request: Request) -> Response:
    """The list of the chosen area, as the page's table fetches it."""
    from dashboard.access import current_scope
    from dashboard.coverage_view import ward_list
    from dashboard.data import fetch_shared
    from dashboard.filters import Area
    from dashboard.outcomes_view import group_table
    from dashboard.providers_view import capacity_list, locality_matrix, service_list, ward_matrix
    from dashboard.take_up_view import ward_list as take_up_list
    from dashboard.workforce_view import pcn_list

    warm_up.wait()
    chosen, subject = request.query_params, request.path_params["subject"]
    lists: dict[str, Any] = {
        "coverage": ward_list,
        "workforce": pcn_list,
        "gaps": ward_matrix,
        "localities": locality_matrix,
        "services": service_list,
        "capacity": capacity_list,
        "pathway": group_table,
        "take-up": take_up_list,
    }
    if subject not in lists:
        return PlainTextResponse("not found", 404)
    # The others depend on the area alone.
    asked = tuple((name, chosen[name]) for name in NARROWED if chosen.get(name))
    try:
        as_at = date.fromisoformat(chosen.get("as_at", ""))
    except ValueError:
        return PlainTextResponse("expected as_at=YYYY-MM-DD", 400)
    area = Area(
        chosen.get("icb", ""),
        as_at,
        chosen.get("stale", "") == "counted",
        chosen.get("locality", ""),
        chosen.get("pcn", ""),
    )
    more = (asked,) if subject in ("services", "capacity", "pathway") else ()
    body = fetch_shared(lists[subject], current_scope(), area, *more)
    # The address names the data version, so what is kept is never out of date; private, since
    # it is what this user may see.
    headers = {"Cache-Control": "private, max-age=3600", "Content-Encoding": "gzip"}
    return Response(body, media_type="application/json", headers=headers)


def ask(request: Request) -> Response:
    """The file that asks a provider whether its entries still hold."""
    from dashboard.access import current_scope
    from dashboard.ask import ask_file
    from dashboard.data import engine
    from dashboard.export import MEDIA_TYPES

    provider = request.query_params.get("provider", "")
    body = ask_file(engine(), current_scope(), provider)
    if body is None:
        return PlainTextResponse("not found", 404)
    plain = "".join(letter for letter in provider if letter.isascii() and letter.isalnum())
    return _attached(body, MEDIA_TYPES["xlsx"], f"services-{plain or 'provider'}.xlsx")


def brief(request: Request) -> Response:
    """The brief of a ward or a network as one page of PDF."""
    from dashboard.access import current_scope
    from dashboard.brief import network_brief, ward_brief
    from dashboard.data import fetch_shared
    from dashboard.filters import Area
    from dashboard.pack.brief_pdf import brief_pdf
    from dashboard.workforce import profile

    warm_up.wait()
    asked = request.query_params
    try:
        as_at = date.fromisoformat(asked.get("as_at", ""))
    except ValueError:
        return PlainTextResponse("expected as_at=YYYY-MM-DD", 400)
    area = Area(asked.get("icb", ""), as_at, asked.get("stale", "") == "counted")
    ward_code, pcn_code = asked.get("ward", ""), asked.get("pcn", "")
    make, code = (ward_brief, ward_code) if ward_code else (network_brief, pcn_code)
    found = fetch_shared(make, current_scope(), area, code) if profile().may_leave else None
    if found is None:
        return PlainTextResponse("not found", 404)
    plain = "".join(letter for letter in code if letter.isascii() and letter.isalnum())
    return _attached(brief_pdf(found), "application/pdf", f"brief-{plain}-{as_at}.pdf")


def actions(request: Request) -> Response:
    """The actions of a board: as CSV, to be mended and read back, or as dates for a calendar."""
    from dashboard.access import current_scope
    from dashboard.action_file import MEDIA_TYPES, board_file
    from dashboard.data import engine

    warm_up.wait()
    form, icb_code = request.path_params["form"], request.query_params.get("icb", "")
    site = str(request.base_url).rstrip("/")
    known = form in MEDIA_TYPES
    body = board_file(engine(), current_scope(), icb_code, form, site) if known else None
    if body is None:
        return PlainTextResponse("not found", 404)
    return _attached(body, MEDIA_TYPES[form], f"actions-{icb_code}.{form}")


def pack(request: Request) -> Response:
    """A file of a meeting pack that is written; its key is known to whom it was shown."""
    from dashboard.pack_work import FORMS, finished
    from dashboard.workforce import profile

    form = request.path_params["form"]
    made = finished(request.path_params["key"], form) if profile().may_leave else None
    if made is None:
        return PlainTextResponse("not found", 404)
    name, body = made
    return _attached(body, FORMS[form].media_type, name)


def refusals(request: Request) -> Response:
    """What was wrong with an offered file, as CSV: its values are masked."""
    from dashboard.access import current_scope
    from dashboard.data import engine
    from queries import history

    job_id = request.path_params["job_id"]
    found = history.problems(engine(), current_scope(), job_id)
    if found.empty:
        return PlainTextResponse("not found", 404)
    return _csv(found, f"refusals-{job_id}.csv")


def all_history(_request: Request) -> Response:
    """What was offered and loaded, as CSV."""
    from dashboard.access import current_scope
    from dashboard.data import engine
    from queries import history

    return _csv(history.history(engine(), current_scope()), "history.csv")


def _csv(frame: pd.DataFrame, file_name: str) -> Response:
    from dashboard.export import csv_bytes

    plain = frame.astype(object).where(frame.notna(), "")
    rows: list[dict[str, Any]] = plain.to_dict("records")  # type: ignore[assignment]
    return _attached(csv_bytes(rows), "text/csv", file_name)


def template(request: Request) -> Response:
    """The template of a local return, to be filled in."""
    from dashboard import intake
    from dashboard.export import MEDIA_TYPES
    from dashboard.intake.templates import FORMS, file_name, template_bytes

    name, form = request.path_params["dataset"], request.path_params["form"]
    try:
        dataset = intake.dataset_named(name)
    except LookupError:
        return PlainTextResponse("not found", 404)
    if dataset.template is None or form not in FORMS:
        return PlainTextResponse("not found", 404)
    return _attached(template_bytes(dataset, form), MEDIA_TYPES[form], file_name(dataset, form))


async def unsubscribe(request: Request) -> Response:
    """Asks whether e-mail to the address of a link shall stop, and stops it when told so: by the
    button of the page, or by a mail program (RFC 8058). Looking at it changes nothing."""
    said = b""
    async for piece in request.stream():
        said += piece
        if len(said) > MOST_SAID_BYTES:
            return PlainTextResponse("too long", 413)
    return await run_in_threadpool(
        _unsubscribe, request.method, request.query_params.get("token", ""), said
    )


def _unsubscribe(method: str, token: str, said: bytes) -> Response:
    from dashboard import mail
    from dashboard.data import engine
    from queries.mail import stop

    warm_up.wait()
    address = mail.address_of(engine(), token)
    if address is None:
        return PlainTextResponse("not found", 404)
    page = mail.ASK_PAGE
    if method == "POST":
        # A form of either kind has both words, and no other asks for it.
        if not all(word.encode() in said for word in mail.ONE_CLICK):
            return PlainTextResponse("expected List-Unsubscribe=One-Click", 400)
        stop(engine(), address)
        page = mail.STOPPED_PAGE
    return HTMLResponse(page, headers={"Cache-Control": "no-store"})


def _attached(body: bytes, media_type: str, file_name: str) -> Response:
    headers = {
        "Content-Disposition": f'attachment; filename="{file_name}"',
        "Cache-Control": "no-store",
    }
    return Response(body, media_type=media_type, headers=headers)


def first_page(request: Request) -> Response:
    """This week is what the dashboard opens with, and has no address of its own: a link may say one."""
    query = request.url.query
    return RedirectResponse(f"/?{query}" if query else "/")


def is_alive(_request: Request) -> Response:
    """The process answers."""
    return PlainTextResponse("ok")


def is_ready(_request: Request) -> Response:
    """The database answers and has the form this version needs."""
    from dashboard.data import engine
    from queries.database import NEWEST_REVISION, revision

    warm_up.wait()
    ready = revision(engine()) == NEWEST_REVISION
    return JSONResponse({"database": ready}, 200 if ready else 503)


ROUTES = [
    Route("/geo/topo/{name:path}", coastlines),
    Route("/geo/{icb_code}/{name}.json", geometry),
    Route("/table/{subject}.json", table),
    Route("/export/{subject}.{form}", download),
    Route("/ask/services.xlsx", ask),
    Route("/brief.pdf", brief),
    Route("/pack/{key}.{form}", pack),
    Route("/actions.{form}", actions),
    Route("/refusals/{job_id:int}.csv", refusals),
    Route("/history.csv", all_history),
    Route("/unsubscribe", unsubscribe, methods=["GET", "POST"]),
    Route("/template/{dataset}.{form}", template),
    Route("/this-week", first_page),
    Route("/healthz", is_alive),
    Route("/readyz", is_ready),
]
MIDDLEWARE = [Middleware(SafeHeaders)]
