"""Named leads, a local return: which post leads social prescribing in each locality."""

from __future__ import annotations

import pandas as pd

from dashboard.intake.dataset import Column, Dataset, Lookups, Template, parts_of, sheet_with
from dashboard.intake.local_return import (
    EARLIEST,
    LATEST,
    check_return,
    fail_backwards,
    fail_persons,
    not_read,
)
from dashboard.intake.posts import PROFESSIONS
from dashboard.intake.source import Source
from queries.load import CleanLoad

COLUMNS = ("locality", "post", "profession")
ALSO = {
    "locality": ("locality_name", "place"),
    "post": ("post_title", "role_holders_post", "lead_post"),
    "profession": ("lead_profession",),
    "from": ("valid_from", "from_date", "start_date", "since"),
    "until": ("valid_until", "to", "until_date", "end_date"),
}


def _recognises(source: Source) -> bool:
    return sheet_with(source, *COLUMNS, also=ALSO) is not None


def _read(source: Source, _lookups: Lookups) -> CleanLoad:
    check = check_return(source, COLUMNS, ALSO, of_persons=True)
    rows = pd.DataFrame(
        {
            "locality": check.text("locality"),
            "post_name": check.text("post"),
            "profession": check.one_of("profession", PROFESSIONS),
            "valid_from": check.date("from", required=False, earliest=EARLIEST, latest=LATEST),
            "valid_until": check.date("until", required=False, earliest=EARLIEST, latest=LATEST),
        }
    )
    fail_backwards(check, rows["valid_from"], rows["valid_until"])
    fail_persons(check, "post")
    key = ["locality", "post_name", "valid_from"]
    check.no_repeats(rows[key], "locality, post and date")
    check.finish()

    rows["part_key"] = rows["locality"]
    return CleanLoad(
        dataset=DATASET.name,
        file_name=source.name,
        sha256=source.sha256,
        rows_read=len(rows),
        parts=parts_of(rows),
        rows={"named_lead": rows},
        notes=(
            f"{len(rows)} leads of {rows['locality'].nunique()} localities",
            *not_read(check),
        ),
    )


TEMPLATE = Template(
    "one post that leads social prescribing in one locality; the post, never the person",
    (
        Column("locality", True, "Name of the locality, always spelt the same.", "North"),
        Column("post", True, "Title of the post, not of its holder.", "Head of personalised care"),
        Column(
            "profession",
            True,
            f"One of: {', '.join(PROFESSIONS)}; may be blank.",
            "nurse",
        ),
        Column("from", False, "Date from which the post leads.", "2026-04-01"),
        Column("until", False, "Last date on which it leads; blank if open.", "2027-03-31"),
    ),
)
DATASET = Dataset(
    "named_leads",
    "Named leads (local return)",
    _recognises,
    _read,
    replaces="the leads of the same locality",
    parts="localities",
    template=TEMPLATE,
)
