"""The templates: each loads as it is, names every column its reader reads, and runs nothing."""

from __future__ import annotations

import csv
import io
import zipfile
from pathlib import Path

import openpyxl
import pytest

from dashboard.intake import DATASETS, read
from dashboard.intake.dataset import Check, Dataset
from dashboard.intake.mapping import AGREED_WORDS
from dashboard.intake.source import Source
from dashboard.intake.templates import FORMS, file_name, template_bytes, write_templates
from queries.loads import LOCAL_RETURNS
from tests.intake.files import Lookups, whole

WITH_TEMPLATE = {dataset.name: dataset for dataset in DATASETS if dataset.template}
EACH = pytest.mark.parametrize("name", WITH_TEMPLATE)
EACH_FORM = pytest.mark.parametrize("form", FORMS)


def source_of(dataset: Dataset, form: str) -> Source:
    return Source.of(file_name(dataset, form), template_bytes(dataset, form))


def test_every_local_return_has_one():
    assert set(WITH_TEMPLATE) == set(LOCAL_RETURNS)
    assert len(WITH_TEMPLATE) == 14


@EACH
@EACH_FORM
def test_a_template_loads_as_it_is(name: str, form: str):
    dataset = WITH_TEMPLATE[name]
    source = source_of(dataset, form)
    assert [known.name for known in DATASETS if known.recognises(source)] == [name]
    load = whole(read(source, Lookups()))
    assert (load.dataset, load.rows_read, load.rows_refused) == (name, 1, 0)
    assert not [note for note in load.notes if "not read" in note]


@EACH
def test_the_template_has_every_column_the_reader_knows(name: str, monkeypatch: pytest.MonkeyPatch):
    asked: set[str] = set()
    heading = Check.heading

    def remembered(check: Check, column: str) -> str | None:
        asked.add(column)
        return heading(check, column)

    monkeypatch.setattr(Check, "heading", remembered)
    dataset = WITH_TEMPLATE[name]
    whole(read(source_of(dataset, "csv"), Lookups()))
    assert dataset.template
    assert asked == {column.name for column in dataset.template.columns}


@EACH
def test_without_a_required_column_it_is_another_file(name: str):
    dataset = WITH_TEMPLATE[name]
    assert dataset.template
    for column in dataset.template.columns:
        rest = [c for c in dataset.template.columns if c is not column]
        text = "\n".join(",".join(cells) for cells in ([c.name for c in rest], ["x"] * len(rest)))
        known = dataset.recognises(Source.of("file.csv", text.encode()))
        assert known is not column.is_required, column.name


@EACH
def test_agreed_words_are_explained(name: str):
    template = WITH_TEMPLATE[name].template
    assert template
    meanings = {column.name: column.what for column in template.columns}
    for column, words in AGREED_WORDS.get(name, {}).items():
        assert all(word in meanings[column] for word in words), column


@EACH
def test_both_forms_hold_the_same_table(name: str):
    dataset = WITH_TEMPLATE[name]
    assert dataset.template
    expected = [
        [column.name for column in dataset.template.columns],
        [column.example for column in dataset.template.columns],
    ]
    text = template_bytes(dataset, "csv").decode("utf-8-sig")
    assert list(csv.reader(io.StringIO(text))) == expected
    book = openpyxl.load_workbook(io.BytesIO(template_bytes(dataset, "xlsx")))
    assert book.sheetnames == ["Table", "Notes"]
    table = [[cell or "" for cell in row] for row in book["Table"].values]
    assert table == expected


def test_codes_stay_text_and_dates_may_become_dates():
    book = openpyxl.load_workbook(io.BytesIO(template_bytes(WITH_TEMPLATE["posts"], "xlsx")))
    widths = book["Table"].column_dimensions
    formats = {letter: widths[letter].number_format for letter in "AF"}
    assert formats == {"A": "@", "F": "General"}  # post_id, funded_fte


@EACH
def test_the_notes_say_what_to_send(name: str):
    dataset = WITH_TEMPLATE[name]
    assert dataset.template
    book = openpyxl.load_workbook(io.BytesIO(template_bytes(dataset, "xlsx")))
    rows = [[cell or "" for cell in row] for row in book["Notes"].values]
    assert rows[0][0] == dataset.title
    assert rows[1][:3] == ["One row is", "", dataset.template.one_row]
    assert rows[2][:3] == ["A second file replaces", "", dataset.replaces]
    assert rows[3][2].startswith("Never send names, NHS numbers, dates of birth, postcodes")
    assert rows[7] == ["Column", "Must be there", "What it means", "Example"]
    assert rows[8:] == [
        [column.name, "yes" if column.is_required else "no", column.what, column.example]
        for column in dataset.template.columns
    ]


@EACH
def test_nothing_in_it_is_run_or_linked(name: str):
    dataset = WITH_TEMPLATE[name]
    cells = next(csv.reader(io.StringIO(template_bytes(dataset, "csv").decode("utf-8-sig"))))
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    with zipfile.ZipFile(io.BytesIO(template_bytes(dataset, "xlsx"))) as archive:
        parts = {part: archive.read(part) for part in archive.namelist()}
    sheets = [body for part, body in parts.items() if part.startswith("xl/worksheets/sheet")]
    assert len(sheets) == 2
    assert not [body for body in sheets if b"<f>" in body or b"hyperlink" in body]
    assert not [part for part in parts if "externalLinks" in part or part.endswith(".rels.rels")]


@EACH
def test_a_template_is_the_same_whenever_it_is_made(name: str):
    dataset = WITH_TEMPLATE[name]
    for form in FORMS:
        assert template_bytes(dataset, form) == template_bytes(dataset, form)
    with zipfile.ZipFile(io.BytesIO(template_bytes(dataset, "xlsx"))) as archive:
        assert b">2026-01-01T00:00:00Z</dcterms:created>" in archive.read("docProps/core.xml")


def test_all_are_written(tmp_path: Path):
    written = write_templates(tmp_path / "templates")
    assert sorted(path.name for path in written) == sorted(
        f"{name}-template.{form}" for name in WITH_TEMPLATE for form in ("csv", "xlsx")
    )
    for path in written:
        dataset = WITH_TEMPLATE[path.name.split("-template")[0]]
        assert path.read_bytes() == template_bytes(dataset, path.suffix[1:])


def test_no_template_of_what_is_published():
    published = next(dataset for dataset in DATASETS if dataset.name == "workforce")
    with pytest.raises(ValueError, match="no template of 'workforce'"):
        template_bytes(published, "csv")
    with pytest.raises(ValueError, match="as 'pdf'"):
        template_bytes(WITH_TEMPLATE["posts"], "pdf")
