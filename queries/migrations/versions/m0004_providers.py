"""Capacity by week, closed and matched services, travel times, and what referrals are for."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date

import sqlalchemy as sa
from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# What each new table is indexed by, beside its part.
INDEXES = {
    "service_closure": ["service_id"],
    "service_capacity": ["service_id"],
    "service_match": [],
    "travel_time": ["from_ward_code"],
    "referral_need_fact": ["ward_code", "month"],
}


def upgrade() -> None:
    for column in (
        sa.Column("sector", sa.String(), nullable=True),
        sa.Column("access", sa.String(), nullable=True),
        sa.Column("wait_days", sa.Integer(), nullable=True),
    ):
        op.add_column("service", column)
    op.create_index(op.f("ix_service_service_id"), "service", ["service_id"])
    op.add_column("service_place", sa.Column("postcode", sa.String(length=8), nullable=True))
    op.add_column(
        "service_place",
        sa.Column("placed_by", sa.String(length=16), nullable=False, server_default="point"),
    )
    _create(
        "service_closure",
        sa.Column("service_id", sa.String(length=64), nullable=False),
        sa.Column("closed_on", sa.Date(), nullable=False),
    )
    _create(
        "service_capacity",
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("service_id", sa.String(length=64), nullable=False),
        sa.Column("week", sa.Date(), nullable=False),
        sa.Column("state", sa.String(), nullable=True),
        sa.Column("places_offered", sa.Integer(), nullable=True),
        sa.Column("places_filled", sa.Integer(), nullable=True),
        sa.Column("people_waiting", sa.Integer(), nullable=True),
        sa.Column("wait_days", sa.Integer(), nullable=True),
    )
    _create(
        "service_match",
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("service_id", sa.String(length=64), nullable=False),
        sa.Column("other_service_id", sa.String(length=64), nullable=False),
        sa.Column("is_same", sa.Boolean(), nullable=False),
    )
    _create(
        "travel_time",
        sa.Column("mode", sa.String(), nullable=False),
        sa.Column("from_ward_code", sa.String(length=16), nullable=False),
        sa.Column("to_ward_code", sa.String(length=16), nullable=False),
        sa.Column("minutes", sa.Float(), nullable=False),
    )
    facts = _create(
        "referral_need_fact",
        sa.Column("ward_code", sa.String(length=16), nullable=True),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("theme", sa.String(), nullable=True),
        sa.Column("referrals", sa.Integer(), nullable=False),
        sa.Column("without_service", sa.Integer(), nullable=False),
    )
    _count_needs(facts)


def _create(name: str, *columns: sa.Column[object]) -> sa.Table:
    table = op.create_table(
        name,
        sa.Column("part_id", sa.Integer(), nullable=False),
        *columns,
        sa.ForeignKeyConstraint(
            ["part_id"], ["load_part.id"], name=op.f(f"fk_{name}_part_id"), ondelete="CASCADE"
        ),
    )
    if INDEXES[name]:
        op.create_index(op.f(f"ix_{name}_{'_'.join(INDEXES[name])}"), name, INDEXES[name])
    op.create_index(op.f(f"ix_{name}_part_id"), name, ["part_id"])
    return table


# The names that an intake of this form knows; what it learns later does not change old rows.
THEMES = {
    **{
        theme: theme
        for theme in (
            "loneliness", "mental health", "money and debt", "housing", "physical activity",
            "long-term condition", "carers", "employment and learning", "arts and culture",
            "nature", "food", "alcohol or smoking", "complex social need", "other",
        )
    },
    "money": "money and debt", "debt": "money and debt", "finance": "money and debt",
    "benefits": "money and debt", "isolation": "loneliness",
    "loneliness and isolation": "loneliness", "social isolation": "loneliness",
    "long term condition": "long-term condition", "long-term conditions": "long-term condition",
    "long term conditions": "long-term condition", "carer": "carers", "caring": "carers",
    "exercise": "physical activity", "employment": "employment and learning",
    "work": "employment and learning", "learning": "employment and learning",
    "arts": "arts and culture", "alcohol": "alcohol or smoking", "smoking": "alcohol or smoking",
}  # fmt: skip
NO_SERVICE = re.compile(r"\bno (suitable |appropriate |available )?services?\b", re.IGNORECASE)


def _themes(reasons: str | None) -> Iterator[str | None]:
    said = [text.strip().casefold() for text in re.split("[;|]", reasons or "") if text.strip()]
    yield from dict.fromkeys(THEMES.get(text, "other") for text in said) or (None,)


def _count_needs(facts: sa.Table) -> None:
    """The new facts of the rows that are there, counted as an intake of this form counts them."""
    rows = sa.table(
        "referral",
        sa.column("part_id", sa.Integer()),
        sa.column("ward_code", sa.String()),
        sa.column("received_on", sa.Date()),
        sa.column("reasons", sa.String()),
        sa.column("closed_reason", sa.String()),
    )
    found: Counter[tuple[int, str | None, date, str | None]] = Counter()
    without: Counter[tuple[int, str | None, date, str | None]] = Counter()
    for part_id, ward_code, received, reasons, closed in op.get_bind().execute(sa.select(rows)):
        for theme in _themes(reasons):
            key = (part_id, ward_code, received.replace(day=1), theme)
            found[key] += 1
            without[key] += bool(NO_SERVICE.search(closed or ""))
    op.bulk_insert(
        facts,
        [
            {
                "part_id": key[0],
                "ward_code": key[1],
                "month": key[2],
                "theme": key[3],
                "referrals": referrals,
                "without_service": without[key],
            }
            for key, referrals in found.items()
        ],
    )


def downgrade() -> None:
    for name in INDEXES:
        op.drop_table(name)
    op.drop_index(op.f("ix_service_service_id"), "service")
    for table, names in (
        ("service_place", ("placed_by", "postcode")),
        ("service", ("wait_days", "access", "sector")),
    ):
        for name in names:
            op.drop_column(table, name)
