"""The parts of the page Where to fund next: each a finding, a picture, and the figures as a table."""

from __future__ import annotations

from dataclasses import asdict

import streamlit as st

from dashboard import access, filters, plan_trial, show
from dashboard import plan_told as told
from dashboard import site_plan_words as words
from dashboard.access import current_user
from dashboard.data import engine, fetch_shared, once
from dashboard.filters import PLAN, SUPPOSED, Area, Choices
from dashboard.own_networks import own_choices, own_saved
from dashboard.plan_equity import plan_equity
from dashboard.progress import progress
from dashboard.providers_view import theme_names
from dashboard.rules import roles
from dashboard.rules.disclosure import Released
from dashboard.services import board_services
from dashboard.site_plan import KINDS, PlanChoices
from dashboard.site_plan_view import (
    PlanView,
    need_map,
    need_measures,
    plan_map,
    plan_view,
    reach_options,
    site_points,
    sure_figure,
)
from dashboard.supposed import supposed, what_if_of
from dashboard.supposed_view import supposed_map
from dashboard.sureness import sureness
from queries import scenarios
from queries.scenarios import NameTakenError, delete_scenario, save_scenario
from queries.scope import Scope

FIRST_ROWS = 25


def choose(scope: Scope, area: Area) -> PlanChoices:
    """The boxes of everything a plan assumes, and what they say."""
    usual = PlanChoices()
    options = {
        "need": ("Unmet need is", need_measures(scope, area)),
        "theme": ("Of the need", {"": "All needs"} | theme_names()),
        "whose": ("Counted in", words.WHOSE_WORDS),
        "goal": ("The plan is to", words.GOALS),
        "sites": ("Number of sites", words.NUMBERS),
        "budget": ("Budget", words.BUDGETS),
        "kinds": ("Candidates", dict(KINDS)),
        "reach": ("Within reach", fetch_shared(reach_options, scope, area)),
        "share": ("For deprivation deciles 1 and 2", words.SHARES),
        "places": ("Room at a site", words.PLACES),
        "cost_new": ("A new place costs", words.COSTS),
        "cost_venue": ("An existing venue costs", words.COSTS),
        "site_fte": ("Link worker at each", words.FTES),
    }
    chosen = {}
    with st.expander("Change what the plan assumes", key="plan assumes"):
        columns = st.columns(3)
        for place, (name, (label, said)) in enumerate(options.items()):
            with columns[place % len(columns)]:
                first = getattr(usual, name)
                chosen[name] = filters.pick(
                    name, label, said, usual=first if first in said else None
                )
    return words.choices_of(chosen)


def plan(scope: Scope, view: PlanView, choices: Choices) -> None:
    """The wards before and after, the sites in order, why each, and who remains."""
    area, said, is_dark = choices.area, view.plan.choices, show.theme().is_dark
    for column, is_after in zip(st.columns(2), (False, True), strict=True):
        with column:
            title = "After" if is_after else "Before"
            show.caption(title, "the wards by what there is for them")
            show.chart(
                fetch_shared(plan_map, scope, area, said, is_after, is_dark),
                view.plan.wards,
                name=f"plan_map_{title}",
                alt=once(words.map_alt, view.plan, is_after=is_after),
            )
            points = [once(site_points, view.plan)] if is_after else []
            groups = once(words.map_groups, view.plan, is_after=is_after)
            show.key(title, groups, points=points)
    show.explanation(told.notes(view.plan), words.ABOUT, name="about plan", what="plan")
    if len(view.plan.sites):
        show.heading("The sites, in order of what each adds", anchor="sites")
        show.small_table(*once(words.sites_table, view.plan), caption="Chosen sites")
        show.lines(once(words.why_sites, view.plan))
    show.heading("Who remains unreached", anchor="unreached")
    headings, rows = once(words.unreached_table, view.plan)
    if rows:
        show.small_table(headings, rows, caption="Wards the plan does not reach, most need first")
    else:
        show.lines(["No ward is known to have unmet need that the plan does not reach."])
    unknown = once(told.unknown_table, view.plan)
    if unknown[1]:
        with st.expander(f"In no plan: {len(unknown[1]):,} wards", key="in no plan"):
            show.small_table(*unknown, caption="Need or provision not known")
    show.heading("Everything this plan assumes", anchor="assumes")
    show.definition_list(once(words.assumptions, view.plan), label="Assumptions")
    asked = {name: value for name, value in asdict(view.plan.choices).items() if value}
    also = (*SUPPOSED, filters.LOCALITY, filters.PCN)
    asked |= {name: filters.chosen(name) for name in also if filters.chosen(name)}
    show.link_to_view("Link to this plan", choices.address(**asked))
    show.downloads(
        "site-plan", choices.icb_code, choices.as_at.isoformat(), things="site and ward of the plan",
        with_stale=choices.with_stale, also=asked,
    )  # fmt: skip


def need(scope: Scope, view: PlanView, choices: Choices) -> None:
    """The unmet need of every ward, with its interval."""
    groups, alt = once(told.need_groups, view.plan)
    picture, beside = st.columns([7, 3])
    with picture:
        figure = fetch_shared(
            need_map, scope, choices.area, view.plan.choices, show.theme().is_dark
        )
        show.chart(figure, view.plan.wards, name="need_map", alt=alt)
    with beside:
        show.key(f"Unmet need, {words.unit(view.plan)}", groups)
    show.notes([*told.notes(view.plan), f"Need is {words.need_words(view.plan)}."])
    headings, rows = once(words.need_table, view.plan)
    show.small_table(headings, rows[:FIRST_ROWS], caption="Wards with most unmet need")
    if len(rows) > FIRST_ROWS:
        with st.expander(f"All {len(rows):,} wards", key="need of all"):
            show.small_table(headings, rows, caption="Every ward, most need first")


