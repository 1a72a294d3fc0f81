"""Candidate sites: what is read, what a second file replaces, and every rule that refuses."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from dashboard.intake import DATASETS, take_in
from dashboard.intake.candidate_sites import LATITUDES, LONGITUDES
from dashboard.intake.problems import RefusedError
from dashboard.intake.source import Source
from queries import needs
from queries.scope import EVERYTHING
from tests.intake.files import read
from tests.intake.test_bad_files import change, only_heading, twice
from tests.intake.test_more_returns import plain
from tests.rules.test_nhs_number import INVALID, VALID

SITES = """\
icb_code,site_id,site_name,longitude,latitude,cost_a_year,places_a_year
QZZ,S1,Hilltop library,1.25,51.5,"£48,000.50",250
QZZ,S2,Dale hall,-0.5,51.25,,
QZY,S1,Weston centre,-2,53,0,1
"""


def test_each_is_recognised_as_itself_alone() -> None:
    source = Source.of("file.csv", SITES.encode())
    assert [dataset.name for dataset in DATASETS if dataset.recognises(source)] == [
        "candidate_sites"
    ]


def test_what_is_read() -> None:
    load = read(SITES)
    rows = load.rows["candidate_site"]
    assert plain(rows, *rows.columns) == [
        ["QZZ", "S1", "Hilltop library", 1.25, 51.5, 48_000.5, 250, "QZZ"],
        ["QZZ", "S2", "Dale hall", -0.5, 51.25, None, None, "QZZ"],
        ["QZY", "S1", "Weston centre", -2, 53, 0, 1, "QZY"],
    ]
    assert load.parts["part_key"].tolist() == ["QZZ", "QZY"]
    assert load.notes == ("3 sites, 2 of them with a cost",)
    assert (load.rows_read, load.rows_refused) == (3, 0)


def test_by_other_headings_and_without_what_may_be_left_out() -> None:
    load = read("ICB code,id,venue,lon,lat,colour\nQZZ,S1,Hall,1.25,51.5,red\n")
    rows = load.rows["candidate_site"]
    assert plain(rows, "site_id", "site_name", "longitude", "cost_a_year", "places_a_year") == [
        ["S1", "Hall", 1.25, None, None]
    ]
    assert load.notes[-1] == "columns not read: colour"


def test_a_board_that_tells_again_replaces_its_own(engine: Engine) -> None:
    first = take_in(engine, Source.of("file.csv", SITES.encode()), b"key")
    assert (first.parts_added, first.parts_replaced) == (2, 0)
    again = SITES.splitlines()[0] + "\nQZZ,S9,New hall,1,51,,\n"
    second = take_in(engine, Source.of("file.csv", again.encode()), b"key")
    assert (second.parts_added, second.parts_replaced) == (1, 1)
    found = {
        icb: needs.candidate_sites(engine, EVERYTHING, icb)["site_id"].tolist()
        for icb in ("QZZ", "QZY")
    }
    assert found == {"QZZ": ["S9"], "QZY": ["S1"]}


@pytest.mark.parametrize(("column", "limits"), [("longitude", LONGITUDES), ("latitude", LATITUDES)])
def test_both_ends_of_great_britain(column: str, limits: tuple[float, float]) -> None:
    old = {"longitude": "1.25", "latitude": "51.5,"}[column].rstrip(",")
    for value in limits:
        rows = read(change(SITES, f",{old},", f",{value},")).rows["candidate_site"]
        assert rows[column].iloc[0] == value
    for value in (limits[0] - 0.01, limits[1] + 0.01):
        with pytest.raises(RefusedError, match=f"a {column} in Great Britain"):
            read(change(SITES, f",{old},", f",{value},"))


BAD = [
    (twice(SITES, 2), "the same site of a board", 5, None),
    (change(SITES, "QZZ,S2", "the north,S2"), "an ICB code", 3, "icb_code"),
    (change(SITES, "QZZ,S2", ",S2"), "an ICB code", 3, "icb_code"),
    (change(SITES, "S2", ""), "expected a text", 3, "site_id"),
    (change(SITES, "S2", "x" * 65), "at most 64", 3, "site_id"),
    (change(SITES, "Dale hall", ""), "expected a text", 3, "site_name"),
    (change(SITES, "Dale hall", "x" * 101), "at most 100", 3, "site_name"),
    (change(SITES, "-0.5", ""), "a longitude in Great Britain", 3, "longitude"),
    (change(SITES, "-0.5", "west"), "expected a number", 3, "longitude"),
    # The two in each other's place.
    (change(SITES, "-0.5,51.25", "51.25,-0.5"), "a longitude in Great Britain", 3, "longitude"),
    (change(SITES, "-0.5,51.25", "51.25,-0.5"), "a latitude in Great Britain", 3, "latitude"),
    (change(SITES, "51.25", ""), "a latitude in Great Britain", 3, "latitude"),
    (change(SITES, "51.25", "north"), "expected a number", 3, "latitude"),
    # Metres of the national grid.
    (change(SITES, "1.25,", "600000,"), "in degrees", 2, "longitude"),
    (change(SITES, "1.25,", "*,"), "in degrees", 2, "longitude"),
    (change(SITES, '"£48,000.50"', "-1"), "a number from 0", 2, "cost_a_year"),
    (change(SITES, '"£48,000.50"', "cheap"), "a number from 0", 2, "cost_a_year"),
    (change(SITES, ",250", ",0"), "1 or more people a year", 2, "places_a_year"),
    (change(SITES, ",250", ",2.5"), "a whole number", 2, "places_a_year"),
    (only_heading(SITES), "no rows", None, None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "rule", "row", "column"),
    [pytest.param(*case, id=f"{number}: {case[1]}") for number, case in enumerate(BAD)],
)
def test_refused(text: str, rule: str, row: int | None, column: str | None) -> None:
    with pytest.raises(RefusedError) as refusal:
        read(text)
    places = [(p.row, p.column) for p in refusal.value.problems if rule in p.rule]
    assert places == [(row, column)], str(refusal.value)
    # Nothing else is wrong with the file: one thing was changed.
    assert len(refusal.value.problems) <= 2, str(refusal.value)


def test_a_column_of_nhs_numbers_refuses_the_file_and_shows_none() -> None:
    def of(values: list[str]) -> str:
        rows = [f"QZZ,S{n},Hall,1,51,{value}" for n, value in enumerate(values)]
        return "\n".join(["icb_code,site_id,site_name,longitude,latitude,x", *rows]) + "\n"

    with pytest.raises(RefusedError, match="holds NHS numbers") as refusal:
        read(of(VALID))
    assert not any(number[3:] in str(refusal.value) for number in VALID)
    assert read(of(INVALID)).rows_read == len(INVALID)
