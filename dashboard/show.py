"""The only way to the screen: each element takes what has passed the disclosure gate, and every
value is escaped."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import date
from functools import lru_cache
from html import escape
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import streamlit as st

from dashboard import components
from dashboard.charts import Figure
from dashboard.charts.area_canvas import AreaCanvas, as_data
from dashboard.charts.area_map import CROSS, RING, SQUARE, AreaGroup, AreaMark, PointGroup
from dashboard.data import once
from dashboard.returns_view import Grid
from dashboard.rules.disclosure import PROFILES, Released
from dashboard.rules.measures import help_of
from dashboard.rules.returns import ReturnState
from dashboard.settings import settings
from dashboard.style import Theme, day
from queries.frames import each_row

if TYPE_CHECKING:
    # Its writer is not needed to draw a page.
    from dashboard.pack.brief_pdf import Brief

_CSS = "".join(
    (components.FOLDER / f"{name}.css").read_text(encoding="utf-8")
    for name in ("page", "everywhere", "print")
)
# A cell of a column of numbers: a figure with its sign and unit, a mark for none, or nothing.
_NUMBER = re.compile(r"([-+−]?£?[\d,.]+( ?%)?( \([\d,.]+( to [\d,.]+)?\))?|\*|–|\?|)")
# Rows drawn at first; the rest by a button, so that a long table does not hold up the page.
ROWS_AT_FIRST = 100
# A page has about five small tables.
TABLES_KEPT = 200
FIRST_FILES = "Ward boundaries and the LSOA lookups come first: they say which wards there are."

_TABLE = st.components.v2.component(
    "board_table",
    html=components.style("table") + '<div class="board-table"></div>',
    js=components.script("table"),
)
_CANVAS = st.components.v2.component(
    "area_canvas",
    html=components.style("area_canvas")
    + (components.FOLDER / "area_canvas.html").read_text(encoding="utf-8"),
    js=components.script("area_canvas"),
)


class NotReleasedError(TypeError):
    """Something was to be shown that has not passed the disclosure gate."""


@dataclass(frozen=True)
class Tile:
    """One number with its unit and what it is of; `note` says what is missing.

    `spark` is the same series by month, oldest first, for the eye alone: the words say it too.
    """

    label: str
    value: str
    unit: str
    note: str = ""
    spark: Sequence[float | None] = ()


@dataclass(frozen=True)
class Chip:
    """How fresh one source is: in words and a sign, never by colour alone."""

    source: str
    words: str
    state: str  # fresh, ageing, late or missing


# A source older than this is ageing, and older than that late; published files come monthly.
AGEING_DAYS, LATE_DAYS = 62, 124


def dated_chip(source: str, newest: date | None, as_at: date) -> Chip:
    """How fresh a source is that comes month by month, by its newest date."""
    if newest is None:
        return Chip(source, "no return", "missing")
    age = (as_at - newest).days
    state = "fresh" if age <= AGEING_DAYS else "ageing" if age <= LATE_DAYS else "late"
    return Chip(source, day(newest) + ("" if state == "fresh" else f", {state}"), state)


@dataclass(frozen=True)
class Cell:
    """One cell of a table: what it says, by what it sorts, and a note in small below.

    With `look`, the name of one of the table's looks, it is a cell of a matrix.
    """

    text: str
    sort: float | None = None
    note: str = ""
    look: str = ""


@dataclass(frozen=True)
class Look:
    """How a judged cell is drawn: never by colour alone, and with its words for who cannot see."""

    colour: str
    ink: str
    sign: str
    words: str
    texture: str = ""


@dataclass(frozen=True)
class Column:
    """One column of a table: how a row of the released frame becomes its cell.

    A judged cell of it is picked as "row key|pick".
    """

    title: str
    cell: Callable[[Any], Cell]
    help: str = ""
    is_number: bool = False
    is_wide: bool = False
    pick: str = ""


@dataclass(frozen=True)
class TableText:
    """The words around a table."""

    caption: str
    search: str
    things: str


@dataclass(frozen=True)
class Explanation:
    """The panel beside a chart."""

    shows: str
    useful: str
    limits: Sequence[str] = field(default=())


_CHIP_SIGNS = {"fresh": "✓", "ageing": "◔", "late": "!", "missing": "?"}


def checked(released: Released) -> Released:
    """The same release; `NotReleasedError` for a bare frame, which may hold true counts."""
    if not isinstance(released, Released):
        raise NotReleasedError(
            f"expected a released frame, found {type(released).__name__}: call release() first"
        )
    return released


def theme() -> Theme:
    """The colours of the page as this user has set it."""
    return Theme(st.context.theme.type == "dark")


def html(markup: str) -> None:
    """Write markup of our own, in which every value has been escaped."""
    st.html(markup)


def styles() -> None:
    """The look of our own elements; once a run."""
    on_paper = f"@media print {{{Theme(False).as_css()}}}"
    st.html(f"<style>{theme().as_css()}{on_paper}{_CSS}</style>")


def larger_type() -> None:
    """For a screen that a whole room reads: what is told in rem grows with the page's own size."""
    html(
        "<style>html { font-size: 125%; } .small-table table, .board-table { font-size: 1.1rem; }"
        "</style>"
    )


