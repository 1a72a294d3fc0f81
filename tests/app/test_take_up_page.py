"""The Take-up page in each state: every part, filtered, picked, empty, hidden, and for whom."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from queries.database import make_engine
from queries.load import save
from tests import test_complex_need as need
from tests.app.reading import Markup, View, each_part, follow, sound
from tests.app.test_access import OF_THE_BOARD
from tests.app.test_escaping import HOSTILE, OUR_TAGS
from tests.app.test_hidden_numbers import page_of
from tests.app.test_routes import get
from tests.app.test_workforce_page import (
    click_in_list,
    click_on_chart,
    listed,
    panel,
    small_table,
    tile,
)
from tests.conftest import rest_is_slow
from tests.outcome_board import loaded
from tests.queries.test_needs import leads
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
    SOUTH,
    SOUTHAM,
    Board,
)
from tests.test_leads import LEADS, posts
from tests.test_take_up import BOARD as TOLD
from tests.test_take_up import COUNTED, NUMBERS, indices, numbers

# Whole pages: `test_pages` has one quick look.
pytestmark = pytest.mark.slow

QUESTION = "Where is take-up low for the need there"
PARTS = ("wards", "leak", "leads", "complex", "brief")
TABLE = f"/table/take-up.json?icb={BOARD}&as_at={AS_AT}"
Open = Callable[..., View]
Load = Callable[[Board], Engine]
LONELY = indices(("loneliness", 1, 10.0, 8), ("loneliness", 2, 20.0, 9))


@pytest.fixture(scope="module")
def told_path(tmp_path_factory: pytest.TempPathFactory, upgraded_file: Path) -> Path:
    """The board of `tests.test_take_up`, with leads, supervised posts and an index: read it only."""
    folder = tmp_path_factory.mktemp("take-up page")
    engine = loaded(upgraded_file, folder, replace(TOLD, places=TOLD.places.but(posts=())))
    for each in (LEADS, posts(), LONELY):
        save(engine, each)
    engine.dispose()
    return folder / "outcomes.db"


@pytest.fixture
def told(use_database: Callable[[Path], Engine], told_path: Path, on_the_day: None) -> Engine:
    return use_database(told_path)


@pytest.fixture
def open_it(open_page: Open) -> Open:
    """Opens the page at an address."""

    def open_at(**address: str) -> View:
        return sound(open_page("take-up", **address))

    return open_at


def findings(view: View) -> str:
    said = [Markup.of(m).text for m in view.markup() if m.startswith('<div class="finding">')]
    return " ".join(" ".join(said).split()).replace(" :", ":")


def parts_of(view: View, **address: str) -> dict[str, str]:
    """Every part at an address; its words."""
    return {part: " ".join(view.words().split()) for part in each_part(view, PARTS, **address)}


def first_cells(view: View, caption: str) -> list[list[str]]:
    return [list(row.values()) for row in small_table(view, caption)]


def groups_of(view: View) -> dict[str, set[str]]:
    """The wards that the map draws, by the group of the key that counts as many."""
    traces = view.figure("take_up_map")["data"]
    return {
        trace["name"]: set(trace["locations"])
        for trace in traces
        if trace.get("name") and len(trace.get("locations", ()))
    }


class TestNormal:
    def test_the_page_answers_its_question(self, told: Engine, open_it: Open) -> None:
        view = open_it()
        assert QUESTION in view.words()
        assert view.chosen_words == "Small board · as at 30 June 2026"
        assert findings(view).startswith("2 of 5 wards that could be judged lie below the expected")
        assert "Set apart, and not called low: provided, take-up unknown 1." in findings(view)
        # 20 of 20 in Elm, 15 of 40 in Castle.
        assert tile(view, "Referrals missing there").split()[3] == "35"
        assert tile(view, "Set apart").startswith("Set apart 1 ward")
        assert view.address == {
            "icb": BOARD, "months": "24", "part": "wards", "shows": "place",
        }  # fmt: skip

    def test_every_part(self, told: Engine, open_it: Open) -> None:
        words = parts_of(open_it())
        assert "27, attended" in words["leak"]
        assert "1 of 2 localities has no named lead: Northam." in words["leads"]
        assert "2 of 5 filled posts are supervised" in words["leads"]
        assert "With two or more long-term conditions" in words["complex"]

    @pytest.mark.parametrize(
        "address", rest_is_slow({}, {"locality": "E07000108"}, {"pcn": "UDK013"}, {"icb": "QDM"})
    )
    def test_every_part_of_the_demonstration(
        self, demonstration: Engine, open_it: Open, address: dict[str, str]
    ) -> None:
        for part, said in parts_of(open_it(), **{"icb": "QDK", **address}).items():
            assert re.search(r"\d", said), part

    def test_a_part_by_its_button(self, told: Engine, open_it: Open) -> None:
        view = open_it(part="secrets")
        assert view.address["part"] == "wards"
        view.app.segmented_control(key="part").set_value("leads").run()
        assert sound(view).address["part"] == "leads"

    def test_where_people_are_lost(self, told: Engine, open_it: Open) -> None:
        view = open_it(part="leak")
        rows = first_cells(view, "Where people are lost, low wards")
        # Of 27 who would have attended, and 20 who would have been referred: there is no sum.
        assert sum(float(row[2]) for row in rows) == pytest.approx(47, abs=0.1)
        assert [row[0] for row in rows][:2] == ["no link worker", "not offered"]
        bars = view.figure("losses")["data"][0]
        drawn = dict(zip(bars["y"], bars["x"], strict=True))
        assert drawn["no link worker"] == pytest.approx(20)
        assert drawn["not offered"] == pytest.approx(13.875)
        assert sum(drawn.values()) == pytest.approx(47)
        low = first_cells(view, "Low wards")
        assert [[row[0], row[4], *row[7:]] for row in low] == [
            ["Castle", "15", "27, attended", "no named lead"],
            ["Elm", "20", "20, referred", "Therapy lead"],
        ]

    @pytest.mark.parametrize("layer", ["place", "smoothed", "cluster", "fifth", "index loneliness"])
    def test_each_layer_draws_every_ward_once(
        self, told: Engine, open_it: Open, layer: str
    ) -> None:
        view = open_it(shows=layer)
        assert view.address["shows"] == layer
        drawn = [
            code
            for trace in view.figure("take_up_map")["data"]
            if trace.get("name") != "picked"
            for code in trace.get("locations", ())
        ]
        assert set(drawn) == {ABBEY, BROOK, CASTLE, DALE, ELM, FORD}

    def test_the_funnel_has_every_judged_ward(self, told: Engine, open_it: Open) -> None:
        view = open_it()
        drawn = {
            code: y
            for trace in view.figure("take_up_funnel")["data"]
            if "customdata" in trace
            for code, y in zip(trace["customdata"], trace["y"], strict=True)
        }
        assert drawn == pytest.approx({ABBEY: 150, BROOK: 100, CASTLE: 62.5, DALE: 175, ELM: 0})

    def test_complex_need_of_the_demonstration(self, demonstration: Engine, open_it: Open) -> None:
        view = open_it(icb="QDK", part="complex")
        for wait in ("contacted", "to_ot", "ot"):
            follow(view, icb="QDK", part="complex", wait=wait)
            assert view.address["wait"] == wait
            if view.has_figure(f"wait_{wait}"):
                months = first_cells(view, view.app.selectbox(key="wait").options[0][:8])
                assert months or wait != "contacted"
        assert re.search(r"\d+% of those who say have two or more", findings(view))


class TestFiltered:
    def test_a_locality_has_its_own_wards(self, told: Engine, open_it: Open) -> None:
        view = open_it(locality=NORTHAM)
        assert findings(view).startswith("1 of 3 wards that could be judged lies below")
        assert set(listed(view)) == {ABBEY, BROOK, CASTLE}
        # Limits and shares stay the board's.
        assert listed(view)[CASTLE]["Expected"][1] == pytest.approx(40)
        follow(view, locality=NORTHAM, part="leak")
        assert [row[0] for row in first_cells(view, "Low wards")] == ["Castle"]

    def test_a_network_has_the_wards_it_serves(self, told: Engine, open_it: Open) -> None:
        view = open_it(pcn=SOUTH)
        assert set(listed(view)) == {CASTLE, DALE, ELM}
        follow(view, pcn=EAST)
        assert set(listed(view)) == {FORD}
        assert findings(view).startswith("None of 1 ward could be judged.")
        assert "No funnel to draw" in view.words()
        follow(view, pcn=EAST, part="leak")
        assert "No ward is low" in view.words()
        # East sends no referrals.
        follow(view, pcn=EAST, part="complex")
        assert "Nobody was referred in these months." in findings(view)
        assert "No months to show" in view.words()

    def test_leads_and_posts_follow_the_area(self, told: Engine, open_it: Open) -> None:
        """North has P1 and P2, South P3 and P9, East P4; all of South's and East's are Southam's."""
        view = open_it(part="leads", locality=SOUTHAM)
        assert "The locality has a named lead." in findings(view)
        assert "0 of 3 filled posts are supervised" in findings(view)
        assert [row[0] for row in first_cells(view, "Localities")] == ["Southam"]
        assert "Head of care" not in view.words()
        follow(view, part="leads", locality=NORTHAM)
        assert "1 of 1 locality has no named lead: Northam." in findings(view)
        assert "2 of 2 filled posts are supervised" in findings(view)
        # South serves wards of both.
        follow(view, part="leads", pcn=SOUTH)
        assert "1 of 2 localities has no named lead: Northam." in findings(view)
        assert "0 of 2 filled posts are supervised" in findings(view)
        follow(view, part="leads", pcn=EAST)
        assert "The locality has a named lead." in findings(view)
        assert "0 of 1 filled post is supervised" in findings(view)

    def test_no_ward_of_both(self, told: Engine, open_it: Open) -> None:
        view = open_it(locality=NORTHAM, pcn=EAST)
        assert "No ward fits these filters" in view.words()


