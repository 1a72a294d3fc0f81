"""The page All boards in each state: normal, another layer, picked, past, narrow, empty, hidden, hostile."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from html import unescape
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, text
from streamlit.proto.WidgetStates_pb2 import WidgetState

from dashboard.all_boards_words import WAIT
from dashboard.coverage_words import LAYERS
from dashboard.maps import outlines_of
from dashboard.rules.coverage import Status
from queries.scope import EVERYTHING, Scope
from tests.app.conftest import Become
from tests.app.reading import Markup, View, sound
from tests.app.test_access import OF_THE_BOARD
from tests.app.test_escaping import HOSTILE, OUR_TAGS
from tests.app.test_hidden_numbers import page_of
from tests.app.test_routes import get
from tests.app.test_workforce_page import tile
from tests.conftest import rest_is_slow
from tests.small_board import (
    ABBEY,
    AS_AT,
    BOARD,
    BROOK,
    CASTLE,
    DALE,
    ELM,
    FORD,
    GORSE,
    NEIGHBOUR,
    NORTH,
    NORTHAM,
    OUTSIDER_ICB,
    SOUTH,
    WARDS,
    Board,
    Referrals,
)

Open = Callable[..., View]
QUESTION = "Which boards have wards without social prescribing?"
LISTS = ("all-boards", "all-wards")
AT = f"as_at={AS_AT}"
KENT, MEDWAY = "QDK", "QDM"


@pytest.fixture
def open_it(open_page: Open) -> Open:
    """Opens the page at an address."""

    def open_at(**address: str) -> View:
        return sound(open_page("all-boards", **address))

    return open_at


def component(view: View, name: str) -> Any:
    return next(
        each.proto
        for each in view.elements()
        if each.type == "bidi_component" and each.proto.component_name.endswith(name)
    )


def on_canvas(view: View) -> dict[str, Any]:
    """What the page tells the map."""
    found: dict[str, Any] = json.loads(component(view, "area_canvas").json)
    return found


def drawn(view: View) -> dict[str, tuple[str, str]]:
    """The class and the mark of each ward by its code, as the browser puts them together."""
    told = on_canvas(view)
    body = get(told["url"]).json()
    values = [base64.b64decode(told[name]) for name in ("values", "marked")]
    assert len(values[0]) == len(body["codes"])
    classes = {place: each["label"] for place, each in enumerate(told["classes"])}
    marks = {place: each["label"] for place, each in enumerate(told["marks"])}
    marked = values[1] or bytes([255]) * len(values[0])
    return {
        code: (classes.get(value, ""), marks.get(mark, ""))
        for code, value, mark in zip(body["codes"], values[0], marked, strict=True)
    }


TAKE_UP_KNOWN = ("Not reached", "Low take-up", "As expected", "High take-up")


def listed(view: View) -> dict[str, dict[str, list[Any]]]:
    """The list that the browser of this view would fetch: cells by title, by code."""
    body = get(view.table_data()["url"]).json()
    titles = [column["title"] for column in body["columns"]]
    return {row["key"]: dict(zip(titles, row["cells"], strict=True)) for row in body["rows"]}


def in_key(view: View) -> dict[str, int]:
    """How many wards the key says that each class has."""
    body = next(m for m in view.markup() if 'class="key"' in m)
    found = re.findall(r"<span>([^<]+)</span><b>([\d,]+)</b>", body)
    return {unescape(label): int(number.replace(",", "")) for label, number in found}


def findings(view: View) -> str:
    body = next(m for m in view.markup() if m.startswith('<div class="finding">'))
    return " ".join(Markup.of(body).text.split())


def link(view: View) -> tuple[str, str]:
    """The address and the words of the link to Coverage."""
    body = next(m for m in view.markup() if 'href="coverage?' in m)
    found = re.search(r'href="([^"]+)"[^>]*>([^<]+)</a>', body)
    assert found
    return unescape(found[1]), unescape(found[2])


def pick(view: View, name: str, code: str) -> View:
    """What the browser sends when something is picked on the map ("area_canvas") or in a list
    ("board_table")."""
    states = view.app._tree.get_widget_states()
    states.widgets.append(
        WidgetState(
            id=f"$$STREAMLIT_INTERNAL_KEY_{component(view, name).id}__events",
            json_trigger_value=json.dumps([{"event": "picked", "value": code}]),
        )
    )
    view.app._run(states)
    return sound(view)


def show_wards(view: View) -> View:
    next(b for b in view.app.button_group if b.key == "rows").set_value("wards").run()
    return sound(view)


def shapes_url(*boards: str) -> str:
    """Where the shapes of these boards are; of all without one."""
    scope = Scope(frozenset(boards)) if boards else EVERYTHING
    return f"/geo/all/{outlines_of(scope).name}.json"


def statuses_in(words: str) -> dict[str, int]:
    """How many wards the map as text says that each class has."""
    return {label: int(number) for label, number in re.findall(r"([^:;.]+): (\d+)", words)}


class TestQuickly:
    """One quick look, for the fast run."""

    def test_every_board_and_every_ward(self, small_board: Engine, open_it: Open) -> None:
        view = open_it()
        assert QUESTION in view.words()
        assert findings(view).startswith("2 of 7 wards of 2 boards have no provision")
        assert {code: label for code, (label, _) in drawn(view).items()} == {
            ABBEY: "High take-up", BROOK: "As expected", CASTLE: "No provision",
            DALE: "Provided, take-up hidden", ELM: "No provision", FORD: "No return",
            GORSE: "No return",
        }  # fmt: skip
        assert list(listed(view)) == [BOARD, NEIGHBOUR]

    def test_a_reader_of_one_board_gets_no_other(
        self, small_board: Engine, open_it: Open, read_as: Callable[[str], None]
    ) -> None:
        everybody = [shapes_url(), shapes_url(BOARD)]
        read_as(NEIGHBOUR)
        view = open_it(icb=BOARD, ward=ABBEY)
        # Whose patients live in the reader's own ward is the reader's to know: by code alone.
        assert set(OF_THE_BOARD.findall(view.everything())) <= {NORTH}
        assert list(drawn(view)) == [GORSE]
        for address in everybody:
            answer = get(address)
            assert (answer.status_code, answer.text) == (404, "not found")


@pytest.mark.slow
class TestNormal:
    def test_the_page_answers_its_question(self, demonstration: Engine, open_it: Open) -> None:
        view = open_it()
        assert sum(body.count("<h1>") for body in view.markup()) == 1
        assert view.chosen_words == "2 boards · as at 30 June 2026"
        # How far it is, is said only while it lasts.
        assert WAIT not in view.everything()
        boards = listed(view)
        assert set(boards) == {KENT, MEDWAY}
        by_ward = listed(open_it(rows="wards"))
        none = sum(row["Status"][0] == "No provision" for row in by_ward.values())
        assert findings(view).startswith(f"{none} of {len(by_ward)} wards of 2 boards")
        assert boards[KENT]["No provision"][1] == none
        # Nobody told us of Medway.
        assert boards[MEDWAY]["No provision"] == ["–", None, "no ward judged"]
        assert sum(row["Wards"][1] for row in boards.values()) == len(by_ward) == len(drawn(view))
        assert in_key(view)["No provision"] == none

    def test_each_ward_as_on_coverage(
        self, demonstration: Engine, open_it: Open, open_page: Open
    ) -> None:
        here = listed(open_it(rows="wards"))
        for board in (KENT, MEDWAY):
            there = listed(open_page("coverage", icb=board))
            assert there
            for code, cells in there.items():
                assert {title: here[code][title] for title in cells} == cells

    def test_each_board_adds_up_its_wards(self, demonstration: Engine, open_it: Open) -> None:
        wards, boards = listed(open_it(rows="wards")).values(), listed(open_it())
        for board in boards.values():
            mine = [ward for ward in wards if ward["Board"] == board["Board"]]
            statuses = [ward["Status"][0] for ward in mine]
            assert board["Wards"][1] == len(mine)
            is_known = board["Low take-up"][0] != "–"
            assert (board["Low take-up"][1] or 0) == statuses.count("Low take-up")
            assert is_known == any(each in TAKE_UP_KNOWN for each in statuses)
            assert board["Not judged"][1] == statuses.count("No return")
            told = [ward["Referrals, 12 months"] for ward in mine]
            assert board["Referrals, 12 months"][1] == sum(
                c[1] for c in told if len(c) > 1 and c[1]
            )

    def test_the_tiles(self, small_board: Engine, open_it: Open) -> None:
        view = open_it()
        assert tile(view, "Wards with a gap").startswith("Wards with a gap 2 of 7")
        assert " 1.38 " in tile(view, "Link workers per 10,000")
        assert " 95 received 2 wards not returned, 1 hidden" in tile(view, "Referrals")
        assert " 0 of 2 " in tile(view, "Boards with every ward judged")

    def test_the_map_as_text_is_the_key(self, small_board: Engine, open_it: Open) -> None:
        view = open_it()
        alt = on_canvas(view)["alt"]
        for label, number in in_key(view).items():
            assert f"{label}: {number}" in alt
        assert in_key(view) == {
            "No provision": 2, "No return": 2, "Provided, take-up hidden": 1, "As expected": 1,
            "High take-up": 1, "No provision by inference: no scheme return": 1,
            "Area-wide or online services only": 1,
        }  # fmt: skip

    def test_marks_say_what_a_status_rests_on(self, small_board: Engine, open_it: Open) -> None:
        view = open_it()
        assert {code: mark for code, (_, mark) in drawn(view).items() if mark} == {
            ELM: "No provision by inference: no scheme return",
            DALE: "Area-wide or online services only",
        }
        assert [each["sign"] for each in on_canvas(view)["marks"]] == ["○", "□", "+"]

    def test_a_past_date(self, small_board: Engine, open_it: Open) -> None:
        """Before the first return: nobody told anything, and none of it is good news."""
        view = open_it(as_at="2024-06-30")
        assert view.chosen_words == "2 boards · as at 30 June 2024"
        assert set(in_key(view)) <= {"No provision", "No return"}
        assert "could not be judged" in findings(view)
        assert "None of" not in findings(view)
        assert {row["FTE per 10,000"][0] for row in listed(view).values()} == {"–"}

    def test_real_files_carry_no_banner(self, small_board: Engine, open_it: Open) -> None:
        assert "Demonstration" not in open_it().words()


@pytest.mark.slow
class TestLayers:
    @pytest.mark.parametrize("layer", rest_is_slow(*LAYERS))
    def test_every_ward_is_in_one_class(
        self, demonstration: Engine, open_it: Open, layer: str
    ) -> None:
        view = open_it(layer=layer)
        labels = [label for label, _ in drawn(view).values()]
        assert all(labels)
        key = in_key(view)
        marks = {each["label"] for each in on_canvas(view)["marks"]}
        assert {label: labels.count(label) for label in set(labels)} == {
            label: number for label, number in key.items() if label not in marks
        }
        assert LAYERS[layer].title in view.part("key")

    def test_choosing_one_leaves_the_shapes_and_the_list(
        self, small_board: Engine, open_it: Open
    ) -> None:
        view = open_it()
        before, table = on_canvas(view), view.table_data()
        after = on_canvas(view.choose("layer", "deprivation"))
        assert after["url"] == before["url"]
        assert after["values"] != before["values"]
        assert (after["marks"], after["marked"]) == ([], "")
        assert view.table_data() == table
        assert view.address["layer"] == "deprivation"

    def test_a_layer_that_is_not_there_is_the_first(
        self, small_board: Engine, open_it: Open
    ) -> None:
        assert "Provision status" in open_it(layer="secret").part("key")


@pytest.mark.slow
class TestPicked:
    def test_a_board_in_the_list(self, small_board: Engine, open_it: Open) -> None:
        view = pick(open_it(icb=BOARD, locality=NORTHAM, ward=ABBEY), "board_table", NEIGHBOUR)
        assert view.value("icb") == NEIGHBOUR
        # Its places are those of another board.
        assert view.address == {
            "icb": NEIGHBOUR,
            "months": "24",
            "layer": "status",
            "rows": "boards",
        }
        assert on_canvas(view)["group"] == view.table_data()["picked"] == NEIGHBOUR
        address = f"coverage?icb={NEIGHBOUR}&as_at={AS_AT}"
        assert link(view) == (address, "Open Neighbour board on Coverage")

    def test_a_ward_in_the_list(self, small_board: Engine, open_it: Open) -> None:
        view = pick(show_wards(open_it(icb=BOARD)), "board_table", GORSE)
        assert (view.value("icb"), view.address["ward"]) == (NEIGHBOUR, GORSE)
        assert (on_canvas(view)["group"], on_canvas(view)["area"]) == (NEIGHBOUR, GORSE)
        assert view.table_data()["picked"] == GORSE
        assert view.address["rows"] == "wards"

    def test_a_ward_on_the_map(self, small_board: Engine, open_it: Open) -> None:
        view = pick(open_it(icb=NEIGHBOUR), "area_canvas", CASTLE)
        assert (view.value("icb"), view.address["ward"]) == (BOARD, CASTLE)
        assert (on_canvas(view)["group"], on_canvas(view)["area"]) == (BOARD, CASTLE)
        # The list is of boards: its own is picked there.
        assert view.table_data()["picked"] == BOARD

    def test_the_link_opens_it_on_coverage(
        self, small_board: Engine, open_it: Open, open_page: Open
    ) -> None:
        view = pick(open_it(), "area_canvas", ABBEY)
        address, words = link(view)
        assert words == "Open Abbey on Coverage"
        asked = dict(httpx.URL(f"http://x/{address}").params)
        assert asked == {"icb": BOARD, "as_at": f"{AS_AT}", "ward": ABBEY}
        assert sound(open_page("coverage", **asked)).panel == "Abbey, Northam"

    def test_stale_entries_stay_counted_by_the_link(
        self, small_board: Engine, open_it: Open
    ) -> None:
        view = open_it(stale="counted")
        assert "stale=counted" in link(view)[0]
        assert view.chosen_words.endswith("stale entries counted")
        assert "stale=counted" in view.table_data()["url"]

    def test_by_link(self, small_board: Engine, open_it: Open) -> None:
        view = open_it(icb=NEIGHBOUR, ward=GORSE, rows="wards", layer="fte")
        assert (on_canvas(view)["group"], on_canvas(view)["area"]) == (NEIGHBOUR, GORSE)
        assert view.table_data()["url"].startswith("/table/all-wards.json?")
        assert view.address == {
            "icb": NEIGHBOUR, "ward": GORSE, "rows": "wards", "layer": "fte", "months": "24"
        }  # fmt: skip

    def test_it_stays_picked_on_the_next_page(self, small_board: Engine, open_it: Open) -> None:
        view = pick(show_wards(open_it(icb=NEIGHBOUR)), "board_table", ABBEY).go_to("coverage")
        assert view.panel == "Abbey, Northam"

    @pytest.mark.parametrize("name", ["area_canvas", "board_table"])
    @pytest.mark.parametrize(
        "code", ["E05999999", OUTSIDER_ICB, "", "<script>alert(1)</script>", "' OR 1=1 --"]
    )
    def test_a_code_that_was_never_offered(
        self, small_board: Engine, open_it: Open, name: str, code: str
    ) -> None:
        view = pick(open_it(icb=BOARD), name, code)
        assert view.value("icb") == BOARD
        assert link(view)[1] == "Open Small board on Coverage"
        assert "ward=" not in link(view)[0]
        assert "<script>alert(1)" not in "".join(view.markup())

    def test_a_board_that_is_not_the_readers(
        self, small_board: Engine, open_it: Open, read_as: Callable[[str], None]
    ) -> None:
        read_as(NEIGHBOUR)
        view = pick(open_it(), "board_table", BOARD)
        assert view.value("icb") == NEIGHBOUR
        view = pick(pick(view, "area_canvas", ABBEY), "area_canvas", GORSE)
        assert (view.value("icb"), link(view)[1]) == (NEIGHBOUR, "Open Gorse on Coverage")


@pytest.mark.slow
class TestTheLists:
    def test_boards_first_then_wards(self, small_board: Engine, open_it: Open) -> None:
        view = open_it()
        assert view.table_data()["url"].startswith("/table/all-boards.json?")
        boards = listed(view)
        assert boards[BOARD]["Referrals, 12 months"] == ["95", 95.0, "1 ward hidden"]
        assert boards[NEIGHBOUR]["Referrals, 12 months"] == ["–", None, "no return"]
        wards = listed(show_wards(view))
        assert set(wards) == set(WARDS)
        assert wards[GORSE]["Board"] == ["Neighbour board"]
        assert wards[DALE]["Referrals, 12 months"] == ["*"]

    def test_what_the_browser_fetches(self, small_board: Engine) -> None:
        for subject, things in zip(LISTS, ("boards", "wards"), strict=True):
            answer = get(f"/table/{subject}.json?icb={BOARD}&{AT}")
            assert answer.status_code == 200
            assert answer.headers["content-encoding"] == "gzip"
            assert answer.headers["cache-control"] == "private, max-age=3600"
            assert answer.json()["things"] == things

    def test_the_statuses_have_their_colours(self, small_board: Engine) -> None:
        body = get(f"/table/all-wards.json?icb={BOARD}&{AT}").json()
        assert body["columns"][body["swatch"]]["title"] == "Status"
        assert all(len(row["swatch"]) == 2 for row in body["rows"])

    @pytest.mark.parametrize("subject", LISTS)
    @pytest.mark.parametrize("as_at", ["", "today", "2026-02-30"])
    def test_a_date_must_be_one(self, small_board: Engine, subject: str, as_at: str) -> None:
        answer = get(f"/table/{subject}.json?icb={BOARD}&as_at={as_at}")
        assert (answer.status_code, answer.text) == (400, "expected as_at=YYYY-MM-DD")


@pytest.mark.slow
class TestTheShapes:
    def test_named_by_their_content_and_kept_for_ever(self, small_board: Engine) -> None:
        shapes = outlines_of(EVERYTHING)
        answer = get(shapes_url(), Accept_Encoding="gzip")
        assert answer.status_code == 200
        assert answer.headers["content-encoding"] == "gzip"
        assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"
        assert answer.content == shapes.body
        assert get(shapes_url(), Accept_Encoding="identity").content == shapes.body

    def test_every_ward_of_every_board(self, small_board: Engine) -> None:
        body = get(shapes_url()).json()
        assert body["codes"] == sorted(WARDS)
        assert body["names"] == [WARDS[code][0] for code in body["codes"]]
        assert body["groups"] == [[BOARD, "Small board"], [NEIGHBOUR, "Neighbour board"]]
        assert body["group"] == [int(code == GORSE) for code in body["codes"]]
        # What is drawn, and nothing that is counted.
        assert set(body) == {
            "step", "box", "codes", "names", "group", "groups", "areas", "edges"
        }  # fmt: skip

    @pytest.mark.parametrize("name", ["0123456789abcdef", "", "..%2F..%2Fpyproject"])
    def test_an_unknown_name_is_not_found(self, small_board: Engine, name: str) -> None:
        assert get(f"/geo/all/{name}.json").status_code == 404


@pytest.mark.slow
class TestForWhom:
    def test_one_board(
        self, small_board: Engine, open_it: Open, read_as: Callable[[str], None]
    ) -> None:
        read_as(BOARD)
        view = open_it()
        assert view.chosen_words == "1 board · as at 30 June 2026"
        assert findings(view).startswith("2 of 6 wards of 1 board have no provision")
        assert "Neighbour board" not in view.everything()
        assert GORSE not in view.everything()
        assert set(drawn(view)) == set(WARDS) - {GORSE}
        assert list(listed(view)) == [BOARD]
        assert set(listed(show_wards(view))) == set(WARDS) - {GORSE}
        assert GORSE not in get(on_canvas(view)["url"]).text

    def test_two_of_them_see_what_is_theirs(
        self, small_board: Engine, open_it: Open, become: Become, read_as: Callable[[str], None]
    ) -> None:
        """What was worked out for one reader is not another's."""
        seen = {}
        for code in (BOARD, NEIGHBOUR, BOARD):
            read_as(code)
            seen[code] = set(drawn(open_it()))
        assert seen == {BOARD: set(WARDS) - {GORSE}, NEIGHBOUR: {GORSE}}

    def test_who_leads_a_network(
        self, small_board: Engine, open_it: Open, read_as_role: Become
    ) -> None:
        read_as_role("pcn_lead", BOARD, SOUTH)
        view = open_it()
        assert findings(view).startswith("2 of 6 wards of 1 board")
        rows = listed(show_wards(view))
        assert len(rows) == 6
        # Who did not return is named to those who may see that network.
        said = json.dumps(rows) + view.everything()
        assert "East PCN" not in said
        assert "South PCN" in said
        for subject in LISTS:
            assert get(f"/table/{subject}.json?icb={BOARD}&pcn={SOUTH}&{AT}").status_code == 200
            for pcn in ("", NORTH):
                asked = get(f"/table/{subject}.json?icb={BOARD}&pcn={pcn}&{AT}")
                assert (asked.status_code, asked.text) == (404, "not found")

    @pytest.mark.parametrize("reader", [NEIGHBOUR, OUTSIDER_ICB])
    def test_nothing_of_another_board_by_any_address(
        self, small_board: Engine, read_as: Callable[[str], None], reader: str
    ) -> None:
        addresses = [
            *(f"/table/{subject}.json?icb={BOARD}&{AT}" for subject in LISTS),
            shapes_url(), shapes_url(BOARD),
        ]  # fmt: skip
        assert all(OF_THE_BOARD.search(get(address).text) for address in addresses[:3])
        read_as(reader)
        for address in addresses:
            answer = get(address)
            assert (answer.status_code, answer.text) == (404, "not found")
        for subject in LISTS:
            answer = get(f"/table/{subject}.json?icb={reader}&{AT}")
            assert set(OF_THE_BOARD.findall(answer.text)) <= {NORTH}

    @pytest.mark.parametrize("subject", LISTS)
    def test_who_may_see_nothing(
        self, small_board: Engine, open_page: Open, become: Become, subject: str
    ) -> None:
        address = shapes_url()
        become()
        view = open_page("all-boards", icb=BOARD)
        assert OF_THE_BOARD.findall(view.everything()) == []
        assert get(f"/table/{subject}.json?icb={BOARD}&{AT}").status_code in (401, 403, 404)
        assert OF_THE_BOARD.findall(get(address).text) == []

    @pytest.mark.parametrize("role", ["administrator"])
    def test_who_only_gives_access_has_no_such_page(
        self, small_board: Engine, open_page: Open, read_as_role: Become, role: str
    ) -> None:
        read_as_role(role)
        view = open_page("all-boards", icb=BOARD)
        assert QUESTION not in view.words()
        assert not [e for e in view.elements() if "area_canvas" in str(e.proto)]


