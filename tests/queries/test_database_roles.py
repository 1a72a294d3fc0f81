"""The three roles of PostgreSQL: each may do what it is for, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta

import pandas as pd
import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from typer.testing import CliRunner

from dashboard import data, loading, targets, warm_up
from dashboard.commands import app
from dashboard.errors import BUSY, NotReadyError, fault_of_database
from dashboard.facts import count_missing
from dashboard.intake.source import Source
from dashboard.settings import Settings, settings
from queries import (
    actions,
    history,
    jobs,
    lookups,
    mail,
    mappings,
    meetings,
    people,
    saved_views,
    scenarios,
    tables,
    trail,
)
from queries.actions import ActionEdit
from queries.copy import copy_into, row_counts, snapshot
from queries.database import (
    OLDEST_POSTGRES,
    Connections,
    make_engine,
    reading,
    revision,
    upgrade,
    why_not_this_server,
    writing,
)
from queries.database_roles import MAY, ROLES, rights_sql, roles_sql
from queries.load import remove_demonstration, save
from queries.people import Grant
from queries.scope import EVERYTHING, Scope
from tests import small_board as b
from tests.conftest import _new_postgres_database
from tests.database_roles import PASSWORD, make_roles
from tests.small_board import Board

NOW = datetime(2026, 7, 1, 9, tzinfo=UTC)
MINE = Scope(frozenset({b.BOARD}))
NOTHING = pd.DataFrame({"row": [], "column": [], "rule": [], "found": []})


@pytest.fixture(scope="module")
def roles(postgres_url: str) -> Iterator[Mapping[str, Engine]]:
    """Each role's engine, of a database that its owner has brought to the newest form."""
    with _new_postgres_database(postgres_url) as admin, connected(admin) as made:
        upgrade(made["owner"])
        save(made["worker"], b.services(b.SERVICES))
        yield made


@contextmanager
def connected(admin: Engine) -> Iterator[Mapping[str, Engine]]:
    made = {role: make_engine(url) for role, url in make_roles(admin).items()}
    try:
        yield made
    finally:
        for engine in made.values():
            engine.dispose()


MUST_NOT = {
    "pages": [
        "SELECT count(*) FROM referral",
        "SELECT count(*) FROM outcome",
        "SELECT count(*) FROM gp_contact",
        "SELECT content FROM job_piece",
        "SELECT message FROM pack_mail",
        "UPDATE trail SET kind = 'x'",
        "DELETE FROM trail",
        "DELETE FROM load",
        "INSERT INTO service_theme (part_id, service_id, theme) VALUES (1, 'x', 'y')",
        "UPDATE load_part SET replaced_by = NULL",
        "UPDATE data_version SET version = 1",
        "DELETE FROM role_grant",
        "DELETE FROM action",
        "UPDATE action_change SET content = 'x'",
        "DELETE FROM sign_in",
        "CREATE TABLE mine (id integer)",
        "CREATE TEMPORARY TABLE mine (id integer)",
        "ALTER TABLE job DISABLE ROW LEVEL SECURITY",
        "DROP POLICY only_own_boards ON referral_fact",
        "TRUNCATE job",
        "SET ROLE {owner}",
        "SET ROLE {worker}",
    ],
    "worker": [
        "ALTER TABLE job ADD COLUMN more integer",
        "CREATE TABLE mine (id integer)",
        "DROP TABLE job",
        "TRUNCATE referral",
        "UPDATE trail SET kind = 'x'",
        "DELETE FROM trail",
        "ALTER TABLE referral DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE referral NO FORCE ROW LEVEL SECURITY",
        "SET ROLE {owner}",
    ],
    "owner": ["CREATE ROLE another", "CREATE DATABASE another"],
}


@pytest.mark.parametrize(
    ("role", "statement"),
    [(role, statement) for role, statements in MUST_NOT.items() for statement in statements],
)
def test_what_a_role_must_not(roles: Mapping[str, Engine], role: str, statement: str) -> None:
    names = {name: engine.url.username for name, engine in roles.items()}
    with (
        roles[role].connect().execution_options(isolation_level="AUTOCOMMIT") as connection,
        pytest.raises(
            DBAPIError, match=r"permission denied|must be owner|must be able to SET ROLE"
        ),
    ):
        connection.exec_driver_sql(statement.format(**names))


