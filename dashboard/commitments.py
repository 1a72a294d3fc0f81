"""National commitments and where a board stands: the answers of the queries, judged and released.
The page and the export show the same frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd
from sqlalchemy import Engine

from dashboard.rules import commitments as rules
from dashboard.rules.commitments import Status
from dashboard.rules.disclosure import (
    Released,
    added_up,
    disclose,
    hidden_flag,
    release,
    rounding,
)
from dashboard.rules.returns import ReferralWindow, months_between
from dashboard.rules.staffing import CASELOAD_HIGH, CASELOAD_LOW
from dashboard.workforce import REFERRALS, Workforce, area_totals, board_workforce, profile
from queries import list_sizes, posts, workforce
from queries.frames import each_row
from queries.scope import Scope

_FILE = Path(__file__).with_name("commitments.csv")
PER_PATIENTS = 1_000
# Networks began in July 2019: no workforce return of theirs is older.
FIRST_CENSUS = date(2019, 7, 31)
HIDDEN = "hidden, so that nobody can be recognised"


@dataclass(frozen=True)
class England:
    """What a board's share is a share of; `boards` is 0 for the published figure."""

    patients: int
    on: date
    boards: int


@dataclass(frozen=True)
class Run:
    """Returns at or above the mark without a break up to the newest: since when, how many, and
    how many months between them have no return."""

    since: date
    returns: int
    silent_months: int


@dataclass(frozen=True)
class Basis:
    """What the figures rest on; a number is missing where nobody told it."""

    as_at: date
    england: England
    patients: int | None
    lists_on: date | None
    census: date | None
    pcns: int
    pcns_returned: int
    pcns_with_worker: int
    fte: float | None
    window: ReferralWindow
    referring_pcns: int
    pressed_pcns: int
    budgets_on: date | None

    @property
    def share(self) -> float | None:
        """The board's part of England's registered patients, 0 to 1."""
        return rules.board_share(1, self.patients, self.england.patients)


@dataclass(frozen=True)
class Commitments:
    """One row per commitment, the budgets by group of entitlement, and what they rest on.

    `runs` are by id of the commitment, of those that can be followed by month and hold now.
    """

    rows: Released
    budgets: Released
    runs: dict[str, Run]
    basis: Basis


def board_commitments(engine: Engine, scope: Scope, icb_code: str, as_at: date) -> Commitments:
    """Every commitment for one board at a date. A query by its signature: `fetch` keeps it."""
    asked = (engine, scope, icb_code, as_at)
    staffed = board_workforce(*asked)
    pcns = tuple(staffed.pcns.frame["pcn_code"])
    total: Any = next(area_totals(staffed, pcns).frame.itertuples())
    budgets, received = _budgets(*asked), _received(staffed)
    lists = list_sizes.patients_by_board(engine, scope, as_at)
    basis = _basis(lists, icb_code, staffed, total, received, budgets.on)
    frame = commitments_on(as_at)
    for bound in ("low", "high"):
        frame[f"share_{bound}"] = [
            _share(row.share_of, getattr(row, bound), basis) for row in each_row(frame)
        ]
    found = _measures(total, received, budgets, basis)
    frame["counted"] = [found[measure].people for measure in frame["measure"]]
    frame["figure"] = [found[measure].figure for measure in frame["measure"]]
    frame["reason"] = [found[measure].reason for measure in frame["measure"]]
    was_hidden = pd.Series([found[measure].is_hidden for measure in frame["measure"]], frame.index)
    frame["patients"] = [
        received.patients if measure == "referrals_per_1000" else None
        for measure in frame["measure"]
    ]
    types = {"counted": "Int64", "patients": "Float64", "figure": "Float64"}
    by = rounding(profile())
    frame = frame.astype(types)
    frame["counted"], hidden = disclose(frame["counted"], by)
    frame[hidden_flag("counted")] = hidden | was_hidden
    released = Released(_stand(frame), ("counted",), by)
    return Commitments(released, budgets.groups, _runs(*asked, released.frame), basis)


def commitments_on(as_at: date) -> pd.DataFrame:
    """One row per commitment in the order of the file, with its status at the date."""
    frame = _file().copy()
    frame["status"] = [
        rules.status_at(Status(row.status), row.ended_on, as_at).value for row in each_row(frame)
    ]
    return frame


