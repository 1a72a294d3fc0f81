"""Fetches the published files of one board, when somebody asks for it.

Which files, and where they are: `intake/addresses.toml`. They are kept in a folder with a manifest
of where each came from, so that a second run goes on with what broke off and leaves what has not
changed. A file stands under its own name only when it is complete.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import tomllib
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qsl, unquote, urlencode, urljoin, urlsplit, urlunsplit

from dashboard.download import FetchError, Limits, Web, printable
from dashboard.intake.dataset import ICB, LAD
from dashboard.settings import LOCAL

ADDRESSES = Path(__file__).parent / "intake" / "addresses.toml"
FOLDER = LOCAL / "fetched"
DIRECTORY = "directory"  # the item that is there when the address of a directory is given

MOST_MONTHS = 6  # back from this month
MOST_NAME = 100  # characters of a file name
DISTRICTS_A_QUESTION = 50  # an address stays well below the 2,000 characters some proxies allow
MOST_PAGES = 1_000  # of a directory of services
SERVICES_A_PAGE = 500
MOST_MEMBERS = 100  # of a zip, and how much they may be together
MOST_UNPACKED = 2_000_000_000


@dataclass(frozen=True)
class Item:
    """One thing to fetch, of one of the three kinds that the list explains."""

    name: str
    title: str
    service: str = ""
    icb_field: str = ""
    lad_field: str = ""
    order: str = ""
    boundaries: bool = False
    page: str = ""
    link: str = ""
    members: str = ""
    address: str = ""
    file: str = ""


@dataclass(frozen=True)
class Addresses:
    """The list: what may be fetched, from the origins (scheme and host) that may be asked."""

    origins: frozenset[str]
    services: str
    portal: str
    items: tuple[Item, ...]
    page_size: int = 2000


def read_addresses(path: Path = ADDRESSES) -> Addresses:
    """The committed list; hosts are reached by https only."""
    found = tomllib.loads(path.read_text(encoding="utf-8"))
    return Addresses(
        origins=frozenset(f"https://{host}" for host in found["hosts"]),
        services=found["services"],
        portal=found["portal"],
        items=tuple(Item(**item) for item in found["item"]),
        page_size=found["page_size"],
    )


@dataclass(frozen=True)
class Fetched:
    """What became of one item: its files, or why there are none and what to do by hand."""

    name: str
    state: Literal["fetched", "unchanged", "failed"]
    paths: tuple[Path, ...]
    address: str
    why: str = ""
    by_hand: str = ""


class UsageError(ValueError):
    """What was asked for is not something that can be fetched."""


def fetch(
    icb_code: str,
    only: Sequence[str] = (),
    folder: Path | None = None,
    addresses: Addresses | None = None,
    *,
    directory: str | None = None,
    limits: Limits = Limits(),
    sleep: Callable[[float], None] | None = None,
    today: date | None = None,
    progress: Callable[[str], None] = lambda _words: None,
) -> list[Fetched]:
    """Fetch the items named, or all, for a board into the folder: one `Fetched` an item.

    `directory` is the address of an Open Referral UK feed of services; its origin may then be
    asked too. One item that fails does not hold up the others. `UsageError` when the code of the
    board or a name is none.
    """
    addresses = addresses or read_addresses()
    icb_code = icb_code.upper()
    if not re.fullmatch(ICB[0], icb_code):
        raise UsageError(f"{ICB[1]}, found {printable(icb_code)!r}")
    items = list(addresses.items)
    if directory is not None:
        added = _origin(directory)
        if added not in addresses.origins and not added.startswith("https://"):
            raise UsageError("expected the https address of a directory of services")
        addresses = replace(addresses, origins=addresses.origins | {added})
        items.append(Item(DIRECTORY, "Directory of services (Open Referral UK)", address=directory))
    known = [item.name for item in items]
    if unknown := [name for name in only if name not in known]:
        raise UsageError(
            f"{printable(unknown[0])!r} is nothing to fetch; there are: {', '.join(known)}"
        )
    web = Web(addresses.origins, limits, **({"sleep": sleep} if sleep else {}))
    run = _Run(
        icb_code,
        folder or FOLDER / icb_code,
        addresses,
        web,
        today or datetime.now().astimezone().date(),
        progress,
    )
    return [run.one(item) for item in items if not only or item.name in only]


def _origin(address: str) -> str:
    """Scheme and host of an address a person typed; nothing if it is none."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    whole = parts.hostname and "@" not in parts.netloc
    return f"{parts.scheme}://{parts.netloc}".lower() if whole else ""


