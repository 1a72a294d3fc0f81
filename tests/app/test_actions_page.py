"""The page Actions in each state: empty, listed, written down, changed by two, read from a file."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import Engine

from dashboard import action_editor
from dashboard.access import current_user
from dashboard.rules.actions import NO_PERSON
from queries.actions import ActionEdit, actions, add_action, change_action, edit_of
from queries.frames import each_row
from queries.scope import EVERYTHING
from tests.app.reading import Markup, View, each_part, follow, sound
from tests.app.test_escaping import HOSTILE, OUR_TAGS
from tests.app.test_routes import get
from tests.app.test_workforce_page import press, small_table, tile
from tests.small_board import ABBEY, AS_AT, BOARD, NEIGHBOUR, NORTH, OUTSIDER_ICB

# Whole pages: `test_pages` has one quick look.
pytestmark = pytest.mark.slow

QUESTION = "What did we decide, who does it, by when?"
PARTS = ("list", "write", "files")
LATE = ActionEdit("action", "Ask for room", "Ben", AS_AT - timedelta(1), "open", "ward", ABBEY)
SOON = ActionEdit("action", "Call the provider", "Ann", AS_AT + timedelta(7))
DONE = replace(SOON, words="Write to East", state="done", pinned_kind="pcn", pinned_code=NORTH)
DECISION = ActionEdit("decision", "Fund the choir", page="where-to-fund")
NHS_NUMBER = "943 476 5919"
LIST = "entries, the overdue first"
# The form for a new entry, written down on no other page.
FRESH = "new 0"
BOTH = "Both texts, side by side"
Open = Callable[..., View]


@pytest.fixture
def four(own: Engine) -> Engine:
    """Number 1 is overdue, 2 is due this week, 3 done, 4 a decision; 5 is the neighbour's."""
    for edit in (LATE, SOON, DONE, DECISION):
        add_action(own, EVERYTHING, BOARD, edit, "Ann")
    add_action(own, EVERYTHING, NEIGHBOUR, replace(SOON, words="Next door's"), "Eve")
    return own


@pytest.fixture
def open_it(open_page: Open) -> Open:
    """Opens the page at an address."""

    def open_at(**address: str) -> View:
        return sound(open_page("actions", **address))

    return open_at


def stands(engine: Engine) -> dict[int, tuple[int, ActionEdit]]:
    """Every entry of the board: its version, and what it says."""
    found = actions(engine, EVERYTHING, BOARD)
    return {row.id: (row.version, edit_of(row)) for row in each_row(found)}


def rows(view: View, caption: str) -> list[list[str]]:
    body = next(m for m in view.markup() if f'{caption}"' in m)
    return [
        [Markup.of(cell).text for cell in re.findall(r"<t[hd][^>]*>.*?</t[hd]>", row, re.DOTALL)]
        for row in body.split("<tbody>")[1].split("<tr>")[1:]
    ]


def lines(view: View, kind: str = "lines") -> str:
    return " ".join(Markup.of(m).text for m in view.markup() if m.startswith(f'<ul class="{kind}"'))


def fill(view: View, of: str, **said: object) -> View:
    """Type into the boxes of a form: nothing is sent before its button is pressed."""
    boxes = {
        "words": view.app.text_area, "owner": view.app.text_input, "due_on": view.app.date_input,
        "pinned_on": view.app.date_input, "kind": view.app.selectbox, "state": view.app.selectbox,
        "pin": view.app.selectbox,
    }  # fmt: skip
    for field, value in said.items():
        boxes[field](key=f"action {field} {of}").set_value(value)
    return view


def buttons(view: View) -> list[str]:
    return [button.label for button in view.app.button]


