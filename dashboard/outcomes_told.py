"""What the parts of the Outcomes page say: endings, change, equity, networks and GP contact."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from dashboard import outcomes_words as words
from dashboard.control_words import icons, limits_words
from dashboard.gaps import REFERRED, WITHOUT
from dashboard.outcomes import FIFTH, NETWORK, Groups, Lacking
from dashboard.outcomes_change import (
    GP_ATTENDANCES,
    LEAST_PAIRS,
    PEOPLE,
    Changes,
    Question,
    scale,
    threshold,
)
from dashboard.outcomes_compared import (
    DECLINED,
    LEAST_OF,
    MOST_OPEN,
    SHARES,
    TAKE_UP,
    Equity,
    NetworkFunnel,
)
from dashboard.outcomes_view import OutcomesView, ShareTrend
from dashboard.rules.control_chart import Improvement
from dashboard.rules.disclosure import HIDDEN_MARK, SECONDARY_WORDS, Released, hidden_flag
from dashboard.rules.endings import ENDINGS, Ending
from dashboard.rules.pathway import STEP_TITLES
from dashboard.rules.wellbeing import SCALES
from dashboard.show import Explanation
from dashboard.style import MISSING, count, counted, interval, month, number
from queries.frames import each_row

Table = tuple[list[str], list[list[str]]]
# Rows of a table that is read, not searched.
MOST_ROWS = 20
ABOUT_PATHWAY = Explanation(
    "The referrals of these months, and how many of them came to each step. Those still open may yet "
    "go on: they are neither counted as lost nor as having gone on.",
    "It shows between which two steps most people are lost.",
    [
        "A step counts as reached when its date is there, or that of a later step.",
        "A network that never dates a step has not recorded it: it is no 0, and its people are not "
        "lost there.",
        "Referral returns hold no offers that led to no referral, so what is lost before a referral "
        "cannot be seen.",
        "A person who was referred three times counts three times.",
        "Dates out of order count as steps; days that come out below 0 are left out.",
        "Published references are of other people, places and years.",
    ],
)
ABOUT_CURVE = Explanation(
    "The share of referrals with a first contact by each day since the referral.",
    "A median leaves out those who are never contacted; this does not.",
    [
        "Who is still waiting counts for as long as they were watched, and no longer.",
        "Who declined or was closed before contact stays among those not contacted.",
        "A contact without a date of its own is not in it.",
    ],
)
ABOUT_CHANGE = Explanation(
    "What people said before and after, for those who were asked both times.",
    "It says whether people who were seen feel differently, in the questions each measure asks.",
    [
        "This is change, not effect: there is nobody to compare with who was not referred.",
        "People are referred when they feel low, and many would feel better by the next time they are "
        "asked (regression to the mean).",
        "Who was asked only once is left out and may differ. Completeness is shown, and says nothing "
        "about who did well.",
    ],
)
ABOUT_EQUITY = Explanation(
    "A figure of the whole board for groups of people, each with its 95% interval.",
    "An average can hide that some groups are seldom referred, or lost on the way.",
    [
        "Fifths of deprivation are national and of the ward people live in, not of the person.",
        "Groups differ in age and need as well: a difference is a question, not an answer.",
        f"Groups of fewer than {LEAST_OF} are not shown.",
    ],
)
ABOUT_FUNNEL = Explanation(
    "Each network's share by how many referrals it rests on. Within the limits, networks differ no "
    "more than chance would have them.",
    "It shows which networks differ from the others for a reason worth asking about; who is first or "
    "last within the limits means nothing.",
    [
        "Where networks differ by more than chance, the limits are widened for it and the caption says "
        "so.",
        "Networks that record differently look different: see the steps of each.",
    ],
)


def references(kinds: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The published figures beside the pathway, with their source."""
    return [f"{row['wording']} Source: {row['source']}." for row in kinds.values()]


