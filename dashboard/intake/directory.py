"""Directory of services in the Open Referral UK form: what there is, and where.

One row per service. The form has no capacity, and its taxonomies do not map cleanly onto the
needs used here: neither is made up. Descriptions and contacts are not kept.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd

from dashboard.intake.dataset import LAD, WARD, Dataset, Lookups, parts_of
from dashboard.intake.json_rows import EITHER, NUMBER, TEXT, at, check_of, is_of, plain
from dashboard.intake.problems import Problem, RefusedError
from dashboard.intake.source import Source
from queries.load import CleanLoad

COLUMNS = {
    "id": EITHER,
    "name": TEXT,
    "status": TEXT,
    "url": TEXT,
    "minimum_age": NUMBER,
    "maximum_age": NUMBER,
    "attending_type": TEXT,
    "attending_access": TEXT,
    "organization.name": TEXT,
    "assured_date": TEXT,
    "last_modified": TEXT,
    "pc_metadata.date_assured": TEXT,
    "pc_metadata.date_modified": TEXT,
}
# The first that is stated says when somebody last looked at the entry.
DATES = ("assured_date", "last_modified", "pc_metadata.date_assured", "pc_metadata.date_modified")
OPEN = "active"
STATUSES = (OPEN, "inactive", "defunct", "temporarily closed")
NOT_STATED = "not stated"
MOST_CHARACTERS = 250
OLDEST = 150
# The British Isles, in degrees.
SOUTH, NORTH, WEST, EAST = 49.0, 61.5, -11.0, 2.5
PLACES, AREAS = "service_at_locations", "service_areas"
NESTED = {
    PLACES: "expected locations in the British Isles, with latitude and longitude in degrees",
    AREAS: "expected a list of areas",
}
# A service of the form has one of these; what else has a name has none.
_OF_A_SERVICE = {"status", "organization", "organization_id", "service_at_locations"}
_ONLINE = re.compile(r"\b(?:online|virtual|virtually|remote|remotely|video)\b", re.IGNORECASE)
_TAG = re.compile(r"</?[a-z][^<>]*>|<!--[^<>]*-->", re.IGNORECASE)
_GSS = re.compile(rf"\b({WARD[0]}|{LAD[0]})\b")
# Narrower than the codes of a return, which LEEDS would match: here any word may stand.
_ICB = re.compile(r"Q[0-9A-Z]{2}|[A-Z][0-9][A-Z][0-9][A-Z]")


def _kind(entry: Any) -> str | None:
    """What an object of the form is, by its keys; `None` for an object of no such form."""
    keys = set(entry) if isinstance(entry, dict) else set()
    if {"properties", "type"} <= keys and {"required", "datapackage_metadata"} & keys:
        return "a schema"
    if {"service", "location"} & keys and "name" not in keys:
        return "services at a location"
    if not {"id", "name"} & keys or "features" in keys:
        return None
    if keys & _OF_A_SERVICE and "services" not in keys:
        return "services"
    if keys & {"services", "website", "logo", "email", "organization_identifiers"}:
        return "organizations"
    return "taxonomies" if keys & {"version", "uri", "taxonomy", "term_uri", "code"} else None


def _entries(source: Source) -> list[Any] | None:
    """The objects of a page (version 3 or 1), of a plain array, or the single one."""
    found = source.json
    if isinstance(found, dict):
        # `contents` in version 3, `content` in version 1.
        page = found.get("contents", found.get("content"))
        return page if isinstance(page, list) else [found] if _kind(found) else None
    if isinstance(found, list) and any(map(_kind, found)):
        return found
    return None


def _recognises(source: Source) -> bool:
    return _entries(source) is not None


def _services(source: Source) -> list[Any]:
    entries = _entries(source)
    assert entries is not None
    kinds = {kind for kind in map(_kind, entries) if kind}
    if "services" not in kinds:
        if kinds:
            rule = f"holds {' and '.join(sorted(kinds))}, not services: send the feed of services"
        else:
            rule = "a page of a directory without services: send the feed of services"
        raise RefusedError(source.name, [Problem(rule)])
    return entries


def _plain_text(markup: str) -> str:
    """Text without tags and entities; those that were escaped twice as well."""
    for _ in range(2):
        markup = html.unescape(_TAG.sub(" ", markup))
    return plain(re.sub(r"\s+", " ", plain(_TAG.sub(" ", markup))))


@dataclass
class _Where:
    """What the nested lists of one service say of its places and areas."""

    places: list[tuple[str, float, float]]
    codes: list[str]
    areas_without_code: int
    is_online: bool
    wrong: set[str]  # which of `NESTED` break their rule


def _listed(service: Any, key: str) -> list[Any]:
    """The objects of a nested list, or what stands there instead, to be refused."""
    found = service.get(key) if isinstance(service, dict) else None
    return [] if found is None else found if isinstance(found, list) else [found]


def _degrees(value: Any) -> float | None:
    try:
        return None if isinstance(value, bool) or value in (None, "") else float(value)
    except (TypeError, ValueError, OverflowError):
        return float("nan")


def _where(service: Any) -> _Where:
    where = _Where([], [], 0, False, set())
    for entry in _listed(service, PLACES):
        location = entry.get("location") if isinstance(entry, dict) else entry
        if location is None:
            continue
        if not isinstance(location, dict) or not is_of(location.get("name"), TEXT):
            where.wrong.add(PLACES)
            continue
        if location.get("location_type") == "virtual":
            where.is_online = True
        north, east = _degrees(location.get("latitude")), _degrees(location.get("longitude"))
        if north is None and east is None:
            continue
        # Not a number, or one of the two missing, is in no range either.
        if not (
            north is not None
            and east is not None
            and SOUTH <= north <= NORTH
            and WEST <= east <= EAST
        ):
            where.wrong.add(PLACES)
            continue
        where.places.append((_plain_text(plain(location.get("name"))), north, east))
    for area in _listed(service, AREAS):
        if not isinstance(area, dict):
            where.wrong.add(AREAS)
            continue
        said = [text for key in ("extent", "uri", "name") if isinstance(text := area.get(key), str)]
        codes = [code for text in said for code in _GSS.findall(text.upper())]
        codes += [text for text in said if _ICB.fullmatch(text)]
        where.codes += codes
        where.areas_without_code += not codes
    for schedule in _listed(service, "schedules"):
        where.is_online |= bool(_ONLINE.search(plain(at(schedule, "attending_type"))))
    return where


def _read(source: Source, _lookups: Lookups) -> CleanLoad:
    services = _services(source)
    check = check_of(source, services, COLUMNS)
    index = check.frame.index
    for column in ("name", "organization.name"):
        check.frame[column] = check.frame[column].map(_plain_text).astype("str")
    confirmed = pd.Series(None, index, dtype=object)
    for column in DATES:
        # The day is all that is kept of a date with a time.
        check.frame[column] = check.frame[column].str.replace("[T ].*", "", regex=True)
        stated = check.date(column, required=False, latest=date(2100, 12, 31))
        confirmed = confirmed.where(confirmed.notna(), stated)
    ids, address = check.column("id"), check.column("url")
    identified = ids.str.fullmatch("[!-~]{1,64}")
    check.fail(~identified, ids, "id", "expected an id of 1 to 64 characters, without spaces")
    rows = pd.DataFrame(
        {
            "service_id": ids.where(identified),
            "service_name": check.text("name", most=MOST_CHARACTERS),
            "provider": check.text("organization.name", required=False, most=MOST_CHARACTERS),
            "status": check.one_of("status", STATUSES).fillna(OPEN),
            "minimum_age": check.number("minimum_age", required=False),
            "maximum_age": check.number("maximum_age", required=False),
            "confirmed_on": confirmed,
            # Any other kind of address could do something when it is clicked.
            "web_address": address.where(address.str.fullmatch(r"https?://[^\s<>\"']{1,500}")),
        }
    )
    rows["provider"] = rows["provider"].fillna(NOT_STATED)
    for column in ("minimum_age", "maximum_age"):
        impossible = (rows[column] > OLDEST).fillna(False)
        check.fail(impossible, check.column(column), column, f"expected an age up to {OLDEST}")
    backwards = (rows["maximum_age"] < rows["minimum_age"]).fillna(False)
    rule = "expected an age of at least the minimum age"
    check.fail(backwards, check.column("maximum_age"), "maximum_age", rule)
    where = pd.Series([_where(service) for service in services], index, dtype=object)
    for column, rule in NESTED.items():
        check.frame[column] = [plain(at(service, column)) for service in services]
        wrong = where.map(lambda found, column=column: column in found.wrong).astype(bool)
        check.fail(wrong, check.frame[column], column, rule)
    check.no_repeats(rows[["service_id"]], "id")
    good = check.finish_rows()

    said = check.frame["attending_type"] + " " + check.frame["attending_access"]
    online = said.str.contains(_ONLINE) | where.map(lambda found: found.is_online).astype(bool)
    # Not the page of a feed or its publisher: services move between the pages, and no file
    # says who publishes it. An entry replaces the entry with the same id, wherever it stands.
    rows = rows.assign(is_online=online, part_key=rows["service_id"])[good]
    is_open = rows["status"] == OPEN
    kept = rows[is_open].drop(columns="status")
    places = [
        (identity, identity, name or None, north, east)
        for identity, found in zip(kept["service_id"], where[kept.index], strict=True)
        for name, north, east in found.places
    ]
    areas = [
        (identity, identity, code)
        for identity, found in zip(kept["service_id"], where[kept.index], strict=True)
        for code in dict.fromkeys(found.codes)
    ]
    placed = {row[0] for row in places} | {row[0] for row in areas}
    nowhere = ~kept["service_id"].isin(placed) & ~kept["is_online"]
    without_code = sum(found.areas_without_code for found in where[kept.index])
    return CleanLoad(
        dataset=DATASET.name,
        file_name=source.name,
        sha256=source.sha256,
        rows_read=len(services),
        # A service that has closed takes its earlier entry out.
        parts=parts_of(rows),
        rows={
            "service": kept,
            "service_place": pd.DataFrame(
                places,
                columns=["part_key", "service_id", "place_name", "latitude", "longitude"],
            ),
            "service_area": pd.DataFrame(areas, columns=["part_key", "service_id", "area_code"]),
        },
        notes=(
            f"open services: {len(kept)}, of providers: {kept['provider'].nunique()}; "
            f"not open and left out: {(~is_open).sum()}",
            f"{nowhere.sum()} not placed: no place, no area with a code, and not online",
            f"{without_code} areas served without a code",
            f"{kept['confirmed_on'].isna().sum()} without a date",
            *_page_note(source),
        ),
        refused=check.refused(),
        rows_refused=int((~good).sum()),
    )


def _page_note(source: Source) -> list[str]:
    """Which page of a feed it is, so that nobody takes the first for the whole."""
    page, pages = (
        next((found for key in keys if isinstance(found := at(source.json, key), int)), None)
        for keys in (("page_number", "number"), ("total_pages", "totalPages"))
    )
    return [f"page {page} of {pages}: send the others too"] if page and (pages or 0) > 1 else []


DATASET = Dataset(
    "directory",
    "Directory of services, Open Referral UK",
    _recognises,
    _read,
    replaces="the services with the same id",
    parts="services",
)
