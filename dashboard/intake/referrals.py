"""Referrals, a local return: who was referred when and from where, without who they are."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
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
    Repeats,
    Tally,
    Template,
    parts_of,
    refusals,
    sheet_with,
)
from dashboard.intake.local_return import EARLIEST, LATEST, month_end, not_read, return_sheet
from dashboard.intake.pathway_facts import FACT as PATHWAY_FACT
from dashboard.intake.pathway_facts import PathwayFacts
from dashboard.intake.problems import Problem, RefusedError
from dashboard.intake.referral_facts import ReferralFacts
from dashboard.intake.source import Source
from dashboard.rules.ages import AGE_BANDS, age_band_of
from dashboard.rules.groups import ethnicity_group_of, sex_of
from queries.load import CleanLoad, Reading

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
# Below this share of codes found, the lookup is of another vintage, and figures would be wrong.
LEAST_MATCHED = 0.8
OLDEST = 125
CODE = re.compile("[A-Z][0-9]{5,8}")


def _recognises(source: Source) -> bool:
    return sheet_with(source, *COLUMNS, also=ALSO) is not None


def _read(source: Source, lookups: Lookups) -> Reading:
    """Block by block, so that the memory does not grow with the file."""
    sheet = return_sheet(source, COLUMNS, ALSO, of_persons=True)
    wards, pcns = lookups.ward_of_lsoa(), lookups.pcn_of_practice()
    tally, matched, references = Tally(source), _Matched(), Repeats()
    counts, pathway = ReferralFacts(), PathwayFacts()
    without_ward = 0
    for block in sheet.blocks():
        check = Check(source, block, ALSO)
        rows, reference = _checked(check, wards, pcns, matched)
        hashed = lookups.hashed(reference.fillna(""))
        # One reference may be referred again, but not twice on a day.
        told = reference + " " + rows["received_on"].astype("str")
        keys = pd.util.hash_pandas_object(told, index=False).astype("UInt64")
        references.check(check, keys.mask(told.isna()), "reference and day received")
        good = tally.add(check)
        rows = _placed_in_time(rows[good])
        counts.add(rows)
        pathway.add(rows)
        without_ward += int(rows["ward_code"].isna().sum())
        kept = rows.drop(columns=["month", "ended_month"])
        yield {"referral": kept.assign(reference_hash=hashed[good])}
    tally.finish()
    matched.finish(tally)
    facts = counts.frames() | {PATHWAY_FACT: pathway.frame()}

    parts = parts_of(facts["referral_fact"].sort_values("part_key"), "month", "month")
    parts["period_end"] = parts["period_end"].map(month_end)
    months = sorted(facts["referral_fact"]["month"].unique())
    return CleanLoad(
        dataset=DATASET.name,
        file_name=source.name,
        sha256=source.sha256,
        rows_read=tally.rows,
        rows_refused=tally.bad_rows,
        refused=refusals(tally.problems),
        vintage=f"{months[0]:%Y-%m} to {months[-1]:%Y-%m}",
        parts=parts,
        rows=facts,
        notes=(
            f"{tally.rows - tally.bad_rows} referrals, {without_ward} without a ward",
            *matched.notes(),
            *not_read(check),
        ),
    )


def _checked(
    check: Check, wards: pd.Series[str], pcns: pd.Series[str], matched: _Matched
) -> tuple[pd.DataFrame, pd.Series[str]]:
    """The rows of a block as they are kept, and their local references."""
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
            "sex": _named(check.text("sex", required=False), sex_of),
            "ethnicity_group": _named(
                check.text("ethnicity_group", required=False), ethnicity_group_of
            ),
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
    matched.add("ward codes found in the lookup", rows["ward_code"], wards, is_needed=False)
    matched.add("LSOAs matched to wards", lsoa, wards.index)
    matched.add("practices matched to PCNs", practice, pcns.index)
    rows["ward_code"] = rows["ward_code"].fillna(lsoa.map(wards).astype("str"))
    rows["pcn_code"] = rows["pcn_code"].fillna(practice.map(pcns).astype("str"))
    return rows, reference


def _named(said: pd.Series[str], name_of: Callable[[str], str]) -> pd.Series[str]:
    """Each distinct word under the name that is used for it."""
    return said.map({word: name_of(word) for word in said.dropna().unique()}).astype("str")


def _placed_in_time(rows: pd.DataFrame) -> pd.DataFrame:
    months = {day: day.replace(day=1) for day in rows["received_on"].unique()}
    rows = rows.assign(month=rows["received_on"].map(months).astype(object))
    names = {month: f"{month:%Y-%m} " for month in months.values()}
    part_key = rows["month"].map(names).astype("str") + rows["pcn_code"].fillna("no PCN")
    # An episode ends when the person declines or the referral is closed, whichever is first.
    ended = rows["closed_on"].where(_is_first(rows["closed_on"], rows["declined_on"]))
    ended = ended.fillna(rows["declined_on"])
    ends = {day: day.replace(day=1) for day in ended.dropna().unique()}
    return rows.assign(part_key=part_key, ended_month=ended.map(ends).astype(object))


def _is_first(one: pd.Series[date], other: pd.Series[date]) -> pd.Series[bool]:
    """Where the first date is there, and not after the other."""
    return pd.to_datetime(one).le(pd.to_datetime(other)) | other.isna()


def _age_band(check: Check) -> pd.Series[str]:
    """The band as sent, or that of a column of ages."""
    bands = check.one_of("age_band", AGE_BANDS)
    ages = check.whole("age", required=False)
    too_old = ages.gt(OLDEST).fillna(False)
    check.fail(too_old, check.column("age", required=False), "age", f"expected 0 to {OLDEST}")
    band_of = {age: age_band_of(age) for age in ages.dropna().unique()}
    return bands.fillna(ages.astype(object).map(band_of).astype("str"))


@dataclass
class _Matched:
    """How many codes of each kind the lookups know; too few are a problem of the file."""

    sent: Counter[str] = field(default_factory=Counter)
    known: Counter[str] = field(default_factory=Counter)
    unknown: dict[str, list[str]] = field(default_factory=dict)
    needed: set[str] = field(default_factory=set)

    def add(
        self,
        what: str,
        codes: pd.Series[str],
        lookup: pd.Series[str] | pd.Index[str],
        *,
        is_needed: bool = True,
    ) -> None:
        """Count the codes of a block that stand in the lookup."""
        sent = codes.dropna()
        # Of a block's few codes, not of all that England has: pandas would go through each of those.
        known = sent.isin(set(sent.unique().tolist()) & set(lookup.unique().tolist()))
        self.sent[what] += len(sent)
        self.known[what] += int(known.sum())
        if is_needed:
            self.needed.add(what)
        unknown = self.unknown.setdefault(what, [])
        # A value that is no code may say who a person is: it is never shown.
        codes_only = (code for code in sent[~known].unique() if CODE.fullmatch(code))
        unknown += [code for code in codes_only if code not in unknown][:5]

    def notes(self) -> list[str]:
        """'19 of 20 LSOAs matched to wards', for each kind that was sent."""
        return [self._note(what) for what, count in self.sent.items() if count]

    def _note(self, what: str) -> str:
        return f"{self.known[what]} of {self.sent[what]} {what}"

    def finish(self, tally: Tally) -> None:
        """Refuse a file whose codes are of another vintage than the lookups."""
        problems = []
        for what in self.needed:
            if self.sent[what] and self.known[what] / self.sent[what] < LEAST_MATCHED:
                unknown = ", ".join(self.unknown[what][:5])
                rule = f"only {self._note(what)}: load the lookup of the same vintage first; "
                problems.append(Problem(rule + f"not found: {unknown}"))
        if problems:
            raise RefusedError(tally.source.name, [*problems, *tally.problems])


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
    parts="months of a PCN",
    uses_lookups=True,
    template=TEMPLATE,
)