def test_the_owner_is_bound_too(roles: Mapping[str, Engine]) -> None:
    """Rows it does not ask for by the rules are not there for it: FORCE."""
    with writing(roles["worker"]) as connection:
        jobs_row = {"state": "checked", "file_name": "a", "size_bytes": 1, "attempts": 0}
        connection.execute(tables.job.insert().values(offered_at=NOW, **jobs_row))
    with roles["owner"].connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM job")) == 0
    with reading(roles["owner"], EVERYTHING) as connection:
        assert connection.scalar(text("SELECT count(*) FROM job"))


def test_pages_do_their_work(roles: Mapping[str, Engine]) -> None:
    """Everything that a page writes, and what it reads with it."""
    pages = roles["pages"]
    job_id = jobs.offer(pages, "a.csv", 1, "a" * 64, "Ann")
    jobs.keep_piece(pages, job_id, 0, b"rows")
    assert jobs.same_under_way(pages, "a" * 64)
    one = pd.DataFrame({"row": [1], "column": ["x"], "rule": ["y"], "found": ["z"]})
    jobs.checked(pages, job_id, "posts", "{}", one)
    assert [each.id for each in jobs.open_jobs(pages, MINE, "Ann", NOW)] == [job_id]
    assert jobs.open_jobs(pages, MINE, "Ben", NOW) == []
    assert jobs.queue(pages, job_id)
    assert not jobs.drop(pages, job_id)
    dropped = jobs.offer(pages, "b.csv", 1, "b" * 64, "Ann")
    jobs.keep_piece(pages, dropped, 0, b"rows")
    jobs.checked(pages, dropped, "posts", "{}", NOTHING)
    assert jobs.drop(pages, dropped)
    refused = jobs.offer(pages, "c.csv", 1, "c" * 64, "Ann")
    jobs.refused(pages, refused, "It is refused.", one)
    assert len(history.problems(pages, EVERYTHING, job_id)) == 1
    mappings.save_mapping(pages, "theirs", "posts", "a|b", "{}", "Ann")
    mappings.save_mapping(pages, "theirs", "posts", "a|b", "{}", "Ben")
    assert len(mappings.saved_mappings(pages)) == 1
    first = ActionEdit("action", "Call them")
    number = actions.add_action(pages, MINE, b.BOARD, first, "Ann")
    assert actions.change_action(pages, MINE, number, 1, ActionEdit("note", "Done"), "Ann") == 2
    assert len(actions.action_history(pages, MINE, number)) == 2
    meeting = meetings.open_meeting(pages, MINE, b.BOARD, b.AS_AT, "/", "Ann")
    meetings.close_meeting(pages, MINE, meeting, b.AS_AT, "/", "{}", "Ann")
    saved_views.save_view(pages, MINE, b.BOARD, "ours", "/", "Ann")
    saved_views.delete_view(pages, MINE, b.BOARD, "ours")
    scenarios.save_scenario(pages, MINE, b.BOARD, "ours", "/", "Ann")
    scenarios.delete_scenario(pages, MINE, b.BOARD, "ours")
    who = people.sign_in(pages, "t" * 64, "issuer", "subject", "Ann", ["a group"], NOW)
    with writing(pages) as connection:
        given = people.give(connection, Grant("analyst", "icb", b.BOARD), "Ben", NOW, person_id=who)
        assert people.take_away(connection, given, "Ben", NOW)
    people.sign_in(pages, "u" * 64, "issuer", "subject", "Ann", [], NOW)
    people.touch(pages, "u" * 64, NOW + timedelta(minutes=1))
    assert people.end_sign_in(pages, "u" * 64, people.SIGNED_OUT, NOW) == who
    trail.note_alone(pages, trail.EXPORTED, who, {"what": "coverage"})
    assert list(trail.broken_at(pages)) == []
    assert mail.addresses(pages) == set()
    mail.stop(pages, "a@example.org")
    assert mail.stopped(pages) == {"a@example.org"}
    assert len(lookups.directory_services(pages)) == 0
    assert revision(pages) is not None


