"""Who may see what, who gave it to them, and what was done?"""

import streamlit as st

from dashboard import access_view, show
from dashboard.access import reader
from dashboard.data import data_state, engine

who = reader()
view = access_view.access_view(engine(), who)

show.header(
    "Who may see what?",
    "Roles of people and groups, for areas that are loaded",
    [],
    is_demonstration=data_state().is_demonstration,
)
show.finding(view.finding)
access_view.told()
show.small_table(view.headings, view.roles, caption="Roles in force, newest first")
show.links([("Roles in force, for the review", [("CSV", "/access-review.csv")])])
left, right = st.columns(2)
with left:
    show.heading("Give a role", anchor="give")
    access_view.give_form(view, who)
with right:
    show.heading("Take a role away", anchor="take-away")
    access_view.take_away_form(view, who)
show.heading("What was done", anchor="trail")
access_view.check_trail(view)
show.small_table(
    ["When (UTC)", "What", "Who", "Which"], view.trail, caption="The trail, newest first"
)
show.links([("The whole trail", [("CSV", "/trail.csv")])])
