"""Services and their capacity, a local return: what there is, where, and with how much room."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import pandas as pd

from dashboard.intake.dataset import (
    ICB,
    LAD,
    WARD,
    Check,
    Column,
    Dataset,
    Lookups,
    Template,
    parts_of,
    sheet_with,
)
from dashboard.intake.local_return import check_return, entries_of, fail_entries, not_read
from dashboard.intake.source import Source
from dashboard.rules.needs import NEED_THEMES
from geodata.postcodes import normal_postcode, place_postcodes
from queries.load import CleanLoad

COLUMNS = ("service_id", "service_name", "provider", "area_served")
ALSO = {
    "service_id": ("id",),
    "service_name": ("name", "service"),
    "provider": ("organisation", "delivery_organisation", "provider_name"),
    "area_served": ("areas_served", "area", "serves", "served_area", "served_code"),
    "postcode": ("post_code", "postal_code", "service_postcode"),
    "online": ("is_online",),
    "need_themes": ("need_theme", "themes", "needs"),
    "waiting": ("people_waiting",),
    "wait_days": ("days_waiting", "waiting_days"),
    "access": ("attending_access", "how_to_access"),
    "sector": ("provider_sector", "sector_of_provider"),
    "minimum_age": ("min_age", "age_from"),
    "maximum_age": ("max_age", "age_to"),
    "safeguarding": ("safeguarding_in_place", "has_safeguarding"),
    "confirmed_on": ("confirmed",),
    "opens_on": ("opens",),
    "closes_on": ("closes",),
    "funding_ends": ("funding_ends_on",),
}
SERVICE_ID_CHARACTERS = 64  # as the table keeps it
STATES = ("has capacity", "full with waiting list", "full")
SECTORS = ("VCSE", "NHS", "council", "private", "other")
OLDEST = 150  # no service is for people older than anybody was


def fail_ages(check: Check, rows: pd.DataFrame) -> None:
    """Record each row with an age nobody has, or a maximum age below its minimum age."""
    for column in ("minimum_age", "maximum_age"):
        impossible = (rows[column] > OLDEST).fillna(False)
        values = check.column(column, required=False)
        check.fail(impossible, values, column, f"expected an age up to {OLDEST}")
    backwards = (rows["maximum_age"] < rows["minimum_age"]).fillna(False)
    rule = "expected an age of at least the minimum age"
    check.fail(backwards, check.column("maximum_age", required=False), "maximum_age", rule)


def postcode_places(postcodes: Iterable[str]) -> pd.DataFrame:
    """One row per postcode that is found: latitude and longitude (EPSG:4326), indexed by it.

    Postcodes are in their normal form: "CT9 1AA". Good to 5 m, as all conversions here.
    """
    found = place_postcodes(dict.fromkeys(postcodes)).dropna()
    if found.empty:
        nothing = pd.DataFrame({"latitude": [], "longitude": []}, dtype="float64")
        return nothing.set_axis(found["postcode"].astype("str"))
    # It would add half a second to every file without a postcode.
    import geopandas

    points = geopandas.points_from_xy(found["easting"], found["northing"], crs=27700).to_crs(4326)
    return pd.DataFrame({"latitude": points.y, "longitude": points.x}, index=found["postcode"])


def _recognises(source: Source) -> bool:
    return sheet_with(source, *COLUMNS, also=ALSO) is not None


def _read(source: Source, _lookups: Lookups) -> CleanLoad:
    check = check_return(source, COLUMNS, ALSO)
    rows = pd.DataFrame(
        {
            "service_id": check.text("service_id", most=SERVICE_ID_CHARACTERS),
            "service_name": check.text("service_name"),
            "provider": check.text("provider"),
            "is_online": check.yes_no("online").fillna(False),
            "state": check.one_of("state", STATES),
            "places_offered": check.whole("places_offered", required=False),
            "places_filled": check.whole("places_filled", required=False),
            "people_waiting": check.whole("waiting", required=False),
            "wait_days": check.whole("wait_days", required=False),
            "cost_to_person": check.text("cost_to_person", required=False),
            "access": check.text("access", required=False),
            "sector": check.one_of("sector", SECTORS),
            "minimum_age": check.number("minimum_age", required=False),
            "maximum_age": check.number("maximum_age", required=False),
            "has_safeguarding": check.yes_no("safeguarding"),
            # Not "in the future": what day it is must not decide whether a file is good.
            "confirmed_on": check.date("confirmed_on", required=False, latest=date(2100, 12, 31)),
            "opens_on": check.date("opens_on", required=False),
            "closes_on": check.date("closes_on", required=False),
            "funder": check.text("funder", required=False),
            "funding_ends": check.date("funding_ends", required=False),
            "cost_per_place": check.number("cost_per_place", required=False),
        }
    )
    areas = entries_of(check, "area_served").str.upper()
    rule = "expected ward, district or ICB codes, separated by ;"
    fail_entries(check, ~areas.str.fullmatch(f"{WARD[0]}|{LAD[0]}|{ICB[0]}"), "area_served", rule)
    themes = entries_of(check, "need_themes").str.casefold()
    rule = f"expected, separated by ;, some of: {', '.join(NEED_THEMES)}"
    fail_entries(check, ~themes.isin(NEED_THEMES), "need_themes", rule)
    stated = check.text("postcode", required=False).dropna().map(normal_postcode)
    fail_ages(check, rows)
    check.no_repeats(rows[["provider", "service_id"]], "provider and service_id")
    check.finish()

    rows["part_key"] = rows["provider"]
    named = rows[["part_key", "service_id"]]
    found = postcode_places(stated)
    places = named.join(stated.rename("postcode"), how="inner").join(
        found, on="postcode", how="inner"
    )
    lost = len(stated) - len(places)
    placed = rows.index.isin(areas.index) | rows.index.isin(places.index)
    unplaced = ~rows["is_online"] & ~placed
    overbooked = (rows["places_filled"] > rows["places_offered"]).fillna(False)
    return CleanLoad(
        dataset=DATASET.name,
        file_name=source.name,
        sha256=source.sha256,
        rows_read=len(rows),
        parts=parts_of(rows),
        rows={
            "service": rows,
            "service_place": places.assign(placed_by="postcode"),
            "service_area": named.join(areas.rename("area_code"), how="inner").drop_duplicates(),
            "service_theme": named.join(themes.rename("theme"), how="inner").drop_duplicates(),
        },
        notes=(
            f"{len(rows)} services of {rows['provider'].nunique()} providers",
            f"{unplaced.sum()} not placed: neither an area served nor online",
            *([f"{lost} postcodes not found"] if lost else []),
            f"{overbooked.sum()} with more places filled than offered",
            *not_read(check),
        ),
    )


TEMPLATE = Template(
    "one service of one provider",
    (
        Column(
            "service_id", True, "Your own number for the service, or its Open Referral id.", "S-01"
        ),
        Column("service_name", True, "What it is called.", "Walking group"),
        Column("provider", True, "The organisation, always spelt the same.", "North charity"),
        Column("sector", False, f"Of the organisation, one of: {', '.join(SECTORS)}.", "VCSE"),
        Column(
            "area_served",
            True,
            "Codes of the wards, districts or boards served, separated by ; and blank if online "
            "only.",
            "E05012345; E05012346",
        ),
        Column(
            "postcode",
            False,
            "Postcode of the place where it is given, never one of a person.",
            "SW1A 1AA",
        ),
        Column("online", False, "yes or no; blank is no.", "no"),
        Column(
            "need_themes",
            False,
            f"What it answers, separated by ; some of: {', '.join(NEED_THEMES)}.",
            "nature; loneliness",
        ),
        Column("state", False, f"One of: {', '.join(STATES)}.", "has capacity"),
        Column("places_offered", False, "Places in the next 4 weeks, a whole number.", "12"),
        Column("places_filled", False, "How many of them are taken.", "9"),
        Column("waiting", False, "How many people wait; blank if not known, never 0 for it.", "0"),
        Column("wait_days", False, "How many days a person waits for a place now.", "14"),
        Column("cost_to_person", False, "What a person pays, in a few words.", "free"),
        Column(
            "access",
            False,
            "How one gets in, in a few words: drop-in, by appointment, by referral.",
            "drop-in",
        ),
        Column("minimum_age", False, "Youngest age it is for, in years.", "18"),
        Column("maximum_age", False, "Oldest age it is for; blank if there is none.", "65"),
        Column("safeguarding", False, "yes or no: safeguarding is in place.", "yes"),
        Column("confirmed_on", False, "Date on which this was last confirmed.", "2026-06-15"),
        Column("opens_on", False, "First day of the service.", "2026-04-01"),
        Column("closes_on", False, "Last day; blank if open.", "2027-03-31"),
        Column("funder", False, "Who pays for it.", "Council"),
        Column("funding_ends", False, "Last day that is paid for.", "2027-03-31"),
        Column("cost_per_place", False, "In pounds.", "12.50"),
    ),
)
DATASET = Dataset(
    "services",
    "Services and capacity (local return)",
    _recognises,
    _read,
    replaces="the services of the same provider",
    parts="providers",
    template=TEMPLATE,
)
