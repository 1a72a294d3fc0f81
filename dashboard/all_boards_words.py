"""All boards in words: the finding, the tiles, what the map rests on, and the columns of both lists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from dashboard import coverage_words
from dashboard.all_boards import AllBoards
from dashboard.coverage import REFERRALS
from dashboard.coverage_words import Layer, measure_of
from dashboard.filters import Choices
from dashboard.rules.apportion import PER_PEOPLE
from dashboard.rules.coverage import Status
from dashboard.rules.disclosure import hidden_flag
from dashboard.rules.measures import MEASURES
from dashboard.rules.take_up import month_end
from dashboard.show import Cell, Chip, Column, Explanation, TableText, Tile, dated_chip
from dashboard.style import MISSING, count, counted, day, month, number

QUESTION = "Which boards have wards without social prescribing?"
BOARDS, WARDS = "boards", "wards"
ROWS = {BOARDS: "Boards", WARDS: "Wards"}
TEXTS = {
    BOARDS: TableText("Boards, most wards without provision first", "Search the list", "boards"),
    WARDS: TableText("Wards of every board, worst first", "Search the list", "wards"),
}
WAIT = (
    "Every ward of every board is judged. After a load, and for another date, that takes a while."
)


def chosen(found: AllBoards, choices: Choices) -> str:
    """'36 boards · as at 30 June 2026'."""
    stale = " · stale entries counted" if choices.with_stale else ""
    return f"{counted(len(found.boards.frame), 'board')} · as at {day(choices.as_at)}{stale}"


def link(found: AllBoards, choices: Choices, ward_code: str) -> tuple[str, dict[str, str]]:
    """What the link to the picked ward, or else to the chosen board, says, and what it chooses."""
    name = found.name_of(ward_code)
    return (
        f"Open {name or choices.icb_name} on Coverage",
        choices.address(**({"ward": ward_code} if name else {})),
    )


def finding(found: AllBoards) -> list[str]:
    """How many wards of how many boards have no provision, who lives there, what could not be judged."""
    frame, boards = found.wards.frame, found.boards.frame
    none, total = int(boards["no_provision"].sum()), counted(len(boards), "board")
    unjudged = int(boards["not_judged"].sum())
    if none:
        adults, unknown = boards["adults_without"].sum(min_count=1), boards["adults_unknown"].sum()
        people = _people(found)
        live = (
            "no population is known for those who live"
            if pd.isna(adults)
            else f"**{'at least ' if unknown else ''}{number(adults)} {people}** live"
        )
        having = int((boards["no_provision"] > 0).sum())
        sentences = [
            f"**{none:,} of {counted(len(frame), 'ward')}** of {total} {'has' if none == 1 else 'have'} "
            f"no provision; {live} there. {'It lies' if none == 1 else 'They lie'} in "
            f"{counted(having, 'board')}."
        ]
        guessed = int((frame["route_in_inferred"] & (frame["status"] == Status.NO_PROVISION)).sum())
        if guessed:
            sentences.append(
                f"Of {guessed:,} of them it is inferred from the workforce: no scheme return speaks for "
                "them."
            )
    elif unjudged == len(frame):
        # That none is known to lack a route in would sound like good news.
        sentences = []
    else:
        sentences = [f"**None of {counted(len(frame), 'ward')}** of {total} is without a route in."]
    if not unjudged:
        return [*sentences, "Every ward could be judged."]
    whole = boards[boards["not_judged"] == boards["wards"]]["icb_name"].tolist()
    words = f"**{counted(unjudged, 'ward')} could not be judged**, since nobody told us"
    if whole:
        named = f"{', '.join(whole[:2])}{f' and {len(whole) - 2:,} more' if len(whole) > 2 else ''}"
        words += f"; among them every ward of {named}"
    return [*sentences, f"{words}."]


def _people(found: AllBoards) -> str:
    kinds = {basis.people for basis in found.bases.values()}
    return kinds.pop() if len(kinds) == 1 else "adults or people"


def tiles(found: AllBoards) -> list[Tile]:
    """Wards with a gap, link workers per 10,000, referrals, and boards that can be judged."""
    boards, frame = found.boards.frame, found.wards.frame
    gaps = int((boards["no_provision"] + boards["other_gap"]).sum())
    fte, people = boards["fte"].sum(min_count=1), boards["people_covered"].sum(min_count=1)
    rate = None if pd.isna(fte) or not people else fte / people * PER_PEOPLE
    covered = int((frame["fte"].notna() & frame["population"].notna()).sum())
    hidden = int(boards["referrals_hidden"].sum())
    silent = int((frame[REFERRALS].isna() & ~frame[hidden_flag(REFERRALS)]).sum())
    judged = boards["wards"] - boards["not_judged"]
    return [
        coverage_words.gap_tile(gaps, len(frame), int(boards["not_judged"].sum())),
        Tile(
            "Link workers per 10,000",
            number(rate, 2),
            "FTE per 10,000 people",
            f"{covered:,} of {counted(len(frame), 'ward')} with a figure",
        ),
        Tile(
            "Referrals in 12 months",
            number(boards["referrals"].sum(min_count=1)),
            "received",
            f"{counted(silent, 'ward')} not returned, {hidden:,} hidden",
        ),
        Tile(
            "Boards with every ward judged",
            f"{int((boards['not_judged'] == 0).sum()):,}",
            f"of {len(boards):,}",
            f"{int((judged == 0).sum()):,} without a ward that could be judged",
        ),
    ]


def chips(found: AllBoards) -> list[Chip]:
    """How fresh the oldest workforce and referral returns of all boards are, and who sent none."""
    bases = list(found.bases.values())
    made = []
    censuses = [basis.census for basis in bases if basis.census]
    windows = [basis.window[1] for basis in bases if basis.window]
    if censuses:
        made.append(dated_chip("oldest workforce", min(censuses), bases[0].as_at))
    if windows:
        made.append(dated_chip("oldest referrals", month_end(min(windows)), bases[0].as_at))
    for missing, words in (
        (len(bases) - len(censuses), "no workforce return"),
        (len(bases) - len(windows), "no referral return"),
        (sum(not basis.services_returned for basis in bases), "no return of services"),
    ):
        if missing:
            made.append(Chip(counted(missing, "board"), words, "missing"))
    return made


def notes(found: AllBoards) -> list[str]:
    """Source, period and disclosure profile of the map."""
    bases = list(found.bases.values())
    ends = sorted(basis.window[1] for basis in bases if basis.window)
    if not ends:
        period = "No referral return. "
    elif ends[0] == ends[-1]:
        period = f"Referrals of 12 months to {month(ends[0])}. "
    else:
        period = f"Referrals of 12 months to between {month(ends[0])} and {month(ends[-1])}. "
    modelled = sum(basis.shares == "modelled" for basis in bases)
    shares = f"PCN shares of {counted(modelled, 'board')} are modelled. " if modelled else ""
    return [
        f"Each board is judged as on its page Coverage, as at {day(bases[0].as_at)}, against its own "
        f"rates. {period}{shares}",
        f"Small numbers: {found.wards.profile.words}.",
    ]


def explanation(found: AllBoards, layer: Layer) -> Explanation:
    """The panel below the map."""
    measure = measure_of(layer)
    return Explanation(
        f"{measure.definition} {measure.formula[0].upper()}{measure.formula[1:]}.",
        "Places where people have nothing stand out across boards, and so do those nobody told us about.",
        [
            *([measure.caution] if measure.caution else []),
            "Low and high take-up are against the ward's own board: two boards are not compared by them.",
        ],
    )


def board_columns(found: AllBoards) -> Sequence[Column]:
    """The columns of the list of boards."""
    people = _people(found)
    return (
        Column("Board", lambda r: Cell(r.icb_name)),
        _whole("Wards", "wards", ""),
        _judged("No provision", "no_provision", "Wards without a route in."),
        Column(
            f"{people.capitalize()} who live there",
            _adults,
            f"{people.capitalize()} in the wards without provision.",
            is_number=True,
        ),
        _judged(
            "Other gaps", "other_gap", "Wards with no link worker, or with nothing to refer to."
        ),
        Column(
            "Low take-up",
            _low,
            "Wards below the limits of the number expected in their board.",
            is_number=True,
        ),
        _whole("Not judged", "not_judged", "Wards of which nobody told us enough: no gap."),
        Column("FTE per 10,000", _rate, MEASURES["fte_per_10k"].definition, is_number=True),
        Column("Referrals, 12 months", _referrals, MEASURES[REFERRALS].definition, is_number=True),
    )


def _whole(title: str, column: str, words: str) -> Column:
    def cell(row: Any) -> Cell:
        value = int(getattr(row, column))
        return Cell(count(value), value)

    return Column(title, cell, words, is_number=True)


def _judged(title: str, column: str, words: str) -> Column:
    """As `_whole`; where no ward could be judged there is no nought."""
    whole = _whole(title, column, words)
    return replace(whole, cell=lambda row: _none_judged(row) or whole.cell(row))


def _none_judged(row: Any) -> Cell | None:
    return Cell(MISSING, note="no ward judged") if row.not_judged == row.wards else None


def _low(row: Any) -> Cell:
    if not row.take_up_known:
        return Cell(MISSING, note="take-up not known")
    return Cell(count(row.low), int(row.low))


def _adults(row: Any) -> Cell:
    if cell := _none_judged(row):
        return cell
    if not row.no_provision:
        return Cell("0", 0)
    if pd.isna(row.adults_without):
        return Cell(MISSING, note="no population of these codes")
    note = f"{counted(int(row.adults_unknown), 'ward')} not known" if row.adults_unknown else ""
    return Cell(number(row.adults_without), float(row.adults_without), note)


def _rate(row: Any) -> Cell:
    if pd.isna(row.fte_per_10k):
        return Cell(MISSING, note="no return")
    return Cell(number(row.fte_per_10k, 2), float(row.fte_per_10k))


def _referrals(row: Any) -> Cell:
    note = f"{counted(int(row.referrals_hidden), 'ward')} hidden" if row.referrals_hidden else ""
    if pd.isna(row.referrals):
        return Cell(MISSING, note=note or "no return")
    return Cell(count(row.referrals), float(row.referrals), note)


def ward_columns(found: AllBoards) -> Sequence[Column]:
    """The columns of the list of wards: those of Coverage, with the board beside the district."""
    first, *others = coverage_words.ward_columns(next(iter(found.bases.values())))
    return (first, Column("Board", lambda r: Cell(r.icb_name)), *others)
