"""Ward shapes: three squares whose areas, edges and corners can be added up by hand."""

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyproj
import pytest
import shapely
from shapely.geometry import box, mapping, shape

from geodata import shapes
from geodata.shapes import (
    MapLayer,
    ShapeError,
    centroids_metres,
    hatch_layer,
    neighbours,
    read_features,
    touching,
    ward_layer,
)

TO_DEGREES = pyproj.Transformer.from_crs(27700, 4326, always_xy=True)
TO_METRES = pyproj.Transformer.from_crs(4326, 27700, always_xy=True)
CODES = ["A", "B", "C"]
# A and B side by side; C touches B along its top and A only at a corner.
SQUARES = [
    box(600_000, 150_000, 601_000, 151_000),
    box(601_000, 150_000, 602_000, 151_000),
    box(601_000, 151_000, 602_000, 152_000),
]


def in_degrees(*metres: shapely.Geometry) -> list[Any]:
    return [
        shapely.transform(g, lambda p: np.column_stack(TO_DEGREES.transform(*p.T))) for g in metres
    ]


def in_metres(geometry: Any) -> Any:
    return shapely.transform(geometry, lambda p: np.column_stack(TO_METRES.transform(*p.T)))


def collection(*geometries: Any, **top: Any) -> bytes:
    features = [
        {
            "type": "Feature",
            "properties": {"WD25CD": code, "WD25NM": "St. Peter’s", "BNG_E": 600500, "X": None},
            "geometry": None if geometry is None else mapping(geometry),
        }
        for code, geometry in zip("ABCDE", geometries, strict=False)
    ]
    return json.dumps({"type": "FeatureCollection", "features": features} | top).encode()


def drawn(layer: MapLayer) -> dict[str, Any]:
    return {f["id"]: shape(f["geometry"]) for f in json.loads(layer.body)["features"]}


def clockwise(layer: MapLayer) -> bool:
    return all(
        not polygon.exterior.is_ccw and all(hole.is_ccw for hole in polygon.interiors)
        for ward in drawn(layer).values()
        for polygon in ward.geoms
    )


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_features_are_read_with_and_without_a_byte_order_mark(mark: bytes) -> None:
    frame = read_features(mark + collection(*in_degrees(*SQUARES)))
    assert frame.crs == "EPSG:4326"
    assert frame["WD25CD"].tolist() == CODES
    assert frame["BNG_E"].tolist() == ["600500"] * 3
    assert frame["X"].tolist() == ["", "", ""]
    assert frame["WD25NM"].iloc[0] == "St. Peter’s"


def test_metres_and_degrees_give_the_same_places_within_a_metre() -> None:
    degrees = read_features(collection(*in_degrees(*SQUARES)))
    metres = read_features(collection(*SQUARES))
    for frame in (degrees, metres):
        for found, expected in zip(frame.geometry, SQUARES, strict=True):
            assert shapely.hausdorff_distance(in_metres(found), expected) < 1


@pytest.mark.parametrize("name", ["urn:ogc:def:crs:OGC:1.3:CRS84", "EPSG:4326", "EPSG:27700"])
def test_known_systems_are_accepted(name: str) -> None:
    read_features(collection(*SQUARES, crs={"type": "name", "properties": {"name": name}}))


def test_a_bow_tie_is_repaired_to_its_two_triangles() -> None:
    tie = shapely.Polygon([(6e5, 1.5e5), (601e3, 151e3), (601e3, 1.5e5), (6e5, 151e3)])
    (found,) = read_features(collection(tie)).geometry
    assert found.is_valid
    assert in_metres(found).area == pytest.approx(500_000, rel=1e-4)  # two of 1,000 x 500 / 2


def test_a_shell_inside_a_shell_is_a_hole() -> None:
    nested = shapely.MultiPolygon([SQUARES[0], box(600_400, 150_400, 600_500, 150_500)])
    (found,) = read_features(collection(nested)).geometry
    assert found.is_valid
    assert in_metres(found).area == pytest.approx(1_000_000 - 10_000, rel=1e-4)


