"""What the server answers beside the pages: shapes, the list, exports, health, headers."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import io
import json
import re
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import openpyxl
import pandas as pd
import pytest
from sqlalchemy import Engine
from starlette.applications import Starlette

from dashboard import components, routes
from dashboard.maps import board_map
from dashboard.routes import SAFE_HEADERS
from queries import jobs
from queries.scope import EVERYTHING
from tests.small_board import (
    ABBEY,
    AS_AT,
    BOARD,
    CASTLE,
    DALE,
    ELM,
    FORD,
    GARDEN,
    GORSE,
    NEIGHBOUR,
    NORTHAM,
    OLD_LIST,
    SOUTH,
    SOUTHAM,
    Board,
    Service,
)

# Whole pages, the command line or the server: `test_pages` has one quick look at each.
pytestmark = pytest.mark.slow

_APP = Starlette(routes=routes.ROUTES, middleware=routes.MIDDLEWARE)
EXPORT = f"icb={BOARD}&as_at={AS_AT}"
SUBJECTS = ("coverage", "workforce")
# What the page Providers fetches.
PROVIDERS = ("gaps", "localities", "services", "capacity")


def get(address: str, **headers: str) -> httpx.Response:
    """What the routes answer, without a server."""

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app=_APP)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
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


class TestCode:
    @pytest.mark.parametrize("name", ["table", "area_canvas", "tour"])
    def test_named_by_its_content_and_kept_for_ever(self, name: str):
        script = re.findall(r'"(/code/.*?)"', components.script(name))
        style = re.findall(r'"(/code/.*?)"', components.style(name))
        for address, kind in ((*script, "javascript"), (*style, "css")):
            answer = get(address)
            assert answer.status_code == 200
            assert answer.headers["content-type"] == f"text/{kind}; charset=utf-8"
            assert answer.headers["content-encoding"] == "gzip"
            assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"
            assert (
                answer.content
                == (components.FOLDER / Path(address.split("?")[0]).name).read_bytes()
            )
            assert hashlib.sha256(answer.content).hexdigest().startswith(address.split("v=")[1])

    def test_the_page_of_another_version_gets_this_one_and_does_not_keep_it(self):
        for address in ("/code/table.js", "/code/table.js?v=0123456789abcdef"):
            answer = get(address)
            assert answer.content == (components.FOLDER / "table.js").read_bytes()
            assert answer.headers["cache-control"] == "no-store"

    @pytest.mark.parametrize(
        "name",
        [
            "table",
            "nothing.js",
            "__init__.py",
            "pack.png",
            "area_canvas.html",
            "..%2Fshow.py",
            ".",
            "%00",
        ],
    )
    def test_nothing_else_is_handed_out(self, name: str):
        assert get(f"/code/{name}").status_code == 404

    def test_what_is_not_there_is_not_pointed_at(self):
        with pytest.raises(FileNotFoundError, match=r"nothing\.js"):
            components.script("nothing")


class TestShapes:
    def test_named_by_their_content_and_kept_for_ever(self, small_board: Engine):
        shapes = board_map(EVERYTHING, BOARD)
        for layer in (shapes.wards, shapes.hatching):
            answer = get(shapes.url(layer), Accept_Encoding="gzip")
            assert answer.status_code == 200
            assert answer.headers["content-encoding"] == "gzip"
            assert answer.headers["vary"] == "Accept-Encoding"
            assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"
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
                    assert cells[title][1] == pytest.approx(other[name], rel=1e-6, abs=1e-5)

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
                    assert sort == pytest.approx(value, rel=1e-6, abs=1e-5)

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

    def test_the_needs_are_those_of_the_export(self, demonstration: Engine):
        area = "icb=QDK&as_at=2026-06-30"
        exported = {
            (row["ward_code"], row["theme"]): row
            for row in get(f"/export/gaps.json?{area}").json()["rows"]
        }
        body = get(f"/table/gaps.json?{area}").json()
        themes = [column["pick"] for column in body["columns"]]
        signs = {"none": "✕", "stale only": "◷", "full": "■", "area-wide only": "+", "served": "✓"}
        told = {
            (line["key"], theme): (cell[0], cell[2], body["looks"][cell[3]]["sign"])
            for line in body["rows"]
            for theme, cell in zip(themes, line["cells"], strict=True)
            if theme
        }
        assert told.keys() == exported.keys()
        for key, (text, note, sign) in told.items():
            row = exported[key]
            assert sign == signs[row["state"]]
            assert note.endswith("" if row["referred"] is None else f"{row['referred']} referred")
            if row["state"] in ("served", "full"):
                # All that is full may be for everybody, and none the ward's own.
                assert text == (str(row["own"]) if row["own"] else f"{row['wide']} wide")
                has_free = row["own"] and row["free_places"] is not None
                assert note.startswith(f"{row['free_places']:,} free" if has_free else "")

    def test_the_services_are_those_of_the_export(self, demonstration: Engine):
        area = "icb=QDK&as_at=2026-06-30"
        answer = get(f"/export/services.json?{area}").json()
        exported = {row["service_key"]: row for row in answer["rows"]}
        body = get(f"/table/services.json?{area}").json()
        titles = [column["title"] for column in body["columns"]]
        # Those that are placed nowhere are in both.
        assert {line["key"] for line in body["rows"]} == set(exported)
        for line in body["rows"]:
            cells, row = dict(zip(titles, line["cells"], strict=True)), exported[line["key"]]
            assert (cells["Service"][0], cells["Provider"][0]) == (
                row["service_name"], row["provider"],
            )  # fmt: skip
            for title, name in (("Free places", "free_places"), ("Waiting", "people_waiting")):
                expected = {None: ["–"], "*": ["*"]}.get(row[name], [f"{row[name]}", row[name]])
                assert cells[title][:2] == expected
            assert (cells["Confirmed"][2:] == ["stale"]) == (row["freshness"] == "over 12 months")

    @pytest.mark.parametrize(
        ("filters", "gaps", "localities", "services"),
        [
            ("", 6, 2, 4),
            (f"&locality={NORTHAM}", 3, 1, 2),
            # Abbey, Brook, Castle and Dale; or Castle alone. The helpline is Southam's.
            (f"&pcn={SOUTH}", 3, 2, 3),
            (f"&locality={NORTHAM}&pcn={SOUTH}", 1, 1, 1),
            ("&locality=E07999999", 0, 0, 0),
        ],
    )
    def test_filters_of_providers(
        self, small_board: Engine, filters: str, gaps: int, localities: int, services: int
    ):
        subjects = {"gaps": gaps, "localities": localities, "services": services}
        assert {
            name: len(get(f"/table/{name}.json?{EXPORT}{filters}").json()["rows"])
            for name in subjects
        } == subjects

    def test_capacity_by_what_is_asked_for(self, small_board: Engine):
        for by, keys in (
            ("", ["Together CIC"]),
            ("provider", ["Together CIC"]),
            ("theme", ["loneliness"]),
            ("locality", [NORTHAM, SOUTHAM]),
            ("ward", [ABBEY, "E05900002", CASTLE, ELM, DALE, FORD]),
            ("secrets", ["Together CIC"]),
        ):
            rows = get(f"/table/capacity.json?{EXPORT}&by={by}").json()["rows"]
            assert [row["key"] for row in rows] == keys

    def test_what_narrows_the_services_narrows_nothing_else(self, small_board: Engine):
        narrowed = "&theme=housing&room=full&place=nowhere&provider=nobody"
        assert get(f"/table/services.json?{EXPORT}{narrowed}").json()["rows"] == []
        for subject in ("gaps", "localities", "capacity"):
            plain = get(f"/table/{subject}.json?{EXPORT}")
            assert get(f"/table/{subject}.json?{EXPORT}{narrowed}").json() == plain.json()

    def test_the_pathway_is_that_of_the_export(self, demonstration: Engine):
        area = "icb=QDK&as_at=2026-06-30"
        exported = {
            (row["group_code"], row["figure"]): row
            for row in get(f"/export/outcomes.json?{area}").json()["rows"]
            if row["section"] == "pathway" and row["breakdown"] == "network"
        }
        body = get(f"/table/pathway.json?{area}").json()
        figures = [column["title"].lower() for column in body["columns"]]
        networks = {row["key"]: row["cells"] for row in body["rows"]}
        assert {code for code, _ in exported} == set(networks)
        states = set()
        for (code, figure), other in exported.items():
            cell = networks[code][figures.index(figure)]
            states.add(other["state"])
            if other["people"] is None:
                assert cell[0] in ("–", "not recorded")
            elif other["people"] == "*":
                assert cell == ["*"]
            else:
                assert cell[1] == other["people"]
        assert {"", "not recorded"} <= states

    @pytest.mark.parametrize("query", ["cohort=x", "groups=x", "cohort=&groups=<b>", "cohort=PCN"])
    def test_a_pathway_by_what_is_not_there(self, demonstration: Engine, query: str):
        area = "icb=QDK&as_at=2026-06-30"
        plain = get(f"/table/pathway.json?{area}").json()
        assert plain["rows"]
        assert get(f"/table/pathway.json?{area}&{query}").json() == plain

    @pytest.mark.parametrize("subject", [*SUBJECTS, *PROVIDERS, "pathway"])
    def test_kept_by_this_reader_only(self, small_board: Engine, subject: str):
        answer = get(f"/table/{subject}.json?{EXPORT}")
        assert answer.headers["cache-control"].startswith("private")
        assert answer.headers["content-encoding"] == "gzip"

    @pytest.mark.parametrize("query", ["", "icb=QZ1", "icb=QZ1&as_at=today", "as_at=2026-13-01"])
    @pytest.mark.parametrize("subject", [*SUBJECTS, *PROVIDERS, "pathway"])
    def test_a_broken_address_is_refused(self, small_board: Engine, subject: str, query: str):
        answer = get(f"/table/{subject}.json?{query}")
        assert answer.status_code == 400
        assert "as_at" in answer.text

    def test_no_such_table(self, small_board: Engine):
        answer = get(f"/table/secrets.json?{EXPORT}")
        assert (answer.status_code, answer.text) == (404, "not found")

    def test_a_board_that_is_not_there_has_no_rows(self, small_board: Engine):
        for subject in (*SUBJECTS, *PROVIDERS, "pathway"):
            answer = get(f"/table/{subject}.json?icb=QXX&as_at={AS_AT}")
            assert answer.status_code in (200, 404)
            for name in ("Abbey", "North", "Garden", "Together"):
                assert name not in answer.text


class TestExport:
    @pytest.mark.parametrize("subject", [*SUBJECTS, "services", "gaps", "outcomes"])
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

    @pytest.mark.slow
    def test_a_hidden_need_is_hidden_in_each_form(self, small_board: Engine):
        """3 of Dale were referred for loneliness, and one of them found no service."""
        rows = get(f"/export/gaps.json?{EXPORT}").json()["rows"]
        dale, ford = (
            next(r for r in rows if (r["ward_code"], r["theme"]) == (code, "loneliness"))
            for code in (DALE, FORD)
        )
        assert (dale["referred"], dale["without_service"]) == ("*", "*")
        assert (dale["state"], dale["own"], dale["wide"]) == ("area-wide only", 0, 1)
        # Missing, and why; not hidden, and not nought.
        assert (ford["referred"], ford["without_service"]) == (None, None)
        assert ford["missing"]["referred"] == "no referral return"
        lines = get(f"/export/gaps.csv?{EXPORT}").text.splitlines()
        assert len(lines) == 1 + 6 * 14
        assert next(x for x in lines if DALE in x and "loneliness" in x).count("*") == 2

    @pytest.mark.slow
    def test_stale_services_count_where_that_is_asked_for(self, load_board: Callable[..., Engine]):
        """Elm has the old list alone, which is a day too old."""
        load_board(Board(services=(GARDEN, OLD_LIST), directory=(), matches=()))
        for stale in ("", "&stale=", "&stale=1", "&stale=counted"):
            counted = stale == "&stale=counted"
            words = "counted as provision" if counted else "left out"
            told = {
                subject: get(f"/export/{subject}.json?{EXPORT}{stale}").json()
                for subject in ("coverage", "gaps")
            }
            assert {one["meta"]["basis"]["stale_services"] for one in told.values()} == {words}
            elm, need = (
                next(row for row in one["rows"] if row["ward_code"] == ELM) for one in told.values()
            )
            assert (elm["services"], elm["service_count"]) == (
                ("present", 1) if counted else ("stale", 0)
            )
            assert (need["theme"], need["state"]) == (
                "loneliness", "served" if counted else "stale only",
            )  # fmt: skip
            rows = get(f"/table/gaps.json?{EXPORT}{stale}").json()["rows"]
            cells = next(row["cells"] for row in rows if row["key"] == ELM)
            assert cells[2][0] == ("1" if counted else "1 stale")


def sheets(body: bytes) -> list[list[dict[str, Any]]]:
    """The rows of each sheet by the names in its first one."""
    found = []
    for each in openpyxl.load_workbook(io.BytesIO(body)).worksheets:
        head, *told = each.iter_rows(values_only=True)
        found.append([dict(zip(head, line, strict=True)) for line in told])
    return found


class TestAsk:
    def test_the_file_of_a_provider(self, small_board: Engine):
        answer = get("/ask/services.xlsx?provider=Together%20CIC")
        assert answer.status_code == 200
        assert answer.headers["content-type"].endswith("spreadsheetml.sheet")
        assert answer.headers["content-disposition"] == (
            'attachment; filename="services-TogetherCIC.xlsx"'
        )
        assert answer.headers["cache-control"] == "no-store"
        told = next(rows for rows in sheets(answer.content) if rows and "service_name" in rows[0])
        assert {row["service_name"]: (row["area_served"], row["need_themes"]) for row in told} == {
            "Choir": (NORTHAM, "loneliness"),
            "Garden": (ABBEY, "loneliness"),
            "Helpline": (SOUTHAM, "loneliness"),
            "Old List": (ELM, "loneliness"),
        }
        # 12 people wait for the choir: how many is the provider's to say again.
        assert {row["waiting"] for row in told} <= {None, ""}

    def test_the_file_of_who_is_only_in_a_directory(self, small_board: Engine):
        answer = get("/ask/services.xlsx?provider=Together")
        told = next(rows for rows in sheets(answer.content) if rows and "service_name" in rows[0])
        assert [(row["service_name"], row["provider"]) for row in told] == [
            ("The garden", "Together")
        ]

    @pytest.mark.parametrize(
        "query",
        ["", "?provider=", "?provider=Nobody", "?provider=together", "?provider=%25", "?x=1"],
    )
    def test_a_provider_that_returned_nothing(self, small_board: Engine, query: str):
        answer = get(f"/ask/services.xlsx{query}")
        assert (answer.status_code, answer.text) == (404, "not found")

    def test_a_provider_who_is_not_the_readers(
        self, load_board: Callable[..., Engine], read_as: Callable[[str], None]
    ):
        load_board(Board(services=(Service("walk", (GORSE,), provider="Hill CIC"),), directory=()))
        assert get("/ask/services.xlsx?provider=Hill%20CIC").status_code == 200
        read_as(BOARD)
        assert get("/ask/services.xlsx?provider=Hill%20CIC").status_code == 404
        for subject in ("services", "gaps"):
            address = f"/export/{subject}.json?icb={NEIGHBOUR}&as_at={AS_AT}"
            assert get(address).status_code == 404
        assert get(f"/table/services.json?icb={NEIGHBOUR}&as_at={AS_AT}").status_code == 404

    def test_a_name_that_is_no_file_name(self, load_board: Callable[..., Engine]):
        load_board(Board(services=(Service("x", (ABBEY,), provider='é "\r\n/..'),), directory=()))
        answer = get("/ask/services.xlsx?provider=%C3%A9%20%22%0D%0A/..")
        assert answer.headers["content-disposition"] == (
            'attachment; filename="services-provider.xlsx"'
        )


class TestHealth:
    def test_the_process_answers(self, empty: Engine):
        assert get("/healthz").json()["process"] == "ok"

    def test_ready_when_the_database_has_the_right_form(self, empty: Engine):
        answer = get("/readyz")
        assert (answer.status_code, answer.json()["ready"]) == (200, True)

    def test_not_ready_before_the_upgrade(self, use_database: Callable, tmp_path):
        # A file without a table: one that is not there would be no database at all.
        (tmp_path / "bare.db").touch()
        use_database(tmp_path / "bare.db")
        answer = get("/readyz")
        assert (answer.status_code, answer.json()["form"]) == (503, "needs an upgrade")


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
        f"/table/gaps.json?{EXPORT}",
        f"/table/localities.json?{EXPORT}",
        f"/table/services.json?{EXPORT}",
        f"/table/capacity.json?{EXPORT}",
        f"/table/all-boards.json?{EXPORT}",
        f"/table/all-wards.json?{EXPORT}",
        "/geo/all/none.json",
        "/table/coverage.json",
        "/ask/services.xlsx",
        "/ask/services.xlsx?provider=Together%20CIC",
        f"/export/gaps.csv?{EXPORT}",
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
