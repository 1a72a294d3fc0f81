"""The National commitments page in words: the finding, the cards, the arithmetic, the table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from dashboard.commitments import PER_PATIENTS, Basis, Commitments, Run, needed_fte
from dashboard.filters import Choices
from dashboard.intake.health_budgets import ENTITLEMENTS
from dashboard.rules.commitments import OVER, Standing, Status, further_whole
from dashboard.rules.disclosure import hidden_flag
from dashboard.rules.staffing import CASELOAD_HIGH, CASELOAD_LOW
from dashboard.rules.take_up import month_end
from dashboard.show import Chip, CommitmentCard, dated_chip
from dashboard.style import MISSING, count, day, month, number
from queries.frames import each_row

TABLE_HEADINGS = (
    "Commitment", "Status", "Due", "Nationally", "This board's share", "Where the board stands",
    "Since when, or how far off", "Source",
)  # fmt: skip
# The commitments that the arithmetic sets beside one another, by id.
PEOPLE, WORKERS = "referrals_900k", ("link_workers_1000", "link_workers_9000")
CASELOAD, REFERRED_SHARE = "caseload", "referred_share"
# A share below this is shown with a decimal: 31.9 link workers, 28,716 people.
SMALL_SHARE = 100
_GROUPS = (
    ("In force", "in-force", (Status.IN_FORCE,)),
    ("No longer in force: shown beside the board's figures, and not judged", "over", OVER),
    (
        "Where it began, and what published work found",
        "published",
        (Status.BASELINE, Status.REFERENCE),
    ),
)


def chosen(choices: Choices) -> str:
    """The board and the date: a commitment has no share for a part of a board."""
    words = f"{choices.icb_name} · as at {day(choices.as_at)}"
    if choices.lad_code or choices.pcn_code:
        words += " · the whole board, whatever locality or network is chosen"
    return words


def chips(found: Commitments) -> list[Chip]:
    """How fresh each source is."""
    basis = found.basis
    window = basis.window.window
    return [
        dated_chip("list sizes", basis.lists_on, basis.as_at),
        dated_chip("workforce, published", basis.census, basis.as_at),
        dated_chip("referrals", month_end(window[1]), basis.as_at)
        if window
        else Chip("referrals", basis.window.no_window, "missing"),
        dated_chip("personal health budgets", basis.budgets_on, basis.as_at),
    ]


def finding(found: Commitments) -> list[str]:
    """What is still in force, and how many link workers the board has beside its share."""
    frame = found.rows.frame
    meant = frame[~frame["status"].isin([Status.BASELINE, Status.REFERENCE])]
    by_status = meant["status"].value_counts()
    now = meant[meant["status"] == Status.IN_FORCE]
    past = [f"{by_status[status]} {status}" for status in OVER if status in by_status]
    first = (
        f"**{len(now)} of {len(meant)}** commitments {'is' if len(now) == 1 else 'are'} still in "
        f"force; {_and(past)}."
    )
    by_id = {row.id: row for row in each_row(frame)}
    sentences = [f"{first} {_caseload(by_id[CASELOAD])}"]
    workers = by_id[WORKERS[0]]
    if pd.isna(workers.figure):
        sentences.append("No workforce return is loaded: the board's link workers are not known.")
    elif pd.isna(workers.share_low):
        sentences.append(
            f"The board has {number(workers.figure)} link workers of its networks' own staff; no "
            "list sizes are loaded, so its share of a national figure is not known."
        )
    else:
        sentences.append(
            f"The board has {number(workers.figure)} link workers of its networks' own staff; by "
            f"registered patients its share of {number(workers.low)} would be "
            f"{_amount(workers.share_low)}."
        )
    return sentences


def _caseload(row: Any) -> str:
    if row.standing == Standing.UNKNOWN:
        return f"How the board stands against the guidance on caseload is not known: {row.reason}."
    return (
        f"The board's networks receive **{number(row.figure)} referrals a year per FTE**, {row.standing} "
        f"the {_band(row)} people of the guidance."
    )


def share_note(basis: Basis) -> str:
    """What the board's share is a share of, and from when each number is."""
    england = basis.england
    whole = (
        f"the list sizes of the {england.boards} boards loaded, together "
        f"{number(england.patients)} in {month(england.on)}"
        if england.boards
        else f"{number(england.patients)} patients registered at practices in England on "
        f"{day(england.on)} (NHS England, Patients Registered at a GP Practice)"
    )
    if basis.patients is None:
        return f"No list sizes are loaded for this board: it has no share yet of {whole}."
    return (
        f"A board's share is its registered patients over England's: {number(basis.patients)} in "
        f"{month(basis.lists_on or basis.as_at)} over {whole}, {_percent(basis)}. It is a yardstick: "
        "nobody set targets by board."
    )


