"""The Providers page in each state: every part, figures by hand, picked, hidden, merged, escaped."""

from __future__ import annotations

import io
import json
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, quote, urlsplit

import openpyxl
import pytest
from sqlalchemy import Engine
from streamlit.proto.WidgetStates_pb2 import WidgetState

from dashboard.rules.needs import NEED_THEMES
from queries.database import make_engine
from queries.load import CleanLoad, save
from tests import small_board as b
from tests.app.reading import Markup, View, each_part, follow, sound
from tests.app.test_escaping import HOSTILE, OUR_TAGS, poisoned
from tests.app.test_routes import get
from tests.app.test_workforce_page import (
    _send,
    click_in_list,
    listed,
    panel,
    press,
    small_table,
    tile,
)
from tests.conftest import rest_is_slow
from tests.small_board import (
    ABBEY,
    AS_AT,
    BOARD,
    BROOK,
    CASTLE,
    CHOIR,
    DALE,
    ELM,
    FORD,
    GARDEN,
    HELPLINE,
    NEEDS,
    NORTHAM,
    OLD_LIST,
    SOUTH,
    SOUTHAM,
    WEEKS,
    Board,
    Service,
    Week,
)

# Whole pages, the command line or the server: `test_pages` has one quick look at each.
pytestmark = pytest.mark.slow

QUESTION = "Which needs can be met where, and with what room?"
PARTS = ("gaps", "services", "capacity", "map", "freshness", "funding", "demand", "directory")
MEDWAY, THANET, MEDWAY_WARD = "QDM", "E07000114", "E05DM0150"
# In the demonstration a diabetes support group names this ward of Thanet, and no other place.
DIABETES_WARD, DIABETES_GROUP, LONG_TERM = "E05DM0234", "Diabetes", "long-term condition"
AREA = f"icb={BOARD}&as_at={AS_AT}"

# The small board with what its own knobs leave out, so that no part is empty:
#   the choir has a waiting list and waits 10 days; the old list is for nature as well;
#   the debt advice (Dale; money and housing) has 5 of 5 places filled and 3 people waiting, 14 days;
#   the pantry (food) has no place, no area, is not online, and was never confirmed;
#   the shed closed on 29 June; the directory lists the garden, and "The choir" in Brook under an id
#   of its own; it listed the mill until 20 June.
DEBT = Service("debt", (DALE,), confirmed_on=date(2025, 12, 1), state=None, provider="Clear CIC",
    theme="money and debt", also_for=("housing",), offered=5, filled=5, waiting=3, wait_days=14,
    cost="£3", funder="NHS", cost_per_place=4.0, funding_ends=date(2027, 1, 31),
    minimum_age=65, access="self-referral")  # fmt: skip
PANTRY = Service("pantry", (), confirmed_on=None, state=None, provider="Clear CIC", theme="food")
SHED = Service("shed", (ABBEY,), provider="Clear CIC", closes_on=date(2026, 6, 29))
LONG_CHOIR = replace(CHOIR, state="full with waiting list", wait_days=10)
LISTED = Service("garden", (ABBEY,), provider="Together", name="The garden", state=None)
MILL = Service("mill", (ABBEY,), provider="Mill", state=None)
TWIN = Service("twin", (), provider="Together", name="The choir", lies_in=(BROOK,), state=None)
FULLER = Board(
    services=(
        GARDEN, LONG_CHOIR, HELPLINE, replace(OLD_LIST, also_for=("nature",)), DEBT, PANTRY, SHED,
    ),
    directory=(LISTED, MILL),
    # The choir told one week only: it is no part of the trend.
    weeks=(*WEEKS, Week("choir", date(2026, 6, 15), 8, 8, 12, "full with waiting list")),
    needs={**NEEDS, (DALE, "money and debt"): (6, 2)},
)  # fmt: skip
NEXT_FEED = b.directory((replace(LISTED, also_for=("any",)), TWIN), "mill")
REPORT = (
    "Open Referral UK report: 1 check passed, 1 warns, 1 failed",
    "pass: 2 of 2 entries have an id",
    "warn: 1 of 2 entries have no date",
    "fail: 1 of 2 states are of no form",
    "1 service of the feed before is not in this one",
)
CHOIR_KEY, DEBT_KEY = "Together CIC / choir", "Clear CIC / debt"


def with_report(load: CleanLoad) -> CleanLoad:
    """A directory is never loaded without a word of what it was like."""
    return replace(load, notes=REPORT) if load.dataset == "directory" else load


@pytest.fixture(scope="module")
def fuller_path(tmp_path_factory: pytest.TempPathFactory, upgraded_file: Path) -> Path:
    """The fuller board: read it only."""
    path = tmp_path_factory.mktemp("fuller") / "board.db"
    shutil.copy(upgraded_file, path)
    engine = make_engine(f"sqlite:///{path.as_posix()}")
    for load in (*FULLER.loads(), NEXT_FEED):
        save(engine, with_report(load))
    engine.dispose()
    return path


@pytest.fixture
def fuller(use_database: Callable[[Path], Engine], fuller_path: Path, on_the_day: None) -> Engine:
    """The dashboard reads the fuller board."""
    return use_database(fuller_path)


@pytest.fixture
def own_fuller(
    use_database: Callable[[Path], Engine], fuller_path: Path, on_the_day: None, tmp_path: Path
) -> Engine:
    """The same board in a database that may be written to."""
    return use_database(Path(shutil.copy(fuller_path, tmp_path / "own.db")))


@pytest.fixture
def open_it(open_page: Callable[..., View]) -> Callable[..., View]:
    """Opens the page at an address."""

    def open_at(**address: str) -> View:
        return sound(open_page("providers", **address))

    return open_at


Open = Callable[..., View]


def parts_of(view: View, **address: str) -> dict[str, str]:
    """Every part at an address; its words."""
    words = {}
    for part in each_part(view, PARTS, **address):
        if part in ("gaps", "services", "capacity"):
            assert get(view.table_data()["url"]).status_code == 200
        words[part] = view.words()
    return words


def row(view: View, caption: str, first: str) -> list[str]:
    """A row of a table of the page by its first cell: the other cells."""
    found = [list(each.values()) for each in small_table(view, caption)]
    return next(cells[1:] for cells in found if cells[0] == first)


def rows(view: View, caption: str) -> list[list[str]]:
    return [list(each.values()) for each in small_table(view, caption)]


def texts(view: View) -> list[list[str]]:
    """The table that the browser of this view would fetch: the text of each cell."""
    return [[cell[0] for cell in cells.values()] for cells in listed(view).values()]


def finding(view: View, place: int = 0) -> str:
    """The words of the page's finding; of a part's own with `place` 1."""
    said = [Markup.of(m).text for m in view.markup() if m.startswith('<div class="finding">')]
    return " ".join(said[place].split())


def lines(view: View) -> str:
    """All that is said in short lines."""
    return " ".join(Markup.of(m).text for m in view.markup() if m.startswith('<ul class="lines">'))


def heading(view: View, anchor: str) -> str:
    """The heading with an anchor; "" without one."""
    found = [Markup.of(m).text for m in view.markup() if f' id="{anchor}"' in m]
    return next(iter(found), "")


def link(view: View, words: str) -> str:
    return next(
        unescape(re.findall(r'href="([^"]+)"', m)[0])
        for m in view.markup()
        if 'class="share"' in m and words in m
    )