def pathway_notes(view: OutcomesView) -> list[str]:
    """Source, period and disclosure profile of the pathway."""
    assert view.area is not None
    row = view.counts.frame.to_dict("records")[0]
    notes = [
        f"Source: referral returns. Received {words.period(view.area)}; steps as told by the newest "
        "return.",
        f"{view.counts.profile.words[0].upper()}{view.counts.profile.words[1:]}; {SECONDARY_WORDS}.",
    ]
    offered = count(row["offered"], is_hidden=row[hidden_flag("offered")])
    notes.append(f"An offer is dated for {offered} of them.")
    negative, is_hidden = row["negative_waits"], row[hidden_flag("negative_waits")]
    if is_hidden or negative:
        notes.append(
            f"{count(negative, is_hidden=is_hidden)} dates lie before the referral: their days are "
            "left out."
        )
    notes += unrecorded(view)
    if view.without_pcn:
        notes.append("Referrals that name no network are in figures of wards only.")
    return notes


def endings_table(groups: Groups) -> Table:
    """How referrals ended, in the order of the rule; open ones are in none."""
    rows = groups.counts.frame.set_index("code")
    told = rows["referrals"].sum()
    body = []
    for ending in ENDINGS:
        if ending.value not in rows.index:
            continue
        row = rows.loc[ending.value].to_dict()
        people, is_hidden = row["referrals"], bool(row[hidden_flag("referrals")])
        share = MISSING if is_hidden or not told else f"{people / told:.0%}"
        body.append([ending.value.capitalize(), count(people, is_hidden=is_hidden), share])
    return ["How it ended", "Referrals", "Share of those shown"], body


def endings_finding(groups: Groups) -> list[str]:
    """How many ended for lack of a service."""
    rows = groups.counts.frame.set_index("code")
    if rows.empty:
        return ["No referral of these months has ended yet."]
    told = rows["referrals"].sum()
    if Ending.NO_SERVICE.value not in rows.index:
        return [f"None of **{told:,}** ended referrals was closed for lack of a service."]
    row = rows.loc[Ending.NO_SERVICE.value].to_dict()
    is_hidden = bool(row[hidden_flag("referrals")])
    people = count(row["referrals"], is_hidden=is_hidden)
    share = "" if is_hidden or not told else f", {row['referrals'] / told:.0%} of the endings shown"
    return [f"**{people}** referrals were closed for lack of a suitable service{share}."]


def lacking_tables(found: Lacking) -> dict[str, Table]:
    """Closed for lack of a service: by need, by locality and need, by ward and need; most first.

    Of localities and wards only numbers that may be shown, since most others are hidden.
    """

    def rows_of(released: Released, *names: str) -> list[list[str]]:
        frame = released.frame.sort_values(
            [WITHOUT, *names], ascending=[False, *[True] * len(names)]
        )
        return [
            [
                *(str(row[name]) for name in names),
                count(row[WITHOUT], is_hidden=row[hidden_flag(WITHOUT)]),
                count(row[REFERRED], is_hidden=row[hidden_flag(REFERRED)]),
            ]
            for row in frame.head(MOST_ROWS).to_dict("records")
        ]

    headings = ["Closed for lack of a service", "Referred for it"]
    localities, wards = (
        released.rows(~released.frame[hidden_flag(WITHOUT)])
        for released in (found.localities, found.wards)
    )
    return {
        "By need": (["Need", *headings], rows_of(found.themes, "theme")),
        "By locality and need": (
            ["Locality", "Need", *headings], rows_of(localities, "lad_name", "theme"),
        ),
        "By ward and need": (
            ["Ward", "Need", *headings], rows_of(wards, "ward_name", "theme"),
        ),
    }  # fmt: skip


def lacking_notes(found: Lacking) -> list[str]:
    """How many wards and needs have numbers too small to be shown."""
    hidden = int(found.wards.frame[hidden_flag(WITHOUT)].sum())
    return [
        "A referral for two needs is in both.",
        f"In {hidden:,} pairs of a ward and a need the number is hidden ({HIDDEN_MARK}); the page "
        "Providers and its download name them.",
    ]


