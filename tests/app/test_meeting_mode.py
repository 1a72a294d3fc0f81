"""A meeting on the board: begun, joined, led from page to page, written down in place, closed."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine
from streamlit.util import calc_hash

from dashboard import meeting_mode
from dashboard.access import current_user
from dashboard.rules.actions import NO_PERSON
from dashboard.seen import seen
from queries.actions import actions
from queries.meetings import close_meeting, meetings, open_meeting, seen_at
from queries.scope import EVERYTHING
from tests.app.reading import View, sound
from tests.app.test_workforce_page import press
from tests.small_board import ABBEY, AS_AT, BOARD, NEIGHBOUR, NORTHAM

# Whole pages: `test_pages` has one quick look.
pytestmark = pytest.mark.slow

AT = {"icb": BOARD}
IN = AT | {"meeting": "on"}
BEGIN, JOIN, LEAVE = "Begin the meeting", "Join the meeting", "Leave meeting view"
CLOSE, WRITE = "Close it now", "Write down"
TITLES = ["This week", "Coverage", "Workforce", "Providers", "Outcomes", "Take-up",
          "Where to fund next", "Actions"]  # fmt: skip
BESIDE = ["all-boards", "commitments", "data", "methods"]
NHS_NUMBER = "943 476 5919"
Open = Callable[..., View]


@pytest.fixture
def begun(own: Engine) -> int:
    """The number of a meeting that Ann has begun."""
    return open_meeting(own, EVERYTHING, BOARD, AS_AT, "icb=QZ1", "Ann")


def buttons(view: View) -> list[str]:
    return [button.label for button in view.app.button]


def is_in_a_meeting(view: View) -> bool:
    return "Meeting begun on" in view.words()


def listed(engine: Engine, board: str = BOARD) -> list[Any]:
    return list(meetings(engine, EVERYTHING, board).itertuples())


def here(view: View) -> str:
    """Where the meeting is: 'page 2 of 8'."""
    words = view.words()
    return words[words.index(" · ", words.index("Meeting begun on")) + 3 :].split("\n")[0].strip()


def write(view: View, page: str, words: str) -> View:
    """Write a note down in the form of the bar."""
    of = "new in meeting 0"
    view.app.text_area(key=f"action words {of}").set_value(words)
    view.app.selectbox(key=f"action kind {of}").set_value("note")
    button = next(
        b for b in view.app.button if b.label == WRITE and b.form_id == f"add action {of}"
    )
    button.click().run()
    return sound(view)


def turn(view: View, label: str) -> View:
    """Press back or next, and be on that page from then on: the browser's address is, a test's
    next run is not."""
    press(view, label)
    page = meeting_mode.AGENDA[TITLES.index(label.split(": ")[1])]
    view.app._page_hash = calc_hash("" if page == meeting_mode.AGENDA[0] else page)
    return sound(view)


class TestBegin:
    def test_it_is_begun_with_one_press(self, own: Engine, open_page: Open) -> None:
        view = sound(open_page("this-week", **AT))
        assert not is_in_a_meeting(view)
        assert JOIN not in buttons(view)
        press(view, BEGIN)
        (row,) = listed(own)
        assert (row.opened_by, row.as_at, row.address) == (
            current_user(), AS_AT, f"icb={BOARD}&as_at={AS_AT}"
        )  # fmt: skip
        assert is_in_a_meeting(view)
        assert here(view) == "page 1 of 8"
        assert view.address["meeting"] == "on"
        assert f"by {current_user()}" in view.words()
        # A room reads it.
        assert any("font-size: 125%" in e.proto.body for e in view.elements() if e.type == "html")
        assert BEGIN not in buttons(view)

    def test_the_place_is_kept_with_it(self, own: Engine, open_page: Open) -> None:
        press(sound(open_page("this-week", locality=NORTHAM, **AT)), BEGIN)
        assert listed(own)[0].address == f"icb={BOARD}&as_at={AS_AT}&locality={NORTHAM}"

    def test_the_second_joins(self, own: Engine, open_page: Open) -> None:
        first = press(sound(open_page("this-week", **AT)), BEGIN)
        second = sound(open_page("this-week", **AT))
        assert not is_in_a_meeting(second)
        assert BEGIN not in buttons(second)
        assert f"{current_user()} began it on" in second.words()
        press(second, JOIN)
        assert is_in_a_meeting(first)
        assert is_in_a_meeting(second)
        assert len(listed(own)) == 1

    def test_two_who_press_begin_at_once_are_in_one_meeting(
        self, own: Engine, open_page: Open
    ) -> None:
        views = [sound(open_page("this-week", **AT)) for _ in range(2)]
        for view in views:
            press(view, BEGIN)
        assert len(listed(own)) == 1

    def test_a_neighbours_meeting_is_not_ours(
        self, begun: int, own: Engine, open_page: Open
    ) -> None:
        view = sound(open_page("this-week", icb=NEIGHBOUR))
        assert BEGIN in buttons(view)
        assert "Ann" not in view.words()


class TestTheAgenda:
    def test_from_page_to_page_and_round(self, begun: int, open_page: Open) -> None:
        view = sound(open_page("this-week", **IN))
        for place, title in enumerate(TITLES[1:], start=2):
            turn(view, f"Next: {title}")
            assert here(view) == f"page {place} of 8"
            assert view.address["meeting"] == "on"
        turn(view, "Next: This week")
        assert here(view) == "page 1 of 8"
        assert not [label for label in buttons(view) if label.startswith("Back")]

    def test_and_back(self, begun: int, open_page: Open) -> None:
        view = sound(open_page("providers", **IN))
        for title in ("Workforce", "Coverage", "This week"):
            turn(view, f"Back: {title}")
        assert here(view) == "page 1 of 8"

    def test_what_is_chosen_goes_along(self, begun: int, open_page: Open) -> None:
        view = sound(open_page("this-week", locality=NORTHAM, **IN))
        press(view, "Next: Coverage")
        assert view.address.items() >= (IN | {"locality": NORTHAM}).items()

    @pytest.mark.parametrize("page", meeting_mode.AGENDA)
    def test_the_bar_is_above_each_page(self, begun: int, open_page: Open, page: str) -> None:
        view = sound(open_page(page, **IN))
        assert here(view) == f"page {meeting_mode.AGENDA.index(page) + 1} of 8"
        assert {LEAVE, CLOSE, WRITE} <= set(buttons(view))

    @pytest.mark.parametrize("page", BESIDE)
    def test_and_beside_the_agenda(self, begun: int, open_page: Open, page: str) -> None:
        view = sound(open_page(page, **IN))
        assert here(view) == "beside the agenda"
        assert "Next: This week" in buttons(view)
        press(view, "Next: This week")
        assert here(sound(view)) == "page 1 of 8"

    @pytest.mark.parametrize("page", ["this-week", "coverage", "data"])
    def test_outside_a_meeting_there_is_none(self, begun: int, open_page: Open, page: str) -> None:
        view = sound(open_page(page, **AT))
        assert not is_in_a_meeting(view)
        assert not {LEAVE, CLOSE} & set(buttons(view))

    def test_a_link_of_a_page_in_a_meeting_stays_in_it(self, begun: int, open_page: Open) -> None:
        """A link opens a session of its own: what it does not say is lost."""
        view = sound(open_page("this-week", **IN))
        body = next(m for m in view.markup() if 'aria-label="Missing returns"' in m)
        assert "meeting=on" in body


class TestWriteDown:
    @pytest.mark.parametrize("page", ["coverage", "actions", "data"])
    def test_in_place(self, begun: int, own: Engine, open_page: Open, page: str) -> None:
        view = write(sound(open_page(page, **IN)), page, "Ask for room")
        (row,) = actions(own, EVERYTHING, BOARD).itertuples()
        assert (row.words, row.page, row.meeting_id) == ("Ask for room", page, begun)
        assert row.created_by == current_user()
        assert f"Written down as number {row.id}." in view.words()
        # The form begins anew, and the meeting goes on.
        assert [b.value for b in view.app.text_area if "new in meeting " in str(b.key)] == [""]
        assert is_in_a_meeting(view)

    def test_words_of_a_person_are_refused(self, begun: int, own: Engine, open_page: Open) -> None:
        view = write(sound(open_page("coverage", **IN)), "coverage", f"Call {NHS_NUMBER}")
        assert actions(own, EVERYTHING, BOARD).empty
        assert NO_PERSON in view.words()
        assert f"Call {NHS_NUMBER}" in [box.value for box in view.app.text_area]

    def test_what_was_written_is_there_after_the_meeting(
        self, begun: int, own: Engine, open_page: Open
    ) -> None:
        view = write(sound(open_page("coverage", **IN)), "coverage", "Ask for room")
        press(view, CLOSE)
        assert actions(own, EVERYTHING, BOARD)["words"].tolist() == ["Ask for room"]


class TestTheEnd:
    def test_what_was_seen_is_kept(self, begun: int, own: Engine, open_page: Open) -> None:
        view = press(sound(open_page("this-week", **IN)), CLOSE)
        (row,) = listed(own)
        assert (row.closed_by, row.as_at) == (current_user(), AS_AT)
        kept = json.loads(str(seen_at(own, EVERYTHING, begun)))
        assert kept["as_at"] == f"{AS_AT}"
        assert [ward[0] for ward in kept["tables"]["wards"]["data"]].count(ABBEY) == 1
        assert "The meeting is closed, and what was seen is kept." in view.words()
        assert not is_in_a_meeting(view)
        assert "meeting" not in view.address
        # The next is compared with it.
        assert view.value("since") == f"meeting-{begun}"
        assert "Nothing unusual" in view.words()
        assert BEGIN in buttons(view)

    def test_closed_on_another_page_it_ends_on_the_first(
        self, begun: int, own: Engine, open_page: Open
    ) -> None:
        view = press(sound(open_page("coverage", **IN)), CLOSE)
        assert "What changed since we last met" in sound(view).words()
        assert "The meeting is closed, and what was seen is kept." in view.words()
        # Said once.
        view.app.run()
        assert "what was seen is kept" not in view.words()

    @pytest.mark.parametrize("page", ["this-week", "workforce"])
    def test_the_second_to_close_is_told_who_did(
        self, begun: int, own: Engine, open_page: Open, page: str
    ) -> None:
        view = sound(open_page(page, **IN))
        kept = seen(own, EVERYTHING, BOARD, AS_AT, False).to_json()
        close_meeting(own, EVERYTHING, begun, AS_AT, "", kept, "Ben")
        press(view, CLOSE)
        assert "Ben closed the meeting already." in sound(view).words()
        assert not is_in_a_meeting(view)
        assert seen_at(own, EVERYTHING, begun) == kept

    def test_left_without_closing(self, begun: int, own: Engine, open_page: Open) -> None:
        view = press(sound(open_page("coverage", **IN)), LEAVE)
        assert not is_in_a_meeting(view)
        assert "meeting" not in view.address
        (row,) = listed(own)
        assert row.closed_by is None or row.closed_by != row.closed_by
        assert JOIN in buttons(sound(open_page("this-week", **AT)))

    @pytest.mark.parametrize("page", ["this-week", "coverage", "methods"])
    def test_a_link_to_a_meeting_that_is_over(
        self, begun: int, own: Engine, open_page: Open, page: str
    ) -> None:
        kept = seen(own, EVERYTHING, BOARD, AS_AT, False).to_json()
        close_meeting(own, EVERYTHING, begun, AS_AT, "", kept, "Ben")
        view = sound(open_page(page, **IN, since="2026-06-23"))
        assert not is_in_a_meeting(view)
        assert "meeting" not in view.address

    def test_another_board_in_the_middle_of_a_meeting(
        self, begun: int, own: Engine, open_page: Open
    ) -> None:
        """The neighbour has none: its pages are as outside one, and ours goes on."""
        view = sound(open_page("coverage", **IN))
        sound(view.choose("icb", NEIGHBOUR))
        assert not is_in_a_meeting(view)
        assert len(listed(own)) == 1
        assert listed(own, NEIGHBOUR) == []

    @pytest.mark.parametrize("value", ["off", "ON", "1", "<b>"])
    def test_any_other_word_is_no_meeting(self, begun: int, open_page: Open, value: str) -> None:
        assert not is_in_a_meeting(sound(open_page("coverage", icb=BOARD, meeting=value)))


def test_nothing_loaded(empty: Engine, open_page: Open) -> None:
    assert not is_in_a_meeting(sound(open_page("this-week", meeting="on")))
