"""What does each figure mean, where is it from, and which settings are in force?"""

import streamlit as st

from dashboard import methods_words as words
from dashboard import show
from dashboard.data import data_state, sources
from dashboard.rules.measures import GLOSSARY, MEASURES
from dashboard.settings import settings

show.header(
    "What does each figure mean?",
    "Definitions, formulae, sources and the settings in force",
    [],
    is_demonstration=data_state().is_demonstration,
)
for measure in MEASURES.values():
    st.subheader(measure.title, anchor=measure.name)
    show.definition_list(words.measure_facts(measure), label=measure.title)

st.subheader("Statuses of a ward, worst first", anchor="statuses")
show.small_table(*words.statuses(), caption="What each status means")
st.subheader("Settings in force", anchor="settings")
show.small_table(*words.settings_in_force(settings()), caption="Settings that change a figure")
st.subheader("Files in force", anchor="sources")
show.small_table(*words.files(sources()), caption="Every file the figures rest on")
st.subheader("Glossary", anchor="glossary")
show.definition_list(GLOSSARY, label="Glossary")