@pytest.mark.slow
def test_a_worker_loads_replaces_undoes_and_mails(postgres_url: str, read_here: None) -> None:
    with _new_postgres_database(postgres_url) as admin, connected(admin) as engines:
        upgrade(engines["owner"])
        pages, worker = engines["pages"], engines["worker"]
        Board(ages=True).save(worker, is_demonstration=True)
        assert remove_demonstration(worker)
        Board(ages=True).save(worker)
        content = f"reference,received,ward_code,pcn_code\na,2026-04-01,{b.ABBEY},{b.NORTH}\n"
        source = Source("referrals.csv", content.encode())
        job_id = jobs.offer(pages, source.name, source.size, source.sha256, "Ann")
        loading.check(pages, job_id, source)
        assert jobs.one(pages, job_id).message is None
        assert jobs.queue(pages, job_id)
        assert loading.work(worker, until_idle=True, wait=lambda: None)
        job = jobs.one(worker, job_id)
        assert job.state == "loaded"
        assert job.load_id
        assert count_missing(worker) == 0
        record = history.undo(worker, job.load_id, "Ann")
        assert record.parts_withdrawn == 1
        mail.make(worker, b.BOARD, date(2026, 7, 1), ["a@example.org"])
        [letter] = mail.waiting(worker, b.BOARD, date(2026, 7, 1), NOW)
        assert mail.claim(worker, letter, NOW)
        mail.sent(worker, letter, NOW)


def test_an_upgrade_gives_rights_to_what_is_new(roles: Mapping[str, Engine]) -> None:
    with roles["owner"].connect() as connection, connection.begin():
        pages = roles["pages"].url.username
        connection.execute(text(f"REVOKE ALL ON saved_view FROM {pages}"))
    upgrade(roles["owner"])
    with roles["pages"].connect() as connection:
        assert connection.execute(select(tables.saved_view)).all() == []


def test_every_right_is_of_a_table() -> None:
    assert set(MAY) <= set(tables.metadata.tables)
    # Whatever is new is read by pages, and no more, until somebody decides otherwise.
    assert all("SELECT" in rights for name, rights in MAY.items() if rights)


@pytest.mark.slow
def test_a_copy_is_made_as_the_owner(postgres_url: str, sqlite_engine: Engine) -> None:
    Board().save(sqlite_engine)
    with _new_postgres_database(postgres_url) as admin, connected(admin) as engines:
        owner = engines["owner"]
        with snapshot(sqlite_engine) as source:
            there = copy_into(source, owner, lambda _table, _rows: None)
        with snapshot(sqlite_engine) as source, snapshot(owner) as copied:
            assert row_counts(copied) == row_counts(source) == there
        # And bound again, the owner included.
        with owner.connect() as connection:
            assert connection.scalar(text("SELECT count(*) FROM referral_fact")) == 0


@pytest.fixture
def chosen(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """To set the addresses of the settings; the process is one of the pages again afterwards."""
    monkeypatch.setattr(data._Process, "loads", False)
    monkeypatch.setenv("DASHBOARD_HASH_KEY", "k" * 32)
    yield monkeypatch
    _let_go()
    settings.cache_clear()


def _let_go() -> None:
    for each in (data.engine, data.loading_engine, data.owner_engine):
        each().dispose()


def choose(chosen: pytest.MonkeyPatch, **addresses: Engine) -> None:
    for name, engine in addresses.items():
        url = engine.url.render_as_string(hide_password=False)
        chosen.setenv(f"DASHBOARD_{name.upper()}", url)
    _let_go()
    settings.cache_clear()


def test_who_connects_as_whom(roles: Mapping[str, Engine], chosen: pytest.MonkeyPatch) -> None:
    choose(
        chosen,
        database_url=roles["pages"],
        worker_database_url=roles["worker"],
        migration_database_url=roles["owner"],
    )
    users = [each().url.username for each in (data.engine, data.loading_engine, data.owner_engine)]
    assert users == [roles[role].url.username for role in ("pages", "worker", "owner")]
    with data.engine().connect() as connection:
        assert connection.scalar(text("SHOW application_name")) == "dashboard pages"
    # Pages start with the rights they have, and what the form needs is no business of theirs.
    warm_up.prepare()
    _let_go()
    with data.as_worker():
        assert data.engine().url.username == roles["worker"].url.username
        warm_up.prepare()


def test_targets_are_set_as_the_worker(
    roles: Mapping[str, Engine], chosen: pytest.MonkeyPatch
) -> None:
    """From a page, as a load: pages' own rights would not do."""
    save(roles["worker"], b.practices())
    asked = (MINE, b.BOARD, b.AS_AT, b.NORTH, 2.0, date(2026, 7, 1), None, "agreed", "Ann")
    with pytest.raises(DBAPIError, match="permission denied"):
        targets.set_target(roles["pages"], *asked)
    choose(chosen, database_url=roles["pages"], worker_database_url=roles["worker"])
    assert targets.set_target(data.loading_engine(), *asked).load_id


def test_the_sql_is_printed_for_whoever_runs_the_server(
    postgres_url: str, chosen: pytest.MonkeyPatch
) -> None:
    """What is printed is what is run: as a text, statement after statement."""
    with _new_postgres_database(postgres_url) as admin:
        choose(chosen, database_url=admin)
        run = CliRunner().invoke(app, ["roles", "--sql", "--prefix", "printed"])
        assert run.exit_code == 0
        assert "PASSWORD" not in run.stdout
        first, second = run.stdout.split("-- From here on")
        with admin.connect() as connection, connection.begin():
            for statement in filter(None, first.split(";\n")):
                connection.exec_driver_sql(statement)
        owner = make_engine(
            admin.url.set(username="printed_owner").render_as_string(hide_password=False)
        )
        upgrade(owner)
        owner.dispose()
        with admin.connect() as connection, connection.begin():
            for statement in second.splitlines()[1:]:
                connection.exec_driver_sql(statement)
        # Again, on a database that is in use: nothing is lost.
        choose(chosen, database_url=admin, migration_database_url=admin)
        again = CliRunner().invoke(app, ["roles", "--apply", "--prefix", "printed"])
        assert again.exit_code == 0, again.output
        assert all(f"printed_{role}" in again.output for role in ROLES)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (["roles"], "--sql"),
        (["roles", "--sql", "--apply"], "--sql"),
        (["roles", "--sql", "--prefix", "a; DROP"], "small letters"),
    ],
)
def test_what_is_asked_wrongly_is_told(
    roles: Mapping[str, Engine], chosen: pytest.MonkeyPatch, asked: list[str], said: str
) -> None:
    choose(chosen, database_url=roles["pages"])
    run = CliRunner().invoke(app, asked)
    assert (run.exit_code, said in run.output) == (2, True)


