"""A pack as a tagged PDF to read on paper or on screen: the same content as its slides."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from itertools import cycle

import typst

from dashboard.pack.content import (
    MARKS,
    SERIES_COLOURS,
    Chart,
    Pack,
    Page,
    Table,
    as_shown,
    as_words,
    decimals_of,
    plain,
)
from dashboard.pack.typeset import breakable, fonts

MOST_TICKS = 6
# Stands beside a picture; one with more columns takes the width of the page.
WIDEST_BESIDE_A_PICTURE = 4
LETTERS_A_LINE, WIDEST_CELL_LETTERS = 125, 64  # of a table over the width of the page
SHORT_LETTERS = 16  # a number or a date, which is not broken
LONGEST_WORD_OF_SOURCES = 80  # a checksum is to be copied


def document(pack: Pack) -> bytes:
    """A4 landscape, PDF/UA-1, a bookmark for each page of the pack; the same bytes for the same
    pack.

    Where the font lacks a letter there is a box, and the file is tagged but not PDF/UA-1, which
    has no boxes.
    """
    pages = typst.Compiler(
        PAGES,
        font_paths=fonts(),
        ignore_system_fonts=True,
        sys_inputs={"pack": json.dumps(_content(pack))},
    )
    try:
        made = pages.compile(PAGES, format="pdf", pdf_standards="ua-1")
    except typst.TypstError:
        made = pages.compile(PAGES, format="pdf")
    assert isinstance(made, bytes)
    return made


def _content(pack: Pack) -> dict[str, object]:
    """The pack as the pages read it: data, of which nothing is ever read as markup."""
    facts = (
        ("As at", pack.as_at),
        ("Compared with", pack.since),
        ("Data as of", pack.data_as_of),
        *pack.filters,
        ("Small numbers", pack.profile),
        ("Version", pack.version),
    )
    return {
        "title": plain(pack.title),
        "heading": breakable(pack.title),
        "area": breakable(pack.area),
        "facts": _pairs(facts),
        "stamp": breakable(" ".join(pack.stamp)),
        "simulated": pack.is_simulated,
        "pages": [_page(page) for page in pack.pages],
        "method": _pairs(pack.method),
        "sources": [
            [breakable(cell, LONGEST_WORD_OF_SOURCES) for cell in source] for source in pack.sources
        ],
    }


def _pairs(pairs: Sequence[tuple[str, str]]) -> list[list[str]]:
    return [[breakable(name), breakable(words)] for name, words in pairs]


def _page(page: Page) -> dict[str, object]:
    return {
        "subject": breakable(page.subject),
        "finding": breakable(page.finding),
        "period": breakable(page.period),
        "link": page.link,
        "sentences": [breakable(sentence) for sentence in page.sentences],
        "chart": page.chart and placed(page.chart),
        "map": page.map
        and {
            "svg": page.map.svg,
            "alt": plain(page.map.alt) or "Map",
            "key": [
                [colour, breakable(label), as_words(areas, 0)]
                for colour, label, areas in page.map.key
            ],
        },
        "tables": [_table(table) for table in page.tables],
        "definitions": _pairs(page.definitions),
        "sources": [breakable(name, LONGEST_WORD_OF_SOURCES) for name in page.sources],
    }


def _table(table: Table) -> dict[str, object]:
    said = as_shown(table, table.shown)
    columns, rows = said.columns, said.rows
    notes = [
        f"{as_words(mark, None)} {meaning}"
        for mark, meaning in MARKS.items()
        if any(mark in row for row in rows)
    ]
    if len(rows) < len(table.rows):
        notes.append(f"the first {len(rows)} of {len(table.rows)} rows; the workbook has them all")
    if not rows:
        notes = ["No rows."]
    is_narrow = len(columns) <= WIDEST_BESIDE_A_PICTURE
    header = [column.title for column in columns]
    cells = [
        [as_words(value, column.decimals) for value, column in zip(row, columns, strict=True)]
        for row in rows
    ]
    return {
        "title": breakable(table.title),
        "header": [breakable(title) for title in header],
        "numbers": [column.decimals is not None for column in columns],
        "rows": [[breakable(cell) for cell in row] for row in cells],
        "note": "; ".join(notes),
        "widths": [] if is_narrow else _widths(header, cells),
        "narrow": is_narrow,
    }


def _widths(header: Sequence[str], cells: Sequence[Sequence[str]]) -> list[int]:
    """How wide each column is against the others, or nothing where all fit as they are: headings
    are broken between words first, then words in cells."""
    columns = list(zip(header, *cells, strict=True))
    if sum(max(len(cell) for cell in column) + 2 for column in columns) <= LETTERS_A_LINE:
        return []
    needs = [max(map(len, (*map(_in_bold, title.split()), *rows))) + 3 for title, *rows in columns]
    # Numbers and dates stay whole; the others share what is left.
    longer = [min(need, WIDEST_CELL_LETTERS) for need in needs if need > SHORT_LETTERS]
    left = LETTERS_A_LINE - sum(need for need in needs if need <= SHORT_LETTERS)
    share = max(left, LETTERS_A_LINE // 2) / max(sum(longer), 1)
    return [
        need
        if need <= SHORT_LETTERS
        else max(SHORT_LETTERS, round(share * min(need, WIDEST_CELL_LETTERS)))
        for need in needs
    ]


def _in_bold(word: str) -> str:
    """As many letters as take its room: headings are bold."""
    return word + word[::4]


def placed(chart: Chart) -> dict[str, object]:
    """Where everything stands, as shares of the length of the axis of values; `None` is a gap."""
    found = [value for series in chart.series for value in series.values if value is not None]
    drawn: dict[str, object] = {
        "kind": chart.kind if found else "none",
        "title": breakable(chart.title),
        "unit": breakable(chart.unit),
        "alt": plain(chart.alt) or "Chart",
        "categories": [breakable(name) for name in chart.categories],
    }
    if not found:
        return drawn
    decimals = decimals_of(found)
    ticks = ticks_of(*_ends(chart, found))

    def share(value: float) -> float:
        return round((value - ticks[0]) / (ticks[-1] - ticks[0]), 6)

    starts = [0.0] * len(chart.categories)
    series = []
    colours = cycle(SERIES_COLOURS)
    for told in chart.series:
        points: list[list[object] | None] = []
        for place, value in enumerate(told.values):
            if value is None:
                points.append(None)
                continue
            start = starts[place]
            if chart.kind == "stacked" and told.role == "value":
                starts[place] += value
            end = start + value
            points.append([share(start), share(end), as_words(value, decimals)])
        series.append(
            {
                "name": breakable(told.name),
                "role": told.role,
                "colour": next(colours) if told.role == "value" else "",
                "points": points,
            }
        )
    finest = max(0, -math.floor(math.log10(ticks[1] - ticks[0]) + 1e-9))
    axis = [[share(tick), as_words(tick, finest)] for tick in ticks]
    return drawn | {"axis": axis, "zero": share(max(ticks[0], 0.0)), "series": series}


def _ends(chart: Chart, found: Sequence[float]) -> tuple[float, float]:
    """The least and the greatest that must be on the axis. Lengths begin at 0; a line may not,
    where all of it is far from there."""
    if chart.kind == "stacked":
        told = [series.values for series in chart.series if series.role == "value"]
        found = [
            *found,
            *(sum(value or 0.0 for value in parts) for parts in zip(*told, strict=True)),
        ]
    if chart.kind == "lines" and min(found) > max(found) / 2 > 0:
        return min(found), max(found)
    return min(0.0, *found), max(0.0, *found)


def ticks_of(low: float, high: float) -> list[float]:
    """Round numbers from at most `low` to at least `high`, at least two."""
    width = (high - low) or abs(high) or 1.0
    high = low + width
    size = 10.0 ** math.floor(math.log10(width / MOST_TICKS))
    step = next(size * by for by in (1, 2, 5, 10, 20) if width / (size * by) <= MOST_TICKS)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [number * step for number in range(first, max(last, first + 1) + 1)]


PAGES = rb"""
#let pack = json(bytes(sys.inputs.pack))
#let ink = rgb("#10181D")
#let muted = rgb("#425563")
#let faint = rgb("#D8DDE0")
#let target = rgb("#003087")
#let hairline = 0.5pt + rgb("#AEB7BD")
#let under = (rest: none, bottom: hairline)
#let gap = 8mm

