"""Which need can be met where: against numbers worked out by hand and against a slower way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import Engine

from dashboard.coverage import ward_coverage
from dashboard.gaps import (
    REFERRED,
    WITHOUT,
    Gaps,
    locality_cells,
    shown_people,
    unmet,
    ward_gaps,
)
from dashboard.rules.disclosure import PROFILES, Released
from dashboard.rules.needs import NEED_THEMES
from dashboard.services import theme_counts
from dashboard.settings import settings
from queries.load import save
from queries.scope import EVERYTHING
from tests import small_board as b
from tests.conftest import rest_is_slow
from tests.small_board import ABBEY, BROOK, CASTLE, DALE, ELM, FORD, Service
from tests.test_services import (
    again,
    found_in,
    is_full_of,
    is_stale,
    nearness,
    one_service_each,
    open_on,
    random_services,
    said_first,
)

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("settings_as_shipped")]
COUNTS = ["own", "own_full", "wide", "stale"]
ALL_COUNTS = ["own", "own_full", "wide", "wide_full", "stale"]
Cells = dict[tuple[str, str], Any]


def use(profile: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DASHBOARD_DISCLOSURE_PROFILE", profile)
    settings.cache_clear()


def gaps_of(engine: Engine, *, with_stale: bool = False) -> Gaps:
    coverage = ward_coverage(engine, EVERYTHING, b.BOARD, b.AS_AT, with_stale)
    found = again(engine)
    return ward_gaps(engine, EVERYTHING, b.BOARD, coverage, found, with_stale=with_stale)


def cells_of(gaps: Gaps, *columns: str) -> Cells:
    """By ward and theme, missing as `None`; one column is not a tuple."""
    frame = gaps.cells.frame
    assert not frame.duplicated(["ward_code", "theme"]).any()
    told: Any = frame[list(columns)].astype(object)
    rows = told.where(told.notna(), None).itertuples(index=False, name=None)
    keys = zip(frame["ward_code"], frame["theme"], strict=True)
    return {key: row if len(columns) > 1 else row[0] for key, row in zip(keys, rows, strict=True)}


def but_for(cells: Cells, usual: Any) -> Cells:
    """The cells that are not as most are."""
    return {key: value for key, value in cells.items() if value != usual}


LONELY = "loneliness"


def test_every_cell_of_the_small_board(any_engine: Engine) -> None:
    """The garden and the choir are for loneliness, like the helpline and the old list."""
    b.Board().save(any_engine)
    gaps = gaps_of(any_engine)
    assert set(cells_of(gaps, "state")) == {
        (ward, theme) for ward in b.BOARD_WARDS for theme in NEED_THEMES
    }
    assert but_for(cells_of(gaps, "state"), "none") == {
        (ABBEY, LONELY): "served", (BROOK, LONELY): "full", (CASTLE, LONELY): "full",
        (DALE, LONELY): "area-wide only", (ELM, LONELY): "area-wide only",
        (FORD, LONELY): "area-wide only",
    }  # fmt: skip
    # The garden has 12 - 9 free; the choir says that it is full.
    assert but_for(cells_of(gaps, *COUNTS, "free_places"), (0, 0, 0, 0, None)) == {
        (ABBEY, LONELY): (2, 1, 0, 0, 3), (BROOK, LONELY): (1, 1, 0, 0, 0),
        (CASTLE, LONELY): (1, 1, 0, 0, 0), (DALE, LONELY): (0, 0, 1, 0, None),
        (ELM, LONELY): (0, 0, 1, 1, None), (FORD, LONELY): (0, 0, 1, 0, None),
    }  # fmt: skip
    # 12 and 11 go to 10; Ford's network sent no return; who is without a reason is in no cell.
    told = cells_of(gaps, REFERRED, f"{REFERRED}_hidden", WITHOUT, f"{WITHOUT}_hidden")
    silent = {(FORD, theme): (None, False, None, False) for theme in NEED_THEMES}
    assert but_for(told, (0, False, 0, False)) == silent | {
        (ABBEY, LONELY): (20, False, 0, False), (BROOK, LONELY): (30, False, 0, False),
        (ABBEY, "money and debt"): (10, False, 10, False),
        (CASTLE, "housing"): (10, False, 10, False),
        (DALE, LONELY): (None, True, None, True),
    }  # fmt: skip
    assert gaps.is_returned
    assert (gaps.window, gaps.no_window) == ((date(2025, 7, 1), date(2026, 6, 1)), "")
    assert gaps.cells.people == (REFERRED, WITHOUT)


def test_unmet_by_hand(sqlite_engine: Engine) -> None:
    """Abbey's money and debt, Brook's choir that is full, Castle's housing; Ford is not known."""
    b.Board().save(sqlite_engine)
    found = unmet(gaps_of(sqlite_engine).cells)
    assert found.dropna().to_dict() == {ABBEY: 10, BROOK: 30, CASTLE: 10, DALE: 0, ELM: 0}
    assert set(found.index) == set(b.BOARD_WARDS)