def header(question: str, words: str, chips: Sequence[Chip], *, is_demonstration: bool) -> None:
    """The question as the page's heading, what is chosen, how fresh the data is."""
    banner = (
        '<p class="banner" role="note"><strong>Demonstration.</strong> Real shapes, simulated people: '
        "nothing here says anything about a real place. It goes when you load your own files.</p>"
        if is_demonstration
        else ""
    )
    items = "".join(
        f'<li class="{chip.state}"><span aria-hidden="true">{_CHIP_SIGNS[chip.state]}</span> '
        f"{escape(chip.source)}: {escape(chip.words)}</li>"
        for chip in chips
    )
    html(
        f'{banner}<div class="page-header"><h1>{escape(question)}</h1>'
        f'<p class="chosen">{escape(words)}</p>'
        f'<ul class="chips" aria-label="Data as of">{items}</ul></div>'
    )


def finding(sentences: Sequence[str]) -> None:
    """What the data says now; numbers between ** ** are bold."""
    paragraphs = []
    for sentence in sentences:
        parts = escape(sentence).split("**")
        bold = [
            f"<strong>{part}</strong>" if place % 2 else part for place, part in enumerate(parts)
        ]
        paragraphs.append(f"<p>{''.join(bold)}</p>")
    html(f'<div class="finding">{"".join(paragraphs)}</div>')


def tiles(items: Sequence[Tile]) -> None:
    """A row of numbers."""
    boxes = "".join(
        f"<li><span class='label'>{escape(tile.label)}</span>{_help(help_of(tile.label))}"
        f"<span class='value'>{escape(tile.value)}</span> <span class='unit'>{escape(tile.unit)}</span>"
        f"{_spark(tile.spark)}<span class='note'>{escape(tile.note)}</span></li>"
        for tile in items
    )
    html(f'<ul class="tiles">{boxes}</ul>')


def _help(words: str) -> str:
    """A sign that opens the definition: by pointer, key or touch; nothing without one."""
    if not words:
        return ""
    return (
        '<details class="help"><summary><span aria-hidden="true">?</span><span class="unseen">'
        f"What is this?</span></summary><span class='note'>{escape(words)}</span></details>"
    )


_SPARK_WIDTH, _SPARK_HEIGHT = 96, 24


def _spark(values: Sequence[float | None]) -> str:
    """A small line of a series from 0 up, with gaps where a month is missing."""
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return ""
    top, step = max(known) or 1, _SPARK_WIDTH / (len(values) - 1)
    path, is_on = "", False
    for place, value in enumerate(values):
        if value is not None:
            y = 1 + (_SPARK_HEIGHT - 2) * (1 - value / top)
            path += f"{'L' if is_on else 'M'}{place * step:.1f} {y:.1f}"
        is_on = value is not None
    picture = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_SPARK_WIDTH}" height="{_SPARK_HEIGHT}">'
        f'<path d="{path}" fill="none" stroke="{theme().bar}" stroke-width="2"/></svg>'
    )
    # Drawn markup is taken out of what we write; a picture by address is not.
    return f'<img class="spark" alt="" src="data:image/svg+xml,{quote(picture)}">'


