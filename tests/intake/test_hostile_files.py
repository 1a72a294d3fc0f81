"""Files made to break what reads them, and files with what must not be sent: all refused."""

from __future__ import annotations

import gzip
import io
import json
import os
import re
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.comments import Comment
from openpyxl.packaging.custom import StringProperty
from openpyxl.workbook.defined_name import DefinedName

from dashboard import intake
from dashboard.intake import sandbox, staged
from dashboard.intake.problems import RefusedError
from dashboard.intake.source import Source, plain_name
from queries.load import CleanLoad
from tests.intake import files, more_files
from tests.intake.files import Lookups, whole

HEADING = ("reference", "received", "ward_code", "note")
ROW = ("r1", "2026-01-31", "E05000001", "x")
BOMB = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">' + "".join(
    f'<!ENTITY {name} "{f"&{before};" * 10}">' for before, name in zip("abcdefgh", "bcdefghi", strict=True)
) + "]>"  # fmt: skip
ONE_ENTITY = '<!DOCTYPE x [<!ENTITY i "reference">]>'


def here(source: Source) -> CleanLoad:
    return whole(intake.read(source, Lookups()))


def apart(source: Source, **limits: Any) -> CleanLoad:
    return whole(staged.decode(sandbox.read(source, Lookups(), **limits)))


def book(change: Callable[[openpyxl.Workbook], object] = lambda book: None) -> bytes:
    """A good return of referrals as a workbook, but for one change."""
    made = openpyxl.Workbook()
    made.active.append(HEADING)
    made.active.append(ROW)
    change(made)
    file = io.BytesIO()
    made.save(file)
    return file.getvalue()


