"""Row-level security of PostgreSQL: whose rows each table has, behind the WHERE of every query."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, func, select, text

from queries.database import READER_SETTING, SCOPE_SETTING
from queries.loads import LOCAL_RETURNS

_BOARD = "icb_code IN (SELECT dashboard_boards())"
_NETWORK = "pcn_code IN (SELECT dashboard_networks())"
# Of practices alone: which networks are a board's is asked of these returns as well.
_MEMBER = "pcn_code IN (SELECT dashboard_members())"
_WARD = "ward_code IN (SELECT dashboard_wards())"
# Of a fact by category the value may be a ward, where people live who go to another board's network.
_VALUE = "category = 'ward' AND value IN (SELECT dashboard_wards())"
_LOCAL = ", ".join(f"'{dataset}'" for dataset in LOCAL_RETURNS)
_PUBLISHED = "published for the whole country"
_FOUND_BY_PLACE = (
    "one service is of use to several boards, and queries find it by where it is; a provider's return "
    "is refused whole where one of its areas is another board's, so all of them have to be seen"
)
_FOR_NO_BOARD = "of the installation, not of a board; only code that asks who is there reads it"

# Which rows of a table somebody may read and write who may not see every board.
BOUND: dict[str, str] = {
    "workforce_return": f"{_BOARD} OR {_MEMBER}",
    "link_worker": f"{_BOARD} OR {_MEMBER}",
    "scheme_area": "speaks_for_code IN (SELECT dashboard_areas())",
    # By code or, in whatever case, by name.
    "named_lead": "locality IN (SELECT dashboard_areas())"
    " OR lower(locality) IN (SELECT dashboard_areas())",
    # Rows of persons, whichever board's: what pages show was counted of them when they came.
    "referral": "false",
    "outcome": "false",
    "gp_contact": "false",
    # Both boards: the one where people live and the one of the network that they were sent to.
    "referral_fact": f"{_WARD} OR {_NETWORK}",
    "referral_age_fact": _WARD,
    "referral_episode_fact": _NETWORK,
    "referral_need_fact": _WARD,
    "pathway_fact": f"{_NETWORK} OR {_VALUE}",
    "score_fact": f"{_NETWORK} OR {_VALUE}",
    "post": _NETWORK,
    "recruitment_plan": _NETWORK,
    "local_target": _NETWORK,
    "candidate_site": _BOARD,
    "personal_health_budget": _BOARD,
    "scenario": _BOARD,
    "saved_view": _BOARD,
    "meeting": _BOARD,
    "action": _BOARD,
    "action_change": "action_id IN (SELECT id FROM action)",
    # The name of a local return may name another board: its own sender sees it.
    "job": f"offered_by IN (SELECT dashboard_reader()) OR dataset NOT IN ({_LOCAL})",
    "job_problem": "job_id IN (SELECT id FROM job)",
    "job_piece": "job_id IN (SELECT id FROM job)",
}

# Whose rows everybody may read who may read any, and why.
OPEN: dict[str, str] = {
    **dict.fromkeys(
        (
            "area", "boundary", "lsoa_ward", "lsoa_icb", "ward", "ward_population", "deprivation",
            "practice", "list_size", "registered_patients", "pcn_membership", "practice_register",
            "practice_appointment", "lsoa_index", "charity",
        ),
        _PUBLISHED,
    ),
    **dict.fromkeys(
        (
            "service", "service_place", "service_area", "service_theme", "service_closure",
            "service_capacity", "service_match",
        ),
        _FOUND_BY_PLACE,
    ),
    "travel_time": "minutes between two places, which say nothing of anybody",
    "load": "every figure asks which file is in force; queries hide the names of local returns",
    "load_part": "every figure asks which part is in force; queries hide local returns",
    "data_version": "one number, on which every cache is keyed",
    "column_mapping": "headings of a supplier's export, without a row of it",
    **dict.fromkeys(
        ("person", "role_grant", "sign_in", "trail", "pack_mail", "mail_stop"), _FOR_NO_BOARD
    ),
}  # fmt: skip

_CODES = f"string_to_array(nullif(current_setting('{SCOPE_SETTING}', true), '*'), ',')"
_SEES_EVERYTHING = f"(SELECT current_setting('{SCOPE_SETTING}', true) = '*')"
# Each answers some codes or names, once a statement.
_FUNCTIONS: dict[str, str] = {
    "dashboard_boards()": f"SELECT unnest({_CODES})",
    "dashboard_reader()": f"SELECT nullif(current_setting('{READER_SETTING}', true), '')",
    # Whichever extract or census says so: a network that moved is of both boards.
    "dashboard_members()": (
        f"SELECT pcn_code FROM practice WHERE icb_code = ANY({_CODES}) AND pcn_code <> 'U'"  # noqa: S608  # nosec B608
    ),
    "dashboard_networks()": (
        "SELECT dashboard_members() UNION "  # noqa: S608  # nosec B608
        f"SELECT pcn_code FROM workforce_return WHERE icb_code = ANY({_CODES}) AND pcn_code <> 'U'"
    ),
    "dashboard_wards()": f"SELECT ward_code FROM ward WHERE icb_code = ANY({_CODES})",  # noqa: S608  # nosec B608
    "dashboard_areas()": (
        f"SELECT unnest({_CODES}) UNION "  # noqa: S608  # nosec B608
        f"SELECT unnest(ARRAY[lad_code, lower(lad_name)]) FROM ward WHERE icb_code = ANY({_CODES})"
    ),
}
_POLICY = "only_own_boards"


def apply(connection: Connection) -> None:
    """Bind the rows of every table of `BOUND`, of a database of the newest form; whoever owns them too.

    On PostgreSQL only: SQLite has one user.
    """
    if connection.dialect.name != "postgresql":
        return
    remove(connection)
    for name, body in _FUNCTIONS.items():
        connection.exec_driver_sql(
            f"CREATE FUNCTION {name} RETURNS SETOF text LANGUAGE sql STABLE PARALLEL SAFE "
            f"AS $body$ {body} $body$"
        )
    for table, own in BOUND.items():
        connection.exec_driver_sql(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        connection.exec_driver_sql(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        connection.exec_driver_sql(
            f"CREATE POLICY {_POLICY} ON {table} USING ({_SEES_EVERYTHING} OR {own})"
        )


def remove(connection: Connection) -> None:
    """Take back what `apply` did, in a database of whatever form: before its tables are changed."""
    if connection.dialect.name != "postgresql":
        return
    here = "relnamespace = current_schema()::regnamespace"
    bound = connection.scalars(
        text(
            "SELECT relname FROM pg_class JOIN pg_policy ON polrelid = pg_class.oid "  # noqa: S608  # nosec B608
            f"WHERE {here} AND polname = '{_POLICY}'"
        )
    )
    for table in bound.all():
        connection.exec_driver_sql(f"DROP POLICY {_POLICY} ON {table}")
        connection.exec_driver_sql(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
        connection.exec_driver_sql(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
    for name in reversed(_FUNCTIONS):
        connection.exec_driver_sql(f"DROP FUNCTION IF EXISTS {name}")


@contextmanager
def lifted(connection: Connection) -> Iterator[None]:
    """For the owner, in the transaction: PostgreSQL does not COPY into tables with bound rows."""
    if connection.dialect.name != "postgresql":
        yield
        return
    forced = connection.scalars(
        text(
            "SELECT relname FROM pg_class WHERE relforcerowsecurity "
            "AND relnamespace = current_schema()::regnamespace"
        )
    ).all()
    for table in forced:
        connection.exec_driver_sql(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    yield
    # Where something went wrong the whole transaction is taken back.
    for table in forced:
        connection.exec_driver_sql(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")


@contextmanager
def copyable(connection: Connection, table: str, columns: str) -> Iterator[str]:
    """The table to COPY these columns into: itself, or, where its rows are bound for this role, one
    of this transaction, from which they are taken over at the end."""
    if not connection.scalar(select(func.row_security_active(table))):
        yield table
        return
    staged = f"new_rows_of_{table}"
    connection.exec_driver_sql(
        f"CREATE TEMPORARY TABLE {staged} ON COMMIT DROP AS "  # noqa: S608  # nosec B608
        f"SELECT {columns} FROM {table} WITH NO DATA"
    )
    yield staged
    # Names of our own tables and columns only.
    taken_over = f"INSERT INTO {table} ({columns}) SELECT {columns} FROM {staged}"  # noqa: S608  # nosec B608
    connection.exec_driver_sql(taken_over)
    connection.exec_driver_sql(f"DROP TABLE {staged}")