def cells_of(view: View) -> dict[str, dict[str, str]]:
    """The matrix that the browser would fetch: the words of each cell's look, by ward and need."""
    body = get(view.table_data()["url"]).json()
    return {
        line["key"]: {
            column["pick"]: body["looks"][cell[3]]["words"]
            for column, cell in zip(body["columns"], line["cells"], strict=True)
            if column["pick"]
        }
        for line in body["rows"]
    }


def click_on_map(view: View, **point: str) -> View:
    """What the browser sends when a ward (`location`) or a place (`customdata`) is clicked."""
    proto = next(e.proto for e in view.elements() if e.type == "plotly_chart")
    selection = {"points": [point], "point_indices": [0], "box": [], "lasso": []}
    return _send(view, WidgetState(id=proto.id, string_value=json.dumps({"selection": selection})))


# Every part in every state.


class TestEveryPart:
    def test_of_the_demonstration(self, demonstration: Engine, open_it: Open):
        view = open_it()
        assert QUESTION in view.words()
        assert view.chosen_words == "Kent (demonstration) · as at 30 June 2026"
        # Of a board, and of a locality: shorter, and said.
        whole = parts_of(view)
        locality = parts_of(view, locality=THANET)
        assert view.chosen_words == "Kent (demonstration) > Thanet · as at 30 June 2026"
        assert [part for part in PARTS if whole[part] == locality[part]] == []

    @pytest.mark.slow
    def test_of_a_network(self, demonstration: Engine, open_it: Open):
        view = open_it()
        parts_of(view, pcn="UDK006")
        assert "> Canterbury North West PCN" in view.chosen_words

    @pytest.mark.slow
    def test_where_nothing_is_returned(self, demonstration: Engine, open_it: Open):
        """Medway returned no services: those that are placed nowhere are nobody's answer."""
        view = open_it()
        words = parts_of(view, icb=MEDWAY)
        assert finding(view) == (
            "Nobody has returned services for this board : what needs can be met is not known."
        )
        assert "services: no return" in view.markup()[0]
        assert tile(view, "Needs not met").startswith("Needs not met – of 0 ")
        assert tile(view, "Services").startswith(
            "Services – nobody returned them 8 more not placed"
        )
        assert "No weeks to show" in words["capacity"]
        follow(view, icb=MEDWAY, part="gaps")
        assert {look for needs in cells_of(view).values() for look in needs.values()} == {
            "no return"
        }
        follow(view, icb=MEDWAY, part="demand")
        for line in rows(view, "Referred, offered and waiting"):
            # Referred for all the same; what there is, is not known.
            assert (line[3], line[-1]) == ("–", "no return")

    @pytest.mark.parametrize(
        "address",
        rest_is_slow(
            {"ward": "E05999999", "theme": "cats", "service": "nothing", "by": "x", "measure": "x"},
            {
                "ward": MEDWAY_WARD,
                "room": "x",
                "cost": "x",
                "access": "x",
                "age": "x",
                "place": "x",
            },
            pytest.param(
                {"ward": "<b>", "theme": "<b>", "service": "<b>", "rows": "<b>", "stale": "<b>"},
                marks=pytest.mark.slow,
            ),
        ),
        ids=["unknown", "of another board", "markup"],
    )
    def test_of_what_is_not_there(
        self, demonstration: Engine, open_it: Open, address: dict[str, str]
    ):
        view = open_it()
        parts_of(view, **address)
        assert view.chosen_words == "Kent (demonstration) · as at 30 June 2026"
        for part, drawn in (
            ("gaps", {"ward", "theme", "rows", "stale"}),
            ("services", {"theme", "service", "room", "cost", "access", "age", "place"}),
            ("capacity", {"by", "measure"}),
        ):
            follow(view, part=part, **address)
            assert [n for n in drawn & set(address) if view.address.get(n) == address[n]] == []
            assert heading(view, "cell") == heading(view, "service") == ""

    def test_a_part_that_is_not_there(self, small_board: Engine, open_it: Open):
        view = open_it(part="secrets")
        assert view.address["part"] == "gaps"
        assert heading(view, "gaps") == "Gaps by need"
        # And one by its button.
        view.app.segmented_control(key="part").set_value("demand").run()
        assert sound(view).address["part"] == "demand"
        assert heading(view, "demand") == "Demand and supply"

    def test_what_is_chosen_stays_on_another_page(self, small_board: Engine, open_it: Open):
        view = open_it(part="services", theme="loneliness", room="full", service=CHOIR_KEY)
        before = dict(view.address)
        view.go_to("methods").go_to("providers")
        assert sound(view).address == before
        assert heading(view, "service") == "Choir, Together CIC"

    @pytest.mark.parametrize(
        "address",
        [
            {},
            pytest.param({"locality": SOUTHAM}, marks=pytest.mark.slow),
            pytest.param({"pcn": SOUTH}, marks=pytest.mark.slow),
        ],
        ids=["board", "locality", "network"],
    )
    def test_of_the_fuller_board(self, fuller: Engine, open_it: Open, address: dict[str, str]):
        parts_of(open_it(), **address)

    @pytest.mark.parametrize(
        ("change", "said"),
        rest_is_slow(
            (
                {"services": ()},
                {"gaps": "Nobody has returned services", "funding": "No funding is"},
            ),
            ({"services": (GARDEN,)}, {"funding": "No funding is known to end within 18 months."}),
            (
                {"referrals": ()},
                {"gaps": "Referrals: no referral return", "demand": "is not known"},
            ),
            ({"weeks": ()}, {"capacity": "No weekly return of capacity is loaded"}),
            pytest.param({"matches": ()}, {"directory": "No directory of"}, marks=pytest.mark.slow),
            pytest.param({"populations": False}, {"funding": "People"}, marks=pytest.mark.slow),
        ),
        ids=["services", "ends", "referrals", "weeks", "directory", "population"],
    )
    def test_without(
        self,
        load_board: Callable[..., Engine],
        open_it: Open,
        change: dict[str, Any],
        said: dict[str, str],
    ):
        # Without a directory but where that is what a test is about: see the next test.
        load_board(Board().but(**{"directory": (), **change}))
        words = parts_of(open_it())
        for part, expected in said.items():
            assert expected in " ".join(words[part].split())

    def test_a_directory_of_which_nothing_was_said(self, small_board: Engine, open_it: Open):
        """Loads that were made before there were reports have none."""
        words = open_it(part="directory").words()
        assert "directory.csv" in words
        assert "What was said of it" not in "".join(
            m for m in open_it(part="directory").markup() if "<h" in m
        )

    def test_filters_that_leave_no_ward(self, small_board: Engine, open_it: Open):
        assert "No ward fits these filters" in open_it(pcn="U90003", locality=NORTHAM).words()

    def test_nothing_at_all(self, empty: Engine, open_page: Callable[..., View]):
        assert "No data is loaded yet" in sound(open_page("providers")).words()


# Figures by hand.


