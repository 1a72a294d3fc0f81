"""Capacity by week, a local return: how much room each service has, so that it shows over time."""

from __future__ import annotations

from datetime import timedelta

import pandas as pd

from dashboard.intake.dataset import Column, Dataset, Lookups, Template, parts_of, sheet_with
from dashboard.intake.local_return import EARLIEST, LATEST, check_return, not_read
from dashboard.intake.services import ALSO as OF_SERVICES
from dashboard.intake.services import SERVICE_ID_CHARACTERS, STATES
from dashboard.intake.source import Source
from queries.load import CleanLoad

COLUMNS = ("provider", "service_id", "week")
ALSO = {
    "week": ("week_of", "week_beginning", "week_commencing", "week_starting", "week_start"),
    **{
        column: OF_SERVICES[column] for column in ("provider", "service_id", "waiting", "wait_days")
    },
}
# What a week is told for; one of them is enough.
FIGURES = ["state", "places_offered", "places_filled", "people_waiting", "wait_days"]


def _recognises(source: Source) -> bool:
    return sheet_with(source, *COLUMNS, also=ALSO) is not None


def _read(source: Source, _lookups: Lookups) -> CleanLoad:
    check = check_return(source, COLUMNS, ALSO)
    days = check.date("week", earliest=EARLIEST, latest=LATEST)
    rows = pd.DataFrame(
        {
            "provider": check.text("provider"),
            "service_id": check.text("service_id", most=SERVICE_ID_CHARACTERS),
            "week": [day and day - timedelta(days=day.weekday()) for day in days],
            "state": check.one_of("state", STATES),
            "places_offered": check.whole("places_offered", required=False),
            "places_filled": check.whole("places_filled", required=False),
            "people_waiting": check.whole("waiting", required=False),
            "wait_days": check.whole("wait_days", required=False),
        },
        index=days.index,
    )
    rule = "expected at least one figure, or the state: a week without any says nothing"
    silent = rows[FIGURES].isna().all(axis=1)
    check.fail(silent, check.column("service_id"), "service_id", rule)
    check.no_repeats(rows[["provider", "service_id", "week"]], "provider, service and week")
    check.finish()

    rows["part_key"] = rows["week"].map("{:%Y-%m-%d} ".format).astype("str") + rows["provider"]
    rows["week_end"] = [week + timedelta(days=6) for week in rows["week"]]
    overbooked = (rows["places_filled"] > rows["places_offered"]).fillna(False)
    return CleanLoad(
        dataset=DATASET.name,
        file_name=source.name,
        sha256=source.sha256,
        rows_read=len(rows),
        parts=parts_of(rows, "week", "week_end"),
        rows={"service_capacity": rows.drop(columns="week_end")},
        notes=(
            f"{len(rows)} rows of {len(rows.drop_duplicates(['provider', 'service_id']))} services "
            f"in {rows['week'].nunique()} weeks",
            f"{overbooked.sum()} with more places filled than offered",
            *not_read(check),
        ),
    )


TEMPLATE = Template(
    "one service of one provider in one week",
    (
        Column(
            "provider", True, "The organisation, spelt as in the services return.", "North charity"
        ),
        Column("service_id", True, "The service_id of the services return.", "S-01"),
        Column("week", True, "Any date in the week; its Monday is kept.", "2026-06-15"),
        Column("state", False, f"One of: {', '.join(STATES)}.", "has capacity"),
        Column(
            "places_offered",
            False,
            "Places in the 4 weeks from this one, a whole number; blank if not known, never 0 "
            "for it. One of state and figures must be there.",
            "12",
        ),
        Column("places_filled", False, "How many of them are taken.", "9"),
        Column("waiting", False, "How many people wait; blank if not known, never 0 for it.", "0"),
        Column("wait_days", False, "How many days a person waits for a place in that week.", "14"),
    ),
)
DATASET = Dataset(
    "capacity",
    "Capacity by week (local return)",
    _recognises,
    _read,
    replaces="the same week of the same provider",
    parts="weeks of providers",
    template=TEMPLATE,
)
