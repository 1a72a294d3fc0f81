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
    UniqueConstraint,
    false,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
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
    _text("loaded_by"),
    # Rows of the file that broke a rule and were left out; they are in `job_problem`.
    Column("rows_refused", Integer, nullable=False, server_default="0"),
    Column("removed_demonstration", Boolean, nullable=False, server_default=false()),
    Column("undone_at", DateTime(timezone=True)),
    _text("undone_by"),
    Index(None, "dataset", "sha256"),
)

# One row per area and period that one file speaks for. A later file that speaks for the
# same part of the same dataset replaces it: `replaced_by` names the load that did. A part
# whose load was undone names its own load there.
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
    # Of the few that were replaced: the others are nearly all, and to find them by it is the long way.
    Index(
        "ix_load_part_replaced",
        "replaced_by",
        sqlite_where=text("replaced_by IS NOT NULL"),
        postgresql_where=text("replaced_by IS NOT NULL"),
    ),
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
    Index(None, "pcn_code"),
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
    Column("minimum_age", Float),
    Column("maximum_age", Float),
    _text("web_address"),
    _text("sector"),
    _text("access"),
    Column("wait_days", Integer),
    Index(None, "service_id"),
    Index(None, "part_id"),
)

# One row per service and place where it is given, in degrees (EPSG:4326); `placed_by` says how
# it is known where that is: "point" or "postcode".
service_place = Table(
    "service_place",
    metadata,
    _part(),
    Column("service_id", String(64), nullable=False),
    _text("place_name"),
    Column("latitude", Float, nullable=False),
    Column("longitude", Float, nullable=False),
    Column("postcode", String(8)),
    Column("placed_by", String(16), nullable=False, server_default="point"),
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

# One row per service that a later feed of the same directory did not list any more: closed, since
# the newest date in that feed. Its entry stays as it was; a newer one opens it again.
service_closure = Table(
    "service_closure",
    metadata,
    _part(),
    Column("service_id", String(64), nullable=False),
    Column("closed_on", Date, nullable=False),
    Index(None, "service_id"),
    Index(None, "part_id"),
)

# One row per service of a provider and week (its Monday): the places of the 4 weeks from there.
service_capacity = Table(
    "service_capacity",
    metadata,
    _part(),
    _text("provider", nullable=False),
    Column("service_id", String(64), nullable=False),
    Column("week", Date, nullable=False),
    _text("state"),
    Column("places_offered", Integer),
    Column("places_filled", Integer),
    Column("people_waiting", Integer),
    Column("wait_days", Integer),
    Index(None, "service_id"),
    Index(None, "part_id"),
)

# One row per two entries that somebody looked at: whether they are the same service.
service_match = Table(
    "service_match",
    metadata,
    _part(),
    _text("provider", nullable=False),
    Column("service_id", String(64), nullable=False),
    Column("other_service_id", String(64), nullable=False),
    Column("is_same", Boolean, nullable=False),
    Index(None, "part_id"),
)

# One row per way of travelling, ward and ward that can be reached: minutes.
travel_time = Table(
    "travel_time",
    metadata,
    _part(),
    _text("mode", nullable=False),
    _code("from_ward_code"),
    _code("to_ward_code"),
    Column("minutes", Float, nullable=False),
    Index(None, "from_ward_code"),
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

# One row per PCN, month received and month ended (declined or closed; null while open):
# referrals. Built when referrals load; what is open at a month's end is counted from it.
referral_episode_fact = Table(
    "referral_episode_fact",
    metadata,
    _part(),
    _code("pcn_code", nullable=True),
    Column("month", Date, nullable=False),
    Column("ended_month", Date),
    Column("referrals", Integer, nullable=False),
    Index(None, "pcn_code", "month"),
    Index(None, "part_id"),
)

# One row per ward, month and need theme of its reasons (null where none was said): referrals, and
# how many of them were closed for lack of a service. A referral for two needs counts in both.
# Built when referrals load.
referral_need_fact = Table(
    "referral_need_fact",
    metadata,
    _part(),
    _code("ward_code", nullable=True),
    Column("month", Date, nullable=False),
    _text("theme"),
    Column("referrals", Integer, nullable=False),
    Column("without_service", Integer, nullable=False),
    Index(None, "ward_code", "month"),
    Index(None, "part_id"),
)

# The steps of a referral that can be reached, in order.
PATHWAY_STEPS = ("accepted", "contacted", "planned", "connected", "attended", "completed")
# One row per PCN, month received, category (see PATHWAY_CATEGORIES) and value of it (null where it
# was not said): referrals, by step those that reached it or a later one, those with a date of
# their own, and those that reached the step before, not this one, and are still open. Additive:
# a key may have several rows. `days` counts referrals by day: see `queries.day_counts`.
# Built when referrals load. A referral for two reasons counts in both.
# Of complex need: how many say the number of long-term conditions, and have several; say how
# complex the need is, and that it is highly so; were referred on to occupational therapy, were
# accepted there, and wait for that.
COMPLEX_NEED = (
    "conditions_told", "several_conditions", "complexity_told", "highly_complex", "ot_referred",
    "ot_accepted", "ot_waiting",
)  # fmt: skip
PATHWAY_CATEGORIES = ("all", "ward", "source", "reason", "age band", "sex", "ethnicity", "ending")
pathway_fact = Table(
    "pathway_fact",
    metadata,
    _part(),
    _code("pcn_code", nullable=True),
    Column("month", Date, nullable=False),
    Column("category", String(16), nullable=False),
    _text("value"),
    Column("referrals", Integer, nullable=False),
    Column("offered", Integer, nullable=False),
    Column("declined", Integer, nullable=False),
    *(
        Column(f"{step}{state}", Integer, nullable=False)
        for step in PATHWAY_STEPS
        for state in ("", "_dated", "_open")
    ),
    *(Column(name, Integer, nullable=False) for name in COMPLEX_NEED),
    # Steps that lie before what they are counted from: the step counts, its wait does not.
    Column("negative_waits", Integer, nullable=False),
    Column("days", LargeBinary, nullable=False),
    Index(None, "category", "pcn_code", "month"),
    Index(None, "category", "value", "month"),
    Index(None, "part_id"),
)

# One row per PCN, month received, category and value, and score before and after of a question
# (`measure`, `item`): referrals. A score is null where there was none at that point. The part is
# that of the referrals. Built when referrals, outcomes or contacts with the GP load.
SCORE_CATEGORIES = ("all", "ward", "age band", "sex", "ethnicity")
score_fact = Table(
    "score_fact",
    metadata,
    _part(),
    _code("pcn_code", nullable=True),
    Column("month", Date, nullable=False),
    Column("category", String(16), nullable=False),
    _text("value"),
    _text("measure", nullable=False),
    _text("item", nullable=False),
    Column("score_before", Float),
    Column("score_after", Float),
    Column("referrals", Integer, nullable=False),
    Index(None, "category", "pcn_code", "month"),
    Index(None, "category", "value", "month"),
    Index(None, "part_id"),
)

# One row per outcome measured of a referral: `item` is a question, or "total".
outcome = Table(
    "outcome",
    metadata,
    _part(),
    Column("reference_hash", String(64), nullable=False),
    _text("measure", nullable=False),
    _text("item", nullable=False),
    _text("point", nullable=False),
    Column("measured_on", Date, nullable=False),
    Column("score", Float, nullable=False),
    Index(None, "part_id"),
    Index(None, "reference_hash"),
)

# One row per referral: attendances at the GP in the 6 months before and after.
gp_contact = Table(
    "gp_contact",
    metadata,
    _part(),
    Column("reference_hash", String(64), nullable=False),
    Column("attendances_before", Integer),
    Column("attendances_after", Integer),
    Index(None, "part_id"),
    Index(None, "reference_hash"),
)

# One row per link-worker post and spell: how the post stands from `since` until `until`.
post = Table(
    "post",
    metadata,
    _part(),
    Column("post_id", String(64), nullable=False),
    _text("role_title"),
    _code("pcn_code"),
    _text("employer_type"),
    Column("funded_fte", Float),
    _text("status", nullable=False),
    Column("since", Date),
    Column("until", Date),
    _text("supervised_by"),
    Column("last_supervision_on", Date),
    Index(None, "pcn_code"),
    Index(None, "part_id"),
)

# One row per locality and post that leads it.
named_lead = Table(
    "named_lead",
    metadata,
    _part(),
    _text("locality", nullable=False),
    _text("post_name", nullable=False),
    _text("profession"),
    Column("valid_from", Date),
    Column("valid_until", Date),
    Index(None, "part_id"),
)

# One row per place where support could be offered: where it is (EPSG:4326), what it would cost in a
# year, and for how many people it has room.
candidate_site = Table(
    "candidate_site",
    metadata,
    _part(),
    _code("icb_code"),
    Column("site_id", String(64), nullable=False),
    _text("site_name", nullable=False),
    Column("longitude", Float, nullable=False),
    Column("latitude", Float, nullable=False),
    Column("cost_a_year", Float),
    Column("places_a_year", Integer),
    Index(None, "icb_code"),
    Index(None, "part_id"),
)

# One row per period and group of entitlement: personal health budgets in place.
personal_health_budget = Table(
    "personal_health_budget",
    metadata,
    _part(),
    _code("icb_code"),
    _text("entitlement", nullable=False),
    Column("period_end", Date, nullable=False),
    Column("in_place", Integer),
    Index(None, "part_id"),
)

# One row per PCN and month: FTE of link workers planned.
recruitment_plan = Table(
    "recruitment_plan",
    metadata,
    _part(),
    _code("pcn_code"),
    Column("month", Date, nullable=False),
    Column("planned_fte", Float, nullable=False),
    Index(None, "pcn_code"),
    Index(None, "part_id"),
)

# One row per PCN and spell: the FTE of link workers it is to have, as agreed locally.
local_target = Table(
    "local_target",
    metadata,
    _part(),
    _code("pcn_code"),
    Column("target_fte", Float, nullable=False),
    Column("valid_from", Date, nullable=False),
    Column("valid_until", Date),
    _text("reason"),
    Index(None, "pcn_code"),
    Index(None, "part_id"),
)

# One row per practice and spell of membership of a PCN.
pcn_membership = Table(
    "pcn_membership",
    metadata,
    _part(),
    _code("practice_code"),
    _code("pcn_code"),
    _code("sub_icb_code"),
    Column("valid_from", Date),
    Column("valid_until", Date),
    Index(None, "practice_code"),
    Index(None, "part_id"),
)

# One row per practice of the national register.
practice_register = Table(
    "practice_register",
    metadata,
    _part(),
    _code("practice_code"),
    _text("practice_name", nullable=False),
    _text("postcode"),
    _code("icb_code", nullable=True),
    _code("sub_icb_code", nullable=True),
    _text("status", nullable=False),
    _text("setting"),
    Column("opened_on", Date),
    Column("closed_on", Date),
    Index(None, "practice_code"),
    Index(None, "part_id"),
)

# One row per practice and month: appointments of the category "Social Prescribing Service"
# (missing where the practice recorded none of that category) and of all categories.
practice_appointment = Table(
    "practice_appointment",
    metadata,
    _part(),
    Column("month", Date, nullable=False),
    _code("practice_code"),
    _code("pcn_code", nullable=True),
    _code("sub_icb_code", nullable=True),
    Column("social_prescribing", Integer),
    Column("all_categories", Integer),
    Index(None, "practice_code"),
    Index(None, "part_id"),
)

# One row per LSOA and index (loneliness, community needs, ...): a higher value or decile is
# as the publisher of the index means it.
lsoa_index = Table(
    "lsoa_index",
    metadata,
    _part(),
    _text("index_name", nullable=False),
    _code("lsoa_code"),
    Column("value", Float),
    Column("decile", Integer),
    Index(None, "lsoa_code"),
    Index(None, "part_id"),
)

# One row per registered charity.
charity = Table(
    "charity",
    metadata,
    _part(),
    Column("charity_number", String(16), nullable=False),
    _text("charity_name", nullable=False),
    _text("status", nullable=False),
    Column("registered_on", Date),
    Column("removed_on", Date),
    Index(None, "charity_number"),
    Index(None, "part_id"),
)

# One row per file that somebody offered, whatever became of it. `state` is one of
# `queries.jobs.STATES`; `report` is what the reader made of it, as JSON.
job = Table(
    "job",
    metadata,
    Column("id", Integer, primary_key=True),
    _text("state", nullable=False),
    _text("file_name", nullable=False),
    Column("sha256", String(64)),
    Column("size_bytes", Integer, nullable=False),
    _text("dataset"),
    _text("offered_by"),
    Column("offered_at", DateTime(timezone=True), nullable=False),
    Column("started_at", DateTime(timezone=True)),
    Column("ended_at", DateTime(timezone=True)),
    Column("attempts", Integer, nullable=False),
    _text("report"),
    _text("message"),
    Column("load_id", ForeignKey("load.id", ondelete="SET NULL")),
    Index(None, "state"),
    Index(None, "load_id"),
    Index(None, "sha256"),
)

# The checked rows of a file that waits to be loaded, in pieces: never the file itself.
job_piece = Table(
    "job_piece",
    metadata,
    Column("job_id", ForeignKey("job.id", ondelete="CASCADE"), primary_key=True),
    Column("place", Integer, primary_key=True),
    Column("content", LargeBinary, nullable=False),
)

# One row per broken rule: where in the file, and what stood there, masked.
job_problem = Table(
    "job_problem",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("job_id", ForeignKey("job.id", ondelete="CASCADE"), nullable=False),
    Column("row", Integer),
    _text("column"),
    _text("rule", nullable=False),
    _text("found"),
    Index(None, "job_id"),
)

# One row per saved mapping of a supplier's headings and words to ours, as JSON. `headings` is
# the fingerprint that tells when it fits again.
column_mapping = Table(
    "column_mapping",
    metadata,
    Column("id", Integer, primary_key=True),
    _text("mapping_name", nullable=False),
    _text("dataset", nullable=False),
    _text("headings", nullable=False),
    _text("content", nullable=False),
    _text("saved_by"),
    Column("saved_at", DateTime(timezone=True), nullable=False),
    UniqueConstraint("mapping_name"),
)

# One row per plan of where to fund that somebody saved: its choices, as a link has them.
scenario = Table(
    "scenario",
    metadata,
    Column("id", Integer, primary_key=True),
    _code("icb_code"),
    _text("scenario_name", nullable=False),
    _text("choices", nullable=False),
    _text("saved_by"),
    Column("saved_at", DateTime(timezone=True), nullable=False),
    UniqueConstraint("icb_code", "scenario_name"),
)

# One row per meeting of a board: open until it is closed. `address` is what was looked at, as a
# link has it; `seen` what the board showed when the meeting was closed, as JSON of released
# numbers, with which the next one compares.
meeting = Table(
    "meeting",
    metadata,
    Column("id", Integer, primary_key=True),
    _code("icb_code"),
    Column("opened_at", DateTime(timezone=True), nullable=False),
    _text("opened_by", nullable=False),
    Column("closed_at", DateTime(timezone=True)),
    _text("closed_by"),
    Column("as_at", Date, nullable=False),
    _text("address", nullable=False),
    _text("seen"),
    Index(None, "icb_code", "closed_at"),
)

# What may be written down, how it stands, and what it may be pinned to.
ACTION_KINDS = ("action", "decision", "note")
ACTION_STATES = ("open", "done", "dropped")
PINNED_KINDS = ("ward", "pcn", "provider", "measure")
# One row per action, decision or note of a board as it stands now. `version` grows by one with
# each change: who saves what somebody else has changed meanwhile is told, and nothing is lost.
action = Table(
    "action",
    metadata,
    Column("id", Integer, primary_key=True),
    _code("icb_code"),
    Column("kind", String(16), nullable=False),
    _text("words", nullable=False),
    _text("owner"),
    Column("due_on", Date),
    Column("state", String(16), nullable=False),
    Column("pinned_kind", String(16)),
    _text("pinned_code"),
    # The day on a chart that a note belongs to.
    Column("pinned_on", Date),
    # The page on which it was written down.
    _text("page"),
    Column("meeting_id", ForeignKey("meeting.id", ondelete="SET NULL")),
    Column("version", Integer, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    _text("created_by", nullable=False),
    Column("changed_at", DateTime(timezone=True), nullable=False),
    _text("changed_by", nullable=False),
    Index(None, "icb_code", "due_on"),
    Index(None, "meeting_id"),
)

# One row per action and version of it: what it said from then on, as JSON.
action_change = Table(
    "action_change",
    metadata,
    Column("action_id", ForeignKey("action.id", ondelete="CASCADE"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("changed_at", DateTime(timezone=True), nullable=False),
    _text("changed_by", nullable=False),
    _text("content", nullable=False),
)

# One row per view that somebody saved by a name: its page and choices, as a link has them.
saved_view = Table(
    "saved_view",
    metadata,
    Column("id", Integer, primary_key=True),
    _code("icb_code"),
    _text("view_name", nullable=False),
    _text("address", nullable=False),
    _text("saved_by"),
    Column("saved_at", DateTime(timezone=True), nullable=False),
    UniqueConstraint("icb_code", "view_name"),
)

# One row per board, day and address to which a pack is due by e-mail: how often it was tried, and
# when it went.
pack_mail = Table(
    "pack_mail",
    metadata,
    Column("id", Integer, primary_key=True),
    _code("icb_code"),
    Column("due_on", Date, nullable=False),
    _text("address", nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("tried_at", DateTime(timezone=True)),
    Column("sent_at", DateTime(timezone=True)),
    _text("message"),
    UniqueConstraint("icb_code", "due_on", "address"),
)

# One row per address that wants no more e-mail.
mail_stop = Table(
    "mail_stop",
    metadata,
    Column("address", String, primary_key=True),
    Column("stopped_at", DateTime(timezone=True), nullable=False),
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

# One row per person who ever signed in, known by who vouches for them and what they are called there
# (`issuer` and `subject` of OpenID Connect): a name or an address may change hands, these do not.
person = Table(
    "person",
    metadata,
    Column("id", Integer, primary_key=True),
    _text("issuer", nullable=False),
    _text("subject", nullable=False),
    # As the person's own organisation calls them, for whoever gives access.
    _text("shown_name", nullable=False),
    Column("first_at", DateTime(timezone=True), nullable=False),
    Column("last_at", DateTime(timezone=True)),
    UniqueConstraint("issuer", "subject"),
)

# What a role may be given for: everything here, a board, or a network of one.
AREA_KINDS = ("all", "icb", "pcn")
# One row per role that a person, or everybody of a group that their organisation names, was given
# for an area: from when until when, and by whom. Nothing is deleted: reviews ask who could see what.
role_grant = Table(
    "role_grant",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("person_id", ForeignKey("person.id")),
    _text("group_name"),
    Column("role", String(16), nullable=False),
    Column("area_kind", String(8), nullable=False),
    # Of a network its board too: without it nobody knows where it lies.
    _code("icb_code", nullable=True),
    _code("pcn_code", nullable=True),
    Column("given_at", DateTime(timezone=True), nullable=False),
    _text("given_by", nullable=False),
    Column("ended_at", DateTime(timezone=True)),
    _text("ended_by"),
    Index(None, "person_id"),
    Index(None, "group_name"),
)

# One row per time that somebody signed in, known by the hash of what their browser keeps. `groups`
# are those, as a JSON list, that their organisation named then and that had a role here.
sign_in = Table(
    "sign_in",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("person_id", ForeignKey("person.id"), nullable=False),
    _text("groups", nullable=False),
    Column("started_at", DateTime(timezone=True), nullable=False),
    Column("seen_at", DateTime(timezone=True), nullable=False),
    Column("ended_at", DateTime(timezone=True)),
    _text("ended_why"),
    Index(None, "person_id"),
)

# One row per thing done that somebody may have to answer for, in order and never changed: `hash` is
# of this row and the hash before it, so that a row that was changed or taken out is noticed.
# `person_id` is 0 for the command line and for a machine without sign-in; `detail` is JSON of codes
# and numbers, and says nothing of a person.
trail = Table(
    "trail",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("person_id", Integer, nullable=False),
    _text("detail", nullable=False),
    Column("hash", String(64), nullable=False),
)