class TestByHand:
    """Six wards, six open services of three providers that are placed, and one that is not: see FULLER
    above, and `small_board`."""

    def test_the_finding_and_the_tiles(self, fuller: Engine, open_it: Open):
        view = open_it()
        # Brook's choir is full, Castle's is the same: 30 and 0 people; Abbey has the garden.
        assert finding(view) == (
            "For loneliness , 2 of 6 wards have nothing with room; about 30 people were referred for "
            "it there in 12 months. 2 of 6 services are full, 1 with a waiting list. Funding of "
            "2 services in 4 wards ends by January 2027: 13 places . 1 entry that nobody confirmed "
            "in time is left out of what is met."
        )
        # The pantry, which is nowhere, is no service of the board's: it is counted beside them.
        assert re.match(r"Services 6 of 3 providers 1 .*not placed", tile(view, "Services"))
        # 12 - 9 of the garden, none of the choir's 8 or of the advice's 5.
        assert tile(view, "Free places").startswith("Free places 3 of 25 ")
        assert "told by 3 of 6 services" in tile(view, "Free places")
        assert tile(view, "Utilisation") == (  # 22 of 25
            "Utilisation 88% of places filled 2 full, 1 of them with a waiting list"
        )
        # 9 and 12 shown as 10 each, 3 hidden as the middle of 1 to 7: 24, to the nearest 5.
        assert tile(view, "People waiting").startswith("People waiting 25 for a place ")
        # The choir's newest week says nothing of its 10 days.
        assert tile(view, "People waiting").endswith("told by 3 of 6 services; median wait 14 days")
        assert tile(view, "Needs not met").startswith("Needs not met 80 of 84 ")
        assert [chip in view.markup()[0] for chip in (
            "services: 1 of 6 stale", "capacity: 22 June 2026", "referrals: 30 June 2026",
        )] == [True] * 3  # fmt: skip

    def test_the_matrix(self, fuller: Engine, open_it: Open):
        view = open_it()
        told = listed(view)
        # Most unmet first; of Castle and Abbey with 10 each Castle has one gap more.
        assert [(code, told[code]["Unmet need"]) for code in told] == [
            (BROOK, ["about 30", 30.0]),
            (CASTLE, ["about 10", 10.0]),
            (ABBEY, ["about 10", 10.0]),
            (DALE, ["about 5", 4.0]),
            (ELM, ["about 0", 0.0]),
            (FORD, ["–", None, "no referral return"]),
        ]
        looks = cells_of(view)
        states = {
            (code, need): words
            for code, needs in looks.items()
            for need, words in needs.items()
            if words != "nothing serves the ward"
        }
        assert states == {
            (ABBEY, "loneliness"): "served",
            (BROOK, "loneliness"): "full",
            (CASTLE, "loneliness"): "full",
            **dict.fromkeys(
                [(code, "loneliness") for code in (DALE, ELM, FORD)], "area-wide or online only"
            ),
            (DALE, "money and debt"): "full",
            (DALE, "housing"): "full",
            (ELM, "nature"): "stale only",
        }
        assert all(list(needs) == list(NEED_THEMES) for needs in looks.values())
        # Text, what sorts, note: the garden has 3 free places, the choir none.
        assert told[ABBEY]["Loneliness"][:3] == ["2", None, "3 free · 20 referred"]
        assert told[BROOK]["Loneliness"][:3] == ["1", 30.0, "0 free · 30 referred"]
        assert told[DALE]["Money and debt"][:3] == ["1", 4.0, "0 free · * referred"]
        assert told[DALE]["Loneliness"][:3] == ["1 wide", None, "* referred"]
        assert told[ELM]["Nature"][:3] == ["1 stale", 0.0, "0 referred"]
        assert told[FORD]["Food"][:3] == ["none", None, ""]
        # The key above counts the same cells.
        key = next(m for m in view.markup() if 'class="looks"' in m)
        counted = dict(re.findall(r"</span> ([^<]+) <b>(\d+)</b>", key))
        assert counted == {
            "nothing serves the ward": "75", "stale only": "1", "full": "4",
            "area-wide or online only": "3", "served": "1",
        }  # fmt: skip
        assert "Without a need, and so in no column: 1 service." in view.words()

    def test_the_matrix_by_locality(self, fuller: Engine, open_it: Open):
        view = open_it(rows="localities")
        told = listed(view)
        # Brook 30, Castle 10, Abbey 10; Dale's hidden number is 4.
        assert {code: cells["Unmet need"] for code, cells in told.items()} == {
            NORTHAM: ["about 50", 50.0], SOUTHAM: ["about 5", 4.0],
        }  # fmt: skip
        assert told[NORTHAM]["Loneliness"][:3] == ["2 of 3", 50.0, "wards without · 50 referred"]
        assert told[SOUTHAM]["Loneliness"][:3] == ["all 3", None, "wards · 5 referred"]
        assert told[SOUTHAM]["Nature"][:2] == ["3 of 3", 0.0]
        looks = cells_of(view)
        assert looks[NORTHAM]["loneliness"] == "full"
        assert looks[SOUTHAM]["loneliness"] == "area-wide or online only"

    def test_a_cell(self, fuller: Engine, open_it: Open):
        view = open_it(ward=ABBEY, theme="loneliness")
        assert heading(view, "cell") == "Loneliness in Abbey, Northam"
        assert finding(view, 1) == (
            "Served ; 2 of the ward's own, 1 of them full; 3 free places in the next 4 weeks. People "
            "referred for it in 12 months: 20 ; closed for lack of a service: 0."
        )
        assert rows(view, "Services that serve the ward") == [
            ["Garden", "Together CIC", "loneliness", "names the ward", "has capacity", "3",
             "1 May 2026", "–", "safeguarding in place"],
            ["Choir", "Together CIC", "loneliness", "names the district", "full with waiting list",
             "0", "1 May 2026", "30 September 2026", "▲ no safeguarding"],
        ]  # fmt: skip
        follow(view, ward=ELM)
        assert finding(view, 1) == (
            "Nothing serves the ward : mental health, money and debt, housing, physical activity, "
            "long-term condition, carers, employment and learning, arts and culture, food, alcohol "
            "or smoking, complex social need, other. Stale only : nature. Area-wide or online only : "
            "loneliness."
        )
        follow(view, ward=DALE, theme="money and debt")
        assert finding(view, 1).endswith(
            "12 months: hidden ; closed for lack of a service: hidden."
        )
        follow(view, ward=DALE, theme="food")
        assert "No open service for food serves the ward." in view.words()
        # No return is not nobody.
        follow(view, ward=FORD, theme="loneliness")
        assert finding(view, 1).endswith("People referred: no return.")

    def test_the_list_of_services(self, fuller: Engine, open_it: Open):
        view = open_it(part="services")
        told = listed(view)
        assert set(told) == {
            "garden", CHOIR_KEY, "twin", DEBT_KEY, "Together CIC / helpline",
            "Together CIC / old list", "Clear CIC / pantry",
        }  # fmt: skip
        debt, titles = told[DEBT_KEY], ("Where", "Room", "Free places", "Waiting", "Cost", "For")
        assert {title: debt[title] for title in titles} == {
            "Where": ["names the ward", None, "1 ward · Southam"],
            "Room": ["full", None, "1 December 2025"],
            "Free places": ["0", 0.0, "of 5"],
            "Waiting": ["*"],
            "Cost": ["£3"],
            "For": ["housing; money and debt"],
        }
        assert told["garden"]["Waiting"] == ["10", 10.0]
        assert told["Clear CIC / pantry"]["Where"] == ["not placed"]
        assert told["Clear CIC / pantry"]["Confirmed"] == ["never"]
        assert told["Together CIC / old list"]["Confirmed"][::2] == ["29 June 2025", "stale"]
        assert told["twin"]["For"] == ["need not said"]
        follow(view, part="services", service=DEBT_KEY)
        facts = panel(view)
        assert facts["Waiting"] == "*; about 14 days"
        assert facts["Places"] == "5 offered in 4 weeks, 5 filled"
        assert facts["Funding"] == "NHS, until 31 January 2027, £4.00 a place"
        assert facts["Ages"] == "from 65"
        assert facts["How to get in"] == "self-referral"
        assert facts["Confirmed"] == "1 December 2025 (6 to 12 months)"
        assert facts["Placed by"] == "no place of its own"
        assert view.table_data()["picked"] == DEBT_KEY

    @pytest.mark.parametrize(
        ("asked", "found"),
        [
            ({"theme": "housing"}, {DEBT_KEY}),
            ({"room": "full"}, {DEBT_KEY, CHOIR_KEY}),
            ({"room": "unknown"}, {"twin", "Clear CIC / pantry"}),
            ({"cost": "free"}, {"garden"}),
            ({"cost": "charge"}, {DEBT_KEY}),
            ({"access": "self-referral"}, {DEBT_KEY}),
            ({"place": "online"}, {"Together CIC / helpline"}),
            ({"place": "nowhere"}, {"Clear CIC / pantry"}),
            ({"provider": "Clear%20CIC"}, {DEBT_KEY, "Clear CIC / pantry"}),
            ({"theme": "nature", "room": "full"}, set()),
            # 65 and over is for nobody below it.
            ({"age": "adult", "room": "full"}, {CHOIR_KEY}),
            ({"age": "older", "room": "full"}, {CHOIR_KEY, DEBT_KEY}),
        ],
    )
    def test_a_list_narrowed_to(self, fuller: Engine, asked: Mapping[str, str], found: set[str]):
        query = "&".join(f"{name}={value}" for name, value in asked.items())
        body = get(f"/table/services.json?{AREA}&{query}").json()
        assert {line["key"] for line in body["rows"]} == found

    def test_nothing_fits(self, fuller: Engine, open_it: Open):
        view = open_it(part="services", theme="nature", room="full")
        assert "No service of Small board is all that is asked for" in view.words()
        assert listed(view) == {}
        assert len(listed(view.choose("room", "").choose("theme", ""))) == 7

    def test_capacity(self, fuller: Engine, open_it: Open):
        view = open_it(part="capacity")
        assert texts(view) == [
            ["Together CIC", "4", "20", "17", "3", "85%", "3", "1", "0", "20", "–", "2 of 4"],
            ["Clear CIC", "1", "5", "5", "0", "100%", "0", "0", "1", "*", "14", "1 of 1"],
            ["Together", "1", "–", "–", "–", "–", "–", "–", "–", "–", "–", "0 of 1"],
        ]
        # Nothing to sort by where nothing is told, or where it is hidden.
        assert listed(view)["Clear CIC"]["Waiting"] == ["*"]
        assert listed(view)["Together"]["Free"] == ["–"]
        groups = {
            "theme": [
                ["Loneliness", "4", "20", "17", "3"],
                ["Housing", "1", "5", "5", "0"],
                ["Money and debt", "1", "5", "5", "0"],
                ["Nature", "1", "–", "–", "–"],
            ],
            "locality": [["Northam", "3", "20", "17", "3"], ["Southam", "3", "5", "5", "0"]],
            "ward": [
                ["Abbey, Northam", "2", "20", "17", "3"],
                ["Brook, Northam", "2", "8", "8", "0"],
                ["Castle, Northam", "1", "8", "8", "0"],
                ["Dale, Southam", "2", "5", "5", "0"],
                ["Elm, Southam", "2", "–", "–", "–"],
                ["Ford, Southam", "1", "–", "–", "–"],
            ],
        }
        for by, expected in groups.items():
            view.choose("by", by)
            assert view.address["by"] == by
            assert [line[:5] for line in texts(view)] == expected

    def test_the_weeks(self, fuller: Engine, open_it: Open):
        view = open_it(part="capacity")
        weeks = {"free": ("3", "5"), "filled": ("9", "5"), "waiting": ("10", "*")}
        for measure, (newest, before) in weeks.items():
            view = sound(view.choose("measure", measure))
            caption = {"free": "Free", "filled": "Places", "waiting": "People"}[measure]
            assert [line[:2] for line in rows(view, caption)] == [
                ["22 June 2026", newest], ["15 June 2026", before],
            ]  # fmt: skip
            drawn = [
                (x, y)
                for trace in view.figure(f"weeks_{measure}")["data"]
                if trace.get("x") and "y" in trace and trace.get("mode") != "text"
                for x, y in zip(trace["x"], trace["y"], strict=True)
                if y is not None
            ]
            assert ("2026-06-22", float(newest)) in {(x[:10], y) for x, y in drawn}
            told = {y for x, y in drawn if x[:10] == "2026-06-15"}
            if before == "*":
                # Neither 2, nor a point, nor a mean of both.
                assert told <= {10.0}
                assert "Hidden and left out: 1 week." in view.words()
            else:
                assert float(before) in told
            assert "1 other told some" in view.words()

    def test_the_map(self, fuller: Engine, open_it: Open):
        view = open_it(part="map")
        key = view.part("key")
        assert re.findall(r"(Full|Area-wide or online only|Served)\s+(\d)", key) == [
            ("Full", "2"), ("Area-wide or online only", "3"), ("Served", "1"),
        ]  # fmt: skip
        assert re.search(r"Place with room, or not said\s+2", key)
        assert "Not placed: 1 " in view.words()
        # The choir, the old list and the advice name areas, and have no place.
        assert "Without a point: 3 " in view.words()
        assert re.search(r"Helpline\b.*, Together CIC \(online\)", lines(view))
        traces = view.figure("service_map")["data"]
        (points,) = [t for t in traces if t.get("customdata")]
        # The middles of Abbey and Brook.
        assert {
            key: (lon, lat)
            for key, lon, lat in zip(
                points["customdata"], points["lon"], points["lat"], strict=True
            )
        } == {"garden": (1.01, 51.01), "twin": (1.03, 51.01)}
        view.choose("theme", "nature")
        assert re.search(r"Nothing serves the ward\s+5", view.part("key"))
        assert re.search(r"Stale only\s+1", view.part("key"))
        assert not [t for t in view.figure("service_map")["data"] if t.get("customdata")]
        # The alternative in words has the same counts.
        alt = next(e.proto.alt for e in view.elements() if e.type == "plotly_chart")
        assert "for nature. Nothing serves the ward: 5 wards; Stale only: 1 ward" in alt

    def test_the_map_says_how_its_own_places_are_known(self, fuller: Engine, open_it: Open):
        """The garden and the choir of Brook; Southam has none."""
        view = open_it(part="map")
        assert "Places: 2 by coordinates, 0 by postcode." in view.words()
        view = follow(view, part="map", locality=SOUTHAM)
        assert "Places: 0 by coordinates, 0 by postcode." in view.words()

    def test_freshness_and_whom_to_ask(self, fuller: Engine, open_it: Open):
        view = open_it(part="freshness")
        assert "2 of 7 entries were not confirmed in time and are left out" in finding(view, 1)
        assert rows(view, "Entries by age") == [
            ["Under 6 months", "4", "4", "0"],
            ["6 to 12 months", "1", "1", "0"],
            ["Over 12 months", "1", "1", "0"],
            ["Never confirmed", "1", "0", "1"],
        ]
        assert [line[:4] for line in rows(view, "Entries to confirm")] == [
            ["Pantry △ safeguarding not said", "Clear CIC", "never", "the provider's return"],
            [
                "Old List △ safeguarding not said",
                "Together CIC",
                "29 June 2025, stale",
                "the provider's return",
            ],
            [
                "Debt △ safeguarding not said",
                "Clear CIC",
                "1 December 2025",
                "the provider's return",
            ],
        ]
        body = next(m for m in view.markup() if 'class="downloads"' in m)
        asked = [" ".join(Markup.of(item).text.split()) for item in body.split("<li>")[1:]]
        assert asked == [
            "Clear CIC: 2 entries, never confirmed file to send",
            "Together CIC: 1 entry, oldest 29 June 2025 file to send",
        ]
        # Each file is there, and holds the provider's own, without those who wait.
        for url, names in zip(
            re.findall(r'href="([^"]+)"', body),
            ({"Debt", "Pantry", "Shed"}, {"Garden", "Choir", "Helpline", "Old List"}),
            strict=True,
        ):
            told = sheet(get(unescape(url)).content)
            assert {line["service_name"] for line in told} == names
            assert {line["waiting"] for line in told} <= {None, ""}

    def test_funding(self, fuller: Engine, open_it: Open):
        view = open_it(part="funding")
        assert finding(view, 1) == (
            "Funding of 2 services in 4 wards ends by January 2027: 13 places . Unless it is renewed, "
            "3 wards would have nothing left for a need they have something for today."
        )
        assert rows(view, "Lost up to the end") == [
            ["Sep 2026", "1", "1", "3", "8", "0"], ["Jan 2027", "1", "2", "4", "13", "0"],
        ]  # fmt: skip
        assert rows(view, "Services whose funding ends") == [
            ["Choir ▲ no safeguarding", "Together CIC", "30 September 2026", "–", "8", "£10.00",
             "3 wards · Northam"],
            ["Debt △ safeguarding not said", "Clear CIC", "31 January 2027", "NHS", "5", "£4.00",
             "1 ward · Southam"],
        ]  # fmt: skip
        # Abbey keeps the garden.
        assert rows(view, "By need, wards with nothing left") == [
            ["Loneliness", "30 September 2026", "2", "Brook, Castle"],
            ["Housing", "31 January 2027", "1", "Dale"],
            ["Money and debt", "31 January 2027", "1", "Dale"],
        ]
        assert "1 of 2 services that say so are free to the person (50%)." in lines(view)
        assert "pay £10.00 or less for a place (median)" in lines(view)
        assert "3 of 6 services say both" in lines(view)
        # 12 x £20; 8 x £10; 5 x £4.
        assert rows(view, "By funder") == [
            ["Council", "1", "1", "12", "£240"],
            ["not said", "4", "1", "8", "£80"],
            ["NHS", "1", "0", "5", "£20"],
        ]
        assert rows(view, "Money for the voluntary sector") == [
            ["Southam", "5,000", "£20", "£0", "£0.00"],
            ["Northam", "20,000", "£320", "£320", "£16.00"],
        ]

    @pytest.mark.slow
    def test_money_that_ended_before_was_found_elsewhere(
        self, load_board: Callable[..., Engine], open_it: Open
    ):
        ended = Service("old", (ABBEY,), theme="food", funding_ends=date(2025, 12, 31))
        ends = Service("new", (ABBEY,), theme="food", funding_ends=date(2026, 9, 30))
        load_board(Board(services=(ended, ends)))
        view = open_it(part="funding")
        assert "Funding of 1 service in 1 ward ends by September 2026" in finding(view, 1)
        assert "nothing left" not in finding(view, 1)

    def test_of_a_network(self, fuller: Engine, open_it: Open):
        """South serves Castle, Dale and Elm: the garden of Abbey is not there."""
        view = open_it(part="services", pcn=SOUTH)
        assert tile(view, "Services").startswith("Services 4 of 2 providers 0 ")
        assert sorted(line[0] for line in texts(view)) == ["Choir", "Debt", "Helpline", "Old List"]

    def test_demand_and_supply(self, fuller: Engine, open_it: Open):
        view = open_it(part="demand")
        assert finding(view, 1) == (
            "Most are referred for loneliness : about 55 people in 12 months. Most referrals closed "
            "for lack of a service were for money and debt : at least 10."
        )
        caption = "Referred, offered and waiting"
        # 20 + 30 + hidden; 10 + hidden; 10. A hidden one is 4, and the sum goes to the nearest 5;
        # of those closed, what is shown alone: none of 5 for loneliness, 10 for money.
        assert rows(view, caption)[:3] == [
            ["Loneliness", "55", "*", "4", "20", "3", "20", "2 of 6"],
            ["Money and debt", "15", "10", "1", "5", "0", "*", "6 of 6"],
            ["Housing", "10", "10", "1", "5", "0", "*", "6 of 6"],
        ]
        assert row(view, caption, "Nature") == ["0", "0", "1", "–", "–", "–", "6 of 6"]
        # The pantry is nowhere.
        assert row(view, caption, "Food") == ["0", "0", "0", "0", "0", "–", "6 of 6"]
        assert len(rows(view, caption)) == len(NEED_THEMES)
        # The picture says the same, and has no bar where nothing is known.
        traces = view.figure("demand")["data"]
        told = [
            [words.strip() for words in trace["text"]]
            for trace in traces
            if trace["type"] == "scatter"
        ]
        assert told == [
            [line[1] for line in rows(view, caption)],
            [line[4].replace("–", "?") for line in rows(view, caption)],
        ]
        bars = [trace["x"] for trace in traces if trace["type"] == "bar"]
        assert [bar[:4] for bar in bars] == [
            [55, 15, 10, 0], [20, 5, 5, 0], [3, 0, 0, 0],
        ]  # fmt: skip

    def test_the_directory(self, fuller: Engine, open_it: Open):
        view = open_it(part="directory")
        titles = [Markup.of(m).text for m in view.markup() if 'class="card-title"' in m]
        assert len(titles) == 2
        assert "directory.csv" in titles[0]
        # What failed stands first, what passed last.
        assert rows(view, "Report of directory.csv") == [
            ["✕ fail", "1 of 2 states are of no form"],
            ["△ warn", "1 of 2 entries have no date"],
            ["note", "1 service of the feed before is not in this one"],
            ["✓ pass", "2 of 2 entries have an id"],
        ]
        labels = [block.label for block in view.app.expander]
        assert labels.count(REPORT[0]) == 2
        assert rows(view, "Entries with no place") == [
            ["Pantry △ safeguarding not said", "Clear CIC", "the provider's return", "services.csv"]
        ]
        assert rows(view, "Closed, or no longer") == [
            ["Shed", "Clear CIC", "29 June 2026", "closed, says its return"],
            ["Mill", "Mill", "20 June 2026", "no longer in its directory"],
        ]
        assert "1 pair of entries" in lines(view)

    @pytest.mark.slow
    def test_of_a_locality(self, fuller: Engine, open_it: Open):
        """Southam's own: the advice, the helpline and the old list."""
        view = open_it(locality=SOUTHAM, part="capacity")
        assert tile(view, "Services").startswith("Services 3 of 2 providers 0 ")
        assert tile(view, "Needs not met").startswith("Needs not met 39 of 42 ")
        assert [line[:4] for line in texts(view)] == [
            ["Clear CIC", "1", "5", "5"], ["Together CIC", "2", "–", "–"],
        ]  # fmt: skip
        assert finding(view).startswith(
            "For money and debt , 3 of 3 wards have nothing with room; "
        )


