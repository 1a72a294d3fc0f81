"""The Outcomes page's contents for one choice of filters, made once and kept."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import pandas as pd
from sqlalchemy import Engine

from dashboard import outcomes_words as words
from dashboard import show
from dashboard.coverage import ward_coverage
from dashboard.data import fetch_shared
from dashboard.filters import Area, Choices
from dashboard.outcomes import (
    COHORTS,
    NETWORK,
    Groups,
    Pathway,
    area_cohort,
    board_pathway,
    contact_curve,
    pathway_by,
)
from dashboard.outcomes_change import Changes, changes_by
from dashboard.outcomes_compared import SHARES, MonthlyShare, monthly_share
from dashboard.rules.control_chart import ControlChart, judge_series
from dashboard.rules.disclosure import Released
from dashboard.rules.groups import in_order
from dashboard.rules.pathway import DayQuantiles
from dashboard.rules.take_up import months_before
from dashboard.workforce import pcn_workforce
from queries import pathway
from queries.pathway import PCN, WARD, Cohort
from queries.scope import Scope


@dataclass(frozen=True)
class OutcomesView:
    """What the page shows of the chosen area; nobody changes it, so every session shares it.

    `code` is the area's row in the pathway, `area` its cohort (`None` where no month was told),
    `steps` its steps, `counts` the one row of its numbers.
    """

    found: Pathway
    code: str
    area: Cohort | None
    steps: pd.DataFrame
    counts: Released
    without_pcn: int
    curve: Released | None
    to_contact: DayQuantiles
    changes: Changes | None
    chips: Sequence[show.Chip]
    finding: Sequence[str]
    tiles: Sequence[show.Tile]


def outcomes_view(engine: Engine, scope: Scope, choices: Choices, which: str) -> OutcomesView:
    """The pathway of a board, a locality or a network, and what people told before and after."""
    which = which if which in COHORTS else ""
    found = fetch_shared(board_pathway, scope, choices.icb_code, choices.as_at, which)
    code = choices.pcn_code or choices.lad_code or choices.icb_code
    counts = found.counts.rows(found.counts.frame["code"] == code)
    steps = found.steps[found.steps["group"] == code]
    networks = fetch_shared(pcn_workforce, scope, choices.icb_code, choices.as_at)
    chips = words.chips(networks.basis.window, choices.as_at)
    silent = words.silent_networks(found, choices)
    is_told = bool(len(counts.frame)) and bool(counts.frame["referrals"].notna().any() |
        counts.frame["referrals_hidden"].any())  # fmt: skip
    if found.cohort is None or not is_told:
        finding = words.nothing_told(found, choices, silent)
        return OutcomesView(
            found, code, None, steps, counts, 0, None, DayQuantiles(None, None), None, chips,
            finding, [],
        )  # fmt: skip
    area = area_cohort(found, choices.lad_code, choices.pcn_code)
    curve, to_contact = contact_curve(engine, scope, area)
    contacts = steps.loc[steps["step"] == "contacted", "state"]
    if (contacts == "not recorded").any():
        # Nobody was dated: that nobody was contacted is not known.
        curve, to_contact = curve.iloc[:0], DayQuantiles(None, None)
    changes = fetch_shared(changes_by, scope, area, "all")
    return OutcomesView(
        found=found,
        code=code,
        area=area,
        steps=steps,
        counts=counts,
        without_pcn=pathway.without_pcn(engine, scope, found.cohort),
        curve=Released(curve, (), found.counts.profile) if len(curve) else None,
        to_contact=to_contact,
        changes=changes,
        chips=chips,
        finding=words.finding(steps, area, silent, counts.profile.hide_to),
        tiles=words.tiles(steps, counts.frame, to_contact, changes, area),
    )


def breakdown(scope: Scope, view: OutcomesView, category: str) -> Groups:
    """The area's pathway by a category."""
    assert view.area is not None
    return fetch_shared(pathway_by, scope, view.area, category)


def group_names(scope: Scope, cohort: Cohort, category: str) -> Mapping[str, str]:
    """What the codes of a category are called; those not there are their own names."""
    if category == PCN:
        found = fetch_shared(pcn_workforce, scope, cohort.icb_code, cohort.as_at).pcns.frame
        names = found["pcn_name"].fillna(found["pcn_code"])
        return dict(zip(found["pcn_code"], names, strict=True))
    if category == WARD:
        wards = fetch_shared(ward_coverage, scope, cohort.icb_code, cohort.as_at).wards.frame
        return dict(zip(wards["ward_code"], wards["ward_name"], strict=True))
    return words.FIFTHS if category == "fifth" else {}


def _networks(found: Pathway, lad_code: str, groups: Groups) -> Groups:
    """The networks of a board or locality as the board's own table has them: with those that sent
    nothing, and beside the one that is picked."""
    frame = found.counts.frame
    mine = (frame["kind"] == NETWORK) & ((lad_code == "") | (frame["lad_code"] == lad_code))
    counts = found.counts.rows(mine.fillna(False).astype(bool))
    steps = found.steps[found.steps["group"].isin(counts.frame["code"])]
    return Groups(PCN, counts, steps, groups.days)


def group_table(
    engine: Engine, scope: Scope, area: Area, asked: tuple[tuple[str, str], ...]
) -> bytes:
    """The pathway by a category as the browser fetches it: JSON, compressed once."""
    choices = dict(asked)
    which, category = choices.get("cohort", ""), choices.get("groups", "")
    which = which if which in COHORTS else ""
    category = category if category in words.CATEGORIES else PCN
    found = fetch_shared(board_pathway, scope, area.icb_code, area.as_at, which)
    rows = words.no_groups(found.counts)
    if found.cohort is not None:
        cohort = area_cohort(found, area.lad_code, "" if category == PCN else area.pcn_code)
        groups = fetch_shared(pathway_by, scope, cohort, category)
        if category == PCN:
            groups = _networks(found, area.lad_code, groups)
        names = group_names(scope, cohort, category)
        rows = words.group_rows(groups, in_order(groups.counts.frame["code"], category, names))
        rows = Released(
            rows.frame.assign(name=[names.get(code, code) for code in rows.frame["code"]]),
            rows.people,
            rows.profile,
        )
    body = show.table_body(
        rows, words.group_columns(category), words.group_text(category), row_key="code"
    )
    return gzip.compress(json.dumps(body, separators=(",", ":")).encode(), mtime=0)


@dataclass(frozen=True)
class ShareTrend:
    """A share of the area by month; `chart` is `None` where no month may be judged."""

    found: MonthlyShare
    chart: ControlChart | None


def share_trend(
    engine: Engine, scope: Scope, choices: Choices, which: str, share: str
) -> ShareTrend | None:
    """A share month by month as a control chart, over the months of trends to the cohort's last."""
    view = fetch_shared(outcomes_view, scope, choices, which)
    if view.area is None:
        return None
    first = months_before(view.area.last, choices.months - 1)
    trend = monthly_share(engine, scope, replace(view.area, first=first), share)
    known = trend.months.frame.dropna(subset="value")
    if known.empty:
        return ShareTrend(trend, None)
    months: list[date] = known["month"].tolist()
    values = known["value"].astype(float).tolist()
    return ShareTrend(trend, judge_series(months, values, improvement=SHARES[share][1]))
