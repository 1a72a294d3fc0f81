"""Leads, supervision and complex need in words and tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from dashboard.complex_need import COUNTS, SHARES, WAITS, WaitTrend
from dashboard.control_words import limits_words
from dashboard.filters import Choices
from dashboard.rules.disclosure import SECONDARY_WORDS, Released, hidden_flag
from dashboard.rules.leads import THERAPIST, Supervision
from dashboard.rules.pathway import OVER_A_YEAR, DayQuantiles
from dashboard.settings import settings
from dashboard.style import MISSING, count, counted, day, month, number
from queries.frames import each_row

Rows = tuple[Sequence[str], Sequence[Sequence[str]]]

COUNT_WORDS: Mapping[str, str] = {
    "referrals": "Referred",
    "several_conditions": "With two or more long-term conditions",
    "highly_complex": "Of the highest complexity",
    "ot_referred": "Referred on to occupational therapy",
    "ot_accepted": "Accepted there",
    "ot_waiting": "Waiting for that",
}
_OF_WORDS = {
    "several_conditions": "of those who say how many they have",
    "highly_complex": "of those whose complexity is said",
    "ot_referred": "of those referred",
    "ot_accepted": "of those referred on",
}


def leads_finding(found: pd.DataFrame) -> list[str]:
    """Which localities have no named lead."""
    without = found[found["post_name"].isna()]
    places = found["lad_code"].nunique()
    if without.empty:
        every = f"Every one of **{places:,} localities**" if places != 1 else "**The locality**"
        return [f"{every} has a named lead."]
    names = ", ".join(without["lad_name"])
    return [
        f"**{len(without):,} of {counted(places, 'locality', 'localities')}** "
        f"{'has' if len(without) == 1 else 'have'} no named lead: {names}."
    ]


def leads_table(found: pd.DataFrame) -> Rows:
    """One row per locality and lead."""
    rows = [
        (
            row.lad_name,
            "no named lead" if pd.isna(row.post_name) else row.post_name,
            _text(row.profession),
            _since(row),
            f"last: {row.last_lead}" if row.last_lead else "",
        )
        for row in each_row(found)
    ]
    return ("Locality", "Post that leads it", "Profession", "Since", "Before"), rows


def _since(row: Any) -> str:
    if pd.isna(row.post_name):
        return MISSING
    return "not told" if pd.isna(row.valid_from) else day(row.valid_from)


def history_table(found: pd.DataFrame) -> Rows:
    """One row per spell, locality by locality."""
    rows = [
        (
            _text(row.lad_name),
            row.post_name,
            _text(row.profession),
            "not told" if pd.isna(row.valid_from) else day(row.valid_from),
            "goes on" if pd.isna(row.valid_until) else day(row.valid_until),
        )
        for row in each_row(found)
    ]
    return ("Locality", "Post", "Profession", "From", "Until"), rows


def posts_of(posts: pd.DataFrame, choices: Choices) -> pd.DataFrame:
    """The posts of the chosen network, or of the networks most of whose patients live in the chosen
    locality."""
    if choices.pcn_code:
        return posts[posts["pcn_code"] == choices.pcn_code]
    return posts[posts["lad_code"] == choices.lad_code] if choices.lad_code else posts


def supervision_finding(posts: pd.DataFrame) -> list[str]:
    """How many posts are supervised by occupational therapists, and how many are overdue."""
    mine = posts[posts["supervised_by"] == THERAPIST]
    overdue = posts[posts["state"] == Supervision.OVERDUE]
    never = int((posts["state"] == Supervision.NEVER).sum())
    words = [
        f"**{len(mine):,} of {counted(len(posts), 'filled post')}** "
        f"{'is' if len(posts) == 1 else 'are'} supervised by an occupational therapist.",
        f"Supervision of **{counted(len(overdue), 'post')}** is overdue"
        + (f", and of {counted(never, 'post')} none is told." if never else "."),
    ]
    late = int((mine["state"] == Supervision.OVERDUE).sum())
    if late:
        words[0] += f" Of these, {late:,} {'is' if late == 1 else 'are'} overdue."
    return words


def supervision_table(posts: pd.DataFrame) -> Rows:
    """One row per profession of a supervisor: posts by how they stand."""
    by = posts["supervised_by"].fillna("not told")
    order = sorted(by.unique(), key=lambda who: (who != THERAPIST, -int((by == who).sum()), who))
    rows = [
        (
            str(who),
            f"{int((by == who).sum()):,}",
            *(f"{int(((by == who) & (posts['state'] == word)).sum()):,}" for word in Supervision),
        )
        for who in order
    ]
    return ("Supervised by", "Posts", *(word.value.capitalize() for word in Supervision)), rows


def supervised_posts(posts: pd.DataFrame) -> Rows:
    """One row per post, what needs somebody first."""
    rows = [
        (
            row.post_id,
            row.pcn_name if pd.notna(row.pcn_name) else row.pcn_code,
            _text(row.role_title),
            _text(row.supervised_by) or "not told",
            _day(row.last_supervision_on),
            _day(row.due_on),
            row.state,
        )
        for row in each_row(posts)
    ]
    return ("Post", "Network", "Title", "Supervised by", "Last", "Due", "How it stands"), rows


def supervision_note() -> str:
    """What due means."""
    return (
        f"Due {settings().supervision_weeks} weeks after the last: a setting of this board, since no "
        "national interval is set. From returns of link-worker posts; posts, never persons."
    )


def _text(value: Any) -> str:
    return "" if pd.isna(value) else str(value)


def _day(value: Any) -> str:
    return MISSING if pd.isna(value) else day(value)


def complex_finding(everybody: Released, days: Mapping[str, DayQuantiles]) -> list[str]:
    """How much need is complex, and who waits for occupational therapy."""
    if everybody.frame.empty:
        return ["Nobody was referred in these months."]
    row = everybody.frame.to_dict("records")[0]
    several = _share(row, "several_conditions")
    waiting = _count(row, "ot_waiting")
    words = [
        f"**{several}** of those who say have two or more long-term conditions; "
        f"**{_count(row, 'ot_referred')}** were referred on to occupational therapy, and "
        f"**{waiting}** wait to be accepted."
    ]
    taken = days["ot"]
    if taken.median is not None:
        target = settings().therapy_days
        words.append(
            f"Half were accepted within **{_days(taken.median)}** of the referral on, nine in ten "
            f"within {_days(taken.p90)}; the target of the settings is {target} days."
        )
    return words


def complex_table(everybody: Released) -> Rows:
    """One row per count: how many, and the share with its interval."""
    headings = ("Who", "People", "Share", "Of whom")
    if everybody.frame.empty:
        return headings, []
    row = everybody.frame.to_dict("records")[0]
    rows = [
        (
            words,
            _count(row, name),
            _share(row, name, with_interval=True) if name in SHARES else "",
            _OF_WORDS.get(name, ""),
        )
        for name, words in COUNT_WORDS.items()
    ]
    return headings, rows


def complex_wards(by_ward: Released, names: Mapping[str, str]) -> Rows:
    """One row per chosen ward with a referral, those with most several conditions first."""
    frame = by_ward.frame[by_ward.frame["code"].isin(names)]
    frame = frame.sort_values(
        ["several_conditions", "code"], ascending=[False, True], na_position="last"
    )
    rows = [
        (
            names[row["code"]],
            *(
                _count(row, name)
                + (f" ({_share(row, name)})" if name in ("several_conditions", "highly_complex")
                   and not row[hidden_flag(name)] else "")
                for name in COUNT_WORDS
            ),
        )
        for row in frame.to_dict("records")
    ]  # fmt: skip
    return ("Ward", *COUNT_WORDS.values()), rows


def complex_note(released: Released) -> str:
    """Whose wards and networks these are, and how small numbers are hidden."""
    return (
        "Wards are of everybody who lives there, through whichever network that sent referrals. Who "
        "was referred on, not accepted and does not wait has ended. "
        f"Small numbers: {released.profile.words}; {SECONDARY_WORDS}."
    )


def _count(row: Mapping[Any, Any], name: str) -> str:
    assert name in COUNTS
    return count(row[name], is_hidden=bool(row[hidden_flag(name)]))


def _share(row: Mapping[Any, Any], name: str, *, with_interval: bool = False) -> str:
    share = row[f"{name}_share"]
    if pd.isna(share):
        return MISSING
    words = f"{share:.0%}"
    if with_interval:
        words += f" ({row[f'{name}_lower']:.0%} to {row[f'{name}_upper']:.0%})"
    return words


def _days(value: int | None) -> str:
    if value is None:
        return MISSING
    return "over a year" if value == OVER_A_YEAR else counted(value, "day")


def waits_table(days: Mapping[str, DayQuantiles]) -> Rows:
    """One row per transition: its days, and the target."""
    target = counted(settings().therapy_days, "day")
    rows = [
        (words, _days(days[wait].median), _days(days[wait].p90), target)
        for wait, words in WAITS.items()
    ]
    waiting = days["ot_waiting"]
    rows.append(
        (
            "Those who wait for occupational therapy have waited",
            _days(waiting.median),
            _days(waiting.p90),
            target,
        )
    )
    return ("Transition", "Half within", "Nine in ten within", "Target (a setting)"), rows


def wait_notes(trend: WaitTrend) -> list[str]:
    """What the months rest on, and which are left out."""
    notes = [limits_words(trend.chart, float(settings().therapy_days))] if trend.chart else []
    frame = trend.months.frame
    for state in ("too many open", "too recent", "too few"):
        left = [month(each) for each in frame.loc[frame["state"] == state, "month"]]
        if left:
            notes.append(f"Left out, {state}: {', '.join(left)}.")
    return notes


def wait_table(trend: WaitTrend) -> Rows:
    """One row per month received."""
    rows = [
        (month(row.month), row.state or number(row.median), "" if row.state else number(row.p90))
        for row in each_row(trend.months.frame)
    ]
    return ("Month received", "Median days", "Nine in ten within"), rows
