"""The usual way to map areas with Folium in Streamlit: a choropleth in a component of its own."""

import json
import os
from pathlib import Path

import folium
import pandas as pd
import streamlit as st
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
folium.Choropleth(
    geo_data=shapes,
    data=values,
    key_on="feature.id",
    fill_color="YlGnBu",
    fill_opacity=1,
    line_weight=0.5,
).add_to(chart)
chart.fit_bounds([[south, west], [north, east]])
st_folium(chart, key="ward_map", height=460, use_container_width=True, returned_objects=[])
