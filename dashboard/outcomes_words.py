"""What the Outcomes page says: the finding, the tiles, the pathway's steps and its groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import pandas as pd

from dashboard.filters import Choices
from dashboard.outcomes import COHORTS, FIFTH, NETWORK, Groups, Pathway
from dashboard.outcomes_change import GP_ATTENDANCES, Changes, scale
from dashboard.rules.disclosure import HIDDEN_MARK, Released, hidden_flag
from dashboard.rules.pathway import (
    OVER_A_YEAR,
    REFERRED,
    STEP_TITLES,
    STEPS,
    DayQuantiles,
)
from dashboard.rules.returns import ReferralWindow
from dashboard.rules.take_up import month_end
from dashboard.rules.wellbeing import SCALES
from dashboard.show import Cell, Chip, Column, TableText, Tile, dated_chip
from dashboard.style import MISSING, count, counted, month, number
from queries.pathway import PCN, WARD, Cohort

# By what the pathway is broken down: what the column is called, and what one row of it is.
CATEGORIES: Mapping[str, tuple[str, str]] = {
    PCN: ("Network", "networks"),
    WARD: ("Ward", "wards"),
    "source": ("Source", "sources"),
    "reason": ("Reason", "reasons"),
    "age band": ("Age band", "age bands"),
    "sex": ("Sex", "groups"),
    "ethnicity": ("Ethnicity group", "groups"),
    FIFTH: ("Fifth of deprivation", "fifths"),
}
FIFTHS = {"1": "1, most deprived", "2": "2", "3": "3", "4": "4", "5": "5, least deprived"}
# Networks whose return is missing that are named in the finding.
MOST_NAMED = 3


def chips(told: ReferralWindow, as_at: date) -> list[Chip]:
    """How fresh the referral returns are."""
    if told.window is None:
        return [Chip("referrals", told.no_window, "missing")]
    return [dated_chip("referrals", month_end(told.window[1]), as_at)]


def silent_networks(found: Pathway, choices: Choices) -> str:
    """Whose return is missing in the area; "" for nobody's."""
    frame = found.counts.frame
    mine = frame[frame["kind"] == NETWORK]
    if choices.pcn_code:
        mine = mine[mine["code"] == choices.pcn_code]
    elif choices.lad_code:
        mine = mine[mine["lad_code"] == choices.lad_code]
    silent = mine[mine["reason"] != ""]
    if silent.empty:
        return ""
    names = silent["name"].fillna(silent["code"]).tolist()
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return (
        f"**{len(names)} of {counted(len(mine), 'network')}** sent no return for these months and "
        f"{'is' if len(names) == 1 else 'are'} not counted: {', '.join(names[:MOST_NAMED])}{more}."
    )


def nothing_told(found: Pathway, choices: Choices, silent: str) -> list[str]:
    """Why there is no pathway."""
    if found.cohort is None:
        return [f"No pathway to show: {found.no_window}."]
    return [silent or f"No referral of {choices.words} is known for {period(found.cohort)}."]


def finding(steps: pd.DataFrame, area: Cohort, silent: str, hide_to: int) -> list[str]:
    """How many came how far, where most are lost (above the numbers that are hidden), and what is
    missing."""
    rows = {row["step"]: row for row in steps.to_dict("records")}
    referred = rows[REFERRED]
    opening = f"Of **{_people(referred)}** referrals received from {period(area)}, "
    told = [
        f"**{_people(rows[step])}**{_of(rows[step], referred)} {words}"
        for step, words in (
            ("contacted", "were contacted by a link worker"),
            ("connected", "were connected to a service"),
        )
        if rows[step]["state"] == "recorded"
    ]
    known = [step for step in STEPS if rows[step]["state"] == "recorded"]
    if known and not told:
        step = known[-1]
        told = [f"**{_people(rows[step])}** came to the step “{STEP_TITLES[step].lower()}”"]
    sentences = [f"{opening}{' and '.join(told)}." if told else f"{opening[:-2]}, no step is told."]
    lost = [row for row in rows.values() if row["state"] == "recorded" and _known(row["lost"])]
    # A small difference of rounded numbers is no number of people.
    if lost and (most := max(lost, key=lambda row: row["lost"]))["lost"] > hide_to:
        still = "" if pd.isna(most["open"]) or not most["open"] else f"; {most['open']:,} may still"
        sentences.append(
            f"Most are lost before the step “{STEP_TITLES[most['step']].lower()}”: "
            f"**{most['lost']:,}** of {most['of']:,} ended without it{still}."
        )
    unrecorded = [
        STEP_TITLES[step].lower() for step in STEPS if rows[step]["state"] == "not recorded"
    ]
    if unrecorded:
        sentences.append(f"Not recorded here: {', '.join(unrecorded)}.")
    return [*sentences, silent] if silent else sentences


def _known(value: Any) -> bool:
    return bool(pd.notna(value))


def _people(row: Mapping[Any, Any]) -> str:
    return count(row["people"], is_hidden=row["people_hidden"])


def _of(row: Mapping[Any, Any], referred: Mapping[Any, Any]) -> str:
    if not (_known(row["people"]) and _known(referred["people"]) and referred["people"]):
        return ""
    return f" ({min(row['people'] / referred['people'], 1):.0%})"


