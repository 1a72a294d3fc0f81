"""Indexes for all of England in one database."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0009"
down_revision: str | None = "0008"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_REPLACED = sa.text("replaced_by IS NOT NULL")


def upgrade() -> None:
    op.drop_index(op.f("ix_load_part_replaced_by"), table_name="load_part")
    op.create_index(
        "ix_load_part_replaced",
        "load_part",
        ["replaced_by"],
        sqlite_where=_REPLACED,
        postgresql_where=_REPLACED,
    )
    op.create_index(op.f("ix_practice_pcn_code"), "practice", ["pcn_code"])


def downgrade() -> None:
    op.drop_index(op.f("ix_practice_pcn_code"), table_name="practice")
    op.drop_index("ix_load_part_replaced", table_name="load_part")
    op.create_index(op.f("ix_load_part_replaced_by"), "load_part", ["replaced_by"])
