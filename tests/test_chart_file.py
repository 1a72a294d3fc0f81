"""A chart of a file: what is read, what is refused and why, what is written where."""

from __future__ import annotations

import io
import json
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from dashboard.chart_file import Asked, chart_date, make, read_series
from dashboard.commands import app
from dashboard.intake.problems import RefusedError
from dashboard.intake.source import Source
from dashboard.rules.control_chart import Improvement

# Mean 0 and every range 3: limits at ±7.98, two-sigma lines at ±5.32.
STEADY = [1.5, -1.5] * 7
LINES = [f"{place:02d}/01/2026,{value}" for place, value in enumerate(STEADY, start=1)]


def read(content: str | bytes) -> tuple[list[date], list[float]]:
    raw = content.encode() if isinstance(content, str) else content
    return read_series(Source.of("series.csv", raw))


def refusals(content: str | bytes) -> list[str]:
    with pytest.raises(RefusedError) as refused:
        read(content)
    return [str(problem) for problem in refused.value.problems]


@pytest.fixture
def steady(tmp_path: Path) -> Path:
    path = tmp_path / "steady.csv"
    path.write_text("\n".join(["Day,Referrals", *LINES, "15/01/2026,9"]))
    return path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["chart", *map(str, arguments)])


def told(*arguments: object) -> dict[str, Any]:
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    made: dict[str, Any] = json.loads(result.stdout)
    return made


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-07-01", date(2026, 7, 1)),
        ("01/07/2026", date(2026, 7, 1)),
        ("31/12/2026", date(2026, 12, 31)),
        ("01Jul2026", date(2026, 7, 1)),
        ("1 July 2026", date(2026, 7, 1)),
        ("Jun 2026", date(2026, 6, 1)),
        ("June 2026", date(2026, 6, 1)),
        ("2026-06", date(2026, 6, 1)),
        ("12/31/2026", None),
        ("30/02/2026", None),
        ("2026-13", None),
        ("01/07/26", None),
        ("0206-07-01", None),
        ("2026", None),
        ("202606", None),
        ("", None),
        ("July", None),
    ],
)
def test_dates(text: str, expected: date | None) -> None:
    assert chart_date(text) == expected


@pytest.mark.parametrize(
    "content",
    [
        "date,value\n2026-07-01,1234\n2026-08-01,-0.5\n",
        "2026-07-01,1234\n2026-08-01,-0.5",
        '\ufeffMonth,Référés\r\nJul 2026,"1,234"\r\n2026-08,-.5\r\n',
        '"Month","Referrals"\n\n01/07/2026 ,"1,234.0"\n,\n01Aug2026,-5e-1\n,\n',
        "Month,Référés\n01/07/2026,1234\n01/08/2026,-0.5\n".encode("cp1252"),
        b"date,value\r2026-07-01,1234\r2026-08-01,-0.5\r",
    ],
)
def test_a_series_is_read(content: str | bytes) -> None:
    assert read(content) == ([date(2026, 7, 1), date(2026, 8, 1)], [1234, -0.5])


DATE = "expected a date such as 2026-07-01, 01/07/2026 or Jul 2026"
NUMBER = "expected a number such as 12, -0.5 or 1,234"
TWO = "expected two columns with a comma between, date and value, found"
QUOTED = ": a number with a comma in it must stand in quotation marks"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", ["the file is empty: export it again"]),
        (" \n\n", ["the file is empty: export it again"]),
        (",\n,\n", ["expected rows of a date and a value, found none"]),
        ("date,value\n", ["expected rows of a date and a value, found none"]),
        ("date\n2026-07-01\n", [f"row 1: {TWO} 1"]),
        ("2026-07-01\t5\n", [f"row 1: {TWO} 1"]),
        ("date,value,target\n2026-07-01,5,6\n", [f"row 1: {TWO} 3{QUOTED}"]),
        ("date,value\n2026-07-01,1,234\n", [f"row 2: {TWO} 3{QUOTED}"]),
        (
            "date,value\n2026-07-01,5\nyesterday,6\n",
            [f"row 3, column 'date': {DATE}; found 'ye…' (9 characters)"],
        ),
        # A damaged first row is no heading.
        ("32/07/2026,5\n", [f"row 1, column 'date': {DATE}; found '32…' (10 characters)"]),
        (
            "32/07/2026,x\n",
            [
                f"row 1, column 'date': {DATE}; found '32…' (10 characters)",
                f"row 1, column 'value': {NUMBER}; found 'x'",
            ],
        ),
        ("2026-07-01,many\n", [f"row 1, column 'value': {NUMBER}; found 'ma…' (4 characters)"]),
        (
            "2026-07-01,\n",
            [
                f"row 1, column 'value': {NUMBER}: leave the row out where there is none; "
                "found nothing"
            ],
        ),
        (
            "date,value\n,5\n",
            [f"row 2, column 'date': {DATE}; found nothing"],
        ),
        (
            "2026-07-01,5\n01/07/2026,6\n",
            ["row 2, column 'date': expected each date once, 2026-07-01 stands in row 1 too"],
        ),
    ],
)
def test_what_is_refused_and_why(content: str, expected: list[str]) -> None:
    assert refusals(content) == expected


