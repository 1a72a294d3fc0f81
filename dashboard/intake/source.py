"""A file as it was sent: its bytes, told apart by content, and its cells as text."""

from __future__ import annotations

import codecs
import csv
import gzip
import hashlib
import io
import itertools
import json
import re
import unicodedata
import warnings
import zipfile
import zlib
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv

from dashboard.intake.problems import Problem, RefusedError
from dashboard.rules.nhs_number import nhs_numbers_in

# Larger than any file an ICB is known to receive (registered patients by LSOA: 90 MB).
MOST_BYTES = 300_000_000
# A workbook of a few kilobytes can claim 17 thousand million cells; the largest published
# table read here, all wards by sex and single year of age, has 1.3 million.
MOST_CELLS = 4_000_000
# What is read of a file at a time: enough to be quick, little enough to bound the memory.
CHUNK = 1 << 20
ROWS_A_BLOCK = 50_000
BYTES_A_BLOCK = 1 << 23
START = 200_000
# A text of this length has at least so many bytes: from here on the quicker reader is worth it.
LARGE = 190_000
# A heading may follow a few lines of preamble; deeper than this it is not a table.
DEEPEST_HEADING = 15
# A longer name of a file is shown by its beginning and its end.
LONGEST_NAME = 120

# What a text table can't begin with, and what is meant.
_NOT_TEXT = {
    b"\xd0\xcf\x11\xe0": "is an old .xls workbook, or one with a password: save it as .xlsx "
    "without a password",
    b"\xff\xfe": "is in UTF-16, which spreadsheets call 'Unicode text': save it as 'CSV UTF-8'",
    b"\xfe\xff": "is in UTF-16, which spreadsheets call 'Unicode text': save it as 'CSV UTF-8'",
    b"PK\x03\x04": "holds another packed file or workbook: unpack it, and send what is in it",
    b"\x1f\x8b": "holds another packed file or workbook: unpack it, and send what is in it",
}


def plain_name(name: str) -> str:
    """The name of a file as it may be kept and shown: no path, one line, not long, and no
    NHS number in it.

    >>> plain_name("C:\\\\temp\\\\a\\tb.csv")
    'a b.csv'
    """
    last = re.split(r"[/\\]", name)[-1]
    # Control characters, halves of a character, and what turns the direction of writing.
    shown = "".join(" " if unicodedata.category(c)[0] == "C" else c for c in last)
    shown = " ".join(shown.split())
    if len(shown) > LONGEST_NAME:
        shown = f"{shown[: LONGEST_NAME - 21]}…{shown[-20:]}"
    return "file" if shown in ("", ".", "..") or nhs_numbers_in(name) else shown


def _name_to_keep(name: str) -> str:
    if nhs_numbers_in(name):
        rule = "its name holds what may be an NHS number: rename the file"
        raise RefusedError(plain_name(name), [Problem(rule)])
    return plain_name(name)


def tidy_heading(heading: object) -> str:
    """A heading without the line breaks, BOM and doubled or trailing spaces found in the wild."""
    text = str(heading if heading is not None else "").replace("\ufeff", "")
    return re.sub(r"\s+", " ", text).strip()


class Sheet:
    """One table of a file: every cell as text, missing cells as "", headings tidied.

    Rows are read when they are asked for: whole as `frame`, or in `blocks` that bound the
    memory. Their index is the row number in the file, as a spreadsheet shows it (the
    heading's is `heading_row`).
    """

    def __init__(
        self,
        name: str,
        headings: Sequence[object],
        heading_row: int,
        read: Callable[[], Iterator[pd.DataFrame]],
        outside: Sequence[str] = (),
    ):
        self.name = name
        self.outside = outside  # the texts above the heading and beside the table
        self.headings = [tidy_heading(heading) for heading in headings]
        self.heading_row = heading_row
        self._read = read

    def blocks(self) -> Generator[pd.DataFrame, None, None]:
        """The rows, some at a time; at least one block, which may be empty."""
        row = self.heading_row + 1
        for block in self._read():
            block.columns = pd.Index(self.headings, dtype="str")
            block.index = pd.RangeIndex(row, row + len(block))
            row += len(block)
            block = block.apply(lambda column: column.str.strip())
            yield block[~(block == "").all(axis=1)]

    @cached_property
    def frame(self) -> pd.DataFrame:
        """All rows."""
        blocks = list(self.blocks())
        return blocks[0] if len(blocks) == 1 else pd.concat(blocks)


