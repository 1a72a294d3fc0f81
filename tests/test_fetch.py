"""Fetching, against a stand-in server on this machine: no test asks another host."""

from __future__ import annotations

import ast
import io
import json
import re
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from typer.testing import CliRunner

from dashboard import commands
from dashboard.download import FetchError, Limits, Web
from dashboard.fetch import (
    MOST_NAME,
    Addresses,
    Fetched,
    Item,
    UsageError,
    fetch,
    file_name,
    linked_name,
    links,
    pages_by_month,
    read_addresses,
)
from dashboard.intake import recognise
from dashboard.intake.source import Source
from tests.intake import files

ROOT = Path(__file__).resolve().parent.parent
TODAY = date(2026, 7, 15)
QUICK = Limits(most_bytes=200_000, timeout=0.3, whole=5, wait=0.25)


class Request:
    """One question to the stand-in, and the ways to answer it."""

    def __init__(self, handler: BaseHTTPRequestHandler):
        self._handler = handler
        self.headers = handler.headers
        parts = urlsplit(handler.path)
        self.path = parts.path
        self.asked = {name: values[0] for name, values in parse_qs(parts.query).items()}

    def answer(self, body: bytes | str, status: int = 200, **headers: str) -> None:
        """Headers by keyword: `ETag`, `Content_Length`."""
        body = body.encode() if isinstance(body, str) else body
        named = {"Content-Length": str(len(body))}
        named |= {name.replace("_", "-"): value for name, value in headers.items()}
        self._handler.send_response(status)
        for name, value in named.items():
            self._handler.send_header(name, value)
        self._handler.end_headers()
        self._handler.wfile.write(body)

    def endless(self) -> None:
        self._handler.send_response(200)
        self._handler.end_headers()
        while True:
            self._handler.wfile.write(b"a,b\n" * 10_000)


Answerer = Callable[[Request], None]


class StandIn:
    """A server whose paths answer as a test says; it remembers what it was asked."""

    def __init__(self) -> None:
        self.paths: dict[str, Answerer] = {}
        self.asked: list[str] = []
        self.closing = threading.Event()
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                request = Request(self)
                stand_in.asked.append(request.path)
                answerer = stand_in.paths.get(request.path)
                # Whoever asked may have heard enough.
                with suppress(BrokenPipeError, ConnectionResetError):
                    answerer(request) if answerer else request.answer("not there", 404)

            def do_CONNECT(self) -> None:
                stand_in.asked.append(self.path)
                self.send_error(403)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def says(self, path: str, body: bytes | str, status: int = 200, **headers: str) -> None:
        self.paths[path] = lambda request: request.answer(body, status, **headers)


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    monkeypatch.setenv("no_proxy", "*")
    made = StandIn()
    thread = threading.Thread(target=made.server.serve_forever, args=(0.01,))
    thread.start()
    yield made
    made.closing.set()
    made.server.shutdown()
    made.server.server_close()
    thread.join()


def addresses(stand_in: StandIn, *items: Item, page_size: int = 2) -> Addresses:
    origins = frozenset({stand_in.url})
    return Addresses(origins, f"{stand_in.url}/services", "https://portal", items, page_size)


LSOA_ICB = Item(
    "lsoa-icb",
    "LSOA to ICB",
    service="LSOA_ICB",
    icb_field="ICB24CDH",
    lad_field="LAD24CD",
    order="LSOA21CD",
)
WARDS = Item(
    "wards", "Wards", service="WARDS", lad_field="LAD25CD", order="WD25CD", boundaries=True
)
LSOA_WARD = Item(
    "lsoa-ward", "LSOA to ward", service="LSOA_WARD", lad_field="LAD24CD", order="LSOA21CD"
)
LIST = Item("list", "A list", address="/list.csv", file="list.csv")
PAGE = Item(
    "workforce",
    "Workforce",
    page="/pages/{day}-{month}-{year}",
    link=r"PCNWF.*\.zip",
    members=r".*Individual.*\.csv",
)

LSOA_RECORDS = [
    {
        "LSOA21CD": f"E0100000{number}",
        "LSOA21NM": f"One, {number}",
        "SICBL24CD": "E38000001",
        "SICBL24CDH": "5E1",
        "ICB24CD": "E54000001",
        "ICB24CDH": "QZZ",
        "LAD24CD": f"E0700000{1 + number % 2}",
        "OBJECTID": number,
    }
    for number in (1, 2, 3)
]
WARD_RECORDS = [
    {"LSOA21CD": "E01000001", "WD24CD": "E05000001", "LAD24CD": "E07000001"},
    {"LSOA21CD": "E01000002", "WD24CD": "E05000002", "LAD24CD": "E07000002"},
    {"LSOA21CD": "E01000009", "WD24CD": "E05000009", "LAD24CD": "E07000009"},
]
WARD_FEATURES = [
    files.ward_feature("E05000001", "Hill", "E07000001", 0.50),
    files.ward_feature("E05000002", "Dale", "E07000002", 0.51),
    files.ward_feature("E05000009", "Far", "E07000009", 0.52),
]


def service(records: list[dict], most: int = 2000) -> Answerer:
    """Answers as a feature service does, which never gives more than `most` records."""

    def answer(request: Request) -> None:
        asked = request.asked
        field, values = re.fullmatch(r"(\w+)(?:=| IN \()(.*?)\)?", asked["where"]).groups()
        wanted = re.findall(r"'(\w+)'", values)

        def facts(record: dict) -> dict:
            return record.get("properties", record)

        found = [record for record in records if facts(record)[field] in wanted]
        if "returnCountOnly" in asked:
            request.answer(json.dumps({"count": len(found)}))
            return
        assert asked["outSR"] == "4326"
        found.sort(key=lambda record: facts(record)[asked["orderByFields"]])
        start = int(asked["resultOffset"])
        page = found[start : start + min(most, int(asked["resultRecordCount"]))]
        if asked["f"] == "geojson":
            request.answer(json.dumps({"type": "FeatureCollection", "features": page}))
        else:
            request.answer(json.dumps({"features": [{"attributes": record} for record in page]}))

    return answer


