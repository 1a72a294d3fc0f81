"""The committed files of the demonstration are whole, small and visibly made up."""

import re
from pathlib import Path

import numpy as np
import pytest
import shapely
from scipy.sparse.csgraph import connected_components
from shapely.geometry import box

import geodata
from geodata.build_demonstration import grouped
from geodata.demonstration import demonstration_lsoas, demonstration_wards_bytes
from geodata.shapes import read_features

WARDS = {
    "Ashford": 39,
    "Canterbury": 21,
    "Dartford": 20,
    "Dover": 17,
    "Folkestone and Hythe": 13,
    "Gravesham": 17,
    "Maidstone": 22,
    "Medway": 24,
    "Sevenoaks": 26,
    "Swale": 24,
    "Thanet": 23,
    "Tonbridge and Malling": 19,
    "Tunbridge Wells": 14,
}
COLUMNS = ["WD25CD", "WD25NM", "LAD25CD", "LAD25NM", "BNG_E", "BNG_N", "LONG", "LAT"]


def test_wards_are_279_with_the_right_number_in_each_district() -> None:
    wards = read_features(demonstration_wards_bytes())
    assert wards.columns.tolist() == [*COLUMNS, "geometry"]
    assert wards["LAD25NM"].value_counts().to_dict() == WARDS
    assert wards["WD25NM"].is_unique
    assert wards["WD25CD"].is_unique
    assert wards["WD25CD"].map(lambda code: bool(re.fullmatch(r"E05DM\d{4}", code))).all()
    assert dict(zip(wards["LAD25NM"], wards["LAD25CD"], strict=True))["Medway"] == "E06000035"


def test_wards_cover_the_county_without_gaps() -> None:
    wards = read_features(demonstration_wards_bytes())
    shapes = wards.geometry.to_numpy()
    assert shapely.is_valid(shapes).all()
    assert shapely.coverage_is_valid(shapes)
    mainland = shapely.get_parts(shapely.union_all(shapes))
    assert shapely.area(mainland).max() / shapely.area(shapes).sum() > 0.97  # Sheppey is the rest
    points = shapely.points(wards["LONG"].astype(float), wards["LAT"].astype(float))
    assert shapely.contains(shapes, points).all()


def test_lsoas_are_1065_in_two_vintages() -> None:
    lsoas = demonstration_lsoas()
    wards = read_features(demonstration_wards_bytes())
    assert len(lsoas) == lsoas["LSOA11CD"].nunique() == 1065
    assert set(lsoas["WD25CD"]) == set(wards["WD25CD"])
    redrawn = lsoas[lsoas["WD23CD"] != lsoas["WD25CD"]]
    assert redrawn.groupby("LAD25NM")["WD23CD"].nunique().to_dict() == {
        "Maidstone": 26,
        "Tunbridge Wells": 20,
    }
    assert redrawn["WD23CD"].str.startswith("E05DM5").all()
    assert not set(redrawn["WD23CD"]) & set(lsoas["WD25CD"])


def test_files_are_small_and_their_source_is_told() -> None:
    folder = Path(geodata.__file__).parent / "files"
    files = [path for path in folder.iterdir() if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 1_000_000
    sources = (folder / "SOURCES.md").read_text(encoding="utf-8")
    assert all(f"`{path.name}`" in sources for path in files if path.suffix != ".md")
    assert "licensed under the Open Government Licence v.3.0" in sources
    assert "Contains OS data © Crown copyright and database right" in sources


@pytest.mark.parametrize("wanted", [1, 4, 9, 36])
def test_groups_are_as_many_as_wanted_and_contiguous(wanted: int) -> None:
    """Six by six squares."""
    squares = np.array([box(x, y, x + 1, y + 1) for x in range(6) for y in range(6)])
    group = np.asarray(grouped(squares, wanted))
    assert sorted(set(group)) == list(range(wanted))
    for number in range(wanted):
        members = squares[group == number]
        shared = shapely.length(shapely.intersection(members[:, None], members[None]))
        assert connected_components(shared > 0, directed=False)[0] == 1
    assert np.array_equal(group, np.asarray(grouped(squares, wanted)))
