"""The Workforce page in words: the finding, the tiles, the list of networks, the notes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from dashboard.filters import Choices
from dashboard.rules.disclosure import HIDDEN_MARK, Released, hidden_flag
from dashboard.rules.measures import MEASURES
from dashboard.rules.staffing import (
    CASELOAD_HIGH,
    CASELOAD_LOW,
    PER_10_000_PEOPLE,
    PER_50_000_PEOPLE,
    FunnelPlace,
    InPost,
    Pressure,
)
from dashboard.rules.take_up import month_end
from dashboard.show import Cell, Chip, Column, Explanation, TableText, Tile, dated_chip
from dashboard.style import MISSING, count, day, month, number
from dashboard.workforce import OPEN, REFERRALS, Basis

TABLE_TEXT = TableText(
    "Networks, the shortest of target or plan first", "Search the list", "networks"
)
SERIES = "published national workforce series"
BAND = f"{CASELOAD_LOW} to {CASELOAD_HIGH}"
NO_LISTS = "It needs list sizes of practices: the page Data says whether they are there."
AIM_WORDS = {"target": "target", "plan": "planned for this month", "": ""}


def chips(pcns: pd.DataFrame, basis: Basis) -> list[Chip]:
    """How fresh each source is."""
    silent = pcns[pcns["fte"].isna()]["pcn_name"].fillna(pcns["pcn_code"])
    found = [dated_chip("workforce, published", basis.census, basis.as_at)]
    if basis.census and len(silent):
        found.append(Chip(_few(silent), "no workforce return", "missing"))
    window = basis.window.window
    found.append(
        dated_chip("referrals", month_end(window[1]), basis.as_at)
        if window
        else Chip("referrals", basis.window.no_window, "missing")
    )
    told = int(pcns["posts"].notna().sum())
    found.append(
        Chip(
            "posts", f"{told} of {len(pcns)} networks", "fresh" if told == len(pcns) else "missing"
        )
    )
    return found


def _few(names: pd.Series[str]) -> str:
    return ", ".join(names) if len(names) <= 2 else f"{len(names)} networks"


def finding(total: Any, pcns: pd.DataFrame, basis: Basis, choices: Choices) -> list[str]:
    """Whether the area has the link workers it means to have, and what is not known."""
    if basis.census is None:
        return [
            "**No workforce return** is loaded for this board: nothing is known of its networks.",
            "Load the published PCN workforce, individual level, on the page Data.",
        ]
    if choices.pcn_code:
        return _of_one(next(pcns.itertuples()), basis)
    first = f"**{number(total.fte, 1)} FTE** in post in {_networks(total.pcns_returned)}"
    if total.pcns_with_aim:
        first += f"; **{total.pcns_short} of {total.pcns_with_aim}** with a target or a plan are short of it"
        first += f", by {number(total.short_fte, 1)} FTE together." if total.pcns_short else "."
    else:
        first += "; none of them has a target or a plan, so nothing is short of one."
    without = total.pcns_returned - total.pcns_with_worker
    second = f"{_networks(without, '**{}**')} {_have(without)} no link worker"
    missing = total.pcns - total.pcns_returned
    second += (
        f"; {missing} did not return, which is not the same."
        if missing
        else "; every network returned."
    )
    return [first, second]


def _of_one(row: Any, basis: Basis) -> list[str]:
    if pd.isna(row.fte):
        return [f"**{name_of(row)} did not return** its workforce for {day(basis.census)}."]
    sentences = [f"**{name_of(row)} has {_fte(row.fte)} in post**"]
    if pd.notna(row.gap_fte):
        words = "target" if row.aim == "target" else "plan for this month"
        away = f"{number(abs(row.gap_fte), 1)} FTE"
        sentences[0] += (
            f", {away} short of its {words} of {number(row.aim_fte, 1)}."
            if row.gap_fte > 0
            else f", {away} above its {words} of {number(row.aim_fte, 1)}."
            if row.gap_fte < 0
            else f", as its {words} says."
        )
    else:
        sentences[0] += "; nobody has set a target or a plan for it."
    sentences.append(_pressure_words(row))
    return sentences


def _pressure_words(row: Any) -> str:
    match row.pressure_state:
        case Pressure.NO_WORKER:
            return "No link worker in the 12 months of referrals, so there is no ratio."
        case Pressure.NO_RETURN:
            return f"How hard they are pressed is not known: {silence(row)}."
        case Pressure.HIDDEN:
            return "The number of referrals is hidden, so that nobody can be recognised."
    return (
        f"{number(row.pressure)} new referrals a year per FTE, {row.pressure_state} of {BAND} "
        "that national guidance gives for one link worker."
    )


def silence(row: Any) -> str:
    return str(row.referral_reason) or "its workforce was not returned in most of these months"


def _fte(fte: Any) -> str:
    return "no link worker" if fte == 0 else f"{number(fte, 1)} FTE"


def _networks(many: int, form: str = "{}") -> str:
    return f"{form.format(many)} network{'' if many == 1 else 's'}"


def _have(many: int) -> str:
    return "has" if many == 1 else "have"


def tiles(
    total: Any, before: Any, basis: Basis, sparks: Mapping[str, Sequence[float | None]]
) -> list[Tile]:
    """What the chosen area has, lacks and is asked for; each says what is missing in it.

    `before` is the same area a year before. The posts return says how posts stand now, and what
    was before only as far as its spells go: its tiles are not compared.
    """
    returned = _sentences(_told(total.pcns_returned, total, "returned"), day(basis.census))
    change = "no census 12 months before to compare with"
    if total.pcns_compared:
        change = f"{total.fte_change:+,.1f} in 12 months"
        if total.pcns > 1:
            change += f" in the {total.pcns_compared} that returned both times"
    people = f"a year before {number(before.headcount)}; " if pd.notna(before.headcount) else ""
    posts = _told(total.pcns_with_posts, total, "returned posts")
    funded = f"Local return: {_posts(total.posts)}" if pd.notna(total.posts) else ""
    at = f"As at {day(basis.as_at)}"
    return [
        Tile(
            "FTE in post",
            number(total.fte, 1),
            "FTE",
            _sentences(f"Published national workforce series; {change}", returned),
            sparks["fte"],
        ),
        Tile(
            "Headcount",
            number(total.headcount),
            "people",
            _sentences(f"Own staff, {people}contracted services have FTE and no people", returned),
        ),
        Tile("Funded posts", number(total.funded_fte, 1), "FTE", _sentences(funded, posts, at)),
        Tile("Vacant", number(total.vacant_fte, 1), "FTE", _sentences(_vacant(total), posts, at)),
        Tile(
            "Short of target or plan",
            number(total.short_fte, 1),
            "FTE",
            _sentences(_aims(total), at),
        ),
        _rate_tile(total),
        Tile(
            "Pressure",
            _or_hidden(total, REFERRALS, "pressure"),
            "new referrals a year per FTE",
            _pressed(total, before, basis),
            sparks["referrals"],
        ),
        Tile(
            "Open caseload",
            _or_hidden(total, OPEN, "open_per_fte", 1),
            "open referrals per FTE",
            _open(total, before, basis),
            sparks["open"],
        ),
    ]


def _told(told: int, total: Any, what: str) -> str:
    """'44 of 45 networks returned'; of a single one only that it did not."""
    if total.pcns == 1:
        return "" if told else f"This network has not {what}"
    return f"{told} of {total.pcns} networks {what}"


def _sentences(*parts: str) -> str:
    return ". ".join(part for part in parts if part)


def _rate_tile(total: Any) -> Tile:
    title = "For every 10,000 patients"
    if pd.isna(total.registered_patients):
        return Tile(title, MISSING, "FTE", "List sizes or the workforce are not told")
    rate = total.listed_fte / total.registered_patients
    who = "" if total.pcns == 1 else " of networks that returned"
    note = (
        f"{number(rate * PER_50_000_PEOPLE, 2)} for every 50,000; "
        f"{number(total.registered_patients)} patients{who}"
    )
    if total.all_patients > total.registered_patients:
        whole = total.fte / total.all_patients * PER_10_000_PEOPLE
        note += f" ({number(whole, 2)} if all {number(total.all_patients)} are counted)"
    return Tile(title, number(rate * PER_10_000_PEOPLE, 2), "FTE", note)


def _posts(many: Any) -> str:
    return f"{number(many)} post{'' if many == 1 else 's'}"


def _vacant(total: Any) -> str:
    if pd.isna(total.vacant_posts):
        return ""
    if not total.vacant_posts:
        return "No post is vacant"
    posts = _posts(total.vacant_posts)
    longest = total.longest_vacancy_days
    return posts + (f", the longest for {number(longest)} days" if pd.notna(longest) else "")


def _aims(total: Any) -> str:
    if not total.pcns_with_aim:
        return "No target and no plan" if total.pcns == 1 else "No network has a target or a plan"
    if total.pcns == 1:
        return f"{number(total.aim_fte, 1)} meant to be in post"
    return (
        f"{number(total.aim_fte, 1)} meant to be in post in the {total.pcns_with_aim} of {total.pcns} "
        f"networks with a target or a plan; added up over the {total.pcns_short} that are short"
    )


def _or_hidden(total: Any, counted: str, column: str, decimals: int = 0) -> str:
    if getattr(total, hidden_flag(counted)):
        return HIDDEN_MARK
    return number(getattr(total, column), decimals)


def _pressed(total: Any, before: Any, basis: Basis) -> str:
    if not total.pcns_pressed or basis.window.window is None:
        return _not_both(total, basis)
    first, last = basis.window.window
    referrals = count(getattr(total, REFERRALS), is_hidden=getattr(total, hidden_flag(REFERRALS)))
    return _sentences(
        f"{referrals} referrals, {month(first)} to {month(last)}, over {number(total.mean_fte, 1)} mean "
        f"FTE{_a_year_before(before, REFERRALS, 'pressure', 0)}",
        f"National guidance is {BAND}; per FTE is our reading",
        _told(total.pcns_pressed, total, "told both"),
    )


def _open(total: Any, before: Any, basis: Basis) -> str:
    if not total.pcns_open or basis.window.window is None:
        return _not_both(total, basis)
    referrals = count(getattr(total, OPEN), is_hidden=getattr(total, hidden_flag(OPEN)))
    return _sentences(
        f"{referrals} open at the end of {month(basis.window.window[1])}"
        + _a_year_before(before, OPEN, "open_per_fte", 1),
        "Not comparable with the yearly figure",
        _told(total.pcns_open, total, "told both"),
    )


def _not_both(total: Any, basis: Basis) -> str:
    """Why there is no ratio."""
    if basis.window.no_window:
        return basis.window.no_window.capitalize()
    if total.pcns == 1:
        return "Referrals or workforce of this network are not told"
    return "No network told both referrals and workforce"


def _a_year_before(before: Any, counted: str, column: str, decimals: int) -> str:
    """What the same was a year before, as it was told then; "" where it was not."""
    value = _or_hidden(before, counted, column, decimals)
    return "" if value == MISSING else f"; a year before {value}"


def columns() -> Sequence[Column]:
    """The columns of the list of networks."""
    return (
        Column(
            "Network", lambda r: Cell(name_of(r), note=r.lad_name if pd.notna(r.lad_name) else "")
        ),
        Column("FTE in post", _in_post, MEASURES["fte_in_post"].definition, is_number=True),
        Column(
            "People",
            lambda r: _plain(r.headcount, 0),
            MEASURES["headcount"].definition,
            is_number=True,
        ),
        Column(
            "Funded",
            _funded,
            MEASURES["funded_posts"].definition,
            is_number=True,
        ),
        Column("Vacant", _vacancy, MEASURES["vacancy"].definition, is_number=True),
        Column("Target or plan", _aim, MEASURES["target"].definition, is_number=True),
        Column(
            "Short of it",
            lambda r: _plain(r.gap_fte, 1),
            MEASURES["gap"].definition,
            is_number=True,
        ),
        Column(
            "Per 10,000",
            _rate,
            MEASURES["fte_per_10k_patients"].definition,
            is_number=True,
        ),
        Column("Referrals, 12 months", _referrals, MEASURES[REFERRALS].definition, is_number=True),
        Column("A year per FTE", _pressure, MEASURES["pressure"].definition, is_number=True),
        Column("Needed for the band", _needed, MEASURES["needed"].definition, is_number=True),
        Column("Open per FTE", _open_each, MEASURES["open_caseload"].definition, is_number=True),
    )


def name_of(row: Any) -> str:
    """The name of a network; its code where no name is loaded."""
    return str(row.pcn_code if pd.isna(row.pcn_name) else row.pcn_name)


def _plain(value: Any, decimals: int, note: str = "") -> Cell:
    return (
        Cell(MISSING, note=note)
        if pd.isna(value)
        else Cell(number(value, decimals), float(value), note)
    )


def _in_post(row: Any) -> Cell:
    if row.in_post != InPost.IN_POST:
        return Cell(row.in_post, 0.0 if row.in_post == InPost.NO_WORKER else None)
    contracted = f"{number(row.fte_contracted, 1)} contracted" if row.fte_contracted else ""
    return _plain(row.fte, 1, contracted)


def _rate(row: Any) -> Cell:
    """The rate, the list it rests on, and the limits of chance for a list of this length."""
    if pd.isna(row.registered_patients):
        return _plain(row.fte_per_10k, 2)
    note = f"{number(row.registered_patients)} patients, 95% {number(row.funnel_lower, 1)} to "
    note += number(row.funnel_upper, 1)
    outside = pd.notna(row.funnel_place) and row.funnel_place != FunnelPlace.INSIDE
    return _plain(row.fte_per_10k, 2, f"{note}, {row.funnel_place}" if outside else note)


def _funded(row: Any) -> Cell:
    return Cell("no return") if pd.isna(row.posts) else _plain(row.funded_fte, 1)


def _vacancy(row: Any) -> Cell:
    if pd.isna(row.posts):
        return Cell("no return")
    days = row.longest_vacancy_days
    return _plain(row.vacant_fte, 1, f"{number(days)} days" if pd.notna(days) else "")


def _aim(row: Any) -> Cell:
    if pd.notna(row.aim_fte):
        both = row.aim == "target" and pd.notna(row.planned_fte)
        planned = f"; {number(row.planned_fte, 1)} planned" if both else ""
        return _plain(row.aim_fte, 1, AIM_WORDS[row.aim] + planned)
    expired = pd.notna(row.expired_fte)
    return Cell(
        MISSING, note=f"{number(row.expired_fte, 1)} until {day(row.expired_on)}" if expired else ""
    )


def _referrals(row: Any) -> Cell:
    if getattr(row, hidden_flag(REFERRALS)):
        return Cell(HIDDEN_MARK)
    return _plain(getattr(row, REFERRALS), 0, row.referral_reason)


def _pressure(row: Any) -> Cell:
    if pd.isna(row.pressure):
        return Cell(HIDDEN_MARK if row.pressure_state == Pressure.HIDDEN else row.pressure_state)
    return _plain(row.pressure, 0, row.pressure_state)


def _needed(row: Any) -> Cell:
    if getattr(row, hidden_flag(REFERRALS)):
        return Cell(HIDDEN_MARK)
    if pd.isna(row.needed_least_fte):
        return Cell(MISSING)
    more = (
        ""
        if pd.isna(row.needed_further_fte) or not row.needed_further_fte
        else f"{number(row.needed_further_fte, 1)} more"
    )
    span = f"{number(row.needed_least_fte, 1)} to {number(row.needed_most_fte, 1)}"
    return Cell(span, float(row.needed_least_fte), more)


def _open_each(row: Any) -> Cell:
    if getattr(row, hidden_flag(OPEN)):
        return Cell(HIDDEN_MARK)
    if pd.isna(row.open_per_fte):
        return Cell(row.in_post if row.in_post != InPost.IN_POST else MISSING)
    return _plain(row.open_per_fte, 1, f"{number(getattr(row, OPEN))} open")


def notes(basis: Basis, released: Released) -> list[str]:
    """Source, period and disclosure profile, below the charts."""
    return [
        f"In post: {SERIES}, {day(basis.census)}, role 'Social Prescribing Link Workers'.",
        "Vacant, planned and target: local returns.",
        f"People: {released.profile.words}.",
    ]


_ABOUT_STAFFING = Explanation(
    "For each network the FTE in post, vacant posts after it, a diamond for what was planned for this "
    "month and a line for its target; the shortest of its target or plan comes first.",
    "Shows where recruitment is behind, and whether a vacancy or a missing post is the reason.",
    (
        "In post is the published series; vacant, planned and target are local returns. They count "
        "differently and need not add up.",
        "A network that did not return is not one without a worker.",
        "Networks are listed under the district in which most of their patients live.",
    ),
)
ABOUT = {
    "staffing": _ABOUT_STAFFING,
    "funnel": Explanation(
        "FTE for every 10,000 patients against the length of the list. Between the lines a difference "
        "from the others is no more than chance.",
        "Small networks differ much by chance alone: only those outside ask for an explanation.",
        (
            "The limits take each FTE as placed by chance (Poisson). FTE are not counts, so they are a "
            "guide.",
            "Networks without a return or a list are not drawn; the list below has them.",
        ),
    ),
    "pressure": Explanation(
        f"New referrals in 12 months for each FTE in post, beside the band of {BAND} people a year.",
        "Above the band link workers may not have the time each person needs; below it there may be room.",
        (
            "That the guidance of 200 to 250 means a full-time worker is our reading.",
            "FTE is the mean of the same 12 months, where at least half of them were returned.",
            "Hidden: so few referrals that somebody could be recognised.",
        ),
    ),
    "need": Explanation(
        "FTE of each network, shared out over its patients by how deprived their ward is.",
        "Shows whether those with most need have most link workers, and whether that changes.",
        (
            "Shares and deprivation are those of today in every month: only FTE changes.",
            "The interval takes networks as independent, and fifths too, though a network serves several: "
            "it is a guide.",
        ),
    ),
}