@pytest.mark.slow
def test_stale_services_count_where_they_are_chosen(sqlite_engine: Engine) -> None:
    b.Board().save(sqlite_engine)
    without, with_stale = gaps_of(sqlite_engine), gaps_of(sqlite_engine, with_stale=True)
    before, after = cells_of(without, *COUNTS, "state"), cells_of(with_stale, *COUNTS, "state")
    assert before[ELM, LONELY] == (0, 0, 1, 1, "area-wide only")
    assert after[ELM, LONELY] == (1, 0, 1, 0, "served")
    assert {key for key in before if before[key] != after[key]} == {(ELM, LONELY)}


@pytest.mark.parametrize(
    ("services", "expected"),
    rest_is_slow(
        ((), "no return"),
        ((Service("s", (ABBEY,), confirmed_on=date(2025, 6, 30)),), "stale only"),
        ((Service("s", (ABBEY,), state="full"),), "full"),
        ((Service("s", (b.BOARD,)),), "area-wide only"),
        ((Service("s", (ABBEY,)),), "served"),
        ((Service("s", (ABBEY,), theme="food"),), "none"),
        ((Service("s", (ABBEY,), theme="food", also_for=(LONELY,)),), "served"),
        fast=3,
    ),
)
def test_each_state_of_a_ward(
    sqlite_engine: Engine, services: tuple[Service, ...], expected: str
) -> None:
    b.Board(services=services).save(sqlite_engine)
    gaps = gaps_of(sqlite_engine)
    assert cells_of(gaps, "state")[ABBEY, LONELY] == expected
    assert gaps.is_returned is bool(services)
    if not services:
        assert set(cells_of(gaps, "state").values()) == {"no return"}


@pytest.mark.slow
def test_where_services_were_never_returned_what_is_unmet_is_not_known(
    sqlite_engine: Engine,
) -> None:
    """Missing is never 0: 20 people were referred for loneliness, and to what, nobody told."""
    b.Board(services=()).save(sqlite_engine)
    gaps = gaps_of(sqlite_engine)
    assert cells_of(gaps, REFERRED)[ABBEY, LONELY] == 20
    assert unmet(gaps.cells).dropna().to_dict() == {}


def test_a_service_without_a_need_is_in_no_cell(sqlite_engine: Engine) -> None:
    found = found_in(sqlite_engine, listed=(Service("s", (ABBEY,)),))
    assert len(found.listed) == 1
    counted = theme_counts(found, b.BOARD_WARDS, found.themes, NEED_THEMES, with_stale=False)
    assert counted[COUNTS].sum().tolist() == [0, 0, 0, 0]
    assert counted["free_places"].isna().all()


def counted_slowly(
    returned: Sequence[Service], listed: Sequence[Service], *, with_stale: bool
) -> Cells:
    """What `theme_counts` says, by going through the services of each ward and need."""
    cells: Cells = {}
    for ward_code in b.BOARD_WARDS:
        for theme in NEED_THEMES:
            own = own_full = wide = wide_full = stale = 0
            free: int | None = None
            for entries, is_own in one_service_each(open_on(returned, b.AS_AT), listed):
                # The directory of this board says nothing of needs.
                needs = [(e.theme, *e.also_for) for e in entries if e in returned]
                near = nearness(entries, is_own, ward_code)
                if not near or not any(theme in each for each in needs):
                    continue
                if is_stale(entries) and not with_stale:
                    stale += 1
                elif near == "wide":
                    wide, wide_full = wide + 1, wide_full + is_full_of(entries)
                else:
                    own, own_full = own + 1, own_full + is_full_of(entries)
                    offered, filled = said_first(entries, "offered"), said_first(entries, "filled")
                    if offered is not None and (is_full_of(entries) or filled is not None):
                        rest = 0 if is_full_of(entries) else max(offered - filled, 0)
                        free = (free or 0) + rest
            cells[ward_code, theme] = own, own_full, wide, wide_full, stale, free
    return cells


