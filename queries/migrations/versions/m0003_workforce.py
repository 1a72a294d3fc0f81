"""Local targets, and which referrals are open."""

from collections import Counter
from collections.abc import Sequence
from datetime import date

import sqlalchemy as sa
from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "local_target",
        sa.Column("part_id", sa.Integer(), nullable=False),
        sa.Column("pcn_code", sa.String(length=16), nullable=False),
        sa.Column("target_fte", sa.Float(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["part_id"], ["load_part.id"], name=op.f("fk_local_target_part_id"), ondelete="CASCADE"
        ),
    )
    op.create_index(op.f("ix_local_target_pcn_code"), "local_target", ["pcn_code"])
    op.create_index(op.f("ix_local_target_part_id"), "local_target", ["part_id"])
    facts = op.create_table(
        "referral_episode_fact",
        sa.Column("part_id", sa.Integer(), nullable=False),
        sa.Column("pcn_code", sa.String(length=16), nullable=True),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("ended_month", sa.Date(), nullable=True),
        sa.Column("referrals", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["part_id"],
            ["load_part.id"],
            name=op.f("fk_referral_episode_fact_part_id"),
            ondelete="CASCADE",
        ),
    )
    op.create_index(
        op.f("ix_referral_episode_fact_pcn_code_month"),
        "referral_episode_fact",
        ["pcn_code", "month"],
    )
    op.create_index(op.f("ix_referral_episode_fact_part_id"), "referral_episode_fact", ["part_id"])
    _count_episodes(facts)


def _count_episodes(facts: sa.Table) -> None:
    """The new facts of the rows that are there, counted as an intake of today counts them."""
    names = ("part_id", "pcn_code", "received_on", "declined_on", "closed_on")
    rows = sa.table(
        "referral",
        sa.column("part_id", sa.Integer()),
        sa.column("pcn_code", sa.String()),
        *(sa.column(name, sa.Date()) for name in names[2:]),
    )
    found: Counter[tuple[int, str | None, date, date | None]] = Counter()
    for part_id, pcn_code, received, declined, closed in op.get_bind().execute(
        sa.select(*(rows.c[name] for name in names))
    ):
        ended = min((day for day in (declined, closed) if day), default=None)
        month = ended and ended.replace(day=1)
        found[part_id, pcn_code, received.replace(day=1), month] += 1
    op.bulk_insert(
        facts,
        [
            {
                "part_id": part_id,
                "pcn_code": pcn_code,
                "month": month,
                "ended_month": ended,
                "referrals": referrals,
            }
            for (part_id, pcn_code, month, ended), referrals in found.items()
        ],
    )


def downgrade() -> None:
    op.drop_table("referral_episode_fact")
    op.drop_table("local_target")