@pytest.mark.parametrize("text", ["inf", "nan", "1e400", "0,5", '"1,23"', "5%", "£5", "--5", "５"])
def test_no_numbers(text: str) -> None:
    (problem,) = refusals(f'2026-07-01,"{text.strip(chr(34))}"\n')
    assert problem.startswith(f"row 1, column 'value': {NUMBER}; found")


def test_other_files_are_refused() -> None:
    assert "UTF-16" in refusals("date,value".encode("utf-16"))[0]
    assert "NUL" in refusals(b"date,value\n2026-07-01,\x005\n")[0]
    book = io.BytesIO()
    openpyxl.Workbook().save(book)
    assert "holds another packed file or workbook" in refusals(book.getvalue())[0]


@given(
    st.binary(max_size=200)
    | st.text("0123456789-/,.\n\r\"' \teJulyinf", max_size=120).map(str.encode)
)
def test_any_bytes_make_a_chart_or_a_refusal(raw: bytes) -> None:
    with suppress(RefusedError):
        made = make(Source.of("any.csv", raw), Asked(Improvement.HIGH), "json")
        assert json.loads(made)["points"]


def test_json_whole(steady: Path) -> None:
    lines = [{"date": f"2026-01-{place:02d}", "value": value, "colour": "common_cause"}
             for place, value in enumerate(STEADY, start=1)]  # fmt: skip
    made = told(steady, "--improvement", "low", "--target", "8", "--baseline-until", "14/01/2026")
    assert made == {
        "points": [*lines, {"date": "2026-01-15", "value": 9.0, "colour": "concern"}],
        "limits": [
            {
                "start": "2026-01-01",
                "end": "2026-01-15",
                "mean": 0.0,
                "lower": -7.98,
                "upper": 7.98,
                "lower_two_sigma": -5.32,
                "upper_two_sigma": 5.32,
            }
        ],
        "variation": "concern_high",
        "assurance": "pass",
        "target": 8.0,
        "improvement": "low",
        "words": "Special cause, concerning: higher. Target reached reliably: pass.",
    }


def test_json_of_twelve_points(tmp_path: Path) -> None:
    path = tmp_path / "short.csv"
    path.write_text("\n".join(reversed(LINES[:12])))
    made = told(path, "--improvement", "high", "--target", "8")
    assert [point["date"][-2:] for point in made["points"]] == [f"{n:02d}" for n in range(1, 13)]
    assert {point["colour"] for point in made["points"]} == {"common_cause"}
    (limits,) = made["limits"]
    assert limits == {
        "start": "2026-01-01", "end": "2026-01-12", "mean": 0.0, "lower": None, "upper": None,
        "lower_two_sigma": None, "upper_two_sigma": None,
    }  # fmt: skip
    assert (made["variation"], made["assurance"]) == (None, None)


def test_recalculations_may_be_given_again(steady: Path) -> None:
    again = ("--recalculate-from", "2026-01-05", "--recalculate-from", "10 January 2026")
    made = told(steady, "--improvement", "neither", *again)
    assert [limits["start"][-2:] for limits in made["limits"]] == ["01", "05", "10"]
    assert made["limits"][1]["mean"] == pytest.approx(0.3)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--improvement", "up"],
        ["--improvement", "high", "--format", "pdf"],
        ["--improvement", "high", "--target", "many"],
        ["--improvement", "high", "--target", "nan"],
        ["--improvement", "high", "--target", "inf"],
        ["--improvement", "high", "--recalculate-from", "soon"],
        ["--improvement", "high", "--recalculate-from", "2027-01-01"],
        ["--improvement", "high", "--baseline-until", ""],
        ["--improvement", "high", "--baseline-until", "2026-01-01"],
    ],
)
def test_misused(steady: Path, arguments: list[str]) -> None:
    result = run(steady, *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert isinstance(result.exception, SystemExit)


def test_a_file_that_is_not_there_or_bad(tmp_path: Path) -> None:
    assert run(tmp_path / "none.csv", "--improvement", "high").exit_code == 2
    path = tmp_path / "bad.csv"
    path.write_text("\n".join(f"2026-07-01,{number}" for number in range(30)))
    result = run(path, "--improvement", "high")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "bad.csv was refused" in result.stderr
    assert "and 9 more" in result.stderr


@pytest.mark.parametrize(("form", "start"), [("png", b"\x89PNG"), ("svg", b"<?xml")])
def test_a_picture_is_written_beside_the_file_once(steady: Path, form: str, start: bytes) -> None:
    asked = (steady, "--improvement", "high", "--format", form)
    beside = steady.with_suffix(f".{form}")
    assert run(*asked).exit_code == 0
    assert beside.read_bytes().startswith(start)
    beside.write_bytes(b"mine")
    refused = run(*asked)
    assert refused.exit_code == 2
    assert f"steady.{form} is there already" in refused.stderr
    assert beside.read_bytes() == b"mine"
    assert run(*asked, "--out", beside).exit_code == 0
    assert beside.read_bytes().startswith(start)


def test_nothing_is_written_over_the_file_or_nowhere(steady: Path) -> None:
    before = steady.read_bytes()
    assert run(steady, "--improvement", "high", "--out", steady).exit_code == 2
    assert steady.read_bytes() == before
    assert run(steady, "--improvement", "high", "--out", steady / "no" / "where").exit_code == 2
    out = steady.with_name("chart.json")
    assert run(steady, "--improvement", "high", "--out", out).stdout == ""
    assert len(json.loads(out.read_bytes())["points"]) == 15
