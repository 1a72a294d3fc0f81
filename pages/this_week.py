"""What changed since we last met, and what do we decide?"""

from dashboard import filters, show
from dashboard import this_week_sections as sections
from dashboard import this_week_words as words
from dashboard.access import current_scope
from dashboard.actions_view import actions_view, targets
from dashboard.coverage_view import coverage_view
from dashboard.data import data_state, engine, fetch_shared
from dashboard.pack_panel import pack_panel
from dashboard.rules.actions import Due

scope, choices = current_scope(), filters.current()
coverage = fetch_shared(coverage_view, scope, choices.area)

show.header(
    "What changed since we last met, and what do we decide?",
    choices.words,
    coverage.chips,
    is_demonstration=data_state().is_demonstration,
)
since = sections.pick_since(scope, choices)
found = sections.changed_since(scope, choices, since)
today = filters.newest_as_at()
known = fetch_shared(targets, scope, choices.icb_code, today)
view = actions_view(engine(), scope, choices.icb_code, today, known)
overdue, soon = (int((view.frame["due"] == state).sum()) for state in (Due.OVERDUE, Due.SOON))

show.finding(words.finding(found, since))
show.tiles(words.tiles(found, overdue, soon))
sections.meeting(scope, choices)
sections.changes(found, choices)
sections.due(view, choices)
show.heading("The pack", anchor="pack")
pack_panel(scope, choices, since)
