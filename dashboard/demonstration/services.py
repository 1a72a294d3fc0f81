"""A return of services and their capacity: what there is to refer to, and where nothing is."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

import numpy as np
import pandas as pd

from dashboard.demonstration.places import Places
from dashboard.demonstration.story import Story
from dashboard.demonstration.tables import csv_file
from dashboard.intake.services import STATES
from dashboard.intake.source import Source
from dashboard.rules.needs import NEED_THEMES

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
# By need and district: what had room, and is full since this spring.
FILLED_UP = {
    ("money and debt", "Swale"),
    ("complex social need", "Swale"),
    ("housing", "Swale"),
}
# Nobody confirmed these for over a year, or ever; others of their district were.
LONG_AGO = {("other", "Maidstone"), ("food", "Tonbridge and Malling"), ("nature", "Thanet")}
NEVER = {
    ("carers", "Sevenoaks"),
    ("complex social need", "Tunbridge Wells"),
    ("food", "Ashford"),
    ("nature", "Kent"),
}
# A group that names a single ward: its district has nothing else for this need.
ONE_WARD_GROUP, ONE_WARD_THEME = "Diabetes support group", "long-term condition"
FUNDERS = ("district council", "county council", "NHS", "grant-making trust")
# What a provider is; all others are VCSE.
SECTORS = {
    "Long Meadow Wellbeing": "NHS",
    "Fresh Page Learning": "council",
    "Signal Box Support": "council",
    "Steady Steps Activity": "private",
    "Two Keys Housing Support": "other",
}
ACCESS = ("drop-in", "by appointment", "by referral")
AGES = (("", ""), ("18", ""), ("50", ""), ("65", ""), ("16", "25"))
WITH_POSTCODE = 0.5
LAST_DAY = date(2026, 6, 30)


class Venue(NamedTuple):
    """A postcode that exists, the ward it lies in, and where, in degrees."""

    ward_code: str
    postcode: str
    latitude: float
    longitude: float


# Source: ONS Postcode Directory, Open Government Licence v3.0; a test compares them with it.
# None lies where the story tells that there is nothing, or nothing confirmed.
VENUES = {
    "Ashford": (
        Venue("E05DM0026", "TN30 6AA", 51.0709, 0.6901),
        Venue("E05DM0012", "TN25 4JL", 51.1815, 0.8397),
        Venue("E05DM0013", "TN23 1LT", 51.1505, 0.8614),
        Venue("E05DM0025", "TN23 1AB", 51.1466, 0.8756),
        Venue("E05DM0030", "TN25 7NA", 51.1157, 0.8914),
        Venue("E05DM0022", "TN25 7DR", 51.0918, 0.9416),
    ),
    "Canterbury": (
        Venue("E05DM0046", "CT5 1DA", 51.3549, 1.0255),
        Venue("E05DM0043", "CT4 7LH", 51.2503, 1.0261),
        Venue("E05DM0045", "CT5 2QZ", 51.3614, 1.0728),
        Venue("E05DM0042", "CT1 1DY", 51.2871, 1.1008),
        Venue("E05DM0040", "CT4 5BF", 51.239, 1.1458),
        Venue("E05DM0047", "CT6 5GH", 51.3621, 1.1209),
        Venue("E05DM0051", "CT6 6SJ", 51.3682, 1.1583),
    ),
    "Dartford": (
        Venue("E05DM0068", "DA1 1AF", 51.4445, 0.2098),
        Venue("E05DM0077", "DA10 0DA", 51.4477, 0.3104),
        Venue("E05DM0075", "DA1 2QT", 51.4392, 0.2095),
    ),
    "Dover": (
        Venue("E05DM0091", "CT14 0GE", 51.2251, 1.4021),
        Venue("E05DM0089", "CT14 9UJ", 51.215, 1.3883),
        Venue("E05DM0096", "CT17 9AR", 51.1242, 1.312),
    ),
    "Gravesham": (
        Venue("E05DM0114", "DA11 7FH", 51.4244, 0.3589),
        Venue("E05DM0111", "DA11 0DS", 51.4412, 0.3733),
        Venue("E05DM0126", "DA12 4JL", 51.4282, 0.3878),
    ),
    "Maidstone": (
        Venue("E05DM0137", "ME14 1AA", 51.2783, 0.5191),
        Venue("E05DM0142", "ME15 7UR", 51.269, 0.5272),
        Venue("E05DM0148", "ME15 7QB", 51.25, 0.5508),
    ),
    "Sevenoaks": (
        Venue("E05DM0191", "TN13 1AQ", 51.2703, 0.192),
        Venue("E05DM0194", "TN13 3AQ", 51.2766, 0.1867),
        Venue("E05DM0185", "DA3 8BQ", 51.3874, 0.3042),
    ),
    "Swale": (
        Venue("E05DM0218", "ME10 1AE", 51.3392, 0.7346),
        Venue("E05DM0216", "ME13 8SF", 51.3109, 0.8865),
        Venue("E05DM0213", "ME12 1DH", 51.4358, 0.7557),
    ),
    "Thanet": (
        Venue("E05DM0229", "CT11 0GB", 51.3399, 1.4058),
        Venue("E05DM0228", "CT10 1FY", 51.3602, 1.4329),
        Venue("E05DM0240", "CT7 0GJ", 51.3869, 1.3857),
        Venue("E05DM0234", "CT9 1GA", 51.3831, 1.3906),
    ),
    "Tonbridge and Malling": (
        Venue("E05DM0262", "ME19 4AP", 51.3263, 0.4466),
        Venue("E05DM0251", "TN9 1LJ", 51.2018, 0.2802),
        Venue("E05DM0265", "ME19 6HS", 51.286, 0.41),
    ),
    "Tunbridge Wells": (
        Venue("E05DM0278", "TN1 1BD", 51.1561, 0.2855),
        Venue("E05DM0271", "TN1 1EJ", 51.1347, 0.2612),
        Venue("E05DM0273", "TN2 4UF", 51.1298, 0.2783),
    ),
}


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
    themes: tuple[str, ...] = ()
    is_of_one_ward: bool = False

    @property
    def name(self) -> str:
        """What it is called."""
        kind = ONE_WARD_GROUP if self.is_of_one_ward else OFFERS[self.theme][0]
        return f"{kind} {self.district}"

    @property
    def what(self) -> tuple[str, str]:
        """The need it answers first, and its district."""
        return self.theme, self.district

    @property
    def venues(self) -> list[Venue]:
        """Where it can be: in a ward that it names, anywhere in a district that it names."""
        known = VENUES.get(self.district, ())
        return [v for v in known if v.ward_code in self.areas or self.areas[0].startswith("E07")]


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
    for place, entry in enumerate(entries):
        # One in three answers a second need too.
        both = (entry.theme, NEED_THEMES[(place + 3) % len(NEED_THEMES)])
        entry.themes = both[: 1 + (place % 3 == 0)]
    ward, provider = story.served_in_thanet[0], OFFERS[ONE_WARD_THEME][1][1]
    entries.append(
        Entry(
            ONE_WARD_THEME,
            "Thanet",
            (ward,),
            provider=provider,
            themes=(ONE_WARD_THEME,),
            is_of_one_ward=True,
        )
    )
    return entries


def service_id(place: int) -> str:
    """The id of the entry at this place of the list."""
    return f"DS{place + 1:03d}"


def service_rows(entries: list[Entry], rng: np.random.Generator) -> pd.DataFrame:
    """The return, one row per entry and in that order, as text."""
    rows = [_row(place, entry, rng) for place, entry in enumerate(entries)]
    # Drawn after all others, which so stay as they are.
    rows = [row | _later(row, entry, rng) for row, entry in zip(rows, entries, strict=True)]
    return pd.DataFrame(rows, dtype="str")


def service_files(rows: pd.DataFrame) -> list[Source]:
    """The return with places, waiting lists, safeguarding, confirmation and funding."""
    return [csv_file("demonstration services.csv", rows)]


def _row(place: int, entry: Entry, rng: np.random.Generator) -> dict[str, str]:
    offered = int(rng.integers(8, 41))
    # Dartford's are all full: there is something to refer to, and no room.
    likely = (0.0, 0.6, 0.4) if entry.district == "Dartford" else (0.7, 0.2, 0.1)
    state = STATES[int(rng.choice(3, p=likely))]
    filled = int(offered * rng.uniform(0.3, 0.9)) if state == STATES[0] else offered
    waiting = int(rng.integers(3, 25)) if state == STATES[1] else 0
    confirmed = _before(rng, 400, 600) if entry.is_stale else _before(rng, 5, 250)
    ends = rng.integers(50, 150) if entry.ends_soon else rng.integers(200, 900)
    return {
        "service_id": service_id(place),
        "service_name": entry.name,
        "provider": entry.provider,
        "area_served": ";".join(entry.areas),
        "online": "yes" if entry.is_online else "no",
        "need_themes": ";".join(entry.themes),
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


def _later(row: dict[str, str], entry: Entry, rng: np.random.Generator) -> dict[str, str]:
    """Where it is, for whom, and how long one waits; and what the story changes of the row."""
    told: dict[str, str] = {}
    if entry.what in FILLED_UP:
        waiting = str(rng.integers(6, 16))
        told = {"places_filled": row["places_offered"], "waiting": waiting, "state": STATES[1]}
    if entry.what in LONG_AGO:
        told["confirmed_on"] = _before(rng, 400, 600).isoformat()
    if entry.what in NEVER:
        told["confirmed_on"] = ""
    # Weeks where there is a list; where there is none and no room, nobody can say.
    days = {STATES[0]: str(rng.integers(0, 15)), STATES[1]: str(rng.integers(21, 120))}
    youngest, oldest = AGES[int(rng.choice(len(AGES), p=(0.5, 0.25, 0.1, 0.1, 0.05)))]
    is_placed = bool(rng.random() < WITH_POSTCODE) or entry.is_of_one_ward
    chosen, venues = rng.random(), entry.venues if is_placed else []
    return told | {
        "postcode": venues[int(chosen * len(venues))].postcode if venues else "",
        "minimum_age": youngest,
        "maximum_age": oldest,
        "access": ACCESS[int(rng.integers(len(ACCESS)))],
        "sector": SECTORS.get(entry.provider, "VCSE"),
        "wait_days": days.get(told.get("state", row["state"]), ""),
    }


def _before(rng: np.random.Generator, fewest: int, most: int) -> date:
    return LAST_DAY - timedelta(days=int(rng.integers(fewest, most)))
