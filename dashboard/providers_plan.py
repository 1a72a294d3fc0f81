"""What has to be done about providers: who to ask, what ends, what is asked for, what a feed lacks."""

from __future__ import annotations

from contextlib import suppress

import streamlit as st

from dashboard import providers_plan_words as words
from dashboard import show
from dashboard.access import current_user
from dashboard.data import fetch_shared, loading_engine
from dashboard.filters import Choices
from dashboard.providers_pictures import demand_figure
from dashboard.providers_plan_view import (
    Pair,
    demand_and_supply,
    directory_view,
    funding_view,
    to_ask,
)
from dashboard.providers_view import ProvidersView
from dashboard.service_matches import say_whether_same
from queries.load import AlreadyLoadedError
from queries.scope import Scope

FIRST_ROWS = 10
ANSWERS = (("The same service", True), ("Two services", False))


def freshness(scope: Scope, view: ProvidersView, choices: Choices) -> None:
    """How old the entries are, whom to ask next, and the file to send."""
    show.finding(words.freshness_finding(view, choices))
    show.small_table(*words.freshness_table(view), caption="Entries by age of their confirmation")
    show.heading("Whom to ask next, oldest first", anchor="ask")
    asked = to_ask(view)
    if asked.empty:
        show.lines(["No provider with a name has an entry that waits to be confirmed."])
    else:
        show.links(words.files_to_send(asked))
        show.notes([words.HOW_TO_ASK])
    with st.expander("The entries to confirm", key="to confirm"):
        show.small_table(*words.ask_table(view), caption="Entries to confirm, oldest first")


def funding(scope: Scope, view: ProvidersView, choices: Choices) -> None:
    """What is lost month by month, where nothing would be left, and where money goes."""
    found = fetch_shared(funding_view, scope, choices)
    show.finding(words.funding_finding(found))
    if len(found.months):
        show.small_table(*words.losses_table(found), caption="Lost up to the end of each month")
        with st.expander(f"The services whose funding ends ({len(found.ending):,})", key="ending"):
            show.small_table(*words.ending_table(found), caption="Services whose funding ends")
    if len(found.left):
        show.heading("Wards that would have nothing left", anchor="left")
        headings, rows = words.left_table(found)
        show.small_table(headings, rows[:FIRST_ROWS], caption="By need, wards with nothing left")
        if len(rows) > FIRST_ROWS:
            with st.expander(f"All {len(rows):,} of them", key="nothing left"):
                show.small_table(headings, rows, caption="Every need and day")
    show.heading("Where the money goes", anchor="money")
    show.lines(words.money_lines(view))
    show.small_table(*words.funder_table(view), caption="By funder")
    show.small_table(
        *words.district_table(found), caption="Money for the voluntary sector by district"
    )
    show.notes([words.MONEY_NOTE])


def demand(scope: Scope, view: ProvidersView, choices: Choices) -> None:
    """What people are referred for beside what there is."""
    found = fetch_shared(demand_and_supply, scope, choices)
    show.finding(words.demand_finding(found, view))
    show.chart(
        fetch_shared(demand_figure, scope, choices, show.theme().is_dark),
        found,
        name="demand",
        alt=f"People referred and places by need, {choices.words}; the table has the figures",
    )
    show.small_table(*words.demand_table(found), caption="Referred, offered and waiting, by need")
    show.notes(words.demand_notes(view))


def directory(scope: Scope, view: ProvidersView, choices: Choices) -> None:
    """What the feeds were like, what closed, and which entries may be the same service."""
    found = fetch_shared(directory_view, scope, choices)
    show.heading("Feeds", anchor="feeds")
    if not found.feeds:
        show.lines(["No directory of services (Open Referral UK) is loaded for this board."])
    for place, feed in enumerate(found.feeds):
        show.card_title(feed.file_name, words.feed_words(feed))
        with st.expander(words.report_title(feed), expanded=place == 0, key=f"feed {feed.load_id}"):
            show.small_table(*words.report_table(feed), caption=f"Report of {feed.file_name}")
    show.heading("Perhaps the same service", anchor="same")
    show.lines([words.same_finding(found)])
    for pair in found.pairs:
        show.definition_list(pair.facts, label=pair.title)
        if not pair.can_be_said:
            continue
        for column, (label, is_same) in zip(st.columns(2), ANSWERS, strict=True):
            with column:
                name = f"{label}: {pair.service_id} {pair.other_service_id}"
                if st.button(label, key=name):
                    _say(pair, is_same)
    show.heading("Not placed, and closed", anchor="closed")
    for name, table, caption in (
        (
            "not placed",
            words.unplaced_table(view),
            "Entries with no place, no area, and not online",
        ),
        ("closed", words.closed_table(view), "Closed, or no longer in their directory"),
    ):
        if not table[1]:
            show.lines([f"{caption}: none."])
            continue
        with st.expander(caption, key=f"entries {name}"):
            show.small_table(*table, caption=caption)


def _say(pair: Pair, is_same: bool) -> None:
    with suppress(AlreadyLoadedError):
        say_whether_same(
            loading_engine(),
            pair.provider,
            pair.service_id,
            pair.other_service_id,
            is_same,
            current_user(),
        )
    st.rerun()
