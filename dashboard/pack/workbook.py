"""A pack as a workbook: every row of its tables and every value of its charts, a table a sheet."""

from __future__ import annotations

import io
import re
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import xlsxwriter
from xlsxwriter.worksheet import Worksheet

from dashboard.pack.content import (
    AUTHOR,
    FIXED_DATE,
    MARKS,
    NOT_APPLICABLE,
    Chart,
    Column,
    Pack,
    Page,
    Table,
    Value,
    as_words,
    decimals_of,
    plain,
)

# Of a chart's value we know that it is not there, not why: its table has the mark.
NOT_SHOWN = "not shown"
READ_AS = MARKS | {NOT_SHOWN: "in the values of a chart: hidden or not available"}
NO_ROWS = "No rows"

LONGEST_SHEET_NAME, LONGEST_CELL, LONGEST_HEADING = 31, 32_767, 255  # what Excel takes
LONGEST_FOOTER = 240  # of 255, with its codes
NARROWEST, WIDEST = 8, 60  # of a column, in characters
# Beyond the sixteen bits a sign counts as two.
_NOT_IN_A_SHEET_NAME = re.compile(r"[\[\]:*?/\\\U00010000-\U0010FFFF]+")

A4 = 9  # as Excel numbers paper
LEAST_PRINTED = 8  # columns
LINE_POINTS = 15  # the height of a line


@dataclass(frozen=True)
class Sheet:
    """A table of the pack, or the values of a chart as one, under a number of its own from 1;
    `table` has at least one row, and no two headings are the same."""

    number: int
    page: Page
    table: Table

    @property
    def name(self) -> str:
        """As Excel takes it: the number makes it unique."""
        title = " ".join(_NOT_IN_A_SHEET_NAME.sub(" ", self.table.title).split())
        return f"{self.number} {title}"[:LONGEST_SHEET_NAME].rstrip(" '")


def sheets(pack: Pack) -> list[Sheet]:
    """Each chart and each table, in the order of the pages."""
    found = ((page, table) for page in pack.pages for table in _tables(page))
    return [Sheet(number, page, _whole(table)) for number, (page, table) in enumerate(found, 1)]


def _tables(page: Page) -> Iterator[Table]:
    if page.chart:
        yield _values(page.chart)
    yield from page.tables


def _values(chart: Chart) -> Table:
    found = [value for one in chart.series for value in one.values if value is not None]
    decimals = decimals_of(found) if found else 0
    values = [
        [NOT_SHOWN if value is None else value for value in one.values] for one in chart.series
    ]
    return Table(
        f"Chart: {chart.title}, {chart.unit}",
        (
            Column("Month" if chart.kind == "lines" else "Category"),
            *(Column(one.name, decimals) for one in chart.series),
        ),
        tuple(zip(chart.categories, *values, strict=True)),
    )


def _whole(table: Table) -> Table:
    """The table with headings and rows as Excel and CSV need them."""
    headings: list[str] = []
    for column in table.columns:
        name = title = plain(column.title)[: LONGEST_HEADING - 5] or "Column"
        again = 1
        while title.casefold() in {heading.casefold() for heading in headings}:
            again += 1
            title = f"{name} {again}"
        headings.append(title)
    columns = tuple(
        Column(title, column.decimals)
        for title, column in zip(headings, table.columns, strict=True)
    )
    none = (NO_ROWS, *(NOT_APPLICABLE for _ in columns[1:]))
    rows = tuple(
        tuple(_rounded(value, column) for value, column in zip(row, columns, strict=True))
        for row in table.rows or (none,)
    )
    return Table(plain(table.title), columns, rows, table.shown)


def _rounded(value: Value, column: Column) -> Value:
    """What is read on the slides and not a digit more: they could tell what was hidden."""
    if isinstance(value, str):
        return plain(value) or NOT_APPLICABLE
    if column.decimals is None:
        return as_words(value, None)
    # Adding nought makes nought of minus nought.
    return round(value, column.decimals) + 0 if column.decimals else round(value)