def period(cohort: Cohort) -> str:
    """'Jul 2025 to Jun 2026', or 'Jun 2026'."""
    first, last = month(cohort.first), month(cohort.last)
    return first if first == last else f"{first} to {last}"


def percent(share: Any, lower: Any = None, upper: Any = None) -> str:
    """'84%', or '84% (82% to 86%)'; a dash where it is missing."""
    if pd.isna(share):
        return MISSING
    if pd.isna(lower) or pd.isna(upper):
        return f"{share:.0%}"
    return f"{share:.0%} ({lower:.0%} to {upper:.0%})"


def short_days(quantiles: DayQuantiles) -> str:
    """'23 (37)': the median, and within how many days nine in ten were there."""
    if quantiles.median is None:
        return MISSING
    told = ["over 365" if day == OVER_A_YEAR else str(day) for day in quantiles]
    return f"{told[0]} ({told[1]})"


def days(quantiles: DayQuantiles) -> str:
    """'23 days, 9 in 10 within 37'; "" of too few people."""
    if quantiles.median is None:
        return ""
    if quantiles.median >= OVER_A_YEAR:
        return "over a year"
    most = "over a year" if quantiles.p90 == OVER_A_YEAR else f"within {quantiles.p90}"
    return f"median {counted(quantiles.median, 'day')}, 9 in 10 {most}"


def tiles(
    steps: pd.DataFrame,
    counts: pd.DataFrame,
    to_contact: DayQuantiles,
    changes: Changes,
    area: Cohort,
) -> list[Tile]:
    """Declined, contacted, connected, days to contact, and one change people told."""
    rows = {row["step"]: row for row in steps.to_dict("records")}
    referred, row = rows[REFERRED], counts.to_dict("records")[0]
    is_hidden = row[hidden_flag("declined")] or referred["people_hidden"]
    declined = {"people": row["declined"], "people_hidden": is_hidden}
    made = [
        Tile(
            "Declined",
            HIDDEN_MARK if is_hidden else _of(declined, referred).strip(" ()") or MISSING,
            "of referrals",
            f"{_people(declined)} of {_people(referred)} said no",
        ),
    ]
    for step, words in (("contacted", "contacted"), ("connected", "connected to a service")):
        found = rows[step]
        value = _of(found, referred).strip(" ()") or MISSING
        if found["state"] != "recorded":
            value = HIDDEN_MARK if found["people_hidden"] else MISSING
        note = found["state"] if found["state"] == "not recorded" else f"{_people(found)} {words}"
        made.append(Tile(STEP_TITLES[step], value, "of referrals", note))
    wait = days(to_contact)
    median = MISSING if to_contact.median is None else number(to_contact.median)
    made.append(
        Tile(
            "To first contact", median, "days, median",
            wait.split(", ")[-1] if wait else "of too few people",
        )
    )  # fmt: skip
    return [*made, *_change_tile(changes)]


def _change_tile(changes: Changes) -> list[Tile]:
    """The first question of the measure with the most matched people."""
    rows = changes.rows.frame
    known = rows[(rows["state"] == "") & (rows["measure"] != GP_ATTENDANCES[0])]
    if known.empty:
        return []
    most = known.loc[known["pairs"] == known["pairs"].max(), "measure"].min()
    of_it = {row["item"]: row for row in known[known["measure"] == most].to_dict("records")}
    row = next(of_it[item] for measure, item in SCALES if measure == most and item in of_it)
    about = scale((row["measure"], row["item"]))
    return [
        Tile(
            about.title,
            f"{row['mean_change']:+.1f}",
            about.unit.split(" (")[0] + ", mean change",
            f"{row['lower']:+.1f} to {row['upper']:+.1f}, {row['pairs']:,} matched",
        )
    ]


def step_rows(steps: pd.DataFrame) -> pd.DataFrame:
    """One row per step for the picture: step, people, open, share_words, state."""
    rows = steps.to_dict("records")
    recorded = [row["state"] != "not recorded" for row in rows]
    return pd.DataFrame(
        {
            "step": [STEP_TITLES[row["step"]] for row in rows],
            "people": steps["people"].to_numpy(),
            hidden_flag("people"): steps["people_hidden"].to_numpy(),
            "open": [0 if row["step"] == REFERRED else row["open"] for row in rows],
            hidden_flag("open"): [
                row["step"] != REFERRED and is_recorded and pd.isna(row["open"])
                for row, is_recorded in zip(rows, recorded, strict=True)
            ],
            "share_words": [
                ""
                if row["step"] == REFERRED or pd.isna(row["share"])
                else f"{row['share']:.0%} ({100 * row['lower']:.0f} to {100 * row['upper']:.0f})"
                for row in rows
            ],
            # Its bar is drawn where the people may be seen, though a number beside them may not.
            "state": [
                "not recorded"
                if not is_recorded
                else "hidden"
                if row["people_hidden"]
                else "recorded"
                for row, is_recorded in zip(rows, recorded, strict=True)
            ],
        }
    ).astype({"people": "Int64", "open": "Int64"})


