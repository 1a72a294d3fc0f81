"""Scores before and after: which referral they are of, and that every change of either counts."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from dashboard import intake
from dashboard.intake.source import Source
from queries import history, load, scores, tables
from queries.load import remove_demonstration
from tests.queries.test_save import contents

pytestmark = pytest.mark.slow

KEY = b"key" * 12
REFERRALS = "reference,received,ward_code,pcn_code,age_band,sex,ethnicity_group\n"
OUTCOMES = "reference,measure,point,date,item,score,total,pcn_code\n"
CONTACTS = "reference,attendances_before,attendances_after,period,pcn_code\n"
HAPPY = ("ONS4", "happy")
# What a test says of a fact: month received, score before, score after, referrals.
Told = dict[tuple[str, float | None, float | None], int]


def take(engine: Engine, *texts: str, is_demonstration: bool = False) -> int:
    """Load the files in this order; the number of the last load."""
    for text in texts:
        source = Source.of("file.csv", text.encode())
        record = intake.take_in(engine, source, KEY, is_demonstration=is_demonstration)
    return record.load_id


def referral(reference: str, received: str, pcn_code: str = "U00001", said: str = ",,") -> str:
    return f"{reference},{received},E05000001,{pcn_code},{said}\n"


def happy(reference: str, point: str, day: str, score: int, pcn_code: str = "") -> str:
    return f"{reference},ONS4,{point},{day},happy,{score},,{pcn_code}\n"


def facts(engine: Engine) -> Counter[tuple[object, ...]]:
    """Referrals by everything that a fact in force says, whatever its part is numbered."""
    fact, part = tables.score_fact.c, tables.load_part.c
    names = ("pcn_code", "month", "category", "value", "measure", "item", "score_before",
             "score_after")  # fmt: skip
    found = Counter[tuple[object, ...]]()
    with engine.connect() as connection:
        for *key, referrals in connection.execute(
            select(*(fact[name] for name in names), fact.referrals)
            .join(tables.load_part, part.id == fact.part_id)
            .where(part.replaced_by.is_(None))
        ):
            found[tuple(key)] += referrals
    return found


def told(engine: Engine, question: Sequence[str] = HAPPY, pcn_code: str = "U00001") -> Told:
    """The facts of everybody for one question and network."""
    return {
        (f"{month:%Y-%m}", before, after): referrals
        for (code, month, category, _, *asked, before, after), referrals in facts(engine).items()
        if (code, category, asked) == (pcn_code, "all", list(question))
    }


def table(engine: Engine) -> list[tuple[object, ...]]:
    return contents(engine)["score_fact"]


# By hand: which score is whose.

TWO = REFERRALS + referral("r1", "2026-04-02") + referral("r2", "2026-05-03")


def test_start_and_end_are_matched_by_reference_across_months_and_files(
    both_engines: Engine,
) -> None:
    take(both_engines, TWO)
    assert table(both_engines) == []
    take(both_engines, OUTCOMES + happy("r1", "start", "2026-04-10", 3))
    assert told(both_engines) == {("2026-04", 3, None): 1}
    take(
        both_engines,
        OUTCOMES
        + happy("r1", "end", "2026-07-10", 8)
        + happy("r2", "end", "2026-07-11", 6)
        + happy("nobody", "end", "2026-07-12", 1),
    )
    assert told(both_engines) == {("2026-04", 3, 8): 1, ("2026-05", None, 6): 1}


def test_the_first_start_and_the_last_end(any_engine: Engine) -> None:
    rows = [
        happy("r1", "start", "2026-04-20", 4),
        happy("r1", "start", "2026-04-10", 2),
        happy("r1", "end", "2026-08-02", 7),
        happy("r1", "end", "2026-08-01", 9),
    ]
    take(any_engine, TWO, OUTCOMES + "".join(rows))
    assert told(any_engine) == {("2026-04", 2, 7): 1}


def test_a_follow_up_is_neither(any_engine: Engine) -> None:
    take(any_engine, TWO, OUTCOMES + happy("r1", "follow-up", "2026-09-10", 9))
    assert table(any_engine) == []
    take(any_engine, OUTCOMES + happy("r1", "end", "2026-08-10", 5))
    assert told(any_engine) == {("2026-04", None, 5): 1}


def test_each_question_by_itself_and_totals_as_they_are_kept(any_engine: Engine) -> None:
    rows = [
        happy("r1", "start", "2026-04-10", 3),
        "r1,ONS4,start,2026-04-10,anxious,9,,\n",
        # Seven answers that make 20, which is 18.59 as a metric score; and a raw total of 27.
        *(f"r1,SWEMWBS,start,2026-04-10,{n},{s},,\n" for n, s in enumerate((2, 3, 2, 3, 3, 4, 3), 1)),
        "r1,SWEMWBS,end,2026-08-10,,,27,\n",
        "r1,GAD-7,end,2026-08-10,total,21,,\n",
    ]  # fmt: skip
    take(any_engine, TWO, OUTCOMES + "".join(rows))
    assert told(any_engine) == {("2026-04", 3, None): 1}
    assert told(any_engine, ("ONS4", "anxious")) == {("2026-04", 9, None): 1}
    assert told(any_engine, ("SWEMWBS", "total")) == {("2026-04", 18.59, 24.11): 1}
    assert told(any_engine, ("SWEMWBS", "1")) == {("2026-04", 2, None): 1}
    assert told(any_engine, ("GAD-7", "total")) == {("2026-04", None, 21): 1}


@pytest.mark.parametrize(
    ("day", "month"),
    [
        ("2026-03-01", "2026-04"),  # before any: the first
        ("2026-04-02", "2026-04"),  # on the day of the first
        ("2026-06-09", "2026-04"),  # the day before the second
        ("2026-06-10", "2026-06"),
        ("2026-12-31", "2026-06"),
    ],
)
def test_of_two_referrals_the_last_received_by_then_else_the_first(
    sqlite_engine: Engine, day: str, month: str
) -> None:
    twice = REFERRALS + referral("r1", "2026-06-10") + referral("r1", "2026-04-02")
    take(sqlite_engine, twice, OUTCOMES + happy("r1", "start", day, 3))
    assert told(sqlite_engine) == {(month, 3, None): 1}


def test_each_of_two_referrals_has_its_own_scores(any_engine: Engine) -> None:
    twice = [REFERRALS + referral("r1", day) for day in ("2026-04-02", "2026-06-10")]
    rows = [
        happy("r1", "start", "2026-04-03", 1),
        happy("r1", "end", "2026-06-01", 5),
        happy("r1", "start", "2026-06-11", 4),
        happy("r1", "end", "2026-09-01", 8),
    ]
    take(any_engine, *twice, OUTCOMES + "".join(rows))
    assert told(any_engine) == {("2026-04", 1, 5): 1, ("2026-06", 4, 8): 1}


def test_a_second_referral_takes_what_is_its_own_from_the_first(any_engine: Engine) -> None:
    first = REFERRALS + referral("r1", "2026-04-02")
    take(any_engine, first, OUTCOMES + happy("r1", "end", "2026-07-01", 5))
    assert told(any_engine) == {("2026-04", None, 5): 1}
    before = facts(any_engine)
    # Of another network, which had sent nothing before.
    later = take(any_engine, REFERRALS + referral("r1", "2026-06-10", "U00002"))
    assert told(any_engine) == {}
    assert told(any_engine, pcn_code="U00002") == {("2026-06", None, 5): 1}
    history.undo(any_engine, later, None)
    assert facts(any_engine) == before


def test_by_ward_and_group(any_engine: Engine) -> None:
    both = [
        referral("r1", "2026-04-02", said="80+,F,White"),
        referral("r2", "2026-04-03", said="80+,M,").replace("E05000001", "E05000002"),
    ]
    scored = [happy(name, "start", "2026-04-10", 3) for name in ("r1", "r2")]
    take(any_engine, REFERRALS + "".join(both), OUTCOMES + "".join(scored))
    by_value = {(key[2], key[3]): referrals for key, referrals in facts(any_engine).items()}
    assert by_value == {
        ("all", None): 2,
        ("ward", "E05000001"): 1,
        ("ward", "E05000002"): 1,
        ("age band", "80+"): 2,
        ("sex", "female"): 1,
        ("sex", "male"): 1,
        ("ethnicity", "White"): 1,
        ("ethnicity", None): 1,
    }
    assert {category for category, _ in by_value} == set(tables.SCORE_CATEGORIES)


# Contacts with the GP.

GP = scores.GP_CONTACT


def test_contacts_are_of_the_last_referral_and_the_last_told_wins(any_engine: Engine) -> None:
    twice = REFERRALS + referral("r1", "2026-06-10") + referral("r1", "2026-04-02")
    take(any_engine, twice, CONTACTS + "r1,9,,2026-06,\n")
    assert told(any_engine, GP) == {("2026-06", 9, None): 1}
    take(any_engine, CONTACTS + "r1,8,5,2026-09,U00001\n")
    assert told(any_engine, GP) == {("2026-06", 8, 5): 1}
    # One that says nothing does not take away what was told.
    last = take(any_engine, CONTACTS + "r1,,,2026-10,U00001\nr1x,1,1,,\n")
    assert told(any_engine, GP) == {("2026-06", 8, 5): 1}
    # A correction takes the place of what it corrects, though another file came between.
    take(any_engine, CONTACTS + "r1,7,0,2026-06,\n")
    assert told(any_engine, GP) == {("2026-06", 7, 0): 1}
    history.undo(any_engine, last, None)
    assert told(any_engine, GP) == {("2026-06", 7, 0): 1}


def test_contacts_alone_and_beside_scores(any_engine: Engine) -> None:
    take(any_engine, CONTACTS + "r1,9,5,,\nr2,0,1,,\n", TWO)
    assert told(any_engine, GP) == {("2026-04", 9, 5): 1, ("2026-05", 0, 1): 1}
    take(any_engine, OUTCOMES + happy("r2", "start", "2026-05-05", 3))
    assert told(any_engine, GP) == {("2026-04", 9, 5): 1, ("2026-05", 0, 1): 1}
    assert told(any_engine) == {("2026-05", 3, None): 1}


# In whatever order, and after every change.

FILES = {
    "april": REFERRALS
    + referral("r1", "2026-04-02", said="80+,F,White")
    + referral("r2", "2026-04-03", said="18-39,M,")
    + referral("r3", "2026-04-04"),
    "june": REFERRALS
    + referral("r1", "2026-06-10")
    + referral("r4", "2026-06-11", "U00002", "40-64,,Asian"),
    "scores": OUTCOMES
    + happy("r1", "start", "2026-04-10", 2)
    + happy("r1", "end", "2026-08-10", 8)
    + happy("r2", "start", "2026-04-11", 2)
    + happy("r4", "end", "2026-07-01", 10)
    + happy("r5", "end", "2026-07-01", 10),
    "contacts": CONTACTS + "r1,9,5,,\nr3,0,,,\n",
}


@pytest.mark.parametrize(
    "order",
    [
        ("april", "june", "scores", "contacts"),
        ("scores", "contacts", "june", "april"),
        ("june", "contacts", "april", "scores"),
        ("contacts", "april", "scores", "june"),
    ],
)
def test_the_order_of_the_loads_does_not_matter(
    sqlite_engine: Engine, order: tuple[str, ...]
) -> None:
    take(sqlite_engine, *(FILES[name] for name in order))
    assert told(sqlite_engine) == {
        ("2026-04", 2, None): 2,
        ("2026-06", None, 8): 1,
    }
    assert told(sqlite_engine, pcn_code="U00002") == {("2026-06", None, 10): 1}
    assert told(sqlite_engine, GP) == {("2026-06", 9, 5): 1, ("2026-04", 0, None): 1}
    # Six questions of referrals, each in five categories.
    assert sum(facts(sqlite_engine).values()) == 6 * 5
    male = ("U00001", date(2026, 4, 1), "sex", "male", *HAPPY, 2.0, None)
    assert facts(sqlite_engine)[male] == 1


def test_a_corrected_return_changes_them_and_undo_restores_them(any_engine: Engine) -> None:
    take(any_engine, *FILES.values())
    before, whole = facts(any_engine), table(any_engine)
    # July's returned r4 and r5 again, and April's is of r3 instead of r1 and r2.
    corrected = take(
        any_engine,
        OUTCOMES + happy("r4", "end", "2026-07-01", 9) + happy("r3", "start", "2026-04-10", 5),
    )
    assert told(any_engine) == {("2026-04", 5, None): 1, ("2026-06", None, 8): 1}
    assert told(any_engine, pcn_code="U00002") == {("2026-06", None, 9): 1}
    history.undo(any_engine, corrected, None)
    assert facts(any_engine) == before
    assert table(any_engine) == whole


def test_undo_of_outcomes_leaves_what_was_before(any_engine: Engine) -> None:
    take(any_engine, FILES["april"], FILES["june"], FILES["contacts"])
    whole = table(any_engine)
    last = take(any_engine, FILES["scores"])
    assert table(any_engine) != whole
    history.undo(any_engine, last, None)
    assert table(any_engine) == whole
    history.undo(any_engine, last - 1, None)
    assert table(any_engine) == []


def test_undo_of_corrected_referrals_restores_them(any_engine: Engine) -> None:
    take(any_engine, *FILES.values())
    before = facts(any_engine)
    with any_engine.connect() as connection:
        parts = list(connection.scalars(select(tables.load_part.c.id)))
    mine = [row for row in table(any_engine) if row[0] in parts]
    # April again: r2 is in it no more, and r1 came later.
    corrected = take(any_engine, REFERRALS + referral("r1", "2026-04-20", said="18-39,M,"))
    assert told(any_engine) == {("2026-04", 2, None): 1, ("2026-06", None, 8): 1}
    history.undo(any_engine, corrected, None)
    assert facts(any_engine) == before
    assert [row for row in table(any_engine) if row[0] in parts] == mine


def test_scores_that_came_while_referrals_were_replaced_are_there_after_the_undo(
    any_engine: Engine,
) -> None:
    take(any_engine, FILES["april"])
    corrected = take(any_engine, REFERRALS + referral("r9", "2026-04-05"))
    take(any_engine, OUTCOMES + happy("r2", "start", "2026-04-11", 2))
    assert told(any_engine) == {}
    history.undo(any_engine, corrected, None)
    assert told(any_engine) == {("2026-04", 2, None): 1}


def test_networks_of_one_month_do_not_replace_each_other(any_engine: Engine) -> None:
    both = REFERRALS + referral("r1", "2026-04-02") + referral("r2", "2026-04-02", "U00002")
    take(any_engine, both)
    take(any_engine, OUTCOMES + happy("r1", "start", "2026-04-10", 1, "U00001"))
    take(any_engine, OUTCOMES + happy("r2", "start", "2026-04-10", 2, "u00002"))
    take(any_engine, OUTCOMES + happy("r2", "end", "2026-04-28", 9))
    assert told(any_engine) == {("2026-04", 1, None): 1}
    assert told(any_engine, pcn_code="U00002") == {("2026-04", 2, 9): 1}
    take(any_engine, OUTCOMES + happy("r1", "start", "2026-04-10", 4, "U00001"))
    assert told(any_engine) == {("2026-04", 4, None): 1}
    assert told(any_engine, pcn_code="U00002") == {("2026-04", 2, 9): 1}


@pytest.mark.parametrize("point", ["start", "end"])
def test_of_two_scores_of_one_day_the_one_told_last(sqlite_engine: Engine, point: str) -> None:
    """Told first without its network, then with it: both returns are in force."""
    take(sqlite_engine, TWO, OUTCOMES + happy("r1", point, "2026-04-10", 7))
    last = take(sqlite_engine, OUTCOMES + happy("r1", point, "2026-04-10", 4, "U00001"))
    (((_, before, after), referrals),) = told(sqlite_engine).items()
    assert ((before, after), referrals) == ((4, None) if point == "start" else (None, 4), 1)
    history.undo(sqlite_engine, last, None)
    assert 7 in next(iter(told(sqlite_engine)))


def test_parts_and_references_more_than_one_statement_takes(sqlite_engine: Engine) -> None:
    """1,050 parts of referrals: 35 months of 30 networks, each of its own reference."""
    keys = [(f"{2023 + n // 12}-{1 + n % 12:02}", f"U000{pcn}") for n in range(35)
            for pcn in range(10, 40)]  # fmt: skip
    rows = [referral(f"{month} {pcn}", f"{month}-05", pcn) for month, pcn in keys]
    scored = [happy(f"{month} {pcn}", "start", f"{month}-06", 5, pcn) for month, pcn in keys]
    take(sqlite_engine, REFERRALS + "".join(rows), OUTCOMES + "".join(scored))
    found = Counter(key[2] for key in facts(sqlite_engine).elements())
    assert found == dict.fromkeys(tables.SCORE_CATEGORIES, 1_050)


# All or nothing, and nothing that names a person.


def test_removal_of_the_demonstration_leaves_none(any_engine: Engine) -> None:
    take(any_engine, *FILES.values(), is_demonstration=True)
    assert len(table(any_engine)) > 0
    assert remove_demonstration(any_engine)
    assert table(any_engine) == []
    assert contents(any_engine)["pathway_fact"] == []


def test_the_first_real_file_meets_no_score_of_the_demonstration(any_engine: Engine) -> None:
    take(any_engine, *FILES.values(), is_demonstration=True)
    take(any_engine, FILES["april"])
    assert table(any_engine) == []
    take(any_engine, FILES["scores"])
    # r1's second referral was the demonstration's.
    assert told(any_engine) == {("2026-04", 2, 8): 1, ("2026-04", 2, None): 1}


@pytest.mark.parametrize("name", ["scores", "june"])
def test_a_failure_at_the_last_moment_leaves_nothing(any_engine: Engine, name: str) -> None:
    """The facts are counted in the transaction of the load."""
    others = [text for other, text in FILES.items() if other != name]
    take(any_engine, *others)
    before = contents(any_engine)
    source = Source.of("file.csv", FILES[name].encode())

    def fail(connection: object, clean: object, record: object) -> None:
        raise OSError("no space left on device")

    reading = intake.read(source, intake.known_so_far(any_engine, KEY))
    with pytest.raises(OSError, match="no space"):
        load.save(any_engine, reading, finish=fail)
    assert contents(any_engine) == before
    take(any_engine, FILES[name])
    assert contents(any_engine)["score_fact"] != before["score_fact"]


@pytest.mark.parametrize("name", ["scores", "june"])
def test_a_failure_while_scores_are_written_leaves_nothing(
    any_engine: Engine, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    take(any_engine, *(text for other, text in FILES.items() if other != name))
    before = contents(any_engine)
    insert_rows = load.insert_rows

    def fail_at_scores(connection, table, frame) -> None:  # type: ignore[no-untyped-def]
        insert_rows(connection, table, frame)
        if table is tables.score_fact:
            raise OSError("no space left on device")

    monkeypatch.setattr(load, "insert_rows", fail_at_scores)
    with pytest.raises(OSError, match="no space"):
        take(any_engine, FILES[name])
    assert contents(any_engine) == before


# A process that ends, by itself and at once, when all is written but the end of the transaction.
KILLED = """
import os, sys
from dashboard import intake
from dashboard.intake.source import Source
from queries import load
from queries.database import make_engine
engine = make_engine(sys.argv[1])
reading = intake.read(
    Source.of("file.csv", sys.stdin.buffer.read()), intake.known_so_far(engine, b"key" * 12)
)
load.save(engine, reading, finish=lambda *_: os._exit(9))
"""


@pytest.mark.slow  # a process of its own on each database
def test_a_kill_at_the_last_moment_leaves_nothing(both_engines: Engine) -> None:
    take(both_engines, FILES["april"], FILES["june"], FILES["contacts"])
    before = contents(both_engines)
    url = both_engines.url.render_as_string(hide_password=False)
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, url],
        input=FILES["scores"].encode(),
        cwd=Path(__file__).parents[2],
        check=False,
    )
    assert killed.returncode == 9
    assert contents(both_engines) == before
    take(both_engines, FILES["scores"])
    assert told(both_engines) == {("2026-04", 2, None): 2, ("2026-06", None, 8): 1}


def test_a_failure_in_an_undo_leaves_everything(
    any_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    take(any_engine, *FILES.values())
    last = take(any_engine, OUTCOMES + happy("r4", "end", "2026-07-01", 9))
    before = contents(any_engine)

    def fail(connection, table, frame) -> None:  # type: ignore[no-untyped-def]
        raise OSError("no space left on device")

    monkeypatch.setattr(load, "insert_rows", fail)
    with pytest.raises(OSError, match="no space"):
        history.undo(any_engine, last, None)
    assert contents(any_engine) == before


def test_no_reference_and_no_hash_stands_in_a_fact(any_engine: Engine) -> None:
    take(any_engine, *FILES.values())
    with any_engine.connect() as connection:
        hashes = set(connection.scalars(select(tables.referral.c.reference_hash)))
    assert len(hashes) == 4
    for name in ("score_fact", "pathway_fact"):
        assert "reference_hash" not in tables.metadata.tables[name].c
        values = {str(value) for row in contents(any_engine)[name] for value in row}
        assert not values & hashes
        assert not any(word in value for value in values for word in ("r1", *hashes))
