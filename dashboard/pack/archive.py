"""A pack as plain files in a ZIP: a CSV for each table and chart, and what they are."""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
import zipfile

from dashboard.pack.content import FIXED_DATE, Pack, Value
from dashboard.pack.workbook import READ_AS, Sheet, sheets

# A cell that begins with one of these is run as a formula by spreadsheet programs.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
LONGEST_NAME = 60  # of a file, without its number and its ending


def archive(pack: Pack) -> bytes:
    """ZIP with `README.txt`, `method.txt`, `config.json` and the tables and charts as CSV (UTF-8,
    every row, no cell a formula). The same bytes for the same pack."""
    tables = {_file_name(sheet): sheet for sheet in sheets(pack)}
    files = {
        "README.txt": _readme(pack, tables).encode(),
        "config.json": _config(pack).encode(),
        "method.txt": _method(pack).encode(),
        **{name: _csv(sheet) for name, sheet in tables.items()},
    }
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as packed:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, FIXED_DATE.timetuple()[:6])
            entry.compress_type = zipfile.ZIP_DEFLATED
            # Else it is another file on another system.
            entry.create_system, entry.external_attr = 3, 0o644 << 16
            packed.writestr(entry, files[name])
    return body.getvalue()


def _file_name(sheet: Sheet) -> str:
    said = unicodedata.normalize("NFKD", f"{sheet.page.key} {sheet.table.title}".casefold())
    words = re.sub(r"[^a-z0-9]+", "-", said.encode("ascii", "ignore").decode())
    return f"{sheet.number:02}-{words[:LONGEST_NAME].strip('-')}.csv"


def _csv(sheet: Sheet) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([_cell(column.title) for column in sheet.table.columns])
    writer.writerows([_cell(value) for value in row] for row in sheet.table.rows)
    # The mark at the start tells spreadsheet programs that this is UTF-8.
    return b"\xef\xbb\xbf" + text.getvalue().encode()


def _cell(value: Value) -> Value:
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA_STARTS) else value


def _config(pack: Pack) -> str:
    return _lines(
        json.dumps(
            {**pack.config, "version": pack.version}, ensure_ascii=False, indent=1, sort_keys=True
        )
    )


def _readme(pack: Pack, tables: dict[str, Sheet]) -> str:
    return _lines(
        pack.title,
        f"{pack.area}." + (f" Changes since {pack.since}." if pack.since else ""),
        *pack.stamp,
        "",
        "Files",
        *(
            f"  {name}: {sheet.table.title} ({len(sheet.table.rows)} rows)"
            for name, sheet in tables.items()
        ),
        "  method.txt: definitions, and how the numbers were worked out",
        "  config.json: what makes this pack again",
        "",
        "CSV in UTF-8, all rows. A cell that a spreadsheet would run as a formula begins with '.",
        "In place of a number:",
        *(f"  {mark}  {words}" for mark, words in READ_AS.items()),
        "",
        "Sources (dataset, file, SHA-256)",
        *(f"  {dataset}, {name}, {checksum}" for dataset, name, checksum in pack.sources),
        "",
        "To make it again: load the same files, then",
        "  python -m dashboard pack --config config.json",
    )


def _method(pack: Pack) -> str:
    lines = ["Definitions", ""]
    for page in pack.pages:
        lines += [f"{page.subject}: {page.finding}"]
        lines += [f"  {name}: {words}" for name, words in page.definitions]
        lines += [f"  From: {'; '.join(page.sources) or 'no file'}. {page.period}.", ""]
    return _lines(*lines, "Method", "", *(f"{name}: {words}" for name, words in pack.method))


def _lines(*lines: str) -> str:
    return "\n".join(lines) + "\n"