def query(name: str) -> str:
    return f"/services/{name}/FeatureServer/0/query"


@pytest.fixture
def ons(stand_in: StandIn) -> StandIn:
    stand_in.paths[query("LSOA_ICB")] = service(LSOA_RECORDS)
    stand_in.paths[query("LSOA_WARD")] = service(WARD_RECORDS)
    stand_in.paths[query("WARDS")] = service(WARD_FEATURES)
    return stand_in


class Runs:
    """Runs of `fetch` into one folder, with the waits it would have made."""

    def __init__(self, stand_in: StandIn, folder: Path):
        self.stand_in, self.folder, self.waits = stand_in, folder, []

    def __call__(self, *items: Item, limits: Limits = QUICK, **more: object) -> list[Fetched]:
        base = self.stand_in.url
        placed = [
            Item(
                **{
                    **vars(item),
                    "page": item.page and base + item.page,
                    "address": item.address and base + item.address,
                }
            )
            for item in items
        ]
        return fetch(
            "QZZ",
            folder=self.folder,
            addresses=addresses(self.stand_in, *placed),
            limits=limits,
            sleep=self.waits.append,
            today=TODAY,
            **more,
        )

    def left(self) -> dict[str, str]:
        """The files of the folder without the manifest, and what is in them."""
        return {
            path.name: path.read_text(encoding="utf-8")
            for path in sorted(self.folder.iterdir())
            if path.name != "manifest.json"
        }


@pytest.fixture
def run(stand_in: StandIn, tmp_path: Path) -> Runs:
    return Runs(stand_in, tmp_path / "fetched")


