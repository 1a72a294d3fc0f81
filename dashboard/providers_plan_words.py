"""Freshness, funding, demand and directories in words and tables."""

from __future__ import annotations

from urllib.parse import urlencode

import pandas as pd

from dashboard.filters import Choices
from dashboard.gaps import REFERRED, WITHOUT
from dashboard.providers import VCSE, WAITING
from dashboard.providers_plan_view import AHEAD_MONTHS, DirectoryView, Feed, Funding
from dashboard.providers_told import MOST_ROWS, confirmed_words
from dashboard.providers_view import ProvidersView
from dashboard.providers_words import ends_by, is_free, marked, where_words
from dashboard.rules.disclosure import Released, hidden_flag
from dashboard.rules.freshness import Freshness
from dashboard.rules.funding import worth
from dashboard.rules.take_up import months_before
from dashboard.style import MISSING, count, counted, day, month, number
from queries.frames import each_row

Table = tuple[list[str], list[list[str]]]
# Files offered at once, who has waited longest first.
MOST_FILES = 20
MOST_NAMES = 6
HOW_TO_ASK = (
    "Each file is the provider's own return, filled in with what is known. Send it, let it be "
    "mended, and load what comes back on the page Data: it replaces what was there."
)
MONEY_NOTE = (
    "Pounds are places offered in the next 4 weeks times the cost of a place, shared out over the "
    "wards a service serves by the people who live there. The voluntary, community and social "
    "enterprise sector (VCSE) is what a return says it is."
)


def freshness_finding(view: ProvidersView, choices: Choices) -> list[str]:
    """How many entries are of each age, and what the switch does with the stale ones."""
    frame = view.listed.frame
    old = frame["freshness"].isin([Freshness.STALE, Freshness.NEVER])
    what = "counted as provision" if choices.with_stale else "left out of provision"
    return [
        f"**{int(old.sum()):,} of {len(frame):,} entries** were not confirmed in time and are {what}: "
        "the switch at the left, “Entries not confirmed”, changes that on every page."
    ]


def freshness_table(view: ProvidersView) -> Table:
    """Entries of the area by age, of those that are placed and those that are not."""
    frame = view.listed.frame
    rows = []
    for each in Freshness:
        mine = frame[frame["freshness"] == each.value]
        placed = int(mine["is_placed"].sum())
        rows.append(
            [each.value.capitalize(), number(len(mine)), number(placed), number(len(mine) - placed)]
        )
    return ["Confirmed", "Entries", "Placed", "Not placed"], rows


def files_to_send(asked: pd.DataFrame) -> list[tuple[str, list[tuple[str, str]]]]:
    """For each provider who has waited longest: what is asked of it, and its file."""
    found = []
    for row in each_row(asked.head(MOST_FILES)):
        oldest = "never confirmed" if pd.isna(row.oldest) else f"oldest {day(row.oldest.date())}"
        entries = f"{row.entries} {'entry' if row.entries == 1 else 'entries'}"
        address = f"/ask/services.xlsx?{urlencode({'provider': row.provider})}"
        found.append((f"{row.provider}: {entries}, {oldest}", [("file to send", address)]))
    if len(asked) > MOST_FILES:
        found.append(
            (f"and {len(asked) - MOST_FILES:,} more providers, when these have answered", [])
        )
    return found


def ask_table(view: ProvidersView) -> Table:
    """Entries not confirmed in the last 6 months, oldest first; never confirmed come before all."""
    frame = view.listed.frame
    old = frame[frame["freshness"] != Freshness.FRESH].sort_values(
        "confirmed_on", key=pd.to_datetime, na_position="first"
    )
    rows = [
        [
            marked(row),
            row.provider,
            confirmed_words(row),
            row.said_by,
            where_words(row) or row.reach,
        ]
        for row in each_row(old.head(MOST_ROWS))
    ]
    if len(old) > MOST_ROWS:
        rows.append([f"and {len(old) - MOST_ROWS:,} more, in the list of services", "", "", "", ""])
    return ["Service", "Provider", "Confirmed", "Said by", "Where"], rows


# So far ahead of the first a meeting looks.
SOON_MONTHS = 6


def funding_finding(found: Funding) -> list[str]:
    """'6 services in 4 wards end by March 2027: 310 places', and what would then be missing."""
    if found.months.empty:
        return [f"No funding is known to end within {AHEAD_MONTHS} months."]
    months = found.months
    # The first half year, in which something can still be done; later ones stand in the table.
    first = months["month"].iloc[0]
    soon = months[[month < months_before(first, -SOON_MONTHS) for month in months["month"]]]
    said = [ends_by(soon.iloc[-1])]
    if len(months) > len(soon):
        said.append(ends_by(months.iloc[-1]))
    if len(found.left):
        wards = found.left["ward_code"].nunique()
        said.append(
            f"Unless it is renewed, **{wards:,} {'ward' if wards == 1 else 'wards'}** would have "
            "nothing left for a need they have something for today."
        )
    return said


