"""What does each figure mean, where is it from, and which settings are in force?"""

from dashboard import methods_words as words
from dashboard import show
from dashboard.access import current_scope
from dashboard.data import data_state, fetch_shared
from dashboard.rules.measures import GLOSSARY, MEASURES
from dashboard.settings import settings

show.header(
    "What does each figure mean?",
    "Definitions, formulae, sources and the settings in force",
    [],
    is_demonstration=data_state().is_demonstration,
)
show.definitions([(each.title, each.name, words.measure_facts(each)) for each in MEASURES.values()])

show.heading("Statuses of a ward, worst first", anchor="statuses")
show.small_table(*words.statuses(), caption="What each status means")
show.heading("Changes in a score that count", anchor="changes")
show.small_table(*words.changes_that_count(), caption="The smallest change that counts as one")
show.heading("Settings in force", anchor="settings")
show.small_table(*words.settings_in_force(settings()), caption="Settings that change a figure")
show.heading("Files in force", anchor="sources")
show.small_table(
    *fetch_shared(words.files_in_force, current_scope()), caption="Every file the figures rest on"
)
show.heading("Glossary", anchor="glossary")
show.definition_list(GLOSSARY, label="Glossary")
