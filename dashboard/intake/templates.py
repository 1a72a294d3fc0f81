"""Templates of the local returns: what an organisation fills in, as CSV and as a workbook."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

import xlsxwriter

from dashboard.intake import DATASETS
from dashboard.intake.dataset import Dataset, Template, to_date

FORMS = ("csv", "xlsx")
_EXAMPLE = "The second row of the table is an example: write over it."
NEVER_SENT = (
    "Never send names, NHS numbers, dates of birth, postcodes, addresses, telephone numbers, "
    "e-mail addresses or notes of a person: a file that holds them is refused whole."
)
# The same template is the same bytes, whenever it is written.
_WRITTEN = datetime(2026, 1, 1)
_OPTIONS = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}


def write_templates(folder: Path) -> list[Path]:
    """Write the template of every dataset that has one, in both forms; the files written."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for dataset in DATASETS:
        if dataset.template is None:
            continue
        for form in FORMS:
            path = folder / file_name(dataset, form)
            path.write_bytes(template_bytes(dataset, form))
            written.append(path)
    return written


def file_name(dataset: Dataset, form: str) -> str:
    """What the template of a dataset is called."""
    return f"{dataset.name}-template.{form}"


def template_bytes(dataset: Dataset, form: str) -> bytes:
    """The template as "csv" or "xlsx"; `ValueError` for another form or without a template."""
    if dataset.template is None or form not in FORMS:
        raise ValueError(f"there is no template of {dataset.name!r} as {form!r}")
    if form == "csv":
        return _as_csv(dataset.template)
    return _as_xlsx(dataset, dataset.template, _EXAMPLE)


def filled_in(dataset: Dataset, rows: Sequence[Mapping[str, str]], words: str) -> bytes:
    """The workbook of a template with rows that are known already, to be sent out, mended and read
    back; `words` say what is asked for. No cell is read as a formula.

    `ValueError` without a template.
    """
    if dataset.template is None:
        raise ValueError(f"there is no template of {dataset.name!r}")
    return _as_xlsx(dataset, dataset.template, words, rows)


def _as_csv(template: Template) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(column.name for column in template.columns)
    writer.writerow(column.example for column in template.columns)
    # The mark at the start tells spreadsheet programs that this is UTF-8.
    return b"\xef\xbb\xbf" + text.getvalue().encode()


def _as_xlsx(
    dataset: Dataset,
    template: Template,
    asked: str,
    rows: Sequence[Mapping[str, str]] | None = None,
) -> bytes:
    """The table from A1, with its rows (or the example), and a sheet that explains it."""
    body = io.BytesIO()
    with xlsxwriter.Workbook(body, _OPTIONS) as book:
        book.set_properties({"title": dataset.title, "created": _WRITTEN})
        bold = book.add_format({"bold": True})
        as_text = book.add_format({"num_format": "@"})
        wrapped = book.add_format({"text_wrap": True, "valign": "top"})
        table = book.add_worksheet("Table")
        for place, column in enumerate(template.columns):
            # A spreadsheet makes a number or a date of a code that looks like one.
            width = max(12, len(column.name) + 2)
            table.set_column(place, place, width, None if _is_typed(column.example) else as_text)
            table.write_string(0, place, column.name, bold)
            found = [column.example] if rows is None else [row.get(column.name, "") for row in rows]
            for line, text in enumerate(found, start=1):
                table.write_string(line, place, text)
        table.freeze_panes(1, 0)

        notes = book.add_worksheet("Notes")
        notes.set_column(0, 0, 24)
        notes.set_column(1, 1, 12)
        notes.set_column(2, 2, 80, wrapped)
        notes.set_column(3, 3, 32)
        lines = (
            ("One row is", template.one_row),
            ("A second file replaces", dataset.replaces),
            ("Never send", NEVER_SENT),
            ("The table", asked),
            ("Other columns", "A column that is not listed here is not read."),
        )
        notes.write_string(0, 0, dataset.title, bold)
        for row, (name, meaning) in enumerate(lines, start=1):
            notes.write_string(row, 0, name)
            notes.write_string(row, 2, meaning)
        headings = ("Column", "Must be there", "What it means", "Example")
        for place, heading in enumerate(headings):
            notes.write_string(len(lines) + 2, place, heading, bold)
        for row, column in enumerate(template.columns, start=len(lines) + 3):
            required = "yes" if column.is_required else "no"
            for place, text in enumerate((column.name, required, column.what, column.example)):
                notes.write_string(row, place, text)
    return body.getvalue()


def _is_typed(example: str) -> bool:
    """Whether an example is a number or a date, which a spreadsheet may treat as one."""
    return example.replace(".", "", 1).isdigit() or to_date(example) is not None
