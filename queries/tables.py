"""Every table, and what one row of it is."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _code(name: str, *, nullable: bool = False) -> Column[str]:
    return Column(name, String(16), nullable=nullable)


def _text(name: str, *, nullable: bool = True) -> Column[str]:
    return Column(name, String, nullable=nullable)


def _part() -> Column[int]:
    # Every row of data belongs to one part of one load, so it can be traced to a file,
    # and a correction replaces a part without touching what it corrects.
    return Column("part_id", ForeignKey("load_part.id", ondelete="CASCADE"), nullable=False)


# One row: a number that grows with every change of the data; caches are keyed on it.
data_version = Table(
    "data_version",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("version", Integer, nullable=False),
)

# One row per file taken in.
load = Table(
    "load",
    metadata,
    Column("id", Integer, primary_key=True),
    _text("dataset", nullable=False),
    _text("file_name", nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("rows_read", Integer, nullable=False),
    Column("loaded_at", DateTime(timezone=True), nullable=False),
    _text("vintage"),
    _text("notes"),
    Column("is_demonstration", Boolean, nullable=False),
    Index(None, "dataset", "sha256"),
)

# One row per area and period that one file speaks for. A later file that speaks for the
# same part of the same dataset replaces it: `replaced_by` names the load that did.
load_part = Table(
    "load_part",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("load_id", ForeignKey("load.id", ondelete="CASCADE"), nullable=False),
    _text("dataset", nullable=False),
    _text("part_key", nullable=False),
    Column("period_start", Date),
    Column("period_end", Date),
    Column("row_count", Integer, nullable=False),
    Column("replaced_by", ForeignKey("load.id", ondelete="SET NULL")),
    Index(None, "dataset", "part_key"),
    Index(None, "load_id"),
    Index(None, "replaced_by"),
)

# One row per area and vintage: ICB, sub-ICB, LAD, ward, PCN, practice, LSOA.
area = Table(
    "area",
    metadata,
    _part(),
    _text("kind", nullable=False),
    _code("area_code"),
    _text("area_name", nullable=False),
    Column("vintage", Integer),
    _code("parent_code", nullable=True),
    Column("valid_from", Date),
    Column("valid_until", Date),
    Index(None, "kind", "area_code"),
    Index(None, "part_id"),
)

# One row per ward and vintage: its shape as WKB in EPSG:4326, as published.
boundary = Table(
    "boundary",
    metadata,
    _part(),
    _code("ward_code"),
    Column("geometry", LargeBinary, nullable=False),
    Index(None, "ward_code"),
    Index(None, "part_id"),
)

# One row per LSOA: the ward it best fits.
lsoa_ward = Table(
    "lsoa_ward",
    metadata,
    _part(),
    _code("lsoa_code"),
    _code("ward_code"),
    _code("lad_code"),
    Index(None, "ward_code"),
    Index(None, "lsoa_code"),
    Index(None, "part_id"),
)

# One row per LSOA: the sub-ICB location and board it lies in.
lsoa_icb = Table(
    "lsoa_icb",
    metadata,
    _part(),
    _code("lsoa_code"),
    _code("sub_icb_code"),
    _code("icb_code"),
    Index(None, "lsoa_code"),
    Index(None, "icb_code"),
    Index(None, "part_id"),
)

# One row per ward and age band ("all ages" where the file has a total only): residents.
ward_population = Table(
    "ward_population",
    metadata,
    _part(),
    _code("ward_code"),
    _code("lad_code"),
    Column("age_band", String(16), nullable=False),
    Column("people", Integer, nullable=False),
    Index(None, "ward_code"),
    Index(None, "part_id"),
)

# One row per LSOA: its rank (1 is most deprived) and decile in the named index.
deprivation = Table(
    "deprivation",
    metadata,
    _part(),
    _code("lsoa_code"),
    Column("imd_rank", Integer, nullable=False),
    Column("imd_decile", Integer, nullable=False),
    Index(None, "lsoa_code"),
    Index(None, "part_id"),
)

# One row per practice and extract: the PCN and board it belongs to, and where it is.
practice = Table(
    "practice",
    metadata,
    _part(),
    _code("practice_code"),
    _text("postcode"),
    _code("pcn_code"),
    _code("sub_icb_code"),
    _code("icb_code"),
    Column("easting", Float),
    Column("northing", Float),
    Index(None, "icb_code"),
    Index(None, "practice_code"),
    Index(None, "part_id"),
)

# One row per practice and age band ("all ages" for the total): registered patients.
list_size = Table(
    "list_size",
    metadata,
    _part(),
    _code("practice_code"),
    Column("age_band", String(16), nullable=False),
    Column("patients", Integer, nullable=False),
    Index(None, "practice_code"),
    Index(None, "part_id"),
)

# One row per practice and LSOA: registered patients who live there.
registered_patients = Table(
    "registered_patients",
    metadata,
    _part(),
    _code("practice_code"),
    _code("lsoa_code"),
    Column("patients", Integer, nullable=False),
    Index(None, "lsoa_code"),
    Index(None, "practice_code"),
    Index(None, "part_id"),
)

# One row per PCN and census: that it returned its workforce, with how many rows of staff.
workforce_return = Table(
    "workforce_return",
    metadata,
    _part(),
    _code("pcn_code"),
    _code("icb_code"),
    Column("staff_rows", Integer, nullable=False),
    Index(None, "icb_code"),
    Index(None, "part_id"),
)

# One row per link-worker entry of a PCN's return: own staff have a person, contracted
# services only FTE.
link_worker = Table(
    "link_worker",
    metadata,
    _part(),
    _code("pcn_code"),
    _code("icb_code"),
    Column("is_contracted", Boolean, nullable=False),
    _text("role_title"),
    Column("fte", Float, nullable=False),
    Column("person_id", String(32)),
    Index(None, "icb_code"),
    Index(None, "part_id"),
)

# One row per scheme and served area; `speaks_for_code` is the district or board whose
# wards the return describes. No served code: the return says that nothing is served.
scheme_area = Table(
    "scheme_area",
    metadata,
    _part(),
    _text("scheme", nullable=False),
    _text("organisation"),
    _text("delivery_model"),
    _code("speaks_for_code"),
    _code("served_code", nullable=True),
    Column("valid_from", Date),
    Column("valid_until", Date),
    Index(None, "part_id"),
)

# One row per service in a provider's return.
service = Table(
    "service",
    metadata,
    _part(),
    Column("service_id", String(64), nullable=False),
    _text("service_name", nullable=False),
    _text("provider", nullable=False),
    Column("is_online", Boolean, nullable=False),
    _text("state"),
    Column("places_offered", Integer),
    Column("places_filled", Integer),
    Column("people_waiting", Integer),
    _text("cost_to_person"),
    Column("has_safeguarding", Boolean),
    Column("confirmed_on", Date),
    Column("opens_on", Date),
    Column("closes_on", Date),
    _text("funder"),
    Column("funding_ends", Date),
    Column("cost_per_place", Float),
    Index(None, "part_id"),
)

# One row per service and area it serves (ward, district or board).
service_area = Table(
    "service_area",
    metadata,
    _part(),
    Column("service_id", String(64), nullable=False),
    _code("area_code"),
    Index(None, "area_code"),
    Index(None, "part_id"),
)

# One row per service and need it answers.
service_theme = Table(
    "service_theme",
    metadata,
    _part(),
    Column("service_id", String(64), nullable=False),
    _text("theme", nullable=False),
    Index(None, "part_id"),
)

# One row per referral, without anything that names a person: the local reference is kept
# as a keyed hash only. Pages never read this table; they read the facts below.
referral = Table(
    "referral",
    metadata,
    _part(),
    Column("reference_hash", String(64), nullable=False),
    Column("received_on", Date, nullable=False),
    _code("ward_code", nullable=True),
    _code("pcn_code", nullable=True),
    _text("source"),
    _text("reasons"),
    Column("long_term_conditions", Integer),
    Column("age_band", String(16)),
    _text("sex"),
    _text("ethnicity_group"),
    _text("complexity"),
    Column("offered_on", Date),
    Column("declined_on", Date),
    Column("accepted_on", Date),
    Column("first_contact_on", Date),
    Column("plan_agreed_on", Date),
    Column("connected_on", Date),
    _text("connected_service"),
    Column("attended_on", Date),
    Column("closed_on", Date),
    _text("closed_reason"),
    Column("ot_referred_on", Date),
    Column("ot_accepted_on", Date),
    Index(None, "part_id"),
)

# One row per ward, PCN and month: referrals received. Built when referrals load.
referral_fact = Table(
    "referral_fact",
    metadata,
    _part(),
    _code("ward_code", nullable=True),
    _code("pcn_code", nullable=True),
    Column("month", Date, nullable=False),
    Column("referrals", Integer, nullable=False),
    Index(None, "ward_code", "month"),
    Index(None, "part_id"),
)

# One row per ward, month and age band: referrals received. Built when referrals load.
referral_age_fact = Table(
    "referral_age_fact",
    metadata,
    _part(),
    _code("ward_code", nullable=True),
    Column("month", Date, nullable=False),
    Column("age_band", String(16)),
    Column("referrals", Integer, nullable=False),
    Index(None, "ward_code", "month"),
    Index(None, "part_id"),
)

# One row per ward in use (newest vintage of its district): built whenever places load.
# `icb_code` is where most of its LSOAs lie, or most of its district's; null if neither
# lookup says.
ward = Table(
    "ward",
    metadata,
    Column("ward_code", String(16), primary_key=True),
    _text("ward_name", nullable=False),
    Column("vintage", Integer, nullable=False),
    _code("lad_code", nullable=True),
    _text("lad_name"),
    _code("icb_code", nullable=True),
    Column("lsoas", Integer, nullable=False),
    Index(None, "icb_code"),
)
