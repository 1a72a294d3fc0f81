"""The Workforce page in each state: normal, filtered, picked, empty, hidden, and where targets are set."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from datetime import date
from html import unescape
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from streamlit.proto.WidgetStates_pb2 import WidgetState

from dashboard import target_editor
from dashboard.style import month
from dashboard.workforce_sections import VIEWS
from dashboard.workforce_view import TRENDS
from tests.app.conftest import fill
from tests.app.reading import Markup, View
from tests.app.test_routes import get
from tests.conftest import rest_is_slow
from tests.small_board import (
    ABBEY,
    BOARD,
    CASTLE,
    EAST,
    NORTH,
    NORTHAM,
    SOUTH,
    Board,
    Referrals,
)

# Whole pages, the command line or the server: `test_pages` has one quick look at each.
pytestmark = pytest.mark.slow

QUESTION = "Do networks have the link workers they mean to have?"
KENT, THANET = "Kent (demonstration) · as at 30 June 2026", "E07000114"
# Networks of the demonstration: with a target and posts; without a worker; without a return.
CANTERBURY, SWALE, DOVER = "UDK006", "UDK029", "UDK010"
# A year in which North is told of in full, South has nobody, and East sends nothing; of North
# so few referrals that they are hidden.
A_YEAR = {NORTH: (4.0,) * 12, SOUTH: (0.0,) * 12}
FEW = (Referrals(ABBEY, NORTH, (1, 1, 1, 1)), Referrals(CASTLE, SOUTH, (10, 10, 10, 13)))
FEW_REFERRALS = Board(monthly=A_YEAR, referrals=FEW, before_window=0)


@pytest.fixture(scope="module")
def few_path(tmp_path_factory: pytest.TempPathFactory, upgraded_file: Path) -> Path:
    """The board with few referrals: read it only."""
    path = tmp_path_factory.mktemp("few") / "board.db"
    fill(path, upgraded_file, FEW_REFERRALS)
    return path


@pytest.fixture
def few(use_database: Callable[[Path], Engine], few_path: Path, on_the_day: None) -> Engine:
    """The dashboard reads the board with few referrals."""
    return use_database(few_path)


@pytest.fixture
def open_it(open_page: Callable[..., View]) -> Callable[..., View]:
    """Opens the page at an address."""

    def open_at(**address: str) -> View:
        view = open_page("workforce", **address)
        assert not view.app.exception
        assert "could not be shown" not in view.everything()
        return view

    return open_at


Open = Callable[..., View]


def listed(view: View) -> dict[str, dict[str, list[Any]]]:
    """The list that the browser of this view would fetch: cells by title, by code."""
    body = get(view.table_data()["url"]).json()
    titles = [column["title"] for column in body["columns"]]
    return {row["key"]: dict(zip(titles, row["cells"], strict=True)) for row in body["rows"]}


def small_table(view: View, caption: str) -> list[dict[str, str]]:
    """A table of the page, one dictionary a row."""
    body = next(m for m in view.markup() if f'aria-label="{caption}' in m)
    head, *rows = [
        [unescape(cell) for cell in re.findall(r"<t[hd][^>]*>([^<]*)</t[hd]>", row)]
        for row in body.split("<tr>")[1:]
    ]
    return [dict(zip(head, row, strict=True)) for row in rows]


def marks(view: View, chart: str, name: str) -> dict[str, float]:
    """Where the marks of a name stand, by code."""
    found = [t for t in view.figure(chart)["data"] if t.get("name") == name and "customdata" in t]
    return {code: x for t in found for code, x in zip(t["customdata"], t["x"], strict=True)}


def series(view: View, chart: str) -> dict[str, dict[str, float]]:
    """The values of each line with a name, by month as the tables write it; gaps left out."""
    return {
        trace["name"]: {
            month(date.fromisoformat(x)): y
            for x, y in zip(trace["x"], trace["y"], strict=True)
            if y is not None
        }
        for trace in view.figure(chart)["data"]
        if trace.get("name") and "fill" not in trace
    }


def panel(view: View) -> dict[str, str]:
    """What the panel of the picked network says; nothing without one."""
    bodies = [m for m in view.markup() if m.startswith('<dl class="facts"')]
    return {
        unescape(term): unescape(words)
        for body in bodies
        for term, words in re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", body)
    }


def tile(view: View, label: str) -> str:
    """The words of one tile."""
    return next(text for text in view_tiles(view) if text.startswith(label))


def view_tiles(view: View) -> list[str]:
    """The words of every tile."""
    body = next(m for m in view.markup() if 'class="tiles"' in m)
    return [" ".join(Markup.of(box).text.split()) for box in body.split("<li>")[1:]]


def click_on_chart(view: View, chart: str, code: str) -> View:
    """What the browser sends when a mark is clicked."""
    proto = next(
        e.proto
        for e in view.elements()
        if e.type == "plotly_chart" and e.proto.id.endswith(f"-{chart}")
    )
    point = {"points": [{"customdata": code}], "point_indices": [0], "box": [], "lasso": []}
    return _send(view, WidgetState(id=proto.id, string_value=json.dumps({"selection": point})))


def click_in_list(view: View, code: str) -> View:
    """What the browser sends when a row of the list is picked."""
    proto = next(e.proto for e in view.elements() if e.type == "bidi_component")
    picked = json.dumps([{"event": "picked", "value": code}])
    name = f"$$STREAMLIT_INTERNAL_KEY_{proto.id}__events"
    return _send(view, WidgetState(id=name, json_trigger_value=picked))


def _send(view: View, state: WidgetState) -> View:
    states = view.app._tree.get_widget_states()
    states.widgets.append(state)
    view.app._run(states)
    return view


def press(view: View, label: str) -> View:
    next(button for button in view.app.button if button.label == label).click().run()
    assert not view.app.exception
    return view


def said(view: View) -> str:
    """What the target editor says of the last change."""
    return next(Markup.of(m).text for m in view.markup() if m.startswith('<ul class="lines">'))


class TestNormal:
    def test_the_page_answers_its_question(self, demonstration: Engine, open_it: Open):
        view = open_it()
        assert sum(body.count("<h1>") for body in view.markup()) == 1
        assert QUESTION in view.words()
        assert view.chosen_words == KENT
        found = re.search(
            r"([\d.]+) FTE\s+in post in 37 networks;\s+(\d+) of (\d+)\s+with a target or a plan are "
            r"short of it, by ([\d.]+) FTE together\.",
            view.part("finding"),
        )
        assert found
        rows = listed(view)
        assert len(rows) == 38
        in_post = [row["FTE in post"][1] for row in rows.values() if len(row["FTE in post"]) > 1]
        gaps = [row["Short of it"][1] for row in rows.values() if len(row["Short of it"]) > 1]
        short = [gap for gap in gaps if gap > 0]
        assert found.groups() == (
            f"{sum(in_post):.1f}", str(len(short)), str(len(gaps)), f"{sum(short):.1f}"
        )  # fmt: skip
        assert tile(view, "FTE in post").split()[3] == found[1]
        assert tile(view, "Short of target").split()[5] == found[4]

    @pytest.mark.slow
    def test_the_headings_are_in_order(self, demonstration: Engine, open_it: Open):
        levels = re.findall(r"<h([1-6])[ >]", "".join(open_it(pcn=CANTERBURY).markup()))
        assert levels[0] == "1"
        steps = [int(b) - int(a) for a, b in pairwise(levels)]
        assert max(steps) == 1

    @pytest.mark.slow
    def test_no_anchor_stands_twice(self, demonstration: Engine, open_it: Open):
        anchors = re.findall(r' id="([^"]+)"', "".join(open_it(pcn=CANTERBURY).markup()))
        assert len(anchors) == len(set(anchors)) >= 6

    @pytest.mark.slow
    def test_the_words_judge_nobody(self, demonstration: Engine, open_it: Open):
        unkind = re.compile(
            r"\b(poor(ly)?|bad(ly)?|worst|worse|good|best|fails?|failing|failed|underperform\w*|"
            r"alarming|unacceptable|inadequate|lazy|disappointing|excellent)\b",
            re.IGNORECASE,
        )
        for address in ({}, {"pcn": CANTERBURY}, {"pcn": SWALE}, {"pcn": DOVER}):
            words = open_it(**address).words()
            # The name that NHS England gave the icon.
            words = words.replace("Target out of reach as things are: fail", "")
            assert unkind.findall(words) == [], address

    def test_the_order_is_the_shortest_first(self, demonstration: Engine, open_it: Open):
        cells = [row["Short of it"] for row in listed(open_it()).values()]
        gaps = [cell[1] for cell in cells if len(cell) > 1]
        assert gaps == sorted(gaps, reverse=True)
        assert [len(cell) > 1 for cell in cells] == [True] * len(gaps) + [False] * 3

    def test_the_downloads_are_of_what_is_shown(self, small_board: Engine, open_it: Open):
        links = re.findall(r'href="(/export/[^"]+)"', "".join(open_it().markup()))
        assert [link.split("?")[0] for link in links] == [
            f"/export/workforce.{form}" for form in ("csv", "xlsx", "json")
        ]
        assert all(get(unescape(link)).status_code == 200 for link in links)


class TestFilters:
    def test_a_locality_shows_its_networks_everywhere(self, demonstration: Engine, open_it: Open):
        view = open_it(locality=THANET)
        rows = listed(view)
        assert len(rows) == 3
        assert {row["Network"][2] for row in rows.values()} == {"Thanet"}
        assert view.figure("networks_staffing")["layout"]["yaxis"]["tickvals"] == list(rows)
        assert view.chosen_words == "Kent (demonstration) > Thanet · as at 30 June 2026"
        assert "in post in 3 networks" in " ".join(view.part("finding").split())
        assert "3 of 3 networks returned" in tile(view, "FTE in post")
        assert "the whole board" in view.words()

    @pytest.mark.slow
    def test_a_picked_network_of_another_locality_is_listed_too(
        self, demonstration: Engine, open_it: Open
    ):
        view = open_it(locality=THANET, pcn=CANTERBURY)
        assert len(listed(view)) == 4
        assert CANTERBURY in listed(view)

    @pytest.mark.parametrize(
        "how",
        ["sidebar", "list", *VIEWS, pytest.param("link", marks=pytest.mark.slow)],
    )
    def test_a_network_is_picked_the_same_however(
        self, demonstration: Engine, open_it: Open, how: str
    ):
        if how == "link":
            view = open_it(pcn=CANTERBURY)
        elif how == "sidebar":
            view = open_it().choose("pcn", CANTERBURY)
        elif how == "list":
            view = click_in_list(open_it(), CANTERBURY)
        else:
            view = click_on_chart(open_it(view=how), f"networks_{how}", CANTERBURY)
        assert not view.app.exception
        assert view.value("pcn") == view.address["pcn"] == view.table_data()["picked"] == CANTERBURY
        assert view.chosen_words.endswith("> Canterbury North West PCN · as at 30 June 2026")
        assert panel(view)["Target"].startswith("3.00 FTE: agreed with the PCN")
        # The others stay, to be compared with.
        assert len(listed(view)) == 38
        drawn = "funnel" if how == "funnel" else view.address["view"]
        assert "<b>Canterbury North West" in json.dumps(view.figure(f"networks_{drawn}")["layout"])

    def test_every_network_again(self, demonstration: Engine, open_it: Open):
        view = press(open_it(pcn=CANTERBURY), "Show every network")
        assert "pcn" not in view.address
        assert view.chosen_words == KENT
        assert panel(view) == {}

    @pytest.mark.slow
    def test_a_network_that_is_not_there_is_nobody(self, demonstration: Engine, open_it: Open):
        for code in ("U99999", "UDM001", "<b>", "' or 1=1"):
            view = open_it(pcn=code)
            assert view.chosen_words == KENT
            assert "pcn" not in view.address
            assert panel(view) == {}
            assert code not in view.everything().replace("<b>", "" if code == "<b>" else "<b>")

    def test_what_is_picked_stays_on_another_page(self, demonstration: Engine, open_it: Open):
        view = open_it(pcn=CANTERBURY, view="funnel", trend="referrals")
        before = dict(view.address)
        view.go_to("methods").go_to("workforce")
        assert view.address == before

    @pytest.mark.parametrize("name", [*VIEWS, "secrets"])
    def test_a_view(self, demonstration: Engine, open_it: Open, name: str):
        view = open_it(view=name)
        shown = name if name in VIEWS else "staffing"
        assert view.address["view"] == shown
        assert [other for other in VIEWS if view.has_figure(f"networks_{other}")] == [shown]
        alt = next(e.proto.alt for e in view.elements() if e.type == "plotly_chart")
        assert alt.startswith(f"{VIEWS[shown]} by network, Kent (demonstration)")

    @pytest.mark.parametrize("name", rest_is_slow(*TRENDS, "secrets"))
    def test_a_trend(self, demonstration: Engine, open_it: Open, name: str):
        view = open_it(trend=name)
        shown = name if name in TRENDS else "fte"
        assert view.address["trend"] == shown
        assert [other for other in TRENDS if view.has_figure(f"trend_{other}")] == [shown]
        assert len(small_table(view, TRENDS[shown][0])) == 24
        alts = [e.proto.alt for e in view.elements() if e.type == "plotly_chart"]
        assert alts[1].startswith(f"{TRENDS[shown][0]} by month, Kent")
        assert re.search(r"(Special|Common) cause", alts[1])

    @pytest.mark.slow
    @pytest.mark.parametrize(("name", "value"), [("view", "pressure"), ("trend", "referrals")])
    def test_a_choice_is_in_the_address(
        self, demonstration: Engine, open_it: Open, name: str, value: str
    ):
        view = open_it().choose(name, value)
        assert view.address[name] == value
        linked = open_it(**view.address)
        assert linked.words() == view.words()

    @pytest.mark.slow
    @pytest.mark.parametrize("months", [12, 24, pytest.param(36, marks=pytest.mark.slow)])
    @pytest.mark.parametrize("trend", ["fte", pytest.param("referrals", marks=pytest.mark.slow)])
    def test_so_many_months(self, demonstration: Engine, open_it: Open, months: int, trend: str):
        view = open_it(months=str(months), trend=trend)
        rows = small_table(view, TRENDS[trend][0])
        assert len(rows) == months
        assert rows[-1]["Month"] == "Jun 2026"
        icons = [m for m in view.markup() if 'class="icons"' in m]
        too_few = "Points: 12. Limits and a judgement need at least 13."
        assert (too_few in view.words()) == (icons == []) == (months == 12)
        if months == 12:
            assert {row["Judgement"] for row in rows} == {"Not judged"}
            assert {"lower limit", "upper limit"}.isdisjoint(series(view, f"trend_{trend}"))
        else:
            # Words beside each sign: the sign alone says nothing to who can't see it.
            assert 'aria-hidden="true"' in icons[0]
            assert re.search(r"(Special|Common) cause", Markup.of(icons[0]).text)

    @pytest.mark.slow
    def test_a_past_date_is_another_census(self, demonstration: Engine, open_it: Open):
        now, past = open_it(), open_it(as_at="2025-06-30")
        assert "30 June 2025" in tile(past, "FTE in post")
        assert view_tiles(now) != view_tiles(past)
        before = tile(past, "Pressure").split()[1]
        assert f"a year before {before}" in tile(now, "Pressure")
        assert tile(now, "Headcount").count("a year before") == 1


class TestTwins:
    """Whoever can't see a chart finds every figure of it in a table."""

    def test_the_bars(self, demonstration: Engine, open_it: Open):
        view = open_it()
        rows = listed(view)

        def column(title: str, note: str = "") -> dict[str, float]:
            return {
                code: row[title][1]
                for code, row in rows.items()
                if len(row[title]) > 1 and (not note or row[title][2].startswith(note))
            }

        name = "networks_staffing"
        in_post = column("FTE in post")
        # A list is ordered by seven digits of what a chart draws.
        present = {code: fte for code, fte in in_post.items() if fte}
        assert marks(view, name, "FTE in post") == pytest.approx(present)
        vacant = {code: fte for code, fte in column("Vacant").items() if fte and code in in_post}
        assert marks(view, name, "vacant") == pytest.approx(vacant)
        aims = "Target or plan"
        assert marks(view, name, "target") == column(aims, "target")
        planned = column(aims, "planned for this month")
        planned |= {
            code: float(found[1])
            for code, row in rows.items()
            if len(row[aims]) > 2
            and (found := re.search(r"target; ([\d.]+) planned", row[aims][2]))
        }
        assert marks(view, name, "planned") == pytest.approx(planned)
        assert len(planned) > 20
        for word in ("no worker", "no return"):
            assert set(marks(view, name, word)) == {
                code for code, row in rows.items() if row["FTE in post"][0] == word
            }

    def test_the_funnel(self, demonstration: Engine, open_it: Open):
        view = open_it(view="funnel")
        points = {
            code: (f"{x:,.0f} patients", round(y, 2), trace["name"])
            for trace in view.figure("networks_funnel")["data"]
            if "customdata" in trace
            for code, x, y in zip(trace["customdata"], trace["x"], trace["y"], strict=True)
        }
        twin = {}
        for code, row in listed(view).items():
            cell = row["Per 10,000"]
            if cell[1] is not None:
                patients, _, rest = cell[2].partition(" patients, 95% ")
                where = rest.partition(", ")[2] or "inside the 95% limits"
                assert re.fullmatch(r"[0-9.]+ to [0-9.]+", rest.partition(", ")[0])
                twin[code] = (f"{patients} patients", round(cell[1], 2), where)
        assert points == twin
        assert len(points) == 37
        assert {place for *_, place in points.values()} > {"inside the 95% limits"}

    def test_the_dots(self, demonstration: Engine, open_it: Open):
        view = open_it(view="pressure")
        cells = {code: row["A year per FTE"] for code, row in listed(view).items()}
        dots = marks(view, "networks_pressure", "new referrals a year per FTE")
        assert dots == pytest.approx({code: cell[1] for code, cell in cells.items() if cell[1:]})
        assert len(dots) == 35
        for word in ("no worker", "no return"):
            found = {code for code, cell in cells.items() if cell == [word]}
            assert set(marks(view, "networks_pressure", word)) == found != set()

    @pytest.mark.parametrize(
        "address",
        rest_is_slow({}, {"trend": "referrals"}, {"trend": "open_referrals"}, {"pcn": CANTERBURY}),
        ids=lambda address: "-".join(address.values()) or "board",
    )
    def test_the_control_chart(self, demonstration: Engine, open_it: Open, address: dict[str, str]):
        view = open_it(**address)
        name = address.get("trend", "fte")
        title, decimals = TRENDS[name][0], 1 if name == "fte" else 0
        rows = small_table(view, title)
        drawn = series(view, f"trend_{name}")

        def shown(line: dict[str, float]) -> dict[str, str]:
            return {first: f"{value:,.{decimals}f}" for first, value in line.items()}

        value = next(heading for heading in rows[0] if heading not in ("Month", "Judgement"))
        assert shown(drawn.pop(title)) == {
            row["Month"]: row[value] for row in rows if row[value] not in ("–", "*")
        }
        if extra := drawn.pop("all that returned", None):
            assert shown(extra) == {row["Month"]: row["FTE, all that returned"] for row in rows}
        notes = " ".join(Markup.of(m).text for m in view.markup() if 'class="notes"' in m)
        for line, words in (
            ("mean", "Mean {}"),
            ("lower limit", "limits {} to"),
            ("upper limit", "to {}"),
            ("target", "target {}"),
        ):
            if (heights := drawn.pop(line, None)) is not None:
                (height,) = {f"{y:,.1f}" for y in heights.values()}
                assert words.format(height) in notes, line
        # What is left are the points once more, by judgement.
        for judgement, points in drawn.items():
            assert {row["Month"] for row in rows if row["Judgement"] == judgement} == set(points)
        assert drawn

    @pytest.mark.parametrize(
        "address", rest_is_slow({}, {"pcn": CANTERBURY}), ids=["board", "network"]
    )
    def test_the_trajectory(self, demonstration: Engine, open_it: Open, address: dict[str, str]):
        view = open_it(**address)
        rows = small_table(view, "FTE, and who joined and left")
        drawn = series(view, "trajectory")
        path = drawn.pop("at this rate")
        for line, column in (
            ("in post", "In post"),
            ("planned", "Planned"),
            ("meant to be in post", "Meant"),
        ):
            values = {first: f"{value:,.1f}" for first, value in drawn.pop(line).items()}
            assert values == {row["Month"]: row[column] for row in rows if row[column] != "–"}
        assert drawn == {}
        band = next(t for t in view.figure("trajectory")["data"] if "fill" in t)
        half = len(band["x"]) // 2
        upper, lower = band["y"][:half], band["y"][half:][::-1]
        assert [row["At this rate (95%)"] for row in rows if row["Month"] in path] == [
            f"{central:,.1f} ({low:,.1f} to {high:,.1f})"
            for central, low, high in zip(path.values(), lower, upper, strict=True)
        ]

    def test_need(self, demonstration: Engine, open_it: Open):
        view = open_it()
        rows = small_table(view, "FTE per 10,000 patients by deprivation")
        drawn = series(view, "need")
        assert len(drawn) == 5
        for label, line in drawn.items():
            assert {first: f"{value:.2f}" for first, value in line.items()} == {
                row["Month"]: row[label.capitalize()] for row in rows
            }