def test_only_the_areas_of_a_repaired_shape_are_kept() -> None:
    spiked = shapely.Polygon(
        [(6e5, 1.5e5), (601e3, 1.5e5), (603e3, 1.5e5), (601e3, 1.5e5), (601e3, 151e3), (6e5, 151e3)]
    )
    (found,) = read_features(collection(spiked)).geometry
    assert found.geom_type in {"Polygon", "MultiPolygon"}
    assert in_metres(found).area == pytest.approx(1_000_000, rel=1e-4)


POINT = shapely.Point(1, 51)
KENT = in_degrees(*SQUARES)


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        pytest.param(b"PK\x03\x04\xff", "not JSON", id="zip"),
        pytest.param(b"<VRTDataset/>", "not JSON", id="virtual"),
        pytest.param(b"[" * 100_000, "not JSON", id="deep"),
        pytest.param(b"[]", "FeatureCollection; found 'list'", id="list"),
        pytest.param(b'{"type": "Feature"}', "FeatureCollection; found 'Feature'", id="one"),
        pytest.param(b'{"type": "FeatureCollection"}', "FeatureCollection", id="bare"),
        pytest.param(collection(), "at least one feature; found none", id="empty"),
        pytest.param(collection(KENT[0], POINT), "found 'Point' in feature 2", id="point"),
        pytest.param(collection(KENT[0], None), "found 'None' in feature 2", id="null"),
        pytest.param(collection(shapely.Polygon()), "feature 1", id="void"),
        pytest.param(
            collection(shapely.Polygon([(1, 51), (1.1, 51), (1, 51)])), "feature 1", id="flat"
        ),
        pytest.param(
            collection(KENT[0]).replace(b"[[[", b'[[["x", ', 1), "cannot be read", id="text"
        ),
        pytest.param(
            b'{"type":"FeatureCollection","features":[7]}', "found 'None' in feature 1", id="number"
        ),
        pytest.param(
            collection(KENT[0], box(51.1, 0.5, 51.2, 0.6)),
            r"found \(5x\.x, 0\.x\) in feature 2",
            id="swapped",
        ),
        pytest.param(
            collection(SQUARES[0], KENT[1]), r"found \(0\.x, 5x\.x\) in feature 2", id="mixed"
        ),
        pytest.param(
            collection(box(-74.1, 40.6, -74, 40.7)), r"found \(-7x\.x, 4x\.x\)", id="abroad"
        ),
        pytest.param(
            collection(box(1e5, 6.6e6, 1.1e5, 6.7e6)), r"found \(1xxxxx\.x, 6xxxxxx\.x\)", id="web"
        ),
        pytest.param(
            b'{"type":"FeatureCollection","features":[{"type":"Feature","properties":{},"geometry":'
            b'{"type":"Polygon","coordinates":[[[1,51],[NaN,51],[1,52],[1,51]]]}}]}',
            "feature 1",
            id="nan",
        ),
        pytest.param(
            collection(KENT[0]).replace(b"[[[", b"[[[1" + b"0" * 400 + b"1, 51], ["),
            "feature 1",
            id="huge",
        ),
        pytest.param(
            collection(KENT[0]).replace(b"[[[", b"[[[1e999, 51], ["), "feature 1", id="infinite"
        ),
        pytest.param(
            collection(KENT[0]).replace(b"600500", b'"\\ud800"'),
            "half a character in feature 1",
            id="surrogate",
        ),
        pytest.param(collection(*SQUARES, crs={"properties": None}), "in the crs member", id="crs"),
        pytest.param(
            collection(*SQUARES, crs={"properties": {"name": "EPSG:29903"}}),
            "found 'EPSG:29903'",
            id="irish",
        ),
    ],
)
def test_bad_files_are_refused_with_the_place(raw: bytes, said: str) -> None:
    with pytest.raises(ShapeError, match=said) as refusal:
        read_features(raw)
    assert str(refusal.value).startswith("Expected")


def test_too_many_vertices_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shapes, "MOST_VERTICES", 10)
    read_features(collection(*SQUARES[:2]))  # 2 x 5, on the line
    with pytest.raises(ShapeError, match="at most 10 vertices; found more, by feature 3"):
        read_features(collection(*SQUARES))


