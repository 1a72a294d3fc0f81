"""Actions, decisions and notes: what may be written down, and what is due."""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from enum import StrEnum

from dashboard.rules.nhs_number import nhs_numbers_in

KINDS = {"action": "Action", "decision": "Decision", "note": "Note"}
STATES = {"open": "Open", "done": "Done", "dropped": "Dropped"}
PINNED_KINDS = {"ward": "Ward", "pcn": "Network", "provider": "Provider", "measure": "Measure"}
# What is decided is said in a sentence or two; an owner is a name or a post.
LONGEST_WORDS, LONGEST_OWNER = 500, 100
# The meeting is weekly.
DUE_SOON_DAYS = 7
# Outside these years a date is a slip of the finger.
EARLIEST, LATEST = date(2015, 1, 1), date(2100, 12, 31)
NO_BIRTH = "holds what may be a date of birth: nothing here may say who a person is"
_BORN = re.compile(r"\b(born|d\.?o\.?b\b\.?|date of birth)\D{0,15}\d", re.IGNORECASE)
NO_PERSON = "holds what may be an NHS number: nothing here may say who a person is"

# Halves of characters, and what controls a screen rather than being read.
_CONTROLS = {"Cc", "Cs"}


class Due(StrEnum):
    """How an entry stands against its date."""

    OVERDUE = "overdue"
    SOON = "due within 7 days"
    LATER = "due later"
    NEVER = "not due"


def due(kind: str, state: str, due_on: date | None, today: date) -> Due:
    """Only an open action is due: overdue from the day after its date, soon up to 7 days before.

    >>> str(due("action", "open", date(2026, 6, 29), date(2026, 6, 30)))
    'overdue'
    """
    if kind != "action" or state != "open" or due_on is None:
        return Due.NEVER
    if due_on < today:
        return Due.OVERDUE
    return Due.SOON if (due_on - today).days <= DUE_SOON_DAYS else Due.LATER


def tidy(text: str) -> str:
    """As it is kept: lines end alike, other controls are spaces, nothing blank at the ends.

    >>> tidy("  Call\\tthe provider\\r\\n")
    'Call the provider'
    """
    lines = re.sub(r"\r\n?", "\n", text)
    kept = (" " if c != "\n" and unicodedata.category(c) in _CONTROLS else c for c in lines)
    return "".join(kept).strip()


def broken_rules(
    *,
    kind: str,
    words: str,
    owner: str | None,
    due_on: date | None,
    state: str,
    pinned_kind: str | None,
    pinned_code: str | None,
    pinned_on: date | None,
) -> list[tuple[str, str]]:
    """What stands against writing it down: the field, and the rule in words; none if it may be."""
    found = []
    if kind not in KINDS:
        found.append(("kind", f"expected {_one_of(KINDS)}"))
    if state not in STATES:
        found.append(("state", f"expected {_one_of(STATES)}"))
    if not words.strip():
        found.append(("words", "expected what is to be done, was decided or noted"))
    if len(words) > LONGEST_WORDS:
        found.append(
            ("words", f"expected at most {LONGEST_WORDS} characters, found {len(words):,}")
        )
    if owner is not None and len(owner) > LONGEST_OWNER:
        found.append(
            ("owner", f"expected at most {LONGEST_OWNER} characters, found {len(owner):,}")
        )
    if kind == "action" and not (owner or "").strip():
        found.append(("owner", "expected who does it: an action has an owner"))
    if kind == "action" and due_on is None:
        found.append(("due_on", "expected by when: an action has a due date"))
    if (pinned_kind is None) != (pinned_code is None):
        found.append(("pinned_code", "expected what it is pinned to and its code, or neither"))
    if pinned_kind is not None and pinned_kind not in PINNED_KINDS:
        found.append(("pinned_kind", f"expected {_one_of(PINNED_KINDS)}"))
    if pinned_on is not None and pinned_kind is None:
        found.append(("pinned_on", "expected nothing: a day on a chart belongs to what is pinned"))
    for field, day in (("due_on", due_on), ("pinned_on", pinned_on)):
        if day is not None and not EARLIEST <= day <= LATEST:
            found.append((field, f"expected a day from {EARLIEST.year} to {LATEST.year}"))
    texts = (("words", words), ("owner", owner), ("pinned_code", pinned_code))
    found += [(field, NO_PERSON) for field, text in texts if text and nhs_numbers_in(text)]
    found += [(field, NO_BIRTH) for field, text in texts if text and _BORN.search(text)]
    return found


def _one_of(names: dict[str, str]) -> str:
    *first, last = names
    return f"{', '.join(first)} or {last}"
