"""Somebody who works through a board's exports: what is there to find, and what is found when it leaks."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from dashboard import export
from dashboard.audit import Audit, attack, audit
from dashboard.rules.disclosure import PROFILES
from queries.database import make_engine
from queries.scope import EVERYTHING, Scope
from tests.made_once import demonstration_file
from tests.outcome_board import OutcomeBoard, loaded
from tests.small_board import AS_AT, BOARD, EAST, NEIGHBOUR, NORTH, NORTHAM, SOUTH, SOUTHAM

pytestmark = pytest.mark.slow

NHS = PROFILES["nhs"]
LOCALITY_OF = {NORTH: NORTHAM, SOUTH: SOUTHAM, EAST: SOUTHAM}


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory, upgraded_file: Path) -> Iterator[Engine]:
    engine = loaded(upgraded_file, tmp_path_factory.mktemp("audit"))
    yield engine
    engine.dispose()


@pytest.fixture(autouse=True)
def shipped(settings_as_shipped: None) -> None:
    """As where nobody set anything."""


Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Exports:
    """Both files of a board as somebody has them."""

    outcomes: Rows
    workforce: Rows

    def attacked(self) -> Audit:
        return attack(self.outcomes, self.workforce, LOCALITY_OF, NHS)

    def row(self, breakdown: str, group: str, figure: str) -> dict[str, Any]:
        """A row of the pathway or of change, to be changed."""
        return next(
            row
            for row in self.outcomes
            if (row["breakdown"], row["group_code"], row["figure"]) == (breakdown, group, figure)
        )


@pytest.fixture(scope="module")
def made(board: Engine) -> tuple[Rows, Rows]:
    """The rows of both exports: to be copied."""
    outcomes, workforce = (
        export.SUBJECTS[subject](board, EVERYTHING, BOARD, AS_AT, False)[1]
        for subject in ("outcomes", "workforce")
    )
    return outcomes, workforce


@pytest.fixture
def exports(made: tuple[Rows, Rows]) -> Exports:
    return Exports(*copy.deepcopy(made))


def pathway(
    breakdown: str, group: str, people: int | str, figure: str = "referred"
) -> dict[str, Any]:
    """A row as the export has it."""
    return {
        "section": "pathway", "breakdown": breakdown, "group_code": group, "figure": figure,
        "people": people, "out_of": None,
    }  # fmt: skip


def test_nothing_of_the_outcome_board_can_be_worked_out(board: Engine, exports: Exports):
    found = audit(board, EVERYTHING, BOARD, AS_AT)
    assert found.exposed == {}
    # Of 3 people each: of another sex, from another source; of 3 and of 5 with a score twice.
    assert found.hidden == len(
        {
            (row["breakdown"], row["group_code"], row["figure"], name)
            for row in exports.outcomes
            for name in ("people", "out_of")
            if row[name] == "*"
            and (row["section"] == "pathway" or row["figure"].endswith("mean change"))
        }
    )
    assert found.hidden >= 4
    assert found.shown > 200
    assert found == exports.attacked()


@pytest.mark.slow
@pytest.mark.parametrize("icb_code", ["QDK", "QDM"])
def test_nothing_of_the_demonstration_can_be_worked_out(
    tmp_path_factory: pytest.TempPathFactory, icb_code: str
):
    engine = make_engine(f"sqlite:///{demonstration_file(tmp_path_factory).as_posix()}")
    found = audit(engine, EVERYTHING, icb_code, AS_AT)
    engine.dispose()
    assert found.exposed == {}
    assert found.shown > 300


@pytest.mark.parametrize("few", range(1, 8))
@pytest.mark.slow
def test_however_few_they_are(
    tmp_path_factory: pytest.TempPathFactory, upgraded_file: Path, few: int
):
    board = OutcomeBoard().with_people(unwilling={"number": few}, turned={"number": 8 - few})
    engine = loaded(upgraded_file, tmp_path_factory.mktemp("few"), board)
    found = audit(engine, EVERYTHING, BOARD, AS_AT)
    engine.dispose()
    assert found.exposed == {}
    assert found.hidden


# Leaks.


@pytest.mark.parametrize(
    ("total", "others", "left"),
    [
        # 298 to 302 less 173 to 177 and 118 to 122: 1 to 11, and 1 is the least of a hidden one.
        (300, (175, 120), None),
        # Just enough: 293 to 297 less at least 291 leaves 1 to 6; a step of 5 less leaves 1 alone.
        (295, (175, 120), None),
        (290, (175, 120), (1, 1)),
    ],
)
def test_a_hidden_group_beside_its_total(
    total: int, others: tuple[int, int], left: tuple[int, int] | None
):
    female, male = others
    rows = [
        pathway("board", BOARD, total), pathway("sex", "female", female),
        pathway("sex", "male", male), pathway("sex", "other", "*"),
    ]  # fmt: skip
    found = attack(rows, [], {}, NHS)
    key = ("sex", "other", "referred")
    assert found.exposed == ({} if left is None else {key: left})
    assert (found.shown, found.hidden) == (3, 1)


@pytest.mark.parametrize(
    "breakdown", ["network", "locality", "source", "age band", "sex", "ethnicity"]
)
def test_an_exact_total_gives_it_back(breakdown: str):
    """The profile "lt6" does not round: 43 less 40 is 3."""
    rows = [
        pathway("board", BOARD, 43), pathway(breakdown, "one", 40), pathway(breakdown, "two", "*"),
    ]  # fmt: skip
    exact = PROFILES["internal"]
    assert attack(rows, [], {}, exact).exposed == {(breakdown, "two", "referred"): (3, 3)}
    # Rounded as the export is, the same says 1 to 7.
    assert attack(rows, [], {}, PROFILES["lt6"]).exposed == {}


def test_groups_that_do_not_add_up_are_not_added_up():
    """A referral for two reasons is in both."""
    rows = [
        pathway("board", BOARD, 43), pathway("reason", "one", 40), pathway("reason", "two", "*"),
    ]  # fmt: skip
    assert attack(rows, [], {}, PROFILES["internal"]).exposed == {}


def test_networks_add_up_to_their_locality():
    rows = [
        pathway("locality", SOUTHAM, 43), pathway("network", SOUTH, 40),
        pathway("network", EAST, "*"), pathway("network", NORTH, 100),
    ]  # fmt: skip
    exact = PROFILES["internal"]
    assert attack(rows, [], LOCALITY_OF, exact).exposed == {("network", EAST, "referred"): (3, 3)}
    # Nobody knows where the networks lie.
    assert attack(rows, [], {}, exact).exposed == {}


def test_the_same_referrals_on_another_page():
    """Hidden here and told there."""
    rows = [pathway("network", NORTH, "*")]
    told = [{"pcn_code": NORTH, "referrals_12_months": 10}]
    assert attack(rows, told, LOCALITY_OF, NHS).exposed == {}
    exact = attack(rows, told, LOCALITY_OF, PROFILES["internal"])
    assert exact.exposed == {("network", NORTH, "referred"): (10, 10)}


def test_a_step_is_among_those_before():
    """10 of 10 went on to the next step: 10 were there."""
    rows = [
        pathway("network", NORTH, 10),
        pathway("network", NORTH, "*", "accepted") | {"out_of": 10},
        pathway("network", NORTH, 10, "contacted") | {"out_of": 10},
    ]
    # Rounded, each may be 8 to 12.
    assert attack(rows, [], {}, NHS).exposed == {}
    exact = attack(rows, [], {}, PROFILES["internal"])
    assert exact.exposed == {("network", NORTH, "accepted"): (10, 10)}


def test_matched_people_are_among_those_with_a_first_score():
    row = pathway("sex", "other", "*", "Life satisfaction, mean change") | {"section": "change"}
    assert attack([row | {"out_of": 10}], [], {}, NHS).exposed == {}
    found = attack([row | {"out_of": 1}], [], {}, PROFILES["internal"])
    assert found.exposed == {("sex", "other", "Life satisfaction, mean change"): (1, 1)}


@pytest.mark.parametrize("group", ["female", "male"])
def test_a_group_shown_too_large_gives_the_third_away(exports: Exports, group: str):
    """Of three groups one is hidden: a number beside it that is not the released one."""
    assert exports.attacked().exposed == {}
    row = exports.row("sex", group, "referred")
    row["people"] += 5
    row["people"] += 5
    # 298 to 302 less at least 301.
    assert exports.attacked().exposed == {("sex", "other", "referred"): (1, 1)}


def test_a_hidden_number_that_is_shown_after_all(exports: Exports):
    """Of those with a score for anxiety twice 3 are women: shown, and hidden beside it."""
    hidden = [row for row in exports.outcomes if row["people"] == "*"]
    assert hidden
    before = exports.attacked()
    for row in hidden:
        row["people"] = 0
    after = exports.attacked()
    assert after.hidden < before.hidden
    assert after.shown > before.shown


@pytest.mark.parametrize(
    ("scope", "icb_code"),
    [
        (EVERYTHING, "QXX"), (EVERYTHING, ""), (Scope(frozenset({NEIGHBOUR})), BOARD),
        (Scope(frozenset()), BOARD),
    ],
)  # fmt: skip
def test_a_board_that_is_not_there_is_refused(board: Engine, scope: Scope, icb_code: str):
    with pytest.raises(export.NotThereError, match="no board"):
        audit(board, scope, icb_code, AS_AT)
