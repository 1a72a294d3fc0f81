"""Who is signed in, until when, and signing out; and what those see who are not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from html import escape
from urllib.parse import quote, urlencode, urlsplit

import streamlit as st

from dashboard import access, filters, page_list, show
from dashboard.access import Reader
from dashboard.gate import COOKIE, SIGN_IN
from dashboard.rules import roles
from dashboard.settings import settings

# So long before a sign-in ends it is said, and seen at the latest so long after it could be.
WARN_BEFORE = timedelta(minutes=5)
LOOK_EVERY = timedelta(seconds=60)


def draw(who: Reader) -> None:
    """In the sidebar: who reads, and the way out. Nothing on one machine, where nobody signs in."""
    if who.ends is None:
        return
    with st.sidebar:
        show.html(f'<p class="detail">Signed in: {escape(who.name)}</p>')
        st.button("Sign out", key="sign out", on_click=_sign_out)


def _sign_out() -> None:
    from dashboard.sign_in import end

    if token := st.context.cookies.get(COOKIE):
        end(token)


def warn() -> None:
    """Above the page: that the sign-in ends soon, and what would be lost."""
    if settings().sign_in != "none":
        st.fragment(_warning, run_every=LOOK_EVERY)()


def _warning() -> None:
    who = access.reader()
    if who.ends is None or who.idle_ends is None:
        # Ended meanwhile: the page as a whole says so.
        if not who.is_signed_in:
            st.rerun()
        return
    until = min(who.idle_ends, who.ends)
    if until - datetime.now(UTC) > WARN_BEFORE:
        return
    st.warning(words(who, until), icon=":material/schedule:")
    if until < who.ends:
        # Any click says that somebody is there.
        st.button("Stay signed in", key="stay signed in")


def words(who: Reader, until: datetime) -> str:
    """'You will be signed out at 14:35 ...': when, why, and what to do before."""
    at = f"{until.astimezone():%H:%M}"
    if until == who.ends:
        why = f"A sign-in lasts {settings().session_hours:g} hours."
        return (
            f"You will be signed out at {at}. {why} Save what you are writing, and sign out and in."
        )
    return (
        f"You will be signed out at {at}, as nothing was done for a while. What is written and not "
        "saved would be lost."
    )


def turned_away(who: Reader) -> None:
    """For those who are not signed in any more, or were given no role: what to do."""
    # The pages go on having their addresses, and nobody is shown them.
    st.navigation(list(page_list.every_page().values()), position="hidden")
    if not who.is_signed_in:
        known = {name: value for name, value in st.query_params.items() if name in filters.NAMES}
        st.title("You are signed out")
        show.empty(
            "Sign in to go on",
            "You come back to the same page with the same choices. What was written and not saved is "
            "lost.",
        )
        where = quote(f"{_page_path()}?{urlencode(known)}", safe="")
        # In this tab: what is shown in it is over.
        show.html(
            f'<p><a class="button" target="_self" href="{SIGN_IN}/start?next={where}">Sign in</a></p>'
        )
        return
    st.title("You have no access yet")
    show.empty(
        f"You are signed in as {who.name}, number {who.person_id}",
        "Nobody has given you a role yet. Tell whoever runs the dashboard your number; then sign out "
        "and in again.",
    )
    draw(who)


def without_figures(who: Reader) -> None:
    """For those who see no board: none is loaded, or none is theirs."""
    if who.may(roles.READ):
        show.nothing_loaded()
        return
    if who.may_somewhere(roles.READ):
        st.title("No data of your board is loaded yet")
        show.empty("Ask whoever loads files here", "The page Data says what there is.")
        return
    st.title("You give access, and see no figures")
    show.empty(
        "The page Access says who may see what",
        "To see a board yourself, give yourself a role for it there: the trail says that you did.",
    )


def _page_path() -> str:
    return urlsplit(st.context.url or "").path or "/"
