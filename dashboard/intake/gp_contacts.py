"""Contacts with the GP, a local return: attendances before and after a referral."""

from __future__ import annotations

import pandas as pd

from dashboard.intake.dataset import PCN, Column, Dataset, Lookups, Template, parts_of, sheet_with
from dashboard.intake.local_return import check_return, month_end, months_of, not_read
from dashboard.intake.source import Source
from queries.load import CleanLoad

COLUMNS = ("reference", "attendances_before", "attendances_after")
ALSO = {
    "reference": ("local_reference", "id", "referral_id", "referral_reference"),
    "attendances_before": (
        "attendances_6_months_before",
        "gp_attendances_before",
        "gp_contacts_before",
        "contacts_before",
    ),
    "attendances_after": (
        "attendances_6_months_after",
        "gp_attendances_after",
        "gp_contacts_after",
        "contacts_after",
    ),
    "period": ("month",),
    "pcn_code": ("pcn",),
}
# One a day for six months: above it the number is something else.
MOST_ATTENDANCES = 184


def _recognises(source: Source) -> bool:
    return sheet_with(source, *COLUMNS, also=ALSO) is not None


def _read(source: Source, lookups: Lookups) -> CleanLoad:
    check = check_return(source, COLUMNS, ALSO, of_persons=True)
    reference = check.text("reference")
    rows = pd.DataFrame(
        {
            name: check.whole(name, required=False)
            for name in ("attendances_before", "attendances_after")
        }
    )
    for name in rows.columns:
        rule = f"expected 0 to {MOST_ATTENDANCES} attendances in six months"
        too_many = rows[name].gt(MOST_ATTENDANCES).fillna(False)
        check.fail(too_many, check.column(name), name, rule)
    rows["month"] = months_of(check, "period", required=False)
    pcn = check.code("pcn_code", *PCN, required=False)
    check.no_repeats(reference.to_frame(), "reference")
    good = check.finish_rows()

    # The attendances have no date of their own: what a second file replaces is told by the
    # month and PCN it is for, where it says them.
    months = rows["month"].map("{:%Y-%m}".format, na_action="ignore").fillna("no period")
    rows["part_key"] = months.astype("str") + " " + pcn.fillna("no PCN")
    rows["period_end"] = rows["month"].map(month_end, na_action="ignore")
    rows = rows.assign(reference_hash=lookups.hashed(reference[good]))[good]
    both = rows[["attendances_before", "attendances_after"]].notna().all(axis=1)
    return CleanLoad(
        dataset=DATASET.name,
        file_name=source.name,
        sha256=source.sha256,
        rows_read=len(check.frame),
        parts=parts_of(rows, "month", "period_end"),
        rows={"gp_contact": rows.drop(columns=["month", "period_end"])},
        notes=(
            f"{len(rows)} referrals, {both.sum()} with attendances before and after",
            *not_read(check),
        ),
        refused=check.refused(),
        rows_refused=int((~good).sum()),
    )


TEMPLATE = Template(
    "one referral: how often its person attended the GP before and after it",
    (
        Column("reference", True, "Your own reference of the referral.", "R-0001"),
        Column(
            "attendances_before",
            True,
            f"Attendances in the 6 months before the referral, 0 to {MOST_ATTENDANCES}; "
            "blank if not known.",
            "9",
        ),
        Column(
            "attendances_after",
            True,
            f"Attendances in the 6 months after it, 0 to {MOST_ATTENDANCES}; blank if not known.",
            "5",
        ),
        Column("period", False, "Month the file is for.", "2026-06"),
        Column("pcn_code", False, "Code of the PCN the file is for.", "U12345"),
    ),
)
DATASET = Dataset(
    "gp_contacts",
    "Contacts with the GP (local return)",
    _recognises,
    _read,
    replaces="the contacts of the same period and PCN; a file that says neither replaces all "
    "that were sent without them",
    parts="periods of a PCN",
    template=TEMPLATE,
)
