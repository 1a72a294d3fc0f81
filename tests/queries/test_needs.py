"""Needs, leads and candidate sites: what is in force, whose it is, and the same on both databases."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import Engine

from queries import history, needs
from queries.load import CleanLoad, save
from queries.scope import EVERYTHING, Scope
from tests import small_board as b
from tests.small_board import ABBEY, BOARD, CASTLE, NEIGHBOUR, NORTHAM, SOUTHAM

MARCH, APRIL = date(2026, 3, 31), date(2026, 4, 1)
READS: dict[str, Callable[[Engine, Scope, str], pd.DataFrame]] = {
    "indices": needs.ward_indices,
    "leads": needs.named_leads,
    "sites": needs.candidate_sites,
}
TYPES = {
    "indices": {
        "index_name": "str", "ward_code": "str", "value": "Float64", "decile": "Float64",
        "with_decile": "Int64", "high": "Int64", "lsoas_matched": "Int64",
    },
    "leads": {
        "lad_code": "str", "post_name": "str", "profession": "str", "valid_from": "object",
        "valid_until": "object",
    },
    "sites": {
        "site_id": "str", "site_name": "str", "longitude": "float64", "latitude": "float64",
        "cost_a_year": "Float64", "places_a_year": "Int64",
    },
}  # fmt: skip


def index(name: str, *rows: tuple[int, float | None, int | None]) -> CleanLoad:
    """Values and deciles of an index by number of the LSOA."""
    lsoas = list(b.LSOAS)
    frame = pd.DataFrame(
        [(f"{name} 2021", name, lsoas[n - 1], value, decile) for n, value, decile in rows],
        columns=["part_key", "index_name", "lsoa_code", "value", "decile"],
    ).astype({"value": "Float64", "decile": "Int64"})
    return b.made_of("lsoa_index", [f"{name} 2021"], {"lsoa_index": frame})


def leads(*rows: tuple[str, str, str | None, date | None, date | None]) -> CleanLoad:
    columns = ["locality", "post_name", "profession", "valid_from", "valid_until"]
    frame = pd.DataFrame(rows, columns=columns).assign(part_key=[row[0] for row in rows])
    frame = frame.astype(dict.fromkeys(columns[3:], "object"))
    return b.made_of("named_leads", frame["part_key"].unique(), {"named_lead": frame})


def sites(*rows: tuple[str, str, float | None, int | None]) -> CleanLoad:
    frame = pd.DataFrame(
        [(icb, icb, site, f"Hall {site}", 1.25, 51.5, cost, room) for icb, site, cost, room in rows],
        columns=[
            "part_key", "icb_code", "site_id", "site_name", "longitude", "latitude", "cost_a_year",
            "places_a_year",
        ],
    ).astype({"cost_a_year": "Float64", "places_a_year": "Int64"})  # fmt: skip
    return b.made_of("candidate_sites", frame["part_key"].unique(), {"candidate_site": frame})


LONELY = index("loneliness", (1, 10, 8), (2, 20, 9), (3, 4, 10), (5, 7.5, None), (11, 1, 10))
LEADS = leads(
    ("Northam", "Deputy", None, None, None),
    ("Northam", "Old head", "nurse", date(2024, 4, 1), MARCH),
    ("Northam", "Head", "GP", APRIL, None),
    ("sOuThAm", "Nurse", "nurse", APRIL, MARCH.replace(year=2027)),
    (SOUTHAM, "By code", None, MARCH, None),
    ("Eastham", "Neighbour's", None, APRIL, None),
    ("Nowhere", "Nobody's", None, APRIL, None),
)
SITES = sites((BOARD, "S2", None, None), (BOARD, "S1", 48_000.5, 250), (NEIGHBOUR, "S1", 1, 1))


@pytest.fixture
def loaded(any_engine: Engine) -> Engine:
    places = (b.Board().boundaries(), b.lookup_of_wards(), b.lookup_of_boards())
    for each in (*places, LONELY, LEADS, SITES):
        save(any_engine, each)
    return any_engine


def plain(frame: pd.DataFrame) -> list[list[Any]]:
    rows = frame.astype(object).values.tolist()
    return [[None if pd.isna(value) else value for value in row] for row in rows]


def test_an_index_by_ward(loaded: Engine) -> None:
    """Of Abbey's two LSOAs one lies in the two highest deciles; of Brook's two one has a value."""
    save(loaded, index("disability", (1, 3, 10), (2, None, 9)))
    assert plain(needs.ward_indices(loaded, EVERYTHING, BOARD)) == [
        ["disability", ABBEY, 3, 9.5, 2, 2, 1],
        ["loneliness", ABBEY, 15, 8.5, 2, 1, 2],
        ["loneliness", b.BROOK, 4, 10, 1, 1, 1],
        # Without a decile nobody knows whether it is one of the highest.
        ["loneliness", CASTLE, 7.5, None, 0, None, 1],
    ]


def test_a_later_file_of_an_index_replaces_it_and_may_be_undone(loaded: Engine) -> None:
    first = needs.ward_indices(loaded, EVERYTHING, BOARD)
    record = save(loaded, index("loneliness", (1, 99, 1)))
    assert plain(needs.ward_indices(loaded, EVERYTHING, BOARD)) == [
        ["loneliness", ABBEY, 99, 1, 1, 0, 1]
    ]
    history.undo(loaded, record.load_id, None)
    pd.testing.assert_frame_equal(needs.ward_indices(loaded, EVERYTHING, BOARD), first)


def test_leads_by_code_or_name_the_newest_first(loaded: Engine) -> None:
    """In whatever case; a spell without a beginning stands last; of no other board, and of none."""
    assert plain(needs.named_leads(loaded, EVERYTHING, BOARD)) == [
        [NORTHAM, "Head", "GP", APRIL, None],
        [NORTHAM, "Old head", "nurse", date(2024, 4, 1), MARCH],
        [NORTHAM, "Deputy", None, None, None],
        [SOUTHAM, "Nurse", "nurse", APRIL, date(2027, 3, 31)],
        [SOUTHAM, "By code", None, MARCH, None],
    ]


def test_a_locality_that_is_told_again_has_its_newest_leads_only(loaded: Engine) -> None:
    save(loaded, leads(("Northam", "New head", None, None, None)))
    found = needs.named_leads(loaded, EVERYTHING, BOARD)
    assert found["post_name"].tolist() == ["New head", "Nurse", "By code"]


def test_sites_of_the_board(loaded: Engine) -> None:
    assert plain(needs.candidate_sites(loaded, EVERYTHING, BOARD)) == [
        ["S1", "Hall S1", 1.25, 51.5, 48_000.5, 250],
        ["S2", "Hall S2", 1.25, 51.5, None, None],
    ]
    save(loaded, sites((BOARD, "S3", 1, 1)))
    assert needs.candidate_sites(loaded, EVERYTHING, BOARD)["site_id"].tolist() == ["S3"]
    assert len(needs.candidate_sites(loaded, EVERYTHING, NEIGHBOUR)) == 1


def test_outside_the_scope_there_is_nothing(loaded: Engine) -> None:
    for name, read in READS.items():
        whole = read(loaded, EVERYTHING, BOARD)
        assert {c: str(t) for c, t in whole.dtypes.items()} == TYPES[name]
        assert len(whole) > 0
        pd.testing.assert_frame_equal(read(loaded, Scope(frozenset({BOARD})), BOARD), whole)
        for scope, icb_code in (
            (Scope(frozenset({NEIGHBOUR})), BOARD),
            (Scope(frozenset()), BOARD),
            (EVERYTHING, b.OUTSIDER_ICB),
        ):
            nothing = read(loaded, scope, icb_code)
            assert nothing.empty
            pd.testing.assert_series_equal(nothing.dtypes, whole.dtypes)


def test_an_empty_database_has_none_of_the_same_types(any_engine: Engine) -> None:
    for name, read in READS.items():
        nothing = read(any_engine, EVERYTHING, BOARD)
        assert nothing.empty
        assert {c: str(t) for c, t in nothing.dtypes.items()} == TYPES[name]
