"""The workbook of a pack, read back: sheets, tables, types, and nothing that runs."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.pack.content import (
    AUTHOR,
    FIXED_DATE,
    HIDDEN,
    MISSING,
    Chart,
    Column,
    Pack,
    Series,
    Table,
)
from dashboard.pack.workbook import sheets, workbook
from tests.pack.a_pack import FORMULA, LONG, QUOTED, TAG, a_pack

NAMES = [
    "Cover",
    "Contents",
    "Notes",
    "1 Chart Link workers by ward, F",
    "2 Link workers by ward",
    "3 Chart People referred by mont",
    "4 Wards by provision",
]


def opened(pack: Pack) -> Any:
    return openpyxl.load_workbook(io.BytesIO(workbook(pack)))


def rows(sheet: Any, first: int = 5) -> list[tuple[Any, ...]]:
    return list(sheet.iter_rows(min_row=first, values_only=True))


def with_table(table: Table) -> Pack:
    pack = a_pack()
    return replace(pack, pages=(replace(pack.pages[3], tables=(table,)),))


def test_a_sheet_for_each_chart_and_table() -> None:
    book = opened(a_pack())
    assert book.sheetnames == NAMES
    assert [len(sheet.tables) for sheet in book] == [0, 1, 1, 1, 1, 1, 1]
    assert [table.ref for sheet in book for table in sheet.tables.values()] == [
        "A3:C8", "A3:C16", "A5:B10", "A5:D10", "A5:F17", "A5:D35",
    ]  # fmt: skip
    assert [sheet.freeze_panes for sheet in book] == [None, "B4", "B4", "B6", "B6", "B6", "B6"]
    assert all(not sheet.merged_cells.ranges for sheet in book)


def test_numbers_are_numbers_and_marks_are_words() -> None:
    sheet = opened(a_pack())[NAMES[4]]
    assert rows(sheet) == [
        ("Ward", "FTE per 10,000", "Adults", "PCN"),
        (FORMULA, 0, 6420, "Ramsgate PCN"),
        (TAG, 0.42, 7105, "+Margate PCN"),
        (QUOTED, "[c]", "[c]", "-Margate PCN"),
        (LONG, 1.25, 12345, "@CARE PCN"),
        ("Thanet Villages", "[x]", 5000, "[z]"),
    ]
    assert [sheet.cell(6, column).number_format for column in (2, 3)] == ["#,##0.00", "#,##0"]
    assert [sheet.cell(row, 1).value for row in (1, 2, 3, 4)] == [
        "Link workers by ward",
        " ".join(a_pack().stamp),
        "=1+1 and two other wards have no link worker. June 2026. "
        "From: PCN workforce <June> & July.csv.",
        "[c] hidden, so that nobody can be recognised; [x] not available: nobody has told us; "
        "[z] not applicable.",
    ]


def test_a_gap_in_a_chart_is_no_number() -> None:
    found = rows(opened(a_pack())[NAMES[5]])
    assert found[0] == ("Month", "Referred", "Mean", "Lower limit", "Upper limit", "Target")
    assert found[4:6] == [
        ("Oct 2025", 41, 43.3, 28.5, 58.1, 50),
        ("Nov 2025", "not shown", 43.3, 28.5, 58.1, 50),
    ]


def test_all_rows_not_only_those_shown() -> None:
    found = rows(opened(a_pack())[NAMES[6]], 6)
    assert len(found) == 30
    assert (found[2], found[-1]) == (
        ("Ward 03", "No provision", 3, HIDDEN),
        ("Ward 30", "No return", 30, 3),
    )


def test_cover_contents_and_notes() -> None:
    book = opened(a_pack())
    assert rows(book["Cover"], 1)[1:] == [
        ("Area", "Thanet"),
        ("As at", "30 June 2026"),
        ("Compared with", "31 May 2026"),
        ("Data as of", "28 June 2026"),
        ("Locality", "Thanet"),
        ("Adults", 'all "18 and over"'),
        ("Small numbers", "nhs (counts below 5 hidden, others rounded to 5)"),
        ("Version", "0.1.0"),
        ("Simulated data", "No real people or places of support."),
    ]
    contents = book["Contents"]
    assert [row[0] for row in rows(contents, 4)] == NAMES[2:]
    # Each link opens the sheet that it names.
    assert [contents.cell(row, 1).hyperlink.location for row in range(4, 9)] == [
        f"'{name}'!A1" for name in NAMES[2:]
    ]
    notes = rows(book["Notes"], 4)
    assert notes[0] == ("Mark", "[c]", "hidden, so that nobody can be recognised")
    assert ("Definition", "Late", "Not done on the day it was due.") in notes
    assert ("Method", "Mean", "The mean of the twelve months before.") in notes
    assert notes[-1] == (
        "Source: Link workers",
        "PCN workforce <June> & July.csv",
        f"SHA-256 {'b2' * 32}",
    )


def test_nothing_runs_and_nothing_is_blank() -> None:
    for sheet in opened(a_pack()).worksheets:
        for table in sheet.tables.values():
            cells = [cell for row in sheet[table.ref] for cell in row]
            assert {cell.data_type for cell in cells} <= {"s", "n"}
            assert None not in [cell.value for cell in cells]
        assert "f" not in {cell.data_type for row in sheet.iter_rows() for cell in row}


def test_whose_file_it_is() -> None:
    properties = opened(a_pack()).properties
    assert (properties.title, properties.creator) == (a_pack().title, AUTHOR)
    assert properties.created == FIXED_DATE
    assert workbook(a_pack()) == workbook(a_pack())


def test_no_digit_more_than_is_read() -> None:
    columns = (Column("Ward"), Column("Rate", 1), Column("People", 0), Column("Year"))
    book = opened(with_table(Table("Rates", columns, (("A", 12.3456, 7.0, 2026),))))
    assert rows(book["1 Rates"]) == [
        ("Ward", "Rate", "People", "Year"),
        ("A", 12.3, 7, "2026"),
    ]


def test_on_paper_a_sheet_is_as_wide_as_its_table_and_says_where_it_is_from() -> None:
    pack = replace(a_pack(), version="A & B")
    sheet = opened(pack)["2 Link workers by ward"]
    assert sheet.print_area == "'2 Link workers by ward'!$A$1:$H$10"
    # The library reads an ampersand as written, twice.
    assert sheet.oddFooter.left.text == (
        "Simulated data: no real people or places of support. As at 30 June 2026. "
        "Data as of 28 June 2026. Small numbers: nhs (counts below 5 hidden, others rounded to 5). "
        "Version A && B."
    )


def test_a_chart_has_as_many_decimals_as_are_read() -> None:
    page = a_pack().pages[0]
    chart = Chart("bars", "A", "B", ("x", "y"), (Series("C", (345.22, -0.49)),), "D")
    pack = replace(a_pack(), pages=(replace(page, chart=chart, tables=()),))
    assert [sheet.table.rows for sheet in sheets(pack)] == [(("x", 345), ("y", 0))]


def test_no_rows_and_headings_that_are_the_same() -> None:
    columns = (Column("Ward"), Column("ward", 0), Column("", 0))
    (sheet,) = sheets(with_table(Table("None", columns, ())))
    assert [column.title for column in sheet.table.columns] == ["Ward", "ward 2", "Column"]
    assert rows(opened(with_table(Table("None", columns, ())))["1 None"]) == [
        ("Ward", "ward 2", "Column"),
        ("No rows", "[z]", "[z]"),
    ]


@pytest.mark.parametrize(
    "title",
    [
        "[a]: b*c? d/e\\f",
        "'quoted'",
        "History",
        "x" * 200,
        "x" * 25 + "\U0001f600" * 9,
        "\ufffe",
        "",
    ],
)
def test_names_of_sheets_are_legal(title: str) -> None:
    pack = with_table(Table(title, (Column("A"),), (("a",),)))
    assert opened(pack).sheetnames[3].startswith("1")


@given(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=40),
    st.text(st.characters(exclude_categories=["C"]), min_size=1, max_size=40),
)
def test_any_words_make_a_sheet(title: str, words: str) -> None:
    (sheet,) = sheets(with_table(Table(title, (Column(title), Column(title, 0)), ((words, 1),))))
    assert 1 <= len(sheet.name) <= 31
    assert not set(sheet.name) & set("[]:*?/\\")
    book = opened(with_table(Table(title, (Column("A"), Column("B", 0)), ((words, MISSING),))))
    assert rows(book.worksheets[3], 6) == [(" ".join(words.split()) or "[z]", "[x]")]