class TestList:
    def test_nothing_is_written_down_yet(self, own: Engine, open_it: Open) -> None:
        view = open_it()
        assert QUESTION in view.words()
        assert view.chosen_words == "Small board · as it stands on 30 June 2026"
        assert "Nothing is written down yet" in view.words()
        assert "No action is overdue , none due this week." in view.words()
        assert not view.has_box("action")

    def test_the_overdue_come_first_and_say_so(self, four: Engine, open_it: Open) -> None:
        view = open_it()
        assert "1 action is overdue , 1 action due this week." in view.words()
        assert "2 actions open; 1 decision and 0 notes written down." in view.words()
        assert rows(view, LIST) == [
            ["Ask for room", "Overdue by 1 day: 29 June 2026", "Ben", "Open", "Action",
             "Ward: Abbey", "1"],
            ["Call the provider", "Due in 7 days: 7 July 2026", "Ann", "Open", "Action", "–", "2"],
            ["Write to East", "7 July 2026", "Ann", "Done", "Action", "Network: North PCN", "3"],
            ["Fund the choir", "–", "–", "Open", "Decision", "–", "4"],
        ]  # fmt: skip
        assert tile(view, "Overdue") == "Overdue 1 action the longest since 29 June 2026"
        assert tile(view, "Due this week").split()[3] == "1"
        assert tile(view, "Open") == "Open 2 actions"
        assert tile(view, "Done") == "Done 1 action of 3 not dropped"
        assert "Next door's" not in view.everything()

    @pytest.mark.parametrize(
        ("chosen", "numbers"),
        [
            ({"state": "done"}, ["3"]),
            ({"kind": "decision"}, ["4"]),
            ({"owner": "Ann"}, ["2", "3"]),
            ({"pinned": f"ward|{ABBEY}"}, ["1"]),
            ({"pinned": "nothing"}, ["2", "4"]),
            ({"owner": "Ann", "state": "open"}, ["2"]),
            # A link to what is not there falls back.
            ({"owner": "Nobody", "state": "lost"}, ["1", "2", "3", "4"]),
        ],
    )
    def test_narrowed(
        self, four: Engine, open_it: Open, chosen: dict[str, str], numbers: list[str]
    ) -> None:
        view = open_it(**chosen)
        caption = LIST if len(numbers) > 1 else "entry, the overdue first"
        assert [row[-1] for row in rows(view, caption)] == numbers

    def test_nothing_fits(self, four: Engine, open_it: Open) -> None:
        view = open_it(owner="Ben", state="done")
        assert "Nothing fits" in view.words()
        assert view.has_box("action")

    def test_a_long_list_is_folded(self, own: Engine, open_it: Open) -> None:
        for number in range(26):
            add_action(own, EVERYTHING, BOARD, replace(SOON, words=f"number {number}"), "Ann")
        view = open_it()
        assert len(rows(view, "26 entries, the overdue first")) == action_editor.FIRST_ROWS == 25
        assert len(rows(view, "Every entry, the overdue first")) == 26

    def test_each_part_is_whole(self, four: Engine, open_it: Open) -> None:
        assert list(each_part(open_it(), PARTS, action="1")) == list(PARTS)

    def test_a_link_opens_an_entry(self, four: Engine, open_it: Open) -> None:
        view = open_it(action="4", state="done")
        facts = Markup.of(next(m for m in view.markup() if 'aria-label="Number 4"' in m)).text
        assert "Fund the choir" in facts
        assert "where-to-fund" in facts
        assert re.search(r"Last changed .* by Ann, version 1", facts)
        assert f"icb={BOARD}&as_at=2026-06-30&action=4" in "".join(view.markup())
        assert len(small_table(view, "History of number 4")) == 1
        # That of another board is none of these.
        assert follow(view, action="5").value("action") == ""

    def test_another_reader_sees_none_of_it(
        self, four: Engine, open_it: Open, read_as: Callable[[str], None]
    ) -> None:
        read_as(NEIGHBOUR)
        view = open_it(icb=BOARD, action="1")
        assert "Ask for room" not in view.everything()
        assert "Next door's" in view.words()

    def test_who_may_see_no_board_sees_nothing(
        self, four: Engine, open_it: Open, read_as: Callable[[str], None]
    ) -> None:
        read_as(OUTSIDER_ICB)
        view = open_it(icb=BOARD, action="1")
        assert "No data of your board is loaded yet" in view.words()
        assert not re.search("Ask for room|Next door", view.everything())


