"""Notes pinned to days of a chart: a line with a letter, whose words stand below the chart."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from string import ascii_uppercase

import plotly.graph_objects as go

# More letters than this would cover each other.
MOST = len(ascii_uppercase)


def within(figure: go.Figure, days: Sequence[date]) -> list[date]:
    """Those of the days that lie on the chart, oldest first, each once, the newest `MOST`."""
    shown = [str(x)[:10] for trace in figure.data for x in (trace.x if trace.x is not None else ())]
    if not shown:
        return []
    first, last = min(shown), max(shown)
    return [each for each in sorted(set(days)) if first <= each.isoformat() <= last][-MOST:]


def with_notes(figure: go.Figure, days: Sequence[date], *, ink: str) -> go.Figure:
    """The same figure, which stays as it is, with a dotted line and a letter at each of the days."""
    marked = go.Figure(figure)
    for letter, each in zip(ascii_uppercase, days, strict=False):
        at = each.isoformat()
        marked.add_shape(
            type="line", x0=at, x1=at, y0=0, y1=1, yref="paper",
            line={"color": ink, "width": 1.5, "dash": "dot"},
        )  # fmt: skip
        marked.add_annotation(
            x=at, y=1, yref="paper", yanchor="bottom", text=f"<b>{letter}</b>", showarrow=False
        )
    margin = figure.layout.margin
    marked.update_layout(margin={**margin.to_plotly_json(), "t": max(margin.t or 0, 22)})
    return marked
