"""Everything that somebody can see: each page with each of its choices, and whatever it links to."""

from __future__ import annotations

import base64
import html
import io
import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import openpyxl
import pypdf
import pytest

from dashboard import filters, page_list
from tests.app.reading import View
from tests.app.test_routes import get

# So many options of each box are looked at: the others are alike.
OPTIONS = 2
# Chosen for the whole walk, the parts of a page, or what a plan assumes: each a plan to be solved.
FIXED = {filters.BOARD, filters.PCN, filters.MONTHS, filters.STALE, filters.PART, *filters.PLAN}
_LINKS = re.compile(
    r"/(?:table|export|brief|actions|ask|history|refusals|template|geo|pack)[/.?][^\s\"'<>\\)]*"
)
Address = tuple[tuple[str, str], ...]


@dataclass
class Seen:
    """The text of each page by path and address, and of each file by its address."""

    pages: dict[tuple[str, Address], str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    boxes: dict[tuple[str, Address], dict[str, list[str]]] = field(default_factory=dict)

    @property
    def text(self) -> str:
        return "\n".join([*self.pages.values(), *self.files.values()])


class Offers:
    """Which options each box of a run offers, by its name."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch):
        self.boxes: dict[str, list[str]] = {}
        for name in ("_pick", "switch"):
            monkeypatch.setattr(filters, name, self._noting(getattr(filters, name)))

    def _noting(self, original: Any) -> Any:
        def noted(*args: Any, **kwargs: Any) -> Any:
            # The label and the name come in either order.
            name = next(arg for arg in args[:2] if arg in filters.NAMES)
            self.boxes[name] = list(args[2])
            return original(*args, **kwargs)

        return noted


def look(page: str, **address: str) -> str:
    """Every string of a page that goes to the browser, numbers of figures and all."""
    view = View.open(page, address)
    assert not view.app.exception, (page, address, view.app.exception)
    said = view.everything()
    assert "could not be shown" not in said, (page, address, said[-500:])
    return "\n".join([said, *_arrays(view)])


def _arrays(view: View) -> Iterator[str]:
    """Numbers that a figure holds as bytes."""
    for element in view.elements():
        if element.type == "plotly_chart":
            yield from _numbers(json.loads(element.proto.spec))


def _numbers(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if "bdata" in value:
            array = np.frombuffer(base64.b64decode(value["bdata"]), np.dtype(value["dtype"]))
            yield " ".join(map(str, array.tolist()))
        for inside in value.values():
            yield from _numbers(inside)
    elif isinstance(value, list):
        for inside in value:
            yield from _numbers(inside)


def links(text: str) -> set[str]:
    """What a page fetches or leads to, beside the pages."""
    return {html.unescape(link).rstrip(".,:;") for link in _LINKS.findall(html.unescape(text))}


def read(address: str) -> str:
    """What a link answers as text, whatever kind of file it is; with its headers."""
    answer = get(address)
    headers = " ".join(map(str, answer.headers.items()))
    return f"{headers}\n{plain(answer.content)}"


def plain(body: bytes) -> str:
    """A file as text: a PDF's pages, a workbook's cells, and of an archive each file in it."""
    if body.startswith(b"%PDF"):
        pages = pypdf.PdfReader(io.BytesIO(body)).pages
        return "\n".join(page.extract_text() for page in pages)
    if body.startswith(b"PK"):
        archive = zipfile.ZipFile(io.BytesIO(body))
        inside = "\n".join(f"{name}\n{plain(archive.read(name))}" for name in archive.namelist())
        return "\n".join(
            [inside, *(_cells(body) if "xl/workbook.xml" in archive.namelist() else ())]
        )
    return body.decode("utf-8", "replace")


def _cells(body: bytes) -> Iterator[str]:
    for sheet in openpyxl.load_workbook(io.BytesIO(body), read_only=True):
        for row in sheet.iter_rows(values_only=True):
            yield " ".join(str(cell) for cell in row if cell is not None)


def walk(offers: Offers, **address: str) -> Seen:
    """Every page: each part, and options of each box in the first part that has it."""
    seen = Seen()
    for page in page_list.every_page():
        done = set(FIXED)
        for part in _parts(seen, offers, page, address):
            here = address | part
            boxes = _visit(seen, offers, page, here)
            for name in boxes.keys() - done:
                for option in boxes[name][:OPTIONS]:
                    _visit(seen, offers, page, here | ({name: option} if option else {}))
            done |= boxes.keys()
    return _with_files(seen)


def parts(offers: Offers, **address: str) -> Seen:
    """Every page and part at an address, and whatever they link to."""
    seen = Seen()
    for page in page_list.every_page():
        for part in _parts(seen, offers, page, address):
            _visit(seen, offers, page, address | part)
    return _with_files(seen)


def _with_files(seen: Seen) -> Seen:
    for link in sorted(links("\n".join(seen.pages.values()))):
        seen.files[link] = read(link)
    return seen


def _parts(seen: Seen, offers: Offers, page: str, address: dict[str, str]) -> list[dict[str, str]]:
    boxes = _visit(seen, offers, page, address)
    return [{filters.PART: part} for part in boxes.get(filters.PART, ())] or [{}]


def _visit(seen: Seen, offers: Offers, page: str, address: dict[str, str]) -> dict[str, list[str]]:
    """The boxes of a page at an address, which is opened once."""
    key = (page, tuple(sorted(address.items())))
    if key not in seen.pages:
        offers.boxes = {}
        seen.pages[key] = look(page, **address)
        seen.boxes[key] = offers.boxes
    return seen.boxes[key]