def question_titles(changes: Changes) -> dict[str, str]:
    """The questions that were asked, for a select box; contact with the GP stands apart."""
    rows = changes.rows.frame
    asked = set(zip(rows["measure"], rows["item"], strict=True))
    return {
        "|".join(key): about.title
        for key, about in SCALES.items()
        if key in asked and key != GP_ATTENDANCES
    }


def change_row(changes: Changes, question: Question) -> dict[Any, Any] | None:
    """The row of a question; `None` where nobody was asked."""
    rows = changes.rows.frame
    mine = rows[(rows["measure"] == question[0]) & (rows["item"] == question[1])]
    return mine.to_dict("records")[0] if len(mine) else None


def change_finding(row: Mapping[Any, Any], question: Question) -> list[str]:
    """One question: how many were asked twice, and how they changed, in words of change only."""
    about = scale(question)
    pairs = count(row["pairs"], is_hidden=row[hidden_flag("pairs")])
    opening = f"**{pairs}** people have a score before and after"
    if row["state"]:
        why = "too few for a mean" if row["state"] == "too few" else "hidden, as the profile says"
        return [f"{opening}: {why}."]
    sentences = [
        f"{opening}. The mean went from {number(row['mean_before'], 1)} to "
        f"{number(row['mean_after'], 1)}: a change of **{row['mean_change']:+.2f}** "
        f"({row['lower']:+.2f} to {row['upper']:+.2f}) {about.unit}."
    ]
    if pd.notna(row["share_improved"]):
        share = words.percent(row["share_improved"], row["share_lower"], row["share_upper"])
        sentences.append(
            f"{share} changed for the better by at least {threshold(question).least_change:g}."
        )
    return sentences


def change_notes(row: Mapping[Any, Any], view: OutcomesView, question: Question) -> list[str]:
    """Completeness, the threshold and its source, the period and the profile."""
    assert view.area is not None
    assert view.changes is not None
    contacted = view.steps[view.steps["step"] == "contacted"].to_dict("records")[0]
    least = threshold(question)
    started = count(row["started"], is_hidden=row[hidden_flag("started")])
    of = f" of {contacted['people']:,} contacted" if pd.notna(contacted["people"]) else ""
    return [
        f"Completeness: {started}{of} have a first score, "
        f"{count(row['pairs'], is_hidden=row[hidden_flag('pairs')])} also a last one.",
        f"A change counts from {least.least_change:g} ({least.status}): {least.source}.",
        f"Referred {words.period(view.area)}. {view.counts.profile.words}.",
        *(
            [f"Returned too, on a scale not known here: {', '.join(view.changes.unknown)}."]
            if view.changes.unknown
            else []
        ),
    ]


def change_table(changes: Changes) -> Table:
    """Every question that was asked."""
    headings = [
        "Question", "First score", "Matched", "Before", "After", "Mean change (95%)", "Better",
        "Unchanged", "Worse", "Share better (95%)",
    ]  # fmt: skip
    order = {key: place for place, key in enumerate(SCALES)}
    rows = changes.rows.frame
    asked = rows[rows["measure"] != GP_ATTENDANCES[0]].to_dict("records")
    body = []
    for row in sorted(asked, key=lambda row: order[row["measure"], row["item"]]):
        about = scale((row["measure"], row["item"]))
        shown = {name: count(row[name], is_hidden=row[hidden_flag(name)]) for name in PEOPLE}
        up, down = shown["rose"], shown["fell"]
        better, worse = (up, down) if about.better is Improvement.HIGH else (down, up)
        body.append(
            [
                about.title,
                shown["started"],
                shown["pairs"],
                number(row["mean_before"], 1),
                number(row["mean_after"], 1),
                row["state"] or signed(row["mean_change"], row["lower"], row["upper"]),
                better,
                shown["unchanged"],
                worse,
                words.percent(row["share_improved"], row["share_lower"], row["share_upper"]),
            ]
        )  # fmt: skip
    return headings, body


def signed(value: float, lower: float, upper: float) -> str:
    """'+0.82 (+0.72 to +0.91)'."""
    return f"{value:+.2f} ({lower:+.2f} to {upper:+.2f})"