#let stamp = text(6.5pt, fill: muted, pack.stamp)
#let band(words) = box(fill: rgb("#FFE8B3"), inset: 3pt, outset: (y: 1pt), words)

#set document(title: pack.title, author: "Social prescribing dashboard", date: none)
#set text(
  font: "DejaVu Sans", size: 10.5pt, fill: ink, lang: "en", region: "GB", hyphenate: false,
)
#show regex("\w{13,}"): set text(hyphenate: true)
#set par(leading: 0.55em, spacing: 0.8em)
#show heading.where(level: 1): set text(19pt, fill: rgb("#003087"))
#show heading.where(level: 2): set text(11pt, fill: rgb("#003087"))
#show heading.where(level: 1): set heading(bookmarked: true)
#show heading.where(level: 2): set heading(bookmarked: false, outlined: false)
#show heading: set block(above: 1.2em, below: 0.7em)
#show link: set text(fill: rgb("#005EB8"))

// A name and what it means, in two columns.
#let facts(pairs) = grid(
  columns: (auto, 1fr), inset: (right: 1.2em, y: 0.4em), stroke: under,
  ..pairs.map(((name, words)) => (text(fill: muted, name), words)).flatten(),
)
#let terms-of(pairs) = for (name, words) in pairs { par[*#name*: #words] }

