"""Three roles of PostgreSQL: who owns the tables, who serves pages, who loads; and what each may do."""

from __future__ import annotations

from sqlalchemy import Connection, Engine, func, select, text

from queries import tables
from queries.database import writing

OWNER, PAGES, WORKER = "owner", "pages", "worker"
ROLES = (OWNER, PAGES, WORKER)
# What pages may do with a table; all others they only read. Data is loaded as the worker.
MAY: dict[str, str] = {
    # Rows of persons: pages read what was counted of them.
    "referral": "",
    "outcome": "",
    "gp_contact": "",
    # A file that is checked in a process of the pages; its rows are for the worker's eyes.
    "job": "SELECT, INSERT, UPDATE",
    "job_piece": "SELECT (job_id, place), INSERT, DELETE",
    "job_problem": "SELECT, INSERT",
    "column_mapping": "SELECT, INSERT, DELETE",
    "scenario": "SELECT, INSERT, DELETE",
    "saved_view": "SELECT, INSERT, DELETE",
    "meeting": "SELECT, INSERT, UPDATE",
    "action": "SELECT, INSERT, UPDATE",
    "action_change": "SELECT, INSERT",
    "person": "SELECT, INSERT, UPDATE",
    "role_grant": "SELECT, INSERT, UPDATE",
    "sign_in": "SELECT, INSERT, UPDATE",
    "trail": "SELECT, INSERT",
    # To know whose link stops an e-mail.
    "pack_mail": "SELECT (address)",
    "mail_stop": "SELECT, INSERT",
}
_WORKER_MAY = "SELECT, INSERT, UPDATE, DELETE"


def roles_sql(prefix: str, database: str, schema: str = "public") -> list[str]:
    """The statements that make the roles, without passwords, for one database that is the dashboard's
    alone, and give its tables to their owner. They may be run again."""
    name = {role: _quoted(f"{prefix}_{role}") for role in ROLES}
    in_database, in_schema = _quoted(database), _quoted(schema)
    everyone = ", ".join(name.values())
    return [
        *(
            f"DO $$ BEGIN IF to_regrole('{_literal(name[role])}') IS NULL THEN "
            f"CREATE ROLE {name[role]} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS; "
            "END IF; END $$"
            for role in ROLES
        ),
        f"REVOKE ALL ON DATABASE {in_database} FROM PUBLIC",
        f"GRANT CONNECT ON DATABASE {in_database} TO {everyone}",
        # What a file holds goes into a table of its own first: see `row_security.copyable`.
        f"GRANT TEMPORARY ON DATABASE {in_database} TO {name[WORKER]}, {name[OWNER]}",
        f"REVOKE CREATE ON SCHEMA {in_schema} FROM PUBLIC",
        f"GRANT USAGE ON SCHEMA {in_schema} TO {everyone}",
        f"GRANT CREATE ON SCHEMA {in_schema} TO {name[OWNER]}",
        # Whoever is no superuser gives tables only to a role that is theirs too.
        "DO $$ BEGIN IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN "  # noqa: S608  # nosec B608
        f"GRANT {name[OWNER]} TO CURRENT_USER; END IF; END $$",
        # Of a database that is in use already; and its functions with the tables.
        "DO $$ DECLARE each record; BEGIN FOR each IN "  # noqa: S608  # nosec B608
        "SELECT 'TABLE ' || oid::regclass AS it FROM pg_class WHERE relkind = 'r' "
        f"AND relnamespace = '{_literal(in_schema)}'::regnamespace UNION ALL "
        "SELECT 'FUNCTION ' || oid::regprocedure FROM pg_proc "
        "WHERE starts_with(proname, 'dashboard_') OR proname = 'trail_is_written_once' "
        f"LOOP EXECUTE 'ALTER ' || each.it || ' OWNER TO {_literal(name[OWNER])}'; END LOOP; END $$",
    ]


def rights_sql(prefix: str, schema: str = "public") -> list[str]:
    """The statements that give the pages and the worker their rights, on a database of the newest form."""
    pages, worker = (_quoted(f"{prefix}_{role}") for role in (PAGES, WORKER))
    in_schema = _quoted(schema)
    statements = [
        f"REVOKE ALL ON ALL {what} IN SCHEMA {in_schema} FROM {pages}, {worker}"
        for what in ("TABLES", "SEQUENCES")
    ]
    statements.append(f"GRANT SELECT ON {in_schema}.alembic_version TO {pages}, {worker}")
    for table in tables.metadata.sorted_tables:
        there = f"{in_schema}.{_quoted(table.name)}"
        may = MAY.get(table.name, "SELECT")
        if may:
            statements.append(f"GRANT {may} ON {there} TO {pages}")
        # The trail is written once, whoever writes.
        for_worker = may if table is tables.trail else _WORKER_MAY
        statements.append(f"GRANT {for_worker} ON {there} TO {worker}")
        if table.autoincrement_column is not None:
            writers = f"{pages}, {worker}" if "INSERT" in may else worker
            sequence = f"{in_schema}.{_quoted(f'{table.name}_id_seq')}"
            statements.append(f"GRANT USAGE ON SEQUENCE {sequence} TO {writers}")
    return statements


def give_roles(engine: Engine, prefix: str, *, with_rights: bool) -> None:
    """Make the roles of this database, and give them their rights where its form is the newest, in one
    transaction. What the driver raises where the role that is connected may not."""
    with writing(engine) as connection:
        schema = connection.scalar(select(func.current_schema())) or "public"
        statements = roles_sql(prefix, str(engine.url.database), schema)
        for statement in [*statements, *(rights_sql(prefix, schema) if with_rights else [])]:
            connection.exec_driver_sql(statement)


def give_rights_again(connection: Connection) -> None:
    """After a change of the form: where the owner of the three roles made it, the others get their
    rights to what is new."""
    if connection.dialect.name != "postgresql":
        return
    user, schema = connection.execute(select(func.current_user(), func.current_schema())).one()
    prefix, _, role = user.rpartition("_")
    there = text("SELECT count(*) FROM pg_roles WHERE rolname IN (:pages, :worker)")
    names = {"pages": f"{prefix}_{PAGES}", "worker": f"{prefix}_{WORKER}"}
    if role == OWNER and connection.scalar(there, names) == len(names):
        for statement in rights_sql(prefix, schema):
            connection.exec_driver_sql(statement)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(words: str) -> str:
    return words.replace("'", "''")