def distribution_table(rows: Released, things: str = "Score") -> Table:
    """The picture's numbers: people by score."""
    return [things, "Before", "After"], [
        [
            str(row.label),
            count(row.before, is_hidden=row.before_hidden),
            count(row.after, is_hidden=row.after_hidden),
        ]
        for row in each_row(rows.frame)
    ]


EQUITY_GROUPS = {
    FIFTH: "Fifth of deprivation",
    "age band": "Age band",
    "sex": "Sex",
    "ethnicity": "Ethnicity group",
}


def equity_figures(changes: Changes | None) -> dict[str, str]:
    """What groups can be compared in, for a select box."""
    figures = {TAKE_UP: "Referrals a year per 1,000 adults"}
    figures |= {name: f"Share {title}" for name, (title, _) in SHARES.items()}
    if changes is not None:
        figures |= {key: f"Change: {title}" for key, title in question_titles(changes).items()}
    return figures


def equity_finding(found: Equity, figure: str, title: str, category: str) -> list[str]:
    """The slope over fifths, or what groups could not be shown."""
    rows = found.rows.frame
    few = [str(row["name"]) for row in rows.to_dict("records") if row["state"]]
    sentences = []
    if category == FIFTH and found.slope is not None:
        slope = found.slope
        form = _form(figure)
        if slope.lower is None or slope.upper is None:
            way = ""
        elif slope.lower > 0:
            way = ": higher where it is most deprived"
        elif slope.upper < 0:
            way = ": lower where it is most deprived"
        else:
            way = ": no clear difference"
        sentences.append(
            f"From the least to the most deprived end, “{title.lower()}” differs by "
            f"**{form(slope.slope)}** ({form(slope.lower)} to {form(slope.upper)}){way}."
        )
        if slope.relative_index is not None and figure in {TAKE_UP, *SHARES}:
            sentences.append(f"Relative index: {slope.relative_index:.2f} (1 is no difference).")
    elif category == FIFTH:
        sentences.append(f"{found.no_slope[0].upper()}{found.no_slope[1:]}.")
    if found.everybody is not None and not sentences:
        sentences.append(_apart(rows, found.everybody, category))
    if few:
        sentences.append(f"Groups too small, hidden or not recorded: {', '.join(few)}.")
    return sentences


def _apart(rows: pd.DataFrame, everybody: float, category: str) -> str:
    """The groups whose interval does not reach the value of all."""
    told = rows[rows["state"] == ""]
    above = told.loc[(told["lower"] > everybody).fillna(False), "name"].tolist()
    below = told.loc[(told["upper"] < everybody).fillna(False), "name"].tolist()
    if not above + below:
        return "No group differs from all together by more than its interval."
    parts = [
        f"**{way}** all together: {', '.join(map(str, names))}"
        for way, names in (("Above", above), ("Below", below))
        if names
    ]
    return f"{'; '.join(parts)}. The intervals of the others reach it."


def _form(figure: str) -> Any:
    if figure in SHARES:
        return lambda value: MISSING if value is None else f"{100 * value:+.1f} percentage points"
    return lambda value: MISSING if value is None else f"{value:+.2f}"


def equity_table(found: Equity, figure: str, names: Mapping[str, str]) -> Table:
    """One row per group."""
    body = []
    for row in found.rows.frame.to_dict("records"):
        if row["state"]:
            value = HIDDEN_MARK if row["state"] == "hidden" else row["state"]
        elif figure in SHARES:
            value = words.percent(row["value"], row["lower"], row["upper"])
        else:
            value = interval(row["value"], row["lower"], row["upper"], 2)
        of = MISSING if row["state"] else number(row["of"])
        body.append([names.get(row["name"], str(row["name"])), value, of])
    return ["Group", "Value (95%)", "Of"], body


