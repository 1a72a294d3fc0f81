"""What a board showed at a time, so that the next meeting can be compared with it: released numbers
only, as they stood on the pages."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import pandas as pd
from sqlalchemy import Engine

from dashboard.coverage import FUNDING_ENDS_MONTHS, REFERRALS, ward_coverage
from dashboard.data import data_state, fetch_shared
from dashboard.returns_view import PCN_RETURNS
from dashboard.rules.funding import ending
from dashboard.rules.returns import judge_return, months_to
from dashboard.rules.smoothing import smoothed_ratios
from dashboard.services import board_services
from dashboard.settings import settings
from dashboard.style import day, month
from dashboard.workforce import pcn_workforce
from queries.corrections import return_arrivals
from queries.scope import Scope

# So far back a return is still waited for.
RETURN_MONTHS = 6
# The tables of it, and the types of their columns.
FORMS: Mapping[str, Mapping[str, str]] = {
    "wards": {
        "ward_code": "str", "ward_name": "str", "lad_code": "str", "lad_name": "str",
        "status": "str", "people": "Int64", "smoothed": "Float64",
    },
    "networks": {
        "pcn_code": "str", "pcn_name": "str", "lad_code": "str", "fte": "Float64",
        "aim_fte": "Float64", "people": "Int64",
    },
    "services": {
        "service_key": "str", "service_name": "str", "provider": "str", "is_full": "boolean",
        "freshness": "str", "places_offered": "Int64", "ends_soon": "str",
    },
    "returns": {
        "dataset": "str", "title": "str", "pcn_code": "str", "pcn_name": "str", "people": "Int64",
        "month": "str", "state": "str",
    },
}  # fmt: skip


@dataclass(frozen=True)
class Seen:
    """A board as it was shown: for the date `as_at`, from what was loaded by `taken_at`.

    Tables as in `FORMS`. `told_to` is the newest month told of by dataset: what is newer is news.
    `with_stale` is whether services that nobody confirmed in time counted as provision.
    """

    as_at: date
    taken_at: datetime
    profile: str
    with_stale: bool
    tables: Mapping[str, pd.DataFrame]
    told_to: Mapping[str, date]

    def to_json(self) -> str:
        """As it is kept with a meeting."""
        return json.dumps(
            {
                "as_at": self.as_at.isoformat(),
                "taken_at": self.taken_at.isoformat(),
                "profile": self.profile,
                "with_stale": self.with_stale,
                "told_to": {name: last.isoformat() for name, last in self.told_to.items()},
                "tables": {
                    name: frame.astype(object).where(frame.notna(), None).to_dict("split", index=False)
                    for name, frame in self.tables.items()
                },
            }
        )  # fmt: skip

    @classmethod
    def from_json(cls, text: str) -> Seen:
        """What `to_json` wrote. Columns that a later version has added are missing in it."""
        kept = json.loads(text)
        tables = {}
        for name, types in FORMS.items():
            found = kept["tables"][name]
            frame = pd.DataFrame(found["data"], columns=found["columns"], dtype=object)
            tables[name] = frame.reindex(columns=list(types)).astype(dict(types))
        return cls(
            date.fromisoformat(kept["as_at"]),
            datetime.fromisoformat(kept["taken_at"]),
            kept["profile"],
            kept["with_stale"],
            tables,
            {name: date.fromisoformat(last) for name, last in kept["told_to"].items()},
        )


def seen(
    engine: Engine,
    scope: Scope,
    icb_code: str,
    as_at: date,
    with_stale: bool,
    known_by: datetime | None = None,
) -> Seen:
    """What the board shows at a date, from all that is loaded; of returns, with `known_by`, only of
    those that had come by then. A query by its signature."""
    board = (icb_code, as_at)
    coverage = fetch_shared(ward_coverage, scope, *board, with_stale)
    wards = coverage.wards.frame
    workforce = fetch_shared(pcn_workforce, scope, *board)
    listed = fetch_shared(board_services, scope, *board).listed
    # What is placed nowhere may be another area's.
    listed = listed[listed["is_placed"]]
    networks = workforce.pcns.frame
    names = networks["pcn_name"].fillna(networks["pcn_code"])
    people = coverage.basis.people == "adults"
    tables: dict[str, pd.DataFrame] = {
        "wards": wards.assign(
            people=wards["adults" if people else "population"],
            smoothed=smoothed_ratios(wards[REFERRALS], wards["expected"]) * 100,
        ),
        "networks": networks.assign(pcn_name=names, people=networks["registered_patients"]),
        "services": listed.assign(ends_soon=_ends_soon(listed, as_at)),
        "returns": _returns(engine, scope, *board, networks.assign(pcn_name=names), known_by),
    }
    window = workforce.basis.window.window
    told_to = {"workforce": workforce.basis.census, "referrals": window and window[1]}
    return Seen(
        as_at,
        datetime.now(UTC),
        coverage.wards.profile.name,
        with_stale,
        {
            name: frame[list(FORMS[name])].astype(dict(FORMS[name])).reset_index(drop=True)
            for name, frame in tables.items()
        },
        {name: last for name, last in told_to.items() if last is not None},
    )


def _ends_soon(listed: pd.DataFrame, as_at: date) -> list[str]:
    found = ending(listed, as_at, FUNDING_ENDS_MONTHS)
    ends = {
        key: f"ends on {day(last)}"
        for key, last in zip(found["service_key"], found["funding_ends"], strict=True)
    }
    return [ends.get(key, "") for key in listed["service_key"]]


def _returns(
    engine: Engine,
    scope: Scope,
    icb_code: str,
    as_at: date,
    networks: pd.DataFrame,
    known_by: datetime | None,
) -> pd.DataFrame:
    """One row per dataset, network and month to the date: how its return stands."""
    months = months_to(as_at, RETURN_MONTHS)
    arrivals = return_arrivals(engine, scope, icb_code, as_at, months[0])
    # Simulated files were all loaded at once, whenever they tell of.
    if known_by is not None and not data_state().is_demonstration:
        arrivals = arrivals[arrivals["arrived_at"].map(lambda at: at <= known_by).astype(bool)]
    came = arrivals.groupby(["dataset", "pcn_code"])["month"].agg(set).to_dict()
    rows: list[dict[str, Any]] = []
    for dataset, title in PCN_RETURNS.items():
        for pcn in networks.to_dict("records"):
            received = came.get((dataset, pcn["pcn_code"]), set())
            rows += [
                {
                    "dataset": dataset,
                    "title": title,
                    "pcn_code": pcn["pcn_code"],
                    "pcn_name": pcn["pcn_name"],
                    "people": pcn["registered_patients"],
                    "month": month(each),
                    "state": judge_return(
                        dataset, each, received, as_at, settings().late_months
                    ).value,
                }
                for each in months
            ]
    return pd.DataFrame(rows, columns=list(FORMS["returns"]))
