"""The published files of Kent and Medway, with one return of our own: Thanet in two wards only."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import Engine

from dashboard import export, intake
from dashboard.coverage import Basis, ward_coverage
from dashboard.intake.source import Source
from dashboard.returns_view import unmatched_wards
from dashboard.settings import settings
from dashboard.workforce import area_totals, pcn_workforce
from dashboard.workforce_trend import fte_trend
from geodata.shapes import read_features
from queries.database import make_engine, upgrade
from queries.scope import EVERYTHING

KENT = Path(__file__).parents[1].parent / "shared" / "real" / "kent"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not KENT.exists(), reason="the real files are not here"),
    pytest.mark.xdist_group("real Kent"),  # loaded once
    # Raised inside the package of postcodes.
    pytest.mark.filterwarnings("ignore:The inplace keyword"),
]
FILES = (
    "E10000016.geojson",
    "E06000035.geojson",
    "LSOA21_WD24_LAD24_EW_LU__subset.csv",
    "LSOA21_SICBL24_ICB24__subset.csv",
    "ward_population_WD23__subset.csv",
    "IoD2025_File1_IMD25__subset.csv",
    "gp-reg-pat-prac-map.csv",
    "gp-reg-pat-prac-quin-age.csv",
    "PCN_Nov_2025_Individual_Level_Kent__RECONSTRUCTED.csv",
    "1.Primary Care Networks - June 2026 Individual Level.csv",
)
ICB, AS_AT = "QKS", date(2026, 7, 31)
THANET, MAIDSTONE, TUNBRIDGE_WELLS = "E07000114", "E07000110", "E07000116"


@pytest.fixture(scope="module")
def kent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    path = tmp_path_factory.mktemp("kent") / "kent.db"
    engine = make_engine(f"sqlite:///{path.as_posix()}")
    upgrade(engine)
    for name in FILES:
        intake.take_in(engine, Source.open(KENT / name), b"key")
    named = thanet_wards(engine)[:2]
    lines = ["scheme,speaks_for,serves", *(f"Thanet links,{THANET},{code}" for code in named)]
    intake.take_in(engine, Source("scheme_areas.csv", "\n".join(lines).encode()), b"key")
    yield engine
    engine.dispose()


def thanet_wards(engine: Engine) -> list[str]:
    from queries import places

    wards = places.wards(engine, EVERYTHING, ICB)
    return sorted(wards.loc[wards["lad_code"] == THANET, "ward_code"])


@pytest.fixture(scope="module")
def judged(kent: Engine) -> tuple[pd.DataFrame, Basis]:
    settings.cache_clear()
    found = ward_coverage(kent, EVERYTHING, ICB, AS_AT)
    return found.wards.frame.set_index("ward_code"), found.basis


@pytest.fixture(scope="module")
def workforce(kent: Engine) -> dict[str, Any]:
    made = export.make(kent, EVERYTHING, "workforce", ICB, AS_AT, "json")
    return json.loads(made.body)


def test_workforce_as_published(workforce: dict[str, Any]) -> None:
    totals = workforce["meta"]["totals"]
    assert workforce["meta"]["census"] == "2026-06-30"
    assert totals["fte"] == pytest.approx(65.5333, abs=5e-5)
    assert totals["fte_own_staff"] == pytest.approx(54.5333, abs=5e-5)
    assert totals["fte_contracted"] == pytest.approx(11.0)
    assert totals["headcount"] == 66
    assert (totals["pcns"], totals["pcns_returned"]) == (45, 44)
    assert totals["pcns_with_link_worker"] == 27
    assert totals["pcns_not_returned"] == ["U29398"]
    assert totals["registered_patients"] == 2_039_483
    assert totals["fte_per_10k"] == pytest.approx(0.3213, abs=5e-5)
    silent = next(row for row in workforce["rows"] if row["pcn_code"] == "U29398")
    assert (silent["fte"], silent["missing"]["fte"]) == (None, "no workforce return")
    assert (silent["in_post"], silent["pressure_state"]) == ("no return", "no return")


def test_every_network_of_kent_is_in_one_row(workforce: dict[str, Any]) -> None:
    """The rows add up to the totals; nobody sent referrals, posts, targets or plans."""
    rows = workforce["rows"]
    assert len({row["pcn_code"] for row in rows}) == len(rows) == 45
    states = [row["in_post"] for row in rows]
    assert {state: states.count(state) for state in set(states)} == {
        "in post": 27, "no worker": 17, "no return": 1
    }  # fmt: skip
    told = [row for row in rows if row["has_returned"]]
    assert len(told) == 44
    for column, total in (("fte", 65.5333), ("fte_own_staff", 54.5333), ("fte_contracted", 11.0)):
        assert sum(row[column] for row in told) == pytest.approx(total, abs=5e-5)
    assert sum(row["fte"] == 0 for row in told) == 17
    assert rows[-1]["pcn_code"] == "U29398"
    for row in rows:
        assert row["lad_code"] is not None
        assert row["posts"] is row["target_fte"] is row["planned_fte"] is row["pressure"] is None
        assert row["missing"]["posts"] == "no posts return"
        assert row["missing"]["gap_fte"] == "no target or plan"
        assert row["missing"]["referrals_12_months"] == "no referral return for the period"
        assert "*" not in row.values()


def test_the_census_before(kent: Engine) -> None:
    made = export.make(kent, EVERYTHING, "workforce", ICB, date(2026, 6, 29), "json")
    meta = json.loads(made.body)["meta"]
    assert meta["census"] == "2025-11-30"
    assert meta["totals"]["fte"] == pytest.approx(66.73, abs=5e-3)


def test_every_network_of_kent_like_for_like(kent: Engine) -> None:
    """One returned in June only; what the page adds up is what the file says."""
    asked = (kent, EVERYTHING, ICB, AS_AT)
    codes = pcn_workforce(*asked).pcns.frame["pcn_code"].tolist()
    (total,) = area_totals(pcn_workforce(*asked), codes).frame.to_dict("records")
    assert total["fte"] == pytest.approx(65.5333, abs=5e-5)
    assert (total["pcns"], total["pcns_returned"], total["pcns_with_worker"]) == (45, 44, 27)
    assert (total["headcount"], total["all_patients"]) == (66, 2_039_483)
    trend = fte_trend(*asked, codes, 12)
    told = trend.months.frame.dropna(subset="fte").set_index("month")["fte"]
    assert told.to_dict() == pytest.approx(
        {date(2025, 11, 1): 66.73, date(2026, 6, 1): 65.5333}, abs=5e-3
    )
    assert (trend.joined, trend.left, trend.moved, trend.silent) == (["U11490"], [], [], [])
    assert len(trend.alike) == 43


def test_every_ward_is_judged(judged: tuple[pd.DataFrame, Basis]) -> None:
    wards, basis = judged
    assert len(wards) == 279
    assert wards.index.is_unique
    assert wards["lad_code"].nunique() == 13
    assert (wards["reason"] != "").all()
    assert basis.shares == "modelled"
    assert basis.census == date(2026, 6, 30)
    assert basis.window is None


def test_thanet(judged: tuple[pd.DataFrame, Basis]) -> None:
    """21 of 23 wards have no provision, whatever the PCNs' workforce says."""
    wards, _ = judged
    thanet = wards[wards["lad_code"] == THANET]
    assert len(thanet) == 23
    named = sorted(thanet.index)[:2]
    without = thanet.drop(index=named)
    assert len(without) == 21
    assert without["status"].eq("No provision").all()
    assert without["route_in"].eq("absent").all()
    assert not thanet["route_in_inferred"].any()
    assert without["reason"].str.contains("Thanet").all()
    assert not without["reason"].str.contains("inferred").any()
    assert thanet.loc[named, "route_in"].eq("present").all()
    assert thanet.loc[named, "status"].ne("No provision").all()
    # Some of them have a link worker all the same, and it is said.
    near = without[without["link_worker"] == "present"]
    assert len(near)
    assert near["reason"].str.contains("link worker is in post").all()


