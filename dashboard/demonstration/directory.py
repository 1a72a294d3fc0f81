"""A directory of services in the Open Referral UK form, version 3: the whole feed, twice."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from dashboard.demonstration.services import OFFERS, VENUES, Entry, Venue
from dashboard.intake.source import Source

Service = dict[str, Any]

# What is listed beside the services that return themselves, and by whom; all of it invented.
LISTED = (
    ("Memory café", "Forget-me-not Friends"),
    ("Community choir", "Second Verse Singers"),
    ("Shed for makers", "Open Bench Workshop"),
    ("Lunch club", "Full Larder Pantry"),
    ("Chair yoga", "Slow Tide Movement"),
    ("Help with computers", "Plug and Play Neighbours"),
    ("Knit and natter", "Loose Thread Makers"),
    ("Repair morning", "Mend and Make Do"),
    ("Bereavement tea", "Lantern Room"),
    ("Riverside walk", "Second Wind Walks"),
    ("Reading friends", "Turned Page Library Friends"),
    ("Parents’ drop-in", "Small Steps Family Group"),
    ("Stroke exercise class", "Steady Hand Rehabilitation"),
)
COUNT = 49
JOINED, NEARLY_THE_SAME = 8, 3
# Dartford's are all full, and an entry that says nothing of its room would hide that.
DISTRICTS = tuple(district for district in VENUES if district != "Dartford")
FIRST_FEED, CHANGED_ON = date(2026, 3, 27), date(2026, 6, 24)
# Days before the first feed, or never: how long ago somebody looked at an entry.
AGES = ((0, 80), (100, 260), (300, 1_500), None)
WITH_HTML, WITHOUT_ORGANISATION, ONLINE = 8, 15, (5, 20)
CHANGED, VANISHED = 16, (3, 22, 37)


def directory_files(
    entries: list[Entry], services: pd.DataFrame, rng: np.random.Generator
) -> list[Source]:
    """The feed of March and that of June, in which three services stand no more and one has
    changed.

    `services` has the row that each entry returns: eight are listed under the same id, and three
    under another, with another name.
    """
    codes = {e.district: e.areas[0] for e in entries if e.areas and e.areas[0].startswith("E07")}
    first = [_listed(number, codes, rng) for number in range(COUNT)]
    first += _returned(entries, services, rng)
    later = [service for place, service in enumerate(first) if place not in VANISHED]
    changed = first[CHANGED] | {
        "name": first[CHANGED]["name"].replace("Lunch", "Lunch and games"),
        "assured_date": CHANGED_ON.isoformat(),
    }
    later = [changed if service is first[CHANGED] else service for service in later]
    return [_page("2026-03", first), _page("2026-06", later)]


def _page(month: str, services: list[Service]) -> Source:
    page = {
        "total_items": len(services),
        "total_pages": 1,
        "page_number": 1,
        "size": len(services),
        "first_page": True,
        "last_page": True,
        "empty": False,
        "contents": services,
    }
    text = json.dumps(page, ensure_ascii=False, indent=1)
    return Source(f"demonstration directory of services {month}.json", f"{text}\n".encode())


def _listed(number: int, codes: dict[str, str], rng: np.random.Generator) -> Service:
    kind, provider = LISTED[number % len(LISTED)]
    district = DISTRICTS[number % len(DISTRICTS)]
    venues = VENUES[district]
    venue = venues[int(rng.integers(len(venues)))]
    name = f"{kind} {district}"
    if number == WITH_HTML:
        name = f"<b>{kind}</b> &amp; more, {district}"
    service = _service(f"listed {number}", name, provider, rng)
    if number == WITHOUT_ORGANISATION:
        service["organization"]["name"] = ""
    if number in ONLINE:
        return service | {"schedules": [{"id": _id(f"times {number}"), "attending_type": "online"}]}
    if number % 6 == 5:
        return service  # it says nowhere where it is
    # Only where services of the returns name the whole district too: it changes no coverage.
    if number % 8 == 0 and district in codes:
        area = {"id": _id(f"area {number}"), "name": district, "extent": codes[district]}
        service["service_areas"] = [area]
    # A point and a postcode, one or the other.
    return service | _at(venue, has_point=number % 4 != 1, has_postcode=number % 2 == 1)


def _returned(
    entries: list[Entry], services: pd.DataFrame, rng: np.random.Generator
) -> Iterator[Service]:
    """Entries of what providers return themselves, and that somebody confirmed this year."""
    venues = {venue.postcode: venue for known in VENUES.values() for venue in known}
    known = services[services["postcode"].isin(venues) & (services["confirmed_on"] >= "2026")]
    for _place, row in known[::2][:JOINED].iterrows():
        service = _service(row["service_id"], row["service_name"], row["provider"], rng)
        at = _at(venues[row["postcode"]], has_point=True)
        yield service | {"id": row["service_id"]} | at
    for place, row in known[5::6][:NEARLY_THE_SAME].iterrows():
        entry = entries[int(str(place))]
        name = f"{entry.district} {OFFERS[entry.theme][0].lower()}"
        service = _service(f"again {name}", name, f"{row['provider']} Ltd", rng)
        yield service | _at(venues[row["postcode"]], has_postcode=True)


def _service(what: str, name: str, provider: str, rng: np.random.Generator) -> Service:
    age = AGES[int(rng.choice(len(AGES), p=(0.4, 0.25, 0.25, 0.1)))]
    days = int(rng.integers(*age)) if age else 0
    looked = (FIRST_FEED - timedelta(days=days)).isoformat() if age else ""
    dates = {"assured_date": looked} if days % 3 else {"last_modified": f"{looked}T09:30:00Z"}
    host = "-".join(provider.lower().split())
    return {
        "id": _id(what),
        "name": name,
        "description": "Made up for the demonstration.",
        "url": f"https://{host}.example/",
        "status": "active",
        "fees": str(rng.choice(["0", "£2 a session", ""], p=[0.5, 0.2, 0.3])),
        **(dates if age else {}),
        "organization": {"id": _id(provider), "name": provider},
    }


def _at(venue: Venue, *, has_point: bool = False, has_postcode: bool = False) -> Service:
    location: Service = {
        "id": _id(venue.postcode),
        "location_type": "physical",
        "name": "Community rooms",
        "latitude": venue.latitude if has_point else None,
        "longitude": venue.longitude if has_point else None,
    }
    if has_postcode:
        address = {"id": _id(f"address {venue.postcode}"), "postal_code": venue.postcode}
        location["addresses"] = [address]
    return {"service_at_locations": [{"id": _id(f"at {venue.postcode}"), "location": location}]}


def _id(what: str) -> str:
    """The same for the same words, in the form that the standard asks for."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"https://directory.example/{what}"))
