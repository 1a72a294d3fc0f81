"""Directory of services in the Open Referral UK form: what there is, and where.

One row per service. The form has no capacity, and its taxonomies do not map cleanly onto the
needs used here: neither is made up. Descriptions and contacts are not kept. What an earlier feed
of the same directory had, and this one has not, is closed.
"""

from __future__ import annotations

import html
import re
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pandas as pd

from dashboard.intake.dataset import LAD, WARD, Check, Dataset, Lookups, parts_of
from dashboard.intake.directory_report import (
    LIST,
    OLD_PAGE,
    PAGE,
    SINGLE,
    STATUSES,
    TAG,
    WEB_ADDRESS,
    Finding,
    Paging,
    report,
    report_in_short,
    report_lines,
)
from dashboard.intake.json_rows import EITHER, NUMBER, TEXT, at, check_of, is_of, plain
from dashboard.intake.problems import Problem, RefusedError
from dashboard.intake.services import fail_ages, postcode_places
from dashboard.intake.source import Source
from geodata.postcodes import normal_postcode
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
OPEN = STATUSES[0]
NOT_STATED = "not stated"
MOST_CHARACTERS = 250
# What it costs and how one gets in: longer, it is a description.
SHORT = 100
# A feed of which an earlier load has at least this share of its services is of the same directory.
LEAST_SHARE = 0.5
FREE = "free"
MOST_ENTRIES = 1_000_000_000
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
_SUM, _NOUGHT = re.compile("[1-9]"), re.compile(r"£?0+(\.0+)?")
_OPTION = ("option", "amount", "amount_description")
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
        markup = html.unescape(TAG.sub(" ", markup))
    return plain(re.sub(r"\s+", " ", plain(TAG.sub(" ", markup))))


@dataclass
class _Where:
    """What the nested lists of one service say of its places and areas."""

    # Name, latitude, longitude and postcode; without degrees, the postcode says where it is.
    places: list[tuple[str, float | None, float | None, str]] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)
    coordinates: int = 0
    wrong_coordinates: int = 0
    areas: int = 0
    areas_without_code: int = 0
    is_online: bool = False
    wrong: set[str] = field(default_factory=set)  # which of `NESTED` break their rule


def _listed(service: Any, key: str) -> list[Any]:
    """The objects of a nested list, or what stands there instead, to be refused."""
    found = service.get(key) if isinstance(service, dict) else None
    return [] if found is None else found if isinstance(found, list) else [found]


def _degrees(value: Any) -> float | None:
    try:
        return None if isinstance(value, bool) or value in (None, "") else float(value)
    except (TypeError, ValueError, OverflowError):
        return float("nan")


def _postcode(location: dict[str, Any]) -> str:
    """The first postcode of a location's addresses, in its normal form, or blank."""
    # `addresses` in version 3, `physical_addresses` in version 1.
    addresses = _listed(location, "addresses") + _listed(location, "physical_addresses")
    stated = (address.get("postal_code") for address in addresses if isinstance(address, dict))
    found = (normal_postcode(plain(text)) for text in stated if isinstance(text, str))
    return next(filter(None, found), "")


def _where(service: Any) -> _Where:
    where = _Where()
    for entry in _listed(service, PLACES):
        location = entry.get("location") if isinstance(entry, dict) else entry
        if location is None:
            continue
        if not isinstance(location, dict) or not is_of(location.get("name"), TEXT):
            where.wrong.add(PLACES)
            continue
        name, postcode = _plain_text(plain(location.get("name"))), _postcode(location)
        is_virtual = location.get("location_type") == "virtual"
        where.is_online |= is_virtual
        north, east = _degrees(location.get("latitude")), _degrees(location.get("longitude"))
        if north is None and east is None:
            # What is given nowhere may still have an office.
            if postcode and not is_virtual:
                where.places.append((name, None, None, postcode))
            continue
        where.coordinates += 1
        # Not a number, or one of the two missing, is in no range either.
        if not (
            north is not None
            and east is not None
            and SOUTH <= north <= NORTH
            and WEST <= east <= EAST
        ):
            where.wrong.add(PLACES)
            where.wrong_coordinates += 1
            continue
        where.places.append((name, north, east, postcode))
    for area in _listed(service, AREAS):
        if not isinstance(area, dict):
            where.wrong.add(AREAS)
            continue
        said = [text for key in ("extent", "uri", "name") if isinstance(text := area.get(key), str)]
        codes = [code for text in said for code in _GSS.findall(text.upper())]
        codes += [text for text in said if _ICB.fullmatch(text)]
        where.codes += codes
        where.areas += 1
        where.areas_without_code += not codes
    for schedule in _listed(service, "schedules"):
        where.is_online |= bool(_ONLINE.search(plain(at(schedule, "attending_type"))))
    return where


