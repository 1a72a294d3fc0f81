"""The demonstration: the same at every call, loaded like real files, and telling its story."""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import geopandas
import pandas as pd
import pytest
from sqlalchemy import Engine, select

from dashboard import demonstration
from dashboard.coverage import REFERRALS, Coverage, ward_coverage
from dashboard.demonstration import DEMONSTRATION_DATE
from dashboard.demonstration.capacity import SILENT
from dashboard.demonstration.losses import HANDED_ON
from dashboard.demonstration.pathway import NO_GO
from dashboard.demonstration.posts import NEVER_FILLED
from dashboard.demonstration.services import VENUES
from dashboard.intake.health_budgets import ENTITLEMENTS
from dashboard.intake.referrals import STEPS
from dashboard.intake.services import postcode_places
from dashboard.intake.source import Source
from dashboard.rules.control_chart import Colour, Variation, judge_series
from dashboard.rules.coverage import State, Status
from dashboard.rules.disclosure import hidden_flag
from dashboard.rules.freshness import Freshness
from dashboard.rules.near_duplicates import near_duplicates
from dashboard.rules.needs import NEED_THEMES, themes_of
from dashboard.services import Services, board_services
from queries import loads, tables, workforce
from queries import posts as returned
from queries.database import make_engine, upgrade
from queries.load import LoadRecord
from queries.scope import EVERYTHING
from tests.made_once import demonstration_file, demonstration_records

KENT, MEDWAY = "QDK", "QDM"
# In one process: the database is made once.


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Engine, list[LoadRecord]]]:
    made = demonstration_file(tmp_path_factory)
    path = shutil.copy(made, tmp_path_factory.mktemp("demonstration") / "dashboard.db")
    engine = make_engine(f"sqlite:///{path.as_posix()}")
    yield engine, demonstration_records(made)
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
def there(engine: Engine) -> Services:
    """The services of Kent, joined and placed."""
    return board_services(engine, EVERYTHING, KENT, DEMONSTRATION_DATE)


def rows_of(sources: list[Source], name: str) -> pd.DataFrame:
    """The rows of the one file of that name, as text."""
    (source,) = (source for source in sources if source.name == f"demonstration {name}.csv")
    return source.sheets[0].frame.reset_index(drop=True)


@pytest.fixture(scope="module")
def returned_services(sources: list[Source]) -> pd.DataFrame:
    return rows_of(sources, "services")


@pytest.fixture(scope="module")
def weeks(sources: list[Source]) -> pd.DataFrame:
    """The return of capacity, with numbers where there are some, and the service's district."""
    found = rows_of(sources, "capacity by week")
    numbers = ["places_offered", "places_filled", "waiting"]
    names = rows_of(sources, "services").set_index("service_id")["service_name"]
    return found.astype(dict.fromkeys(numbers, int)).assign(
        service_name=found["service_id"].map(names)
    )


@pytest.fixture(scope="module")
def feeds(sources: list[Source]) -> list[dict[str, dict[str, Any]]]:
    """The earlier feed of the directory and the later one: each service by its id."""
    pages = [source.json for source in sources if "directory" in source.name]
    return [{service["id"]: service for service in page["contents"]} for page in pages]


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
    # This PCN never says when a plan was agreed.
    said = referrals[referrals["pcn_code"] != "UDK013"]
    mistaken = 0
    for earlier, later in itertools.pairwise(order):
        reached = said[said[later] != ""]
        assert (reached[earlier] != "").all()
        mistaken += (reached[earlier] > reached[later]).sum()
    # Dates typed wrongly, as in every return; two steps are out of order where the first is.
    assert 20 < mistaken < 200
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


def test_every_need_has_a_service_and_none_is_for_the_whole_board(
    engine: Engine, there: Services
) -> None:
    assert set(there.themes["theme"]) == set(NEED_THEMES)
    assert there.everywhere.empty
    medway = board_services(engine, EVERYTHING, MEDWAY, DEMONSTRATION_DATE)
    assert not medway.is_returned
    assert medway.serving.empty


