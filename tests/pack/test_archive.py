"""The plain files of a pack, read back."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from dataclasses import replace

import pytest

from dashboard.pack.archive import archive
from dashboard.pack.content import Column, Pack, Table
from tests.pack.a_pack import LONG, QUOTED, TAG, a_pack

NAMES = [
    "01-coverage-chart-link-workers-by-ward-fte-per-10-000-adults.csv",
    "02-coverage-link-workers-by-ward.csv",
    "03-take-up-chart-people-referred-by-month-people-referred.csv",
    "04-unmet-need-wards-by-provision.csv",
]


def files(pack: Pack) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(archive(pack))) as packed:
        return {name: packed.read(name).decode("utf-8-sig") for name in packed.namelist()}


def rows(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text)))


def test_a_file_for_each_chart_and_table() -> None:
    found = files(a_pack())
    assert list(found) == [*NAMES, "README.txt", "config.json", "method.txt"]
    assert rows(found[NAMES[1]]) == [
        ["Ward", "FTE per 10,000", "Adults", "PCN"],
        ["'=1+1", "0.0", "6420", "Ramsgate PCN"],
        [TAG, "0.42", "7105", "'+Margate PCN"],
        [QUOTED, "[c]", "[c]", "'-Margate PCN"],
        [LONG, "1.25", "12345", "'@CARE PCN"],
        ["Thanet Villages", "[x]", "5000", "[z]"],
    ]
    assert rows(found[NAMES[0]])[1:4] == [["'=1+1", "0.0"], [TAG, "0.42"], [QUOTED, "not shown"]]
    assert len(rows(found[NAMES[3]])) == 31


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_headings_do_not_run_either_but_numbers_may_be_below_nought(start: str) -> None:
    table = Table("Change", (Column(f"A{start}"), Column("B", 0)), (("a", -3),))
    named = replace(table, columns=(Column(f"{start}A"), Column("B", 0)))
    page = replace(a_pack().pages[3], tables=(table, named))
    found = list(files(replace(a_pack(), pages=(page,))).values())
    # White space around a heading goes.
    assert rows(found[0]) == [[f"A{start}".strip(), "B"], ["a", "-3"]]
    assert rows(found[1])[0][0] == (f"'{start}A" if start.strip() else "A")


def test_the_readme_says_where_all_is_from() -> None:
    text = files(a_pack())["README.txt"]
    lines = text.splitlines()
    assert lines[2:7] == list(a_pack().stamp)
    assert [name for name in NAMES if f"  {name}: " in text] == NAMES
    assert "  [c]  hidden, so that nobody can be recognised" in lines
    assert f"  Referrals, referrals_2026-06.csv, {'a1' * 32}" in lines
    assert lines[-1] == "  python -m dashboard pack --config config.json"


@pytest.mark.parametrize(
    ("since", "line"),
    [("31 May 2026", "Thanet. Changes since 31 May 2026."), ("", "Thanet.")],
)
def test_the_readme_says_since_when_where_it_is_known(since: str, line: str) -> None:
    assert files(replace(a_pack(), since=since))["README.txt"].splitlines()[1] == line


def test_what_makes_it_again() -> None:
    made = json.loads(files(replace(a_pack(), config={"b": "2", "a": "1"}))["config.json"])
    assert list(made.items()) == [("a", "1"), ("b", "2"), ("version", "0.1.0")]


def test_method_and_definitions() -> None:
    lines = files(a_pack())["method.txt"].splitlines()
    assert "  Late: Not done on the day it was due." in lines
    assert lines[-2:] == [
        "Expected range: What 95 of 100 wards with the same need would have.",
        "Mean: The mean of the twelve months before.",
    ]


def test_the_same_pack_is_the_same_file() -> None:
    assert archive(a_pack()) == archive(a_pack())
    assert archive(a_pack()) != archive(replace(a_pack(), version="0.2.0"))
    with zipfile.ZipFile(io.BytesIO(archive(a_pack()))) as packed:
        entries = packed.infolist()
    # Neither when it was made nor on which system.
    assert {(entry.date_time, entry.create_system) for entry in entries} == {
        ((1980, 1, 1, 0, 0, 0), 3)
    }
