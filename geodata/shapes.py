"""Ward shapes: read and refuse, simplify without gaps, hatch, label, and tell neighbours."""

from __future__ import annotations

import gzip
import hashlib
import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise, repeat
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyproj
import shapely
from shapely.errors import ShapelyError
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

if TYPE_CHECKING:
    import geopandas

Box = tuple[float, float, float, float]

# The two boxes do not overlap, so a coordinate tells its own system.
GREAT_BRITAIN_DEGREES: Box = (-9.0, 49.0, 2.5, 61.5)
GREAT_BRITAIN_METRES: Box = (1_000.0, 5_000.0, 700_000.0, 1_300_000.0)
# Other systems can give numbers inside the metre box (the Irish grid does): refused by name.
KNOWN_SYSTEMS = re.compile(r"(CRS:?84|EPSG:+(4326|4258|27700))$", re.IGNORECASE)

MOST_VERTICES = 5_000_000  # all wards of the United Kingdom at full resolution have fewer
WARD_TOLERANCE_METRES = 150.0  # about one pixel for an ICB on a 600 px map
GAP_METRES = 5.0  # widest gap between neighbours seen in generalised ONS boundaries
DECIMALS = 4  # of a degree: 7 to 11 m
MAP_PIXELS = 600  # height the hatching is drawn for
MAP_WIDTH_TO_HEIGHT = 1.5
STRIPE_PIXELS = 7  # from stripe to stripe
STRIPE_SHARE = 0.2  # of the spacing that is ink
METRES_PER_DEGREE = 111_000  # of latitude

# PROJ may otherwise fetch grid files from the internet.
pyproj.network.set_network_enabled(False)  # type: ignore[attr-defined]
_TO_METRES = pyproj.Transformer.from_crs(4326, 27700, always_xy=True)
_TO_DEGREES = pyproj.Transformer.from_crs(27700, 4326, always_xy=True)


class ShapeError(ValueError):
    """A boundary file that is refused; the message says expected, found, where and what to do."""


def read_features(raw: bytes) -> geopandas.GeoDataFrame:
    """One row per feature of a GeoJSON FeatureCollection, in EPSG:4326.

    Properties are text columns (missing is ""). Longitude and latitude or British National Grid
    metres are told apart by the coordinates themselves; metres are converted without the national
    grid-shift file, good to 5 m. Invalid rings are repaired. Raises ShapeError.
    """
    # Only loading needs it, and it would add half a second to every start of a page.
    import geopandas

    collection = _feature_collection(raw)
    rows: list[dict[str, str]] = []
    geometries: list[BaseGeometry] = []
    vertices = 0
    for number, feature in enumerate(collection["features"], start=1):
        geometry, properties = _feature(feature, number)
        vertices += shapely.get_num_coordinates(geometry)
        if vertices > MOST_VERTICES:
            raise ShapeError(
                f"Expected at most {MOST_VERTICES:,} vertices; found more, by feature {number}. "
                "Download the generalised (BGC or BSC) boundaries instead of full resolution."
            )
        rows.append(properties)
        geometries.append(geometry)

    shapes = np.array(geometries, dtype=object)
    if _in_box(shapely.get_coordinates(shapes[0]), GREAT_BRITAIN_METRES).all():
        _refuse_outside(shapes, GREAT_BRITAIN_METRES)
        shapes = _reproject(shapes, _TO_DEGREES)
    else:
        _refuse_outside(shapes, GREAT_BRITAIN_DEGREES)
    frame = pd.DataFrame(rows).fillna("").astype("str")
    return geopandas.GeoDataFrame(frame, geometry=_repair(shapes), crs="EPSG:4326")


