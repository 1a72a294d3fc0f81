"""Link workers by PCN: the answers of the queries, judged and released. The page and the export
show the same frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sqlalchemy import Engine

from dashboard.coverage import ward_patients
from dashboard.own_networks import own_released
from dashboard.rules import moves, staffing
from dashboard.rules.disclosure import PROFILES, Profile, Released, added_up, hidden_flag, release
from dashboard.rules.rates import smooth_funnel_limits
from dashboard.rules.returns import ReferralWindow, referral_window
from dashboard.rules.take_up import WINDOW_MONTHS, month_end, months_before
from dashboard.settings import settings
from queries import places, posts, referrals, workforce
from queries.frames import each_row
from queries.scope import Scope

REFERRALS, OPEN = "referrals_12_months", "open_referrals"


# So many points make the lines of a funnel smooth.
FUNNEL_POINTS = 120
_TYPES = {
    **dict.fromkeys(("fte_before", "planned_fte", "target_fte", "expired_fte"), "Float64"),
    **dict.fromkeys(("posts", "posts_without_fte", "vacant_posts"), "Int64"),
    "longest_vacancy_days": "Int64",
}


@dataclass(frozen=True)
class Basis:
    """What the figures rest on. `census` is `None` before the first workforce return; `window`
    is the 12 months of referrals, and what is open is counted at its end."""

    as_at: date
    census: date | None
    window: ReferralWindow
    shares: str
    unallocated_patients: int


@dataclass(frozen=True)
class Workforce:
    """One row per PCN of a board that is shown in detail, the shortest of its target first, and what
    they rest on.

    `centre` is the FTE per 10,000 patients of all that returned, `funnel` the limits of chance
    around it by number of patients: people, lower_95, upper_95, lower_998, upper_998. `people` are
    the link workers of each PCN's own staff, as the identifiers of the published return.
    """

    pcns: Released
    basis: Basis
    centre: float
    funnel: pd.DataFrame
    people: Mapping[str, frozenset[str]]


def pcn_workforce(engine: Engine, scope: Scope, icb_code: str, as_at: date) -> Workforce:
    """The PCNs of one board at a date that the reader is shown in detail. A query by its signature:
    `fetch` keeps it."""
    found = board_workforce(engine, scope, icb_code, as_at)
    mine = scope.networks_of(icb_code)
    if mine is None:
        return found
    pcns = own_released(scope, icb_code, found.pcns)
    told = pcns.frame.dropna(subset=["fte", "registered_patients"])
    return replace(
        found,
        pcns=pcns,
        # Who is in no network is the whole board's.
        basis=replace(found.basis, unallocated_patients=0),
        # The lines over the lists that are shown: their ends would tell of the others'.
        funnel=_funnel(_grid(told), found.centre),
        people={code: people for code, people in found.people.items() if code in mine},
    )


def board_workforce(engine: Engine, scope: Scope, icb_code: str, as_at: date) -> Workforce:
    """Every PCN of one board at a date: for totals of the board, not to be shown row by row."""
    frame, basis = _true(engine, scope, icb_code, as_at)
    told = frame.dropna(subset=["fte", "registered_patients"])
    people = float(told["registered_patients"].sum())
    centre = float(told["fte"].sum()) / people * staffing.PER_10_000_PEOPLE if people else 0.0
    frame = frame.join(_placed_in_funnel(frame, centre))
    released = release(frame, profile(), people=[REFERRALS, OPEN], derive=_pressed)
    staff = _people(engine, scope, icb_code, basis.census)
    return Workforce(released, basis, centre, _funnel(_grid(told), centre), staff)


def _grid(told: pd.DataFrame) -> npt.NDArray[Any]:
    """Lengths of lists around those of the PCNs that told theirs; none without a patient."""
    lists = told["registered_patients"].astype(float)
    points = FUNNEL_POINTS if lists.sum() else 0
    return np.linspace(lists.min() * 0.8, lists.max() * 1.05, points)


def _people(
    engine: Engine, scope: Scope, icb_code: str, census: date | None
) -> Mapping[str, frozenset[str]]:
    if census is None:
        return {}
    people = workforce.people_by_pcn_and_month(engine, scope, icb_code, census, census)
    return {str(code): frozenset(rows) for code, rows in people.groupby("pcn_code")["person_id"]}


def _funnel(people: npt.NDArray[Any], centre: float) -> pd.DataFrame:
    """The limits within which the rate of so many people lies by chance alone."""
    expected = people * centre / staffing.PER_10_000_PEOPLE
    limits = {"people": people}
    for name, confidence in (("95", 0.95), ("998", 0.998)):
        lower, upper = smooth_funnel_limits(expected, confidence)
        limits[f"lower_{name}"] = lower / people * staffing.PER_10_000_PEOPLE
        limits[f"upper_{name}"] = upper / people * staffing.PER_10_000_PEOPLE
    return pd.DataFrame(limits)


def _placed_in_funnel(frame: pd.DataFrame, centre: float) -> pd.DataFrame:
    """The 95% limits of each PCN's own list, and where its rate lies; missing without a list."""
    people = frame["registered_patients"].astype("Float64").mask(frame["registered_patients"] == 0)
    limits = _funnel(people.to_numpy(float, na_value=np.nan), centre)
    places = [
        None
        if pd.isna(rate)
        else staffing.judge_funnel(
            float(rate), (row.lower_95, row.upper_95), (row.lower_998, row.upper_998)
        ).value
        for rate, row in zip(frame["fte_per_10k"], each_row(limits), strict=True)
    ]
    found = {
        "funnel_lower": limits["lower_95"].astype("Float64"),
        "funnel_upper": limits["upper_95"].astype("Float64"),
        "funnel_place": places,
    }
    return pd.DataFrame(found).set_axis(frame.index)