def sheet(body: bytes) -> list[dict[str, Any]]:
    """The rows of the table that a provider gets, by the names of its headings."""
    for each in openpyxl.load_workbook(io.BytesIO(body)).worksheets:
        head, *told = each.iter_rows(values_only=True)
        if "service_name" in head:
            return [dict(zip(head, line, strict=True)) for line in told if any(line)]
    raise AssertionError("no sheet of the workbook has services")


def test_a_group_for_one_ward_answers_there_and_in_no_other(demonstration: Engine, open_it: Open):
    view = open_it(locality=THANET)
    states = {code: needs[LONG_TERM] for code, needs in cells_of(view).items()}
    assert len(states) == 23
    assert {code for code, words in states.items() if words == "served"} == {DIABETES_WARD}
    # By itself, with room: not because something is online or for the whole board.
    assert set(states.values()) == {"served", "nothing serves the ward"}
    view = sound(click_in_list(view, f"{DIABETES_WARD}|{LONG_TERM}"))
    (only,) = rows(view, "Services that serve the ward")
    assert only[0].startswith(DIABETES_GROUP)
    assert only[3] == "names the ward"
    other = next(code for code in states if code != DIABETES_WARD)
    view = follow(view, locality=THANET, ward=other, theme=LONG_TERM)
    assert "No open service for long-term condition serves the ward." in view.words()