@pytest.mark.slow
class TestNothingThere:
    def test_an_empty_database_tells_what_to_do(self, empty: Engine, open_page: Open) -> None:
        view = open_page("all-boards")
        assert not view.app.exception
        assert "No data is loaded yet" in view.words()
        assert "python -m dashboard load FILE..." in view.words()

    @pytest.mark.parametrize("subject", LISTS)
    @pytest.mark.parametrize("icb_code", ["", "QXX"])
    def test_its_lists_are_not_found(self, empty: Engine, subject: str, icb_code: str) -> None:
        answer = get(f"/table/{subject}.json?icb={icb_code}&{AT}")
        assert (answer.status_code, answer.text) == (404, "not found")

    def test_its_shapes_are_none(self, empty: Engine) -> None:
        assert get(shapes_url()).json()["codes"] == []

    @pytest.mark.parametrize(
        "missing", ["populations", "registered", "practices", "workforce", "deprivation"]
    )
    def test_a_dataset_that_is_not_loaded_leaves_a_page(
        self, load_board: Callable[..., Engine], open_it: Open, missing: str
    ) -> None:
        load_board(Board().but(**{missing: False}))
        for address in ({}, {"rows": "wards", "ward": FORD}, {"layer": "fte"}):
            view = open_it(**address)
            assert set(drawn(view)) == set(WARDS)
            assert listed(view)

    @pytest.mark.parametrize("missing", ["schemes", "services", "referrals"])
    def test_a_return_that_never_came_leaves_a_page(
        self, load_board: Callable[..., Engine], open_it: Open, missing: str
    ) -> None:
        load_board(Board().but(**{missing: ()}))
        for layer in LAYERS:
            assert set(drawn(open_it(layer=layer))) == set(WARDS)
        header = Markup.of(open_it().markup()[0]).text
        # The neighbour returns neither; schemes are said ward by ward.
        number = {"services": "2 boards", "referrals": "2 boards"}.get(missing, "1 board")
        of = {"referrals": "no referral return"}.get(missing, "no return of services")
        assert f"{number}: {of}" in " ".join(header.split())


