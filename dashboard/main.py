"""The script every session runs: who reads, the page list, the shared filters."""

import streamlit as st

from dashboard import warm_up

warm_up.wait()

from dashboard import filters, frame, show  # noqa: E402
from dashboard.access import current_scope  # noqa: E402
from dashboard.data import one_state  # noqa: E402
from dashboard.settings import ROOT  # noqa: E402

ICON = str(ROOT / "dashboard" / "components" / "icon.svg")
st.set_page_config(page_title="Social prescribing coverage", layout="wide", page_icon=ICON)
show.styles()
listed = [
    st.Page(ROOT / "pages" / "this_week.py", title="This week", url_path="this-week", default=True),
    st.Page(ROOT / "pages" / "coverage.py", title="Coverage", url_path="coverage"),
    st.Page(ROOT / "pages" / "workforce.py", title="Workforce", url_path="workforce"),
    st.Page(ROOT / "pages" / "providers.py", title="Providers", url_path="providers"),
    st.Page(ROOT / "pages" / "outcomes.py", title="Outcomes", url_path="outcomes"),
    st.Page(ROOT / "pages" / "take_up.py", title="Take-up", url_path="take-up"),
    st.Page(
        ROOT / "pages" / "where_to_fund.py", title="Where to fund next", url_path="where-to-fund"
    ),
    st.Page(
        ROOT / "pages" / "commitments.py", title="National commitments", url_path="commitments"
    ),
    st.Page(ROOT / "pages" / "actions.py", title="Actions", url_path="actions"),
    st.Page(ROOT / "pages" / "data.py", title="Data", url_path="data"),
    st.Page(ROOT / "pages" / "methods.py", title="Methods", url_path="methods"),
]
# The first page's own address is empty: it is what the dashboard opens with.
pages = dict(zip(("this-week", *(each.url_path for each in listed[1:])), listed, strict=True))
page = st.navigation(listed)
here = page.url_path or "this-week"
with one_state():
    scope = current_scope()
    top = st.sidebar.container()
    choices = filters.draw(scope)
    frame.beside(top, scope, choices, page.url_path)
    if choices is None and here not in ("data", "methods"):
        show.nothing_loaded()
    else:
        # Before the page too: one that stops early must not leave an old address behind.
        filters.write_address()
        with frame.around(scope, choices, pages, here):
            page.run()
    filters.write_address()
