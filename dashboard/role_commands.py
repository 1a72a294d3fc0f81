"""The command that makes the three roles of PostgreSQL."""

from __future__ import annotations

import re
import sys
from typing import Annotated

import typer
from rich.console import Console
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from dashboard.data import owner_engine
from dashboard.settings import settings
from queries.database import NEWEST_REVISION, revision
from queries.database_roles import ROLES, give_roles, rights_sql, roles_sql

app = typer.Typer()
_TELL = Console(stderr=True, highlight=False)
_PREFIX = re.compile(r"[a-z][a-z0-9_]{0,40}")


@app.command(name="roles")
def roles_command(
    sql: Annotated[bool, typer.Option("--sql", help="Write the SQL, to be run by a DBA.")] = False,
    apply: Annotated[
        bool, typer.Option("--apply", help="Run it, as the role of migration_database_url.")
    ] = False,
    prefix: Annotated[
        str, typer.Option(help="What the names of the roles begin with.")
    ] = "dashboard",
) -> None:
    """Make three roles of PostgreSQL: PREFIX_owner for upgrades, PREFIX_pages and PREFIX_worker.

    They have no passwords yet: give them with `\\password` of psql. May be run again at any time.
    """
    if sql == apply:
        raise _stopped("Say either --sql, to see what would be run, or --apply, to run it.")
    if settings().is_sqlite:
        raise _stopped("An SQLite file has no roles: database_url has to be a PostgreSQL database.")
    if not _PREFIX.fullmatch(prefix):
        raise _stopped("Expected a prefix of small letters, digits and _, such as dashboard.")
    if sql:
        database = make_url(settings().database_url).database or ""
        made, given = (
            "".join(f"{statement};\n" for statement in statements)
            for statements in (roles_sql(prefix, database), rights_sql(prefix))
        )
        sys.stdout.write(
            f"{made}-- From here on after `python -m dashboard upgrade`, which makes the tables; later "
            f"upgrades by {prefix}_owner do this themselves.\n{given}"
        )
        return
    try:
        has_tables = revision(owner_engine()) == NEWEST_REVISION
        give_roles(owner_engine(), prefix, with_rights=has_tables)
    except DBAPIError as error:
        raise _stopped(
            f"The roles were not made ({type(error).__name__}): expected a superuser, or a role with "
            "CREATEROLE that owns the database, in migration_database_url. Nothing was changed.",
            1,
        ) from None
    names = ", ".join(f"{prefix}_{role}" for role in ROLES)
    _TELL.print(f"{names}: made, or there already. Give each a password.", markup=False)
    if not has_tables:
        _TELL.print(
            f"Next: migration_database_url as {prefix}_owner, and `python -m dashboard upgrade`.",
            markup=False,
        )


def _stopped(words: str, code: int = 2) -> typer.Exit:
    _TELL.print(words, style="red", markup=False)
    return typer.Exit(code)
