"""A database of an older form keeps every row when it is brought to the newest, and back."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect, text

from dashboard import intake
from dashboard.facts import count_missing
from dashboard.intake.source import Source
from dashboard.rules.wellbeing import swemwbs_metric
from queries import history, tables
from queries.database import (
    MIGRATIONS,
    NEWEST_REVISION,
    changing_form,
    revision,
    upgrade,
    writing,
)
from queries.load import save
from queries.scope import EVERYTHING
from tests import small_board as b
from tests.queries import test_scores
from tests.queries.test_save import contents, rows_in

# The two lines of a load and what belongs to it, written as form 0001 has them.
FORM_0001 = """
INSERT INTO load (id, dataset, file_name, sha256, rows_read, loaded_at, vintage, notes,
    is_demonstration) VALUES
    (1, 'services', 'first.csv', 'aa', 2, '2026-06-01 10:00:00', NULL, 'a note', false),
    (2, 'services', 'second.csv', 'bb', 1, '2026-07-01 10:00:00', 'June', NULL, false);
INSERT INTO load_part (id, load_id, dataset, part_key, period_start, period_end, row_count,
    replaced_by) VALUES
    (1, 1, 'services', 'Hill', '2026-06-01', '2026-06-30', 3, 2),
    (2, 1, 'services', 'Dale', NULL, NULL, 1, NULL),
    (3, 2, 'services', 'Hill', NULL, NULL, 2, NULL);
INSERT INTO service (part_id, service_id, service_name, provider, is_online) VALUES
    (1, 's1', 'Walks', 'Hill', false), (1, 's2', 'Choir', 'Hill', true),
    (2, 's3', 'Advice', 'Dale', false), (3, 's1', 'Longer walks', 'Hill', false);
INSERT INTO service_theme (part_id, service_id, theme) VALUES
    (1, 's1', 'nature'), (3, 's1', 'nature');