def zipped(**members: str) -> bytes:
    """A zip with these files; in names, `__` stands for a slash and `_csv` for the ending."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(name.replace("__", "/").replace("_csv", ".csv"), text)
    return out.getvalue()


# --- feature services --------------------------------------------------------------------


def test_a_board_is_fetched_in_pages_as_the_intake_knows_it(ons: StandIn, run: Runs):
    done = run(LSOA_ICB, WARDS, LSOA_WARD)
    assert [(one.name, one.state, one.why) for one in done] == [
        ("lsoa-icb", "fetched", "3 records"),
        ("wards", "fetched", "2 records"),
        ("lsoa-ward", "fetched", "2 records"),
    ]
    known = [recognise(Source.open(one.paths[0])).name for one in done]
    assert known == ["lsoa_icb", "ward_boundaries", "lsoa_ward"]
    # One count and two pages of the lookup, which is asked once; one count and page of the others.
    assert [ons.asked.count(query(name)) for name in ("LSOA_ICB", "WARDS", "LSOA_WARD")] == [
        3,
        2,
        2,
    ]
    left = run.left()
    assert left["lsoa-icb-LSOA_ICB.csv"].splitlines() == [
        "LSOA21CD,LSOA21NM,SICBL24CD,SICBL24CDH,ICB24CD,ICB24CDH,LAD24CD,OBJECTID",
        'E01000001,"One, 1",E38000001,5E1,E54000001,QZZ,E07000002,1',
        'E01000002,"One, 2",E38000001,5E1,E54000001,QZZ,E07000001,2',
        'E01000003,"One, 3",E38000001,5E1,E54000001,QZZ,E07000002,3',
    ]
    assert json.loads(left["wards-WARDS.geojson"]) == {
        "type": "FeatureCollection",
        "features": WARD_FEATURES[:2],
    }


def test_a_second_run_leaves_what_has_not_changed(ons: StandIn, run: Runs):
    run(LSOA_ICB, WARDS)
    ons.paths[query("WARDS")] = service(WARD_FEATURES[:1] + WARD_FEATURES[1:2])
    assert [one.state for one in run(LSOA_ICB, WARDS)] == ["unchanged", "unchanged"]
    (run.folder / "wards-WARDS.geojson").write_text("half")
    assert [one.state for one in run(LSOA_ICB, WARDS)] == ["unchanged", "fetched"]


def test_one_item_alone_asks_what_it_needs(ons: StandIn, run: Runs):
    done = run(LSOA_ICB, WARDS, LSOA_WARD, only=["wards"])
    assert [(one.name, one.state) for one in done] == [("wards", "fetched")]


def test_a_service_that_gives_fewer_than_asked_for_is_read_to_the_end(ons: StandIn, run: Runs):
    ons.paths[query("LSOA_ICB")] = service(LSOA_RECORDS, most=1)
    assert run(LSOA_ICB)[0].why == "3 records"


def test_field_names_in_lower_case(ons: StandIn, run: Runs):
    lower = [{key.lower(): value for key, value in record.items()} for record in LSOA_RECORDS]

    def answer(request: Request) -> None:
        body = {"count": 3} if "returnCountOnly" in request.asked else None
        start = int(request.asked.get("resultOffset", 0))
        page = [{"attributes": record} for record in lower[start : start + 2]]
        request.answer(json.dumps(body or {"features": page}))

    ons.paths[query("LSOA_ICB")] = answer
    done = run(LSOA_ICB, LSOA_WARD)
    assert [one.state for one in done] == ["fetched", "fetched"]
    assert recognise(Source.open(done[0].paths[0])).name == "lsoa_icb"


def test_a_page_that_repeats_is_refused(ons: StandIn, run: Runs):
    page = {"features": [{"attributes": record} for record in LSOA_RECORDS[:2]]}

    def answer(request: Request) -> None:
        request.answer(json.dumps({"count": 3} if "returnCountOnly" in request.asked else page))

    ons.paths[query("LSOA_ICB")] = answer
    assert run(LSOA_ICB)[0].why == "its pages repeat records, or lack LSOA21CD"
    assert not run.folder.exists()


def test_pages_that_end_too_early_are_refused(ons: StandIn, run: Runs):
    whole = service(LSOA_RECORDS)

    def answer(request: Request) -> None:
        if request.asked.get("resultOffset") == "2":
            request.answer('{"features": []}')
        else:
            whole(request)

    ons.paths[query("LSOA_ICB")] = answer
    assert run(LSOA_ICB)[0].why == "it counts 3 records and gives 2"


def test_an_error_in_a_good_answer_says_which_address_and_what_to_do(ons: StandIn, run: Runs):
    ons.says(query("WARDS"), '{"error": {"code": 400, "message": "Invalid URL", "details": []}}')
    before, failed = run(LSOA_ICB, WARDS)
    assert before.state == "fetched"
    assert failed == Fetched(
        "wards",
        "failed",
        (),
        ons.url + query("WARDS"),
        "the service answered 400 Invalid URL",
        "open https://portal and search for 'WARDS' or for the newest 'Wards'; download it, and "
        "run `python -m dashboard load FILE`. If the name or address changed, correct it in "
        "addresses.toml",
    )
    assert run.waits == []


def test_an_error_of_the_moment_in_a_good_answer_is_tried_again(ons: StandIn, run: Runs):
    ons.says(query("WARDS"), '{"error": {"code": 503, "message": "busy"}}')
    assert run(LSOA_ICB, WARDS)[1].why == "the service answered 503 busy"
    assert run.waits == [0.25, 0.5]


def test_without_the_districts_neither_wards_nor_their_lookup(ons: StandIn, run: Runs):
    del ons.paths[query("LSOA_ICB")]
    done = run(LSOA_ICB, WARDS, LSOA_WARD)
    assert [one.why for one in done] == ["the server answered 404 Not Found"] * 3
    assert ons.asked == [query("LSOA_ICB")]


def test_a_board_that_a_service_does_not_know(ons: StandIn, run: Runs):
    ons.paths[query("LSOA_ICB")] = service([])
    assert run(LSOA_ICB)[0].why == (
        "it has no record with ICB24CDH QZZ: boards were merged and got new codes in April 2026"
    )


def test_services_of_different_years_are_told_by_the_districts(ons: StandIn, run: Runs):
    ons.paths[query("WARDS")] = service(WARD_FEATURES[:1])
    assert run(LSOA_ICB, WARDS)[1].why == (
        "it has nothing for E07000002, districts of QZZ: the services listed are of different years"
    )


def test_a_district_code_from_a_server_is_checked_before_it_is_asked_for(ons: StandIn, run: Runs):
    ons.paths[query("LSOA_ICB")] = service([{**LSOA_RECORDS[0], "LAD24CD": "E07' OR 1=1"}])
    done = run(LSOA_ICB, WARDS)
    assert done[1].why == "expected a district code such as E07000112 in LAD24CD"
    assert query("WARDS") not in ons.asked


def test_districts_are_asked_for_some_at_a_time(ons: StandIn, run: Runs):
    codes = [f"E070000{number:02}" for number in range(51)]
    ons.paths[query("LSOA_ICB")] = service(
        [{"LSOA21CD": code, "ICB24CDH": "QZZ", "LAD24CD": code} for code in codes]
    )
    ons.paths[query("LSOA_WARD")] = service(
        [{"LSOA21CD": code, "WD24CD": code, "LAD24CD": code} for code in codes]
    )
    assert run(LSOA_ICB, LSOA_WARD, only=["lsoa-ward"])[0].why == "51 records"
    # 50 districts: a count and 25 pages; 1 district: a count and a page.
    assert ons.asked.count(query("LSOA_WARD")) == 28


@pytest.mark.parametrize("answer", ["[]", "{}", '{"count": "3"}', "<html>", "\xff"])
def test_an_answer_of_another_form_is_refused(ons: StandIn, run: Runs, answer: str):
    ons.says(query("LSOA_ICB"), answer.encode("latin-1"))
    assert [one.state for one in run(LSOA_ICB)] == ["failed"]


@pytest.mark.parametrize("features", ["7", "[1]", '[{"attributes": 3}]', "[{}]"])
def test_features_of_another_form_are_refused(ons: StandIn, run: Runs, features: str):
    def answer(request: Request) -> None:
        counted = "returnCountOnly" in request.asked
        request.answer('{"count": 1}' if counted else f'{{"features": {features}}}')

    ons.paths[query("LSOA_ICB")] = answer
    assert run(LSOA_ICB)[0].why == "expected features, found something else"


# --- pages with links --------------------------------------------------------------------


def test_the_newest_month_that_has_the_file_is_taken_and_unpacked(stand_in: StandIn, run: Runs):
    stand_in.says("/pages/30-june-2026", "<p>Published on 30 July <a href='/x/other.zip'>x</a>")
    stand_in.says("/pages/31-may-2026", "<a class=x href='/A/1 2/PCNWF.052026.zip'>May</a>")
    stand_in.says("/pages/30-april-2026", "<a href='/A/B/PCNWF.042026.zip'>April</a>")
    stand_in.says(
        "/A/1%202/PCNWF.052026.zip",
        zipped(**{"a__1. Individual Level_csv": files.WORKFORCE, "b__Notes_csv": "a,b\n"}),
    )
    (done,) = run(PAGE)
    assert (done.state, done.why) == ("fetched", "May 2026")
    assert [path.name for path in done.paths] == ["workforce-a_1._Individual_Level.csv"]
    assert recognise(Source.open(done.paths[0])).name == "workforce"
    assert stand_in.asked == [
        "/pages/31-july-2026",
        "/pages/30-june-2026",
        "/pages/31-may-2026",
        "/A/1%202/PCNWF.052026.zip",
    ]
    assert [one.state for one in run(PAGE)] == ["unchanged"]
    assert [one.paths for one in run(PAGE)] == [done.paths]


def test_an_unpacked_file_that_went_missing_is_made_again(stand_in: StandIn, run: Runs):
    stand_in.says("/pages/31-july-2026", "<a href='/PCNWF.zip'>")
    stand_in.says("/PCNWF.zip", zipped(Individual_csv="a\n1\n"), ETag='"1"')
    (done,) = run(PAGE)
    done.paths[0].unlink()
    assert [one.state for one in run(PAGE)] == ["fetched"]
    assert done.paths[0].read_text() == "a\n1\n"


def test_a_page_of_two_items_is_asked_once(stand_in: StandIn, run: Runs):
    stand_in.says("/p", "<a href='/one.csv'><a href='/two.csv'>")
    stand_in.says("/one.csv", "a\n1\n")
    stand_in.says("/two.csv", "a\n2\n")
    run(
        Item("one", "One", page="/p", link=r"one\.csv"),
        Item("two", "Two", page="/p", link=r"two\.csv"),
    )
    assert stand_in.asked == ["/p", "/one.csv", "/two.csv"]
    assert run.left() == {"one-one.csv": "a\n1\n", "two-two.csv": "a\n2\n"}


def test_no_page_of_six_months_has_it(stand_in: StandIn, run: Runs):
    (done,) = run(PAGE)
    assert done.address == f"{stand_in.url}/pages/31-july-2026"
    assert done.why == (
        r"no link to a file named like 'PCNWF.*\\.zip' there, nor on the pages of the 5 months "
        "before"
    )
    assert done.by_hand.startswith(f"open {stand_in.url}/pages/ in a browser and download 'Workf")
    assert stand_in.asked[-1] == "/pages/28-february-2026"
    assert len(stand_in.asked) == 6


def test_a_fault_does_not_end_in_an_older_month(stand_in: StandIn, run: Runs):
    stand_in.says("/pages/31-july-2026", "no", 403)
    stand_in.says("/pages/30-june-2026", "<a href='/PCNWF.zip'>")
    assert run(PAGE)[0].why == "the server answered 403 Forbidden"


def test_a_link_to_another_host_is_not_followed(stand_in: StandIn, run: Runs):
    stand_in.says("/pages/31-july-2026", "<a href='https://other.example/PCNWF.zip'>")
    (done,) = run(PAGE)
    assert done.address == "https://other.example/PCNWF.zip"
    assert done.why == "'other.example' is not a listed host by https"


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"PK\x03\x04 damaged", "the zip file is damaged"),
        (zipped(Other_csv="a\n"), "the zip holds no file named like '.*Individual.*\\\\.csv'"),
        (zipped(Individual_csv="a" * 200_001), "the zip unpacks to more than 200,000 bytes"),
        (
            zipped(**{"x__Individual_csv": "a", "x_Individual_csv": "b"}),
            "the zip holds too many files, or one twice",
        ),
        ("<html>sign in</html>", "a web page came where a .zip file was expected"),
        ("a,b\n", "something else came where a .zip file was expected"),
        ("", "it is empty"),
    ],
)
def test_a_zip_that_is_not_what_it_should_be(
    stand_in: StandIn, run: Runs, body: bytes | str, why: str
):
    stand_in.says("/pages/31-july-2026", "<a href='/PCNWF.zip'>")
    stand_in.says("/PCNWF.zip", body)
    assert [run(PAGE)[0].why for _ in range(2)] == [why, why]
    assert not list(run.folder.glob("*.part"))


def test_a_zip_member_cannot_leave_the_folder(stand_in: StandIn, run: Runs):
    stand_in.says("/pages/31-july-2026", "<a href='/PCNWF.zip'>")
    stand_in.says("/PCNWF.zip", zipped(**{"..__..__Individual_csv": "a\n"}))
    (done,) = run(PAGE)
    assert done.paths == (run.folder / "workforce-Individual.csv",)


def test_a_correction_is_preferred():
    html = "<a href='B/map.zip'><a href='/C/map_V2.zip#x'><a href='http://[x/map.zip'>"
    found = links("https://h/p/page", html, r"map(_V\d)?\.zip")
    assert found == ["https://h/p/B/map.zip", "https://h/C/map_V2.zip#x"]
    assert max(found, key=linked_name) == "https://h/C/map_V2.zip#x"


def test_months_run_backwards_over_the_end_of_a_year():
    assert list(pages_by_month("p/{day}-{month}-{year}", date(2028, 3, 31)))[:4] == [
        ("p/31-march-2028", "March 2028"),
        ("p/29-february-2028", "February 2028"),
        ("p/31-january-2028", "January 2028"),
        ("p/31-december-2027", "December 2027"),
    ]


# --- one file ----------------------------------------------------------------------------


def test_a_second_run_of_an_unchanged_file_brings_no_bytes(stand_in: StandIn, run: Runs):
    def answer(request: Request) -> None:
        if request.headers["If-None-Match"] == '"1"':
            request.answer("", 304)
        else:
            request.answer("a\n1\n", ETag='"1"')

    stand_in.paths["/list.csv"] = answer
    assert [one.state for one in run(LIST)] == ["fetched"]
    assert [one.state for one in run(LIST)] == ["unchanged"]
    (run.folder / "list-list.csv").write_text("changed by somebody")
    assert [one.state for one in run(LIST)] == ["fetched"]
    assert run.left() == {"list-list.csv": "a\n1\n"}


def test_a_file_that_changed_takes_the_place_of_the_earlier(stand_in: StandIn, run: Runs):
    stand_in.says("/list.csv", "a\n1\n")
    assert [one.state for one in run(LIST)] == ["fetched"]
    assert [one.state for one in run(LIST)] == ["unchanged"]
    stand_in.says("/list.csv", "a\n2\n")
    assert [one.state for one in run(LIST)] == ["fetched"]
    assert run.left() == {"list-list.csv": "a\n2\n"}


def test_the_same_name_at_another_address_is_another_file(stand_in: StandIn, run: Runs):
    """As each month: the name stays, the address and the server's mark for it do not."""

    def answer(request: Request) -> None:
        if request.headers["If-None-Match"]:
            request.answer("", 304)
        elif "Range" in request.headers:
            request.answer("9" * 3004, 206, ETag='"1"', Content_Range="bytes 1000-4003/4004")
        else:
            request.answer("a\n2\n", ETag='"1"')

    moved = Item("list", "A list", address="/moved.csv", file="list.csv")
    stand_in.says("/list.csv", "a\n1\n", ETag='"1"')
    stand_in.paths["/moved.csv"] = answer
    run(LIST)
    assert [one.state for one in run(moved)] == ["fetched"]
    assert run.left() == {"list-list.csv": "a\n2\n"}
    (run.folder / "list-list.csv").unlink()
    stand_in.paths["/list.csv"] = Breaking()
    run(LIST, limits=Limits(most_bytes=200_000, timeout=0.3, tries=1))
    assert [one.state for one in run(moved)] == ["fetched"]
    assert run.left() == {"list-list.csv": "a\n2\n"}


