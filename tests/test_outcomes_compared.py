"""Networks, months and groups beside each other: by hand, and against a slower way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import Engine

from dashboard.outcomes import Pathway, board_pathway, judged_steps
from dashboard.outcomes_compared import (
    SHARES,
    Equity,
    MonthlyShare,
    equity,
    events_of,
    monthly_share,
    network_funnel,
)
from dashboard.rules.pathway import STEPS
from dashboard.rules.staffing import FunnelPlace
from dashboard.settings import settings
from queries.pathway import Cohort
from queries.scope import EVERYTHING
from tests import outcome_board as o
from tests.conftest import rest_is_slow
from tests.outcome_board import OutcomeBoard, People, ended, steps
from tests.small_board import ABBEY, ELM, NORTH, SOUTH

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("settings_as_shipped")]
INSIDE, OUTSIDE_95, OUTSIDE_998 = (place.value for place in FunnelPlace)


@pytest.fixture(scope="module")
def engine(upgraded_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """The board as it is told in `tests.outcome_board`: to read from only."""
    loaded = o.loaded(upgraded_file, tmp_path_factory.mktemp("outcomes"))
    yield loaded
    loaded.dispose()


def cohort_in(engine: Engine) -> Cohort:
    cohort = board_pathway(engine, EVERYTHING, o.BOARD, o.AS_AT, "").cohort
    assert cohort is not None
    return cohort


def told(value: Any) -> Any:
    return None if pd.isna(value) else value


def network(
    referrals: int, contacted: int, declined: int = 0, *, dated: bool = True
) -> dict[str, int]:
    """All accepted, so many contacted and all the rest of the way, the others ended."""
    row = {"referrals": referrals, "offered": 0, "declined": declined, "negative_waits": 0}
    row |= dict.fromkeys(STEPS, contacted) | {"accepted": referrals}
    row |= {f"{step}_dated": row[step] * dated for step in STEPS}
    return row | {f"{step}_open": 0 for step in STEPS}


def board_of(networks: Mapping[str, Mapping[str, int] | str]) -> Pathway:
    """A board of these networks, each its numbers or why it has none."""
    nothing = dict.fromkeys(network(0, 0), pd.NA)
    rows = {
        code: {
            **(nothing if isinstance(row, str) else row),
            "reason": row if isinstance(row, str) else "",
        }
        for code, row in networks.items()
    }
    table = pd.DataFrame.from_dict(rows, orient="index")
    counts = [name for name in table if name != "reason"]
    board = table[counts].sum().to_frame().T.set_axis(["board"])
    both = pd.concat([table, board.assign(reason="")]).astype(dict.fromkeys(counts, "Int64"))
    both["kind"] = np.where(both.index == "board", "board", "network")
    both["name"] = "Network " + both.index
    return Pathway(None, "", *judged_steps(both))


# The centre is 500 of 1,000; around it 95% limits of sin^2(pi/4 +- 1.96/(2 sqrt 100)): 40.3 and 59.7
# percent, 99.8% limits with 3.09: 34.8 and 65.2.
EVEN = {"A": 50, "B": 55, "C": 45, "D": 40, "E": 60, "F": 50, "G": 52, "H": 48, "I": 66, "J": 34}
EVEN |= dict.fromkeys("KLMNOPQRST", 50)


def places(found: Any) -> dict[str, str]:
    frame = found.rows.frame
    return dict(zip(frame["pcn_code"], frame["place"], strict=True))


def test_networks_that_differ_by_chance_alone() -> None:
    """50 of 100 is the centre; 40, 60, 35 and 65 lie outside, and four of twenty widen nothing."""
    found = network_funnel(
        board_of({code: network(100, n) for code, n in EVEN.items()}), "contacted"
    )
    assert found.funnel.centre == 0.5
    # 52 and 48 are shown as 50; 66 and 34 as 65 and 35. z of 40 is -2.01, of 35 -3.05.
    assert places(found) == {
        **dict.fromkeys("ABCFGHKLMNOPQRST", INSIDE), **dict.fromkeys("DEIJ", OUTSIDE_95),
    }  # fmt: skip
    rates = found.rows.frame.set_index("pcn_code")["rate"]
    shown = EVEN | {"G": 50, "H": 50, "I": 65, "J": 35}
    assert rates.to_dict() == pytest.approx(shown)
    assert set(found.rows.frame["people"]) == {100}
    assert found.rows.frame["pcn_name"].tolist()[:2] == ["Network A", "Network B"]
    assert not found.funnel.is_adjusted
    assert found.left_out == {}


def test_limits_by_hand() -> None:
    """Of one network alone no more than chance: sin^2 of 45 degrees less 1.96 / (2 sqrt(n))."""
    found = network_funnel(board_of({"A": network(100, 50)}), "contacted")
    assert not found.funnel.is_adjusted
    limits = found.limits
    assert limits["people"].iloc[[0, -1]].tolist() == pytest.approx([80, 105])
    angle = np.pi / 4
    for name, z in (("95", 1.959964), ("998", 3.090232)):
        reach = z / (2 * np.sqrt(limits["people"]))
        assert limits[f"lower_{name}"].tolist() == pytest.approx(
            (np.sin(angle - reach) ** 2 * 100).tolist(), rel=1e-6
        )
        assert limits[f"upper_{name}"].tolist() == pytest.approx(
            (np.sin(angle + reach) ** 2 * 100).tolist(), rel=1e-6
        )


@pytest.mark.parametrize(
    ("shares", "is_adjusted"),
    [([50, 50, 50, 50, 45, 55, 50, 50], False), ([20, 80, 20, 80, 20, 80, 20, 80], True)],
)
def test_the_funnel_widens_where_networks_differ_by_more_than_chance(
    shares: list[int], is_adjusted: bool
) -> None:
    """80 of 100 lies far outside of chance; where every other network is there, it is inside."""
    networks = {f"N{n}": network(100, people) for n, people in enumerate(shares)}
    found = network_funnel(board_of(networks), "contacted")
    assert found.funnel.is_adjusted is is_adjusted
    assert set(places(found).values()) == {INSIDE}
    lower = float(found.limits["lower_95"].iloc[-1])
    assert (lower < 20) is is_adjusted


def test_who_is_left_out_of_the_funnel_and_why() -> None:
    """Of 50 who went on or ended it is drawn, of 45 not; 47 are shown as 45 and 48 as 50."""
    found = network_funnel(
        board_of(
            {
                "A": network(100, 50), "B": network(48, 24), "C": network(47, 24),
                "D": network(200, 3), "E": "no referral return", "F": "late",
                "G": network(100, 0, dated=False),
            }
        ),
        "contacted",
    )  # fmt: skip
    assert set(places(found)) == {"A", "B"}
    assert found.left_out == {
        "fewer than 50": 1, "hidden": 1, "no return": 2, "not recorded": 1,
    }  # fmt: skip
    # 75 of 150, as 24 of 48 are shown as 25 of 50.
    assert found.funnel.centre == 0.5
    assert found.funnel.units == 2


def test_no_network_at_all() -> None:
    found = network_funnel(board_of({"A": "no referral return"}), "contacted")
    assert found.rows.frame.empty
    assert found.limits.empty
    assert found.left_out == {"no return": 1}


def test_who_declined_is_a_share_of_all_referred() -> None:
    found = board_of({"A": network(100, 50, 20), "B": network(100, 50, 3), "C": network(40, 0, 0)})
    events = events_of(found, "declined")
    assert {code: tuple(map(told, row)) for code, row in events.T.items()} == {
        "A": (20, 100, ""), "B": (None, 100, "hidden"), "C": (0, 40, ""), "board": (25, 240, ""),
    }  # fmt: skip
    funnel = network_funnel(found, "declined")
    assert funnel.left_out == {"hidden": 1, "fewer than 50": 1}
    assert funnel.rows.frame["rate"].tolist() == [20]


def test_shares_of_the_board(engine: Engine) -> None:
    """Contacted of those accepted who are not open; connected of those contacted."""
    found = board_pathway(engine, EVERYTHING, o.BOARD, o.AS_AT, "")
    for share, expected in {
        "contacted": {NORTH: (130, 160), SOUTH: (85, 85), o.BOARD: (215, 245)},
        "connected": {NORTH: (100, 100), SOUTH: (50, 85), o.BOARD: (150, 150)},
        "completed": {NORTH: (100, 100), SOUTH: (50, 50), o.BOARD: (150, 150)},
    }.items():
        events = events_of(found, share)
        assert {code: tuple(events.loc[code, ["people", "of"]]) for code in expected} == expected
    assert set(SHARES) == {"contacted", "connected", "completed", "declined"}


def of_month(month: int, contacted: int, closed: int, still_open: int = 0) -> tuple[People, ...]:
    """North's referrals of a month of 2026, all accepted on the next day."""
    groups = {
        "contacted": (contacted, ended(10, 1, 5)),
        "closed": (closed, ended(10, 1)),
        "open": (still_open, steps(1)),
    }
    received = date(2026, month, 1)
    return tuple(
        People(f"{name} {month}", number, NORTH, ABBEY, received, path)
        for name, (number, path) in groups.items()
        if number
    )


