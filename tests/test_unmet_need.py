"""Unmet need of the small board: every measure by hand, what is hidden, and what nobody knows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import Engine

from dashboard.settings import settings
from dashboard.unmet_need import (
    ADULTS,
    EXPECTED,
    INDEX,
    SERVED,
    UnmetNeed,
    served_level,
    unknown_wards,
    ward_unmet_need,
)
from queries.database import make_engine, upgrade
from queries.load import save
from queries.scope import EVERYTHING, Scope
from tests import small_board as b
from tests.small_board import (
    ABBEY,
    BROOK,
    CASTLE,
    DALE,
    ELM,
    FORD,
    NORTH,
    SOUTH,
    Referrals,
    Service,
)
from tests.test_take_up import indices

# Whole boards.
pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("settings_as_shipped")]


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """The small board, once: to read from."""
    engine = make_engine(f"sqlite:///{(tmp_path_factory.mktemp('unmet') / 'b.db').as_posix()}")
    upgrade(engine)
    b.Board().save(engine)
    yield engine
    engine.dispose()


def need_in(
    engine: Engine,
    measure: str = EXPECTED,
    theme: str = "",
    *,
    with_stale: bool = False,
    scope: Scope = EVERYTHING,
) -> UnmetNeed:
    return ward_unmet_need(engine, scope, b.BOARD, b.AS_AT, with_stale, measure, theme)


def by_ward(found: UnmetNeed, column: str = "need") -> dict[str, Any]:
    """By ward, missing as `None`."""
    values = found.wards.frame.set_index("ward_code")[column].astype(object)
    return {str(code): None if pd.isna(value) else value for code, value in values.items()}


def marked(found: UnmetNeed, flag: str) -> set[str]:
    return {code for code, holds in by_ward(found, flag).items() if holds}


def few(dale: tuple[int, int, int, int]) -> b.Board:
    return b.Board(referrals=(*b.REFERRALS[:3], Referrals(DALE, SOUTH, dale)))


class TestMeasures:
    def test_expected_less_observed(self, usual: Engine) -> None:
        """0.004 a person: Castle 20 - 15, Elm 10 - 0, Dale 10 - 4 (the middle of 1 to 7); Abbey has
        40 of 20, never below 0."""
        found = need_in(usual)
        assert by_ward(found) == {
            ABBEY: 0, BROOK: 0, CASTLE: 5, DALE: 6, ELM: 10, FORD: None
        }  # fmt: skip
        assert (found.factor, found.theme_share) == (1.0, 1.0)
        assert marked(found, "is_estimated") == {DALE}
        assert marked(found, "has_gap") == {CASTLE, ELM}
        # Castle's 5 and Elm's 10 of 21.
        assert found.without_provision == pytest.approx(15 / 21)

    def test_the_interval_is_that_of_the_observed(self, usual: Engine) -> None:
        """Poisson's limits: from 8.389 of 15, to 3.689 of none, from 0.0253 of 1, to 14.42 of 7."""
        found = need_in(usual)
        lower, upper = by_ward(found, "lower"), by_ward(found, "upper")
        assert (lower[CASTLE], upper[CASTLE]) == pytest.approx((0, 20 - 8.3893), abs=1e-3)
        assert (lower[ELM], upper[ELM]) == pytest.approx((10 - 3.6889, 10), abs=1e-3)
        assert (lower[DALE], upper[DALE]) == pytest.approx((0, 10 - 0.0253), abs=1e-3)
        assert (lower[FORD], upper[FORD]) == (None, None)

    def test_at_the_level_of_served_wards(self, usual: Engine) -> None:
        """Abbey and Brook send 80 of 60: 4/3 of the board's rates. Dale's number is hidden."""
        found = need_in(usual, SERVED)
        assert found.factor == pytest.approx(4 / 3)
        assert by_ward(found) == {
            ABBEY: 0, BROOK: pytest.approx(160 / 3 - 40), CASTLE: pytest.approx(80 / 3 - 15),
            DALE: pytest.approx(40 / 3 - 4), ELM: pytest.approx(40 / 3), FORD: None,
        }  # fmt: skip
        known = 40 / 3 + 35 / 3 + 28 / 3 + 40 / 3
        assert found.without_provision == pytest.approx((35 / 3 + 40 / 3) / known)
        # What it is drawn again from is raised too.
        assert by_ward(found, "expected")[ELM] == pytest.approx(40 / 3)

    def test_everybody_where_the_population_has_no_ages(self, usual: Engine) -> None:
        found = need_in(usual, ADULTS)
        assert by_ward(found) == {
            ABBEY: 5000, BROOK: 10_000, CASTLE: 5000, DALE: 2500, ELM: 2500, FORD: None
        }  # fmt: skip
        assert set(by_ward(found, "lower").values()) == {None}
        assert marked(found, "is_estimated") == set()
        assert found.without_provision == pytest.approx(7500 / 25_000)

    def test_adults_and_an_index(self, sqlite_engine: Engine) -> None:
        """Four in five are adults; of Brook's LSOAs one of two is high, of Abbey's both."""
        b.Board(ages=True).save(sqlite_engine)
        rows = [(1, 9), (2, 10), (3, 9), (4, 8), (5, 1), (6, None)]
        save(sqlite_engine, indices(*(("loneliness", n, 1.0, decile) for n, decile in rows)))
        adults = need_in(sqlite_engine, ADULTS)
        assert by_ward(adults) == {
            ABBEY: 4000, BROOK: 8000, CASTLE: 4000, DALE: 2000, ELM: 2000, FORD: None
        }  # fmt: skip
        found = need_in(sqlite_engine, f"{INDEX}loneliness")
        # None of Castle's is high; of Dale, Elm and Ford nothing is told: missing, and not 0.
        assert by_ward(found) == {
            ABBEY: 4000, BROOK: 4000, CASTLE: 0, DALE: None, ELM: None, FORD: None
        }  # fmt: skip
        assert found.without_provision == 0
        assert set(unknown_wards(found)["ward_code"]) == {DALE, ELM, FORD}

    def test_an_index_that_is_not_there_is_of_nobody(self, usual: Engine) -> None:
        found = need_in(usual, f"{INDEX}nowhere")
        assert by_ward(found) == dict.fromkeys(b.BOARD_WARDS)
        assert found.without_provision is None