def test_everywhere_else_is_inferred_and_marked(judged: tuple[pd.DataFrame, Basis]) -> None:
    wards, _ = judged
    others = wards[wards["lad_code"] != THANET]
    assert len(others) == 256
    assert others["route_in_inferred"].all()
    told_missing = others["status"] == "No provision"
    assert others.loc[told_missing, "link_worker"].eq("absent").all()
    assert others.loc[told_missing, "reason"].str.contains("inferred").all()
    assert set(others["status"]) <= {"No provision", "No return"}


def test_services_never_returned_are_no_gap(judged: tuple[pd.DataFrame, Basis]) -> None:
    wards, basis = judged
    assert not basis.services_returned
    assert "Nothing to refer to" not in set(wards["status"])
    assert wards["services"].eq("no return").all()


def test_populations_of_other_wards_are_missing_and_said(
    kent: Engine, judged: tuple[pd.DataFrame, Basis]
) -> None:
    wards, basis = judged
    missing = wards[wards["population"].isna()]
    assert missing["lad_code"].value_counts().to_dict() == {MAIDSTONE: 22, TUNBRIDGE_WELLS: 14}
    assert basis.population_vintages == ("2023 wards",)
    made = export.make(kent, EVERYTHING, "coverage", ICB, AS_AT, "json")
    found = json.loads(made.body)
    assert found["meta"]["totals"]["wards_without_population"] == 36
    for row in found["rows"]:
        told = row["missing"].get("population", "")
        assert ("no population for this ward's code" in told) == (row["ward_code"] in missing.index)