def _true(engine: Engine, scope: Scope, icb_code: str, as_at: date) -> tuple[pd.DataFrame, Basis]:
    """The rows before the gate, which stay in this module."""
    asked = (engine, scope, icb_code, as_at)
    census = workforce.census_date(*asked)
    told = referral_window(referrals.returned_months(*asked), as_at, settings().late_months)
    patients, shares = ward_patients(*asked)
    frame = workforce.fte_by_pcn(*asked)
    for more in (
        main_districts(patients, places.wards(engine, scope, icb_code)),
        _fte_a_year_before(*asked, census),
        _posts_by_pcn(posts.posts(*asked), as_at),
        _plans(posts.planned_fte(*asked), as_at),
        _targets(posts.local_targets(*asked), as_at),
        _mean_fte(*asked, told.window),
        _referrals(*asked, told.window),
    ):
        frame = frame.merge(more, on="pcn_code", how="left")
    frame = frame.astype(_TYPES)
    frame["in_post"] = [staffing.judge_in_post(fte).value for fte in frame["fte"]]
    frame["has_returned"] = frame["staff_rows"].notna()
    frame["aim_fte"] = frame["target_fte"].fillna(frame["planned_fte"])
    frame["aim"] = _aims(frame)
    frame["gap_fte"] = staffing.gap(frame["aim_fte"], frame["fte"])
    people = frame["registered_patients"].mask(frame["registered_patients"] == 0)
    frame["fte_per_10k"] = frame["fte"] / people * staffing.PER_10_000_PEOPLE
    frame["fte_per_50k"] = frame["fte"] / people * staffing.PER_50_000_PEOPLE
    frame["referral_reason"] = [silence(told, code) for code in frame["pcn_code"]]
    is_told = frame["referral_reason"] == ""
    for column in (REFERRALS, OPEN):
        frame[column] = frame[column].fillna(0).where(is_told).astype("Int64")
    basis = Basis(as_at, census, told, shares, workforce.unallocated_patients(*asked))
    return _in_order(frame), basis


def silence(told: ReferralWindow, pcn_code: str) -> str:
    """Why referrals of a PCN are not known; where no return names a PCN, of none they are."""
    if told.window and not told.names_pcns:
        return "referral returns name no network"
    return told.silence(pcn_code)


def profile() -> Profile:
    """The disclosure profile in force."""
    return PROFILES[settings().disclosure_profile]


