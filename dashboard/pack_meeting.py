"""The pages of a pack that are the meeting's own: what changed, and what was decided."""

from __future__ import annotations

from collections import Counter

from sqlalchemy import Engine

from dashboard import this_week_words as words
from dashboard.actions_view import actions_view, due_words, targets
from dashboard.data import fetch_shared
from dashboard.filters import newest_as_at
from dashboard.pack.content import MISSING, NOT_APPLICABLE, Chart, Page, Series
from dashboard.pack_page import Asked, page, table
from dashboard.rules.actions import KINDS, STATES
from dashboard.rules.changes import Kind
from dashboard.style import counted, day
from dashboard.this_week import ThisWeek
from queries.frames import each_row
from queries.scope import Scope


def this_week_page(asked: Asked, found: ThisWeek, since: str) -> Page:
    """What changed since a meeting or a day."""
    kinds = Counter(change.kind for change in found.told)
    told = [kind for kind in Kind if kinds[kind]]
    return page(
        asked,
        "this-week",
        "This week",
        [*words.finding(found, since), *words.counted_looks(found)],
        period=f"{day(found.before.as_at)} to {day(found.now.as_at)}",
        terms=("change", "control_chart"),
        datasets=("workforce", "referrals", "services", "scheme_areas"),
        also={"since": since},
        chart=Chart(
            "bars", "Changes by kind", "changes", tuple(kind.value for kind in told),
            (Series("Changes", tuple(float(kinds[kind]) for kind in told)),),
            "Changes by kind: " + "; ".join(f"{kind.value} {kinds[kind]}" for kind in told) + ".",
        ) if told else None,
        tables=[
            table(
                "Changes, the most unusual first",
                {"What": None, "Of whom": None, "Numbers": None},
                [(item.title, item.subject, item.words) for item in words.items(found, asked.choices)],
            ),
            table(
                "Missing returns that would change the reading",
                {"Return": None, "Of whom": None, "What is not known": None},
                [
                    (item.title, item.subject, item.words)
                    for item in words.missing_items(found, asked.choices)
                ],
            ),
        ],
    )  # fmt: skip


def actions_page(engine: Engine, scope: Scope, asked: Asked) -> Page:
    """What was decided, who does it, by when: all that is open first."""
    today = newest_as_at()
    known = fetch_shared(targets, scope, asked.choices.icb_code, today)
    # Not kept from run to run: what is written down is no change of the data.
    view = actions_view(engine, scope, asked.choices.icb_code, today, known)
    rows = [
        (
            row.words,
            due_words(row, today),
            row.owner if isinstance(row.owner, str) else MISSING,
            STATES.get(row.state, row.state),
            KINDS.get(row.kind, row.kind),
            row.pinned_name or NOT_APPLICABLE,
        )
        for row in each_row(
            view.frame.sort_values("state", key=lambda s: s != "open", kind="stable")
        )
    ]
    return page(
        asked,
        "actions",
        "Actions",
        view.finding if rows else [f"Nothing is written down: {counted(0, 'action')}, 0 decisions"],
        period=f"As it stands on {day(today)}",
        terms=(),
        datasets=(),
        tables=[
            table(
                "Actions, decisions and notes",
                dict.fromkeys(("What", "Due", "Owner", "State", "Kind", "Pinned to")),
                rows,
            )
        ],
    )
