"""The script every session runs: who reads, the page list, the shared filters."""

import streamlit as st

from dashboard import warm_up

# Whoever comes before it is ready is told why nothing is there yet.
if warm_up.state() == "under way":
    with st.spinner(warm_up.GETTING_READY):
        warm_up.wait()
warm_up.wait()

from dashboard import access, filters, frame, page_list, show, signed_in  # noqa: E402
from dashboard.data import one_state  # noqa: E402
from dashboard.settings import ROOT  # noqa: E402

ICON = str(ROOT / "dashboard" / "components" / "icon.svg")
st.set_page_config(page_title="Social prescribing coverage", layout="wide", page_icon=ICON)
show.styles()
who = access.reader()
if not (who.is_signed_in and who.grants):
    signed_in.turned_away(who)
    st.stop()
pages = page_list.pages_of(who)
# Every page in sight: the last of a long list would be folded away.
page = st.navigation(list(pages.values()), expanded=True)
# The first page's own address is empty: it is what the dashboard opens with.
here = page.url_path or next(iter(pages))
with access.asking(who), one_state():
    scope = who.scope
    top = st.sidebar.container()
    choices = filters.draw(scope)
    frame.beside(top, who, choices, page.url_path)
    if choices is None and here not in page_list.WITHOUT_A_BOARD:
        signed_in.without_figures(who)
    else:
        # Before the page too: one that stops early must not leave an old address behind.
        filters.write_address()
        with frame.around(scope, choices, pages, here):
            page.run()
    filters.write_address()