# Entries that nobody confirmed.


class TestStaleSwitch:
    """Elm has the old list alone."""

    BOARD_OF_STALE = Board(services=(GARDEN, OLD_LIST), directory=(), matches=())

    @pytest.mark.slow
    def test_everywhere(self, load_board: Callable[..., Engine], open_page: Callable[..., View]):
        load_board(self.BOARD_OF_STALE)

        def coverage_of(url: str) -> str:
            return str(
                next(r for r in get(url).json()["rows"] if r["ward_code"] == ELM)["services"]
            )

        view = open_page("coverage", ward=ELM)
        assert "stale" not in view.chosen_words
        links = re.findall(r'href="(/export/coverage\.json[^"]+)"', "".join(view.markup()))
        left_out = coverage_of(unescape(links[0]))
        before = view.part("facts"), listed(view)[ELM]
        view.choose("stale", "counted")
        assert sound(view).address["stale"] == "counted"
        links = re.findall(r'href="(/export/coverage\.json[^"]+)"', "".join(view.markup()))
        assert (left_out, coverage_of(unescape(links[0]))) == ("stale", "present")
        after = view.part("facts"), listed(view)[ELM]
        assert before[0] != after[0]
        assert before[1] != after[1]
        assert view.chosen_words == ("Small board · as at 30 June 2026 · stale entries counted")
        # It stays, and is said, on every page that judges.
        for page in ("workforce", "providers"):
            sound(view.go_to(page))
            assert view.address["stale"] == "counted"
            assert view.chosen_words.endswith("· stale entries counted")
        assert cells_of(view)[ELM]["loneliness"] == "served"
        assert "counted as provision all the same" in finding(view)
        links = re.findall(r'href="(/export/gaps\.json[^"]+)"', "".join(view.markup()))
        told = get(unescape(links[0])).json()
        assert told["meta"]["basis"]["stale_services"] == "counted as provision"
        elm = next(r for r in told["rows"] if (r["ward_code"], r["theme"]) == (ELM, "loneliness"))
        assert (elm["state"], elm["own"], elm["stale"]) == ("served", 1, 0)
        view.choose("stale", "")
        assert "stale" not in sound(view).address
        assert cells_of(view)[ELM]["loneliness"] == "stale only"
        assert finding(view).endswith(
            "1 entry that nobody confirmed in time is left out of what is met."
        )

    @pytest.mark.slow
    def test_the_parts_follow(self, fuller: Engine, open_it: Open):
        view = open_it(stale="counted")
        parts_of(view, stale="counted")
        follow(view, stale="counted", part="freshness")
        assert "are counted as provision" in finding(view, 1)
        follow(view, stale="counted")
        # Nature in Elm is served, and loneliness by its own.
        assert tile(view, "Needs not met").startswith("Needs not met 79 of 84 ")

    @pytest.mark.slow
    def test_a_link_opens_the_same_view(self, fuller: Engine, open_it: Open):
        """What is sent to somebody else counts what was counted here."""
        view = open_it(stale="counted", ward=ELM, theme="nature")
        assert parse_qs(urlsplit(link(view, "on the page Coverage")).query)["stale"] == ["counted"]
        follow(view, stale="counted", part="services", service=DEBT_KEY)
        assert parse_qs(urlsplit(link(view, "Link to this service")).query)["stale"] == ["counted"]


