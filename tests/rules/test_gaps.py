"""One judgement for each ward and need: each state, and the line between each two."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.rules.gaps import UNMET, Cell, judge_cells, worst

COLUMNS = ["own", "own_full", "wide", "wide_full", "stale"]
COUNTS = st.integers(0, 3)
CELLS = st.tuples(COUNTS, COUNTS, COUNTS, COUNTS, COUNTS).map(
    lambda cell: (cell[0], min(cell[0], cell[1]), cell[2], min(cell[2], cell[3]), cell[4])
)


def judged(*cells: Sequence[int], is_returned: bool = True) -> list[str]:
    frame = pd.DataFrame(list(cells), columns=COLUMNS, dtype="int64")
    return judge_cells(frame, is_returned=is_returned).tolist()


@pytest.mark.parametrize(
    ("cell", "state"),
    [
        ((0, 0, 0, 0, 0), Cell.NONE),
        ((0, 0, 0, 0, 1), Cell.STALE),
        # What is stale is seen where nothing else is there.
        ((0, 0, 1, 0, 0), Cell.AREA_WIDE),
        ((0, 0, 1, 0, 1), Cell.AREA_WIDE),
        ((0, 0, 1, 1, 1), Cell.FULL),
        ((0, 0, 2, 1, 0), Cell.AREA_WIDE),
        ((1, 1, 0, 0, 0), Cell.FULL),
        # A helpline with room is not the group that is full, and yet somebody can be sent there.
        ((1, 1, 1, 0, 0), Cell.AREA_WIDE),
        ((1, 1, 1, 1, 1), Cell.FULL),
        ((2, 2, 0, 0, 0), Cell.FULL),
        ((2, 1, 0, 0, 0), Cell.SERVED),
        ((1, 0, 0, 0, 0), Cell.SERVED),
        ((1, 0, 9, 9, 9), Cell.SERVED),
    ],
)
def test_each_state_and_what_is_beside_it(cell: tuple[int, ...], state: Cell) -> None:
    assert judged(cell) == [state.value]
    assert judged(cell, is_returned=False) == [Cell.NO_RETURN.value]


def test_each_cell_is_judged_by_itself() -> None:
    frame = pd.DataFrame([(0, 0, 0, 0, 0), (1, 0, 0, 0, 0)], columns=COLUMNS, index=[5, 3])
    assert judge_cells(frame, is_returned=True).to_dict() == {5: "none", 3: "served"}
    assert judge_cells(frame, is_returned=False).to_dict() == dict.fromkeys((5, 3), "no return")
    assert judged() == judged(is_returned=False) == []


@given(CELLS, CELLS)
def test_more_with_room_is_never_worse(cell: tuple[int, ...], more: tuple[int, ...]) -> None:
    own, own_full, wide, wide_full, stale = cell
    order = list(Cell)
    free, free_wide = more[0] - more[1], more[2] - more[3]
    (before,) = judged(cell)
    (after,) = judged((own + free, own_full, wide + free_wide, wide_full, stale))
    assert order.index(Cell(after)) >= order.index(Cell(before))
    assert (after == Cell.SERVED) == (own + free > own_full)


def test_where_a_person_could_be_sent_nowhere() -> None:
    assert {cell: cell.is_unmet for cell in Cell} == {
        Cell.NONE: True,
        Cell.STALE: True,
        Cell.FULL: True,
        Cell.AREA_WIDE: False,
        Cell.NO_RETURN: False,
        Cell.SERVED: False,
    }
    assert [cell for cell in Cell if cell.is_unmet] == list(UNMET)


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        (["served"], "served"),
        (["served", "no return"], "no return"),
        (["no return", "area-wide only"], "area-wide only"),
        (["area-wide only", "full", "served"], "full"),
        (["full", "stale only"], "stale only"),
        (["stale only", "none", "served"], "none"),
    ],
)
def test_the_worst_of_several_wards(states: list[str], expected: str) -> None:
    assert worst(pd.Series(states)) == worst(pd.Series(states[::-1])) == expected


@given(st.lists(st.sampled_from(list(Cell)), min_size=1))
def test_a_locality_is_served_where_each_ward_is(states: list[Cell]) -> None:
    found = worst(pd.Series([state.value for state in states]))
    assert (found == Cell.SERVED) == (set(states) == {Cell.SERVED})
    assert Cell(found).is_unmet == any(state.is_unmet for state in states)
