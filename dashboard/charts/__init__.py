"""Released frames in, Plotly figures out; one file per form of chart."""

from plotly.graph_objects import Figure

__all__ = ["Figure"]