NORTH_MONTHS = (
    *of_month(1, 20, 20),  # 50%
    *of_month(2, 10, 5),  # of 15: too few
    *of_month(3, 5, 25),  # 5 contacted: hidden
    *of_month(4, 30, 10),  # 75%
    *of_month(5, 35, 10, 5),  # 5 of 50 open: still judged, 35 of 45
    *of_month(6, 20, 20, 6),  # 6 of 46, shown as 5 of 45: too many are open
)
# 25 a month, all contacted, but none in March.
SOUTH_MONTHS = tuple(
    People(f"south {month}", 25, SOUTH, ELM, date(2026, month, 1), ended(10, 1, 5))
    for month in (1, 2, 4, 5, 6)
)
HALF_YEAR = Cohort(o.BOARD, o.AS_AT, date(2026, 1, 1), date(2026, 6, 1), (NORTH, SOUTH))


def months_in(engine: Engine, share: str, cohort: Cohort = HALF_YEAR) -> MonthlyShare:
    return monthly_share(engine, EVERYTHING, cohort, share)


def by_month(found: MonthlyShare) -> dict[int, tuple[Any, str]]:
    return {
        row["month"].month: (told(row["value"]), row["state"])
        for row in found.months.frame.to_dict("records")
    }


@pytest.fixture
def months(sqlite_engine: Engine) -> Engine:
    board = OutcomeBoard().but(people=(*NORTH_MONTHS, *SOUTH_MONTHS), scores=(), attendances=())
    board.save(sqlite_engine)
    return sqlite_engine