class TestWriteDown:
    def test_an_action(self, own: Engine, open_it: Open) -> None:
        view = open_it(part="write")
        fill(
            view, FRESH, words=" Ask\tfor room ", owner="Ben", due_on=LATE.due_on,
            pin=f"ward|{ABBEY}", pinned_on=AS_AT,
        )  # fmt: skip
        press(view, "Write down")
        assert stands(own) == {1: (1, replace(LATE, pinned_on=AS_AT))}
        assert "Written down as number 1." in lines(view)
        assert "1 action is overdue" in view.words()
        assert actions(own, EVERYTHING, BOARD)["created_by"].tolist() == [current_user()]
        # The form begins anew, and pressing again writes nothing twice.
        assert view.app.text_area(key="action words new 1").value == ""
        press(view, "Write down")
        assert len(stands(own)) == 1

    def test_a_decision_needs_neither_owner_nor_date(self, own: Engine, open_it: Open) -> None:
        view = fill(open_it(part="write"), FRESH, words="Fund the choir", kind="decision")
        press(view, "Write down")
        assert stands(own) == {1: (1, replace(DECISION, page=None))}

    def test_what_is_refused_stays_in_the_form(self, own: Engine, open_it: Open) -> None:
        view = fill(open_it(part="write"), FRESH, words=f"Call {NHS_NUMBER}")
        press(view, "Write down")
        problems = lines(view, "problems")
        assert f"What: {NO_PERSON}" in problems
        assert "Owner: expected who does it" in problems
        assert "Due: expected by when" in problems
        assert stands(own) == {}
        assert view.app.text_area(key=f"action words {FRESH}").value == f"Call {NHS_NUMBER}"
        view.app.run()
        assert lines(view, "problems") == ""

    def test_what_there_is_to_pin_to(self, own: Engine, open_it: Open) -> None:
        options = open_it(part="write").options(f"action pin {FRESH}")
        assert options[:2] == ["Nothing", "Ward: Abbey"]
        assert {"Network: North PCN", "Measure: Provision status"} <= set(options)
        assert any(option.startswith("Provider: ") for option in options)
        assert "Ward: Gorse" not in options


class TestChange:
    def test_a_change_is_in_the_history(self, four: Engine, open_it: Open) -> None:
        view = open_it(action="1")
        fill(view, "1 1", words="Ask again", due_on=date(2026, 7, 10), state="done", pin="")
        press(view, "Save change")
        now = replace(
            LATE, words="Ask again", due_on=date(2026, 7, 10), state="done", pinned_kind=None,
            pinned_code=None,
        )  # fmt: skip
        assert stands(four)[1] == (2, now)
        assert "Number 1 is saved as version 2." in lines(view)
        newest, first = small_table(view, "History of number 1")
        assert newest["What changed"] == (
            "What: Ask for room → Ask again; Due: 29 June 2026 → 10 July 2026; State: Open → Done; "
            "Pinned to: Ward: Abbey → –"
        )
        assert (newest["Version"], newest["Who"]) == ("2", current_user())
        assert (first["Version"], first["Who"], first["What changed"]) == (
            "1",
            "Ann",
            "Written down",
        )
        # The form goes on from there.
        assert view.app.text_area(key="action words 1 2").value == "Ask again"

    def test_the_page_on_which_it_was_written_stays(self, four: Engine, open_it: Open) -> None:
        press(fill(open_it(action="4"), "4 1", words="Fund two"), "Save change")
        assert stands(four)[4] == (2, replace(DECISION, words="Fund two"))

    def test_no_change_is_none(self, four: Engine, open_it: Open) -> None:
        view = press(open_it(action="1"), "Save change")
        assert "Number 1 says this already: nothing was changed." in lines(view)
        assert stands(four)[1] == (1, LATE)

    def test_what_is_refused_is_not_saved(self, four: Engine, open_it: Open) -> None:
        view = press(fill(open_it(action="1"), "1 1", owner=" ", due_on=None), "Save change")
        assert "Owner: expected who does it" in lines(view, "problems")
        assert "Due: expected by when" in lines(view, "problems")
        assert stands(four)[1] == (1, LATE)

    def test_what_it_is_pinned_to_stays_though_it_is_gone(
        self, four: Engine, open_it: Open
    ) -> None:
        gone = replace(LATE, pinned_kind="provider", pinned_code="Gone CIC")
        change_action(four, EVERYTHING, 1, 1, gone, "Ann")
        view = press(fill(open_it(action="1"), "1 2", words="Ask again"), "Save change")
        assert "Provider: Gone CIC" in view.words()
        assert stands(four)[1] == (3, replace(gone, words="Ask again"))


