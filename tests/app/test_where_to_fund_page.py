"""The page Where to fund next in each state: every part, filtered, empty, hidden, saved, and for whom."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from urllib.parse import parse_qsl, urlsplit

import pytest
from sqlalchemy import Engine

from dashboard import long_work
from dashboard.access import current_user
from dashboard.long_work import Status
from queries import scenarios
from queries.load import save
from queries.scope import EVERYTHING, Scope
from tests.app.reading import Markup, View, each_part, follow, sound
from tests.app.test_access import OF_THE_BOARD
from tests.app.test_commands import run
from tests.app.test_escaping import HOSTILE, OUR_TAGS
from tests.app.test_hidden_numbers import page_of
from tests.app.test_routes import get
from tests.app.test_workforce_page import press, small_table, tile
from tests.conftest import rest_is_slow
from tests.small_board import (
    ABBEY,
    AS_AT,
    BOARD,
    BROOK,
    CASTLE,
    DALE,
    EAST,
    ELM,
    FORD,
    NEIGHBOUR,
    NORTH,
    NORTHAM,
    OUTSIDER_ICB,
    REFERRALS,
    SOUTH,
    SOUTHAM,
    Board,
    Referrals,
)
from tests.test_site_plan import listed_sites

# Whole pages: `test_pages` has one quick look.
pytestmark = pytest.mark.slow

QUESTION = "Where does the next pound reach most unmet need?"
PARTS = ("plan", "need", "sure", "whatif", "fairness", "compare")
EXPORT = f"/export/site-plan.json?icb={BOARD}&as_at={AS_AT}"
Open = Callable[..., View]
Load = Callable[[Board], Engine]


@pytest.fixture
def open_it(open_page: Open) -> Open:
    """Opens the page at an address."""

    def open_at(**address: str) -> View:
        return sound(open_page("where-to-fund", **address))

    return open_at


@pytest.fixture
def nothing_left() -> Iterator[None]:
    yield
    for key in list(long_work._works):
        long_work.cancel(key)
    long_work._works.clear()


def findings(view: View) -> str:
    said = [Markup.of(m).text for m in view.markup() if m.startswith('<div class="finding">')]
    return " ".join(" ".join(said).split()).replace(" :", ":").replace(" .", ".")


def parts_of(view: View, **address: str) -> dict[str, str]:
    """Every part at an address; its words."""
    return {part: " ".join(view.words().split()) for part in each_part(view, PARTS, **address)}


def cells(view: View, caption: str) -> list[list[str]]:
    return [list(row.values()) for row in small_table(view, caption)]


def buttons(view: View) -> list[str]:
    return [button.label for button in view.app.button]


class TestNormal:
    def test_the_page_answers_its_question(self, small_board: Engine, open_it: Open) -> None:
        view = open_it()
        assert QUESTION in view.words()
        assert view.chosen_words == "Small board · as at 30 June 2026"
        # Castle's 5 and Elm's 10, for 50,000 each.
        assert findings(view).startswith(
            "2 sites for £100,000 a year reach 2 wards and 15 of 15 people with unmet need: £6,667 "
        )
        assert "1 ward is in no plan: nobody told us the need of 1." in findings(view)
        assert tile(view, "Newly reached").split()[2] == "15"
        assert tile(view, "Remain unreached").split()[2] == "0"
        assert [row[0] for row in cells(view, "Chosen sites")] == ["1. Elm", "2. Castle"]
        assert [row[0] for row in cells(view, "Need or provision not known")] == ["Ford"]

    def test_what_it_assumes_in_one_line_and_the_boxes_behind(
        self, small_board: Engine, open_it: Open
    ) -> None:
        """Closed at first; whoever does not open it reads below the tiles what is assumed."""
        view = open_it(locality=SOUTHAM, sites="1", share="40")
        (box,) = (b for b in view.app.expander if b.label == "Change what the plan assumes")
        assert not box.proto.expanded
        bodies = view.markup()
        (line,) = (n for n, body in enumerate(bodies) if "Assumed: " in body)
        (tiles,) = (n for n, body in enumerate(bodies) if 'class="tiles"' in body)
        assert line == tiles + 1
        said = " ".join(Markup.of(bodies[line]).text.split())
        assert said.startswith("Assumed: Reach the most unmet need; wards in which a component is ")
        assert "; At most 1 site; " in said
        assert "; At least 40% of those newly reached; " in said
        # It is read whatever part is shown.
        for part in PARTS:
            assert "Assumed: Reach" in follow(view, part=part).words()

    def test_a_link_opens_the_plan_of_the_same_area(
        self, small_board: Engine, open_it: Open
    ) -> None:
        view = open_it(locality=SOUTHAM, pcn=SOUTH, sites="1", close="Together CIC")
        body = next(body for body in view.markup() if "Link to this plan" in body).replace(
            "&amp;", "&"
        )
        (href,) = (value for name, value in Markup.of(body).attributes if name == "href")
        asked = dict(parse_qsl(urlsplit(href).query))
        assert {name: asked.get(name) for name in ("locality", "pcn", "sites", "close")} == {
            "locality": SOUTHAM, "pcn": SOUTH, "sites": "1", "close": "Together CIC",
        }  # fmt: skip
        said = findings(view)
        assert findings(follow(open_it(), **asked)) == said

    def test_every_part(self, small_board: Engine, open_it: Open) -> None:
        words = parts_of(open_it())
        assert "Everything this plan assumes" in words["plan"]
        assert "Need is referrals expected and not received in 12 months." in words["need"]
        assert "plans are worked out apart from the page" in words["sure"]
        assert "Nothing is supposed yet" in words["whatif"]
        assert "needs people in each of the five fifths" in words["fairness"]
        assert "No plan is saved yet" in words["compare"]

    @pytest.mark.parametrize(
        "address", rest_is_slow({}, {"locality": "E07000114"}, {"pcn": "UDK013"}, {"icb": "QDM"})
    )
    def test_every_part_of_the_demonstration(
        self, demonstration: Engine, open_it: Open, address: dict[str, str]
    ) -> None:
        for part, said in parts_of(open_it(), **{"icb": "QDK", **address}).items():
            assert re.search(r"\d", said), part

    def test_the_maps_draw_every_ward(self, small_board: Engine, open_it: Open) -> None:
        view = open_it()
        for name in ("plan_map_Before", "plan_map_After"):
            traces = view.figure(name)["data"]
            # The wards that are not known are drawn once more, hatched.
            drawn = {code for trace in traces for code in trace.get("locations", ())}
            assert drawn == {ABBEY, BROOK, CASTLE, DALE, ELM, FORD}
        assert "Chosen site" in json.dumps(view.figure("plan_map_After"))
        assert "Chosen site" not in json.dumps(view.figure("plan_map_Before"))

    def test_what_is_chosen_changes_the_plan(self, small_board: Engine, open_it: Open) -> None:
        view = open_it(sites="1")
        assert findings(view).startswith("1 site for £50,000 a year reaches 1 ward and 10 of 15 ")
        assert tile(view, "Newly reached").split()[2] == "10"
        sound(view.choose("sites", "10"))
        assert findings(view).startswith("2 sites for £100,000 a year reach 2 wards")
        assert "More than 2 sites would reach nobody else within the limits." in findings(view)
        assert view.address["sites"] == "10"
        follow(view, sites="10", goal="nearest")
        assert findings(view).startswith(
            "No plan keeps to every limit: 10 sites wanted, there are 7"
        )
        for label in ("Newly reached", "Cost", "Remain unreached"):
            assert "–" in tile(view, label).split()
        follow(view, sites="any", goal="furthest")
        assert findings(view).startswith("No plan: for this goal choose a number of sites or")
        follow(view, need="adults", whose="every", sites="1")
        assert cells(view, "Chosen sites")[0][2] == "15,000"
        follow(view, budget="50000", sites="any")
        assert [row[0] for row in cells(view, "Chosen sites")] == ["1. Elm"]

    def test_a_link_that_says_nonsense(self, small_board: Engine, open_it: Open) -> None:
        names = ("need", "whose", "kinds", "goal", "sites", "budget", "reach", "share", "places",
                 "cost_new", "cost_venue", "site_fte", "theme", "part", "close", "end", "moved",
                 "worker_from", "worker_to", "against")  # fmt: skip
        usual = findings(open_it())
        for value in ("nonsense", "²"):
            assert findings(open_it(**dict.fromkeys(names, value))) == usual
        view = open_it(part="whatif", close="x", moved="x", worker_from="x")
        assert "Nothing is supposed yet" in view.words()

    def test_no_two_options_of_a_box_read_the_same(
        self, small_board: Engine, open_it: Open
    ) -> None:
        """The browser sends what is read: of two that are alike the other may be taken."""
        for part in ("plan", "whatif"):
            for box in open_it(part=part).app.selectbox:
                assert len(set(box.options)) == len(box.options), box.key

    def test_the_file_is_of_what_is_chosen(self, small_board: Engine, open_it: Open) -> None:
        view = open_it(sites="1", kinds="ward", locality=SOUTHAM)
        links = {
            value.replace("&amp;", "&")
            for body in view.markup()
            for name, value in Markup.of(body).attributes
            if name == "href" and value.startswith("/export/site-plan")
        }
        assert {link.split("?")[0].rsplit(".")[-1] for link in links} == {"csv", "json", "xlsx"}
        found = get(next(link for link in links if ".json" in link)).json()
        assert found["meta"]["assumptions"]["Number of sites"] == "At most 1 site"
        assert found["meta"]["assumptions"]["Candidates"] == "The middle of each ward: 3"
        assert {row["code"] for row in found["rows"] if row["row"] == "ward"} == {DALE, ELM, FORD}

    def test_sites_the_board_has_listed(self, own: Engine, open_it: Open) -> None:
        save(own, listed_sites())
        view = open_it(kinds="site")
        rows = cells(view, "Chosen sites")
        # The hall has no limit; the library has room for 4 of Elm's 10, and a cost of its own.
        assert [(row[0], row[1], row[2], row[4]) for row in rows] == [
            ("1. Hall", "listed site", "5", "£50,000"), ("2. Library", "listed site", "4", "£30,000")
        ]  # fmt: skip

    def test_by_the_command_line(self, small_board: Engine) -> None:
        done = run(
            "export", "site-plan", "--icb", BOARD, "--as-at", f"{AS_AT}", "--format", "json",
            "--choice", "sites=1", "--choice", f"locality={NORTHAM}",
        )  # fmt: skip
        assert done.exit_code == 0
        found = json.loads(done.stdout)
        assert found["meta"]["assumptions"]["Number of sites"] == "At most 1 site"
        assert [row["code"] for row in found["rows"] if row["row"] == "site"] == [CASTLE]


class TestFiltered:
    def test_a_locality_has_its_own_plan(self, small_board: Engine, open_it: Open) -> None:
        view = open_it(locality=NORTHAM, sites="1")
        assert "reaches 1 ward and 5 of 5 people" in findings(view)
        assert [row[0] for row in cells(view, "Chosen sites")] == ["1. Castle"]
        follow(view, locality=NORTHAM, part="need")
        assert {row[0] for row in cells(view, "Wards with most")} == {"Abbey", "Brook", "Castle"}

    def test_a_network_has_the_wards_it_serves(self, small_board: Engine, open_it: Open) -> None:
        view = open_it(pcn=SOUTH, part="need")
        assert {row[0] for row in cells(view, "Wards with most")} == {"Castle", "Dale", "Elm"}

    def test_no_ward_of_both(self, small_board: Engine, open_it: Open) -> None:
        assert "No ward fits these filters" in open_it(locality=NORTHAM, pcn=EAST).words()


class TestNothing:
    def test_an_empty_database(self, empty: Engine, open_page: Open) -> None:
        view = sound(open_page("where-to-fund"))
        assert "Demonstration" not in view.words()

    def test_a_board_without_referrals(self, load_board: Load, open_it: Open) -> None:
        load_board(Board(referrals=()))
        view = open_it()
        assert findings(view).startswith(
            "No plan: this area has no ward whose need and provision are known."
        )
        assert "6 wards are in no plan: nobody told us the need of 6." in findings(view)
        assert tile(view, "Newly reached").split()[2] == "–"
        words = parts_of(view)
        assert "No plan to try" in words["sure"]
        # By another measure there is one.
        assert findings(follow(view, need="adults")).startswith("2 sites for")

    def test_a_board_without_places(self, load_board: Load, open_it: Open) -> None:
        load_board(Board(populations=False, deprivation=False))
        assert findings(open_it()).startswith("No plan: this area has no ward whose need")
        parts_of(open_it())

    def test_a_board_without_a_service(self, load_board: Load, open_it: Open) -> None:
        load_board(Board(services=(), times={}))
        parts_of(open_it())


class TestHowSure:
    """The page around the calculation; the calculation itself in `tests.test_plan_trial`."""

    @pytest.fixture(autouse=True)
    def without_a_rest(self, nothing_left: None) -> None:
        pass

    def test_from_the_button_to_the_end(self, small_board: Engine, open_it: Open) -> None:
        view = open_it(part="sure", kinds="ward", sites="1")
        # As chosen, 4 of reach, 2 of need, 1 of a number of sites (none is no plan), 40 drawn.
        assert "48 plans are worked out" in view.words()
        press(view, "Try the plan under other assumptions")
        for _ in range(60):
            if "Try the plan under other assumptions" not in buttons(view) and (
                "Stop" not in buttons(view)
            ):
                break
            time.sleep(1)
            view.app.run()
        sound(view)
        assert "No site is chosen in all 48 plans; most often Elm, in 88%." in findings(view)
        assert cells(view, "How often each site was chosen")[0] == ["Elm", "yes", "88%"]
        assert cells(view, "The plan under each assumption")[0] == ["As chosen", "Elm", "10"]
        assert view.has_figure("sureness")

    @pytest.mark.parametrize(
        ("found", "words", "labels"),
        [
            (Status("running", 3, 50, "Reach 1 km"), "", ["Stop"]),
            (Status("cancelled", 3, 50), "", ["Try the plan under other assumptions"]),
            (
                Status("failed", message="ended before it was done: start it again"),
                "It ended before it was done: start it again.",
                ["Try the plan under other assumptions"],
            ),
        ],
    )
    def test_on_the_way(
        self, small_board: Engine, open_it: Open, monkeypatch: pytest.MonkeyPatch,
        found: Status, words: str, labels: list[str],
    ) -> None:  # fmt: skip
        monkeypatch.setattr(long_work, "status", lambda _key: found)
        view = open_it(part="sure")
        assert words in " ".join(view.words().split())
        assert set(labels) <= set(buttons(view))
        assert ("Stop" in buttons(view)) == (labels == ["Stop"])
        if labels == ["Stop"]:
            assert "3 of 50: Reach 1 km" in view.everything()
            stopped: list[str] = []
            monkeypatch.setattr(long_work, "cancel", stopped.append)
            press(view, "Stop")
            assert len(stopped) == 1


class TestWhatIf:
    def test_a_provider_closes(self, small_board: Engine, open_it: Open) -> None:
        view = open_it(part="whatif", close="Together CIC")
        assert "3 wards would lose cover: Brook, Abbey, Dale." in findings(view)
        assert [row[0] for row in cells(view, "Wards that would change")][:3] == [
            "Brook", "Abbey", "Dale"
        ]  # fmt: skip
        assert len(cells(view, "What closes")) == 4
        assert view.has_figure("supposed_map")

    def test_a_link_worker_moves(self, small_board: Engine, open_it: Open) -> None:
        view = open_it(part="whatif", worker_from=NORTH, worker_to=SOUTH, moved="2")
        assert [row[:3] for row in cells(view, "Networks")] == [
            ["South PCN", "0.0", "2.0"], ["North PCN", "4.0", "2.0"]
        ]  # fmt: skip

    def test_none_leave_a_network_without(self, small_board: Engine, open_it: Open) -> None:
        view = open_it(part="whatif", worker_from=SOUTH, worker_to=NORTH, moved="3")
        assert "Nothing is supposed yet" in view.words()

    def test_one_to_who_did_not_return(self, small_board: Engine, open_it: Open) -> None:
        view = open_it(part="whatif", worker_from=NORTH, worker_to=EAST)
        assert ["East PCN", "–", "–", "–", "–"] in cells(view, "Networks")

    def test_of_the_demonstration(self, demonstration: Engine, open_it: Open) -> None:
        view = open_it(part="whatif", icb="QDK", close="Harbour Community Trust")
        assert "4 wards would lose cover; 22,712 adults live there" in findings(view)


class TestSaved:
    def save_as(self, view: View, name: str) -> View:
        view.app.text_input(key="plan name").set_value(name).run()
        return sound(press(view, "Save this plan"))

    def names(self, engine: Engine, scope: Scope = EVERYTHING, board: str = BOARD) -> list[str]:
        return scenarios.scenarios(engine, scope, board)["scenario_name"].tolist()

    def test_saved_opened_compared_and_deleted(self, own: Engine, open_it: Open) -> None:
        view = open_it(part="compare", sites="1", locality=SOUTHAM, kinds="ward")
        self.save_as(view, "  One in Southam ")
        assert self.names(own) == ["One in Southam"]
        words = " ".join(view.words().split())
        assert f"One in Southam, saved by {current_user()} on" in words
        # Another plan beside it.
        follow(view, part="compare", against="One in Southam")
        rows = {row[0]: row[1:] for row in cells(view, "Two plans")}
        assert rows["Sites"] == ["Elm, Castle", "Elm"]
        assert rows["Newly reached"] == ["15 people", "10 people"]
        assert rows["Number of sites"] == ["At most 2 sites", "At most 1 site"]
        # Its link opens what it was.
        links = [
            value
            for body in view.markup()
            for name, value in Markup.of(body).attributes
            if name == "href" and "sites=1" in value
        ]
        address = dict(pair.split("=") for pair in links[0].split("?")[1].split("&"))
        assert (address["locality"], address["kinds"], address["part"]) == (SOUTHAM, "ward", "plan")
        follow(view, **address)
        assert "reaches 1 ward and 10 of 10 people" in findings(view)
        follow(view, part="compare", against="One in Southam")
        press(view, "Delete the plan One in Southam")
        assert self.names(own) == []
        assert "No plan is saved yet" in sound(view).words()

    def test_what_each_supposes_is_compared(self, own: Engine, open_it: Open) -> None:
        view = open_it(part="compare", sites="1", close="Together CIC", locality=SOUTHAM)
        self.save_as(view, "Closes")
        (choices,) = scenarios.scenarios(own, EVERYTHING, BOARD)["choices"]
        assert "close=Together+CIC" in choices
        follow(view, part="compare", against="Closes")
        rows = {row[0]: row[1:] for row in cells(view, "Two plans")}
        assert rows["Supposed"] == ["nothing", "Together CIC closes"]
        # Of the area of each.
        assert rows["Wards that would lose cover"] == ["none", "1: Dale"]
        follow(view, part="compare", against="Closes", worker_from=NORTH, worker_to=SOUTH)
        rows = {row[0]: row[1:] for row in cells(view, "Two plans")}
        assert rows["Supposed"][0] == "-1 FTE at North PCN; +1 FTE at South PCN"
        assert rows["Wards that would lose cover"][0] == "0"

    def test_a_name_that_is_taken(self, own: Engine, open_it: Open) -> None:
        view = open_it(part="compare", sites="1")
        self.save_as(view, "Mine")
        before = scenarios.scenarios(own, EVERYTHING, BOARD)["choices"].tolist()
        follow(view, part="compare", sites="3")
        self.save_as(view, "Mine")
        assert "A plan is called 'Mine' already: choose another name." in view.words()
        assert scenarios.scenarios(own, EVERYTHING, BOARD)["choices"].tolist() == before

    def test_without_a_name(self, own: Engine, open_it: Open) -> None:
        view = open_it(part="compare")
        (button,) = (b for b in view.app.button if b.label == "Save this plan")
        assert button.disabled

    def test_those_of_another_board(
        self, own: Engine, open_it: Open, read_as: Callable[[str], None]
    ) -> None:
        scenarios.save_scenario(own, EVERYTHING, BOARD, "Ours", "sites=1", "somebody")
        stranger = Scope(frozenset({NEIGHBOUR}))
        scenarios.delete_scenario(own, stranger, BOARD, "Ours")
        assert self.names(own) == ["Ours"]
        assert self.names(own, stranger) == []
        with pytest.raises(LookupError):
            scenarios.save_scenario(own, stranger, BOARD, "Theirs", "", "somebody")
        read_as(NEIGHBOUR)
        assert "Ours" not in open_it(part="compare", icb=BOARD, against="Ours").everything()

    def test_a_hostile_name(self, own: Engine, open_it: Open) -> None:
        scenarios.save_scenario(own, EVERYTHING, BOARD, HOSTILE, "sites=1", HOSTILE)
        view = open_it(part="compare", against=HOSTILE)
        for body in view.markup():
            assert Markup.of(body).tags <= OUR_TAGS
        # What was saved is no plan: it falls back to what is usual, and nothing breaks.
        scenarios.save_scenario(own, EVERYTHING, BOARD, "odd", "sites=x&reach=%C2%B2", "somebody")
        follow(view, part="compare", against="odd")
        rows = {row[0]: row[1:] for row in cells(view, "Two plans")}
        assert rows["Sites"][0] == rows["Sites"][1]
        assert "Number of sites" not in rows


class TestHidden:
    def shown(self, open_page: Open) -> dict[str, str]:
        """Every view and file in which Dale's number could show."""
        views: list[dict[str, str]] = [{"part": part} for part in PARTS if part != "sure"]
        views += [{"part": "need", "need": "served"}, {"part": "plan", "whose": "every"}]
        views += [{"part": "need", "locality": SOUTHAM}, {"part": "plan", "theme": "loneliness"}]
        views += [{"part": "whatif", "worker_from": NORTH, "worker_to": SOUTH}]
        told = {
            json.dumps(view): re.sub(
                r"in \d+\.\d s", "", page_of(lambda **a: open_page("where-to-fund", **a), **view)
            )
            for view in views
        }
        told["json"] = json.dumps(get(f"{EXPORT}&whose=every").json()["rows"])
        return told

    def test_a_hidden_number_changes_nothing_that_is_shown(
        self, load_board: Load, open_page: Open
    ) -> None:
        def few(*dale: int) -> Board:
            last = Referrals(DALE, SOUTH, (dale[0], dale[1], dale[2], dale[3]))
            return Board(referrals=(*REFERRALS[:3], last))

        load_board(few(0, 1, 1, 0))
        two = self.shown(open_page)
        load_board(few(1, 1, 1, 2))
        five = self.shown(open_page)
        assert two.keys() == five.keys()
        assert [name for name in two if two[name] != five[name]] == []
        # The test can fail: 8 are shown, as 10.
        load_board(few(2, 2, 2, 2))
        eight = self.shown(open_page)
        assert len([name for name in two if two[name] != eight[name]]) > 4


