"""Typed columns: dates, vintages, numbers and their marks."""

from __future__ import annotations

from datetime import date, timedelta

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.intake.dataset import (
    MOST_PER_RULE,
    Check,
    plain_heading,
    to_date,
    vintage_column,
)
from dashboard.intake.source import Source

STYLES = ("%Y-%m-%d", "%d/%m/%Y", "%d%b%Y", "%Y%m%d", "%d %B %Y", "%d-%b-%Y", "%Y-%m-%dT00:00:00")


def check_of(*values: str, name: str = "n") -> Check:
    frame = pd.DataFrame({name: list(values)}, dtype="str", index=range(2, 2 + len(values)))
    return Check(Source("file.csv", b""), frame)


@given(st.dates(date(1000, 1, 1)).flatmap(lambda d: st.tuples(st.just(d), st.sampled_from(STYLES))))
def test_a_date_is_read_in_every_style(case: tuple[date, str]):
    day, style = case
    assert to_date(day.strftime(style)) == day
    assert to_date(day.strftime(style).upper()) in (day, None)


@given(st.text())
def test_any_text_is_a_date_or_none(text: str):
    found = to_date(text)
    assert found is None or isinstance(found, date)


@pytest.mark.parametrize(
    "text", ["", "2026", "2026-02-30", "31/02/2026", "2026063", "June 2026", "NA"]
)
def test_no_date(text: str):
    assert to_date(text) is None


@pytest.mark.parametrize("text", ["01Jul2026", "01JUL2026", "1Jul2026", "2026-07-01 00:00:00"])
def test_published_styles(text: str):
    assert to_date(text) == date(2026, 7, 1)


def test_day_comes_before_month():
    assert to_date("02/03/2026") == date(2026, 3, 2)


@given(st.integers(0, 99), st.sampled_from(["WD", "LSOA", "LAD"]), st.booleans())
def test_vintage(year: int, stem: str, lower: bool):
    heading = f"{stem}{year:02}CD"
    heading = heading.lower() if lower else heading
    assert vintage_column(["x", heading, f"{stem}{year:02}NM"], stem, "CD") == (
        heading,
        2000 + year,
    )


@pytest.mark.parametrize("heading", ["WDCD", "WD2025CD", "WD25CDH", "XWD25CD", "WD25NM", ""])
def test_no_vintage(heading: str):
    assert vintage_column([heading], "WD", "CD") is None


@given(st.integers(0, 10**12))
def test_whole_numbers_with_and_without_commas(number: int):
    check = check_of(str(number), f"{number:,}", f"{number}.0")
    assert check.whole("n").tolist() == [number] * 3
    assert check.problems == []


@pytest.mark.parametrize("text", ["1,5", "0,5", "1,23,456", "-1", "1e3", "٣", "1.5", "NA", "1 000"])
def test_not_whole(text: str):
    check = check_of("1", text)
    assert check.whole("n").isna().tolist() == [False, True]
    assert [(p.rule, p.row, p.column) for p in check.problems] == [
        ("expected a whole number from 0", 3, "n")
    ]


def test_numbers():
    check = check_of("0.5", ".5", "£1,200.25", "3")
    assert check.number("n").tolist() == [0.5, 0.5, 1200.25, 3.0]


@pytest.mark.parametrize("mark", ["*", "<5", "#", "c", "-", "[c]", "null", "NULL"])
def test_marks_are_missing_and_never_zero(mark: str):
    check = check_of("0", mark)
    hidden = check.whole("n", may_be_hidden=True)
    assert hidden.isna().tolist() == [False, True]
    assert check.whole("n", required=False).isna().tolist() == [False, True]
    assert check.problems == []
    check.whole("n")
    assert [p.row for p in check.problems] == [3]


def test_a_blank_is_refused_only_where_required():
    check = check_of("", "1")
    check.whole("n", required=False)
    check.code("n", "1", "expected 1", required=False)
    assert check.problems == []
    check.whole("n", may_be_hidden=True)
    assert [p.row for p in check.problems] == [2]


def test_dates_outside_their_limits():
    first = date(2020, 1, 1)
    check = check_of("2020-01-01", str(first - timedelta(days=1)))
    check.date("n", earliest=first)
    assert [p.row for p in check.problems] == [3]


def test_a_column_that_is_not_required_may_be_absent():
    check = check_of("1")
    assert check.text("other", required=False).isna().all()
    assert check.whole("other", required=False).isna().all()
    assert check.date("other", required=False).isna().all()
    assert check.yes_no("other").isna().all()
    assert check.problems == []


def test_a_missing_column_is_said_once():
    check = check_of("1", "2", "3")
    check.code("other", ".+", "expected a code")
    assert [str(p) for p in check.problems] == [
        "column 'other': this column is missing: add it to the heading"
    ]


@pytest.mark.parametrize(
    "heading", ["NUMBER_OF_PATIENTS", "Number of Patients", "number-of patients "]
)
def test_headings_are_compared_without_case_and_spaces(heading: str):
    assert plain_heading(heading) == "number_of_patients"


def test_synonyms_and_unread_headings():
    check = check_of("1", name="Received On")
    check.also = {"received": ("received_on",)}
    assert check.heading("received") == "Received On"
    assert check.unread() == ["Received On"]
    check.date("received")
    assert check.unread() == []
    assert check.problems[0].column == "Received On"


def test_a_repeated_heading_is_refused():
    frame = pd.DataFrame([["1", "2"]], columns=["n", "n"], dtype="str")
    check = Check(Source("file.csv", b""), frame)
    check.whole("n")
    assert "more than once" in str(check.problems[0])


def test_many_faults_are_told_by_the_first():
    check = check_of(*["x"] * (MOST_PER_RULE + 5))
    check.whole("n")
    assert len(check.problems) == MOST_PER_RULE + 1
    assert "5 more rows" in str(check.problems[-1])
