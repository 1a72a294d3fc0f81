"""Referrals, a local return: who was referred when and from where, without who they are."""

from __future__ import annotations

from datetime import date

import pandas as pd

from dashboard.intake.dataset import (
    LSOA,
    MOST_CHARACTERS,
    PCN,
    PRACTICE,
    WARD,
    Check,
    Column,
    Dataset,
    Lookups,
    Template,
    parts_of,
    sheet_with,
)
from dashboard.intake.local_return import check_return, not_read
from dashboard.intake.problems import Problem
from dashboard.intake.source import Source
from dashboard.rules.ages import AGE_BANDS, age_band_of
from queries.load import CleanLoad

COLUMNS = ("reference", "received")
ALSO = {
    "reference": ("local_reference", "id", "referral_id", "referral_reference"),
    "received": ("received_on", "received_date", "date_received", "referral_date"),
    "ward_code": ("ward",),
    "lsoa_code": ("lsoa",),
    "pcn_code": ("pcn",),
    "practice_code": ("practice", "gp_practice_code"),
    "source": ("referral_source", "source_of_referral"),
    "reasons": ("reason", "referral_reasons", "reason_for_referral"),
    "long_term_conditions": ("number_of_long_term_conditions",),
    "ethnicity_group": ("ethnicity", "ethnic_group"),
    "first_contact": ("first_contact_on",),
    "plan_agreed": ("plan_agreed_on",),
    "connected": ("connected_on",),
    "connected_service": ("connected_to", "service_id"),
    "closed_reason": ("closed_why", "reason_closed"),
}
SOURCES = ("GP", "nurse", "hospital", "council", "self", "VCSE", "other")
# The steps of a referral, each a date.
STEPS = (
    "offered",
    "declined",
    "accepted",
    "first_contact",
    "plan_agreed",
    "connected",
    "attended",
    "closed",
    "ot_referred",
    "ot_accepted",
)
ALSO |= {step: (*ALSO.get(step, ()), f"{step}_on", f"{step}_date") for step in STEPS}
# The first link workers began in 2015; the last year keeps typing errors out.
EARLIEST, LATEST = date(2015, 1, 1), date(2100, 12, 31)
# Below this share of codes found, the lookup is of another vintage, and figures would be wrong.
LEAST_MATCHED = 0.8
OLDEST = 125


def _recognises(source: Source) -> bool:
    return sheet_with(source, *COLUMNS, also=ALSO) is not None


def _read(source: Source, lookups: Lookups) -> CleanLoad:
    check = check_return(source, COLUMNS, ALSO, of_persons=True)
    if not (check.heading("ward_code") or check.heading("lsoa_code")):
        rule = "expected a column ward_code or lsoa_code: without it no referral has a place"
        check.problems.append(Problem(rule))
    reference = check.text("reference")
    rows = pd.DataFrame(
        {
            "received_on": check.date("received", earliest=EARLIEST, latest=LATEST),
            "ward_code": check.code("ward_code", *WARD, required=False),
            "pcn_code": check.code("pcn_code", *PCN, required=False),
            "source": check.one_of("source", SOURCES),
            "reasons": check.text("reasons", required=False, most=10 * MOST_CHARACTERS),
            "long_term_conditions": check.whole("long_term_conditions", required=False),
            "age_band": _age_band(check),
            "sex": check.text("sex", required=False),
            "ethnicity_group": check.text("ethnicity_group", required=False),
            "complexity": check.text("complexity", required=False),
            "connected_service": check.text("connected_service", required=False),
            "closed_reason": check.text("closed_reason", required=False),
        }
        | {
            f"{step}_on": check.date(step, required=False, earliest=EARLIEST, latest=LATEST)
            for step in STEPS
        }
    )
    lsoa = check.code("lsoa_code", *LSOA, required=False).mask(rows["ward_code"].notna())
    practice = check.code("practice_code", *PRACTICE, required=False).mask(rows["pcn_code"].notna())
    check.no_repeats(reference.to_frame(), "reference")
    wards, pcns = lookups.ward_of_lsoa(), lookups.pcn_of_practice()
    named = rows["ward_code"].dropna()
    notes = [
        *_matched(check, lsoa, wards, "LSOAs matched to wards"),
        *_matched(check, practice, pcns, "practices matched to PCNs"),
    ]
    if len(named):
        notes.append(f"{named.isin(wards).sum()} of {len(named)} ward codes are in the lookup")
    rows["ward_code"] = rows["ward_code"].fillna(lsoa.map(wards).astype("str"))
    rows["pcn_code"] = rows["pcn_code"].fillna(practice.map(pcns).astype("str"))
    check.finish()

    months = {day: day.replace(day=1) for day in rows["received_on"].unique()}
    rows["month"] = rows["received_on"].map(months)
    ends = {month: _month_end(month) for month in months.values()}
    names = {month: f"{month:%Y-%m} " for month in ends}
    rows["part_key"] = rows["month"].map(names).astype("str") + rows["pcn_code"].fillna("no PCN")
    parts = parts_of(rows, "month", "month")
    parts["period_end"] = parts["period_end"].map(ends)
    without_ward = int(rows["ward_code"].isna().sum())
    return CleanLoad(
        dataset=DATASET.name,
        file_name=source.name,
        sha256=source.sha256,
        rows_read=len(rows),
        vintage=f"{min(names.values()).strip()} to {max(names.values()).strip()}",
        parts=parts,
        rows={
            "referral": rows.drop(columns="month").assign(reference_hash=lookups.hashed(reference)),
            "referral_fact": _counted(rows, "part_key", "ward_code", "pcn_code", "month"),
            "referral_age_fact": _counted(rows, "part_key", "ward_code", "month", "age_band"),
        },
        notes=(
            f"{len(rows)} referrals, {without_ward} without a ward",
            *notes,
            *not_read(check),
        ),
    )