class TestPicked:
    def test_a_low_ward(self, told: Engine, open_it: Open) -> None:
        view = open_it(ward=CASTLE)
        assert view.panel == "Castle, Northam"
        assert "27 fewer attended in 12 months" in findings(view)
        rows = first_cells(view, "Where people are lost, in order")
        assert [row[2] for row in rows] == ["13.9", "0.0", "13.1", "0.0", "0.0", "27.0"]
        assert panel(view)["Named lead"] == "none for this locality"

    def test_a_ward_that_is_not_low_and_one_that_is_set_apart(
        self, told: Engine, open_it: Open
    ) -> None:
        view = open_it(ward=ABBEY)
        assert "Take-up lies above the 95% limit: 60 referrals, 40 expected." in findings(view)
        assert panel(view)["Loneliness"].startswith("15.0; 50% of its LSOAs")
        follow(view, ward=FORD)
        assert "Set apart: Provided, take-up unknown." in findings(view)
        assert panel(view)["Named lead"] == "Therapy lead (occupational therapist)"

    def test_from_the_list_and_from_the_pictures(self, told: Engine, open_it: Open) -> None:
        view = open_it()
        assert sound(click_in_list(view, ELM)).address["ward"] == ELM
        assert view.panel == "Elm, Southam"
        for chart, code in (("take_up_map", BROOK), ("take_up_funnel", DALE)):
            view = sound(click_on_chart(open_it(), chart, code))
            assert view.address["ward"] == code

    def test_a_ward_of_elsewhere_is_not_picked(self, told: Engine, open_it: Open) -> None:
        view = open_it(ward=ELM, locality=NORTHAM)
        assert "ward" not in view.address
        assert not view.panel


