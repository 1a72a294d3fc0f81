"""How referrals end, in the words of returns."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.demonstration.pathway import NO_GO
from dashboard.rules.endings import ENDINGS, Ending, ending_of
from dashboard.rules.needs import is_for_lack_of_service


@pytest.mark.parametrize(
    ("said", "ending"),
    [
        ("completed", Ending.COMPLETED),
        ("Completed: plan finished", Ending.COMPLETED),
        ("support complete", Ending.COMPLETED),
        ("completed and signposted", Ending.COMPLETED),
        ("goals achieved", Ending.COMPLETED),
        ("plan\ncompleted", Ending.COMPLETED),
        ("not completed", Ending.OTHER),
        ("not completed, referred on", Ending.HANDED_ON),
        ("did not complete", Ending.OTHER),
        ("didn’t complete", Ending.OTHER),
        ("uncompleted", Ending.OTHER),
        ("incomplete", Ending.OTHER),
        ("declined support", Ending.DECLINED),
        ("refused", Ending.DECLINED),
        ("patient withdrew", Ending.DECLINED),
        ("no longer wants support", Ending.DECLINED),
        ("not interested", Ending.DECLINED),
        ("could not be reached", Ending.NOT_REACHED),
        ("Not reached", Ending.NOT_REACHED),
        ("uncontactable", Ending.NOT_REACHED),
        ("no response", Ending.NOT_REACHED),
        ("unable to contact after 3 calls", Ending.NOT_REACHED),
        ("did not respond", Ending.NOT_REACHED),
        ("No suitable service", Ending.NO_SERVICE),
        ("no service, waiting list full", Ending.NO_SERVICE),
        ("waiting too long", Ending.WAITING),
        ("declined: wait too long", Ending.WAITING),
        ("moved away", Ending.MOVED),
        ("Out of area", Ending.MOVED),
        ("moved away, could not be reached", Ending.MOVED),
        ("moved on to other support", Ending.OTHER),
        ("removed in error", Ending.OTHER),
        ("needs met elsewhere", Ending.NEEDS_MET),
        ("Needs are already met", Ending.NEEDS_MET),
        ("needs not met", Ending.OTHER),
        ("handed to another service", Ending.HANDED_ON),
        ("referred on", Ending.HANDED_ON),
        ("died", Ending.OTHER),
    ],
)
def test_what_returns_say(said: str, ending: Ending) -> None:
    assert ending_of(said, False) is ending
    assert ending_of(f"  {said.upper()} ", True) is ending


@pytest.mark.parametrize("nothing", [None, "", "  "])
def test_where_nothing_is_said_the_day_of_declining_speaks(nothing: str | None) -> None:
    assert ending_of(nothing, True) is Ending.DECLINED
    assert ending_of(nothing, False) is Ending.NOT_SAID


def test_the_words_of_the_demonstration_are_each_an_ending_of_their_own() -> None:
    assert {said: ending_of(said, False).value for said in (*NO_GO, "completed")} == {
        "completed": "completed",
        "declined support": "declined",
        "could not be reached": "could not be reached",
        "moved away": "moved",
        "needs met elsewhere": "needs met",
        "no suitable service": "no suitable service",
        "waiting too long": "waiting too long",
    }


@pytest.mark.parametrize("ending", [e for e in ENDINGS if e is not Ending.NOT_SAID])
def test_the_words_of_the_screen_are_understood_when_returned(ending: Ending) -> None:
    assert ending_of(ending, False) is ending


@given(st.text(), st.booleans())
def test_every_text_has_an_ending_that_agrees_with_the_needs(said: str, declined: bool) -> None:
    found = ending_of(said, declined)
    assert found in ENDINGS
    if is_for_lack_of_service(said):
        assert found is Ending.NO_SERVICE
