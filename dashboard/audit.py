"""What somebody could work out of the hidden numbers of a board from all its exports together."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Engine

from dashboard import export
from dashboard.outcomes import BOARD, LOCALITY, NETWORK
from dashboard.rules.attacker import Key, Range, Relation, exposed, worked_out
from dashboard.rules.disclosure import HIDDEN_MARK, Profile, rounding, shown_range
from dashboard.rules.pathway import REFERRED, STEP_TITLES, STEPS
from dashboard.workforce import profile
from queries import places
from queries.scope import Scope

# Breakdowns whose groups add up to the board.
ADDS_UP = (NETWORK, LOCALITY, "source", "age band", "sex", "ethnicity")
_TITLES = [STEP_TITLES[step].lower() for step in STEPS]
# Each of these is among the one before.
_COUNTS = (REFERRED, *(name for title in _TITLES for name in (f"settled, {title}", title)))
_CHANGE = "mean change"


@dataclass(frozen=True)
class Audit:
    """How many numbers of people the exports show and hide, and what each hidden one that is not
    safe must be: the least and the most."""

    shown: int
    hidden: int
    exposed: Mapping[Key, Range]


def audit(engine: Engine, scope: Scope, icb_code: str, as_at: date) -> Audit:
    """Attack the exports of a board: every count that several of them show, with all that is known
    of how they add up, by integer programming.

    Counts of the pathway by network, locality and group, and of people with scores; of networks
    also the referrals of the Workforce export, which are the same.
    """
    if icb_code not in set(places.boards(engine, scope)["icb_code"]):
        raise export.NotThereError(f"no board {icb_code!r} is loaded")
    rows = {
        subject: export.SUBJECTS[subject](engine, scope, icb_code, as_at, False)[1]
        for subject in ("outcomes", "workforce")
    }
    localities = {
        row["pcn_code"]: row["lad_code"] for row in rows["workforce"] if row.get("lad_code")
    }
    return attack(rows["outcomes"], rows["workforce"], localities, profile())


def attack(
    outcomes: Iterable[Mapping[str, Any]],
    workforce: Iterable[Mapping[str, Any]],
    localities: Mapping[str, str],
    by: Profile,
) -> Audit:
    """The same of rows as the exports have them; `localities` is the locality of each network."""
    known: dict[Key, Range] = {}
    hidden: set[Key] = set()

    def tell(key: Key, value: Any, told_by: Profile) -> None:
        if value is None:
            return
        if value == HIDDEN_MARK:
            hidden.add(key)
            # Small, or hidden for the sake of a small one: they look alike.
            known[key] = (told_by.hide_from, None)
        else:
            known[key] = shown_range(int(value), told_by)

    # The figures of each section, and the groups that tell them.
    groups: dict[str, set[str]] = defaultdict(set)
    figures: dict[str, None] = dict.fromkeys(_COUNTS)
    for row in outcomes:
        group = (row["breakdown"], row["group_code"])
        figure = row["figure"]
        if row["section"] == "pathway":
            tell((*group, figure), row["people"], rounding(by))
            tell((*group, f"settled, {figure}"), row["out_of"], rounding(by))
        elif row["section"] == "change" and figure.endswith(_CHANGE):
            figures |= dict.fromkeys((figure, f"started, {figure}"))
            tell((*group, figure), row["people"], rounding(by))
            tell((*group, f"started, {figure}"), row["out_of"], rounding(by))
        else:
            continue
        groups[row["breakdown"]].add(row["group_code"])
    for row in workforce:
        tell(("workforce", row["pcn_code"], REFERRED), row["referrals_12_months"], by)
    relations = [
        *_across(groups, figures, known),
        *_down(groups, figures, localities),
        *(
            Relation(("workforce", code, REFERRED), ((NETWORK, code, REFERRED),))
            for code in groups[NETWORK]
        ),
    ]
    told = [relation for relation in relations if set(relation.cells()) <= set(known)]
    weak = exposed(known, told, hidden)
    return Audit(len(known) - len(hidden), len(hidden), worked_out(known, told, weak))


def _across(
    groups: Mapping[str, Iterable[str]], figures: Iterable[str], known: Mapping[Key, Range]
) -> Iterable[Relation]:
    """Each step is among those who went on or ended before it, and these among the step before;
    matched people are among those with a first score."""
    changes = [figure for figure in figures if f"started, {figure}" in figures]
    for breakdown, codes in groups.items():
        for code in codes:
            # One that is not there parts the others no more.
            told = [name for name in _COUNTS if (breakdown, code, name) in known]
            for before, count in itertools.pairwise(told):
                total, part = (breakdown, code, before), (breakdown, code, count)
                yield Relation(total, (part,), is_exact=False)
            for figure in changes:
                total, part = (breakdown, code, f"started, {figure}"), (breakdown, code, figure)
                yield Relation(total, (part,), is_exact=False)


def _down(
    groups: Mapping[str, Iterable[str]], figures: Iterable[str], localities: Mapping[str, str]
) -> Iterable[Relation]:
    """The groups of a breakdown add up to the board, and networks to their locality."""
    # A network that does not record a step is settled at another one: that does not add up.
    for figure in (name for name in figures if not name.startswith("settled, ")):
        for board in groups.get(BOARD, ()):
            for breakdown in ADDS_UP:
                parts = tuple(
                    (breakdown, code, figure) for code in sorted(groups.get(breakdown, ()))
                )
                if parts:
                    yield Relation((BOARD, board, figure), parts)
        for locality in groups.get(LOCALITY, ()):
            mine = sorted(code for code in groups[NETWORK] if localities.get(code) == locality)
            if mine:
                parts = tuple((NETWORK, code, figure) for code in mine)
                yield Relation((LOCALITY, locality, figure), parts)