@pytest.mark.parametrize("reverse", [False, True])
def test_outer_rings_run_clockwise_whatever_the_input(reverse: bool) -> None:
    holed = SQUARES[0].difference(box(600_400, 150_400, 600_800, 150_800))
    given = [g.reverse() if reverse else g for g in in_degrees(holed, SQUARES[1])]
    assert clockwise(ward_layer(["A", "B"], given, ["Ay", "Bee"]))
    assert clockwise(hatch_layer(["A", "B"], given))


def test_a_ward_layer_is_small_named_by_content_and_the_same_every_time() -> None:
    layer = ward_layer(CODES, KENT, ["Ay", "Bee", "Sea"])
    again = ward_layer(CODES, KENT, ["Ay", "Bee", "Sea"])
    assert layer == again
    assert layer.name != ward_layer(CODES[:2], KENT[:2], ["Ay", "Bee"]).name
    assert set(layer.name) <= set("0123456789abcdef")
    assert gzip.decompress(layer.gzipped) == layer.body
    assert layer.gzipped[4:8] == bytes(4)  # no time of making
    assert list(drawn(layer)) == CODES
    points = shapely.get_coordinates(list(drawn(layer).values()))
    assert (points == points.round(4)).all()
    assert layer.bounds == (*points.min(axis=0), *points.max(axis=0))


def test_simplified_neighbours_keep_their_common_edge() -> None:
    """A border of 40 m teeth, gone at 150 m; two wards meet on a tooth, which the third keeps."""
    x = np.arange(600_000, 604_001, 100)
    teeth = np.column_stack([x, 151_040 - 40 * (np.arange(len(x)) % 2)])
    north = shapely.Polygon([*teeth, (604_000, 152_000), (600_000, 152_000)])
    west = shapely.Polygon([*teeth[:22], (602_100, 150_000), (600_000, 150_000)])
    east = shapely.Polygon([*teeth[21:], (604_000, 150_000), (602_100, 150_000)])
    wards = in_degrees(north, west, east)
    found = list(drawn(ward_layer(CODES, wards, CODES)).values())
    assert shapely.get_num_coordinates(found).sum() < 25
    assert shapely.coverage_is_valid(found)
    whole = shapely.union_all(found)
    assert whole.area == pytest.approx(sum(ward.area for ward in found), rel=1e-12)  # no overlap
    assert not whole.interiors  # no gap


def test_overlapping_and_hidden_wards_do_not_vanish() -> None:
    wards = in_degrees(SQUARES[0], SQUARES[0].buffer(-300), SQUARES[0].buffer(50))
    assert all(ward.area > 0 for ward in drawn(ward_layer(CODES, wards, CODES)).values())


def test_a_ward_smaller_than_the_rounding_is_still_drawn() -> None:
    tiny = in_degrees(box(600_001, 150_001, 600_004, 150_004))
    assert drawn(ward_layer(["A"], tiny, ["A"]))["A"].area > 0


def test_no_wards_make_an_empty_layer() -> None:
    for layer in (ward_layer([], [], []), hatch_layer([], [])):
        assert json.loads(layer.body) == {"type": "FeatureCollection", "features": []}
    for table in (centroids_metres([], []), neighbours([], []), touching([], [])):
        assert table.empty


def test_hatching_stays_inside_and_covers_a_fifth() -> None:
    layer = hatch_layer(CODES, KENT, spacing_metres=100)
    assert list(drawn(layer)) == CODES
    for found, ward in zip(drawn(layer).values(), SQUARES, strict=True):
        stripes = in_metres(found)
        assert stripes.within(ward.buffer(8))  # the rounding: half of 11 by 7 m
        assert stripes.area == pytest.approx(ward.area / 5, rel=0.1)
        assert len(stripes.geoms) == pytest.approx(14, abs=1)  # diagonal of 1,414 m / 100


def test_stripes_are_seven_pixels_apart_on_a_map_of_six_hundred() -> None:
    whole = box(600_000, 100_000, 660_000, 160_000)
    (found,) = drawn(hatch_layer(["A"], in_degrees(whole))).values()
    assert len(found.geoms) == pytest.approx(60_000 * 2**0.5 / 700, abs=1)


def test_a_ward_between_the_stripes_has_one_of_its_own() -> None:
    small = box(600_000, 150_000, 600_200, 150_200)
    far = box(640_000, 190_000, 641_000, 191_000)
    found = drawn(hatch_layer(["A", "B"], in_degrees(small, far), spacing_metres=30_000))
    assert in_metres(found["A"]).area > 0
    assert in_metres(found["A"]).within(small.buffer(8))
    assert found["B"].area > 0


