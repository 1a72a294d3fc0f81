"""What the server answers beside the pages: shapes, exports, health; and safe headers on all.

What answers with data imports what it needs when first asked: the server is there sooner.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable
from datetime import date
from pathlib import Path
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
from streamlit.file_util import get_static_dir

from dashboard import components, health, sign_in, warm_up
from dashboard.closed_paths import ClosedPaths
from dashboard.gate import SIGN_IN, Gate
from dashboard.request_log import RequestLog
from dashboard.rules import roles
from dashboard.settings import settings
from dashboard.upload_limits import UploadLimits

if TYPE_CHECKING:
    import pandas as pd

    from geodata.outlines import Outlines
    from geodata.shapes import MapLayer

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
# As long as the codes of areas are kept.
LONGEST_CODE = 16
FOR_EVER = {"Cache-Control": "private, max-age=31536000, immutable"}


def _scripts_of_the_page() -> str:
    """Hashes of the scripts that stand in Streamlit's own page: no other may stand in it."""
    page = Path(get_static_dir(), "index.html").read_text(encoding="utf-8")
    found = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    hashes = (hashlib.sha256(script.encode()).digest() for script in found)
    return " ".join(f"'sha256-{base64.b64encode(each).decode()}'" for each in hashes)


# Streamlit needs inline styles, and its components come as blobs; nothing may come from, or go
# to, another host.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'self'",
        f"script-src 'self' {_scripts_of_the_page()} blob:",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self'",
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
    """Puts the headers that Streamlit leaves out on every answer, errors and refusals too."""

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def send_safely(message: Message) -> None:
            nonlocal begun
            if message["type"] == "websocket.close" and not begun and _may_answer(scope):
                # Refused before it began: the server's own answer has no headers.
                start = {"type": "websocket.http.response.start", "status": 403, "headers": []}
                await send_safely(start)
                await send({"type": "websocket.http.response.body", "body": b""})
                return
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                message["headers"] = _with_safe_headers(message["headers"], message["status"])
            begun = True
            await send(message)

        try:
            await self.app(scope, receive, send_safely)
        except Exception:
            # Starlette's own answer to an error goes out before these headers are put on.
            if scope["type"] == "http" and not begun:
                answer = PlainTextResponse("Internal Server Error", 500)
                await answer(scope, receive, send_safely)
            raise


def _may_answer(scope: Scope) -> bool:
    return "websocket.http.response" in scope.get("extensions", {})


def _with_safe_headers(
    headers: Iterable[tuple[bytes, bytes]], status: int
) -> list[tuple[bytes, bytes]]:
    """What an answer says itself stands; what it leaves out is added."""
    given = list(headers)
    wanted = dict(SAFE_HEADERS)
    if settings().public_address.startswith("https:"):
        wanted["Strict-Transport-Security"] = "max-age=31536000"
    # Kept nowhere unless it says so; "not modified" speaks of an answer that is kept already.
    if status != 304:
        wanted["Cache-Control"] = "no-store"
    names = {name.lower() for name, _ in given}
    more = ((name.lower().encode(), value.encode()) for name, value in wanted.items())
    return [*given, *((name, value) for name, value in more if name not in names)]


def geometry(request: Request) -> Response:
    """Ward shapes, compressed once when they were built; 404 for a name not in use."""
    from dashboard.access import current_scope
    from dashboard.maps import ALL_BOARDS, board_map, outlines_of

    warm_up.wait()
    icb_code, name = request.path_params["icb_code"], request.path_params["name"]
    layer: Outlines | MapLayer | None
    if icb_code == ALL_BOARDS:
        layer = found if (found := outlines_of(current_scope())).name == name else None
    else:
        layer = board_map(current_scope(), icb_code).layer(name)
    if layer is None:
        return PlainTextResponse("not found", 404)
    headers = {**FOR_EVER, "Vary": "Accept-Encoding"}
    if "gzip" not in request.headers.get("accept-encoding", ""):
        return Response(layer.body, media_type="application/geo+json", headers=headers)
    headers["Content-Encoding"] = "gzip"
    return Response(layer.gzipped, media_type="application/geo+json", headers=headers)