def _feature_collection(raw: bytes) -> Any:
    try:
        found = json.loads(raw.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise ShapeError(
            "Expected a GeoJSON file in UTF-8; found something that is not JSON. "
            "Download the boundaries as GeoJSON; convert a shapefile or GeoPackage first."
        ) from error
    kind = found.get("type") if isinstance(found, dict) else type(found).__name__
    if kind != "FeatureCollection" or not isinstance(found.get("features"), list):
        raise ShapeError(
            f"Expected a GeoJSON FeatureCollection; found {str(kind)[:40]!r} at the top. "
            "Download the whole layer, not one feature or a service description."
        )
    if not found["features"]:
        raise ShapeError(
            "Expected at least one feature; found none. "
            "The query that made the file matched no area: check its field and code."
        )
    crs = found.get("crs")
    try:
        name = str(crs["properties"]["name"]) if crs else ""
    except (TypeError, LookupError):
        name = str(crs)
    if name and not KNOWN_SYSTEMS.search(name):
        raise ShapeError(
            f"Expected WGS84 (EPSG:4326) or British National Grid (EPSG:27700); found "
            f"{name[:60]!r} in the crs member. Download the file again in one of these two."
        )
    return found


def _feature(feature: Any, number: int) -> tuple[BaseGeometry, dict[str, str]]:
    """The geometry and the properties as text of one feature, or ShapeError."""
    feature = feature if isinstance(feature, dict) else {}
    geometry, properties = feature.get("geometry"), feature.get("properties") or {}
    kind = geometry.get("type") if isinstance(geometry, dict) else None
    if kind not in ("Polygon", "MultiPolygon") or not isinstance(properties, dict):
        raise ShapeError(
            f"Expected a Polygon or MultiPolygon with properties; found {str(kind)[:40]!r} in "
            f"feature {number}. Download the boundary layer, not its points or lines."
        )
    try:
        with np.errstate(invalid="ignore"):  # NaN and infinity are told later, by their place
            polygon = shapely.force_2d(shape(geometry))
    except (ValueError, TypeError, ArithmeticError, LookupError, ShapelyError) as error:
        raise ShapeError(
            f"Expected closed rings of number pairs; found coordinates that cannot be read in "
            f"feature {number}. Download the file again."
        ) from error
    if polygon.is_empty:
        raise ShapeError(
            f"Expected an area; found empty geometry in feature {number}. "
            "Remove the feature, or download the file again."
        )
    texts = {key: "" if value is None else str(value) for key, value in properties.items()}
    try:
        "".join([*texts, *texts.values()]).encode()
    except UnicodeEncodeError as error:  # JSON can spell half a character, which no column holds
        raise ShapeError(
            f"Expected readable text; found half a character in feature {number}. "
            "Download the file again."
        ) from error
    return polygon, texts


def _in_box(points: np.ndarray, box: Box) -> np.ndarray:
    """True for each point inside; never for NaN or infinity."""
    inside: np.ndarray = np.all((points >= box[:2]) & (points <= box[2:]), axis=1)
    return inside


def _refuse_outside(shapes: np.ndarray, box: Box) -> None:
    points, owner = shapely.get_coordinates(shapes, return_index=True)
    outside = np.flatnonzero(~_in_box(points, box))
    if len(outside):
        first = outside[0]
        x, y = (_masked(value) for value in points[first])
        raise ShapeError(
            "Expected coordinates in Great Britain, all as longitude and latitude or all as "
            f"British National Grid metres; found ({x}, {y}) in feature {owner[first] + 1}. "
            "Check that x comes before y, and download the file in EPSG:4326."
        )


def _masked(value: float) -> str:
    """The size of a coordinate without its place: 584130 becomes 5xxxxx.x."""
    return re.sub(r"(?<!^)(?<!^-)\d", "x", f"{value:.1f}")


def _repair(shapes: np.ndarray) -> np.ndarray:
    for broken in np.flatnonzero(~shapely.is_valid(shapes)):
        # By lines, not by structure: ONS files hold a shell inside a shell where a hole is meant.
        parts = shapely.get_parts(shapely.get_parts(shapely.make_valid(shapes[broken])))
        shapes[broken] = shapely.multipolygons(parts[shapely.get_dimensions(parts) == 2])
    empty = np.flatnonzero(shapely.area(shapes) == 0)
    if len(empty):
        raise ShapeError(
            f"Expected an area; found rings that enclose nothing in feature {empty[0] + 1}. "
            "Remove the feature, or download the file again."
        )
    return shapes


def _reproject(shapes: np.ndarray, transformer: pyproj.Transformer) -> np.ndarray:
    projected: np.ndarray = shapely.transform(
        shapes, lambda points: np.column_stack(transformer.transform(points[:, 0], points[:, 1]))
    )
    return projected


def metres(geometries: Sequence[BaseGeometry]) -> np.ndarray:
    """The same shapes (EPSG:4326) in metres of the British National Grid, good to 5 m."""
    return _reproject(np.array(geometries, dtype=object), _TO_METRES)


def geometries_of(shapes: pd.DataFrame) -> list[BaseGeometry]:
    """The shapes of rows that hold them as WKB (`geometry`), in their order."""
    return list(shapely.from_wkb(shapes["geometry"].to_numpy(dtype=object)))


@dataclass(frozen=True)
class MapLayer:
    """GeoJSON for an SVG choropleth: feature ids are ward codes, rings clockwise.

    The only property is the ward's name, so that what is pointed at can be named without sending
    it again.
    """

    name: str
    body: bytes
    gzipped: bytes
    bounds: Box


def ward_layer(
    ward_codes: Sequence[str],
    geometries: Sequence[BaseGeometry],
    names: Sequence[str],
    tolerance_metres: float = WARD_TOLERANCE_METRES,
) -> MapLayer:
    """The wards (EPSG:4326) simplified together, so that neighbours keep common edges.

    The tolerance is the side of the triangles removed (Visvalingam-Whyatt). No ward vanishes.
    """
    shapes = _reproject(simplified(metres(geometries), tolerance_metres), _TO_DEGREES)
    for _ in range(3):  # rounding can pinch a creek shut; two rounds are enough for real wards
        rounded = _rounded(shapes, DECIMALS)
        if shapely.is_valid(rounded).all() and shapely.coverage_is_valid(rounded):
            break
        shapes = _cleaned(rounded, otherwise=shapes)
    return _layer(ward_codes, shapes, DECIMALS, names)


def simplified(shapes: np.ndarray, tolerance_metres: float) -> np.ndarray:
    """Shapes in metres simplified together, so that neighbours keep common edges; none vanishes."""
    if not len(shapes):
        return shapes
    if not shapely.coverage_is_valid(shapes):
        shapes = _cleaned(shapes, otherwise=shapes)
    simpler: np.ndarray = shapely.coverage_simplify(shapes, tolerance_metres)
    return simpler


def _cleaned(shapes: np.ndarray, otherwise: np.ndarray) -> np.ndarray:
    """Overlaps and mismatched edges removed; a ward cleaned away (wholly under another) is kept."""
    cleaned = shapely.coverage_clean(shapes)
    return np.where(shapely.is_empty(cleaned), otherwise, cleaned)


def _rounded(shapes: np.ndarray, decimals: int) -> np.ndarray:
    """Each vertex rounded by itself, so a shared vertex moves to the same place in both wards."""
    rounded: np.ndarray = shapely.transform(shapes, lambda points: np.round(points, decimals))
    return rounded


def _layer(
    ward_codes: Sequence[str],
    shapes: np.ndarray,
    decimals: int,
    names: Sequence[str] | None = None,
) -> MapLayer:
    rounded = _rounded(shapes, decimals)
    features = [
        {
            "type": "Feature",
            "id": code,
            **({} if name is None else {"properties": {"name": name}}),
            "geometry": {"type": "MultiPolygon", "coordinates": _rings(drawn) or _rings(exact)},
        }
        for code, name, drawn, exact in zip(
            ward_codes, names or repeat(None, len(ward_codes)), rounded, shapes, strict=True
        )
    ]
    collection = {"type": "FeatureCollection", "features": features}
    body = json.dumps(collection, separators=(",", ":")).encode()
    return MapLayer(
        name=hashlib.sha256(body).hexdigest()[:16],
        body=body,
        gzipped=gzip.compress(body, mtime=0),
        bounds=tuple(shapely.total_bounds(rounded).tolist()) if features else GREAT_BRITAIN_DEGREES,
    )


def _rings(geometry: BaseGeometry) -> list[list[list[list[float]]]]:
    """Coordinates of the polygons, clockwise outside: drawn the other way, a ring fills the globe.

    Rings that rounding flattened are left out for the same reason.
    """
    polygons: list[list[list[list[float]]]] = []
    for polygon in shapely.get_parts(shapely.orient_polygons(geometry, exterior_cw=True)):
        rings = [
            shapely.get_coordinates(ring).tolist()
            for ring in shapely.get_rings(polygon)
            if shapely.area(shapely.polygons(ring)) > 0
        ]
        if rings and polygon.area > 0:
            polygons.append([_without_repeats(ring) for ring in rings])
    return polygons


def _without_repeats(ring: list[list[float]]) -> list[list[float]]:
    return [ring[0], *(b for a, b in pairwise(ring) if a != b)]


def hatch_layer(
    ward_codes: Sequence[str],
    geometries: Sequence[BaseGeometry],
    spacing_metres: float | None = None,
) -> MapLayer:
    """Diagonal stripes inside each ward (EPSG:4326), to draw a ward as "no return".

    Every ward has at least one stripe. Without a spacing, stripes come about 7 px apart when all
    the wards together fill a map 600 px tall.
    """
    wards = simplified(metres(geometries), WARD_TOLERANCE_METRES)
    if not len(wards):
        return _layer(ward_codes, wards, DECIMALS)
    west, south, east, north = shapely.total_bounds(wards)
    height = max(north - south, (east - west) / MAP_WIDTH_TO_HEIGHT)
    spacing = spacing_metres or STRIPE_PIXELS / MAP_PIXELS * height
    width = spacing * STRIPE_SHARE

    # Turned by 45 degrees the stripes lie level: stripe k is the band from k * spacing up.
    turned = shapely.transform(wards, _turned)
    left, low, right, high = shapely.bounds(turned).T
    first = np.ceil((low - width) / spacing).astype(int)
    count = np.floor(high / spacing).astype(int) - first + 1
    ward = np.repeat(np.arange(len(wards)), count)
    base = (first[ward] + np.arange(len(ward)) - (np.cumsum(count) - count)[ward]) * spacing
    bands = shapely.box(left[ward], base, right[ward], base + width)
    stripes, owner = _pieces(turned, ward, bands, width**2 / 4)

    bare = np.setdiff1d(np.arange(len(wards)), owner)  # too small to be crossed: one in the middle
    middle = shapely.get_y(shapely.point_on_surface(turned[bare]))
    half = np.minimum(width, np.sqrt(shapely.area(turned[bare])) / 4) / 2
    bands = shapely.box(left[bare], middle - half, right[bare], middle + half)
    extra, extra_owner = _pieces(turned, bare, bands, 0.0)

    owner = np.concatenate([owner, extra_owner])
    order = np.argsort(owner, kind="stable")
    hatched = shapely.multipolygons(np.concatenate([stripes, extra])[order], indices=owner[order])
    hatched = shapely.transform(hatched, lambda points: _turned(points[:, ::-1])[:, ::-1])
    # A stripe needs corners about a tenth of its width apart, or it looks torn.
    decimals = max(DECIMALS, math.ceil(math.log10(10 * METRES_PER_DEGREE / width)))
    return _layer(ward_codes, _reproject(hatched, _TO_DEGREES), decimals)


def _turned(points: np.ndarray) -> np.ndarray:
    x, y = points.T
    return np.column_stack([x + y, y - x]) / math.sqrt(2)


def _pieces(
    wards: np.ndarray, ward: np.ndarray, bands: np.ndarray, least_area: float
) -> tuple[np.ndarray, np.ndarray]:
    """Polygons of each ward inside its band, larger than `least_area`, and the ward of each."""
    parts, band = shapely.get_parts(shapely.intersection(wards[ward], bands), return_index=True)
    kept = shapely.area(parts) > least_area  # lines and points have none
    return parts[kept], ward[band[kept]]


def centroids_metres(ward_codes: Sequence[str], geometries: Sequence[BaseGeometry]) -> pd.DataFrame:
    """One row per ward: ward_code, easting and northing (EPSG:27700) of its centroid."""
    points = shapely.centroid(metres(geometries))
    return pd.DataFrame(
        {
            "ward_code": pd.Series(ward_codes, dtype="str"),
            "easting": shapely.get_x(points),
            "northing": shapely.get_y(points),
        }
    )


def neighbours(ward_codes: Sequence[str], geometries: Sequence[BaseGeometry]) -> pd.DataFrame:
    """One row per ordered pair of wards with a common edge, and its length.

    Columns ward_code, neighbour_code, shared_metres. A common corner is not a common edge. Gaps up
    to 5 m between published boundaries are closed first, so a shared length can be off by a few
    metres at its ends.
    """
    shapes, ward, neighbour = _meeting(geometries)
    shared = shapely.length(
        shapely.intersection(shapely.boundary(shapes[ward]), shapely.boundary(shapes[neighbour]))
    )
    kept = shared > 0
    pairs = _pairs(ward_codes, ward[kept], neighbour[kept]).assign(shared_metres=shared[kept])
    return pairs.sort_values(["ward_code", "neighbour_code"], ignore_index=True)


def touching(ward_codes: Sequence[str], geometries: Sequence[BaseGeometry]) -> pd.DataFrame:
    """One row per ordered pair of wards with a common edge or corner (Queen): ward_code,
    neighbour_code.

    Gaps are closed as in `neighbours`. A ward that meets no other is not there.
    """
    _, ward, neighbour = _meeting(geometries)
    pairs = _pairs(ward_codes, ward, neighbour)
    return pairs.sort_values(["ward_code", "neighbour_code"], ignore_index=True)


def _meeting(geometries: Sequence[BaseGeometry]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The shapes in metres without narrow gaps, and the places of both of each pair that meet."""
    shapes = metres(geometries)
    if len(shapes):
        shapes = shapely.coverage_clean(shapes, snapping_distance=GAP_METRES)
    ward, neighbour = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    kept = ward != neighbour
    return shapes, ward[kept], neighbour[kept]


def _pairs(ward_codes: Sequence[str], ward: np.ndarray, neighbour: np.ndarray) -> pd.DataFrame:
    codes = np.array(ward_codes, dtype=object)
    return pd.DataFrame(
        {
            "ward_code": pd.Series(codes[ward], dtype="str"),
            "neighbour_code": pd.Series(codes[neighbour], dtype="str"),
        }
    )