@lru_cache(maxsize=1)
def _file() -> pd.DataFrame:
    words = pd.read_csv(_FILE, dtype=str, keep_default_na=False)
    for column in ("low", "high"):
        words[column] = pd.to_numeric(words[column]).astype("Float64")
    for column in ("due", "ended_on"):
        days = [date.fromisoformat(day) if day else None for day in words[column]]
        words[column] = pd.Series(days, words.index, dtype=object)
    words["comparable"] = words["comparable"] == "yes"
    return words


@dataclass(frozen=True)
class _Measure:
    """What is known of one measure: people, still to be rounded, or a figure that needs none."""

    people: int | None = None
    figure: float | None = None
    reason: str = ""
    is_hidden: bool = False


@dataclass(frozen=True)
class _Budgets:
    """One row per group of entitlement, all of them together, and the date they are of."""

    groups: Released
    together: _Measure
    on: date | None


@dataclass(frozen=True)
class _Received:
    """Referrals of the networks that returned the whole window, added up from what is shown of
    each as on the page Workforce: true ones would give a hidden one back beside it."""

    pcns: int
    referrals: int | None
    is_hidden: bool
    patients: int | None
    reason: str


def _basis(
    lists: pd.DataFrame,
    icb_code: str,
    staffed: Workforce,
    total: Any,
    received: _Received,
    budgets_on: date | None,
) -> Basis:
    mine = lists[lists["icb_code"] == icb_code]
    return Basis(
        as_at=staffed.basis.as_at,
        england=_england(lists),
        patients=None if mine.empty else int(mine["patients"].iloc[0]),
        lists_on=None if mine.empty else mine["extracted_on"].iloc[0],
        census=staffed.basis.census,
        pcns=total.pcns,
        pcns_returned=total.pcns_returned,
        pcns_with_worker=total.pcns_with_worker,
        fte=None if pd.isna(total.fte) else float(total.fte),
        window=staffed.basis.window,
        referring_pcns=received.pcns,
        pressed_pcns=total.pcns_pressed,
        budgets_on=budgets_on,
    )


def _england(lists: pd.DataFrame) -> England:
    if len(lists) < rules.LEAST_BOARDS:
        return England(rules.ENGLAND_PATIENTS, rules.ENGLAND_PATIENTS_ON, 0)
    return England(int(lists["patients"].sum()), lists["extracted_on"].iloc[0], len(lists))


def _received(staffed: Workforce) -> _Received:
    window, frame = staffed.basis.window, staffed.pcns.frame
    told = staffed.pcns.rows(frame["referral_reason"] == "")
    if told.frame.empty:
        why = "no network returned 12 months" if window.names_pcns else "returns name no network"
        return _Received(0, None, False, None, window.no_window or why)
    referrals, is_hidden = added_up(told, REFERRALS)
    # Over the patients of the same networks only: of one without a list, none.
    patients = told.frame["registered_patients"].sum(skipna=False)
    whole = None if pd.isna(patients) else int(patients)
    return _Received(len(told.frame), referrals, is_hidden, whole, "")


def _budgets(engine: Engine, scope: Scope, icb_code: str, as_at: date) -> _Budgets:
    """The newest return. All groups together are known where each of them is: beside the others,
    a sum that holds a hidden one would give it back."""
    found = posts.budgets_in_place(engine, scope, icb_code, as_at)
    if found.empty:
        none = _Measure(reason="no return of personal health budgets")
        return _Budgets(release(found, rounding(profile()), people=["in_place"]), none, None)
    newest = max(found["period_end"])
    mine = found[found["period_end"] == newest].reset_index(drop=True)
    groups = release(mine[["entitlement", "in_place"]], rounding(profile()), people=["in_place"])
    unknown = int(groups.frame["in_place"].isna().sum())
    together = (
        _Measure(reason=f"hidden for {unknown} of {len(mine)} groups of entitlement")
        if unknown
        else _Measure(people=int(mine["in_place"].sum()))
    )
    return _Budgets(groups, together, newest)