def test_a_damaged_zip_is_asked_for_again(stand_in: StandIn, run: Runs):
    def answer(request: Request) -> None:
        if request.headers["If-None-Match"]:
            request.answer("", 304)
        elif stand_in.asked.count("/PCNWF.zip") == 1:
            request.answer(b"PK\x03\x04 damaged", ETag='"1"')
        else:
            request.answer(zipped(Individual_csv="a\n"), ETag='"1"')

    stand_in.says("/pages/31-july-2026", "<a href='/PCNWF.zip'>")
    stand_in.paths["/PCNWF.zip"] = answer
    assert [run(PAGE)[0].state for _ in range(3)] == ["failed", "fetched", "unchanged"]


def test_the_manifest_says_where_a_file_came_from(stand_in: StandIn, run: Runs):
    stand_in.says("/list.csv", "a\n1\n", ETag='"1"', Last_Modified="Wed, 01 Jul 2026 09:00:00 GMT")
    run(LIST)
    (line,) = json.loads((run.folder / "manifest.json").read_text()).items()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", line[1].pop("fetched_at"))
    assert line == (
        "list-list.csv",
        {
            "address": f"{stand_in.url}/list.csv",
            "etag": '"1"',
            "last_modified": "Wed, 01 Jul 2026 09:00:00 GMT",
            # printf 'a\n1\n' | sha256sum
            "sha256": "309b0e45a73d3fc5325e2b6ed0a01ef8b9cde6b05a5633c1f893f970d52bfddc",
            "members": [],
        },
    )


