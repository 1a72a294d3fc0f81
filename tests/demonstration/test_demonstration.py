"""The demonstration: the same at every call, loaded like real files, and telling its story."""

from __future__ import annotations

import itertools
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import Engine, select

from dashboard import demonstration
from dashboard.coverage import REFERRALS, Coverage, ward_coverage
from dashboard.demonstration import DEMONSTRATION_DATE
from dashboard.intake.referrals import STEPS
from dashboard.intake.services import NEED_THEMES
from dashboard.intake.source import Source
from dashboard.rules.coverage import State, Status
from dashboard.rules.disclosure import hidden_flag
from queries import loads, provision, tables, workforce
from queries.database import make_engine, upgrade
from queries.load import LoadRecord
from queries.scope import EVERYTHING

KENT, MEDWAY = "QDK", "QDM"
# In one process: the database is made once.


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Engine, list[LoadRecord]]]:
    path = tmp_path_factory.mktemp("demonstration") / "dashboard.db"
    engine = make_engine(f"sqlite:///{path}")
    upgrade(engine)
    yield engine, demonstration.make(engine, b"k" * 32)
    engine.dispose()


@pytest.fixture(scope="module")
def engine(loaded: tuple[Engine, list[LoadRecord]]) -> Engine:
    return loaded[0]


@pytest.fixture(scope="module")
def kent(engine: Engine) -> Coverage:
    return ward_coverage(engine, EVERYTHING, KENT, DEMONSTRATION_DATE)


@pytest.fixture(scope="module")
def medway(engine: Engine) -> Coverage:
    return ward_coverage(engine, EVERYTHING, MEDWAY, DEMONSTRATION_DATE)


@pytest.fixture(scope="module")
def sources() -> list[Source]:
    return demonstration.files()


@pytest.fixture(scope="module")
def referrals(sources: list[Source]) -> pd.DataFrame:
    found = [source.sheets[0].frame for source in sources if "referrals" in source.name]
    return pd.concat(found, ignore_index=True)