def _measures(
    total: Any, received: _Received, budgets: _Budgets, basis: Basis
) -> dict[str, _Measure]:
    """By the name of the measure in the file; "" is what nobody returns."""
    has_returned = basis.pcns_returned > 0
    no_census = "" if has_returned else "no workforce return"
    return {
        "headcount": _Measure(figure=total.headcount if has_returned else None, reason=no_census),
        "pcns_with_worker": _Measure(
            figure=basis.pcns_with_worker if has_returned else None, reason=no_census
        ),
        "referrals": _Measure(
            received.referrals, reason=received.reason, is_hidden=received.is_hidden
        ),
        "referrals_per_1000": _Measure(
            received.referrals if received.patients else None,
            reason=received.reason or ("" if received.patients else "no list sizes"),
            is_hidden=received.is_hidden and bool(received.patients),
        ),
        "budgets": budgets.together,
        "people_per_fte": _Measure(
            figure=None if pd.isna(total.pressure) else total.pressure,
            reason=_not_pressed(total, received.reason or no_census, basis),
        ),
        "": _Measure(reason="no return loaded here measures it"),
    }


def _not_pressed(total: Any, not_returned: str, basis: Basis) -> str:
    """Why referrals per FTE are not known; "" where they are."""
    if pd.notna(total.pressure):
        return ""
    if getattr(total, hidden_flag(REFERRALS)):
        return HIDDEN
    if not_returned or basis.pressed_pcns:
        return not_returned or "no worker in the 12 months of referrals"
    return "no network returned its referrals and its workforce of at least half of the 12 months"


def _share(share_of: str, national: float, basis: Basis) -> float | None:
    """What the board's figure is set beside: its share of a number, or the number of a rate."""
    if pd.isna(national):
        return None
    if share_of == "England":
        return rules.board_share(national, basis.patients, basis.england.patients)
    # A network that did not return is neither with nor without.
    return national * basis.pcns_returned if share_of == "networks" else national


def _stand(frame: pd.DataFrame) -> pd.DataFrame:
    """Figures, differences and judgements, from disclosed counts only."""
    counted = frame["counted"].astype("Float64")
    per = (frame["patients"] / PER_PATIENTS).fillna(1.0)
    frame = frame.assign(figure=frame["figure"].fillna(counted / per))
    hidden = frame[hidden_flag("counted")]
    frame["reason"] = frame["reason"].mask(hidden, HIDDEN)
    shares = list(zip(frame["figure"], frame["share_low"], frame["share_high"], strict=True))
    frame["short_by"] = pd.Series(
        [
            rules.shortfall(*each) if comparable else None
            for each, comparable in zip(shares, frame["comparable"], strict=True)
        ],
        frame.index,
        dtype="Float64",
    )
    frame["standing"] = [
        rules.judge(Status(status), *each).value
        if comparable or Status(status) is not Status.IN_FORCE
        else rules.Standing.UNKNOWN.value
        for status, each, comparable in zip(
            frame["status"], shares, frame["comparable"], strict=True
        )
    ]
    return frame.drop(columns="patients")


def _runs(
    engine: Engine, scope: Scope, icb_code: str, as_at: date, frame: pd.DataFrame
) -> dict[str, Run]:
    """Since when the board's own returns are at or above the mark, by id."""
    asked = (engine, scope, icb_code, FIRST_CENSUS, as_at)
    returned = workforce.fte_by_pcn_and_month(*asked)
    returned = returned[returned["icb_code"] == icb_code]
    if returned.empty:
        return {}
    staffed = (returned["fte"] > 0).groupby(returned["census"]).all()
    people = workforce.people_by_pcn_and_month(*asked)
    headcount = people.groupby("census")["person_id"].nunique().reindex(staffed.index, fill_value=0)
    found = {}
    for row in each_row(frame):
        if row.measure == "headcount" and pd.notna(row.share_low):
            holds = headcount >= row.share_low
        elif row.measure == "pcns_with_worker":
            holds = staffed
        else:
            continue
        if run := _run(list(zip(holds.index, holds, strict=True))):
            found[str(row.id)] = run
    return found


def _run(returns: Sequence[tuple[date, bool]]) -> Run | None:
    since = rules.run_since(returns)
    if since is None:
        return None
    count = sum(month >= since for month, _ in returns)
    return Run(since, count, len(months_between(since, returns[-1][0])) - count)


def needed_fte(people: float) -> tuple[float, float]:
    """The FTE for so many people a year at the two ends of the guidance, fewest first."""
    return rules.fte_for(people, CASELOAD_HIGH), rules.fte_for(people, CASELOAD_LOW)
