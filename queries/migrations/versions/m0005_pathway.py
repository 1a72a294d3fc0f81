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
