"""The writer: one file, one transaction, all of it or nothing; and the form of the database."""

from __future__ import annotations

import threading
import traceback
from dataclasses import replace
from datetime import UTC, date, datetime

import pandas as pd
import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, func, inspect, select
from sqlalchemy.exc import DatabaseError

from queries import loads, places, referrals, tables
from queries.database import MIGRATIONS, NEWEST_REVISION, revision, upgrade
from queries.load import AlreadyLoadedError, CleanLoad, remove_demonstration, save
from queries.scope import EVERYTHING
from tests import small_board as b


def contents(engine: Engine) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table, to tell whether anything at all was changed."""
    with engine.connect() as connection:
        return {
            table.name: sorted((tuple(row) for row in connection.execute(select(table))), key=repr)
            for table in tables.metadata.sorted_tables
        }


def version_of(engine: Engine) -> int:
    return loads.data_state(engine).version


def rows_in(engine: Engine) -> dict[str, int]:
    """The number of rows of each table that has any."""
    with engine.connect() as connection:
        counts = {
            table.name: connection.scalar(select(func.count()).select_from(table)) or 0
            for table in tables.metadata.sorted_tables
        }
    return {name: number for name, number in counts.items() if number}


def test_what_was_saved_is_there_and_traced(any_engine: Engine) -> None:
    record = save(any_engine, b.services(b.SERVICES))
    assert (record.dataset, record.parts_added, record.parts_replaced) == ("services", 1, 0)
    assert not record.removed_demonstration
    assert rows_in(any_engine) == {
        "data_version": 1, "load": 1, "load_part": 1, "trail": 1,
        "service": 4, "service_area": 4, "service_theme": 4, "service_place": 1,
    }  # fmt: skip
    with any_engine.connect() as connection:
        load = connection.execute(select(tables.load)).one()
        part = connection.execute(select(tables.load_part)).one()
        services = connection.execute(select(tables.service)).all()
    assert load.id == record.load_id == part.load_id
    assert (load.rows_read, record.rows_read) == (13, 13)
    assert abs((datetime.now(UTC) - load.loaded_at.replace(tzinfo=UTC)).total_seconds()) < 600
    assert part.row_count == 13
    assert {service.part_id for service in services} == {part.id}


def test_every_type_comes_back_as_it_went_in(both_engines: Engine) -> None:
    sent = (
        b.Service("quotes'\"; DROP TABLE load", (b.ABBEY,), provider="Ünï\tcode\\N\nline"),
        b.Service("nothing told", (b.ABBEY,), None, True, None, provider="Ünï\tcode\\N\nline"),
        b.Service("dates", (b.ABBEY,), opens_on=date(2020, 2, 29), provider="Ünï\tcode\\N\nline"),
    )
    save(both_engines, b.services(sent))
    with both_engines.connect() as connection:
        found = {row.service_id: row for row in connection.execute(select(tables.service))}
    for service in sent:
        row = found[service.service_id]
        assert (row.provider, row.is_online, row.state) == (
            service.provider, service.is_online, service.state
        )  # fmt: skip
        assert (row.confirmed_on, row.opens_on) == (service.confirmed_on, service.opens_on)
        assert row.places_offered is None


def test_the_same_bytes_are_refused(any_engine: Engine) -> None:
    save(any_engine, b.services(b.SERVICES))
    before = contents(any_engine)
    with pytest.raises(AlreadyLoadedError, match=r"Already loaded on .* as .services\.csv."):
        save(any_engine, replace(b.services(b.SERVICES), file_name="copy.csv"))
    assert contents(any_engine) == before


def test_the_same_bytes_are_welcome_when_they_are_not_in_force(any_engine: Engine) -> None:
    first, second = b.services(b.SERVICES), b.services(b.SERVICES[:2])
    save(any_engine, first)
    save(any_engine, second)
    record = save(any_engine, first)
    assert record.parts_replaced == 1
    with pytest.raises(AlreadyLoadedError):
        save(any_engine, first)
    # Of another dataset they are another file.
    save(any_engine, replace(b.scheme_areas(b.SCHEMES), sha256=first.sha256))


def test_a_part_is_replaced_and_the_others_stay(both_engines: Engine) -> None:
    one = [b.Service("one", (b.ABBEY,), provider="One")]
    two = [b.Service("two", (b.ABBEY,), provider="Two")]
    save(both_engines, b.services([*one, *two]))
    record = save(both_engines, b.services([b.Service("two again", (b.ABBEY,), provider="Two")]))
    assert (record.parts_added, record.parts_replaced) == (1, 1)
    with both_engines.connect() as connection:
        parts = connection.execute(
            select(
                tables.load_part.c.part_key, tables.load_part.c.load_id,
                tables.load_part.c.replaced_by,
            ).order_by(tables.load_part.c.id)
        ).all()  # fmt: skip
        in_force = connection.scalars(
            select(tables.service.c.service_id).where(places.in_force(tables.service.c.part_id))
        ).all()
    assert [tuple(part) for part in parts] == [
        ("One", 1, None),
        ("Two", 1, record.load_id),
        ("Two", record.load_id, None),
    ]
    assert sorted(in_force) == ["one", "two again"]
    # Nothing is lost: the replaced rows can still be traced.
    assert rows_in(both_engines)["service"] == 3


def test_a_part_of_another_dataset_is_not_replaced(any_engine: Engine) -> None:
    save(any_engine, b.practices())
    assert save(any_engine, b.list_sizes()).parts_replaced == 0


def test_more_parts_than_one_statement_takes(any_engine: Engine) -> None:
    def many(name: str) -> CleanLoad:
        providers = [f"Provider {n}" for n in range(1201)]
        return b.services([b.Service(name, (b.ABBEY,), provider=p) for p in providers])

    assert save(any_engine, many("first")).parts_replaced == 0
    record = save(any_engine, many("second"))
    assert (record.parts_added, record.parts_replaced) == (1201, 1201)


def broken_loads() -> dict[str, CleanLoad]:
    """Loads of which the first frame is good and a later one breaks."""
    good = b.services(b.SERVICES)
    theme = good.rows["service_theme"]

    def breaking(**columns: object) -> CleanLoad:
        return replace(good, rows={**good.rows, "service_theme": theme.assign(**columns)})

    return {
        "missing": breaking(theme=["x", "y", "z", None]),
        "unknown column": breaking(colour="red"),
        "part not stated": breaking(part_key=["Together CIC"] * 3 + ["nobody"]),
        "no such table": replace(good, rows={**good.rows, "nowhere": theme}),
    }


@pytest.mark.parametrize("name", sorted(broken_loads()))
@pytest.mark.parametrize("is_demonstration", [False, True])
def test_all_or_nothing(any_engine: Engine, name: str, is_demonstration: bool) -> None:
    """Not a row, not a part, not a version; what it would have replaced stays in force."""
    save(any_engine, b.services(b.SERVICES[:1]), is_demonstration=is_demonstration)
    before = contents(any_engine)
    with pytest.raises((DatabaseError, ValueError, KeyError)):
        save(any_engine, broken_loads()[name])
    assert contents(any_engine) == before
    assert version_of(any_engine) == 1
    # And the database still takes the next file.
    save(any_engine, b.services(b.SERVICES))


def test_an_error_of_the_database_does_not_show_what_the_file_said(any_engine: Engine) -> None:
    load = broken_loads()["missing"]
    secret = load.rows["service"].assign(service_name="943 476 5919", is_online=None)
    with pytest.raises((DatabaseError, ValueError)) as caught:
        save(any_engine, replace(load, rows={"service": secret}))
    told = "".join(traceback.format_exception(caught.value))
    assert "943 476 5919" not in told
    assert "service" in str(caught.value)


def test_the_version_grows_with_each_change_and_with_nothing_else(any_engine: Engine) -> None:
    assert version_of(any_engine) == 0
    versions = []
    for load in b.Board().loads():
        save(any_engine, load)
        versions.append(version_of(any_engine))
    assert versions == list(range(1, len(versions) + 1))
    with pytest.raises(AlreadyLoadedError):
        save(any_engine, b.practices())
    assert not remove_demonstration(any_engine)
    upgrade(any_engine)
    assert version_of(any_engine) == versions[-1]


def test_the_demonstration_makes_way_for_the_first_real_file(any_engine: Engine) -> None:
    b.Board().save(any_engine, is_demonstration=True)
    assert loads.data_state(any_engine).is_demonstration
    assert len(places.wards(any_engine, EVERYTHING, b.BOARD)) == 6
    before = version_of(any_engine)

    real = b.services([b.Service("real", (b.ABBEY,), provider="Real")])
    record = save(any_engine, real)
    assert record.removed_demonstration
    assert not loads.data_state(any_engine).is_demonstration
    # Whole: not a row of it is left in any table, the wards in use included.
    assert rows_in(any_engine) == {
        "data_version": 1, "load": 1, "load_part": 1, "trail": 1,
        "service": 1, "service_area": 1, "service_theme": 1,
    }  # fmt: skip
    assert version_of(any_engine) == before + 1
    assert not save(any_engine, b.scheme_areas(b.SCHEMES)).removed_demonstration


def test_the_demonstration_does_not_push_out_its_own_files(any_engine: Engine) -> None:
    records = b.Board().save(any_engine, is_demonstration=True)
    assert not any(record.removed_demonstration for record in records)
    assert rows_in(any_engine)["load"] == len(records)


def test_the_demonstration_can_be_removed_by_itself(any_engine: Engine) -> None:
    b.Board().save(any_engine, is_demonstration=True)
    before = version_of(any_engine)
    assert remove_demonstration(any_engine)
    assert rows_in(any_engine) == {"data_version": 1}
    assert version_of(any_engine) == before + 1
    assert not remove_demonstration(any_engine)
    assert version_of(any_engine) == before + 1


def test_real_data_comes_back_when_what_replaced_it_goes(any_engine: Engine) -> None:
    save(any_engine, b.services(b.SERVICES))
    before = contents(any_engine)
    save(any_engine, b.services(b.SERVICES[:1]), is_demonstration=True)
    remove_demonstration(any_engine)
    after = contents(any_engine)
    assert {**after, "data_version": []} == {**before, "data_version": []}


# Which wards are in use.


def boundaries_of(vintage: int, lad: str, **names: str) -> CleanLoad:
    key = f"{vintage} {lad}"
    wards = pd.DataFrame(
        [(key, "ward", code, name, vintage, lad) for code, name in names.items()],
        columns=["part_key", "kind", "area_code", "area_name", "vintage", "parent_code"],
    )
    shapes = pd.DataFrame(
        {"part_key": key, "ward_code": list(names), "geometry": b.square(b.ABBEY).wkb}
    )
    rows = {"area": wards, "boundary": shapes}
    return b.made_of("ward_boundaries", [key], rows, vintage=f"{vintage} wards")


def ward_names(engine: Engine) -> set[str]:
    return set(places.wards(engine, EVERYTHING, b.BOARD)["ward_name"])


def test_wards_of_the_newest_vintage_of_each_district(any_engine: Engine) -> None:
    b.Board().save(any_engine)
    everyone = {"Abbey", "Brook", "Castle", "Dale", "Elm", "Ford"}
    assert ward_names(any_engine) == everyone
    # An older vintage changes nothing.
    save(any_engine, boundaries_of(2013, b.NORTHAM, E05000001="Old Town", **{b.ABBEY: "Abbot"}))
    assert ward_names(any_engine) == everyone
    assert len(places.shapes(any_engine, EVERYTHING, b.BOARD)) == 6
    # A newer one replaces its district's wards and no others. The board of a ward without
    # an LSOA of its own is that of its district.
    save(any_engine, boundaries_of(2026, b.NORTHAM, E05000002="New Town", **{b.ABBEY: "Abbeys"}))
    assert ward_names(any_engine) == {"Abbeys", "New Town", "Dale", "Elm", "Ford"}
    found = places.wards(any_engine, EVERYTHING, b.BOARD).set_index("ward_name")
    assert found["lsoas"].to_dict() == {"Abbeys": 2, "New Town": 0, "Dale": 2, "Elm": 2, "Ford": 1}
    assert found["vintage"].max() == 2026
    # The same code stands in two vintages: one shape is drawn.
    assert len(places.shapes(any_engine, EVERYTHING, b.BOARD)) == 5


def test_wards_without_a_lookup_belong_to_no_board(any_engine: Engine) -> None:
    save(any_engine, b.Board().boundaries())
    assert rows_in(any_engine)["ward"] == 7
    assert len(places.boards(any_engine, EVERYTHING)) == 0
    save(any_engine, b.lookup_of_wards())
    assert len(places.boards(any_engine, EVERYTHING)) == 0
    save(any_engine, b.lookup_of_boards())
    assert ward_names(any_engine) == {"Abbey", "Brook", "Castle", "Dale", "Elm", "Ford"}


# Migrations.


def test_migrations_make_exactly_the_tables(any_bare_engine: Engine) -> None:
    assert revision(any_bare_engine) is None
    upgrade(any_bare_engine)
    config = Config()
    config.set_main_option("script_location", MIGRATIONS.as_posix())
    newest = ScriptDirectory.from_config(config).get_current_head()
    assert revision(any_bare_engine) == NEWEST_REVISION == newest
    with any_bare_engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, tables.metadata) == []
    assert version_of(any_bare_engine) == 0
    assert rows_in(any_bare_engine) == {"data_version": 1}


def test_upgrading_again_changes_nothing(any_engine: Engine) -> None:
    b.Board().save(any_engine)
    before = contents(any_engine)
    upgrade(any_engine)
    assert contents(any_engine) == before
    assert inspect(any_engine).has_table("alembic_version")


# Two at once.


def test_two_writers_at_once_lose_nothing(both_engines: Engine) -> None:
    each = 12
    start = threading.Barrier(2)
    errors: list[BaseException] = []

    def write(provider: str) -> None:
        try:
            start.wait()
            for number in range(each):
                service = b.Service(f"{provider} {number}", (b.ABBEY,), provider=provider)
                save(both_engines, b.services([service]))
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=write, args=(f"Provider {n}",)) for n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert version_of(both_engines) == 2 * each
    assert rows_in(both_engines)["service"] == 2 * each
    with both_engines.connect() as connection:
        in_force = connection.execute(
            select(tables.load_part.c.part_key).where(tables.load_part.c.replaced_by.is_(None))
        ).scalars()
        assert sorted(in_force) == ["Provider 0", "Provider 1"]


def test_the_same_file_from_two_at_once_is_loaded_once(any_engine: Engine) -> None:
    start = threading.Barrier(2)
    outcomes: list[str] = []

    def write() -> None:
        start.wait()
        try:
            save(any_engine, b.services(b.SERVICES))
            outcomes.append("saved")
        except AlreadyLoadedError:
            outcomes.append("refused")

    threads = [threading.Thread(target=write) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["refused", "saved"]
    assert rows_in(any_engine)["load"] == 1


def test_a_reader_sees_whole_loads_only(any_engine: Engine) -> None:
    """A read inside a save, from another connection, sees what was there before."""
    board = b.Board()
    board.save(any_engine)
    first, last = date(2025, 7, 1), date(2026, 6, 1)
    seen: list[int] = []
    frames = dict(board.but(referrals=b.REFERRALS[:1]).referral_return().rows)

    class Watched(dict):  # type: ignore[type-arg]
        def items(self):  # type: ignore[no-untyped-def]
            for item in super().items():
                yield item
                read = referrals.referrals_by_ward(any_engine, EVERYTHING, b.BOARD, first, last)
                seen.append(int(read["referrals"].sum()))

    correction = board.but(referrals=b.REFERRALS[:1]).referral_return()
    save(any_engine, replace(correction, rows=Watched(frames)))
    assert seen == [100] * len(frames)
    after = referrals.referrals_by_ward(any_engine, EVERYTHING, b.BOARD, first, last)
    assert after.set_index("ward_code")["referrals"].to_dict()[b.ABBEY] == 40
