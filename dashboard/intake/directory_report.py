"""How well a feed keeps to the Open Referral UK form: what passes, what to look at, what fails."""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import chain
from typing import Any

import pandas as pd

from dashboard.intake.json_rows import at, plain

PASS, WARN, FAIL = LEVELS = ("pass", "warn", "fail")
PAGE, OLD_PAGE, LIST, SINGLE = (
    "entries stand in a page of version 3",
    "entries stand in a page of version 1: there is a version 3",
    "entries stand in a plain list: the form has pages",
    "entries: a single service",
)
STATUSES = ("active", "inactive", "defunct", "temporarily closed")
# Any other kind of address could do something when it is clicked.
WEB_ADDRESS = r"https?://[^\s<>\"']{1,500}"
# Schema of the profile, `format`: uuid and email. Addresses are looked at, and never kept.
UUID = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
TAG = re.compile(r"</?[a-z][^<>]*>|<!--[^<>]*-->", re.IGNORECASE)
# The lists of a service in version 3; each object in them must have an id (schema of the
# Open Referral UK profile).
TABLES = (
    "schedules", "service_areas", "service_at_locations", "languages", "funding", "cost_options",
    "contacts", "attributes",
)  # fmt: skip
# What a service of version 3 may have (schema/service.json of the profile), and of version 1.
KEYS = {
    "id", "organization_id", "name", "description", "url", "email", "status", "fees",
    "accreditations", "minimum_age", "maximum_age", "assured_date", "assurer_email", "alert",
    "last_modified", "organization", *TABLES,
}  # fmt: skip
OLD_KEYS = KEYS | {
    "deliverable_type", "attending_type", "attending_access", "fundings", "regular_schedules",
    "holiday_schedules", "eligibilitys", "reviews", "service_taxonomys",
}  # fmt: skip
TERMS = ("attributes", "service_taxonomys")
TEXTS = (
    "name", "description", "alert", "fees", "accreditations", "organization.name",
    "organization.description",
)  # fmt: skip
MOST_NAMED, MOST_CHARACTERS = 5, 40


@dataclass(frozen=True)
class Finding:
    """One check of a feed, as a sentence: of `total`, `count` are what the title says.

    They are those that are well when the level is "pass", and those that are not otherwise.
    """

    level: str
    title: str
    count: int
    total: int

    def __str__(self) -> str:
        return f"{self.level}: {self.count:,} of {self.total:,} {self.title}"


@dataclass(frozen=True)
class Paging:
    """What a feed says of its pages and entries; `None` where it says nothing."""

    page: int | None = None
    pages: int | None = None
    items: int | None = None

    def is_whole(self, entries: int) -> bool:
        """Whether these entries are the whole feed, as far as it says."""
        return (self.pages or 1) <= 1 and (self.items or 0) <= entries


def report(
    form: str, services: Sequence[Any], facts: pd.DataFrame, paging: Paging, today: date
) -> list[Finding]:
    """The checks that have something to check, what fails first.

    `facts` has one row per entry: `service_id`, `name`, `status`, `organization` and
    `web_address` as texts, `confirmed_on`, and `is_open`, `is_placed`, `is_left_out`; of its
    locations and areas the numbers `coordinates`, `wrong_coordinates`, `postcodes`,
    `lost_postcodes`, `areas`, `areas_without_code`.
    """
    found = [
        finding
        for finding in chain(
            _of_the_form(form, services, paging),
            _of_the_entries(facts, today),
            _of_places(facts),
            _of_what_is_read(facts),
        )
        if finding.total
    ]
    return sorted(found, key=lambda finding: LEVELS.index(finding.level), reverse=True)


def report_lines(findings: Sequence[Finding]) -> list[str]:
    """The report as lines: how many checks went how, then each of them."""
    return [_summary(findings), *map(str, findings)]


def report_in_short(findings: Sequence[Finding]) -> str:
    """The report in one line: how many checks went how, and what fails."""
    return "; ".join([_summary(findings), *(str(f) for f in findings if f.level == FAIL)])


def _summary(findings: Sequence[Finding]) -> str:
    counts = Counter(finding.level for finding in findings)
    told = ", ".join(f"{counts[level]} {level}" for level in LEVELS)
    return f"Open Referral UK report: {told}"


def _judged(level: str, wrong: float, total: float, if_wrong: str, if_well: str) -> Finding:
    """Passed when nothing is wrong, at this level otherwise."""
    if wrong:
        return Finding(level, if_wrong, int(wrong), int(total))
    return Finding(PASS, if_well, int(total), int(total))


