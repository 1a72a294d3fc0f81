"""Any file at all: it is read or refused, and no refusal repeats what a cell says."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from typing import Any

import openpyxl
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from dashboard import intake
from dashboard.intake.problems import RefusedError
from dashboard.intake.source import Source
from queries.load import CleanLoad
from tests.intake import files, more_files
from tests.intake.files import Lookups, whole

LONG = pytest.mark.slow  # thousands of files
FEW = settings(max_examples=8, suppress_health_check=list(HealthCheck))
MANY = settings(max_examples=1_000, suppress_health_check=list(HealthCheck))

TABLES = {
    name: text
    for module in (files, more_files)
    for name, text in vars(module).items()
    if name.isupper() and isinstance(text, str) and not text.startswith("{")
} | {"TABBED": more_files.table(more_files.CHARITIES, "\t")}
DOCUMENTS: dict[str, Any] = {
    "boundaries": json.loads(files.BOUNDARIES),
    "charities": more_files.CHARITIES,
    "directory": json.loads(more_files.page(more_files.SERVICES)),
}


pytestmark = pytest.mark.usefixtures("one_postcode")


def taken(raw: bytes) -> CleanLoad | RefusedError:
    """What becomes of a file; any error but a refusal is a failure of the test."""
    try:
        return whole(intake.read(Source.of("file", raw), Lookups()))
    except RefusedError as error:
        found = error
    assert found.problems
    assert all(problem.rule.strip() for problem in found.problems)
    return found


def written(rows: list[list[str]], delimiter: str = ",") -> bytes:
    file = io.StringIO()
    csv.writer(file, delimiter=delimiter, lineterminator="\n").writerows(rows)
    return file.getvalue().encode("utf-8", errors="surrogatepass")


ALPHABET = st.characters(exclude_categories=["Cs"])
CELL = st.one_of(
    st.text(ALPHABET, max_size=30),
    st.sampled_from(
        ["", "-1", "1e400", "NaN", "inf", "1E10", "0x1F", "99999999999999999999", "E01000001",
         "E05000001", "U00001", "QZZ", "2026-02-30", "0001-01-01", "9999-12-31", "31/12/1899",
         "20260630", "yes", "=1+1", "*", "<5", "٣", "½", "²", "1,5", "1 000", "\x00", "A;B|C",
         "2026-06", "Jan-26", "12:00", "£5", ".5", "5.", "+5", "1_000", "ﬁ", "ß", "İ"]
    ),
)  # fmt: skip


@FEW
@given(st.binary(max_size=400))
@example(b"[" * 3000)
@example(b'{"a":"\\ud800"}')
@example(b"\xef\xbb\xbf\xef\xbb\xbf")
@example(b"PK\x03\x04" + bytes(30))
@example(b"\x1f\x8b\x08\x00")
def test_any_bytes(raw: bytes):
    taken(raw)


@FEW
@given(st.lists(st.lists(CELL, min_size=1, max_size=5), min_size=1, max_size=6))
def test_any_table(rows: list[list[str]]):
    taken(written(rows))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | CELL | st.just("\ud800"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(CELL, inner, max_size=3),
    max_leaves=6,
)


def at_random(document: Any, data: st.DataObject, value: Any) -> Any:
    """The document with one thing in it replaced, somewhere."""
    if isinstance(document, (dict, list)) and document and data.draw(st.integers(0, 5)):
        keys = list(document) if isinstance(document, dict) else list(range(len(document)))
        key = data.draw(st.sampled_from(keys))
        changed = document.copy()
        changed[key] = at_random(document[key], data, value)
        return changed
    return value


def fuzz_documents(kind: str, data: st.DataObject) -> None:
    document = DOCUMENTS[kind]
    for _ in range(data.draw(st.integers(1, 2))):
        document = at_random(document, data, data.draw(VALUES))
    if document is not None:
        taken(json.dumps(document).encode())


# What a message may say of a file: its headings, and codes.
CODE = re.compile(r"[A-Z][0-9A-Z]{2,8}")
# Texts are drawn from the words of the code as well, and "found" or "06/20" stand in its rules.
OUR_WORDS = re.compile("[a-z0-9/ -]+")


def fuzz_tables(name: str, data: st.DataObject) -> None:
    delimiter = "\t" if name == "TABBED" else ","
    rows = list(csv.reader(io.StringIO(TABLES[name]), delimiter=delimiter))
    secrets = []
    has_heading = name not in ("PCN_MEMBERS_CSV", "PRACTICE_REGISTER")
    for _ in range(data.draw(st.integers(1, 3))):
        row = data.draw(st.sampled_from(rows[int(has_heading) :]))
        place = data.draw(st.integers(0, len(row) - 1))
        row[place] = data.draw(CELL)
        secrets.append(row[place])
    rows += [row.copy() for row in rows[1:] for _ in range(data.draw(st.integers(0, 1)))]
    found = taken(written(rows, delimiter))
    told = str(found) if isinstance(found, RefusedError) else " ".join(found.notes)
    words = " ".join([*rows[0], TABLES[name]])
    for secret in secrets:
        plain = " ".join(secret.split())
        is_ours = CODE.fullmatch(plain) or OUR_WORDS.fullmatch(plain)
        if len(plain) > 2 and not is_ours and plain not in words:
            rules = re.sub(r"'[^']{0,2}…' \(\d+ characters\)", "", told)
            assert plain not in rules or plain in FIXED_WORDS, (secret, told)


# Sample values that the rules themselves give as examples.
FIXED_WORDS = {"yes", "2026-06", "A;B|C"}


@pytest.mark.parametrize("name", TABLES)
@settings(FEW, max_examples=3)
@given(data=st.data())
def test_a_good_table_with_other_cells(name: str, data: st.DataObject):
    fuzz_tables(name, data)


@LONG
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", TABLES)
@settings(MANY, max_examples=200)
@given(data=st.data())
def test_a_good_table_with_other_cells_at_length(name: str, data: st.DataObject):
    fuzz_tables(name, data)


@pytest.mark.parametrize("kind", DOCUMENTS)
@FEW
@given(data=st.data())
def test_a_good_document_with_another_value(kind: str, data: st.DataObject):
    fuzz_documents(kind, data)


@LONG
@pytest.mark.timeout(900)
@pytest.mark.parametrize("kind", DOCUMENTS)
@MANY
@given(data=st.data())
def test_a_good_document_with_another_value_at_length(kind: str, data: st.DataObject):
    fuzz_documents(kind, data)


def parts_of(raw: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def a_book() -> bytes:
    book = openpyxl.Workbook()
    for row in csv.reader(io.StringIO(files.LSOA_WARD)):
        book.active.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


PARTS = parts_of(a_book())


def fuzz_workbook(data: st.DataObject) -> None:
    parts = dict(PARTS)
    name = data.draw(st.sampled_from(sorted(parts)))
    start = data.draw(st.integers(0, len(parts[name])))
    length = data.draw(st.integers(0, 40))
    other = data.draw(st.binary(max_size=20) | CELL.map(lambda text: text.encode()))
    parts[name] = parts[name][:start] + other + parts[name][start + length :]
    if data.draw(st.booleans()):
        del parts[data.draw(st.sampled_from(sorted(parts)))]
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for part, content in parts.items():
            archive.writestr(part, content)
    taken(file.getvalue())


@FEW
@given(data=st.data())
def test_a_good_workbook_with_other_bytes(data: st.DataObject):
    fuzz_workbook(data)


@LONG
@pytest.mark.timeout(900)
@MANY
@given(data=st.data())
def test_a_good_workbook_with_other_bytes_at_length(data: st.DataObject):
    fuzz_workbook(data)