def test_how_long_ago_services_were_confirmed(there: Services) -> None:
    found = there.listed[there.listed["service_id"].str.startswith("DS")]
    assert found["freshness"].value_counts().to_dict() == {
        Freshness.FRESH: 43,
        Freshness.AGEING: 15,
        Freshness.STALE: 5,
        Freshness.NEVER: 4,
    }
    # Of the stale ones, two serve the wards of Gravesham that have no others.
    stale = found.loc[found["freshness"] == Freshness.STALE, "service_name"]
    assert sorted(stale) == [
        "Community garden Thanet",
        "Community kitchen Tonbridge and Malling",
        "Community transport Gravesham",
        "Community transport Maidstone",
        "Walking group Gravesham",
    ]


def test_what_a_return_says_of_its_services(returned_services: pd.DataFrame) -> None:
    frame = returned_services
    assert frame["sector"].value_counts().to_dict() == {
        "VCSE": 47,
        "council": 8,
        "NHS": 4,
        "other": 4,
        "private": 4,
    }
    assert set(frame["access"]) == {"drop-in", "by appointment", "by referral"}
    assert frame.groupby("provider")["sector"].nunique().max() == 1
    # About half are somewhere; what is online, or nowhere, is not.
    assert 0.45 <= (frame["postcode"] != "").mean() <= 0.6
    unplaced = (frame["area_served"] == "") & (frame["online"] == "no")
    assert frame.loc[unplaced, ["service_id", "postcode"]].values.tolist() == [["DS056", ""]]
    assert (frame.loc[frame["online"] == "yes", "postcode"] == "").all()
    wait = pd.to_numeric(frame["wait_days"]).groupby(frame["state"]).agg(["min", "max"])
    assert wait.loc["has capacity"].between(0, 14).all()
    assert wait.loc["full with waiting list"].between(21, 119).all()
    assert wait.loc["full"].isna().all()
    worth = frame["places_offered"].astype(int) * frame["cost_per_place"].astype(int)
    by_district = worth.groupby(
        frame["area_served"].where(frame["area_served"].str.len() == 9)
    ).sum()
    assert by_district.max() > 2 * by_district.min()


def test_funding_ends_within_3_6_and_9_months(there: Services) -> None:
    ends = pd.to_datetime(there.listed["funding_ends"])
    wards = there.serving.groupby("service_key")["ward_code"].agg(set)
    found = {}
    for months in (3, 6, 9):
        last = pd.Timestamp(DEMONSTRATION_DATE) + pd.DateOffset(months=months)
        keys = there.listed.loc[ends <= last, "service_key"]
        found[months] = (len(keys), len(set().union(*wards[wards.index.isin(keys)])))
    assert found[3] == (4, 4)
    assert found[6] == (6, 4)
    assert found[9][0] == 17
    assert found[9][1] > 100


def test_postcodes_lie_in_the_wards_they_are_said_to(sources: list[Source], kent: Coverage) -> None:
    venues = [venue for known in VENUES.values() for venue in known]
    placed = postcode_places(venue.postcode for venue in venues)
    assert list(placed.index) == [venue.postcode for venue in venues]
    said = pd.DataFrame([venue[2:] for venue in venues], columns=["latitude", "longitude"])
    assert abs(placed.to_numpy() - said.to_numpy()).max() < 1e-4
    shapes = geopandas.GeoDataFrame.from_features(json.loads(sources[0].raw)["features"], crs=4326)
    points = geopandas.points_from_xy(said["longitude"], said["latitude"], crs=4326)
    lying = geopandas.GeoDataFrame(geometry=points).sjoin(shapes, predicate="within")
    assert lying["WD25CD"].tolist() == [venue.ward_code for venue in venues]
    assert lying["LAD25NM"].tolist() == [name for name, known in VENUES.items() for _ in known]
    # None brings something where the story tells that there is nothing.
    frame = kent.wards.frame.set_index("ward_code")
    assert set(frame.loc[[venue.ward_code for venue in venues], "services"]) == {State.PRESENT}