def _short(value: Any) -> str | None:
    """A text or number as it is stated, if it is short; nothing otherwise."""
    text = _plain_text(plain(value)) if is_of(value, NUMBER) else ""
    return text if 0 < len(text) <= SHORT else None


def _cost(service: Any) -> str | None:
    """What a person pays: "free" where every amount that is stated is 0, else as it is stated."""
    fees = at(service, "fees")
    said = _plain_text(plain(fees)) if is_of(fees, NUMBER) else ""
    options = [item for item in _listed(service, "cost_options") if isinstance(item, dict)]
    amounts = [item["amount"] for item in options if item.get("amount") not in (None, "")]
    is_nothing = all(_degrees(amount) == 0 for amount in amounts) and not _SUM.search(said)
    if is_nothing and (amounts or _NOUGHT.fullmatch(said)):
        return FREE
    told = []
    for item in options:
        option, amount, what = (_short(item.get(key)) for key in _OPTION)
        told.append(": ".join(filter(None, (option, " ".join(filter(None, (amount, what)))))))
    return _short(fees) or _short("; ".join(filter(None, told)))


def _access(service: Any) -> str | None:
    """How one gets in, where the service or a schedule of it says so in a few words."""
    stated = [at(service, "attending_access"), at(service, "access")]
    stated += [at(schedule, "attending_access") for schedule in _listed(service, "schedules")]
    return next(filter(None, map(_short, stated)), None)


def _read(source: Source, lookups: Lookups) -> CleanLoad:
    services = _services(source)
    today = date.today()
    check = check_of(source, services, COLUMNS)
    index = check.frame.index
    for column in ("name", "organization.name"):
        check.frame[column] = check.frame[column].map(_plain_text).astype("str")
    dates = _dates(check)
    confirmed = pd.Series(None, index, dtype=object)
    for stated in dates:
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
            "cost_to_person": pd.Series(map(_cost, services), index, dtype="str"),
            "access": pd.Series(map(_access, services), index, dtype="str"),
            "confirmed_on": confirmed,
            "web_address": address.where(address.str.fullmatch(WEB_ADDRESS)),
        }
    )
    rows["provider"] = rows["provider"].fillna(NOT_STATED)
    fail_ages(check, rows)
    where = pd.Series(map(_where, services), index, dtype=object)
    for column, rule in NESTED.items():
        check.frame[column] = [plain(at(service, column)) for service in services]
        wrong = where.map(lambda found, column=column: column in found.wrong).astype(bool)
        check.fail(wrong, check.frame[column], column, rule)
    check.no_repeats(rows[["service_id"]], "id")
    good = check.good_rows()

    said = check.frame["attending_type"] + " " + check.frame["attending_access"]
    online = said.str.contains(_ONLINE) | where.map(lambda found: found.is_online).astype(bool)
    # Not the page of a feed or its publisher: services move between the pages, and no file
    # says who publishes it. An entry replaces the entry with the same id, wherever it stands.
    rows = rows.assign(is_online=online, part_key=rows["service_id"])
    is_open = rows["status"] == OPEN
    places = _places(where)
    is_placed = online | index.isin(places.index) | where.map(lambda w: bool(w.codes)).astype(bool)
    paging = _paging(source)
    findings = report(
        _form(source),
        services,
        _facts(check, where, places).assign(
            confirmed_on=confirmed, is_open=is_open, is_placed=is_placed, is_left_out=~good
        ),
        paging,
        today,
    )
    _finish(check, findings)

    rows, is_open = rows[good], is_open[good]
    kept = rows[is_open].drop(columns="status")
    named = kept[["part_key", "service_id"]]
    areas = where[kept.index].map(lambda found: list(dict.fromkeys(found.codes))).explode()
    is_whole = _form(source) != SINGLE and paging.is_whole(len(services))
    closed_on = max((day for day in pd.concat(dates).dropna() if day <= today), default=today)
    closed, told = (
        _closed(lookups.directory_services(), set(ids), closed_on)
        if is_whole
        else (pd.Series(dtype="str"), [])
    )
    # A part of its own, that comes and goes with this load only.
    closure = f"closed by {source.sha256[:16]}"
    closures = pd.DataFrame({"service_id": closed}).assign(part_key=closure, closed_on=closed_on)
    return CleanLoad(
        dataset=DATASET.name,
        file_name=source.name,
        sha256=source.sha256,
        rows_read=len(services),
        # A service that has closed takes its earlier entry out.
        parts=pd.concat([parts_of(rows), parts_of(closures)], ignore_index=True),
        rows={
            "service": kept,
            "service_place": named.join(places, how="inner"),
            "service_area": named.join(areas.dropna().rename("area_code"), how="inner"),
            "service_closure": closures,
        },
        notes=(
            f"open services: {len(kept)}, of providers: {kept['provider'].nunique()}; "
            f"not open and left out: {(~is_open).sum()}",
            *told,
            *report_lines(findings),
        ),
        refused=check.refused(),
        rows_refused=int((~good).sum()),
    )