@pytest.mark.parametrize("seed", rest_is_slow(*range(8)))
def test_a_slower_way_counts_the_same(sqlite_engine: Engine, seed: int) -> None:
    returned, listed = random_services(seed)
    found = found_in(sqlite_engine, *returned, listed=listed)
    for with_stale in (False, True):
        counted: Any = theme_counts(
            found, b.BOARD_WARDS, found.themes, NEED_THEMES, with_stale=with_stale
        ).astype(object)
        rows = counted.where(counted.notna(), None)
        keys = zip(rows["ward_code"], rows["theme"], strict=True)
        figures = rows[[*ALL_COUNTS, "free_places"]].itertuples(index=False, name=None)
        slowly = counted_slowly(returned, listed, with_stale=with_stale)
        assert dict(zip(keys, figures, strict=True)) == slowly
    assert len(but_for(slowly, (0, 0, 0, 0, 0, None))) > 10
    assert any(cell[3] for cell in slowly.values())


# Numbers of people.

FEW: dict[tuple[str, str | None], tuple[int, int]] = {
    (ABBEY, "food"): (7, 1), (ABBEY, "housing"): (8, 8), (BROOK, "food"): (12, 0),
    (BROOK, "housing"): (13, 7), (CASTLE, "food"): (1, 1), (CASTLE, "housing"): (5, 0),
    (DALE, "food"): (6, 6), (DALE, "housing"): (0, 0),
}  # fmt: skip