def icons(items: Sequence[tuple[str, str, str]]) -> None:
    """The icons of a control chart: for each its kind (a colour), its letter, and its words."""
    if not items:
        return
    html(
        '<ul class="icons">'
        + "".join(
            f'<li><span class="spc-icon {escape(kind)}" aria-hidden="true">{escape(letter)}</span> '
            f"{escape(words)}</li>"
            for kind, letter, words in items
        )
        + "</ul>"
    )


def heading(words: str, *, anchor: str) -> None:
    """The heading of a part of the page. Streamlit's own reads Markdown, and names are no Markdown."""
    html(_heading(words, anchor))


def _heading(words: str, anchor: str) -> str:
    return f'<h2 class="part" id="{escape(anchor)}">{escape(words)}</h2>'


def card_title(name: str, words: str) -> None:
    """What one of several cards is about, and how it stands."""
    html(f'<h3 class="card-title">{escape(name)} <span>{escape(words)}</span></h3>')


# How the key and a canvas draw the symbols of charts.
SYMBOLS = {RING: "○", SQUARE: "□", CROSS: "+", "circle": "●", "square": "■", "diamond": "◆"}


def key(
    title: str,
    groups: Sequence[AreaGroup],
    marks: Sequence[AreaMark] = (),
    points: Sequence[PointGroup] = (),
) -> None:
    """The key of a map with the number of areas and places of each kind, empty ones left out."""
    rows = "".join(
        f'<li><span class="swatch {group.texture}" style="background-color:{group.colour}"></span>'
        f"<span>{escape(group.label)}</span><b>{len(group.area_codes):,}</b></li>"
        for group in groups
        if len(group.area_codes)
    )
    rows += "".join(
        f'<li class="mark"><span class="symbol" aria-hidden="true">{SYMBOLS[mark.symbol]}</span>'
        f"<span>{escape(mark.label)}</span><b>{len(mark.area_codes):,}</b></li>"
        for mark in marks
        if len(mark.area_codes)
    )
    rows += "".join(
        f'<li class="mark"><span class="symbol point" style="color:{group.colour}" aria-hidden="true">'
        f"{SYMBOLS[group.symbol]}</span><span>{escape(group.label)}</span><b>{len(group.keys):,}</b>"
        "</li>"
        for group in points
        if len(group.keys)
    )
    html(f'<div class="key"><h2>{escape(title)}</h2><ul>{rows}</ul></div>')


def looks(found: Mapping[str, Look], counts: Mapping[str, int]) -> None:
    """The key of a matrix, with the number of cells of each look."""
    items = "".join(
        f'<li><span class="swatch wide {look.texture}" style="background-color:{look.colour};'
        f'color:{look.ink}">{escape(look.sign)}</span> {escape(look.words)} <b>{counts[name]:,}</b></li>'
        for name, look in found.items()
        if counts.get(name)
    )
    html(f'<ul class="looks" aria-label="What the cells say">{items}</ul>')


def notes(words: Sequence[str]) -> None:
    """Source, period and disclosure profile of a chart, in small below it."""
    html(f'<p class="notes">{escape(" ".join(words))}</p>')


def explanation(
    below: Sequence[str], panel: Explanation, *, name: str = "about", what: str = "map"
) -> None:
    """Below a chart: source, period and disclosure profile; what it shows, why that is useful and
    what it cannot say, open until the reader closes it."""
    notes(below)
    limits = "".join(f"<li>{escape(limit)}</li>" for limit in panel.limits)
    with st.expander(f"About this {what}", expanded=True, key=name):
        html(
            f'<div class="explain"><p><b>What it shows.</b> {escape(panel.shows)}</p>'
            f"<p><b>Why it is useful.</b> {escape(panel.useful)}</p>"
            f"<p><b>Known limits.</b></p><ul>{limits}</ul></div>"
        )


def chart(
    figure: Figure,
    released: Released,
    *,
    name: str,
    alt: str,
    on_pick: Callable[[str], None] | None = None,
) -> None:
    """A Plotly figure drawn from a released frame; `on_pick` gets the code of a clicked area or
    mark (`customdata`)."""
    checked(released)

    def picked() -> None:
        points = st.session_state[name]["selection"]["points"]
        if (
            on_pick
            and points
            and (code := points[0].get("location") or points[0].get("customdata"))
        ):
            on_pick(code if isinstance(code, str) else code[0])

    if "to_dict" not in vars(figure):
        # Streamlit copies it whole in each run. Nobody changes it any more: the copy is kept with it.
        copied = figure.to_dict()
        vars(figure)["to_dict"] = lambda: copied
    st.plotly_chart(
        figure,
        key=name,
        theme=None,
        alt=alt,
        config={
            "displaylogo": False,
            "scrollZoom": False,
            "topojsonURL": "/geo/topo/",
            "modeBarButtonsToRemove": ["select2d", "lasso2d", "toImage"],
        },
        on_select=picked if on_pick else "ignore",
        selection_mode="points",
    )