@pytest.mark.parametrize(
    "damage",
    ["", "{", "[]", "7", '{"list-list.csv": 3}', '{"list-list.csv": {"x": 1}}', "[" * 9999],
)
def test_a_damaged_manifest_means_to_fetch_again(stand_in: StandIn, run: Runs, damage: str):
    stand_in.says("/list.csv", "a\n1\n", ETag='"1"')
    run(LIST)
    (run.folder / "manifest.json").write_text(damage)
    assert [one.state for one in run(LIST)] == ["fetched"]
    assert [one.state for one in run(LIST)] == ["unchanged"]


BODY = "a,b\n" + "1,2\n" * 1000


class Breaking:
    """Gives the first 1,000 bytes of a file and breaks off; goes on when asked to, if it can."""

    def __init__(self, *, ranges: bool = True, body: str = BODY, etag: str = '"1"'):
        self.ranges, self.body, self.etag = ranges, body, etag
        self.breaks = True
        self.began: list[int] = []

    def __call__(self, request: Request) -> None:
        body, start = self.body.encode(), 0
        whole = len(body)
        asked = re.fullmatch(r"bytes=(\d+)-", request.headers.get("Range", ""))
        more = {"ETag": self.etag}
        if asked and self.ranges and request.headers["If-Range"] == self.etag:
            start = int(asked[1])
            more["Content_Range"] = f"bytes {start}-{whole - 1}/{whole}"
        self.began.append(start)
        announced = str(whole - start)
        sent = body[start : start + 1000] if self.breaks else body[start:]
        request.answer(sent, 206 if start else 200, Content_Length=announced, **more)


def test_a_file_that_breaks_off_goes_on_where_it_broke(stand_in: StandIn, run: Runs):
    stand_in.paths["/list.csv"] = Breaking()
    (done,) = run(LIST)
    assert (done.state, done.why) == (
        "failed",
        "the answer broke off after 3,000 of 4,004 bytes",
    )
    assert run.waits == [0.25, 0.5]
    assert list(run.left()) == ["list-list.csv.part"]


def test_a_second_run_goes_on_where_the_first_broke(stand_in: StandIn, run: Runs):
    breaking = stand_in.paths["/list.csv"] = Breaking()
    one_try = Limits(most_bytes=200_000, timeout=0.3, tries=1)
    assert [one.state for one in run(LIST, limits=one_try)] == ["failed"]
    breaking.breaks = False
    assert [one.state for one in run(LIST)] == ["fetched"]
    assert breaking.began == [0, 1000]
    assert run.left() == {"list-list.csv": BODY}


def test_a_server_that_cannot_go_on_begins_again(stand_in: StandIn, run: Runs):
    breaking = stand_in.paths["/list.csv"] = Breaking(ranges=False)
    assert [one.state for one in run(LIST)] == ["failed"]
    breaking.breaks = False
    assert [one.state for one in run(LIST)] == ["fetched"]
    assert breaking.began == [0, 0, 0, 0]
    assert run.left() == {"list-list.csv": BODY}


