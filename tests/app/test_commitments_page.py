"""The National commitments page in each state: normal, empty, hidden, returns that never came."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
from sqlalchemy import Engine

from dashboard.data import engine
from queries.load import save
from tests.app.reading import Markup, View
from tests.app.test_routes import get
from tests.conftest import rest_is_slow
from tests.small_board import ABBEY, BOARD, NEIGHBOUR, NORTH, NORTHAM, Board, Referrals
from tests.test_commitments import budgets, year_of_returns

# Whole pages, the command line or the server: `test_pages` has one quick look at each.
pytestmark = pytest.mark.slow

QUESTION = "Which national commitments are in force, and where does the board stand?"
JUDGEMENTS = re.compile(r"\b(met|missed|achieved|failed|on track|within|at or above the)\b")


def table_rows(view: View, caption: str) -> dict[str, list[str]]:
    """The rows of a small table by their first cell."""
    body = next(m for m in view.markup() if f"<caption>{caption}" in m)
    rows = re.findall(r"<tr>(<th scope=\"row\">.*?)</tr>", body)
    cells = [
        [Markup.of(each).text for each in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)]
        for row in rows
    ]
    return {row[0]: row[1:] for row in cells}


def cards(view: View) -> dict[str, tuple[str, str]]:
    """By title: the card's class and its text."""
    found = {}
    for body in view.markup():
        if '<ul class="commitments">' in body:
            for kind, inside in re.findall(r'<li class="(\w+)">(.*?)</li>', body):
                title = Markup.of(inside.split(" <span>")[0]).text
                found[title] = (kind, Markup.of(inside).text)
    return found


def test_the_page_answers_its_question(demonstration: Engine, open_page: Callable[..., View]):
    view = open_page("commitments")
    assert not view.app.exception
    assert sum(body.count("<h1>") for body in view.markup()) == 1
    assert QUESTION in view.words()
    assert view.chosen_words == "Kent (demonstration) · as at 30 June 2026"
    assert "1 of 9" in view.part("finding")
    assert "6 expired, 1 retired and 1 superseded" in view.part("finding")
    assert "Demonstration." in view.words()
    assert len(cards(view)) == 13
    assert len(table_rows(view, "As at")) == 13


def test_the_sum_is_shown(demonstration: Engine, open_page: Callable[..., View]):
    view = open_page("commitments")
    assert "900,000 ÷ 250 = 3,600 FTE; 900,000 ÷ 200 = 4,500 FTE" in view.words()
    assert table_rows(view, "People able")["England"] == [
        "900,000", "3,600", "4,500", "1,000", "9,000", "not loaded",
    ]  # fmt: skip


def test_what_has_ended_is_greyed_with_its_end_and_not_judged(
    demonstration: Engine, open_page: Callable[..., View]
):
    found = cards(open_page("commitments"))
    over = {title: text for title, (kind, text) in found.items() if kind == "over"}
    assert len(over) == 8
    for title, text in over.items():
        assert re.search(r"(expired|retired|superseded) \d{1,2} \w+ 20\d\d", text), title
        stands = text.partition("Where the board stands")[2].partition("Source")[0]
        assert not JUDGEMENTS.search(stands), title
    assert "within 200 to 250" in found["200 to 250 people a year per link worker"][1]
    assert found["69,000 people referred before the plan"][0] == "stands"
    assert "(secondary source)" in found["9,000 link workers"][1]
    assert "(primary source)" in found["1,000 link workers"][1]


def test_every_misquote_is_named(small_board: Engine, open_page: Callable[..., View]):
    found = cards(open_page("commitments"))
    for title, words in (
        ("900,000 people able to be referred", '"will have been referred"'),
        ("1,000 link workers", "headcount"),
        ("2.5 million people with personalised care", "social prescribing alone"),
        ("A link worker in every network", "funding of one additional worker per network"),
        ("200 to 250 people a year per link worker", "our reading"),
    ):
        assert words in found[title][1].partition("Often misquoted")[2].partition("Nationally")[0]


