"""The first form."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0001"
down_revision: str | None = None
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "data_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_data_version")),
    )
    op.create_table(
        "load",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("dataset", sa.String(), nullable=False),
        sa.Column("file_name", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("rows_read", sa.Integer(), nullable=False),
        sa.Column("loaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("vintage", sa.String(), nullable=True),
        sa.Column("notes", sa.String(), nullable=True),
        sa.Column("is_demonstration", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_load")),
    )
    with op.batch_alter_table("load", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_load_dataset_sha256"), ["dataset", "sha256"], unique=False
        )

    op.create_table(
        "ward",
        sa.Column("ward_code", sa.String(length=16), nullable=False),
        sa.Column("ward_name", sa.String(), nullable=False),
        sa.Column("vintage", sa.Integer(), nullable=False),
        sa.Column("lad_code", sa.String(length=16), nullable=True),
        sa.Column("lad_name", sa.String(), nullable=True),
        sa.Column("icb_code", sa.String(length=16), nullable=True),
        sa.Column("lsoas", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("ward_code", name=op.f("pk_ward")),
    )
    with op.batch_alter_table("ward", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_ward_icb_code"), ["icb_code"], unique=False)

    op.create_table(
        "load_part",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("load_id", sa.Integer(), nullable=False),
        sa.Column("dataset", sa.String(), nullable=False),
        sa.Column("part_key", sa.String(), nullable=False),
        sa.Column("period_start", sa.Date(), nullable=True),
        sa.Column("period_end", sa.Date(), nullable=True),
        sa.Column("row_count", sa.Integer(), nullable=False),
        sa.Column("replaced_by", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["load_id"], ["load.id"], name=op.f("fk_load_part_load_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["replaced_by"], ["load.id"], name=op.f("fk_load_part_replaced_by"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_load_part")),
    )
    with op.batch_alter_table("load_part", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_load_part_dataset_part_key"), ["dataset", "part_key"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_load_part_load_id"), ["load_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_load_part_replaced_by"), ["replaced_by"], unique=False)

    op.create_table(
        "area",
        sa.Column("part_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("area_code", sa.String(length=16), nullable=False),
        sa.Column("area_name", sa.String(), nullable=False),
        sa.Column("vintage", sa.Integer(), nullable=True),
        sa.Column("parent_code", sa.String(length=16), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["part_id"], ["load_part.id"], name=op.f("fk_area_part_id"), ondelete="CASCADE"
        ),
    )
    with op.batch_alter_table("area", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_area_kind_area_code"), ["kind", "area_code"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_area_part_id"), ["part_id"], unique=False)

    op.create_table(
        "boundary",
        sa.Column("part_id", sa.Integer(), nullable=False),
        sa.Column("ward_code", sa.String(length=16), nullable=False),
        sa.Column("geometry", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["part_id"], ["load_part.id"], name=op.f("fk_boundary_part_id"), ondelete="CASCADE"
        ),
    )
    with op.batch_alter_table("boundary", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_boundary_part_id"), ["part_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_boundary_ward_code"), ["ward_code"], unique=False)

    op.create_table(
        "deprivation",
        sa.Column("part_id", sa.Integer(), nullable=False),
        sa.Column("lsoa_code", sa.String(length=16), nullable=False),
        sa.Column("imd_rank", sa.Integer(), nullable=False),
        sa.Column("imd_decile", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["part_id"], ["load_part.id"], name=op.f("fk_deprivation_part_id"), ondelete="CASCADE"
        ),
    )
    with op.batch_alter_table("deprivation", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_deprivation_lsoa_code"), ["lsoa_code"], unique=False)
        batch_op.create_index(batch_op.f("ix_deprivation_part_id"), ["part_id"], unique=False)

    op.create_table(
        "link_worker",
        sa.Column("part_id", sa.Integer(), nullable=False),
        sa.Column("pcn_code", sa.String(length=16), nullable=False),
        sa.Column("icb_code", sa.String(length=16), nullable=False),
        sa.Column("is_contracted", sa.Boolean(), nullable=False),
        sa.Column("role_title", sa.String(), nullable=True),
        sa.Column("fte", sa.Float(), nullable=False),
        sa.Column("person_id", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(
            ["part_id"], ["load_part.id"], name=op.f("fk_link_worker_part_id"), ondelete="CASCADE"
        ),
    )
    with op.batch_alter_table("link_worker", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_link_worker_icb_code"), ["icb_code"], unique=False)
        batch_op.create_index(batch_op.f("ix_link_worker_part_id"), ["part_id"], unique=False)

    op.create_table(
        "list_size",
        sa.Column("part_id", sa.Integer(), nullable=False),
        sa.Column("practice_code", sa.String(length=16), nullable=False),
        sa.Column("age_band", sa.String(length=16), nullable=False),
        sa.Column("patients", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["part_id"], ["load_part.id"], name=op.f("fk_list_size_part_id"), ondelete="CASCADE"
        ),
    )
    with op.batch_alter_table("list_size", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_list_size_part_id"), ["part_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_list_size_practice_code"), ["practice_code"], unique=False
        )

    op.create_table(
        "lsoa_icb",
        sa.Column("part_id", sa.Integer(), nullable=False),
        sa.Column("lsoa_code", sa.String(length=16), nullable=False),
        sa.Column("sub_icb_code", sa.String(length=16), nullable=False),
        sa.Column("icb_code", sa.String(length=16), nullable=False),
        sa.ForeignKeyConstraint(
            ["part_id"], ["load_part.id"], name=op.f("fk_lsoa_icb_part_id"), ondelete="CASCADE"
        ),
    )
    with op.batch_alter_table("lsoa_icb", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_lsoa_icb_icb_code"), ["icb_code"], unique=False)
        batch_op.create_index(batch_op.f("ix_lsoa_icb_lsoa_code"), ["lsoa_code"], unique=False)
        batch_op.create_index(batch_op.f("ix_lsoa_icb_part_id"), ["part_id"], unique=False)

    op.create_table(
        "lsoa_ward",
        sa.Column("part_id", sa.Integer(), nullable=False),
        sa.Column("lsoa_code", sa.String(length=16), nullable=False),
        sa.Column("ward_code", sa.String(length=16), nullable=False),
        sa.Column("lad_code", sa.String(length=16), nullable=False),
        sa.ForeignKeyConstraint(
            ["part_id"], ["load_part.id"], name=op.f("fk_lsoa_ward_part_id"), ondelete="CASCADE"
        ),
    )
    with op.batch_alter_table("lsoa_ward", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_lsoa_ward_lsoa_code"), ["lsoa_code"], unique=False)
        batch_op.create_index(batch_op.f("ix_lsoa_ward_part_id"), ["part_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_lsoa_ward_ward_code"), ["ward_code"], unique=False)

    op.create_table(
        "practice",
        sa.Column("part_id", sa.Integer(), nullable=False),
        sa.Column("practice_code", sa.String(length=16), nullable=False),
        sa.Column("postcode", sa.String(), nullable=True),
        sa.Column("pcn_code", sa.String(length=16), nullable=False),
        sa.Column("sub_icb_code", sa.String(length=16), nullable=False),
        sa.Column("icb_code", sa.String(length=16), nullable=False),
        sa.Column("easting", sa.Float(), nullable=True),
        sa.Column("northing", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(
            ["part_id"], ["load_part.id"], name=op.f("fk_practice_part_id"), ondelete="CASCADE"
        ),
    )
    with op.batch_alter_table("practice", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_practice_icb_code"), ["icb_code"], unique=False)
        batch_op.create_index(batch_op.f("ix_practice_part_id"), ["part_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_practice_practice_code"), ["practice_code"], unique=False
        )

    op.create_table(
        "referral",
        sa.Column("part_id", sa.Integer(), nullable=False),
        sa.Column("reference_hash", sa.String(length=64), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("ward_code", sa.String(length=16), nullable=True),
        sa.Column("pcn_code", sa.String(length=16), nullable=True),
        sa.Column("source", sa.String(), nullable=True),
        sa.Column("reasons", sa.String(), nullable=True),
        sa.Column("long_term_conditions", sa.Integer(), nullable=True),
        sa.Column("age_band", sa.String(length=16), nullable=True),
        sa.Column("sex", sa.String(), nullable=True),
        sa.Column("ethnicity_group", sa.String(), nullable=True),
        sa.Column("complexity", sa.String(), nullable=True),
        sa.Column("offered_on", sa.Date(), nullable=True),
        sa.Column("declined_on", sa.Date(), nullable=True),
        sa.Column("accepted_on", sa.Date(), nullable=True),
        sa.Column("first_contact_on", sa.Date(), nullable=True),
        sa.Column("plan_agreed_on", sa.Date(), nullable=True),
        sa.Column("connected_on", sa.Date(), nullable=True),
        sa.Column("connected_service", sa.String(), nullable=True),
        sa.Column("attended_on", sa.Date(), nullable=True),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column("closed_reason", sa.String(), nullable=True),
        sa.Column("ot_referred_on", sa.Date(), nullable=True),
        sa.Column("ot_accepted_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["part_id"], ["load_part.id"], name=op.f("fk_referral_part_id"), ondelete="CASCADE"
        ),
    )
    with op.batch_alter_table("referral", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_referral_part_id"), ["part_id"], unique=False)

    op.create_table(
        "referral_age_fact",
        sa.Column("part_id", sa.Integer(), nullable=False),
        sa.Column("ward_code", sa.String(length=16), nullable=True),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("age_band", sa.String(length=16), nullable=True),
        sa.Column("referrals", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["part_id"],
            ["load_part.id"],
            name=op.f("fk_referral_age_fact_part_id"),
            ondelete="CASCADE",
        ),
    )
    with op.batch_alter_table("referral_age_fact", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_referral_age_fact_part_id"), ["part_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_referral_age_fact_ward_code_month"), ["ward_code", "month"], unique=False
        )

    op.create_table(
        "referral_fact",
        sa.Column("part_id", sa.Integer(), nullable=False),
        sa.Column("ward_code", sa.String(length=16), nullable=True),
        sa.Column("pcn_code", sa.String(length=16), nullable=True),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("referrals", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["part_id"], ["load_part.id"], name=op.f("fk_referral_fact_part_id"), ondelete="CASCADE"
        ),
    )
    with op.batch_alter_table("referral_fact", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_referral_fact_part_id"), ["part_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_referral_fact_ward_code_month"), ["ward_code", "month"], unique=False
        )

    op.create_table(
        "registered_patients",
        sa.Column("part_id", sa.Integer(), nullable=False),
        sa.Column("practice_code", sa.String(length=16), nullable=False),
        sa.Column("lsoa_code", sa.String(length=16), nullable=False),
        sa.Column("patients", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["part_id"],
            ["load_part.id"],
            name=op.f("fk_registered_patients_part_id"),
            ondelete="CASCADE",
        ),
    )
    with op.batch_alter_table("registered_patients", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_registered_patients_lsoa_code"), ["lsoa_code"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_registered_patients_part_id"), ["part_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_registered_patients_practice_code"), ["practice_code"], unique=False
        )

    op.create_table(
        "scheme_area",
        sa.Column("part_id", sa.Integer(), nullable=False),
        sa.Column("scheme", sa.String(), nullable=False),
        sa.Column("organisation", sa.String(), nullable=True),
        sa.Column("delivery_model", sa.String(), nullable=True),
        sa.Column("speaks_for_code", sa.String(length=16), nullable=False),
        sa.Column("served_code", sa.String(length=16), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["part_id"], ["load_part.id"], name=op.f("fk_scheme_area_part_id"), ondelete="CASCADE"
        ),
    )
    with op.batch_alter_table("scheme_area", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_scheme_area_part_id"), ["part_id"], unique=False)

    op.create_table(
        "service",
        sa.Column("part_id", sa.Integer(), nullable=False),
        sa.Column("service_id", sa.String(length=64), nullable=False),
        sa.Column("service_name", sa.String(), nullable=False),
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("is_online", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(), nullable=True),
        sa.Column("places_offered", sa.Integer(), nullable=True),
        sa.Column("places_filled", sa.Integer(), nullable=True),
        sa.Column("people_waiting", sa.Integer(), nullable=True),
        sa.Column("cost_to_person", sa.String(), nullable=True),
        sa.Column("has_safeguarding", sa.Boolean(), nullable=True),
        sa.Column("confirmed_on", sa.Date(), nullable=True),
        sa.Column("opens_on", sa.Date(), nullable=True),
        sa.Column("closes_on", sa.Date(), nullable=True),
        sa.Column("funder", sa.String(), nullable=True),
        sa.Column("funding_ends", sa.Date(), nullable=True),
        sa.Column("cost_per_place", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(
            ["part_id"], ["load_part.id"], name=op.f("fk_service_part_id"), ondelete="CASCADE"
        ),
    )
    with op.batch_alter_table("service", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_service_part_id"), ["part_id"], unique=False)

    op.create_table(
        "service_area",
        sa.Column("part_id", sa.Integer(), nullable=False),
        sa.Column("service_id", sa.String(length=64), nullable=False),
        sa.Column("area_code", sa.String(length=16), nullable=False),
        sa.ForeignKeyConstraint(
            ["part_id"], ["load_part.id"], name=op.f("fk_service_area_part_id"), ondelete="CASCADE"
        ),
    )
    with op.batch_alter_table("service_area", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_service_area_area_code"), ["area_code"], unique=False)
        batch_op.create_index(batch_op.f("ix_service_area_part_id"), ["part_id"], unique=False)

    op.create_table(
        "service_theme",
        sa.Column("part_id", sa.Integer(), nullable=False),
        sa.Column("service_id", sa.String(length=64), nullable=False),
        sa.Column("theme", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["part_id"], ["load_part.id"], name=op.f("fk_service_theme_part_id"), ondelete="CASCADE"
        ),
    )
    with op.batch_alter_table("service_theme", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_service_theme_part_id"), ["part_id"], unique=False)

    op.create_table(
        "ward_population",
        sa.Column("part_id", sa.Integer(), nullable=False),
        sa.Column("ward_code", sa.String(length=16), nullable=False),
        sa.Column("lad_code", sa.String(length=16), nullable=False),
        sa.Column("age_band", sa.String(length=16), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["part_id"],
            ["load_part.id"],
            name=op.f("fk_ward_population_part_id"),
            ondelete="CASCADE",
        ),
    )
    with op.batch_alter_table("ward_population", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_ward_population_part_id"), ["part_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_ward_population_ward_code"), ["ward_code"], unique=False
        )

    op.create_table(
        "workforce_return",
        sa.Column("part_id", sa.Integer(), nullable=False),
        sa.Column("pcn_code", sa.String(length=16), nullable=False),
        sa.Column("icb_code", sa.String(length=16), nullable=False),
        sa.Column("staff_rows", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["part_id"],
            ["load_part.id"],
            name=op.f("fk_workforce_return_part_id"),
            ondelete="CASCADE",
        ),
    )
    with op.batch_alter_table("workforce_return", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_workforce_return_icb_code"), ["icb_code"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_workforce_return_part_id"), ["part_id"], unique=False)

    op.execute("INSERT INTO data_version (id, version) VALUES (1, 0)")


def downgrade() -> None:
    with op.batch_alter_table("workforce_return", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_workforce_return_part_id"))
        batch_op.drop_index(batch_op.f("ix_workforce_return_icb_code"))

    op.drop_table("workforce_return")
    with op.batch_alter_table("ward_population", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_ward_population_ward_code"))
        batch_op.drop_index(batch_op.f("ix_ward_population_part_id"))

    op.drop_table("ward_population")
    with op.batch_alter_table("service_theme", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_service_theme_part_id"))

    op.drop_table("service_theme")
    with op.batch_alter_table("service_area", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_service_area_part_id"))
        batch_op.drop_index(batch_op.f("ix_service_area_area_code"))

    op.drop_table("service_area")
    with op.batch_alter_table("service", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_service_part_id"))

    op.drop_table("service")
    with op.batch_alter_table("scheme_area", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_scheme_area_part_id"))

    op.drop_table("scheme_area")
    with op.batch_alter_table("registered_patients", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_registered_patients_practice_code"))
        batch_op.drop_index(batch_op.f("ix_registered_patients_part_id"))
        batch_op.drop_index(batch_op.f("ix_registered_patients_lsoa_code"))

    op.drop_table("registered_patients")
    with op.batch_alter_table("referral_fact", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_referral_fact_ward_code_month"))
        batch_op.drop_index(batch_op.f("ix_referral_fact_part_id"))

    op.drop_table("referral_fact")
    with op.batch_alter_table("referral_age_fact", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_referral_age_fact_ward_code_month"))
        batch_op.drop_index(batch_op.f("ix_referral_age_fact_part_id"))

    op.drop_table("referral_age_fact")
    with op.batch_alter_table("referral", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_referral_part_id"))

    op.drop_table("referral")
    with op.batch_alter_table("practice", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_practice_practice_code"))
        batch_op.drop_index(batch_op.f("ix_practice_part_id"))
        batch_op.drop_index(batch_op.f("ix_practice_icb_code"))

    op.drop_table("practice")
    with op.batch_alter_table("lsoa_ward", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_lsoa_ward_ward_code"))
        batch_op.drop_index(batch_op.f("ix_lsoa_ward_part_id"))
        batch_op.drop_index(batch_op.f("ix_lsoa_ward_lsoa_code"))

    op.drop_table("lsoa_ward")
    with op.batch_alter_table("lsoa_icb", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_lsoa_icb_part_id"))
        batch_op.drop_index(batch_op.f("ix_lsoa_icb_lsoa_code"))
        batch_op.drop_index(batch_op.f("ix_lsoa_icb_icb_code"))

    op.drop_table("lsoa_icb")
    with op.batch_alter_table("list_size", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_list_size_practice_code"))
        batch_op.drop_index(batch_op.f("ix_list_size_part_id"))

    op.drop_table("list_size")
    with op.batch_alter_table("link_worker", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_link_worker_part_id"))
        batch_op.drop_index(batch_op.f("ix_link_worker_icb_code"))

    op.drop_table("link_worker")
    with op.batch_alter_table("deprivation", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_deprivation_part_id"))
        batch_op.drop_index(batch_op.f("ix_deprivation_lsoa_code"))

    op.drop_table("deprivation")
    with op.batch_alter_table("boundary", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_boundary_ward_code"))
        batch_op.drop_index(batch_op.f("ix_boundary_part_id"))

    op.drop_table("boundary")
    with op.batch_alter_table("area", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_area_part_id"))
        batch_op.drop_index(batch_op.f("ix_area_kind_area_code"))

    op.drop_table("area")
    with op.batch_alter_table("load_part", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_load_part_replaced_by"))
        batch_op.drop_index(batch_op.f("ix_load_part_load_id"))
        batch_op.drop_index(batch_op.f("ix_load_part_dataset_part_key"))

    op.drop_table("load_part")
    with op.batch_alter_table("ward", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_ward_icb_code"))

    op.drop_table("ward")
    with op.batch_alter_table("load", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_load_dataset_sha256"))

    op.drop_table("load")
    op.drop_table("data_version")
