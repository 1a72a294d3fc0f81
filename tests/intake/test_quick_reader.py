"""Large even files are read by another library than small ones: it makes no difference."""

from __future__ import annotations

import csv
import io

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.intake import source as source_module
from dashboard.intake.source import Source

# Whatever a spreadsheet may write into a cell, quotation marks and line breaks included.
CELL = st.text(st.characters(codec="utf-8", exclude_characters="\x00\r"), max_size=6)


def written(rows: list[tuple[str, str, str]]) -> bytes:
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerows([("first", "second", "third"), *rows])
    return file.getvalue().encode()


@given(st.lists(st.tuples(CELL, CELL, CELL), min_size=1, max_size=8))
def test_both_readers_agree(rows: list[tuple[str, str, str]]):
    raw = written([(f"x{one}", two, three) for one, two, three in rows])
    usual = Source.of("file.csv", raw).sheets[0].frame
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(source_module, "LARGE", 0)
        source = Source.of("file.csv", raw)
        assert source_module._is_large_and_even(source)
        patch.setattr(source_module.pd, "read_csv", None)
        pd.testing.assert_frame_equal(source.sheets[0].frame, usual)


def test_both_number_rows_alike_where_lines_are_blank(monkeypatch: pytest.MonkeyPatch):
    raw = b"a,b\n1,2\n\n,\n3,4\n"
    usual = Source.of("file.csv", raw).sheets[0].frame
    monkeypatch.setattr(source_module, "LARGE", 0)
    source = Source.of("file.csv", raw)
    assert source_module._is_large_and_even(source)
    assert source.sheets[0].frame.index.tolist() == usual.index.tolist() == [2, 5]


@pytest.mark.parametrize(
    "raw",
    [
        b"a,b\n1\n3,4\n",
        b"a,b,c\n1,2,3,4\n",
        b"a\tb\n1\t2\n",
        b"a\n1\n",
        b"Title,\na,b\n1,2\n",
        "a,b\né,2\n".encode("cp1252"),
    ],
    ids=["short row", "long row", "tabs", "one column", "preamble", "cp1252"],
)
def test_files_that_are_not_even_are_left_to_the_careful_reader(
    raw: bytes, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(source_module, "LARGE", 0)
    monkeypatch.setattr(source_module, "quick_blocks", None)
    sheet = Source.of("file.csv", raw).sheets[0]
    if raw == b"a,b,c\n1,2,3,4\n":
        with pytest.raises(source_module.RefusedError):
            _ = sheet.frame
    else:
        assert len(sheet.frame)
