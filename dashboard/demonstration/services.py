"""A return of services and their capacity: what there is to refer to, and where nothing is."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd

from dashboard.demonstration.places import Places
from dashboard.demonstration.story import Story
from dashboard.demonstration.tables import csv_file
from dashboard.intake.services import NEED_THEMES, STATES
from dashboard.intake.source import Source

# What a service is called and who offers it, by the need it answers; all of it invented.
OFFERS = {
    "loneliness": ("Befriending", ("Lamp Post Befriending", "Kettle and Talk")),
    "mental health": ("Talking group", ("Quiet Water Wellbeing", "Open Window Groups")),
    "money and debt": ("Money advice", ("Clear Ledger Advice", "Open Purse Advice")),
    "housing": ("Housing support", ("Two Keys Housing Support",)),
    "physical activity": ("Walking group", ("Steady Steps Activity", "Second Wind Walks")),
    "long-term condition": ("Living well course", ("Long Meadow Wellbeing", "Even Keel Courses")),
    "carers": ("Break for carers", ("Hazel Walk Carers",)),
    "employment and learning": ("Skills sessions", ("Fresh Page Learning", "Open Bench Skills")),
    "arts and culture": ("Arts on prescription", ("Bright Thread Arts",)),
    "nature": ("Community garden", ("Old Orchard Growers",)),
    "food": ("Community kitchen", ("Warm Table Kitchen", "Full Larder Pantry")),
    "alcohol or smoking": ("Recovery group", ("Stepping Stile Recovery",)),
    "complex social need": ("Support worker", ("Signal Box Support",)),
    "other": ("Community transport", ("Village Wheels",)),
}
MOST_OF_ONE_PROVIDER = 4
HARBOUR = "Harbour Community Trust"
HARBOUR_SERVICES = 6
# How many services name the whole district.
IN_DISTRICT = {
    "Dartford": 5,
    "Dover": 5,
    "Maidstone": 5,
    "Sevenoaks": 4,
    "Swale": 5,
    "Thanet": 5,
    "Tonbridge and Malling": 4,
    "Tunbridge Wells": 4,
}
# For Folkestone and Hythe, which has no others.
ONLINE = ("loneliness", "mental health", "money and debt", "employment and learning")
# How many services share out the wards of a district, so that none names all of it.
IN_WARDS = {"Ashford": 8, "Canterbury": 5, "Gravesham": 3}
STALE = 2
FUNDERS = ("district council", "county council", "NHS", "grant-making trust")
LAST_DAY = date(2026, 6, 30)


@dataclass
class Entry:
    """One service before its figures are drawn."""

    theme: str
    district: str
    areas: tuple[str, ...]
    is_online: bool = False
    is_stale: bool = False
    ends_soon: bool = False
    provider: str = ""


def service_entries(places: Places, story: Story) -> list[Entry]:
    """Every service with the areas it serves; none serves a whole board."""
    wards = places.wards
    districts = dict(wards[["LAD25NM", "LAD25CD"]].drop_duplicates().to_numpy())
    served: list[tuple[str, tuple[str, ...], bool]] = []
    for district, count in IN_DISTRICT.items():
        served += [(district, (districts[district],), False)] * count
    left_out = {*story.stale, *story.without_services, *story.one_provider}
    for district, count in IN_WARDS.items():
        mine = wards[(wards["LAD25NM"] == district) & ~wards["WD25CD"].isin(left_out)]
        codes = mine.sort_values(["easting", "WD25CD"])["WD25CD"].tolist()
        # Each ward stands in two of them that lie side by side.
        shares = [list(share) for share in np.array_split(codes, count)]
        served += [
            (district, (*shares[place - 1], *shares[place]), False) for place in range(count)
        ]
    served += [("Gravesham", story.stale, True)] * STALE
    served.append(("Kent", (), False))  # not placed: it names no area
    entries = [
        # Five on among fourteen: the services of a district answer different needs.
        Entry(NEED_THEMES[place * 5 % len(NEED_THEMES)], district, areas, is_stale=is_stale)
        for place, (district, areas, is_stale) in enumerate(served)
    ]
    online = "Folkestone and Hythe"
    entries += [Entry(theme, online, (districts[online],), is_online=True) for theme in ONLINE]
    numbers: Counter[str] = Counter()
    for entry in entries:
        entry.provider = OFFERS[entry.theme][1][numbers[entry.theme] // MOST_OF_ONE_PROVIDER]
        numbers[entry.theme] += 1
    entries += [
        Entry(theme, "Canterbury", story.one_provider, ends_soon=True, provider=HARBOUR)
        for theme in NEED_THEMES[:HARBOUR_SERVICES]
    ]
    return entries


def service_id(place: int) -> str:
    """The id of the entry at this place of the list."""
    return f"DS{place + 1:03d}"


def service_files(entries: list[Entry], rng: np.random.Generator) -> list[Source]:
    """The return with places, waiting lists, safeguarding, confirmation and funding."""
    rows = [_row(place, entry, rng) for place, entry in enumerate(entries)]
    return [csv_file("demonstration services.csv", pd.DataFrame(rows, dtype="str"))]


def _row(place: int, entry: Entry, rng: np.random.Generator) -> dict[str, str]:
    offered = int(rng.integers(8, 41))
    # Dartford's are all full: there is something to refer to, and no room.
    likely = (0.0, 0.6, 0.4) if entry.district == "Dartford" else (0.7, 0.2, 0.1)
    state = STATES[int(rng.choice(3, p=likely))]
    filled = int(offered * rng.uniform(0.3, 0.9)) if state == STATES[0] else offered
    waiting = int(rng.integers(3, 25)) if state == STATES[1] else 0
    confirmed = _before(rng, 400, 600) if entry.is_stale else _before(rng, 5, 250)
    ends = rng.integers(50, 150) if entry.ends_soon else rng.integers(200, 900)
    # One in three answers a second need too.
    themes = [entry.theme, NEED_THEMES[(place + 3) % len(NEED_THEMES)]][: 1 + (place % 3 == 0)]
    return {
        "service_id": service_id(place),
        "service_name": f"{OFFERS[entry.theme][0]} {entry.district}",
        "provider": entry.provider,
        "area_served": ";".join(entry.areas),
        "online": "yes" if entry.is_online else "no",
        "need_themes": ";".join(themes),
        "places_offered": str(offered),
        "places_filled": str(filled),
        "waiting": str(waiting),
        "state": state,
        "cost_to_person": str(rng.choice(["free", "small charge"], p=[0.8, 0.2])),
        "safeguarding": str(rng.choice(["yes", "no", ""], p=[0.75, 0.1, 0.15])),
        "confirmed_on": confirmed.isoformat(),
        "funder": FUNDERS[int(rng.integers(len(FUNDERS)))],
        "funding_ends": (LAST_DAY + timedelta(days=int(ends))).isoformat(),
        "cost_per_place": str(int(rng.integers(4, 19)) * 10),
    }


def _before(rng: np.random.Generator, fewest: int, most: int) -> date:
    return LAST_DAY - timedelta(days=int(rng.integers(fewest, most)))