class TestAccess:
    @pytest.mark.parametrize("reader", rest_is_slow(NEIGHBOUR, OUTSIDER_ICB))
    def test_nothing_of_another_board(
        self, small_board: Engine, open_page: Open, read_as: Callable[[str], None], reader: str
    ) -> None:
        read_as(reader)
        for part in PARTS:
            view = sound(open_page("where-to-fund", icb=BOARD, part=part, close="Together CIC"))
            # A network of the board serves a ward of the neighbour: its code is of both, and no more.
            assert set(OF_THE_BOARD.findall(view.everything())) <= {NORTH}
        answer = get(EXPORT)
        assert (answer.status_code, answer.text) == (404, "not found")

    def test_for_those_who_may(
        self, small_board: Engine, open_it: Open, read_as: Callable[[str], None]
    ) -> None:
        read_as(BOARD)
        assert "Elm" in open_it(icb=BOARD).everything()
        assert get(EXPORT).status_code == 200


def test_what_it_assumes_is_told(demonstration: Engine, open_it: Open) -> None:
    view = open_it(icb="QDK")
    words = " ".join(view.words().split())
    for term in ("Goal", "Need", "Candidates", "Within reach", "Budget", "Kept", "Small numbers"):
        assert term in words
    assert "320" in words
    first, second = cells(view, "Chosen sites")
    assert "Thanet" in first[0]
    assert float(first[2].replace(",", "")) > 5 * float(second[2].replace(",", ""))
