"""Files all the way into a database: once, whole, and corrected by a later one."""

from __future__ import annotations

import json

import pandas as pd
import pytest
from sqlalchemy import Engine, event, text

from dashboard.intake import in_loading_order, known_so_far, take_in
from dashboard.intake.problems import RefusedError
from dashboard.intake.source import Source
from queries import history, load
from queries.load import AlreadyLoadedError
from tests.intake import files

KEY = b"a key of the test"
ALL = (
    files.REFERRALS,
    files.WORKFORCE,
    files.SERVICES,
    files.SCHEME_AREAS,
    files.REGISTERED,
    files.LIST_SIZES,
    files.PRACTICES,
    files.DEPRIVATION,
    files.POPULATION_BY_AGE,
    files.LSOA_ICB,
    files.LSOA_WARD,
    files.BOUNDARIES,
)


def take(engine: Engine, content: str) -> load.LoadRecord:
    return take_in(engine, Source.of("file.csv", content.encode()), KEY)


def value(engine: Engine, statement: str) -> object:
    with engine.connect() as connection:
        return connection.execute(text(statement)).scalar()


def in_force(engine: Engine, table: str, what: str) -> object:
    return value(
        engine,
        f"SELECT {what} FROM {table} JOIN load_part ON load_part.id = part_id "
        "WHERE replaced_by IS NULL",
    )


def everything(engine: Engine) -> str:
    tables = ("load", "load_part", "data_version", "referral", "referral_fact", "service")
    with engine.connect() as connection:
        return json.dumps(
            {t: [list(r) for r in connection.execute(text(f"SELECT * FROM {t}"))] for t in tables},
            default=str,
        )


@pytest.mark.usefixtures("one_postcode")
def test_every_file_arrives(engine: Engine):
    for source in in_loading_order([Source.of("file.csv", file.encode()) for file in ALL]):
        take_in(engine, source, KEY)
    assert {
        "wards": value(engine, "SELECT count(*) FROM ward"),
        "lsoas": value(engine, "SELECT sum(lsoas) FROM ward"),
        "boundaries": in_force(engine, "boundary", "count(*)"),
        "people": in_force(engine, "ward_population", "sum(people)"),
        "ranks": in_force(engine, "deprivation", "max(imd_rank)"),
        "practices": in_force(engine, "practice", "count(*)"),
        "list": in_force(engine, "list_size", "sum(patients)"),
        "registered": in_force(engine, "registered_patients", "sum(patients)"),
        "fte": in_force(engine, "link_worker", "sum(fte)"),
        "served": in_force(engine, "scheme_area", "count(served_code)"),
        "services": in_force(engine, "service", "count(*)"),
        "themes": in_force(engine, "service_theme", "count(*)"),
        "referrals": in_force(engine, "referral", "count(*)"),
        "facts": in_force(engine, "referral_fact", "sum(referrals)"),
        "age facts": in_force(engine, "referral_age_fact", "sum(referrals)"),
    } == {
        "wards": 2,
        "lsoas": 3,
        "boundaries": 2,
        "people": 110,
        "ranks": 33755,
        "practices": 2,
        "list": 1300,
        "registered": 37,
        "fte": 3.25,
        "served": 2,
        "services": 3,
        "themes": 3,
        "referrals": 4,
        "facts": 4,
        "age facts": 4,
    }


def test_the_same_bytes_again_are_refused(engine: Engine):
    take(engine, files.WORKFORCE)
    before = everything(engine)
    with pytest.raises(AlreadyLoadedError, match="Already loaded on"):
        take(engine, files.WORKFORCE)
    assert everything(engine) == before


def test_a_correction_replaces_its_part_and_no_other(engine: Engine):
    later = files.WORKFORCE.replace("2026,6", "2026,9")
    take(engine, files.WORKFORCE)
    take(engine, later)
    assert in_force(engine, "link_worker", "sum(fte)") == 6.5
    record = take(engine, files.WORKFORCE.replace("2.25", "1.25"))
    assert record.parts_replaced == 1
    assert in_force(engine, "link_worker", "sum(fte)") == 5.5
    # What was corrected is still there, to be gone back to.
    assert value(engine, "SELECT sum(fte) FROM link_worker") == 8.75


