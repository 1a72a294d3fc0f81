"""One ward on the Take-up page: what is missing, where it is lost, whom to call, and its brief."""

from __future__ import annotations

from dashboard import show
from dashboard import take_up_words as words
from dashboard.data import fetch_shared
from dashboard.filters import Choices
from dashboard.leads import locality_leads
from dashboard.take_up_view import TakeUpView
from queries.frames import each_row
from queries.scope import Scope


def take_up_panel(scope: Scope, choices: Choices, view: TakeUpView, ward_code: str) -> None:
    """The panel of one ward of the area."""
    ward = next(iter(each_row(view.wards.frame[view.wards.frame["ward_code"] == ward_code])))
    show.heading(f"{ward.ward_name}, {ward.lad_name}", anchor="ward")
    leak = view.found.leaks.get(ward_code)
    if leak is not None:
        show.finding(words.leak_finding(leak))
        show.small_table(*words.leak_table(leak), caption="Where people are lost, in order")
    elif ward.apart:
        show.finding([f"**Set apart: {ward.apart}.** {ward.reason}."])
    else:
        show.finding([f"Take-up lies **{ward.place}**: {ward.reason}."])
    leads = fetch_shared(locality_leads, scope, choices.icb_code, choices.as_at)
    show.definition_list(
        words.ward_facts(ward, view.needs, leads[leads["lad_code"] == ward.lad_code]),
        label="Need, and whom to call",
    )
    show.link_to_view("Link to this ward", choices.address(ward=ward_code))