def _age_band(check: Check) -> pd.Series[str]:
    """The band as sent, or that of a column of ages."""
    bands = check.one_of("age_band", AGE_BANDS)
    ages = check.whole("age", required=False)
    too_old = ages.gt(OLDEST).fillna(False)
    check.fail(too_old, check.column("age", required=False), "age", f"expected 0 to {OLDEST}")
    band_of = {age: age_band_of(age) for age in ages.dropna().unique()}
    return bands.fillna(ages.astype(object).map(band_of).astype("str"))


def _matched(check: Check, codes: pd.Series[str], lookup: pd.Series[str], what: str) -> list[str]:
    """How many of the codes the lookup knows, as a note; too few are a problem."""
    sent = codes.dropna()
    known = sent.isin(lookup.index)
    if sent.empty:
        return []
    note = f"{known.sum()} of {len(sent)} {what}"
    if known.mean() < LEAST_MATCHED:
        unknown = ", ".join(sent[~known].unique()[:5])
        rule = f"only {note}: load the lookup of the same vintage first; not found: {unknown}"
        check.problems.append(Problem(rule))
    return [note]


def _month_end(month: date) -> date:
    return (pd.Timestamp(month) + pd.offsets.MonthEnd()).date()


def _counted(rows: pd.DataFrame, *key: str) -> pd.DataFrame:
    return rows.groupby(list(key), dropna=False).size().rename("referrals").reset_index()


# What a template and a mapping suggest; other reasons are kept as they are sent.
REASONS = (
    "long-term condition",
    "alcohol or smoking",
    "mental health",
    "loneliness",
    "complex social need",
    "money",
    "housing",
    "carers",
    "physical activity",
    "other",
)
TEMPLATE = Template(
    "one referral of one person, without anything that says who it is",
    (
        Column("reference", True, "Your own reference; kept only as a keyed hash.", "R-0001"),
        Column("received", True, "Date on which the referral was received.", "2026-06-01"),
        Column(
            "ward_code",
            False,
            "Code of the ward where the person lives; this column or lsoa_code must be there.",
            "E05012345",
        ),
        Column("lsoa_code", False, "Code of the LSOA, where the ward code is not known.", ""),
        Column("pcn_code", False, "Code of the PCN.", "U12345"),
        Column("practice_code", False, "Code of the practice, where the PCN is not known.", ""),
        Column("source", False, f"Who referred, one of: {', '.join(SOURCES)}.", "GP"),
        Column(
            "reasons",
            False,
            f"Separated by ; preferably some of: {', '.join(REASONS)}.",
            "loneliness; housing",
        ),
        Column("long_term_conditions", False, "How many the person has, a whole number.", "2"),
        Column("age_band", False, f"One of: {', '.join(AGE_BANDS)}.", "40-64"),
        Column("age", False, f"0 to {OLDEST}, where no band is known; kept as its band.", ""),
        Column("sex", False, "Such as female, male or not stated.", "female"),
        Column("ethnicity_group", False, "The broad group.", "not stated"),
        Column("complexity", False, "In your own levels.", "medium"),
        Column("offered", False, "Date on which social prescribing was offered.", "2026-06-01"),
        Column("declined", False, "Date on which the person declined.", ""),
        Column("accepted", False, "Date on which the referral was accepted.", "2026-06-03"),
        Column("first_contact", False, "Date of the first contact.", "2026-06-10"),
        Column("plan_agreed", False, "Date on which a plan was agreed.", "2026-06-20"),
        Column("connected", False, "Date on which a service was connected.", "2026-06-24"),
        Column("connected_service", False, "Its service_id in the return of services.", "S-01"),
        Column("attended", False, "Date on which the service was first attended.", "2026-07-01"),
        Column("closed", False, "Date on which the referral was closed.", "2026-08-14"),
        Column("closed_reason", False, "Why, in a few agreed words.", "completed"),
        Column("ot_referred", False, "Date of referral on to occupational therapy.", "2026-06-20"),
        Column("ot_accepted", False, "Date on which occupational therapy accepted.", "2026-06-30"),
    ),
)
DATASET = Dataset(
    "referrals",
    "Referrals (local return)",
    _recognises,
    _read,
    replaces="the referrals of the same month and PCN",
    uses_lookups=True,
    template=TEMPLATE,
)
