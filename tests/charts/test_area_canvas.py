"""A map on a canvas: one byte an area, in the order of its shapes."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.charts.area_canvas import NONE, AreaCanvas, area_canvas, as_data
from dashboard.charts.area_map import HATCHED, RING, SQUARE, AreaGroup, AreaMark

CODES = ("E1", "E2", "E3", "E4")
SIGNS = {RING: "○", SQUARE: "□"}
SERVED = AreaGroup("served", "#9DC3E6", ["E4", "E2"])
SILENT = AreaGroup("no return", "#FFFFFF", ["E1"], texture=HATCHED)
NOBODY = AreaGroup("nobody", "#5B1A2E", [])


def drawn(
    *groups: AreaGroup, marks: tuple[AreaMark, ...] = (), codes: tuple[str, ...] = CODES
) -> AreaCanvas:
    return area_canvas(groups, marks, SIGNS, codes=codes, url="/geo/all/x.json", alt="Map.")


def read(text: str) -> list[int]:
    return list(base64.b64decode(text))


def test_the_class_of_each_area_in_the_order_of_the_shapes() -> None:
    canvas = drawn(SERVED, SILENT)
    assert read(canvas.values) == [1, 0, NONE, 0]
    assert canvas.classes == [
        {"label": "served", "colour": "#9DC3E6", "texture": ""},
        {"label": "no return", "colour": "#FFFFFF", "texture": "hatched"},
    ]
    # Four areas, four bytes.
    assert canvas.values == "AQD/AA=="


def test_an_area_in_no_group_is_255() -> None:
    assert NONE == 255
    assert read(drawn(SILENT).values) == [0, 255, 255, 255]
    assert read(drawn().values) == [255] * 4
    assert drawn().classes == []


def test_a_group_without_areas_is_left_out_and_takes_no_number() -> None:
    canvas = drawn(NOBODY, SERVED, NOBODY, SILENT)
    assert read(canvas.values) == [1, 0, 255, 0]
    assert [each["label"] for each in canvas.classes] == ["served", "no return"]


def test_a_code_without_a_shape_is_left_out() -> None:
    canvas = drawn(AreaGroup("served", "#9DC3E6", ["E9", "E3", ""]))
    assert read(canvas.values) == [255, 255, 0, 255]
    # Its group is in the key all the same.
    assert [each["label"] for each in drawn(AreaGroup("far", "#9DC3E6", ["E9"])).classes] == ["far"]


def test_no_shapes_at_all() -> None:
    assert drawn(SERVED, codes=()).values == ""


def test_marks_are_bytes_of_their_own() -> None:
    canvas = drawn(
        SERVED, marks=(AreaMark("inferred", RING, ["E3"]), AreaMark("stale", SQUARE, ["E1", "E9"]))
    )
    assert read(canvas.marked) == [1, 255, 0, 255]
    assert canvas.marks == [{"label": "inferred", "sign": "○"}, {"label": "stale", "sign": "□"}]
    assert read(canvas.values) == [255, 0, 255, 0]


def test_a_mark_that_nothing_has_keeps_its_number() -> None:
    canvas = drawn(marks=(AreaMark("inferred", RING, []), AreaMark("stale", SQUARE, ["E2"])))
    assert read(canvas.marked) == [255, 1, 255, 255]
    assert [each["label"] for each in canvas.marks] == ["inferred", "stale"]


def test_without_marks_nothing_is_sent_of_them() -> None:
    canvas = drawn(SERVED)
    assert (canvas.marks, canvas.marked) == ([], "")


@pytest.mark.parametrize("number", [254, 255])
def test_one_number_is_for_no_group(number: int) -> None:
    codes = tuple(f"E{place}" for place in range(number))
    groups = [AreaGroup(code, "#FFFFFF", [code]) for code in codes]
    if number == 254:
        assert read(drawn(*groups, codes=codes).values) == list(range(254))
        assert len(drawn(*groups, NOBODY, NOBODY, codes=codes).classes) == 254
    else:
        with pytest.raises(ValueError, match="expected fewer than 255 groups, found 255"):
            drawn(*groups, codes=codes)


def test_what_the_browser_is_told() -> None:
    """The looks, the board and the area that are picked: no value of any area."""
    told = as_data(drawn(SERVED), group="QZ1", area="E2")
    assert told == {
        "url": "/geo/all/x.json",
        "values": "/wD/AA==",
        "classes": [{"label": "served", "colour": "#9DC3E6", "texture": ""}],
        "marks": [],
        "marked": "",
        "alt": "Map.",
        "group": "QZ1",
        "area": "E2",
    }


def test_values_of_a_group_stay_here() -> None:
    group = AreaGroup("served", "#9DC3E6", ["E4"], [1234.5], "%{z:.1f}")
    assert "1234" not in repr(as_data(drawn(group), group="", area=""))


@given(st.lists(st.sampled_from(["a", "b", "c", None]), max_size=40))
def test_each_area_gets_back_its_own_group(chosen: list[str | None]) -> None:
    codes = tuple(f"E{place}" for place in range(len(chosen)))
    groups = [
        AreaGroup(name, "#FFFFFF", [c for c, n in zip(codes, chosen, strict=True) if n == name])
        for name in "cab"
    ]
    canvas = drawn(*groups, codes=codes)
    labels = [each["label"] for each in canvas.classes]
    assert [labels[n] if n != NONE else None for n in read(canvas.values)] == chosen