class TestThreeWords:
    """No worker, no return and hidden are three things."""

    @pytest.mark.slow
    def test_in_the_list_and_the_charts(self, few: Engine, open_it: Open):
        view = open_it(view="pressure")
        rows = listed(view)
        assert {code: row["A year per FTE"] for code, row in rows.items()} == {
            NORTH: ["*"], SOUTH: ["no worker"], EAST: ["no return"]
        }  # fmt: skip
        assert {code: row["FTE in post"][0] for code, row in rows.items()} == {
            NORTH: "4.0", SOUTH: "no worker", EAST: "no return"
        }  # fmt: skip
        # The nought of no worker is a number to sort by; that of no return is none.
        assert rows[SOUTH]["FTE in post"] == ["no worker", 0.0]
        assert rows[EAST]["FTE in post"] == ["no return"]
        words = {
            code: text.strip()
            for trace in view.figure("networks_pressure")["data"]
            if trace["mode"] == "text"
            for code, text in zip(trace["customdata"], trace["text"], strict=True)
        }
        assert words == {NORTH: "* hidden", SOUTH: "✕ no worker", EAST: "– no return"}
        assert marks(view, "networks_pressure", "new referrals a year per FTE") == {}

    @pytest.mark.parametrize(
        ("pcn", "finding", "referrals"),
        rest_is_slow(
            (NORTH, "The number of referrals is hidden", "* in 12 months; hidden"),
            (SOUTH, "No link worker in the 12 months of referrals", "45 in 12 months; no worker"),
            (EAST, "East PCN did not return", "no referral return"),
        ),
    )
    def test_in_the_panel(self, few: Engine, open_it: Open, pcn: str, finding: str, referrals: str):
        view = open_it(pcn=pcn)
        assert finding in view.part("finding")
        assert panel(view)["New referrals"] == referrals

    @pytest.mark.slow
    def test_hidden_months_of_a_trend_are_said(self, few: Engine, open_it: Open):
        """North had one in July and three in June, and none in the ten months between."""
        words = open_it(pcn=NORTH, trend="referrals").words()
        assert re.search(r"2 months are hidden\s+and left out of the mean and the limits", words)
        assert "left out of the mean" not in open_it(pcn=NORTH, trend="fte").words()

    @pytest.mark.slow
    def test_too_few_months_of_workforce_are_said(self, small_board: Engine, open_it: Open):
        view = open_it(pcn=NORTH)
        assert panel(view)["New referrals"] == (
            "80 in 12 months; its workforce was not returned in most of these months"
        )
        assert panel(view)["List"].startswith("8,000 patients of 1 practice:")