def step_table(
    steps: pd.DataFrame, quantiles: Mapping[tuple[str, str], DayQuantiles]
) -> tuple[list[str], list[list[str]]]:
    """The picture's rows as a table, with the days each step took."""
    headings = ["Step", "People", "Of", "Still open", "Went on (95%)", "Days, median (90% in)"]
    body = []
    for row in steps.to_dict("records"):
        if row["state"] == "not recorded":
            body.append([STEP_TITLES[row["step"]], "not recorded", *[MISSING] * 4])
            continue
        waited = quantiles.get(("", row["step"]), DayQuantiles(None, None))
        body.append(
            [
                STEP_TITLES[row["step"]],
                _people(row),
                number(row["of"]),
                count(row["open"], is_hidden=row["open_hidden"]),
                percent(row["share"], row["lower"], row["upper"]),
                short_days(waited),
            ]
        )
    return headings, body


def no_groups(counts: Released) -> Released:
    """A table of groups without any."""
    columns = ["code", "name", "declined", hidden_flag("declined"), "reason"]
    empty = pd.DataFrame(columns=[*columns, *_group_fields()])
    return Released(empty, (), counts.profile)


_OF_STEP = ("people", "people_hidden", "state", "share", "lower", "upper", "open", "lost")


def _group_fields() -> list[str]:
    return [
        f"{step}_{field}" for step in (REFERRED, *STEPS) for field in (*_OF_STEP, "median", "p90")
    ]


def group_rows(groups: Groups, codes: Sequence[str]) -> Released:
    """One row per group in the order of the codes, with every step's figures side by side."""
    by_step = {(row["group"], row["step"]): row for row in groups.steps.to_dict("records")}
    declined = groups.counts.frame.set_index("code")
    rows = []
    for code in codes:
        row: dict[str, Any] = {
            "code": code,
            "declined": declined.loc[code, "declined"],
            hidden_flag("declined"): declined.loc[code, hidden_flag("declined")],
            "reason": declined.loc[code, "reason"] if "reason" in declined else "",
        }
        for step in (REFERRED, *STEPS):
            found = by_step[code, step]
            row |= {f"{step}_{field}": found[field] for field in _OF_STEP}
            waited = groups.days.get((code, step), DayQuantiles(None, None))
            row |= {f"{step}_median": waited.median, f"{step}_p90": waited.p90}
        rows.append(row)
    columns = ["code", "declined", hidden_flag("declined"), "reason", *_group_fields()]
    return Released(pd.DataFrame(rows, columns=columns), (), groups.counts.profile)


def group_columns(category: str) -> list[Column]:
    """The columns of the pathway by group."""
    return [
        Column(CATEGORIES[category][0], lambda row: Cell(str(row.name)), is_wide=True),
        Column("Referred", lambda row: _step_cell(row, REFERRED), is_number=True),
        Column(
            "Declined",
            lambda row: _declined_cell(row),
            "Share of those referred who said no; nobody's failure.",
            is_number=True,
        ),
        *(_step_column(step) for step in STEPS),
    ]


def _step_column(step: str) -> Column:
    return Column(
        STEP_TITLES[step],
        lambda row: _step_cell(row, step),
        "People; the share of those before who went on, of all who went on or ended (95%); median "
        "days since the referral, and within how many days 90% were there.",
        is_number=True,
    )


def _step_cell(row: Any, step: str) -> Cell:
    state = getattr(row, f"{step}_state")
    if row.reason:
        return Cell(MISSING, note=row.reason if step == REFERRED else "")
    if state == "not recorded":
        return Cell("not recorded")
    if getattr(row, f"{step}_people_hidden"):
        return Cell(HIDDEN_MARK)
    people = getattr(row, f"{step}_people")
    if pd.isna(people):
        return Cell(MISSING)
    share, lower, upper, median, p90 = (
        getattr(row, f"{step}_{field}") for field in ("share", "lower", "upper", "median", "p90")
    )
    notes = []
    if pd.notna(share):
        notes.append(f"{share:.0%} ({100 * lower:.0f} to {100 * upper:.0f})")
    if pd.notna(median):
        notes.append(
            "over a year" if median >= OVER_A_YEAR else f"{median:.0f} days, 90% in {p90:.0f}"
        )
    return Cell(f"{people:,.0f}", float(people), " · ".join(notes))


def _declined_cell(row: Any) -> Cell:
    if row.reason:
        return Cell(MISSING)
    if row.declined_hidden or row.referred_people_hidden:
        return Cell(HIDDEN_MARK)
    if pd.isna(row.declined):
        return Cell(MISSING)
    share = row.declined / row.referred_people if row.referred_people else None
    note = "" if share is None else f"{min(share, 1):.0%}"
    return Cell(f"{row.declined:,.0f}", float(row.declined), note)


def group_text(category: str) -> TableText:
    """The words around the table."""
    name, things = CATEGORIES[category]
    return TableText(f"The pathway by {name.lower()}", f"Search {things}", things)


def cohort_titles() -> dict[str, str]:
    """The cohorts for a select box."""
    return {name: title for name, (title, _, _) in COHORTS.items()}