# A number, a date, a code, an e-mail address or a postcode: no heading looks like that.
_VALUE = re.compile(
    r"\d+(\.\d+)?|.*(\d{5}|\d[/.-]\d|@).*|[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}", re.IGNORECASE
)


def shown_headings(sheet: Sheet) -> str:
    """The first headings of a table for a message, unless they are a row of data.

    The first row of a file without headings may be about a person, and is never shown.
    """
    if any(_VALUE.fullmatch(heading) or nhs_numbers_in(heading) for heading in sheet.headings):
        return "a first row that looks like data, not like headings"
    return "the headings " + ", ".join(repr(heading[:40]) for heading in sheet.headings[:6])


@dataclass(frozen=True)
class Source:
    """One file: its name (never a path), and what it holds, as bytes or where it lies."""

    name: str
    sent: bytes | Path
    mapped: Sheet | None = None  # in place of its sheets, where a mapping changed the headings

    @classmethod
    def open(cls, path: Path) -> Source:
        """A file on disk, read when needed; `RefusedError` when it is empty or too large."""
        name, size = _name_to_keep(path.name), path.stat().st_size
        if size > MOST_BYTES:
            rule = f"expected at most {MOST_BYTES:,} bytes, found {size:,}: split the file"
            raise RefusedError(name, [Problem(rule)])
        return cls(name, path)._not_empty()

    @classmethod
    def received(cls, name: str, raw: bytes) -> Source:
        """Bytes as they came, not looked into yet; `RefusedError` for a name that is not kept."""
        return cls(_name_to_keep(name), raw)

    @classmethod
    def of(cls, name: str, raw: bytes) -> Source:
        """The same for bytes in hand."""
        return cls.received(name, raw)._not_empty()

    def _not_empty(self) -> Source:
        with self.unpacked() as file:
            if not any(chunk.strip() for chunk in iter(lambda: file.read(CHUNK), b"")):
                raise RefusedError(self.name, [Problem("the file is empty: export it again")])
        return self

    def opened(self) -> BinaryIO:
        """The file as it was sent, from its start."""
        return io.BytesIO(self.sent) if isinstance(self.sent, bytes) else self.sent.open("rb")

    @property
    def size(self) -> int:
        """Bytes of the file as it was sent."""
        return len(self.sent) if isinstance(self.sent, bytes) else self.sent.stat().st_size

    @cached_property
    def sha256(self) -> str:
        """Hexadecimal SHA-256 of the file as it was sent."""
        with self.opened() as file:
            return hashlib.file_digest(cast(io.BufferedReader, file), "sha256").hexdigest()

    @contextmanager
    def unpacked(self) -> Iterator[BinaryIO]:
        """The bytes from their start; a gzip file, or a zip holding one file, is opened.

        `RefusedError` when a packed file is damaged or holds too much, also while it is read.
        """
        is_gzip = self._start[:2] == b"\x1f\x8b"
        with self.opened() as file, ExitStack() as stack:
            if not is_gzip and (self._start != b"PK\x03\x04" or self.is_workbook):
                yield file
                return
            try:
                if is_gzip:
                    packed: IO[bytes] = cast(IO[bytes], stack.enter_context(gzip.open(file)))
                else:
                    archive = stack.enter_context(zipfile.ZipFile(file))
                    packed = stack.enter_context(archive.open(self._only_entry(archive)))
                yield cast(BinaryIO, _Bounded(self.name, packed))
            # A password is a RuntimeError, an unknown way of packing NotImplementedError.
            except _DAMAGED as error:
                kind = "gzip" if is_gzip else "zip"
                rule = f"the {kind} file is damaged or locked: send it again, without a password"
                raise RefusedError(self.name, [Problem(rule)]) from error

    @cached_property
    def _start(self) -> bytes:
        with self.opened() as file:
            return file.read(4)

    @cached_property
    def is_workbook(self) -> bool:
        """Whether it is an .xlsx file, whatever it is called."""
        if self._start != b"PK\x03\x04":
            return False
        try:
            with self.opened() as file, zipfile.ZipFile(file) as archive:
                return "xl/workbook.xml" in archive.namelist()
        except zipfile.BadZipFile:
            return False

    def _only_entry(self, archive: zipfile.ZipFile) -> zipfile.ZipInfo:
        files = [entry for entry in archive.infolist() if not entry.is_dir()]
        if len(files) != 1:
            rule = f"expected a zip holding one file, found {len(files)}: send that one"
            raise RefusedError(self.name, [Problem(rule)])
        return files[0]

    @cached_property
    def raw(self) -> bytes:
        """All the bytes, unpacked."""
        with self.unpacked() as file:
            return file.read()

    @cached_property
    def json(self) -> Any:
        """The parsed JSON value, or `None` when the bytes are not JSON.

        `RefusedError` when they begin as JSON does and are none.
        """
        with self.unpacked() as file:
            start = file.read(1_000).removeprefix(codecs.BOM_UTF8).lstrip()
            if start[:1] not in (b"{", b"["):
                return None
        try:
            return json.loads(self.raw.decode("utf-8-sig"))
        except (ValueError, RecursionError):
            if re.match(rb"[{\[]\s*[\"{\[]", start):
                rule = "begins as JSON does, and cannot be read as JSON: export it again"
                raise RefusedError(self.name, [Problem(rule)]) from None
            return None

    @cached_property
    def sheets(self) -> list[Sheet]:
        """The tables of a workbook, or the one table of a CSV file; none for JSON."""
        if self.mapped is not None:
            return [self.mapped]
        if self.json is not None:
            return []
        if self.is_workbook:
            return _workbook_sheets(self)
        return [_csv_sheet(self)]

    @cached_property
    def encoding(self) -> str:
        """How the text of a CSV file is encoded; `RefusedError` when it is no text."""
        return _encoding(self)

    @cached_property
    def first_rows(self) -> list[list[str]]:
        """The first rows of a CSV file, a heading or not: never for a message."""
        if self.json is not None or self.is_workbook:
            return []
        with _refused_as_no_table(self, 0):
            rows = csv.reader(io.StringIO(_start_of(self)), **_dialect(self))
            return list(itertools.islice(rows, DEEPEST_HEADING))

    def headerless(self, headings: Sequence[str]) -> Sheet:
        """The table of a CSV file whose first row is data, under the headings given."""
        return _csv_sheet(self, headings)