def workbook(pack: Pack) -> bytes:
    """Cover, contents with links, notes, and a sheet for each table and chart with one marked
    table from its fifth row; no formula, no merged and no empty cell. The same bytes for the same
    pack."""
    body = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(body, options) as book:
        book.set_properties({"title": plain(pack.title), "author": AUTHOR, "created": FIXED_DATE})
        _Writer(book, pack).write()
    return body.getvalue()


class _Writer:
    def __init__(self, book: xlsxwriter.Workbook, pack: Pack):
        self.book, self.pack, self.sheets = book, pack, sheets(pack)
        self.title = book.add_format({"bold": True, "font_size": 14})
        self.bold = book.add_format({"bold": True})
        # Away from what is in the next column.
        left = {"align": "left", "indent": 1, "text_wrap": True, "valign": "top"}
        self.right = {"align": "right", "indent": 1, "valign": "top"}
        self.wrapped = book.add_format(left)
        self.heading = book.add_format({"bold": True} | left)
        self.heading_right = book.add_format({"bold": True, "text_wrap": True} | self.right)
        self.mark = book.add_format(self.right)
        self.link = book.add_format({"hyperlink": True, "valign": "top"})

    def write(self) -> None:
        self.cover()
        self.contents()
        self.notes()
        for sheet in self.sheets:
            self.values(sheet)

    def cover(self) -> None:
        pack = self.pack
        page = self.book.add_worksheet("Cover")
        _on_paper(page)
        _text(page, 0, 0, pack.title, self.title)
        facts = (
            ("Area", pack.area),
            ("As at", pack.as_at),
            ("Compared with", pack.since),
            ("Data as of", pack.data_as_of),
            *pack.filters,
            ("Small numbers", pack.profile),
            ("Version", pack.version),
            *([("Simulated data", "No real people or places of support.")] * pack.is_simulated),
        )
        for row, (name, words) in enumerate(facts, start=1):
            _text(page, row, 0, name, self.bold)
            _text(page, row, 1, words, self.wrapped)
        _shape(page, (36, 90), facts, 1)

    def contents(self) -> None:
        page = self.book.add_worksheet("Contents")
        told = [("Notes", "Marks, definitions, method and sources", self.pack.title)]
        told += [(sheet.name, sheet.table.title, sheet.page.finding) for sheet in self.sheets]
        self.words(page, "Contents", "contents", ("Sheet", "What is on it", "Finding"), told)
        for row, (name, *_) in enumerate(told, start=3):
            target = name.replace("'", "''")
            page.write_url(row, 0, f"internal:'{target}'!A1", self.link, name)

    def notes(self) -> None:
        pack = self.pack
        defined = dict.fromkeys(pair for page in pack.pages for pair in page.definitions)
        told = [
            *(("Mark", mark, words) for mark, words in READ_AS.items()),
            *(("Definition", name, words) for name, words in defined),
            *(("Method", name, words) for name, words in pack.method),
            *(
                (f"Source: {dataset}", name, f"SHA-256 {checksum}")
                for dataset, name, checksum in pack.sources
            ),
        ]
        page = self.book.add_worksheet("Notes")
        self.words(page, "Notes", "notes", ("About", "Name", "What it is"), told)

    def words(
        self,
        page: Worksheet,
        title: str,
        name: str,
        header: Sequence[str],
        rows: Sequence[Sequence[str]],
    ) -> None:
        """A marked table of words from the third row."""
        _text(page, 0, 0, title, self.title)
        _text(page, 1, 0, " ".join(self.pack.stamp))
        for row, cells in enumerate(rows, start=3):
            for column, cell in enumerate(cells):
                _text(page, row, column, cell, self.wrapped)
        self.add_table(page, 2, name, [Column(told) for told in header], len(rows))
        _shape(page, (36, 36, 90), rows, 3)

    def values(self, sheet: Sheet) -> None:
        page, table = self.book.add_worksheet(sheet.name), sheet.table
        _text(page, 0, 0, table.title, self.title)
        _text(page, 1, 0, " ".join(self.pack.stamp))
        sources = "; ".join(sheet.page.sources) or "no file"
        _text(page, 2, 0, f"{sheet.page.finding}. {sheet.page.period}. From: {sources}.")
        marks = [mark for mark in READ_AS if any(mark in row for row in table.rows)]
        meant = "; ".join(f"{mark} {READ_AS[mark]}" for mark in marks)
        _text(page, 3, 0, f"{meant}." if meant else "No value is hidden or missing.")
        formats = [
            self.book.add_format({"num_format": _format(column)} | self.right)
            for column in table.columns
        ]
        for row, values in enumerate(table.rows, start=5):
            for column, cell in enumerate(values):
                if isinstance(cell, str):
                    is_number = table.columns[column].decimals is not None
                    _text(page, row, column, cell, self.mark if is_number else self.wrapped)
                else:
                    page.write_number(row, column, cell, formats[column])
        self.add_table(page, 4, f"table_{sheet.number}", table.columns, len(table.rows))
        read = [
            [as_words(cell, told.decimals) for cell, told in zip(row, table.columns, strict=True)]
            for row in table.rows
        ]
        # A heading is broken between words, and has the arrow of a filter.
        widths = [
            max(map(len, (*cells, *(f"{word}   " for word in told.title.split())))) + 2
            for told, *cells in zip(table.columns, *read, strict=True)
        ]
        titles = [column.title for column in table.columns]
        fitting = [min(max(width, NARROWEST), WIDEST) for width in widths]
        _shape(page, fitting, [titles, *read], 4)

    def add_table(
        self, page: Worksheet, row: int, name: str, header: Sequence[Column], rows: int
    ) -> None:
        """Make a table of what is below `row`, with its heading always in sight."""
        columns = [
            {
                "header": told.title,
                "header_format": self.heading if told.decimals is None else self.heading_right,
            }
            for told in header
        ]
        page.add_table(
            row, 0, row + rows, len(header) - 1,
            {"name": name, "columns": columns, "style": "Table Style Light 9"},
        )  # fmt: skip
        page.freeze_panes(row + 1, 1)
        _on_paper(page)
        page.repeat_rows(row)
        # The lines above are longer than any page is wide: with all of them nothing could be read.
        page.print_area(0, 0, row + rows, max(len(header), LEAST_PRINTED) - 1)
        stamp = " ".join(sentence for sentence in self.pack.stamp if sentence != self.pack.chosen)
        page.set_footer("&L&8" + plain(stamp).replace("&", "&&")[:LONGEST_FOOTER])
        page.set_header("&R&8&P of &N")


def _text(page: Worksheet, row: int, column: int, words: str, look: object = None) -> None:
    page.write_string(row, column, plain(words)[:LONGEST_CELL], look)


def _format(column: Column) -> str:
    return "#,##0" + ("." + "0" * column.decimals if column.decimals else "")


def _on_paper(page: Worksheet) -> None:
    page.set_landscape()
    page.set_paper(A4)
    page.fit_to_pages(1, 0)


def _shape(
    page: Worksheet, widths: Sequence[int], rows: Sequence[Sequence[str]], first: int
) -> None:
    """Columns as wide, and rows from `first` on as high, as their words need: not every program
    that opens a workbook works out heights."""
    for column, width in enumerate(widths):
        page.set_column(column, column, width)
    for row, cells in enumerate(rows, start=first):
        lines = max(
            len(textwrap.wrap(cell, width - 2)) for cell, width in zip(cells, widths, strict=True)
        )
        if lines > 1:
            page.set_row(row, lines * LINE_POINTS)
