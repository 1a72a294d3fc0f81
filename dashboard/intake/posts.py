"""Link-worker posts, a local return: how each stands and stood, and who supervises it."""

from __future__ import annotations

import pandas as pd

from dashboard.intake.dataset import (
    PCN,
    Column,
    Dataset,
    Lookups,
    Template,
    parts_of,
    sheet_with,
)
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

COLUMNS = ("post_id", "pcn_code", "status")
ALSO = {
    "post_id": ("post_reference", "post_number", "position_id"),
    "pcn_code": ("pcn",),
    "status": ("post_status", "state"),
    "role_title": ("role", "job_title", "role_title_in_use"),
    "employer_type": ("employer", "employed_by"),
    "funded_fte": ("fte", "wte", "funded_wte"),
    "since": ("from", "valid_from", "start_date"),
    "until": ("to", "valid_until", "end_date"),
    "supervised_by": ("supervisor_profession", "supervision_by"),
    "last_supervision": ("last_supervision_on", "last_supervision_date", "last_supervised"),
}
EMPLOYERS = ("NHS", "contracted provider", "VCSE", "consortium", "council", "other")
ENDED = "ended"
STATUSES = ("filled", "vacant", "recruiting", ENDED)
# Agreed words, so that nobody's name stands where a profession is asked for.
PROFESSIONS = (
    "GP",
    "nurse",
    "occupational therapist",
    "physiotherapist",
    "social worker",
    "psychologist",
    "pharmacist",
    "paramedic",
    "link worker",
    "manager",
    "other",
)
# More than this is not the FTE of one post, but its hours a week.
MOST_FTE = 5
POST_ID_CHARACTERS = 64  # as the table keeps it


def _recognises(source: Source) -> bool:
    return sheet_with(source, *COLUMNS, also=ALSO) is not None


def _read(source: Source, _lookups: Lookups) -> CleanLoad:
    check = check_return(source, COLUMNS, ALSO, of_persons=True)
    rows = pd.DataFrame(
        {
            "post_id": check.text("post_id", most=POST_ID_CHARACTERS),
            "role_title": check.text("role_title", required=False),
            "pcn_code": check.code("pcn_code", *PCN),
            "employer_type": check.one_of("employer_type", EMPLOYERS),
            "funded_fte": check.number("funded_fte", required=False),
            "status": check.one_of("status", STATUSES, required=True),
            "since": check.date("since", required=False, earliest=EARLIEST, latest=LATEST),
            "until": check.date("until", required=False, earliest=EARLIEST, latest=LATEST),
            "supervised_by": check.one_of("supervised_by", PROFESSIONS),
            "last_supervision_on": check.date(
                "last_supervision", required=False, earliest=EARLIEST, latest=LATEST
            ),
        }
    )
    too_many = rows["funded_fte"].gt(MOST_FTE).fillna(False)
    rule = f"expected an FTE from 0 to {MOST_FTE}, where 1 is a full-time post: not hours a week"
    check.fail(too_many, check.column("funded_fte", required=False), "funded_fte", rule)
    fail_backwards(check, rows["since"], rows["until"])
    fail_persons(check, "role_title")
    rows["until"], closed = close_spells(check, rows, "post_id", "since", "until")
    ordered = rows.sort_values(["post_id", "since"], na_position="first", kind="stable")
    posts = ordered.groupby("post_id")
    after_end = (posts["status"].shift() == ENDED).sort_index()
    rule = "an earlier spell says that this post has ended: a post set up anew has a new post_id"
    check.fail(after_end, check.column("post_id"), "post_id", rule)
    check.finish()

    rows["part_key"] = rows["pcn_code"]
    by_status = posts["status"].last().value_counts().reindex(STATUSES, fill_value=0)
    no_day = int(((rows["status"] == ENDED) & rows["since"].isna() & rows["until"].isna()).sum())
    return CleanLoad(
        dataset=DATASET.name,
        file_name=source.name,
        sha256=source.sha256,
        rows_read=len(rows),
        parts=parts_of(rows),
        rows={"post": rows},
        notes=(
            f"{len(rows)} spells of {len(posts)} posts in {rows['pcn_code'].nunique()} PCNs; "
            "the last of each: "
            + ", ".join(f"{count} {status}" for status, count in by_status.items()),
            f"{rows['funded_fte'].isna().sum()} without a funded FTE",
            *([f"{no_day} ended without a date"] if no_day else []),
            *closed,
            *not_read(check),
        ),
    )


TEMPLATE = Template(
    "one spell of one link-worker post: how it stands from since until until; a change of state "
    "is a new row, so that starters, leavers and vacancies can be counted; no name of a person",
    (
        Column("post_id", True, "Your own number for the post, the same in each row.", "P-001"),
        Column("pcn_code", True, "Code of the PCN the post serves.", "U12345"),
        Column("status", True, f"One of: {', '.join(STATUSES)}.", "filled"),
        Column(
            "role_title",
            False,
            "Title in use, such as it stands in the advertisement.",
            "Social prescribing link worker",
        ),
        Column("employer_type", False, f"One of: {', '.join(EMPLOYERS)}.", "VCSE"),
        Column(
            "funded_fte", False, f"Full-time equivalents, 0 to {MOST_FTE}; 1 is full time.", "0.8"
        ),
        Column("since", False, "First day of the spell.", "2026-04-01"),
        Column(
            "until",
            False,
            "Last day of the spell; blank while it lasts, or until the next row of the post.",
            "2027-03-31",
        ),
        Column(
            "supervised_by",
            False,
            f"Profession of the supervisor, one of: {', '.join(PROFESSIONS)}.",
            "occupational therapist",
        ),
        Column("last_supervision", False, "Date of the last supervision.", "2026-06-15"),
    ),
)
DATASET = Dataset(
    "posts",
    "Link-worker posts (local return)",
    _recognises,
    _read,
    replaces="the posts of the same PCN",
    parts="PCNs",
    template=TEMPLATE,
)
