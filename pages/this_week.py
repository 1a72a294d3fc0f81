"""What changed since we last met, and what do we decide?"""

from dashboard import filters, show
from dashboard import this_week_sections as sections
from dashboard import this_week_words as words
from dashboard.access import current_scope
from dashboard.actions_view import board_actions
from dashboard.coverage_view import coverage_view
from dashboard.data import data_state, fetch_shared, fetch_written, once
from dashboard.pack_panel import pack_panel
from dashboard.rules.actions import Due
from queries.actions import actions_mark
from queries.meetings import meetings, meetings_mark

scope, choices = current_scope(), filters.current()
coverage = fetch_shared(coverage_view, scope, choices.area)

show.header(
    "What changed since we last met, and what do we decide?",
    choices.words,
    coverage.chips,
    is_demonstration=data_state().is_demonstration,
)
met = fetch_written(meetings, meetings_mark, scope, choices.icb_code)
since = sections.pick_since(met, choices)
found = sections.changed_since(scope, choices, since)
today = filters.newest_as_at()
view = fetch_written(board_actions, actions_mark, scope, choices.icb_code, today, today)
overdue, soon = (int((view.frame["due"] == state).sum()) for state in (Due.OVERDUE, Due.SOON))

show.finding(once(words.finding, found, since))
show.tiles(words.tiles(found, overdue, soon))
sections.meeting(scope, choices, met)
sections.changes(found, choices)
sections.due(view, choices)
show.heading("The pack", anchor="pack")
pack_panel(scope, choices, since)