def test_a_file_that_changed_in_between_begins_again(stand_in: StandIn, run: Runs):
    stand_in.paths["/list.csv"] = Breaking()
    run(LIST, limits=Limits(most_bytes=200_000, timeout=0.3, tries=1))
    stand_in.says("/list.csv", "a\n9\n", ETag='"2"')
    assert [one.state for one in run(LIST)] == ["fetched"]
    assert run.left() == {"list-list.csv": "a\n9\n"}


@pytest.mark.parametrize(
    "headers",
    [
        {"ETag": '"2"', "Content_Range": "bytes 1000-4003/4004"},
        {"ETag": '"1"', "Content_Range": "bytes 900-4003/4004"},
        {"ETag": '"1"'},
    ],
)
def test_a_wrong_part_is_never_joined_on(stand_in: StandIn, run: Runs, headers: dict[str, str]):
    breaking = stand_in.paths["/list.csv"] = Breaking()
    run(LIST, limits=Limits(most_bytes=200_000, timeout=0.3, tries=1))
    breaking.breaks = False

    def answer(request: Request) -> None:
        if "Range" in request.headers:
            request.answer("9" * 3004, 206, **headers)
        else:
            breaking(request)

    stand_in.paths["/list.csv"] = answer
    assert [one.state for one in run(LIST)] == ["fetched"]
    assert run.left() == {"list-list.csv": BODY}


def test_a_part_that_is_longer_than_the_file_begins_again(stand_in: StandIn, run: Runs):
    stand_in.paths["/list.csv"] = Breaking()
    run(LIST, limits=Limits(most_bytes=200_000, timeout=0.3, tries=1))

    def answer(request: Request) -> None:
        if "Range" in request.headers:
            request.answer("", 416)
        else:
            request.answer("a\n1\n")

    stand_in.paths["/list.csv"] = answer
    assert [one.state for one in run(LIST)] == ["fetched"]
    assert run.left() == {"list-list.csv": "a\n1\n"}


def test_two_runs_at_once_do_not_mix_their_bytes(stand_in: StandIn, run: Runs):
    part = run.folder / "list-list.csv.part"

    def answer(request: Request) -> None:
        if len(stand_in.asked) > 1:
            request.answer(BODY)
            return
        request.answer(BODY[:10], Content_Length=str(len(BODY)))
        while not part.exists() and not stand_in.closing.wait(0.01):
            pass
        with part.open("ab") as other:
            other.write(b"x" * 100_000)
        request._handler.wfile.write(BODY[10:].encode())

    stand_in.paths["/list.csv"] = answer
    assert [one.state for one in run(LIST)] == ["fetched"]
    assert run.waits == [0.25]
    assert run.left() == {"list-list.csv": BODY}


def test_a_chunked_answer_that_breaks_off_is_told(stand_in: StandIn, run: Runs):
    def answer(request: Request) -> None:
        handler = request._handler
        handler.protocol_version = "HTTP/1.1"
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        handler.wfile.write(b"4\r\na\n1\n\r\n8\r\na\n")
        handler.close_connection = True

    stand_in.paths["/list.csv"] = answer
    assert run(LIST)[0].why == "the answer broke off"


def test_a_server_that_fails_twice_is_asked_three_times(stand_in: StandIn, run: Runs):
    def answer(request: Request) -> None:
        if len(stand_in.asked) < 3:
            request.answer("", 500)
        else:
            request.answer("a\n1\n")

    stand_in.paths["/list.csv"] = answer
    assert [one.state for one in run(LIST)] == ["fetched"]
    assert run.waits == [0.25, 0.5]


def test_a_file_that_is_not_there_is_asked_for_once(stand_in: StandIn, run: Runs):
    address = f"{stand_in.url}/list.csv"
    assert run(LIST) == [
        Fetched(
            "list",
            "failed",
            (),
            address,
            "the server answered 404 Not Found",
            f"open {address} in a browser and save what it gives, and run `python -m dashboard "
            "load FILE`. If the name or address changed, correct it in addresses.toml",
        )
    ]
    assert (stand_in.asked, run.waits) == (["/list.csv"], [])


def test_a_server_that_never_answers(stand_in: StandIn, run: Runs):
    stand_in.paths["/list.csv"] = lambda _request: stand_in.closing.wait(10)
    limits = Limits(timeout=0.05)
    assert run(LIST, limits=limits)[0].why == "no answer in time"
    assert run.waits == [2, 4]


def test_a_server_that_drips_does_not_hold_the_run(stand_in: StandIn, run: Runs):
    def answer(request: Request) -> None:
        request.answer("a", Content_Length="100000")
        while not stand_in.closing.wait(0.01):
            request._handler.wfile.write(b"1")

    stand_in.paths["/list.csv"] = answer
    limits = Limits(timeout=0.3, whole=0.1, tries=1)
    assert run(LIST, limits=limits)[0].why == "the answer was not complete after 0.1 seconds"


def test_no_server_at_all(stand_in: StandIn, run: Runs):
    stand_in.server.socket.close()
    (done,) = run(LIST)
    assert done.why.startswith("no connection: ")
    assert run.waits == [0.25, 0.5]


def test_an_endless_answer_is_cut_and_not_kept(stand_in: StandIn, run: Runs):
    stand_in.paths["/list.csv"] = Request.endless
    assert run(LIST)[0].why == "the answer has more than 200,000 bytes"
    assert run.left() == {"list-list.csv.part": ""}
    assert run.waits == []


def test_an_answer_announced_too_large_is_not_begun(stand_in: StandIn, run: Runs):
    stand_in.says("/list.csv", "a", Content_Length="200001")
    assert run(LIST)[0].why == "the answer has more than 200,000 bytes"


def test_a_web_page_is_not_taken_for_a_table(stand_in: StandIn, run: Runs):
    stand_in.says("/list.csv", "\ufeff\n<!DOCTYPE html><title>Sign in</title>")
    assert run(LIST)[0].why == "a web page came where a .csv file was expected"
    assert run.left() == {}


