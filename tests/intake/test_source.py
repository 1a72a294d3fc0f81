"""Files as they are sent: encodings, packing, headings in the wild, and hostile ones."""

from __future__ import annotations

import csv
import gzip
import io
import zipfile

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.intake import source as source_module
from dashboard.intake.problems import RefusedError
from dashboard.intake.source import Source, shown_headings


def sheet(raw: str | bytes):
    return Source.of("file.csv", raw if isinstance(raw, bytes) else raw.encode()).sheets[0]


def workbook(*sheets: list[list[object]]) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for rows in sheets:
        page = book.create_sheet()
        for row in rows:
            page.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_encodings(encoding: str):
    frame = sheet("place,note\nYnys Môn,5–6\n".encode(encoding)).frame
    assert frame.to_dict("list") == {"place": ["Ynys Môn"], "note": ["5–6"]}


def test_codes_stay_text():
    frame = sheet("a,b,c,d,e\n5E1,1E10,NA,007,null\n").frame
    assert frame.loc[2].tolist() == ["5E1", "1E10", "NA", "007", "null"]


def test_headings_in_the_wild():
    found = sheet('"Table 1",,\n,,\n"PCN\n Code ",Name  of  PCN,\ufeffX\nU1,North,1\n')
    assert list(found.frame.columns) == ["PCN Code", "Name of PCN", "X"]
    assert found.heading_row == 3


def test_blank_rows_are_dropped_and_rows_keep_their_numbers():
    frame = sheet("a,b\n1,2\n,\n\n3,4\n").frame
    assert frame.index.tolist() == [2, 5]


def test_short_rows_are_filled():
    assert sheet("a,b\n1\n").frame.loc[2].tolist() == ["1", ""]


def test_packed_files_are_opened():
    text = b"a,b\n1,2\n"
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("inner.csv", text)
    for raw in (gzip.compress(text), packed.getvalue()):
        assert Source.of("file.csv.gz", raw).raw == text


def test_a_workbook_has_all_its_sheets():
    raw = workbook([["Notes"], ["read me"]], [["code", "n"], ["5E1", 3.0], ["1E10", None]])
    notes, table = Source.of("file.xlsx", raw).sheets
    assert notes.frame.to_dict("list") == {"Notes": ["read me"]}
    assert table.frame.to_dict("list") == {"code": ["5E1", "1E10"], "n": ["3", ""]}


def two_files() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.csv", "a")
        archive.writestr("b.csv", "b")
    return packed.getvalue()


@pytest.mark.parametrize(
    ("raw", "rule"),
    [
        (b"", "empty"),
        (b" \n\n", "empty"),
        (b"a,b\n1,\x00\n", "NUL"),
        (b"a,b\n\x81\xff,2\n", "neither UTF-8 nor Windows"),
        (b"a,b,c\n1,2,3,4\n", "more cells than the heading"),
        (b"a,b,c\n1,2,3\n1,2,3,4\n", "row 3: not a table"),
        (b'a,b\n"1,2\n', "never closed"),
        (b"\x1f\x8bnot gzip", "gzip file is damaged"),
        (b"PK\x03\x04not a zip", "zip file is damaged"),
        (two_files(), "holding one file, found 2"),
    ],
)
def test_refused(raw: bytes, rule: str):
    with pytest.raises(RefusedError, match=rule):
        _ = [sheet.frame for sheet in Source.of("file.csv", raw).sheets]


def test_too_many_bytes_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path):
    monkeypatch.setattr(source_module, "MOST_BYTES", 10)
    (tmp_path / "large.csv").write_text("a" * 11)
    with pytest.raises(RefusedError, match="at most 10 bytes, found 11"):
        Source.open(tmp_path / "large.csv")
    with pytest.raises(RefusedError, match="unpacks to more than 10 bytes"):
        Source.of("bomb.csv.gz", gzip.compress(b"a" * 1000))
    with pytest.raises(RefusedError, match="unpacks to more than 10 bytes"):
        _ = Source("book.xlsx", workbook([["a"]])).sheets


def test_a_workbook_with_a_far_cell_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(source_module, "MOST_CELLS", 1000)
    book = openpyxl.Workbook()
    book.active.cell(1048576, 16384).value = "far"
    file = io.BytesIO()
    book.save(file)
    with pytest.raises(RefusedError, match="more than 1,000 cells"):
        _ = Source.of("file.xlsx", file.getvalue()).sheets


def test_a_damaged_workbook_is_refused():
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("xl/workbook.xml", "<not")
    with pytest.raises(RefusedError, match="cannot be read as a workbook"):
        _ = Source.of("file.xlsx", packed.getvalue()).sheets


@pytest.mark.parametrize(
    "first", ["Ann Example,F,57", "Ann,01/02/1950", "a,ZZ1 1AA", "a,a@example.org", "G82011,b"]
)
def test_a_first_row_of_data_is_not_shown(first: str):
    shown = shown_headings(sheet(f"{first}\n{first}\n"))
    assert shown == "a first row that looks like data, not like headings"


def test_headings_are_shown():
    assert (
        shown_headings(sheet("PCN Code,LSOA21CD\na,b\n")) == "the headings 'PCN Code', 'LSOA21CD'"
    )


# Cells are stripped, and a row of blanks is none: neither is lost meaning.
CELL = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Zs", "Zl", "Zp"]), max_size=8
)


@given(st.lists(st.tuples(CELL, CELL).filter(any), min_size=1, max_size=6))
def test_any_text_comes_through_a_csv_file(rows: list[tuple[str, str]]):
    file = io.StringIO()
    csv.writer(file).writerows([("first", "second"), *rows])
    frame = sheet(file.getvalue()).frame
    assert [tuple(row) for row in frame.itertuples(index=False)] == [
        tuple(cell.strip() for cell in row) for row in rows if any(cell.strip() for cell in row)
    ]