#let rows-of(it) = {
  heading(level: 2, it.title)
  set text(9pt)
  set table.cell(breakable: false)
  table(
    columns: if it.widths.len() > 0 { it.widths.map(width => width * 1fr) } else { it.header.len() },
    inset: (x: 0.5em, y: 0.4em), stroke: under,
    fill: (_, y) => if y == 0 { rgb("#E8EDEE") },
    align: (x, _) => if it.numbers.at(x) { right } else { left },
    table.header(..it.header.map(strong)),
    ..it.rows.flatten(),
  )
  if it.note != "" { par(text(8pt, fill: muted, it.note)) }
}

#let swatch(fill) = box(width: 0.8em, height: 0.8em, fill: fill, stroke: hairline, baseline: 0.1em)
#let dash(role) = (mean: "solid", limit: "dashed", target: "dotted", value: "solid").at(role)
#let colour-of(one) = (
  if one.role == "value" { rgb(one.colour) } else if one.role == "target" { target } else { muted }
)
#let stroke-of(one) = (
  paint: colour-of(one), dash: dash(one.role), thickness: if one.role == "value" { 1.6pt } else { 1pt },
)
#let sample(one, as-bar) = if as-bar { swatch(colour-of(one)) } else {
  box(width: 1.4em, height: 0.6em, place(horizon, line(length: 100%, stroke: stroke-of(one))))
}
#let legend(all) = par(all.map(((sign, name)) => box[#sign #name]).join(h(1.2em, weak: false)))
#let on(fill) = if oklch(fill).components().first() > 65% { ink } else { white }

// What is measured is measured at the size of text around it: hence apart.
#let plot-of-bars(it, space, pitch) = {
  let is-stacked = it.kind == "stacked"
  let values = it.series.filter(one => one.role == "value")
  let around = it.series.filter(one => one.role != "value")
  if it.series.len() > 1 or around.len() > 0 {
    legend(it.series.map(one => (sample(one, one.role == "value"), one.name)))
  }
  let abreast = if is-stacked { 1 } else { calc.max(values.len(), 1) }
  let widest = calc.min(
    space.width * 0.36, calc.max(..it.categories.map(name => measure(name).width)) + 1pt,
  )
  let room = if is-stacked { 12pt } else { 34pt }
  let left = widest + 6pt
  let plot = space.width - left - room
  let at(share) = left + plot * share
  let thick = calc.max(1pt, calc.min(16pt, pitch * 0.7 / abreast))
  let pad = calc.min(6pt, pitch * 0.3)
  let heights = it.categories.map(name => calc.max(
    measure(block(width: widest, name)).height + pad, thick * abreast + pad,
  ))
  let tall = heights.sum(default: 0pt)
  block(width: 100%, height: tall + 28pt, breakable: false, {
    for (share, words) in it.axis {
      place(dx: at(share), line(length: tall, angle: 90deg, stroke: 0.5pt + faint))
      place(dx: at(share) - 30pt, dy: tall + 3pt, box(width: 60pt, align(center, text(fill: muted, words))))
    }
    place(dx: left, dy: tall + 16pt, box(width: plot, align(center, text(fill: muted, it.unit))))
    let y = 0pt
    for (row, name) in it.categories.enumerate() {
      let height = heights.at(row)
      place(dy: y, box(width: widest, height: height, align(right + horizon, name)))
      let top = y + (height - thick * abreast) / 2
      let unseen = 0
      let end = it.zero
      for (which, one) in values.enumerate() {
        let point = one.points.at(row)
        let dy = top + (if is-stacked { 0pt } else { thick * which })
        if point == none {
          if is-stacked { unseen += 1 } else {
            place(dx: at(it.zero) + 3pt, dy: dy,
              box(height: thick, align(horizon, text(fill: muted, "not shown"))))
          }
          continue
        }
        let (from, to, words) = point
        let (low, high) = (calc.min(from, to), calc.max(from, to))
        let width = plot * (high - low)
        place(dx: at(low), dy: dy, rect(
          width: width, height: thick, fill: colour-of(one),
          stroke: if is-stacked { 0.5pt + white },
        ))
        if not is-stacked {
          place(dx: at(high) + 3pt, dy: dy, box(height: thick, align(horizon, words)))
        } else if measure(words).width + 2pt < width {
          place(dx: at(low), dy: dy, box(width: width, height: thick,
            align(center + horizon, text(fill: on(colour-of(one)), words))))
        }
        end = calc.max(end, high)
      }
      if unseen > 0 {
        place(dx: at(end) + 3pt, dy: top, box(height: thick, align(horizon, text(fill: muted,
          if unseen == values.len() { "not shown" } else { str(unseen) + " not shown" }))))
      }
      for one in around {
        let point = one.points.at(row)
        if point != none {
          place(dx: at(point.at(1)), dy: y + 1pt,
            line(length: height - 2pt, angle: 90deg, stroke: stroke-of(one)))
        }
      }
      y += height
    }
    place(dx: at(it.zero), line(length: tall, angle: 90deg, stroke: 1pt + muted))
  })
}

