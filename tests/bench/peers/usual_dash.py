"""The usual way to map areas in Dash: the same figure as in Streamlit, from a callback."""

import sys
from functools import lru_cache

import plotly.express as px
from dash import Dash, Input, Output, dcc, html
from usual_data import LAYERS, MONTHS, PLACES, read

read_once = lru_cache(read)
app = Dash(__name__, serve_locally=True)
app.layout = html.Div(
    [
        dcc.RadioItems(list(PLACES), next(iter(PLACES)), id="place"),
        dcc.RadioItems(MONTHS, MONTHS[0], id="month"),
        dcc.RadioItems(list(LAYERS), next(iter(LAYERS)), id="layer"),
        dcc.Graph(id="ward_map"),
    ]
)


@app.callback(
    Output("ward_map", "figure"),
    Input("place", "value"),
    Input("month", "value"),
    Input("layer", "value"),
)
def drawn(place: str, month: str, layer: str) -> object:
    """The figure of what is chosen."""
    frame, shapes, (west, south, east, north) = read_once(place, month)
    return px.choropleth_map(
        frame,
        geojson=shapes,
        locations="ward_code",
        color=LAYERS[layer],
        hover_name="ward_name",
        map_style="white-bg",
        center={"lat": (south + north) / 2, "lon": (west + east) / 2},
        zoom=5 if north - south > 3 else 8,
        height=460,
    )


app.run(port=int(sys.argv[1]), debug=False)