def test_a_share_month_by_month(months: Engine) -> None:
    """Of North alone: South told of nothing in March, and would make other months of others."""
    found = months_in(months, "contacted")
    assert found.networks == 1
    assert by_month(found) == {
        1: (50.0, ""), 2: (None, "too few"), 3: (None, "hidden"), 4: (75.0, ""),
        5: (pytest.approx(35 / 45 * 100), ""), 6: (None, "still open"),
    }  # fmt: skip
    april = Cohort(o.BOARD, o.AS_AT, date(2026, 4, 1), date(2026, 5, 1), (NORTH, SOUTH))
    both = months_in(months, "contacted", april)
    # South's 25 are with the 30 of 40, and with the 35 of 45.
    assert both.networks == 2
    assert by_month(both) == {
        4: (pytest.approx(55 / 65 * 100), ""), 5: (pytest.approx(60 / 70 * 100), ""),
    }  # fmt: skip


def test_months_in_which_nothing_can_be_told(months: Engine) -> None:
    """Nobody declined, whoever is open; no step after contact has a date."""
    assert by_month(months_in(months, "declined")) == {
        1: (0.0, ""), 2: (None, "too few"), 3: (0.0, ""), 4: (0.0, ""), 5: (0.0, ""), 6: (0.0, ""),
    }  # fmt: skip
    assert {state for _, state in by_month(months_in(months, "completed")).values()} <= {
        "not recorded", "too few", "still open", "hidden",
    }  # fmt: skip
    nobody = Cohort(o.BOARD, o.AS_AT, date(2025, 12, 1), date(2026, 2, 1), (NORTH, SOUTH))
    found = months_in(months, "contacted", nobody)
    assert (found.networks, set(by_month(found).values())) == (0, {(None, "no return")})


@pytest.mark.parametrize("number", rest_is_slow(2, 7))
def test_a_hidden_month_may_have_another_number(
    months: Engine, upgraded_file: Path, tmp_path: Path, number: int
) -> None:
    """2 or 7 contacted in March instead of 5, of 30."""
    march = of_month(3, number, 30 - number)
    people = (*NORTH_MONTHS[:4], *march, *NORTH_MONTHS[6:], *SOUTH_MONTHS)
    board = OutcomeBoard().but(people=people, scores=(), attendances=())
    other = o.loaded(upgraded_file, tmp_path, board)
    for share in SHARES:
        pd.testing.assert_frame_equal(
            months_in(months, share).months.frame,
            months_in(other, share).months.frame,
            check_exact=True,
        )
    other.dispose()


def equity_in(engine: Engine, figure: str, category: str = "fifth") -> Equity:
    return equity(engine, EVERYTHING, cohort_in(engine), figure, category)


def groups(found: Equity, *columns: str) -> dict[str, tuple[Any, ...]]:
    return {
        row["name"]: tuple(told(row[name]) for name in columns)
        for row in found.rows.frame.to_dict("records")
    }


