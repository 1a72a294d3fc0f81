"""What pages read of complex need, candidate sites, and saved plans."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

COMPLEX_NEED = (
    "conditions_told", "several_conditions", "complexity_told", "highly_complex", "ot_referred",
    "ot_accepted", "ot_waiting",
)  # fmt: skip


def upgrade() -> None:
    # Counted anew when the program starts, with the new columns: see `dashboard.facts`.
    op.execute(sa.table("pathway_fact").delete())
    with op.batch_alter_table("pathway_fact") as batch:
        for name in COMPLEX_NEED:
            batch.add_column(sa.Column(name, sa.Integer(), nullable=False))
    op.create_table(
        "candidate_site",
        sa.Column("part_id", sa.Integer(), nullable=False),
        sa.Column("icb_code", sa.String(length=16), nullable=False),
        sa.Column("site_id", sa.String(length=64), nullable=False),
        sa.Column("site_name", sa.String(), nullable=False),
        sa.Column("longitude", sa.Float(), nullable=False),
        sa.Column("latitude", sa.Float(), nullable=False),
        sa.Column("cost_a_year", sa.Float(), nullable=True),
        sa.Column("places_a_year", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["part_id"],
            ["load_part.id"],
            name=op.f("fk_candidate_site_part_id"),
            ondelete="CASCADE",
        ),
    )
    for key in ("icb_code", "part_id"):
        op.create_index(op.f(f"ix_candidate_site_{key}"), "candidate_site", [key])
    op.create_table(
        "scenario",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("icb_code", sa.String(length=16), nullable=False),
        sa.Column("scenario_name", sa.String(), nullable=False),
        sa.Column("choices", sa.String(), nullable=False),
        sa.Column("saved_by", sa.String(), nullable=True),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scenario")),
        sa.UniqueConstraint("icb_code", "scenario_name", name=op.f("uq_scenario_icb_code")),
    )


def downgrade() -> None:
    for name in ("scenario", "candidate_site"):
        op.drop_table(name)
    with op.batch_alter_table("pathway_fact") as batch:
        for name in COMPLEX_NEED:
            batch.drop_column(name)
