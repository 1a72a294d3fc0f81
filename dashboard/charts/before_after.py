"""How many people had each score before and after, side by side; a hidden count is a star."""

from __future__ import annotations

from textwrap import wrap
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from dashboard.charts import TITLE_GAP
from dashboard.charts.pathway_bars import hatched
from dashboard.charts.staffing_bars import plain
from dashboard.charts.twin_bars import LEAST_TOP, MISSING_MARK
from dashboard.rules.disclosure import HIDDEN_MARK, Released, hidden_flag

HEIGHT, TOP = 340, 30
# Of the width of one score: where the middle of each bar is, and how wide it is.
PLACES, WIDTH = {"before": -0.21, "after": 0.21}, 0.36
# About what fits below the axis on a phone; longer names are broken into lines.
AXIS_CHARACTERS, LEAST_CHARACTERS = 40, 4


def before_after(
    released: Released, *, label: str, colour: str, layout: dict[str, Any]
) -> go.Figure:
    """A Plotly figure of scores in the order given; `label` says what is scored, and how.

    Columns: label (a score or a band of scores), before and after, the people who had it. A count
    of 0 is no bar; a hidden one is `*` and a missing one `?` at the foot of where it would stand.
    """
    rows = released.frame.to_dict("records")
    # A range of scores stays on one line.
    names = [
        str(row["label"]).replace(" to ", "\N{NO-BREAK SPACE}to\N{NO-BREAK SPACE}") for row in rows
    ]
    room = max(LEAST_CHARACTERS, AXIS_CHARACTERS // max(len(rows), 1))
    traces: list[dict[str, Any]] = []
    # Before is hatched and after full, so that colour is not needed.
    for when, marker in (("before", hatched(colour)), ("after", {"color": colour})):
        signs = {place: _sign(row, when) for place, row in enumerate(rows)}
        known = {place: int(rows[place][when]) for place, sign in signs.items() if not sign}
        counts = {place: count for place, count in known.items() if count}
        traces += [
            {
                "type": "bar",
                "x": [place + PLACES[when] for place in counts],
                "y": list(counts.values()),
                "width": WIDTH,
                "name": when,
                "marker": marker,
                "hovertext": [
                    f"<b>{plain(names[place])}</b><br>{when}: {count:,} people"
                    for place, count in counts.items()
                ],
                "hovertemplate": "%{hovertext}<extra></extra>",
            },
            {
                "type": "scatter",
                "mode": "text",
                "x": [place + PLACES[when] for place, sign in signs.items() if sign],
                "y": [0 for sign in signs.values() if sign],
                "text": [sign for sign in signs.values() if sign],
                "textposition": "top center",
                "textfont": {"color": layout["font"]["color"]},
                "showlegend": False,
                "hoverinfo": "skip",
            },
        ]
    top = max([LEAST_TOP, *(count for bars in traces[::2] for count in bars["y"])])
    return go.Figure(
        data=traces,
        layout={
            **layout,
            "height": HEIGHT,
            "margin": {**layout["margin"], "t": TOP},
            "showlegend": True,
            "legend": {
                "orientation": "h", "x": 0, "xanchor": "left", "y": 1, "yanchor": "bottom",
                "itemclick": False, "itemdoubleclick": False,
            },
            "xaxis": {
                **layout["xaxis"],
                "range": [-0.5, len(rows) - 0.5],
                "tickvals": list(range(len(rows))),
                "ticktext": [
                    "<br>".join(map(plain, wrap(name, room, break_long_words=False)))
                    for name in names
                ],
                "showgrid": False,
                "title": {"text": label, "standoff": TITLE_GAP},
            },
            "yaxis": {
                **layout["yaxis"],
                "range": [0, top * 1.05],
                "tickformat": ",",
                "title": {"text": "people", "standoff": TITLE_GAP},
            },
            "dragmode": False,
        },
    )  # fmt: skip


def _sign(row: dict[Any, Any], when: str) -> str:
    """What stands instead of a bar; nothing where the count is shown."""
    if row[hidden_flag(when)]:
        return HIDDEN_MARK
    return MISSING_MARK if pd.isna(row[when]) else ""