class TestNothing:
    def test_an_empty_database(self, empty: Engine, open_page: Open) -> None:
        view = sound(open_page("take-up"))
        assert "Demonstration" not in view.words()

    def test_a_board_without_referrals(self, load_board: Load, open_it: Open) -> None:
        load_board(COUNTED.but(referrals=(), posts=()))
        view = open_it()
        assert "Take-up can't be judged" in findings(view)
        words = parts_of(view)
        assert "No ward is low" in words["leak"]
        assert "No complex need to show" in words["complex"]
        assert "No posts to show" in words["leads"]
        assert "2 of 2 localities have no named lead: Northam, Southam." in words["leads"]

    def test_a_board_without_places(self, load_board: Load, open_it: Open) -> None:
        load_board(COUNTED.but(populations=False, deprivation=False))
        view = open_it()
        assert findings(view).startswith("None of 6 wards could be judged.")
        parts_of(view)


class TestHidden:
    def shown(self, open_page: Open) -> dict[str, str]:
        """Every view and file in which Dale's number could show."""
        views: list[dict[str, str]] = [{"part": part} for part in PARTS]
        views += [{"shows": "smoothed"}, {"shows": "cluster"}, {"ward": DALE}, {"ward": CASTLE}]
        views += [{"pcn": SOUTH, "part": part} for part in PARTS]
        views += [{"locality": SOUTHAM, "part": "leak"}]
        told = {
            json.dumps(view): page_of(lambda **a: open_page("take-up", **a), **view)
            for view in views
        }
        told["the list"] = get(TABLE).text
        told["the csv file"] = get(f"/export/take-up.csv?icb={BOARD}&as_at={AS_AT}").text
        rows = get(f"/export/take-up.json?icb={BOARD}&as_at={AS_AT}").json()["rows"]
        told["the json file"] = json.dumps(rows)
        return told

    def test_a_hidden_number_changes_nothing_that_is_shown(
        self, load_board: Load, open_page: Open
    ) -> None:
        """Of Dale 5 or 7 of 170 and 172, both 170 rounded; of South 30 or 32, both 30."""
        found = []
        for few in (5, 7):
            load_board(COUNTED.but(referrals=numbers(*NUMBERS[:3], (SOUTH, DALE, few))))
            found.append(self.shown(open_page))
        five, seven = found
        assert five.keys() == seven.keys()
        assert [name for name in five if five[name] != seven[name]] == []
        cells = next(
            row["cells"] for row in get(TABLE).json()["rows"] if row["key"] == DALE
        )  # fmt: skip
        assert cells.count(["*"]) == 3

    def test_a_hidden_number_of_complex_need_changes_nothing(
        self,
        use_database: Callable[[Path], Engine],
        upgraded_file: Path,
        tmp_path: Path,
        on_the_day: None,
        open_page: Open,
    ) -> None:
        """3 or 7 with several conditions in Castle, of 68 or 72 in all: both 70 rounded."""
        found = []
        for few in (3, 7):
            groups = list(need.GROUPS)
            groups[7], groups[8] = (
                replace(groups[7], number=20 - few), replace(groups[8], number=few),
            )  # fmt: skip
            groups.append(need.Group(5, need.MAY, ABBEY, NORTH, conditions=2, closed=5))
            # Both told of 12 months.
            july = date(2025, 7, 1)
            groups += [need.Group(10, july, ABBEY, pcn, closed=5) for pcn in (NORTH, SOUTH)]
            groups.append(need.Group(10, need.JUNE, CASTLE, SOUTH, closed=5))
            path = Path(shutil.copy(upgraded_file, tmp_path / f"{few}.db"))
            engine = make_engine(f"sqlite:///{path.as_posix()}")
            need.load(engine, tuple(groups))
            engine.dispose()
            use_database(path)
            views: list[dict[str, str]] = [{}, {"pcn": SOUTH}, {"pcn": NORTH}, {"ward": CASTLE}]
            shown = {}
            for view in views:
                page = sound(open_page("take-up", part="complex", **view))
                shown[json.dumps(view)] = re.sub(r"([?&]v=|/geo/QZ1/)[\w.]+", "", page.everything())
                if not view:
                    row = next(
                        r for r in small_table(page, "By ward") if r["Ward"] == "Castle, Northam"
                    )
                    assert row["With two or more long-term conditions"] == "*"
            found.append(shown)
        three, seven = found
        assert [name for name in three if three[name] != seven[name]] == []

    def test_the_demonstration_sends_none(self, demonstration: Engine, open_it: Open) -> None:
        """A ward with 1 to 7 referrals is a mark, and 0 or a multiple of 5 is what others show."""
        rows = get("/table/take-up.json?icb=QDK&as_at=2026-06-30").json()
        titles = [column["title"] for column in rows["columns"]]
        place = titles.index("Referrals, 12 months")
        shown = {row["key"]: row["cells"][place] for row in rows["rows"]}
        statement = text(
            "select ward_code, sum(referrals) as n from referral_fact where month between "
            "'2025-07-01' and '2026-06-01' and ward_code is not null group by ward_code"
        )
        with demonstration.connect() as connection:
            true = {row.ward_code: row.n for row in connection.execute(statement)}
        few = [code for code in shown if 1 <= true.get(code, 0) <= 7 and shown[code] != ["–"]]
        assert len(few) > 5
        assert {tuple(shown[code]) for code in few} == {("*",)}
        for cell in shown.values():
            if len(cell) > 1 and cell[1] is not None:
                assert cell[1] % 5 == 0