def losses_table(found: Funding) -> Table:
    """What is lost up to the end of each month."""
    rows = [
        [
            month(row.month),
            number(row.ending),
            number(row.services),
            number(row.wards),
            number(row.places),
            number(row.places_unknown),
        ]
        for row in each_row(found.months)
    ]
    headings = ["Funding ends in", "Services of the month", "Services so far", "Wards so far",
                "Places so far", "Places not said"]  # fmt: skip
    return headings, rows


def ending_table(found: Funding) -> Table:
    """The services, the first to end first."""
    rows = [
        [
            marked(row),
            row.provider,
            day(row.funding_ends),
            MISSING if pd.isna(row.funder) else row.funder,
            number(row.places_offered),
            MISSING if pd.isna(row.cost_per_place) else f"£{row.cost_per_place:,.2f}",
            where_words(row) or row.reach,
        ]
        for row in each_row(found.ending.head(MOST_ROWS))
    ]
    return ["Service", "Provider", "Ends", "Funder", "Places", "A place costs", "Where"], rows


def left_table(found: Funding) -> Table:
    """Need by need, how many wards would have nothing left, from when, and which."""
    rows = []
    for _, mine in found.left.groupby(["ends", "theme"], sort=False):
        first, names = next(iter(each_row(mine))), mine["ward_name"].tolist()
        more = f" and {len(names) - MOST_NAMES:,} more" if len(names) > MOST_NAMES else ""
        which = ", ".join(names[:MOST_NAMES]) + more
        rows.append([first.theme.capitalize(), day(first.ends), number(len(names)), which])
    return ["Need", "Nothing after", "Wards", "Which"], rows


def money_lines(view: ProvidersView) -> list[str]:
    """How many services are free to the person, what a place costs, and how much of it is known."""
    frame = view.placed.frame
    said = frame["cost_to_person"].notna()
    free = int(is_free(frame["cost_to_person"]).sum())
    known = worth(frame).notna()
    cost = frame["cost_per_place"].median()
    lines = [f"{free:,} of {int(said.sum()):,} services that say so are free to the person"
             + (f" ({free / said.sum():.0%})." if said.any() else ".")]  # fmt: skip
    if pd.notna(cost):
        lines.append(f"Half of the services pay £{cost:,.2f} or less for a place (median).")
    lines.append(
        f"{int(known.sum()):,} of {len(frame):,} services say both their places and what one costs."
    )
    return lines


def funder_table(view: ProvidersView) -> Table:
    """Services, places and money by funder, most money first."""
    frame = view.placed.frame.assign(worth=worth(view.placed.frame))
    frame["funder"] = frame["funder"].fillna("not said")
    found = frame.groupby("funder").agg(
        services=("service_key", "size"),
        places=("places_offered", lambda places: places.sum(min_count=1)),
        pounds=("worth", lambda pounds: pounds.sum(min_count=1)),
        vcse=("sector", lambda sectors: int((sectors == VCSE).sum())),
    )
    found = found.sort_values(["pounds", "services"], ascending=False).reset_index()
    rows = [
        [
            row.funder,
            number(row.services),
            number(row.vcse),
            number(row.places),
            _pounds(row.pounds),
        ]
        for row in each_row(found.head(MOST_ROWS))
    ]
    return ["Funder", "Services", "of the VCSE sector", "Places, 4 weeks", "Worth, 4 weeks"], rows


def _pounds(value: float) -> str:
    return MISSING if pd.isna(value) else f"£{value:,.0f}"


def district_table(found: Funding) -> Table:
    """Money for the voluntary sector by district, least for its people first."""
    rows = [
        [
            row.lad_name,
            number(row.population),
            _pounds(row.pounds),
            _pounds(row.vcse_pounds),
            MISSING if pd.isna(row.vcse_per_1000) else f"£{row.vcse_per_1000:,.2f}",
        ]
        for row in each_row(found.money)
    ]
    headings = ["District", "People", "Worth, 4 weeks", "VCSE, 4 weeks", "VCSE per 1,000 people"]
    return headings, rows


