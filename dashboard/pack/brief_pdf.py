"""A brief of one page as a tagged PDF, and the small map in it."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from xml.sax.saxutils import quoteattr  # nosec B406 - it writes XML and reads none

import shapely
import typst
from shapely.geometry.base import BaseGeometry

from dashboard.pack.content import plain
from dashboard.pack.typeset import breakable, fonts
from dashboard.style import MISSING

SIZES_POINTS = (10.0, 9.0, 8.0, 7.0, 6.0)  # the largest at which all is on one page
WIDEST_IN_A_COLUMN = 4  # a table with more columns takes the width of the page
# The sources run over the whole width, and a checksum there is to be copied.
LONGEST_WORD_OF_FOOTER = 80
NUMBER_OR_MARK = re.compile(rf"[-−+£]?[0-9].*|\*|{MISSING}|-|")

MAP_WIDTH = 600.0
MAP_DETAIL = 0.3  # in the unit of the width: finer than a printer's dot


@dataclass(frozen=True)
class Section:
    """A heading and what stands under it; a table is its header and its rows."""

    title: str
    sentences: Sequence[str] = ()
    facts: Sequence[tuple[str, str]] = ()
    table: tuple[Sequence[str], Sequence[Sequence[str]]] | None = None


@dataclass(frozen=True)
class Brief:
    """What is on the page, as words: released numbers only, nothing is hidden here any more.

    The subtitle is the area and the date; the footer the sources with their file names, the
    disclosure profile and the version. `map_alt` says in words what the map shows.
    """

    title: str
    subtitle: str
    sections: Sequence[Section]
    map_svg: str = ""
    map_alt: str = ""
    footer: Sequence[str] = field(default=())
    is_simulated: bool = False


def brief_pdf(brief: Brief) -> bytes:
    """One A4 page, PDF/UA-1; the same bytes for the same brief.

    The text becomes smaller until the page holds it. `ValueError` when the smallest does not, or
    when a table has rows of another length than its header. Where the font lacks a letter there
    is a box, and the file is tagged but not PDF/UA-1, which has no boxes.
    """
    content = json.dumps(_content(brief))
    for size in SIZES_POINTS:
        page = typst.Compiler(
            PAGE,
            font_paths=fonts(),
            ignore_system_fonts=True,
            sys_inputs={"brief": content, "map": brief.map_svg, "size": str(size)},
        )
        if page.query("<pages>", field="value", one=True) == "1":
            break
    else:
        raise ValueError("Expected what one page holds; found more: leave out rows or sections.")
    try:
        made = page.compile(PAGE, format="pdf", pdf_standards="ua-1")
    except typst.TypstError:
        made = page.compile(PAGE, format="pdf")
    assert isinstance(made, bytes)
    return made


def area_svg(
    shapes: Mapping[str, BaseGeometry],
    fills: Mapping[str, str],
    picked: str,
    bounds: tuple[float, float, float, float],
) -> str:
    """A map of areas (EPSG:4326) within west, south, east and north, each filled with its colour
    and the picked one outlined; an area without a colour is not filled."""
    west, south, east, north = bounds
    # A degree of longitude is shorter than one of latitude: north is up, and shapes keep theirs.
    stretch = math.cos(math.radians((south + north) / 2))
    scale = MAP_WIDTH / ((east - west) * stretch)
    height = (north - south) * scale
    box = shapely.box(0, 0, MAP_WIDTH, height)
    drawn = []
    # The picked one last, or its neighbours would cover its outline.
    for code in sorted(shapes, key=lambda code: (code == picked, code)):
        # Adding nought makes nought of minus nought.
        placed = shapely.transform(
            shapes[code], lambda at: (at - (west, north)) * (scale * stretch, -scale) + 0.0
        ).simplify(MAP_DETAIL)
        if not placed.intersects(box):
            continue
        line = ("#10181D", 3) if code == picked else ("#AEB7BD", 0.8)
        drawn.append(
            f'<path d="{_path(placed)}" fill={quoteattr(fills.get(code, "none"))} '
            f'fill-rule="evenodd" stroke="{line[0]}" stroke-width="{line[1]}"/>'
        )
    frame = f'width="{MAP_WIDTH:.0f}" height="{height:.0f}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {frame}>'
        f'<clipPath id="frame"><rect {frame}/></clipPath>'
        f'<g clip-path="url(#frame)" stroke-linejoin="round">{"".join(drawn)}</g></svg>'
    )


def _path(shape: BaseGeometry) -> str:
    rings = (
        " ".join(f"{x:.1f},{y:.1f}" for x, y in ring.coords)
        for polygon in shapely.get_parts(shape)
        for ring in (polygon.exterior, *polygon.interiors)
    )
    return "".join(f"M{ring}Z" for ring in rings)


def _content(brief: Brief) -> dict[str, object]:
    """The brief as the page reads it: data, of which nothing is ever read as markup."""
    return {
        "title": plain(brief.title),
        "heading": breakable(brief.title),
        "subtitle": breakable(brief.subtitle),
        "sections": [_section(section) for section in brief.sections],
        "alt": plain(brief.map_alt) or "Map",
        "footer": [breakable(line, LONGEST_WORD_OF_FOOTER) for line in brief.footer],
        "simulated": brief.is_simulated,
    }


def _section(section: Section) -> dict[str, object]:
    header, rows = section.table or ((), ())
    if any(len(row) != len(header) for row in rows):
        raise ValueError(f"Expected rows of {len(header)} cells under {section.title!r}.")
    cells = [[breakable(cell) for cell in row] for row in rows]
    return {
        "title": breakable(section.title),
        "sentences": list(_all(section.sentences)),
        "facts": [list(_all(fact)) for fact in section.facts],
        "header": list(_all(header)),
        "rows": cells,
        "numbers": [
            all(NUMBER_OR_MARK.fullmatch(cell) for cell in column)
            for column in (zip(*cells, strict=True) if cells else header)
        ],
        "wide": len(header) > WIDEST_IN_A_COLUMN,
    }


def _all(texts: Iterable[str]) -> Iterator[str]:
    return (breakable(text) for text in texts)


PAGE = rb"""
#let brief = json(bytes(sys.inputs.brief))
#let ink = rgb("#10181D")
#let muted = rgb("#425563")
#let hairline = 0.5pt + rgb("#AEB7BD")
#let under = (rest: none, bottom: hairline)