def sure(scope: Scope, view: PlanView, choices: Choices) -> None:
    """How often each site is chosen when what the plan assumes is otherwise."""
    if view.plan.sites.empty:
        show.empty("No plan to try", "Where no site is chosen, nothing can be tried.")
        return
    payload = fetch_shared(plan_trial.request, scope, choices.area, view.plan.choices)
    key = plan_trial.key_of(payload)
    found = plan_trial.state(key)
    show.lines([told.TRIES.format(n=len(payload["cases"]))])
    if found.state == "running":
        progress(key, "stop trying")
        return
    if found.state != "done":
        if found.state == "failed":
            show.lines([f"It {found.message}."], is_problem=True)
        if st.button("Try the plan under other assumptions", key="try plan"):
            plan_trial.begin(payload)
            st.rerun()
        return
    tried = sureness(view.plan, found.result["cases"])
    show.finding(told.sure_finding(tried))
    show.chart(
        sure_figure(view.plan, tried, is_dark=show.theme().is_dark),
        Released(tried.sites, (), view.plan.wards.profile),
        name="sureness",
        alt="How often each site was chosen; the table has the figures",
    )
    show.small_table(*told.sure_table(tried), caption="How often each site was chosen")
    show.small_table(*told.cases_table(view.plan, tried), caption="The plan under each assumption")


def what_if(scope: Scope, _view: PlanView, choices: Choices) -> None:
    """What closes, ends, comes or moves, and which wards that would change."""
    area = choices.area
    services = fetch_shared(board_services, scope, choices.icb_code, choices.as_at).listed
    for column, (name, (label, options)) in zip(
        [*st.columns(2), *st.columns(3)],
        told.suppositions(services, fetch_shared(told.networks, scope, choices)).items(),
        strict=True,
    ):
        with column:
            filters.pick(name, label, options)
    chosen = tuple((name, filters.chosen(name)) for name in SUPPOSED)
    what = fetch_shared(what_if_of, scope, area, chosen)
    found = fetch_shared(supposed, scope, area, what)
    if found.is_empty:
        show.empty("Nothing is supposed yet", "Choose what closes, ends, comes or moves above.")
        return
    show.finding(told.supposed_finding(found))
    if len(found.wards.frame):
        show.chart(
            fetch_shared(supposed_map, scope, area, what, show.theme().is_dark),
            found.wards,
            name="supposed_map",
            alt=told.supposed_alt(found),
        )
        show.notes(
            [
                "Wards by provision status as it would be, in the colours of the page Coverage; "
                "those that lose cover are outlined."
            ]
        )
        show.small_table(*told.supposed_table(found), caption="Wards that would change")
    if len(found.closed):
        show.small_table(*told.closed_table(found), caption="What closes, and what is free near it")
    if len(found.networks.frame):
        show.small_table(*told.networks_table(found), caption="Networks")
    show.notes([told.SUPPOSED_NOTE])


def equity(_scope: Scope, view: PlanView, _choices: Choices) -> None:
    """Reach and link workers by deprivation, before and after."""
    found = plan_equity(view.plan)
    show.finding(told.equity_finding(found))
    show.small_table(*told.equity_table(found), caption="By fifth of deprivation")
    show.notes(told.equity_notes(view.plan, found))


def compare(scope: Scope, view: PlanView, choices: Choices) -> None:
    """Save this plan by a name, and see two beside one another."""
    saved = scenarios.scenarios(engine(), scope, choices.icb_code)
    saved = own_saved(scope, choices.icb_code, saved, "choices")
    name = st.text_input("Name of this plan", key="plan name", max_chars=60)
    if st.button("Save this plan", key="save plan", disabled=not name.strip()):
        try:
            mine = {
                n: filters.chosen(n)
                for n in (*PLAN, *SUPPOSED, filters.THEME, filters.LOCALITY, filters.PCN)
            }
            text = told.as_text({n: v for n, v in mine.items() if v})
            access.check(roles.WRITE, choices.icb_code)
            save_scenario(engine(), scope, choices.icb_code, name.strip(), text, current_user())
            st.rerun()
        except NameTakenError as error:
            show.lines([str(error)], is_problem=True)
    if saved.empty:
        show.empty("No plan is saved yet", "A saved plan keeps what it assumes, not its figures.")
        return
    show.links_to_views(told.saved_links(saved, choices))
    other = filters.pick(filters.AGAINST, "Beside this plan", told.saved_names(saved))
    if other:
        said = told.choices_of_saved(saved, other)
        beside_area = told.area_of_saved(saved, other, choices.area)
        beside = fetch_shared(plan_view, scope, beside_area, said)
        theirs = told.supposed_of_saved(saved, other)
        mine_now = {name: filters.chosen(name) for name in SUPPOSED}
        both = [
            fetch_shared(told.consequence, scope, one, tuple(sorted(what.items())))
            for one, what in ((choices.area, mine_now), (beside_area, theirs))
        ]
        show.small_table(
            *told.compared(view.plan, beside.plan, other, (both[0], both[1])), caption="Two plans"
        )
        is_mine = own_choices(scope, choices.icb_code, saved["choices"])
        if other not in set(saved.loc[is_mine, "scenario_name"]):
            show.notes(["Who made it for the whole board takes it away."])
        elif st.button(f"Delete the plan {other}", key="delete plan"):
            access.check(roles.WRITE, choices.icb_code)
            delete_scenario(engine(), scope, choices.icb_code, other)
            st.rerun()