def test_one_group_of_one_ward_is_all_thanet_has_for_a_need(
    there: Services, kent: Coverage
) -> None:
    frame = kent.wards.frame
    thanet = set(frame.loc[frame["lad_name"] == "Thanet", "ward_code"])
    of_need = there.themes.loc[there.themes["theme"] == "long-term condition", "service_key"]
    found = there.serving[
        there.serving["service_key"].isin(of_need) & there.serving["ward_code"].isin(thanet)
    ]
    named = found.merge(there.listed[["service_key", "service_name"]])
    assert named[["service_name", "ward_code", "way"]].values.tolist() == [
        ["Diabetes support group Thanet", "E05DM0234", "names the ward"]
    ]
    assert frame.set_index("ward_code").loc["E05DM0234", "route_in"] == State.PRESENT


def test_capacity_of_30_weeks_ends_with_what_the_services_return_says(
    weeks: pd.DataFrame, sources: list[Source]
) -> None:
    mondays = pd.date_range(end="2026-06-29", periods=30, freq="7D").strftime("%Y-%m-%d")
    assert sorted(set(weeks["week"])) == list(mondays)
    assert weeks["service_id"].nunique() == 58
    by_service = weeks.groupby(["provider", "service_id"])["week"].agg(["count", "max"])
    silent = by_service.index.get_level_values("provider") == SILENT
    assert set(by_service["max"]) == {"2026-06-29"}
    assert set(by_service.loc[silent, "count"]) == {27}
    assert set(by_service.loc[~silent, "count"]) == {30}
    # Not returned is not zero.
    assert (weeks["places_offered"] > 0).all()
    newest = rows_of(sources, "capacity by week").query("week == '2026-06-29'")
    told = rows_of(sources, "services").set_index("service_id")
    columns = ["provider", "state", "places_offered", "places_filled", "waiting", "wait_days"]
    newest = newest.set_index("service_id")
    assert newest[columns].equals(told.loc[newest.index, columns])


def test_state_and_numbers_of_a_week_agree(weeks: pd.DataFrame) -> None:
    has_room = weeks["places_filled"] < weeks["places_offered"]
    assert (has_room == (weeks["state"] == "has capacity")).all()
    assert (weeks["places_filled"] <= weeks["places_offered"]).all()
    assert ((weeks["waiting"] > 0) == (weeks["state"] == "full with waiting list")).all()


def test_swale_fills_up_and_dartford_is_full_throughout(weeks: pd.DataFrame) -> None:
    charts = {}
    for district in ("Swale", "Dover", "Sevenoaks", "Canterbury"):
        mine = weeks[weeks["service_name"].str.endswith(district)]
        filled = mine.groupby("week")["places_filled"].sum()
        days = [date.fromisoformat(day) for day in filled.index]
        charts[district] = judge_series(days, filled.tolist(), improvement="low")
    swale = charts.pop("Swale")
    assert swale.variation == Variation.CONCERN_HIGH
    # Before the spring all lie below the lower limit or in a run, since then all above.
    assert {point.colour for point in swale.points[:17]} == {Colour.IMPROVEMENT}
    values = [point.value for point in swale.points]
    assert min(values[-8:]) > 1.2 * max(values[:17])
    assert {chart.variation for chart in charts.values()} == {Variation.COMMON_CAUSE}
    dartford = weeks[weeks["service_name"].str.endswith("Dartford")]
    assert (dartford["places_filled"] == dartford["places_offered"]).all()
    assert (dartford.groupby("week")["waiting"].sum() > 0).all()


def test_three_services_of_the_directory_are_gone_and_one_has_changed(
    feeds: list[dict[str, dict[str, Any]]], there: Services
) -> None:
    earlier, later = feeds
    assert (len(earlier), len(later)) == (60, 57)
    gone = set(earlier) - set(later)
    assert set(later) <= set(earlier)
    assert len(gone) == 3
    assert [later[key]["name"] for key in later if later[key] != earlier[key]] == [
        "Lunch and games club Swale"
    ]
    assert set(there.closed["service_id"]) == gone
    assert set(there.closed["closed_on"]) == {date(2026, 6, 24)}


