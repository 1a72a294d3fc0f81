"""Local targets, a local return: the FTE of link workers each PCN is to have, as agreed."""

from __future__ import annotations

import pandas as pd

from dashboard.intake import posts, recruitment_plan
from dashboard.intake.dataset import PCN, Column, Dataset, Lookups, Template, parts_of, sheet_with
from dashboard.intake.local_return import (
    EARLIEST,
    LATEST,
    check_return,
    fail_backwards,
    fail_persons,
    not_read,
)
from dashboard.intake.source import Source
from dashboard.intake.spells import close_spells
from queries.load import CleanLoad

COLUMNS = ("pcn_code", "target_fte", "valid_from")
ALSO = {
    "pcn_code": ("pcn",),
    "target_fte": ("target_wte", "fte_target"),
    "valid_from": ("from", "since", "from_date", "start_date"),
    "valid_until": ("until", "to", "until_date", "end_date"),
    "reason": ("why", "rationale"),
}
# More than this is a number of hours or of people, not the FTE of one PCN.
MOST_FTE = 50
REASON_CHARACTERS = 200


def _recognises(source: Source) -> bool:
    # Their files may hold a target as well, and say more.
    others = (posts.DATASET, recruitment_plan.DATASET)
    return sheet_with(source, *COLUMNS, also=ALSO) is not None and not any(
        other.recognises(source) for other in others
    )


def _read(source: Source, _lookups: Lookups) -> CleanLoad:
    check = check_return(source, COLUMNS, ALSO, of_persons=True)
    rows = pd.DataFrame(
        {
            "pcn_code": check.code("pcn_code", *PCN),
            "target_fte": check.number("target_fte"),
            "valid_from": check.date("valid_from", earliest=EARLIEST, latest=LATEST),
            "valid_until": check.date(
                "valid_until", required=False, earliest=EARLIEST, latest=LATEST
            ),
            "reason": check.text("reason", required=False, most=REASON_CHARACTERS),
        }
    )
    too_many = rows["target_fte"].gt(MOST_FTE).fillna(False)
    rule = f"expected an FTE from 0 to {MOST_FTE}, where 1 is one person full time"
    check.fail(too_many, check.column("target_fte"), "target_fte", rule)
    fail_backwards(check, rows["valid_from"], rows["valid_until"], "valid_until")
    fail_persons(check, "reason")
    rows["valid_until"], closed = close_spells(check, rows, "pcn_code", "valid_from", "valid_until")
    check.finish()

    rows["part_key"] = rows["pcn_code"]
    return CleanLoad(
        dataset=DATASET.name,
        file_name=source.name,
        sha256=source.sha256,
        rows_read=len(rows),
        parts=parts_of(rows),
        rows={"local_target": rows},
        notes=(
            f"{len(rows)} targets of {rows['pcn_code'].nunique()} PCNs",
            *closed,
            *not_read(check),
        ),
    )


TEMPLATE = Template(
    "the FTE of link workers that one PCN is to have, from one day on; a new target is a new row",
    (
        Column("pcn_code", True, "Code of the PCN.", "U12345"),
        Column("target_fte", True, f"Full-time equivalents agreed, 0 to {MOST_FTE}.", "2.5"),
        Column("valid_from", True, "First day on which the target holds.", "2026-04-01"),
        Column(
            "valid_until",
            False,
            "Last day; blank if open, or if it holds until the PCN's next target.",
            "2027-03-31",
        ),
        Column(
            "reason",
            False,
            f"Where it was agreed, and why: at most {REASON_CHARACTERS} characters, "
            "and nothing about a person.",
            "agreed in the board's plan for 2026/27",
        ),
    ),
)
DATASET = Dataset(
    "targets",
    "Local targets (local return)",
    _recognises,
    _read,
    replaces="the targets of the same PCN",
    parts="PCNs",
    template=TEMPLATE,
)