@pytest.mark.slow
def test_the_same_bytes_in_every_process(sources: list[Source]) -> None:
    script = "from dashboard.demonstration import files; print(*(s.sha256 for s in files()))"
    # Another order of sets and dictionaries than here.
    told = subprocess.run(
        [sys.executable, "-c", script],
        cwd=Path(demonstration.__file__).parents[2],
        env={**os.environ, "PYTHONHASHSEED": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.split() == [source.sha256 for source in sources]


def test_the_files_say_what_they_are(sources: list[Source]) -> None:
    assert all("demonstration" in source.name for source in sources)
    assert len({source.name for source in sources}) == len(sources)
    assert sum("PCN workforce" in source.name for source in sources) == 37


def test_referrals_are_as_many_as_told_and_within_the_period(referrals: pd.DataFrame) -> None:
    years = referrals["received"].str[:7].map(lambda m: 2023 + (m >= "2024-07") + (m >= "2025-07"))
    by_board = referrals.groupby([referrals["pcn_code"].notna(), years]).size().unstack()
    assert by_board.loc[True].between(10_500, 13_500).all()
    assert by_board.loc[False].between(1_700, 2_400).all()
    assert by_board.loc[True].is_monotonic_increasing
    assert referrals["received"].min() >= "2023-07-01"
    steps = ["received", *(step for step in STEPS if step in referrals)]
    assert len(steps) == 1 + len(STEPS)
    assert referrals[steps].max().max() <= DEMONSTRATION_DATE.isoformat()


def test_the_steps_of_a_referral_follow_each_other(referrals: pd.DataFrame) -> None:
    order = ["received", "accepted", "first_contact", "plan_agreed", "connected", "attended"]
    for earlier, later in itertools.pairwise(order):
        reached = referrals[referrals[later] != ""]
        assert (reached[earlier] != "").all()
        assert (reached[earlier] <= reached[later]).all()
    assert ((referrals["declined"] == "") | (referrals["accepted"] == "")).all()


def test_no_real_ward_is_named(sources: list[Source]) -> None:
    codes = {code for s in sources for code in re.findall(rb"[EW]05\w{6}", s.raw)}
    assert len(codes) == 279 + 46
    assert not [code for code in codes if re.fullmatch(rb"[EW]05[0-9]{6}", code)]


def test_made_once_and_said_to_be_simulated(
    loaded: tuple[Engine, list[LoadRecord]], sources: list[Source]
) -> None:
    engine, records = loaded
    assert len(records) == len(sources)
    assert loads.data_state(engine).is_demonstration
    assert loads.data_state(engine).newest_date == DEMONSTRATION_DATE
    assert demonstration.make(engine, b"k" * 32) == []


def test_a_failure_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sources: list[Source]
) -> None:
    engine = make_engine(f"sqlite:///{tmp_path / 'dashboard.db'}")
    upgrade(engine)
    monkeypatch.setattr(demonstration, "files", lambda: [*sources[:2], sources[0]])
    with pytest.raises(ValueError, match="Already loaded"):
        demonstration.make(engine, b"k" * 32)
    assert not loads.data_state(engine).is_demonstration
    engine.dispose()


def test_every_status_and_state_can_be_seen(kent: Coverage, medway: Coverage) -> None:
    frame = pd.concat([kent.wards.frame, medway.wards.frame])
    assert set(frame["status"]) == set(Status)
    assert set(frame["services"]) == set(State)
    assert {State.PRESENT, State.ABSENT, State.NO_RETURN} <= set(frame["route_in"])
    assert {State.PRESENT, State.ABSENT, State.NO_RETURN} <= set(frame["link_worker"])
    assert frame["route_in_inferred"].any()


def test_thanet_has_two_served_wards_and_names_the_21_others(kent: Coverage) -> None:
    frame = kent.wards.frame
    without = frame[frame["status"] == Status.NO_PROVISION]
    assert set(without["lad_name"]) == {"Thanet"}
    assert len(without) == 21
    assert (frame["lad_name"] == "Thanet").sum() == 23


def test_most_wards_of_kent_are_judged_by_their_take_up(kent: Coverage) -> None:
    counts = kent.wards.frame["status"].value_counts()
    judged = counts[[Status.LOW, Status.AS_EXPECTED, Status.HIGH]]
    assert 0.5 <= judged.sum() / len(kent.wards.frame) <= 0.65
    assert judged.idxmax() == Status.AS_EXPECTED
    assert judged.min() >= 8
    assert kent.basis.strata == "age band and deprivation fifth"
    assert kent.basis.shares == "registered"


def test_the_gaps_are_where_the_story_puts_them(kent: Coverage) -> None:
    at = kent.wards.frame.groupby("status")["lad_name"].agg(set)
    assert at[Status.NO_LINK_WORKER] == {"Swale"}
    assert at[Status.NOTHING_TO_REFER_TO] == {"Ashford", "Gravesham"}
    assert at[Status.NO_RETURN] == {"Dover"}
    frame = kent.wards.frame
    assert set(frame.loc[frame["services"] == State.AREA_WIDE, "lad_name"]) == {
        "Folkestone and Hythe"
    }
    silent = frame[frame["take_up_reason"].str.contains("Sevenoaks", na=False)]
    assert len(silent) >= 5
    for flag in ("at capacity", "stale directory", "funding ends within 6 months"):
        assert frame["flags"].str.contains(flag).any()
    ends = frame[frame["flags"].str.contains("funding ends")]
    assert list(ends["lad_name"]) == ["Canterbury"] * 4


def test_two_districts_have_no_population_on_their_codes(kent: Coverage) -> None:
    without = kent.wards.frame[kent.wards.frame["population"].isna()]
    assert without["lad_name"].value_counts().to_dict() == {"Maidstone": 22, "Tunbridge Wells": 14}


def test_some_numbers_are_hidden(kent: Coverage) -> None:
    assert kent.wards.frame[hidden_flag(REFERRALS)].sum() >= 5


def test_nobody_has_told_of_medway(medway: Coverage) -> None:
    assert len(medway.wards.frame) == 24
    assert set(medway.wards.frame["status"]) == {Status.NO_RETURN}


def test_one_person_in_two_pcns_and_a_return_that_is_missing(engine: Engine) -> None:
    pcns = workforce.fte_by_pcn(engine, EVERYTHING, KENT, DEMONSTRATION_DATE)
    assert len(pcns) == 38
    assert pcns["fte"].isna().sum() == 1
    assert (pcns["fte"] == 0).sum() == 2
    people = workforce.people_in_post(engine, EVERYTHING, KENT, DEMONSTRATION_DATE)
    assert people == pcns["headcount"].sum() - 1


def test_the_correction_of_may_is_in_force(engine: Engine) -> None:
    part, load = tables.load_part.c, tables.load.c
    statement = (
        select(load.file_name, part.replaced_by.is_(None).label("in_force"))
        .join(tables.load, load.id == part.load_id)
        .where(part.part_key == f"2026-05 {KENT}", part.dataset == "workforce")
    )
    with engine.connect() as connection:
        found = {row.file_name: bool(row.in_force) for row in connection.execute(statement)}
    assert found == {
        "demonstration PCN workforce 2026-05.csv": False,
        "demonstration PCN workforce 2026-05 corrected.csv": True,
    }


def test_every_need_has_a_service(engine: Engine) -> None:
    themes = provision.service_themes(engine, EVERYTHING)
    assert set(themes["theme"]) == set(NEED_THEMES)
    areas = provision.service_areas(engine, EVERYTHING, KENT, DEMONSTRATION_DATE)
    assert KENT not in set(areas["area_code"])
    assert provision.service_areas(engine, EVERYTHING, MEDWAY, DEMONSTRATION_DATE).empty
