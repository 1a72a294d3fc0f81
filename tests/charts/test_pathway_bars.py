"""A pathway as bars: what is hidden or not recorded is a word, and gives nothing away elsewhere."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pandas as pd
import plotly.graph_objects as go
import pytest

from dashboard.charts.pathway_bars import ROW_HEIGHT, StepReference, pathway_bars
from dashboard.rules.disclosure import PROFILES, Released
from dashboard.style import Theme, template

# step, people, people hidden, open, open hidden, share_words, state
ROWS: list[tuple[object, ...]] = [
    ("Referred", 1_000, False, 0, False, "", "recorded"),
    ("Accepted", 900, False, 25, False, "90% (88% to 92%)", "recorded"),
    ("Contacted", 700, False, None, True, "72%", "recorded"),
    ("Plan agreed", 500, False, None, False, "", "recorded"),
    ("Connected <b>", None, False, None, False, "", "not recorded"),
    ("Attended", None, True, 35, False, "4%", "hidden"),
    ("Completed", 0, False, 0, False, "0%", "recorded"),
]
COLUMNS = ["step", "people", "people_hidden", "open", "open_hidden", "share_words", "state"]


def drawn(
    rows: Sequence[tuple[object, ...]] = ROWS, references: Sequence[StepReference] = ()
) -> go.Figure:
    frame = pd.DataFrame(rows, columns=COLUMNS).astype({"people": "Int64", "open": "Int64"})
    return pathway_bars(
        Released(frame, ("people", "open"), PROFILES["nhs"]),
        layout=template(Theme(is_dark=False)),
        colour="#005EB8",
        references=references,
    )


def words(figure: go.Figure) -> list[str]:
    return [note.text.strip() for note in figure.layout.annotations]


def test_a_bar_of_who_was_reached_and_after_it_who_is_open() -> None:
    reached, still_open, *_ = drawn().data
    assert dict(zip(reached.y, reached.x, strict=True)) == {0: 1_000, 1: 900, 2: 700, 3: 500}
    assert dict(zip(still_open.y, still_open.x, strict=True)) == {1: 25}
    assert (reached.name, still_open.name) == ("reached", "still open")
    # Hatched, so that colour is not needed.
    assert (reached.marker.pattern.shape, still_open.marker.pattern.shape) == (None, "/")
    assert drawn().layout.barmode == "stack"


def test_what_is_said_of_each_step() -> None:
    assert words(drawn()) == [
        "<b>Referred</b>  1,000",
        "<b>Accepted</b>  900 · 90% (88% to 92%) · 25 open",
        "<b>Contacted</b>  700 · 72% · * open",
        "<b>Plan agreed</b>  500 · ? open",
        "<b>Connected &lt;b&gt;</b>",
        "<b>Attended</b>",
        "<b>Completed</b>  0 · 0%",
    ]
    assert drawn().data[0].hovertext[1] == (
        "<b>Accepted</b><br>900 people<br>90% (88% to 92%)<br>25 open, not lost"
    )
    assert drawn().data[0].hovertext[0] == "<b>Referred</b><br>1,000 people"


def test_words_where_there_is_no_bar() -> None:
    signs = drawn().data[-1]
    found = {
        place: (x, text.strip())
        for place, x, text in zip(signs.y, signs.x, signs.text, strict=True)
    }
    assert found == {4: (0, "not recorded"), 5: (0, "*")}
    missing = drawn([*ROWS[:1], ("Accepted", None, False, 0, False, "", "recorded")])
    assert [text.strip() for text in missing.data[-1].text] == ["?"]


@pytest.mark.parametrize(
    ("is_hidden", "state", "sign"),
    [(True, "recorded", "*"), (False, "hidden", "*"), (False, "not recorded", "not recorded")],
)
def test_nothing_left_behind_a_sign_is_sent(is_hidden: bool, state: str, sign: str) -> None:
    figure = drawn([ROWS[0], ("Accepted", 123, is_hidden, 456, False, "78.9%", state)])
    assert [text.strip() for text in figure.data[-1].text] == [sign]
    sent = json.dumps(figure.to_dict(), default=str)
    assert [number for number in ("123", "456", "579", "78.9") if number in sent] == []


def test_references_stand_at_their_share_of_those_referred() -> None:
    references = [
        StepReference("Accepted", 0.95, "published: 95%"),
        StepReference("Connected <b>", 0.5, "published: <50%"),
        StepReference("Discharged", 0.1, "no such step"),
    ]
    halo, marks = drawn(references=references).data[2:4]
    assert (list(marks.y), list(marks.x)) == ([1, 4], [950, 500])
    assert list(marks.hovertext) == ["published: 95%", "published: &lt;50%"]
    assert (marks.name, marks.showlegend, halo.showlegend) == ("Published reference", True, False)
    assert not any(trace.showlegend for trace in drawn().data[2:])


def test_no_reference_gives_a_hidden_number_of_referred_away() -> None:
    hidden = ("Referred", 1_000, True, 0, False, "", "hidden")
    figure = drawn([hidden, ROWS[1]], [StepReference("Accepted", 0.95, "published: 95%")])
    assert [list(trace.x) for trace in figure.data[2:4]] == [[], []]
    assert figure.layout.xaxis.range == (0, 925)


def test_the_picture_holds_every_bar_and_every_row() -> None:
    longer = ("Accepted", 995, False, 30, False, "", "recorded")
    assert drawn([ROWS[0], longer]).layout.xaxis.range == (0, 1_025)
    assert drawn(ROWS[:1], [StepReference("Referred", 1.1, "")]).layout.xaxis.range == (0, 1_100)
    assert drawn().layout.yaxis.range == (6.5, -0.7)
    assert drawn().layout.height - drawn(ROWS[:3]).layout.height == 4 * ROW_HEIGHT
    assert drawn([]).layout.annotations == ()