# Picking.


class TestPicking:
    @pytest.mark.slow
    def test_in_the_matrix(self, fuller: Engine, open_it: Open, open_page: Callable[..., View]):
        view = sound(click_in_list(open_it(), f"{ABBEY}|loneliness"))
        assert (view.address["ward"], view.address["theme"]) == (ABBEY, "loneliness")
        assert view.table_data()["picked"] == f"{ABBEY}|loneliness"
        assert (view.value("ward"), view.value("theme")) == (ABBEY, "loneliness")
        assert heading(view, "cell") == "Loneliness in Abbey, Northam"
        # A row keeps the need, and takes another ward.
        view = sound(click_in_list(view, BROOK))
        assert (view.address["ward"], view.address["theme"]) == (BROOK, "loneliness")
        assert heading(view, "cell") == "Loneliness in Brook, Northam"
        view = view.choose("theme", "")
        assert "theme" not in view.address
        assert heading(view, "cell") == "Every need in Brook, Northam"
        assert view.table_data()["picked"] == BROOK
        target = urlsplit(link(view, "The ward on the page Coverage"))
        assert target.path == "/coverage"
        assert open_page("coverage", **dict(parse_qsl(target.query))).panel == "Brook, Northam"
        # None again.
        view = view.choose("ward", "")
        assert heading(view, "cell") == ""

    def test_a_locality(self, fuller: Engine, open_it: Open):
        view = sound(click_in_list(open_it(rows="localities", ward=ABBEY), SOUTHAM))
        assert view.address["locality"] == SOUTHAM
        assert not {"rows", "ward"} & set(view.address)
        # Its wards instead.
        assert set(listed(view)) == {DALE, ELM, FORD}
        assert view.chosen_words == "Small board > Southam · as at 30 June 2026"
        view = sound(click_in_list(open_it(rows="localities"), f"{NORTHAM}|food"))
        assert (view.address["locality"], view.address["theme"]) == (NORTHAM, "food")
        assert set(listed(view)) == {ABBEY, BROOK, CASTLE}

    def test_in_the_list_of_services(self, fuller: Engine, open_it: Open):
        view = sound(click_in_list(open_it(part="services"), DEBT_KEY))
        assert view.address["service"] == view.value("service") == DEBT_KEY
        assert heading(view, "service") == "Debt, Clear CIC"
        target = urlsplit(link(view, "Link to this service"))
        assert target.path == "/providers"
        again = follow(view, **dict(parse_qsl(target.query)))
        assert heading(again, "service") == "Debt, Clear CIC"
        # What is narrowed away stays picked; what is not of the area is not there.
        assert heading(view.choose("room", "room"), "service") == "Debt, Clear CIC"
        view = follow(view, part="services", service=DEBT_KEY, locality=NORTHAM)
        assert "service" not in view.address

    @pytest.mark.slow
    def test_in_the_list_of_capacity(self, fuller: Engine, open_it: Open):
        """A line leads to its services; one of a ward to its needs."""
        view = sound(click_in_list(open_it(part="capacity"), "Clear CIC"))
        assert (view.address["part"], view.address["provider"]) == ("services", "Clear CIC")
        assert set(listed(view)) == {DEBT_KEY, "Clear CIC / pantry"}
        view = sound(click_in_list(open_it(part="capacity", by="theme"), "housing"))
        assert (view.address["part"], view.address["theme"]) == ("services", "housing")
        assert set(listed(view)) == {DEBT_KEY}
        view = sound(click_in_list(open_it(part="capacity", by="locality"), SOUTHAM))
        assert (view.address["part"], view.address["locality"]) == ("services", SOUTHAM)
        assert view.chosen_words == "Small board > Southam · as at 30 June 2026"
        view = sound(click_in_list(open_it(part="capacity", by="ward"), DALE))
        assert (view.address["part"], view.address["ward"]) == ("gaps", DALE)
        assert heading(view, "cell") == "Every need in Dale, Southam"

    def test_a_place_on_the_map(self, fuller: Engine, open_it: Open):
        view = sound(click_on_map(open_it(part="map"), customdata="garden"))
        assert view.address["service"] == "garden"
        outlined = [
            t["locations"]
            for t in view.figure("service_map")["data"]
            if t["type"] == "choropleth" and t.get("hoverinfo") == "skip" and "name" not in t
        ]
        # The garden names Abbey alone: a light line below a dark one.
        assert [ABBEY] in outlined
        # The same on the list.
        other = follow(view, part="services", service="garden")
        assert heading(other, "service") == "Garden, Together CIC"

    def test_a_place_on_the_map_opens_its_panel(self, fuller: Engine, open_it: Open):
        view = sound(click_on_map(open_it(part="map"), customdata="garden"))
        assert heading(view, "service") == "Garden, Together CIC"

    def test_a_ward_on_the_map(self, fuller: Engine, open_it: Open):
        view = sound(click_on_map(open_it(part="map", theme="loneliness"), location=BROOK))
        assert view.address["ward"] == BROOK
        other = follow(view, part="gaps", ward=BROOK, theme="loneliness")
        assert heading(other, "cell") == "Loneliness in Brook, Northam"

    def test_a_ward_on_the_map_opens_what_it_has(self, fuller: Engine, open_it: Open):
        view = sound(click_on_map(open_it(part="map", theme="loneliness"), location=BROOK))
        assert "Brook, Northam" in view.words()

    def test_a_service_that_is_not_of_the_area(self, fuller: Engine, open_it: Open):
        view = open_it(part="map", service="nothing")
        assert not [t for t in view.figure("service_map")["data"] if t.get("locations") == []]