@pytest.mark.parametrize("profile", rest_is_slow("nhs", "opensafely", "lt6"))
def test_hidden_and_rounded_under_every_profile(
    sqlite_engine: Engine, profile: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under one that does not round too: exact cells give a hidden one back."""
    use(profile, monkeypatch)
    b.Board(needs=FEW).save(sqlite_engine)
    gaps = gaps_of(sqlite_engine)
    nought, hidden = ((None, True) if profile == "opensafely" else (0, False)), (None, True)
    expected = {(ward, theme): nought for ward in b.BOARD_WARDS for theme in NEED_THEMES}
    expected |= {(FORD, theme): (None, False) for theme in NEED_THEMES}
    assert cells_of(gaps, REFERRED, f"{REFERRED}_hidden") == expected | {
        (ABBEY, "food"): hidden, (ABBEY, "housing"): (10, False),
        (BROOK, "food"): (10, False), (BROOK, "housing"): (15, False),
        (CASTLE, "food"): hidden, (CASTLE, "housing"): hidden, (DALE, "food"): hidden,
    }  # fmt: skip
    assert cells_of(gaps, WITHOUT, f"{WITHOUT}_hidden") == expected | {
        (ABBEY, "food"): hidden, (ABBEY, "housing"): (10, False), (BROOK, "housing"): hidden,
        (CASTLE, "food"): hidden, (DALE, "food"): hidden,
    }  # fmt: skip
    middle = 3.5 if profile == "opensafely" else 4
    zero = middle if profile == "opensafely" else 0
    # Nothing serves food or housing, and the other ten needs have nobody and no service but one.
    rest = zero * (len(NEED_THEMES) - 3)
    assert unmet(gaps.cells).dropna().to_dict() == pytest.approx({
        ABBEY: middle + 10 + rest, BROOK: 10 + 15 + rest + zero, CASTLE: 2 * middle + rest + zero,
        DALE: middle + zero + rest, ELM: 2 * zero + rest,
    })  # fmt: skip


@pytest.mark.parametrize("profile", rest_is_slow("nhs", "opensafely", "lt6"))
def test_a_hidden_count_changes_nothing_that_is_released(
    sqlite_engine: Engine, profile: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is hidden from 1 to 7: the frame, what is unmet and the localities are the same."""
    use(profile, monkeypatch)
    board = b.Board()
    board.save(sqlite_engine)
    coverage = ward_coverage(sqlite_engine, EVERYTHING, b.BOARD, b.AS_AT)
    found = again(sqlite_engine)
    seen: list[tuple[pd.DataFrame, ...]] = []
    for people, lost in ((1, 1), (2, 1), (4, 4), (5, 2), (6, 6), (7, 1), (7, 7)):
        needs: Mapping[Any, tuple[int, int]] = {**b.NEEDS, (DALE, "food"): (people, lost)}
        needs = {**needs, (ABBEY, LONELY): (20, lost), (BROOK, "carers"): (people, 0)}
        save(sqlite_engine, board.but(needs=needs).referral_return())
        gaps = ward_gaps(sqlite_engine, EVERYTHING, b.BOARD, coverage, found, with_stale=False)
        assert cells_of(gaps, f"{REFERRED}_hidden")[DALE, "food"] is True
        seen.append(
            (
                gaps.cells.frame,
                unmet(gaps.cells).to_frame(),
                shown_people(gaps.cells, WITHOUT).to_frame(),
                locality_cells(gaps.cells),
            )
        )
    for other in seen[1:]:
        for one, same in zip(seen[0], other, strict=True):
            pd.testing.assert_frame_equal(one, same)


def test_what_no_return_told_is_missing_and_never_0(sqlite_engine: Engine) -> None:
    b.Board(referrals=()).save(sqlite_engine)
    gaps = gaps_of(sqlite_engine)
    assert set(cells_of(gaps, REFERRED, WITHOUT).values()) == {(None, None)}
    assert not gaps.cells.frame[f"{REFERRED}_hidden"].any()
    assert unmet(gaps.cells).isna().all()
    assert gaps.window is None
    assert gaps.no_window == "no referral return for the period"
    assert locality_cells(gaps.cells)["people"].isna().all()


# Localities.


def test_localities_by_hand(sqlite_engine: Engine) -> None:
    b.Board().save(sqlite_engine)
    frame = locality_cells(gaps_of(sqlite_engine).cells)
    assert len(frame) == 2 * len(NEED_THEMES)
    told: Any = frame[frame["theme"].isin([LONELY, "housing", "money and debt"])]
    rows = told.drop(columns="lad_name").set_index(["lad_code", "theme"])
    assert {key: tuple(row) for key, row in rows.iterrows()} == {
        # The choir is full in Brook and Castle; 20 + 30 people.
        (b.NORTHAM, LONELY): ("full", 3, 2, 50),
        (b.NORTHAM, "housing"): ("none", 3, 3, 10),
        (b.NORTHAM, "money and debt"): ("none", 3, 3, 10),
        # Dale's 3 are hidden, 1 to 7: about 4, which words round; Ford's are not known.
        (b.SOUTHAM, LONELY): ("area-wide only", 3, 0, 4),
        (b.SOUTHAM, "housing"): ("none", 3, 3, 0),
        (b.SOUTHAM, "money and debt"): ("none", 3, 3, 0),
    }
    assert set(frame["lad_name"]) == {"Northam", "Southam"}


def test_a_hidden_number_counts_as_the_middle_of_its_range() -> None:
    frame = pd.DataFrame(
        {REFERRED: pd.array([10, None, None], "Int64"), f"{REFERRED}_hidden": [False, True, False]}
    )
    for name, middle in (("nhs", 4.0), ("opensafely", 3.5), ("lt6", 3.0)):
        people = shown_people(Released(frame, (REFERRED,), PROFILES[name]), REFERRED)
        assert people.dropna().to_dict() == {0: 10.0, 1: middle}


@pytest.mark.slow
def test_where_nobody_said_what_people_are_referred_for_it_is_not_known(
    sqlite_engine: Engine,
) -> None:
    """Elm had nobody referred: 0 for each need. Of Brook's 30 no reason was said: missing."""
    b.Board(needs={(ABBEY, LONELY): (20, 0), (BROOK, None): (30, 0)}).save(sqlite_engine)
    told = cells_of(gaps_of(sqlite_engine), REFERRED)
    assert [told[ward, LONELY] for ward in (ABBEY, BROOK, ELM)] == [20, None, 0]
    assert told[BROOK, "housing"] is None
    assert told[ABBEY, "housing"] == 0


@pytest.mark.parametrize(
    ("wide", "state"),
    rest_is_slow(("full", "full"), ("has capacity", "area-wide only")),
)
def test_a_service_for_everybody_has_room_or_not(
    sqlite_engine: Engine, wide: str, state: str
) -> None:
    services = (
        Service("helpline", (b.BOARD,), theme="housing", state=wide),
        Service("hostel", (ABBEY,), theme="housing", state="full"),
    )
    b.Board(services=services).save(sqlite_engine)
    found = cells_of(gaps_of(sqlite_engine), "state", "wide", "wide_full")
    assert found[ABBEY, "housing"] == (state, 1, int(wide == "full"))
    assert found[BROOK, "housing"] == (state, 1, int(wide == "full"))
