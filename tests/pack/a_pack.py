"""A pack of four pages, small enough to count by hand, with every name that is hard to write."""

from __future__ import annotations

from dashboard.pack.content import (
    HIDDEN,
    MISSING,
    NOT_APPLICABLE,
    Chart,
    Column,
    MapPicture,
    Pack,
    Page,
    Series,
    Table,
)

# A formula, a tag, quotes with an ampersand, and a name longer than any line.
FORMULA, TAG = "=1+1", "<b>Margate</b> Central"
QUOTED = 'Dane "Valley" & O\'Hare'
LONG = (
    "Cliftonville West with Northdown, Palm Bay and the Villages of the Eastern Shore "
    "(formerly Cliftonville)"
)
WARDS = (FORMULA, TAG, QUOTED, LONG, "Thanet Villages")
MONTHS = tuple(
    f"{month} {year}"
    for year, months in ((2025, "Jul Aug Sep Oct Nov Dec"), (2026, "Jan Feb Mar Apr May Jun"))
    for month in months.split()
)
REFERRED = (40.0, 44.0, 38.0, 41.0, None, 45.0, 39.0, 42.0, 60.0, 43.0, None, 41.0)

MAP = MapPicture(
    '<svg xmlns="http://www.w3.org/2000/svg" width="600" height="400">'
    '<defs><pattern id="hatched" width="8" height="8" patternUnits="userSpaceOnUse" '
    'patternTransform="rotate(45)"><rect width="8" height="8" fill="#FFFFFF"/>'
    '<line x1="0" y1="0" x2="0" y2="8" stroke="#425563" stroke-width="2"/></pattern></defs>'
    '<g stroke="#AEB7BD" stroke-width="0.8">'
    '<path d="M20,20 300,60 280,200 40,180Z" fill="#5B1A2E"/>'
    '<path d="M300,60 580,20 560,210 280,200Z" fill="#9DC3E6"/>'
    '<path d="M40,180 280,200 300,380 30,360Z" fill="url(#hatched)"/>'
    '<path d="M280,200 560,210 570,370 300,380Z" fill="#F4B183"/>'
    "</g></svg>",
    "Map of 30 wards: 12 have no provision, 9 are below the expected range, 6 are as expected "
    "and 3 have made no return.",
    (
        ("#5B1A2E", "No provision", 12),
        ("#F4B183", "Below the expected range", 9),
        ("#9DC3E6", "As expected", 6),
        ("#FFFFFF", "No return", 3),
    ),
)


def a_pack() -> Pack:
    """Bars with a table, a control chart with two gaps, a map with a table of 30 rows of which 12
    are shown, and words only."""
    return Pack(
        title="Social prescribing in Thanet & Dover: what to decide",
        area="Thanet",
        as_at="30 June 2026",
        since="31 May 2026",
        data_as_of="28 June 2026",
        filters=(("Locality", "Thanet"), ("Adults", 'all "18 and over"')),
        profile="nhs (counts below 5 hidden, others rounded to 5)",
        version="0.1.0",
        sources=(
            ("Referrals", "referrals_2026-06.csv", "a1" * 32),
            ("Link workers", "PCN workforce <June> & July.csv", "b2" * 32),
        ),
        config={"area": "E07000114", "as_at": "2026-06-30", "board": "QKS"},
        pages=(_bars(), _lines(), _map(), _words()),
        method=(
            ("Expected range", "What 95 of 100 wards with the same need would have."),
            ("Mean", "The mean of the twelve months before."),
        ),
        is_simulated=True,
    )


def _bars() -> Page:
    return Page(
        key="coverage",
        subject="Provision",
        # A finding that a spreadsheet would take for a formula.
        finding="=1+1 and two other wards have no link worker",
        sentences=(
            "Three of 5 wards have no link worker.",
            f"{QUOTED} has a number that is hidden, so that nobody can be recognised.",
        ),
        period="June 2026",
        definitions=(("Link workers per 10,000", "FTE for 10,000 adults who live in the ward."),),
        sources=("PCN workforce <June> & July.csv",),
        link="https://board.example/coverage?area=E07000114&as_at=2026-06-30",
        chart=Chart(
            "bars",
            "Link workers by ward",
            "FTE per 10,000 adults",
            WARDS,
            (Series("Link workers", (0.0, 0.42, None, 1.25, None)),),
            "Bars of 5 wards: Cliftonville West has the most, 1.25 for 10,000 adults.",
        ),
        tables=(
            Table(
                "Link workers by ward",
                (Column("Ward"), Column("FTE per 10,000", 2), Column("Adults", 0), Column("PCN")),
                (
                    (FORMULA, 0.0, 6420, "Ramsgate PCN"),
                    (TAG, 0.42, 7105, "+Margate PCN"),
                    (QUOTED, HIDDEN, HIDDEN, "-Margate PCN"),
                    (LONG, 1.25, 12345, "@CARE PCN"),
                    ("Thanet Villages", MISSING, 5000, NOT_APPLICABLE),
                ),
            ),
        ),
    )


def _lines() -> Page:
    twelve = len(MONTHS)
    return Page(
        key="take-up",
        subject="Referrals",
        finding="Referrals rose above the upper limit in March 2026 and came back in April",
        sentences=("60 people were referred in March 2026; the mean is 43.3 a month.",),
        period="July 2025 to June 2026",
        definitions=(
            ("Limits", "Three standard deviations on both sides of the mean."),
            ("Target", "What the plan <asks> for & is agreed."),
        ),
        sources=("referrals_2026-06.csv",),
        link="https://board.example/take-up?area=E07000114",
        chart=Chart(
            "lines",
            "People referred by month",
            "People referred",
            MONTHS,
            (
                Series("Referred", REFERRED),
                Series("Mean", (43.3,) * twelve, "mean"),
                Series("Lower limit", (28.5,) * twelve, "limit"),
                Series("Upper limit", (58.1,) * twelve, "limit"),
                Series("Target", (50.0,) * twelve, "target"),
            ),
            "Line of 12 months: March 2026 is above the upper limit; 2 months are not available.",
        ),
    )


def _map() -> Page:
    wards = ("No provision",) * 12 + ("Below the expected range",) * 9 + ("As expected",) * 6
    rows = tuple(
        (f"Ward {number:02}", status, number, HIDDEN if number == 3 else number / 10)
        for number, status in enumerate(wards + ("No return",) * 3, start=1)
    )
    return Page(
        key="unmet-need",
        subject="Unmet need",
        finding="12 of 30 wards have no provision",
        sentences=("The 12 wards lie along the coast.",),
        period="April to June 2026",
        definitions=(("No provision", "No link worker and no service in the ward."),),
        sources=("referrals_2026-06.csv", "PCN workforce <June> & July.csv"),
        link="https://board.example/unmet-need?area=E07000114",
        map=MAP,
        tables=(
            Table(
                "Wards by provision",
                (Column("Ward"), Column("Provision"), Column("Rank", 0), Column("Score", 1)),
                rows,
                shown=12,
            ),
        ),
    )


def _words() -> Page:
    return Page(
        key="meeting",
        subject="Decisions",
        finding="Two decisions are due before the next meeting",
        sentences=(
            "Agree the hours of the link worker in Margate.",
            "Ask the 3 wards without a return for one.",
            "No action is late.",
        ),
        period="June 2026",
        definitions=(("Late", "Not done on the day it was due."),),
        sources=(),
        link="https://board.example/meeting?area=E07000114",
    )
