"""The usual way to map areas in Streamlit: `px.choropleth_map` with the shapes in the figure.

Reads the frame and shapes that the benchmark wrote, once; without tiles, so that nothing is
fetched from another host.
"""

import json
import os
from pathlib import Path

import pandas as pd
import plotly.express as px
import streamlit as st

FOLDER = Path(os.environ["BENCH_FOLDER"])
LAYERS = json.loads((FOLDER / "layers.json").read_text(encoding="utf-8"))


@st.cache_data
def read() -> tuple[pd.DataFrame, dict]:
    shapes = json.loads((FOLDER / "shapes.json").read_text(encoding="utf-8"))
    return pd.read_csv(FOLDER / "wards.csv"), shapes


st.set_page_config(layout="wide")
frame, shapes = read()
layer = st.selectbox("Map shows", list(LAYERS), key="layer")
west, south, east, north = json.loads((FOLDER / "bounds.json").read_text(encoding="utf-8"))
figure = px.choropleth_map(
    frame,
    geojson=shapes,
    locations="ward_code",
    color=LAYERS[layer],
    hover_name="ward_name",
    map_style="white-bg",
    center={"lat": (south + north) / 2, "lon": (west + east) / 2},
    zoom=8,
    height=460,
)
figure.update_layout(meta=layer)
st.plotly_chart(figure, key="ward_map")