class TestForWhom:
    @pytest.mark.parametrize("reader", [NEIGHBOUR, OUTSIDER_ICB])
    def test_no_part_shows_anything_of_another_board(
        self, told: Engine, open_page: Open, read_as: Callable[[str], None], reader: str
    ) -> None:
        assert OF_THE_BOARD.search(get(TABLE).text)
        read_as(reader)
        for part in PARTS:
            view = sound(open_page("take-up", icb=BOARD, locality=NORTHAM, ward=CASTLE, part=part))
            shown = view.everything()
            assert OF_THE_BOARD.findall(shown) == [], part
            assert not re.search("Head of care|Therapy lead|P1", view.words())
        assert get(TABLE).status_code == 404
        for form in ("csv", "json", "xlsx"):
            answer = get(f"/export/take-up.{form}?icb={BOARD}&as_at={AS_AT}")
            assert (answer.status_code, answer.text) == (404, "not found")

    def test_a_reader_of_the_board_finds_it(
        self, told: Engine, open_it: Open, read_as: Callable[[str], None]
    ) -> None:
        read_as(BOARD)
        assert "2 of 5 wards" in findings(open_it())


class TestTheList:
    def test_low_wards_first_and_set_apart_last(self, told: Engine, open_it: Open) -> None:
        view = open_it()
        rows = listed(view)
        assert list(rows) == [CASTLE, ELM, BROOK, DALE, ABBEY, FORD]
        assert rows[CASTLE]["Lost at"] == ["not offered", None, "14 people"]
        assert rows[FORD]["Take-up"][0] == "Provided, take-up unknown"
        assert rows[ABBEY]["loneliness"][1] == 15

    @pytest.mark.parametrize("form", ["csv", "json", "xlsx"])
    def test_every_form_is_linked_and_there(self, told: Engine, open_it: Open, form: str) -> None:
        links = next(m for m in open_it().markup() if 'class="downloads"' in m)
        address = next(
            each.replace("&amp;", "&")
            for each in re.findall(r'href="([^"]+)"', links)
            if f".{form}?" in each
        )
        assert "/take-up." in address
        assert get(address).status_code == 200


