"""NHS numbers anywhere in a file: one is enough to refuse it, and none is ever repeated."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from dashboard.intake.problems import Problem, RefusedError
from dashboard.intake.source import CHUNK, Source
from dashboard.rules.nhs_number import are_nhs_numbers, nhs_numbers_in, ten_digits_in

INSTEAD = "holds NHS numbers, which must not be sent: use your own local reference"
# Ten digits with little between any two, or full-width digits, as bytes.
_MAYBE = r'[0-9](?:[^0-9A-Za-z,;"\t\r\n]{0,4}[0-9]){9}|\xef\xbc[\x90-\x99]'
_OVERLAP = 60
# The parts of a workbook that hold what people write beside the cells, in any; and those that
# hold none of it, in a local return: the cells are searched as a table.
_BESIDE_CELLS = re.compile(
    r"docProps/.*|xl/(comments|threadedComments|drawings|persons)[^/]*(/.*)?|xl/workbook\.xml"
)
_NO_WORDS = re.compile(r"xl/(styles|sharedStrings|calcChain)\.xml|xl/(theme|media)/.*|.*\.bin")
# Values of attributes are numbers of other kinds there.
_DRAWN = re.compile(r"xl/(drawings|charts)/.*")
_TEXT = re.compile(r">([^<>]+)<")
_TEXT_OR_VALUE = re.compile(r"""[>"']([^<>"']+)[<"']""")
_UNIQUE_ID = re.compile(r"\{[0-9A-Fa-f-]{36}\}")


def refuse_nhs_numbers(source: Source, *, is_local: bool) -> None:
    """Refuse a file with an NHS number in its cells, headings, sheet names, comments or properties.

    In published files, whose ten-digit numbers mean other things, a column is refused only
    when most of its numbers are valid; in a local return a single one is enough.
    """
    if source.json is not None:
        problems = list(_in_json(source.json))
    elif source.is_workbook or _may_hold_one(source):
        problems = [*_beside_cells(source, is_local), *_in_tables(source, is_local)]
    else:
        problems = []
    if problems:
        raise RefusedError(source.name, problems)


def _may_hold_one(source: Source) -> bool:
    """A quick look at the bytes: most files hold no ten digits in a row at all."""
    with source.unpacked() as file:
        end = b""
        while chunk := file.read(CHUNK):
            text = pa.array([end + chunk], pa.binary())
            if pc.match_substring_regex(text, pattern=_MAYBE)[0].as_py():
                return True
            end = chunk[-_OVERLAP:]
    return False


def _in_tables(source: Source, is_local: bool) -> Iterator[Problem]:
    for sheet in source.sheets:
        if nhs_numbers_in(sheet.name):
            yield Problem(f"the name of a sheet {INSTEAD}")
        if any(nhs_numbers_in(text) for text in sheet.outside):
            yield Problem(f"a cell above or beside the table {INSTEAD}")
        # The heading itself must not be shown.
        for place, heading in enumerate(sheet.headings, start=1):
            if nhs_numbers_in(heading):
                yield Problem(f"the heading of column {place} {INSTEAD}")
        texts: list[set[str]] = [set() for _ in sheet.headings]
        for block in sheet.blocks():
            for place in range(len(block.columns)):
                column = block.iloc[:, place].drop_duplicates()
                maybe = column[column.str.len() >= 10]
                # Of a text only what matters is kept: numbers, and whether it calls them NHS.
                texts[place].update(
                    "nhs " * ("nhs" in text.casefold()) + number
                    for text in maybe
                    for number in ten_digits_in(text)
                )
        for heading, found in zip(sheet.headings, texts, strict=True):
            if are_nhs_numbers(heading, found, one_is_enough=is_local):
                shown = None if nhs_numbers_in(heading) else heading
                yield Problem(INSTEAD, column=shown)


def _beside_cells(source: Source, is_local: bool) -> Iterator[Problem]:
    if not source.is_workbook:
        return
    try:
        with source.opened() as file, zipfile.ZipFile(file) as archive:
            for entry in archive.infolist():
                name = entry.filename
                if _NO_WORDS.fullmatch(name) if is_local else not _BESIDE_CELLS.fullmatch(name):
                    continue
                # What people write on a sheet without being a cell comes after the cells.
                xml = archive.read(entry).rpartition(b"</sheetData>")[2]
                words = _TEXT if _DRAWN.fullmatch(name) else _TEXT_OR_VALUE
                text = _UNIQUE_ID.sub("", xml.decode("utf-8", errors="replace"))
                if any(nhs_numbers_in(found) for found in words.findall(text)):
                    rule = f"a comment, property or name in the workbook {INSTEAD}"
                    yield Problem(rule)
    except (zipfile.BadZipFile, OSError, RuntimeError) as error:
        raise RefusedError(
            source.name, [Problem("cannot be read as a workbook: save it as .xlsx again")]
        ) from error


def _in_json(value: Any) -> Iterator[Problem]:
    """Something that calls a number an NHS number; other ten digits may be anything there."""
    waiting = [value]
    while waiting:
        found = waiting.pop()
        if isinstance(found, dict):
            waiting += [
                *found.values(),
                *(f"{key} {at if isinstance(at, (str, int)) else ''}" for key, at in found.items()),
            ]
        elif isinstance(found, list):
            waiting += found
        elif isinstance(found, str) and "nhs" in found.casefold() and nhs_numbers_in(found):
            yield Problem(INSTEAD)
            return
