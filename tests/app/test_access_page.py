"""Who may see what: the page for administrators, and what those see who have no access."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

from dashboard import access, signed_in
from dashboard.access import NOT_SIGNED_IN, Reader
from dashboard.settings import settings
from queries import people, trail
from queries.database import writing
from queries.people import Grant
from tests.app.reading import View
from tests.small_board import BOARD, NORTH

NOW = datetime.now(UTC)
LATER = NOW + timedelta(hours=1)
# Whole pages.
pytestmark = pytest.mark.slow


def somebody(*grants: Grant, idle_ends: datetime = LATER, ends: datetime = LATER) -> Reader:
    return Reader(9, "Ada <b>Min</b>", frozenset(grants), idle_ends, ends)


ADMINISTRATOR = somebody(Grant("administrator", "all"))


@pytest.fixture
def read_by(monkeypatch: pytest.MonkeyPatch) -> Callable[[Reader], None]:
    def become(who: Reader) -> None:
        monkeypatch.setattr(access, "reader_now", lambda: who)

    return become


@pytest.fixture
def people_here(own: Engine) -> Engine:
    """Two people signed in, one of them with a role."""
    for number, name in enumerate(("Pat", "Sam | *Stranger*")):
        people.sign_in(own, f"token {number}", "issuer", f"subject {number}", name, [], NOW)
    with writing(own) as connection:
        people.give(connection, Grant("icb_lead", "icb", BOARD), "Ada", NOW, person_id=1)
    return own


def press(view: View, key: str) -> View:
    view.app.button(key=key).click().run()
    return view


def test_an_administrator_sees_who_has_what(
    people_here: Engine, open_page: Callable[..., View], read_by: Callable[[Reader], None]
):
    read_by(ADMINISTRATOR)
    view = open_page("access")
    assert not view.app.exception
    words = " ".join(view.words().split())
    assert "1 role in force" in words
    assert "Pat (number 1)" in words
    assert "1 person signed in and has no role of their own" in words
    # No figure, and nobody's name as markup.
    assert "Small board" not in words
    assert "<b>Min" not in "".join(view.beside())
    assert "&lt;b&gt;Min" in "".join(view.beside())


@pytest.mark.parametrize(
    ("grant", "title"),
    [
        (Grant("administrator", "all"), "You give access, and see no figures"),
        (Grant("icb_lead", "icb", "QXX"), "No data of your board is loaded yet"),
    ],
)
def test_who_sees_no_board_is_told_why(
    own: Engine,
    open_page: Callable[..., View],
    read_by: Callable[[Reader], None],
    grant: Grant,
    title: str,
):
    read_by(somebody(grant))
    view = open_page("this-week", icb=BOARD)
    assert [each.value for each in view.app.title] == [title]
    assert "Small board" not in view.everything()


def test_nobody_else_has_the_page(
    people_here: Engine, open_page: Callable[..., View], read_by: Callable[[Reader], None]
):
    read_by(somebody(Grant("icb_lead", "all")))
    assert "Pat (number 1)" not in open_page("access").everything()


def test_a_role_is_given_and_taken_away(
    people_here: Engine, open_page: Callable[..., View], read_by: Callable[[Reader], None]
):
    read_by(ADMINISTRATOR)
    view = open_page("access")
    view.app.selectbox(key="role to").set_value("2").run()
    view.app.selectbox(key="role").set_value("pcn_lead").run()
    view.app.selectbox(key="role board").set_value(BOARD).run()
    view.app.selectbox(key="role network").set_value(NORTH).run()
    press(view, "give role")
    assert "Role number 2 was given." in view.words()
    given = people.grants(people_here).set_index("grant_id").loc[2]
    assert (given["person_id"], given["role"], given["pcn_code"]) == (2, "pcn_lead", NORTH)
    assert given["given_by"] == "Ada <b>Min</b> (number 9)"
    view.app.selectbox(key="role end").set_value("2").run()
    press(view, "take role away")
    assert "Role number 2 was taken away." in view.words()
    kinds = trail.lines(people_here)["kind"].tolist()[:2]
    assert kinds == [trail.ROLE_TAKEN, trail.ROLE_GIVEN]


def test_nobody_gets_everything_by_not_choosing(
    people_here: Engine, open_page: Callable[..., View], read_by: Callable[[Reader], None]
):
    read_by(ADMINISTRATOR)
    view = press(open_page("access"), "give role")
    assert "was given" in view.words()
    assert people.grants(people_here)["area_kind"].iloc[0] == "icb"


def test_a_group_needs_its_name(
    people_here: Engine, open_page: Callable[..., View], read_by: Callable[[Reader], None]
):
    read_by(ADMINISTRATOR)
    view = open_page("access")
    view.app.selectbox(key="role to").set_value("a group").run()
    press(view, "give role")
    assert "A group needs its name" in view.words()
    assert len(people.grants(people_here)) == 1
    view.app.text_input(key="role group").set_value("leads").run()
    press(view, "give role")
    assert people.grants(people_here)["group_name"].iloc[0] == "leads"


def test_who_is_no_administrator_any_more_gives_nothing(
    people_here: Engine, open_page: Callable[..., View], read_by: Callable[[Reader], None]
):
    read_by(ADMINISTRATOR)
    view = open_page("access")
    read_by(somebody(Grant("icb_lead", "all")))
    view.app.button(key="give role").click().run()
    assert len(people.grants(people_here)) == 1


def test_the_trail_is_looked_through_when_asked(
    people_here: Engine, open_page: Callable[..., View], read_by: Callable[[Reader], None]
):
    read_by(ADMINISTRATOR)
    trail.note_alone(people_here, trail.EXPORTED, 1, {"file": "coverage.csv", "board": BOARD})
    view = open_page("access")
    assert f"board {BOARD}, file coverage.csv" in view.words()
    press(view, "check trail")
    assert "Each line is as it was written." in view.words()


@pytest.mark.parametrize("page", ["this-week", "coverage", "access", "data"])
def test_who_is_not_signed_in_is_told_where_to(
    own: Engine, open_page: Callable[..., View], read_by: Callable[[Reader], None], page: str
):
    read_by(NOT_SIGNED_IN)
    view = open_page(page, icb=BOARD, ward="E05000001")
    assert not view.app.exception
    assert [title.value for title in view.app.title] == ["You are signed out"]
    assert f'href="/sign-in/start?next=%2F%3Ficb%3D{BOARD}%26ward%3DE05000001"' in view.everything()
    assert "Small board" not in view.everything()


def test_who_has_no_role_is_told_whom_to_ask(
    own: Engine, open_page: Callable[..., View], read_by: Callable[[Reader], None]
):
    read_by(somebody())
    view = open_page("coverage", icb=BOARD)
    assert [title.value for title in view.app.title] == ["You have no access yet"]
    assert "number 9" in view.words()
    assert "Small board" not in view.everything()
    assert view.app.button(key="sign out")


@pytest.mark.parametrize(
    ("idle", "whole", "said"),
    [
        (4, 400, "as nothing was done"),
        (6, 400, ""),
        (30, 4, "A sign-in lasts 8 hours"),
        (4, 4, "A sign-in lasts 8 hours"),
    ],
)
def test_that_a_sign_in_ends_is_said_before(
    own: Engine,
    open_page: Callable[..., View],
    read_by: Callable[[Reader], None],
    monkeypatch: pytest.MonkeyPatch,
    idle: int,
    whole: int,
    said: str,
):
    for name, value in {"SIGN_IN": "oidc", "OIDC_METADATA_URL": "https://login.example/x",
                        "OIDC_CLIENT_ID": "board", "OIDC_CLIENT_SECRET": "secret",
                        "COOKIE_SECRET": "s" * 32,
                        "PUBLIC_ADDRESS": "https://board.example"}.items():  # fmt: skip
        monkeypatch.setenv(f"DASHBOARD_{name}", value)
    settings.cache_clear()
    now = datetime.now(UTC)
    minutes = (now + timedelta(minutes=idle), now + timedelta(minutes=whole))
    read_by(somebody(Grant("icb_lead", "all"), idle_ends=min(minutes), ends=minutes[1]))
    view = open_page("methods")
    assert not view.app.exception
    warnings = [each.value for each in view.app.warning]
    assert len(warnings) == (1 if said else 0)
    assert all(said in words for words in warnings)
    # What ends whatever is done is not put off.
    stays = [button for button in view.app.button if button.key == "stay signed in"]
    assert len(stays) == (1 if "nothing was done" in said else 0)


def test_on_one_machine_nobody_signs_in(own: Engine, open_page: Callable[..., View]):
    view = open_page("methods")
    assert not [button for button in view.app.button if button.key == "sign out"]
    assert "Signed in" not in "".join(view.beside())
    assert timedelta(minutes=settings().idle_minutes) > signed_in.WARN_BEFORE


def test_the_script_asks_who_reads_in_each_run(
    own: Engine, open_page: Callable[..., View], read_by: Callable[[Reader], None]
):
    read_by(somebody(Grant("icb_lead", "icb", BOARD)))
    view = open_page("coverage", icb=BOARD)
    assert "Small board" in view.everything()
    read_by(NOT_SIGNED_IN)
    view.app.run()
    assert "Small board" not in view.everything()