def area_totals(found: Workforce, pcn_codes: Sequence[str]) -> Released:
    """One row: the chosen PCNs together. Counts of people are added up from what is shown of each
    PCN, so that nothing hidden is in them.
    """
    chosen = found.pcns.rows(found.pcns.frame["pcn_code"].isin(pcn_codes))
    mine = chosen.frame
    known = chosen.rows(mine["mean_fte"].notna() & (mine["referral_reason"] == ""))
    busy = chosen.rows(mine["fte"].notna() & (mine["referral_reason"] == ""))
    received, received_hidden = added_up(known, REFERRALS)
    still_open, open_hidden = added_up(busy, OPEN)
    everybody = mine["registered_patients"].sum(min_count=1)
    if len(mine) == len(found.pcns.frame):
        everybody += found.basis.unallocated_patients
    in_force = mine[mine["gap_fte"].notna()]
    compared = mine[mine["fte"].notna() & mine["fte_before"].notna()]
    listed = mine[mine["fte"].notna() & mine["registered_patients"].notna()]
    people = {person for code in pcn_codes for person in found.people.get(code, ())}
    total = {
        "pcns": len(mine),
        "pcns_returned": int(mine["fte"].notna().sum()),
        "pcns_with_worker": int((mine["fte"] > 0).fillna(False).sum()),
        "fte": mine["fte"].sum(min_count=1),
        "headcount": len(people) if mine["fte"].notna().any() else None,
        "pcns_compared": len(compared),
        "fte_change": (compared["fte"] - compared["fte_before"]).sum(min_count=1),
        "pcns_with_posts": int(mine["posts"].notna().sum()),
        "posts": mine["posts"].sum(min_count=1),
        "funded_fte": mine["funded_fte"].sum(min_count=1),
        "vacant_fte": mine["vacant_fte"].sum(min_count=1),
        "vacant_posts": mine["vacant_posts"].sum(min_count=1),
        "longest_vacancy_days": mine["longest_vacancy_days"].max(),
        "pcns_with_aim": len(in_force),
        "pcns_short": int((in_force["gap_fte"] > 0).sum()),
        "aim_fte": in_force["aim_fte"].sum(min_count=1),
        "short_fte": in_force["gap_fte"].clip(lower=0).sum(min_count=1),
        "registered_patients": listed["registered_patients"].sum(min_count=1),
        "listed_fte": listed["fte"].sum(min_count=1),
        "all_patients": everybody,
        "pcns_pressed": len(known.frame),
        "mean_fte": known.frame["mean_fte"].sum(min_count=1),
        REFERRALS: received,
        hidden_flag(REFERRALS): received_hidden,
        "pcns_open": len(busy.frame),
        "open_fte": busy.frame["fte"].sum(min_count=1),
        OPEN: still_open,
        hidden_flag(OPEN): open_hidden,
    }
    row = pd.DataFrame([total]).astype({REFERRALS: "Int64", OPEN: "Int64", "mean_fte": "Float64"})
    return Released(_pressed(row), found.pcns.people, found.pcns.profile)


def _pressed(frame: pd.DataFrame) -> pd.DataFrame:
    """Pressure and open caseload, from disclosed counts only."""
    fte = frame["fte"] if "pcn_code" in frame else frame["open_fte"]
    pressure = staffing.pressure(frame[REFERRALS], frame["mean_fte"])
    # Where no months of referrals count, who has nobody now is said all the same.
    in_post = frame["mean_fte"].fillna(fte.where(fte == 0))
    states = [
        staffing.judge_pressure(each, mean, is_hidden=hidden).value
        for each, mean, hidden in zip(pressure, in_post, frame[hidden_flag(REFERRALS)], strict=True)
    ]
    needed = staffing.needed_fte(frame[REFERRALS], frame["mean_fte"]).add_prefix("needed_")
    return frame.join(needed).assign(
        pressure=pressure,
        pressure_state=states,
        open_per_fte=staffing.pressure(frame[OPEN], fte),
    )


def _in_order(frame: pd.DataFrame) -> pd.DataFrame:
    """Shortest of its target first; then those without one, fewest workers for their list first;
    networks that did not return last, since nothing can be said of them."""
    keys = pd.DataFrame(
        {
            "silent": frame["fte"].isna(),
            "no_aim": frame["gap_fte"].isna(),
            "gap": -frame["gap_fte"],
            "rate": frame["fte_per_10k"],
            "name": frame["pcn_name"],
            "code": frame["pcn_code"],
        }
    )
    return frame.loc[keys.sort_values(keys.columns.tolist()).index].reset_index(drop=True)


def _aims(frame: pd.DataFrame) -> list[str]:
    return [
        "target" if pd.notna(row.target_fte) else "plan" if pd.notna(row.planned_fte) else ""
        for row in each_row(frame)
    ]


def main_districts(patients: pd.DataFrame, wards: pd.DataFrame) -> pd.DataFrame:
    """One row per PCN: the district in which most of its patients live."""
    placed = patients.merge(wards[["ward_code", "lad_code", "lad_name"]], on="ward_code")
    by_district = placed.groupby(["pcn_code", "lad_code", "lad_name"]).agg({"patients": "sum"})
    most = by_district.reset_index().sort_values(["patients", "lad_code"], ascending=[False, True])
    return most.drop_duplicates("pcn_code")[["pcn_code", "lad_code", "lad_name"]]


def _fte_a_year_before(
    engine: Engine, scope: Scope, icb_code: str, as_at: date, census: date | None
) -> pd.DataFrame:
    """One row per PCN that returned a year before the newest census: its FTE then."""
    if census is None:
        return pd.DataFrame({"pcn_code": [], "fte_before": []}).astype({"pcn_code": "str"})
    then = month_end(months_before(census, 12))
    found = workforce.fte_by_pcn_and_month(engine, scope, icb_code, then, then)
    # One that two boards returned stands in two rows.
    return found.groupby("pcn_code")["fte"].sum().rename("fte_before").reset_index()