// Lying bars: names on the left, a column of plot, numbers at the ends of the bars.
#let bars(it) = layout(space => {
  // Small enough to stand whole under a heading, as far as letters can be read.
  let tallest = 280pt
  let number = calc.max(it.categories.len(), 1)
  set text(calc.max(4.5pt, calc.min(8.5pt, tallest / number * 0.65)))
  context plot-of-bars(it, space, tallest / number)
})

// Lines over months: the unit above, the name of each line at its end.
#let plot-of-lines(it, space) = {
  let tall = 230pt
  let axis = calc.max(..it.axis.map(((_, words)) => measure(words).width)) + 5pt
  let told = it.series.map(one => {
    let last = one.points.filter(point => point != none).at(-1, default: none)
    (one: one, share: if last == none { it.zero } else { last.at(1) },
     words: sample(one, false) + " " + one.name + " " + if last == none { "not shown" } else { last.at(2) })
  }).sorted(key: end => -end.share)
  let names = calc.min(
    space.width * 0.3, calc.max(..told.map(end => measure(end.words).width)) + 2pt,
  )
  let plot = space.width - axis - names - 6pt
  let number = it.categories.len()
  let x(place) = axis + plot * (place + 0.5) / number
  let y(share) = tall * (1 - share)
  let widest = calc.max(..it.categories.map(name => measure(name).width)) + 6pt
  let every = calc.max(1, calc.ceil(widest * number / plot))
  par(text(fill: muted, it.unit))
  block(width: 100%, height: tall + 19pt, breakable: false, above: 1.2em, {
    for (share, words) in it.axis {
      place(dx: axis, dy: y(share), line(length: plot, stroke: 0.5pt + faint))
      place(dy: y(share) - 4pt, box(width: axis - 5pt, align(right, text(fill: muted, words))))
    }
    for (place-of, name) in it.categories.enumerate() {
      if calc.rem(place-of, every) == 0 {
        place(dx: x(place-of) - widest / 2, dy: tall + 8pt,
          box(width: widest, align(center, text(fill: muted, name))))
      }
    }
    for one in it.series {
      let run = ()
      // A gap ends the line; a month between two gaps is a dot.
      for (place-of, point) in (one.points + (none,)).enumerate() {
        if point != none { run.push((x(place-of), y(point.at(1)))); continue }
        if run.len() > 1 {
          let steps = run.slice(1).map(to => curve.line(to))
          place(curve(stroke: stroke-of(one), curve.move(run.first()), ..steps))
        }
        if one.role == "value" or run.len() == 1 {
          for (dx, dy) in run {
            place(dx: dx - 1.8pt, dy: dy - 1.8pt, circle(radius: 1.8pt, fill: colour-of(one)))
          }
        }
        run = ()
      }
    }
    // Pushed down where two would overlap, and up again where the last would fall out.
    let tops = ()
    let free = -1000pt
    for end in told {
      let height = measure(block(width: names, end.words)).height
      let top = calc.max(free, y(end.share) - height / 2)
      tops.push(top)
      free = top + height + 2pt
    }
    let below = tall + 14pt
    for (top, end) in tops.zip(told).rev() {
      let height = measure(block(width: names, end.words)).height
      let top = calc.min(top, below - height)
      below = top - 2pt
      place(dx: axis + plot + 6pt, dy: top, block(width: names, end.words))
    }
  })
}
#let lines(it) = layout(space => {
  set text(8.5pt)
  context plot-of-lines(it, space)
})