INSERT INTO boundary (part_id, ward_code, geometry) VALUES (2, 'E05000001', 'shape');
INSERT INTO referral (part_id, reference_hash, received_on) VALUES (2, 'cc', '2026-06-02');
INSERT INTO ward (ward_code, ward_name, vintage, lsoas) VALUES ('E05000001', 'Hill', 2025, 1);
"""
IN_0001 = ("load", "load_part", "service", "service_theme", "boundary", "referral", "ward")


def to_form(engine: Engine, form: str, *, down: bool = False) -> None:
    config = Config()
    config.set_main_option("script_location", MIGRATIONS.as_posix())
    with changing_form(engine) as connection:
        config.attributes["connection"] = connection
        (command.downgrade if down else command.upgrade)(config, form)


def rows(engine: Engine) -> dict[str, list[dict[str, object]]]:
    """Every row of the tables of form 0001, in whatever form they are now."""
    with engine.connect() as connection:
        return {
            name: sorted(
                (dict(row) for row in connection.execute(text(f"SELECT * FROM {name}")).mappings()),
                key=repr,
            )
            for name in IN_0001
        }


BOTH = pytest.mark.parametrize(
    "any_bare_engine",
    ["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)],
    indirect=True,
)


@pytest.fixture
def old(any_bare_engine: Engine) -> Engine:
    """A database of form 0001 with two loads, of which the second corrects a part of the first."""
    to_form(any_bare_engine, "0001")
    with writing(any_bare_engine) as connection:
        for statement in FORM_0001.strip().split(";\n"):
            connection.execute(text(statement.rstrip(";")))
    return any_bare_engine


# What later forms added, and what it is for rows from before.
NEW = {
    "load": {
        "loaded_by": None,
        "rows_refused": 0,
        "removed_demonstration": False,
        "undone_at": None,
        "undone_by": None,
    },
    "service": {
        "minimum_age": None,
        "maximum_age": None,
        "web_address": None,
        "sector": None,
        "access": None,
        "wait_days": None,
    },
}


@BOTH
def test_an_upgrade_keeps_every_row(old: Engine) -> None:
    before = rows(old)
    assert [len(found) for found in before.values()] == [2, 3, 4, 2, 1, 1, 1]
    upgrade(old)
    assert revision(old) == NEWEST_REVISION
    assert rows(old) == {
        name: sorted(({**row, **NEW.get(name, {})} for row in found), key=repr)
        for name, found in before.items()
    }
    assert {table.name for table in tables.metadata.sorted_tables} == set(contents(old))


@BOTH
def test_an_upgraded_database_goes_on(old: Engine) -> None:
    """The old loads are in the history, can be undone, and bind their rows as before."""
    upgrade(old)
    if old.dialect.name == "postgresql":
        with writing(old) as connection:
            connection.execute(text("SELECT setval('load_id_seq', 2)"))
    found = history.history(old, EVERYTHING)
    assert found["file_name"].tolist() == ["second.csv", "first.csv"]
    assert found["at"].tolist()[0] == datetime(2026, 7, 1, 10, tzinfo=UTC)
    assert found["parts_in_force"].tolist() == [1, 1]
    assert save(old, b.practices()).load_id == 3
    record = history.undo(old, 2, None)
    assert (record.parts_withdrawn, record.parts_restored) == (1, 1)
    with writing(old) as connection:
        connection.execute(text("DELETE FROM load WHERE id = 1"))
    left = rows(old)
    assert [row["id"] for row in left["load"]] == [2, 3]
    assert [row["part_id"] for row in left["service"]] == [3]
    assert left["referral"] == []


def test_a_change_that_would_leave_rows_without_their_load_is_none(sqlite_engine: Engine) -> None:
    save(sqlite_engine, b.services(b.SERVICES))
    before = contents(sqlite_engine)
    with (
        pytest.raises(RuntimeError, match="nothing changed"),
        changing_form(sqlite_engine) as connection,
    ):
        connection.execute(text("DELETE FROM load"))
    assert contents(sqlite_engine) == before
    # And references are enforced again.
    with writing(sqlite_engine) as connection:
        connection.execute(text("DELETE FROM load"))
    assert set(rows_in(sqlite_engine)) == {"data_version", "trail"}


@BOTH
def test_the_way_back_keeps_every_row_too(old: Engine) -> None:
    before = rows(old)
    upgrade(old)
    to_form(old, "0001", down=True)
    assert revision(old) == "0001"
    assert rows(old) == before
    upgrade(old)
    assert len(rows(old)["service"]) == 4


# A referral that is open, declined, closed, both (the first of them counts), in another month or
# the same, of no network; and two alike.
REFERRALS = """reference,received,ward_code,pcn_code,declined,closed,reasons,closed_reason
a,2026-04-01,E05000001,U00001,,,money;Housing,
b,2026-04-30,E05000001,U00001,2026-05-02,,housing,No suitable service
c,2026-04-30,E05000001,U00001,,2026-05-31,debt|money,no service
d,2026-04-15,E05000001,U00001,2026-07-01,2026-06-30,a cat,completed
e,2026-04-15,E05000001,U00001,2026-06-30,2026-07-01,,no services
f,2026-04-15,E05000001,U00001,2026-04-15,2026-04-15,,
g,2026-05-15,E05000001,U00001,,,loneliness,
h,2026-05-16,E05000001,U00001,,,Social isolation,
i,2026-05-15,E05000001,,,2027-01-01,loneliness,
j,2026-05-15,E05000001,U00002,,,loneliness,
"""
APRIL, MAY = "2026-04-01", "2026-05-01"
EPISODES = [
    ("None", MAY, "2027-01-01", 1),
    ("U00001", APRIL, APRIL, 1),
    ("U00001", APRIL, MAY, 2),
    ("U00001", APRIL, "2026-06-01", 2),
    ("U00001", APRIL, "None", 1),
    ("U00001", MAY, "None", 2),
    ("U00002", MAY, "None", 1),
]
# Ward and month are the same for each network's part; the referrals of no service are last.
NEEDS = [
    (APRIL, "None", 2, 1),
    (APRIL, "housing", 2, 1),
    (APRIL, "money and debt", 2, 1),
    (APRIL, "other", 1, 0),
    (MAY, "loneliness", 1, 0),
    (MAY, "loneliness", 1, 0),
    (MAY, "loneliness", 2, 0),
]


def needs(engine: Engine) -> list[tuple[str, str, int, int]]:
    found = contents(engine)["referral_need_fact"]
    return sorted((str(month), str(theme), n, lost) for _, _, month, theme, n, lost in found)


def episodes(engine: Engine) -> list[tuple[str, str, str, int]]:
    """Part by part, whatever order they were counted in: missing as 'None'."""
    found = contents(engine)["referral_episode_fact"]
    return sorted((str(pcn), str(month), str(end), n) for _, pcn, month, end, n in found)


@BOTH
def test_an_upgrade_counts_facts_as_an_intake_of_today(
    any_bare_engine: Engine, read_here: None
) -> None:
    engine = any_bare_engine
    upgrade(engine)
    record = intake.take_in(engine, Source("referrals.csv", REFERRALS.encode()), b"key" * 12)
    assert record.rows_read == 10
    assert episodes(engine) == sorted(EPISODES)
    assert needs(engine) == NEEDS
    facts = ("referral_episode_fact", "referral_need_fact")
    counted = [sorted(map(repr, contents(engine)[name])) for name in facts]
    to_form(engine, "0002", down=True)
    assert not any(inspect(engine).has_table(name) for name in facts)
    upgrade(engine)
    assert [sorted(map(repr, contents(engine)[name])) for name in facts] == counted
    assert episodes(engine) == sorted(EPISODES)
    assert needs(engine) == NEEDS


# The steps and scores that form 0005 counts. Two networks, a correction, and an undone load.
STEPS = """reference,received,ward_code,pcn_code,reasons,sex,ethnicity_group,accepted,first_contact,\
closed,closed_reason
a,2026-04-01,E05000001,U00001,money;Housing,F,White British,2026-04-02,2026-04-20,,
b,2026-04-30,E05000001,U00001,,female,A,,,2026-05-02,completed
c,2026-05-02,E05000002,U00002,a cat,X,,2026-05-01,,,
d,2026-05-03,,,,Man,prefer not to say,,,,
"""
CORRECTED = STEPS.splitlines()[0] + "\nc,2026-05-02,E05000003,U00002,,M,Z,,2026-06-30,,\n"
UNDONE = STEPS.splitlines()[0] + "\na,2026-04-09,E05000003,U00001,,M,Z,,2026-06-30,,\n"
SCORES = """reference,measure,point,date,item,score,total
a,ONS4,start,2026-04-03,happy,3,
a,ONS4,end,2026-06-03,happy,7,
a,SWEMWBS,start,2026-04-03,,,20
a,SWEMWBS,end,2026-06-03,,,24.11
c,SWEMWBS,start,2026-05-03,,,7
c,SWEMWBS,end,2026-07-03,,,35
b,SWEMWBS,follow-up,2026-05-03,,,24.11
""" + "".join(f"b,SWEMWBS,{point},2026-05-03,{item},{answer},\n"
    for point, answers in (("start", "2323343"), ("end", "444444"), ("follow-up", "4444444"))
    for item, answer in enumerate(answers, 1))  # fmt: skip
# The words and totals of SCORES and STEPS as an intake of form 0004 kept them.
AS_0004 = """
UPDATE referral SET sex = 'F' WHERE sex = 'female' AND ethnicity_group = 'White'
    AND closed_on IS NULL;
