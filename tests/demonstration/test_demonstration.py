"""The demonstration: the same at every call, loaded like real files, and telling its story."""

from __future__ import annotations

import itertools
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import Engine, select

from dashboard import demonstration
from dashboard.coverage import REFERRALS, Coverage, ward_coverage
from dashboard.demonstration import DEMONSTRATION_DATE
from dashboard.demonstration.posts import NEVER_FILLED
from dashboard.intake.health_budgets import ENTITLEMENTS
from dashboard.intake.referrals import STEPS
from dashboard.intake.services import NEED_THEMES
from dashboard.intake.source import Source
from dashboard.rules.coverage import State, Status
from dashboard.rules.disclosure import hidden_flag
from queries import loads, provision, tables, workforce
from queries import posts as returned
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
def posts(engine: Engine) -> pd.DataFrame:
    """The posts of both boards, one row a spell."""
    found = [
        returned.posts(engine, EVERYTHING, board, DEMONSTRATION_DATE) for board in (KENT, MEDWAY)
    ]
    return pd.concat(found, ignore_index=True)


@pytest.fixture(scope="module")
def now(posts: pd.DataFrame) -> pd.DataFrame:
    """The posts as they stand on the last day, by their id."""
    return posts[posts["until"].isna() | (posts["until"] > DEMONSTRATION_DATE)].set_index("post_id")


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


def test_three_pcns_sent_no_posts(engine: Engine, posts: pd.DataFrame) -> None:
    boards = [
        workforce.fte_by_pcn(engine, EVERYTHING, b, DEMONSTRATION_DATE) for b in (KENT, MEDWAY)
    ]
    pcns = pd.concat(boards).set_index("pcn_code")
    silent = pcns.loc[~pcns.index.isin(posts["pcn_code"]), "fte"]
    # The second has none in post either; that the first and the last have is published.
    assert list(silent.index) == ["UDK016", "UDK029", "UDK033"]
    assert (silent > 0).tolist() == [True, False, True]
    # A PCN without a workforce return can send one of posts.
    assert "UDK010" in set(posts["pcn_code"])
    assert pd.isna(pcns.loc["UDK010", "fte"])


def test_the_spells_of_a_post_follow_each_other(posts: pd.DataFrame) -> None:
    for _post, spells in posts.groupby("post_id"):
        assert spells["until"].iloc[:-1].notna().all()
        after = [day + timedelta(1) for day in spells["until"].iloc[:-1]]
        assert spells["since"].iloc[1:].tolist() == after
        assert spells[["pcn_code", "funded_fte", "role_title"]].drop_duplicates().shape[0] == 1
    in_window = posts["since"].map(lambda day: pd.notna(day) and day > date(2023, 7, 31))
    starters, leavers = posts[in_window], posts["until"].notna()
    assert (starters["status"] == "filled").sum() > 60
    assert (posts[leavers]["status"] == "filled").sum() > 50
    assert posts["since"].isna().sum() > 5


def test_how_posts_stand(now: pd.DataFrame) -> None:
    assert now.index.is_unique
    assert now["status"].value_counts().to_dict() == {
        "filled": 93,
        "vacant": 8,
        "recruiting": 1,
        "ended": 1,
    }
    vacant = now[now["status"] == "vacant"]
    days = sorted((DEMONSTRATION_DATE - day).days for day in vacant["since"])
    # One follows a worker who left in April, and one is all that its PCN has.
    assert days == sorted([*NEVER_FILLED, (DEMONSTRATION_DATE - date(2026, 5, 1)).days, 400])
    assert (min(days), max(days)) == (20, 400)
    assert now.loc[now["pcn_code"] == "UDK028", ["status", "funded_fte"]].values.tolist() == [
        ["vacant", 1.0]
    ]
    ends = now[now["until"].notna()]
    assert ends[["pcn_code", "status", "until"]].values.tolist() == [
        ["UDK001", "filled", date(2026, 12, 31)]
    ]


def test_who_employs_and_who_supervises(now: pd.DataFrame) -> None:
    filled = now[now["status"] == "filled"]
    assert set(filled["employer_type"]) == {"NHS", "VCSE", "consortium", "contracted provider"}
    assert set(filled["role_title"]) == {
        "Social prescribing link worker",
        "Community connector",
        "Village agent",
        "Care navigator",
    }
    assert 1 <= filled["supervised_by"].isna().sum() < filled["last_supervision_on"].isna().sum()
    assert filled["last_supervision_on"].isna().mean() < 0.25
    days = [(DEMONSTRATION_DATE - day).days for day in filled["last_supervision_on"].dropna()]
    assert 5 <= min(days) <= 30
    assert 150 <= max(days) <= 200
    both = filled.dropna(subset=["since", "last_supervision_on"])
    assert (both["last_supervision_on"] >= both["since"]).all()
    others = now[now["status"] != "filled"]
    assert others[["supervised_by", "last_supervision_on"]].isna().all(axis=None)


