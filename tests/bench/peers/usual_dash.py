"""The usual way to map areas in Dash: the same figure as in Streamlit, from a callback."""

import json
import os
import sys
from pathlib import Path

import pandas as pd
import plotly.express as px
from dash import Dash, Input, Output, dcc, html

FOLDER = Path(os.environ["BENCH_FOLDER"])
LAYERS = json.loads((FOLDER / "layers.json").read_text(encoding="utf-8"))
SHAPES = json.loads((FOLDER / "shapes.json").read_text(encoding="utf-8"))
FRAME = pd.read_csv(FOLDER / "wards.csv")
WEST, SOUTH, EAST, NORTH = json.loads((FOLDER / "bounds.json").read_text(encoding="utf-8"))

app = Dash(__name__, serve_locally=True)
app.layout = html.Div(
    [dcc.RadioItems(list(LAYERS), next(iter(LAYERS)), id="layer"), dcc.Graph(id="ward_map")]
)


@app.callback(Output("ward_map", "figure"), Input("layer", "value"))
def drawn(layer: str) -> object:
    """The figure of a layer."""
    return px.choropleth_map(
        FRAME,
        geojson=SHAPES,
        locations="ward_code",
        color=LAYERS[layer],
        hover_name="ward_name",
        map_style="white-bg",
        center={"lat": (SOUTH + NORTH) / 2, "lon": (WEST + EAST) / 2},
        zoom=5 if NORTH - SOUTH > 3 else 8,
        height=460,
    )


app.run(port=int(sys.argv[1]), debug=False)