# Nothing hidden.


def all_of_providers(view: View) -> dict[str, str]:
    """Everything the browser gets of every part, table and file in which a hidden number could show,
    but for the number of the data's version."""
    shown = {}
    views: list[dict[str, str]] = [{"part": part} for part in PARTS]
    views += [{"ward": ward, "theme": "loneliness"} for ward in (DALE, ABBEY)]
    views += [{"rows": "localities"}, {"part": "services", "service": DEBT_KEY}]
    views += [{"part": "capacity", "by": by} for by in ("theme", "locality", "ward")]
    views += [{"part": "capacity", "measure": "waiting"}, {"part": "demand", "locality": SOUTHAM}]
    for address in views:
        follow(view, **address)
        shown[json.dumps(address)] = re.sub(r"([?&]v=|/geo/QZ1/)[\w.]+", r"\1", view.everything())
    for subject in ("gaps", "localities", "services", *(f"capacity?{by}" for by in BYS)):
        shown[f"table {subject}"] = get(table_address(subject)).text
    for subject in ("gaps", "services"):
        shown[f"csv {subject}"] = get(f"/export/{subject}.csv?{AREA}").text
        told = get(f"/export/{subject}.json?{AREA}").json()
        shown[f"json {subject}"] = json.dumps(
            [told["rows"], told["meta"]["totals"], told["meta"]["basis"]]
        )
    for provider in ("Clear CIC", "Together CIC"):
        shown[f"ask {provider}"] = str(sheet(get(ask_address(provider)).content))
    return shown


BYS = ("by=provider", "by=theme", "by=locality", "by=ward")


def table_address(subject: str) -> str:
    name, _, query = subject.partition("?")
    return f"/table/{name}.json?{AREA}&{query}"


def ask_address(provider: str) -> str:
    return f"/ask/services.xlsx?provider={quote(provider)}"


def few(waiting: int, referred: int, lost: int, week: int) -> Board:
    """The fuller board with so many waiting, referred, closed for lack of a service, and waiting in
    the week before the newest."""
    services = tuple(
        replace(s, waiting=waiting) if s.service_id == "debt" else s for s in FULLER.services
    )
    weeks = (Week("garden", date(2026, 6, 15), 10, 5, week), *FULLER.weeks[1:])
    needs = {
        **FULLER.needs,
        (DALE, "loneliness"): (referred, lost),
        (DALE, "money and debt"): (referred, lost),
    }
    return FULLER.but(services=services, weeks=weeks, needs=needs, directory=())


@pytest.mark.slow
def test_a_hidden_number_changes_nothing_that_is_shown(
    load_board: Callable[..., Engine], open_it: Open
):
    """If all of it reads the same for 1 and 2 as for 6 and 7, nobody can tell one from another."""
    load_board(few(1, 2, 1, 1))
    one = all_of_providers(open_it())
    load_board(few(7, 6, 5, 7))
    seven = all_of_providers(open_it())
    assert one.keys() == seven.keys()
    assert [name for name in one if one[name] != seven[name]] == []


@pytest.mark.slow
def test_a_number_that_is_not_hidden_does_change_it(
    load_board: Callable[..., Engine], open_it: Open
):
    """The test above can fail: 8 is shown, as 10."""
    load_board(few(7, 7, 7, 7))
    hidden = {name: get(f"/table/{name}.json?{AREA}").text for name in ("gaps", "services")}
    load_board(few(8, 8, 8, 8))
    shown = {name: get(f"/table/{name}.json?{AREA}").text for name in ("gaps", "services")}
    assert [name for name in hidden if hidden[name] == shown[name]] == []


def test_no_count_of_people_is_between_1_and_7(demonstration: Engine):
    """In no file and no table of a board with hundreds of hidden counts."""
    area = "icb=QDK&as_at=2026-06-30"
    told = {
        name: get(f"/export/{name}.json?{area}").json()["rows"] for name in ("gaps", "services")
    }
    counts = [line[name] for line in told["gaps"] for name in ("referred", "without_service")]
    counts += [line["people_waiting"] for line in told["services"]]
    assert counts.count("*") > 500
    numbers = {count for count in counts if count not in ("*", None)}
    assert all(number == 0 or (number >= 10 and number % 5 == 0) for number in numbers)
    body = get(f"/table/gaps.json?{area}").json()
    notes = [cell[2] for line in body["rows"] for cell in line["cells"][2:]]
    people = re.findall(r"([\d,]+|\*) referred", " ".join(notes))
    assert {"*", "0"} < set(people)
    assert not {str(number) for number in range(1, 10)} & set(people)


# The same service.