_DAMAGED = (OSError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error)


class _Bounded(io.RawIOBase):
    """A packed file read no further than `MOST_BYTES`."""

    def __init__(self, name: str, packed: IO[bytes]):
        self._name, self._packed, self._read = name, packed, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        chunk = self._packed.read(min(len(buffer), MOST_BYTES + 1 - self._read))
        self._read += len(chunk)
        if self._read > MOST_BYTES:
            raise RefusedError(self._name, [Problem(f"unpacks to more than {MOST_BYTES:,} bytes")])
        buffer[: len(chunk)] = chunk
        return len(chunk)


def _encoding(source: Source) -> str:
    # BOM, then strict UTF-8, then cp1252: statistical guessing gets short files wrong.
    possible = {
        encoding: codecs.getincrementaldecoder(encoding)() for encoding in ("utf-8-sig", "cp1252")
    }
    is_first = True
    with source.unpacked() as file:
        while possible:
            chunk = file.read(CHUNK)
            for start, rule in _NOT_TEXT.items() if is_first else ():
                if chunk.startswith(start):
                    raise RefusedError(source.name, [Problem(rule)])
            is_first = False
            if b"\x00" in chunk:
                rule = "holds NUL bytes, so it is not a text table: save it as CSV or .xlsx"
                raise RefusedError(source.name, [Problem(rule)])
            for encoding, decoder in list(possible.items()):
                try:
                    decoder.decode(chunk, final=not chunk)
                except UnicodeDecodeError:
                    del possible[encoding]
            if not chunk:
                break
    if possible:
        return next(iter(possible))
    rule = "neither UTF-8 nor Windows text: save it as 'CSV UTF-8' and try again"
    raise RefusedError(source.name, [Problem(rule)])


def _csv_sheet(source: Source, headings: Sequence[str] | None = None) -> Sheet:
    rows = source.first_rows
    if not rows:
        raise RefusedError(source.name, [Problem("the file is empty: export it again")])
    depth = _heading_depth(rows) if headings is None else 0

    def read() -> Iterator[pd.DataFrame]:
        given = 0
        if headings is None and depth == 0 and _is_large(source):
            # Where a row is not of the width of the others, the careful reader goes on.
            with suppress(pa.ArrowInvalid):
                for block in quick_blocks(source):
                    given += len(block)
                    yield block
                return
        with (
            _refused_as_no_table(source, depth),
            source.unpacked() as file,
            # Text throughout: a reader that guesses turns the code 5E1 into 50 and NA into nothing.
            pd.read_csv(
                file,
                **_dialect(source),
                encoding=source.encoding,
                dtype="str",
                keep_default_na=False,
                na_filter=False,
                skiprows=depth,
                header=0 if headings is None else None,
                index_col=False,
                skip_blank_lines=False,
                on_bad_lines="error",
                chunksize=ROWS_A_BLOCK,
            ) as reader,
        ):
            for block in _unshortened(reader):
                # Those the quick reader gave already.
                skipped = min(given, len(block))
                given -= skipped
                if skipped < len(block) or not skipped:
                    yield block.iloc[skipped:]

    if headings is not None:
        return Sheet("", headings, 0, read)
    outside = [cell for row in rows[:depth] for cell in row]
    return Sheet("", rows[depth], depth + 1, read, outside)


