"""Large even files are read by another library than small ones: it makes no difference."""

from __future__ import annotations

import csv
import io

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.intake import source as source_module
from dashboard.intake.problems import RefusedError
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
        assert source_module._is_large(source)
        patch.setattr(source_module.pd, "read_csv", None)
        pd.testing.assert_frame_equal(source.sheets[0].frame, usual)


def test_both_number_rows_alike_where_lines_are_blank(monkeypatch: pytest.MonkeyPatch):
    raw = b"a,b\n1,2\n\n,\n3,4\n"
    usual = Source.of("file.csv", raw).sheets[0].frame
    monkeypatch.setattr(source_module, "LARGE", 0)
    source = Source.of("file.csv", raw)
    assert source_module._is_large(source)
    assert source.sheets[0].frame.index.tolist() == usual.index.tolist() == [2, 5]


def test_the_careful_reader_goes_on_at_a_short_row(monkeypatch: pytest.MonkeyPatch):
    rows = [f"{number},{number}" for number in range(30)]
    raw = "\n".join(["a,b", *rows, "short", "31,31", ""]).encode()
    usual = Source.of("file.csv", raw).sheets[0].frame
    monkeypatch.setattr(source_module, "LARGE", 0)
    monkeypatch.setattr(source_module, "BYTES_A_BLOCK", 64)
    monkeypatch.setattr(source_module, "ROWS_A_BLOCK", 7)
    pd.testing.assert_frame_equal(Source.of("file.csv", raw).sheets[0].frame, usual)


@pytest.mark.parametrize(
    "raw",
    [b"a\tb\n1\t2\n", b"a\n1\n", b"Title,\na,b\n1,2\n", "a,b\né,2\n".encode("cp1252")],
    ids=["tabs", "one column", "preamble", "cp1252"],
)
def test_what_the_quick_reader_cannot_have(raw: bytes, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(source_module, "LARGE", 0)
    monkeypatch.setattr(source_module, "quick_blocks", None)
    assert len(Source.of("file.csv", raw).sheets[0].frame) == 1


def test_a_row_that_is_too_long_is_refused_by_either(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(source_module, "LARGE", 0)
    with pytest.raises(RefusedError, match="row 3: not a table"):
        _ = Source.of("file.csv", b"a,b,c\n1,2,3\n1,2,3,4\n").sheets[0].frame
