"""Which national commitments are in force, and where does the board stand?"""

from dashboard import commitments_words as words
from dashboard import filters, show
from dashboard.access import current_scope
from dashboard.commitments import board_commitments
from dashboard.data import data_state, fetch_shared, once
from dashboard.style import day

scope, choices = current_scope(), filters.current()
found = fetch_shared(board_commitments, scope, choices.icb_code, choices.as_at)

show.header(
    "Which national commitments are in force, and where does the board stand?",
    words.chosen(choices),
    once(words.chips, found),
    is_demonstration=data_state().is_demonstration,
)
show.finding(once(words.finding, found))
show.lines([words.share_note(found.basis), once(words.notes, found)])
for title, anchor, cards in once(words.groups, found):
    show.heading(title, anchor=anchor)
    show.commitments(cards)

show.heading("What that many people would need", anchor="arithmetic")
show.lines([once(words.arithmetic_note, found)])
show.small_table(
    *once(words.arithmetic, found),
    caption="People able to be referred, and the link workers for them",
)
show.heading("Personal health budgets by group of entitlement", anchor="budgets")
if found.basis.budgets_on:
    show.small_table(
        *once(words.budgets, found), caption=f"Local return for {day(found.basis.budgets_on)}"
    )
else:
    show.lines(["No return of personal health budgets is loaded for this board."])
show.heading("Every commitment in one table", anchor="table")
show.small_table(*once(words.table, found), caption=f"As at {day(choices.as_at)}")
show.downloads("commitments", choices.icb_code, choices.as_at.isoformat(), things="commitment")
