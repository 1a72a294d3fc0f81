"""Meetings, actions with their history, saved views, and packs by e-mail."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0007"
down_revision: str | None = "0006"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "meeting",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("icb_code", sa.String(length=16), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_by", sa.String(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.String(), nullable=True),
        sa.Column("as_at", sa.Date(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("seen", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_meeting")),
    )
    op.create_index(op.f("ix_meeting_icb_code_closed_at"), "meeting", ["icb_code", "closed_at"])
    op.create_table(
        "action",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("icb_code", sa.String(length=16), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("words", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("pinned_kind", sa.String(length=16), nullable=True),
        sa.Column("pinned_code", sa.String(), nullable=True),
        sa.Column("pinned_on", sa.Date(), nullable=True),
        sa.Column("page", sa.String(), nullable=True),
        sa.Column("meeting_id", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["meeting_id"], ["meeting.id"], name=op.f("fk_action_meeting_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_action")),
    )
    op.create_index(op.f("ix_action_icb_code_due_on"), "action", ["icb_code", "due_on"])
    op.create_index(op.f("ix_action_meeting_id"), "action", ["meeting_id"])
    op.create_table(
        "action_change",
        sa.Column("action_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.String(), nullable=False),
        sa.Column("content", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["action_id"],
            ["action.id"],
            name=op.f("fk_action_change_action_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("action_id", "version", name=op.f("pk_action_change")),
    )
    op.create_table(
        "saved_view",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("icb_code", sa.String(length=16), nullable=False),
        sa.Column("view_name", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("saved_by", sa.String(), nullable=True),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_view")),
        sa.UniqueConstraint("icb_code", "view_name", name=op.f("uq_saved_view_icb_code")),
    )
    op.create_table(
        "pack_mail",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("icb_code", sa.String(length=16), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("message", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pack_mail")),
        sa.UniqueConstraint("icb_code", "due_on", "address", name=op.f("uq_pack_mail_icb_code")),
    )
    op.create_table(
        "mail_stop",
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("stopped_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("address", name=op.f("pk_mail_stop")),
    )


def downgrade() -> None:
    for name in ("mail_stop", "pack_mail", "saved_view", "action_change", "action", "meeting"):
        op.drop_table(name)
