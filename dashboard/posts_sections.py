"""Posts on the Workforce page: titles and employers as they were returned, and supervision."""

from __future__ import annotations

import pandas as pd
import streamlit as st
from sqlalchemy import Engine

from dashboard import show
from dashboard.data import fetch_shared
from dashboard.filters import Choices
from dashboard.rules.moves import FILLED, posts_at
from dashboard.style import MISSING, day, number
from dashboard.workforce_view import WorkforceView, workforce_view
from queries import posts, workforce
from queries.frames import each_row
from queries.scope import Scope

NOT_SAID = "not said"
EVERY = "All"
# Headings and rows.
Table = tuple[list[str], list[list[str]]]


def titles_and_employers(scope: Scope, choices: Choices) -> None:
    """What link workers are called and who employs them: posts counted, FTE added up."""
    show.heading("What are they called, and who employs them?", anchor="titles")
    titles, employers = fetch_shared(_offered, scope, choices)
    if titles:
        left, right = st.columns(2)
        title = left.selectbox("Title", [EVERY, *titles], key="title")
        employer = right.selectbox("Employer", [EVERY, *employers], key="employer")
        words, table = fetch_shared(_told_of_posts, scope, choices, title, employer)
        show.finding([words])
        show.small_table(*table, caption="Posts by title and employer, as returned")
    else:
        show.lines(["No posts return from these networks."])
    if published := fetch_shared(_published, scope, choices):
        show.small_table(*published, caption="Published workforce, by title and origin")


# What follows is worked out once for a choice of filters: queries by their signature.


def _offered(engine: Engine, scope: Scope, choices: Choices) -> tuple[list[str], list[str]]:
    """The titles and the employers to choose from."""
    mine = fetch_shared(_posts, scope, choices)
    return sorted(mine["role_title"].unique()), sorted(mine["employer_type"].unique())


def _told_of_posts(
    engine: Engine, scope: Scope, choices: Choices, title: str, employer: str
) -> tuple[str, Table]:
    mine = fetch_shared(_posts, scope, choices)
    chosen = mine[
        mine["role_title"].isin([title] if title != EVERY else mine["role_title"])
        & mine["employer_type"].isin([employer] if employer != EVERY else mine["employer_type"])
    ]
    return f"**{len(chosen)} of {len(mine)} posts**, {_fte(chosen)}.", _grouped(chosen)


def _posts(engine: Engine, scope: Scope, choices: Choices) -> pd.DataFrame:
    """The posts of the chosen networks as they stand at the date."""
    view = fetch_shared(workforce_view, scope, choices)
    spells = posts.posts(engine, scope, choices.icb_code, choices.as_at)
    now = posts_at(spells[spells["pcn_code"].isin(view.area)], choices.as_at)
    return now.fillna({"role_title": NOT_SAID, "employer_type": NOT_SAID})


def _fte(chosen: pd.DataFrame) -> str:
    unknown = int(chosen["funded_fte"].isna().sum())
    words = f"{number(chosen['funded_fte'].sum(), 1)} FTE funded"
    return f"{words}; {unknown} without a number of FTE" if unknown else words


def _grouped(chosen: pd.DataFrame) -> Table:
    rows = [
        [
            str(title),
            str(employer),
            number(len(rows)),
            number((rows["status"] == FILLED).sum()),
            number((rows["status"] != FILLED).sum()),
            number(rows["funded_fte"].sum(), 1),
            number(rows["pcn_code"].nunique()),
        ]
        for (title, employer), rows in chosen.groupby(["role_title", "employer_type"])
    ]
    return ["Title", "Employer", "Posts", "Filled", "Vacant", "FTE funded", "Networks"], rows


def _published(engine: Engine, scope: Scope, choices: Choices) -> Table | None:
    view = fetch_shared(workforce_view, scope, choices)
    found = workforce.roles_in_post(engine, scope, choices.icb_code, choices.as_at)
    found = found[found["pcn_code"].isin(view.area)]
    if found.empty:
        return None
    grouped = found.fillna({"role_title": NOT_SAID}).groupby(["role_title", "is_contracted"])
    rows = [
        [
            str(title),
            "contracted service" if contracted else "own staff",
            number(rows["entries"].sum()),
            number(rows["fte"].sum(), 1),
            number(rows["pcn_code"].nunique()),
        ]
        for (title, contracted), rows in grouped
    ]
    return ["Title", "Origin", "Rows", "FTE", "Networks"], rows


def supervision(scope: Scope, choices: Choices) -> None:
    """Which filled posts have nobody to supervise them, and how long it is since the last time."""
    show.heading("Who is supervised, and by whom?", anchor="supervision")
    found = fetch_shared(_supervised, scope, choices)
    if found is None:
        show.lines(["No filled post in a posts return from these networks."])
        return
    finding, by_profession, each = found
    show.finding(finding)
    show.small_table(*by_profession, caption="Supervision of filled posts by profession")
    with st.expander("Post by post, those without a supervisor first and then the longest ago"):
        show.small_table(*each, caption="Supervision of each filled post")


def _supervised(
    engine: Engine, scope: Scope, choices: Choices
) -> tuple[list[str], Table, Table] | None:
    """What is said of it, by profession, and post by post."""
    mine = fetch_shared(_posts, scope, choices)
    filled = mine[mine["status"] == FILLED]
    if filled.empty:
        return None
    ago = [
        (choices.as_at - last).days if pd.notna(last) and last <= choices.as_at else None
        for last in filled["last_supervision_on"]
    ]
    filled = filled.assign(days=pd.Series(ago, filled.index, dtype="Int64"))
    nobody = filled[filled["supervised_by"].isna()]
    undated = filled[filled["supervised_by"].notna() & filled["days"].isna()]
    finding = [
        f"**{len(nobody)} of {len(filled)} filled posts** have no supervisor named.",
        f"For {len(undated)} with one no date of the last supervision is told; the others had it "
        f"{_days(filled['days'].median())} ago in the middle, {_days(filled['days'].max())} at the "
        "longest.",
    ]
    view = fetch_shared(workforce_view, scope, choices)
    return finding, _by_profession(filled), _post_by_post(filled, view)


def _days(days: float) -> str:
    return MISSING if pd.isna(days) else f"{number(days)} days"


def _by_profession(filled: pd.DataFrame) -> Table:
    grouped = filled.fillna({"supervised_by": "nobody named"}).groupby("supervised_by")
    rows = [
        [
            str(profession),
            number(len(rows)),
            number(rows["days"].isna().sum()),
            _days(rows["days"].median()),
            _days(rows["days"].max()),
        ]
        for profession, rows in grouped
    ]
    return ["Supervised by", "Filled posts", "No date told", "Median since", "Longest since"], rows


def _post_by_post(filled: pd.DataFrame, view: WorkforceView) -> Table:
    names = view.listed.frame.set_index("pcn_code")["pcn_name"]
    order = filled.assign(named=filled["supervised_by"].notna()).sort_values(
        ["named", "days"], ascending=[True, False], na_position="first"
    )
    rows = [
        [
            row.post_id,
            str(names.get(row.pcn_code, row.pcn_code)),
            row.role_title,
            "nobody named" if pd.isna(row.supervised_by) else row.supervised_by,
            day(row.last_supervision_on) if pd.notna(row.last_supervision_on) else MISSING,
            _days(row.days),
        ]
        for row in each_row(order)
    ]
    return ["Post", "Network", "Title", "Supervised by", "Last", "Since"], rows