@contextmanager
def how_far(words: str) -> Iterator[Callable[[int, int], None]]:
    """A bar for what may take long: there as soon as it is told how much of how much is done, and gone
    at the end."""
    bars: list[Any] = []

    def tell(done: int, of: int) -> None:
        if not bars:
            bars.append(st.empty())
        bars[0].progress(done / of, f"{words} {done:,} of {of:,}")

    yield tell
    for bar in bars:
        bar.empty()


def canvas(
    drawn: AreaCanvas,
    released: Released,
    *,
    name: str,
    group: str,
    area: str,
    on_pick: Callable[[str], None],
) -> None:
    """A map of many areas drawn from a released frame, with one group and one area outlined; `on_pick`
    gets the code of a clicked area."""
    checked(released)

    def picked() -> None:
        on_pick(st.session_state[name]["picked"])

    _CANVAS(data=as_data(drawn, group=group, area=area), key=name, on_picked_change=picked)


def table_body(
    released: Released,
    columns: Sequence[Column],
    text: TableText,
    *,
    row_key: str,
    swatch: tuple[int, Callable[[Any], tuple[str, str]]] | None = None,
    looks: Mapping[str, Look] | None = None,
) -> dict[str, Any]:
    """A table of a released frame as plain values for the browser.

    `swatch` is the place of the column that has a coloured sign, and what it is for a row;
    `looks` are those that its cells name.
    """
    rows = []
    places = {name: place for place, name in enumerate(looks or {})}
    for row in each_row(checked(released).frame):
        line: dict[str, Any] = {
            "key": getattr(row, row_key),
            "cells": [_short(column.cell(row), places) for column in columns],
        }
        if swatch:
            line["swatch"] = swatch[1](row)
        rows.append(line)
    return {
        "caption": text.caption,
        "search": text.search,
        "things": text.things,
        "page": ROWS_AT_FIRST,
        "swatch": swatch[0] if swatch else None,
        "looks": [asdict(look) for look in (looks or {}).values()],
        "columns": [
            {
                "title": column.title,
                "help": column.help or help_of(column.title),
                "number": column.is_number,
                "wide": column.is_wide,
                "pick": column.pick,
            }
            for column in columns
        ],
        "rows": rows,
    }


def table(url: str, *, name: str, picked: str, on_pick: Callable[[str], None]) -> None:
    """A table that the browser fetches, so that a rerun does not send it again.

    It can be sorted and searched, and its rows can be picked; `url` answers with what
    `table_body` made.
    """

    def on_picked() -> None:
        on_pick(st.session_state[name]["picked"])

    _TABLE(data={"url": url, "picked": picked}, key=name, on_picked_change=on_picked)


def _short(cell: Cell, looks: Mapping[str, int]) -> list[Any]:
    sort = cell.sort
    if sort is not None:
        # As exact as a table of thousands of rows can be ordered by: digits are most of what is sent.
        sort = int(sort) if float(sort).is_integer() else float(f"{sort:.7g}")
    if cell.look:
        return [cell.text, sort, cell.note, looks[cell.look]]
    # Most cells are their text alone: what is not said is not sent.
    if cell.note:
        return [cell.text, sort, cell.note]
    return [cell.text] if sort is None else [cell.text, sort]


def downloads(
    subject: str,
    icb_code: str,
    as_at: str,
    *,
    things: str = "ward",
    with_stale: bool = False,
    also: Mapping[str, str] | None = None,
) -> None:
    """Links to the figures as files; each is made when it is asked for. `also` is what else they
    depend on."""
    if not PROFILES[settings().disclosure_profile].may_leave:
        notes(["No downloads: under the profile in force no number is hidden."])
        return
    asked = {"icb": icb_code, "as_at": as_at} | ({"stale": "counted"} if with_stale else {})
    asked |= also or {}
    query = urlencode(asked)
    links = " · ".join(
        f'<a href="/export/{subject}.{form}?{query}" download>{words}</a>'
        for form, words in (("csv", "CSV"), ("xlsx", "Excel"), ("json", "JSON"))
    )
    html(f'<p class="downloads">Download every {escape(things)} of the board: {links}</p>')