class TestSameService:
    @pytest.mark.slow
    def test_said_and_taken_back(self, own_fuller: Engine, open_it: Open):
        view = open_it(part="directory")
        facts = panel(view)
        assert facts["One"] == (
            "Choir, Together CIC; the provider's return, services.csv, id choir"
        )
        assert facts["Other"] == "The choir, Together; the directory, directory.csv, id twin"
        # Nothing is merged before somebody says so.
        assert tile(view, "Services").startswith("Services 6 ")
        press(view, "The same service")
        assert "No two entries of different sources look like" in lines(view)
        assert tile(view, "Services").startswith("Services 5 ")
        follow(view, part="services", service="twin")
        facts = panel(view)
        assert facts["Room"] == "full with waiting list, told for 15 June 2026"
        assert facts["Placed by"] == "its coordinates"
        assert facts["Said by"].startswith("the provider's return and the directory")
        # A load like any other: it has a history, and can be taken back.
        sound(view.go_to("data"))
        label = next(o for o in view.options("load to undo") if "set on the page Providers" in o)
        load_id = int(label.split(":")[0])
        press(view.choose("load to undo", load_id), f"Undo load {load_id}")  # type: ignore[arg-type]
        sound(view.go_to("providers"))
        assert tile(view, "Services").startswith("Services 6 ")
        view = follow(view, part="directory")
        assert "1 pair of entries" in lines(view)
        # And said once more.
        press(view, "The same service")
        assert tile(view, "Services").startswith("Services 5 ")

    @pytest.mark.slow
    def test_two_services(self, own_fuller: Engine, open_it: Open):
        view = open_it(part="directory")
        press(view, "Two services")
        assert "No two entries of different sources look like" in lines(view)
        assert [b.label for b in view.app.main.button] == []
        assert tile(view, "Services").startswith("Services 6 ")

    @pytest.mark.slow
    def test_of_the_demonstration(
        self,
        use_database: Callable[[Path], Engine],
        demonstration_path: Path,
        tmp_path: Path,
        open_it: Open,
    ):
        use_database(Path(shutil.copy(demonstration_path, tmp_path / "own.db")))
        view = open_it(part="directory")
        assert "3 pairs of entries" in lines(view)
        assert [button.label for button in view.app.button].count("The same service") == 3
        press(view, "The same service")
        assert "2 pairs of entries" in lines(view)
        # What was said of it does not end the demonstration.
        assert "Demonstration." in view.words()


# Names out of files are text.


@pytest.fixture(scope="module")
def hostile_path(tmp_path_factory: pytest.TempPathFactory, upgraded_file: Path) -> Path:
    """The fuller board with an attack in every text that a file may give; needs keep their names."""
    path = tmp_path_factory.mktemp("hostile providers") / "board.db"
    shutil.copy(upgraded_file, path)
    engine = make_engine(f"sqlite:///{path.as_posix()}")
    for load in (*FULLER.loads(), NEXT_FEED):
        made = poisoned(load)
        frames = dict(made.rows)
        if "service_theme" in frames:
            frames["service_theme"] = load.rows["service_theme"]
        if "service" in frames:
            service = frames["service"].copy()
            service["state"] = load.rows["service"]["state"]
            for column in ("funder", "cost_to_person", "access", "sector"):
                service[column] = HOSTILE + service[column].astype("str")
            frames["service"] = service
        for name in ("service_capacity", "service_match"):
            if name in frames:
                frames[name] = frames[name].assign(
                    provider=HOSTILE + frames[name]["provider"].astype("str")
                )
        # The title of a report is ours; what its lines say may be of a file.
        told = tuple(f"warn: {HOSTILE}{line}" for line in REPORT[1:])
        notes = (REPORT[0], *told) if load.dataset == "directory" else ()
        file_name = f"{HOSTILE}{load.file_name}"
        save(engine, replace(made, rows=frames, notes=notes, file_name=file_name))
    engine.dispose()
    return path


@pytest.fixture
def hostile(use_database: Callable[[Path], Engine], hostile_path: Path, on_the_day: None) -> Engine:
    return use_database(hostile_path)


RAW = ("**bold**", "[link](javascript", "$x$", ":red[", "`code`", "<script")


def is_raw(mark: str, value: str) -> bool:
    """Whether a mark of Markdown stands in a value without the sign that makes it text."""
    return re.search(rf"(?<!\\){re.escape(mark)}", value) is not None


ATTACKED = f"{HOSTILE}Together CIC / choir"


class TestEscaping:
    def test_every_value_is_text(self, hostile: Engine, open_it: Open):
        view = open_it()
        for part in PARTS:
            follow(view, part=part, ward=ABBEY, service=ATTACKED)
            for body in view.markup():
                found = Markup.of(body)
                assert found.tags <= OUR_TAGS
                for name, value in found.attributes:
                    assert not name.startswith("on")
                    if name == "href":
                        assert re.match(r"/(export/|ask/|providers\?|coverage\?|methods)", value)
            if part != "demand":
                assert HOSTILE.strip() in " ".join(view.words().split())
            # What Streamlit reads as Markdown holds no raw name: labels, headings, and what a button
            # says when it is pointed at.
            for element in view.elements():
                for name in ("body", "label", "help", "placeholder"):
                    if element.type != "html" and name in element.proto.DESCRIPTOR.fields_by_name:
                        value = str(getattr(element.proto, name))
                        raw = [each for each in RAW if is_raw(each, value)]
                        assert raw == [], f"{part}: {element.type}.{name}: {value[:200]}"

    @pytest.mark.slow
    def test_what_is_folded_away(self, hostile: Engine, open_it: Open):
        """Labels of expanders are Markdown too."""
        for block in open_it(part="directory").app.expander:
            assert not [raw for raw in RAW if is_raw(raw, block.label)]

    def test_plotly_gets_names_as_text(self, hostile: Engine, open_it: Open):
        words = json.dumps(open_it(part="map").figure("service_map"), ensure_ascii=False)
        assert "Garden" in words
        assert set(re.findall(r"</?([a-z]+)[^>]*>", words)) <= {"b", "br", "span", "extra"}

    def test_tables_are_plain_text_and_files_run_no_formula(self, hostile: Engine):
        body = get(f"/table/services.json?{AREA}").json()
        names = {line["key"]: line["cells"][0][0] for line in body["rows"]}
        assert names[ATTACKED] == f"{HOSTILE}Choir"
        csv = get(f"/export/services.csv?{AREA}").content.decode("utf-8-sig")
        assert "'=1+1<script>" in csv
        assert not re.search(r'(^|,)"?=1\+1', csv, re.MULTILINE)
        book = openpyxl.load_workbook(io.BytesIO(get(ask_address(f"{HOSTILE}Clear CIC")).content))
        assert [
            cell.value
            for each in book.worksheets
            for line in each.iter_rows()
            for cell in line
            if cell.data_type == "f"
        ] == []


@pytest.mark.slow
def test_the_words_judge_nobody(demonstration: Engine, open_it: Open):
    unkind = re.compile(
        r"\b(poor(ly)?|bad(ly)?|worst|worse|good|best|fails?|failing|failed|underperform\w*|"
        r"alarming|unacceptable|inadequate|disappointing|excellent)\b",
        re.IGNORECASE,
    )
    view = open_it()
    for part in PARTS:
        words = follow(view, part=part, ward=DIABETES_WARD).words()
        # How far a postcode is from the door; the mark of a check of a feed.
        words = words.replace("are good to about 100 metres", "").replace("✕ fail", "")
        assert unkind.findall(words) == [], part


@pytest.mark.slow
def test_the_reader_of_one_board_sees_it(
    small_board: Engine, open_it: Open, read_as: Callable[[str], None]
):
    read_as(BOARD)
    view = open_it(part="services")
    assert view.chosen_words == "Small board · as at 30 June 2026"
    assert set(listed(view)) == {
        "garden",
        CHOIR_KEY,
        "Together CIC / helpline",
        "Together CIC / old list",
    }