UPDATE referral SET sex = 'X' WHERE sex = 'not stated';
UPDATE referral SET sex = 'Man' WHERE sex = 'male' AND pcn_code IS NULL;
UPDATE referral SET ethnicity_group = 'White British' WHERE sex = 'F';
UPDATE referral SET ethnicity_group = 'prefer not to say' WHERE pcn_code IS NULL;
DELETE FROM outcome WHERE score = 18.59 AND measured_on = '2026-05-03';
UPDATE outcome SET score = 20 WHERE score = 18.59;
"""


def counted_0005(engine: Engine) -> dict[str, list[str]]:
    """Every row they are counted in and from; of scores those in force, which pages read."""
    found = contents(engine)
    rows = {
        name: sorted(map(repr, found[name])) for name in ("pathway_fact", "outcome", "referral")
    }
    return rows | {"score_fact": sorted(map(repr, test_scores.facts(engine).items()))}


@BOTH
def test_steps_and_scores_are_counted_as_an_intake_of_today_counts_them(
    any_bare_engine: Engine, read_here: None
) -> None:
    engine = any_bare_engine
    upgrade(engine)
    for file in (STEPS, SCORES, CORRECTED, UNDONE):
        record = intake.take_in(engine, Source.of("file.csv", file.encode()), b"key" * 12)
    history.undo(engine, record.load_id, None)
    fresh = counted_0005(engine)
    assert len(fresh["outcome"]) == 6 + 7 + 1 + 6 + 7 + 1
    assert len(fresh["referral"]) == 4 + 1 + 1
    to_form(engine, "0004", down=True)
    with writing(engine) as connection:
        for statement in AS_0004.strip().split(";\n"):
            connection.execute(text(statement.rstrip(";")))
    upgrade(engine)
    assert count_missing(engine) == 3
    found = counted_0005(engine)
    for name, rows_now in found.items():
        assert rows_now == fresh[name], name
    # Twice is as once: nothing is counted, and no page need read again.
    before = contents(engine)
    assert count_missing(engine) == 0
    upgrade(engine)
    assert contents(engine) == before


def test_form_0005_converts_as_the_intake_does() -> None:
    config = Config()
    config.set_main_option("script_location", MIGRATIONS.as_posix())
    found = ScriptDirectory.from_config(config).get_revision("0005").module.METRIC
    assert list(found) == [swemwbs_metric(raw) for raw in range(8, 35)]