def packed(*entries: tuple[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return file.getvalue()


def with_part(raw: bytes, name: str, change: Callable[[str], str]) -> bytes:
    """The workbook with one of its parts changed, or added."""
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        parts = {entry: archive.read(entry) for entry in archive.namelist()}
    parts[name] = change(parts.get(name, b"").decode()).encode()
    return packed(*parts.items())


def bombed(part: str, text: str, entities: str = BOMB) -> bytes:
    """A workbook in which a text of this part stands for a thousand million characters."""

    def change(xml: str) -> str:
        assert text in xml
        return entities + xml.replace(text, "&i;", 1)

    return with_part(book(), part, change)


def with_shared_texts(texts: str) -> bytes:
    """A workbook whose texts stand apart from its cells, as spreadsheets write them."""
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
    space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    entry = f'<Override PartName="/xl/sharedStrings.xml" ContentType="{kind}"/></Types>'
    raw = with_part(book(), "[Content_Types].xml", lambda xml: xml.replace("</Types>", entry))
    shared = f'{BOMB}<sst xmlns="{space}"><si><t>{texts}</t></si></sst>'
    return with_part(raw, "xl/sharedStrings.xml", lambda _: shared)


def far_cell(made: openpyxl.Workbook) -> None:
    made.active["XFD1048576"] = "far"


def formulas(made: openpyxl.Workbook) -> None:
    made.active["B2"] = "=TODAY()"


def sheet_of_blanks() -> bytes:
    """A sheet of 310 MB in a file of 300 kB."""
    return with_part(book(), "xl/worksheets/sheet1.xml", lambda _: " " * 310_000_000)


SMALL = {
    "a far cell": (lambda: book(far_cell), "delete the empty rows and columns"),
    "entities in a sheet": (
        lambda: bombed("xl/worksheets/sheet1.xml", "reference"),
        "cannot be read as a workbook: save it as .xlsx again",
    ),
    "an entity that is no bomb": (
        lambda: bombed("xl/worksheets/sheet1.xml", "reference", ONE_ENTITY),
        "cannot be read as a workbook: save it as .xlsx again",
    ),
    "entities in the shared texts": (
        lambda: with_shared_texts("&i;"),
        "cannot be read as a workbook: save it as .xlsx again",
    ),
    "entities in a property": (
        lambda: bombed("docProps/core.xml", "openpyxl"),
        "cannot be read as a workbook: save it as .xlsx again",
    ),
    "a workbook with a password, or an old one": (
        lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504),
        "an old .xls workbook, or one with a password: save it as .xlsx without",
    ),
    "formulas that were never worked out": (
        lambda: book(formulas),
        "row 2, column 'received': expected a date",
    ),
    "UTF-16": (
        lambda: files.WORKFORCE.encode("utf-16"),
        "in UTF-16, which spreadsheets call 'Unicode text': save it as 'CSV UTF-8'",
    ),
    "NUL bytes": (lambda: b"a,b\n1,\x00\n", "NUL bytes, so it is not a text table"),
    "a zip in a zip": (
        lambda: packed(("a.zip", packed(("a.csv", files.LSOA_WARD.encode())))),
        "holds another packed file or workbook: unpack it, and send what is in it",
    ),
    "a gzip in a gzip": (
        lambda: gzip.compress(gzip.compress(b"a,b\n1,2\n")),
        "holds another packed file or workbook",
    ),
    "nested lists": (lambda: b"[" * 100_000 + b"]" * 100_000, "cannot be read as JSON"),
    "nested objects": (lambda: b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "cannot be read as JSON"),
    "a GDAL pipeline": (
        lambda: json.dumps(
            {"type": "gdal_streamed_alg", "command_line": "gdal vector read /etc/passwd"}
        ).encode(),
        "found JSON of another form",
    ),
    "a list of JSON": (lambda: b'["' + b'","' * 10_000 + b'"]', "found JSON of another form"),
    "a coordinate without bound": (
        lambda: files.BOUNDARIES.replace("51.01", "1e400").encode(),
        "Great Britain",
    ),
    "a coordinate that is no number": (
        lambda: files.BOUNDARIES.replace("51.01", "NaN").encode(),
        "coordinates",
    ),
    "a directory with a number without bound": (
        lambda: more_files.page([more_files.service(1, minimum_age=1)])
        .replace('"minimum_age": 1', '"minimum_age": 1e400')
        .encode(),
        "minimum_age",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", SMALL)
def test_a_small_hostile_file_is_refused(kind: str):
    make, reason = SMALL[kind]
    began = time.monotonic()
    with pytest.raises(RefusedError, match=re.escape(reason)):
        here(Source.of("file.geojson", make()))
    assert time.monotonic() - began < 5


@pytest.mark.slow  # a process for each
@pytest.mark.parametrize("kind", SMALL)
def test_and_so_it_is_in_the_process_that_reads(kind: str):
    make, reason = SMALL[kind]
    with pytest.raises(RefusedError, match=re.escape(reason)):
        apart(Source.of("file.geojson", make()))


@pytest.mark.slow  # a process
def test_a_reader_that_answers_too_much_is_stopped(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sandbox, "LARGEST_MESSAGE", 10)
    began = time.monotonic()
    with pytest.raises(RefusedError, match="could not be read"):
        apart(Source.of("file.csv", files.WORKFORCE.encode()))
    assert time.monotonic() - began < 60


LARGE = {
    "a workbook of 310 MB": (sheet_of_blanks, {}, "unpacks to more than 300,000,000 bytes"),
    "a gzip of 4 GB": (
        lambda: gzip.compress(b"1,2\n" * (1 << 22)) * 256,
        {},
        "unpacks to more than 300,000,000 bytes",
    ),
    "a line of 200 MB": (
        lambda: files.LSOA_WARD.encode() + b"x" * 200_000_000 + b",1\n",
        {},
        "a cell has more than 131,072 characters",
    ),
    "a heading of 200 MB": (
        lambda: b"a" * 200_000_000,
        {},
        "a cell has more than 131,072 characters",
    ),
    "too little time": (lambda: registered(1_000_000), {"wall_seconds": 0.3}, "took too long"),
    "too little time to work": (
        lambda: registered(1_000_000),
        {"cpu_seconds": 1},
        "needs more memory or time than any known file",
    ),
    "too little memory": (
        lambda: registered(3_000_000),
        {"memory_bytes": 700_000_000},
        "needs more memory",
    ),
}  # fmt: skip


def registered(rows: int) -> bytes:
    heading, row, *_ = files.REGISTERED.splitlines(keepends=True)
    return (heading + row * rows).encode()


@pytest.mark.slow  # large files
@pytest.mark.parametrize("kind", LARGE)
def test_a_large_hostile_file_is_refused_within_the_limits(kind: str):
    make, limits, reason = LARGE[kind]
    raw = make()
    began = time.monotonic()
    with pytest.raises(RefusedError, match=reason):
        apart(Source("file.csv", raw), **limits)
    assert time.monotonic() - began < 60


@pytest.mark.parametrize("how", [here, pytest.param(apart, marks=pytest.mark.slow)])
def test_a_file_that_points_to_another_opens_none(
    how: Callable[[Source], CleanLoad], tmp_path: Path
):
    """A pipe stands for the other file: whoever opened it to read would be told of here."""
    other = tmp_path / "other.csv"
    os.mkfifo(other)
    points = (
        f'<OGRVRTDataSource><OGRVRTLayer name="other"><SrcDataSource>{other}</SrcDataSource>'
        "</OGRVRTLayer></OGRVRTDataSource>"
    )
    with pytest.raises(RefusedError, match="none of the files known here"):
        how(Source.of("wards.geojson", points.encode()))
    # To open a pipe for writing fails at once while nobody reads it.
    with pytest.raises(OSError, match="No such device"):
        os.open(other, os.O_WRONLY | os.O_NONBLOCK)


def test_the_name_of_a_file_in_a_zip_is_nothing_to_us(tmp_path: Path):
    raw = packed(("../../etc/passwd", files.LSOA_WARD.encode()))
    found = here(Source.of("lookup.zip", raw))
    assert (found.dataset, found.file_name) == ("lsoa_ward", "lookup.zip")
    assert list(tmp_path.iterdir()) == []


def test_of_a_workbook_with_macros_only_the_values_are_read():
    raw = with_part(book(), "xl/vbaProject.bin", lambda _: "Sub Auto_Open()")
    raw = with_part(
        raw,
        "[Content_Types].xml",
        lambda xml: xml.replace(
            "openxmlformats-officedocument.spreadsheetml.sheet.main",
            "ms-excel.sheet.macroEnabled.main",
        ),
    )
    assert here(Source.of("book.xlsm", raw)).rows_read == 1


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("plain.csv", "plain.csv"),
        ("Ynys Môn (2).csv", "Ynys Môn (2).csv"),
        ("../../x.csv", "x.csv"),
        ("C:\\Users\\ann\\x.csv", "x.csv"),
        ("/etc/passwd", "passwd"),
        ("a\nb\r\t\x1b[31m.csv", "a b [31m.csv"),
        ("\u202egpj.csv", "gpj.csv"),
        ("a\ud800b.csv", "a b.csv"),
        ("a" * 300 + ".csv", "a" * 99 + "…" + "a" * 16 + ".csv"),
        ("..", "file"),
        ("", "file"),
        ("x/", "file"),
    ],
)
def test_a_plain_name(sent: str, kept: str):
    assert plain_name(sent) == kept
    assert plain_name(kept) == kept
    assert Source.of(sent, b"a").name == kept


def test_a_source_on_disk_has_a_plain_name(tmp_path: Path):
    path = tmp_path / "a\n\x1b[31m.csv"
    path.write_text("a")
    assert Source.open(path).name == "a [31m.csv"


# NHS numbers. The range 999 is given to nobody.
NUMBER = "9990000018"
WRITTEN = {
    "plain": NUMBER,
    "with spaces": "999 000 0018",
    "with hyphens": "999-000-0018",
    "with dots": "999.000.0018",
    "with spaces that do not break": "999\u00a0000\u00a00018",
    "with hyphens that do not break": "999\u2011000\u20110018",
    "with dashes": "999–000–0018",
    "with nothing to see": "999\u200b000\u200b0018",
    "in full width": "９９９０００００１８",
    "as a float": "9990000018.0",
    "in a sentence": f"seen on 3 May, number {NUMBER}, at home",
    "after a date": f"2026-05-03 {NUMBER}",
    "after a date, with spaces": "on 3 999 000 0018",
    "beside another": f"{NUMBER} 9990000026",
    "in quotation marks": f"'{NUMBER}",
}


def table(cell: str, place: str = "note") -> str:
    row = dict(zip(HEADING, ROW, strict=True)) | {place: cell}
    return ",".join(HEADING) + "\n" + ",".join(f'"{text}"' for text in row.values()) + "\n"


def with_cell(cell: object) -> Callable[[openpyxl.Workbook], None]:
    def change(made: openpyxl.Workbook) -> None:
        made.active["D2"] = cell

    return change


def in_comment(made: openpyxl.Workbook) -> None:
    made.active["A1"].comment = Comment(f"ask {NUMBER}", "a")


def in_author(made: openpyxl.Workbook) -> None:
    made.active["A1"].comment = Comment("ask", NUMBER)


def in_property(made: openpyxl.Workbook) -> None:
    made.properties.subject = NUMBER


def in_own_property(made: openpyxl.Workbook) -> None:
    made.custom_doc_props.append(StringProperty(name="patient", value=NUMBER))


def in_header(made: openpyxl.Workbook) -> None:
    made.active.oddHeader.center.text = f"of {NUMBER}"


def in_footer(made: openpyxl.Workbook) -> None:
    made.active.evenFooter.left.text = "999 000 0018"


def in_name(made: openpyxl.Workbook) -> None:
    made.defined_names["x"] = DefinedName("x", attr_text=f'"{NUMBER}"')


def as_name(made: openpyxl.Workbook) -> None:
    made.defined_names[f"_{NUMBER}"] = DefinedName(f"_{NUMBER}", attr_text="Sheet!$A$1")


def in_sheet_name(made: openpyxl.Workbook) -> None:
    made.active.title = NUMBER


def in_name_of_empty_sheet(made: openpyxl.Workbook) -> None:
    made.create_sheet(NUMBER)


def beside_table(made: openpyxl.Workbook) -> None:
    made.active["F2"] = NUMBER


def above_table(made: openpyxl.Workbook) -> None:
    made.active.insert_rows(1)
    made.active["A1"] = f"about {NUMBER}"


def on_other_sheet(made: openpyxl.Workbook) -> None:
    made.create_sheet("notes").append([NUMBER])


def in_prompt(made: openpyxl.Workbook) -> None:
    rule = openpyxl.worksheet.datavalidation.DataValidation(
        prompt=f"of {NUMBER}", showErrorMessage=1
    )
    rule.add("A1")
    made.active.add_data_validation(rule)


def in_heading(made: openpyxl.Workbook) -> None:
    made.active["D1"] = NUMBER


CHANGES = (
    in_comment, in_author, in_property, in_own_property, in_header, in_footer, in_name, as_name,
    in_sheet_name, in_name_of_empty_sheet, beside_table, above_table, on_other_sheet, in_prompt,
    in_heading,
)  # fmt: skip
PIVOT = f'<pivotCacheRecords><r><s v="{NUMBER}"/></r></pivotCacheRecords>'
WITH_NUMBER: dict[str, Callable[[], bytes]] = (
    {f"a cell of CSV {how}": lambda text=text: table(text).encode() for how, text in WRITTEN.items()}
    | {
        f"a cell of a workbook {how}": lambda text=text: book(with_cell(text))
        for how, text in WRITTEN.items()
    }
    | {change.__name__: lambda change=change: book(change) for change in CHANGES}
    | {
        "Windows text": lambda: table("999\u00a0000\u00a00018 – £").encode("cp1252"),
        "a number": lambda: book(with_cell(int(NUMBER))),
        "a fraction": lambda: book(with_cell(float(NUMBER))),
        "the reference": lambda: table(NUMBER, "reference").encode(),
        "a heading of CSV": lambda: table("x").replace("note", "999 000 0018").encode(),
        "a heading of nothing known": lambda: b"a,999 000 0018\n1,2\n",
        "a line above": lambda: f"About {NUMBER},,,\n{table('x')}".encode(),
        "rows of a pivot table": lambda: with_part(
            book(), "xl/pivotCache/pivotCacheRecords1.xml", lambda _: PIVOT
        ),
        "a zip": lambda: packed(("a.csv", table(NUMBER).encode())),
        "JSON": lambda: json.dumps({"contents": [{"note": f"NHS no. {NUMBER}"}]}).encode(),
        "a number in JSON": lambda: json.dumps(
            [{**charity, "nhs_number": int(NUMBER)} for charity in more_files.CHARITIES]
        ).encode(),
    }
)  # fmt: skip
# What may be shown of ten digits is nothing: not even a part that could be put together.
TRACE = re.compile(r"999\W{0,3}000|0018|９９９", re.ASCII)


@pytest.mark.parametrize("kind", WITH_NUMBER)
def test_an_nhs_number_refuses_the_file_and_is_not_repeated(
    kind: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
):
    with pytest.raises(RefusedError) as refusal:
        here(Source.of("file", WITH_NUMBER[kind]()))
    told = str(refusal.value)
    if kind not in ("a heading of nothing known", "JSON"):  # refused before they are searched
        assert "holds NHS numbers, which must not be sent: use your own local reference" in told
    assert not TRACE.search(told)
    assert not TRACE.search(caplog.text + "".join(capfd.readouterr()))


def test_the_same_workbook_and_table_are_taken_without_one():
    assert here(Source.of("file", book())).rows_read == 1
    assert here(Source.of("file", table("x").encode())).rows_read == 1


@pytest.mark.parametrize("name", [f"{NUMBER}.csv", "ann 999 000 0018.xlsx", "referral_9990000018"])
def test_an_nhs_number_in_the_name_of_a_file_is_not_repeated(name: str, tmp_path: Path):
    (tmp_path / name).write_text("a,b\n1,2\n")
    for make in (lambda: Source.of(name, b"a,b\n1,2\n"), lambda: Source.open(tmp_path / name)):
        with pytest.raises(RefusedError, match="rename the file") as refusal:
            make()
        assert not TRACE.search(str(refusal.value))
        assert refusal.value.file_name == "file"


PERSONAL = {
    "home_postcode": ("ZZ1 1AA", "send the ward code or the LSOA code in its place"),
    "date_of_birth": ("1950-02-01", "send the age band in its place"),
    "email": ("a@example.org", "send nothing"),
    "patient_name": ("Exampleson", "send nothing"),
    "NHS number": ("x", "send your own local reference in its place"),
}


@pytest.mark.parametrize("heading", PERSONAL)
def test_a_personal_column_is_refused_with_what_to_send_instead(heading: str):
    value, instead = PERSONAL[heading]
    for raw in (
        table(value).replace("note", heading).encode(),
        book(lambda made: (with_cell(value)(made), made.active.__setitem__("D1", heading))),
    ):
        with pytest.raises(RefusedError, match=instead) as refusal:
            here(Source.of("file", raw))
        assert value not in str(refusal.value)
