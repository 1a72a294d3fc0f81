"""The usual way to map areas with Folium in Streamlit: coloured shapes in a component of its own."""

import json
import os
from pathlib import Path

import folium
import pandas as pd
import streamlit as st
from branca.colormap import linear
from streamlit_folium import st_folium

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
chart = folium.Map(tiles=None, prefer_canvas=True)
values = frame.set_index("ward_code")[LAYERS[layer]]
if values.dtype == object or str(values.dtype) in ("str", "string"):
    values = values.astype("category").cat.codes
# Not folium.Choropleth, whose legend fetches a script from another host: it is the same layer.
colours = linear.YlGnBu_09.scale(values.min(), values.max())
fills = {code: colours(value) for code, value in values.dropna().items()}
folium.GeoJson(
    shapes,
    style_function=lambda feature: {
        "fillColor": fills.get(feature["id"], "#808080"),
        "fillOpacity": 1,
        "weight": 0.5,
        "color": "black",
    },
).add_to(chart)
chart.fit_bounds([[south, west], [north, east]])
st_folium(chart, key="ward_map", height=460, use_container_width=True, returned_objects=[])
