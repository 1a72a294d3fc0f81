"""Released frames in, Plotly figures out; one file per form of chart."""
