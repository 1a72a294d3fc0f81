"""A page as a test reads it: its words, its markup, its figure, its boxes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

from google.protobuf.json_format import MessageToDict
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Block, Element
from streamlit.util import calc_hash

ROOT = Path(__file__).resolve().parent.parent.parent
MAIN = ROOT / "dashboard" / "main.py"
QUESTION = "Which wards have no social prescribing?"


@dataclass
class View:
    """A session of the whole app; ask again after each change."""

    app: AppTest

    @classmethod
    def open(cls, page: str, address: Mapping[str, str]) -> View:
        app = AppTest.from_file(MAIN, default_timeout=30)
        for name, value in address.items():
            app.query_params[name] = value
        # Straight to the page, as a browser asks for it: `switch_page` needs a run of the first.
        app._page_hash = calc_hash(page)
        return cls(app.run())

    def go_to(self, page: str) -> View:
        self.app.switch_page(f"../pages/{page}.py").run()
        return self

    def choose(self, name: str, value: str) -> View:
        """Choose by code in the select box of this name."""
        self.app.selectbox(key=name).set_value(value).run()
        return self

    def has_box(self, name: str) -> bool:
        return any(box.key == name for box in self.app.selectbox)

    def value(self, name: str) -> str:
        return str(self.app.selectbox(key=name).value)

    def options(self, name: str) -> list[str]:
        return list(self.app.selectbox(key=name).options)

    @property
    def address(self) -> dict[str, str]:
        return {
            name: value if isinstance(value, str) else value[-1]
            for name, value in self.app.query_params.items()
        }

    def elements(self) -> Iterator[Element]:
        yield from _leaves(self.app._tree)

    def everything(self) -> str:
        """Every string that is sent to the browser, whatever element it is in."""
        return "\n".join(text for element in self.elements() for text in _strings(_plain(element)))

    def markup(self) -> list[str]:
        """The bodies of our own markup on the page itself, styles and empty places left out."""
        bodies = [e.proto.body for e in _leaves(self.app.main) if e.type == "html"]
        return [body for body in bodies if not body.startswith("<style>") and body != "<p></p>"]

    def beside(self) -> list[str]:
        """The same of what stands beside every page."""
        return [e.proto.body for e in _leaves(self.app.sidebar) if e.type == "html"]

    def words(self) -> str:
        """The text of our own markup, and of headings."""
        read = "\n".join(Markup.of(body).text for body in self.markup())
        headings = [e.proto.body for e in self.elements() if e.proto.DESCRIPTOR.name == "Heading"]
        return "\n".join([read, *headings])

    def part(self, class_name: str) -> str:
        """The text of the first piece of markup that holds this class."""
        return next(Markup.of(m).text for m in self.markup() if f'class="{class_name}"' in m)

    @property
    def panel(self) -> str:
        """The heading of the picked ward's panel; "" without one."""
        ours = [Markup.of(body).text for body in self.markup() if 'id="ward"' in body]
        theirs = [heading.value for heading in self.app.subheader if heading.anchor == "ward"]
        return next(iter([*ours, *theirs]), "")

    @property
    def chosen_words(self) -> str:
        return next(Markup.of(body).texts["chosen"] for body in self.markup() if "chosen" in body)

    def figure(self, name: str) -> dict[str, Any]:
        spec = next(
            e.proto.spec
            for e in self.elements()
            if e.type == "plotly_chart" and e.proto.id.endswith(f"-{name}")
        )
        found: dict[str, Any] = json.loads(spec)
        return found

    def has_figure(self, name: str) -> bool:
        return any(
            e.type == "plotly_chart" and e.proto.id.endswith(f"-{name}") for e in self.elements()
        )

    def table_data(self) -> dict[str, str]:
        """What the page tells the table: where to fetch, and what is picked."""
        protos = [e.proto for e in self.elements() if e.type == "bidi_component"]
        found: dict[str, str] = json.loads(
            next(proto.json for proto in protos if proto.component_name.endswith("board_table"))
        )
        return found


class Markup(HTMLParser):
    """Markup read as a browser reads it: which tags, which attributes, which text."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str]] = []
        self.pieces: list[str] = []
        self.texts: dict[str, str] = {}
        self._class = ""
        self._is_folded = False

    @classmethod
    def of(cls, body: str) -> Markup:
        found = cls()
        found.feed(body)
        found.close()
        return found

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        self._class = dict(attrs).get("class") or ""
        self._is_folded |= tag == "details"

    def handle_endtag(self, tag: str) -> None:
        self._is_folded &= tag != "details"

    def handle_data(self, data: str) -> None:
        # The definition of a figure is folded away until somebody opens it.
        if self._is_folded:
            return
        self.pieces.append(data)
        if self._class:
            self.texts.setdefault(self._class, data)

    @cached_property
    def text(self) -> str:
        return " ".join(self.pieces)


def _leaves(block: Block) -> Iterator[Element]:
    for child in block.children.values():
        if isinstance(child, Block):
            yield from _leaves(child)
        else:
            yield child


def _plain(element: Element) -> Any:
    found = MessageToDict(element.proto)
    # Streamlit writes figures with escapes: read as JSON they are what the browser reads.
    if element.type == "plotly_chart":
        found["spec"] = json.loads(element.proto.spec)
    return found


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inside in value.items():
            yield str(name)
            yield from _strings(inside)
    elif isinstance(value, list):
        for inside in value:
            yield from _strings(inside)
    else:
        yield str(value)


def sound(view: View) -> View:
    """The same view, in which nothing went wrong."""
    assert not view.app.exception
    assert "could not be shown" not in view.everything()
    return view


def follow(view: View, **address: str) -> View:
    """What a link to the same page does, without the Coverage page before it."""
    view.app.query_params.clear()
    for name, value in address.items():
        view.app.query_params[name] = value
    view.app.run()
    return sound(view)


def each_part(view: View, parts: Iterable[str], **address: str) -> Iterator[str]:
    """Every part of a page at an address, as its switch names it, while the view shows it: drawn
    whole, with headings in order and each anchor once."""
    for part in parts:
        follow(view, part=part, **address)
        body = "".join(view.markup())
        assert view.address["part"] == part
        assert body.count("<h1>") == 1
        levels = re.findall(r"<h([1-6])[ >]", body)
        assert max(int(after) - int(before) for before, after in pairwise(levels)) == 1
        anchors = re.findall(r' id="([^"]+)"', body)
        assert len(anchors) == len(set(anchors))
        assert part in anchors
        yield part