def _of_the_form(form: str, services: Sequence[Any], paging: Paging) -> Iterator[Finding]:
    entries = len(services)
    is_older = form in (OLD_PAGE, LIST)
    yield Finding(WARN if is_older else PASS, form, entries, entries)
    if paging.pages is not None:
        which = "" if paging.page is None else f" (page {paging.page})"
        wrong = f"pages{which}: send the others too"
        if paging.pages > 1:
            yield Finding(WARN, wrong, 1, paging.pages)
        else:
            yield Finding(PASS, "pages are here", 1, 1)
    if paging.items is not None and (paging.pages or 1) <= 1:
        is_so = paging.items == entries
        title = "entries are here" + ("" if is_so else f"; the feed says it has {paging.items:,}")
        yield Finding(PASS if is_so else WARN, title, entries, max(paging.items, entries))
    objects = [service for service in services if isinstance(service, dict)]
    keys = list(dict.fromkeys(key for service in objects for key in service))
    foreign = [key for key in keys if key not in (OLD_KEYS if form == OLD_PAGE else KEYS)]
    named = [plain(key)[:MOST_CHARACTERS] for key in foreign[:MOST_NAMED]]
    more = f" and {len(foreign) - MOST_NAMED} more" if len(foreign) > MOST_NAMED else ""
    yield _judged(
        WARN,
        len(foreign),
        len(keys),
        f"keys are not of the form: {', '.join(named)}{more}",
        "keys are of the form",
    )
    if form != OLD_PAGE:
        nested = [item for service in objects for item in _nested(service)]
        yield _judged(
            WARN,
            sum(not plain(at(item, "id")) for item in nested),
            len(nested),
            "organisations, places and other things within the entries have no id",
            "organisations, places and other things within the entries have an id",
        )
    emails = [email for service in objects if (email := service.get("email")) not in (None, "")]
    good = [isinstance(email, str) and bool(EMAIL.fullmatch(email)) for email in emails]
    yield _judged(
        WARN,
        len(good) - sum(good),
        len(good),
        "e-mail addresses are none",
        "e-mail addresses can be written to",
    )
    with_html = sum(any(_has_html(at(service, text)) for text in TEXTS) for service in objects)
    yield _judged(
        WARN,
        with_html,
        entries,
        "entries have HTML in their text: it is taken out",
        "entries have plain text",
    )
    without = sum(not any(service.get(key) for key in TERMS) for service in objects)
    yield _judged(
        WARN,
        without,
        entries,
        "entries have no terms of a taxonomy: no need themes, the local return gives them",
        "entries have terms of a taxonomy; the need themes come from the local return",
    )


def _nested(service: dict[Any, Any]) -> Iterator[Any]:
    """The objects of the form within a service: its organisation, its lists, its locations."""
    for key in TABLES:
        found = service.get(key)
        for item in found if isinstance(found, list) else []:
            yield item
            if location := at(item, "location"):
                yield location
    if organization := service.get("organization"):
        yield organization


def _has_html(text: Any) -> bool:
    return isinstance(text, str) and bool(TAG.search(text) or html.unescape(text) != text)


def _of_the_entries(facts: pd.DataFrame, today: date) -> Iterator[Finding]:
    entries = len(facts)
    for column, called in (("service_id", "an id"), ("name", "a name"), ("status", "a status")):
        blank = (facts[column] == "").sum()
        no = called.replace("an ", "no ").replace("a ", "no ")
        yield _judged(FAIL, blank, entries, f"entries have {no}", f"entries have {called}")
    ids = facts["service_id"][facts["service_id"] != ""]
    yield _judged(
        FAIL, ids.duplicated().sum(), len(ids), "ids stand in an earlier entry", "ids stand once"
    )
    others = ~ids.str.fullmatch(UUID, flags=re.IGNORECASE)
    yield _judged(WARN, others.sum(), len(ids), "ids are no UUIDs", "ids are UUIDs")
    said = facts["status"][facts["status"] != ""]
    unknown = ~said.str.casefold().isin(STATUSES)
    yield _judged(
        FAIL, unknown.sum(), len(said), "states are not of the form", "states are of the form"
    )
    yield _judged(
        WARN,
        (facts["organization"] == "").sum(),
        entries,
        "entries name no organisation",
        "entries name their organisation",
    )
    dates = facts["confirmed_on"].dropna()
    yield _judged(
        WARN,
        entries - len(dates),
        entries,
        "entries have no date on which they were assured or modified",
        "entries have a date on which they were assured or modified",
    )
    yield _judged(
        WARN,
        sum(day > today for day in dates),
        len(dates),
        "dates lie in the future",
        "dates are not in the future",
    )
    addresses = facts["web_address"][facts["web_address"] != ""]
    yield _judged(
        WARN,
        (~addresses.str.fullmatch(WEB_ADDRESS)).sum(),
        len(addresses),
        "addresses of web pages are none, and left out",
        "addresses of web pages can be opened",
    )


def _of_places(facts: pd.DataFrame) -> Iterator[Finding]:
    total = facts.select_dtypes("number").sum()
    yield _judged(
        FAIL,
        total["wrong_coordinates"],
        total["coordinates"],
        "places lie outside the British Isles",
        "places lie in the British Isles",
    )
    yield _judged(
        WARN,
        total["lost_postcodes"],
        total["postcodes"],
        "postcodes were not found",
        "postcodes were found",
    )
    is_open = facts[facts["is_open"]]
    yield _judged(
        WARN,
        (~is_open["is_placed"]).sum(),
        len(is_open),
        "open services are not placed: no place, no area with a code, and not online",
        "open services are placed, or online",
    )
    yield _judged(
        WARN,
        total["areas_without_code"],
        total["areas"],
        "areas served have no code",
        "areas served have a code",
    )


def _of_what_is_read(facts: pd.DataFrame) -> Iterator[Finding]:
    yield _judged(
        FAIL,
        facts["is_left_out"].sum(),
        len(facts),
        "entries break a rule and are left out",
        "entries can be read",
    )
