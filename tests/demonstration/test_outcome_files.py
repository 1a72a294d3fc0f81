"""What the demonstration tells of people on the way, how they do, and whom the GP sees."""

from __future__ import annotations

import pandas as pd
import pytest

from dashboard import demonstration
from dashboard.demonstration.losses import HANDED_ON
from dashboard.intake.outcomes import MEASURES, POINTS
from dashboard.rules.wellbeing import swemwbs_metric
from queries.load import LoadRecord
from tests.made_once import demonstration_file, demonstration_records

# Never says when a plan was agreed; reaches few; reaches few since October 2025; measures nobody;
# measures at the start only; tells of no attendances at the GP.
WITHOUT_PLAN_DATES, FEW_CONTACTED, FEWER_LATELY = "UDK013", "UDK008", "UDK003"
WITHOUT_OUTCOMES, AT_START_ONLY, WITHOUT_GP_CONTACTS = "UDK017", "UDK025", "UDK026"
LAST_YEAR = "2025-07-01"


@pytest.fixture(scope="module")
def files() -> dict[str, pd.DataFrame]:
    """The rows of each CSV file, as text, by its name without "demonstration"."""
    return {
        source.name.removeprefix("demonstration ").removesuffix(".csv"): source.sheets[0].frame
        for source in demonstration.files()
        if source.name.endswith(".csv")
    }


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> list[LoadRecord]:
    return demonstration_records(demonstration_file(tmp_path_factory))