@dataclass(frozen=True)
class Kept:
    """A line of the manifest: a file, or (without `sha256`) one that broke off."""

    address: str
    etag: str = ""
    last_modified: str = ""
    fetched_at: str = ""
    sha256: str = ""
    members: tuple[str, ...] = ()

    @property
    def validator(self) -> str:
        """What says that a file on the server is still the same to the byte; or nothing."""
        return self.etag if self.etag[:1] == '"' else self.last_modified


class Manifest:
    """Which file of the folder came from where, and when; kept as `manifest.json`."""

    def __init__(self, path: Path):
        self._path = path
        self._kept: dict[str, Kept] = {}
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            for name, line in found.items():
                members = tuple(str(member) for member in line.pop("members", ()))
                words = {str(key): str(value) for key, value in line.items()}
                self._kept[name] = Kept(**words, members=members)
        except FileNotFoundError:
            pass
        except (ValueError, TypeError, AttributeError, RecursionError):
            self._kept = {}  # damaged: everything is fetched again

    def get(self, name: str) -> Kept | None:
        return self._kept.get(name)

    def put(self, name: str, kept: Kept | None) -> None:
        """Note a file, or strike it out; on the disk at once."""
        if kept is None:
            self._kept.pop(name, None)
        else:
            self._kept[name] = kept
        lines = {name: asdict(kept) for name, kept in sorted(self._kept.items())}
        write_whole(self._path, json.dumps(lines, indent=1).encode())


def write_whole(path: Path, raw: bytes) -> None:
    """Write a file that is there whole or not at all."""
    part = path.with_name(f"{path.name}.part")
    part.write_bytes(raw)
    part.replace(path)


