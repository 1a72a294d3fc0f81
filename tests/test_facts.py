"""Facts counted of rows that were loaded before: once each, whoever starts and is cut off when."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, delete, func, select, update

from dashboard import facts, intake
from dashboard.data import engine as own_engine
from dashboard.data import prepare_database
from dashboard.database_commands import upgrade_command
from dashboard.facts import count_missing
from dashboard.intake.source import Source
from dashboard.settings import settings
from queries import loads, recount, tables
from queries.database import writing
from tests import small_board as b
from tests.queries import test_scores
from tests.queries.test_save import contents
from tests.queries.test_scores import FILES, take

pytestmark = pytest.mark.slow

COUNTED = ("pathway_fact", "score_fact")


def forget(engine: Engine) -> None:
    """As a database whose rows an older version loaded."""
    with writing(engine) as connection:
        for name in COUNTED:
            connection.execute(delete(tables.metadata.tables[name]))


def counted(engine: Engine) -> list[list[tuple[object, ...]]]:
    found = contents(engine)
    return [found[name] for name in COUNTED]


@pytest.fixture
def loaded(any_engine: Engine) -> Engine:
    """Two loads of referrals, with scores and contacts, and a board whose referrals are only facts."""
    b.Board().save(any_engine)
    take(any_engine, *FILES.values())
    return any_engine


def test_they_are_counted_as_when_they_were_loaded(loaded: Engine) -> None:
    before, version = counted(loaded), loads.data_state(loaded).version
    forget(loaded)
    assert count_missing(loaded) == 2
    assert counted(loaded) == before
    # Caches are told, once a load.
    assert loads.data_state(loaded).version == version + 2


def test_twice_changes_nothing(loaded: Engine) -> None:
    forget(loaded)
    count_missing(loaded)
    before = contents(loaded)
    assert count_missing(loaded) == 0
    assert contents(loaded) == before


def test_nothing_is_missing_of_what_today_loads(loaded: Engine) -> None:
    before = contents(loaded)
    assert count_missing(loaded) == 0
    assert contents(loaded) == before


def test_one_load_that_lacks_them_is_counted_alone(loaded: Engine) -> None:
    before = counted(loaded)
    part = tables.load_part.c
    with writing(loaded) as connection:
        newest = connection.scalar(
            select(func.max(part.load_id)).where(part.dataset == "referrals")
        )
        mine = select(part.id).where(part.load_id == newest)
        for name in COUNTED:
            table = tables.metadata.tables[name]
            connection.execute(delete(table).where(table.c.part_id.in_(mine)))
    assert count_missing(loaded) == 1
    assert counted(loaded) == before


def test_a_load_of_more_parts_than_are_read_at_once(
    loaded: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = "".join(
        test_scores.referral(f"r{month}", f"2025-{month:02}-0{1 + pcn}", f"U0000{pcn}")
        for month in range(1, 13)
        for pcn in range(3)
    )
    take(loaded, test_scores.REFERRALS + rows)
    before = counted(loaded)
    forget(loaded)
    monkeypatch.setattr(recount, "_AT_ONCE", 7)
    assert count_missing(loaded) == 3
    assert counted(loaded) == before


def test_words_of_before_are_under_the_names_of_today(loaded: Engine) -> None:
    before, rows = counted(loaded), contents(loaded)["referral"]
    referral = tables.referral.c
    with writing(loaded) as connection:
        for column, name, word in (
            (referral.sex, "female", "F"),
            (referral.sex, "male", "Men"),
            (referral.ethnicity_group, "White", "white irish"),
        ):
            connection.execute(
                update(tables.referral).where(column == name).values({column.name: word})
            )
    forget(loaded)
    count_missing(loaded)
    assert counted(loaded) == before
    assert contents(loaded)["referral"] == rows


def test_cut_off_in_between_the_next_start_goes_on(
    loaded: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = counted(loaded)
    forget(loaded)
    write, written = recount.write_pathway, []

    def fail_at_the_second(connection: Connection, rows: object) -> None:
        write(connection, rows)  # type: ignore[arg-type]
        written.append(rows)
        if len(written) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(recount, "write_pathway", fail_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        count_missing(loaded)
    monkeypatch.undo()
    # The first load whole, nothing of the second.
    assert 0 < len(counted(loaded)[0]) < len(before[0])
    assert count_missing(loaded) == 1
    assert counted(loaded) == before


def test_two_that_start_at_once_count_each_load_once(
    loaded: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other one counts between this one's look and its first transaction."""
    before = counted(loaded)
    forget(loaded)

    @contextmanager
    def late(engine: Engine) -> Iterator[Connection]:
        monkeypatch.setattr(facts, "writing", writing)
        count_missing(engine)
        with writing(engine) as connection:
            yield connection

    monkeypatch.setattr(facts, "writing", late)
    count_missing(loaded)
    assert counted(loaded) == before


# Who asks for it.


@pytest.fixture
def at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """The database of the settings: of the newest form, with rows of which nothing was counted."""
    url = f"sqlite:///{(tmp_path / 'home.db').as_posix()}"
    monkeypatch.setenv("DASHBOARD_DATABASE_URL", url)
    settings.cache_clear()
    assert prepare_database()
    source = Source.of("file.csv", FILES["april"].encode())
    intake.take_in(own_engine(), source, settings().hash_key_bytes())
    forget(own_engine())
    yield own_engine()
    own_engine().dispose()
    settings.cache_clear()


def test_a_start_counts_what_the_last_one_did_not_finish(at_home: Engine) -> None:
    assert not prepare_database()
    assert len(counted(at_home)[0]) > 0


def test_the_command_that_upgrades_counts(at_home: Engine) -> None:
    """PostgreSQL is upgraded by nothing else."""
    upgrade_command()
    assert len(counted(at_home)[0]) > 0