def test_posts_agree_with_the_published_workforce(engine: Engine, posts: pd.DataFrame) -> None:
    # In June one PCN more has no workforce return.
    for day, both in ((date(2024, 3, 31), 34), (DEMONSTRATION_DATE, 33)):
        published = workforce.fte_by_pcn(engine, EVERYTHING, KENT, day).set_index("pcn_code")
        begun = posts["since"].map(lambda since, day=day: pd.isna(since) or since <= day)
        lasts = posts["until"].map(lambda until, day=day: pd.isna(until) or until >= day)
        filled = posts[begun & lasts & (posts["status"] == "filled")]
        funded = filled.groupby("pcn_code")["funded_fte"].sum()
        more = (funded - published["fte"]).dropna().round(1)
        assert len(more) == both
        # Some work fewer hours than there is money for; nobody works more.
        assert set(more) == {0, 0.2}


def test_most_pcns_have_a_rising_plan(engine: Engine) -> None:
    kent = returned.planned_fte(engine, EVERYTHING, KENT, DEMONSTRATION_DATE)
    medway = returned.planned_fte(engine, EVERYTHING, MEDWAY, DEMONSTRATION_DATE)
    pcns = [f"UDK{number:03d}" for number in range(1, 39)]
    assert sorted(set(pcns) - set(kent["pcn_code"])) == ["UDK009", "UDK029", "UDK031"]
    assert sorted(set(medway["pcn_code"])) == [f"UDM{number:03d}" for number in range(1, 6)]
    for _pcn, plan in pd.concat([kent, medway]).groupby("pcn_code"):
        assert (plan["month"].iloc[0], plan["month"].iloc[-1]) == (
            date(2025, 4, 1),
            date(2027, 3, 1),
        )
        assert len(plan) == 24
        assert plan["planned_fte"].is_monotonic_increasing
        assert plan["planned_fte"].iloc[-1] > plan["planned_fte"].iloc[0]


def test_two_thirds_of_kent_have_a_target(engine: Engine) -> None:
    targets = returned.local_targets(engine, EVERYTHING, KENT, DEMONSTRATION_DATE)
    current = targets[targets["valid_from"] == date(2026, 4, 1)]
    assert len(current) == len(set(current["pcn_code"])) == 25
    assert 0 < (current["valid_until"] == date(2027, 3, 31)).sum() < 25
    assert current["target_fte"].between(1, 8).all()
    earlier = targets.drop(current.index)
    assert set(earlier["valid_from"]) == {date(2025, 4, 1)}
    assert set(earlier["valid_until"]) == {date(2026, 3, 31)}
    assert set(earlier["pcn_code"]) - set(current["pcn_code"]) == {"UDK005"}
    assert len(earlier) > 1
    assert returned.local_targets(engine, EVERYTHING, MEDWAY, DEMONSTRATION_DATE).empty
    # Some have what they are to have, and some have not.
    pcns = workforce.fte_by_pcn(engine, EVERYTHING, KENT, DEMONSTRATION_DATE)
    known = current.merge(pcns.dropna(subset="fte"), on="pcn_code")
    assert 5 <= (known["fte"] >= known["target_fte"]).sum() <= len(known) - 5


def test_budgets_of_both_boards(engine: Engine) -> None:
    kent, medway = (
        returned.budgets_in_place(engine, EVERYTHING, board, DEMONSTRATION_DATE)
        for board in (KENT, MEDWAY)
    )
    for budgets in (kent, medway):
        assert set(budgets["entitlement"]) == set(ENTITLEMENTS)
        months = budgets.groupby("entitlement")["period_end"].agg(["count", "min", "max"])
        expected = [13, date(2025, 6, 30), DEMONSTRATION_DATE]
        assert months.values.tolist() == [expected] * len(ENTITLEMENTS)
    assert kent["in_place"].notna().all()
    # Medway's are so few in one group that it hides them.
    hidden = medway[medway["in_place"].isna()]
    assert set(hidden["entitlement"]) == {"children's continuing care"}