def file_name(item: str, name: str) -> str:
    """A name for a file of an item that is safe on every system, whatever a server called it."""
    safe = re.sub(r"[^A-Za-z0-9._-]+", "_", name).lstrip("._-")
    stem, dot, ending = safe.rpartition(".")
    ending = (dot + ending)[:10] if stem else ""
    return f"{item}-{stem or safe}"[: MOST_NAME - len(ending)] + ending


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _json(address: str, raw: bytes) -> Any:
    try:
        return json.loads(raw.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise FetchError(address, "expected JSON, found something else") from None


class _Links(HTMLParser):
    """The addresses of a page's links."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if tag == "a" and name == "href" and value]


def links(page: str, html: str, pattern: str) -> list[str]:
    """The addresses a page links to whose file name matches the pattern."""
    reader = _Links()
    reader.feed(html)
    found = []
    for link in reader.found:
        try:
            address = urljoin(page, link.strip())
        except ValueError:
            continue
        if re.fullmatch(pattern, linked_name(address)):
            found.append(address)
    return found


def linked_name(address: str) -> str:
    """The file name at the end of an address."""
    return unquote(urlsplit(address).path.rpartition("/")[2])


_MONTHS = (
    "",
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def pages_by_month(page: str, today: date) -> Iterator[tuple[str, str]]:
    """The addresses of a monthly page from this month backwards, and which month each is of."""
    if "{month}" not in page:
        yield page, ""
        return
    first = today.replace(day=1)
    for _ in range(MOST_MONTHS):
        last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
        # Not strftime: the name of the month must not depend on the machine's language.
        month = _MONTHS[last.month]
        yield (
            page.format(day=last.day, month=month.lower(), year=last.year),
            f"{month} {last.year}",
        )
        first = (first - timedelta(days=1)).replace(day=1)


@dataclass
class _Run:
    """One run for one board. What it asks more than once, it remembers."""

    icb_code: str
    folder: Path
    addresses: Addresses
    web: Web
    today: date
    progress: Callable[[str], None]
    _pages: dict[str, str] = field(default_factory=dict)
    _icb_records: list[dict[str, Any]] | FetchError | None = None

    @cached_property
    def manifest(self) -> Manifest:
        self.folder.mkdir(parents=True, exist_ok=True)
        return Manifest(self.folder / "manifest.json")

    def one(self, item: Item) -> Fetched:
        self.progress(item.title)
        address = item.address or item.page or self._service(item)
        try:
            if item.service:
                return self._features(item)
            if item.page:
                return self._published(item)
            if item.name == DIRECTORY:
                return self._directory(item)
            return self._file(item, item.address, item.file)
        except FetchError as error:
            address, why = error.address, error.why
        except OSError as error:  # those of the network are all FetchErrors
            why = f"it could not be written: {error.strerror or type(error).__name__}"
        return Fetched(item.name, "failed", (), address, why, self._by_hand(item, address))

    def _by_hand(self, item: Item, address: str) -> str:
        if item.name == DIRECTORY:
            return "open the address in a browser; ask the publisher for the address of its feed"
        if item.service:
            first = (
                f"open {self.addresses.portal} and search for {item.service!r} or for the newest "
                f"{item.title!r}; download it"
            )
        elif item.page:
            first = f"open {item.page.partition('{')[0]} in a browser and download {item.title!r}"
        else:
            first = f"open {address} in a browser and save what it gives"
        return (
            f"{first}, and run `python -m dashboard load FILE`. If the name or address changed, "
            f"correct it in {ADDRESSES.name}"
        )

    # --- what is written ------------------------------------------------------------------

    def _is_whole(self, name: str) -> bool:
        """Whether the file is still what the manifest says."""
        kept, path = self.manifest.get(name), self.folder / name
        return bool(
            kept and kept.sha256 and path.is_file() and _sha256(path) == kept.sha256
        ) and all(self._is_whole(member) for member in (kept.members if kept else ()))

    def _keep(self, item: Item, name: str, address: str, raw: bytes, why: str) -> Fetched:
        """Write what was put together here; unchanged if it is what stands there."""
        path = self.folder / name
        kept, digest = self.manifest.get(name), hashlib.sha256(raw).hexdigest()
        if kept and kept.sha256 == digest and self._is_whole(name):
            return Fetched(item.name, "unchanged", (path,), address, why)
        write_whole(path, raw)
        self.manifest.put(name, Kept(address, fetched_at=_now(), sha256=digest))
        return Fetched(item.name, "fetched", (path,), address, why)

    # --- files at an address --------------------------------------------------------------

    def _published(self, item: Item) -> Fetched:
        """The file a page links to; of a monthly page, the newest that has it."""
        tried = []
        for page, month in pages_by_month(item.page, self.today):
            tried.append(page)
            try:
                if page not in self._pages:
                    self._pages[page] = self.web.body(page).decode("utf-8", errors="replace")
            except FetchError as error:
                # Not there yet, or no longer. Any other fault must not end in an older month.
                if month and error.status in {404, 410}:
                    continue
                raise
            # A correction is published beside the file, with "_V2" at the end of the name.
            if found := sorted(links(page, self._pages[page], item.link), key=linked_name):
                return self._file(item, found[-1], linked_name(found[-1]), month)
        why = f"no link to a file named like {item.link!r} there"
        if len(tried) > 1:
            why += f", nor on the pages of the {len(tried) - 1} months before"
        raise FetchError(tried[0], why)

    def _file(self, item: Item, address: str, called: str, why: str = "") -> Fetched:
        name = file_name(item.name, called)
        before = self.manifest.get(name) if self._is_whole(name) else None
        self.web.patiently(lambda: self._download(item, name, address, before))
        kept, path = self.manifest.get(name), self.folder / name
        assert kept is not None
        is_new = before is None or before.sha256 != kept.sha256
        paths: tuple[Path, ...] = (path,)
        if item.members and path.suffix == ".zip":
            if not kept.members:
                kept = replace(kept, members=self._unpack(item, path, address))
                self.manifest.put(name, kept)
            paths = tuple(self.folder / member for member in kept.members)
        return Fetched(item.name, "fetched" if is_new else "unchanged", paths, address, why)

    def _download(self, item: Item, name: str, address: str, before: Kept | None) -> None:
        """Bring one file in, going on where it broke off if the server has the same file still."""
        path, part = self.folder / name, self.folder / f"{name}.part"
        begun = self.manifest.get(part.name)
        had = part.stat().st_size if begun and part.is_file() else 0
        headers = {}
        if begun and had and begun.address == address and begun.validator:
            headers = {"Range": f"bytes={had}-", "If-Range": begun.validator}
        elif before and before.address == address:
            asked = {"If-None-Match": before.etag, "If-Modified-Since": before.last_modified}
            headers = {header: value for header, value in asked.items() if value}
        try:
            answer = self.web.ask(address, headers)
        except FetchError as error:
            if error.status == 304:
                part.unlink(missing_ok=True)
                return
            if error.status == 416:
                part.unlink(missing_ok=True)
                raise FetchError(
                    address, "it does not go on where it broke off", again=True
                ) from None
            raise
        with answer:
            now = Kept(
                address,
                etag=answer.headers.get("ETag", ""),
                last_modified=answer.headers.get("Last-Modified", ""),
            )
            total = None
            if answer.status == 206:
                total = _resumed(answer.headers.get("Content-Range", ""), had)
                if total is None or begun is None or begun.validator != now.validator:
                    part.unlink(missing_ok=True)
                    why = "it changed while it was fetched"
                    raise FetchError(address, why, again=True)
            else:
                had = 0
                self.manifest.put(part.name, now)
            with part.open("ab" if had else "wb") as out:
                try:
                    for piece in self.web.pieces(address, answer, had):
                        out.write(piece)
                        had += len(piece)
                        self.progress(f"{item.title}: {had / 1e6:.1f} MB")
                except FetchError as error:
                    if not error.again:
                        out.truncate(0)  # there is nothing to go on with
                    raise
        if total is not None and had != total:
            raise FetchError(address, "the answer broke off", again=True)
        if part.stat().st_size != had:
            part.unlink()
            raise FetchError(address, "something else wrote to it meanwhile", again=True)
        if fault := _wrong_content(part, name):
            part.unlink()
            raise FetchError(address, fault)
        digest = _sha256(part)
        members = before.members if before and before.sha256 == digest else ()
        part.replace(path)
        self.manifest.put(part.name, None)
        self.manifest.put(name, replace(now, fetched_at=_now(), sha256=digest, members=members))

    def _unpack(self, item: Item, path: Path, address: str) -> tuple[str, ...]:
        """Take the files that match out of a zip, each written whole; their names."""
        names: dict[str, str] = {}
        room = MOST_UNPACKED
        try:
            with zipfile.ZipFile(path) as archive:
                for entry in archive.infolist():
                    called = entry.filename.replace("\\", "/")
                    if entry.is_dir() or not re.fullmatch(item.members, called.rpartition("/")[2]):
                        continue
                    name = file_name(item.name, called)
                    if name.lower() in names or len(names) == MOST_MEMBERS:
                        raise FetchError(address, "the zip holds too many files, or one twice")
                    names[name.lower()] = name
                    room -= self._unpack_one(archive, entry, name, address, room)
            if not names:
                raise FetchError(address, f"the zip holds no file named like {item.members!r}")
        # A zip with a password is a RuntimeError, one packed in an unknown way NotImplementedError.
        except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError) as error:
            self.manifest.put(path.name, None)  # it may have been damaged on the way
            raise FetchError(address, "the zip file is damaged") from error
        return tuple(names.values())

    def _unpack_one(
        self, archive: zipfile.ZipFile, entry: zipfile.ZipInfo, name: str, address: str, room: int
    ) -> int:
        most = min(room, self.web.limits.most_bytes)
        part, digest, size = self.folder / f"{name}.part", hashlib.sha256(), 0
        with archive.open(entry) as packed, part.open("wb") as out:
            while piece := packed.read(1_000_000):
                size += len(piece)
                if size > most:
                    out.close()
                    part.unlink()
                    raise FetchError(address, f"the zip unpacks to more than {most:,} bytes")
                digest.update(piece)
                out.write(piece)
        part.replace(self.folder / name)
        self.manifest.put(name, Kept(address, fetched_at=_now(), sha256=digest.hexdigest()))
        return size

    # --- ONS feature services -------------------------------------------------------------

    def _service(self, item: Item) -> str:
        return f"{self.addresses.services}/{item.service}/FeatureServer/0/query"

    def _features(self, item: Item) -> Fetched:
        """The board's records of a service, as the file one would download by hand."""
        if item.icb_field:
            records = self._of_icb()
        else:
            districts = self._districts()
            records = []
            for start in range(0, len(districts), DISTRICTS_A_QUESTION):
                some = ",".join(
                    f"'{code}'" for code in districts[start : start + DISTRICTS_A_QUESTION]
                )
                records += self._records(item, f"{item.lad_field} IN ({some})")
            there = {value_of(_facts(record), item.lad_field) for record in records}
            if missing := sorted(set(districts) - there):
                why = (
                    f"it has nothing for {', '.join(missing)}, districts of {self.icb_code}: the "
                    "services listed are of different years"
                )
                raise FetchError(self._service(item), why)
        if item.boundaries:
            raw = json.dumps({"type": "FeatureCollection", "features": records}).encode()
        else:
            raw = _as_csv([_facts(record) for record in records])
        ending = "geojson" if item.boundaries else "csv"
        name = file_name(item.name, f"{item.service}.{ending}")
        return self._keep(item, name, self._service(item), raw, f"{len(records):,} records")

    def _of_icb(self) -> list[dict[str, Any]]:
        """The records of the lookup that says what the board consists of; asked once."""
        item = next(item for item in self.addresses.items if item.icb_field)
        if self._icb_records is None:
            try:
                # The code was checked: it consists of letters and digits.
                found = self._records(item, f"{item.icb_field}='{self.icb_code}'")
                if not found:
                    why = (
                        f"it has no record with {item.icb_field} {self.icb_code}: boards were "
                        "merged and got new codes in April 2026"
                    )
                    raise FetchError(self._service(item), why)
                self._icb_records = found
            except FetchError as error:
                self._icb_records = error
        if isinstance(self._icb_records, FetchError):
            raise self._icb_records
        return self._icb_records

    def _districts(self) -> list[str]:
        item = next(item for item in self.addresses.items if item.icb_field)
        found = {str(value_of(_facts(record), item.lad_field)) for record in self._of_icb()}
        if not all(re.fullmatch(LAD[0], code) for code in found):
            raise FetchError(self._service(item), f"{LAD[1]} in {item.lad_field}")
        return sorted(found)

    def _records(self, item: Item, where: str) -> list[dict[str, Any]]:
        """Every record of a service that meets the condition, in pages, counted beforehand.

        Counted, since a page may hold fewer records than asked for and not be the last.
        """
        address = self._service(item)
        counted = self._ask(address, {"where": where, "returnCountOnly": "true", "f": "json"})
        count = counted.get("count")
        if not isinstance(count, int):
            raise FetchError(address, "it does not say how many records there are")
        records: list[dict[str, Any]] = []
        seen: set[object] = set()
        while len(records) < count:
            page = self._ask(
                address,
                {
                    "where": where,
                    "outFields": "*",
                    "outSR": "4326",
                    "returnGeometry": str(item.boundaries).lower(),
                    "orderByFields": item.order,
                    "resultOffset": str(len(records)),
                    "resultRecordCount": str(self.addresses.page_size),
                    "f": "geojson" if item.boundaries else "json",
                },
            )
            found = page.get("features")
            if not isinstance(found, list) or not all(_facts(record) for record in found):
                raise FetchError(address, "expected features, found something else")
            keys = {value_of(_facts(record), item.order) for record in found}
            if len(keys) < len(found) or keys & seen or None in keys:
                raise FetchError(address, f"its pages repeat records, or lack {item.order}")
            if not found or len(records) + len(found) > count:
                why = f"it counts {count:,} records and gives {len(records) + len(found):,}"
                raise FetchError(address, why)
            seen |= keys
            records += found
            self.progress(f"{item.title}: {len(records):,} of {count:,} records")
        return records

    def _ask(self, address: str, parameters: Mapping[str, str]) -> dict[str, Any]:
        """The JSON answer of a service, whose errors come with the status of success."""

        def once() -> dict[str, Any]:
            asked = f"{address}?{urlencode(parameters)}"
            with self.web.ask(asked) as answer:
                found = _json(address, b"".join(self.web.pieces(address, answer)))
            if not isinstance(found, dict):
                raise FetchError(address, "expected a JSON object, found something else")
            if error := found.get("error"):
                error = error if isinstance(error, dict) else {"message": error}
                code = error.get("code")
                why = f"the service answered {printable(code)} {printable(error.get('message'))}"
                raise FetchError(address, why, again=code in {429, 500, 502, 503, 504})
            return found

        return self.web.patiently(once)

    # --- a directory of services ----------------------------------------------------------

    def _directory(self, item: Item) -> Fetched:
        """All pages of an Open Referral UK feed, version 3 or 1, as one page of the same form."""
        address, size = item.address, 0
        services: list[object] = []
        form, stated, before = _FEEDS[0], None, None
        number = 1
        last: Any = 1
        while number <= last:
            raw = self.web.body(_page_of(address, number))
            size += len(raw)
            if size > self.web.limits.most_bytes:
                most = f"{self.web.limits.most_bytes:,} bytes"
                raise FetchError(address, f"its pages have more than {most}")
            page = _json(address, raw)
            page = page if isinstance(page, dict) else {}
            if number == 1:
                form = next((feed for feed in _FEEDS if feed.services in page), form)
                last, stated = page.get(form.pages), page.get(form.total)
            found = page.get(form.services)
            if not isinstance(found, list) or not isinstance(last, int):
                raise FetchError(address, f"page {number} is not of an Open Referral UK feed")
            if last > MOST_PAGES:
                raise FetchError(address, f"it has more than {MOST_PAGES:,} pages")
            if found and found == before:
                raise FetchError(address, f"page {number} repeats the page before it")
            before = found
            services += found
            self.progress(f"{item.title}: page {number} of {last}")
            number += 1
        why = f"{len(services):,} services"
        if stated not in (None, len(services)):
            why += f"; the feed says it has {printable(stated)}"
        whole = {form.total: stated, form.pages: 1, form.services: services}
        name = file_name(item.name, f"{urlsplit(address).netloc}.json")
        return self._keep(item, name, address, json.dumps(whole).encode(), why)


@dataclass(frozen=True)
class _Feed:
    """What the parts of an Open Referral UK answer are called in one version."""

    services: str
    pages: str
    total: str


_FEEDS = (
    _Feed("contents", "total_pages", "total_items"),  # version 3
    _Feed("content", "totalPages", "totalElements"),  # version 1
)


def _page_of(address: str, number: int) -> str:
    """The address of a page of a feed; what else the address asks for stays."""
    parts = urlsplit(address)
    asked = {"per_page": str(SERVICES_A_PAGE)} | dict(parse_qsl(parts.query))
    asked["page"] = str(number)
    return urlunsplit(parts._replace(query=urlencode(asked), fragment=""))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _resumed(content_range: str, had: int) -> int | None:
    """The whole size by a Content-Range that goes on after the first `had` bytes, or `None`."""
    match = re.fullmatch(r"bytes (\d+)-\d+/(\d+)", content_range)
    return int(match[2]) if match and int(match[1]) == had else None


def _wrong_content(path: Path, name: str) -> str:
    """Why a file cannot be what its name says, by its first bytes; or nothing."""
    with path.open("rb") as stream:
        start = stream.read(1000).removeprefix(b"\xef\xbb\xbf").lstrip()
    if not start:
        return "it is empty"
    is_zip, ending = start[:4] == b"PK\x03\x04", Path(name).suffix.lower()
    if start[:1] == b"<":
        return f"a web page came where a {ending} file was expected"
    # A report is sent as a zip at times, and taken as such.
    if ending in {".zip", ".xlsx"} and not is_zip:
        return f"something else came where a {ending} file was expected"
    return ""


def _facts(record: object) -> dict[str, Any]:
    """What a record says: `attributes` of JSON, `properties` of GeoJSON; nothing if neither."""
    if not isinstance(record, dict):
        return {}
    facts = record.get("attributes") or record.get("properties")
    return facts if isinstance(facts, dict) else {}


def value_of(facts: Mapping[str, Any], name: str) -> Any:
    """The value of a field; some services write `wd23cd` for `WD23CD`."""
    return next((value for key, value in facts.items() if key.lower() == name.lower()), None)


def _as_csv(rows: Sequence[Mapping[str, Any]]) -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()
