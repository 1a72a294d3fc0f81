"""What pages read of the referral pathway and of scores before and after."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

STEPS = ("accepted", "contacted", "planned", "connected", "attended", "completed")
COUNTS = (
    "referrals",
    "offered",
    "declined",
    *(f"{step}{state}" for step in STEPS for state in ("", "_dated", "_open")),
    "negative_waits",
)


def upgrade() -> None:
    # The facts of rows that are there are counted when the program starts: see `dashboard.facts`.
    _create(
        "pathway_fact",
        *(sa.Column(name, sa.Integer(), nullable=False) for name in COUNTS),
        sa.Column("days", sa.LargeBinary(), nullable=False),
    )
    _create(
        "score_fact",
        sa.Column("measure", sa.String(), nullable=False),
        sa.Column("item", sa.String(), nullable=False),
        sa.Column("score_before", sa.Float(), nullable=True),
        sa.Column("score_after", sa.Float(), nullable=True),
        sa.Column("referrals", sa.Integer(), nullable=False),
    )
    # It said of scores how many there are, and not whose change they show.
    op.drop_table("outcome_fact")
    _keep_metric_totals()


# The metric score of each raw total of SWEMWBS from 8 to 34; 7 and 35 are the same in both. Source:
# Warwick-Edinburgh conversion table.
METRIC = (
    9.51, 11.25, 12.4, 13.33, 14.08, 14.75, 15.32, 15.84, 16.36, 16.88, 17.43, 17.98, 18.59, 19.25,
    19.98, 20.73, 21.54, 22.35, 23.21, 24.11, 25.03, 26.02, 27.03, 28.13, 29.31, 30.7, 32.55,
)  # fmt: skip


def _keep_metric_totals() -> None:
    """Totals of SWEMWBS as an intake of this form keeps them: metric, and of seven answers too."""
    key: list[sa.ColumnClause[Any]] = [
        sa.column("part_id", sa.Integer()),
        sa.column("reference_hash", sa.String()),
        sa.column("point", sa.String()),
        sa.column("measured_on", sa.Date()),
    ]
    said: list[sa.ColumnClause[Any]] = [
        sa.column("measure", sa.String()),
        sa.column("item", sa.String()),
    ]
    outcome = sa.table("outcome", *key, *said, sa.column("score", sa.Float()))
    answer, total = outcome.alias("answer"), outcome.alias("total")
    own = [answer.c[column.name] for column in key]
    is_told = sa.exists().where(
        total.c.measure == "SWEMWBS",
        total.c.item == "total",
        *(total.c[column.name] == answer.c[column.name] for column in key),
    )
    sums = (
        sa.select(*own, sa.literal("SWEMWBS"), sa.literal("total"), sa.func.sum(answer.c.score))
        .where(answer.c.measure == "SWEMWBS", answer.c.item != "total", ~is_told)
        .group_by(*own)
        .having(sa.func.count() == 7)
    )
    op.execute(sa.insert(outcome).from_select([*key, *said, "score"], sums))
    raw = dict(enumerate(METRIC, 8))
    op.execute(
        sa.update(outcome)
        .where(outcome.c.measure == "SWEMWBS", outcome.c.item == "total", outcome.c.score.in_(raw))
        .values(score=sa.case(raw, value=outcome.c.score))
    )


def _create(name: str, *columns: sa.Column[Any]) -> None:
    op.create_table(
        name,
        sa.Column("part_id", sa.Integer(), nullable=False),
        sa.Column("pcn_code", sa.String(length=16), nullable=True),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("category", sa.String(length=16), nullable=False),
        sa.Column("value", sa.String(), nullable=True),
        *columns,
        sa.ForeignKeyConstraint(
            ["part_id"], ["load_part.id"], name=op.f(f"fk_{name}_part_id"), ondelete="CASCADE"
        ),
    )
    for key in (["category", "pcn_code", "month"], ["category", "value", "month"], ["part_id"]):
        op.create_index(op.f(f"ix_{name}_{'_'.join(key)}"), name, key)


def downgrade() -> None:
    for name in ("score_fact", "pathway_fact"):
        op.drop_table(name)
    op.create_table(
        "outcome_fact",
        sa.Column("part_id", sa.Integer(), nullable=False),
        sa.Column("measure", sa.String(), nullable=False),
        sa.Column("item", sa.String(), nullable=False),
        sa.Column("point", sa.String(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["part_id"], ["load_part.id"], name=op.f("fk_outcome_fact_part_id"), ondelete="CASCADE"
        ),
    )
    op.create_index(op.f("ix_outcome_fact_part_id"), "outcome_fact", ["part_id"])