def test_a_file_has_no_roles(sqlite_engine: Engine, chosen: pytest.MonkeyPatch) -> None:
    choose(chosen, database_url=sqlite_engine)
    assert CliRunner().invoke(app, ["roles", "--sql"]).exit_code == 2


def test_who_may_not_make_roles_is_told(
    roles: Mapping[str, Engine], chosen: pytest.MonkeyPatch
) -> None:
    choose(chosen, database_url=roles["pages"])
    run = CliRunner().invoke(app, ["roles", "--apply", "--prefix", "others"])
    assert run.exit_code == 1
    assert "Nothing was changed" in " ".join(run.output.split())
    assert PASSWORD not in run.output


@pytest.mark.parametrize("name", ["worker", "migration", "replica"])
def test_other_addresses_are_for_postgres(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(f"DASHBOARD_{name.upper()}_DATABASE_URL", "postgresql+psycopg://a:b@c/d")
    monkeypatch.setenv("DASHBOARD_DATABASE_URL", "sqlite:///a.db")
    with pytest.raises(ValueError, match=f"{name}_database_url is for PostgreSQL") as refused:
        Settings()
    assert "a:b" not in str(refused.value)


def test_an_old_server_is_refused(
    roles: Mapping[str, Engine], chosen: pytest.MonkeyPatch, sqlite_engine: Engine
) -> None:
    assert why_not_this_server(roles["pages"]) == why_not_this_server(sqlite_engine) == ""
    assert OLDEST_POSTGRES == 15
    with roles["pages"].connect() as connection:
        found = connection.scalar(text("SELECT current_setting('server_version_num')::int / 10000"))
    chosen.setattr("queries.database.OLDEST_POSTGRES", (found or 0) + 1)
    choose(chosen, database_url=roles["pages"])
    with pytest.raises(NotReadyError, match=f"PostgreSQL {found}, and version {found + 1}"):
        data.prepare_database()


def test_connections_are_few_and_notice_a_server_that_is_gone(
    roles: Mapping[str, Engine], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("queries.database.POOL_WAIT_SECONDS", 0.2)
    url = roles["pages"].url.render_as_string(hide_password=False)
    engine = make_engine(url, Connections(1, 1, "a name"))
    with engine.connect() as connection, engine.connect():
        said = connection.connection.dbapi_connection.info.get_parameters()  # type: ignore[union-attr]
        assert said["application_name"] == "a name"
        assert {"connect_timeout", "tcp_user_timeout", "keepalives_idle"} <= set(said)
        with pytest.raises(PoolTimeoutError) as waited:
            engine.connect()
    assert fault_of_database(waited.value) == BUSY
    engine.dispose()


def test_names_that_need_quotes_are_quoted() -> None:
    made = " ".join([*roles_sql('a"b', "my-db"), *rights_sql('a"b')])
    assert 'ON DATABASE "my-db"' in made
    assert 'TO "a""b_pages"' in made