def test_neighbours_share_an_edge_and_not_only_a_corner() -> None:
    table = neighbours(CODES, KENT)
    pairs = list(zip(table["ward_code"], table["neighbour_code"], strict=True))
    assert pairs == [("A", "B"), ("B", "A"), ("B", "C"), ("C", "B")]
    assert table["shared_metres"].tolist() == pytest.approx([1000] * 4, abs=1)


@pytest.mark.parametrize(("gap", "found"), [(4, 2), (20, 0)])
def test_a_gap_of_a_few_metres_does_not_part_neighbours(gap: float, found: int) -> None:
    right = box(601_000 + gap, 150_000, 602_000, 151_000)
    assert len(neighbours(["A", "B"], in_degrees(SQUARES[0], right))) == found


def test_wards_touch_at_an_edge_or_a_corner() -> None:
    far = box(610_000, 150_000, 611_000, 151_000)
    table = touching(["Z", *CODES], in_degrees(far, *SQUARES))
    assert list(table) == ["ward_code", "neighbour_code"]
    pairs = list(table.itertuples(index=False, name=None))
    assert pairs == [("A", "B"), ("A", "C"), ("B", "A"), ("B", "C"), ("C", "A"), ("C", "B")]


@pytest.mark.parametrize(("gap", "found"), [(3, 2), (20, 0)])
def test_a_gap_of_a_few_metres_does_not_part_corners(gap: float, found: int) -> None:
    """3 m each way are 4.2 m from corner to corner."""
    across = box(601_000 + gap, 151_000 + gap, 602_000, 152_000)
    assert len(touching(["A", "C"], in_degrees(SQUARES[0], across))) == found
    assert neighbours(["A", "C"], in_degrees(SQUARES[0], across)).empty


def test_edges_whose_corners_do_not_match_touch_all_the_same() -> None:
    """Two small wards along one long edge, 4 m away from it: the long one has no corner there."""
    west, east = (
        box(600_000, 151_004, 600_400, 152_000),
        box(600_400, 151_004, 601_000, 152_000),
    )
    table = touching(["A", "E", "W"], in_degrees(SQUARES[0], east, west))
    assert list(table.itertuples(index=False, name=None)) == [
        ("A", "E"), ("A", "W"), ("E", "A"), ("E", "W"), ("W", "A"), ("W", "E"),
    ]  # fmt: skip


def test_centroids_are_in_metres() -> None:
    middle = centroids_metres(CODES, KENT)
    assert middle["easting"].tolist() == pytest.approx([600_500, 601_500, 601_500], abs=1)
    assert middle["northing"].tolist() == pytest.approx([150_500, 150_500, 151_500], abs=1)


REAL = Path(__file__).parents[2].parent / "shared" / "real" / "kent"


@pytest.mark.skipif(not REAL.exists(), reason="the folder of real published files is not here")
def test_real_wards_are_all_drawn_without_gaps() -> None:
    frames = [
        read_features((REAL / f"{code}.geojson").read_bytes())
        for code in ("E10000016", "E06000035")
    ]
    codes = [code for frame in frames for code in frame["WD25CD"]]
    geometries = [ward for frame in frames for ward in frame.geometry]
    layer, hatching = ward_layer(codes, geometries, codes), hatch_layer(codes, geometries)
    found = list(drawn(layer).values())
    assert len(found) == len(drawn(hatching)) == 279
    assert shapely.is_valid(found).all()
    assert shapely.coverage_is_valid(found)
    assert all(ward.area > 0 for ward in [*found, *drawn(hatching).values()])
    assert clockwise(layer)
    assert clockwise(hatching)
    assert len(hatching.gzipped) < 60_000
    assert neighbours(codes, geometries)["ward_code"].nunique() == 279
    edges, corners = (
        set(table[["ward_code", "neighbour_code"]].itertuples(index=False, name=None))
        for table in (neighbours(codes, geometries), touching(codes, geometries))
    )
    assert edges < corners
    assert {pair[::-1] for pair in corners} == corners