def slope_the_slow_way(
    rates: Sequence[float], people: Sequence[float], errors: Sequence[float]
) -> tuple[float, float, float, float]:
    """Weighted least squares on midpoints, from the least deprived end; its limits, and the ratio."""
    share = np.array(people[::-1]) / sum(people)
    middle = np.cumsum(share) - share / 2
    design = np.column_stack([np.ones(5), middle])
    solve = np.linalg.inv(design.T @ np.diag(share) @ design) @ design.T @ np.diag(share)
    intercept, slope = solve @ np.array(rates[::-1])
    error = np.sqrt((solve[1] ** 2) @ np.array(errors[::-1]) ** 2)
    reach = 1.959964 * error
    return slope, slope - reach, slope + reach, (intercept + slope) / intercept


def test_take_up_by_hand(engine: Engine) -> None:
    """A year's referrals per 1,000 adults: Abbey 125 of 4,000, Brook 80 of 8,000, and so on."""
    found = equity_in(engine, "take_up")
    assert groups(found, "people", "of", "value", "state") == {
        "1": (125, 4000, 31.25, ""), "2": (80, 8000, 10.0, ""), "3": (55, 4000, 13.75, ""),
        "4": (30, 2000, 15.0, ""), "5": (15, 2000, 7.5, ""),
    }  # fmt: skip
    # Byar's limits of 15, from a printed table: 8.39 and 24.74.
    assert groups(found, "lower", "upper")["5"] == pytest.approx((4.19, 12.37), abs=0.01)
    assert found.everybody == pytest.approx(305 / 20)
    slow = slope_the_slow_way(
        [31.25, 10, 13.75, 15, 7.5],
        [4000, 8000, 4000, 2000, 2000],
        [125**0.5 / 4, 80**0.5 / 8, 55**0.5 / 4, 30**0.5 / 2, 15**0.5 / 2],
    )
    assert found.slope is not None
    slope = found.slope
    assert (slope.slope, slope.lower, slope.upper, slope.relative_index) == pytest.approx(
        slow, rel=1e-6
    )
    assert found.no_slope == ""


def test_take_up_of_a_quarter_is_that_of_a_year(engine: Engine) -> None:
    """Brook's 50 of April and June are 200 a year of 8,000."""
    quarter = board_pathway(engine, EVERYTHING, o.BOARD, o.AS_AT, "quarter").cohort
    assert quarter is not None
    found = equity(engine, EVERYTHING, quarter, "take_up", "fifth")
    assert groups(found, "people", "value")["2"] == (50, 25.0)


def test_take_up_is_of_wards_whose_networks_told(sqlite_engine: Engine) -> None:
    """South told of July and nothing since: Castle, Dale and Elm are not known, whoever they are of,
    and so are no adults of theirs."""
    left = {"moving", "new", "unwilling"}
    people = tuple(group for group in o.PEOPLE if group.name not in left)
    OutcomeBoard().but(people=people, scores=(), attendances=()).save(sqlite_engine)
    found = equity_in(sqlite_engine, "take_up")
    assert groups(found, "people", "of") == {"1": (125, 4000), "2": (80, 8000)}
    assert found.no_slope == "no slope: 2 of 5 fifths have people here"
    assert found.everybody == pytest.approx(205 / 12)


# Elm's 12 that wait are 40 who were all contacted.
def board_with_elm() -> OutcomeBoard:
    elm = {"number": 40, "steps": ended(20, 4, 10)}
    return OutcomeBoard().with_people(new=elm).but(scores=(), attendances=())


def test_a_share_by_fifth_by_hand(sqlite_engine: Engine) -> None:
    """Of those accepted and not open: Abbey 115 of 115, Brook 30 of 60, Castle 55 of 55, Dale 30 of
    30, Elm 40 of 40."""
    board_with_elm().save(sqlite_engine)
    found = equity_in(sqlite_engine, "contacted")
    people = {"1": 115, "2": 60, "3": 55, "4": 30, "5": 40}
    assert groups(found, "of", "value", "state") == {
        name: (of, 0.5 if name == "2" else 1.0, "") for name, of in people.items()
    }
    # Wilson's limits of 30 of 60, from a table.
    assert groups(found, "lower", "upper")["2"] == pytest.approx((0.377, 0.623), abs=5e-4)
    slow = slope_the_slow_way(
        [1, 0.5, 1, 1, 1], [*people.values()], [0, (0.25 / 60) ** 0.5, 0, 0, 0]
    )
    assert found.slope is not None
    slope = found.slope
    assert (slope.slope, slope.lower, slope.upper, slope.relative_index) == pytest.approx(
        slow, rel=1e-6
    )
    assert found.everybody == pytest.approx(270 / 300)