def _dates(check: Check) -> list[pd.Series[date]]:
    """The dates of each entry, column by column: the day is all that is kept of a time."""
    for column in DATES:
        check.frame[column] = check.frame[column].str.replace("[T ].*", "", regex=True)
    return [check.date(column, required=False, latest=date(2100, 12, 31)) for column in DATES]


def _places(where: pd.Series[Any]) -> pd.DataFrame:
    """One row per place that is known, indexed by the row of its service, in degrees.

    Its own point goes before its postcode. A postcode nobody knows is not kept.
    """
    columns = ["place_name", "latitude", "longitude", "postcode"]
    stated = where.map(lambda found: found.places).explode().dropna()
    frame = pd.DataFrame(stated.tolist(), stated.index, columns=columns)
    texts = frame[["place_name", "postcode"]].astype("str")
    found = postcode_places(postcode for postcode in texts["postcode"] if postcode)
    degrees = frame[["latitude", "longitude"]].astype("float64")
    has_point = degrees["latitude"].notna()
    by_postcode = found.reindex(texts["postcode"]).set_axis(degrees.index)
    degrees = degrees.where(has_point, by_postcode)
    frame[["latitude", "longitude"]] = degrees
    frame["place_name"] = texts["place_name"].where(texts["place_name"] != "")
    frame["postcode"] = texts["postcode"].where(texts["postcode"].isin(found.index))
    frame["placed_by"] = pd.Series("point", frame.index, dtype="str").where(has_point, "postcode")
    return frame[has_point | frame["postcode"].notna()]


def _facts(check: Check, where: pd.Series[Any], places: pd.DataFrame) -> pd.DataFrame:
    """One row per entry, of what its report is made of the text and numbers."""
    known = set(places["postcode"].dropna())
    postcodes = where.map(lambda found: [place[3] for place in found.places if place[3]])
    numbers = {
        name: where.map(lambda found, name=name: getattr(found, name)).astype("int64")
        for name in ("coordinates", "wrong_coordinates", "areas", "areas_without_code")
    }
    return pd.DataFrame(
        {
            "service_id": check.frame["id"],
            "name": check.frame["name"],
            "status": check.frame["status"],
            "organization": check.frame["organization.name"],
            "web_address": check.frame["url"],
            **numbers,
            "postcodes": postcodes.map(len).astype("int64"),
            "lost_postcodes": postcodes.map(
                lambda stated: sum(postcode not in known for postcode in stated)
            ).astype("int64"),
        }
    )


def _finish(check: Check, findings: list[Finding]) -> None:
    """Refuse a feed with too many bad entries, and say first what the report says."""
    try:
        check.finish_rows()
    except RefusedError as error:
        told = Problem(report_in_short(findings))
        raise RefusedError(error.file_name, [told, *error.problems]) from None


def _closed(
    earlier: pd.DataFrame, ids: Collection[str], closed_on: date
) -> tuple[pd.Series[str], list[str]]:
    """The services of earlier loads of the same directory that this feed has not, and notes.

    `earlier` has one row per service in force: load_id and service_id.
    """
    is_here = earlier["service_id"].isin(ids)
    share = is_here.groupby(earlier["load_id"]).transform("mean")
    gone = earlier["service_id"][~is_here & (share >= LEAST_SHARE)]
    others = int((share < LEAST_SHARE).sum())
    notes = []
    if len(gone):
        told = f"{len(gone)} services of the feed before are not in this one"
        notes.append(f"{told}: closed since {closed_on:%Y-%m-%d}")
    if others:
        notes.append(
            f"{others} services came in feeds of which fewer than half are in this one: "
            "taken for other directories, and none of them is closed"
        )
    return gone, notes


def _form(source: Source) -> str:
    """Which of its forms a feed has."""
    found = source.json
    if isinstance(found, list):
        return LIST
    return PAGE if "contents" in found else OLD_PAGE if "content" in found else SINGLE


def _paging(source: Source) -> Paging:
    """What a page says of the feed, in the words of version 3 or of version 1."""

    def stated(*keys: str) -> int | None:
        numbers = (at(source.json, key) for key in keys)
        # Who counts more than this counts something else.
        return next((n for n in numbers if type(n) is int and 0 <= n < MOST_ENTRIES), None)

    return Paging(
        stated("page_number", "number"),
        stated("total_pages", "totalPages"),
        stated("total_items", "totalElements"),
    )


DATASET = Dataset(
    "directory",
    "Directory of services, Open Referral UK",
    _recognises,
    _read,
    replaces="the services with the same id",
    parts="services",
)