def demand_finding(found: Released, view: ProvidersView) -> list[str]:
    """The need most people are referred for, and where most were closed for lack of a service."""
    frame = found.frame
    if frame[REFERRED].isna().all() and not frame[hidden_flag(REFERRED)].any():
        return [f"What people are referred for is not known: {view.gaps.no_window or 'no return'}."]
    first = frame.iloc[0]
    said = [
        f"Most are referred for **{first['theme']}**: about "
        f"**{count(first[REFERRED], is_hidden=first[hidden_flag(REFERRED)])}** people in 12 months."
    ]
    without = frame[frame[WITHOUT].fillna(0) > 0].sort_values(WITHOUT, ascending=False)
    if len(without):
        row = without.iloc[0]
        said.append(
            f"Most referrals closed for lack of a service were for **{row['theme']}**: "
            f"at least {count(row[WITHOUT])}."
        )
    return said


def demand_table(found: Released) -> Table:
    """Demand and supply by need, most referred first."""
    rows = [
        [
            row.theme.capitalize(),
            count(row.referred, is_hidden=getattr(row, hidden_flag(REFERRED))),
            count(row.without_service, is_hidden=getattr(row, hidden_flag(WITHOUT))),
            number(row.services),
            number(row.places_offered),
            number(row.free_places),
            count(row.people_waiting, is_hidden=getattr(row, hidden_flag(WAITING))),
            f"{row.wards_unmet:,} of {row.wards:,}" if row.is_returned else "no return",
        ]
        for row in each_row(found.frame)
    ]
    headings = ["Need", "Referred, 12 months, about", "Closed for lack of a service, at least", "Services",
                "Places, 4 weeks", "Free", "Waiting", "Wards with nothing that has room"]  # fmt: skip
    return headings, rows


def demand_notes(view: ProvidersView) -> list[str]:
    """What the figures rest on."""
    window = view.gaps.window
    period = f"Referrals {month(window[0])} to {month(window[1])}." if window else ""
    return [
        f"{period} A referral for two needs counts in both, a service likewise.",
        "In the picture, of the places those that are free are blue.",
        "“Lack of a service” is a closing reason such as “no suitable service”.",
        f"Small numbers: {view.cells.profile.words}; sums are added up from shown numbers.",
    ]


def feed_words(feed: Feed) -> str:
    """When it was loaded, and how many of its entries concern the board."""
    entries = f"{feed.entries:,} {'entry' if feed.entries == 1 else 'entries'}"
    return f"loaded {day(feed.loaded_at.date())}; {entries} of or for this board, or not placed"


LEVELS = {"fail": "✕ fail", "warn": "△ warn", "": "note", "pass": "✓ pass"}  # nosec B105 - no password


def report_title(feed: Feed) -> str:
    """The first line of the report: how many checks passed, warn and failed."""
    return next((line for line in feed.lines if "report:" in line), "What was said of it")


def report_table(feed: Feed) -> Table:
    """The report of a feed: each check with how it went, what failed first; and other notes."""
    rows = []
    for line in feed.lines:
        level, colon, words = line.partition(": ")
        is_check = bool(colon) and level in LEVELS
        if line != report_title(feed):
            rows.append((level if is_check else "", words if is_check else line))
    order = list(LEVELS)
    rows.sort(key=lambda row: order.index(row[0]))
    return ["Result", "Check"], [[LEVELS[level], words] for level, words in rows]


def same_finding(found: DirectoryView) -> str:
    """How many pairs there are to look at, and that nothing is merged by itself."""
    if not found.pairs_found:
        return "No two entries of different sources look like the same service."
    shown = (
        "" if len(found.pairs) == found.pairs_found else f", the likeliest {len(found.pairs)} below"
    )
    return (
        f"{counted(found.pairs_found, 'pair')} of entries of different sources may be the same "
        f"service{shown}. "
        "Nothing is merged until somebody says so; what is said can be undone on the page Data."
    )


def unplaced_table(view: ProvidersView) -> Table:
    """Entries that are on no map."""
    frame = view.listed.frame
    rows = _entries(frame[~frame["is_placed"]])
    return ["Service", "Provider", "Said by", "File"], rows


def _entries(frame: pd.DataFrame) -> list[list[str]]:
    rows = [
        [marked(row), row.provider, row.said_by, row.file_name]
        for row in each_row(frame.head(MOST_ROWS))
    ]
    more = len(frame) - MOST_ROWS
    return [*rows, [f"and {more:,} more", "", "", ""]] if more > 0 else rows


def closed_table(view: ProvidersView) -> Table:
    """Services that were there once, the last to close first."""
    frame = view.providers.found.closed
    days = pd.to_datetime(frame["closed_on"]).fillna(pd.to_datetime(frame["closes_on"]))
    ordered = frame.assign(day=days).sort_values("day", ascending=False).head(MOST_ROWS)
    rows = [
        [
            row.service_name,
            row.provider,
            day(row.day.date()),
            "no longer in its directory" if pd.notna(row.closed_on) else "closed, says its return",
        ]
        for row in each_row(ordered)
    ]
    return ["Service", "Provider", "Since", "Why"], rows