def link_to_view(words: str, choices: Mapping[str, str], *, page: str = "") -> None:
    """A link that opens a view for somebody else: of this page, or of another one."""
    address = f"{page}?{urlencode(choices)}"
    html(f'<p class="share"><a href="{address}" target="_self">{escape(words)}</a></p>')


def brief(found: Brief, pdf_url: str) -> None:
    """A brief as it is printed, and the link to its page; nothing leaves where the profile says so."""
    if PROFILES[settings().disclosure_profile].may_leave:
        html(f'<p class="downloads"><a href="{escape(pdf_url)}" download>Brief as PDF</a></p>')
    for place, section in enumerate(found.sections):
        heading(section.title, anchor=f"brief-{place}")
        if section.sentences:
            lines(section.sentences)
        if section.facts:
            definition_list(section.facts, label=section.title)
        if section.table:
            small_table(*section.table, caption=section.title)
    notes(found.footer)


def links_to_views(items: Sequence[tuple[str, Mapping[str, str]]]) -> None:
    """Links that each open a view of this page."""
    found = "".join(
        f'<li><a href="?{urlencode(choices)}" target="_self">{escape(words)}</a></li>'
        for words, choices in items
    )
    html(f'<ul class="downloads">{found}</ul>')


def caption(title: str, words: str) -> None:
    """The title of a small chart, and what its marks mean."""
    html(f'<p class="caption"><b>{escape(title)}</b><br>{escape(words)}</p>')


def definition_list(items: Sequence[tuple[str, str]], *, label: str) -> None:
    """Terms and what is said of each."""
    html(_facts(items, label))


def _facts(items: Sequence[tuple[str, str]], label: str) -> str:
    pairs = "".join(f"<dt>{escape(term)}</dt><dd>{escape(words)}</dd>" for term, words in items)
    return f'<dl class="facts" aria-label="{escape(label)}">{pairs}</dl>'


def definitions(parts: Sequence[tuple[str, str, Sequence[tuple[str, str]]]]) -> None:
    """Parts of the page, each a heading, its anchor, and terms with what is said of each. There are
    many: they are sent as one."""
    html("".join(_heading(title, anchor) + _facts(facts, title) for title, anchor, facts in parts))


def _titled(heading: str) -> str:
    words = help_of(heading)
    return f' title="{escape(words)}"' if words else ""


def small_table(headings: Sequence[str], rows: Sequence[Sequence[str]], *, caption: str) -> None:
    """A table of a few rows that is read, not searched; columns of numbers stand at the right."""
    html(_small_table(tuple(headings), tuple(map(tuple, rows)), caption))


# The same table is drawn in each run: its markup is put together once.
@lru_cache(maxsize=TABLES_KEPT)
def _small_table(headings: tuple[str, ...], rows: tuple[tuple[str, ...], ...], caption: str) -> str:
    numbers = {
        place
        for place in range(1, len(headings))
        if rows and all(_NUMBER.fullmatch(row[place]) for row in rows)
    }
    sides = [' class="number"' if place in numbers else "" for place in range(len(headings))]
    head = "".join(
        f'<th scope="col"{side}{_titled(heading)}>{escape(heading)}</th>'
        for heading, side in zip(headings, sides, strict=True)
    )
    body = "".join(
        "<tr>"
        + "".join(
            f'<th scope="row">{escape(cell)}</th>'
            if place == 0
            else f"<td{sides[place]}>{escape(cell)}</td>"
            for place, cell in enumerate(row)
        )
        + "</tr>"
        for row in rows
    )
    return (
        f'<div class="small-table" role="group" tabindex="0" aria-label="{escape(caption)}"><table>'
        f"<caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody>"
        "</table></div>"
    )


# A sign and words for each state, and how it is drawn: never by colour alone.
_RETURN_SIGNS = {
    ReturnState.RECEIVED: "✓",
    ReturnState.NOT_DUE: "○",
    ReturnState.LATE: "!",
    ReturnState.MISSING: "✕",
    ReturnState.NEVER: "–",
    ReturnState.NOT_EXPECTED: "",
}