def _unshortened(reader: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    """The blocks; a first row longer than the heading is only a warning, and would lose cells."""
    while True:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            block = next(reader, None)
        if block is None:
            return
        yield block


# What every cell is, whichever reader read it.
_TEXT_TYPE = pd.StringDtype(storage="pyarrow", na_value=np.nan)


def _is_large(source: Source) -> bool:
    """Whether the quicker reader is worth it, and can have it: commas and UTF-8."""
    return (
        len(_start_of(source)) >= LARGE
        and source.encoding == "utf-8-sig"
        and len(source.first_rows[0]) > 1
        and _dialect(source)["delimiter"] == ","
    )


def quick_blocks(source: Source) -> Iterator[pd.DataFrame]:
    """The rows of a CSV file as pandas reads them, in a quarter of the time.

    `pyarrow.ArrowInvalid` at a row that is not of the width of the others.
    """
    for batch in _batches(source):
        yield batch.to_pandas(types_mapper=lambda _: _TEXT_TYPE)


def _batches(source: Source) -> Iterator[pa.RecordBatch]:
    # Whatever it takes a column for, every cell stays the text it is.
    names = source.first_rows[0]
    with source.unpacked() as file:
        yield from pa.csv.open_csv(
            file,
            read_options=pa.csv.ReadOptions(
                block_size=BYTES_A_BLOCK, column_names=_numbered(names), skip_rows_after_names=1
            ),
            parse_options=pa.csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
            convert_options=pa.csv.ConvertOptions(
                column_types=dict.fromkeys(_numbered(names), pa.large_string()),
                strings_can_be_null=False,
            ),
        )


def _numbered(names: Sequence[str]) -> list[str]:
    return [str(place) for place in range(len(names))]


def _start_of(source: Source) -> str:
    with source.unpacked() as file:
        return file.read(START).decode(source.encoding, errors="ignore")


def _dialect(source: Source) -> dict[str, Any]:
    """How the cells of a text are told apart: by commas, or by tabs, which need no quotes."""
    heading = _start_of(source).lstrip().split("\n", 1)[0]
    if heading.count("\t") > heading.count(","):
        return {"delimiter": "\t", "quoting": csv.QUOTE_NONE}
    return {"delimiter": ","}


@contextmanager
def _refused_as_no_table(source: Source, depth: int) -> Iterator[None]:
    try:
        yield
    except RefusedError:
        raise
    except (ValueError, pd.errors.ParserWarning, csv.Error) as error:
        # The parser's own words may hold a value of the file; they are not passed on.
        line = re.search(r"in line (\d+), saw", str(error))
        rule = (
            "not a table: a row has more cells than the heading, or a quotation mark is never "
            "closed; a value that holds a comma must stand in quotation marks"
        )
        if "field limit" in str(error):
            rule = f"not a table: a cell has more than {csv.field_size_limit():,} characters"
        row = depth + int(line[1]) if line else None
        raise RefusedError(source.name, [Problem(rule, row)]) from None


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
        for page in book.worksheets:
            rows = _sheet_rows(source, page.iter_rows(values_only=True))
            if rows:
                sheets.append(_sheet_of(page.title, rows))
    except RefusedError:
        raise
    except Exception as error:  # openpyxl raises what its parsers raise: dozens of types
        rule = "cannot be read as a workbook: save it as .xlsx again"
        raise RefusedError(source.name, [Problem(rule)]) from error
    return sheets


def _sheet_of(name: str, rows: list[list[str]]) -> Sheet:
    depth = _heading_depth(rows[:DEEPEST_HEADING])
    width = len(rows[depth])
    body = [row[:width] + [""] * (width - len(row)) for row in rows[depth + 1 :]]

    def read() -> Iterator[pd.DataFrame]:
        yield pd.DataFrame(body, columns=range(width), dtype="str")

    outside = [cell for row in rows[:depth] for cell in row]
    outside += [cell for row in rows[depth + 1 :] for cell in row[width:]]
    return Sheet(name, rows[depth], depth + 1, read, outside)


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
