"""Who leads a locality at a date, and whether the supervision of a post is due."""

from __future__ import annotations

from datetime import date, timedelta
from enum import StrEnum

import pandas as pd

THERAPIST = "occupational therapist"


class Supervision(StrEnum):
    """How the supervision of a post stands, what needs somebody first."""

    OVERDUE = "overdue"
    NEVER = "no supervision told"
    DUE = "due within 14 days"
    IN_TIME = "in time"


DUE_SOON = timedelta(days=14)


def leads_at(localities: pd.DataFrame, leads: pd.DataFrame, day: date) -> pd.DataFrame:
    """One row per locality and lead it has on a day; those without one come first, by name.

    `localities`: lad_code, lad_name. `leads`: lad_code, post_name, profession, valid_from,
    valid_until; a spell without a beginning holds from ever, one without an end for ever.
    `last_lead` of a locality without one is who led it last, "" where nobody is known to have.
    """
    begun = leads["valid_from"].isna() | (leads["valid_from"].fillna(day) <= day)
    ended = leads["valid_until"].notna() & (leads["valid_until"].fillna(day) < day)
    now = leads[begun & ~ended]
    before = leads[ended].sort_values("valid_until").drop_duplicates("lad_code", keep="last")
    last = {
        code: f"{post}, until {until.day} {until:%B %Y}"
        for code, post, until in zip(
            before["lad_code"], before["post_name"], before["valid_until"], strict=True
        )
    }
    found = localities.merge(now.drop(columns="valid_until"), on="lad_code", how="left")
    is_without = found["post_name"].isna()
    found["last_lead"] = pd.Series(
        [
            last.get(code, "") if without else ""
            for code, without in zip(found["lad_code"], is_without, strict=True)
        ],
        found.index,
        dtype="str",
    )
    order = found.assign(has_lead=~is_without).sort_values(["has_lead", "lad_name", "post_name"])
    return order.drop(columns="has_lead").reset_index(drop=True)


def judge_supervision(posts: pd.DataFrame, day: date, every: timedelta) -> pd.DataFrame:
    """The posts (post_id, supervised_by, last_supervision_on, ...) with `due_on` and `state`, a word
    of `Supervision`; the longest overdue first, then those of which none was told.

    Due is `every` after the last; a supervision after the day is not known on it.
    """
    last = posts["last_supervision_on"].where(
        posts["last_supervision_on"].notna() & (posts["last_supervision_on"].fillna(day) <= day)
    )
    due = pd.Series(
        [None if pd.isna(one) else one + every for one in last], posts.index, dtype=object
    )
    states = [_supervision(one, day).value for one in due]
    found = posts.assign(last_supervision_on=last, due_on=due, state=states)
    order = [word.value for word in Supervision]
    return found.sort_values(
        ["state", "due_on", "post_id"],
        key=lambda column: column.map(order.index) if column.name == "state" else column,
    ).reset_index(drop=True)


def _supervision(due: date | None, day: date) -> Supervision:
    if due is None:
        return Supervision.NEVER
    if due < day:
        return Supervision.OVERDUE
    return Supervision.DUE if due <= day + DUE_SOON else Supervision.IN_TIME
