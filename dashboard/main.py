"""The script every session runs: who reads, the page list, the shared filters."""

import streamlit as st

from dashboard import warm_up

warm_up.wait()

from dashboard import filters, show  # noqa: E402
from dashboard.access import current_scope  # noqa: E402
from dashboard.data import one_state  # noqa: E402
from dashboard.settings import ROOT  # noqa: E402

ICON = str(ROOT / "dashboard" / "components" / "icon.svg")
st.set_page_config(page_title="Social prescribing coverage", layout="wide", page_icon=ICON)
show.styles()
pages = [
    st.Page(ROOT / "pages" / "coverage.py", title="Coverage", url_path="coverage", default=True),
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
    st.Page(ROOT / "pages" / "data.py", title="Data", url_path="data"),
    st.Page(ROOT / "pages" / "methods.py", title="Methods", url_path="methods"),
]
page = st.navigation(pages)
with one_state():
    choices = filters.draw(current_scope())
    if choices is None and page.url_path not in ("data", "methods"):
        show.nothing_loaded()
    else:
        # Before the page too: one that stops early must not leave an old address behind.
        filters.write_address()
        page.run()
    filters.write_address()
