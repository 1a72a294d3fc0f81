"""The three roles of a PostgreSQL database, made as an operator makes them, and their addresses."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Engine, make_url, text

from queries.database_roles import ROLES, rights_sql, roles_sql

PASSWORD = "for tests only"


def make_roles(admin: Engine) -> Mapping[str, str]:
    """Make the roles of this database, named after it, with their rights; the address of each."""
    prefix = database = str(admin.url.database)
    with admin.connect() as connection, connection.begin():
        for statement in [*roles_sql(prefix, database), *rights_sql(prefix)]:
            connection.exec_driver_sql(statement)
        for role in ROLES:
            connection.execute(text(f"ALTER ROLE {prefix}_{role} PASSWORD '{PASSWORD}'"))
    return {
        role: make_url(admin.url)
        .set(username=f"{prefix}_{role}", password=PASSWORD)
        .render_as_string(hide_password=False)
        for role in ROLES
    }
