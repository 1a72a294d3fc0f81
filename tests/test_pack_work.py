"""The files of a pack: each written once, in order, in a process that knows no database."""

from __future__ import annotations

import base64
import io
import time
import zipfile
from collections.abc import Iterator
from dataclasses import replace

import openpyxl
import pptx
import pypdf
import pytest

from dashboard import long_work
from dashboard.pack.content import Pack, to_json
from dashboard.pack_work import FORMS, begin, file_name, finished, key_of, pack_files, write
from tests.pack.a_pack import a_pack

PATIENCE_SECONDS = 60
CONFIG = {"icb": "QKS", "as_at": "2026-06-30", "locality": "", "pcn": ""}


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    yield
    for key in list(long_work._works):
        long_work.cancel(key)
    long_work._works.clear()


def of_board() -> Pack:
    return replace(a_pack(), config=CONFIG)


def test_each_file_once_and_how_far_it_is() -> None:
    told: list[tuple[int, int, str]] = []
    files = pack_files({"pack": to_json(of_board())}, lambda *said: told.append(said))
    assert told == [
        (0, 4, "PowerPoint"), (1, 4, "PDF"), (2, 4, "Excel"), (3, 4, "ZIP with CSV files"),
    ]  # fmt: skip
    assert {form: made["name"] for form, made in files.items()} == {
        form: f"social-prescribing-QKS-2026-06-30.{form}" for form in ("pptx", "pdf", "xlsx", "zip")
    }
    bodies = {form: io.BytesIO(base64.b64decode(made["base64"])) for form, made in files.items()}
    assert len(pptx.Presentation(bodies["pptx"]).slides) > len(of_board().pages)
    assert len(pypdf.PdfReader(bodies["pdf"]).pages) > len(of_board().pages)
    assert "Contents" in openpyxl.load_workbook(bodies["xlsx"]).sheetnames
    assert "config.json" in zipfile.ZipFile(bodies["zip"]).namelist()


def test_what_is_no_pack_is_refused() -> None:
    with pytest.raises(ValueError, match="pack"):
        pack_files({"pack": '{"title": "a pack?"}'}, lambda *_: None)


def test_a_kind_of_file_there_is_not() -> None:
    with pytest.raises(KeyError):
        write(of_board(), "docx")


@pytest.mark.parametrize(
    ("config", "name"),
    [
        (CONFIG, "social-prescribing-QKS-2026-06-30.pdf"),
        (
            CONFIG | {"locality": "E07000114", "pcn": "U90001"},
            "social-prescribing-QKS-E07000114-U90001-2026-06-30.pdf",
        ),
        (CONFIG | {"icb": '../Q"\r\nKS'}, "social-prescribing-QKS-2026-06-30.pdf"),
    ],
)
def test_named_by_area_and_date(config: dict[str, str], name: str) -> None:
    assert file_name(replace(a_pack(), config=config), "pdf") == name


def test_another_number_is_another_key() -> None:
    pack = of_board()
    (first, *others) = pack.pages
    other = replace(pack, pages=(replace(first, finding="4 wards"), *others))
    assert key_of(pack, "1 QKS") == key_of(of_board(), "1 QKS")
    assert key_of(pack, "1 QKS") != key_of(other, "1 QKS")


def test_another_reader_has_another_key_and_cannot_use_this_one() -> None:
    mine = key_of(of_board(), "1 QKS")
    assert mine != key_of(of_board(), "2 QKS")
    # Who knows what is in it knows half of it.
    assert mine.partition("-")[0] == key_of(of_board(), "2 QKS").partition("-")[0]


def test_nothing_before_it_is_finished() -> None:
    assert finished(key_of(of_board(), ""), "pdf", "") is None
    assert finished("", "", "") is None


@pytest.mark.slow
def test_written_apart_and_asked_for_by_key() -> None:
    key = begin(of_board(), "1 QKS")
    for _ in range(PATIENCE_SECONDS * 20):
        if long_work.status(key).state != "running":
            break
        time.sleep(0.05)
    assert long_work.status(key).state == "done"
    # The archive is the same bytes for the same pack.
    assert finished(key, "zip", "1 QKS") == (
        "social-prescribing-QKS-2026-06-30.zip", write(of_board(), "zip"),
    )  # fmt: skip
    every = (*FORMS, "docx", "")
    assert {form for form in every if finished(key, form, "1 QKS")} == set(FORMS)
    # Another reader, and the same one who may see something else now.
    assert not any(finished(key, form, whose) for form in every for whose in ("2 QKS", "1 *", ""))
    assert begin(of_board(), "1 QKS") == key
    assert long_work.status(key).state == "done"