def equity_notes(view: OutcomesView, figure: str) -> list[str]:
    """What the figure rests on."""
    assert view.found.cohort is not None
    of = {
        TAKE_UP: "Adults of wards whose networks sent referrals; referrals by ward of residence.",
        DECLINED: "Of all referred.",
    }.get(figure, "Of those who went on or ended." if figure in SHARES else "Of matched people.")
    return [
        f"The whole board, referred {words.period(view.found.cohort)}. {of}",
        "Slope and relative index over fifths by weighted least squares; 95% intervals.",
        f"{view.counts.profile.words}.",
    ]


def no_take_up(category: str) -> str:
    """Why there is no rate by a group."""
    name = EQUITY_GROUPS[category].lower()
    return (
        f"A rate by {name} needs the adults of each group, and no file in force has them. Choose "
        "fifths of deprivation, or a share."
    )


def funnel_finding(found: NetworkFunnel, share: str) -> list[str]:
    """How many networks differ by more than the limits allow, without an order of merit."""
    rows = found.rows.frame
    title = SHARES[share][0]
    outside = rows[rows["place"] != "inside the 95% limits"]
    beyond = rows[rows["place"] == "outside the 99.8% limits"]
    if found.is_part:
        return [
            f"**{found.funnel.centre:.0%}** of the board's referrals are {title}. Of "
            f"{counted(len(rows), 'network')} shown here **{len(outside)}** "
            f"{'lies' if len(outside) == 1 else 'lie'} outside the 95% limits, {len(beyond)} outside "
            "the 99.8% limits; other networks of the board are not shown one by one."
        ]
    sentences = [
        f"**{found.funnel.centre:.0%}** of referrals are {title}, over {counted(len(rows), 'network')}. "
        f"**{len(outside)}** lie outside the 95% limits (about {0.05 * len(rows):.0f} would by chance), "
        f"{len(beyond)} of them outside the 99.8% limits."
    ]
    if found.left_out:
        told = ", ".join(f"{why}: {n}" for why, n in found.left_out.items())
        sentences.append(f"Networks not drawn: {told}.")
    return sentences


def funnel_notes(view: OutcomesView, found: NetworkFunnel) -> list[str]:
    """Whether the limits were widened, the period and the profile."""
    assert view.found.cohort is not None
    phi = MISSING if found.funnel.phi is None else f"{found.funnel.phi:.2f}"
    widened = (
        f"Networks differ by more than chance (phi {phi}): limits widened for it."
        if found.funnel.is_adjusted
        else f"Networks differ about as chance would have them (phi {phi})."
    )
    return [
        f"Referred {words.period(view.found.cohort)}. {widened}",
        f"{found.rows.profile.words}.",
    ]


def funnel_table(found: NetworkFunnel) -> Table:
    """The networks by name: no order of merit."""
    rows = found.rows.frame.sort_values("pcn_name").to_dict("records")
    return ["Network", "Of", "Share", "Place"], [
        [str(row["pcn_name"]), number(row["people"]), f"{row['rate']:.0f}%", str(row["place"])]
        for row in rows
    ]


def trend_icons(trend: ShareTrend) -> list[tuple[str, str, str]]:
    """The icons of the trend."""
    return icons(trend.chart) if trend.chart else []


def trend_notes(trend: ShareTrend) -> list[str]:
    """What the months rest on, and which are left out and why."""
    left = trend.found.months.frame
    open_months = [month(each) for each in left.loc[left["state"] == "still open", "month"]]
    notes = [f"Of {counted(trend.found.networks, 'network')} that sent referrals in every month."]
    if trend.chart:
        notes.append(limits_words(trend.chart, None))
    if open_months:
        notes.append(
            f"Left out, since more than {MOST_OPEN:.0%} are still open: {', '.join(open_months)}."
        )
    return notes


def trend_table(trend: ShareTrend, share: str) -> Table:
    """One row per month: the share, or why there is none."""
    return ["Month", f"% {SHARES[share][0]}"], [
        [month(row.month), row.state or number(row.value, 1)]
        for row in each_row(trend.found.months.frame)
    ]


