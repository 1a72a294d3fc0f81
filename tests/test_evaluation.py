"""The figures of the Outcomes page as one table and as files: the same numbers everywhere."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
from sqlalchemy import Engine

from dashboard import export
from dashboard.evaluation import COLUMNS, PATHWAY_GROUPS, PEOPLE_GROUPS, Evaluation, evaluation
from dashboard.outcomes import NETWORK, board_pathway, pathway_by
from dashboard.outcomes_change import changes_by, scale
from dashboard.outcomes_compared import SHARES, equity
from dashboard.rules.disclosure import HIDDEN_MARK
from dashboard.rules.pathway import STEP_TITLES
from dashboard.settings import settings
from queries.pathway import PCN
from queries.scope import EVERYTHING, Scope
from tests import outcome_board as o
from tests import small_board as b
from tests.conftest import rest_is_slow
from tests.outcome_board import OutcomeBoard
from tests.small_board import EAST, NORTH, SOUTH

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("settings_as_shipped")]
VALUES = ("value", "lower_95", "upper_95")
NO_RETURN = "no referral return"


@pytest.fixture(scope="module")
def engine(upgraded_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """The board as it is told in `tests.outcome_board`: to read from only."""
    loaded = o.loaded(upgraded_file, tmp_path_factory.mktemp("outcomes"))
    yield loaded
    loaded.dispose()


@pytest.fixture(scope="module")
def told(engine: Engine) -> Evaluation:
    """Made once; nobody changes it."""
    settings.cache_clear()
    return evaluation(engine, EVERYTHING, o.BOARD, o.AS_AT)


@pytest.fixture(scope="module")
def bodies(engine: Engine) -> dict[str, bytes]:
    settings.cache_clear()
    return {
        form: export.make(engine, EVERYTHING, "outcomes", o.BOARD, o.AS_AT, form).body
        for form in ("csv", "json", "xlsx")
    }


def rows_of(found: Evaluation, section: str) -> dict[tuple[str, str, str], dict[str, Any]]:
    """By breakdown, group and figure; nothing is there twice."""
    frame = found.rows.frame
    mine = frame[frame["section"] == section]
    key = ["breakdown", "group_code", "figure"]
    assert not mine.duplicated(key).any()
    plain = mine.astype(object).where(mine.notna(), None)
    rows: list[Any] = plain.to_dict("records")
    return {(row["breakdown"], row["group_code"], row["figure"]): row for row in rows}


def shown(row: dict[str, Any]) -> tuple[Any, ...]:
    hidden = row["people_hidden"]
    return (HIDDEN_MARK if hidden else row["people"], row["out_of"], row["value"], row["state"])


def test_figures_of_the_pathway_by_hand(told: Evaluation) -> None:
    found = rows_of(told, "pathway")
    assert shown(found["board", o.BOARD, "contacted"]) == (215, 245, pytest.approx(215 / 245), "")
    assert shown(found["network", NORTH, "contacted"]) == (130, 160, 0.8125, "")
    assert shown(found["network", SOUTH, "plan agreed"]) == (None, None, None, "not recorded")
    assert shown(found["network", NORTH, "referred"]) == (200, None, None, "")
    assert shown(found["sex", "other", "referred"]) == (HIDDEN_MARK, None, None, "hidden")
    assert shown(found["fifth", "2", "contacted"]) == (30, 60, 0.5, "")
    assert found["network", NORTH, "contacted"]["lower_95"] == pytest.approx(0.745, abs=5e-4)


def test_a_silent_network_says_why(told: Evaluation) -> None:
    """Nothing of East is hidden or not recorded: it sent no return."""
    found = rows_of(told, "pathway")
    mine = [row for key, row in found.items() if key[1] == EAST]
    assert len(mine) == len(STEP_TITLES)
    assert {shown(row) for row in mine} == {(None, None, None, NO_RETURN)}


def test_the_pathway_is_that_of_the_frames(engine: Engine, told: Evaluation) -> None:
    """Every step of every area and group."""
    found = rows_of(told, "pathway")
    board = board_pathway(engine, EVERYTHING, o.BOARD, o.AS_AT, "")
    assert board.cohort is not None
    kinds = board.counts.frame.set_index("code")["kind"]
    judged = {
        (kinds[row["group"]], row["group"], row["step"]): row
        for row in board.steps.to_dict("records")
    }
    for category in PATHWAY_GROUPS:
        steps = pathway_by(engine, EVERYTHING, board.cohort, category).steps
        judged |= {(category, row["group"], row["step"]): row for row in steps.to_dict("records")}
    assert {(*key[:2], STEP_TITLES[key[2]].lower()) for key in judged} == set(found)
    for (kind, group, step), row in judged.items():
        mine = found[kind, group, STEP_TITLES[step].lower()]
        for here, there in (("people", "people"), ("share", "value"), ("lower", "lower_95")):
            assert (pd.isna(row[here]) and mine[there] is None) or row[here] == mine[there]
        assert row["people_hidden"] == mine["people_hidden"]


def test_waits_are_those_of_the_frames(engine: Engine, told: Evaluation) -> None:
    found = rows_of(told, "waits")
    assert (found["board", o.BOARD, "contacted, median"]["value"]) == 8
    assert (found["board", o.BOARD, "contacted, 90th percentile"]["value"]) == 25
    assert found["sex", "male", "completed, median"]["value"] == 90
    assert told.cohort is not None
    expected = {}
    for category in (*PATHWAY_GROUPS, PCN):
        days = pathway_by(engine, EVERYTHING, told.cohort, category).days
        name = NETWORK if category == PCN else category
        for (value, step), quantiles in days.items():
            expected[name, value, f"{STEP_TITLES[step].lower()}, median"] = quantiles.median
    medians = {
        key: row["value"]
        for key, row in found.items()
        if key[0] != "board" and key[2].endswith("median")
    }
    assert medians == expected


def test_waits_over_a_year_and_of_few(sqlite_engine: Engine) -> None:
    """60 people wait 366 days for their end, 9 others are too few to be told of."""
    fast = {"steps": o.steps(1, 5, 10, 20, 30, 366)}
    board = OutcomeBoard().with_people(fast=fast, slow={"number": 1}, new={"number": 9})
    board.but(scores=(), attendances=()).save(sqlite_engine)
    found = rows_of(evaluation(sqlite_engine, EVERYTHING, o.BOARD, o.AS_AT), "waits")
    over = found["source", "GP", "completed, median"]
    # 60 over a year, 50 after 70 days and 1 after 90: the 56th is over.
    assert (over["value"], over["state"]) == (None, "over 365")
    few = found["source", "VCSE", "accepted, median"]
    assert (few["value"], few["state"]) == (None, "too few")


def test_endings_by_hand(told: Evaluation) -> None:
    assert {key[2]: row["people"] for key, row in rows_of(told, "endings").items()} == {
        "completed": 150, "declined": 35, "could not be reached": 30, "no suitable service": 25,
        "moved": 30,
    }  # fmt: skip


def test_changes_are_those_of_the_frames(engine: Engine, told: Evaluation) -> None:
    found = rows_of(told, "change")
    life = found["board", o.BOARD, "Life satisfaction, mean change"]
    assert shown(life) == (40, 50, 0.8, "")
    share = found["board", o.BOARD, "Life satisfaction, share improved"]
    assert shown(share) == (40, 50, 0.5, "")
    assert "by 1 or more (convention: The smallest step" in share["definition"]
    assert ("board", o.BOARD, "Attendances at the GP, share improved") not in found
    few = found["board", o.BOARD, "Loneliness (UCLA-3), mean change"]
    assert shown(few) == (0, 40, None, "too few")
    hidden = found["fifth", "2", "Anxiety yesterday, mean change"]
    assert (shown(hidden), hidden["out_of_hidden"]) == ((HIDDEN_MARK, None, None, "hidden"), True)
    assert told.cohort is not None
    expected = {}
    for category in ("all", *PEOPLE_GROUPS):
        for row in changes_by(engine, EVERYTHING, told.cohort, category).rows.frame.to_dict(
            "records"
        ):
            where = ("board", o.BOARD) if category == "all" else (category, row["value"])
            title = scale((row["measure"], row["item"])).title
            expected[*where, f"{title}, mean change"] = (
                None if pd.isna(row["mean_change"]) else row["mean_change"], row["state"],
            )  # fmt: skip
    means = {key: row for key, row in found.items() if key[2].endswith("mean change")}
    assert {key: (row["value"], row["state"]) for key, row in means.items()} == expected


def test_slopes_are_those_of_the_frames(engine: Engine, told: Evaluation) -> None:
    found = rows_of(told, "equity")
    assert len(found) == 2 * (1 + len(SHARES))
    assert told.cohort is not None
    slope = equity(engine, EVERYTHING, told.cohort, "take_up", "fifth").slope
    assert slope is not None
    title = "referrals a year per 1,000 adults"
    row = found["fifth", "1 to 5", f"{title}, slope index"]
    assert tuple(row[name] for name in VALUES) == (slope.slope, slope.lower, slope.upper)
    assert found["fifth", "1 to 5", f"{title}, relative index"]["value"] == slope.relative_index
    missing = found["fifth", "1 to 5", "share declined, slope index"]
    assert shown(missing) == (None, None, None, "no slope: fifth 5 is too small to be shown")


def test_every_figure_is_defined(told: Evaluation) -> None:
    frame = told.rows.frame
    assert list(frame)[: len(COLUMNS)] == list(COLUMNS)
    for name in ("section", "breakdown", "group_code", "figure", "unit", "definition"):
        assert (frame[name].str.len() > 0).all()
    assert (
        frame.loc[frame["value"].isna() & (frame["state"] == ""), "section"]
        .isin(["endings", "pathway"])
        .all()
    )
    # Of the pathway, whoever is referred is no share, and of nobody there is none.
    bare = frame[(frame["section"] == "pathway") & frame["value"].isna() & (frame["state"] == "")]
    assert ((bare["figure"] == "referred") | (bare["out_of"] == 0)).all()


def json_rows(bodies: dict[str, bytes]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(bodies["json"])["rows"]
    return rows


def test_the_three_files_agree_cell_by_cell(bodies: dict[str, bytes], told: Evaluation) -> None:
    """JSON says it as it is; CSV as text; in XLSX hidden is [c] and missing [x]."""
    plain = json_rows(bodies)
    texts = list(csv.DictReader(io.StringIO(bodies["csv"].decode("utf-8-sig"), newline="")))
    sheet = openpyxl.load_workbook(io.BytesIO(bodies["xlsx"]))["Outcomes"]
    names, *cells = sheet.iter_rows(values_only=True)
    assert list(names) == [*COLUMNS, "missing"] == list(plain[0]) == list(texts[0])
    assert len(plain) == len(texts) == len(cells) == len(told.rows.frame) > 300
    for here, text, cell in zip(plain, texts, cells, strict=True):
        for name, in_sheet in zip(names, cell, strict=True):
            value = here[name]
            if name == "missing":
                value = "; ".join(f"{column}: {why}" for column, why in value.items())
                assert (text[name], in_sheet or "") == (value, value)
            elif value is None:
                assert (text[name], in_sheet) == ("", "[x]")
            elif value == HIDDEN_MARK:
                assert (text[name], in_sheet) == (HIDDEN_MARK, "[c]")
            else:
                in_sheet = "" if in_sheet is None else in_sheet
                assert (text[name].removeprefix("'"), in_sheet) == (str(value), value)


def test_a_star_hides_what_is_made_of_it(bodies: dict[str, bytes], told: Evaluation) -> None:
    hidden = 0
    for row, flags in zip(
        json_rows(bodies),
        told.rows.frame[["people_hidden", "out_of_hidden"]].itertuples(),
        strict=True,
    ):
        starred = [name for name in ("people", "out_of", *VALUES) if row[name] == HIDDEN_MARK]
        if flags.people_hidden or flags.out_of_hidden:
            hidden += 1
            assert set(VALUES) <= set(starred)
            assert ("people" in starred) == flags.people_hidden
            assert ("out_of" in starred) == flags.out_of_hidden
        else:
            assert starred == []
            # What is missing says why, where there is a why.
            assert row["missing"] == ({"value": row["state"]} if row["state"] else {})
    assert hidden > 5


def test_what_the_file_says_of_itself(bodies: dict[str, bytes]) -> None:
    meta = json.loads(bodies["json"])["meta"]
    assert (meta["subject"], meta["icb_code"], meta["as_at"]) == ("outcomes", o.BOARD, "2026-06-30")
    assert meta["disclosure_profile"] == "nhs"
    assert meta["basis"] == {
        "referrals_from": "2025-07-01",
        "referrals_to": "2026-06-30",
        "no_referrals": None,
        "counts": "1 to 7 people are hidden (*), larger numbers go to the nearest 5",
    }


def test_a_board_without_referrals(sqlite_engine: Engine) -> None:
    o.PLACES.save(sqlite_engine)
    body = export.make(sqlite_engine, EVERYTHING, "outcomes", o.BOARD, o.AS_AT, "json").body
    found = json.loads(body)
    assert found["rows"] == []
    assert found["meta"]["basis"]["no_referrals"] == "no referral return for the period"
    assert found["meta"]["basis"]["referrals_from"] is None
    for form in ("csv", "xlsx"):
        assert export.make(sqlite_engine, EVERYTHING, "outcomes", o.BOARD, o.AS_AT, form).body


@pytest.mark.parametrize("board", rest_is_slow(b.NEIGHBOUR, b.OUTSIDER_ICB))
def test_another_boards_reader_finds_nothing(engine: Engine, board: str) -> None:
    scope = Scope(frozenset({board}))
    with pytest.raises(export.NotThereError, match="no board 'QZ1' is loaded"):
        export.make(engine, scope, "outcomes", o.BOARD, o.AS_AT, "json")
    assert evaluation(engine, scope, o.BOARD, o.AS_AT).rows.frame.empty


@pytest.mark.parametrize("profile", rest_is_slow("nhs", "opensafely", "lt6"))
def test_a_hidden_number_may_be_another_one(
    engine: Engine, sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch, profile: str
) -> None:
    """5 for the 3 who declined at Elm: not a digit of the table changes, and no 1 to 7 is in it."""
    monkeypatch.setenv("DASHBOARD_DISCLOSURE_PROFILE", profile)
    settings.cache_clear()
    OutcomeBoard().with_people(unwilling={"number": 5}).save(sqlite_engine)
    here, there = (
        evaluation(each, EVERYTHING, o.BOARD, o.AS_AT).rows for each in (engine, sqlite_engine)
    )
    pd.testing.assert_frame_equal(here.frame, there.frame, check_exact=True)
    people = here.frame["people"].dropna()
    assert not people.between(1, 7).any()


@pytest.mark.slow
def test_both_databases_agree_to_the_last_digit(told: Evaluation, postgres_engine: Engine) -> None:
    OutcomeBoard().save(postgres_engine)
    there = evaluation(postgres_engine, EVERYTHING, o.BOARD, o.AS_AT)
    pd.testing.assert_frame_equal(told.rows.frame, there.rows.frame, check_exact=True)
    assert told.cohort == there.cohort
