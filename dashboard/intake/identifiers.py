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
# Ten digits with a space or hyphen between any two, or full-width digits, as bytes.
_MAYBE = r"[0-9](?:[ -]?[0-9]){9}|\xef\xbc[\x90-\x99]"
_OVERLAP = 60
# The parts of a workbook that hold what people write beside the cells.
_BESIDE_CELLS = re.compile(
    r"docProps/.*|xl/(comments|threadedComments|drawings|persons)[^/]*(/.*)?|xl/workbook\.xml"
)
_TEXT = re.compile(r">([^<>]+)<")


def refuse_nhs_numbers(source: Source, *, is_local: bool) -> None:
    """Refuse a file with an NHS number in its cells, headings, sheet names, comments or properties.

    In published files, whose ten-digit numbers mean other things, a column is refused only
    when most of its numbers are valid; in a local return a single one is enough.
    """
    if source.json is not None:
        problems = list(_in_json(source.json))
    elif source.is_workbook or _may_hold_one(source):
        problems = [*_beside_cells(source), *_in_tables(source, is_local)]
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


def _beside_cells(source: Source) -> Iterator[Problem]:
    if not source.is_workbook:
        return
    try:
        with source.opened() as file, zipfile.ZipFile(file) as archive:
            for entry in archive.infolist():
                if not _BESIDE_CELLS.fullmatch(entry.filename):
                    continue
                xml = archive.read(entry).decode("utf-8", errors="replace")
                if any(nhs_numbers_in(text) for text in _TEXT.findall(xml)):
                    yield Problem(f"a comment or property of the workbook {INSTEAD}")
    except (zipfile.BadZipFile, OSError, RuntimeError) as error:
        raise RefusedError(
            source.name, [Problem("cannot be read as a workbook: save it as .xlsx again")]
        ) from error


def _in_json(value: Any) -> Iterator[Problem]:
    """A text that calls a number an NHS number; other ten digits may be anything there."""
    waiting = [value]
    while waiting:
        found = waiting.pop()
        if isinstance(found, dict):
            waiting += [*found.keys(), *found.values()]
        elif isinstance(found, list):
            waiting += found
        elif isinstance(found, str) and "nhs" in found.casefold() and nhs_numbers_in(found):
            yield Problem(INSTEAD)
            return
