"""Scores before and after, matched by reference and counted, whenever what they rest on changes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

import pandas as pd
from sqlalchemy import Connection, Select, delete, exists, select, union

from queries import tables
from queries.frames import read_frame
from queries.places import in_force

_REFERRAL, _OUTCOME, _CONTACT, _PART = (
    tables.referral.c,
    tables.outcome.c,
    tables.gp_contact.c,
    tables.load_part.c,
)
# Attendances at the GP are counted as one more question.
GP_CONTACT = ("GP attendances", "attendances")
# Parts of referrals whose scores are read at once.
_AT_ONCE = 200
_GROUPS = {
    "ward": "ward_code",
    "age band": "age_band",
    "sex": "sex",
    "ethnicity": "ethnicity_group",
}


def count_again(connection: Connection, part_ids: Collection[int]) -> Iterator[pd.DataFrame]:
    """Count the scores of every referral that these parts touch, in pieces to be written.

    `part_ids`: parts that came into force or left it, of whatever dataset. What was counted
    before of the parts of referrals concerned is deleted. Each piece has the columns of
    `score_fact`.
    """
    # Nothing to match, and nothing to look for in millions of referrals.
    told = (select(table.c.part_id).exists() for table in (tables.outcome, tables.gp_contact))
    if not any(connection.scalar(select(is_told)) for is_told in told):
        return
    concerned = sorted(_referral_parts(connection, part_ids))
    for start in range(0, len(concerned), _AT_ONCE):
        parts = concerned[start : start + _AT_ONCE]
        connection.execute(delete(tables.score_fact).where(tables.score_fact.c.part_id.in_(parts)))
        scores = _scores(connection, parts)
        if len(scores):
            yield _counted(scores)


def _referral_parts(connection: Connection, part_ids: Collection[int]) -> Iterable[int]:
    """The parts of referrals in force among these, and those that scores in these speak of."""
    found: set[int] = set()
    ids = list(part_ids)
    # SQLite takes a limited number of values in one statement.
    for start in range(0, len(ids), 500):
        some = ids[start : start + 500]
        # Another referral of the same reference may lose a score to one that came, or gain it.
        spoken_of = union(
            select(_OUTCOME.reference_hash).where(_OUTCOME.part_id.in_(some)),
            select(_CONTACT.reference_hash).where(_CONTACT.part_id.in_(some)),
            _with_scores(some),
        )
        told = select(_REFERRAL.part_id).where(
            in_force(_REFERRAL.part_id), _REFERRAL.reference_hash.in_(spoken_of)
        )
        own = select(_PART.id).where(
            _PART.id.in_(some), _PART.dataset == "referrals", _PART.replaced_by.is_(None)
        )
        found |= set(connection.scalars(told.distinct())) | set(connection.scalars(own))
    return found


def _scores(connection: Connection, parts: list[int]) -> pd.DataFrame:
    """One row per referral of the parts, measure and item: the score before and the one after."""
    scored = _outcome_rows(connection, parts)
    contacts = _contact_rows(connection, parts)
    if scored.empty and contacts.empty:
        return scored
    referrals = _referrals(connection, parts)
    scored = _placed(scored, referrals)
    starts = scored[scored["point"] == "start"].sort_values("measured_on", kind="stable")
    ends = scored[scored["point"] == "end"].sort_values("measured_on", kind="stable")
    key = ["referral", "measure", "item"]
    # The first score of a referral, and its last.
    matched = pd.concat(
        [
            starts.groupby(key)["score"].first().rename("score_before"),
            ends.groupby(key)["score"].last().rename("score_after"),
        ],
        axis=1,
    ).reset_index()
    contacts = contacts.merge(
        # Attendances say no day: they are of the reference's last referral.
        referrals.groupby("reference_hash").tail(1).rename_axis("referral").reset_index(),
        on="reference_hash",
    )
    contacts = contacts.assign(measure=GP_CONTACT[0], item=GP_CONTACT[1])
    pieces = [matched, contacts[[*key, "score_before", "score_after"]]]
    both = pd.concat([piece for piece in pieces if len(piece)])
    return both.join(referrals[referrals["part_id"].isin(parts)], on="referral", how="inner")


def _placed(scored: pd.DataFrame, referrals: pd.DataFrame) -> pd.DataFrame:
    """Scores with the referral they are of: the last one received by then, else the first."""
    dated = referrals.rename_axis("referral").reset_index()
    rows = scored.assign(row=range(len(scored))).merge(
        dated[["reference_hash", "referral", "received_on"]], on="reference_hash"
    )
    rows["is_by_then"] = rows["received_on"] <= rows["measured_on"]
    # Received in order of time: among those by then the last counts, else the first of all.
    rows["rank"] = rows["referral"].where(rows["is_by_then"], -1 - rows["referral"])
    best = rows.groupby("row")["rank"].idxmax()
    return rows.loc[best]


def _referrals(connection: Connection, parts: list[int]) -> pd.DataFrame:
    """Every referral in force of a reference that the parts hold and scores speak of, the
    earliest first; a referral is known by its place."""
    return read_frame(
        connection,
        select(
            _REFERRAL.part_id,
            _REFERRAL.reference_hash,
            _REFERRAL.received_on,
            _REFERRAL.pcn_code,
            _PART.period_start.label("month"),
            _REFERRAL.ward_code,
            _REFERRAL.age_band,
            _REFERRAL.sex,
            _REFERRAL.ethnicity_group,
        )
        .join(tables.load_part, _PART.id == _REFERRAL.part_id)
        .where(_PART.replaced_by.is_(None), _REFERRAL.reference_hash.in_(_with_scores(parts)))
        .order_by(_REFERRAL.received_on, _REFERRAL.reference_hash, _REFERRAL.part_id),
        {
            "part_id": "int64", "reference_hash": "str", "received_on": "object",
            "pcn_code": "str", "month": "object", "ward_code": "str", "age_band": "str",
            "sex": "str", "ethnicity_group": "str",
        },
    )  # fmt: skip


def _of_references(parts: list[int]) -> Select[tuple[str]]:
    return select(_REFERRAL.reference_hash).where(_REFERRAL.part_id.in_(parts))


def _with_scores(parts: list[int]) -> Select[tuple[str]]:
    """The references that the parts hold and scores speak of, whether these are in force or not."""
    return _of_references(parts).where(
        exists().where(_OUTCOME.reference_hash == _REFERRAL.reference_hash)
        | exists().where(_CONTACT.reference_hash == _REFERRAL.reference_hash)
    )


def _outcome_rows(connection: Connection, parts: list[int]) -> pd.DataFrame:
    """One row per reference, measure, item, point (start or end) and day: the score told last."""
    rows = read_frame(
        connection,
        select(
            _OUTCOME.reference_hash,
            _OUTCOME.measure,
            _OUTCOME.item,
            _OUTCOME.point,
            _OUTCOME.measured_on,
            _OUTCOME.score,
        )
        .where(
            in_force(_OUTCOME.part_id),
            _OUTCOME.reference_hash.in_(_of_references(parts)),
            _OUTCOME.point.in_(("start", "end")),
        )
        .order_by(_OUTCOME.measured_on, _OUTCOME.part_id, _OUTCOME.score),
        {
            "reference_hash": "str", "measure": "str", "item": "str", "point": "str",
            "measured_on": "object", "score": "float64",
        },
    )  # fmt: skip
    key = ["reference_hash", "measure", "item", "point", "measured_on"]
    return rows.drop_duplicates(key, keep="last")


def _contact_rows(connection: Connection, parts: list[int]) -> pd.DataFrame:
    """One row per reference: the attendances that were told last of it."""
    rows = read_frame(
        connection,
        select(
            _CONTACT.reference_hash,
            _CONTACT.attendances_before.label("score_before"),
            _CONTACT.attendances_after.label("score_after"),
        )
        .where(in_force(_CONTACT.part_id), _CONTACT.reference_hash.in_(_of_references(parts)))
        .order_by(_CONTACT.part_id),
        {"reference_hash": "str", "score_before": "float64", "score_after": "float64"},
    )
    told = rows[rows[["score_before", "score_after"]].notna().any(axis=1)]
    return told.drop_duplicates("reference_hash", keep="last")


def _counted(scores: pd.DataFrame) -> pd.DataFrame:
    categories = [scores.assign(category="all", value=None)]
    categories += [
        scores.assign(category=category, value=scores[column])
        for category, column in _GROUPS.items()
    ]
    key = [
        "part_id", "pcn_code", "month", "category", "value", "measure", "item",
        "score_before", "score_after",
    ]  # fmt: skip
    rows = pd.concat([frame.astype({"value": "str"}) for frame in categories])
    return rows.groupby(key, dropna=False).size().rename("referrals").reset_index()
