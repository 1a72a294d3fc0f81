"""What Streamlit itself needs for a page as large as ours: a menu, boxes at the left, and as many parts
that say nothing. `BENCH_PARTS` is how many."""

import os

import streamlit as st

MENU, BOXES = 13, 8


def page() -> None:
    for number in range(BOXES):
        st.sidebar.selectbox(f"Box {number}", ["one", "two"], key=f"box-{number}")
    for number in range(int(os.environ["BENCH_PARTS"])):
        st.html(f"<p>{number}</p>")


pages = [st.Page(page, title=f"Page {number}", url_path=f"p{number}") for number in range(MENU)]
st.navigation(pages, expanded=True).run()
