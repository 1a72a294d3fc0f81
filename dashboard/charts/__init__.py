"""Released frames in, Plotly figures out; one file per form of chart."""

from plotly.graph_objects import Figure

# Between the numbers of an axis and its title, in pixels: without it they can overlap.
TITLE_GAP = 12

__all__ = ["TITLE_GAP", "Figure"]