@pytest.mark.slow
class TestHidden:
    def test_the_canvas_holds_no_number_of_any_ward(
        self, small_board: Engine, open_it: Open
    ) -> None:
        """Castle's 17 and Dale's 3: classes have the rounded 15, and none of a hidden one."""
        for layer in ("take-up", "ratio"):
            view = open_it(layer=layer)
            told = on_canvas(view)
            assert drawn(view)[DALE] == ("Hidden: few people", "")
            assert set(told) == {
                "url", "values", "classes", "marks", "marked", "alt", "group", "area"
            }  # fmt: skip
            assert all(set(each) == {"label", "colour", "texture"} for each in told["classes"])
            labels = " ".join(each["label"] for each in told["classes"])
            # 3 of 2,500 would be 1.2 per 1,000, and 17 of 5,000 would be 3.4.
            assert not re.search(r"\b(1\.2|3\.4)\b", labels)

    def test_a_hidden_number_changes_nothing_that_is_shown(
        self, load_board: Callable[..., Engine], open_page: Open
    ) -> None:
        """If everything reads the same for 2 as for 5, nobody can tell 2 from 5."""

        def board(*dale: int) -> Board:
            sent = (
                Referrals(ABBEY, NORTH, (4, 8, 10, 18)),
                Referrals(BROOK, NORTH, (6, 7, 10, 17)),
                Referrals(CASTLE, SOUTH, (5, 4, 4, 4)),
                Referrals(DALE, SOUTH, dale),  # type: ignore[arg-type]
            )
            return Board(referrals=sent, needs={})

        shown = []
        for dale in ((0, 1, 1, 0), (0, 2, 2, 1)):
            load_board(board(*dale))
            pages = [
                page_of(lambda **address: open_page("all-boards", **address), **address)
                for address in ({}, {"ward": DALE}, {"layer": "take-up"}, {"layer": "ratio"})
            ]
            files = [get(f"/table/{subject}.json?icb={BOARD}&{AT}").text for subject in LISTS]
            shown.append([*pages, *files])
        assert shown[0] == shown[1]
        # And it is there to be told apart: the words of another number would differ.
        load_board(board(5, 5, 5, 5))
        assert get(f"/table/all-boards.json?icb={BOARD}&{AT}").text != shown[0][-2]