def test_a_redirect_within_the_list_is_followed(stand_in: StandIn, run: Runs):
    stand_in.says("/list.csv", "", 302, Location="/there.csv")
    stand_in.says("/there.csv", "a\n1\n")
    assert [one.state for one in run(LIST)] == ["fetched"]


@pytest.mark.parametrize(
    ("location", "host"),
    [
        ("https://other.example/x", "other.example"),
        ("//other.example/x", "other.example"),
        ("http://digital.nhs.uk/x", "digital.nhs.uk"),
        ("http://localhost:1/x", "localhost:1"),
    ],
)
def test_a_redirect_to_another_host_is_not_followed(
    stand_in: StandIn, run: Runs, location: str, host: str
):
    stand_in.says("/list.csv", "", 302, Location=location)
    (done,) = run(LIST)
    assert done.why == f"it redirects, but {host!r} is not a listed host by https"
    assert done.address == f"{stand_in.url}/list.csv"


def test_a_redirect_in_a_circle_ends(stand_in: StandIn, run: Runs):
    stand_in.says("/list.csv", "", 302, Location="/list.csv")
    assert run(LIST)[0].state == "failed"


def test_a_file_that_cannot_be_written_holds_nothing_up(stand_in: StandIn, run: Runs):
    stand_in.says("/list.csv", "a\n1\n")
    stand_in.says("/b.csv", "a\n2\n")
    (run.folder / "list-list.csv").mkdir(parents=True)
    done = run(LIST, Item("b", "B", address="/b.csv", file="b.csv"))
    assert [one.state for one in done] == ["failed", "fetched"]
    assert done[0].why.startswith("it could not be written: ")


def test_a_full_disk(stand_in: StandIn, run: Runs):
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    stand_in.says("/list.csv", "a\n1\n")
    run.folder.mkdir()
    (run.folder / "list-list.csv.part").symlink_to("/dev/full")
    assert run(LIST)[0].why == "it could not be written: No space left on device"


def test_a_folder_that_cannot_be_made(stand_in: StandIn, run: Runs):
    run.folder.write_text("a file")
    assert run(LIST)[0].why.startswith("it could not be written: ")


# --- a directory of services -------------------------------------------------------------

SERVICES = [{"id": f"s{n}", "name": f"Service {n}", "status": "active"} for n in (1, 2, 3)]


def feed(contents: str, pages: str, total: str, stated: int = 3) -> Answerer:
    def answer(request: Request) -> None:
        number = int(request.asked["page"])
        assert request.asked["per_page"] == "500"
        assert request.asked["place"] == "x y"
        some = SERVICES[2 * number - 2 : 2 * number]
        request.answer(json.dumps({contents: some, pages: 2, total: stated, "page": number}))

    return answer


@pytest.mark.parametrize(
    "names",
    [("contents", "total_pages", "total_items"), ("content", "totalPages", "totalElements")],
)
def test_a_directory_is_read_page_by_page(stand_in: StandIn, run: Runs, names: tuple[str, ...]):
    stand_in.paths["/v3/services"] = feed(*names)
    (done,) = run(directory=f"{stand_in.url}/v3/services?place=x%20y")
    assert (done.name, done.state, done.why) == ("directory", "fetched", "3 services")
    contents, pages, total = names
    assert json.loads(done.paths[0].read_text()) == {total: 3, pages: 1, contents: SERVICES}
    assert recognise(Source.open(done.paths[0])).name == "directory"


def test_a_directory_that_says_it_has_more(stand_in: StandIn, run: Runs):
    stand_in.paths["/services"] = feed("contents", "total_pages", "total_items", 4)
    (done,) = run(directory=f"{stand_in.url}/services?place=x+y")
    assert done.why == "3 services; the feed says it has 4"


@pytest.mark.parametrize(
    ("page", "why"),
    [
        ('{"contents": [{"id": 1}], "total_pages": 2}', "page 2 repeats the page before it"),
        ('{"contents": [], "total_pages": 1001}', "it has more than 1,000 pages"),
        ('{"contents": []}', "page 1 is not of an Open Referral UK feed"),
        ('{"contents": 3, "total_pages": 1}', "page 1 is not of an Open Referral UK feed"),
        ("[]", "page 1 is not of an Open Referral UK feed"),
        ("<html>", "expected JSON, found something else"),
    ],
)
def test_a_directory_of_another_form(stand_in: StandIn, run: Runs, page: str, why: str):
    stand_in.says("/services", page)
    assert run(directory=f"{stand_in.url}/services")[0].why == why


@pytest.mark.parametrize(
    "address",
    ["http://place.example/x", "file:///etc/passwd", "https://a@b/x", "x", "https://[", "https://"],
)
def test_a_directory_is_reached_by_https_only(run: Runs, address: str):
    with pytest.raises(UsageError, match="expected the https address of a directory"):
        run(directory=address)


# --- what is asked, and where ------------------------------------------------------------


@pytest.mark.parametrize("code", ["", "Q", "QK'S", "QKS OR 1=1", "../x", "QKSS", "Ｑks"])
def test_a_code_that_is_none_is_refused(tmp_path: Path, code: str):
    with pytest.raises(UsageError, match="expected an ICB code such as QKS"):
        fetch(code, folder=tmp_path)


def test_a_name_that_is_none_is_refused(tmp_path: Path):
    with pytest.raises(UsageError, match="'nonsense' is nothing to fetch; there are: lsoa-icb, "):
        fetch("QKS", ["wards", "nonsense"], tmp_path)


