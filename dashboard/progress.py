"""How far a long calculation is, on the screen, and the button that ends it."""

from __future__ import annotations

import streamlit as st

from dashboard import long_work

# How often the page looks.
LOOK_EVERY = "1s"


@st.fragment(run_every=LOOK_EVERY)
def progress(key: str, button: str) -> None:
    """The calculation of this key; the page follows its end. `button` is the key of its button."""
    found = long_work.status(key)
    if found.state != "running":
        st.rerun()
    st.progress(found.done / max(found.of, 1), f"{found.done} of {found.of}: {found.words}")
    if st.button("Stop", key=button):
        long_work.cancel(key)
        st.rerun()