@pytest.fixture
def hostile(own: Engine) -> Engine:
    """The small board with an attack in every name."""
    with own.begin() as connection:
        for table, column in {"area": "area_name", "ward": "ward_name"}.items():
            connection.execute(
                text(f"update {table} set {column} = :h || {column}"), {"h": HOSTILE}
            )
    own.dispose()
    return own


@pytest.mark.slow
def test_every_name_is_text(hostile: Engine, open_it: Open) -> None:
    for address in ({}, {"ward": ABBEY, "rows": "wards"}, {"icb": NEIGHBOUR}):
        view = open_it(**address)
        for body in view.markup():
            found = Markup.of(body)
            assert found.tags <= OUR_TAGS | {"h2", "ul", "li"}, found.tags - OUR_TAGS
            assert not [name for name, _ in found.attributes if name.startswith("on")]
        assert HOSTILE in json.dumps(get(on_canvas(view)["url"]).json()["groups"]).replace(
            '\\"', '"'
        )


@pytest.mark.slow
def test_no_status_is_missing_from_the_map(demonstration: Engine, open_it: Open) -> None:
    counts = statuses_in(on_canvas(open_it())["alt"].split(". ")[1])
    statuses = {status.value for status in Status}
    assert sum(number for label, number in counts.items() if label.strip() in statuses) == len(
        drawn(open_it())
    )