def test_the_directory_has_what_is_found_in_directories(
    feeds: list[dict[str, dict[str, Any]]], there: Services
) -> None:
    found = list(feeds[1].values())
    assert sum("<b>" in service["name"] for service in found) == 1
    assert sum(service["organization"]["name"] == "" for service in found) == 1
    assert sum("schedules" in service for service in found) == 2
    at = [
        service["service_at_locations"][0]["location"]
        for service in found
        if "service_at_locations" in service
    ]
    assert sum(location["latitude"] is not None for location in at) > 0.5 * len(found)
    assert sum("addresses" in location for location in at) > 0.25 * len(found)
    assert (
        sum(
            not {"service_at_locations", "service_areas", "schedules"} & set(service)
            for service in found
        )
        == 7
    )
    listed = there.listed[there.listed["service_id"].isin(feeds[1])]
    assert "Bereavement tea & more, Tonbridge and Malling" in set(listed["service_name"])
    assert (listed["provider"] == "not stated").sum() == 1
    assert set(listed["freshness"]) == set(Freshness)
    # Of these the return says how much room there is, and the directory its address.
    joined = listed[listed["said_by"] == "the provider's return and the directory"]
    assert len(joined) == 8
    assert joined["web_address"].notna().all()
    assert joined["places_offered"].notna().all()
    own = listed[~listed["service_id"].str.startswith("DS")]
    assert not set(own["service_key"]) & set(there.themes["service_key"])


def test_three_entries_of_the_directory_may_be_services_that_return_themselves(
    feeds: list[dict[str, dict[str, Any]]], returned_services: pd.DataFrame
) -> None:
    columns = ["service_name", "provider", "postcode"]
    own = returned_services[columns].assign(service_key=returned_services["service_id"], source="a")
    rows = []
    for key, service in feeds[1].items():
        (at,) = service.get("service_at_locations", [{}])
        (address,) = at.get("location", {}).get("addresses", [{}])
        rows.append(
            (service["name"], service["organization"]["name"], address.get("postal_code"), key, "b")
        )
    listed = pd.DataFrame(rows, columns=own.columns)
    both = pd.concat([own, listed], ignore_index=True)
    found = near_duplicates(both.assign(web_address=None, latitude=None, longitude=None))
    names = both.set_index("service_key")["service_name"]
    assert sorted(sorted(names[pair]) for pair in found[["key", "other_key"]].values.tolist()) == [
        ["Ashford befriending", "Befriending Ashford"],
        ["Befriending Maidstone", "Maidstone befriending"],
        ["Living well course Tonbridge and Malling", "Tonbridge and Malling living well course"],
    ]


def test_referrals_end_for_lack_of_a_service_most_where_there_is_none(
    referrals: pd.DataFrame, returned_services: pd.DataFrame, kent: Coverage
) -> None:
    unattended = referrals["attended"] == ""
    ended = referrals[unattended & ~referrals["closed_reason"].isin(["", "completed"])]
    assert set(ended["closed_reason"]) == {*NO_GO, HANDED_ON}
    frame = kent.wards.frame
    wards = frame.loc[frame["lad_name"] == "Dover", "ward_code"]
    offered = returned_services["service_name"].str.endswith("Dover")
    themes = set(";".join(returned_services.loc[offered, "need_themes"]).split(";"))
    mine = ended[ended["ward_code"].isin(wards)]
    without = mine["reasons"].map(lambda said: themes.isdisjoint(themes_of(said)))
    lacking = (mine["closed_reason"] == "no suitable service").groupby(without).mean()
    assert lacking[False] == pytest.approx(0.08, abs=0.03)
    assert lacking[True] == pytest.approx(0.26, abs=0.03)


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
