"""More datasets, the jobs that load them, and undo."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "column_mapping",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("mapping_name", sa.String(), nullable=False),
        sa.Column("dataset", sa.String(), nullable=False),
        sa.Column("headings", sa.String(), nullable=False),
        sa.Column("content", sa.String(), nullable=False),
        sa.Column("saved_by", sa.String(), nullable=True),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_column_mapping")),
        sa.UniqueConstraint("mapping_name", name=op.f("uq_column_mapping_mapping_name")),
    )
    op.create_table(
        "job",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("file_name", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("dataset", sa.String(), nullable=True),
        sa.Column("offered_by", sa.String(), nullable=True),
        sa.Column("offered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("report", sa.String(), nullable=True),
        sa.Column("message", sa.String(), nullable=True),
        sa.Column("load_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["load_id"], ["load.id"], name=op.f("fk_job_load_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job")),
    )
    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_job_load_id"), ["load_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_job_sha256"), ["sha256"], unique=False)
        batch_op.create_index(batch_op.f("ix_job_state"), ["state"], unique=False)

    op.create_table(
        "charity",
        sa.Column("part_id", sa.Integer(), nullable=False),
        sa.Column("charity_number", sa.String(length=16), nullable=False),
        sa.Column("charity_name", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("registered_on", sa.Date(), nullable=True),
        sa.Column("removed_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["part_id"], ["load_part.id"], name=op.f("fk_charity_part_id"), ondelete="CASCADE"
        ),
    )
    with op.batch_alter_table("charity", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_charity_charity_number"), ["charity_number"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_charity_part_id"), ["part_id"], unique=False)

    op.create_table(
        "gp_contact",
        sa.Column("part_id", sa.Integer(), nullable=False),
        sa.Column("reference_hash", sa.String(length=64), nullable=False),
        sa.Column("attendances_before", sa.Integer(), nullable=True),
        sa.Column("attendances_after", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["part_id"], ["load_part.id"], name=op.f("fk_gp_contact_part_id"), ondelete="CASCADE"
        ),
    )
    with op.batch_alter_table("gp_contact", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_gp_contact_part_id"), ["part_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_gp_contact_reference_hash"), ["reference_hash"], unique=False
        )

    op.create_table(
        "job_piece",
        sa.Column("job_id", sa.Integer(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["job_id"], ["job.id"], name=op.f("fk_job_piece_job_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("job_id", "place", name=op.f("pk_job_piece")),
    )
    op.create_table(
        "job_problem",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("job_id", sa.Integer(), nullable=False),
        sa.Column("row", sa.Integer(), nullable=True),
        sa.Column("column", sa.String(), nullable=True),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("found", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["job_id"], ["job.id"], name=op.f("fk_job_problem_job_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job_problem")),
    )
    with op.batch_alter_table("job_problem", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_job_problem_job_id"), ["job_id"], unique=False)

    op.create_table(
        "lsoa_index",
        sa.Column("part_id", sa.Integer(), nullable=False),
        sa.Column("index_name", sa.String(), nullable=False),
        sa.Column("lsoa_code", sa.String(length=16), nullable=False),
        sa.Column("value", sa.Float(), nullable=True),
        sa.Column("decile", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["part_id"], ["load_part.id"], name=op.f("fk_lsoa_index_part_id"), ondelete="CASCADE"
        ),
    )
    with op.batch_alter_table("lsoa_index", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_lsoa_index_lsoa_code"), ["lsoa_code"], unique=False)
        batch_op.create_index(batch_op.f("ix_lsoa_index_part_id"), ["part_id"], unique=False)

    op.create_table(
        "named_lead",
        sa.Column("part_id", sa.Integer(), nullable=False),
        sa.Column("locality", sa.String(), nullable=False),
        sa.Column("post_name", sa.String(), nullable=False),
        sa.Column("profession", sa.String(), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["part_id"], ["load_part.id"], name=op.f("fk_named_lead_part_id"), ondelete="CASCADE"
        ),
    )
    with op.batch_alter_table("named_lead", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_named_lead_part_id"), ["part_id"], unique=False)

    op.create_table(
        "outcome",
        sa.Column("part_id", sa.Integer(), nullable=False),
        sa.Column("reference_hash", sa.String(length=64), nullable=False),
        sa.Column("measure", sa.String(), nullable=False),
        sa.Column("item", sa.String(), nullable=False),
        sa.Column("point", sa.String(), nullable=False),
        sa.Column("measured_on", sa.Date(), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(
            ["part_id"], ["load_part.id"], name=op.f("fk_outcome_part_id"), ondelete="CASCADE"
        ),
    )
    with op.batch_alter_table("outcome", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_outcome_part_id"), ["part_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_outcome_reference_hash"), ["reference_hash"], unique=False
        )

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
    with op.batch_alter_table("outcome_fact", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_outcome_fact_part_id"), ["part_id"], unique=False)

    op.create_table(
        "pcn_membership",
        sa.Column("part_id", sa.Integer(), nullable=False),
        sa.Column("practice_code", sa.String(length=16), nullable=False),
        sa.Column("pcn_code", sa.String(length=16), nullable=False),
        sa.Column("sub_icb_code", sa.String(length=16), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["part_id"],
            ["load_part.id"],
            name=op.f("fk_pcn_membership_part_id"),
            ondelete="CASCADE",
        ),
    )
    with op.batch_alter_table("pcn_membership", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_pcn_membership_part_id"), ["part_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_pcn_membership_practice_code"), ["practice_code"], unique=False
        )

    op.create_table(
        "personal_health_budget",
        sa.Column("part_id", sa.Integer(), nullable=False),
        sa.Column("icb_code", sa.String(length=16), nullable=False),
        sa.Column("entitlement", sa.String(), nullable=False),
        sa.Column("period_end", sa.Date(), nullable=False),
        sa.Column("in_place", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["part_id"],
            ["load_part.id"],
            name=op.f("fk_personal_health_budget_part_id"),
            ondelete="CASCADE",
        ),
    )
    with op.batch_alter_table("personal_health_budget", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_personal_health_budget_part_id"), ["part_id"], unique=False
        )

    op.create_table(
        "post",
        sa.Column("part_id", sa.Integer(), nullable=False),
        sa.Column("post_id", sa.String(length=64), nullable=False),
        sa.Column("role_title", sa.String(), nullable=True),
        sa.Column("pcn_code", sa.String(length=16), nullable=False),
        sa.Column("employer_type", sa.String(), nullable=True),
        sa.Column("funded_fte", sa.Float(), nullable=True),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("since", sa.Date(), nullable=True),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("supervised_by", sa.String(), nullable=True),
        sa.Column("last_supervision_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["part_id"], ["load_part.id"], name=op.f("fk_post_part_id"), ondelete="CASCADE"
        ),
    )
    with op.batch_alter_table("post", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_post_part_id"), ["part_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_post_pcn_code"), ["pcn_code"], unique=False)

    op.create_table(
        "practice_appointment",
        sa.Column("part_id", sa.Integer(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("practice_code", sa.String(length=16), nullable=False),
        sa.Column("pcn_code", sa.String(length=16), nullable=True),
        sa.Column("sub_icb_code", sa.String(length=16), nullable=True),
        sa.Column("social_prescribing", sa.Integer(), nullable=True),
        sa.Column("all_categories", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["part_id"],
            ["load_part.id"],
            name=op.f("fk_practice_appointment_part_id"),
            ondelete="CASCADE",
        ),
    )
    with op.batch_alter_table("practice_appointment", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_practice_appointment_part_id"), ["part_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_practice_appointment_practice_code"), ["practice_code"], unique=False
        )

    op.create_table(
        "practice_register",
        sa.Column("part_id", sa.Integer(), nullable=False),
        sa.Column("practice_code", sa.String(length=16), nullable=False),
        sa.Column("practice_name", sa.String(), nullable=False),
        sa.Column("postcode", sa.String(), nullable=True),
        sa.Column("icb_code", sa.String(length=16), nullable=True),
        sa.Column("sub_icb_code", sa.String(length=16), nullable=True),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("setting", sa.String(), nullable=True),
        sa.Column("opened_on", sa.Date(), nullable=True),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["part_id"],
            ["load_part.id"],
            name=op.f("fk_practice_register_part_id"),
            ondelete="CASCADE",
        ),
    )
    with op.batch_alter_table("practice_register", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_practice_register_part_id"), ["part_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_practice_register_practice_code"), ["practice_code"], unique=False
        )

    op.create_table(
        "recruitment_plan",
        sa.Column("part_id", sa.Integer(), nullable=False),
        sa.Column("pcn_code", sa.String(length=16), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("planned_fte", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(
            ["part_id"],
            ["load_part.id"],
            name=op.f("fk_recruitment_plan_part_id"),
            ondelete="CASCADE",
        ),
    )
    with op.batch_alter_table("recruitment_plan", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_recruitment_plan_part_id"), ["part_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_recruitment_plan_pcn_code"), ["pcn_code"], unique=False
        )

    op.create_table(
        "service_place",
        sa.Column("part_id", sa.Integer(), nullable=False),
        sa.Column("service_id", sa.String(length=64), nullable=False),
        sa.Column("place_name", sa.String(), nullable=True),
        sa.Column("latitude", sa.Float(), nullable=False),
        sa.Column("longitude", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(
            ["part_id"], ["load_part.id"], name=op.f("fk_service_place_part_id"), ondelete="CASCADE"
        ),
    )
    with op.batch_alter_table("service_place", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_service_place_part_id"), ["part_id"], unique=False)

    with op.batch_alter_table("load", schema=None) as batch_op:
        batch_op.add_column(sa.Column("loaded_by", sa.String(), nullable=True))
        batch_op.add_column(
            sa.Column("rows_refused", sa.Integer(), server_default="0", nullable=False)
        )
        batch_op.add_column(
            sa.Column(
                "removed_demonstration", sa.Boolean(), server_default=sa.false(), nullable=False
            )
        )
        batch_op.add_column(sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("undone_by", sa.String(), nullable=True))

    with op.batch_alter_table("service", schema=None) as batch_op:
        batch_op.add_column(sa.Column("minimum_age", sa.Float(), nullable=True))
        batch_op.add_column(sa.Column("maximum_age", sa.Float(), nullable=True))
        batch_op.add_column(sa.Column("web_address", sa.String(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("service", schema=None) as batch_op:
        batch_op.drop_column("web_address")
        batch_op.drop_column("maximum_age")
        batch_op.drop_column("minimum_age")

    with op.batch_alter_table("load", schema=None) as batch_op:
        batch_op.drop_column("undone_by")
        batch_op.drop_column("undone_at")
        batch_op.drop_column("removed_demonstration")
        batch_op.drop_column("rows_refused")
        batch_op.drop_column("loaded_by")

    with op.batch_alter_table("service_place", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_service_place_part_id"))

    op.drop_table("service_place")
    with op.batch_alter_table("recruitment_plan", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_recruitment_plan_pcn_code"))
        batch_op.drop_index(batch_op.f("ix_recruitment_plan_part_id"))

    op.drop_table("recruitment_plan")
    with op.batch_alter_table("practice_register", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_practice_register_practice_code"))
        batch_op.drop_index(batch_op.f("ix_practice_register_part_id"))

    op.drop_table("practice_register")
    with op.batch_alter_table("practice_appointment", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_practice_appointment_practice_code"))
        batch_op.drop_index(batch_op.f("ix_practice_appointment_part_id"))

    op.drop_table("practice_appointment")
    with op.batch_alter_table("post", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_post_pcn_code"))
        batch_op.drop_index(batch_op.f("ix_post_part_id"))

    op.drop_table("post")
    with op.batch_alter_table("personal_health_budget", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_personal_health_budget_part_id"))

    op.drop_table("personal_health_budget")
    with op.batch_alter_table("pcn_membership", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_pcn_membership_practice_code"))
        batch_op.drop_index(batch_op.f("ix_pcn_membership_part_id"))

    op.drop_table("pcn_membership")
    with op.batch_alter_table("outcome_fact", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_outcome_fact_part_id"))

    op.drop_table("outcome_fact")
    with op.batch_alter_table("outcome", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_outcome_reference_hash"))
        batch_op.drop_index(batch_op.f("ix_outcome_part_id"))

    op.drop_table("outcome")
    with op.batch_alter_table("named_lead", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_named_lead_part_id"))

    op.drop_table("named_lead")
    with op.batch_alter_table("lsoa_index", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_lsoa_index_part_id"))
        batch_op.drop_index(batch_op.f("ix_lsoa_index_lsoa_code"))

    op.drop_table("lsoa_index")
    with op.batch_alter_table("job_problem", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_job_problem_job_id"))

    op.drop_table("job_problem")
    op.drop_table("job_piece")
    with op.batch_alter_table("gp_contact", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_gp_contact_reference_hash"))
        batch_op.drop_index(batch_op.f("ix_gp_contact_part_id"))

    op.drop_table("gp_contact")
    with op.batch_alter_table("charity", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_charity_part_id"))
        batch_op.drop_index(batch_op.f("ix_charity_charity_number"))

    op.drop_table("charity")
    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_job_state"))
        batch_op.drop_index(batch_op.f("ix_job_sha256"))
        batch_op.drop_index(batch_op.f("ix_job_load_id"))

    op.drop_table("job")
    op.drop_table("column_mapping")