def groups(found: Commitments) -> list[tuple[str, str, list[CommitmentCard]]]:
    """Title, anchor and cards of each group that has any: in force, over, published."""
    frame = found.rows.frame
    made = [
        (title, anchor, [card(row, found) for row in each_row(frame[frame["status"].isin(these)])])
        for title, anchor, these in _GROUPS
    ]
    return [group for group in made if group[2]]


def card(row: Any, found: Commitments) -> CommitmentCard:
    """One commitment: what it says, how it is misquoted, and where the board stands."""
    facts = [
        ("What it says", row.wording),
        ("Often misquoted", row.misquoted),
        ("Due", _due(row)),
        ("Nationally", _nationally(row)),
        ("This board's share", _share(row, found.basis)),
        ("Where the board stands", _stands(row, found)),
        ("Since when, or how far off", _distance(row, found)),
        ("Source", _source(row)),
    ]
    return CommitmentCard(
        title=row.title,
        status=_status(row),
        facts=[fact for fact in facts if fact[1]],
        is_over=row.status in OVER,
    )


def table(found: Commitments) -> tuple[Sequence[str], list[list[str]]]:
    """The headings and rows of the table: the cards' words, one commitment a row."""
    rows = [
        [
            row.title, _status(row), _due(row), _nationally(row), _share(row, found.basis),
            _stands(row, found), _distance(row, found), _source(row),
        ]
        for row in each_row(found.rows.frame)
    ]  # fmt: skip
    return TABLE_HEADINGS, [[cell or MISSING for cell in row] for row in rows]


def arithmetic(found: Commitments) -> tuple[Sequence[str], list[list[str]]]:
    """What the people of the plan would need at the caseload of the guidance, beside the numbers
    of link workers that were named."""
    by_id = {row.id: row for row in each_row(found.rows.frame)}
    people, named = by_id[PEOPLE], [by_id[each] for each in WORKERS]
    headings = [
        "", "People a year", f"FTE at {CASELOAD_HIGH} each", f"FTE at {CASELOAD_LOW} each",
        *(f"Link workers, of {number(row.low)}" for row in named), "In post",
    ]  # fmt: skip
    in_post = found.basis.fte
    return headings, [
        _sums("England", people.low, [row.low for row in named], "not loaded"),
        _sums(
            "This board's share",
            people.share_low,
            [row.share_low for row in named],
            "no workforce return" if in_post is None else f"{number(in_post, 1)} FTE",
        ),
    ]


def _sums(name: str, people: Any, named: Sequence[Any], in_post: str) -> list[str]:
    fte = (None, None) if pd.isna(people) else needed_fte(people)
    amounts = [number(people), *map(_amount, fte), *map(_amount, named)]
    return [name, *amounts, in_post]


def arithmetic_note(found: Commitments) -> str:
    """The sum itself."""
    frame = found.rows.frame
    people = frame.loc[frame["id"] == PEOPLE, "low"].iloc[0]
    least, most = needed_fte(people)
    return (
        f"{number(people)} ÷ {CASELOAD_HIGH} = {number(least)} FTE; {number(people)} ÷ "
        f"{CASELOAD_LOW} = {number(most)} FTE, if everybody able to be referred were. The numbers of "
        "link workers count people, of whom many work part time."
    )


def budgets(found: Commitments) -> tuple[Sequence[str], list[list[str]]]:
    """The newest local return of personal health budgets, by group of entitlement."""
    flag = hidden_flag("in_place")
    told = {row.entitlement: row for row in each_row(found.budgets.frame)}
    rows = []
    for name in (*ENTITLEMENTS, *(name for name in told if name not in ENTITLEMENTS)):
        row = told.get(name)
        # What the return itself hides comes as missing: it is no less hidden here.
        words = "not in the return" if row is None else _in_place(row.in_place, getattr(row, flag))
        rows.append([name.capitalize(), words])
    return ("Group of entitlement", "Budgets in place"), rows


def _in_place(in_place: Any, is_hidden: bool) -> str:
    return count(in_place, is_hidden=is_hidden or pd.isna(in_place))


def notes(found: Commitments) -> str:
    """How the figures were made safe to show."""
    return (
        f"Referrals and budgets: {found.rows.profile.words}. A referral is not a person: one can be "
        "referred more than once. What has ended is never judged; its difference is arithmetic."
    )


def _status(row: Any) -> str:
    return f"{row.status} {day(row.ended_on)}" if row.status in OVER else str(row.status)


def _due(row: Any) -> str:
    return day(row.due) if row.due and row.status != Status.BASELINE else ""


def _nationally(row: Any) -> str:
    unit = f"{row.unit}" if row.unit.startswith("%") else f" {row.unit}"
    return f"{_band(row)}{unit}" + (f"; {row.national}" if row.national else "")


def _band(row: Any) -> str:
    return number(row.low) if pd.isna(row.high) else f"{number(row.low)} to {number(row.high)}"


