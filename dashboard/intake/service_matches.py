"""Same service or not, a local return: what somebody decided who looked at two entries."""

from __future__ import annotations

import pandas as pd

from dashboard.intake.dataset import Column, Dataset, Lookups, Template, parts_of, sheet_with
from dashboard.intake.local_return import check_return, not_read
from dashboard.intake.services import ALSO as OF_SERVICES
from dashboard.intake.services import SERVICE_ID_CHARACTERS
from dashboard.intake.source import Source
from queries.load import CleanLoad

COLUMNS = ("provider", "service_id", "other_service_id", "same")
ALSO = {
    "other_service_id": ("other_id", "directory_id", "directory_service_id"),
    "same": ("is_same", "same_service"),
    **{column: OF_SERVICES[column] for column in ("provider", "service_id")},
}


def _recognises(source: Source) -> bool:
    return sheet_with(source, *COLUMNS, also=ALSO) is not None


def _read(source: Source, _lookups: Lookups) -> CleanLoad:
    check = check_return(source, COLUMNS, ALSO)
    rows = pd.DataFrame(
        {
            "provider": check.text("provider"),
            "service_id": check.text("service_id", most=SERVICE_ID_CHARACTERS),
            "other_service_id": check.text("other_service_id", most=SERVICE_ID_CHARACTERS),
            "is_same": check.yes_no("same"),
        }
    )
    said = check.column("same")
    check.fail(said == "", said, "same", "expected yes or no")
    key = ["provider", "service_id", "other_service_id"]
    check.no_repeats(rows[key], "provider and two services")
    check.finish()

    rows["part_key"] = rows["provider"] + " " + rows["service_id"] + " " + rows["other_service_id"]
    same = int(rows["is_same"].sum())
    return CleanLoad(
        dataset=DATASET.name,
        file_name=source.name,
        sha256=source.sha256,
        rows_read=len(rows),
        parts=parts_of(rows),
        rows={"service_match": rows},
        notes=(f"{same} the same service, {len(rows) - same} not", *not_read(check)),
    )


TEMPLATE = Template(
    "two entries that somebody looked at: a service of a provider's return and one of the directory",
    (
        Column(
            "provider", True, "The organisation, spelt as in the services return.", "North charity"
        ),
        Column("service_id", True, "The service_id of the services return.", "S-01"),
        Column(
            "other_service_id",
            True,
            "The id of the entry in the directory.",
            "ac148810-d857-441c-9679-408f346de14b",
        ),
        Column("same", True, "yes if they are the same service, no if they are two.", "yes"),
    ),
)
DATASET = Dataset(
    "service_matches",
    "Same service, or not (local return)",
    _recognises,
    _read,
    replaces="what was said before of the same two entries",
    parts="pairs of services",
    template=TEMPLATE,
)
