"""What the server answers beside the pages: shapes, the list, exports, health, headers."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import json
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pandas as pd
import pytest
from sqlalchemy import Engine
from starlette.applications import Starlette

from dashboard import routes
from dashboard.maps import board_map
from dashboard.routes import SAFE_HEADERS
from queries import jobs
from queries.scope import EVERYTHING
from tests.small_board import ABBEY, AS_AT, BOARD, CASTLE, DALE, NORTHAM, SOUTH

_APP = Starlette(routes=routes.ROUTES, middleware=routes.MIDDLEWARE)
EXPORT = f"icb={BOARD}&as_at={AS_AT}"


def get(address: str, **headers: str) -> httpx.Response:
    """What the routes answer, without a server."""

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app=_APP)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.get(
                address, headers={k.replace("_", "-"): v for k, v in headers.items()}
            )

    # In a thread: the browser tests of the same worker leave an event loop running in this one.
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, ask()).result()


@pytest.fixture
def own(use_database: Callable[[Path], Engine], upgraded_file: Path, tmp_path: Path) -> Engine:
    """The dashboard reads an empty database that may be written to."""
    return use_database(Path(shutil.copy(upgraded_file, tmp_path / "own.db")))


class TestShapes:
    def test_named_by_their_content_and_kept_for_ever(self, small_board: Engine):
        shapes = board_map(EVERYTHING, BOARD)
        for layer in (shapes.wards, shapes.hatching):
            answer = get(shapes.url(layer), Accept_Encoding="gzip")
            assert answer.status_code == 200
            assert answer.headers["content-encoding"] == "gzip"
            assert answer.headers["vary"] == "Accept-Encoding"
            assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
            assert answer.headers["content-type"] == "application/geo+json"
            assert answer.content == layer.body
            assert hashlib.sha256(answer.content).hexdigest().startswith(layer.name)

    def test_plain_for_who_cannot_unpack(self, small_board: Engine):
        shapes = board_map(EVERYTHING, BOARD)
        answer = get(shapes.url(shapes.wards), Accept_Encoding="identity")
        assert "content-encoding" not in answer.headers
        assert answer.json()["type"] == "FeatureCollection"

    def test_one_feature_a_ward(self, small_board: Engine):
        shapes = board_map(EVERYTHING, BOARD)
        features = get(shapes.url(shapes.wards)).json()["features"]
        assert len(features) == 6
        assert {f["id"]: f["properties"]["name"] for f in features}[ABBEY] == "Abbey"

    @pytest.mark.parametrize(
        "address",
        [
            f"/geo/{BOARD}/0123456789abcdef.json",
            f"/geo/{BOARD}/.json",
            "/geo/QXX/0123456789abcdef.json",
            f"/geo/{BOARD}/..%2F..%2Fpyproject.json",
        ],
    )
    def test_an_unknown_name_is_not_found(self, small_board: Engine, address: str):
        assert get(address).status_code == 404

    def test_another_board_does_not_answer_with_these(self, demonstration: Engine):
        kent, medway = board_map(EVERYTHING, "QDK"), board_map(EVERYTHING, "QDM")
        assert get(f"/geo/QDM/{kent.wards.name}.json").status_code == 404
        assert get(f"/geo/QDK/{medway.wards.name}.json").status_code == 404

    def test_the_world_is_empty(self):
        answer = get("/geo/topo/world_110m.json")
        assert answer.status_code == 200
        world = answer.json()
        assert world["arcs"] == []
        assert all(found["geometries"] == [] for found in world["objects"].values())
        assert "immutable" in answer.headers["cache-control"]


class TestTable:
    def test_the_figures_are_those_of_the_export(self, demonstration: Engine):
        area = "icb=QDK&as_at=2026-06-30"
        exported = {r["ward_code"]: r for r in get(f"/export/coverage.json?{area}").json()["rows"]}
        body = get(f"/table/coverage.json?{area}").json()
        titles = [column["title"] for column in body["columns"]]
        assert [row["key"] for row in body["rows"]] == list(exported)
        place = {
            "People": "population",
            "Deprivation fifth": "imd_fifth",
            "FTE per 10,000": "fte_per_10k",
            "Referrals, 12 months": "referrals_12_months",
            "Per 1,000 adults": "take_up_per_1000",
            "Ratio": "take_up_ratio",
        }
        for row in body["rows"]:
            other = exported[row["key"]]
            cells = dict(zip(titles, row["cells"], strict=True))
            assert cells["Ward"][0] == other["ward_name"]
            assert cells["Status"][0] == other["status"]
            assert cells["Status"][2].startswith(other["reason"])
            for title, name in place.items():
                if other[name] is None:
                    assert cells[title][0] == "–"
                elif other[name] == "*":
                    assert cells[title] == ["*"]
                else:
                    assert cells[title][1] == pytest.approx(other[name], abs=1e-5)

    def test_the_networks_are_those_of_the_export(self, demonstration: Engine):
        area = "icb=QDK&as_at=2026-06-30"
        exported = {r["pcn_code"]: r for r in get(f"/export/workforce.json?{area}").json()["rows"]}
        body = get(f"/table/workforce.json?{area}").json()
        titles = [column["title"] for column in body["columns"]]
        assert [row["key"] for row in body["rows"]] == list(exported)
        place = {
            "FTE in post": "fte",
            "People": "headcount",
            "Funded": "funded_fte",
            "Vacant": "vacant_fte",
            "Short of it": "gap_fte",
            "Per 10,000": "fte_per_10k",
            "Referrals, 12 months": "referrals_12_months",
            "A year per FTE": "pressure",
            "Needed for the band": "needed_least_fte",
            "Open per FTE": "open_per_fte",
        }
        for row in body["rows"]:
            other = exported[row["key"]]
            cells = dict(zip(titles, row["cells"], strict=True))
            assert cells["Network"][0] == other["pcn_name"]
            aim = other["target_fte"] if other["aim"] == "target" else other["planned_fte"]
            for title, value in (
                ("Target or plan", aim),
                *((title, other[name]) for title, name in place.items()),
            ):
                sort = cells[title][1] if len(cells[title]) > 1 else None
                if value is None:
                    assert sort is None
                    assert cells[title][0] in ("–", "no return", "no worker")
                else:
                    assert sort == pytest.approx(value, abs=1e-5)

    @pytest.mark.parametrize(
        ("filters", "networks"),
        [
            ("", ["U90002", "U90001", "U90003"]),
            (f"&locality={NORTHAM}", ["U90001"]),
            # One that is picked stands in the list of any locality.
            (f"&locality={NORTHAM}&pcn={SOUTH}", ["U90002", "U90001"]),
            ("&locality=E07999999", []),
            ("&pcn=U99999", ["U90002", "U90001", "U90003"]),
        ],
    )
    def test_filters_of_networks(self, small_board: Engine, filters: str, networks: list[str]):
        rows = get(f"/table/workforce.json?{EXPORT}{filters}").json()["rows"]
        assert [row["key"] for row in rows] == networks

    @pytest.mark.parametrize(
        ("filters", "wards"),
        [
            ("", 6),
            (f"&locality={NORTHAM}", 3),
            (f"&pcn={SOUTH}", 3),
            (f"&locality={NORTHAM}&pcn={SOUTH}", 1),
            ("&locality=E07999999", 0),
            ("&pcn=U99999", 0),
        ],
    )
    def test_filters(self, small_board: Engine, filters: str, wards: int):
        rows = get(f"/table/coverage.json?{EXPORT}{filters}").json()["rows"]
        assert len(rows) == wards
        if wards == 1:
            assert rows[0]["key"] == CASTLE

    def test_the_date_is_that_of_the_address(self, demonstration: Engine):
        now, then = (
            get(f"/table/coverage.json?icb=QDK&as_at={day}").json()
            for day in ("2026-06-30", "2024-09-30")
        )
        assert now["rows"] != then["rows"]

    @pytest.mark.parametrize("subject", ["coverage", "workforce"])
    def test_kept_by_this_reader_only(self, small_board: Engine, subject: str):
        answer = get(f"/table/{subject}.json?{EXPORT}")
        assert answer.headers["cache-control"].startswith("private")
        assert answer.headers["content-encoding"] == "gzip"

    @pytest.mark.parametrize("query", ["", "icb=QZ1", "icb=QZ1&as_at=today", "as_at=2026-13-01"])
    @pytest.mark.parametrize("subject", ["coverage", "workforce"])
    def test_a_broken_address_is_refused(self, small_board: Engine, subject: str, query: str):
        answer = get(f"/table/{subject}.json?{query}")
        assert answer.status_code == 400
        assert "as_at" in answer.text

    def test_no_such_table(self, small_board: Engine):
        answer = get(f"/table/secrets.json?{EXPORT}")
        assert (answer.status_code, answer.text) == (404, "not found")

    def test_a_board_that_is_not_there_has_no_rows(self, small_board: Engine):
        for subject in ("coverage", "workforce"):
            answer = get(f"/table/{subject}.json?icb=QXX&as_at={AS_AT}")
            assert answer.status_code in (200, 404)
            assert "Abbey" not in answer.text
            assert "North PCN" not in answer.text


class TestExport:
    @pytest.mark.parametrize("subject", ["coverage", "workforce"])
    @pytest.mark.parametrize(
        ("form", "media_type", "starts"),
        [
            ("csv", "text/csv; charset=utf-8", b"\xef\xbb\xbf"),
            ("json", "application/json", b"{"),
            (
                "xlsx",
                "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
                b"PK",
            ),
        ],
    )
    def test_a_file_with_its_name(
        self, small_board: Engine, subject: str, form: str, media_type: str, starts: bytes
    ):
        answer = get(f"/export/{subject}.{form}?{EXPORT}")
        assert answer.status_code == 200
        assert answer.headers["content-type"] == media_type
        assert answer.headers["content-disposition"] == (
            f'attachment; filename="{subject}-{BOARD}-2026-06-30.{form}"'
        )
        assert answer.headers["cache-control"] == "no-store"
        assert answer.content.startswith(starts)

    @pytest.mark.parametrize(
        "address",
        [
            f"/export/secrets.csv?{EXPORT}",
            f"/export/coverage.pdf?{EXPORT}",
            f"/export/coverage?{EXPORT}",
            f"/export/coverage.csv?icb=QXX&as_at={AS_AT}",
            f"/export/coverage.csv?as_at={AS_AT}",
        ],
    )
    def test_what_is_not_there_is_not_found(self, small_board: Engine, address: str):
        assert get(address).status_code == 404

    @pytest.mark.parametrize("as_at", ["", "today", "2026-02-30", "30/06/2026"])
    def test_a_date_must_be_one(self, small_board: Engine, as_at: str):
        answer = get(f"/export/coverage.csv?icb={BOARD}&as_at={as_at}")
        assert answer.status_code == 400
        assert answer.text == "expected as_at=YYYY-MM-DD"

    def test_a_hidden_number_is_hidden_in_each_form(self, small_board: Engine):
        rows = get(f"/export/coverage.json?{EXPORT}").json()["rows"]
        dale = next(row for row in rows if row["ward_code"] == DALE)
        assert dale["referrals_12_months"] == "*"
        assert dale["take_up_per_1000"] == "*"


class TestHealth:
    def test_the_process_answers(self, empty: Engine):
        assert get("/healthz").text == "ok"

    def test_ready_when_the_database_has_the_right_form(self, empty: Engine):
        answer = get("/readyz")
        assert (answer.status_code, answer.json()) == (200, {"database": True})

    def test_not_ready_before_the_upgrade(self, use_database: Callable, tmp_path):
        use_database(tmp_path / "bare.db")
        answer = get("/readyz")
        assert (answer.status_code, answer.json()) == (503, {"database": False})


class TestFilesOfTheDataPage:
    def test_the_refusals_of_a_file(self, own: Engine):
        wrong = pd.DataFrame(
            {
                "row": pd.array([2, None], dtype="Int64"),
                "column": ["=cost", None],
                "rule": ["expected a number", "@sum"],
                "found": ["'tw…' (6 characters)", None],
            }
        )
        jobs.refused(own, jobs.offer(own, "a.csv", 1, "0" * 64, "Ann"), "refused", wrong)
        answer = get("/refusals/1.csv")
        assert answer.headers["content-disposition"] == 'attachment; filename="refusals-1.csv"'
        assert answer.headers["cache-control"] == "no-store"
        assert answer.content.decode("utf-8-sig") == (
            "row,column,rule,found\r\n"
            "2,'=cost,expected a number,'tw…' (6 characters)\r\n"
            ",,'@sum,\r\n"
        )

    @pytest.mark.parametrize("number", ["0", "99", "-1", "x", "1.5"])
    def test_of_no_such_file(self, own: Engine, number: str):
        assert get(f"/refusals/{number}.csv").status_code == 404

    def test_the_history(self, own: Engine):
        assert get("/history.csv").text == "\ufeff"
        jobs.ended(own, jobs.offer(own, "=1+1.csv", 1, "0" * 64, "@Ann"), "refused", "-why")
        heading, row = get("/history.csv").content.decode("utf-8-sig").splitlines()
        assert heading == (
            "load_id,job_id,at,who,file_name,sha256,dataset,state,vintage,rows_in,rows_out,"
            "rows_refused,parts_in_force,undone_at,message"
        )
        cells = row.split(",")
        assert cells.pop(2).startswith(f"{datetime.now(UTC):%Y-%m-%d}")
        assert cells == ["", "1", "'@Ann", "'=1+1.csv", "0" * 64, "", "refused", *[""] * 6, "'-why"]

    def test_a_template(self):
        answer = get("/template/scheme_areas.csv")
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        name = 'attachment; filename="scheme_areas-template.csv"'
        assert answer.headers["content-disposition"] == name
        assert answer.content.decode("utf-8-sig").splitlines()[0] == (
            "scheme,speaks_for,serves,organisation,model,from,until"
        )
        book = get("/template/scheme_areas.xlsx")
        assert book.headers["content-type"].endswith("spreadsheetml.sheet")
        assert book.content.startswith(b"PK")

    @pytest.mark.parametrize(
        "name", ["nothing.csv", "workforce.csv", "scheme_areas.pdf", "scheme_areas", "..%2Fapp.csv"]
    )
    def test_no_such_template(self, name: str):
        assert get(f"/template/{name}").status_code == 404


@pytest.mark.parametrize(
    "address",
    [
        "/healthz",
        "/readyz",
        "/geo/topo/x.json",
        "/geo/QZ1/none.json",
        f"/table/coverage.json?{EXPORT}",
        f"/table/workforce.json?{EXPORT}",
        "/table/coverage.json",
        f"/export/coverage.csv?{EXPORT}",
        "/export/coverage.csv",
        "/export/nothing.csv?as_at=2026-06-30",
        "/history.csv",
        "/refusals/99.csv",
        "/template/scheme_areas.csv",
        "/no/such/address",
    ],
)
def test_every_answer_has_the_safe_headers(small_board: Engine, address: str):
    headers = get(address).headers
    for name, value in SAFE_HEADERS.items():
        assert headers[name] == value


def test_no_safe_header_is_left_out():
    assert SAFE_HEADERS["X-Content-Type-Options"] == "nosniff"
    assert SAFE_HEADERS["X-Frame-Options"] == "DENY"
    assert SAFE_HEADERS["Referrer-Policy"] in ("same-origin", "no-referrer")
    assert {"Content-Security-Policy", "Permissions-Policy"} <= set(SAFE_HEADERS)


def test_nothing_may_come_from_another_host():
    policy = dict(
        part.strip().split(" ", 1) for part in SAFE_HEADERS["Content-Security-Policy"].split(";")
    )
    assert policy["default-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    for name, allowed in policy.items():
        assert "http" not in allowed, name
        assert "*" not in allowed, name


def test_what_is_kept_compressed_is_the_same_at_every_call(small_board: Engine):
    """No time of making in it: two processes answer alike."""
    shapes = board_map(EVERYTHING, BOARD)
    assert gzip.decompress(shapes.wards.gzipped) == shapes.wards.body
    assert shapes.wards.gzipped[4:8] == b"\0\0\0\0"
    assert json.loads(shapes.wards.body)
