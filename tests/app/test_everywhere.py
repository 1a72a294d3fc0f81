"""Search, saved views, what came along, and help: as the sidebar of every page draws them."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Engine, event
from streamlit.testing.v1 import AppTest

from dashboard import search
from queries.saved_views import save_view, saved_views
from queries.scope import EVERYTHING
from tests.app.reading import Markup
from tests.small_board import ABBEY, AS_AT, BOARD, NORTH, WARDS, Board

HOSTILE = '=1+1<script>alert("x")</script>**bold** `code`'
SCRIPT = """
import streamlit as st
from dashboard import filters, keyboard_help, restored, saved_views, search, tour
from dashboard.access import current_scope
from dashboard.data import one_state

def names():
    return {"E07000901": "Northam"}

def reset():
    st.session_state["was reset"] = True

with one_state():
    choices = filters.draw(current_scope())
    search.draw(current_scope(), choices)
    saved_views.draw(current_scope(), choices, "take-up")
    if "asked" in st.session_state:
        restored.note(st.session_state["asked"], st.session_state["came by"])
    used = {name: filters.chosen(name) for name in filters.NAMES}
    restored.draw_restored(used, names, reset)
    tour.draw(is_first_page=st.session_state.get("first page", False))
    keyboard_help.draw()
"""


def opened(locality: str = "", **state: object) -> AppTest:
    app = AppTest.from_string(SCRIPT, default_timeout=30)
    if locality:
        app.query_params["locality"] = locality
    for name, value in state.items():
        app.session_state[name.replace("_", " ")] = value
    return app.run()


def everything(app: AppTest) -> str:
    assert not app.exception
    return "\n".join(
        element.proto.body for element in app.get("html") if element.proto.DESCRIPTOR.name == "Html"
    )


def components(app: AppTest) -> list[str]:
    return [element.proto.component_name for element in app.get("bidi_component")]


def addresses(app: AppTest) -> list[str]:
    return [value for name, value in Markup.of(everything(app)).attributes if name == "href"]


def test_words_are_answered_with_links(small_board: Engine) -> None:
    app = opened()
    app.text_input(key="search").set_value("abbey").run()
    assert f"/coverage?icb={BOARD}&as_at={AS_AT}&ward={ABBEY}" in addresses(app)
    app.text_input(key="search").set_value("").run()
    assert not any(ABBEY in address for address in addresses(app))


def test_nothing_called_so_is_said_and_escaped(small_board: Engine) -> None:
    app = opened()
    app.text_input(key="search").set_value("<b>zzz</b>").run()
    assert "Nothing is called “&lt;b&gt;zzz&lt;/b&gt;” in Small board." in everything(app)


def test_the_database_is_asked_once_and_only_where_there_are_words(
    load_board: Callable[[Board], Engine],
) -> None:
    engine = load_board(Board())
    app = opened()
    statements: list[str] = []

    def heard(*args: object) -> None:
        statements.append(str(args[2]))

    event.listen(engine, "before_cursor_execute", heard)
    try:
        app.run()
        without_words = len(statements)
        app.text_input(key="search").set_value("abbey").run()
        first = len(statements) - without_words
        app.text_input(key="search").set_value("brook").run()
        again = len(statements) - without_words - first
    finally:
        event.remove(engine, "before_cursor_execute", heard)
    assert again == without_words < first


def test_a_ward_with_a_hostile_name_is_found_as_text(
    load_board: Callable[[Board], Engine],
) -> None:
    load_board(Board(ward_names={ABBEY: HOSTILE}))
    app = opened()
    app.text_input(key="search").set_value(ABBEY).run()
    markup = Markup.of(everything(app))
    assert "script" not in markup.tags
    assert HOSTILE in markup.text


def test_a_view_is_saved_by_name_and_deleted_when_asked_twice(
    load_board: Callable[[Board], Engine],
) -> None:
    engine = load_board(Board())
    app = opened()
    app.selectbox(key="pcn").set_value(NORTH).run()
    app.text_input(key="view name").set_value("  <i>North</i> ")
    app.button[0].click().run()
    (kept,) = saved_views(engine, EVERYTHING, BOARD)
    assert kept.view_name == "<i>North</i>"
    assert kept.address == f"take-up?icb={BOARD}&pcn={NORTH}&months=24"
    assert f"/take-up?icb={BOARD}&pcn={NORTH}&months=24" in addresses(app)
    assert "Take-up · pcn North PCN · months 24 · newest date" in everything(app)
    assert "i" not in Markup.of(everything(app)).tags

    app.selectbox(key="view to delete").set_value("<i>North</i>").run()
    assert len(saved_views(engine, EVERYTHING, BOARD)) == 1
    app.button(key="delete view").click().run()
    assert saved_views(engine, EVERYTHING, BOARD) == []
    assert "No view is saved yet" in everything(app)


def test_a_view_without_a_name_or_with_a_taken_one_is_refused(
    load_board: Callable[[Board], Engine],
) -> None:
    engine = load_board(Board())
    save_view(engine, EVERYTHING, BOARD, "Mine", "take-up?pcn=U1", "ann")
    app = opened()
    for name, said in (("  ", "A view needs a name."), ("Mine", "called &#x27;Mine&#x27; already")):
        app.text_input(key="view name").set_value(name)
        app.button[0].click().run()
        assert said in everything(app)
    (kept,) = saved_views(engine, EVERYTHING, BOARD)
    assert kept.address == "take-up?pcn=U1"


def test_what_a_link_names_and_is_not_there_is_said(small_board: Engine) -> None:
    app = opened(asked={"pcn": "U99999"}, came_by="link")
    said = "The link names a network that is not there: all networks are shown."
    assert said in everything(app)
    app.button(key="reset filters").click().run()
    assert app.session_state["was reset"]


def test_what_is_kept_from_the_page_before_is_said_by_name(small_board: Engine) -> None:
    app = opened(asked={"locality": "E07000901"}, came_by="page", locality="E07000901")
    assert "Kept from the page before: locality Northam." in everything(app)
    # Nothing came along, nothing is said.
    assert "reset filters" not in [button.key for button in opened().button]


def test_the_tour_is_on_the_first_page_or_where_it_is_asked_for(small_board: Engine) -> None:
    assert "board_tour" not in " ".join(components(opened()))
    assert "board_tour" in " ".join(components(opened(first_page=True)))
    app = opened()
    app.button(key="tour again").click().run()
    assert "board_tour" in " ".join(components(app))


def test_the_keys_are_listed(small_board: Engine) -> None:
    assert "Ctrl + K" in everything(opened())


def test_the_search_leaves_out_no_ward_of_the_board(small_board: Engine) -> None:
    index = search.index(small_board, EVERYTHING, BOARD, AS_AT)
    wards = {entry.hit.title for entry in index.entries if entry.hit.kind == "Ward"}
    assert {name for name, _ in WARDS.values()} - {"Gorse"} <= wards