def test_figures_of_the_small_board(small_board: Engine, open_page: Callable[..., View]):
    view = open_page("commitments")
    found = table_rows(view, "As at")
    # 14,500 of England's 63,919,527 are 0.02%.
    assert found["1,000 link workers"][3:6] == [
        "0.2 (0.02% of England's registered patients)",
        "2 people of networks' own staff at the census of 30 June 2026 (4.0 FTE with contracted "
        "staff, who come without a headcount); 2 of 3 networks returned",
        "at or above its share (0.2) in every return since November 2025: 2 returns, and 6 months "
        "between them without one",
    ]
    assert found["A link worker in every network"][3:6] == [
        "one in each of its 3 networks",
        "1 of the 2 networks that returned has one; 1 did not, and is neither",
        "1 network returned without a link worker",
    ]
    assert found["900,000 people able to be referred"][4:6] == [
        "100 referrals received in the 12 months to Jun 2026 by 2 of 3 networks: 8.3 per 1,000 "
        "registered patients, beside the 12 to 16 (1.2% to 1.6%) of the incentive",
        "not worked out: being referred is not being able to be referred",
    ]
    assert found["9,000 link workers"][5] == "1 more would be the board's share"
    assert found["100,000 personal health budgets"][4] == (
        "not known: hidden for 1 of 2 groups of entitlement"
    )
    assert (
        "63,919,527 patients registered at practices in England on 1 October 2025" in view.words()
    )


def test_a_locality_or_network_does_not_change_it(
    small_board: Engine, open_page: Callable[..., View]
):
    view = open_page("commitments", locality=NORTHAM, pcn=NORTH)
    assert "the whole board, whatever locality or network is chosen" in view.chosen_words
    assert table_rows(view, "As at") == table_rows(open_page("commitments"), "As at")


def test_an_empty_database_tells_what_to_do(empty: Engine, open_page: Callable[..., View]):
    view = open_page("commitments")
    assert not view.app.exception
    assert "No data is loaded yet" in view.words()


@pytest.mark.parametrize(
    ("missing", "words"),
    rest_is_slow(
        ({"practices": False}, "No list sizes are loaded for this board"),
        ({"workforce": False}, "No workforce return is loaded"),
        ({"referrals": (), "before_window": 0}, "not known: no referral return for the period"),
        ({"budgets": False}, "No return of personal health budgets is loaded for this board"),
    ),
)
def test_what_never_came_is_said(
    load_board: Callable[..., Engine],
    open_page: Callable[..., View],
    missing: dict[str, object],
    words: str,
):
    load_board(Board().but(**missing))
    view = open_page("commitments")
    assert not view.app.exception
    assert "could not be shown" not in view.everything()
    assert words in view.words()
    assert len(cards(view)) == 13


def test_hidden_numbers_are_nowhere(
    load_board: Callable[..., Engine], open_page: Callable[..., View]
):
    load_board(Board(budgets=False, referrals=(Referrals(ABBEY, NORTH, (0, 2, 2, 2)),)))
    year_of_returns(engine(), 0.5)
    save(engine(), budgets(120, 6, 41))
    view = open_page("commitments")
    rows = table_rows(view, "As at")
    hidden = "not known: hidden, so that nobody can be recognised"
    for title in ("900,000 people able to be referred", "69,000 people referred before the plan"):
        assert rows[title][4] == hidden
    assert rows["200 to 250 people a year per link worker"][4] == hidden
    assert rows["100,000 personal health budgets"][4] == (
        "not known: hidden for 1 of 3 groups of entitlement"
    )
    assert table_rows(view, "Local return")["Children's continuing care"] == ["*"]
    # 6 referrals per 1,000 of 12,000 patients, per 0.5 FTE; 167 budgets, shown as 165.
    assert not re.search(r"\b(0\.5 in the|12 referrals|6 referrals|167|165)\b", view.everything())


@pytest.mark.slow
def test_the_downloads_are_of_what_is_shown(small_board: Engine, open_page: Callable[..., View]):
    links = re.findall(r'href="(/export/[^"]+)"', "".join(open_page("commitments").markup()))
    assert [link.split("?")[0] for link in links] == [
        "/export/commitments.csv", "/export/commitments.xlsx", "/export/commitments.json",
    ]  # fmt: skip
    assert all(get(link).status_code == 200 for link in links)
    made = json.loads(get(links[2]).content)
    assert made["meta"]["basis"]["england_patients"] == 63_919_527
    rows = {row["id"]: row for row in made["rows"]}
    assert (rows["link_workers_1000"]["figure"], rows["link_workers_1000"]["held_since"]) == (
        2, "2025-11-30",
    )  # fmt: skip


def test_a_reader_of_another_board_sees_nothing(
    small_board: Engine, open_page: Callable[..., View], read_as: Callable[[str], None]
):
    read_as(NEIGHBOUR)
    view = open_page("commitments", icb=BOARD)
    assert not view.app.exception
    assert "Small board" not in view.everything()
    assert "14,500" not in view.everything()