class TestTwoAtOnce:
    MINE, THEIRS = replace(LATE, words="My words"), replace(LATE, words="Their words", owner="Cat")

    @pytest.fixture
    def conflict(self, four: Engine, open_it: Open) -> tuple[Engine, View]:
        """Two have it open; the other saves first."""
        first, second = open_it(action="1"), open_it(action="1")
        press(fill(second, "1 1", words="Their words", owner="Cat"), "Save change")
        return four, press(fill(first, "1 1", words="My words"), "Save change")

    def test_both_are_shown_side_by_side(self, conflict: tuple[Engine, View]) -> None:
        engine, view = conflict
        assert stands(engine)[1] == (2, self.THEIRS)
        assert re.search(
            rf"Saved by {current_user()} on .* at \d\d:\d\d UTC, while you wrote",
            lines(view, "problems"),
        )
        (kind, words, owner, *_rest) = rows(view, BOTH)
        assert kind == ["Kind", "Action", "Action", ""]
        assert words == ["What", "Their words", "My words", "yes"]
        assert owner == ["Owner", "Cat", "Ben", "yes"]
        assert "Save change" not in buttons(view)

    def test_keep_mine(self, conflict: tuple[Engine, View]) -> None:
        engine, view = conflict
        press(view, "Keep mine")
        assert stands(engine)[1] == (3, self.MINE)
        assert BOTH not in view.everything()
        said = [row["What changed"] for row in small_table(view, "History of number 1")]
        assert said == [
            "What: Their words → My words; Owner: Cat → Ben",
            "What: Ask for room → Their words; Owner: Ben → Cat",
            "Written down",
        ]

    def test_take_theirs(self, conflict: tuple[Engine, View]) -> None:
        engine, view = conflict
        press(view, "Take theirs")
        assert stands(engine)[1] == (2, self.THEIRS)
        assert "Yours was not saved; it said: My words" in lines(view)
        assert view.app.text_area(key="action words 1 2").value == "Their words"

    def test_mine_waits_while_another_entry_is_looked_at(
        self, conflict: tuple[Engine, View]
    ) -> None:
        engine, view = conflict
        view.choose("action", "2")
        assert "Save change" in buttons(view)
        view.choose("action", "1")
        assert rows(view, BOTH)[1] == ["What", "Their words", "My words", "yes"]
        # A third change meanwhile is no less of one.
        third = replace(self.THEIRS, words="Third words")
        change_action(engine, EVERYTHING, 1, 2, third, "Dan")
        press(view, "Keep mine")
        assert stands(engine)[1] == (3, third)
        assert "Saved by Dan" in lines(view, "problems")
        assert rows(view, BOTH)[1] == ["What", "Third words", "My words", "yes"]
        press(view, "Keep mine")
        assert stands(engine)[1] == (4, self.MINE)

    def test_the_form_knows_with_what_it_began(self, four: Engine, open_it: Open) -> None:
        view = open_it(action="1")
        change_action(four, EVERYTHING, 1, 1, self.THEIRS, "Cat")
        # The page runs again while somebody types: the boxes stay those that are typed in.
        view.app.run()
        assert view.app.text_area(key="action words 1 1").value == "Ask for room"
        assert "Cat changed it meanwhile" in lines(view, "problems")
        press(fill(view, "1 1", words="My words"), "Save change")
        assert rows(view, BOTH)[1][1:] == ["Their words", "My words", "yes"]

    def test_what_mine_is_pinned_to_stays_though_theirs_is_not(
        self, four: Engine, open_it: Open
    ) -> None:
        gone = replace(LATE, pinned_kind="provider", pinned_code="Gone CIC", page="coverage")
        change_action(four, EVERYTHING, 1, 1, gone, "Ann")
        view = open_it(action="1")
        theirs = replace(gone, pinned_kind=None, pinned_code=None)
        change_action(four, EVERYTHING, 1, 2, theirs, "Cat")
        view.app.run()
        press(fill(view, "1 2", words="My words"), "Save change")
        assert rows(view, BOTH)[5] == ["Pinned to", "–", "Provider: Gone CIC", "yes"]
        press(view, "Keep mine")
        assert stands(four)[1] == (4, replace(gone, words="My words"))

    def test_an_entry_opened_again_is_as_it_stands(self, four: Engine, open_it: Open) -> None:
        view = open_it(action="1").choose("action", "2")
        change_action(four, EVERYTHING, 1, 1, self.THEIRS, "Cat")
        view.choose("action", "1")
        assert view.app.text_area(key="action words 1 2").value == "Their words"
        assert lines(view, "problems") == ""