def code(request: Request) -> Response:
    """A script or style of a component; kept for ever by an address that names what is in it.

    While a new version takes over, a page of the old one gets the new file: better than none.
    """
    name = request.path_params["name"]
    found = components.gzipped(name)
    if found is None:
        return PlainTextResponse("not found", 404)
    body, mark = found
    headers = {"Content-Encoding": "gzip"}
    if request.query_params.get("v") == mark:
        headers |= FOR_EVER
    return Response(body, media_type=components.MEDIA_TYPES[Path(name).suffix], headers=headers)


def coastlines(_request: Request) -> Response:
    """An empty world: without it Plotly asks another host, and draws nothing offline."""
    return Response(json.dumps(_NO_COASTLINES), media_type="application/json", headers=FOR_EVER)


def download(request: Request) -> Response:
    """An export of one board: the same figures as the page, through the same gate."""
    from dashboard import export
    from dashboard.access import current_scope
    from dashboard.data import engine
    from dashboard.errors import NotThereError

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
    except NotThereError:
        return PlainTextResponse("not found", 404)
    return _attached(request, made.body, made.media_type, made.file_name)


def table(request: Request) -> Response:
    """The list of the chosen area, as the page's table fetches it."""
    from dashboard import all_boards_view
    from dashboard.access import current_scope
    from dashboard.coverage_view import ward_list
    from dashboard.data import fetch_shared
    from dashboard.errors import NotThereError
    from dashboard.filters import Area
    from dashboard.outcomes_view import group_table
    from dashboard.providers_view import capacity_list, locality_matrix, service_list, ward_matrix
    from dashboard.take_up_view import ward_list as take_up_list
    from dashboard.workforce_view import pcn_list

    warm_up.wait()
    chosen, subject = request.query_params, request.path_params["subject"]
    lists: dict[str, Any] = {
        "coverage": ward_list,
        "all-boards": all_boards_view.board_list,
        "all-wards": all_boards_view.ward_list,
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
    scope = current_scope()
    # Who leads a network always asks for theirs: its lists of the whole board are nobody's here.
    if not scope.admits_network(area.icb_code, area.pcn_code):
        return PlainTextResponse("not found", 404)
    try:
        body = fetch_shared(lists[subject], scope, area, *more)
    except NotThereError:
        return PlainTextResponse("not found", 404)
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
    return _attached(request, body, MEDIA_TYPES["xlsx"], f"services-{plain or 'provider'}.xlsx")


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
    scope = current_scope()
    is_theirs = profile().may_leave and scope.admits(area.icb_code)
    found = fetch_shared(make, scope, area, code) if is_theirs else None
    if found is None:
        return PlainTextResponse("not found", 404)
    plain = "".join(letter for letter in code if letter.isascii() and letter.isalnum())
    return _attached(request, brief_pdf(found), "application/pdf", f"brief-{plain}-{as_at}.pdf")


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
    return _attached(request, body, MEDIA_TYPES[form], f"actions-{icb_code}.{form}")


def pack(request: Request) -> Response:
    """A file of a meeting pack that is written, for whom it was made."""
    from dashboard.access import reader
    from dashboard.pack_work import FORMS, finished
    from dashboard.workforce import profile

    form = request.path_params["form"]
    key, whose = request.path_params["key"], reader().mark
    made = finished(key, form, whose) if profile().may_leave else None
    if made is None:
        return PlainTextResponse("not found", 404)
    name, body = made
    return _attached(request, body, FORMS[form].media_type, name)


def refusals(request: Request) -> Response:
    """What was wrong with an offered file, as CSV: its values are masked. For those who load."""
    from dashboard.access import current_scope, reader
    from dashboard.data import engine
    from queries import history

    job_id = request.path_params["job_id"]
    found = history.problems(engine(), current_scope(), job_id)
    if found.empty or not reader().may(roles.LOAD):
        return PlainTextResponse("not found", 404)
    return _csv(request, found, f"refusals-{job_id}.csv")


def all_history(request: Request) -> Response:
    """What was offered and loaded, as CSV. For those who load."""
    from dashboard.access import current_scope, reader
    from dashboard.data import engine
    from queries import history

    if not reader().may(roles.LOAD):
        return PlainTextResponse("not found", 404)
    return _csv(request, history.history(engine(), current_scope()), "history.csv")


def access_review(request: Request) -> Response:
    """Who has which role, as CSV, for administrators."""
    from datetime import UTC, datetime

    from dashboard.access import reader
    from dashboard.data import engine
    from dashboard.export import csv_bytes
    from dashboard.given import review

    if not reader().may(roles.GIVE_ACCESS):
        return PlainTextResponse("not found", 404)
    body = csv_bytes(review(engine(), datetime.now(UTC)))
    return _attached(request, body, "text/csv", "access-review.csv")


def whole_trail(request: Request) -> Response:
    """The trail of what was done, as CSV, for administrators."""
    from dashboard.access import reader
    from dashboard.data import engine
    from queries import trail

    if not reader().may(roles.GIVE_ACCESS):
        return PlainTextResponse("not found", 404)
    return _csv(request, trail.lines(engine()), "trail.csv")


def _csv(request: Request, frame: pd.DataFrame, file_name: str) -> Response:
    from dashboard.export import csv_bytes

    plain = frame.astype(object).where(frame.notna(), "")
    rows: list[dict[str, Any]] = plain.to_dict("records")  # type: ignore[assignment]
    return _attached(request, csv_bytes(rows), "text/csv", file_name)


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
    return _attached(
        None, template_bytes(dataset, form), MEDIA_TYPES[form], file_name(dataset, form)
    )


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


def _attached(request: Request | None, body: bytes, media_type: str, file_name: str) -> Response:
    """A file to keep. That somebody took it is written down first; not of one without data, which has
    no request here."""
    if request is not None and (why := _why_not_noted(request, file_name)):
        words = f"The file was not handed out: that it was taken could not be written down. {why}"
        return PlainTextResponse(words, 503)
    headers = {
        "Content-Disposition": f'attachment; filename="{file_name}"',
        "Cache-Control": "no-store",
    }
    return Response(body, media_type=media_type, headers=headers)


def _why_not_noted(request: Request, file_name: str) -> str:
    from sqlalchemy.exc import SQLAlchemyError

    from dashboard.access import reader
    from dashboard.data import engine
    from dashboard.errors import fault_of_database, report_error
    from queries import trail

    asked = request.query_params.get("icb", "")
    # Of a file without a board an address may say anything.
    board = asked if asked.isalnum() and len(asked) <= LONGEST_CODE else None
    detail: trail.Detail = {"file": file_name, "board": board}
    try:
        trail.note_alone(engine(), trail.EXPORTED, reader().person_id, detail)
    except SQLAlchemyError as error:
        return f"{fault_of_database(error) or 'Try again.'} ({report_error(error)})"
    return ""


def first_page(request: Request) -> Response:
    """This week is what the dashboard opens with, and has no address of its own: a link may say one."""
    query = request.url.query
    return RedirectResponse(f"/?{query}" if query else "/")


def is_alive(_request: Request) -> Response:
    """The process answers."""
    return JSONResponse(health.process(), headers={"Cache-Control": "no-store"})


def is_ready(_request: Request) -> Response:
    """People can be sent here: the database answers and has the form this version needs, the disk has
    room, files that wait are loaded, and the process is not about to end."""
    ready, told = health.readiness()
    return JSONResponse(told, 200 if ready else 503, headers={"Cache-Control": "no-store"})


ROUTES = [
    Route("/geo/topo/{name:path}", coastlines),
    Route("/geo/{icb_code}/{name}.json", geometry),
    Route("/code/{name}", code),
    Route("/table/{subject}.json", table),
    Route("/export/{subject}.{form}", download),
    Route("/ask/services.xlsx", ask),
    Route("/brief.pdf", brief),
    Route("/pack/{key}.{form}", pack),
    Route("/actions.{form}", actions),
    Route("/refusals/{job_id:int}.csv", refusals),
    Route("/history.csv", all_history),
    Route("/access-review.csv", access_review),
    Route("/trail.csv", whole_trail),
    Route("/unsubscribe", unsubscribe, methods=["GET", "POST"]),
    Route("/template/{dataset}.{form}", template),
    Route(SIGN_IN, sign_in.ask),
    Route(f"{SIGN_IN}/start", sign_in.start),
    Route(f"{SIGN_IN}/done", sign_in.done),
    Route("/sign-out", sign_in.sign_out),
    Route("/this-week", first_page),
    Route("/healthz", is_alive),
    Route("/readyz", is_ready),
]
# From the outside in: what an answer says of itself, what is written down of it, who asks.
MIDDLEWARE = [
    Middleware(SafeHeaders),
    Middleware(RequestLog),
    Middleware(Gate),
    Middleware(ClosedPaths),
    Middleware(UploadLimits),
]
