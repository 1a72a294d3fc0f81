"""What was decided, who does it, by when: the board's entries in words, and what they hang on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from functools import partial
from typing import Any

import pandas as pd
from sqlalchemy import Engine

from dashboard.data import fetch_shared
from dashboard.own_networks import own_rows
from dashboard.rules.actions import KINDS, PINNED_KINDS, STATES, Due, broken_rules, due
from dashboard.rules.measures import MEASURES
from dashboard.services import board_services
from dashboard.show import Tile
from dashboard.style import MISSING, counted, day, number
from queries import actions, places, workforce
from queries.actions import ActionEdit, Standing, edit_of
from queries.frames import each_row
from queries.scope import Scope

# What can be pinned to: by kind and code, the name.
Targets = Mapping[str, Mapping[str, str]]
# As many characters of an entry as are read in a box.
SHORT = 70
FIELDS = {
    "kind": "Kind",
    "words": "What",
    "owner": "Owner",
    "due_on": "Due",
    "state": "State",
    "pinned_kind": "Pinned to",
    "pinned_on": "Day on the chart",
}
# Rules that are broken: the field, and what was expected of it.
Rules = list[tuple[str, str]]
# What is kept of an entry beside what it says.
WHERE_FROM = ("page", "meeting_id")
EVERY, NOT_PINNED = "", "nothing"


@dataclass(frozen=True)
class ActionsView:
    """The entries of a board on a day: one row each as `queries.actions.actions` has them, with
    `due` (a `Due`), `pin` and `pinned_name`, the overdue first; and what may be pinned to."""

    today: date
    frame: pd.DataFrame
    targets: Targets

    @property
    def finding(self) -> list[str]:
        """What is overdue and what is due, in a sentence; then what else is written down."""
        overdue, soon = (
            int((self.frame["due"] == state).sum()) for state in (Due.OVERDUE, Due.SOON)
        )
        is_open = (self.frame["kind"] == "action") & (self.frame["state"] == "open")
        verb = "action is" if overdue == 1 else "actions are"
        kinds = Counter(self.frame["kind"])
        return [
            f"**{overdue or 'No'} {verb if overdue else 'action is'} overdue**, "
            f"{counted(soon, 'action') if soon else 'none'} due this week.",
            f"{counted(int(is_open.sum()), 'action')} open; "
            f"{counted(kinds['decision'], 'decision')} and {counted(kinds['note'], 'note')} "
            "written down.",
        ]

    @property
    def tiles(self) -> list[Tile]:
        """Overdue, due soon, open, and how many are done of all that were not dropped."""
        ours = self.frame[self.frame["kind"] == "action"]
        stands, states = Counter(ours["due"]), Counter(ours["state"])
        kept = states["open"] + states["done"]
        late = ours.loc[ours["due"] == Due.OVERDUE, "due_on"]
        longest = f"the longest since {day(min(late))}" if len(late) else ""
        told = (
            ("Overdue", stands[Due.OVERDUE], longest),
            ("Due this week", stands[Due.SOON], "today to 7 days from now"),
            ("Open", states["open"], ""),
            ("Done", states["done"], f"of {number(kept)} not dropped"),
        )
        return [
            Tile(label, number(count), "action" if count == 1 else "actions", note)
            for label, count, note in told
        ]


def targets(engine: Engine, scope: Scope, icb_code: str, as_at: date) -> Targets:
    """What an entry may be pinned to: wards, networks and providers of the board, and measures, by
    kind and code. A query by its signature."""
    wards = places.wards(engine, scope, icb_code)
    pcns = own_rows(scope, icb_code, workforce.fte_by_pcn(engine, scope, icb_code, as_at))
    providers = board_services(engine, scope, icb_code, as_at).listed["provider"].dropna()
    return {
        "ward": dict(zip(wards["ward_code"], wards["ward_name"], strict=True)),
        "pcn": dict(zip(pcns["pcn_code"], pcns["pcn_name"].fillna(pcns["pcn_code"]), strict=True)),
        "provider": {name: name for name in sorted(set(providers))},
        "measure": {name: measure.title for name, measure in MEASURES.items()},
    }


def board_actions(
    engine: Engine, scope: Scope, icb_code: str, today: date, as_at: date
) -> ActionsView:
    """The entries of a board as they stand on a day, with what there is at a date to pin them to. A
    query by its signature: `fetch_written` keeps it."""
    known = fetch_shared(targets, scope, icb_code, as_at)
    return actions_view(engine, scope, icb_code, today, known)


def actions_view(
    engine: Engine, scope: Scope, icb_code: str, today: date, known: Targets
) -> ActionsView:
    """The entries of a board as they stand on a day. `LookupError` outside the scope."""
    frame = actions.actions(engine, scope, icb_code)
    rows = list(each_row(frame))
    stands = [due(row.kind, row.state, row.due_on, today) for row in rows]
    frame["due"] = pd.Series(stands, frame.index, dtype="object")
    said_of = [edit_of(row) for row in rows]
    for column, words in (("pin", pin_of), ("pinned_name", partial(pinned_name, known=known))):
        frame[column] = pd.Series(map(words, said_of), frame.index, dtype="str")
    order = frame["due"].map(list(Due).index)
    frame = frame.assign(place=order).sort_values("place", kind="stable").drop(columns="place")
    return ActionsView(today, frame.reset_index(drop=True), known)


def pinned_name(edit: ActionEdit, known: Targets) -> str:
    """'Ward: Abbey'; by its code where no such ward is known any more, "" where it is not pinned."""
    if edit.pinned_kind is None or edit.pinned_code is None:
        return ""
    names = known.get(edit.pinned_kind, {})
    kind = PINNED_KINDS.get(edit.pinned_kind, edit.pinned_kind)
    return f"{kind}: {names.get(edit.pinned_code, edit.pinned_code)}"


def choices_of(view: ActionsView) -> dict[str, tuple[str, dict[str, str]]]:
    """What the list can be narrowed to: by the name in the address, the label and the options."""
    owners = sorted(set(view.frame["owner"].dropna()), key=str.casefold)
    pinned = view.frame[view.frame["pin"] != EVERY].sort_values("pinned_name")
    return {
        "state": ("State", {EVERY: "Every state", **STATES}),
        "kind": ("Kind", {EVERY: "Every kind", **KINDS}),
        "owner": ("Owner", {EVERY: "Every owner", **{name: name for name in owners}}),
        "pinned": (
            "Pinned to",
            {
                EVERY: "Anything or nothing",
                NOT_PINNED: "Nothing",
                **dict(zip(pinned["pin"], pinned["pinned_name"], strict=True)),
            },
        ),
    }


def narrowed(view: ActionsView, chosen: Mapping[str, str]) -> pd.DataFrame:
    """The entries that fit what is chosen; "" is all."""
    rows = view.frame
    for name in ("state", "kind", "owner"):
        if chosen[name]:
            rows = rows[rows[name] == chosen[name]]
    if chosen["pinned"]:
        rows = rows[rows["pin"] == (EVERY if chosen["pinned"] == NOT_PINNED else chosen["pinned"])]
    return rows


def due_words(row: Any, today: date) -> str:
    """'Overdue by 3 days: 27 June 2026'; how it stands is never told by colour alone."""
    if pd.isna(row.due_on):
        return MISSING
    days = (row.due_on - today).days
    if row.due == Due.OVERDUE:
        return f"Overdue by {counted(-days, 'day')}: {day(row.due_on)}"
    if row.due == Due.SOON:
        away = f"in {counted(days, 'day')}" if days else "today"
        return f"Due {away}: {day(row.due_on)}"
    return day(row.due_on)


def table(view: ActionsView, rows: pd.DataFrame) -> tuple[list[str], list[list[str]]]:
    """Headings and cells of the list, the overdue first."""
    headings = ["What", "Due", "Owner", "State", "Kind", "Pinned to", "Number"]
    return headings, [
        [
            row.words,
            due_words(row, view.today),
            MISSING if pd.isna(row.owner) else row.owner,
            STATES.get(row.state, row.state),
            KINDS.get(row.kind, row.kind),
            row.pinned_name or MISSING,
            str(row.id),
        ]
        for row in each_row(rows)
    ]


def entry_names(view: ActionsView) -> dict[str, str]:
    """Every entry by its number, for a box to pick from."""
    return {str(row.id): f"{row.id}: {_short(row.words)}" for row in each_row(view.frame)}


def refused(edit: ActionEdit, known: Targets, before: ActionEdit | None = None) -> Rules:
    """What stands against writing it down: the field, and the rule in words. What it was pinned to
    `before` it may stay pinned to, though the board has no such thing any more."""
    told = {name: value for name, value in asdict(edit).items() if name not in WHERE_FROM}
    found = broken_rules(**told)
    kind = edit.pinned_kind
    is_new = before is None or pin_of(before) != pin_of(edit)
    if not found and is_new and kind is not None and edit.pinned_code not in known.get(kind, {}):
        rule = f"expected the code of a {PINNED_KINDS[kind].lower()} of this board"
        found.append(("pinned_code", rule))
    return found


def _short(words: str) -> str:
    line = " ".join(words.split())
    return line if len(line) <= SHORT else f"{line[: SHORT - 1]}…"


def when(moment: datetime) -> str:
    """'30 June 2026 at 10:14 UTC'."""
    return f"{day(moment.date())} at {moment:%H:%M} UTC"


def said(edit: ActionEdit, known: Targets) -> dict[str, str]:
    """What an entry says, field by field, in words."""
    return {
        "kind": KINDS.get(edit.kind, edit.kind),
        "words": edit.words,
        "owner": edit.owner or MISSING,
        "due_on": day(edit.due_on),
        "state": STATES.get(edit.state, edit.state),
        "pinned_kind": pinned_name(edit, known) or MISSING,
        "pinned_on": day(edit.pinned_on),
    }


def facts(row: Any, known: Targets) -> list[tuple[str, str]]:
    """One entry in full: what it says, and who wrote it where."""
    words = [(FIELDS[name], value) for name, value in said(edit_of(row), known).items()]
    page = [] if pd.isna(row.page) else [("Written on the page", row.page)]
    return [
        *words,
        *page,
        ("Written down", f"{when(row.created_at)} by {row.created_by}"),
        ("Last changed", f"{when(row.changed_at)} by {row.changed_by}, version {row.version}"),
    ]


def history_table(history: pd.DataFrame, known: Targets) -> tuple[list[str], list[list[str]]]:
    """One row per version, the newest first: who, when, and what each changed."""
    rows, before = [], None
    for row in each_row(history):
        now = said(edit_of(row), known)
        changed = (
            "Written down"
            if before is None
            else "; ".join(
                f"{FIELDS[name]}: {before[name]} → {now[name]}"
                for name in FIELDS
                if before[name] != now[name]
            )
        )
        rows.append(
            [
                str(row.version),
                when(row.changed_at),
                row.changed_by,
                changed or "Its page or meeting",
            ]
        )
        before = now
    return ["Version", "When", "Who", "What changed"], rows[::-1]


def beside(mine: ActionEdit, theirs: Standing, known: Targets) -> tuple[list[str], list[list[str]]]:
    """What somebody saved meanwhile and what was to be saved, field by field."""
    ours, now = said(mine, known), said(theirs.edit, known)
    headings = ["", f"Saved by {theirs.changed_by} meanwhile", "Your text", "Differs"]
    return headings, [
        [label, now[name], ours[name], "yes" if ours[name] != now[name] else ""]
        for name, label in FIELDS.items()
    ]


def pin_options(known: Targets, edit: ActionEdit | None = None) -> dict[str, str]:
    """What can be pinned to, for one box: "ward|E05000001" and 'Ward: Abbey'. What an entry is
    pinned to stays among them, though it may be gone."""
    options = {EVERY: "Nothing"}
    if edit is not None and edit.pinned_kind is not None:
        options[pin_of(edit)] = pinned_name(edit, known)
    for kind, names in known.items():
        options |= {
            f"{kind}|{code}": f"{PINNED_KINDS[kind]}: {name}" for code, name in names.items()
        }
    return options


def pin_of(edit: ActionEdit) -> str:
    """What an entry is pinned to, as the box has it."""
    return EVERY if edit.pinned_kind is None else f"{edit.pinned_kind}|{edit.pinned_code}"


def rules_in_words(broken: Rules) -> list[str]:
    """Broken rules as lines: the field as the form calls it, and what was expected."""
    named = {**FIELDS, "pinned_code": FIELDS["pinned_kind"]}
    return [f"{named[field]}: {rule}" for field, rule in broken]