#set document(title: brief.title, date: none)
#set page(paper: "a4", margin: 14mm)
#set text(
  font: "DejaVu Sans", size: float(sys.inputs.size) * 1pt, fill: ink,
  lang: "en", region: "GB", hyphenate: false,
)
// A name is divided only where it would not fit otherwise.
#show regex("\w{13,}"): set text(hyphenate: true)
#set par(leading: 0.5em, spacing: 0.75em)
#show heading.where(level: 1): set text(1.45em, fill: rgb("#005EB8"))
#show heading.where(level: 2): set text(1.0em, fill: rgb("#003087"))
#show heading: set block(above: 1.1em, below: 0.6em)

#let section(it) = {
  if it.title != "" { heading(level: 2, it.title) }
  for words in it.sentences { par(words) }
  if it.facts.len() > 0 {
    grid(
      columns: (1fr, 1fr), inset: (y: 0.25em), stroke: under,
      ..it.facts.map(((name, value)) => (text(fill: muted, name), strong(value))).flatten(),
    )
  }
  if it.header.len() > 0 {
    set text(0.88em)
    table(
      columns: it.header.len(), inset: 0.35em, stroke: under,
      fill: (_, y) => if y == 0 { rgb("#E8EDEE") },
      align: (x, _) => if it.numbers.at(x) { right } else { left },
      table.header(..it.header.map(strong)),
      ..it.rows.flatten(),
    )
  }
}

#let picture = layout(space => {
  let map(..size) = image(bytes(sys.inputs.map), format: "svg", alt: brief.alt, ..size)
  let tallest = 70mm
  if measure(map(width: space.width)).height <= tallest { map(width: space.width) }
  else { align(center, map(height: tallest)) }
})

// Side by side in their order: divided where the taller of the two is least tall.
#let two-columns(parts, first-on-the-right) = layout(space => {
  let gap = 7mm
  let height(it) = measure(it, width: (space.width - gap) / 2).height
  let heights = parts.map(height)
  let above = height(first-on-the-right)
  let taller(k) = calc.max(heights.slice(0, k).sum(default: 0pt),
    above + heights.slice(k).sum(default: 0pt))
  let k = range(parts.len() + 1).sorted(key: taller).first()
  grid(
    columns: (1fr, 1fr), column-gutter: gap,
    parts.slice(0, k).join(), first-on-the-right + parts.slice(k).join(),
  )
})

#heading(level: 1, brief.heading)
#text(1.1em, brief.subtitle)
#if brief.simulated {
  block(width: 100%, fill: rgb("#FFE8B3"), inset: 0.5em)[
    *Simulated data*: no real people, services or organisations
  ]
}

#let waiting = if sys.inputs.map == "" { [] } else { picture }
#let run = ()
#for it in brief.sections {
  if not it.wide { run.push(section(it)) } else {
    if run.len() > 0 { two-columns(run, waiting) } else { waiting }
    section(it)
    run = ()
    waiting = []
  }
}
#if run.len() > 0 { two-columns(run, waiting) } else { waiting }

#v(1fr)
#block(width: 100%, stroke: (top: hairline), inset: (top: 0.5em))[
  #set text(0.75em, fill: muted)
  #for line in brief.footer { par(line) }
]
#context [#metadata(counter(page).final().first()) <pages>]
"""