@pytest.fixture
def hostile(
    use_database: Callable[[Path], Engine], told_path: Path, tmp_path: Path, on_the_day: None
) -> Engine:
    """The board with an attack in every name, post and profession, and in the index's name."""
    path = Path(shutil.copy(told_path, tmp_path / "hostile.db"))
    engine = make_engine(f"sqlite:///{path.as_posix()}")
    # By the district's code, since its name is no more what it was.
    save(engine, leads((SOUTHAM, "By code", "nurse", None, None)))
    columns = {
        "area": "area_name", "ward": "ward_name", "post": "role_title", "lsoa_index": "index_name",
        "named_lead": "post_name",
    }  # fmt: skip
    with engine.begin() as connection:
        for table, column in columns.items():
            connection.execute(
                text(f"update {table} set {column} = :h || {column}"), {"h": HOSTILE}
            )
        connection.execute(text("update post set supervised_by = :h"), {"h": HOSTILE})
        connection.execute(text("update ward set lad_name = :h || lad_name"), {"h": HOSTILE})
    engine.dispose()
    return use_database(path)


def test_every_value_is_text(hostile: Engine, open_it: Open) -> None:
    view = open_it()
    views: list[dict[str, Any]] = [{"part": part} for part in PARTS]
    views += [{"ward": CASTLE}, {"ward": ELM, "part": "leads"}]
    for address in views:
        follow(view, **address)
        for body in view.markup():
            found = Markup.of(body)
            assert found.tags <= OUR_TAGS, found.tags - OUR_TAGS
            assert not [name for name, _ in found.attributes if name.startswith("on")]
    assert "<script>alert" in view.words()


def test_the_words_judge_nobody(demonstration: Engine, open_it: Open) -> None:
    unkind = re.compile(
        r"\b(poor(ly)?|bad(ly)?|worst|best|fails?|failing|failed|underperform\w*|alarming|"
        r"unacceptable|inadequate|disappointing|excellent)\b",
        re.IGNORECASE,
    )
    view = open_it()
    for part in PARTS:
        assert unkind.findall(follow(view, icb="QDK", part=part).words()) == [], part


def test_the_small_board_as_it_is(small_board: Engine, open_it: Open) -> None:
    """Nobody low: Castle and Elm have 15 of 20 and none of 10, and no provision is known there."""
    view = open_it()
    assert findings(view).startswith("0 of 2 wards that could be judged lie below")
    assert "no provision 2" in findings(view)
