"""Which boards have wards without social prescribing, and which have not told us?"""

from collections.abc import Callable

import streamlit as st

from dashboard import all_boards_words as words
from dashboard import filters, show
from dashboard.access import current_scope
from dashboard.all_boards import telling
from dashboard.all_boards_view import all_boards_map, all_boards_view
from dashboard.coverage_words import LAYER_NAMES
from dashboard.data import data_state, fetch_shared

scope, choices = current_scope(), filters.current()
when = choices.as_at, choices.with_stale
with show.how_far(words.WAIT) as tell, telling(tell):
    view = fetch_shared(all_boards_view, scope, *when)
show.header(
    words.QUESTION, words.chosen(view.found, choices), view.chips,
    is_demonstration=data_state().is_demonstration,
)  # fmt: skip
show.finding(view.finding)
show.tiles(view.tiles)


@st.fragment
def map_and_key() -> None:
    """The map by itself: another layer runs this alone, and leaves the rest of the page be."""
    filters.follow_pick()
    picture, beside = st.columns([7, 3])
    with beside:
        layer_name = filters.pick(filters.LAYER, "Map shows", LAYER_NAMES)
    found = fetch_shared(all_boards_map, scope, *when, layer_name)
    with picture:
        show.canvas(
            found.canvas, view.found.wards, name="all_boards_map", group=choices.icb_code,
            area=ward_code, on_pick=lambda code: pick_ward(code, filters.pick_on_map),
        )  # fmt: skip
        show.explanation(found.notes, found.explanation)
    with beside:
        show.key(found.title, found.groups, found.marks)
    filters.write_address()


def pick_ward(ward_code: str, pick: Callable[[str], None] = filters.pick_ward) -> None:
    """A ward, and its board: in the list, which runs the page anyway, or on the map."""
    filters.pick_board(view.found.board_of(ward_code))
    pick(ward_code)


ward_code = view.found.known(filters.chosen(filters.WARD))
map_and_key()
show.link_to_view(*words.link(view.found, choices, ward_code), page="coverage")
rows = filters.switch(filters.ROWS, "List of", words.ROWS)
url = filters.table_url(f"all-{rows}")
if rows == words.WARDS:
    show.table(url, name="all_wards", picked=ward_code, on_pick=pick_ward)
else:
    show.table(url, name="all_boards", picked=choices.icb_code, on_pick=filters.pick_board)
