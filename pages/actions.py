"""What did we decide, who does it, by when?"""

from dashboard import action_editor, filters, show
from dashboard.access import current_scope
from dashboard.actions_view import board_actions
from dashboard.data import data_state, fetch_written
from dashboard.style import day
from queries.actions import actions_mark

scope, choices = current_scope(), filters.current()
today = filters.newest_as_at()
view = fetch_written(board_actions, actions_mark, scope, choices.icb_code, today, today)

show.header(
    "What did we decide, who does it, by when?",
    f"{choices.icb_name} · as it stands on {day(today)}",
    [],
    is_demonstration=data_state().is_demonstration,
)
show.finding(view.finding)
show.tiles(view.tiles)
PARTS = {
    "list": ("What was decided", action_editor.listed),
    "write": ("Write down", action_editor.write_down),
    "files": ("Files", action_editor.files),
}
part = filters.switch(filters.PART, "Show", {name: title for name, (title, _) in PARTS.items()})
title, draw = PARTS[part]
show.heading(title, anchor=part)
action_editor.told()
draw(scope, view, choices)