def gp_finding(row: Mapping[Any, Any] | None) -> list[str]:
    """Attendances before and after, as change."""
    if row is None:
        return ["No return of contacts with the GP is loaded for these referrals."]
    pairs = count(row["pairs"], is_hidden=row[hidden_flag("pairs")])
    if row["state"]:
        return [f"**{pairs}** people have attendances told before and after: too few for a mean."]
    return [
        f"**{pairs}** people have attendances told for the 6 months before and after. The mean went "
        f"from {number(row['mean_before'], 1)} to {number(row['mean_after'], 1)}: a change of "
        f"**{row['mean_change']:+.2f}** ({row['lower']:+.2f} to {row['upper']:+.2f}) a person."
    ]


ABOUT_GP = [
    "Change, not effect: people are often referred when they attend most, and would attend less "
    "later without anything done (regression to the mean). Nobody who was not referred is beside "
    "them.",
    f"Means are shown of {LEAST_PAIRS} people or more, as rounded.",
]


def appointments_words(rows: pd.DataFrame) -> list[str]:
    """What practices recorded under the national category, and how many record any."""
    if rows.empty:
        return ["No file of GP appointments is loaded for this board's practices."]
    newest = rows.to_dict("records")[-1]
    return [
        f"In {month(newest['month'])}, **{newest['recording']:,} of {newest['practices']:,}** "
        "practices recorded any appointment of the national category “Social Prescribing Service”: "
        f"{number(newest['appointments'])} appointments as recorded. Practices that record none may "
        "have as many."
    ]


def appointments_table(rows: pd.DataFrame) -> Table:
    """One row per month."""
    return ["Month", "Practices", "Recording any", "Appointments recorded"], [
        [
            month(row["month"]), number(row["practices"]), number(row["recording"]),
            number(row["appointments"]),
        ]
        for row in rows.to_dict("records")
    ]  # fmt: skip


BY_GROUP = (
    "Each step: people; the share of those before who went on, of all who went on or ended; days "
    "since the referral. By ward and fifth: people who live in the board's wards, whichever network "
    "they came through. A referral for two reasons is in both. A network's line picks it everywhere."
)
NO_MONTHS = (
    "No month has enough ended referrals of networks that sent every month. Choose fewer months at "
    "the left."
)
# Days at which the curve is read out.
CURVE_DAYS = (7, 14, 21, 28, 42, 56, 84)


def curve_words(view: OutcomesView) -> str:
    """The curve at two days, and the wait of those who were contacted."""
    assert view.curve is not None
    rows = view.curve.frame.set_index("day")["share"]
    at = [f"{rows[each]:.0%} within {each} days" for each in (14, 28, 84) if each in rows.index]
    wait = words.days(view.to_contact)
    last = rows.index[-1]
    at = at or [f"{rows[last]:.0%} within {last} days"]
    told = f"Contacted: {', '.join(at)}."
    return f"{told} Of those contacted: {wait}." if wait else told


def curve_table(view: OutcomesView) -> Table:
    """The curve at some days."""
    assert view.curve is not None
    rows = view.curve.frame.set_index("day")
    return ["Within", "Contacted (95%)"], [
        [
            counted(each, "day"),
            words.percent(*(rows.loc[each, name] for name in ("share", "lower", "upper"))),
        ]
        for each in CURVE_DAYS
        if each in rows.index
    ]


def unrecorded(view: OutcomesView) -> list[str]:
    """Steps that some networks of the area never date."""
    assert view.area is not None
    frame = view.found.counts.frame.set_index("code")
    asked = view.area.pcn_codes
    steps = view.found.steps
    told = (frame["kind"] == NETWORK) & (frame["reason"] == "")
    mine = steps[(steps["state"] == "not recorded") & steps["group"].map(told)]
    if asked is not None:
        mine = mine[mine["group"].isin(asked)]
    return [
        f"Never dated by {', '.join(frame.loc[rows['group'], 'name'])}: "
        f"{STEP_TITLES[str(step)].lower()}; counted there through later steps."
        for step, rows in mine.groupby("step", sort=False)
        if asked is None or len(asked) > 1
    ]
