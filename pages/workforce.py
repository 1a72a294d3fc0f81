"""Do networks have the link workers they mean to have, and how hard are they pressed?"""

from dashboard import filters, posts_sections, show, workforce_sections
from dashboard.access import current_scope
from dashboard.data import data_state, fetch_shared
from dashboard.pcn_panel import pcn_panel
from dashboard.workforce_view import workforce_view

scope, choices = current_scope(), filters.current()
view = fetch_shared(workforce_view, scope, choices)

show.header(
    "Do networks have the link workers they mean to have?",
    choices.words,
    view.chips,
    is_demonstration=data_state().is_demonstration,
)
show.finding(view.finding)
if view.tiles:
    show.tiles(view.tiles)
    workforce_sections.every_network(scope, view, choices)
    if choices.pcn_code:
        pcn_panel(scope, view, choices)
    show.table(
        filters.table_url("workforce"),
        name="pcn_list",
        picked=choices.pcn_code,
        on_pick=filters.pick_pcn,
    )
    show.downloads("workforce", choices.icb_code, choices.as_at.isoformat(), things="network")
    workforce_sections.trend(scope, view, choices)
    workforce_sections.recruitment(scope, view, choices)
    workforce_sections.need(scope, choices)
    posts_sections.titles_and_employers(scope, choices)
    posts_sections.supervision(scope, choices)