@pytest.mark.slow
class TestEmpty:
    def test_no_workforce(self, load_board: Callable[..., Engine], open_it: Open):
        load_board(Board(workforce=False))
        for address in ({}, {"pcn": NORTH}, {"locality": NORTHAM}):
            view = open_it(**address)
            assert "No workforce return" in view.part("finding")
            assert "Load the published PCN workforce" in view.part("finding")
            assert "workforce, published: no return" in "".join(view.markup())
            assert not any(e.type == "plotly_chart" for e in view.elements())
            assert 'class="tiles"' not in "".join(view.markup())

    @pytest.mark.slow
    def test_no_referrals(self, load_board: Callable[..., Engine], open_it: Open):
        load_board(Board(referrals=()))
        why = "no referral return for the period"
        for trend in ("referrals", "open_referrals"):
            view = open_it(trend=trend)
            assert "No trend to show" in view.words()
            assert why in view.words()
        assert f"referrals: {why}" in view.markup()[0]
        for label in ("Pressure", "Open caseload"):
            assert tile(view, label).startswith(f"{label} –")
            assert tile(view, label).endswith(why.capitalize())
        for row in listed(view).values():
            assert row["Referrals, 12 months"] == ["–", None, why]
            assert row["Needed for the band"] == ["–"]
        assert panel(open_it(pcn=NORTH))["New referrals"] == why

    def test_no_posts_no_plans_no_targets(self, load_board: Callable[..., Engine], open_it: Open):
        load_board(Board(posts=(), plans=(), targets=()))
        view = open_it()
        assert "none of them has a target or a plan" in view.part("finding")
        assert "No posts return from these networks." in view.words()
        assert "No filled post in a posts return" in view.words()
        assert tile(view, "Funded posts").startswith("Funded posts – FTE")
        assert tile(view, "Short of").endswith(
            "No network has a target or a plan. As at 30 June 2026"
        )
        for row in listed(view).values():
            assert [row[title] for title in ("Funded", "Vacant")] == [["no return"]] * 2
            assert [row[title] for title in ("Target or plan", "Short of it")] == [["–"]] * 2
        facts = panel(open_it(pcn=NORTH))
        assert (facts["Posts"], facts["Target"], facts["Plan for this month"]) == (
            "no posts return", "none has been set", "none"
        )  # fmt: skip

    @pytest.mark.slow
    def test_no_lists(self, load_board: Callable[..., Engine], open_it: Open):
        load_board(Board(practices=False, registered=False))
        for name in VIEWS:
            view = open_it(view=name)
            assert view.has_figure(f"networks_{name}") == (name != "funnel")
            assert ("No funnel to draw" in view.words()) == (name == "funnel")
        assert "List sizes or the workforce are not told" in tile(view, "For every 10,000")
        assert "Nothing to compare" in view.words()
        assert panel(open_it(pcn=NORTH))["List"] == "no list sizes are loaded"

    def test_nothing_at_all(self, empty: Engine, open_it: Open):
        assert "No data is loaded yet" in open_it().words()


