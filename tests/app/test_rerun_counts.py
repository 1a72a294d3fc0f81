"""What a warm rerun of each page asks the database: no more than it does now, whatever the machine."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import Engine

from dashboard import data
from dashboard.page_list import TITLES
from queries.actions import ActionEdit, add_action
from queries.meetings import open_meeting
from queries.saved_views import save_view
from queries.scope import EVERYTHING
from tests.app.reading import View, sound
from tests.bench.pages import counted_statements
from tests.small_board import AS_AT, BOARD

pytestmark = pytest.mark.slow

KENT = "QDK"
# The version of the data and the saved views; and what people write, of which it is asked whether it
# changed.
EVERY_PAGE = 2
MOST = {
    "this-week": EVERY_PAGE + 2,  # actions and meetings
    "workforce": EVERY_PAGE + 1,  # notes on the chart
    "actions": EVERY_PAGE + 1,
    "data": EVERY_PAGE + 3,  # jobs, and files offered
}


@pytest.mark.parametrize("page", TITLES)
def test_a_warm_rerun_asks_only_what_may_have_changed(
    demonstration: Engine, open_page: Callable[..., View], page: str
) -> None:
    view = sound(open_page(page, icb=KENT))
    worked_out = data.lookups()[1]
    with counted_statements() as asked:
        sound(View(view.app.run()))
    assert len(asked) == MOST.get(page, EVERY_PAGE), "\n".join(asked)
    # Nothing is worked out again.
    assert data.lookups()[1] == worked_out


def test_statements_do_not_follow_what_was_written(
    own: Engine, open_page: Callable[..., View]
) -> None:
    for number in range(30):
        edit = ActionEdit(kind="action", words=f"Call {number}", owner="Ann", due_on=AS_AT)
        add_action(own, EVERYTHING, BOARD, edit, "ann")
        save_view(own, EVERYTHING, BOARD, f"View {number}", "coverage?", "ann")
    view = sound(open_page("this-week"))
    with counted_statements() as asked:
        sound(View(view.app.run()))
    assert len(asked) == MOST["this-week"]


def test_what_somebody_else_wrote_is_there_in_the_next_run(
    own: Engine, open_page: Callable[..., View]
) -> None:
    view = sound(open_page("this-week"))
    assert "Call the provider" not in view.everything()
    edit = ActionEdit(kind="action", words="Call the provider", owner="Ann", due_on=AS_AT)
    add_action(own, EVERYTHING, BOARD, edit, "ann")
    save_view(own, EVERYTHING, BOARD, "Wards of Ben", "coverage?", "ben")
    open_meeting(own, EVERYTHING, BOARD, AS_AT, "", "Cat")
    view = sound(View(view.app.run()))
    for words in ("Call the provider", "Wards of Ben", "Cat began it"):
        assert words in view.everything()
