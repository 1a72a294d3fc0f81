"""The page Access: who has which role, giving roles and taking them away, and the trail."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import streamlit as st
from sqlalchemy import Engine

from dashboard import given, show
from dashboard.access import Reader
from dashboard.data import engine
from dashboard.filters import newest_as_at
from dashboard.given import Holder, RefusedError
from dashboard.rules import roles
from dashboard.style import counted
from queries import people, places, trail, workforce
from queries.frames import each_row
from queries.scope import EVERYTHING
from queries.trail import NOBODY

# More would be for a file.
LINES_SHOWN = 50
_SAID = "what became of a role"
_GROUP = "a group"


@dataclass(frozen=True)
class AccessView:
    """What the page shows; `people` and `in_force` are choices by their number."""

    finding: list[str]
    headings: list[str]
    roles: list[list[str]]
    people: dict[str, str]
    in_force: dict[str, str]
    boards: dict[str, str]
    trail: list[list[str]]
    trail_lines: int


def access_view(engine: Engine, who: Reader) -> AccessView:
    """Everything of the page, asked anew each time: nobody decides on what was."""
    rows = given.review(engine, datetime.now(UTC))
    known, all_given = people.people(engine), people.grants(engine)
    with_role = set(all_given.loc[all_given["ended_at"].isna(), "person_id"].dropna())
    waiting = known[~known["person_id"].isin(with_role)]
    boards = places.boards(engine, EVERYTHING)
    asked_after = sum(bool(row["to be asked after"]) for row in rows)
    finding = [
        f"**{counted(len(rows), 'role')}** in force; {asked_after:,} to be asked after at the next "
        "review.",
    ]
    if len(waiting):
        has = "has" if len(waiting) == 1 else "have"
        finding.append(
            f"**{counted(len(waiting), 'person', 'people')}** signed in and {has} no role of their own: "
            "they have a group's, or may see nothing yet."
        )
    return AccessView(
        finding,
        [heading.capitalize() for heading in given.REVIEW],
        [list(row.values()) for row in rows],
        {
            str(row.person_id): f"{row.shown_name} (number {row.person_id})"
            + ("" if row.person_id in with_role else ", no role of their own")
            for row in each_row(known)
        },
        {row["number"]: f"{row['number']}: {row['who']}, {row['role']}" for row in rows},
        dict(zip(boards["icb_code"], boards["icb_name"].fillna(boards["icb_code"]), strict=True)),
        [
            [
                f"{row.at:%Y-%m-%d %H:%M:%S}",
                row.kind,
                f"number {row.person_id}" if row.person_id != NOBODY else "no sign-in",
                _detail(row.detail),
            ]
            for row in each_row(trail.lines(engine, LINES_SHOWN))
        ],
        trail.head(engine)[0],
    )


def _detail(content: str) -> str:
    found = json.loads(content)
    return ", ".join(f"{name} {value}" for name, value in found.items() if value not in (None, ""))


def told() -> None:
    """What became of what was asked last."""
    words, is_problem = st.session_state.pop(_SAID, ("", False))
    if words:
        show.lines([words], is_problem=is_problem)


def give_form(view: AccessView, who: Reader) -> None:
    """To whom, which role, for which area."""
    holders = {**view.people, _GROUP: "Everybody of a group that their organisation names"}
    holder = st.selectbox("To", list(holders), format_func=holders.__getitem__, key="role to")
    group = st.text_input("Name or id of the group", key="role group") if holder == _GROUP else ""
    role = st.selectbox("Role", list(roles.ROLES), format_func=roles.ROLES.__getitem__, key="role")
    kinds = roles.AREAS[role]
    # The narrower first: nobody gets everything by not choosing.
    areas = view.boards if "icb" in kinds or "pcn" in kinds else {}
    areas = areas | ({"": "Everything here"} if "all" in kinds else {})
    icb_code = st.selectbox("For", list(areas), format_func=areas.__getitem__, key="role board")
    pcn_code = ""
    if "pcn" in kinds and icb_code:
        networks = workforce.fte_by_pcn(engine(), EVERYTHING, icb_code, newest_as_at())
        names = dict(zip(networks["pcn_code"], networks["pcn_name"], strict=True))
        pcn_code = st.selectbox(
            "Network", list(names), format_func=lambda code: names[code] or code, key="role network"
        )
    if st.button("Give the role", key="give role"):
        to = Holder(group_name=group.strip()) if holder == _GROUP else Holder(int(holder))
        if holder == _GROUP and not group.strip():
            _say("A group needs its name, as the organisation's sign-in service gives it.", True)
        _try(lambda: _give(who, to, role, icb_code or "", pcn_code or ""))


def _give(who: Reader, to: Holder, role: str, icb_code: str, pcn_code: str) -> str:
    grant = given.grant_of(engine(), role, icb_code, pcn_code)
    return f"Role number {given.give(engine(), who, to, grant)} was given."


def take_away_form(view: AccessView, who: Reader) -> None:
    """Which of the roles in force to end."""
    number = st.selectbox(
        "Role in force", list(view.in_force), format_func=view.in_force.__getitem__, key="role end"
    )
    show.lines(["Whoever has it is signed out at once, and signs in to what is left."])
    if st.button("Take it away", key="take role away", disabled=number is None):
        _try(lambda: _take_away(who, int(number)))


def _take_away(who: Reader, number: int) -> str:
    given.take_away(engine(), who, number)
    return f"Role number {number} was taken away."


def check_trail(view: AccessView) -> None:
    """How long the trail is, and whether it is as it was written: asked for, since it reads all."""
    show.lines([f"{counted(view.trail_lines, 'line')}, {LINES_SHOWN} at most shown here."])
    if st.button("Check that nothing was changed", key="check trail"):
        broken = list(trail.broken_at(engine()))
        said = broken or ["Each line is as it was written."]
        show.lines(said, is_problem=bool(broken))


def _try(act: Callable[[], str]) -> None:
    try:
        said = act()
    except RefusedError as error:
        _say(str(error), True)
    _say(said, False)


def _say(words: str, is_problem: bool) -> None:
    st.session_state[_SAID] = (words, is_problem)
    # The list above is of before.
    st.rerun()