class TestFiles:
    def send(self, view: View, text: str | bytes) -> View:
        raw = text if isinstance(text, bytes) else text.encode()
        view.app.file_uploader[0].set_value([("list.csv", raw, "text/csv")]).run()
        return sound(view)

    def test_downloads(self, four: Engine, open_it: Open) -> None:
        view = open_it(part="files")
        found = re.findall(r'href="(/actions\.[^"]+)"', "".join(view.markup()))
        assert found == [f"/actions.csv?icb={BOARD}", f"/actions.ics?icb={BOARD}"]
        csv, ics = map(get, found)
        assert csv.headers["content-type"] == "text/csv; charset=utf-8"
        assert csv.headers["content-disposition"] == f'attachment; filename="actions-{BOARD}.csv"'
        assert csv.headers["cache-control"] == "no-store"
        assert csv.text.count("\r\n") == 5
        assert ics.headers["content-type"] == "text/calendar; charset=utf-8"
        assert ics.text.count("BEGIN:VEVENT") == 2
        plain = ics.text.replace("\r\n ", "")
        assert f"URL:http://localhost/actions?icb={BOARD}&action=1" in plain
        assert "Next door" not in csv.text + ics.text

    def test_what_is_not_there(self, four: Engine, read_as: Callable[[str], None]) -> None:
        for address in ("/actions.pdf?icb=QZ1", "/actions.csv?icb=QXX", "/actions.csv"):
            assert (get(address).status_code, get(address).text) == (404, "not found")
        read_as(NEIGHBOUR)
        assert get(f"/actions.csv?icb={BOARD}").status_code == 404
        assert "Next door" in get(f"/actions.csv?icb={NEIGHBOUR}").text

    def test_a_mended_list_is_read_back(self, four: Engine, open_it: Open) -> None:
        out = get(f"/actions.csv?icb={BOARD}").content.decode("utf-8-sig")
        view = self.send(open_it(part="files"), out)
        assert "0 entries would change, 0 would be new, 4 stay as they are." in lines(view)
        assert "Save the list" not in buttons(view)
        mended = out.replace("Ask for room", "Ask again") + ",,note,Quiet week\r\n"
        self.send(view, mended)
        assert "1 entry would change, 1 would be new, 3 stay as they are." in lines(view)
        assert stands(four)[1] == (1, LATE)
        press(view, "Save the list")
        assert "2 entries saved from the file." in lines(view)
        assert stands(four)[1] == (2, replace(LATE, words="Ask again"))
        assert stands(four)[6] == (1, ActionEdit("note", "Quiet week"))
        # The box is empty, and the same file again is a conflict, not a second change.
        assert "Save the list" not in buttons(view)
        self.send(view, mended.replace("Ask again", "Ask thrice"))
        assert "changed it on" in lines(view, "problems")
        assert len(stands(four)) == 5

    def test_problems_are_listed_by_row_and_nothing_is_saved(
        self, four: Engine, open_it: Open
    ) -> None:
        before = stands(four)
        view = self.send(
            open_it(part="files"), f"Kind,What\nnote,fine\nwish,x\nnote,{NHS_NUMBER}\n"
        )
        problems = lines(view, "problems")
        assert "Nothing can be saved: 2 problems found." in problems
        assert "row 3, column 'Kind': expected action, decision or note" in problems
        assert f"row 4, column 'What': {NO_PERSON}" in problems
        assert NHS_NUMBER not in view.everything()
        assert "Save the list" not in buttons(view)
        assert stands(four) == before

    def test_what_changes_between_looking_and_saving(self, four: Engine, open_it: Open) -> None:
        view = self.send(
            open_it(part="files"), "Number,Version,Kind,What\n1,1,action,Mine\n,,note,New\n"
        )
        theirs = replace(LATE, words="Theirs")
        change_action(four, EVERYTHING, 1, 1, theirs, "Cat")
        press(view, "Save the list")
        assert "row 2, column 'Version': Cat changed it on" in lines(view, "problems")
        assert (len(stands(four)), stands(four)[1]) == (4, (2, theirs))


def test_hostile_words_are_text(own: Engine, open_it: Open) -> None:
    words = HOSTILE.strip()
    edit = ActionEdit("action", words, words[:100].strip(), AS_AT, "open", "provider", words)
    add_action(own, EVERYTHING, BOARD, edit, "Ann")
    change_action(own, EVERYTHING, 1, 1, replace(edit, state="done"), words)
    view = open_it(action="1")
    assert words in " ".join(view.words().split())
    for part in PARTS:
        follow(view, part=part, action="1")
        for body in view.markup():
            found = Markup.of(body)
            assert found.tags <= OUR_TAGS
            for name, value in found.attributes:
                assert not name.startswith("on")
                if name == "href":
                    assert re.match(r"(/actions\.|\?|/methods)", value)
        for element in view.elements():
            for name in ("body", "label", "help", "placeholder"):
                if element.type == "html" or name not in element.proto.DESCRIPTOR.fields_by_name:
                    continue
                value = str(getattr(element.proto, name))
                for raw in ("**bold**", "[link](javascript", "$x$", ":red[", "`code`", "<script"):
                    assert raw not in value, (element.type, value)
    csv = get(f"/actions.csv?icb={BOARD}").content.decode("utf-8-sig")
    assert "'=1+1<script>" in csv
    assert not re.search(r'(^|,)"?=1\+1', csv, re.MULTILINE)
