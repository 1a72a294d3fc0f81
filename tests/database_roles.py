"""The three roles of a PostgreSQL database, made as an operator makes them, and their addresses."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Engine, make_url, text

from queries.database import NEWEST_REVISION, revision
from queries.database_roles import ROLES, give_roles

PASSWORD = "for tests only"


def make_roles(admin: Engine) -> Mapping[str, str]:
    """Make the roles of this database, named after it, with their rights; the address of each."""
    prefix = str(admin.url.database)
    give_roles(admin, prefix, with_rights=revision(admin) == NEWEST_REVISION)
    with admin.connect() as connection, connection.begin():
        for role in ROLES:
            connection.execute(text(f"ALTER ROLE {prefix}_{role} PASSWORD '{PASSWORD}'"))
    return {
        role: make_url(admin.url)
        .set(username=f"{prefix}_{role}", password=PASSWORD)
        .render_as_string(hide_password=False)
        for role in ROLES
    }
