"""Giving roles and taking them away, and what they let somebody see."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner

from dashboard import access, given
from dashboard.access import Reader, scope_of
from dashboard.commands import app
from dashboard.given import Holder, RefusedError
from dashboard.rules.roles import LOAD, READ, SET_TARGETS, WRITE
from queries import people, trail
from queries.database import writing
from queries.people import Grant
from queries.scope import EVERYTHING, Scope
from tests.small_board import BOARD, NEIGHBOUR, NORTH, SOUTH, Board

NOW = datetime.now(UTC)
ADMINISTRATOR = Reader(9, "Ada", frozenset({Grant("administrator", "all")}))
LEAD = Reader(8, "Pat", frozenset({Grant("icb_lead", "all")}))


@pytest.fixture
def engine(sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Engine:
    Board().save(sqlite_engine)
    monkeypatch.setattr(given, "newest_as_at", lambda: datetime(2026, 6, 30, tzinfo=UTC).date())
    return sqlite_engine


@pytest.mark.parametrize(
    ("role", "icb", "pcn", "grant"),
    [
        ("icb_lead", BOARD, "", Grant("icb_lead", "icb", BOARD)),
        ("analyst", "", "", Grant("analyst", "all")),
        ("pcn_lead", BOARD, NORTH, Grant("pcn_lead", "pcn", BOARD, NORTH)),
        ("administrator", "", "", Grant("administrator", "all")),
    ],
)
def test_a_role_for_an_area(engine: Engine, role: str, icb: str, pcn: str, grant: Grant):
    assert given.grant_of(engine, role, icb, pcn) == grant


@pytest.mark.parametrize(
    ("role", "icb", "pcn", "words"),
    [
        ("boss", "", "", "Expected a role of icb_lead"),
        ("icb_lead", "QXX", "", "Expected the code of a board that is loaded"),
        ("icb_lead", BOARD, NORTH, "given for everything here or a board, not for a network"),
        ("pcn_lead", BOARD, "", "given for a network of a board, not for a board"),
        ("pcn_lead", "", "", "not for everything here"),
        ("pcn_lead", BOARD, "U99999", "one of its networks"),
        ("pcn_lead", NEIGHBOUR, NORTH, "one of its networks"),
        ("pcn_lead", "", NORTH, "one of its networks"),
        ("administrator", BOARD, "", "given for everything here, not for a board"),
    ],
)
def test_what_is_no_role_for_an_area(engine: Engine, role: str, icb: str, pcn: str, words: str):
    with pytest.raises(RefusedError, match=words):
        given.grant_of(engine, role, icb, pcn)


def test_only_an_administrator_gives(engine: Engine):
    for who in (LEAD, access.NOT_SIGNED_IN):
        with pytest.raises(RefusedError, match="Only an administrator"):
            given.give(engine, who, Holder(group_name="g"), Grant("analyst", "all"))
        with pytest.raises(RefusedError, match="Only an administrator"):
            given.take_away(engine, who, 1)
    assert people.grants(engine).empty


def test_what_is_given_is_written_down(engine: Engine):
    with pytest.raises(RefusedError, match="There is no person 5"):
        given.give(engine, ADMINISTRATOR, Holder(5), Grant("analyst", "all"))
    person = people.person_named(engine, "issuer", "pat", NOW)
    assert people.person_named(engine, "issuer", "pat", NOW) == person
    number = given.give(engine, ADMINISTRATOR, Holder(person), Grant("icb_lead", "icb", BOARD))
    group = given.give(engine, ADMINISTRATOR, Holder(group_name="g"), Grant("analyst", "all"))
    given.take_away(engine, ADMINISTRATOR, number)
    with pytest.raises(RefusedError, match="is not in force"):
        given.take_away(engine, ADMINISTRATOR, number)
    rows = people.grants(engine).set_index("grant_id")
    assert rows.loc[number, "given_by"] == rows.loc[number, "ended_by"] == "Ada (number 9)"
    assert rows["ended_at"].isna().to_dict() == {number: False, group: True}
    lines = trail.lines(engine).iloc[::-1]
    lines = lines[lines["kind"].str.startswith("role")]
    assert lines["kind"].tolist() == [trail.ROLE_GIVEN, trail.ROLE_GIVEN, trail.ROLE_TAKEN]
    assert set(lines["person_id"]) == {9}
    assert json.loads(lines["detail"].iloc[0]) == {
        "board": BOARD, "network": None, "person": person, "role": "icb_lead", "role number": number,
    }  # fmt: skip
    # Neither a name nor a group.
    assert not any(name in "".join(lines["detail"]) for name in ("Pat", "Ada", '"g"'))


def test_the_last_administrator_stays(engine: Engine):
    ada, bea = (people.person_named(engine, "issuer", name, NOW) for name in ("ada", "bea"))
    first = given.give(engine, ADMINISTRATOR, Holder(ada), Grant("administrator", "all"))
    with pytest.raises(RefusedError, match="last administrator"):
        given.take_away(engine, ADMINISTRATOR, first)
    given.give(engine, ADMINISTRATOR, Holder(bea), Grant("administrator", "all"))
    given.take_away(engine, ADMINISTRATOR, first)


@pytest.mark.parametrize(("days", "question"), [(90, ""), (91, "not used for 90 days")])
def test_the_review_asks_after_what_nobody_uses(engine: Engine, days: int, question: str):
    people.sign_in(engine, "token", "issuer", "pat", "Pat", [], NOW)
    with writing(engine) as connection:
        people.give(connection, Grant("icb_lead", "icb", BOARD), "Ada", NOW, person_id=1)
    (row,) = given.review(engine, NOW + timedelta(days=days))
    assert tuple(row) == given.REVIEW
    assert (row["who"], row["role"], row["area"]) == ("Pat (number 1)", "ICB lead", BOARD)
    assert row["to be asked after"] == question


def test_a_role_that_was_never_used_is_asked_after(engine: Engine):
    person = people.person_named(engine, "issuer", "pat", NOW)
    with writing(engine) as connection:
        people.give(connection, Grant("pcn_lead", "pcn", BOARD, NORTH), "A", NOW, person_id=person)
    (row,) = given.review(engine, NOW + timedelta(days=91))
    assert row["last signed in"] == given.NEVER
    assert row["area"] == f"{BOARD} > {NORTH}"
    assert row["to be asked after"]


@pytest.mark.parametrize(
    ("grants", "scope"),
    [
        (set(), Scope(frozenset())),
        ({Grant("administrator", "all")}, Scope(frozenset())),
        ({Grant("visitor", "all")}, Scope(frozenset())),
        ({Grant("analyst", "all")}, EVERYTHING),
        ({Grant("icb_lead", "icb", "A")}, Scope(frozenset("A"))),
        ({Grant("icb_lead", "icb", "A"), Grant("ot_lead", "icb", "B")}, Scope(frozenset("AB"))),
        ({Grant("pcn_lead", "pcn", "A", "1")}, Scope(frozenset("A"), frozenset({("A", "1")}))),
        (
            {Grant("pcn_lead", "pcn", "A", "1"), Grant("pcn_lead", "pcn", "A", "2")},
            Scope(frozenset("A"), frozenset({("A", "1"), ("A", "2")})),
        ),
        # The wider of two for the same board.
        (
            {Grant("pcn_lead", "pcn", "A", "1"), Grant("commissioner", "icb", "A")},
            Scope(frozenset("A")),
        ),
        (
            {Grant("pcn_lead", "pcn", "A", "1"), Grant("commissioner", "icb", "B")},
            Scope(frozenset("AB"), frozenset({("A", "1")})),
        ),
        ({Grant("pcn_lead", "pcn", "A", "1"), Grant("ot_lead", "all")}, EVERYTHING),
    ],
)
def test_what_roles_together_let_somebody_see(grants: set[Grant], scope: Scope):
    assert scope_of(frozenset(grants)) == scope


def test_a_network_of_a_board():
    mine = scope_of(frozenset({Grant("pcn_lead", "pcn", "A", "1"), Grant("ot_lead", "icb", "B")}))
    assert mine.networks_of("A") == {"1"}
    assert mine.networks_of("B") is None
    assert mine.admits_network("A", "1")
    assert not mine.admits_network("A", "2")
    assert not mine.admits_network("A", "")
    assert mine.admits_network("B", "9")
    assert mine.admits_network("B", "")
    assert not mine.admits_network("C", "1")


def test_what_somebody_may_do_depends_on_the_board():
    both = Reader(
        1, "Pat", frozenset({Grant("icb_lead", "icb", "A"), Grant("ot_lead", "icb", "B")})
    )
    assert both.may(SET_TARGETS, "A")
    assert not both.may(SET_TARGETS, "B")
    assert not both.may(SET_TARGETS)
    assert both.may(WRITE, "B")
    assert not both.may(READ, "C")
    assert not both.may_somewhere(LOAD)
    assert Reader(1, "Pat", frozenset({Grant("analyst", "all")})).may(LOAD)
    # Files speak for several boards.
    assert not Reader(1, "Pat", frozenset({Grant("analyst", "icb", "A")})).may(LOAD)


def run(engine: Engine, *words: str):
    return CliRunner().invoke(app, list(words))


@pytest.fixture
def command(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Engine:
    from dashboard import data
    from dashboard.settings import settings

    monkeypatch.setenv("DASHBOARD_DATABASE_URL", str(engine.url))
    settings.cache_clear()
    yield engine
    data.engine().dispose()
    settings.cache_clear()


def test_the_first_administrator_is_made_by_command(command: Engine, tmp_path: Path):
    made = run(command, "access", "give", "administrator", "--issuer", "i", "--subject", "s")
    assert made.exit_code == 0, made.output
    assert "Role number 1 was given." in made.output
    review = run(command, "access", "review")
    (row,) = csv.DictReader(review.stdout.lstrip("\ufeff").splitlines())
    assert row["who"] == "not signed in yet (number 1)"
    assert row["given by"].endswith(", on the machine")
    again = run(command, "access", "give", "icb_lead", "--person", "1", "--icb", BOARD)
    assert again.exit_code == 0
    assert run(command, "access", "end", "2").exit_code == 0
    last = run(command, "access", "end", "1")
    assert (last.exit_code, "last administrator" in last.output) == (1, True)
    verified = run(command, "trail", "verify")
    assert "4 lines" in verified.output or "each as it was written" in verified.output
    head = ":".join(map(str, trail.head(command)))
    assert run(command, "trail", "verify", "--head", head).exit_code == 0
    wrong = run(command, "trail", "verify", "--head", "1:abc")
    assert (wrong.exit_code, "is not there" in wrong.output) == (1, True)


@pytest.mark.parametrize(
    "words",
    [
        ["give", "analyst"],
        ["give", "analyst", "--person", "1", "--group", "g"],
        ["give", "analyst", "--issuer", "i"],
        ["give", "boss", "--group", "g"],
        ["give", "pcn_lead", "--group", "g", "--icb", BOARD, "--pcn", "U99999"],
        ["give", "analyst", "--person", "99"],
        ["end", "99"],
    ],
)
def test_a_command_that_cannot_be_done_says_so(command: Engine, words: list[str]):
    answer = run(command, "access", *words)
    assert answer.exit_code in (1, 2)
    assert (
        "Expected" in answer.output or "There is no" in answer.output or "not in" in answer.output
    )
    assert people.grants(command).empty


def test_two_networks_of_one_board_by_command(command: Engine):
    for pcn in (NORTH, SOUTH):
        done = run(
            command, "access", "give", "pcn_lead", "--group", "g", "--icb", BOARD, "--pcn", pcn
        )
        assert done.exit_code == 0, done.output
    assert people.grants(command)["pcn_code"].tolist() == [SOUTH, NORTH]