def judged(*rows: tuple[str, float | None, float | None]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["status", "referrals_12_months", "expected"])
    return frame.astype({"referrals_12_months": "Float64", "expected": "Float64"})


@pytest.mark.parametrize(
    ("rows", "factor"),
    [
        ([("As expected", 30, 40), ("Low take-up", 6, 8)], 0.75),
        ([("As expected", 30, 20), ("No provision", 0, 100)], 1.5),
        ([("High take-up", 30, 20), ("Provided, take-up hidden", None, None)], 1.5),
        ([("Not reached", 0, 10), ("High take-up", 20, 10)], 1.0),
        ([("No provision", 5, 10)], 1.0),
        ([("As expected", 0, 0)], 1.0),
        ([], 1.0),
    ],
)
def test_the_level_of_served_wards(rows: list[Any], factor: float) -> None:
    assert served_level(judged(*rows)) == pytest.approx(factor)


class TestHidden:
    @pytest.mark.parametrize(
        "dale", [(0, 1, 0, 0), (0, 1, 1, 0), (1, 2, 1, 1)], ids=["1", "2", "5"]
    )
    def test_all_that_are_hidden_read_the_same(
        self, sqlite_engine: Engine, dale: tuple[int, int, int, int]
    ) -> None:
        few(dale).save(sqlite_engine)
        found = need_in(sqlite_engine)
        assert (by_ward(found)[DALE], by_ward(found)[ELM]) == (6, 10)
        assert (by_ward(found, "observed_from")[DALE], by_ward(found, "observed_to")[DALE]) == (
            1,
            7,
        )
        assert marked(found, "is_estimated") == {DALE}

    def test_the_first_that_is_shown(self, sqlite_engine: Engine) -> None:
        """8 are shown as 10, of 105 / 25,000 x 2,500 = 10.5."""
        few((2, 2, 2, 2)).save(sqlite_engine)
        found = need_in(sqlite_engine)
        assert by_ward(found)[DALE] == pytest.approx(0.5)
        assert marked(found, "is_estimated") == set()

    def test_the_range_is_that_of_the_profile(
        self, usual: Engine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("DASHBOARD_DISCLOSURE_PROFILE", "lt6")
        settings.cache_clear()
        found = need_in(usual)
        # Of 1 to 5 the middle is 3, as Dale happens to have; nothing is rounded.
        assert (by_ward(found, "observed_from")[DALE], by_ward(found, "observed_to")[DALE]) == (
            1,
            5,
        )
        assert by_ward(found)[CASTLE] == 3
        assert by_ward(found)[DALE] == pytest.approx(7)


class TestMissing:
    def test_no_referral_return_at_all(self, sqlite_engine: Engine) -> None:
        b.Board(referrals=()).save(sqlite_engine)
        found = need_in(sqlite_engine)
        assert by_ward(found) == dict.fromkeys(b.BOARD_WARDS)
        assert found.without_provision is None
        assert set(unknown_wards(found)["ward_code"]) == set(b.BOARD_WARDS)
        assert need_in(sqlite_engine, SERVED).factor == 1.0

    def test_provision_that_nobody_told(self, sqlite_engine: Engine) -> None:
        """Whoever did not return is unknown, whatever the measure, and no gap."""
        b.Board(services=(), workforce=False, schemes=()).save(sqlite_engine)
        found = need_in(sqlite_engine, ADULTS)
        assert marked(found, "has_gap") == set()
        assert marked(found, "is_unknown") == set(b.BOARD_WARDS)
        assert set(unknown_wards(found)["ward_code"]) == set(b.BOARD_WARDS)
        assert found.without_provision is None

    def test_a_share_is_of_wards_whose_provision_is_told(self, sqlite_engine: Engine) -> None:
        """South returned no FTE: of Elm's 10 nobody knows what is missing; Castle's 5 of 11."""
        b.Board(monthly={NORTH: (4.0,) * 3}).save(sqlite_engine)
        found = need_in(sqlite_engine)
        assert (by_ward(found)[ELM], marked(found, "is_unknown")) == (10, {ELM, FORD})
        assert found.without_provision == pytest.approx(5 / 11)
        assert need_in(sqlite_engine, ADULTS).without_provision == pytest.approx(5000 / 22_500)

    def test_a_silent_network_is_missing_and_not_nobody(self, usual: Engine) -> None:
        found = need_in(usual)
        assert set(unknown_wards(found)["ward_code"]) == {FORD}
        assert marked(found, "is_unknown") == {FORD}

    def test_nobody_to_see_it(self, usual: Engine) -> None:
        for code in (b.NEIGHBOUR, b.OUTSIDER_ICB):
            assert need_in(usual, scope=Scope(frozenset({code}))).wards.frame.empty


class TestThemes:
    def test_the_share_of_a_theme(self, usual: Engine) -> None:
        """Shown: loneliness 20 + 30 and a hidden 4 -> 55; with 10 and 10 of the others -> 75."""
        found = need_in(usual, theme="loneliness")
        assert found.theme_share == pytest.approx(55 / 75)
        assert by_ward(found) == {
            code: None if need is None else pytest.approx(need * 55 / 75)
            for code, need in by_ward(need_in(usual)).items()
        }
        for column in ("lower", "upper"):
            whole, part = by_ward(need_in(usual), column), by_ward(found, column)
            assert part[ELM] == pytest.approx(whole[ELM] * 55 / 75)

    def test_a_gap_is_also_a_need_that_nothing_with_room_answers(self, usual: Engine) -> None:
        """In Brook only the choir is for loneliness, and full; Dale has the helpline."""
        assert marked(need_in(usual, theme="loneliness"), "has_gap") == {BROOK, CASTLE, ELM}
        # Nothing is for housing anywhere; what it lacks in Ford is not known without its return.
        housing = need_in(usual, theme="housing")
        assert marked(housing, "has_gap") >= {ABBEY, BROOK, CASTLE, DALE, ELM}
        assert housing.theme_share == pytest.approx(10 / 75)
        assert housing.without_provision == 1

    def test_a_theme_nobody_was_referred_for(self, usual: Engine) -> None:
        found = need_in(usual, theme="nature")
        assert found.theme_share == 0
        assert by_ward(found) == dict.fromkeys(b.BOARD_WARDS, 0) | {FORD: None}
        assert found.without_provision is None

    def test_services_that_nobody_returned(self, sqlite_engine: Engine) -> None:
        b.Board(services=()).save(sqlite_engine)
        found = need_in(sqlite_engine, theme="loneliness")
        assert marked(found, "is_unknown") == set(b.BOARD_WARDS)

    def test_stale_services_count_where_they_are_chosen(self, sqlite_engine: Engine) -> None:
        stale = Service("old", (ABBEY,), confirmed_on=date(2025, 6, 29))
        b.Board(services=(stale,)).save(sqlite_engine)
        for theme in ("", "loneliness"):
            gaps = [
                ABBEY in marked(need_in(sqlite_engine, theme=theme, with_stale=counted), "has_gap")
                for counted in (False, True)
            ]
            assert gaps == [True, False]