@pytest.mark.parametrize(
    "address",
    [
        "http://digital.nhs.uk/x",
        "https://digital.nhs.uk:8443/x",
        "https://digital.nhs.uk.other.example/x",
        "https://someone@digital.nhs.uk/x",
        "https://digital.nhs.uk@other.example/x",
        "https://other.example/digital.nhs.uk",
        "https://digital.nhs.uk\\@other.example/",
        "file:///etc/passwd",
        "ftp://digital.nhs.uk/x",
        "//digital.nhs.uk/x",
        "https://[digital.nhs.uk/x",
        "",
    ],
)
def test_only_listed_hosts_by_https(address: str):
    with pytest.raises(FetchError):
        Web(read_addresses().origins).allowed(address)


def test_a_listed_host_is_asked_with_an_encoded_address():
    web = Web(read_addresses().origins)
    assert (
        web.allowed("https://digital.nhs.uk/a b/é%20") == "https://digital.nhs.uk/a%20b/%C3%A9%20"
    )


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("gp-reg-pat.csv", "i-gp-reg-pat.csv"),
        ("../../etc/passwd", "i-etc_passwd"),
        ("1. Level – June.csv", "i-1._Level_June.csv"),
        ("CON", "i-CON"),
        (".bashrc", "i-bashrc"),
        ("", "i-"),
        ("x" * 300 + ".csv", "i-" + "x" * (MOST_NAME - 6) + ".csv"),
        ("x." + "y" * 300, "i-x." + "y" * 9),
    ],
)
def test_a_file_name_is_safe(name: str, safe: str):
    assert file_name("i", name) == safe


def test_the_list_is_complete_and_every_address_in_it_allowed():
    listed = read_addresses()
    web = Web(listed.origins)
    assert listed.page_size <= 2000
    assert len({item.name for item in listed.items}) == len(listed.items)
    assert [item.name for item in listed.items if item.icb_field] == ["lsoa-icb"]
    for item in listed.items:
        kinds = [bool(item.service), bool(item.page), bool(item.address)]
        assert kinds.count(True) == 1, item.name
        web.allowed(listed.services if item.service else item.page or item.address)
        assert not item.service or (item.lad_field and item.order), item.name
        assert bool(item.page) == bool(item.link), item.name
        assert bool(item.address) == bool(item.file), item.name
        re.compile(item.link + item.members)


@pytest.mark.parametrize(
    ("item", "called"),
    [
        ("practices", "gp-reg-pat-prac-map.zip"),
        ("practices", "gp-reg-pat-prac-map_V2.zip"),
        ("list-sizes", "gp-reg-pat-prac-quin-age.zip"),
        ("registered-patients", "gp-reg-pat-prac-lsoa-male-female-Apr-24.zip"),
        ("workforce", "PCNWFIndividualCSV.062026.zip"),
        ("appointments", "Practice_Level_Crosstab_Jun_26.zip"),
        ("deprivation", "File_1_IoD2025_Index_of_Multiple_Deprivation.xlsx"),
        ("deprivation", "File_1_IoD2025 Index of Multiple Deprivation.xlsx"),
    ],
)
def test_published_names_are_found(item: str, called: str):
    patterns = {one.name: one.link for one in read_addresses().items}
    assert [name for name, link in patterns.items() if link and re.fullmatch(link, called)] == [
        item
    ]


def test_nothing_else_can_go_out():
    """Other code has no way to ask a host; `network.py` sets an option of sockets it is given, and
    `serve.py` looks whether a port is free."""
    ways = {"urllib.request", "http.client", "httpx", "requests", "aiohttp", "socket", "ftplib"}
    found = {}
    for top in ("dashboard", "pages", "queries", "geodata"):
        for path in (ROOT / top).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                names = [
                    alias.name for alias in getattr(node, "names", []) if hasattr(alias, "name")
                ]
                if isinstance(node, ast.ImportFrom):
                    names = [f"{node.module}.{name}" for name in names] + [str(node.module)]
                if isinstance(node, ast.Import | ast.ImportFrom) and ways & set(names):
                    found.setdefault(path.relative_to(ROOT).as_posix(), set()).update(
                        ways & set(names)
                    )
    assert found == {
        "dashboard/download.py": {"urllib.request", "http.client"},
        "dashboard/network.py": {"socket"},
        "dashboard/serve.py": {"socket"},
    }


# --- the command -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["fetch", "nonsense"], "expected an ICB code such as QKS, found 'NONSENSE'"),
        (["fetch", "QKS", "--only", "all"], "'all' is nothing to fetch; there are: lsoa-icb,"),
        (["fetch", "QKS", "--directory", "http://x"], "expected the https address of a directory"),
    ],
)
def test_a_wrong_use_of_the_command(arguments: list[str], words: str):
    result = CliRunner().invoke(commands.app, arguments)
    assert result.exit_code == 2
    assert words in " ".join(result.stderr.split())


def test_the_command_says_what_failed(stand_in: StandIn, monkeypatch: pytest.MonkeyPatch):
    """The stand-in is the proxy here, and lets nothing through."""
    monkeypatch.delenv("no_proxy")
    monkeypatch.setenv("https_proxy", stand_in.url)
    result = CliRunner().invoke(commands.app, ["fetch", "qks", "--only", "deprivation"])
    assert result.exit_code == 1
    assert stand_in.asked == ["www.gov.uk:443"]
    assert " ".join(result.stderr.split()).startswith(
        "deprivation: failed, no connection: Tunnel connection failed: 403 Forbidden "
        "https://www.gov.uk/government/statistics/english-indices-of-deprivation-2025 "
        "By hand: open https://www.gov.uk/"
    )


def test_the_command_says_what_came(
    stand_in: StandIn, run: Runs, capsys: pytest.CaptureFixture[str]
):
    stand_in.says("/pages/31-july-2026", "<a href='/PCNWF.zip'>")
    stand_in.says("/PCNWF.zip", zipped(Individual_csv="a\n"))
    done = run(PAGE)
    assert commands._tell_fetched(done) == [run.folder / "workforce-Individual.csv"]
    assert capsys.readouterr().err == "workforce: fetched, workforce-Individual.csv (July 2026)\n"