def test_a_correction_of_referrals_changes_the_facts(engine: Engine):
    heading = "reference,received,ward_code,pcn_code\n"
    rows = ["a,2026-01-01,E05000001,U00001\n", "b,2026-02-01,E05000001,U00001\n"]
    take(engine, heading + "".join(rows))
    take(engine, heading + rows[1] + "c,2026-02-02,E05000002,U00001\n")
    assert in_force(engine, "referral_fact", "sum(referrals)") == 3
    assert in_force(engine, "referral_age_fact", "sum(referrals)") == 3


def test_one_bad_row_keeps_the_whole_file_out(engine: Engine):
    take(engine, files.SERVICES)
    before = everything(engine)
    with pytest.raises(RefusedError):
        take(engine, files.SERVICES.replace("s2", "s1"))
    assert everything(engine) == before


def test_a_failure_in_the_middle_leaves_nothing(engine: Engine, monkeypatch: pytest.MonkeyPatch):
    take(engine, files.SERVICES)
    before = everything(engine)
    insert_rows = load.insert_rows

    def fail_at_the_last_table(connection, table, frame: pd.DataFrame) -> None:
        insert_rows(connection, table, frame)
        if table.name == "referral_age_fact":
            raise OSError("no space left on device")

    monkeypatch.setattr(load, "insert_rows", fail_at_the_last_table)
    content = "reference,received,ward_code\na,2026-01-01,E05000001\n"
    with pytest.raises(OSError, match="no space"):
        take(engine, content)
    assert everything(engine) == before
    monkeypatch.undo()
    assert take(engine, content).rows_read == 1


def test_no_reference_and_no_hash_without_the_key(engine: Engine):
    take(engine, "reference,received,ward_code\nvery-local,2026-01-01,E05000001\n")
    assert "very-local" not in everything(engine)
    first = value(engine, "SELECT reference_hash FROM referral")
    again = Source.of("f.csv", b"reference,received,ward_code\nvery-local,2026-02-01,E05000001\n")
    take_in(engine, again, b"another key")
    assert value(engine, "SELECT count(DISTINCT reference_hash) FROM referral") == 2
    assert len(str(first)) == 32


def test_what_earlier_loads_tell_is_of_now(engine: Engine):
    """After a load, a correction and an undo of a lookup; of the database that is asked."""

    def known() -> tuple[dict[str, str], dict[str, str]]:
        found = known_so_far(engine, KEY)
        return found.ward_of_lsoa().to_dict(), found.pcn_of_practice().to_dict()

    assert known() == ({}, {})
    take(engine, files.LSOA_WARD)
    first = known()
    assert len(first[0]) == 3
    code, ward = next(iter(first[0].items()))
    others = sorted(set(first[0].values()) - {ward})
    lines = [
        line.replace(ward, others[0]) if line.startswith(code) else line
        for line in files.LSOA_WARD.splitlines()
    ]
    corrected = take(engine, "\n".join(lines) + "\n")
    assert known()[0][code] == others[0]
    history.undo(engine, corrected.load_id, "somebody")
    assert known() == first
    # The number of the load that was undone may be given again.
    take(engine, "\n".join(lines) + "\n")
    assert known()[0][code] == others[0]
    take(engine, files.PRACTICES)
    assert len(known()[1]) == 2


def test_lookups_are_read_once_for_the_files_that_come_after_them(engine: Engine):
    take(engine, files.LSOA_WARD)
    take(engine, files.PRACTICES)
    known_so_far(engine, KEY)
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        asked.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        take(engine, files.REFERRALS)
    finally:
        event.remove(engine, "before_cursor_execute", note)
    assert [each for each in asked if "FROM lsoa_ward" in each] == []