#let chart-of(it) = {
  heading(level: 2, it.title)
  if it.kind == "none" { par(text(fill: muted)[No number can be shown.]) } else {
    figure(
      alt: it.alt, kind: "chart", supplement: none, outlined: false,
      align(left, if it.kind == "lines" { lines(it) } else { bars(it) }),
    )
  }
}

#let map-of(it) = {
  layout(space => {
    let map(..size) = image(bytes(it.svg), format: "svg", alt: it.alt, ..size)
    let tallest = 92mm
    if measure(map(width: space.width)).height <= tallest { map(width: space.width) }
    else { map(height: tallest) }
  })
  set text(9pt)
  legend(it.key.map(((colour, label, areas)) => (swatch(rgb(colour)), label + " " + areas)))
}

#let section(it) = {
  pagebreak(weak: true)
  heading(level: 1, supplement: it.subject, it.finding)
  block(below: 1.3em)[
    #text(fill: muted)[#it.subject. #it.period]
    #if it.link != "" [#h(1em) #link(it.link)[Open this page of the dashboard]]
  ]
  let pictures = {
    if it.chart != none { chart-of(it.chart) }
    if it.map != none { map-of(it.map) }
  }
  let said = {
    set text(11pt)
    list(..it.sentences, spacing: 0.8em)
  }
  let beside = it.tables.filter(table => table.narrow)
  let below = it.tables.filter(table => not table.narrow)
  if it.chart == none and it.map == none {
    block(width: 75%, said)
    below = it.tables
  } else if it.chart != none and it.map != none {
    block(width: 75%, said)
    grid(columns: (1fr, 1fr), column-gutter: gap, chart-of(it.chart), map-of(it.map))
    below = it.tables
  } else {
    grid(columns: if beside.len() > 0 { (1fr, 1fr) } else { (2fr, 3fr) }, column-gutter: gap,
      said + for table in beside { rows-of(table) }, pictures)
  }
  for table in below { rows-of(table) }
  // May go on over the page: alone there it would leave one nearly empty.
  if it.definitions.len() + it.sources.len() > 0 {
    block(width: 100%, above: 1.6em, stroke: (top: hairline), inset: (top: 0.6em), {
      set text(8pt)
      terms-of(it.definitions)
      if it.sources.len() > 0 [*From*: #it.sources.join("; ")]
    })
  }
}

#let body = {
  v(22mm)
  title(text(26pt, fill: rgb("#005EB8"), pack.heading))
  block(below: 2em, text(16pt, pack.area))
  if pack.simulated {
    block(below: 2em, band[*Simulated data*: no real people or places of support.])
  }
  block(width: 75%, facts(pack.facts))
  pagebreak()
  {
    show outline.entry: it => block(above: 1em, link(it.element.location(),
      it.indented(none, { strong(it.element.supplement); [: ]; it.inner() })))
    outline(title: [Contents], depth: 1)
  }
  for it in pack.pages { section(it) }
  pagebreak(weak: true)
  heading(level: 1, supplement: [Method], [How it was worked out, and from which files])
  facts(pack.method)
  heading(level: 2)[Files]
  set text(8pt)
  table(
    columns: 3, inset: 0.4em, stroke: under,
    fill: (_, y) => if y == 0 { rgb("#E8EDEE") },
    table.header([*Dataset*], [*File*], [*SHA-256*]),
    ..pack.sources.flatten(),
  )
}

#context {
  // As much room at the foot as the stamp takes.
  let foot = measure(block(width: 240mm, stamp)).height
  set page(
    paper: "a4", flipped: true, margin: (x: 14mm, top: 17mm, bottom: 14mm + foot),
    header: text(7.5pt, fill: muted, grid(
      columns: (1fr, auto), [#pack.title], if pack.simulated { band(text(fill: ink)[*Simulated data*]) },
    )),
    footer: grid(
      columns: (240mm, 1fr), stamp,
      align(right, text(7.5pt, context counter(page).display("1 of 1", both: true))),
    ),
  )
  body
}
"""