def _share(row: Any, basis: Basis) -> str:
    if row.share_of == "networks":
        return f"one in each of its {basis.pcns} networks" if basis.pcns else "no network is known"
    if row.share_of != "England":
        return "the same for every board: it is a rate" if row.measure else ""
    if pd.isna(row.share_low):
        return "not known: no list sizes are loaded for this board"
    return f"{_amount(row.share_low)} ({_percent(basis)} of England's registered patients)"


def _percent(basis: Basis) -> str:
    return f"{number(100 * (basis.share or 0), 2)}%"


def _stands(row: Any, found: Commitments) -> str:
    if pd.isna(row.figure):
        return f"not known: {row.reason}"
    basis = found.basis
    told = f"{basis.pcns_returned} of {basis.pcns} networks returned"
    match row.measure:
        case "headcount":
            return (
                f"{number(row.figure)} people of networks' own staff at the census of "
                f"{day(basis.census)} ({number(basis.fte, 1)} FTE with contracted staff, who come "
                f"without a headcount); {told}"
            )
        case "pcns_with_worker":
            silent = basis.pcns - basis.pcns_returned
            words = (
                f"{number(row.figure)} of the {_networks(basis.pcns_returned)} that returned "
                f"{'has' if row.figure == 1 else 'have'} one"
            )
            is_are = "is" if silent == 1 else "are"
            return f"{words}; {silent} did not, and {is_are} neither" if silent else words
        case "referrals":
            return f"{number(row.figure)} referrals received in {_window(basis)}" + (
                "" if row.comparable else _rate_beside(found)
            )
        case "referrals_per_1000":
            return f"{number(row.figure, 1)} in {_window(basis)}"
        case "budgets":
            return f"{number(row.figure)} in place on {day(basis.budgets_on)}" + (
                f", in {len(found.budgets.frame)} of {len(ENTITLEMENTS)} groups of entitlement"
            )
    window = basis.window.window
    return (
        f"{number(row.figure)} referrals a year per FTE, in the 12 months to "
        f"{month(window[1]) if window else MISSING} and {basis.pressed_pcns} of {basis.pcns} networks"
        + ("" if row.standing == Standing.NOT_JUDGED else f": {row.standing} {_band(row)}")
    )


def _rate_beside(found: Commitments) -> str:
    rate = {row.id: row for row in each_row(found.rows.frame)}[REFERRED_SHARE]
    if pd.isna(rate.figure):
        return ""
    return (
        f": {number(rate.figure, 1)} per {number(PER_PATIENTS)} registered patients, beside the "
        f"{_band(rate)} ({_as_percent(rate.low)} to {_as_percent(rate.high)}) of the incentive"
    )


def _as_percent(per_patients: float) -> str:
    return f"{number(100 * per_patients / PER_PATIENTS, 1)}%"


def _window(basis: Basis) -> str:
    newest = basis.window.window
    return (
        f"the 12 months to {month(newest[1]) if newest else MISSING} by {basis.referring_pcns} of "
        f"{basis.pcns} networks"
    )


def _distance(row: Any, found: Commitments) -> str:
    if run := found.runs.get(row.id):
        return _run_words(row, run)
    if pd.isna(row.figure):
        return ""
    if not row.comparable:
        return "not worked out: being referred is not being able to be referred"
    if pd.isna(row.short_by):
        return ""
    if row.measure == "pcns_with_worker":
        return f"{_networks(further_whole(row.short_by))} returned without a link worker"
    if row.share_of != "England":
        return _of_rate(row)
    # What is counted in people has been rounded.
    about = "" if pd.isna(row.counted) else "about "
    whole = f"{about}{number(abs(further_whole(row.short_by)))}"
    return (
        f"{whole} more would be the board's share"
        if row.short_by > 0
        else f"{whole} above the board's share"
    )


def _of_rate(row: Any) -> str:
    if row.short_by == 0:
        return f"inside {_band(row)}"
    away, side = number(abs(row.short_by), 1), row.low if row.short_by > 0 else row.high
    return f"{away} {'below' if row.short_by > 0 else 'above'} {number(side)}"


def _run_words(row: Any, run: Run) -> str:
    what = (
        "every network that returned had one"
        if row.measure == "pcns_with_worker"
        else f"at or above its share ({_amount(row.share_low)})"
    )
    words = f"{what} in every return since {run.since:%B %Y}: {run.returns} return" + (
        "" if run.returns == 1 else "s"
    )
    return words + (
        f", and {run.silent_months} months between them without one" if run.silent_months else ""
    )


def _source(row: Any) -> str:
    return f"{row.source} ({row.confidence} source)"


def _amount(value: Any) -> str:
    return number(value, 1 if pd.notna(value) and value < SMALL_SHARE else 0)


def _networks(many: int) -> str:
    return f"{many} network" if many == 1 else f"{many} networks"


def _and(items: Sequence[str]) -> str:
    return " and ".join([", ".join(items[:-1]), items[-1]]) if len(items) > 1 else "".join(items)