@pytest.fixture(scope="module")
def referrals(files: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Referrals of both boards by reference, with the PCN and, in Medway, the LSOA's decile."""
    rows = pd.concat([frame for name, frame in files.items() if name.startswith("referrals")])
    practices = files["practices 2026-06"].set_index("PRACTICE_CODE")["PCN_CODE"]
    index = files["deprivation IMD 2019 File 1"]
    deciles = index.set_index("LSOA code (2011)")[index.columns[-1]].astype(int)
    rows["pcn_code"] = rows["pcn_code"].fillna(rows["practice_code"].map(practices))
    rows["decile"] = rows["lsoa_code"].map(deciles)
    found = rows.set_index("reference")
    assert found.index.is_unique
    return found


@pytest.fixture(scope="module")
def outcomes(files: dict[str, pd.DataFrame], referrals: pd.DataFrame) -> pd.DataFrame:
    """The measurements, with their value, and what the referral says."""
    rows = files["outcome measurements"]
    told = rows["item"].where(rows["item"] != "", "total")
    value = pd.to_numeric(rows["score"].where(rows["total"] == "", rows["total"]))
    of_referral = referrals[["received", "first_contact", "closed", "pcn_code", "lsoa_code"]]
    return rows.assign(item=told, value=value).join(of_referral, on="reference", how="left")


@pytest.fixture(scope="module")
def pairs(outcomes: pd.DataFrame) -> pd.DataFrame:
    """Start, end and change of each person, by measure and item."""
    wide = outcomes.pivot(index=["measure", "item", "reference"], columns="point", values="value")
    both = wide.dropna(subset=["start", "end"])
    return both.assign(change=both["end"] - both["start"])


def test_each_file_is_recognised_and_read_whole(records: list[LoadRecord]) -> None:
    found = {
        record.dataset: record.rows_refused
        for record in records
        if record.dataset in {"outcomes", "gp_contacts", "appointments"}
    }
    assert found == {"outcomes": 0, "gp_contacts": 0, "appointments": 0}
    assert sum(record.rows_refused for record in records) == 0


# --- on the way -----------------------------------------------------------------------------


def contacted(rows: pd.DataFrame) -> float:
    """The share of the accepted that were contacted."""
    return float((rows.loc[rows["accepted"] != "", "first_contact"] != "").mean())


def test_one_pcn_never_says_when_a_plan_was_agreed(referrals: pd.DataFrame) -> None:
    says = (referrals["plan_agreed"] != "").groupby(referrals["pcn_code"]).any()
    assert says[~says].index.tolist() == [WITHOUT_PLAN_DATES]
    mine = referrals[referrals["pcn_code"] == WITHOUT_PLAN_DATES]
    assert (mine["connected"] != "").mean() > 0.4


def test_one_pcn_contacts_fewer_than_all_others(referrals: pd.DataFrame) -> None:
    before = referrals[referrals["received"] < "2025-10-01"]
    shares = {pcn: contacted(rows) for pcn, rows in before.groupby("pcn_code")}
    assert shares.pop(FEW_CONTACTED) == pytest.approx(0.7, abs=0.05)
    assert min(shares.values()) > 0.88


def test_in_one_pcn_fewer_are_contacted_from_one_month_to_the_next(
    referrals: pd.DataFrame,
) -> None:
    mine = referrals[referrals["pcn_code"] == FEWER_LATELY]
    months = mine.groupby(mine["received"].str[:7]).apply(contacted)
    # Those of the last two months are still waiting.
    assert months["2025-10":"2026-04"].max() < 0.65
    assert len(months["2025-10":"2026-04"]) == 7
    assert months[:"2025-09"].min() > 0.85


def test_few_dates_are_out_of_order(referrals: pd.DataFrame) -> None:
    order = ["received", "first_contact", "plan_agreed", "connected", "attended"]
    days = referrals[order].replace("", pd.NA)
    found = {
        later: int((days[later] < days[earlier]).sum())
        for earlier, later in (order[:2], order[1:3], order[3:])
    }
    assert all(10 <= count <= 60 for count in found.values()), found
    lately = days[days["received"] >= LAST_YEAR]
    assert (lately["first_contact"] < lately["received"]).sum() >= 3


def test_more_decline_and_fewer_are_connected_where_deprivation_is_high(
    referrals: pd.DataFrame,
) -> None:
    medway = referrals.dropna(subset="decile")
    declined = (medway["declined"] != "").groupby(medway["decile"] <= 3).mean()
    assert 0.01 < declined[True] - declined[False] < 0.06
    planned = medway[medway["plan_agreed"] != ""]
    connected = (planned["connected"] != "").groupby(planned["decile"] <= 2).mean()
    assert 0.06 < connected[False] - connected[True] < 0.18


def test_reasons_of_closing_agree_with_the_steps(referrals: pd.DataFrame) -> None:
    ended = referrals[referrals["closed_reason"] != ""]
    assert (ended["closed"] != "").all()
    attended, completed = ended["attended"] != "", ended["closed_reason"] == "completed"
    assert attended[completed].all()
    # Some go once, and don't stay.
    assert completed[attended].mean() == pytest.approx(0.91, abs=0.02)
    assert 0.03 < (ended["closed_reason"] == HANDED_ON).mean() < 0.08
    handed = ended[ended["closed_reason"] == HANDED_ON]
    assert (handed["first_contact"] != "").all()
    unconnected = referrals[referrals["connected"] == ""]
    assert (unconnected["connected_service"] == "").all()


# --- how people do --------------------------------------------------------------------------


def test_every_measurement_is_of_a_contacted_referral(outcomes: pd.DataFrame) -> None:
    assert (outcomes["received"] >= LAST_YEAR).all()
    days = outcomes[["date", "received", "first_contact"]].apply(pd.to_datetime)
    assert days.notna().all(axis=None)
    assert (days["date"] >= days["received"]).all()
    assert days["date"].max() <= pd.Timestamp("2026-06-30")
    start = days[outcomes["point"] == "start"]
    # A first contact typed too early is not when it was measured.
    typed_well = start[start["first_contact"] >= start["received"]]
    assert (typed_well["date"] - typed_well["first_contact"]).dt.days.between(0, 7).all()
    end = outcomes[outcomes["point"] == "end"]
    before_close = pd.to_datetime(end["closed"]) - pd.to_datetime(end["date"])
    assert before_close.dt.days.max() == 10


def test_what_is_measured_and_when(outcomes: pd.DataFrame, referrals: pd.DataFrame) -> None:
    assert set(outcomes["measure"]) == set(MEASURES)
    people = outcomes.groupby(["measure", "point"])["reference"].nunique().unstack()
    assert list(people.columns) == sorted(POINTS)
    assert people["start"].idxmax() == "ONS4"
    assert (people["end"] / people["start"]).between(0.45, 0.7).all()
    assert (people["follow-up"] / people["end"]).between(0.01, 0.15).all()
    last_year = (referrals["received"] >= LAST_YEAR) & (referrals["first_contact"] != "")
    assert people["start"]["ONS4"] / last_year.sum() == pytest.approx(0.2, abs=0.02)
    blank = outcomes["value"].isna()
    assert 0 < blank.mean() < 0.02


def test_one_pcn_measures_nobody_and_one_at_the_start_only(
    outcomes: pd.DataFrame, referrals: pd.DataFrame
) -> None:
    lately = referrals[referrals["received"] >= LAST_YEAR]
    assert set(lately["pcn_code"]) - set(outcomes["pcn_code"]) == {WITHOUT_OUTCOMES}
    points = outcomes.groupby("pcn_code")["point"].agg(set)
    assert points[points.map(lambda found: "end" not in found)].to_dict() == {
        AT_START_ONLY: {"start"}
    }


def test_one_board_sends_metric_totals_and_the_other_answers(outcomes: pd.DataFrame) -> None:
    rows = outcomes[outcomes["measure"] == "SWEMWBS"]
    is_medway = rows["lsoa_code"].notna()
    assert set(rows.loc[~is_medway, "item"]) == {"total"}
    assert set(rows.loc[is_medway, "item"]) == set("1234567")
    assert set(rows.loc[~is_medway, "value"]) <= {swemwbs_metric(raw) for raw in range(7, 36)}
    answers = rows[is_medway].groupby(["reference", "point"]).size()
    assert set(answers) == {7}


def test_people_do_a_little_better_on_average_and_some_worse(pairs: pd.DataFrame) -> None:
    change = pairs["change"].groupby(level=["measure", "item"]).mean()
    expected = {
        ("ONS4", "life satisfaction"): (0.5, 1.1),
        ("ONS4", "worthwhile"): (0.4, 1.0),
        ("ONS4", "happy"): (0.4, 1.0),
        ("ONS4", "anxious"): (-1.0, -0.4),
        ("SWEMWBS", "total"): (0.8, 2.0),
        ("UCLA-3", "total"): (-0.9, -0.3),
        ("MYCaW", "concern 1"): (-1.4, -0.5),
        ("MYCaW", "concern 2"): (-1.4, -0.5),
        ("MYCaW", "wellbeing"): (-1.4, -0.5),
        ("PAM", "total"): (2.0, 8.0),
    }
    for key, (least, most) in expected.items():
        assert least < change[key] < most, key
    mean = pairs["change"].groupby(level=["measure", "item"]).transform("mean")
    is_worse = (pairs["change"] * mean < 0).groupby(level=["measure", "item"]).mean()
    assert is_worse.between(0.05, 0.4).all()


def test_the_lower_the_start_the_more_it_rises(pairs: pd.DataFrame) -> None:
    satisfied = pairs.xs("life satisfaction", level="item")
    change = satisfied["change"].groupby(pd.cut(satisfied["start"], [-1, 3, 6, 10])).mean()
    assert change.is_monotonic_decreasing
    assert change.iloc[0] > change.iloc[-1] + 1


# --- whom the GP sees -----------------------------------------------------------------------


def test_attendances_before_and_after(
    files: dict[str, pd.DataFrame], referrals: pd.DataFrame
) -> None:
    rows = files["contacts with the GP Kent"].join(
        referrals[["received", "closed", "lsoa_code"]], on="reference"
    )
    assert (rows["closed"] != "").all()
    assert rows["lsoa_code"].isna().all()
    kent = referrals[referrals["lsoa_code"].isna() & (referrals["received"] >= LAST_YEAR)]
    assert set(kent["pcn_code"]) - set(rows["pcn_code"]) == {WITHOUT_GP_CONTACTS}
    others = kent[(kent["closed"] != "") & (kent["pcn_code"] != WITHOUT_GP_CONTACTS)]
    assert len(rows) / len(others) == pytest.approx(0.15, abs=0.02)
    # Received so early that six months are over.
    is_over = rows["received"] <= "2025-12-30"
    assert ((rows["attendances_after"] != "") == is_over).all()
    both = rows.loc[is_over, ["attendances_before", "attendances_after"]].astype(int)
    means = both.mean()
    assert means["attendances_before"] == pytest.approx(5, abs=0.5)
    assert means["attendances_after"] == pytest.approx(4.1, abs=0.5)
    assert (both["attendances_after"] > both["attendances_before"]).mean() > 0.2


def test_one_practice_in_ten_records_social_prescribing(files: dict[str, pd.DataFrame]) -> None:
    rows = files["GP appointments 2026-05"]
    assert rows["GP_CODE"].nunique() == 175
    recorded = rows[rows["NATIONAL_CATEGORY"] == "Social Prescribing Service"]
    assert recorded["GP_CODE"].nunique() == 17
    assert set(recorded["SUB_ICB_LOCATION_CODE"]) == {"DK1", "DM1"}
    assert set(rows["APPOINTMENT_MONTH_START_DATE"]) == {"01MAY2026"}
    assert rows["COUNT_OF_APPOINTMENTS"].astype(int).min() > 0
