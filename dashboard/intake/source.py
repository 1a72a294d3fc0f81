"""A file as it was sent: its bytes, told apart by content, and its cells as text."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import itertools
import json
import re
import warnings
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from dashboard.intake.problems import Problem, RefusedError

# Larger than any file an ICB is known to receive (registered patients by LSOA: 90 MB).
MOST_BYTES = 300_000_000
# A workbook of a few kilobytes can claim 17 thousand million cells; the largest published
# table read here, all wards by sex and single year of age, has 1.3 million.
MOST_CELLS = 10_000_000
# A heading may follow a few lines of preamble; deeper than this it is not a table.
DEEPEST_HEADING = 15


def tidy_heading(heading: object) -> str:
    """A heading without the line breaks, BOM and doubled or trailing spaces found in the wild."""
    text = str(heading if heading is not None else "").replace("\ufeff", "")
    return re.sub(r"\s+", " ", text).strip()


@dataclass(frozen=True)
class Sheet:
    """One table of a file: every cell as text, missing cells as "", headings tidied.

    The index is the row number in the file, as a spreadsheet shows it (the heading's is
    `heading_row`).
    """

    name: str
    frame: pd.DataFrame
    heading_row: int


# A number, a date, a code, an e-mail address or a postcode: no heading looks like that.
_VALUE = re.compile(
    r"\d+(\.\d+)?|.*(\d{5}|\d[/.-]\d|@).*|[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}", re.IGNORECASE
)


def shown_headings(sheet: Sheet) -> str:
    """The first headings of a table for a message, unless they are a row of data.

    The first row of a file without headings may be about a person, and is never shown.
    """
    headings = [str(column) for column in sheet.frame.columns]
    if any(_VALUE.fullmatch(heading) for heading in headings):
        return "a first row that looks like data, not like headings"
    return "the headings " + ", ".join(repr(heading[:40]) for heading in headings[:6])


@dataclass(frozen=True)
class Source:
    """One file: its name (never a path), its bytes and what can be read from them."""

    name: str
    raw: bytes

    @classmethod
    def open(cls, path: Path) -> Source:
        """Read a file; `RefusedError` when it is empty or too large."""
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise RefusedError(
                path.name,
                [Problem(f"expected at most {MOST_BYTES:,} bytes, found {size:,}: split the file")],
            )
        return cls.of(path.name, path.read_bytes())

    @classmethod
    def of(cls, name: str, raw: bytes) -> Source:
        """The same for bytes in hand; a gzip file, or a zip holding one file, is opened."""
        if raw[:2] == b"\x1f\x8b":
            inner = _gunzipped(name, raw)
            name = name.removesuffix(".gz")
        elif raw[:4] == b"PK\x03\x04" and not _is_workbook(raw):
            inner = _only_file_in(name, raw)
        else:
            inner = raw
        if len(inner) > MOST_BYTES:
            raise RefusedError(name, [Problem(f"unpacks to more than {MOST_BYTES:,} bytes")])
        if not inner.strip():
            raise RefusedError(name, [Problem("the file is empty: export it again")])
        return cls(name, inner)

    @cached_property
    def sha256(self) -> str:
        """Hexadecimal SHA-256 of the bytes."""
        return hashlib.sha256(self.raw).hexdigest()

    @cached_property
    def json(self) -> Any:
        """The parsed JSON value, or `None` when the bytes are not JSON."""
        if self.raw.lstrip(b"\xef\xbb\xbf \r\n\t")[:1] not in (b"{", b"["):
            return None
        try:
            return json.loads(self.raw.decode("utf-8-sig"))
        except (ValueError, RecursionError):
            return None

    @cached_property
    def sheets(self) -> list[Sheet]:
        """The tables of a workbook, or the one table of a CSV file; none for JSON."""
        if self.json is not None:
            return []
        if self.raw[:4] == b"PK\x03\x04":
            return _workbook_sheets(self)
        return [_csv_sheet(self)]


def _gunzipped(name: str, raw: bytes) -> bytes:
    try:
        with gzip.open(io.BytesIO(raw)) as packed:
            return packed.read(MOST_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise RefusedError(name, [Problem("the gzip file is damaged: send it again")]) from error


def _is_workbook(raw: bytes) -> bool:
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            return "xl/workbook.xml" in archive.namelist()
    except zipfile.BadZipFile:
        return False


def _only_file_in(name: str, raw: bytes) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            files = [entry for entry in archive.infolist() if not entry.is_dir()]
            if len(files) != 1:
                rule = f"expected a zip holding one file, found {len(files)}: send that one"
                raise RefusedError(name, [Problem(rule)])
            with archive.open(files[0]) as inner:
                return inner.read(MOST_BYTES + 1)
    # A zip with a password is a RuntimeError, one packed in an unknown way NotImplementedError.
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
        raise RefusedError(name, [Problem("the zip file is damaged: send it again")]) from error


def _encoding(source: Source) -> str:
    # BOM, then strict UTF-8, then cp1252: statistical guessing gets short files wrong.
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            source.raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        return encoding
    rule = "neither UTF-8 nor Windows text: save it as 'CSV UTF-8' and try again"
    raise RefusedError(source.name, [Problem(rule)])


def _csv_sheet(source: Source) -> Sheet:
    if b"\x00" in source.raw:
        raise RefusedError(source.name, [Problem("holds NUL bytes, so it is not a text table")])
    encoding = _encoding(source)
    start = source.raw[:200_000].decode(encoding, errors="ignore")
    try:
        depth = _heading_depth(_first_rows(start))
        # A first row longer than the heading is only a warning to pandas, and loses cells.
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            # Text throughout: a reader that guesses turns the code 5E1 into 50 and NA into nothing.
            frame = pd.read_csv(
                io.BytesIO(source.raw),
                encoding=encoding,
                dtype="str",
                keep_default_na=False,
                na_filter=False,
                skiprows=depth,
                header=0,
                index_col=False,
                skip_blank_lines=False,
                on_bad_lines="error",
            )
    except (ValueError, pd.errors.ParserWarning, csv.Error) as error:
        # The parser's own words may hold a value of the file; they are not passed on.
        line = re.search(r"in line (\d+), saw", str(error))
        rule = (
            "not a table: a row has more cells than the heading, or a quotation mark is never "
            "closed; a value that holds a comma must stand in quotation marks"
        )
        row = depth + int(line[1]) if line else None
        raise RefusedError(source.name, [Problem(rule, row)]) from None
    return _sheet("", frame, depth + 1)


def _first_rows(text: str) -> list[list[str]]:
    return list(itertools.islice(csv.reader(io.StringIO(text)), DEEPEST_HEADING))


def _heading_depth(rows: list[list[str]]) -> int:
    """How many lines of preamble stand above the heading: it is the first of the wide rows.

    Not of the widest: a name with a comma and no quotation marks makes its row wider.
    """
    widths = [sum(bool(cell.strip()) for cell in row) for row in rows]
    wide = 0.75 * max(widths, default=0)
    return next((depth for depth, width in enumerate(widths) if width >= wide), 0)


def _workbook_sheets(source: Source) -> list[Sheet]:
    import openpyxl

    with zipfile.ZipFile(io.BytesIO(source.raw)) as archive:
        unpacked = sum(entry.file_size for entry in archive.infolist())
    if unpacked > MOST_BYTES:
        raise RefusedError(source.name, [Problem(f"unpacks to more than {MOST_BYTES:,} bytes")])
    sheets = []
    try:
        book = openpyxl.load_workbook(io.BytesIO(source.raw), read_only=True, data_only=True)
        for sheet in book.worksheets:
            rows = _sheet_rows(source, sheet.iter_rows(values_only=True))
            if not rows:
                continue
            depth = _heading_depth(rows[:DEEPEST_HEADING])
            width = len(rows[depth])
            body = [row[:width] + [""] * (width - len(row)) for row in rows[depth + 1 :]]
            frame = pd.DataFrame(body, columns=rows[depth], dtype="str")
            sheets.append(_sheet(sheet.title, frame, depth + 1))
    except RefusedError:
        raise
    except Exception as error:  # openpyxl raises what its parsers raise: dozens of types
        rule = "cannot be read as a workbook: save it as .xlsx again"
        raise RefusedError(source.name, [Problem(rule)]) from error
    return sheets


def _sheet_rows(source: Source, found: Iterable[Sequence[object]]) -> list[list[str]]:
    rows, cells = [], 0
    for row in found:
        cells += 1 + len(row)
        if cells > MOST_CELLS:
            rule = f"a sheet has more than {MOST_CELLS:,} cells: delete the empty rows and columns"
            raise RefusedError(source.name, [Problem(rule)])
        rows.append(["" if cell is None else _cell_text(cell) for cell in row])
    return rows


def _cell_text(value: object) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if hasattr(value, "isoformat"):
        return str(value.isoformat()).removesuffix("T00:00:00")
    return str(value)


def _sheet(name: str, frame: pd.DataFrame, heading_row: int) -> Sheet:
    frame.columns = pd.Index([tidy_heading(column) for column in frame.columns], dtype="str")
    frame = frame.apply(lambda column: column.str.strip())
    frame.index = pd.RangeIndex(heading_row + 1, heading_row + 1 + len(frame))
    blank = (frame == "").all(axis=1)
    return Sheet(name, frame[~blank], heading_row)