def test_why_there_is_no_slope(sqlite_engine: Engine) -> None:
    """Too few in a fifth, hidden ones in a fifth, and a fifth without anybody."""
    OutcomeBoard().save(sqlite_engine)
    few = equity_in(sqlite_engine, "contacted")
    assert groups(few, "of", "value", "state")["5"] == (0, None, "too few")
    assert (few.slope, few.no_slope) == (None, "no slope: fifth 5 is too small to be shown")
    declined = equity_in(sqlite_engine, "declined")
    assert groups(declined, "value", "state")["5"] == (None, "hidden")
    assert declined.no_slope == "no slope: fifth 5 is too small to be shown"
    # The three of Brook are hidden: they are there.
    anxious = equity_in(sqlite_engine, "ONS4|anxious")
    assert groups(anxious, "of", "value", "state") == {
        "1": (40, -1.5, ""),
        "2": (None, None, "hidden"),
    }
    assert anxious.no_slope == "no slope: fifth 2 is too small to be shown"
    life = equity_in(sqlite_engine, "ONS4|life satisfaction")
    assert life.no_slope == "no slope: 1 of 5 fifths have people here"


@pytest.mark.parametrize(("number", "state"), [(17, "too few"), (18, "")])
def test_twenty_are_compared(sqlite_engine: Engine, number: int, state: str) -> None:
    """17 who are accepted are shown as 15, 18 as 20."""
    elm = {"number": number, "steps": ended(20, 4, 10)}
    OutcomeBoard().with_people(new=elm).but(scores=(), attendances=()).save(sqlite_engine)
    assert groups(equity_in(sqlite_engine, "contacted"), "state")["5"] == (state,)


@pytest.mark.parametrize("category", rest_is_slow("ethnicity", "sex", "age band"))
def test_groups_of_people_have_no_slope(engine: Engine, category: str) -> None:
    found = equity_in(engine, "contacted", category)
    assert (found.slope, found.no_slope) == (None, "")
    expected: dict[str, dict[str, tuple[Any, ...]]] = {
        "ethnicity": {
            "Asian": (60, 0.5, ""), "Black": (None, None, "not recorded"), "Mixed": (0, None, "too few"),
            "White": (185, 1.0, ""),
        },
        "sex": {
            "female": (145, 1.0, ""), "male": (100, 0.7, ""), "other": (None, None, "not recorded"),
        },
        "age band": {
            "18-39": (60, 0.5, ""), "40-64": (60, 1.0, ""), "65-79": (95, 1.0, ""),
            "80+": (30, 1.0, ""),
        },
    }  # fmt: skip
    shown = groups(found, "of", "value", "state")
    assert list(shown) == list(expected[category])
    for name, row in expected[category].items():
        if row[2] == "":
            assert shown[name] == pytest.approx(row)


def test_a_change_by_group(engine: Engine) -> None:
    """The standard error is that of the mean: 2.2 over the root of 40."""
    found = equity_in(engine, "ONS4|life satisfaction", "sex")
    assert groups(found, "people", "of", "value", "state") == {"female": (40, 40, 0.8, "")}
    assert groups(found, "error")["female"] == pytest.approx((2.2 / 40**0.5,))
    assert found.everybody == 0.8
    with pytest.raises(KeyError):
        equity_in(engine, "GAD-7|total", "sex")


def everything(engine: Engine) -> dict[str, pd.DataFrame]:
    found = board_pathway(engine, EVERYTHING, o.BOARD, o.AS_AT, "")
    frames = {}
    for share in ("contacted", "declined"):
        frames[f"funnel {share}"] = network_funnel(found, share).rows.frame
        for category in ("fifth", "sex"):
            frames[f"{share} {category}"] = equity_in(engine, share, category).rows.frame
    return frames | {"take up": equity_in(engine, "take_up").rows.frame}


@pytest.mark.parametrize("profile", rest_is_slow("nhs", "opensafely", "lt6"))
def test_a_hidden_number_may_be_another_one(
    engine: Engine, sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch, profile: str
) -> None:
    """5 for the 3 who declined at Elm: every sum they are in is shown as before."""
    monkeypatch.setenv("DASHBOARD_DISCLOSURE_PROFILE", profile)
    settings.cache_clear()
    OutcomeBoard().with_people(unwilling={"number": 5}).save(sqlite_engine)
    here, there = everything(engine), everything(sqlite_engine)
    assert "hidden" in set(here["declined fifth"]["state"])
    for name, frame in here.items():
        pd.testing.assert_frame_equal(frame, there[name], check_exact=True, obj=name)
