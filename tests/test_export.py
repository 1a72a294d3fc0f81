"""Files: what they hold, that they agree with the page, and what can never be in one."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from datetime import date, datetime
from typing import Any

import openpyxl
import pandas as pd
import pytest
from sqlalchemy import Engine

from dashboard import __version__, export
from dashboard.coverage import ward_coverage
from dashboard.settings import settings
from queries.scope import EVERYTHING, Scope
from tests import small_board as b
from tests.conftest import rest_is_slow
from tests.small_board import ABBEY, BROOK, CASTLE, DALE, ELM, FORD

FORMS = ("csv", "json", "xlsx")
TEXTS = {"ward_code", "ward_name", "lad_code", "lad_name", "pcn_code", "pcn_name", "flags"}


pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("settings_as_shipped")]


def body(engine: Engine, subject: str = "coverage", form: str = "json") -> bytes:
    return export.make(engine, EVERYTHING, subject, b.BOARD, b.AS_AT, form).body


def parsed(
    engine: Engine, subject: str = "coverage"
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    found = json.loads(body(engine, subject), parse_constant=refuse)
    assert set(found) == {"meta", "rows"}
    return found["meta"], found["rows"]


def by_code(rows: list[dict[str, Any]], key: str = "ward_code") -> dict[str, dict[str, Any]]:
    found = {row[key]: row for row in rows}
    assert len(found) == len(rows)
    return found


def csv_rows(raw: bytes) -> list[dict[str, str]]:
    text = raw.decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def sheet_rows(raw: bytes, subject: str = "Coverage") -> list[dict[str, Any]]:
    sheet = openpyxl.load_workbook(io.BytesIO(raw))[subject]
    names, *rows = sheet.iter_rows(values_only=True)
    return [dict(zip(names, row, strict=True)) for row in rows]


@pytest.fixture
def board(sqlite_engine: Engine) -> Engine:
    b.Board().save(sqlite_engine)
    return sqlite_engine


@pytest.mark.parametrize("subject", ["coverage", "workforce"])
def test_what_the_file_says_of_itself(board: Engine, subject: str) -> None:
    meta, _ = parsed(board, subject)
    assert meta["subject"] == subject
    assert (meta["icb_code"], meta["as_at"]) == (b.BOARD, "2026-06-30")
    assert (meta["data_as_of"], meta["version"]) == ("2026-06-30", __version__)
    assert meta["disclosure_profile"] == "nhs"
    assert meta["is_demonstration"] is False
    assert meta["totals"]
    assert len(meta["sources"]) == 22
    for source in meta["sources"]:
        assert set(source) == {"dataset", "file", "sha256", "loaded_at"}
        assert len(source["sha256"]) == 64
        assert source["file"] == f"{source['dataset']}.csv"
        assert datetime.fromisoformat(source["loaded_at"]).utcoffset() is not None


def test_totals_and_basis_of_coverage(board: Engine) -> None:
    meta, rows = parsed(board)
    totals = meta["totals"]
    assert totals["wards"] == len(rows) == 6
    assert sum(totals["wards_by_status"].values()) == 6
    assert totals["wards_by_status"]["No provision"] == 2
    assert totals["wards_by_status"]["Low take-up"] == 0
    # Castle's 5,000 and Elm's 2,500.
    assert totals["people_in_wards_with_a_gap"] == 7500
    assert totals["wards_without_population"] == 1
    assert meta["basis"] == {
        "take_up_per_1000_of": "people",
        "ward_shares": "registered",
        "expected_from": "population alone",
        "referrals_from": "2025-07-01",
        "referrals_to": "2026-06-01",
        "workforce_census": "2026-06-30",
        "deprivation_index": "2025",
        "stale_services": "left out",
        "within_reach": "30 minutes by bus, between wards",
    }


def test_totals_of_workforce(board: Engine) -> None:
    meta, rows = parsed(board, "workforce")
    assert meta["census"] == "2026-06-30"
    assert "published" in meta["series"]
    assert meta["totals"] == {
        "fte": 4.0,
        "fte_own_staff": 2.0,
        "fte_contracted": 2.0,
        "headcount": 2,
        "pcns": 3,
        "pcns_returned": 2,
        "pcns_with_link_worker": 1,
        "pcns_not_returned": [b.EAST],
        "registered_patients": 14_500,
        "fte_per_10k": round(4 / 14_500 * 10_000, 4),
    }
    found = by_code(rows, "pcn_code")
    assert found[b.NORTH]["fte_per_10k"] == 5.0
    assert (found[b.SOUTH]["fte"], found[b.SOUTH]["has_returned"]) == (0.0, True)
    assert (found[b.EAST]["fte"], found[b.EAST]["has_returned"]) == (None, False)
    assert found[b.EAST]["missing"]["fte"] == "no workforce return"
    assert meta["basis"] == {
        "referrals_from": "2025-07-01",
        "referrals_to": "2026-06-01",
        "open_at": "2026-06-30",
        "posts_plans_targets": "local returns, as they stand at the date",
    }
    assert all(list(row) == [*export.WORKFORCE_COLUMNS, "missing"] for row in rows)


def test_every_column_of_workforce_by_hand(board: Engine) -> None:
    _, rows = parsed(board, "workforce")
    # Both are 1.0 short; South has fewer for its list. What did not return comes last.
    assert [row["pcn_code"] for row in rows] == [b.SOUTH, b.NORTH, b.EAST]
    south, north, east = rows
    assert north == {
        "pcn_code": b.NORTH, "pcn_name": "North PCN", "lad_code": b.NORTHAM, "lad_name": "Northam",
        "has_returned": True, "in_post": "in post", "fte": 4.0, "fte_own_staff": 2.0,
        "fte_contracted": 2.0, "headcount": 2, "registered_patients": 8000, "fte_per_10k": 5.0,
        "fte_per_50k": 25.0, "funnel_lower": 0.0, "funnel_upper": 7.828992,
        "funnel_place": "inside the 95% limits",
        "posts": 4, "funded_fte": 2.5, "vacant_posts": 2, "vacant_fte": 1.5,
        "longest_vacancy_days": 121, "target_fte": 5.0, "target_until": "2026-06-30",
        "planned_fte": 3.0, "aim": "target", "gap_fte": 1.0, "mean_fte": None,
        "referrals_12_months": 80, "pressure": None, "pressure_state": "no return",
        "needed_least_fte": 0.32, "needed_most_fte": 0.4, "needed_further_fte": None,
        "open_referrals": 80, "open_per_fte": 20.0,
        "missing": dict.fromkeys(
            ("mean_fte", "pressure", "needed_further_fte"),
            "workforce not returned in half of the 12 months",
        ),
    }  # fmt: skip
    assert (south["in_post"], south["pressure_state"]) == ("no worker", "no worker")
    half = "workforce not returned in half of the 12 months"
    assert south["missing"] == {
        "longest_vacancy_days": "no post is vacant",
        "target_fte": "no target in force",
        "target_until": "no target in force",
        "mean_fte": half,
        "pressure": half,
        "needed_further_fte": half,
        "open_per_fte": "no worker",
    }
    assert (east["in_post"], east["pressure_state"]) == ("no return", "no return")
    untold = ("referrals_12_months", "pressure", "needed_least_fte", "needed_most_fte")
    assert east["missing"] == {
        **dict.fromkeys(
            ("fte", "fte_own_staff", "fte_contracted", "headcount", "fte_per_10k", "fte_per_50k",
             "funnel_place"), "no workforce return"
        ),
        **dict.fromkeys(
            ("posts", "funded_fte", "vacant_posts", "vacant_fte", "longest_vacancy_days"),
            "no posts return",
        ),
        "target_fte": "no target in force",
        "target_until": "no target in force",
        "planned_fte": "no plan for this month",
        "gap_fte": "no target or plan",
        "mean_fte": half,
        **dict.fromkeys(
            (*untold, "needed_further_fte", "open_referrals", "open_per_fte"), "no referral return"
        ),
    }  # fmt: skip


@pytest.mark.slow
def test_reasons_for_what_is_missing_of_a_pcn(sqlite_engine: Engine) -> None:
    """A vacancy that does not say since when, a target without an end, an aim and no return."""
    b.Board(
        posts=(b.Post("P1", b.NORTH, "vacant", 1.0),),
        targets=((b.NORTH, 5.0, date(2026, 1, 1), None), (b.EAST, 1.0, date(2026, 1, 1), None)),
        monthly={b.NORTH: (1.0,) * 12, b.SOUTH: (0.0,) * 12},
    ).save(sqlite_engine)
    found = by_code(parsed(sqlite_engine, "workforce")[1], "pcn_code")
    north, south, east = (found[code]["missing"] for code in (b.NORTH, b.SOUTH, b.EAST))
    assert north == {
        "longest_vacancy_days": "no vacant post says since when", "target_until": "no end"
    }  # fmt: skip
    assert (south["pressure"], south["open_per_fte"]) == ("no worker", "no worker")
    assert "mean_fte" not in south
    assert (east["gap_fte"], east["target_until"]) == ("no workforce return", "no end")


HIDING = b.Board(
    referrals=(
        b.Referrals(ABBEY, b.NORTH, (20, 20, 20, 20)),
        b.Referrals(DALE, b.SOUTH, (0, 3, 0, 0)),
    ),
    monthly={b.NORTH: (1.0,) * 12, b.SOUTH: (1.0,) * 12},
)


@pytest.mark.slow
def test_hidden_goes_with_all_that_is_made_of_it(sqlite_engine: Engine) -> None:
    HIDING.save(sqlite_engine)
    _, rows = parsed(sqlite_engine, "workforce")
    found = by_code(rows, "pcn_code")
    starred = {name for name, value in found[b.SOUTH].items() if value == "*"}
    assert starred == {
        "referrals_12_months", "pressure", "needed_least_fte", "needed_most_fte",
        "needed_further_fte", "open_referrals", "open_per_fte",
    }  # fmt: skip
    assert found[b.SOUTH]["pressure_state"] == "hidden"
    # Hidden is not missing, and missing is not hidden.
    assert not starred & set(found[b.SOUTH]["missing"])
    for code in (b.NORTH, b.EAST):
        assert "*" not in found[code].values()
    assert found[b.EAST]["missing"]["pressure"] == "no referral return"
    # In every form.
    (south,) = (
        r for r in csv_rows(body(sqlite_engine, "workforce", "csv")) if "South" in r["pcn_name"]
    )
    assert {name for name, value in south.items() if value == "*"} == starred
    sheet = sheet_rows(body(sqlite_engine, "workforce", "xlsx"), "Workforce")
    (south,) = (row for row in sheet if row["pcn_code"] == b.SOUTH)
    assert {name for name, value in south.items() if value == "[c]"} == starred


@pytest.mark.parametrize("profile", rest_is_slow("nhs", "opensafely", "lt6"))
def test_another_count_behind_the_star_makes_the_same_workforce(
    sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch, profile: str
) -> None:
    from queries.load import save

    monkeypatch.setenv("DASHBOARD_DISCLOSURE_PROFILE", profile)
    settings.cache_clear()
    HIDING.save(sqlite_engine)
    files = []
    for number in (3, 5):
        sent = (HIDING.referrals[0], b.Referrals(DALE, b.SOUTH, (0, number, 0, 0)))
        save(sqlite_engine, HIDING.but(referrals=sent, before_window=0).referral_return())
        meta, rows = parsed(sqlite_engine, "workforce")
        files.append((meta["totals"], meta["basis"], rows))
    assert files[0] == files[1]


def test_the_export_and_the_page_agree(board: Engine) -> None:
    """Cell by cell: the frame that the page shows, hidden as a star and missing as null."""
    frame = ward_coverage(board, EVERYTHING, b.BOARD, b.AS_AT).wards.frame
    _, rows = parsed(board)
    assert [row["ward_code"] for row in rows] == frame["ward_code"].tolist()
    compared = 0
    for row, (_, page) in zip(rows, frame.iterrows(), strict=True):
        assert set(row) == {*export.COVERAGE_COLUMNS, "missing"}
        for column in export.COVERAGE_COLUMNS:
            if row[column] == "*":
                assert page["referrals_12_months_hidden"]
                assert pd.isna(page[column])
            elif row[column] is None:
                assert pd.isna(page[column])
            elif isinstance(row[column], float):
                assert row[column] == pytest.approx(float(page[column]), abs=1e-6)
            else:
                assert row[column] == page[column]
            compared += 1
    assert compared == 6 * len(export.COVERAGE_COLUMNS)


@pytest.mark.slow
def test_the_three_forms_agree(board: Engine) -> None:
    _, rows = parsed(board)
    for written, place in zip(csv_rows(body(board, form="csv")), rows, strict=True):
        for column in export.COVERAGE_COLUMNS:
            value = place[column]
            assert written[column] == ("" if value is None else str(value))
    for written, place in zip(sheet_rows(body(board, form="xlsx")), rows, strict=True):
        for column in export.COVERAGE_COLUMNS:
            value = {None: "[x]", "*": "[c]", "": None}.get(place[column], place[column])
            assert written[column] == value


def test_hidden_goes_with_its_rate_interval_and_ratio(board: Engine) -> None:
    _, rows = parsed(board)
    found = by_code(rows)
    numbers = (
        "referrals_12_months", "take_up_per_1000", "take_up_lower", "take_up_upper",
        "take_up_ratio",
    )  # fmt: skip
    assert {found[DALE][column] for column in numbers} == {"*"}
    # Hidden is not missing, and missing is not hidden.
    assert not set(numbers) & set(found[DALE]["missing"])
    assert {found[FORD][column] for column in numbers} == {None}
    for code in (ABBEY, BROOK, CASTLE, ELM):
        assert "*" not in found[code].values()
    assert (found[CASTLE]["referrals_12_months"], found[ELM]["referrals_12_months"]) == (15, 0)


BOARDS = {
    "whole": b.Board(),
    "with ages": b.Board(ages=True),
    "no referrals": b.Board(referrals=()),
    "no services": b.Board(services=()),
    "no deprivation": b.Board(deprivation=False),
    "no populations": b.Board(populations=False),
    "no workforce": b.Board(workforce=False),
    "no practices": b.Board(practices=False, registered=False),
    "modelled": b.Board(registered=False),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", BOARDS)
@pytest.mark.parametrize("subject", ["coverage", "workforce"])
def test_every_number_that_is_missing_says_why(
    sqlite_engine: Engine, name: str, subject: str
) -> None:
    BOARDS[name].save(sqlite_engine)
    _, rows = parsed(sqlite_engine, subject)
    for row in rows:
        blank = {column for column, value in row.items() if value is None}
        assert blank - TEXTS == set(row["missing"]) - TEXTS
        assert all(row["missing"].values())
        assert row["status"] != "" if subject == "coverage" else True


def test_reasons_for_what_is_missing(board: Engine) -> None:
    _, rows = parsed(board)
    ford = by_code(rows)[FORD]["missing"]
    assert "population" in ford["population"]
    assert "East PCN" in ford["fte_per_10k"]
    assert "East PCN" in ford["referrals_12_months"]
    assert "deprivation" in ford["imd_fifth"]
    assert set(by_code(rows)[ABBEY]["missing"]) == {"adults"}


FORMULAE = {
    ABBEY: "=cmd|' /C calc'!A0",
    BROOK: "+1+1",
    CASTLE: "-2+3",
    DALE: "@SUM(A1)",
    ELM: "\t=1+1",
    FORD: '{=HYPERLINK("http://example.org")}',
}


def test_names_that_are_formulae(sqlite_engine: Engine) -> None:
    b.Board(ward_names=FORMULAE).save(sqlite_engine)
    for row in csv_rows(body(sqlite_engine, form="csv")):
        name = FORMULAE[row["ward_code"]]
        harmless = name.startswith("{")
        assert row["ward_name"] == (name if harmless else f"'{name}")
        for cell in row.values():
            assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
    raw = body(sqlite_engine, form="xlsx")
    for row in sheet_rows(raw):
        assert row["ward_name"] == FORMULAE[row["ward_code"]]
    for sheet in openpyxl.load_workbook(io.BytesIO(raw)):
        cells = [cell for line in sheet.iter_rows() for cell in line]
        assert cells
        assert all(cell.data_type != "f" and cell.hyperlink is None for cell in cells)
    with zipfile.ZipFile(io.BytesIO(raw)) as parts:
        written = [parts.read(name) for name in parts.namelist() if "worksheets/" in name]
    assert written
    assert not any(b"<f>" in part or b"<f " in part for part in written)


def test_numbers_below_zero_would_stay_numbers() -> None:
    assert export._cell(-1.5) == -1.5
    assert export._cell("-1.5") == "'-1.5"
    assert export._cell("\r=1") == "'\r=1"
    assert export._cell(None) is None


@pytest.mark.parametrize("subject", ["coverage", "workforce"])
def test_the_workbook(board: Engine, subject: str) -> None:
    raw = body(board, subject, "xlsx")
    book = openpyxl.load_workbook(io.BytesIO(raw))
    assert book.sheetnames == ["Notes", subject.capitalize()]
    notes = {row[0]: row[1] for row in book["Notes"].iter_rows(min_row=2, values_only=True)}
    assert (notes["icb_code"], notes["as_at"]) == (b.BOARD, "2026-06-30")
    assert notes["disclosure_profile"] == "nhs"
    assert "hidden" in notes["[c]"]
    assert "not available" in notes["[x]"]
    sources = [r for r in book["Notes"].iter_rows(values_only=True) if r[0] == "source"]
    assert len(sources) == 22
    sheet = book[subject.capitalize()]
    (table,) = sheet.tables.values()
    assert table.ref.startswith("A1:")
    values = {cell.value for line in sheet.iter_rows() for cell in line}
    assert "[x]" in values
    assert ("[c]" in values) == (subject == "coverage")
    assert "*" not in values
    assert not sheet.merged_cells.ranges


def test_no_true_hidden_count_is_anywhere(sqlite_engine: Engine) -> None:
    """The true counts, each unusual, appear in no byte of any file of any form."""
    # 6,423 shown as 6,425, 7,881 as 7,880, and 6 hidden.
    sent = (
        b.Referrals(ABBEY, b.NORTH, (1606, 1606, 1606, 1605)),
        b.Referrals(BROOK, b.NORTH, (1971, 1970, 1970, 1970)),
        b.Referrals(DALE, b.SOUTH, (0, 6, 0, 0)),
    )
    for people, ages in ((sent, False), (sent, True)):
        folder_board = b.Board(ages=ages, referrals=people)
        if not ages:
            folder_board.save(sqlite_engine)
        else:
            from queries.load import save

            save(sqlite_engine, folder_board.population())
        for form in FORMS:
            raw = body(sqlite_engine, form=form)
            if form == "xlsx":
                with zipfile.ZipFile(io.BytesIO(raw)) as parts:
                    raw = b"\n".join(parts.read(name) for name in parts.namelist())
            # Hashes and times of the sources hold any digits.
            text = re.sub(r"[0-9a-f]{64}|:\d\d\.\d+", "", raw.decode("utf-8", errors="replace"))
            for count in ("6423", "7881", "6,423", "7,881", "14310", "14,310"):
                assert count not in text, (form, count)
            assert "6425" in text
        _, rows = parsed(sqlite_engine)
        dale = by_code(rows)[DALE]
        assert dale["referrals_12_months"] == "*"
        numbers = [value for value in dale.values() if isinstance(value, int | float)]
        assert 6 not in numbers


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("ages", [False, True])
def test_another_count_behind_the_star_makes_the_same_file(
    sqlite_engine: Engine, form: str, ages: bool
) -> None:
    """Three from Dale, then four: every figure in the file stays what it was."""
    from queries.load import save

    board = b.Board(ages=ages)
    board.save(sqlite_engine)
    files = []
    for number in (3, 4):
        sent = (*b.REFERRALS[:3], b.Referrals(DALE, b.SOUTH, (0, number, 0, 0)))
        save(sqlite_engine, board.but(referrals=sent).referral_return())
        raw = body(sqlite_engine, form=form)
        if form == "json":
            files.append(json.loads(raw)["rows"])
        else:
            files.append(csv_rows(raw) if form == "csv" else sheet_rows(raw))
    assert files[0] == files[1]


@pytest.mark.parametrize(
    ("subject", "icb_code", "form"),
    [
        ("coverage", b.OUTSIDER_ICB, "json"),
        ("secrets", b.BOARD, "json"),
        ("coverage", b.BOARD, "pdf"),
        ("coverage", "", "csv"),
    ],
)
def test_what_is_not_there(board: Engine, subject: str, icb_code: str, form: str) -> None:
    with pytest.raises(export.NotThereError):
        export.make(board, EVERYTHING, subject, icb_code, b.AS_AT, form)


@pytest.mark.parametrize("subject", ["coverage", "workforce"])
def test_a_board_out_of_scope_is_not_there(board: Engine, subject: str) -> None:
    """The same answer as for a board that does not exist: its existence is not told either."""
    told = []
    for scope, code in (
        (Scope(frozenset({b.NEIGHBOUR})), b.BOARD),
        (EVERYTHING, b.OUTSIDER_ICB),
    ):
        with pytest.raises(export.NotThereError) as caught:
            export.make(board, scope, subject, code, b.AS_AT, "json")
        told.append(str(caught.value).replace(code, "…"))
    assert told[0] == told[1]


@pytest.mark.parametrize("form", rest_is_slow(*FORMS))
def test_the_file_has_a_name_and_a_type(board: Engine, form: str) -> None:
    made = export.make(board, EVERYTHING, "coverage", b.BOARD, date(2026, 6, 30), form)
    assert made.file_name == f"coverage-{b.BOARD}-2026-06-30.{form}"
    assert made.media_type == export.MEDIA_TYPES[form]


def test_csv_opens_in_a_spreadsheet(board: Engine) -> None:
    raw = body(board, form="csv")
    assert raw.startswith(b"\xef\xbb\xbf")
    assert raw.count(b"\r\n") == 7


def test_the_demonstration_is_said(sqlite_engine: Engine) -> None:
    b.Board().save(sqlite_engine, is_demonstration=True)
    assert parsed(sqlite_engine)[0]["is_demonstration"] is True