def _posts_by_pcn(spells: pd.DataFrame, as_at: date) -> pd.DataFrame:
    """One row per PCN that returned posts: how many, funded and vacant FTE, how long vacant."""
    now = moves.posts_at(spells, as_at)
    vacant = now[now["status"].isin(moves.VACANT)]
    days = pd.Series(
        [staffing.vacancy_days(since, as_at) for since in vacant["since"]],
        vacant.index,
        dtype="Int64",
    )
    # Of a PCN whose posts are all yet to come nobody has told how they stand.
    told = spells[spells["since"].isna() | (spells["since"].fillna(as_at) <= as_at)]
    codes = pd.Index(sorted(told["pcn_code"].unique()), name="pcn_code")
    by_pcn = now.groupby("pcn_code")
    empty = vacant.groupby("pcn_code")
    frame = pd.DataFrame(
        {
            "posts": by_pcn.size().reindex(codes, fill_value=0),
            "posts_without_fte": by_pcn["funded_fte"]
            .agg(lambda fte: fte.isna().sum())
            .reindex(codes, fill_value=0),
            "funded_fte": by_pcn["funded_fte"].sum().reindex(codes, fill_value=0.0),
            "vacant_posts": empty.size().reindex(codes, fill_value=0),
            "vacant_fte": empty["funded_fte"].sum().reindex(codes, fill_value=0.0),
            "longest_vacancy_days": days.groupby(vacant["pcn_code"]).max().reindex(codes),
        },
        index=codes,
    )
    return frame.reset_index().astype({"funded_fte": "Float64", "vacant_fte": "Float64"})


def _plans(plans: pd.DataFrame, as_at: date) -> pd.DataFrame:
    """One row per PCN with a plan for the month of the date."""
    return plans[plans["month"] == as_at.replace(day=1)][["pcn_code", "planned_fte"]]


def _targets(targets: pd.DataFrame, as_at: date) -> pd.DataFrame:
    """One row per PCN with any target: the one in force, or the one that expired last."""
    state = [
        staffing.target_in_force(row.valid_from, row.valid_until, as_at).value
        for row in each_row(targets)
    ]
    now = targets[pd.Series(state, targets.index, dtype=object) == staffing.TargetState.IN_FORCE]
    past = targets[pd.Series(state, targets.index, dtype=object) == staffing.TargetState.EXPIRED]
    past = past.sort_values("valid_until").drop_duplicates("pcn_code", keep="last")
    return (
        now.rename(columns={"valid_until": "target_until", "reason": "target_reason"})
        .drop(columns="valid_from")
        .merge(
            past[["pcn_code", "target_fte", "valid_until"]].rename(
                columns={"target_fte": "expired_fte", "valid_until": "expired_on"}
            ),
            on="pcn_code",
            how="outer",
        )
    )


def _mean_fte(
    engine: Engine, scope: Scope, icb_code: str, as_at: date, window: tuple[date, date] | None
) -> pd.DataFrame:
    """One row per PCN that returned within the 12 months of referrals: its mean FTE then, and the
    months it rests on."""
    if window is None:
        return pd.DataFrame(columns=["pcn_code", "mean_fte", "months_known"]).astype(
            {"pcn_code": "str", "mean_fte": "Float64"}
        )
    found = workforce.fte_by_pcn_and_month(
        engine, scope, icb_code, month_end(window[0]), month_end(window[1])
    )
    wide = found.pivot_table(index="pcn_code", columns="census", values="fte", aggfunc="sum")
    months = [month_end(months_before(window[1], back)) for back in range(WINDOW_MONTHS)]
    means = [staffing.mean_fte(list(row)) for row in wide.reindex(columns=months).to_numpy()]
    return pd.DataFrame(
        [(code, *found) for code, found in zip(wide.index, means, strict=True)],
        columns=["pcn_code", "mean_fte", "months_known"],
    ).astype({"pcn_code": "str", "mean_fte": "Float64"})


def _referrals(
    engine: Engine, scope: Scope, icb_code: str, as_at: date, window: tuple[date, date] | None
) -> pd.DataFrame:
    """One row per PCN with any: referrals in the 12 months, and those open at their end."""
    if window is None:
        return pd.DataFrame(columns=["pcn_code", REFERRALS, OPEN]).astype({"pcn_code": "str"})
    counted = referrals.referrals_by_pcn_and_month(engine, scope, icb_code, as_at, *window)
    flows = referrals.episodes_by_pcn_and_month(engine, scope, icb_code, as_at)
    flows = flows[flows["month"].map(lambda month: month <= window[1]).astype(bool)]
    by_pcn = flows.groupby("pcn_code")[["began", "ended"]].sum()
    received = counted.groupby("pcn_code")["referrals"].sum()
    frame = pd.DataFrame({REFERRALS: received, OPEN: by_pcn["began"] - by_pcn["ended"]})
    return frame.rename_axis("pcn_code").reset_index()
