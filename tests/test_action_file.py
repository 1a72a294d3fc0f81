"""Actions as files: read back as they went out, every problem at once, dates for a calendar."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from icalendar import Calendar
from sqlalchemy import Engine, update

from dashboard.action_file import HEADINGS, MOST_BYTES, MOST_ROWS, csv_file, ics_file, read_csv
from dashboard.actions_view import ActionsView, actions_view
from dashboard.rules.actions import LATEST, broken_rules, tidy
from queries import tables
from queries.actions import ActionEdit, Wanted, actions, add_action, change_action, save_all
from queries.frames import each_row
from queries.scope import EVERYTHING
from tests.small_board import ABBEY, AS_AT, BOARD, NEIGHBOUR, NORTH

KNOWN = {
    "ward": {ABBEY: "Abbey"},
    "pcn": {NORTH: "North PCN"},
    "provider": {"=Together": "=Together", "Age Well": "Age Well"},
    "measure": {"take_up": "Take-up"},
}
CALL = ActionEdit("action", "Call the provider", "Ann", date(2026, 7, 3))
LATE = ActionEdit("action", "Ask for room", "Ben", date(2026, 6, 29), "open", "ward", ABBEY)
NHS_NUMBER = "943 476 5919"
PAGE = "http://board/actions"


def view(engine: Engine) -> ActionsView:
    return actions_view(engine, EVERYTHING, BOARD, AS_AT, KNOWN)


def read(engine: Engine, text: str | bytes):  # type: ignore[no-untyped-def]
    raw = text if isinstance(text, bytes) else text.encode()
    return read_csv(raw, view(engine).frame, KNOWN)


def problems(engine: Engine, text: str | bytes) -> list[str]:
    found = read(engine, text)
    assert not found.problems or (found.wanted, found.rows, found.same) == ((), (), 0)
    return [str(problem) for problem in found.problems]


def written(engine: Engine) -> list[dict[str, str]]:
    text = csv_file(view(engine).frame).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def events(engine: Engine) -> list[Any]:
    return Calendar.from_ical(ics_file(view(engine).frame, PAGE)).walk("VEVENT")


def fixed_times(engine: Engine) -> None:
    """The same moment in every entry, so that a file can be compared whole."""
    at = datetime(2026, 6, 30, 10, 14, 5, 123, tzinfo=UTC)
    with engine.begin() as connection:
        connection.execute(update(tables.action).values(created_at=at, changed_at=at))


@pytest.fixture
def two(sqlite_engine: Engine) -> Engine:
    """Number 1 is due on 3 July, number 2 was on 29 June."""
    for edit in (CALL, LATE):
        add_action(sqlite_engine, EVERYTHING, BOARD, edit, "Ann")
    add_action(sqlite_engine, EVERYTHING, NEIGHBOUR, replace(CALL, words="next door"), "Eve")
    return sqlite_engine


class TestOut:
    def test_the_whole_file(self, two: Engine) -> None:
        fixed_times(two)
        at = "30 June 2026 at 10:14 UTC,Ann,30 June 2026 at 10:14 UTC,Ann"
        assert csv_file(view(two).frame).decode() == (
            "\ufeffNumber,Version,Kind,What,Owner,Due,State,Pinned to,Pinned code,"
            "Day on the chart,Pinned name,Page,Meeting,Written down,By,Last changed,Changed by\r\n"
            f"1,1,action,Call the provider,Ann,2026-07-03,open,,,,,,,{at}\r\n"
            f"2,1,action,Ask for room,Ben,2026-06-29,open,ward,{ABBEY},,Ward: Abbey,,,{at}\r\n"
        )

    def test_an_empty_list_has_its_headings(self, sqlite_engine: Engine) -> None:
        found = csv_file(view(sqlite_engine).frame)
        assert found == b"\xef\xbb\xbf" + ",".join(HEADINGS).encode() + b"\r\n"

    @pytest.mark.parametrize("words", ["=1+1", "+1", "-1", "@x", "'=1", "''+1", "-"])
    def test_no_cell_is_a_formula(self, sqlite_engine: Engine, words: str) -> None:
        add_action(
            sqlite_engine, EVERYTHING, BOARD, replace(CALL, words=words, owner=words), "=Eve"
        )
        (row,) = written(sqlite_engine)
        assert (row["What"], row["Owner"], row["Changed by"]) == (f"'{words}", f"'{words}", "'=Eve")

    def test_the_same_entries_are_the_same_bytes(self, two: Engine) -> None:
        assert csv_file(view(two).frame) == csv_file(view(two).frame)
        assert ics_file(view(two).frame, PAGE) == ics_file(view(two).frame, PAGE)


def texts(longest: int) -> st.SearchStrategy[str]:
    hostile = st.sampled_from(
        ["=1+1", "'=1", "'", "a\nb", '"', "a,b;c", "<script>", "\ufeff", "ß–慢"]
    )
    return st.lists(st.text(max_size=8) | hostile, max_size=4).map(lambda p: "".join(p)[:longest])


@st.composite
def edits(draw: Callable[..., object]) -> ActionEdit:
    """Whatever may be written down."""
    kind = draw(st.sampled_from(["action", "decision", "note"]))
    days = st.dates(date(2015, 1, 1), LATEST)
    pin = draw(
        st.sampled_from([(k, c) for k, names in KNOWN.items() for c in names] + [(None, None)])
    )
    return ActionEdit(
        kind=kind,  # type: ignore[arg-type]
        words=tidy(draw(texts(400))) or "x",  # type: ignore[arg-type]
        owner=tidy(draw(texts(90))) or ("Ann" if kind == "action" else None),  # type: ignore[arg-type]
        due_on=draw(days if kind == "action" else st.none() | days),  # type: ignore[arg-type]
        state=draw(st.sampled_from(["open", "done", "dropped"])),  # type: ignore[arg-type]
        pinned_kind=pin[0],  # type: ignore[index]
        pinned_code=pin[1],  # type: ignore[index]
        pinned_on=draw(st.none() | days) if pin[0] else None,  # type: ignore[arg-type, index]
        page=draw(st.none() | st.just("coverage")),  # type: ignore[arg-type]
    )


class TestBack:
    @given(st.lists(edits(), max_size=4))
    @example([replace(CALL, words="'=1\n2", owner="''+a"), replace(CALL, words='"a","b"\n\n=c')])
    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_as_it_went_out_changes_nothing(
        self, sqlite_engine: Engine, wanted: list[ActionEdit]
    ) -> None:
        with sqlite_engine.begin() as connection:
            connection.execute(tables.action.delete())
        save_all(sqlite_engine, EVERYTHING, BOARD, [Wanted(edit) for edit in wanted], "Ann")
        before = actions(sqlite_engine, EVERYTHING, BOARD)
        found = read(sqlite_engine, csv_file(view(sqlite_engine).frame))
        assert (found.wanted, found.problems, found.same) == ([], (), len(wanted))
        # Written down anew on another board, they say the same.
        text = csv_file(view(sqlite_engine).frame).decode("utf-8-sig")
        rows = list(csv.DictReader(io.StringIO(text, newline="")))
        body = io.StringIO(newline="")
        writer = csv.DictWriter(body, HEADINGS)
        writer.writeheader()
        writer.writerows({**row, "Number": "", "Version": ""} for row in rows)
        anew = read_csv(body.getvalue().encode(), before[:0], KNOWN)
        said = [replace(edit, page=None) for edit in wanted]
        # One that says what an earlier row said is there already.
        assert [one.edit for one in anew.wanted] == list(dict.fromkeys(said))
        assert not [e for e in wanted if broken_rules(**_said(e))]

    def test_changed_rows_change_and_rows_without_a_number_are_new(self, two: Engine) -> None:
        found = read(
            two,
            "Number,Version,Kind,What,Owner,Due,State,Pinned to,Pinned code,Day on the chart\n"
            "1,1,Action,Call the provider,Ann,10/07/2026,Open,,,\n"
            f"2,1,action,Ask for room,Ben,2026-06-29,open,ward,{ABBEY},\n"
            ",,,,,,,,,\n"
            ",, DECISION ,'=1+1, ,, ,provider,'=Together,01/06/2026\n",
        )
        new = ActionEdit(
            "decision", "=1+1", None, None, "open", "provider", "=Together", date(2026, 6, 1)
        )
        assert found.problems == ()
        assert found.wanted == [Wanted(replace(CALL, due_on=date(2026, 7, 10)), 1, 1), Wanted(new)]
        assert (list(found.rows), found.same) == ([2, 5], 1)

    def test_twice_is_once(self, two: Engine) -> None:
        text = "Kind,What\nnote,Quiet week\nnote,Quiet week\n"
        found = read(two, text)
        assert ([one.edit.words for one in found.wanted], found.same) == (["Quiet week"], 1)
        save_all(two, EVERYTHING, BOARD, found.wanted, "Ann")
        again = read(two, text)
        assert (list(again.wanted), again.same, list(again.problems)) == ([], 2, [])

    def test_what_the_file_does_not_tell_stays(self, two: Engine) -> None:
        with_page = replace(LATE, page="coverage", pinned_on=date(2026, 6, 1))
        change_action(two, EVERYTHING, 2, 1, with_page, "Ann")
        found = read(two, "Version,What,Kind,Number\n2,Ask again,action,2\n")
        assert found.wanted == [Wanted(replace(with_page, words="Ask again"), 2, 2)]
        # An empty cell is told: it takes away.
        found = read(two, "Number,Version,Kind,What,Owner\n2,2,note,Ask for room,\n")
        assert found.wanted == [Wanted(replace(with_page, kind="note", owner=None), 2, 2)]

    def test_what_is_for_reading_only_is_not_read(self, two: Engine) -> None:
        text = (
            csv_file(view(two).frame)
            .decode()
            .replace("Ann,", "Eve,")
            .replace("Eve,2026", "Ann,2026")
        )
        found = read(two, text)
        assert (list(found.wanted), found.same) == ([], 2)

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("", "the file is empty: export the list again"),
            ("\n", "row 1, column 'Kind': expected this column"),
            ("a" * (MOST_BYTES + 1), f"expected at most 2,000,000 bytes, found {MOST_BYTES + 1:,}"),
            (
                "Kind,What\n" + "note,x\n" * (MOST_ROWS + 1),
                "expected at most 5,000 rows, found 5,001",
            ),
            ('Kind,What\nnote,"a"b\n', "cannot be read as CSV: ',' expected after '\"'"),
        ],
    )
    def test_what_is_no_such_list(self, two: Engine, text: str, words: str) -> None:
        assert problems(two, text)[0] == words

    def test_as_many_rows_as_may_be(self, two: Engine) -> None:
        rows = "".join(f"note,number {n}\n" for n in range(MOST_ROWS))
        assert len(read(two, "Kind,What\n" + rows).wanted) == MOST_ROWS

    def test_columns_that_are_not_the_lists(self, two: Engine) -> None:
        assert problems(two, "Kind,Owner,Owner,Patient\nnote,,,x\n") == [
            "row 1, column 'Patient': not a column of this list: take it out",
            "row 1, column 'Owner': stands twice: take one out",
            "row 1, column 'What': expected this column",
        ]

    def test_every_problem_at_once(self, two: Engine) -> None:
        change_action(two, EVERYTHING, 2, 1, replace(LATE, words="Room is there"), "Cat")
        fixed_times(two)
        before = actions(two, EVERYTHING, BOARD)
        found = problems(
            two,
            "Number,Version,Kind,What,Owner,Due,State,Pinned to,Pinned code\n"
            ",,note,fine,,,,,\n"  # 2
            "1,,action,a,Ann,2026-07-03,open,,\n"
            "2,1,action,b,Ben,29/06/2026,open,,\n"
            "3,1,action,next door's,Ann,2026-07-03,open,,\n"  # 5
            ",1,note,c,,,,,\n"
            "x,y,note,d,,,,,\n"
            ",,wish,,,31/02/2026,gone,,\n"  # 8
            ",,action,,,,,,\n"
            f",,note,Call {NHS_NUMBER},,,,,\n"  # 10
            ",,note,e,,,,ward,E09999999\n"
            ",,note,f,,,,person,x\n"
            ",,note,g,,,,,,too much\n"  # 13
            f",,note,{'x' * 501},,,,,\n",
        )
        assert found == [
            "row 3, column 'Version': expected the version that was changed, as the list has it",
            "row 4, column 'Version': Cat changed it on 30 June 2026 at 10:14 UTC, and it says "
            "'Room is there' now: export the list again, or write version 2 to replace that",
            "row 5, column 'Number': expected a number of this board's list, or nothing for a new "
            "entry; found 3",
            "row 6, column 'Version': expected nothing: a new entry has no version",
            "row 7, column 'Number': expected a whole number; found 'x'",
            "row 7, column 'Version': expected a whole number; found 'y'",
            "row 7, column 'Version': expected nothing: a new entry has no version",
            "row 8, column 'Due': expected a day such as 2026-06-30 or 30/06/2026; found '31…' "
            "(10 characters)",
            "row 8, column 'Kind': expected action, decision or note",
            "row 8, column 'State': expected open, done or dropped",
            "row 8, column 'What': expected what is to be done, was decided or noted",
            "row 9, column 'What': expected what is to be done, was decided or noted",
            "row 9, column 'Owner': expected who does it: an action has an owner",
            "row 9, column 'Due': expected by when: an action has a due date",
            "row 10, column 'What': holds what may be an NHS number: nothing here may say who a "
            "person is",
            "row 11, column 'Pinned code': expected the code of a ward of this board",
            "row 12, column 'Pinned to': expected ward, pcn, provider or measure",
            "row 13: expected no more cells than headings",
            "row 14, column 'What': expected at most 500 characters, found 501",
        ]
        pd.testing.assert_frame_equal(actions(two, EVERYTHING, BOARD), before)

    def test_a_number_stands_once(self, two: Engine) -> None:
        text = "Number,Version,Kind,What\n1,1,note,one\n1,1,note,two\n"
        assert problems(two, text) == ["row 3, column 'Number': expected each number once; found 1"]

    @pytest.mark.parametrize("number", ["0", "-1", "1.5", "1e3", "9" * 30, "١"])
    def test_numbers_that_are_none(self, two: Engine, number: str) -> None:
        (first, *_) = problems(two, f"Number,Version,Kind,What\n{number},1,note,x\n")
        assert first.startswith("row 2, column 'Number': expected a ")

    def test_what_it_was_pinned_to_it_may_stay_pinned_to(self, two: Engine) -> None:
        gone = replace(LATE, pinned_kind="provider", pinned_code="Gone CIC")
        change_action(two, EVERYTHING, 2, 1, gone, "Ann")
        found = read(two, "Number,Version,Kind,What\n2,2,action,Later\n")
        assert found.wanted == [Wanted(replace(gone, words="Later"), 2, 2)]
        text = "Kind,What,Pinned to,Pinned code\nnote,x,provider,Gone CIC\n"
        assert problems(two, text) == [
            "row 2, column 'Pinned code': expected the code of a provider of this board"
        ]

    def test_as_windows_saves_it(self, two: Engine) -> None:
        found = read(two, "Kind,What\r\nnote,Café – “quiet”\r\n".encode("cp1252"))
        assert [one.edit.words for one in found.wanted] == ["Café – “quiet”"]


def _said(edit: ActionEdit) -> dict[str, Any]:
    return {k: v for k, v in vars(edit).items() if k not in ("page", "meeting_id")}


class TestCalendar:
    def test_the_whole_file(self, two: Engine) -> None:
        fixed_times(two)
        body = ics_file(view(two).frame, PAGE).decode()
        event = (
            "BEGIN:VEVENT\r\nSUMMARY:Due: Call the provider\r\n"
            "DTSTART;VALUE=DATE:20260703\r\nDTEND;VALUE=DATE:20260704\r\n"
            "DTSTAMP:20260630T101405Z\r\n"
            f"UID:action-1-{BOARD}-20260630T101405000123@social-prescribing\r\nSEQUENCE:1\r\n"
        )
        assert event in body
        assert "METHOD:PUBLISH" in body
        assert "TRANSP:TRANSPARENT" in body
        assert all(len(line.encode()) <= 75 for line in body.split("\r\n"))

    def test_open_actions_with_a_date_and_no_other(self, two: Engine) -> None:
        for edit in (
            replace(CALL, state="done"), replace(CALL, state="dropped"), replace(CALL, kind="note"),
            replace(CALL, kind="decision"), replace(CALL, due_on=None),
        ):  # fmt: skip
            add_action(two, EVERYTHING, BOARD, edit, "Ann")
        found = events(two)
        assert [(str(e["SUMMARY"]), e["DTSTART"].dt, e["DTEND"].dt) for e in found] == [
            ("Due: Call the provider", date(2026, 7, 3), date(2026, 7, 4)),
            ("Due: Ask for room", date(2026, 6, 29), date(2026, 6, 30)),
        ]
        assert str(found[1]["DESCRIPTION"]) == (
            f"Ask for room\nOwner: Ben\nPinned to Ward: Abbey\n{PAGE}?icb={BOARD}&action=2"
        )
        assert str(found[1]["URL"]) == f"{PAGE}?icb={BOARD}&action=2"

    def test_a_change_has_the_same_uid_and_a_higher_sequence(self, two: Engine) -> None:
        def first() -> tuple[str, int, date]:
            event = events(two)[0]
            return str(event["UID"]), event["SEQUENCE"], event["DTSTART"].dt

        uid, sequence, _ = first()
        change_action(two, EVERYTHING, 1, 1, replace(CALL, due_on=date(2026, 7, 10)), "Ben")
        assert first() == (uid, sequence + 1, date(2026, 7, 10))

    def test_hostile_words_stay_words(self, sqlite_engine: Engine) -> None:
        words = 'x\r\nEND:VEVENT\nBEGIN:VALARM\n, ; \\ : "<script>' + "ß" * 200
        add_action(sqlite_engine, EVERYTHING, BOARD, replace(CALL, words=tidy(words)), "Ann")
        body = ics_file(view(sqlite_engine).frame, PAGE)
        assert len(re.findall(rb"^(BEGIN|END):", body, re.MULTILINE)) == 4
        (event,) = Calendar.from_ical(body).walk("VEVENT")
        assert str(event["DESCRIPTION"]).startswith(tidy(words))
        assert len(str(event["SUMMARY"])) == 120

    def test_nothing_due_is_a_calendar_without_events(self, sqlite_engine: Engine) -> None:
        assert events(sqlite_engine) == []


def test_the_overdue_come_first_in_the_view(two: Engine) -> None:
    add_action(two, EVERYTHING, BOARD, ActionEdit("note", "Early", due_on=date(2026, 1, 1)), "Ann")
    add_action(two, EVERYTHING, BOARD, replace(CALL, due_on=date(2026, 7, 8)), "Ann")
    found = view(two)
    said = [(row.id, str(row.due), row.pinned_name) for row in each_row(found.frame)]
    assert said == [
        (2, "overdue", "Ward: Abbey"),
        (1, "due within 7 days", ""),
        (5, "due later", ""),
        (4, "not due", ""),
    ]
    assert found.finding == [
        "**1 action is overdue**, 1 action due this week.",
        "3 actions open; 0 decisions and 1 note written down.",
    ]


def test_nothing_overdue_is_said(sqlite_engine: Engine) -> None:
    assert view(sqlite_engine).finding[0] == "**No action is overdue**, none due this week."
    for _ in range(2):
        add_action(sqlite_engine, EVERYTHING, BOARD, LATE, "Ann")
    assert view(sqlite_engine).finding[0] == "**2 actions are overdue**, none due this week."