@pytest.fixture
def editor(
    use_database: Callable[[Path], Engine],
    small_board_path: Path,
    on_the_day: None,
    tmp_path: Path,
    open_it: Open,
) -> View:
    """North PCN is open, in a database that may be written to."""
    use_database(Path(shutil.copy(small_board_path, tmp_path / "own.db")))
    return open_it(pcn=NORTH)


def history(view: View) -> list[tuple[str, ...]]:
    """Target, from, until, why, and whether it is in force, newest first."""
    rows = small_table(view, "Targets of North PCN, newest first")
    return [tuple(row[name] for name in ("Target", "From", "Until", "Why", "Now")) for row in rows]


EARLIER = ("2.00 FTE", "1 April 2025", "31 March 2026", "agreed")
AT_FIRST = ("5.00 FTE", "1 April 2026", "30 June 2026", "agreed")


class TestTargetEditor:
    def set_target(self, view: View, fte: float, start: date, reason: str = "") -> View:
        view.app.number_input(key=f"target fte {NORTH}").set_value(fte)
        view.app.selectbox(key=f"target from {NORTH}").set_value(start)
        view.app.text_input(key=f"target reason {NORTH}").set_value(reason)
        return press(view, "Set target")

    def test_set_and_replaced(self, editor: View):
        assert history(editor) == [(*EARLIER, "in force"), (*AT_FIRST, "in force")]
        before = editor.table_data()["url"]
        view = self.set_target(editor, 3.5, date(2026, 6, 1), "two <b>new</b> **practices**")
        assert said(view) == "The target of North PCN is 3.50 FTE from Jun 2026."
        # What was set before was set then, and by whom: only its end has changed.
        assert history(view) == [
            ("3.50 FTE", "1 June 2026", "no end", "two <b>new</b> **practices**", "in force"),
            (*EARLIER, "in force"),
            ("5.00 FTE", "1 April 2026", "31 May 2026", "agreed", "in force"),
        ]
        # All of the page follows, the list by another address.
        assert panel(view)["Target"] == "3.50 FTE: two <b>new</b> **practices**"
        assert "0.5 FTE above its target of 3.5" in view.part("finding")
        assert listed(view)[NORTH]["Target or plan"] == ["3.5", 3.5, "target; 3.0 planned"]
        assert marks(view, "networks_staffing", "target") == {NORTH: 3.5}
        assert view.table_data()["url"] != before
        # Said once.
        view.app.run()
        assert "The target of North PCN is 3.5" not in view.words()

    @pytest.mark.slow
    def test_a_reason_is_text(self, editor: View):
        view = self.set_target(editor, 3.5, date(2026, 6, 1), "<b>x</b><script>1</script>")
        for body in view.markup():
            assert {"script", "img"} & Markup.of(body).tags <= {"img"}
            assert "<b>x" not in body
        assert "<script>1" not in json.dumps(view.figure("networks_staffing"))

    @pytest.mark.slow
    def test_the_same_once_more_changes_nothing(self, editor: View):
        view = self.set_target(editor, 3.5, date(2026, 6, 1))
        rows = history(view)
        view = self.set_target(view, 3.5, date(2026, 6, 1))
        assert said(view) == "This is what was set already: nothing was changed."
        assert history(view) == rows

    @pytest.mark.slow
    def test_taken_away(self, editor: View):
        editor.app.selectbox(key=f"target from {NORTH}").set_value(date(2026, 5, 1))
        view = press(editor, "Take targets away from that month on")
        assert said(view) == "North PCN has no target from May 2026 on."
        assert history(view)[1][:3] == ("5.00 FTE", "1 April 2026", "30 April 2026")
        assert panel(view)["Target"] == (
            "none in force; 5.0 FTE ended on 30 April 2026 and is not judged any more"
        )
        assert listed(view)[NORTH]["Target or plan"] == ["3.0", 3.0, "planned for this month"]

    @pytest.mark.slow
    def test_before_every_target_nothing_is_left(self, editor: View):
        editor.app.selectbox(key=f"target from {NORTH}").set_value(date(2024, 6, 1))
        view = press(editor, "Take targets away from that month on")
        assert {row[-1] for row in history(view)} == {"replaced"}
        assert panel(view)["Target"] == "none has been set"

    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("fte", "end", "why"),
        [
            (0.0, "no end", "expected a target above 0 and up to 50 FTE, found 0"),
            (3.0, "2026-05-31", "the target would end before it begins: choose a later end"),
        ],
    )
    def test_refused(self, editor: View, fte: float, end: str, why: str):
        editor.app.selectbox(key=f"target until {NORTH}").set_value(end)
        view = self.set_target(editor, fte, date(2026, 6, 1))
        assert said(view) == f"Nothing was changed: {why}"
        assert history(view) == [(*EARLIER, "in force"), (*AT_FIRST, "in force")]

    @pytest.mark.slow
    def test_a_plan(self, editor: View):
        boxes = [box for box in editor.app.number_input if box.key.startswith("plan U")]
        assert [box.label for box in boxes][::11] == ["Apr 2026", "Mar 2027"]
        assert {box.label: box.value for box in boxes if box.value is not None} == {
            "Jun 2026": 3.0, "Jul 2026": 5.0
        }  # fmt: skip
        boxes[2].set_value(4.5)
        boxes[3].set_value(None)
        view = press(editor, "Save plan")
        assert said(view) == "The plan of North PCN for 2026-27 is saved."
        assert panel(view)["Plan for this month"] == "4.5 FTE"
        assert marks(view, "networks_staffing", "planned") == {NORTH: 4.5, SOUTH: 1.0}
        # July is not planned any more: blank is nothing, not nought.
        assert "Jul 2026" not in {
            row["Month"] for row in small_table(view, "FTE, and who joined and left")
        }

    @pytest.mark.slow
    def test_a_plan_of_nothing_takes_the_year_away(self, editor: View):
        for box in editor.app.number_input:
            if box.key.startswith("plan U"):
                box.set_value(None)
        view = press(editor, "Save plan")
        assert said(view) == "The plan of North PCN for 2026-27 is saved."
        assert panel(view)["Plan for this month"] == "none"

    def test_who_may_not_set_sees_the_history_only(
        self, small_board: Engine, open_it: Open, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr(target_editor, "may_set_targets", lambda _board: False)
        view = open_it(pcn=NORTH)
        assert len(history(view)) == 2
        assert said(view).startswith("Targets and plans of this board are set by its ICB leads")
        main = view.app.main
        assert [button.label for button in main.button] == ["Reset filters", "Show every network"]
        assert list(main.number_input) == list(main.text_input) == []

    @pytest.mark.slow
    def test_each_network_has_its_own(self, small_board: Engine, open_it: Open):
        view = open_it(pcn=EAST)
        assert said(view) == "No target has been set for East PCN."


@pytest.mark.slow
def test_posts_are_counted_by_title_and_employer(demonstration: Engine, open_it: Open):
    caption = "Posts by title and employer, as returned"
    view = open_it()
    rows = small_table(view, caption)
    posts = sum(int(row["Posts"]) for row in rows)
    assert f"{posts} of {posts} posts" in view.words()
    assert all(int(r["Filled"]) + int(r["Vacant"]) == int(r["Posts"]) for r in rows)
    view.choose("employer", "VCSE").choose("title", "Village agent")
    (row,) = small_table(view, caption)
    assert (row["Title"], row["Employer"]) == ("Village agent", "VCSE")
    assert f"{row['Posts']} of {posts} posts" in view.words()


def test_the_board_is_one_of_those_that_may_be_seen(
    small_board: Engine, open_it: Open, read_as: Callable[[str], None]
):
    read_as(BOARD)
    assert open_it().chosen_words == "Small board · as at 30 June 2026"