def grid(found: Grid, *, caption: str) -> None:
    """A table of months in which each cell is a state, with its key below."""
    html(once(_grid, found, caption))


def _grid(found: Grid, caption: str) -> str:
    head = "".join(f'<th scope="col">{first:%b %y}</th>' for first in found.months)
    body = "".join(
        f'<tr><th scope="row">{escape(name)}</th>'
        + "".join(
            f'<td class="{escape(state.name.lower())}"><span aria-hidden="true">'
            f'{_RETURN_SIGNS[state]}</span> <span class="unseen">{escape(state)}</span>'
            f"{escape(count)}</td>"
            for state, count in cells
        )
        + "</tr>"
        for name, cells in found.rows
    )
    key = " · ".join(f"{sign} {escape(state)}" for state, sign in _RETURN_SIGNS.items() if sign)
    return (
        f'<div class="small-table grid" role="group" tabindex="0" aria-label="{escape(caption)}">'
        f"<table><caption>{escape(caption)}</caption><thead><tr><td></td>{head}</tr></thead>"
        f'<tbody>{body}</tbody></table></div><p class="notes">{key}</p>'
    )


@dataclass(frozen=True)
class Item:
    """One thing of a list that is read out: what happened, to whom, the numbers behind it, and a
    link to where they are."""

    title: str
    subject: str
    words: str
    link: str
    address: str


def items(found: Sequence[Item], *, label: str, first: int = 1) -> None:
    """Things in order, numbered from the first on, each with a link to its page."""
    rows = "".join(
        f"<li><p><b>{escape(each.title)}.</b> {escape(each.subject)}</p><p>{escape(each.words)} "
        f'<a href="{escape(each.address)}" target="_self">{escape(each.link)}</a></p></li>'
        for each in found
    )
    html(
        f'<ol class="items" start="{first}" style="counter-reset:item {first - 1}" '
        f'aria-label="{escape(label)}">{rows}</ol>'
    )


def links(items: Sequence[tuple[str, Sequence[tuple[str, str]]]]) -> None:
    """Files to download: what they are, and for each what it is called and where it is."""
    rows = []
    for words, targets in items:
        found = " · ".join(
            f'<a href="{escape(url)}" download>{escape(name)}</a>' for name, url in targets
        )
        rows.append(f"<li>{escape(words)} {found}</li>")
    html(f'<ul class="downloads">{"".join(rows)}</ul>')


def lines(items: Sequence[str], *, is_problem: bool = False) -> None:
    """Short lines below one another."""
    kind = "problems" if is_problem else "lines"
    html(f'<ul class="{kind}">' + "".join(f"<li>{escape(item)}</li>" for item in items) + "</ul>")


def empty(title: str, words: str, commands: Sequence[str] = ()) -> None:
    """What a page says when there is nothing to show: why, and what to do."""
    code = "".join(f"<pre><code>{escape(command)}</code></pre>" for command in commands)
    html(f'<div class="empty"><h2>{escape(title)}</h2><p>{escape(words)}</p>{code}</div>')


def nothing_loaded() -> None:
    """The first page of an empty database."""
    st.title("No data is loaded yet")
    empty(
        "Load your files, or look at the demonstration",
        f"{FIRST_FILES} Then, on the page Data, or from the folder of the dashboard:",
        ["python -m dashboard load FILE...", "python -m dashboard demo"],
    )


@dataclass(frozen=True)
class CommitmentCard:
    """One commitment: its status in words, what is said of it; `is_over` when it has ended."""

    title: str
    status: str
    facts: Sequence[tuple[str, str]]
    is_over: bool


def commitments(cards: Sequence[CommitmentCard]) -> None:
    """Commitments side by side; those that have ended are greyed, and say so in words."""
    items = ""
    for card in cards:
        pairs = "".join(
            f"<dt>{escape(term)}</dt><dd>{escape(words)}</dd>" for term, words in card.facts
        )
        items += (
            f'<li class="{"over" if card.is_over else "stands"}"><h3 class="card-title">'
            f"{escape(card.title)} <span>{escape(card.status)}</span></h3>"
            f'<dl class="facts">{pairs}</dl></li>'
        )
    html(f'<ul class="commitments">{items}</ul>')