def test_silence_is_no_zero(judged: tuple[pd.DataFrame, Basis]) -> None:
    """U29398 did not return: where it serves, FTE is unknown, and no ward is a gap for it."""
    wards, _ = judged
    unknown = wards[wards["fte"].isna()]
    assert 0 < len(unknown) < 60
    assert unknown["fte_per_10k"].isna().all()
    assert unknown["fte_reason"].str.contains("no workforce return").all()
    untold = wards[wards["link_worker"] == "no return"]
    assert untold["status"].isin(["No return", "No provision"]).all()
    assert not untold.loc[untold["route_in_inferred"], "status"].eq("No provision").any()
    # What is known adds up to no more than was published.
    assert 0 < wards["fte"].sum() <= 65.5333 + 1e-6


@pytest.mark.slow
@pytest.mark.parametrize("name", ["E10000016.geojson", "E06000035.geojson"])
def test_british_national_grid_gives_the_same_areas_to_a_metre(name: str):
    geopandas = pytest.importorskip("geopandas")
    published = json.loads((KENT / name).read_text(encoding="utf-8"))
    frame = geopandas.GeoDataFrame.from_features(published["features"], crs="EPSG:4326")
    metres = json.loads(frame.to_crs("EPSG:27700").to_json(drop_id=True))
    for form in ({}, {"crs": {"type": "name", "properties": {"name": "EPSG:27700"}}}):
        metres.pop("crs", None)
        again = read_features(json.dumps(metres | form).encode()).to_crs("EPSG:27700")
        usual = read_features((KENT / name).read_bytes()).to_crs("EPSG:27700")
        assert again["WD25CD"].tolist() == usual["WD25CD"].tolist()
        apart = again.geometry.hausdorff_distance(usual.geometry)
        assert apart.max() < 1
        assert (again.geometry.area - usual.geometry.area).abs().max() < 1


def test_wards_of_another_vintage_are_named_by_district(kent: Engine):
    rows = unmatched_wards(kent, EVERYTHING, ICB)
    assert [row[:2] for row in rows] == [
        [f"Maidstone ({MAIDSTONE})", "0 of 22"],
        [f"Tunbridge Wells ({TUNBRIDGE_WELLS})", "0 of 14"],
    ]
    assert [len(row[2].split(", ")) for row in rows] == [22, 14]
